"""Mapping pairs: which clusters an attribute occupies. Decoded for many attributes at once, the k-th pair of each in step k.

Layout: a byte whose low half is the width of the length and whose high half that of the cluster offset (signed, relative to the run
before; width 0: sparse), then those two little-endian numbers; a zero byte ends the list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.evidence.ntfs.memory import Ints, Memory

SPARSE = -1
_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(8)] + [(1 << 64) - 1], dtype=np.uint64)


@dataclass(slots=True)
class Runs:
    """``cluster`` (-1: sparse) and ``length`` in clusters of every run, and for each attribute its ``start`` and ``count`` among them.

    ``sound`` is False where a list was cut off, overlong or pointed outside the volume; the runs before the damage are kept.
    """

    cluster: Ints
    length: Ints
    start: Ints
    count: Ints
    sound: NDArray[np.bool_]


def decode(memory: Memory, place: Ints, room: Ints, clusters: int) -> Runs:
    """The runs of the attributes whose mapping pairs lie at ``place`` with ``room`` bytes each, in a volume of ``clusters``."""
    total = len(place)
    sound = np.ones(total, dtype=bool)
    which = np.arange(total, dtype=np.int64)
    position, end = place, place + room
    previous = np.zeros(total, dtype=np.int64)
    steps: list[tuple[Ints, Ints, Ints]] = []
    while len(which):
        inside = position < end
        sound[which[~inside]] = False
        head = memory.bytes[np.minimum(position, memory.length)].astype(np.int64)
        active = inside & (head != 0)
        which, position, end, previous, head = which[active], position[active], end[active], previous[active], head[active]
        wide, far = head & 15, head >> 4
        fits = (wide >= 1) & (wide <= 8) & (far <= 8) & (position + 1 + wide + far <= end)
        sound[which[~fits]] = False
        which, position, end, previous = which[fits], position[fits], end[fits], previous[fits]
        wide, far = wide[fits], far[fits]
        length = (memory.u64(position + 1) & _MASKS[wide]).view(np.int64)
        raw = memory.u64(np.minimum(position + 1 + wide, memory.length)) & _MASKS[far]
        shift = (64 - 8 * np.maximum(far, 1)).astype(np.uint64)
        delta = (raw << shift).view(np.int64) >> shift.view(np.int64)
        sparse = far == 0
        # Both terms are checked against the volume below; the addition of two 64-bit numbers may wrap but then fails that check.
        cluster = np.where(sparse, SPARSE, previous + delta)
        good = (length > 0) & (length <= 1 << 48)
        good &= sparse | ((cluster >= 0) & (cluster < clusters) & (length <= clusters - cluster))
        sound[which[~good]] = False
        which, position, end, wide, far = which[good], position[good], end[good], wide[good], far[good]
        cluster, length, sparse = cluster[good], length[good], sparse[good]
        steps.append((which, cluster, length))
        previous = np.where(sparse, previous[good], cluster)
        position = position + 1 + wide + far
    if steps:
        owner, cluster, length = (np.concatenate(column) for column in zip(*steps, strict=True))
        order = np.argsort(owner, kind="stable")
        owner, cluster, length = owner[order], cluster[order], length[order]
    else:
        owner = cluster = length = np.zeros(0, dtype=np.int64)
    count = np.bincount(owner, minlength=total).astype(np.int64)
    return Runs(cluster, length, np.cumsum(count) - count, count, sound)
