"""What the space that no file of a volume uses is filled with: samples spread evenly over it, and what they look like taken together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from artefacts.observations import FreeSpace
from triage.evidence.encryption import CHI_SQUARE
from triage.evidence.filesystems import ext
from triage.evidence.model import ByteSource, Filesystem
from triage.scan.unallocated import space

BLOCK = 4096
SAMPLES = 2048
_EVEN = (140.0, 400.0)  # chi-square of one block, 255 degrees of freedom: random bytes lie between, all but one block in a million


def measure(filesystem: Filesystem, data: ByteSource, beat: Callable[[], None]) -> FreeSpace | None:
    """Sample the free space of the volume whose bytes are ``data``; None where its files do not say which space they use.

    A block of a compressed file can pass for random bytes, thousands of them cannot: where all that passed are not even when counted
    together, none is called random.
    """
    found = space(filesystem, data, beat)
    if found.hidden or not found.files:
        return None
    stretches = [(start, end) for gap in found.gaps if (start := -(-gap.slack_end // BLOCK) * BLOCK if gap.slack_end > gap.start else gap.start)
                 + BLOCK <= (end := gap.end)]  # fmt: skip
    sizes = np.array([(end - start) // BLOCK for start, end in stretches], np.int64)
    total = int(sizes.sum()) if len(sizes) else 0
    if not total:
        return FreeSpace(free=0, samples=0, zero=0, constant=0, random=0, size=data.size, filesystem=filesystem.type)
    ends = np.cumsum(sizes)
    wanted = np.unique(np.linspace(0, total - 1, min(SAMPLES, total)).astype(np.int64))
    zero = constant = random = samples = 0
    in_use = _in_use(filesystem, data)
    together = np.zeros(256, np.int64)
    before = len(data.errors)
    for number in wanted.tolist():
        beat()
        index = int(np.searchsorted(ends, number, side="right"))
        start = stretches[index][0] + (number - int(ends[index] - sizes[index])) * BLOCK
        if in_use(start):
            continue
        block = data.read_at(start, BLOCK)
        samples += 1
        if len(data.errors) > before:
            return None  # read as zeros: it would pass for empty
        if block and block.count(block[0]) == len(block):
            zero += block[0] == 0
            constant += block[0] != 0
            continue
        counts = np.bincount(np.frombuffer(block, np.uint8), minlength=256)
        if _EVEN[0] <= _chi_square(counts) <= _EVEN[1]:
            random += 1
            together += counts
    if random and not CHI_SQUARE[0] <= _chi_square(together) <= CHI_SQUARE[1]:
        random = 0
    return FreeSpace(
        free=total * BLOCK * samples // len(wanted),
        samples=samples,
        zero=zero,
        constant=constant,
        random=random,
        size=data.size,
        filesystem=filesystem.type,
    )


def _in_use(filesystem: Filesystem, data: ByteSource) -> Callable[[int], bool]:
    """Whether a byte of the volume is the file system's own although no file lies there: of ext, whose tables and journal are no files."""
    if filesystem.type.startswith("ext"):
        try:
            groups = ext.Groups(data)
        except ValueError:
            return lambda offset: False
        last = BLOCK - 1
        return lambda offset: groups.in_use(offset // groups.block) or groups.in_use((offset + last) // groups.block)
    return lambda offset: False


def _chi_square(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    expected = counts.sum() / 256
    return float(((counts - expected) ** 2).sum() / expected) if expected else 0.0
