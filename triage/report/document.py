"""``report.json``: the case and its assessment as one document, against ``report_templates/report.schema.json``.

Texts from evidence stand in it as they are; the file itself is pure ASCII (JSON escapes), so that showing it on a terminal is safe.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from artefacts.coverage import Status
from triage.assessment import assess
from triage.report.case import Case, Notes
from triage.report.cleanup import cleanup, gone
from triage.report.records import CONCLUDED

SCHEMA = "field-triage/report/1"
_VISIT = ("reference", "officer", "subject", "authority", "scope", "declared_devices", "keywords")
_VOLUME = (
    "id",
    "filesystem",
    "label",
    "encrypted",
    "unlocked",
    "entries",
    "deleted",
    "offset",
    "length",
    "scheme",
    "description",
    "status",
    "reason",
)
_FINDING = (
    "id", "rule", "rule_version", "category", "severity", "indicates", "title", "explanation", "innocent_explanations", "bears_on", "advice",
    "source", "volume", "path", "allocated", "locator", "user", "hashes", "times", "context", "count", "weight", "examples", "observations",
)  # fmt: skip
_SOFTWARE = (
    "software", "name", "what", "category", "state", "summary", "severity", "strength", "innocent", "bears_on", "runs", "installed", "first_run",
    "last_run", "removed", "first", "last", "users",
)  # fmt: skip
_COVERAGE = ("source", "volume", "what", "status", "count", "bytes", "reason", "path")
_CUT_OFF = {
    "source": "",
    "volume": "",
    "what": "scan",
    "status": Status.OUT_OF_TIME.value,
    "reason": "the scan was cut off before its end: what is not in this list was not examined",
}
_LISTED = frozenset(("FileSeen", "DeletedFile"))


def build(case: Case) -> dict[str, Any]:
    """The report's document. The same journal gives the same document."""
    opened = case.opened
    visit = opened.get("visit")
    tool = opened.get("tool") or {}
    return {
        "schema": SCHEMA,
        "case_id": opened.get("case_id"),
        "tool": {"name": tool.get("name", "triage"), "version": tool.get("version", ""), "self_sha256": tool.get("self_sha256")},
        "visit": _visit(case, visit or {}),
        "sources": [_source(case, source) for source in case.sources],
        "assessment": assess(
            findings=case.findings,
            coverage=case.coverage,
            volumes=case.volumes,
            sources=case.sources,
            visit=visit,
            complete=case.complete,
        ),
        "examined": _examined(case),
        "findings": [_only(finding, _FINDING) for finding in case.findings],
        "observations": case.counts,
        "activity": case.activity,
        "system": [
            {"name": fact["name"], "value": fact["value"], "time": fact.get("time"), "path": fact["provenance"]["path"]}
            for fact in case.system
        ],
        "devices": [device_json(device) for device in case.devices],
        "software": [software_json(item) for item in _strongest(case.software)],
        "cleanup": cleanup(case),
        "gone": gone(case),
        "coverage": [_only(record, _COVERAGE) for record in [*([_CUT_OFF] if case.cut_off else []), *case.coverage]],
        "method": {
            "profile": opened.get("profile"),
            "arguments": opened.get("arguments") or [],
            "rules": {**(opened.get("rules") or {}), **{name: opened[name] for name in ("keywords", "yara") if opened.get(name)}},
            "hash_sets": opened.get("hash_sets") or [],
            "attempts": [
                {"started": a.started, "finished": a.finished, "complete": a.complete, "reason": a.reason, "settings": a.data}
                for a in case.attempts
            ],
        },
        "touches": _notes(case.touches),
        "operator": _notes(case.operator),
        "errors": _notes(case.errors),
        "timings": case.timings,
    }


def write(document: dict[str, Any], out: BinaryIO) -> None:
    """The document as JSON, a finding or coverage record a line, without ever holding the whole text."""
    for number, (key, value) in enumerate(document.items()):
        out.write(("{\n" if number == 0 else ",\n").encode() + json.dumps(key).encode() + b": ")
        if not isinstance(value, list):
            out.write(json.dumps(value, indent=1).encode("ascii"))
            continue
        out.write(b"[")
        for place, item in enumerate(value):
            out.write(b"\n " if place == 0 else b",\n ")
            out.write(json.dumps(item).encode("ascii"))
        out.write(b"\n]" if value else b"]")
    out.write(b"\n}\n")


def _visit(case: Case, visit: dict[str, Any]) -> dict[str, Any]:
    finished = case.attempts[-1].finished if case.attempts else None
    return {
        "recorded": bool(visit),
        **_only(visit, _VISIT),
        "started": case.opened_at,
        "finished": finished,
        "complete": case.complete,
    }


def device_json(device: dict[str, Any]) -> dict[str, Any]:
    """A ``Device`` observation of the journal as it stands in ``devices``."""
    provenance = device["provenance"]
    fields = {key: value for key, value in device.items() if key not in ("type", "provenance")}
    return {**fields, "source": provenance["source"] or None, "observations": provenance.get("rests_on") or []}


def software_json(item: dict[str, Any]) -> dict[str, Any]:
    """A ``Software`` observation of the journal as it stands in ``software``."""
    return {**{name: item.get(name) for name in _SOFTWARE}, "source": item["provenance"]["source"] or None, "observation": item["id"]}


def _strongest(software: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(software, key=lambda item: (-item["severity"], item["name"], item["id"]))


def _source(case: Case, source: dict[str, Any]) -> dict[str, Any]:
    out = {
        "id": source.get("id"),
        "kind": source.get("kind"),
        "path": source.get("path"),
        "size": source.get("size"),
        "files": [{"path": file} if isinstance(file, str) else file for file in source.get("files") or []],
        "facts": source.get("facts") or {},
        "volumes": [_only(volume, _VOLUME) for volume in case.volumes if volume.get("source") == source.get("id")],
    }
    return out | ({"sha256": source["sha256"]} if source.get("sha256") else {})


def _examined(case: Case) -> dict[str, int]:
    return {
        "sources": len(case.sources),
        "volumes": len(case.volumes),
        "volumes_locked": sum(1 for v in case.volumes if v.get("encrypted") and not v.get("unlocked")),
        "entries": sum(volume["entries"] for volume in case.volumes),
        "files_read": case.files_read,
        "bytes_read": case.bytes_read,
        "records": sum(count for kind, count in case.counts.items() if kind not in _LISTED | CONCLUDED),
    }


def _notes(notes: Notes) -> dict[str, Any]:
    return {"total": notes.total, "items": notes.items}


def _only(data: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: data.get(key) for key in keys}
