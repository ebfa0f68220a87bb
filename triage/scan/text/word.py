"""Word documents before 2007: the piece table of MS-DOC (sections 2.4.1, 2.5.1, 2.9.38, 2.9.177), and the plain text of Word 6 and 95."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from triage.scan.text.parts import Part, Text

_MAGIC = (0xA5EC, 0xA5DC)
_ENCRYPTED, _WHICH_TABLE = 0x0100, 0x0200
_WORD_97 = 101
_CLX = 0x01A2  # fcClx of FibRgFcLcb97; lcbClx follows
_COMPRESSED = 1 << 30
# A field's instruction stands between 0x13 and 0x14 and holds hyperlinks; cell, line and page marks part words; an optional hyphen does not.
_BREAKS = re.compile("[\x01\x05\x07\x08\x0b\x0c\x0d\x13\x14\x15]")


def read(document: bytes, table0: bytes, table1: bytes) -> Iterator[Part]:
    """Text of the body, notes, headers, comments and text boxes, in the order of the piece table."""
    if len(document) < 0x20 or struct.unpack_from("<H", document)[0] not in _MAGIC:
        yield Problem("is damaged: its WordDocument stream does not begin as one", locator="WordDocument")
        return
    version, flags = struct.unpack_from("<H", document, 2)[0], struct.unpack_from("<H", document, 0x0A)[0]
    if flags & _ENCRYPTED:
        yield Problem("is protected by a password", Status.ENCRYPTED)
        return
    if version < _WORD_97:
        first, end = struct.unpack_from("<II", document, 0x18)
        yield Text(_clean(document[first:end].decode("cp1252", "replace")), "WordDocument")
        return
    table = table1 if flags & _WHICH_TABLE else table0
    if len(document) < _CLX + 8:
        yield Problem("is cut short", locator="WordDocument")
        return
    start, length = struct.unpack_from("<II", document, _CLX)
    text, sound = _pieces(document, table[start : start + length])
    if not sound:
        yield Problem("the table of its text is damaged: some of its text may be missing", locator="WordDocument")
    yield Text(_clean(text), "WordDocument")


def _pieces(document: bytes, clx: bytes) -> tuple[str, bool]:
    """The text of a Clx, and whether all of it was there."""
    at = 0
    while at + 3 <= len(clx) and clx[at] == 1:  # formatting, before the table of pieces
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at + 5 > len(clx) or clx[at] != 2:
        return "", False
    size = struct.unpack_from("<I", clx, at + 1)[0]
    plc = clx[at + 5 : at + 5 + size]
    count = (len(plc) - 4) // 12
    sound, left, out = len(plc) == size, len(document), []
    for number in range(max(count, 0)):
        first, end = struct.unpack_from("<II", plc, 4 * number)
        place = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)[0]
        packed = bool(place & _COMPRESSED)
        offset = (place & 0x3FFFFFFF) // 2 if packed else place & 0x3FFFFFFF
        length = (end - first) * (1 if packed else 2)
        piece = document[offset : offset + length] if 0 <= length <= left else b""
        sound = sound and len(piece) == length
        left -= len(piece)  # pieces that overlap could be added up without end
        out.append(piece.decode("cp1252" if packed else "utf-16-le", "replace"))
    return "".join(out), sound


def _clean(text: str) -> str:
    return _BREAKS.sub("\n", text.replace("\x1f", "").replace("\x1e", "-"))
