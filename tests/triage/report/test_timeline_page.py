"""The plot of use, clean-up and devices by day: three months before the scan, and the same in words."""

from __future__ import annotations

from typing import Any

from triage.report.timeline_page import DAYS, drawing


def build(**changes: Any) -> dict[str, Any]:
    return {"visit": {"started": "2026-11-22T10:00:00Z"}, "activity": {}, "cleanup": {"signs": []}, "devices": [], **changes}


def test_nothing_known_nothing_drawn() -> None:
    assert drawing(build()) is None
    assert drawing(build(activity={"2099-01-01": {"PageVisit": 1}, "0001-01-01": {"PageVisit": 1}, "nonsense": {"PageVisit": 1}})) is None


def test_bars_marks_and_words() -> None:
    made = drawing(
        build(
            activity={"2026-11-01": {"PageVisit": 10}, "2026-11-03": {"PageVisit": 3, "ProgramRun": 2}, "2030-01-01": {"PageVisit": 99}},
            cleanup={
                "signs": [
                    {"first": None, "last": "2026-11-02T08:00:00Z", "kind": "many files deleted"},
                    {"first": None, "last": None, "kind": "x"},
                ]
            },
            devices=[
                {"first": "2026-11-03T09:00:00Z", "title": "A phone", "declared": "not declared"},
                {"first": "2026-11-02T09:00:00Z", "title": "Known", "declared": "declared"},
            ],
        )
    )
    assert made is not None
    assert [bar["height"] for bar in made["bars"]] == [120, 60]
    assert made["bars"][0]["y"] + 120 == made["base"] == made["bars"][1]["y"] + 60
    assert (len(made["cleanup"]), len(made["devices"])) == (1, 1)
    assert made["cleanup"][0]["x"] < made["devices"][0]["x"]
    assert made["words"] == (
        "From 1 November 2026 to 3 November 2026 there are records of use on 2 of 3 days. "
        "Signs of clean-up: 2 November 2026 (many files deleted). "
        "Devices that were not declared, seen first: 3 November 2026 (A phone)."
    )
    assert all(mark["x"] <= made["width"] for mark in (*made["bars"], *made["cleanup"], *made["devices"], *made["ticks"]))


def test_only_the_last_three_months_and_no_more_names_than_fit() -> None:
    days = {f"2026-{month:02d}-{day:02d}": {"PageVisit": month} for month in range(1, 12) for day in range(1, 29)}
    signs = [{"first": None, "last": f"2026-11-{day:02d}T00:00:00Z", "kind": "k"} for day in range(1, 21)]
    made = drawing(build(activity=days, cleanup={"signs": signs}))
    assert made is not None and f"of {DAYS} days" in made["words"] and "; and on 8 more days." in made["words"]
    assert len(made["bars"]) < DAYS < len(days)
    without_visit = drawing(build(visit={"started": None}, activity={"2026-01-01": {"PageVisit": 1}}))
    assert without_visit is not None and len(without_visit["bars"]) == 1
