"""Mapping pairs: what is written comes back, and what lies is cut off."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from triage.evidence.ntfs.memory import Memory
from triage.evidence.ntfs.runs import Runs, decode


def decoded(*lists: bytes, clusters: int = 1 << 40) -> Runs:
    content = b"".join(pairs.ljust(64, b"\0") for pairs in lists)
    place = np.arange(len(lists), dtype=np.int64) * 64
    room = np.array([max(len(pairs), 1) for pairs in lists], dtype=np.int64)
    return decode(Memory(content, len(content)), place, room, clusters)


def as_lists(found: Runs) -> list[list[tuple[int, int]]]:
    pairs = list(zip(found.cluster.tolist(), found.length.tolist(), strict=True))
    return [pairs[start : start + count] for start, count in zip(found.start.tolist(), found.count.tolist(), strict=True)]


def test_round_trip(make: ModuleType) -> None:
    lists = [
        [(5, 1)],
        [(1000, 300), (10, 5), (None, 70), (1 << 33, 1), (127, 128), (128, 127)],
        [],
        [(None, 16)],
        [(0, 1 << 20), (1 << 30, 255), ((1 << 30) - 1, 1)],
    ]
    found = decoded(*(make.mapping_pairs(runs) for runs in lists))
    assert as_lists(found) == [[(-1 if cluster is None else cluster, length) for cluster, length in runs] for runs in lists]
    assert found.sound.tolist() == [True] * 5


def test_lies_end_a_list_and_only_that(make: ModuleType) -> None:
    sound = make.mapping_pairs([(5, 1), (50, 2)])
    lies = {
        "behind the volume": make.mapping_pairs([(5, 1), (99, 2)]),
        "before the volume": b"\x11\x01\x05\x11\x01\xf0\x00",
        "no length": b"\x11\x01\x05\x10\x00",
        "length of nothing": b"\x11\x01\x05\x11\x00\x01\x00",
        "negative length": b"\x11\x01\x05\x18" + b"\xff" * 8 + b"\x01\x00",
        "too wide": b"\x11\x01\x05\x1f\x01",
        "cut off": b"\x11\x01\x05\x31\x01",
        "no end": b"\x11\x01\x05",
        "overflow": b"\x11\x01\x05\x81\x01" + b"\xff" * 7 + b"\x7f\x00",
    }
    found = decoded(sound, *lies.values(), sound, clusters=100)
    first, *between, last = as_lists(found)
    assert first == last == [(5, 1), (50, 2)]
    for name, runs in zip(lies, between, strict=True):
        assert runs == [(5, 1)], name
    assert found.sound.tolist() == [True] + [False] * len(lies) + [True]


def test_nothing() -> None:
    assert as_lists(decode(Memory(b"", 0), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 10)) == []
