"""Words in the databases of known applications (messages, notes, search indexes). Which ones, and which columns: ``applications.yaml``.

Rows are matched and let go: of what people wrote to each other only the words around a hit are kept, as of any text.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from artefacts import plist, times
from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.registry import EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.recovery import deleted_rows
from artefacts.times import Time, Timestamp
from triage.scan.text.extract import MAX_TOLD, Piece
from triage.scan.text.markup import unescape

MAGIC = b"SQLite format 3\0"
PREFIX = "application_data"
"""What the ids of applications begin with, as exclusions name them: ``application_data.skype``."""
# How a record's header says that a column holds text (its type is odd, from 15 on) or nothing: stricter than for any column, as texts follow
# each other in a record without a sign between them.
_SOME_TEXT = rb"(?:[%b]|[\x81-\xff][%b]|[\x81-\xff][\x80-\xff][%b])" % (
    re.escape(bytes(range(0x0F, 0x80, 2))), *[re.escape(bytes(range(1, 0x80, 2)))] * 2,
)  # fmt: skip
_ANY_TEXT = rb"(?:[\x00\x0d]|%b)" % _SOME_TEXT
_BLANKS = re.compile(r"[\r\n\t]")
_BATCH = 1 << 18
_MAX_VALUE = 4 << 20
# The text of a message in NSArchiver's form: after the class's name, its length in one byte, or 0x81 and two.
_TYPED = re.compile(rb"NSString\x01[\x84\x94-\x9f]\x84\x01\+(\x81..|[\x01-\x80])", re.DOTALL)
_TIMES: dict[str, Callable[[Any], Time]] = {
    "unix s": times.from_unix,
    "unix ms": lambda value: times.from_unix(value, unit_ns=1_000_000),
    "mac s": times.from_cocoa,
    # Messages counts seconds in old databases and nanoseconds in new ones.
    "mac ns": lambda value: times.from_cocoa(value / 1e9 if value > 10**12 else value),
    "filetime": times.from_filetime,
    "ticks": lambda value: times.from_unix(value - 621_355_968_000_000_000, unit_ns=100),  # .NET's, since the year 1
}


@dataclass(frozen=True, slots=True)
class Table:
    """``name`` may hold ``*``; ``words``: its columns to match; ``time``: the column and the unit of when a row was made."""

    name: str
    words: tuple[str, ...]
    time: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Application:
    """A program's database: ``known_by`` are tables with columns that it must have."""

    name: str
    known_by: tuple[tuple[str, tuple[str, ...]], ...]
    tables: tuple[Table, ...]

    @property
    def id(self) -> str:
        """As exclusions name it."""
        return f"{PREFIX}.{re.sub(r'[^a-z0-9]+', '_', self.name.lower()).strip('_')}"


@dataclass(frozen=True, slots=True)
class Closed:
    """A program that encrypts what it keeps, and where that lies."""

    name: str
    paths: tuple[re.Pattern[str], ...]


@cache
def applications() -> tuple[tuple[Application, ...], tuple[Closed, ...]]:
    """Those in ``applications.yaml``."""
    import yaml

    from artefacts.matching import glob

    data = yaml.safe_load((Path(__file__).parent / "applications.yaml").read_text("utf-8"))
    return tuple(
        Application(
            entry["application"],
            tuple((name, tuple(columns)) for name, columns in entry["known_by"].items()),
            tuple(
                Table(name, tuple(table["words"]), tuple(table["time"]) if "time" in table else None)
                for name, table in entry["read"].items()
            ),
        )
        for entry in data["databases"]
    ), tuple(Closed(entry["application"], tuple(glob(path) for path in entry["paths"])) for entry in data["closed"])


def closed(path: str) -> str | None:
    """The program that keeps its words encrypted in the file at ``path``, or None."""
    lower = path.lower()
    return next((item.name for item in applications()[1] if any(pattern.fullmatch(lower) for pattern in item.paths)), None)


def read(
    file: EvidenceFile, holds: Callable[[bytes], bool], beat: Callable[[], None]
) -> tuple[Application | None, Iterator[Piece | Problem]]:
    """The application whose database ``file`` is (None for any other), and the texts in which ``holds`` finds something, deleted rows included.

    Rows are asked about many at a time, and only of those with a hit one at a time: pieces come row by row, their locators say which.
    """
    try:
        database = Database(file)
    except Unrecognised as error:
        return None, iter([Problem(str(error))])
    except Encrypted as error:
        return None, iter([Problem(str(error), Status.ENCRYPTED)])
    for application in applications()[0]:
        if all(any(database.has(table, *columns) for table in _named(database, name)) for name, columns in application.known_by):
            return application, _told(_read(database, application, holds, beat))
    database.close()
    return None, iter(database.problems)


