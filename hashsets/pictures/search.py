"""All hashes of a set within so many bits of a hash, by going through the whole set: exact, and without an index that would be larger than it.

The words of the hashes lie in columns. Of hashes of several words the first two are compared first: what is 256 bits long and
within 31 bits is so on its first 128 bits, too, which two unrelated hashes hardly ever are; the rest is looked at for what is left. Parts
of the columns that fit into the processor's cache are compared with all that is asked at once, so that a batch costs less for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashsets.pictures.hashing import WIDTHS, Words

THRESHOLDS = {"pdq": 31, "phash": 4, "dhash": 2}
"""Bits by which two hashes may differ and still be near: for PDQ what its makers advise; for the others so that chance stays out."""
_ROWS = 1 << 15


class Near(NamedTuple):
    """An entry near a query: its row in the set, how many bits differ."""

    row: int
    distance: int


def within(columns: Sequence[Words], queries: Words, most: int) -> list[list[Near]]:
    """For each of the (n, words) queries all rows of ``columns`` within ``most`` bits, nearest first."""
    found: list[list[Near]] = [[] for _ in queries]
    rows = len(columns[0]) if len(columns) else 0
    first = columns[:2]
    size = min(_ROWS, rows)
    words, counts, total = np.empty(size, np.uint64), np.empty(size, np.uint8), np.empty(size, np.uint8)
    for start in range(0, rows, _ROWS):
        parts = [column[start : start + _ROWS] for column in first]
        n = len(parts[0])
        for number, query in enumerate(queries):
            np.bitwise_xor(parts[0], query[0], out=words[:n])
            np.bitwise_count(words[:n], out=total[:n])
            for part, word in zip(parts[1:], query[1:], strict=False):
                np.bitwise_xor(part, word, out=words[:n])
                np.bitwise_count(words[:n], out=counts[:n])
                np.add(total[:n], counts[:n], out=total[:n])
            if total[:n].min(initial=255) <= most:
                found[number] += _rest(columns, query, start + np.flatnonzero(total[:n] <= most), most)
    return [sorted(near, key=lambda one: (one.distance, one.row)) for near in found]


def _rest(columns: Sequence[Words], query: Words, rows: NDArray[np.int64], most: int) -> list[Near]:
    distances = sum(np.bitwise_count(column[rows] ^ word).astype(np.int64) for column, word in zip(columns, query, strict=True))
    return [Near(row, distance) for row, distance in zip(rows.tolist(), np.asarray(distances).tolist(), strict=True) if distance <= most]


def chance(algorithm: str, most: int, entries: int, queries: int = 8) -> float:
    """How many entries of a set of ``entries`` would be within ``most`` bits of one picture, in its eight orientations, if hashes were as even as
    dice: an expectation, for small values the odds. Real hashes are less even, so that this is the best case."""
    bits = 64 * WIDTHS[algorithm]
    return float(queries * entries * sum(comb(bits, k) for k in range(most + 1)) / 2**bits)
