"""What ext2, ext3 and ext4 record and The Sleuth Kit does not hand on: which blocks are in use, and sizes no file can have.

The library lays out each block of a file when it lists it. A size of petabytes in an inode that maps its blocks one by one costs it
minutes to hours; so such a size is hidden from it (as 0) and reported.
Source: Linux kernel documentation, filesystems/ext4 (super block, group descriptors, inode table).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from functools import lru_cache

from triage.evidence.model import ByteSource

MAX_GROUPS = 1 << 20
_META_BLOCK_GROUPS = 0x10
_64BIT = 0x80
_BITMAP_NOT_WRITTEN = 0x2
_EXTENTS = 0x80000
_REGULAR = 0x8000
_FORMAT = 0xF000
_BELIEVABLE = 4 << 30
_FACTOR = 4


class Groups:
    """The block groups of a volume. Raises ``ValueError`` for a super block that is none, or that scatters its descriptors (meta_bg)."""

    def __init__(self, data: ByteSource) -> None:
        superblock = data.read_at(1024, 1024)
        if len(superblock) < 1024:
            raise ValueError("no super block")
        self._data = data
        inodes = struct.unpack_from("<I", superblock, 0)[0]
        self.first, size_log = struct.unpack_from("<II", superblock, 20)
        self.per_group, _, self.inodes_per_group = struct.unpack_from("<III", superblock, 32)
        self.inode_size = struct.unpack_from("<H", superblock, 88)[0] if superblock[76] else 128
        incompatible = struct.unpack_from("<I", superblock, 96)[0]
        if incompatible & _META_BLOCK_GROUPS or size_log > 6 or not self.per_group or not self.inodes_per_group or self.inode_size < 128:
            raise ValueError("a layout of block groups that is not read here")
        self.block = 1024 << size_log
        size = (struct.unpack_from("<H", superblock, 254)[0] or 32) if incompatible & _64BIT else 32
        count = min(-(-inodes // self.inodes_per_group), MAX_GROUPS)
        raw = data.read_at((self.first + 1) * self.block, count * size)
        self._descriptors = [raw[at : at + size] for at in range(0, len(raw) - size + 1, size)]
        self._bits = lru_cache(maxsize=64)(self._read_bits)
        # By place, so that descriptors which all name one table cost no more than one.
        self._tables = sorted({self._place(descriptor, 8) * self.block: number for number, descriptor in enumerate(self._descriptors)}.items())
        self.hidden: dict[int, int] = {}

    @staticmethod
    def _place(descriptor: bytes, at: int) -> int:
        low = int.from_bytes(descriptor[at : at + 4], "little")
        return low | int.from_bytes(descriptor[at + 32 : at + 36], "little") << 32 if len(descriptor) >= 64 else low

    def _read_bits(self, number: int) -> bytes | None:
        if number >= len(self._descriptors):
            return None
        descriptor = self._descriptors[number]
        return b"" if descriptor[18] & _BITMAP_NOT_WRITTEN else self._data.read_at(self._place(descriptor, 0) * self.block, self.block)

    def in_use(self, block: int) -> bool:
        """Whether ``block`` belongs to something. One of no group counts as in use."""
        number, index = divmod(block - self.first, self.per_group)
        bits = self._bits(number) if block >= self.first else None
        return bits is None or (index >> 3 < len(bits) and bool(bits[index >> 3] >> (index & 7) & 1))

    def believable(self, offset: int, raw: bytes) -> bytes:
        """``raw``, the bytes at ``offset`` of the volume, with unbelievable sizes as 0; ``hidden`` keeps them by inode number."""
        length = self.inodes_per_group * self.inode_size
        limit = max(_BELIEVABLE, _FACTOR * self._data.size)
        changed: bytearray | None = None
        place = max(bisect_right(self._tables, (offset, MAX_GROUPS)) - 1, 0)
        while place < len(self._tables) and self._tables[place][0] < offset + len(raw):
            start, group = self._tables[place]
            first = max(-(-(offset - start) // self.inode_size), 0)
            last = min((offset + len(raw) - start) // self.inode_size, self.inodes_per_group)
            for index in range(first, last) if start + length > offset else ():
                at = start + index * self.inode_size - offset
                if not raw[at + 111] and not raw[at + 110]:  # below 256 TiB; spares most inodes a closer look
                    high = int.from_bytes(raw[at + 108 : at + 110], "little")
                    if high << 32 <= limit:
                        continue
                mode, flags = int.from_bytes(raw[at : at + 2], "little"), int.from_bytes(raw[at + 32 : at + 36], "little")
                size = int.from_bytes(raw[at + 4 : at + 8], "little") | int.from_bytes(raw[at + 108 : at + 112], "little") << 32
                if mode & _FORMAT == _REGULAR and not flags & _EXTENTS and size > limit:
                    self.hidden[group * self.inodes_per_group + index + 1] = size
                    changed = changed or bytearray(raw)
                    changed[at + 4 : at + 8] = changed[at + 108 : at + 112] = bytes(4)
            place += 1
        return raw if changed is None else bytes(changed)
