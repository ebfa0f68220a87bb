"""The content of a file as text: which encoding it is in, and how a large one is read in overlapping windows.

Encodings: UTF-8 with any stray bytes read as Windows-1252 (which covers Latin-1, and files that mix the two); UTF-16 and UTF-32 by their
byte order mark; UTF-16 without one by where its zero bytes stand. Content that is none of these but holds zero bytes (a program, a
database, a disk) is read as UTF-8 in which any other byte ends a word, and, besides, its stretches of UTF-16 within Latin-1 are read as such.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rules.keywords.folding import fold_bytes
from rules.keywords.hits import Hit
from rules.keywords.tally import Tally

if TYPE_CHECKING:
    from rules.keywords.matcher import Matcher

WINDOW = 1 << 18
MARGIN = 1 << 12
"""Bytes at either end of a window that the neighbouring window decides on; a match is not longer than this (only regular expressions could be)."""
_STEP = WINDOW - 2 * MARGIN
_SAMPLE = 1 << 13

_WIDE = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
_MARKS = ((b"\xff\xfe\x00\x00", "utf-32-le"), (b"\x00\x00\xfe\xff", "utf-32-be"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PRINTABLE = rb"\t\r\n\x20-\x7e\xa0-\xff"
_LITTLE = re.compile(rb"(?:[%b]\x00){3,}" % _PRINTABLE)
_BIG = re.compile(rb"(?<![%b])(?:\x00[%b]){3,}" % (_PRINTABLE, _PRINTABLE))


def encoding_of(head: bytes) -> str:
    """``utf-16-le``, ``utf-16-be``, ``utf-32-le``, ``utf-32-be``, ``8-bit`` or ``binary``, from the first bytes of the content."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    head = head[:_SAMPLE]
    if b"\x00" not in head:
        return "8-bit"
    even, odd = head[0::2], head[1::2]
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # The high bytes of Latin, Greek, Cyrillic, Hebrew and Arabic letters are 0 to 6; low bytes seldom are.
        if len(high) >= 2 and _share(high) >= 0.7 and _share(low) <= 0.2:
            return name
    return "binary"


def _wide_runs(data: bytes) -> list[tuple[str, int, int]]:
    """(encoding, start, end) of what looks like UTF-16 in binary content.

    One byte on, big-endian text reads as little-endian without its last letter, and the other way about: the longer reading is the right one.
    """
    little = {match.start(): match.end() for match in _LITTLE.finditer(data)}
    runs = []
    for match in _BIG.finditer(data):
        start, end = match.span()
        if little.get(start + 1, 0) < end:
            little.pop(start + 1, None)
            runs.append(("utf-16-be", start, end))
    return runs + [("utf-16-le", start, end) for start, end in little.items()]


def _share(data: bytes) -> float:
    return sum(data.count(value) for value in range(7)) / len(data) if data else 0.0


class Stream:
    """Content that comes in pieces. Holds one window, whatever the size of the content."""

    def __init__(self, matcher: Matcher, where: str, context: int) -> None:
        self._matcher = matcher
        self._tally = Tally(matcher, where, context)
        self._buffer = bytearray()
        self.base = 0
        self._encoding: str | None = None

    def feed(self, data: bytes | memoryview) -> None:
        """The next piece, of any length."""
        view, at = memoryview(data), 0
        while at < len(view):
            room = WINDOW + 1 - len(self._buffer)
            self._buffer += view[at : at + room]
            at += room
            if len(self._buffer) > WINDOW:
                self.window(bytes(self._buffer[:WINDOW]), last=False)
                del self._buffer[:_STEP]

    def finish(self) -> list[Hit]:
        """The hits in everything fed, in order of place."""
        self.window(bytes(self._buffer), last=True)
        self._buffer.clear()
        return self.hits()

    def hits(self) -> list[Hit]:
        """What was found so far, in order of place."""
        return self._tally.hits()

    def window(self, data: bytes, *, last: bool) -> None:
        """Look through the window that begins at ``base``, and move on."""
        if not data.strip(b"\0"):  # holes of sparse files and unused space: gigabytes of them, and nothing to find
            self.base += _STEP
            return
        if self._encoding is None:
            self._encoding = encoding_of(data)
        accept = range(MARGIN if self.base else 0, len(data) if last else len(data) - MARGIN)
        width = _WIDE.get(self._encoding)
        if width:
            self._wide(data, 0, self._encoding, width, accept)
        else:
            self._narrow(data, accept)
        self.base += _STEP

    def _narrow(self, data: bytes, accept: range) -> None:
        """A window of 8-bit text or of binary content."""
        folded = fold_bytes(data, binary=self._encoding == "binary")
        spans = self._matcher.spans(folded, self._tally.full)
        if spans:
            base = self.base
            self._tally.add(spans, folded, lambda offset: base + offset, accept)
        if b"\x00" in data:
            for name, start, end in _wide_runs(data):
                self._wide(data[start:end], start, name, 2, accept)

    def _wide(self, data: bytes, at: int, encoding: str, width: int, accept: range) -> None:
        """A stretch of UTF-16 or UTF-32 that begins ``at`` in the window."""
        text = data[: len(data) - len(data) % width].decode(encoding, "replace")
        folded = fold_bytes(text.encode("utf-8", "replace"))
        spans = self._matcher.spans(folded, self._tally.full)
        if not spans:
            return
        place = _Wide(folded.raw, encoding)
        wanted = [span for span in spans if at + place(folded.origin(span[0])) in accept]
        base = self.base + at
        self._tally.add(wanted, folded, lambda offset: base + place(offset))


class _Wide:
    """Offsets in UTF-8 to offsets in the encoding it came from, counted on from the last one asked for."""

    def __init__(self, raw: bytes, encoding: str) -> None:
        self._raw, self._encoding = raw, encoding
        self._plain = len("a".encode(encoding)) if raw.isascii() else 0
        self._at = self._place = 0

    def __call__(self, offset: int) -> int:
        if self._plain:
            return offset * self._plain
        if offset < self._at:
            self._at = self._place = 0
        self._place += len(self._raw[self._at : offset].decode("utf-8", "ignore").encode(self._encoding, "replace"))
        self._at = offset
        return self._place


def scan(matcher: Matcher, data: bytes | memoryview, where: str, context: int) -> list[Hit]:
    """Everything in ``data``, which is whole in memory already."""
    stream, view = Stream(matcher, where, context), memoryview(data)
    while len(view) - stream.base > WINDOW:
        stream.window(bytes(view[stream.base : stream.base + WINDOW]), last=False)
    stream.window(bytes(view[stream.base :]), last=True)
    return stream.hits()
