"""OneNote sections (MS-ONESTORE): the runs of text in them, as they are stored.

The store keeps the text of notes as whole strings, in UTF-16 or in the code page of Windows, among the objects that say how it looks. What
is found is therefore all words that the file holds, those of earlier revisions included, and names of fonts and authors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from artefacts.coverage import Problem
from triage.scan.text.parts import MAX_READ, Budget, Part, Text

_WIDE = re.compile(rb"(?:[\t\n\r -~\xa0-\xff]\0|[\0-\xff][\x01-\x06\x20]){3,}")
_NARROW = re.compile(rb"[\t\n\r -~\x80-\xff]{4,}")
_PRINTABLE = re.compile(rb"[\t\n\r -~]{4}")


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The runs of text of a section, of which the first 64 MiB are read."""
    data = stream.read(MAX_READ)
    wide = [match[0].decode("utf-16-le", "replace") for match in _WIDE.finditer(data)]
    budget.beat()
    yield Text("\n".join(wide))
    yield Text("\n".join(match[0].decode("cp1252", "replace") for match in _NARROW.finditer(data) if _PRINTABLE.search(match[0])))
    if stream.read(1):
        yield Problem(f"only its first {MAX_READ >> 20} MiB were read")
