"""The weight of a capture, and what it says of itself."""

from __future__ import annotations

import pytest

from rules.keywords import CATEGORIES, PLACES, Capture, weigh
from rules.keywords.score import CATEGORY, PLACE


def one(severity: int = 3, category: str = "drugs", where: str = "text", count: int = 1) -> Capture:
    return Capture("lantern", category, severity, "own", "word", None, where, count, "", ())


def test_every_standard_category_and_place_has_its_points() -> None:
    assert set(CATEGORY) == set(CATEGORIES)
    assert set(PLACE) == set(PLACES)
    assert max(CATEGORY.values()) + max(points for points, _ in PLACE.values()) + 50 + 15 == 100


@pytest.mark.parametrize(
    ("capture", "size", "points", "reasons"),
    [
        (one(), 500, 39, "grade 3 of 5 (30), category drugs (5), in text (4)"),
        (one(count=3), 3_000, 54, "grade 3 of 5 (30), category drugs (5), in text (4), 3 times in 3,000 bytes (15)"),
        (one(count=3), 30_000, 49, "grade 3 of 5 (30), category drugs (5), in text (4), 3 times in 30,000 bytes (10)"),
        (one(count=3), 300_001, 39, "grade 3 of 5 (30), category drugs (5), in text (4), 3 times in 300,001 bytes (0)"),
        (one(count=2), 10, 39, "grade 3 of 5 (30), category drugs (5), in text (4)"),
        (one(5, "grooming", "search_terms", 9), 10, 85, "grade 5 of 5 (50), category grooming (10), typed as a search (25)"),
        (one(1, "our own", "url"), 0, 23, "grade 1 of 5 (10), category our own (5), in an address (8)"),
    ],
)
def test_weights(capture: Capture, size: int, points: int, reasons: str) -> None:
    assert (weigh(capture, size).points, weigh(capture, size).reasons) == (points, reasons)
