"""Terms against text: names, titles, addresses, typed words, and the content of files."""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import unquote_to_bytes

from rules.keywords.compiled import Store
from rules.keywords.content import Stream, scan
from rules.keywords.engines import AhoCorasickEngine, Engine, HyperscanEngine, cache_name, choose
from rules.keywords.exclusions import Exclusions
from rules.keywords.folding import Folded, decode, fold, fold_bytes
from rules.keywords.hits import Hit, in_order
from rules.keywords.names import NameIndex, last_part
from rules.keywords.patterns import Pattern
from rules.keywords.substitutions import is_substituted, plain
from rules.keywords.surroundings import Surroundings
from rules.keywords.tally import CONTEXT, Tally
from rules.keywords.terms import NAME_FORMS, PLACES, Term

_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_DATA_URL = re.compile(r"data:[^,]{0,200},", re.IGNORECASE)


class _Engine:
    """An engine over some of the terms: those whose ``patterns`` these are, by their number among all."""

    def __init__(self, patterns: Mapping[int, Pattern], engine: str, store: Store | None = None, name: str = "") -> None:
        self._numbers, self._patterns = list(patterns), list(patterns.values())
        self._engine: Engine = HyperscanEngine(self._patterns, store, name) if engine == "hyperscan" else AhoCorasickEngine(self._patterns)

    def spans(self, data: bytes, full: Collection[int]) -> Iterator[tuple[int, int, int]]:
        """(start, end, term number); of one term's overlapping matches, the first."""
        for index, ends in self._engine.candidates(data).items():
            number = self._numbers[index]
            if number in full:
                continue
            last = -1
            for start, end in self._patterns[index].spans(data, ends):
                if start >= last:
                    yield start, end, number
                    last = end


class Matcher:
    """Compiled terms. Not for several threads at once; cheap to make again in another process from the same paths and cache."""

    def __init__(
        self,
        terms: Sequence[Term],
        patterns: Mapping[int, Pattern],
        loose: Mapping[int, Pattern],
        conditions: Sequence[Surroundings | None],
        exclusions: Exclusions,
        engine: str,
        store: Store | None,
        digest: str,
        unkept: Collection[int] = (),
    ) -> None:
        """``patterns`` by the number of their term; ``loose``: those of terms with substitutions, to be met where these are undone.
        ``unkept``: numbers of terms that are not in ``digest``, and never compiled into ``store``.

        Raises ``ValueError`` for an engine that does not exist here.
        """
        self.terms, self.exclusions, self._conditions = terms, exclusions, conditions
        self.engine = choose(engine)
        """``hyperscan`` or ``ahocorasick``."""

        def made(kind: str, some: Mapping[int, Pattern]) -> _Engine:
            return _Engine(some, self.engine, store, cache_name(digest, kind) if self.engine == "hyperscan" else "")

        self._plain = [made("keywords", {number: pattern for number, pattern in patterns.items() if number not in unkept})]
        if unkept:
            self._plain.append(_Engine({number: patterns[number] for number in unkept}, self.engine))
        self._loose = made("substitutions", loose) if loose else None
        named = [(number, term) for number, term in enumerate(terms) if term.form in NAME_FORMS]
        self._names = NameIndex(named) if named else None

    def in_text(self, text: str, where: str, *, context: int = CONTEXT) -> list[Hit]:
        """The hits in a name, title, address, search or other short text, in order. ``where`` is one of ``PLACES``.

        Of a URL, percent-encoding is undone first, and the body of a ``data:`` URL left out; of a URL and a title, HTML entities.
        Raises ``ValueError`` for an unknown ``where``.
        """
        _known(where)
        folded = fold_bytes(plain_text(text, where).encode("utf-8", "replace"))
        found = self.spans(folded)
        named = self._named(text) if where == "name" and self._names is not None else []
        if not found:
            return named
        tally = Tally(self, where, context)
        tally.add(found, folded, lambda offset: len(folded.raw[:offset].decode("utf-8", "ignore")))
        return in_order([*named, *tally.hits()])

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
        out = [span for engine in self._plain for span in engine.spans(folded.data, full)]
        if self._loose is not None:
            known: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
            for start, end, number in out:
                if self.terms[number].substitutions:
                    known[number].append((start, end))
            for start, end, number in self._loose.spans(plain(folded.data), full):
                before = bisect_left(known[number], (end, 0))
                if before and known[number][before - 1][1] > start:
                    continue  # the term as it is
                if is_substituted(folded.data[start:end], fold(self.terms[number].text)):
                    out.append((start, end, number))
        out.sort()
        return out

    def _named(self, text: str) -> list[Hit]:
        """The known names that the last part of ``text``, a name or a path, is."""
        assert self._names is not None
        start, name = last_part(text)
        out = []
        for number in self._names.find(name):
            term, before, whole = self.terms[number], fold(text[:start]).encode("utf-8", "replace"), fold(name).encode("utf-8", "replace")
            if self.allowed(number, "name", before + whole, len(before), len(before) + len(whole)):
                hit = Hit(
                    term.text, term.category, term.severity, term.library, term.form, term.language, "name",
                    start, start + len(name), name, text[max(0, start - CONTEXT) : start + len(name)],
                )  # fmt: skip
                out.append(hit)
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
