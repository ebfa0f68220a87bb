"""Which format a list is in, told from its contents; names and extensions do not count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from hashsets.codes import CodeBook
from hashsets.entries import Entry, Problems
from hashsets.errors import RoleRefused, UnknownFormat
from hashsets.formats import columns as tables
from hashsets.formats import encase, hashdeep, lines, sqlite_sets, vics
from hashsets.formats.text import encoding_of, numbered_lines
from hashsets.rows import Rows, batches

_LINES_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class ListSource:
    """A list that can be read. ``known_files``: what it lists is known and nothing else. ``ambiguous``: why it may be such a set."""

    path: Path
    format: str
    read: Callable[[CodeBook, Problems], Iterator[tuple[str, Rows]]]
    known_files: bool = False
    ambiguous: str = ""
    name: str | None = None
    version: str | None = None

    def check_role(self, role: str, has_categories: bool) -> None:
        """Raises ``RoleRefused`` where this list must not be used for alerts."""
        if role == "alert" and self.known_files:
            raise RoleRefused(f"{self.path.name} is {self.format}, a set of known, mostly harmless files: it can only be used to ignore.")
        if role == "alert" and self.ambiguous and not has_categories:
            raise RoleRefused(f"{self.path.name} {self.ambiguous}: to use it for alerts, give the category table of its issuer.")


def recognise(path: Path, columns: tables.ColumnMap | None = None) -> ListSource:
    """The list at ``path``. With ``columns`` it is taken for a table and nothing else.

    Raises ``UnknownFormat`` (also for an empty file), another ``HashSetError``, or ``OSError``.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    if columns is not None:
        return _entry_source(path, "delimited table with a column map", partial(tables.entries, path, columns))
    if head.startswith(encase.SIGNATURE):
        return _entry_source(path, "EnCase hash set", partial(encase.entries, path), name=encase.set_name(path))
    if head.startswith(sqlite_sets.SIGNATURE):
        found = sqlite_sets.recognise(path)
        return _entry_source(
            path, found.format, partial(found.entries, path), known_files=found.known_files, name=found.name, version=found.version
        )
    text = head.decode(encoding_of(head), "replace").lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")):
        form = vics.recognise(path)
        ambiguous = "is in the form in which NIST publishes a set of known harmless files" if form.version == "1.2" else ""
        return _entry_source(path, form.title, partial(vics.entries, path), ambiguous=ambiguous)
    if text.startswith(hashdeep.SIGNATURE):
        return _entry_source(path, "hashdeep list", partial(hashdeep.entries, path))
    return _text_list(path)


def _text_list(path: Path) -> ListSource:
    unusable = Problems()
    first = ""
    for _, line in islice(numbered_lines(path, unusable), _LINES_LOOKED_AT):
        if not first and line.strip():
            first = line
            found = tables.recognise(line)
            if found is not None:
                kind = "NSRL RDS 2.x" if found.known_files else "delimited table with a header"
                return _entry_source(path, kind, partial(tables.entries, path, found), known_files=found.known_files)
        try:
            if lines.parse(line):
                return ListSource(path, "list of hashes", partial(lines.read, path))
        except ValueError:
            continue
    if not first and not unusable.total:
        raise UnknownFormat(f"{path.name} is empty: it holds no hash.")
    raise UnknownFormat(f"{path.name} is in no format of hash list that is known; a table without a header needs a column map.")


def _entry_source(
    path: Path,
    title: str,
    entries: Callable[[Problems], Iterator[Entry]],
    *,
    known_files: bool = False,
    ambiguous: str = "",
    name: str | None = None,
    version: str | None = None,
) -> ListSource:
    def read(book: CodeBook, problems: Problems) -> Iterator[tuple[str, Rows]]:
        return batches(entries(problems), book)

    return ListSource(path, title, read, known_files, ambiguous, name, version)
