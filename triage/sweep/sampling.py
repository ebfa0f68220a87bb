"""Which blocks a sweep reads, and what their number proves. Pure: no evidence is touched here.

A medium has N blocks, of which T hold known material. Of n blocks drawn without replacement, the chance that at least one is of those T
is hypergeometric: ``1 - C(N-T, n) / C(N, n)``. Sources: Garfinkel, Nelson, White and Roussev, "Using purpose-built functions and block
hashes to enable small block and sub-file forensics", 2010; Penrose, Buchanan and Macfarlane, "Fast contraband detection in large
capacity disk drives", 2015.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
FIRST_PASS, LARGEST_PASS = 1024, 16384
"""Blocks of the first pass and of the largest: what an early stop can lose, against how far apart a disk's heads must jump."""
EXHAUSTIVE_PASS = 1 << 17
CHUNK = 256
"""Blocks that a worker reads as one task. Fixed, so that what is seen together does not depend on the number of workers."""
_ROUNDS = 6


def chance(blocks: int, target: int, samples: int) -> float:
    """How likely ``samples`` of ``blocks``, drawn without replacement, are to meet at least one of ``target``: 0 to 1."""
    if target <= 0 or samples <= 0:
        return 0.0
    if samples + target > blocks:
        return 1.0
    # The sum of logarithms of (N-T-i)/(N-i); the smaller of T and n gives fewer terms for the same product.
    few, many = sorted((target, samples))
    if few <= 100_000:
        missed = float(np.log1p(-many / (blocks - np.arange(few, dtype=np.float64))).sum())
    else:
        missed = (math.lgamma(blocks - many + 1) - math.lgamma(blocks - many - few + 1)) - (
            math.lgamma(blocks + 1) - math.lgamma(blocks - few + 1)
        )
    # Where a miss is possible, however unlikely, rounding must not call a hit certain.
    return min(-math.expm1(min(missed, 0.0)), math.nextafter(1.0, 0.0))


def samples_needed(blocks: int, target: int, confidence: float) -> int:
    """The fewest samples that meet at least one of ``target`` blocks with ``confidence``; all blocks where nothing less does."""
    return _least(blocks, lambda samples: chance(blocks, target, samples) >= confidence)


def largest_missed(blocks: int, samples: int, confidence: float) -> int:
    """The fewest blocks of known material that ``samples`` would have met with ``confidence``: any less may have been missed."""
    return _least(blocks, lambda target: chance(blocks, target, samples) >= confidence)


def _least(high: int, enough: Callable[[int], bool]) -> int:
    low = 0
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


class Shuffle:
    """The numbers 0 to ``count`` - 1 in an order drawn from ``seed``, any stretch of it computed without the rest.

    A Feistel network over the next even power of two, walked again where it leaves the range (Black and Rogaway, 2002). Every stretch
    of the order is a uniform sample, and stretches that do not overlap have no number in common.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self._half = max(1, ((max(count, 2) - 1).bit_length() + 1) // 2)
        digest = hashlib.shake_256(f"field-triage sweep {seed} {count}".encode()).digest(8 * _ROUNDS)
        self._keys = np.frombuffer(digest, "<u8")

    def stretch(self, start: int, stop: int) -> NDArray[np.int64]:
        """The numbers at places ``start`` to ``stop`` (cut at ``count``), in ascending order: the order in which a disk is read."""
        values = np.arange(start, min(stop, self.count), dtype=np.uint64)
        values = self._mix(values)
        while (outside := values >= self.count).any():
            values[outside] = self._mix(values[outside])
        return np.sort(values.astype(np.int64))

    def _mix(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        half = np.uint64(self._half)
        mask = np.uint64((1 << self._half) - 1)
        left, right = values >> half, values & mask
        for key in self._keys:
            # The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
            mixed = right + key
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
            left, right = right, left ^ (mixed & mask)
        joined: NDArray[np.uint64] = (left << half) | right
        return joined


class Pass(NamedTuple):
    """A stretch of the order of blocks that is read from one end of the disk to the other."""

    number: int
    start: int
    stop: int


def passes(total: int) -> Iterator[Pass]:
    """The passes of a sweep that samples ``total`` blocks: small ones first, so that there is something to say early."""
    start, size, number = 0, FIRST_PASS, 0
    while start < total:
        yield Pass(number, start, min(start + size, total))
        start, size, number = start + size, min(2 * size, LARGEST_PASS), number + 1


def exhaustive_passes(total: int) -> Iterator[Pass]:
    """The whole disk from its beginning, in stretches after each of which a sweep may stop and go on."""
    for number, start in enumerate(range(0, total, EXHAUSTIVE_PASS)):
        yield Pass(number, start, min(start + EXHAUSTIVE_PASS, total))


def percent(share: float) -> str:
    """A probability for reading, never rounded up: ``99%``, ``99.7%``, ``more than 99.9%``."""
    if share >= 1:
        return "100%"
    if share > 0.999:
        return "more than 99.9%"
    tenths = math.floor(share * 1000 + 1e-9)
    return f"{tenths / 10:.0f}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"
