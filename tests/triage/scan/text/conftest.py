"""What the tests of text extraction share: pieces by their locator, and damage."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

from artefacts.coverage import Problem
from triage.scan.text import Piece, extract


def read(data: bytes, name: str = "file") -> tuple[dict[str, str], list[Problem]]:
    """Text by locator (pieces of one locator joined), and the problems."""
    texts: dict[str, str] = {}
    problems = []
    for item in extract(io.BytesIO(data), name, lambda: None):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            assert isinstance(item, Piece)
            texts[item.locator] = texts.get(item.locator, "") + item.data.decode("utf-8", "replace")
    return texts, problems


def damaged(data: bytes, seed: int, count: int = 30) -> Iterator[bytes]:
    """The data cut short and with bytes changed, the same ones for the same seed."""
    rng = random.Random(seed)
    for _ in range(count):
        yield data[: rng.randrange(len(data))]
        broken = bytearray(data)
        for _ in range(rng.choice((1, 4, 32))):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        yield bytes(broken)
