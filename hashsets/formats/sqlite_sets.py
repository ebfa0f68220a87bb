"""Hash sets that are SQLite databases: NSRL RDSv3 and Autopsy ``.kdb``.

RDSv3 (NIST): ``FILE(sha256, sha1, md5, file_name, file_size, package_id)`` is a view in full builds and a table in minimal ones; only
FILE is read, by column name, and only the columns that are there. ``VERSION`` has the release.
kdb (The Sleuth Kit): ``hashes(md5 BINARY(16), sha1 BINARY(20), sha2_256 BINARY(32))``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from hashsets.entries import DIGEST_BYTES, MAX_CODE_LENGTH, Entry, Problems, entry_of, parse_digest
from hashsets.errors import Damaged, UnknownFormat

SIGNATURE = b"SQLite format 3\0"


class _Reader(Protocol):
    def __call__(self, path: Path, problems: Problems) -> Iterator[Entry]: ...


class Found(NamedTuple):
    """Which of the sets a database is."""

    format: str
    entries: _Reader
    known_files: bool
    name: str | None
    version: str | None


def _open(path: Path) -> closing[sqlite3.Connection]:
    database = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)
    database.execute("PRAGMA trusted_schema = OFF")
    database.text_factory = lambda data: data.decode("utf-8", "replace")
    return closing(database)


def recognise(path: Path) -> Found:
    """Raises ``UnknownFormat`` for another database, ``Damaged`` for one that cannot be read."""
    try:
        with _open(path) as database:
            if {"md5", "sha1", "sha256"} & set(_columns(database, "FILE")):
                version, release = _nsrl_version(database)
                return Found("NSRL RDSv3", _nsrl, True, version, release)
            if "md5" in _columns(database, "hashes"):
                return Found("Autopsy hash database", _kdb, False, None, None)
    except (sqlite3.Error, ValueError) as error:
        raise Damaged(f"{path.name} is a damaged database: {error}.") from None
    raise UnknownFormat(f"{path.name} is a database, but neither an NSRL RDSv3 nor an Autopsy hash database.")


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]).lower() for row in database.execute(f"PRAGMA table_info({table})")]


def _nsrl_version(database: sqlite3.Connection) -> tuple[str | None, str | None]:
    there = [column for column in ("build_set", "version") if column in _columns(database, "VERSION")]
    row = database.execute(f"SELECT {', '.join(there)} FROM VERSION LIMIT 1").fetchone() if there else None
    found = dict(zip(there, row or (), strict=False))
    build, version = (str(found[key])[:MAX_CODE_LENGTH] if found.get(key) else None for key in ("build_set", "version"))
    return (f"NSRL {build}" if build else "NSRL"), version


def _rows(path: Path, table: str, wanted: dict[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number of the row from 1, the wanted columns that are there), under our names."""
    try:
        with _open(path) as database:
            there = set(_columns(database, table))
            names = {ours: theirs for ours, theirs in wanted.items() if theirs in there}
            for number, row in enumerate(database.execute(f"SELECT {', '.join(names.values())} FROM {table}"), 1):
                yield number, dict(zip(names, row, strict=True))
    except sqlite3.Error as error:
        raise Damaged(f"{path.name} is a damaged database: {error}.") from None


def _nsrl(path: Path, problems: Problems) -> Iterator[Entry]:
    for number, row in _rows(path, "FILE", {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "size": "file_size"}):
        digests: dict[str, bytes] = {}
        for algorithm in DIGEST_BYTES:
            if text := row.get(algorithm):
                try:
                    digests[algorithm] = parse_digest(str(text), algorithm)[1]
                except ValueError as error:
                    problems.add(number, str(error))
        size = row.get("size")
        if digests:
            yield entry_of(digests, size=size if isinstance(size, int) and size >= 0 else None)


def _kdb(path: Path, problems: Problems) -> Iterator[Entry]:
    for number, row in _rows(path, "hashes", {"md5": "md5", "sha1": "sha1", "sha256": "sha2_256"}):
        digests: dict[str, bytes] = {}
        for algorithm, value in row.items():
            if isinstance(value, bytes) and len(value) == DIGEST_BYTES[algorithm]:
                digests[algorithm] = value
            elif value is not None:
                problems.add(number, f"{algorithm} is not a blob of {DIGEST_BYTES[algorithm]} bytes")
        if digests:
            yield entry_of(digests)
