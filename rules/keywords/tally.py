"""From matches in folded text to the hits of one item, in the reader's own offsets and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rules.keywords.folding import Folded, decode
from rules.keywords.hits import Hit, in_order

if TYPE_CHECKING:
    from rules.keywords.matcher import Matcher

CONTEXT = 40
MAX_KEPT = 100
"""Hits kept of one term in one item; the rest are counted (``Hit.repeats``)."""
MAX_COUNTED = 10_000
"""After so many, a term is no longer looked for in that item: a file can be made of nothing but one word."""


class Tally:
    """The hits of one item as they come in: the first of each term kept, the others counted. ``full``: terms that have been met often enough."""

    def __init__(self, matcher: Matcher, where: str, context: int) -> None:
        self._matcher, self._where, self._context = matcher, where, context
        self._hits: list[Hit] = []
        self._counts: dict[int, int] = {}
        self.full: set[int] = set()
        self._last: dict[int, int] = {}

    def add(self, spans: Sequence[tuple[int, int, int]], folded: Folded, place: Callable[[int], int], accept: range | None = None) -> None:
        """Take the ``spans`` of ``folded`` that count. ``place``: an offset in ``folded.raw`` to the offset the reader knows; ``accept``: raw starts that are wanted."""
        for start, end, number in spans:
            raw_start = folded.origin(start)
            if accept is not None and raw_start not in accept:
                continue
            if not self._matcher.allowed(number, self._where, folded.data, start, end):
                continue
            count = self._counts.get(number, 0) + 1
            if count > MAX_COUNTED:
                continue
            self._counts[number] = count
            if count == MAX_COUNTED:
                self.full.add(number)
            if count <= MAX_KEPT:
                self._last[number] = len(self._hits)
                self._hits.append(self._hit(number, folded, raw_start, folded.origin(end, end=True), place))

    def hits(self) -> list[Hit]:
        """Everything taken, by place."""
        for number, count in self._counts.items():
            if count > MAX_KEPT:
                at = self._last[number]
                self._hits[at] = replace(self._hits[at], repeats=count - MAX_KEPT)
        return in_order(self._hits)

    def _hit(self, number: int, folded: Folded, start: int, end: int, place: Callable[[int], int]) -> Hit:
        term, raw, width = self._matcher.terms[number], folded.raw, self._context
        before = decode(_whole(raw[max(0, start - 4 * width - 4) : start]))[-width:] if width else ""
        after = decode(raw[end : end + 4 * width + 4])[:width]
        found = decode(raw[start:end])
        return Hit(
            term.text, term.category, term.severity, term.library, term.form, term.language, self._where,
            place(start), place(end), found, before + found + after,
        )  # fmt: skip


def _whole(raw: bytes) -> bytes:
    """``raw`` without the tail of a character whose beginning was cut off."""
    cut = 0
    while cut < min(3, len(raw)) and raw[cut] & 0xC0 == 0x80:
        cut += 1
    return raw[cut:]
