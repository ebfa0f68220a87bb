"""Keys and values that are no longer part of the hive: in free cells, in cells that nothing refers to, and behind the end of a cell's content.

Windows frees the cell of a deleted key and leaves its bytes until the space is used again. Every record found is checked by its own fields
and belongs to no tree for certain: a parent's offset may by now hold another key.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from artefacts.times import Time, Timestamp, from_filetime
from artefacts.windows.hive.header import BASE
from artefacts.windows.hive.hive import REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, Hive, utf16

_EARLIEST, _LATEST = Timestamp(631_152_000 * 10**9), Timestamp(4_102_444_800 * 10**9)  # 1990, 2100
_MOST = 100_000  # remnants
_MOST_CANDIDATES = 2_000_000  # places that could hold one
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
    import numpy as np

    live_keys: dict[int, str] = {}
    live_values = []
    for key in hive.walk():
        live_keys[key.offset] = key.path
        offsets = key.value_offsets()
        if offsets and hive.spend("values", len(offsets) // 4):
            live_values.append(offsets)
    listed = np.frombuffer(b"".join(live_values), "<u4")
    del live_values
    _check_values(hive, listed)
    data = bytes(hive.data)
    dead_keys: dict[int, _DeadKey] = {}
    for offset in _candidates(hive, data, b"nk", np.fromiter(live_keys, "<u4", len(live_keys))):
        if key_found := _key(data, BASE + offset + 4):
            dead_keys[offset] = key_found
    room = _MOST - len(dead_keys)
    candidates = (offset for offset in _candidates(hive, data, b"vk", listed) if _value_fits(data, BASE + offset + 4))
    dead_values = list(islice(candidates, room))
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


def _candidates(hive: Hive, data: bytes, signature: bytes, live: Any) -> Iterator[int]:
    """The offsets, in order, at which the content of a cell could begin with ``signature``, without those in the array ``live``."""
    import numpy as np

    if len(data) <= BASE:
        return
    wanted = int.from_bytes(signature, "little")
    halves = np.frombuffer(data, "<u2", (len(data) - BASE) // 2, BASE)
    # A cell begins at a multiple of 8, its content 4 later. Behind the last bin there are no cells: old content of the file may lie there at any place.
    places = np.zeros(len(halves) // 2 + 1, np.bool_)  # one for each 4 bytes
    places[np.flatnonzero(halves[2::4] == wanted) * 2] = True
    end = hive.image.header.size // 4 * 4
    if end >= 4 and BASE + end < len(data):
        places[np.flatnonzero(halves[end // 2 :: 2] == wanted) + end // 4 - 1] = True
    places[live[live < len(places) * 4] // 4] = False
    yield from (np.flatnonzero(places)[:_MOST_CANDIDATES] * 4).tolist()


def _check_values(hive: Hive, offsets: Any) -> None:
    """Look at the cell of every value that a key lists, all at once; those that are not sound are looked at singly, for the list of problems."""
    import numpy as np

    data = np.frombuffer(hive.data, np.uint8)
    beyond = offsets[offsets >= max(len(data) - BASE, 0)]
    met = np.zeros(max(len(data) - BASE, 0), np.bool_)
    met[offsets[offsets < len(met)]] = True
    places = np.concatenate((np.flatnonzero(met), np.unique(beyond))) + BASE
    inside = places + 24 <= len(data)
    at = places[inside]
    fields = {
        name: data[at + where].astype(np.int64) | data[at + where + 1].astype(np.int64) << 8 for name, where in (("sign", 4), ("name", 6))
    }
    size = -sum(data[at + byte].astype(np.int64) << 8 * byte for byte in range(4))
    size = np.where(size <= -(1 << 31), size + (1 << 32), size)
    sound = (size >= 24) & (at % 8 == 0) & (at + size <= len(data)) & (fields["sign"] == 0x6B76) & (24 + fields["name"] <= size)
    doubtful = {*(places[~inside] - BASE).tolist(), *(at[~sound] - BASE).tolist()}
    if doubtful:
        for key in hive.walk():
            if not doubtful.isdisjoint(struct.unpack(f"<{len(raw := key.value_offsets()) // 4}I", raw)):
                for _ in key.values():
                    pass


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
