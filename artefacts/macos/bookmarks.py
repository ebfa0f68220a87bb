"""Where macOS remembers a file lay: bookmark data (``book``, since 10.6) and the older alias records.

Sources: reverse engineered by others, described in Mac's ``mac_alias`` documentation ("Bookmark" and "Alias" formats) and in libyal's
notes on the Mac OS backup and alias formats; the keys were checked against the specimens (a login item, a Dock).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from artefacts.times import NOT_RECORDED, Time, from_cocoa

_MOST_PARTS = 256
_MOST_ENTRIES = 1024
_PATH, _CREATED, _VOLUME_PATH, _VOLUME_NAME, _VOLUME_ID = 0x1004, 0x1040, 0x2002, 0x2010, 0x2011
_ALIAS_PATH, _ALIAS_VOLUME_PATH, _ALIAS_VOLUME = 18, 19, 15


@dataclass(slots=True)
class Target:
    """What a bookmark points at: full path, when that file was made, and on which volume it lay (``label``, ``identifier``, ``path``)."""

    path: str
    created: Time = NOT_RECORDED
    volume: dict[str, str] = field(default_factory=dict)


def target(data: Any) -> Target | None:
    """The target of bookmark data or of an alias record; None where the bytes are neither, or damaged."""
    if not isinstance(data, bytes):
        return None
    try:
        return _bookmark(data) if data[:4] == b"book" else _alias(data)
    except (struct.error, ValueError, IndexError):
        return None


def _bookmark(data: bytes) -> Target | None:
    base = struct.unpack_from("<I", data, 12)[0]

    def item(offset: int) -> Any:
        length, kind = struct.unpack_from("<II", data, base + offset)
        raw = data[base + offset + 8 : base + offset + 8 + length]
        match kind & 0xFFFFFF00:
            case 0x0100 | 0x0900:
                return raw.decode("utf-8", "backslashreplace")
            case 0x0400 if length == 8:
                return from_cocoa(struct.unpack(">d", raw)[0])
        return None

    values: dict[int, Any] = {}
    contents = struct.unpack_from("<I", data, base)[0]
    _, _, _, _, count = struct.unpack_from("<5I", data, base + contents)
    for number in range(min(count, _MOST_ENTRIES)):
        key, offset, _ = struct.unpack_from("<3I", data, base + contents + 20 + 12 * number)
        if key in (_PATH, _CREATED, _VOLUME_PATH, _VOLUME_NAME, _VOLUME_ID) and key not in values:
            values[key] = _parts(data, base, offset) if key == _PATH else item(offset)
    parts = [part for part in values.get(_PATH) or () if isinstance(part, str)]
    if not parts:
        return None
    volume = {
        name: values[key]
        for name, key in (("label", _VOLUME_NAME), ("identifier", _VOLUME_ID), ("path", _VOLUME_PATH))
        if isinstance(values.get(key), str)
    }
    created = values.get(_CREATED)
    return Target("/" + "/".join(parts), created if created is not None and not isinstance(created, str) else NOT_RECORDED, volume)


def _parts(data: bytes, base: int, offset: int) -> list[str]:
    length = struct.unpack_from("<I", data, base + offset)[0]
    parts = []
    for number in range(min(length // 4, _MOST_PARTS)):
        place = struct.unpack_from("<I", data, base + offset + 8 + 4 * number)[0]
        size, kind = struct.unpack_from("<II", data, base + place)
        if kind & 0xFFFFFF00 == 0x0100:
            parts.append(data[base + place + 8 : base + place + 8 + size].decode("utf-8", "backslashreplace"))
    return parts


def _alias(data: bytes) -> Target | None:
    size, version = struct.unpack_from(">HH", data, 4)
    if version not in (2, 3) or size > len(data):
        return None
    place, values = (150 if version == 2 else 58), {}
    while place + 4 <= size:
        tag, length = struct.unpack_from(">hH", data, place)
        if tag == -1:
            break
        values[tag] = data[place + 4 : place + 4 + length]
        place += 4 + length + length % 2
    path = values.get(_ALIAS_PATH)
    if not path:
        return None
    mount = values.get(_ALIAS_VOLUME_PATH, b"/").decode("utf-8", "backslashreplace").rstrip("/")
    label = values.get(_ALIAS_VOLUME, b"")[2:].decode("utf-16-be", "backslashreplace")
    return Target(f"{mount}/{path.decode('utf-8', 'backslashreplace').lstrip('/')}", volume={"label": label} if label else {})
