"""Keys of IndexedDB in the form that sorts as bytes: Firefox, and Chromium since it keeps such databases in SQLite.

Source: Mozilla's dom/indexedDB/Key.cpp (and of the same form Chromium's blink/common/indexeddb): 0x10 number, 0x20 date, 0x30 text,
0x40 bytes, 0x50 list (added to the kind of its first item); numbers with their sign bit turned, text in one to three bytes a character.
"""

from __future__ import annotations

import struct
from typing import Any

from artefacts.times import from_unix

_NUMBER, _DATE, _TEXT, _BYTES, _LIST = 0x10, 0x20, 0x30, 0x40, 0x50


def ordered_key(data: bytes) -> Any:
    """The key: float, ``Timestamp`` or ``NoTime``, str, bytes or a list; what is of no known form stays bytes."""
    try:
        return _read(data, 0, 0)[0]
    except (ValueError, IndexError, struct.error):
        return data


def _read(data: bytes, place: int, offset: int) -> tuple[Any, int]:
    kind = data[place] - offset
    if kind >= _LIST and offset < 5 * _LIST:
        items = []
        inner = offset + _LIST
        # A list is only marked by what is added to its first item.
        item, place = (None, place + 1) if kind == _LIST else _read(data, place, inner)
        if item is not None:
            items.append(item)
        while place < len(data) and data[place] != 0:
            item, place = _read(data, place, 0)
            items.append(item)
        return items, place + 1
    place += 1
    if kind in (_NUMBER, _DATE):
        raw = int.from_bytes(data[place : place + 8].ljust(8, b"\0"), "big")
        raw = raw ^ (1 << 63) if raw >> 63 else (1 << 64) - 1 - raw
        (value,) = struct.unpack(">d", raw.to_bytes(8, "big"))
        return (from_unix(value, unit_ns=1_000_000) if kind == _DATE else value), place + 8
    if kind == _TEXT:
        units, place = _units(data, place)
        return b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "backslashreplace"), place
    if kind == _BYTES:
        units, place = _units(data, place)
        return bytes(unit & 0xFF for unit in units), place
    raise ValueError("no known kind of key")


def _units(data: bytes, place: int) -> tuple[list[int], int]:
    units = []
    while place < len(data) and data[place] != 0:
        byte = data[place]
        if byte < 0x80:
            units.append(byte - 1)
            place += 1
        elif byte < 0xC0:
            units.append((byte << 8 | data[place + 1]) - 0x8000 + 0x7F)
            place += 2
        else:
            units.append(((byte << 16 | data[place + 1] << 8 | data[place + 2]) >> 6) & 0xFFFF)
            place += 3
    return [unit & 0xFFFF for unit in units], place + 1
