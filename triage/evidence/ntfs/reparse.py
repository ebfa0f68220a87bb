"""Reparse points: links and junctions with their target, and the kinds of file whose content lies elsewhere.

Layout: MS-FSCC 2.1.2. Tags: MS-FSCC 2.1.2.1.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from triage.evidence.ntfs import wof

MOUNT_POINT, SYMLINK, WOF, DEDUP = 0xA0000003, 0xA000000C, 0x80000017, 0x80000013


class Reparse(NamedTuple):
    """``tag`` and, for links, ``target``: the name meant for people where there is one, else the one Windows follows. For files that Windows
    keeps compressed, the ``algorithm``, where their content is in the file system and the algorithm is known."""

    tag: int
    target: str | None
    algorithm: int | None = None


def parse(value: bytes) -> Reparse | None:
    """The reparse point in an attribute's value; None where it is too short to have a tag."""
    if len(value) < 8:
        return None
    (tag,) = struct.unpack_from("<I", value)
    if tag == WOF:
        return Reparse(tag, None, wof.algorithm_of(value))
    if tag not in (MOUNT_POINT, SYMLINK) or len(value) < 16:
        return Reparse(tag, None)
    substitute, substitute_length, shown, shown_length = struct.unpack_from("<4H", value, 8)
    names = value[20 if tag == SYMLINK else 16 :]
    text = names[shown : shown + shown_length] or names[substitute : substitute + substitute_length]
    return Reparse(tag, text[: len(text) // 2 * 2].decode("utf-16-le", "surrogatepass").removeprefix("\\??\\"))
