"""Cases on the stick: names for new ones, and which can be gone on with."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.journal import Journal
from triage.visit.cases import begun_with, new_folder, open_cases

NOW = datetime(2026, 11, 22, 9, 5)


def _case(folder: Path, *, visit: Any = None, kind: str = "case_opened") -> Path:
    folder.mkdir(parents=True)
    journal = Journal(folder / "journal.jsonl")
    journal.append(kind, {"visit": visit, "sources": {"s1": ["/dev/sdx", True]}, "profile": {}})
    journal.close()
    return folder


def test_names_of_new_cases(tmp_path: Path) -> None:
    first = new_folder(tmp_path, "REF 7/26: ../..\\x\x00é", NOW)
    assert first == tmp_path / "2026-11-22-0905-REF-7-26-x"
    first.mkdir()
    assert new_folder(tmp_path, "REF 7/26: ../..\\x", NOW).name == "2026-11-22-0905-REF-7-26-x-2"
    assert new_folder(tmp_path, "\u202e", NOW).name == "2026-11-22-0905-visit"
    assert len(new_folder(tmp_path, "x" * 5000, NOW).name) < 80


def test_which_cases_are_offered(tmp_path: Path) -> None:
    visit = {"reference": "R1"}
    cut_off = _case(tmp_path / "2-cut-off", visit=visit)
    with open(cut_off / "journal.jsonl", "ab") as file:
        file.write(b'{"seq": 1, "pre')  # as a pulled stick leaves it
    for name, complete in (("3-early", False), ("4-done", True)):
        folder = _case(tmp_path / name, visit=visit)
        (folder / "seal.json").write_text("{}")
        (folder / "report.json").write_text(json.dumps({"visit": {"complete": complete}}))
    _case(tmp_path / "5-no-visit")
    _case(tmp_path / "6-not-a-case", visit=visit, kind="note")
    (tmp_path / "7-empty").mkdir()
    broken = tmp_path / "8-broken"
    broken.mkdir()
    (broken / "journal.jsonl").write_bytes(b"\xff\xfe garbage\n")
    half = _case(tmp_path / "9-half", visit=visit)
    (half / "seal.json").write_text("{}")
    (half / "report.json").write_text("[")
    found = open_cases(tmp_path)
    assert [(case.folder.name, case.sealed, case.name) for case in found] == [
        ("9-half", True, "R1"),
        ("3-early", True, "R1"),
        ("2-cut-off", False, "R1"),
    ]
    assert begun_with(found[1]) == [("/dev/sdx", True)]
    assert open_cases(tmp_path / "nowhere") == []
