"""Directory indexes ($I30): the names in use, and names that are gone but still stand in the unused part of a block.

Layout: Microsoft, INDEX_HEADER and INDEX_ENTRY; Linux-NTFS documentation. An entry is 16 bytes and a copy of the $FILE_NAME, which
begins with the reference of the directory itself: that number, at an offset divisible by eight, marks every entry there ever was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.evidence.ntfs import names
from triage.evidence.ntfs.memory import Ints, Memory
from triage.evidence.ntfs.records import REFERENCE, index_blocks

_EARLIEST, _LATEST = 119_600_064_000_000_000, 157_766_016_000_000_000  # 1980 and 2100 as FILETIME
ROOT_HEADER, BLOCK_HEADER = 16, 24  # where the INDEX_HEADER stands


@dataclass(slots=True)
class IndexNames:
    """One row a name. ``live``: in the part of its block that is in use; ``times`` as FILETIME in the order of ``table.TIMES``."""

    block: Ints
    live: NDArray[np.bool_]
    record: Ints
    sequence: Ints
    parent: Ints
    parent_sequence: Ints
    times: NDArray[np.uint64]
    size: Ints
    directory: NDArray[np.bool_]
    space: Ints
    texts: list[str]
    hashes: NDArray[np.uint64]  # of ``texts``, as ``names.decode`` gives them


def scan_blocks(content: bytes, size: int, owner: Ints) -> tuple[IndexNames, int]:
    """Every name in INDX blocks of ``size`` bytes, block i belonging to the directory with record number ``owner[i]``; and how many
    blocks were damaged (blocks of zeros are not)."""
    memory, sound, count = index_blocks(content, size)
    rows = memory.bytes[: count * size].reshape(count, size)
    suspect = np.flatnonzero(sound < size)
    damaged = int(rows[suspect].any(axis=1).sum()) if len(suspect) else 0
    return _scan(memory, size, count, owner, sound, BLOCK_HEADER), damaged


def scan_root(value: bytes, owner: int) -> IndexNames:
    """Every name in the value of an $INDEX_ROOT."""
    size = (len(value) + 7) // 8 * 8
    memory = Memory(value, size)
    return _scan(memory, size, 1, np.array([owner]), np.array([len(value)]), ROOT_HEADER)


def block_size(value: bytes, usual: int) -> int:
    """The size of index blocks stated in an $INDEX_ROOT, ``usual`` where that makes no sense."""
    stated = int.from_bytes(value[8:12], "little")
    return stated if stated in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536) else usual


def _scan(memory: Memory, size: int, count: int, owner: Ints, sound: Ints, header: int) -> IndexNames:
    words = memory.bytes[: count * size].view("<u8").reshape(count, size // 8)
    block, word = np.nonzero((words & np.uint64(REFERENCE)) == owner.astype(np.uint64)[:, None])
    at = word.astype(np.int64) * 8
    start = np.arange(count, dtype=np.int64) * size + header
    used = header + memory.u32(start + 4) if count else np.zeros(0, dtype=np.int64)
    keep = (at >= header + 32) & (at + 68 <= sound[block])
    block, at = block[keep], at[keep]
    key = block * size + at
    units, space = memory.u8(key + 64), memory.u8(key + 65)
    record = (memory.u64(key - 16) & np.uint64(REFERENCE)).view(np.int64)
    keep = (units > 0) & (space <= 3) & (at + 66 + 2 * units <= sound[block])
    times = np.stack([memory.u64(key + 8 + 8 * column) for column in range(4)], axis=1)
    live = at - 16 < used[block]
    # The length of the key tells an entry from a number that happens to be the directory's.
    stated = memory.u16(key - 6)
    whole = stated == 66 + 2 * units
    # In the unused part anything may look like an entry: there the times must be times of a computer's life.
    # There an entry may have lost its reference (0) and its lengths: the mark that ends the used part is written over them.
    plausible = ((times >= _EARLIEST) & (times <= _LATEST)).all(axis=1)
    keep &= np.where(live, whole & (memory.u64(key - 16) != 0), (whole | (stated == 0)) & plausible)
    block, key, units, space, record, times, live = block[keep], key[keep], units[keep], space[keep], record[keep], times[keep], live[keep]
    parent = memory.u64(key)
    return IndexNames(
        block, live, record, memory.u16(key - 10), (parent & np.uint64(REFERENCE)).view(np.int64), (parent >> np.uint64(48)).view(np.int64),
        times, memory.i64(key + 48), memory.u32(key + 56) & 0x10000000 != 0, space, *names.decode(memory, key + 66, units),
    )  # fmt: skip
