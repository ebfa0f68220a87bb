"""Signs weighed together: what they add up to, what counts for less, and what is told of each."""

from __future__ import annotations

from typing import Any

from artefacts.observations import CleanupSign, HistoryGap, LogCleared, PageVisit, Software
from tests.triage.reasoning.conftest import at, draw, seen
from triage.reasoning.periods import Periods


def sign(kind: str, strength: str, days: float, number: int = 0) -> dict[str, Any]:
    item = CleanupSign(kind=kind, strength=strength, detail=f"{kind} {number}.", first=at(days=days), last=at(days=days))
    return seen(item, locator=f"n={number}")


def cleared(days: float, log: str = "Security") -> dict[str, Any]:
    return seen(LogCleared(log=log, time=at(days=days)), "/log", log)


def test_three_kinds_on_one_day() -> None:
    visits = [seen(PageVisit(url="https://a.example/", time=at(days=1)), "/h", f"n={n}") for n in range(3)]
    (period,) = draw(Periods, [sign("file names overwritten", "strong", 1), cleared(1), sign("lists emptied", "moderate", 1.5), *visits])
    assert (period["strength"], period["score"]) == ("strong", 80)
    assert [(part["kind"], part["points"]) for part in period["parts"]] == [
        ("file names overwritten", 40.0), ("log emptied", 20.0), ("lists emptied", 20.0),
    ]  # fmt: skip
    assert all(part["innocent"] and part["time"] for part in period["parts"])
    assert period["use"] == "3 records of programs, pages and downloads are left of these days."
    assert len(period["provenance"]["rests_on"]) == 3


def test_more_of_a_kind_counts_for_less() -> None:
    few = draw(Periods, [sign("lists emptied", "moderate", 1), cleared(1)])
    many = draw(Periods, [sign("lists emptied", "moderate", 1), *(cleared(1, f"log {n}") for n in range(10))])
    assert few[0]["score"] == 40 and 40 < many[0]["score"] < 62


def test_one_kind_alone_is_no_period() -> None:
    assert draw(Periods, [cleared(1, f"log {n}") for n in range(10)]) == []


def test_days_far_apart_are_two_periods_and_none_where_nothing_meets() -> None:
    both = [sign("lists emptied", "moderate", 1), cleared(1), sign("place emptied", "moderate", 30), cleared(30, "System")]
    assert [period["first"][:10] for period in draw(Periods, both)] == ["2025-06-16", "2025-07-15"]
    assert draw(Periods, [sign("lists emptied", "moderate", 1), cleared(30)]) == []


def test_weak_signs_stay_weak() -> None:
    gap = seen(HistoryGap(kind="newest records", strength="weak", detail="Numbers are missing.", last=at(days=1)), "/h")
    (period,) = draw(Periods, [sign("place emptied", "weak", 1), sign("many files deleted", "weak", 1, 1), gap])
    assert (period["strength"], period["score"]) == ("weak", 24)


def test_a_sign_without_a_time_belongs_to_no_period() -> None:
    undated = seen(CleanupSign(kind="lists emptied", strength="strong", detail="x"))
    assert draw(Periods, [undated, cleared(1)]) == []


def test_a_wiping_program_that_ran_on_the_day() -> None:
    program = Software(
        software="sdelete", name="SDelete", what="x", category="wipers", state="removed", summary="run", severity=4, why="x", strength="strong",
        innocent="x", last_run=at(days=1),
    )  # fmt: skip
    (period,) = draw(Periods, [seen(program), cleared(1)])
    assert [part["what"] for part in period["parts"]] == ["SDelete was run.", "The log Security was emptied."]
