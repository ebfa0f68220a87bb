"""Lines of a text list of any size, each of bounded length."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from hashsets.entries import Problems

MAX_LINE = 1 << 16


def encoding_of(head: bytes) -> str:
    """The encoding that the first bytes of a file tell. Windows PowerShell redirects to UTF-16 with a byte order mark."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def numbered_lines(path: Path, problems: Problems, *, offset: int = 0, first: int = 1) -> Iterator[tuple[int, str]]:
    """(number, line without its end) from byte ``offset`` on, whose line has the number ``first``; longer lines are reported and left out.

    Bytes that are not text in the file's encoding become U+FFFD.
    """
    with path.open("rb") as raw:
        encoding = encoding_of(raw.read(4))
        raw.seek(offset)
        stream = io.TextIOWrapper(raw, encoding if offset == 0 else "utf-8", errors="replace")
        number = first
        while line := stream.readline(MAX_LINE):
            if line[-1] != "\n" and len(line) >= MAX_LINE:
                while line and line[-1] != "\n":
                    line = stream.readline(MAX_LINE)
                problems.add(number, f"longer than {MAX_LINE} characters")
            else:
                yield number, line.rstrip("\n")
            number += 1
