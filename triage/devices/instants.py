"""Times as the journal writes them, compared."""

from __future__ import annotations

from artefacts.times import NOT_RECORDED, NS, NoTime, Time, Timestamp
from triage.report.records import nanoseconds


def parse_time(text: str | None) -> Time:
    """An RFC 3339 time in UTC as an instant; not recorded for anything else."""
    ns = nanoseconds(text) if text else None
    return NOT_RECORDED if ns is None else Timestamp(ns)


def hours_between(one: Time, other: Time) -> float:
    """From one to the other; a wall-clock reading counts as if it were UTC. 0 where either is not known at all."""
    first, second = _ns(one), _ns(other)
    return 0.0 if first is None or second is None else (second - first) / NS / 3600


def _ns(time: Time) -> int | None:
    if isinstance(time, NoTime):
        return nanoseconds(time.local[:19] + "Z") if time.local else None
    return time.ns
