"""``build``: lists, stores and folders of reference files into one store, by an external merge in bounded memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hashsets import bloom
from hashsets.blocks import BlockCollector
from hashsets.codes import CategoryTable, CodeBook, Kind
from hashsets.entries import ALGORITHMS, KEPT_BYTES, Entry, Problems, check_role, entry_of
from hashsets.errors import Damaged, HashSetError, NotEnumerable
from hashsets.formats.columns import ColumnMap
from hashsets.formats.manifest import check_numbered, read_manifest
from hashsets.formats.recognise import recognise
from hashsets.ingest import drop_empty_file, entry_count
from hashsets.keys import TAG_BYTES, Keyer, new_keyer
from hashsets.rows import RUN_ROWS, Rows, SortedRows, Sorter, batches, make_rows
from hashsets.store import Content, is_store, open_store, write_store

if TYPE_CHECKING:
    from hashsets.pictures.store import PictureCollector

KINDS = ("exact", "picture", "block")
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Built:
    """What ``build`` made: entries, hashes by algorithm (``block`` for block hashes, ``pdq``, ``phash``), repeated rows left out, unusable lines, file size."""

    path: Path
    count: int
    hashes: dict[str, int]
    duplicates: int
    problems: Problems
    bytes: int


def build(
    out: Path,
    sources: Sequence[Path],
    *,
    role: str | None,
    key: bytes | None = None,
    kinds: Sequence[str] = ("exact",),
    name: str | None = None,
    version: str | None = None,
    mapping: CategoryTable | None = None,
    columns: ColumnMap | None = None,
    known: Sequence[Path] = (),
    progress: Progress | None = None,
    run_rows: int = RUN_ROWS,
) -> Built:
    """Build the store ``out`` from ``sources``: lists in any format that is read, manifests, plain stores, folders of reference files.

    ``role`` is ``alert`` or ``ignore``. With ``key`` (from ``load_key``) the store is keyed. ``kinds``: for folders, what is computed: ``exact``
    (MD5, SHA-1 and SHA-256 of each file), ``picture`` (perceptual hashes), ``block``; with ``picture`` and without ``exact`` lists are lists of perceptual
    hashes. ``mapping`` is the keeper's category table, ``columns`` the map of delimited tables;
    ``known`` are folders of harmless files whose blocks are left out. ``progress(what, rows so far)`` is called now and then.
    ``run_rows`` bounds the memory: about 90 bytes a row.

    Nothing is left behind, and an existing ``out`` stays as it was, unless all goes well. Raises ``HashSetError`` or ``OSError``.
    """
    role = check_role(role, out.name)
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise HashSetError(f"{', '.join(unknown) or 'No kind'}: not available in this version; the kinds are {', '.join(KINDS)}.")
    if not sources:
        raise HashSetError("No source is given.")
    _refuse_to_overwrite(out, (*sources, *known))
    check_numbered(sources)
    keyer, parameters = new_keyer(key) if key is not None else (None, None)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".hashset-") as folder:
        work = _Build(role, keyer, kinds, columns, Path(folder), run_rows, progress or (lambda what, rows: None), bool(mapping))
        for source in sources:
            work.add(source)
        for path in known:
            work.add_known(path)
        content, built = work.content(name, out.stem, version, mapping, parameters)
        write_store(out, content)
    return Built(out, built.count, built.hashes, built.duplicates, work.problems, out.stat().st_size)


def _refuse_to_overwrite(out: Path, inputs: Iterable[Path]) -> None:
    # The first argument is the output: a keeper who forgets that must not lose a list.
    if out.exists() and (out.is_dir() or not is_store(out)):
        raise HashSetError(f"{out.name} exists and is not a hash set of this program: it is not overwritten.")
    for path in inputs:
        if path.resolve() == out.resolve() or (path.is_dir() and path.resolve() in out.resolve().parents):
            raise HashSetError(f"{out.name} would be written where {path.name} is read from: write it elsewhere.")


@dataclass(slots=True)
class _Counts:
    count: int
    hashes: dict[str, int]
    duplicates: int


@dataclass(slots=True)
class _Build:
    """A build under way."""

    role: str
    keyer: Keyer | None
    kinds: Sequence[str]
    columns: ColumnMap | None
    folder: Path
    run_rows: int
    progress: Progress
    has_categories: bool
    book: CodeBook = field(default_factory=CodeBook)
    problems: Problems = field(default_factory=Problems)
    sources: list[dict[str, Any]] = field(default_factory=list)
    names: list[tuple[str | None, str | None]] = field(default_factory=list)
    categories: list[CategoryTable] = field(default_factory=list)
    read: int = 0
    _sorters: dict[str, Sorter] = field(default_factory=dict)
    _blocks: BlockCollector | None = None
    _pictures: PictureCollector | None = None

    def _sorter(self, table: str) -> Sorter:
        if table not in self._sorters:
            width = TAG_BYTES if self.keyer else KEPT_BYTES[table]
            self._sorters[table] = Sorter(width, self.book, self.folder, self.run_rows)
        return self._sorters[table]

    def _collector(self) -> BlockCollector:
        if self._blocks is None:
            self._blocks = BlockCollector(self._sorter("block"), self.book.number(Kind((), ("block",))), self.keyer)
        return self._blocks

    def _picture_collector(self) -> PictureCollector:
        if self._pictures is None:
            from hashsets.pictures.store import PictureCollector

            self._pictures = PictureCollector()
        return self._pictures

    def add(self, path: Path) -> None:
        """Take in one source."""
        if path.is_dir():
            self._add_folder(path)
            return
        if "picture" in self.kinds and "exact" not in self.kinds and not is_store(path):
            self._add_picture_list(path)
            return
        if is_store(path):
            self._add_store(path)
        elif bloom.is_filter(path):
            raise NotEnumerable(f"{path.name} is a Bloom filter: what was put in cannot be read back. Use it as it is.")
        elif self.columns is None and (manifest := read_manifest(path)) is not None:
            self.names.append((manifest.name, manifest.version))
            for part in manifest.parts:
                self._add_list(part)
        else:
            self.names.append(self._add_list(path))

    def _add_list(self, path: Path) -> tuple[str | None, str | None]:
        """Take in one list; its own name and version."""
        found = recognise(path, self.columns)
        found.check_role(self.role, self.has_categories)
        problems = Problems()
        before = self.read
        for algorithm, rows in found.read(self.book, problems):
            self._take(algorithm, drop_empty_file(algorithm, rows, self.role, problems), path.name)
        self._source(path, found.format, self.read - before, problems)
        return found.name, found.version

    def _add_picture_list(self, path: Path) -> None:
        from hashsets.formats import pictures as lists

        problems = Problems()
        before = self.read
        for entry in lists.read(path, problems):
            self._picture_collector().add(*entry)
            self.read += 1
            if self.read % 100_000 == 0:
                self.progress(path.name, self.read)
        self.names.append((None, None))
        self._source(path, lists.FORMAT, self.read - before, problems)

    def _take(self, algorithm: str, rows: Rows, what: str) -> None:
        self.read += len(rows)
        if self.keyer and len(rows):
            rows = make_rows(self.keyer.tags(algorithm, rows["key"]), rows["kind"], rows["size"])
        self._sorter(algorithm).add(rows)
        self.progress(what, self.read)

    def _source(self, path: Path, form: str, hashes: int, problems: Problems, digest: str | None = None) -> None:
        if digest is None:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self.sources.append({"file": path.name, "format": form, "sha256": digest, "hashes": hashes, "problems": problems.total})
        self._tell(path, problems)

    def _add_store(self, path: Path) -> None:
        with closing(open_store(path, None)) as stored:
            if stored.role != self.role:
                raise HashSetError(f"{path.name} was built for {stored.role!r} and cannot go into a set for {self.role!r}.")
            numbers = np.array([self.book.number(kind) for kind in stored.kinds.kinds], np.uint16)
            before = self.read
            for algorithm, rows in stored.rows():
                self._take(algorithm, make_rows(rows["key"], numbers[rows["kind"]], rows["size"]), path.name)
            stored.check_all()
            if stored.identity.get("pictures"):
                from hashsets.pictures.store import open_pictures

                for entry in open_pictures(path).entries():
                    self._picture_collector().add(*entry)
                    self.read += 1
            self.names.append((stored.name, stored.version))
            self.categories.append(stored.categories)
            self._source(path, stored.identity["format"], self.read - before, Problems(), stored.identity["sha256"])

    def _add_folder(self, folder: Path) -> None:
        problems = Problems()
        before = self.read
        listing = hashlib.sha256()
        if "exact" in self.kinds:
            for algorithm, rows in batches(self._reference_entries(folder, listing, problems), self.book):
                self._take(algorithm, drop_empty_file(algorithm, rows, self.role, problems), folder.name)
        if "block" in self.kinds:
            exact = "exact" in self.kinds
            for path, relative in _files(folder, Problems() if exact else problems):
                digest = self._add_blocks(path, relative, problems, tell_unreadable=not exact)
                if digest is not None and not exact:
                    listing.update(_listing_line(digest, relative))
        if "picture" in self.kinds:
            listed = bool({"exact", "block"} & set(self.kinds))
            for path, relative in _files(folder, Problems() if listed else problems):
                digest = self._add_picture(path, relative, problems, tell_unreadable=not listed)
                if digest is not None and not listed:
                    listing.update(_listing_line(digest, relative))
        form = "folder of reference files; its sha256 is that of the list 'SHA-256, two spaces, path', sorted by path"
        self._source(folder, form, self.read - before, problems, listing.hexdigest())

    def _reference_entries(self, folder: Path, listing: Any, problems: Problems) -> Iterator[Entry]:
        for path, relative in _files(folder, problems):
            digests = [hashlib.new(algorithm, usedforsecurity=False) for algorithm in ALGORITHMS]
            size = 0
            try:
                with path.open("rb") as stream:
                    while data := stream.read(1 << 20):
                        size += len(data)
                        for one in digests:
                            one.update(data)
            except OSError as error:
                problems.add(0, f"{relative}: cannot be read: {error.strerror}")
                continue
            listing.update(_listing_line(digests[2].hexdigest(), relative))
            yield entry_of({one.name: one.digest() for one in digests}, size)

    def _add_blocks(
        self, path: Path, relative: str, problems: Problems, *, tell_unreadable: bool = True, known: bool = False
    ) -> str | None:
        self.progress(relative, self.read)
        try:
            with path.open("rb") as stream:
                digest, new = self._collector().add(relative, stream, known=known)
        except OSError as error:
            if tell_unreadable:
                problems.add(0, f"{relative}: cannot be read: {error.strerror}")
            return None
        if not new and not known:
            problems.add(0, f"{relative}: the same contents as a file before it, whose blocks stand for both")
        return digest

    def _add_picture(self, path: Path, relative: str, problems: Problems, *, tell_unreadable: bool) -> str | None:
        self.progress(relative, self.read)
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                stream.seek(0)
                reason = self._picture_collector().add_picture(relative, stream)
        except OSError as error:
            if tell_unreadable:
                problems.add(0, f"{relative}: cannot be read: {error.strerror}")
            return None
        if reason is not None:
            problems.add(0, f"{relative}: {reason}: not looked up by its looks")
        self.read += reason is None
        return digest

    def add_known(self, folder: Path) -> None:
        """A folder of harmless files."""
        problems = Problems()
        for path, relative in _files(folder, problems):
            self._add_blocks(path, relative, problems, known=True)
        self._tell(folder, problems)

    def _tell(self, path: Path, problems: Problems) -> None:
        for line, reason in problems:
            self.problems.add(line, f"{path.name}: {reason}")
        self.problems.total += problems.total - len(problems)

    def content(
        self, name: str | None, fallback: str, version: str | None, mapping: CategoryTable | None, parameters: dict[str, Any] | None
    ) -> tuple[Content, _Counts]:
        """Sort and unite all rows; what goes into the store, and its counts."""
        self.progress("sorting", self.read)
        tables: dict[str, SortedRows] = {}
        files = b""
        for algorithm in ALGORITHMS:
            if algorithm in self._sorters:
                tables[algorithm] = self._sorters[algorithm].finish()
        if self._blocks is not None:
            tables["block"], files = self._blocks.finish()
        tables = {table: rows for table, rows in tables.items() if rows.count}
        pictures, sections, repeated = self._pictures.finish() if self._pictures is not None else ({}, {}, 0)
        if not tables and not pictures:
            reason = f" ({self.problems.kept[0].reason})" if self.problems.total else ""
            raise Damaged(f"The sources hold nothing that can go into a hash set{reason}.")
        count = sum(entry_count(algorithm, rows, self.book) for algorithm, rows in tables.items() if algorithm != "block") or max(
            pictures.values(), default=0
        )
        only = self.names[0] if len(self.names) == 1 else (None, None)
        self.progress("writing", self.read)
        facts = {
            "name": name or only[0] or fallback,
            "version": version or only[1],
            "role": self.role,
            "count": count,
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "sources": self.sources,
            "problems": {"kept": list(self.problems), "total": self.problems.total},
            "categories": (mapping or _united(self.categories)).to_json(),
        }
        hashes = {table: rows.count for table, rows in tables.items()} | pictures
        duplicates = sum(sorter.duplicates for table, sorter in self._sorters.items() if table != "block") + repeated
        content = Content(facts, tables, self.book, self.keyer, parameters, files, pictures, sections)
        return content, _Counts(count, hashes, duplicates)


def _united(tables: Iterable[CategoryTable]) -> CategoryTable:
    result = CategoryTable()
    for table in tables:
        for code, category in table.codes.items():
            if result.codes.setdefault(code, category) != category:
                raise HashSetError(f"The sets to merge give code {code!r} different meanings: give one category table for all.")
    return result


def _listing_line(digest: str, relative: str) -> bytes:
    return f"{digest}  {relative}\n".encode("utf-8", "surrogateescape")


def _files(folder: Path, problems: Problems) -> Iterator[tuple[Path, str]]:
    """(path, path relative to ``folder`` with ``/``) of every regular file, links left alone, in a fixed order."""

    def unreadable(error: OSError) -> None:
        problems.add(0, f"{Path(error.filename).relative_to(folder).as_posix()}: the folder cannot be read: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path, path.relative_to(folder).as_posix()
