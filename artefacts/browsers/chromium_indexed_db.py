"""What web sites and extensions keep in databases of a Chromium profile (IndexedDB), records replaced or deleted since included.

Until Chrome 144 a LevelDB folder named after the site; since then one SQLite file a database. Names, keys and the shape of values are
read (``v8_values.describe``); text is not.
Sources: Chromium's content/browser/indexed_db: docs/leveldb_coding_scheme.md, indexed_db_leveldb_coding.cc, file_path_util.cc,
instance/sqlite (schema, compression); third_party/blink/public/common/indexeddb (ordered keys, as in Firefox's dom/indexedDB/Key.cpp).
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from artefacts.browsers.indexed_db_keys import ordered_key
from artefacts.browsers.profiles import CHROMIUM, Owner, owner
from artefacts.browsers.reading import Results
from artefacts.browsers.v8_values import Wrapped, describe, deserialise
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.leveldb import Record, records
from artefacts.leveldb.reading import LARGEST
from artefacts.observations import SiteTrace, StoredRecord
from artefacts.protobuf import varint
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.times import NoTime, from_unix

_MOST_RECORDS = 50_000  # of one database; those of a large site go on without end, and say no more
_LARGEST_VALUE = 64 << 20  # bytes of one value, decompressed
_FOLDER = re.compile(r"(https?|file|chrome-extension)_([^/]*?)_(\d+)(?:\.indexeddb(?:\.leveldb)?)?")
_DATA, _BLOBS = 1, 3  # indexes of the coding scheme that every store has
_NAMES, _STORE_NAME = 201, 50  # kinds of entries of the global and a database's own metadata


def site_of(folder: str) -> str | None:
    """The site that a folder of IndexedDB is named after (``https_a.example_0.indexeddb.leveldb``), or None."""
    named = _FOLDER.fullmatch(folder)
    if named is None:
        return None
    scheme, host, port = named.groups()
    return f"{scheme}://{host}" + (f":{port}" if port != "0" else "")


def parse(file: EvidenceFile) -> Results:
    """``SiteTrace`` for the site that the LevelDB folder of ``file`` (its ``CURRENT``) is named after, ``StoredRecord`` for each record."""
    owned = owner(file, CHROMIUM)
    folder = file.path.rsplit("/", 2)[-2]
    url = site_of(folder)
    if url is None:
        yield Problem(f"the folder {folder} is not named after a site", Status.UNRECOGNISED)
        return
    yield SiteTrace(url=url, what="database stored by the site (IndexedDB)", locator=f"folder={folder}", **owned.labels)
    store = _Store(file, folder.removesuffix(".leveldb"))
    yield from store.read()
    for told, (locator, entry) in enumerate(store.entries()):
        if told >= _MOST_RECORDS:
            yield Problem(f"more than {_MOST_RECORDS} records: the rest was left", Status.SKIPPED, locator)
            return
        value, reason = store.value(entry)
        if reason:
            yield Problem(f"a value cannot be read: {reason}", Status.FAILED, locator)
        yield StoredRecord(
            url=url,
            database=store.databases.get(entry.database),
            store=store.stores.get((entry.database, entry.store)),
            key=_shown(entry.key),
            value=value,
            state=entry.state,
            bytes=len(entry.data),
            recovered=entry.state != "current",
            locator=locator,
            **owned.labels,
        )


@dataclass(slots=True)
class _Entry:
    database: int
    store: int
    key: Any
    raw_key: bytes
    sequence: int
    data: bytes
    state: str


@dataclass(slots=True)
class _Store:
    """The files of one LevelDB folder, put together."""

    file: EvidenceFile
    name: str
    databases: dict[int, str] = field(default_factory=dict)
    stores: dict[tuple[int, int], str] = field(default_factory=dict)
    _data: dict[bytes, list[tuple[Record, str]]] = field(default_factory=dict)
    _blobs: dict[bytes, bytes] = field(default_factory=dict)
    _held: int = 0

    def read(self) -> Iterator[Problem]:
        """Take in every table and log beside the file."""
        for other in self.file.siblings():
            if not other.name.lower().endswith((".ldb", ".sst", ".log")):
                continue
            data = other.read(LARGEST + 1)
            if len(data) > LARGEST:
                yield Problem(f"larger than {LARGEST} bytes: the rest was not read", Status.FAILED, f"{other.name} offset={LARGEST}")
            try:
                for item in records(data[:LARGEST]) if data else ():
                    if isinstance(item, Problem):
                        yield Problem(item.reason, item.status, f"{other.name} {item.locator}")
                    else:
                        self._take(item, other.name)
            except Unrecognised as error:
                yield Problem(str(error), Status.FAILED, other.name)

    def _take(self, item: Record, name: str) -> None:
        try:
            database, store, index, place = _prefix(item.key)
            rest = item.key[place:]
            if (database, store, index) == (0, 0, 0) and rest[:1] == bytes([_NAMES]) and item.value:
                _, place = _text(rest, 1)
                self.databases[int.from_bytes(item.value, "little")] = _text(rest, place)[0]
            elif database and (store, index) == (0, 0) and rest[:1] == bytes([_STORE_NAME]) and item.value is not None:
                number, place = varint(rest, 1)
                if rest[place : place + 1] == b"\0":
                    self.stores[database, number] = item.value.decode("utf-16-be", "backslashreplace")
            elif store and index == _DATA and self._held < 4 * _MOST_RECORDS:
                self._held += 1
                self._data.setdefault(item.key, []).append((item, name))
            elif store and index == _BLOBS and item.value and len(self._blobs) < _MOST_RECORDS:
                self._blobs[rest + bytes([0]) + item.key[1:place]] = item.value
        except (ValueError, IndexError):
            return  # a key of another kind

    def entries(self) -> Iterator[tuple[str, _Entry]]:
        """Each record and what it was before, newest first, in the order they were first written. What a deletion leaves is told as deleted."""
        for raw, versions in sorted(self._data.items(), key=lambda pair: min(item.sequence for item, _ in pair[1])):
            try:
                database, store, _, place = _prefix(raw)
                key, _ = _key(raw, place, 0)
            except (ValueError, IndexError, struct.error):
                key = f"[damaged: {raw.hex()[:200]}]"
            newest_first = sorted(versions, key=lambda pair: -pair[0].sequence)
            state = "current"
            told: set[bytes] = set()
            for item, name in newest_first:
                if item.value is None:
                    state = "deleted" if not told else state
                    continue
                if item.value not in told:
                    told.add(item.value)
                    locator = f"{name} offset={item.offset} sequence={item.sequence}"
                    yield locator, _Entry(database, store, key, raw[place:], item.sequence, item.value, state)
                state = "replaced by a newer value"

    def value(self, entry: _Entry) -> tuple[str | None, str]:
        """The shape of a record's value; or what could be told of it and the reason why not more."""
        try:
            _, place = varint(entry.data, 0)
            found = deserialise(entry.data[place:])
            if isinstance(found, Wrapped) and (whole := self._wrapped(entry, found.index)) is not None:
                found = deserialise(whole)
            return describe(found), ""
        except (ValueError, IndexError) as error:
            return None, str(error)

    def _wrapped(self, entry: _Entry, index: int) -> bytes | None:
        """A value that was too large for LevelDB, from its file; None where that is not there."""
        prefix = bytes([entry.database, entry.store, _BLOBS])
        for number, blob in enumerate(_blobs(self._blobs.get(entry.raw_key + b"\0" + prefix, b""))):
            if number == index:
                beside = self.file.sibling(f"../{self.name}.blob/{entry.database:x}/{blob >> 8 & 0xFF:02x}/{blob:x}")
                return beside.read(_LARGEST_VALUE) if beside is not None else None
        return None


