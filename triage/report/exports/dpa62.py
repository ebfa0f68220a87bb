"""The log of processing under section 62 of the Data Protection Act 2018, derived from the journal: CSV, one operation a row.

The section asks for collection, alteration, consultation, disclosure, combination and erasure; for consultation and disclosure why, when,
and as far as possible who. The tool collects (a scan), consults (reads, previews), combines (matches with lists) and never alters or
erases; disclosure happens outside it, after the case is handed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from triage.report.records import read
from triage.text import csv_cell

COLUMNS = ("time_utc", "operation", "what", "by", "justification", "journal_line")


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """RFC 4180, UTF-8 with a byte order mark, CRLF; rows in the order of the journal, ``journal_line`` counted from 1."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(case):
        writer.writerow(csv_cell(str(cell)) for cell in row)
    text.flush()
    text.detach()


def _rows(case: Path) -> Iterator[tuple[Any, ...]]:
    who = why = "not recorded in the case"
    for record in read(case):
        visit = record.data.get("visit") if record.kind == "case_opened" else None
        if visit:
            officer, authority = visit.get("officer") or {}, visit.get("authority") or {}
            who = " ".join(str(part) for part in (officer.get("number"), officer.get("name"), officer.get("force")) if part)
            why = f"{authority.get('basis')}: {authority.get('reference')}"
        for operation, what in _operations(record.kind, record.data):
            yield (record.time, operation, what, who, why, record.seq + 1)


def _operations(kind: str, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if kind == "case_opened":
        yield "collection", f"case opened, profile {(data.get('profile') or {}).get('name')}"
        for item in data.get("hash_sets") or []:
            yield "combination", f"matched with the hash set {item.get('name')}, version {item.get('version')}, role {item.get('role')}"
        for name in ("keywords", "yara"):
            if data.get(name):
                yield "combination", f"matched with {name}: {data[name]}"
    elif kind == "source_opened":
        yield "consultation", f"read {data.get('kind')}: {data.get('path')}"
    elif kind == "touch":
        yield "consultation", f"{data.get('what')} ({data.get('why')})"
    elif kind == "operator":
        yield "consultation", f"{data.get('action')}: {data.get('text')}"
    elif kind == "scan_finished":
        yield "collection", "scan ended: " + ("complete" if data.get("complete") else str(data.get("reason") or "incomplete"))
    elif kind == "sealed":
        yield "collection", "case sealed"
