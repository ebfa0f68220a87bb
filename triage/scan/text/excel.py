"""Excel workbooks before 2007: the records of MS-XLS that hold text (sections 2.4.28 BoundSheet8, 2.4.148 Label, 2.4.265 SST, 2.4.329 TxO)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from triage.scan.text.parts import Budget, Part, Text

_FILEPASS, _SHEET, _SST, _CONTINUE, _LABEL, _STRING, _HEADER, _FOOTER, _TXO, _NOTE = (
    0x2F,
    0x85,
    0xFC,
    0x3C,
    0x204,
    0x207,
    0x14,
    0x15,
    0x1B6,
    0x1C,
)
_BOF = 0x809
_BIFF8 = 0x0600
_WIDE, _EXTENDED, _RICH = 1, 4, 8


def read(data: bytes, budget: Budget) -> Iterator[Part]:
    """Sheet names, shared strings, labels, results of formulas, headers, footers, comments and text boxes."""
    names: list[str] = []
    words: list[str] = []
    biff8, at, previous, count = True, 0, 0, 0
    problem = None
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        body = data[at + 4 : at + 4 + size]
        at += 4 + size
        count += 1
        if count % 10_000 == 0:
            budget.beat()
        if len(body) < size:
            problem = Problem("is cut short", locator="Workbook")
        if kind == _BOF and len(body) >= 2:
            biff8 = struct.unpack_from("<H", body)[0] == _BIFF8
        elif kind == _FILEPASS:
            yield Problem("is protected by a password", Status.ENCRYPTED)
            return
        elif kind == _SHEET:
            names.append(_short(body[6:], biff8))
        elif kind == _SST:
            chunks = [body]
            while at + 4 <= len(data) and struct.unpack_from("<H", data, at)[0] == _CONTINUE:
                size = struct.unpack_from("<H", data, at + 2)[0]
                chunks.append(data[at + 4 : at + 4 + size])
                at += 4 + size
            strings, sound = _shared(chunks)
            words += strings
            if not sound:
                problem = Problem("its table of strings is damaged: some may be missing", locator="Workbook")
        elif kind in (_LABEL, _STRING, _HEADER, _FOOTER):
            words.append(_long(body[6:] if kind == _LABEL else body, biff8))
        elif kind == _CONTINUE and previous == _TXO and len(body) > 1:
            words.append(body[1:].decode("utf-16-le" if body[0] & _WIDE else "latin-1", "replace"))
        elif kind == _NOTE and not biff8:
            words.append(body[6:].decode("cp1252", "replace"))
        previous = kind
    if problem is not None:
        yield problem
    yield Text("\n".join(names), "sheet names", "title")
    yield Text("\n".join(words), "Workbook")


def _short(body: bytes, biff8: bool) -> str:
    """A name with a length of one byte."""
    if not biff8:
        return body[1 : 1 + body[0]].decode("cp1252", "replace") if body else ""
    return body[2:].decode("utf-16-le" if body[1] & _WIDE else "latin-1", "replace") if len(body) > 2 else ""


def _long(body: bytes, biff8: bool) -> str:
    """A string with a length of two bytes."""
    if not biff8:
        return body[2:].decode("cp1252", "replace")
    if len(body) < 4:
        return ""
    return body[3:].decode("utf-16-le" if body[2] & _WIDE else "latin-1", "replace")


def _shared(chunks: list[bytes]) -> tuple[list[str], bool]:
    """The strings of the shared table, and whether all were there. A string that goes on in the next chunk has its width stated again there."""
    reader = _Chunks(chunks)
    total = struct.unpack("<I", reader.take(8)[4:8])[0] if len(chunks[0]) >= 8 else 0
    out: list[str] = []
    while len(out) < total:
        head = reader.take(3)
        if len(head) < 3:
            return out, False
        length, flags = struct.unpack("<HB", head)
        runs = int.from_bytes(reader.take(2), "little") if flags & _RICH else 0
        extra = int.from_bytes(reader.take(4), "little") if flags & _EXTENDED else 0
        out.append(reader.characters(length, bool(flags & _WIDE)))
        if not reader.skip(4 * runs + extra):
            return out, False
    return out, True


class _Chunks:
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks, self._number, self._at = chunks, 0, 0

    def take(self, count: int) -> bytes:
        out = b""
        while len(out) < count and self._number < len(self._chunks):
            part = self._chunks[self._number][self._at : self._at + count - len(out)]
            if not part:
                self._number, self._at = self._number + 1, 0
                continue
            out += part
            self._at += len(part)
        return out

    def skip(self, count: int) -> bool:
        while count > 0 and self._number < len(self._chunks):
            step = min(count, len(self._chunks[self._number]) - self._at)
            count, self._at = count - step, self._at + step
            if count:
                self._number, self._at = self._number + 1, 0
        return count == 0

    def characters(self, count: int, wide: bool) -> str:
        out = ""
        while count > 0 and self._number < len(self._chunks):
            chunk = self._chunks[self._number]
            if self._at >= len(chunk):
                self._number, self._at = self._number + 1, 0
                if self._number < len(self._chunks) and self._chunks[self._number]:
                    wide, self._at = bool(self._chunks[self._number][0] & _WIDE), 1
                continue
            width = 2 if wide else 1
            part = chunk[self._at : self._at + count * width]
            self._at += len(part)
            count -= max(1, len(part) // width)
            out += part.decode("utf-16-le" if wide else "latin-1", "replace")
        return out