def _blobs(data: bytes) -> Iterator[int]:
    """Numbers of the files in the list of a record's blobs: whether it is a file, number, type, [name,] size [, time]."""
    place = 0
    try:
        while place < len(data):
            kind = data[place]
            number, place = varint(data, place + 1)
            _, place = _text(data, place)
            if kind == 1:
                _, place = _text(data, place)
            _, place = varint(data, place)
            if kind == 1:
                _, place = varint(data, place)
            yield number
    except (ValueError, IndexError):
        return


def _prefix(key: bytes) -> tuple[int, int, int, int]:
    """Numbers of database, store and index in front of a key, and where it goes on: one byte says how long each of the three is."""
    lengths = (key[0] >> 5) + 1, (key[0] >> 2 & 7) + 1, (key[0] & 3) + 1
    place, numbers = 1, []
    for length in lengths:
        numbers.append(int.from_bytes(key[place : place + length], "little"))
        place += length
    if place > len(key):
        raise ValueError("cut short")
    return numbers[0], numbers[1], numbers[2], place


def _text(data: bytes, place: int) -> tuple[str, int]:
    length, place = varint(data, place)
    if place + 2 * length > len(data):
        raise ValueError("cut short")
    return data[place : place + 2 * length].decode("utf-16-be", "backslashreplace"), place + 2 * length


