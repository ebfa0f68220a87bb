"""Text in the one form in which terms are compared: case, width, composition and invisible characters no longer differ.

The form is Unicode's NFKC_Casefold (Unicode Standard 3.13, D146; UAX #15) and, beyond it, ``_`` as a space, because file names and
addresses part words with it. Full case folding maps ß to ss and ligatures to letters, so lengths change: ``Folded.origin`` leads back.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache, lru_cache

_PIECE = 1024
_MOST_MARKS = 200  # the Stream-Safe Text Format (UAX #15, section 13) stops at 30
_ASCII = re.compile(rb"[\x00-\x7f]")
_STRAY = re.compile("[\udc80-\udcff]")
_CP1252 = bytes(range(256)).decode("cp1252", "replace")
# Default_Ignorable_Code_Point, the assigned ones: soft hyphen, zero-width and bidirectional controls, fillers, variation selectors, tags.
_INVISIBLE = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_IGNORABLE = re.compile(_INVISIBLE)
# Plain stretches, and each other character with what combines with it: these fold the same alone as in their text.
_MARKS = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
    "\u1161-\u11ff]"
)
_CLUSTER = re.compile(rf"(?s:[\x00-\x7f]+(?=[\x00-\x7f]|\Z)|.(?:{_INVISIBLE}{{0,8}}{_MARKS})*)")


def fold(text: str) -> str:
    """``text`` in the form in which terms are compared."""
    if text.isascii():
        return text.lower().replace("_", " ")
    # Each mark takes two bytes or more: most text is cleared of the suspicion by its length alone.
    if len(text.encode("utf-8", "surrogatepass")) - len(text) > _MOST_MARKS:
        text = _piles().sub(r"\1", text)
    text = _normal(text)
    text = _IGNORABLE.sub("", text.casefold())
    return _normal(text).replace("_", " ")


@cache
def _piles() -> re.Pattern[str]:
    """More marks in a row than any language has. Putting n of them in order takes Python n² steps: a file of nothing else would take hours."""
    marks = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
    return re.compile(f"([{marks}]{{{_MOST_MARKS}}})[{marks}]+")


def _normal(text: str) -> str:
    return text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)


def decode(data: bytes) -> str:
    """8-bit text as characters: UTF-8, and what is not UTF-8 as Windows-1252. Never raises."""
    return _characters(data)[0]


def _characters(data: bytes, binary: bool = False) -> tuple[str, bool]:
    """The text, and True if each byte is a character of its own. In ``binary`` content stray bytes stay lone surrogates, which are no letters.

    In text, where more bytes are stray than belong to UTF-8 sequences, what looks like a sequence is chance: all of it is Windows-1252 then.
    """
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        pass
    if binary:
        return data.decode("utf-8", "surrogateescape"), False
    sound = data.decode("utf-8", "ignore")
    sequences = len(sound.encode())
    if len(data) - sequences > sequences - len(sound):
        return codecs.charmap_decode(data, "strict", _CP1252)[0], True
    return _STRAY.sub(_stray, data.decode("utf-8", "surrogateescape")), False


def _stray(match: re.Match[str]) -> str:
    return _CP1252[ord(match[0]) - 0xDC00]


_Map = tuple[list[int], list[int], list[bool]]


@dataclass(slots=True)
class Folded:
    """``data``: valid UTF-8, folded, of ``raw``. ``_pieces``: (start in data, length in data, start in raw, length in raw) where the two differ."""

    raw: bytes
    data: bytes
    binary: bool = False
    _pieces: list[tuple[int, int, int, int]] = field(default_factory=list)
    _maps: dict[int, _Map] = field(default_factory=dict)

    def origin(self, offset: int, *, end: bool = False) -> int:
        """The offset in ``raw`` of what stands at ``offset`` in ``data``; for the ``end`` of a match, the offset after its last character."""
        if not self._pieces or not offset:
            return offset
        at = offset - 1 if end else offset
        index = bisect_right(self._pieces, at, key=lambda piece: piece[0]) - 1
        if index < 0:
            return offset
        start, length, raw_start, raw_length = self._pieces[index]
        if at >= start + length:
            return offset - start - length + raw_start + raw_length
        folded, raw, plain = self._map(index)
        cluster = bisect_right(folded, at - start) - 1
        if plain[cluster]:
            return raw_start + raw[cluster] + offset - start - folded[cluster]
        return raw_start + raw[cluster + end]

    def _map(self, index: int) -> _Map:
        """Where each cluster of a piece begins, folded and raw, and whether it is plain. Built only for pieces in which something was found."""
        known = self._maps.get(index)
        if known is None:
            _, length, raw_start, raw_length = self._pieces[index]
            folded, raw, plain, at, raw_at = [0], [0], [], 0, 0
            piece = self.raw[raw_start : raw_start + raw_length]
            text, single = _characters(piece, self.binary)
            escaped = text if single else piece.decode("utf-8", "surrogateescape")
            for match in _CLUSTER.finditer(text):
                cluster = match[0]
                simple = cluster.isascii()
                first, last = match.span()
                at = min(at + (len(cluster) if simple else _folded_length(cluster)), length)
                raw_at += last - first if simple or single else len(escaped[first:last].encode("utf-8", "surrogateescape"))
                folded.append(at)
                raw.append(raw_at)
                plain.append(simple)
            plain.append(False)
            raw.append(raw_at)
            known = self._maps[index] = (folded, raw, plain)
        return known


def _folded_length(cluster: str) -> int:
    return _short_folded_length(cluster) if len(cluster) < 8 else len(fold(cluster).encode("utf-8", "replace"))


@lru_cache(maxsize=4096)
def _short_folded_length(cluster: str) -> int:
    return len(fold(cluster).encode("utf-8", "replace"))


def fold_bytes(raw: bytes, *, binary: bool = False) -> Folded:
    """Fold 8-bit text (see ``decode``), or ``binary`` content, in which a byte that is not UTF-8 is no letter and ends the word before it.

    Only the stretches that are not ASCII are taken apart, so that plain text goes at the speed of memory."""
    if raw.isascii():
        return Folded(raw, raw.lower().replace(b"_", b" "))
    out: list[bytes] = []
    pieces: list[tuple[int, int, int, int]] = []
    at = plain = folded_at = 0
    size = len(raw)

    def flush(end: int) -> None:
        nonlocal folded_at
        if end > plain:
            out.append(raw[plain:end].lower().replace(b"_", b" "))
            folded_at += end - plain

    while at < size:
        end = min(at + _PIECE, size)
        if raw[at:end].isascii():
            at = end
            continue
        # An ASCII character never combines with what stands before it, so a piece may begin at one and nowhere else; the one before the
        # first byte that is not ASCII may carry an accent and belongs to the piece.
        begin = at - 1 if at > plain and raw[at] > 0x7F else at
        flush(begin)
        found = _ASCII.search(raw, end) if end < size else None
        end = found.start() if found else size
        piece = fold(_characters(raw[begin:end], binary)[0]).encode("utf-8", "replace")
        pieces.append((folded_at, len(piece), begin, end - begin))
        out.append(piece)
        folded_at += len(piece)
        at = plain = end
    flush(size)
    return Folded(raw, b"".join(out), binary, pieces)
