"""What was found: single hits, and the one record that a term and an item get however often it stands there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OTHER_TERMS = 10
# What somebody typed says more about them than what a page or a file happened to hold.
_WEIGHT = {"search_terms": 5, "name": 4, "application": 3, "title": 2, "url": 2, "text": 1}


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a term stands.

    ``start`` and ``end``: characters of the text (``in_text``: after percent-encoding and entities are undone), or bytes of the content
    (``in_bytes``, streams). ``found``: the text there. ``context``: the text around it, ``found`` included, nothing escaped: it is evidence, and hostile. ``repeats``: on the
    last hit that is kept of a term, how many more there were (counting ends at ten thousand).
    """

    term: str
    category: str
    severity: int
    library: str
    form: str
    language: str | None
    where: str
    start: int
    end: int
    found: str
    context: str
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Capture:
    """All hits of one term in one item. ``other_terms``: up to ten others met in the same item, the gravest first."""

    term: str
    category: str
    severity: int
    library: str
    form: str
    language: str | None
    where: str
    count: int
    context: str
    other_terms: tuple[str, ...]


def capture(hits: Sequence[Hit], item: Iterable[Hit] = ()) -> Capture:
    """One record of ``hits``, all of one term in one item (at least one); ``item``: every hit of that item, for the other terms.

    The context is that of the strongest hit: the gravest, then the most telling place, then the first. Raises ``ValueError`` for no hits.
    """
    if not hits:
        raise ValueError("no hits: nothing to capture")
    best = min(hits, key=_rank)
    others: dict[str, tuple[int, int, int]] = {}
    for hit in item:
        if hit.term != best.term and _rank(hit) < others.get(hit.term, (0, 0, 1)):
            others[hit.term] = _rank(hit)
    return Capture(
        best.term, best.category, best.severity, best.library, best.form, best.language, best.where,
        sum(1 + hit.repeats for hit in hits), best.context, tuple(sorted(others, key=lambda term: (others[term], term)))[:OTHER_TERMS],
    )  # fmt: skip


def captures(hits: Iterable[Hit]) -> list[Capture]:
    """The records of one item, one for each term of each library in each kind of text, the gravest first."""
    every = list(hits)
    groups: dict[tuple[str, str, str, str], list[Hit]] = {}
    for hit in every:
        groups.setdefault((hit.library, hit.category, hit.term, hit.where), []).append(hit)
    strongest = {hit.term: hit for hit in sorted(every, key=_rank, reverse=True)}
    first = sorted(strongest.values(), key=lambda hit: (_rank(hit), hit.term))[: OTHER_TERMS + 1]
    out = [capture(group, first) for group in groups.values()]
    return sorted(out, key=lambda one: (-one.severity, -_WEIGHT.get(one.where, 0), one.library, one.term))


def in_order(hits: Iterable[Hit]) -> list[Hit]:
    """The hits of one item by place."""
    return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.library, hit.term, hit.category))


def _rank(hit: Hit) -> tuple[int, int, int]:
    return -hit.severity, -_WEIGHT.get(hit.where, 0), hit.start
