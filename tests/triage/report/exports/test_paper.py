"""Drafts for paper, and the log of processing: complete, marked as drafts, traceable, harmless."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from triage.report.exports import export
from triage.report.exports.paper import WIDTH, day, initials


def _text(folder: Path, format: str) -> str:
    out = io.BytesIO()
    export(folder, format, out)
    return out.getvalue().decode("utf-8")


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_statement_is_a_draft_and_every_derived_sentence_names_its_finding(rich: Any) -> None:
    text = _text(rich(3), "mg11")
    flat = _flat(text)
    assert text.startswith("DRAFT — NOT A STATEMENT")
    assert "Statement of: A. Example" in text and "order, reference SHPO 55/2025, paragraph 4" in flat
    assert all(f"[finding {number:016x}]" in flat for number in range(3))
    assert "It named these innocent explanations: The set may hold a wrong entry." in flat
    assert not [word for word in ("breach", "guilty", "offence") if word in flat.lower()]
    assert max(map(len, text.splitlines())) <= WIDTH


def test_statement_without_visit_or_findings_leaves_lines_to_write_on(makers: SimpleNamespace, tmp_path: Path) -> None:
    flat = _flat(_text(makers.Maker(tmp_path / "c").open().source().finish(), "mg11"))
    assert "Statement of: ________" in flat and "No authority is recorded in the case." in flat
    assert "reported no finding in what it checked. That is not the same as nothing being there." in flat


def test_statement_says_how_many_findings_it_leaves_out(rich: Any) -> None:
    assert "holds 5 further findings" in _flat(_text(rich(45), "mg11"))


def test_exhibits_are_numbered_and_the_case_is_one(rich: Any) -> None:
    text = _text(rich(1), "mg12")
    assert "AE/1   /evidence/laptop.E01 (ewf, 256,060,514,304 bytes). SHA-256" in text
    assert "AE/2   Case folder c-0001" in text and "derived from AE/1" in _flat(text)


def test_no_control_character_of_evidence_reaches_the_paper(makers: SimpleNamespace, tmp_path: Path) -> None:
    folder = makers.hostile(tmp_path / "c")
    for format in ("mg11", "mg12"):
        assert not [char for char in _text(folder, format) if char in "\x1b\u202e\u200b\x07\x9b"]


def test_log_of_processing(rich: Any) -> None:
    text = _text(rich(1), "dpa62")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["operation"] for row in rows] == ["collection", "combination", "consultation", "consultation", "consultation", "collection"]
    assert {row["by"] for row in rows} == {"4321 A. Example Example Constabulary"}
    assert {row["justification"] for row in rows} == {"order: SHPO 55/2025, paragraph 4"}
    assert rows[0]["journal_line"] == "1"


def test_words_for_days_and_names() -> None:
    assert day("2026-11-21T09:00:00.5Z") == "Saturday 21 November 2026, 09:00 UTC"
    assert day(None) == "________"
    assert initials("Ann-Marie O. Bell") == "AOB" and initials("—") == ""