def _key(data: bytes, place: int, depth: int) -> tuple[Any, int]:
    """A key of the coding scheme: text, date, number, list or bytes."""
    kind = data[place]
    place += 1
    if kind == 1:
        return _text(data, place)
    if kind in (2, 3):
        (value,) = struct.unpack_from("<d", data, place)
        return (from_unix(value, unit_ns=1_000_000) if kind == 2 else value), place + 8
    if kind == 4 and depth < 20:
        count, place = varint(data, place)
        items = []
        for _ in range(count):
            item, place = _key(data, place, depth + 1)
            items.append(item)
        return items, place
    if kind == 6:
        length, place = varint(data, place)
        return data[place : place + length], place + length
    return None, place


def _shown(key: Any) -> str:
    """A key as text, at most 200 characters."""
    if isinstance(key, list):
        return ("[" + ", ".join(_shown(item) for item in key[:20]) + "]")[:200]
    if isinstance(key, bytes):
        return f"bytes {key.hex()}"[:200]
    if isinstance(key, float):
        return f"{key:g}"
    return (key.reason if isinstance(key, NoTime) else key.isoformat() if hasattr(key, "isoformat") else str(key))[:200]


def parse_sqlite(file: EvidenceFile) -> Results:
    """``StoredRecord`` for each record of one database of Chrome 144 and later."""
    owned = owner(file, CHROMIUM)
    folder = file.path.rsplit("/", 2)[-2]
    url = site_of(folder)
    if url is None or "." in folder.rpartition("_")[2] or file.name.endswith(("-wal", "-journal", "-shm")):
        return  # a folder of LevelDB, or a companion
    with Database(file) as database:
        yield from database.problems
        if not database.has("records", "key", "value"):
            raise Unrecognised("a SQLite database, but not one of a site")
        yield from _rows(database, owned, url)


def _rows(database: Database, owned: Owner, url: str) -> Results:
    name: str | None = None
    names: dict[int, str | None] = {}
    for row in database.rows("indexed_db_metadata", ("name",)):
        if not isinstance(row, Problem):
            name = _wide(row.values["name"])
    for row in database.rows("object_stores", ("id", "name")):
        if not isinstance(row, Problem):
            names[row.integer("id") or 0] = _wide(row.values["name"])
    for told, row in enumerate(database.rows("records", ("key", "value"), ("object_store_id", "compression_type"))):
        if isinstance(row, Problem):
            yield row
            continue
        if told >= _MOST_RECORDS:
            yield Problem(f"more than {_MOST_RECORDS} records: the rest was left", Status.SKIPPED, row.locator)
            return
        raw, key, value = row.values["value"], row.values["key"], None
        raw = raw if isinstance(raw, bytes) else b""
        try:
            value = describe(deserialise(_expanded(raw, row.integer("compression_type") or 0)))
        except ValueError as error:
            yield Problem(f"a value cannot be read: {error}", Status.FAILED, row.locator)
        yield StoredRecord(
            url=url,
            database=name,
            store=names.get(row.integer("object_store_id") or 0),
            key=_shown(ordered_key(key)) if isinstance(key, bytes) else None,
            value=value,
            bytes=len(raw),
            locator=row.locator,
            **owned.labels,
        )


def _wide(value: Any) -> str | None:
    return value.decode("utf-16-le", "backslashreplace") if isinstance(value, bytes) else None


def _expanded(data: bytes, how: int) -> bytes:
    """Stored as it is (0), Zstandard (1) or Snappy (2). Raises ``ValueError``."""
    if how == 1:
        from backports.zstd import ZstdError, ZstdFile

        try:
            with ZstdFile(io.BytesIO(data)) as packed:
                return packed.read(_LARGEST_VALUE)
        except (ZstdError, EOFError, OSError) as error:
            raise ValueError("the compressed data is damaged") from error
    if how == 2:
        from artefacts.leveldb.snappy import decompress

        return decompress(data)
    return data


_REFERENCES = ("https://chromium.googlesource.com/chromium/src/+/main/content/browser/indexed_db/docs/leveldb_coding_scheme.md",)

ARTEFACTS = (
    Artefact(
        id="browsers.chromium.indexed_db",
        title="Chromium browsers: databases of sites",
        meaning="Sites that keep a database (IndexedDB) in the browser: names, keys and the shape of each record, deleted ones too. Text is not read.",
        paths=("**/*.indexeddb.leveldb/CURRENT",),
        parse=parse,
        references=_REFERENCES,
        version=2,
        validation="specimens of Chrome 109 on Linux and Windows",
    ),
    Artefact(
        id="browsers.chromium.indexed_db_sqlite",
        title="Chromium browsers since 144: databases of sites",
        meaning="Sites that keep a database (IndexedDB) in the browser: names, keys and the shape of each record. Text is not read.",
        paths=("**/IndexedDB/*/*",),
        parse=parse_sqlite,
        references=_REFERENCES,
        validation="specimen of Chrome 144",
    ),
)
