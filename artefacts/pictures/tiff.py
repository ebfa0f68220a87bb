"""Tags of a TIFF structure, which Exif is too (TIFF 6.0; Exif 2.32, section 4.6), from bytes that may say anything."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

MAX_TAGS = 512
MAX_VALUE = 1 << 16
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I"}
_RAW_MARKS = (42, 0x4F52, 0x5352, 0x0055)  # TIFF; Olympus, twice; Panasonic


class NoTiff(ValueError):
    """No TIFF structure begins here."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tag's value: its type, how many there are, and its bytes (at most ``MAX_VALUE``). ``at``: where in the structure they stand."""

    kind: int
    data: bytes
    order: str
    at: int

    @property
    def text(self) -> str | None:
        """As text, without what cannot be read; None where it is empty or no text."""
        if self.kind not in (2, 7, 129):
            return None
        text = self.data.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
        return text or None

    @property
    def number(self) -> int | None:
        """The first as a whole number; None where it is none."""
        code = _NUMBERS.get(self.kind)
        if code is None or len(self.data) < _SIZES[self.kind]:
            return None
        return int(struct.unpack_from(self.order + code, self.data)[0])


class Tiff:
    """A structure that begins at byte ``base`` of ``stream``."""

    def __init__(self, stream: BinaryIO, base: int = 0) -> None:
        """Raises ``NoTiff``, or ``OSError``."""
        self._stream, self._base = stream, base
        head = self._at(0, 8)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 8 or struct.unpack_from(order + "H", head, 2)[0] not in _RAW_MARKS:
            raise NoTiff("no TIFF header")
        self.order = order
        self.first: int = struct.unpack_from(order + "I", head, 4)[0]
        self.damaged = False

    def _at(self, offset: int, length: int) -> bytes:
        self._stream.seek(self._base + offset)
        return self._stream.read(length)

    def directory(self, offset: int, *, at: int = 0) -> tuple[dict[int, Value], int]:
        """The tags of the directory at ``offset``, and where the next is (0: none). ``at``: what its own offsets are counted from.

        What points beyond the end is left out, and ``damaged`` is set.
        """
        tags: dict[int, Value] = {}
        head = self._at(at + offset, 2)
        if offset < 1 or len(head) < 2:
            self.damaged = True
            return tags, 0
        (count,) = struct.unpack(self.order + "H", head)
        if count > MAX_TAGS:
            self.damaged = True
            count = MAX_TAGS
        table = self._at(at + offset + 2, 12 * count + 4)
        for number in range(min(count, len(table) // 12)):
            tag, kind, length = struct.unpack_from(self.order + "HHI", table, 12 * number)
            size = _SIZES.get(kind, 1) * length
            where = at + offset + 2 + 12 * number + 8
            if size > 4:
                where = at + struct.unpack_from(self.order + "I", table, 12 * number + 8)[0]
            data = table[12 * number + 8 : 12 * number + 8 + size] if size <= 4 else self._at(where, min(size, MAX_VALUE))
            if len(data) < min(size, MAX_VALUE):
                self.damaged = True
                continue
            tags.setdefault(tag, Value(kind, data, self.order, where))
        self.damaged |= len(table) < 12 * count
        following = struct.unpack_from(self.order + "I", table, 12 * count)[0] if len(table) >= 12 * count + 4 else 0
        return tags, following

    def under(self, tags: Mapping[int, Value], tag: int) -> dict[int, Value]:
        """The directory that a tag points to; none where there is no such tag."""
        value = tags.get(tag)
        offset = value.number if value is not None else None
        return self.directory(offset)[0] if offset else {}
