"""The records of one LevelDB file: a log (``*.log``) or a table (``*.ldb``, ``*.sst``), each by itself and without its manifest.

Every record ever written to the file is told, with its sequence number: an older value and a deletion are facts too. Checksums are not
verified: a damaged block shows in its structure, or not at all.
Sources: github.com/google/leveldb, doc/log_format.md, doc/table_format.md, db/write_batch.cc, db/dbformat.h.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.leveldb.snappy import decompress
from artefacts.protobuf import varint

LARGEST = 256 << 20  # bytes of one file; LevelDB's are 2 to 4 MiB, a log that was never compacted more
_MAGIC = bytes.fromhex("57fb808b247547db")
_BLOCK = 32_768
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Record:
    """One put, or one deletion (``value`` is None). ``offset`` of the block or log record it lies in."""

    key: bytes
    value: bytes | None
    sequence: int
    offset: int


def records(data: bytes) -> Iterator[Record | Problem]:
    """Every record of a file in the order stored; a damaged block or batch is one ``Problem``. Raises ``Unrecognised``."""
    if data.endswith(_MAGIC):
        return _table(data)
    return _log(data)


def _bytes(data: bytes, place: int) -> tuple[bytes, int]:
    size, place = varint(data, place)
    if place + size > len(data):
        raise ValueError("a record is cut short")
    return data[place : place + size], place + size


def _log(data: bytes) -> Iterator[Record | Problem]:
    batch = bytearray()
    begun: int | None = None
    place = sound = 0
    while place + 7 <= len(data):
        if _BLOCK - place % _BLOCK < 7:
            place += _BLOCK - place % _BLOCK
            continue
        size, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if kind == 0 and size == 0:  # space made ready and not used
            place += _BLOCK - place % _BLOCK
            continue
        part = data[place + 7 : place + 7 + size]
        fits = place % _BLOCK + 7 + size <= _BLOCK and len(part) == size
        if kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or not fits or (kind in (_MIDDLE, _LAST)) != (begun is not None):
            if not sound and not place:
                raise Unrecognised("neither a log nor a table of LevelDB")
            yield Problem("a record of the log is damaged or cut short", Status.FAILED, f"offset={place}")
            begun, batch = None, bytearray()
            place += _BLOCK - place % _BLOCK
            continue
        if kind in (_FULL, _FIRST):
            begun, batch = place, bytearray()
        batch += part
        if kind in (_FULL, _LAST) and begun is not None:
            sound += 1
            yield from _batch(bytes(batch), begun)
            begun = None
        place += 7 + size
    if begun is not None:
        yield Problem("the last record of the log is cut short", Status.FAILED, f"offset={begun}")


def _batch(batch: bytes, offset: int) -> Iterator[Record | Problem]:
    """A write batch: sequence (8 bytes), count (4), then puts (1, key, value) and deletions (0, key)."""
    sequence, count = int.from_bytes(batch[:8], "little"), int.from_bytes(batch[8:12], "little")
    place, number = 12, 0
    try:
        while place < len(batch):
            kind = batch[place]
            if kind not in (0, 1):
                raise ValueError("a record of no known kind")
            key, place = _bytes(batch, place + 1)
            value: bytes | None = None
            if kind:
                value, place = _bytes(batch, place)
            yield Record(key, value, sequence + number, offset)
            number += 1
        if number != count:
            raise ValueError(f"{count} records are stated, {number} are there")
    except ValueError as error:
        yield Problem(f"a batch of the log is damaged: {error}", Status.FAILED, f"offset={offset}")


def _table(data: bytes) -> Iterator[Record | Problem]:
    footer = data[-48:]
    try:
        if len(data) < 48:
            raise ValueError("shorter than its footer")
        _, place = varint(footer, 0)
        _, place = varint(footer, place)
        start, place = varint(footer, place)
        size, place = varint(footer, place)
        index = list(_entries(_block(data, start, size)))
    except ValueError as error:
        yield Problem(f"the table's index is damaged ({error}): not read", Status.FAILED, f"offset={max(0, len(data) - 48)}")
        return
    seen: set[int] = set()
    for _, handle in index:
        start = -1
        try:
            start, place = varint(handle, 0)
            size, _ = varint(handle, place)
            if start in seen:
                raise ValueError("used more than once")
            seen.add(start)
            for key, value in _entries(_block(data, start, size)):
                if len(key) < 8:
                    raise ValueError("a key is too short")
                number = int.from_bytes(key[-8:], "little")
                yield Record(key[:-8], value if number & 0xFF else None, number >> 8, start)
        except ValueError as error:
            yield Problem(f"a block of the table is damaged: {error}", Status.FAILED, f"offset={start}")


def _block(data: bytes, start: int, size: int) -> bytes:
    raw = data[start : start + size]
    if len(raw) != size or start + size >= len(data):
        raise ValueError("a block lies outside the file")
    kind = data[start + size]
    if kind == 0:
        return raw
    if kind == 1:
        return decompress(raw)
    if kind == 2:
        try:
            inflated = zlib.decompressobj().decompress(raw, LARGEST)
        except zlib.error as error:
            raise ValueError("the compressed data is damaged") from error
        return inflated
    raise ValueError(f"compressed in a way that is not known ({kind})")


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value; a key shares its beginning with the one before. The block ends with its restart points and their count."""
    if len(block) < 4:
        raise ValueError("too short")
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    if end < 0:
        raise ValueError("more restart points than fit")
    place, key = 0, b""
    while place < end:
        shared, place = varint(block, place)
        own, place = varint(block, place)
        size, place = varint(block, place)
        if shared > len(key) or place + own + size > end:
            raise ValueError("a record is cut short")
        key = key[:shared] + block[place : place + own]
        yield key, block[place + own : place + own + size]
        place += own + size
