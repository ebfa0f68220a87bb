"""Signs of clean-up beside the use of the device, for the report: pure data, from what the journal holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from triage.report.case import Case

AROUND = 7
"""Days before and after a sign that are told with it, so that quiet days show."""
MOST_DAYS = 1000
_SIGN = ("kind", "strength", "detail", "place", "tool", "names", "count", "first", "last", "user")
_PERIOD = ("first", "last", "strength", "score", "parts", "detail", "use")
_GONE = ("path", "seen", "deleted", "where", "how", "size", "hashes", "matches", "detail", "user", "records")


def cleanup(case: Case) -> dict[str, Any]:
    """``signs``, ``periods`` (strongest first) and ``days`` [{day, use, signs}]: each day (UTC) near a sign, with the records of use that are left of
    it and the kinds of sign on it; the first thousand."""
    signs = sorted((item for item in case.cleanup if item["type"] == "CleanupSign"), key=lambda item: (item["last"] or "", item["id"]))
    periods = sorted((item for item in case.cleanup if item["type"] == "CleanupPeriod"), key=lambda item: (-item["score"], item["id"]))
    return {
        "signs": [_told(item, _SIGN) for item in signs],
        "periods": [_told(item, _PERIOD) for item in periods],
        "days": _days(signs, case.activity),
    }


def gone(case: Case) -> list[dict[str, Any]]:
    """Files that records remember and that are not here, as the conclusion orders them."""
    return [_told(item, _GONE) for item in case.gone]


def _told(item: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {**{name: item.get(name) for name in names}, "source": item["provenance"]["source"], "observation": item["id"]}


def _days(signs: list[dict[str, Any]], activity: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    kinds: dict[date, set[str]] = {}
    for sign in signs:
        text = sign["last"] or sign["first"]
        if text:
            kinds.setdefault(date.fromisoformat(text[:10]), set()).add(sign["kind"])
    near: set[date] = set()
    for day in kinds:
        for step in range(-AROUND, AROUND + 1):
            try:
                near.add(day + timedelta(days=step))
            except OverflowError:
                continue  # the year 1 or 9999, as evidence may claim
    days = sorted(near)[:MOST_DAYS]
    return [
        {"day": day.isoformat(), "use": sum(activity.get(day.isoformat(), {}).values()), "signs": sorted(kinds.get(day, ()))}
        for day in days
    ]