def _named(database: Database, pattern: str) -> list[str]:
    return sorted(name for name in database.tables if fnmatchcase(name, pattern)) if "*" in pattern else [pattern]


def _read(
    database: Database, application: Application, holds: Callable[[bytes], bool], beat: Callable[[], None]
) -> Iterator[Piece | Problem]:
    with database:
        yield from database.problems
        for table in application.tables:
            for name in _named(database, table.name):
                here = [column for column in table.words if database.has(name, column)]
                if not here:
                    continue
                time = table.time if table.time and database.has(name, table.time[0]) else None
                columns = [*here, time[0]] if time else here
                yield from _matching(database.rows(name, (), columns), here, time, holds, beat)
                yield from _matching(_deleted(database, name, columns, here), here, time, holds, beat)


def _deleted(database: Database, table: str, columns: Sequence[str], words: Sequence[str]) -> Iterator[Row]:
    """Deleted rows with a text in the first column of words."""
    known = database.tables[table]
    binary = {name for name, declared in zip(known.stored, known.types, strict=True) if "BLOB" in declared}
    first = words[0]
    if first in binary:
        return
    shape = {name: _ANY_TEXT for name in words if name not in binary} | {first: _SOME_TEXT}

    def plausible(row: Row) -> bool:
        value = row.values[first]
        return isinstance(value, str) and len(value) > 1 and _BLANKS.sub("", value).isprintable()

    yield from deleted_rows(database, table, columns, words, shape, plausible)


def _matching(
    rows: Iterator[Row | Problem] | Iterator[Row],
    columns: Sequence[str],
    time: tuple[str, str] | None,
    holds: Callable[[bytes], bool],
    beat: Callable[[], None],
) -> Iterator[Piece | Problem]:
    batch: list[tuple[str, bytes]] = []
    size = 0

    def matched() -> Iterator[Piece]:
        beat()
        if holds(b"\n".join(data for _, data in batch)):
            yield from (Piece(data, locator, "application") for locator, data in batch if holds(data))

    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        texts, binary = [], []
        for column in columns:
            value = row.values[column]
            if isinstance(value, str):
                texts.append(_plain(value[:_MAX_VALUE]).replace("\0", " ").encode("utf-8", "replace"))
            elif isinstance(value, bytes) and value:
                binary.append(_unpacked(value[:_MAX_VALUE]))
        locator = _locator(row, time)
        # Each binary value stands for itself: beside text its zero bytes would have the text taken for binary content.
        for data in (b"\n".join(texts), *binary):
            if data.strip():
                batch.append((locator, data))
                size += len(data)
        if size > _BATCH:
            yield from matched()
            batch, size = [], 0
    yield from matched()


def _plain(value: str) -> str:
    """Text without the escapes of JSON, or the entities of markup; tags stay: they hold addresses."""
    start = value[:1]
    return unescape(value) if start in ("{", "[") else html.unescape(value) if start == "<" else value


def _unpacked(value: bytes) -> bytes:
    """The words of a binary value where its form is known, else the value: in most, the byte that tells a string's length may be a letter."""
    if value.startswith(b"\x1f\x8b"):
        try:
            return zlib.decompressobj(31).decompress(value, _MAX_VALUE)
        except zlib.error:
            return value
    if value.startswith(b"bplist00"):
        try:
            return "\n".join(_strings(plist.load(value))).encode("utf-8", "replace")
        except ValueError:
            return value
    typed = _TYPED.search(value) if value[2:13] == b"streamtyped" else None
    if typed is None:
        return value
    length = typed[1][0] if len(typed[1]) == 1 else int.from_bytes(typed[1][1:], "little")
    return value[typed.end() : typed.end() + length]


def _strings(tree: Any) -> Iterator[str]:
    """The texts in a property list; each container once, as one may stand in many places."""
    waiting, seen = [tree], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (dict, list)) and id(value) not in seen:
            seen.add(id(value))
            waiting += value.values() if isinstance(value, dict) else value


def _locator(row: Row, time: tuple[str, str] | None) -> str:
    where = f"{row.locator} (deleted)" if row.place else row.locator
    number = row.values[time[0]] if time else None
    if time is None or not isinstance(number, (int, float)) or number <= 0:
        return where
    instant = _TIMES[time[1]](number)
    return f"{where} of {instant.isoformat()}" if isinstance(instant, Timestamp) else where


def _told(items: Iterator[Piece | Problem]) -> Iterator[Piece | Problem]:
    """As many problems as one file may tell, then how many more there are."""
    told = 0
    for item in items:
        told += isinstance(item, Problem)
        if not isinstance(item, Problem) or told <= MAX_TOLD:
            yield item
    if told > MAX_TOLD:
        yield Problem(f"{told - MAX_TOLD} more problems in it")
