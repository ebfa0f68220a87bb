"""What The Sleuth Kit does not do well on ext2, ext3 and ext4: which blocks are in use, and large files without extents.

The library lays out a file block by block when it lists it, some 20 µs each: a sparse gigabyte costs it half a minute, a size that
lies hours. So the sizes of large files that map their blocks one by one are hidden from it, and those are laid out here.
Source: Linux kernel documentation, filesystems/ext4 (super block, group descriptors, inode table).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from triage.evidence.model import ByteSource, Run

MAX_GROUPS = 1 << 20
MAX_RUNS = 100_000
_META_BLOCK_GROUPS = 0x10
_64BIT = 0x80
_BITMAP_NOT_WRITTEN = 0x2
_EXTENTS = 0x80000
_INLINE = 0x10000000
_FORMAT, _REGULAR, _DIRECTORY = 0xF000, 0x8000, 0x4000


class Hidden(NamedTuple):
    """What the library was not shown of an inode: the size it states, and its 15 block pointers (empty: it is no regular file)."""

    size: int
    pointers: bytes


class Groups:
    """The block groups of a volume. Raises ``ValueError`` for a super block that is none, or that scatters its descriptors (meta_bg)."""

    def __init__(self, data: ByteSource) -> None:
        superblock = data.read_at(1024, 1024)
        if len(superblock) < 1024:
            raise ValueError("no super block")
        self._data = data
        inodes: int = struct.unpack_from("<I", superblock, 0)[0]
        size_log: int
        self.first: int
        self.per_group: int
        self.inodes_per_group: int
        self.first, size_log = struct.unpack_from("<II", superblock, 20)
        self.per_group, _, self.inodes_per_group = struct.unpack_from("<III", superblock, 32)
        self.inode_size: int = struct.unpack_from("<H", superblock, 88)[0] if superblock[76] else 128
        incompatible = struct.unpack_from("<I", superblock, 96)[0]
        if incompatible & _META_BLOCK_GROUPS or size_log > 6 or not self.per_group or not self.inodes_per_group or self.inode_size < 128:
            raise ValueError("a layout of block groups that is not read here")
        self.block: int = 1024 << size_log
        size = (struct.unpack_from("<H", superblock, 254)[0] or 32) if incompatible & _64BIT else 32
        count = min(-(-inodes // self.inodes_per_group), MAX_GROUPS)
        raw = data.read_at((self.first + 1) * self.block, count * size)
        self._descriptors = [raw[at : at + size] for at in range(0, len(raw) - size + 1, size)]
        self._bits = lru_cache(maxsize=64)(self._read_bits)
        # By place, so that descriptors which all name one table cost no more than one.
        self._tables = sorted(
            {self._place(descriptor, 8) * self.block: number for number, descriptor in enumerate(self._descriptors)}.items()
        )
        self.hidden: dict[int, Hidden] = {}

    @staticmethod
    def _place(descriptor: bytes, at: int) -> int:
        low = int.from_bytes(descriptor[at : at + 4], "little")
        return low | int.from_bytes(descriptor[at + 32 : at + 36], "little") << 32 if len(descriptor) >= 64 else low

    def _read_bits(self, number: int) -> bytes | None:
        if number >= len(self._descriptors):
            return None
        descriptor = self._descriptors[number]
        return b"" if descriptor[18] & _BITMAP_NOT_WRITTEN else self._data.read_at(self._place(descriptor, 0) * self.block, self.block)

    @property
    def data_blocks(self) -> int:
        """How many blocks the volume has."""
        return self._data.size // self.block

    def read_block(self, number: int) -> bytes:
        """The block of this number; shorter than a block where it lies outside the volume."""
        return self._data.read_at(number * self.block, self.block)

    def in_use(self, block: int) -> bool:
        """Whether ``block`` belongs to something. One of no group counts as in use."""
        number, index = divmod(block - self.first, self.per_group)
        bits = self._bits(number) if block >= self.first else None
        return bits is None or (index >> 3 < len(bits) and bool(bits[index >> 3] >> (index & 7) & 1))

    def shown(self, offset: int, raw: bytes) -> bytes:
        """``raw``, the bytes at ``offset`` of the volume, as the library is to see them; ``hidden`` keeps what was left out."""
        length = self.inodes_per_group * self.inode_size
        changed: bytearray | None = None
        place = max(bisect_right(self._tables, (offset, MAX_GROUPS)) - 1, 0)
        while place < len(self._tables) and self._tables[place][0] < offset + len(raw):
            start, group = self._tables[place]
            first = max(-(-(offset - start) // self.inode_size), 0)
            last = min((offset + len(raw) - start) // self.inode_size, self.inodes_per_group)
            for index in range(first, last) if start + length > offset else ():
                at = start + index * self.inode_size - offset
                inode = raw[at : at + 128]
                if inode[7] or inode[111] or inode[108:111] != b"\0\0\0":  # 16 MiB and more: spares the others a closer look
                    size = self._hide(group * self.inodes_per_group + index + 1, inode)
                    if size is not None:
                        changed = changed or bytearray(raw)
                        changed[at + 4 : at + 8], changed[at + 108 : at + 112] = size.to_bytes(4, "little"), bytes(4)
            place += 1
        return raw if changed is None else bytes(changed)

    def _hide(self, number: int, inode: bytes) -> int | None:
        """The size to show of an inode, or None to leave it as it is."""
        kind, flags = int.from_bytes(inode[:2], "little") & _FORMAT, int.from_bytes(inode[32:36], "little")
        size = int.from_bytes(inode[4:8], "little")
        if kind == _REGULAR:
            size |= int.from_bytes(inode[108:112], "little") << 32
            if flags & (_EXTENTS | _INLINE):
                return None
        elif kind == _DIRECTORY:
            if size <= self._data.size:
                return None
            self.hidden[number] = Hidden(size, b"")
            return self._data.size // self.block * self.block
        self.hidden[number] = Hidden(size, inode[40:100] if kind == _REGULAR else b"")
        return 0

    def runs(self, hidden: Hidden) -> list[Run]:
        """Where the content lies, holes as runs of offset -1. Shorter than the size where that is more than an inode can map, where
        there are more than ``MAX_RUNS``, or where more blocks of pointers are named than the volume has."""
        wanted = -(-hidden.size // self.block)
        layout = _Layout(self, wanted)
        if hidden.pointers:
            for index, pointer in enumerate(struct.unpack("<15I", hidden.pointers)):
                layout.add(pointer, max(index - 11, 0))
        return layout.result(hidden.size)


class _Layout:
    """Runs of a file from its block pointers."""

    def __init__(self, groups: Groups, wanted: int) -> None:
        self._groups, self._wanted = groups, wanted
        self._fan = groups.block // 4
        self._budget = groups.data_blocks
        self._runs: list[tuple[int, int]] = []  # first block (0: hole), number of blocks

    def add(self, pointer: int, level: int) -> None:
        """The blocks below one pointer: itself at level 0, a block of pointers to the level below otherwise."""
        span = min(self._fan**level, self._wanted)
        if span <= 0 or len(self._runs) >= MAX_RUNS:
            return
        if not pointer or not level:
            self._append(pointer, span)
            return
        self._budget -= 1
        raw = self._groups.read_block(pointer) if self._budget >= 0 else b""
        if len(raw) < self._groups.block:
            self._wanted = 0  # what follows cannot be placed
            return
        if level > 1:
            for below in struct.unpack(f"<{self._fan}I", raw):
                self.add(below, level - 1)
            return
        pointers = np.frombuffer(raw, "<u4")[:span].astype(np.int64)
        breaks = np.flatnonzero((np.diff(pointers) != 1) & ((pointers[1:] != 0) | (pointers[:-1] != 0))) + 1
        starts = [0, *breaks.tolist()]
        for start, end in zip(starts, [*starts[1:], len(pointers)], strict=True):
            self._append(int(pointers[start]), end - start)

    def _append(self, first: int, count: int) -> None:
        self._wanted -= count
        if self._runs:
            before, length = self._runs[-1]
            if (not before and not first) or (before and before + length == first):
                self._runs[-1] = (before, length + count)
                return
        self._runs.append((first, count))

    def result(self, size: int) -> list[Run]:
        runs = []
        for first, count in self._runs:
            length = min(count * self._groups.block, size)
            runs.append(Run(first * self._groups.block if first else -1, length))
            size -= length
        return runs
