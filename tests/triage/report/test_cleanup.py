"""Clean-up beside use, as data of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triage.report.case import Case
from triage.report.cleanup import cleanup, gone


def sign(day: str | None, kind: str = "lists emptied") -> dict[str, Any]:
    return {
        "id": f"{day}{kind}", "type": "CleanupSign", "kind": kind, "strength": "weak", "detail": "x", "first": day, "last": day,
        "provenance": {"source": "s1"},
    }  # fmt: skip


def test_days_near_a_sign_with_the_use_that_is_left() -> None:
    case = Case(Path(), activity={"2025-03-01": {"PageVisit": 4, "ProgramRun": 1}, "2025-03-20": {"PageVisit": 9}})
    case.cleanup = [sign("2025-03-03T10:00:00Z"), sign("2025-03-03T11:00:00Z", "log emptied"), sign(None)]
    found = cleanup(case)
    assert [item["first"] for item in found["signs"]] == [None, "2025-03-03T10:00:00Z", "2025-03-03T11:00:00Z"]
    days = {item["day"]: item for item in found["days"]}
    assert len(days) == 15 and next(iter(days)) == "2025-02-24"
    assert days["2025-03-01"] == {"day": "2025-03-01", "use": 5, "signs": []}
    assert days["2025-03-03"]["signs"] == ["lists emptied", "log emptied"]


def test_the_strongest_period_first() -> None:
    periods = [
        {"id": str(score), "type": "CleanupPeriod", "score": score, "strength": "weak", "parts": [], "first": None, "last": None, "provenance": {"source": "s1"}}
        for score in (20, 80)
    ]  # fmt: skip
    assert [item["score"] for item in cleanup(Case(Path(), cleanup=periods))["periods"]] == [80, 20]


def test_days_at_the_end_of_the_calendar() -> None:
    assert cleanup(Case(Path(), cleanup=[sign("9999-12-31T10:00:00Z")]))["days"][-1]["day"] == "9999-12-31"


def test_files_that_are_gone() -> None:
    file = {"id": "a", "type": "GoneFile", "path": "/x.jpg", "where": "deleted", "provenance": {"source": "s1"}}
    assert gone(Case(Path(), gone=[file]))[0]["path"] == "/x.jpg"
