"""The two engines: Hyperscan where its wheel exists, Aho-Corasick elsewhere. Both only propose; ``patterns`` decides."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from typing import Any, Protocol

from rules.keywords.compiled import Store
from rules.keywords.patterns import Pattern, Regex, literal_expression

Candidates = dict[int, list[int]]
"""Term number → offsets, rising, at which something of the term ends."""

# Hyperscan compiles a literal a hundred times faster than the same with \b, and finds it as fast; but a short one stands inside many
# words, and each costs a call back into Python. (4,955 terms: 0.8 s to compile with this limit, 6 s with \b everywhere.)
_BOUND_BELOW = 6
# The full automaton is twice as fast and grows with its states times the letters in use.
_AUTOMATON_BYTES = 1 << 20
_PATTERNS = 1  # to be raised whenever the expressions for the same terms change


class Engine(Protocol):
    """Finds where terms may stand."""

    name: str

    def candidates(self, data: bytes) -> Candidates:
        """Where in ``data`` (folded, valid UTF-8) each term may end: every place where one does, and perhaps more."""


def choose(engine: str) -> str:
    """``auto`` made definite: ``hyperscan`` or ``ahocorasick``. Raises ``ValueError`` for any other name or one that is not installed."""
    if engine == "auto":
        return "hyperscan" if importlib.util.find_spec("hyperscan") else "ahocorasick"
    if engine not in ("hyperscan", "ahocorasick"):
        raise ValueError(f"no keyword engine is called {engine!r}: hyperscan, ahocorasick or auto")
    if engine == "hyperscan" and not importlib.util.find_spec("hyperscan"):
        raise ValueError("the keyword engine hyperscan is not installed here")
    return engine


class AhoCorasickEngine:
    """ahocorasick-rs over folded bytes; regular expressions go through RE2 one by one."""

    name = "ahocorasick"

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation

        self._always = [number for number, pattern in enumerate(patterns) if not pattern.anchor]
        self._numbers = [number for number, pattern in enumerate(patterns) if pattern.anchor]
        anchors = [patterns[number].anchor for number in self._numbers]
        self._left = [patterns[number].bounds[0] and _ascii_edge(a[:1]) for number, a in zip(self._numbers, anchors, strict=True)]
        self._right = [patterns[number].bounds[1] and _ascii_edge(a[-1:]) for number, a in zip(self._numbers, anchors, strict=True)]
        small = sum(map(len, anchors)) < _AUTOMATON_BYTES
        self._automaton = BytesAhoCorasick(anchors, implementation=Implementation.DFA if small else None) if anchors else None

    def candidates(self, data: bytes) -> Candidates:
        found: Candidates = {number: [len(data)] for number in self._always}
        if self._automaton is None:
            return found
        size, word = len(data), _ASCII_WORD
        for index, start, end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            if self._left[index] and start and word[data[start - 1]]:
                continue
            if self._right[index] and end < size and word[data[end]]:
                continue
            found.setdefault(self._numbers[index], []).append(end)
        return found


class HyperscanEngine:
    """Hyperscan in block mode over folded bytes; regular expressions are proposed by it (as a prefilter) and decided by RE2."""

    name = "hyperscan"

    def __init__(self, patterns: Sequence[Pattern], store: Store | None = None, name: str = "") -> None:
        """Compile, or take the compiled database called ``name`` from ``store``; it is kept there if there is none that can be used."""
        import hyperscan

        expressions: list[bytes] = []
        flags: list[int] = []
        numbers: list[int] = []
        self._always: list[int] = []
        plain = hyperscan.HS_FLAG_DOTALL
        prefilter = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_UTF8
        for number, pattern in enumerate(patterns):
            is_regex = isinstance(pattern, Regex)
            if is_regex and not _compiles(pattern.expression() or "", prefilter):
                self._always.append(number)
                continue
            expression = pattern.expression()
            if expression is None:
                short = len(pattern.anchor) < _BOUND_BELOW
                expression = literal_expression(pattern.anchor, short and pattern.bounds[0], short and pattern.bounds[1])
            expressions.append(expression.encode())
            flags.append(prefilter if is_regex else plain)
            numbers.append(number)
        self._database = _database(expressions, flags, numbers, store, name) if expressions else None

    def candidates(self, data: bytes) -> Candidates:
        found: Candidates = {number: [len(data)] for number in self._always}
        if self._database is not None and data:
            self._database.scan(data, match_event_handler=_collect, context=found)
        return found


def _collect(number: int, _start: int, end: int, _flags: int, found: Any) -> None:
    if number in found:
        if found[number][-1] != end:
            found[number].append(end)
    else:
        found[number] = [end]


def _ascii_edge(edge: bytes) -> bool:
    return edge.isalnum()


_ASCII_WORD = bytes(1 if byte < 0x80 and chr(byte).isalnum() else 0 for byte in range(256))


def _compiles(expression: str, flags: int) -> bool:
    import hyperscan

    try:
        hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(expressions=[expression.encode()], ids=[0], elements=1, flags=[flags])
    except hyperscan.error:
        return False
    return True


def _database(expressions: list[bytes], flags: list[int], numbers: list[int], store: Store | None, name: str) -> Any:
    import hyperscan

    payload = store.load(name) if store is not None else None
    if payload is not None:
        try:
            database = hyperscan.loadb(payload, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
        except hyperscan.error:  # made for another processor
            pass
        else:
            return database
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=numbers, elements=len(expressions), flags=flags)
    if store is not None:
        store.keep(name, hyperscan.dumpb(database))
    return database


def cache_name(digest: str, kind: str) -> str:
    """The file name under which the database of the libraries with ``digest`` is kept, for this version of Hyperscan and of our patterns.

    ``kind``: which of the databases of these libraries it is."""
    return f"{kind}-{digest[:32]}-hs{importlib.metadata.version('hyperscan')}-{_PATTERNS}.hsdb"
