r"""Objects embedded in RTF: ``\objdata``, the hexadecimal digits of an OLE 1.0 object (MS-OLEDS 2.2.5)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from artefacts.coverage import Problem
from triage.scan.text.parts import Budget, Member, Part, Text

# Readers of RTF skip what is no digit, and who hides something puts it there: blanks, and control words without a space after them.
_OBJECT = re.compile(rb"\\objdata\b((?:[0-9a-fA-F\s]|\\[a-z]{1,32}-?\d{0,10} ?|[{}](?=[0-9a-fA-F\s{}\\]))*)")
_CONTROL = re.compile(rb"\\[a-z]+-?\d* ?|[^0-9a-fA-F]")
_EMBEDDED = 2
_PACKAGE = b"Package"


def read(data: bytes, budget: Budget) -> Iterator[Part]:
    """The objects in an RTF file, as files; of a package the file in it, under its own name."""
    for number, match in enumerate(_OBJECT.finditer(data), 1):
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        digits = _CONTROL.sub(b"", match[1])
        raw = bytes.fromhex(digits[: len(digits) & ~1].decode("ascii"))
        budget.took(len(raw))
        where = f"object {number}"
        try:
            kind, content = _ole1(raw)
        except (struct.error, ValueError):
            if len(raw) > 16:
                yield Problem("an embedded object is damaged", locator=where)
            continue
        name = where
        if kind == _PACKAGE:
            try:
                name, content = _package(content)
            except (struct.error, ValueError):
                yield Problem("an embedded package is damaged", locator=where)
                continue
            yield Text(name, name, "name")
        if content:
            yield Member(name, content)


def _ole1(data: bytes) -> tuple[bytes, bytes]:
    """Class name and content of an embedded object; no content of a link. Raises ``ValueError``, ``struct.error``."""
    form = struct.unpack_from("<I", data, 4)[0]
    at = 8
    names = []
    for _ in range(3):
        length = struct.unpack_from("<I", data, at)[0]
        names.append(data[at + 4 : at + 4 + length].rstrip(b"\0"))
        at += 4 + length
    if form != _EMBEDDED:
        return names[0], b""
    size = struct.unpack_from("<I", data, at)[0]
    if size > len(data) - at - 4:
        raise ValueError("cut short")
    return names[0], data[at + 4 : at + 4 + size]


def _package(data: bytes) -> tuple[str, bytes]:
    """The file in a package of the Windows Object Packager: a label and two paths that end in zero bytes, around unknowns, then the file."""
    label_end = data.index(b"\0", 2)
    path_end = data.index(b"\0", label_end + 1)
    length = struct.unpack_from("<I", data, path_end + 5)[0]
    at = path_end + 9 + length
    size = struct.unpack_from("<I", data, at)[0]
    if size > len(data) - at - 4:
        raise ValueError("cut short")
    return data[2:label_end].decode("cp1252", "replace"), data[at + 4 : at + 4 + size]
