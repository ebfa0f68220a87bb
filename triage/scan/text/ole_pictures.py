"""Pictures and files in the streams of a compound file: those of Word, Excel and PowerPoint 97–2003, and objects embedded in any of them.

Sources: MS-ODRAW 2.2.23 (a picture lies in its stream as the file that it was), MS-XLS 2.4.171 (in Excel it is cut into records of at most
8,224 bytes), MS-OLEDS 2.3.6 (a file that somebody put in as an object).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from triage.scan.text import hidden
from triage.scan.text.kinds import kind_of
from triage.scan.text.parts import Budget, Member, Part

_DRAWING_GROUP, _CONTINUE = 0x00EB, 0x003C
_HOW = "in a document"
_PROPERTY = "__substg1.0_"


def read(streams: Iterable[str], content: Callable[[str], bytes], budget: Budget) -> Iterator[Part]:
    """Every picture in any stream, and embedded files. Streams of an Outlook message that are properties are left to its own reader."""
    for name in sorted(streams):
        last = name.rpartition("/")[2]
        if last.startswith(_PROPERTY):
            continue
        data = content(name)
        shown = name.replace("/", " ▸ ")
        if last in ("Workbook", "Book"):
            yield from hidden.pictures(_drawings(data), budget, _HOW, placed=False, prefix=f"{shown} ▸ ")
            continue
        packed = _native(data) if last == "\x01Ole10Native" else data
        if packed and (kind_of(packed[:4096]) or hidden.is_picture(packed[:4096])):
            yield Member(shown, packed, _HOW)
        else:
            yield from hidden.pictures(data, budget, _HOW, placed=False, prefix=f"{shown} ▸ ")


def _drawings(data: bytes) -> bytes:
    """The drawing records of a workbook, put together again."""
    out = bytearray()
    position, drawing = 0, False
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, position)
        drawing = kind == _DRAWING_GROUP or (drawing and kind == _CONTINUE)
        if drawing:
            out += data[position + 4 : position + 4 + length]
        position += 4 + length
    return bytes(out)


def _native(data: bytes) -> bytes:
    """The file in an OLE 1.0 native stream: its size, two bytes, three names, and its size again before it."""
    position = 6
    for _ in range(2):
        position = data.find(b"\0", position) + 1
        if not position:
            return b""
    try:
        (length,) = struct.unpack_from("<I", data, position + 4)
        position += 8 + length
        (length,) = struct.unpack_from("<I", data, position)
    except struct.error:
        return b""
    return data[position + 4 : position + 4 + length]
