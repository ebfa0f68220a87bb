"""Where pictures may begin is told the same with Hyperscan and without."""

from __future__ import annotations

import random

import pytest

from triage.scan.carving import search
from triage.scan.carving.search import Search

MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"WEBPVP8", b"ftyp")


def _places(data: bytes) -> list[tuple[int, str]]:
    return list(Search(lambda offset, length: data[offset : offset + length], videos=True)._marks(data, 0))


def test_both_ways_find_the_same_places_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperscan")
    dice = random.Random(5)
    samples = []
    for _ in range(400):
        data = bytearray(dice.randbytes(dice.randrange(1, 300)))
        for _ in range(dice.randrange(6)):
            mark = dice.choice(MARKS)
            at = dice.randrange(len(data))
            data[at : at + len(mark)] = mark
        samples.append(bytes(data))
    quick = [_places(data) for data in samples]
    assert sum(map(len, quick)) > 500
    monkeypatch.setattr(search, "_database", lambda marks: None)
    assert [_places(data) for data in samples] == quick
