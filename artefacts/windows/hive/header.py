"""The base block: the first 4096 bytes of a hive, the first 512 of a transaction log."""

from __future__ import annotations

import struct
from dataclasses import dataclass

BASE = 4096
"""Bytes before the first bin: every offset inside a hive counts from there."""

_FIELDS = struct.Struct("<4sIIQIIIIIII")


@dataclass(frozen=True, slots=True)
class Header:
    """A base block. ``root``: offset of the root key's cell; ``size``: bytes of all bins; ``file_type``: 0 hive, 1 and 2 old log, 6 new log.

    ``dirty``: a write was begun and not finished, or the block itself is half written: the logs hold what is missing.
    """

    sequence_1: int
    sequence_2: int
    written: int
    minor: int
    file_type: int
    root: int
    size: int
    name: str
    sound: bool

    @property
    def dirty(self) -> bool:
        return not self.sound or self.sequence_1 != self.sequence_2


def checksum(block: bytes | bytearray) -> int:
    """XOR of the first 127 words of a base block; 0 and all ones are replaced by 1 and all ones but one."""
    total = 0
    for (word,) in struct.iter_unpack("<I", bytes(block[:508])):
        total ^= word
    return {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total)


def read_header(block: bytes | bytearray) -> Header | None:
    """The base block at the start of ``block``, or None where that is not one (512 bytes, signature ``regf``)."""
    if len(block) < 512 or block[:4] != b"regf":
        return None
    _, first, second, written, _, minor, kind, _, root, size, _ = _FIELDS.unpack_from(block)
    name = bytes(block[48:112]).decode("utf-16-le", "replace").split("\0")[0]
    stored = int.from_bytes(block[508:512], "little")
    return Header(first, second, written, minor, kind, root, size, name, stored == checksum(block))
