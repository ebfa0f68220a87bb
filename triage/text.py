"""Hostile text made visible: one rule for the terminal, HTML, CSV and PDF.

Names, titles and addresses in evidence may hold characters that clear a screen, reverse the reading order, or hide a part of the
text. They are replaced by a visible sign, never dropped: what an officer reads then has the same parts as what is in the evidence.
The set is written out here, not asked of ``unicodedata``, because that table differs between versions of Python and the same
journal must give the same report.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiner, Arabic mark, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidirectional controls
    "\u2800\u3164\uffa0"  # blanks that are not spaces
    "\ud800-\udfff"  # lone surrogates: bytes that were not text
    "\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\ufff0-\ufffb\ufffe\uffff"  # non-characters, selectors, byte order mark, annotations
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and musical format controls
    "\U000e0000-\U000e0fff"  # tags and further selectors: text that can be carried unseen
    "]"
)
_STACK = re.compile("([\u0300-\u036f\u0483-\u0489\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{8})[\u0300-\u036f\u0483-\u0489\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip
_CONTROLS = (
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR", "SO", "SI", "DLE", "DC1", "DC2", "DC3",
    "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def visible(text: str, limit: int | None = None) -> str:
    """``text`` with everything that acts instead of being read replaced by a sign: escape by ``⟨ESC⟩``, U+202E by ``⟨U+202E⟩``.

    A pile of combining marks, which would paint over the lines around it, is cut after eight. With ``limit`` a text of more
    characters is shortened in the middle, so that the start and the file name at the end both remain, and says by how many.
    The result can always be encoded as UTF-8. It is for reading: the exact text is in the journal.
    """
    if limit is not None and len(text) > limit:
        tail = limit // 3
        head = limit - tail
        return f"{visible(text[:head])} ⟨… {len(text) - limit:,} characters left out …⟩ {visible(text[-tail:] if tail else '')}"
    if text.isascii() and text.isprintable():
        return text
    shown = _HIDDEN.sub(_sign, text)
    return shown if shown.isascii() else _STACK.sub(r"\1⟨more marks⟩", shown)


def csv_cell(text: str, limit: int | None = None) -> str:
    """``visible(text, limit)`` that no spreadsheet takes for a formula.

    A text whose first character is ``= + - @`` (or their full-width forms), also after white space, or is itself a tab or a line
    break, gets an apostrophe in front (STANDARDS 2.4; OWASP, "CSV Injection"). Quoting is the CSV writer's work.
    """
    shown = visible(text, limit)
    if text[:1].isalnum():
        return shown
    return "'" + shown if text[:1] in ("\t", "\r", "\n") or text.lstrip().startswith(_FORMULA) else shown


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    # Names, not the characters of the block Control Pictures: many fonts have no glyph for those, and show a box.
    name = _CONTROLS[code] if code < 0x20 else "DEL" if code == 0x7F else f"U+{code:04X}"
    return f"⟨{name}⟩"
