"""Files in OLE compound format (MS-CFB), read by olefile: which of them are documents, and which are locked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.text import excel, msg, ole_pictures, powerpoint, word
from triage.scan.text.parts import Budget, Part, Text

MAX_STREAM = 128 << 20
_PROTECTED = Problem("is protected by a password", Status.ENCRYPTED)


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The words of a Word, Excel or PowerPoint 97–2003 document or an Outlook message; of any other OLE file its properties."""
    import olefile

    try:
        with olefile.OleFileIO(stream) as file:
            yield from _read(file, budget)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        yield Problem(f"is damaged: {str(error) or type(error).__name__}")


def _read(file: Any, budget: Budget) -> Iterator[Part]:
    streams = {"/".join(path): path for path in file.listdir()}

    def content(name: str) -> bytes:
        if name not in streams:
            return b""
        data: bytes = file.openstream(streams[name]).read(MAX_STREAM)
        budget.took(len(data))
        return data

    if budget.everything:
        yield from ole_pictures.read(streams, content, budget)
    if "EncryptedPackage" in streams or "EncryptionInfo" in streams:
        yield _PROTECTED  # an Office Open XML document wrapped by MS-OFFCRYPTO
        return
    if not budget.words:
        if any(name.startswith("__properties_version1.0") for name in streams):
            yield from msg.read(streams, content, budget)
        return
    if "WordDocument" in streams:
        yield from word.read(content("WordDocument"), content("0Table"), content("1Table"))
    if "Workbook" in streams or "Book" in streams:
        yield from excel.read(content("Workbook") or content("Book"), budget)
    if "PowerPoint Document" in streams:
        yield from powerpoint.read(content("PowerPoint Document"), content("Current User"), budget)
    if any(name.startswith("__properties_version1.0") for name in streams):
        yield from msg.read(streams, content, budget)
    found = file.get_metadata()
    values = [getattr(found, name, None) for name in ("title", "subject", "author", "keywords", "comments", "company", "last_saved_by")]
    yield Text("\n".join(_as_text(value, getattr(found, "codepage", None)) for value in values if value), "properties", "title")


def _as_text(value: Any, codepage: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8" if codepage == 65001 else f"cp{codepage}")
    except (LookupError, ValueError):
        return value.decode("cp1252", "replace")
