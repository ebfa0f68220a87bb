"""Deleted rows: what is left of them on free pages, in the gaps of used ones, in the write-ahead log and beneath it.

Deleting a row in SQLite frees its space and, unless the program asked for secure deletion, overwrites only its first four bytes with the
header of a free block: the row's length and number go, and sometimes the first bytes of the record's own header. A template made from the
declared columns finds the rest of that header; the values follow it. What fits no template exactly, or is not plausible to the
caller, is not reported.

Source: "Database File Format" (sqlite.org/fileformat2.html) sections 1.5 (free list), 1.6 (free blocks), 2.1 (records).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from artefacts.sqlite import btree
from artefacts.sqlite.database import Database, Row, Table
from artefacts.sqlite.pages import DamagedPage
from artefacts.sqlite.records import leaf_cell, serial_types, width

MOST_ROWS = 100_000  # deleted rows of one table that are held at once

# What a column must hold in a row worth recovering. Each is an expression for the serial types that do; the stricter the template, the
# less noise and the less time: pages are full of zeros, and a zero is a perfectly good NULL.
TEXT = rb"(?:[\x0f-\x7f]|[\x81-\xff][\x00-\x7f]|[\x81-\xff][\x80-\xff][\x00-\x7f])"
NUMBER = rb"[\x01-\x06\x08\x09]"
TIME = rb"[\x05\x06]"  # microseconds of our century, in six bytes or eight

_TEXT = rb"(?:\x00|[\x0d-\x7f]|[\x81-\xff][\x00-\x7f]|[\x81-\xff][\x80-\xff][\x00-\x7f])"
_NUMBER = rb"[\x00-\x06\x08\x09]"
_ANY = rb"(?:[\x00-\x09\x0c-\x7f]|[\x81-\xff][\x00-\x7f]|[\x81-\xff][\x80-\xff][\x00-\x7f])"


def deleted_rows(
    database: Database, table: str, columns: Sequence[str], key: Sequence[str], shape: Mapping[str, bytes], plausible: Callable[[Row], bool]
) -> Iterator[Row]:
    """Rows of ``table`` that are no longer in it, each once, with ``columns`` (those it has not got are None).

    ``shape`` says of some columns what they must hold: ``TEXT``, ``NUMBER`` or ``TIME``; at least one that is not NULL is needed.
    A remnant whose ``key`` columns equal those of a live row is an older version of it and is left out. ``plausible`` sees each
    candidate before that. The row number is known only where the whole cell survived.
    """
    known = database.tables.get(table)
    if known is None or not known.has_rowid:
        return
    found: dict[tuple[object, ...], Row] = {}
    for row in _remnants(database, known, columns, _template(known, shape)):
        if plausible(row):
            found.setdefault(tuple(row.values[column] for column in key), row)
            if len(found) >= MOST_ROWS:
                break
    if not found:
        return
    for live in database.rows(table, (), tuple(key)):
        if isinstance(live, Row):
            found.pop(tuple(live.values[column] for column in key), None)
    yield from found.values()


def _remnants(database: Database, table: Table, columns: Sequence[str], template: re.Pattern[bytes]) -> Iterator[Row]:
    pages = database.pages
    seen: set[int] = set()
    for number, page in btree.leaves(pages, table.root):
        for start, end in _gaps(page, number):
            yield from _carved(database, table, columns, template, page, start, end, f"page={number}")
    free = ((f"free page={number}", number, page) for number, page in pages.free_pages())
    for place, number, page in chain(free, pages.old_versions()):
        # The log holds a page again for each transaction that touched it, often with nothing new in it.
        if len(page) < pages.page_size or hash(page) in seen:
            continue
        seen.add(hash(page))
        try:
            kind, offsets, _ = btree.cells(page, number)
        except DamagedPage:
            kind, offsets = 0, []
        if kind != btree.LEAF:
            yield from _carved(database, table, columns, template, page, 0, len(page), place)
            continue
        for offset in offsets:
            try:
                rowid, payload = leaf_cell(pages, page, offset)
                types, _ = serial_types(payload)
                if len(types) == len(table.stored) and template.fullmatch(_header_of(payload, types, table)):
                    yield _row(database, table, columns, payload, rowid, f"{place} offset={offset}")
            except DamagedPage:
                continue
        for start, end in _gaps(page, number):
            yield from _carved(database, table, columns, template, page, start, end, place)


def _gaps(page: bytes, number: int) -> Iterator[tuple[int, int]]:
    """The unused stretches of a leaf page: between the cell pointers and the cells, and its free blocks."""
    start = btree.header_offset(number)
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    content = int.from_bytes(page[start + 5 : start + 7], "big") or 65536
    if start + 8 + 2 * count < min(content, len(page)):
        yield start + 8 + 2 * count, min(content, len(page))
    block = int.from_bytes(page[start + 1 : start + 3], "big")
    seen = set()
    while block and block not in seen and block + 4 <= len(page):
        seen.add(block)
        size = int.from_bytes(page[block + 2 : block + 4], "big")
        yield block, min(block + max(size, 4), len(page))
        block = int.from_bytes(page[block : block + 2], "big")


def _template(table: Table, shape: Mapping[str, bytes]) -> re.Pattern[bytes]:
    """The serial types of a record of this table; without the first column where that is the row number, which is stored as NULL."""
    columns = list(zip(table.stored, table.types, strict=True))[_skipped(table) :]
    return re.compile(
        b"".join(shape.get(name, b"\0" if name == table.alias else _pattern(declared)) for name, declared in columns), re.DOTALL
    )


def _skipped(table: Table) -> int:
    return 1 if table.stored and table.alias == table.stored[0] else 0


def _pattern(declared: str) -> bytes:
    # Column affinity, section 3.1 of sqlite.org/datatype3.html
    if "INT" in declared or "BOOL" in declared:
        return _NUMBER
    return _TEXT if any(word in declared for word in ("CHAR", "CLOB", "TEXT")) else _ANY


def _header_of(payload: bytes, types: list[int], table: Table) -> bytes:
    """The serial types of a whole record as bytes, from where the template starts."""
    _, body = serial_types(payload)
    start = 1 if payload[0] < 0x80 else 2
    return payload[start + (1 if _skipped(table) and types[0] == 0 else 0) : body]


def _carved(
    database: Database, table: Table, columns: Sequence[str], template: re.Pattern[bytes], page: bytes, start: int, end: int, place: str
) -> Iterator[Row]:
    position = start
    lead = b"\0" * _skipped(table)
    while position < end:
        match = template.search(page, position, end)
        if match is None:
            return
        position = match.start() + 1
        header = lead + match[0]
        # A header of more than 125 columns would need two bytes for its length; no table here comes near.
        if len(header) > 125:
            continue
        prefix = bytes([len(header) + 1]) + header
        try:
            types, _ = serial_types(prefix)
        except DamagedPage:
            continue
        length = sum(width(kind) for kind in types)
        if (
            len(types) != len(table.stored)
            or length < 8
            or match.end() + length > end
            or not any(kind >= 12 or kind in (5, 6) for kind in types)
        ):
            continue
        payload = prefix + page[match.end() : match.end() + length]
        if not _clean(payload, types, len(prefix), database.pages.encoding):
            continue
        try:
            yield _row(database, table, columns, payload, None, f"{place} offset={match.start()}")
        except DamagedPage:
            continue
        position = match.end() + length


def _clean(payload: bytes, types: list[int], offset: int, encoding: str) -> bool:
    """Whether every text in the record is text: of the right encoding and without control characters."""
    for kind in types:
        end = offset + width(kind)
        if kind >= 13 and kind % 2:
            try:
                text = payload[offset:end].decode(encoding)
            except UnicodeDecodeError:
                return False
            if any(ord(character) < 32 and character not in "\t\r\n" for character in text):
                return False
        offset = end
    return True


def _row(database: Database, table: Table, columns: Sequence[str], payload: bytes, rowid: int | None, place: str) -> Row:
    values = database.named(table, payload, rowid)
    return Row(table.name, rowid, {column: values.get(column) for column in columns}, place)
