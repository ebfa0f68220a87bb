r"""Rich Text Format 1.9.1 (Microsoft, 2008): text between control words.

Taken: the text of every destination that prints, headers, notes, annotations and the document's title and subject. Left: fonts, colours,
styles, pictures, and destinations marked ``\*`` (a reader may skip them by definition).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from artefacts.coverage import Problem
from triage.scan.text import rtf_objects
from triage.scan.text.parts import MAX_READ, Budget, Part, Text

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\")
_LEFT = frozenset(
    b"fonttbl colortbl stylesheet pict objdata themedata colorschememapping datastore listtable listoverridetable rsidtbl xmlnstbl latentstyles".split()
)
_TAKEN_MARKED = frozenset(b"annotation footnote shptxt title subject".split())
# Text that stands elsewhere than the text around it.
_APART = frozenset(
    b"title subject author keywords doccomm header headerl headerr headerf footer footerl footerr footerf footnote annotation atnid "
    b"atnauthor shptxt fldinst".split()
)
_BREAKS = {
    b"par": "\n",
    b"line": "\n",
    b"sect": "\n",
    b"page": "\n",
    b"cell": "\n",
    b"row": "\n",
    b"tab": "\t",
    b"emspace": " ",
    b"enspace": " ",
}
_SIGNS = {
    b"emdash": "\u2014",
    b"endash": "\u2013",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
    b"bullet": "\u2022",
}
_SYMBOLS = {b"~": "\u00a0", b"-": "", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}
_MAX_NESTING = 10_000
_BEAT_EVERY = 50_000


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The words of an RTF file, of which the first 64 MiB are read."""
    data = stream.read(MAX_READ)
    text, whole = _text(data, budget)
    yield Text(text)
    yield from rtf_objects.read(data, budget)
    if stream.read(1):
        yield Problem(f"only its first {MAX_READ >> 20} MiB were read")
    elif not whole:
        yield Problem("is cut short: its last group is not closed")


def _text(data: bytes, budget: Budget) -> tuple[str, bool]:
    """The text, and whether every group is closed."""
    out: list[str] = []
    raw = bytearray()  # bytes of the code page: a letter may take two, one \' each
    stack: list[tuple[bool, int, bool]] = []
    left, fallback, skip, page, marked, apart = False, 1, 0, "cp1252", False, False

    def flush() -> None:
        if raw:
            out.append(raw.decode(page, "replace"))
            raw.clear()

    at = count = 0
    while (token := _TOKEN.match(data, at)) is not None:
        at = token.end()
        count += 1
        if count % _BEAT_EVERY == 0:
            budget.beat()
        word, number, code, symbol, brace, plain = token.groups()
        if plain is not None:
            if skip:
                plain, skip = plain[skip:], max(0, skip - len(plain))
            if not left:
                raw += plain
        elif code is not None:
            if skip:
                skip -= 1
            elif not left:
                raw.append(int(code, 16))
        elif brace == b"{":
            skip = 0
            if len(stack) < _MAX_NESTING:
                stack.append((left, fallback, apart))
                apart = False
        elif brace == b"}":
            skip, marked = 0, False
            if stack:
                if apart and not left:
                    flush()
                    out.append("\n")
                left, fallback, apart = stack.pop()
        elif symbol is not None:
            if symbol == b"*":
                marked = True
            elif not left and symbol in _SYMBOLS:
                flush()
                out.append(_SYMBOLS[symbol])
        elif word is not None:
            value = int(number) if number else 0
            if marked:
                marked, left = False, left or word not in _TAKEN_MARKED
            if word in _LEFT:
                left = True
            elif word == b"bin":
                at += max(value, 0)
            elif word == b"uc":
                fallback = min(max(value, 0), 16)
            elif word == b"ansicpg":
                flush()
                page = _page(value)
            elif left:
                continue
            elif word == b"u" and number:
                flush()
                out.append(chr(value & 0xFFFF))
                skip = fallback
            elif word in _APART:
                apart = True
                flush()
                out.append("\n")
            elif word in _BREAKS or word in _SIGNS:
                flush()
                out.append(_BREAKS.get(word) or _SIGNS[word])
    flush()
    # Letters beyond the basic plane come as two halves, a \u each.
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace"), not stack


def _page(number: int) -> str:
    name = "mac_roman" if number == 10000 else f"cp{number}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
