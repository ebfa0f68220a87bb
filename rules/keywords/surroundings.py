"""What must stand near a term, and what must not, for it to count."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rules.keywords.folding import fold
from rules.keywords.patterns import STAR, phrase_source
from rules.keywords.terms import Term

UNLESS_REACH = 80  # characters either side
_WORDS = re.compile(r"[^\W_]+")
_LETTERS_A_WORD = 30


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The conditions of one term, compiled. ``reach``: characters either side that are looked at.

    ``around``: contexts that hold the term itself ("glue gun" for "gun") silence the place they stand around and no other; ``unless``: the
    other contexts silence it from nearby.
    """

    around: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    near: re.Pattern[str] | None
    words: int
    reach: int

    def objection(self, data: bytes, start: int, end: int) -> str | None:
        """Why the term at ``start`` to ``end`` of ``data`` (folded UTF-8) does not count, in words; None if it does."""
        before = data[max(0, start - 4 * self.reach) : start].decode("utf-8", "ignore")[-self.reach :]
        after = data[end : end + 4 * self.reach].decode("utf-8", "ignore")[: self.reach]
        found = data[start:end].decode("utf-8", "replace")
        left, right = before[-UNLESS_REACH:], after[:UNLESS_REACH]
        if self.around is not None:
            for context in self.around.finditer(left + found + right):
                if context.start() <= len(left) and context.end() >= len(left) + len(found):
                    return f"silenced by {context[0]!r} around it"
        if self.unless is not None:
            silencer = self.unless.search(left + found + right)
            if silencer:
                return f"silenced by {silencer[0]!r} nearby"
        if self.near is not None:
            earlier = any(len(_WORDS.findall(before, match.end())) < self.words for match in self.near.finditer(before))
            if not earlier and not any(len(_WORDS.findall(after[: match.start()])) < self.words for match in self.near.finditer(after)):
                return f"none of its companions stands within {self.words} words"
        return None


def surroundings(term: Term) -> Surroundings | None:
    """The conditions of ``term``, or None if it has none. Raises ``ValueError`` for a condition without a letter or digit."""
    if not term.unless and term.near is None:
        return None
    words = term.near.words if term.near else 0
    own = fold(term.text)
    around = [context for context in term.unless if own in fold(context)]
    elsewhere = [context for context in term.unless if own not in fold(context)]
    return Surroundings(
        _any_of(around) if around else None,
        _any_of(elsewhere) if elsewhere else None,
        _any_of(term.near.terms) if term.near else None,
        words,
        max(UNLESS_REACH, words * _LETTERS_A_WORD),
    )


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    sources = []
    for phrase in phrases:
        words = fold(phrase).split()
        if not _WORDS.search(" ".join(words)):
            raise ValueError(f"has the context {phrase!r}, which holds no letter and no digit")
        sources.append(phrase_source(words).replace(re.escape("*"), rf"[^\W_]{{0,{STAR}}}"))
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(sources)})(?![^\W_])")
