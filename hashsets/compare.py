"""How two hash sets differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hashsets.entries import ALGORITHMS
from hashsets.errors import NotEnumerable
from hashsets.hash_set import HashSet, TableSet


class Difference(NamedTuple):
    """Hashes of one algorithm: in both sets, in one only, and of those in both the ones that have another category code."""

    both: int
    only_first: int
    only_second: int
    other_code: int


def compare(first: HashSet, second: HashSet) -> dict[str, Difference]:
    """By algorithm. One of the two may be keyed. Raises ``NotEnumerable`` for two keyed sets or a Bloom filter, ``Damaged``."""
    if not isinstance(first, TableSet) or not isinstance(second, TableSet):
        raise NotEnumerable("A Bloom filter cannot be compared: its entries cannot be listed.")
    if first.keyer:
        if second.keyer:
            raise NotEnumerable("Two keyed sets cannot be compared: each hides its hashes under a key of its own.")
        swapped = compare(second, first)
        return {name: Difference(d.both, d.only_second, d.only_first, d.other_code) for name, d in swapped.items()}
    both = dict.fromkeys(ALGORITHMS, 0)
    other = dict.fromkeys(ALGORITHMS, 0)
    for algorithm, rows in first.rows():
        if algorithm in second.tables:
            positions, kinds = second.find(algorithm, rows["key"])
            found = positions >= 0
            both[algorithm] += int(found.sum())
            pairs, counts = np.unique(np.stack([rows["kind"][found], kinds], axis=1), axis=0, return_counts=True)
            for (a, b), count in zip(pairs.tolist(), counts.tolist(), strict=True):
                if first.kinds.kinds[a].codes != second.kinds.kinds[b].codes:
                    other[algorithm] += count
    sizes = [{name: table.layout.entries for name, table in each.tables.items()} for each in (first, second)]
    return {
        name: Difference(both[name], sizes[0].get(name, 0) - both[name], sizes[1].get(name, 0) - both[name], other[name])
        for name in ALGORITHMS
        if name in sizes[0] or name in sizes[1]
    }
