"""Lines of a text log, rotated and compressed ones too, and the times of logs that name neither year nor zone."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from artefacts.coverage import Problem, Status
from artefacts.registry import EvidenceFile
from artefacts.times import NoTime

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
LARGEST = 256 << 20  # bytes, unpacked
LONGEST_LINE = 65_536  # bytes; the rest of a longer line is passed over


def log_lines(file: EvidenceFile, largest: int = LARGEST) -> Iterator[tuple[int, str | Problem]]:
    """(line number, text without its end) of each line; gzip, bzip2 and xz are unpacked. What is not UTF-8 is escaped.

    A damaged or too large log gives a ``Problem`` in place of a text, after everything that was sound.
    """
    with file.open() as raw:
        head = raw.read(6)
        raw.seek(0)
        stream: BinaryIO | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
        if head[:2] == b"\x1f\x8b":
            stream = gzip.GzipFile(fileobj=raw)
        elif head[:3] == b"BZh":
            stream = bz2.BZ2File(raw)
        elif head == b"\xfd7zXZ\0":
            stream = lzma.LZMAFile(raw)
        else:
            stream = raw
        number = total = 0
        whole = True  # the last piece read ended its line
        try:
            while piece := stream.readline(LONGEST_LINE):
                total += len(piece)
                if total > largest:
                    yield number, Problem(f"larger than {largest} bytes: the rest is not read", Status.FAILED, f"line={number}")
                    return
                if whole:
                    number += 1
                    yield number, piece.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
                whole = piece.endswith(b"\n")
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            yield number, Problem(f"the compressed log is damaged: {error}", Status.FAILED, f"after line={number}")


def yearless(month: str, day: str, clock: str) -> NoTime:
    """The wall clock of a line such as ``Mar 11 19:26:39``, as an ISO 8601 date without its year (``--03-11T19:26:39``)."""
    number = MONTHS.split("|").index(month) + 1
    return NoTime("local time; this log records neither year nor zone", local=f"--{number:02d}-{int(day):02d}T{clock}")
