"""PowerPoint presentations before 2007: the text atoms of MS-PPT (sections 2.9.42 TextCharsAtom, 2.9.43 TextBytesAtom, 2.3.2 CurrentUserAtom)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from triage.scan.text.parts import Budget, Part, Text

_CHARS, _BYTES, _NAME = 0x0FA0, 0x0FA8, 0x0FBA
_ENCRYPTED = 0xF3D1C4DF


def read(data: bytes, current_user: bytes, budget: Budget) -> Iterator[Part]:
    """The text of slides, notes, comments and masters, older saves that are still in the stream included."""
    if len(current_user) >= 16 and struct.unpack_from("<I", current_user, 12)[0] == _ENCRYPTED:
        yield Problem("is protected by a password", Status.ENCRYPTED)
        return
    words: list[str] = []
    at = count = 0
    sound = True
    while at + 8 <= len(data):
        version, kind, size = struct.unpack_from("<HHI", data, at)
        at += 8
        count += 1
        if count % 10_000 == 0:
            budget.beat()
        if version & 0xF == 0xF:
            continue  # a container: its records are next
        sound = sound and at + size <= len(data)
        if kind in (_CHARS, _NAME):
            words.append(data[at : at + size].decode("utf-16-le", "replace"))
        elif kind == _BYTES:
            words.append(data[at : at + size].decode("latin-1"))
        at += size
    if not sound:
        yield Problem("is cut short or damaged", locator="PowerPoint Document")
    yield Text("\n".join(words).replace("\r", "\n").replace("\x0b", "\n"), "PowerPoint Document")
