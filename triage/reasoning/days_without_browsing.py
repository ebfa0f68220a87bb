"""Stretches of days on which a computer was used and no browser holds a visit, though it does on the days around them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import HistoryGap, Observation
from artefacts.times import Timestamp
from triage.reasoning.evidence import DAY, ns
from triage.scan.conclude import Conclusion, Context, Drawn

_KEPT = 90  # days after which browsers remove visits by themselves
_LEAST_BROWSED = 10  # days with a visit from which on browsing is a habit
_LEAST_USED = 5  # days of use in a row without a visit
_CLEAR = 10
_RECORDS = 3  # records of use on a day that make it a day of use
_MOST_DAYS = 40_000
_USE = {"ProgramRun": ("time",), "FileSeen": ("used",), "AttachedDevice": ("first", "last"), "DeletedFile": ("deleted",)}
_READ_BY_MACHINE = ("file system", "service", "driver", "scheduled")


class DaysWithoutBrowsing(Conclusion):
    """One ``HistoryGap`` (``use without browsing``) for each stretch, of all browsers of one source together."""

    name = "days_without_browsing"
    types = ("PageVisit", *_USE)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._browsed: defaultdict[str, set[int]] = defaultdict(set)
        self._used: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._dropped = 0

    def feed(self, observation: Mapping[str, Any]) -> None:
        source = observation["provenance"]["source"]
        if observation["type"] == "PageVisit":
            moment = ns(observation.get("time"))
            if moment is not None and len(self._browsed[source]) < _MOST_DAYS:
                self._browsed[source].add(moment // DAY)
            return
        if str(observation.get("how") or "").startswith(_READ_BY_MACHINE):
            return
        for name in _USE[observation["type"]]:
            moment = ns(observation.get(name))
            if moment is None:
                continue
            days = self._used[source]
            if moment // DAY in days or len(days) < _MOST_DAYS:
                days[moment // DAY] += 1
            else:
                self._dropped += 1

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for source in sorted(self._browsed):
            browsed, used = self._browsed[source], self._used[source]
            if len(browsed) < _LEAST_BROWSED:
                continue
            last = max(browsed)
            first = max(min(browsed), last - _KEPT)
            stretch: list[int] = []
            for day in range(first, last + 1):
                if day in browsed:
                    if len(stretch) >= _LEAST_USED:
                        yield Drawn(_gap(stretch, browsed, sum(used[one] for one in stretch)), source)
                    stretch = []
                elif used[day] >= _RECORDS:
                    stretch.append(day)
        if self._dropped:
            yield Problem(f"{self._dropped:,} records of use beyond {_MOST_DAYS:,} different days were left out")


def _gap(days: list[int], browsed: set[int], records: int) -> HistoryGap:
    start, end = Timestamp(days[0] * DAY), Timestamp((days[-1] + 1) * DAY)
    return HistoryGap(
        kind="use without browsing",
        strength="moderate" if len(days) >= _CLEAR else "weak",
        detail=(
            f"on {len(days)} days from {start.isoformat()[:10]} to {Timestamp(days[-1] * DAY).isoformat()[:10]} the computer was used "
            f"({records:,} records), but no browser holds a visit; in the same months there are visits on {len(browsed)} days"
        ),
        missing=len(days),
        left=len(browsed),
        first=start,
        last=end,
        browser="all browsers",
        profile="all",
        locator=f"days={days[0]}-{days[-1]}",
    )


CONCLUSIONS = (DaysWithoutBrowsing,)
