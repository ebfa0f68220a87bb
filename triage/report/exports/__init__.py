"""Exports of a case for other tools, one file a format. All are derived from the journal.

Each module has ``write(case, out, scratch)``: the case folder, where the export goes, and a folder for what does not fit in memory (never
the system's own: that one may lie on the examined drive).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import BinaryIO

FORMATS = {
    "jsonl": "one observation a line, listed files among them, in the order of the journal",
    "csv": "one finding a row, for spreadsheets and other tools",
    "bodyfile": "listed files for mactime (The Sleuth Kit, body file 3)",
    "timesketch": "one event a line for Timesketch (JSONL)",
    "sqlite": "observations, findings and coverage as tables for queries",
    "case": "CASE 1.5 JSON-LD: the investigation, its sources and what was found",
    "vics": "VICS 2.0 JSON: pictures and videos by MD5, metadata only",
    "dfxml": "DFXML 2.0: listed files by volume",
    "mg11": "a draft of a witness statement, as text that the officer corrects and adopts",
    "mg12": "a draft of an exhibit list, as text that the officer completes",
    "dpa62": "the log of processing under section 62 of the Data Protection Act 2018 (CSV)",
}


class UnknownFormat(ValueError):
    """There is no such export format; the text names those there are."""


def export(case: Path, format: str, out: BinaryIO | Path) -> None:
    """Write the case in folder ``case`` in a format of ``FORMATS``, to an open binary file or to a path (whole or not at all).

    Raises ``UnknownFormat``, ``JournalError`` for a broken journal, ``OSError`` where something cannot be read or written.
    """
    from triage.report.files import replacing

    if format not in FORMATS:
        raise UnknownFormat(f"there is no export format {format!r}: choose one of {', '.join(FORMATS)}")
    write = importlib.import_module(f"triage.report.exports.{format}").write
    if not isinstance(out, Path):
        write(case, out, case)
        return
    with replacing(out) as file:
        write(case, file, out.parent)
