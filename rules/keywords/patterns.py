"""What a term looks for: a literal that an engine finds fast, and the exact decision at each place found.

An engine may offer too much, never too little; the decision here is the same for every engine, so the hits are too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from rules.keywords.boundaries import CONTINUOUS, WORD, breaks_at, is_word, word_end
from rules.keywords.folding import fold
from rules.keywords.substitutions import plain_term
from rules.keywords.terms import Term

MAX_TERM = 200  # characters
MAX_REGEX = 1000
MAX_STARS = 4
STAR = 24  # characters that one * may stand for
MAX_MATCHES = 10_000  # of one regular expression in one chunk
_RE2_MEMORY = 4 << 20
_GAP_BYTES = 16
# What may part the words of a phrase: blanks and one line break, or one joining sign. A full stop with a blank ends a sentence: no gap.
_GAP = rf"(?:[ \t\n\r\v\f]{{1,{_GAP_BYTES}}}|[-.+/\u2010-\u2015\u00b7]|[-\u2010]\r?\n[ \t]{{0,11}})"
# The same in UTF-8, the longest first: no word begins with a blank, so what matches first is what a search with second thoughts would find.
_PHRASE_GAP = re.compile(rb"(?:-|\xe2\x80\x90)\r?\n[ \t]{0,11}|[ \t\n\r\v\f]{1,%d}|[-.+/]|\xe2\x80[\x90-\x95]|\xc2\xb7" % _GAP_BYTES)
_PROPOSED_WORDS = 4
_WORD = r"[^\W_]"
_MAY_START = rf"(?:(?<!{_WORD})|(?<={CONTINUOUS})|(?={CONTINUOUS})|(?=[\W_]))"


class Pattern(Protocol):
    """A compiled term."""

    @property
    def anchor(self) -> bytes:
        """Folded bytes that every match holds; empty where there are none (a regular expression)."""

    @property
    def bounds(self) -> tuple[bool, bool]:
        """Whether a word must begin where the anchor begins, and end where it ends."""

    def expression(self) -> str | None:
        """A Hyperscan expression, over bytes, that ends inside or at the end of every match; None: use the anchor."""

    def spans(self, data: bytes, ends: Iterable[int]) -> Iterator[tuple[int, int]]:
        """The exact matches in ``data`` (folded UTF-8) that hold one of ``ends`` (rising; ends of what the engine found), each once."""


@dataclass(slots=True)
class Literal:
    """A word, or a stem (``open_end``): the same bytes wherever it stands."""

    anchor: bytes
    open_end: bool

    @property
    def bounds(self) -> tuple[bool, bool]:
        return True, not self.open_end

    def expression(self) -> str | None:
        return None

    def spans(self, data: bytes, ends: Iterable[int]) -> Iterator[tuple[int, int]]:
        size = len(self.anchor)
        for end in ends:
            if breaks_at(data, end - size):
                if self.open_end:
                    yield end - size, word_end(data, end)
                elif breaks_at(data, end):
                    yield end - size, end


@dataclass(slots=True)
class Phrase:
    """Words one after the other. No expression of its own is compiled for it: a list may hold thousands. ``reach``: bytes of the longest match."""

    words: tuple[bytes, ...]
    anchor: bytes
    reach: int

    @property
    def bounds(self) -> tuple[bool, bool]:
        return True, True

    def expression(self) -> str | None:
        gap = rf"[^{WORD}]{{1,{_GAP_BYTES}}}"
        return gap.join(literal_expression(word, False, False) for word in self.words[:_PROPOSED_WORDS])

    def spans(self, data: bytes, ends: Iterable[int]) -> Iterator[tuple[int, int]]:
        first_word = self.words[0]
        for first, last in _windows(ends, self.reach, len(data)):
            start = data.find(first_word, first, last)
            while start >= 0:
                stop = self._end(data, start)
                if stop and breaks_at(data, start) and breaks_at(data, stop):
                    yield start, stop
                start = data.find(first_word, start + 1, last)

    def _end(self, data: bytes, start: int) -> int:
        """Where the phrase that begins at ``start`` ends, or 0 if none does."""
        at = start + len(self.words[0])
        for word in self.words[1:]:
            gap = _PHRASE_GAP.match(data, at)
            if gap is None or not data.startswith(word, gap.end()):
                return 0
            at = gap.end() + len(word)
        return at


@dataclass
class Wildcard:
    """A wildcard: literals with open letters, and perhaps gaps, between them. ``reach``: bytes of the longest match."""

    anchor: bytes
    bounds: tuple[bool, bool]
    source: str
    reach: int

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # The look-ahead finds overlapping matches too: with them, what is found does not depend on where the search began.
        return re.compile(f"{_MAY_START}(?=({self.source}))")

    def expression(self) -> str | None:
        return None

    def spans(self, data: bytes, ends: Iterable[int]) -> Iterator[tuple[int, int]]:
        for first, last in _windows(ends, self.reach, len(data)):
            while data[first : first + 1] and data[first] & 0xC0 == 0x80:
                first += 1
            while last < len(data) and data[last] & 0xC0 == 0x80:
                last += 1
            window = data[first:last].decode("utf-8", "replace")
            plain = window.isascii()
            for match in self._pattern.finditer(window):
                start = first + (match.start(1) if plain else len(window[: match.start(1)].encode()))
                stop = start + len(match[1].encode())
                if breaks_at(data, start) and breaks_at(data, stop):
                    yield start, stop


def _windows(ends: Iterable[int], reach: int, size: int) -> Iterator[tuple[int, int]]:
    """The stretches that hold every match around ``ends`` whole, those that overlap made one."""
    first = last = -1
    for end in ends:
        if first >= 0 and end - reach <= last:
            last = end + reach
            continue
        if first >= 0:
            yield first, min(last, size)
        first, last = max(0, end - reach), end + reach
    if first >= 0:
        yield first, min(last, size)


@dataclass
class Regex:
    """A regular expression in RE2, whose time is linear in the text whatever the expression."""

    source: str

    anchor: bytes = b""
    bounds: tuple[bool, bool] = (False, False)

    @cached_property
    def compiled(self) -> Any:
        """The RE2 object. Raises ``ValueError`` for what RE2 does not take."""
        import re2

        options = re2.Options()
        options.case_sensitive, options.log_errors, options.max_mem = False, False, _RE2_MEMORY
        try:
            return re2.compile(self.source, options)
        except re2.error as error:
            text = error.args[0] if error.args else error
            raise ValueError(f"is not an expression that RE2 takes: {text.decode() if isinstance(text, bytes) else text}") from None

    def expression(self) -> str | None:
        return self.source

    def spans(self, data: bytes, ends: Iterable[int]) -> Iterator[tuple[int, int]]:
        for number, match in enumerate(self.compiled.finditer(data)):
            if number == MAX_MATCHES:
                return
            if match.end() > match.start():
                yield match.start(), match.end()


def compile_term(term: Term) -> Pattern:
    """The pattern of ``term``. Raises ``ValueError`` with a plain reason for a term that cannot be looked for."""
    if term.form == "regex":
        return _regex(term.text)
    if len(term.text) > MAX_TERM:
        raise ValueError(f"is longer than {MAX_TERM} characters")
    folded = fold(term.text)
    words = folded.split()
    if not words or not any(is_word(character) for character in folded):
        raise ValueError("holds no letter and no digit")
    if term.form == "wildcard":
        return _wildcard(words)
    if term.form == "phrase":
        words = [part for word in words for part in word.split("-") if part]
    if len(words) == 1:
        return Literal(words[0].encode(), term.form == "stem")
    if term.form == "stem":
        raise ValueError("is a stem of several words: use the form wildcard with * at its end")
    encoded = tuple(word.encode() for word in words)
    return Phrase(encoded, max(encoded, key=len), _reach(words))


def compile_loose(term: Term) -> Pattern:
    """The pattern of ``term`` in text whose substitutions are undone (``substitutions.plain``). Raises ``ValueError`` as ``compile_term``."""
    if term.form == "regex":
        raise ValueError("is a regular expression: it says itself which signs may stand for letters")
    return compile_term(replace(term, text=plain_term(fold(term.text))))


def phrase_source(words: Iterable[str]) -> str:
    """A regular expression for folded ``words`` one after the other, whatever parts them, without boundaries at its ends."""
    return _GAP.join(re.escape(word) for word in words)


def _reach(words: list[str]) -> int:
    return sum(len(word.encode()) for word in words) + _GAP_BYTES * (len(words) - 1) + 8


def _wildcard(words: list[str]) -> Pattern:
    if sum(word.count("*") for word in words) > MAX_STARS:
        raise ValueError(f"has more than {MAX_STARS} asterisks")
    parts = [part for word in words for part in re.split(r"[*?]+", word) if part]
    longest = max(parts, key=lambda part: len(part.encode()), default="")
    if len(longest.encode()) < 3:  # one Chinese character says as much as three letters
        raise ValueError("has no three letters in a row: it would match almost anything")
    sources = []
    for word in words:
        tokens = re.split(r"([*?])", word)
        sources.append("".join(f"{_WORD}{{0,{STAR}}}" if t == "*" else _WORD if t == "?" else re.escape(t) for t in tokens))
    wild = sum(word.count("*") * STAR + word.count("?") for word in words) * 4
    opens = any(word.startswith(longest) for word in words) and sum(longest in word for word in words) == 1
    return Wildcard(longest.encode(), (opens, False), _GAP.join(sources), _reach(words) + wild)


def _regex(source: str) -> Pattern:
    if len(source) > MAX_REGEX:
        raise ValueError(f"is longer than {MAX_REGEX} characters")
    # The text has a space wherever it had "_": so must the expression, except in the name of a group.
    pattern = Regex(source if "(?P<" in source else source.replace("_", " "))
    if pattern.compiled.search(b"") is not None:
        raise ValueError("matches nothing at all, and so would match everywhere")
    return pattern


def literal_expression(literal: bytes, left: bool, right: bool) -> str:
    """``literal`` as a Hyperscan expression over bytes, with word boundaries where asked for and where its edge is an ASCII letter or digit.

    Hyperscan's ``\\b`` knows only ASCII, which errs on the side of offering too much: every other byte counts as no letter.
    """
    text = "".join(chr(byte) if chr(byte).isalnum() and byte < 0x80 else f"\\x{byte:02x}" for byte in literal)
    before = r"\b" if left and literal[:1].isalnum() else ""
    after = r"\b" if right and literal[-1:].isalnum() else ""
    return before + text + after
