"""SQLite's record format: variable-length integers, serial types, cells with overflow chains.

Source: "Database File Format" (sqlite.org/fileformat2.html) sections 1.6 (cells, overflow) and 2.1 (records).
"""

from __future__ import annotations

import struct
from typing import Any

from artefacts.sqlite.pages import DamagedPage, Pages

MAX_PAYLOAD = 32 << 20  # bytes of one row; nothing a browser stores in the columns read here comes near
_MAX_COLUMNS = 2000  # SQLite's own default limit
_INT_SIZES = (0, 1, 2, 3, 4, 6, 8)


def varint(data: bytes, offset: int) -> tuple[int, int]:
    """The integer at ``offset`` (signed 64 bit) and the offset after it. Raises ``DamagedPage`` at the end of ``data``."""
    value = 0
    for index in range(8):
        if offset + index >= len(data):
            raise DamagedPage("a number runs off the page")
        byte = data[offset + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, offset + index + 1
    if offset + 8 >= len(data):
        raise DamagedPage("a number runs off the page")
    value = value << 8 | data[offset + 8]
    return (value - (1 << 64) if value >> 63 else value), offset + 9


def serial_types(payload: bytes) -> tuple[list[int], int]:
    """The serial type of each column, and where the body starts. Raises ``DamagedPage`` for a header that does not hold together."""
    header, offset = varint(payload, 0)
    if not offset <= header <= len(payload):
        raise DamagedPage("a record's header is longer than the record")
    types: list[int] = []
    while offset < header:
        kind, offset = varint(payload, offset)
        if kind < 0 or kind in (10, 11) or len(types) >= _MAX_COLUMNS:
            raise DamagedPage("a record has an impossible column type")
        types.append(kind)
    if offset != header:
        raise DamagedPage("a record's header does not end where it says")
    return types, header


def width(kind: int) -> int:
    """Bytes in the body taken by a value of this serial type."""
    if kind >= 12:
        return (kind - 12) // 2
    return _INT_SIZES[kind] if kind <= 6 else 8 if kind == 7 else 0


def decode(payload: bytes, encoding: str) -> list[Any]:
    """The values of a record: None, int, float, str or bytes. Raises ``DamagedPage``.

    Text that is not of the database's encoding keeps its stray bytes as visible ``\\xNN``.
    """
    types, offset = serial_types(payload)
    values: list[Any] = []
    for kind in types:
        end = offset + width(kind)
        if end > len(payload):
            raise DamagedPage("a record's values run past its end")
        raw = payload[offset:end]
        if kind == 0:
            values.append(None)
        elif kind <= 6:
            values.append(int.from_bytes(raw, "big", signed=True))
        elif kind == 7:
            values.append(struct.unpack(">d", raw)[0])
        elif kind in (8, 9):
            values.append(kind - 8)
        elif kind % 2:
            values.append(raw.decode(encoding, "backslashreplace"))
        else:
            values.append(raw)
        offset = end
    return values


def local_bytes(payload: int, usable: int) -> int:
    """How many bytes of a table leaf cell's payload lie in the page itself; the rest is in the overflow chain (section 1.6)."""
    longest = usable - 35
    if payload <= longest:
        return payload
    shortest = (usable - 12) * 32 // 255 - 23
    kept = shortest + (payload - shortest) % (usable - 4)
    return kept if kept <= longest else shortest


def leaf_cell(pages: Pages, page: bytes, offset: int) -> tuple[int, bytes]:
    """The row number and whole payload of the table leaf cell at ``offset``. Raises ``DamagedPage``."""
    length, offset = varint(page, offset)
    rowid, offset = varint(page, offset)
    if not 0 < length <= MAX_PAYLOAD:
        raise DamagedPage(f"a row claims {length} bytes")
    local = local_bytes(length, pages.usable)
    if offset + local > pages.usable:
        raise DamagedPage("a row runs off its page")
    payload = page[offset : offset + local]
    if local == length:
        return rowid, payload
    parts = [payload]
    missing = length - local
    number = int.from_bytes(page[offset + local : offset + local + 4], "big")
    seen = set()
    while missing > 0:
        if number in seen:
            raise DamagedPage("a row's overflow pages form a circle")
        seen.add(number)
        overflow = pages.page(number)
        part = overflow[4 : min(pages.usable, 4 + missing)]
        parts.append(part)
        missing -= len(part)
        number = int.from_bytes(overflow[:4], "big")
    return rowid, b"".join(parts)
