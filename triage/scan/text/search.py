"""Keywords in the pieces of one file: one record for each term, however many members of an archive hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from artefacts.coverage import Problem
from triage.scan.text.extract import Piece

if TYPE_CHECKING:
    from rules.keywords import Hit, Matcher

_MAX_KEPT = 100
"""Hits kept of one term in one file; others are counted."""

Key = tuple[str, str, str, str]
"""Library, category, term and kind of text: what ``rules.keywords.captures`` makes one record of."""


def key_of(hit: Hit) -> Key:
    """What the hit is counted under."""
    return hit.library, hit.category, hit.term, hit.where


def offset_of(hit: Hit) -> str:
    """The locator of a hit in content that was read as it stands: bytes from its beginning."""
    return f"offset={hit.start}"


@dataclass(slots=True)
class Found:
    """``places``: the locator of the first piece that holds each term, and how many more do. ``size``: bytes of text matched."""

    hits: list[Hit] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    places: dict[Key, str] = field(default_factory=dict)
    pieces: int = 0
    size: int = 0


def search(words: Matcher, pieces: Iterable[Piece | Problem]) -> Found:
    """Match every piece. Offsets of the hits go on counting from piece to piece, so that the first piece comes first."""
    found = Found()
    kept: Counter[Key] = Counter()
    last: dict[Key, int] = {}
    others: Counter[Key] = Counter()
    before: set[Key] = set()
    for piece in pieces:
        if isinstance(piece, Problem):
            found.problems.append(piece)
            continue
        # Forms of names look at a name as a whole; the content of a file has none.
        named = piece.where == "name"
        hits = words.in_text(piece.data.decode("utf-8", "replace"), "name") if named else words.in_bytes(piece.data, piece.where)
        if piece.again:
            hits = [hit for hit in hits if key_of(hit) not in before]
        else:
            before = {key_of(hit) for hit in hits}
        for key in {key_of(hit) for hit in hits}:
            others[key] += 1
        for hit in hits:
            key = key_of(hit)
            found.places.setdefault(key, piece.locator or offset_of(hit))
            kept[key] += 1
            if kept[key] > _MAX_KEPT:
                at = last[key]
                found.hits[at] = replace(found.hits[at], repeats=found.hits[at].repeats + 1 + hit.repeats)
                continue
            last[key] = len(found.hits)
            found.hits.append(replace(hit, start=hit.start + found.size, end=hit.end + found.size))
        found.pieces += 1
        found.size += len(piece.data)
    for key, count in others.items():
        if count > 1:
            found.places[key] += f" and {count - 1} other part{'s' if count > 2 else ''}"
    return found
