"""Terms against text: names, titles, addresses, typed words, and the content of files."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

from rules.keywords.content import Stream, scan
from rules.keywords.engines import AhoCorasickEngine, Engine, HyperscanEngine, cache_name, choose
from rules.keywords.folding import Folded, decode, fold_bytes
from rules.keywords.hits import Hit
from rules.keywords.patterns import Pattern
from rules.keywords.surroundings import Surroundings
from rules.keywords.tally import CONTEXT, Tally
from rules.keywords.terms import PLACES, Term

_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_DATA_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)


class Matcher:
    """Compiled terms. Not for several threads at once; cheap to make again in another process from the same paths and cache."""

    def __init__(
        self,
        terms: Sequence[Term],
        patterns: Sequence[Pattern],
        conditions: Sequence[Surroundings | None],
        engine: str,
        cache: Path | None,
        digest: str,
    ) -> None:
        """``patterns`` and ``conditions`` belong to ``terms`` one to one. Raises ``ValueError`` for an engine that does not exist here."""
        self.terms, self._patterns, self._conditions = terms, patterns, conditions
        self._engine: Engine
        if choose(engine) == "hyperscan":
            self._engine = HyperscanEngine(patterns, cache / cache_name(digest) if cache is not None else None)
        else:
            self._engine = AhoCorasickEngine(patterns)

    @property
    def engine(self) -> str:
        """``hyperscan`` or ``ahocorasick``."""
        return self._engine.name

    def in_text(self, text: str, where: str, *, context: int = CONTEXT) -> list[Hit]:
        """The hits in a name, title, address, search or other short text, in order. ``where`` is one of ``PLACES``.

        Of a URL, percent-encoding is undone first, and the body of a ``data:`` URL left out; of a URL and a title, HTML entities.
        Raises ``ValueError`` for an unknown ``where``.
        """
        _known(where)
        folded = fold_bytes(plain_text(text, where).encode("utf-8", "replace"))
        found = self.spans(folded)
        if not found:
            return []
        tally = Tally(self, where, context)
        tally.add(found, folded, lambda offset: len(folded.raw[:offset].decode("utf-8", "ignore")))
        return tally.hits()

    def in_bytes(self, data: bytes | memoryview, where: str = "text", *, context: int = CONTEXT) -> list[Hit]:
        """The hits in the content of a file, in order; ``start`` and ``end`` are byte offsets. See ``content`` for the encodings.

        Raises ``ValueError`` for an unknown ``where``.
        """
        _known(where)
        return scan(self, data, where, context)

    def stream(self, where: str = "text", *, context: int = CONTEXT) -> Stream:
        """The same for content that comes in pieces: ``feed(bytes)`` any number of times, then ``finish()`` for the hits, the same as ``in_bytes`` of all.

        Raises ``ValueError`` for an unknown ``where``.
        """
        _known(where)
        return Stream(self, where, context)

    def spans(self, folded: Folded, full: Collection[int] = ()) -> list[tuple[int, int, int]]:
        """(start, end, term number) of every match in folded text, conditions not yet considered; of one term's overlapping ones, the first.

        ``full``: numbers of terms that are not looked for any more.
        """
        data = folded.data
        out = []
        for number, ends in self._engine.candidates(data).items():
            if number in full:
                continue
            last = -1
            for start, end in self._patterns[number].spans(data, ends):
                if start >= last:
                    out.append((start, end, number))
                    last = end
        out.sort()
        return out

    def allowed(self, number: int, where: str, data: bytes, start: int, end: int) -> bool:
        places = self.terms[number].where
        if places and where not in places:
            return False
        conditions = self._conditions[number]
        return conditions is None or conditions.objection(data, start, end) is None


def _known(where: str) -> None:
    if where not in PLACES:
        raise ValueError(f"no kind of text is called {where!r}: {', '.join(PLACES)}")


def plain_text(text: str, where: str) -> str:
    """``text`` as ``in_text`` sees it: percent-encoding and entities undone in the kinds of text that have them."""
    if where == "url":
        body = _DATA_URL.match(text)
        if body:
            text = body[0]
        for _ in range(3):  # addresses inside addresses are encoded again
            if not _ESCAPED.search(text):
                break
            text = decode(unquote_to_bytes(text.encode("utf-8", "replace")))
    if where in ("url", "title") and "&" in text and ";" in text:
        text = html.unescape(text)
    return text
