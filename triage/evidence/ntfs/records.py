"""FILE and INDX records in bulk: signature, update sequence verified and undone, header fields.

Source of the layout: Microsoft's multi-sector header (MULTI_SECTOR_HEADER, FILE_RECORD_SEGMENT_HEADER) and the Linux-NTFS
documentation. Each 512-byte stride of a record ends in a copy of the record's update sequence number; the two bytes that stood
there are kept in the array after it. A stride whose end differs was not written together with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.evidence.ntfs.memory import Ints, Memory

EMPTY, SOUND, DAMAGED = 0, 1, 2
IN_USE, DIRECTORY = 1, 2
REFERENCE = (1 << 48) - 1  # the record number in a file reference; the top 16 bits are its sequence number
_FILE, _BAAD, _INDX = 0x454C4946, 0x44414142, 0x58444E49
_STRIDE = 512


@dataclass(slots=True)
class Records:
    """Decoded records, one row each; ``memory`` holds them back to back with the update sequence undone.

    ``numbers`` are record numbers, ``status`` EMPTY (all zeros: never used), SOUND or DAMAGED, ``limit`` how many bytes of a record
    may be trusted, ``base`` the reference of the base record (0 where it is itself one), ``first`` the offset of the first attribute.
    """

    memory: Memory
    size: int
    numbers: Ints
    status: NDArray[np.uint8]
    limit: Ints
    flags: Ints
    sequence: Ints
    base: NDArray[np.uint64]
    first: Ints

    def __len__(self) -> int:
        return len(self.numbers)


def undo_fixups(memory: Memory, size: int, count: int) -> Ints:
    """Verify and undo the update sequence of ``count`` records of ``size`` bytes in ``memory``, in place.

    Returns for each how many leading bytes are sound: ``size``, less where a stride was torn, 0 where the header makes no sense.
    """
    rows = memory.bytes[: count * size].reshape(count, size)
    words = rows.view("<u2")
    place, entries = words[:, 2].astype(np.int64), words[:, 3].astype(np.int64)
    sound = np.zeros(count, dtype=np.int64)
    strides = entries - 1
    # Only the arrays that fit wholly into the first stride and cover the record exactly make sense: at most 256 different ones.
    usual = (strides >= 1) & (strides <= size // _STRIDE) & (place % 2 == 0) & (place >= 8)
    usual &= (size % np.maximum(strides, 1) == 0) & (place + 2 * entries <= _STRIDE - 2)
    usual &= size // np.maximum(strides, 1) % _STRIDE == 0
    keys = np.where(usual, place | entries << 16, -1)
    for key in np.unique(keys[usual]).tolist():
        start, strides_here = (key & 0xFFFF) // 2, (key >> 16) - 1
        stride = size // strides_here
        chosen = np.flatnonzero(keys == key)
        ends = np.arange(1, strides_here + 1) * (stride // 2) - 1
        saved = words[chosen[:, None], np.arange(start + 1, start + 1 + strides_here)]
        tails = words[chosen[:, None], ends]
        good = tails == words[chosen, start][:, None]
        # A torn stride is left as it lies: nothing from there on is used.
        kept = np.where(good.all(axis=1), strides_here, good.argmin(axis=1))
        words[chosen[:, None], ends] = np.where(good, saved, tails)
        sound[chosen] = kept * stride
    return sound


def decode(content: bytes | bytearray, size: int, numbers: Ints) -> Records:
    """``len(numbers)`` file records of ``size`` bytes lying back to back in ``content``; missing bytes count as zeros."""
    count = len(numbers)
    memory = Memory(content, count * size)
    rows = memory.bytes[: count * size].reshape(count, size)
    start = np.arange(count, dtype=np.int64) * size
    signature = memory.u32(start)
    status = np.full(count, DAMAGED, dtype=np.uint8)
    blank = np.flatnonzero(signature == 0)
    status[blank[~rows[blank].any(axis=1)]] = EMPTY
    limit = undo_fixups(memory, size, count)
    limit[(signature != _FILE) & (signature != _BAAD)] = 0
    status[(signature == _FILE) & (limit == size)] = SOUND
    used = memory.u32(start + 24)
    first = memory.u16(start + 20)
    lying = (status == SOUND) & ((used > size) | (used < first) | (first < 42) | (first % 8 != 0))
    status[lying] = DAMAGED
    limit = np.where((used <= size) & (used >= first), np.minimum(limit, used), limit)
    limit[(first < 42) | (first % 8 != 0) | (first + 8 > size)] = 0
    return Records(
        memory, size, numbers, status, limit, memory.u16(start + 22), memory.u16(start + 16), memory.u64(start + 32), first
    )  # fmt: skip


def index_blocks(content: bytes, size: int) -> tuple[Memory, Ints, int]:
    """INDX blocks of ``size`` bytes lying back to back: the bytes with the update sequence undone, the trusted length of each
    (0 where it is not an INDX block), and how many there are."""
    count = len(content) // size
    memory = Memory(content, count * size)
    sound = undo_fixups(memory, size, count)
    sound[memory.u32(np.arange(count, dtype=np.int64) * size) != _INDX] = 0
    return memory, sound, count
