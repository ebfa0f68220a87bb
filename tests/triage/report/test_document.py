"""report.json: valid against its schema for every outcome, exact, and safe to print."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

import report_templates
from triage.report.case import load
from triage.report.document import build, write

OUTCOMES = {"clean": "nothing_found", "found": "found", "locked": "not_checked", "referred": "refer", "hostile": "found"}


def _document(folder: Path) -> tuple[bytes, dict[str, Any]]:
    out = io.BytesIO()
    write(build(load(folder)), out)
    return out.getvalue(), json.loads(out.getvalue())


@pytest.mark.parametrize("name", OUTCOMES)
def test_valid_against_the_schema(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    raw, document = _document(getattr(makers, name)(tmp_path / "c"))
    jsonschema.Draft202012Validator(report_templates.schema()).validate(document)
    assert document["assessment"]["outcome"] == OUTCOMES[name]
    assert raw.isascii() and b"\x1b" not in raw and raw.endswith(b"}\n")
    assert document == build(load(tmp_path / "c"))


def test_the_schema_refuses_what_is_not_ours(makers: SimpleNamespace, tmp_path: Path) -> None:
    _, document = _document(makers.found(tmp_path / "c"))
    validator = jsonschema.Draft202012Validator(report_templates.schema())
    for change in (
        lambda d: d.update(extra=1),
        lambda d: d["assessment"].update(outcome="guilty"),
        lambda d: d["findings"][0].update(severity=6),
        lambda d: d["findings"][0].update(innocent_explanations=[]),
        lambda d: d["findings"][0]["hashes"].update(md5="XYZ"),
        lambda d: d["coverage"][0].update(status="fine"),
        lambda d: d["sources"][0]["volumes"][0].pop("entries"),
        lambda d: d["visit"].update(started="yesterday"),
    ):
        changed = json.loads(json.dumps(document))
        change(changed)
        assert list(validator.iter_errors(changed)), change


def test_what_the_journal_said(makers: SimpleNamespace, tmp_path: Path) -> None:
    _, document = _document(makers.found(tmp_path / "c"))
    assert document["visit"]["reference"] == "OM/2026/0417"
    assert document["visit"]["authority"] == {"basis": "order", "reference": "SHPO 55/2025, paragraph 4"}
    assert document["visit"]["recorded"] and document["visit"]["complete"]
    assert document["sources"][0]["sha256"] == "44" * 32
    assert [v["id"] for v in document["sources"][0]["volumes"]] == ["v1", "v2"]
    assert document["examined"] == {
        "sources": 1, "volumes": 2, "volumes_locked": 1, "entries": 131_906, "files_read": 41_220, "bytes_read": 21_214_000_000, "records": 82,
    }  # fmt: skip
    assert [len(document["method"]["attempts"]), document["method"]["attempts"][0]["finished"]] == [2, None]
    assert document["errors"]["total"] == 1 and document["touches"]["total"] == 1 and document["operator"]["total"] == 1
    assert [f["indicates"] for f in document["findings"]] == ["found"] * 3 + ["refer"] * 2 + ["note"]


def test_without_a_visit_file_nothing_is_invented(makers: SimpleNamespace, tmp_path: Path) -> None:
    _, document = _document(makers.locked(tmp_path / "c"))
    assert not document["visit"]["recorded"]
    assert document["visit"]["officer"] is None and document["visit"]["authority"] is None and document["visit"]["finished"] is None


def test_hostile_text_is_kept_exactly(makers: SimpleNamespace, tmp_path: Path) -> None:
    _, document = _document(makers.hostile(tmp_path / "c"))
    assert {f["path"] for f in document["findings"]} == {f"/{text}" for text in makers.HOSTILE}
