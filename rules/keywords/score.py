"""How much a capture weighs, 0 to 100, and why in words: to put the strongest first. It changes no grade, and is no probability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.keywords.hits import Capture

GRADE = 10
"""Points for each step of the keeper's grade."""
CATEGORY: Mapping[str, int] = {
    "grooming": 10, "indecent images": 10, "suicide": 10, "self-harm": 8, "radicalisation": 8, "violence": 7, "anonymisers": 6, "deletion": 6,
    "discrimination": 5, "drugs": 5, "bullying": 5, "pornography": 3,
}  # fmt: skip
"""Harm to a child or to life first. A category of the force's own weighs ``OTHER_CATEGORY``."""
OTHER_CATEGORY = 5
PLACE: Mapping[str, tuple[int, str]] = {
    "search_terms": (25, "typed as a search"), "name": (15, "in a name"), "application": (12, "in the name or the data of a program"),
    "title": (10, "in a title"), "url": (8, "in an address"), "text": (4, "in text"),
}  # fmt: skip
DENSITY = ((10.0, 15), (1.0, 10), (0.1, 5))
"""From so many in 10,000 bytes on, so many points; a term that stands there less than ``DENSE_FROM`` times is chance."""
DENSE_FROM = 3


@dataclass(frozen=True, slots=True)
class Weight:
    """``points`` 0 to 100; ``reasons``: what they are made of, in plain words."""

    points: int
    reasons: str


def weigh(one: Capture, size: int = 0) -> Weight:
    """The weight of a capture. ``size``: bytes of the content it was met in, 0 if that is not known or means nothing."""
    grade, category = one.severity * GRADE, CATEGORY.get(one.category, OTHER_CATEGORY)
    place, where = PLACE[one.where]
    parts = [f"grade {one.severity} of 5 ({grade})", f"category {one.category} ({category})", f"{where} ({place})"]
    dense = 0
    if one.where == "text" and size and one.count >= DENSE_FROM:
        share = one.count * 10_000 / size
        dense = next((points for least, points in DENSITY if share >= least), 0)
        parts.append(f"{one.count:,} times in {size:,} bytes ({dense})")
    return Weight(grade + category + place + dense, ", ".join(parts))
