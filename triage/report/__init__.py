"""The report, the exports, signing, sealing and verifying: everything derived from the journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from triage.casefolder import CaseFolder


def write_reports(case: CaseFolder, out: CaseFolder | None = None, *, templates: Path | None = None) -> dict[str, str]:
    """Write ``report.json``, ``report.html``, ``report.pdf`` and ``timeline.csv`` of the case in folder ``case`` from its journal, there or in the folder
    ``out``; returns name → SHA-256.

    The same journal gives the same bytes. Each file is put in its place in one step, so that a full or pulled stick leaves the old
    one or the new one. ``templates``: a folder of a force's own templates. Raises ``JournalError`` for a broken journal, ``OSError``
    where the folder cannot be read or written.
    """
    from triage.report import document, html, pdf, timeline
    from triage.report.case import load
    from triage.report.files import replacing, sha256

    folder = out or case
    loaded = load(case)
    built = document.build(loaded)
    page = html.render(built, overrides=templates).encode("utf-8")
    writers: dict[str, Callable[[BinaryIO], Any]] = {
        "report.json": lambda file: document.write(built, file),
        "report.html": lambda file: file.write(page),
        "report.pdf": lambda file: file.write(pdf.render(built)),
        "timeline.csv": lambda file: timeline.write(loaded, file, folder),
    }
    for name, write in writers.items():
        with replacing(folder / name) as file:
            write(file)
    return {name: sha256(folder / name) for name in writers}
