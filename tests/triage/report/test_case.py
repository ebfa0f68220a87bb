"""Reading a journal for the report: what is kept, what replaces what, what a cut-off run leaves."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from artefacts import observations as o
from artefacts.times import Timestamp
from triage import journal
from triage.report import case as case_module
from triage.report.case import is_gap, load
from triage.report.document import build


def test_counts_and_account(makers: SimpleNamespace, tmp_path: Path) -> None:
    case = load(makers.clean(tmp_path / "c"))
    assert case.counts == {"DeletedFile": 1, "Download": 1, "FileSeen": 20, "PageVisit": 9, "SearchQuery": 1, "SystemFact": 1}
    assert [(v["id"], v["entries"], v["deleted"]) for v in case.volumes] == [("v1", 131_906, 1)]
    assert (case.files_read, case.bytes_read) == (812 + 44 + 40_364, 3_120_000_000 + 91_000_000 + 18_003_000_000)
    assert case.activity["2026-09-22"] == {"Download": 1, "PageVisit": 2}
    assert sum(sum(day.values()) for day in case.activity.values()) == 11  # the fact without a time is on no day
    assert case.timings == {"enumerate": 4.25, "read": 61.5, "first_alert": 3.0, "total": 70.0}
    assert case.complete and [a.complete for a in case.attempts] == [True]
    assert [fact["value"] for fact in case.system] == ["GMT Standard Time"]


def test_the_last_word_on_a_finding_stands_and_the_strongest_come_first(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    maker.add("finding", **makers.finding(1, count=1, severity=2, indicates="note"))
    maker.add("finding", **makers.finding(2, indicates="refer", severity=5))
    maker.add("finding", **makers.finding(3, indicates="found", severity=1))
    maker.add("finding", **makers.finding(1, count=8, severity=3, indicates="note"))
    case = load(maker.finish())
    assert [(f["id"][-1], f["count"], f["severity"]) for f in case.findings] == [("3", 1, 1), ("2", 1, 5), ("1", 8, 3)]


def test_totals_of_the_last_run_replace_those_before(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    maker.total("files: pictures", "out_of_time", 500)
    maker.cover("chromium.history", "failed", 1, path="/a", reason="page 7")
    maker.add("scan_finished", complete=False, reason="the time allowed ran out")
    maker.add("scan_started", attempt=2, time_budget=None)
    maker.total("files: pictures", "parsed", 500)
    case = load(maker.finish())
    assert [(c["what"], c["status"], c.get("path")) for c in case.coverage] == [
        ("chromium.history", "failed", "/a"),
        ("files: pictures", "parsed", None),
    ]
    assert case.complete


def test_a_cut_off_run_is_added_up_from_its_batches_and_said_to_be_cut_off(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    maker.volume(id="v2", status="encrypted", encrypted="luks", reason="no key was given", length=1000)
    maker.list({"path": "/a"}, {"path": "/b"})
    maker.list({"path": "/c"})
    maker.journal.close()
    case = load(maker.folder)
    assert case.cut_off and not case.complete
    assert build(case)["coverage"][0]["reason"].startswith("the scan was cut off before its end")
    assert [(c["volume"], c["what"], c["status"], c["count"]) for c in case.coverage] == [
        ("v1", "files: pictures", "parsed", 3),
        ("v2", "volume", "encrypted", 1),
    ]


def test_what_the_tool_concluded_is_counted_but_is_no_use(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    maker.observe(o.KeywordHit(term="t", category="c", severity=1, where="url", context="t", library="l", time=Timestamp(makers.T0)))
    case = load(maker.finish())
    assert case.counts == {"KeywordHit": 1} and case.activity == {}


def test_a_batch_read_twice_counts_once(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    maker.list({"path": "/a"})
    maker.batch = 0
    maker.list({"path": "/a"})
    assert load(maker.finish()).counts == {"FileSeen": 1}


def test_named_gaps_beyond_the_limit_are_counted(makers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_module, "COVERAGE_PATHS", 3)
    maker = makers.Maker(tmp_path / "c").open().source()
    for number in range(10):
        maker.cover("YARA", "failed", 1, path=f"/{number}", bytes=100)
    coverage = load(maker.finish()).coverage
    assert [(c["path"], c["count"], c["bytes"]) for c in coverage] == [
        (case_module.FURTHER, 7, 700), ("/0", 1, 100), ("/1", 1, 100), ("/2", 1, 100),
    ]  # fmt: skip


def test_invented_days_do_not_fill_memory(makers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_module, "ACTIVITY_DAYS", 5)
    maker = makers.Maker(tmp_path / "c").open().source()
    for number in range(50):
        maker.observe(o.PageVisit(url="u", time=Timestamp(number * makers.DAY)))
    case = load(maker.finish())
    assert len(case.activity) == 5 and case.counts["PageVisit"] == 50


def test_notes_beyond_the_limit_are_counted(makers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_module, "NOTES", 4)
    maker = makers.Maker(tmp_path / "c").open()
    for number in range(9):
        maker.add("error", where="w", reason=str(number))
    case = load(maker.finish())
    assert (case.errors.total, [e["reason"] for e in case.errors.items]) == (9, ["0", "1", "2", "3"])


def test_an_unknown_status_is_a_gap() -> None:
    assert is_gap({"status": "perfect"}) and is_gap({}) and is_gap({"status": "failed"})
    assert not is_gap({"status": "empty"}) and not is_gap({"status": "skipped_by_rule"})


def test_an_empty_journal_is_a_case_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"")
    case = load(tmp_path)
    assert case.cut_off and [c["what"] for c in build(case)["coverage"]] == ["scan"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("finding", {"id": "x"}),
        ("finding", []),
        ("listing", {"source": "s1", "volume": "v1"}),
        ("listing", {"source": "s1", "volume": "v1", "columns": ["allocated"], "rows": [[]]}),
        ("observation", {"id": 3}),
        ("timing", {"name": "x", "seconds": "y"}),
        ("coverage", None),
    ],
)
def test_a_record_of_the_wrong_shape_names_its_line(makers: SimpleNamespace, tmp_path: Path, kind: str, data: object) -> None:
    maker = makers.Maker(tmp_path / "c").open()
    maker.journal.append_encoded(kind, json.dumps(data).encode())
    maker.journal.close()
    with pytest.raises(journal.JournalError, match=f"line 3: does not hold what a {kind} record holds"):
        load(maker.folder)


def test_damage_is_an_error_or_a_shorter_case_never_a_crash(makers: SimpleNamespace, tmp_path: Path) -> None:
    folder = makers.found(tmp_path / "c")
    path = folder / "journal.jsonl"
    whole = path.read_bytes()
    chance = random.Random(8)
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        if chance.random() < 0.5:
            del data[chance.randrange(len(data)) :]
        else:
            data[chance.randrange(len(data) - 2000)] ^= 1 << chance.randrange(7)
        path.write_bytes(data)
        try:
            assert load(folder).counts != {} or len(data) < len(whole)
        except journal.JournalError as error:
            refused += 1
            assert error.line >= 1
    assert refused >= 20
