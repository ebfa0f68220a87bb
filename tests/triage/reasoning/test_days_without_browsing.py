"""Days on which a computer was used without a visit in any browser."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.observations import FileSeen, PageVisit, ProgramRun
from tests.triage.reasoning.conftest import at, draw, seen
from triage.reasoning.days_without_browsing import DaysWithoutBrowsing


def used(day: int) -> list[dict[str, Any]]:
    runs = [seen(ProgramRun(program="edit.exe", time=at(days=day + n / 10), how="Prefetch"), f"/run{day}-{n}", "run") for n in range(2)]
    return [*runs, seen(FileSeen(path="C:\\a.doc", used=at(days=day), how="jump list"), f"/link{day}", "entry=1")]


def visits(days: range, without: range) -> list[dict[str, Any]]:
    return [seen(PageVisit(url="https://a.example/", time=at(days=day)), "/History", f"rowid={day}") for day in days if day not in without]


@pytest.mark.parametrize(("without", "strength"), [(range(20, 26), "weak"), (range(20, 32), "moderate")])
def test_a_stretch_is_told_whatever_the_order(without: range, strength: str) -> None:
    records = [*visits(range(60), without), *(record for day in range(60) for record in used(day))]
    (found,) = draw(DaysWithoutBrowsing, records)
    assert (found["kind"], found["strength"], found["missing"], found["left"]) == (
        "use without browsing",
        strength,
        len(without),
        60 - len(without),
    )
    assert draw(DaysWithoutBrowsing, records[::-1]) == [found]


def test_no_stretch() -> None:
    every = [record for day in range(60) for record in used(day)]
    assert draw(DaysWithoutBrowsing, [*visits(range(60), range(0)), *every]) == []
    assert draw(DaysWithoutBrowsing, [*visits(range(60), range(20, 24)), *every]) == [], "four days are a short holiday from browsing"
    assert draw(DaysWithoutBrowsing, visits(range(60), range(20, 40))) == [], "nobody used the computer on those days"
    assert draw(DaysWithoutBrowsing, [*visits(range(5), range(0)), *every]) == [], "browsing was never a habit"
    assert draw(DaysWithoutBrowsing, [*visits(range(200), range(20, 40)), *every]) == [], "so old that browsers removed it themselves"
