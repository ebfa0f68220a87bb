"""Whether the blocks of a deleted file are still free, and what that makes of its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from triage.evidence.model import Run

InUse = Callable[[int], bool]
_MAX_BLOCKS_ASKED = 65536


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
