"""``timeline.csv``: everything that has a time, in the order of time.

A drive has millions of files with four times each, and a page nobody reads helps nobody: of listed files only those that a finding
names are in it (the exports ``bodyfile`` and ``timesketch`` hold all). Every other observation is in it once for each of its times.
"""

from __future__ import annotations

import heapq
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import cache, lru_cache
from typing import IO, Any, BinaryIO

from rules.findings.fields import time_fields
from triage.casefolder import CaseFolder
from triage.report.case import Case
from triage.report.files import temporary
from triage.report.records import instants, listed, read
from triage.text import csv_cell, visible

COLUMNS = ("time_utc", "time_kind", "type", "description", "path", "source", "user", "observation_id")
LONGEST_CELL = 1000
CHUNK_BYTES = 32 << 20
MOST_CHUNKS = 64
TIME_KINDS = {
    ("FileSeen", "time"): "modified",
    ("DeletedFile", "time"): "modified",
    ("HashMatch", "time"): "modified",
    ("PageVisit", "time"): "visited",
    ("SearchQuery", "time"): "searched",
}
"""What the plain field ``time`` of a type says, in a word; every other time is called by its field's name."""


def write(case: Case, out: BinaryIO, scratch: CaseFolder) -> None:
    """The timeline as CSV (RFC 4180, UTF-8 with a byte order mark, CRLF, cells that no spreadsheet takes for formulas).

    Sorted by time, then observation id. Memory is bounded: what does not fit is sorted in files in the folder ``scratch``, never
    in the system's own for such files, which may lie on the examined drive.
    """
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    text.write("\ufeff" + ",".join(COLUMNS) + "\r\n")
    for line in sort_lines(_lines(case), scratch):
        text.write(line[line.index("\t", line.index("\t") + 1) + 1 : -1] + "\r\n")
    text.flush()
    text.detach()


def sort_lines(lines: Iterable[str], folder: CaseFolder, *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[str]:
    """The lines (each ending in its only newline) in order, with at most a few ``chunk_bytes`` in memory; the rest in ``folder``."""
    with ExitStack() as files:
        spilled: list[IO[str]] = []
        chunk: list[str] = []
        size = 0
        for line in lines:
            chunk.append(line)
            size += len(line) + 60  # a Python string's own cost
            if size >= chunk_bytes:
                spilled.append(_spill(sorted(chunk), folder, files))
                chunk, size = [], 0
            if len(spilled) >= MOST_CHUNKS:
                merged = _spill(heapq.merge(*spilled), folder, files)
                for file in spilled:
                    file.close()
                spilled = [merged]
        yield from heapq.merge(*spilled, sorted(chunk))


def _spill(lines: Iterable[str], folder: CaseFolder, files: ExitStack) -> IO[str]:
    file = files.enter_context(temporary(folder))
    file.writelines(lines)
    file.seek(0)
    return file


def _lines(case: Case) -> Iterator[str]:
    """Sortable lines: time, id, and the row as CSV. Its cells are visible, so it holds neither tab nor line break."""
    named = {(f.get("source"), f.get("volume"), path) for f in case.findings for path in _paths(f) if path}
    for record in read(case.folder):
        if record.kind == "observation":
            yield from _rows(record.data)
        elif record.kind == "listing":
            place = record.data["columns"].index("path")
            where = (record.data["source"], record.data["volume"])
            rows = [row for row in record.data["rows"] if (*where, row[place]) in named]
            for item in listed({**record.data, "rows": rows}):
                yield from _rows(item)


def _paths(finding: dict[str, Any]) -> Iterator[str | None]:
    yield finding.get("path")
    for example in finding.get("examples") or ():
        yield example.get("path")


def _rows(item: dict[str, Any]) -> Iterator[str]:
    provenance = item["provenance"]
    identity = item.get("id") or f"{provenance['source']}/{provenance['volume']}/{provenance['locator']}"
    shared = ""
    for name, text, ns in instants(item):
        kind = TIME_KINDS.get((item["type"], name), name)
        if not shared:
            place = (provenance["path"] or "", provenance["source"] or "", item.get("user") or "")
            shared = ",".join((_same(item["type"]), _cell(describe(item)), *map(_same, place), _cell(identity)))
        # Shifted, so that a time before 1970 is not negative, and padded: the text then sorts as the number does, from year 1 to 9999.
        yield f"{ns + 10**20:021d}\t{json.dumps(identity)}\t{text},{kind},{shared}\n"


def _cell(text: str) -> str:
    if len(text) <= LONGEST_CELL and text.isalnum() and text.isascii():
        return text
    shown = csv_cell(text, LONGEST_CELL)
    return '"' + shown.replace('"', '""') + '"' if '"' in shown or "," in shown else shown


_same = lru_cache(maxsize=1024)(_cell)
"""For cells that are the same in thousands of rows."""
_NOT_DESCRIBED = frozenset(("type", "id", "provenance", "user", "hashes"))


@cache
def _described(kind: str, name: str) -> bool:
    return not (name in _NOT_DESCRIBED or name in time_fields().get(kind, ()) or name.endswith(("_reason", "_local")))


def describe(item: dict[str, Any]) -> str:
    """An observation in one line: its text and number fields by name, its times, user and own path left out. Made visible."""
    parts = []
    kind = item["type"]
    for name, value in item.items():
        if value is None or not _described(kind, name):
            continue
        if not isinstance(value, str):
            if isinstance(value, dict):
                value = json.dumps(value, ensure_ascii=False) if value else ""
            elif isinstance(value, list):
                value = ", ".join(str(part) for part in value)
            else:
                value = str(value)
        if not value or (name == "path" and value == item["provenance"]["path"]):
            continue
        parts.append(f"{name}: {value if len(value) <= 200 else visible(value, 200)}")
    text = "; ".join(parts)
    # Looked at as a whole first: nearly all are plain, and there may be millions.
    return text if text.isascii() and text.isprintable() else "; ".join(map(visible, parts))
