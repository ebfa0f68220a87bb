"""Keys and values that are no longer part of the hive: in free cells, in cells that nothing refers to, and behind the end of a cell's content.

Windows frees the cell of a deleted key and leaves its bytes until the space is used again. Every record found is checked by its own fields
and belongs to no tree for certain: a parent's offset may by now hold another key.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.times import Time, Timestamp, from_filetime
from artefacts.windows.hive.header import BASE
from artefacts.windows.hive.hive import REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, Hive, utf16

_EARLIEST, _LATEST = Timestamp(631_152_000 * 10**9), Timestamp(4_102_444_800 * 10**9)  # 1990, 2100
_MOST = 100_000  # remnants
_MOST_LISTED = 2_000_000  # values in lists of deleted keys
_NONE = 0xFFFFFFFF
_LONGEST = 16344  # bytes of content looked for


@dataclass(frozen=True, slots=True)
class Remnant:
    """A key (``value`` None) or a value. ``path`` of the key: from ``?`` where its parent is gone. ``offset`` in the file."""

    path: str
    offset: int
    written: Time | None = None
    value: str | None = None
    type: int | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class _DeadKey:
    name: str
    parent: int
    written: Time
    values: tuple[int, int]


def remnants(hive: Hive) -> Iterator[Remnant]:
    """What can be recovered, keys first. Walks the whole hive, so that its damage is on the hive's list of problems afterwards."""
    live_keys: dict[int, str] = {}
    live_values: set[int] = set()
    for key in hive.walk():
        live_keys[key.offset] = key.path
        live_values.update(value.offset for value in key.values())
    data = bytes(hive.data)
    dead_keys: dict[int, _DeadKey] = {}
    dead_values: list[int] = []
    for found in re.finditer(rb"[nv]k", data):
        at = found.start()
        offset = at - 4 - BASE
        # Behind the last bin there are no cells: old content of the file may lie there at any place.
        aligned = offset % 8 == 0 or (at % 4 == 0 and at >= BASE + hive.image.header.size)
        if offset < 0 or not aligned or len(dead_keys) + len(dead_values) >= _MOST:
            continue
        if found[0] == b"nk":
            if offset not in live_keys and (key_found := _key(data, at)):
                dead_keys[offset] = key_found
        elif offset not in live_values and _value_fits(data, at):
            dead_values.append(offset)
    owners: dict[int, int] = {}
    looked_for, left = set(dead_values), _MOST_LISTED
    for offset, dead in dead_keys.items():
        yield Remnant(_path(offset, dead_keys, live_keys), BASE + offset, dead.written)
        count, list_at = dead.values
        start = BASE + list_at + 4
        if list_at != _NONE and count <= min(1000, left) and start + count * 4 <= len(data):
            left -= count
            for (value,) in struct.iter_unpack("<I", data[start : start + count * 4]):
                if value in looked_for:
                    owners.setdefault(value, offset)
    for offset in dead_values:
        owner = owners.get(offset)
        yield _value(
            data, offset, "?" if owner is None else _path(owner, dead_keys, live_keys), dead_keys[owner].written if owner else None
        )


def _key(data: bytes, at: int) -> _DeadKey | None:
    if at + 76 > len(data):
        return None
    flags, written = struct.unpack_from("<HQ", data, at + 2)
    (parent,) = struct.unpack_from("<I", data, at + 16)
    values = struct.unpack_from("<II", data, at + 36)
    (length,) = struct.unpack_from("<H", data, at + 72)
    raw = data[at + 76 : at + 76 + length]
    time = from_filetime(written)
    if not 0 < length <= 512 or len(raw) < length or flags & 0xF000 or not isinstance(time, Timestamp) or not _EARLIEST < time < _LATEST:
        return None
    name = raw.decode("latin-1") if flags & 0x20 else raw.decode("utf-16-le", "replace")
    return _DeadKey(name, parent, time, values) if name.isprintable() else None


def _value_fits(data: bytes, at: int) -> bool:
    if at + 20 > len(data):
        return False
    length, size, _, kind, flags = struct.unpack_from("<HIIIH", data, at + 2)
    raw = data[at + 20 : at + 20 + length]
    if length > 512 or len(raw) < length or kind > 11 or flags > 1 or (size & 0x7FFFFFFF) > 1 << 20:
        return False
    return not raw or (raw.decode("latin-1") if flags & 1 else raw.decode("utf-16-le", "replace")).isprintable()


def _value(data: bytes, offset: int, path: str, written: Time | None) -> Remnant:
    at = BASE + offset + 4
    length, size, content_at, kind, flags = struct.unpack_from("<HIIIH", data, at + 2)
    raw = data[at + 20 : at + 20 + length]
    name = raw.decode("latin-1") if flags & 1 else raw.decode("utf-16-le", "replace")
    if size & 0x80000000:
        content = content_at.to_bytes(4, "little")[: min(size & 0x7FFFFFFF, 4)]
    else:
        content = data[BASE + content_at + 4 : BASE + content_at + 4 + min(size, _LONGEST)]
    return Remnant(path, BASE + offset, written, name, kind, _shown(kind, content))


def _shown(kind: int, content: bytes) -> str | None:
    """Text and numbers in words; None for other types, and for what is no text any more because its place was used again."""
    if kind in (REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ):
        if len(content) % 2 or content[-2:] != b"\0\0":
            return None  # Windows ends every text with a zero
        text = (
            utf16(content)
            if kind != REG_MULTI_SZ
            else content[: len(content) // 2 * 2].decode("utf-16-le", "replace").strip("\0").replace("\0", ", ")
        )
        return text if text.isprintable() else None
    if kind in (4, 5, 11) and len(content) in (4, 8):
        return str(int.from_bytes(content, "big" if kind == 5 else "little"))
    return None


def _path(offset: int, dead: dict[int, _DeadKey], live: dict[int, str]) -> str:
    parts: list[str] = []
    while (key := dead.get(offset)) is not None and len(parts) < 64:
        parts.append(key.name)
        offset = key.parent
    parts.append(live.get(offset, "?"))
    return "\\".join(part for part in reversed(parts) if part)
