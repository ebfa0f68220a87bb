"""Timesketch JSONL: ``message``, ``datetime``, ``timestamp_desc`` (mandatory), ``timestamp`` in microseconds, and the observation's fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from triage.report.records import instants, listed, read
from triage.report.timeline import TIME_KINDS, describe


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """An event for each known time of each observation and listed file, in the order of the journal; Timesketch sorts them itself."""
    for record in read(case):
        if record.kind == "observation":
            out.writelines(_events(record.data))
        elif record.kind == "listing":
            for item in listed(record.data):
                out.writelines(_events(item))


def _events(item: dict[str, Any]) -> Iterator[bytes]:
    provenance = item["provenance"]
    for name, text, ns in instants(item):
        event = {
            "message": describe(item),
            "datetime": text.removesuffix("Z") + "+00:00",
            "timestamp": ns // 1000,
            "timestamp_desc": TIME_KINDS.get((item["type"], name), name),
            "data_type": f"triage:{item['type'].lower()}",
            "source_id": provenance["source"],
            "volume": provenance["volume"],
            "evidence_path": provenance["path"],
            "parser": provenance["parser"],
            "recovered": provenance["recovered"],
            "user": item.get("user"),
            "observation_id": item.get("id"),
        }
        yield json.dumps(event, separators=(",", ":")).encode("ascii") + b"\n"
