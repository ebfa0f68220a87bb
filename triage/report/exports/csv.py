"""CSV of the findings with the columns of STANDARDS 2.4: RFC 4180, UTF-8 with a byte order mark, CRLF, UTC, no formulas."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, BinaryIO

from triage.report.case import load
from triage.report.records import read
from triage.text import csv_cell

COLUMNS = (
    "finding_id", "exhibit", "rule_id", "rule_version", "severity", "confidence", "artefact", "path", "inode_or_record", "size", "md5",
    "sha1", "sha256", "set_name", "set_version", "set_code", "time_utc", "time_kind", "user", "source_tool", "note",
)  # fmt: skip


def write(case: Path, out: BinaryIO, _scratch: Path) -> None:
    """One finding a row, strongest first.

    ``exhibit`` is the source's id in the case, ``confidence`` what the finding points to (found, refer, note). ``artefact``, ``size``
    and the set's columns come from the strongest observation it rests on. Paths and notes are whole; what would act is made visible.
    """
    loaded = load(case)
    leading = {finding["observations"][0]: finding["id"] for finding in loaded.findings if finding["observations"]}
    facts = {
        leading[record.data["id"]]: _facts(record.data)
        for record in read(case)
        if record.kind == "observation" and record.data["id"] in leading
    }
    tool = loaded.opened.get("tool") or {}
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for finding in loaded.findings:
        kind, time = next(((name, value) for name, value in finding["times"].items() if value and value.endswith("Z")), ("", ""))
        row = {
            "finding_id": finding["id"],
            "exhibit": finding["source"],
            "rule_id": finding["rule"],
            "rule_version": finding["rule_version"],
            "severity": finding["severity"],
            "confidence": finding["indicates"],
            "path": finding["path"],
            "inode_or_record": finding["locator"],
            **finding["hashes"],
            "time_utc": time,
            "time_kind": kind,
            "user": finding["user"],
            "source_tool": f"{tool.get('name', 'triage')} {tool.get('version', '')}".strip(),
            "note": ". ".join(part.rstrip(".") for part in (finding["title"], finding["explanation"], finding["context"]) if part),
            **facts.get(finding["id"], {}),
        }
        writer.writerow(csv_cell(str(value)) if (value := row.get(column)) is not None else "" for column in COLUMNS)
    text.flush()
    text.detach()


def _facts(observation: dict[str, Any]) -> dict[str, Any]:
    return {
        "artefact": f"{observation['type']} ({observation['provenance']['parser']})",
        "size": observation.get("size"),
        "set_name": observation.get("set_name"),
        "set_version": observation.get("set_version"),
        "set_code": observation.get("code"),
    }
