"""Whether the blocks of a deleted file are still free, on file systems whose allocation bitmaps are cheap to read."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache

from triage.evidence.model import ByteSource, Run

InUse = Callable[[int], bool]
_MAX_BLOCKS_ASKED = 65536
_META_BLOCK_GROUPS = 0x10
_64BIT = 0x80
_BITMAP_NOT_WRITTEN = 0x2


def state(runs: Iterable[Run], block_size: int, in_use: InUse | None) -> str:
    """``recoverable``, ``overwritten`` or ``guess`` for deleted content in ``runs``; ``none`` where there are none.

    ``guess`` where the bitmap is not known, or the content is so long that only its first ``65,536`` blocks were asked about.
    """
    asked = 0
    stretches = [run for run in runs if run.offset >= 0]
    if not stretches:
        return "none"
    if in_use is None:
        return "guess"
    for offset, length in stretches:
        for block in range(offset // block_size, (offset + length + block_size - 1) // block_size):
            if asked == _MAX_BLOCKS_ASKED:
                return "guess"
            asked += 1
            if in_use(block):
                return "overwritten"
    return "recoverable"


def bitmap(bits: bytes) -> InUse:
    """The rule for a bitmap of blocks, lowest bit first (NTFS $Bitmap). Blocks beyond it count as in use."""
    return lambda block: block >> 3 >= len(bits) or bool(bits[block >> 3] >> (block & 7) & 1)


def ext(data: ByteSource) -> InUse | None:
    """The rule for ext2, ext3 and ext4 from their group descriptors; None for layouts that scatter those (meta_bg).

    Source: Linux kernel documentation, Documentation/filesystems/ext4.
    """
    superblock = data.read_at(1024, 1024)
    if len(superblock) < 1024:
        return None
    first, size_log = struct.unpack_from("<II", superblock, 20)
    per_group = struct.unpack_from("<I", superblock, 32)[0]
    incompatible = struct.unpack_from("<I", superblock, 96)[0]
    if incompatible & _META_BLOCK_GROUPS or size_log > 6 or not per_group:
        return None
    size = 1024 << size_log
    descriptor = (struct.unpack_from("<H", superblock, 254)[0] or 32) if incompatible & _64BIT else 32

    @lru_cache(maxsize=64)
    def group(number: int) -> bytes | None:
        raw = data.read_at((first + 1) * size + number * descriptor, descriptor)
        if len(raw) < 32:
            return None
        place = int.from_bytes(raw[0:4], "little") | (int.from_bytes(raw[32:36], "little") << 32 if len(raw) >= 36 else 0)
        return b"" if raw[18] & _BITMAP_NOT_WRITTEN else data.read_at(place * size, size)

    def in_use(block: int) -> bool:
        number, index = divmod(block - first, per_group)
        bits = group(number) if block >= first else None
        if bits is None:
            return True
        return index >> 3 < len(bits) and bool(bits[index >> 3] >> (index & 7) & 1)

    return in_use
