"""Observations and listed files for conclusions, and what a conclusion makes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import Observation
from artefacts.times import Timestamp
from triage.journal import LISTING_COLUMNS
from triage.scan.conclude import Conclusion, Conclusions, Context
from triage.scan.emit import observation_json

DAY = 86_400 * 10**9
NOON = 1_750_000_000 * 10**9  # 2025-06-15T15:06:40Z


def at(days: float = 0, seconds: float = 0) -> Timestamp:
    """An instant so long after ``NOON``."""
    return Timestamp(NOON + int(days * DAY) + int(seconds * 10**9))


def seen(item: Observation, path: str = "/x", locator: str = "", source: str = "s1") -> dict[str, Any]:
    """An observation as journalled, read from the file at ``path``."""
    item.locator = locator or item.locator
    return observation_json(item, source=source, volume="v1", path=path, parser="test/1")


def row(
    path: str, kind: str = "file", *, allocated: bool = True, address: str = "", created: int | None = None, changed: int | None = None
) -> list[Any]:
    """A listed file."""
    cells = {"path": path, "kind": kind, "size": 10, "allocated": allocated, "address": address, "created": created, "changed": changed}
    return [cells.get(name) for name in LISTING_COLUMNS]


def draw(
    kind: type[Conclusion], observations: Sequence[dict[str, Any]], rows: Sequence[list[Any]] = (), *, visit: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What a conclusion draws, whatever order it is told in; problems are not expected."""
    results = []
    for seed in range(3):
        order, files = list(observations), list(rows)
        random.Random(seed).shuffle(order)
        random.Random(seed).shuffle(files)
        conclusions = Conclusions(Context(visit=visit, sources=("s1",)), kinds=(kind,))
        half = len(order) // 2
        for item in order[:half]:
            conclusions.feed(item)
        if files:
            conclusions.feed_listing("s1", "v1", files)
        for item in order[half:]:
            conclusions.feed(item)
        drawn = list(conclusions.draw(complete=True))
        assert not [item for item in drawn if not isinstance(item, dict)], drawn
        results.append(drawn)
    assert results[0] == results[1] == results[2]
    return [item for item in results[0] if isinstance(item, dict)]


def problems(kind: type[Conclusion], observations: Sequence[dict[str, Any]]) -> list[tuple[str, Problem]]:
    """What a conclusion could not take into account."""
    conclusions = Conclusions(Context(sources=("s1",)), kinds=(kind,))
    for item in observations:
        conclusions.feed(item)
    return [item for item in conclusions.draw(complete=True) if not isinstance(item, dict)]
