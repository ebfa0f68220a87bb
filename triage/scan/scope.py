"""The dates of the visit: what has times, and none of them within, is not looked at and not kept.

A file is *outside* where all its known times are before the first day, or all are after the last. One whose times lie on both sides was there
in between and is inside; so is one with no known time. A file that is outside is listed and not opened, unless an artefact reads
it: such files hold records of many days under the dates of one (and Windows sets the time of a file that a program holds open late or never), so
of them the records are read, nothing else. Each record is then kept or dropped by the same rule; one without a time is kept.
A wall-clock reading without a zone counts as any time that it can have been.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from artefacts.observations import Observation
from artefacts.times import NS, NoTime, Timestamp
from triage.evidence.model import Entry

OUTSIDE = "outside the dates of the visit"
FILES_OUTSIDE = "files outside the dates of the visit"
"""What they are called in coverage."""
LISTED = "listed, not opened"
RECORDS_ONLY = "nothing but the records in them was read, and of those only what is within the dates was kept"
UNDATED = "kept although they have no time: the dates of the visit could not be applied to them"
WHAT_UNDATED = "records without a time"
"""What they are called in coverage."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_ZONES = 14 * 3600 * NS  # clocks are at most so far from UTC
_NOT_WHEN = frozenset({"expires"})
"""Times of a record that say nothing of when something was done."""


@dataclass(frozen=True, slots=True)
class Dates:
    """The first and the last nanosecond since the Unix epoch that belong to the visit's scope, or None for no limit."""

    start: int | None = None
    end: int | None = None

    @classmethod
    def of(cls, visit: Mapping[str, Any] | None) -> Dates:
        """The dates of a visit as ``Visit.to_json`` gives it."""
        scope = (visit or {}).get("scope") or {}
        start, end = (
            Timestamp.from_datetime(datetime.fromisoformat(text)).ns if (text := scope.get(key)) else None for key in ("from", "to")
        )
        return cls(start, None if end is None else end + 999)  # the end of a day is given to the microsecond

    def __bool__(self) -> bool:
        return self.start is not None or self.end is not None

    def entry(self, entry: Entry) -> bool:
        """Whether a file or folder belongs to the scope."""
        slack = _ZONES if entry.local_times else 0
        times = (entry.modified, entry.created, entry.accessed, entry.changed)
        return self._within((time - slack, time + slack) for time in times if time is not None)

    def record(self, item: Observation) -> bool:
        """Whether a record belongs to the scope."""
        return self._within(_spans(item))

    def journalled(self, data: Mapping[str, Any]) -> bool:
        """``record`` for a record as it is journalled. Times without a zone are left out of account."""
        texts = (text for name, text in data.items() if name not in _NOT_WHEN and isinstance(text, str) and _INSTANT.fullmatch(text))
        return self._within((ns, ns) for text in texts if (ns := _instant(text)) is not None)

    def dated(self, item: Observation) -> bool:
        """Whether a record has a time by which that can be told."""
        return any(True for _ in _spans(item))

    def _within(self, spans: Iterable[tuple[int, int]]) -> bool:
        all_before = all_after = True
        known = False
        for earliest, latest in spans:
            known = True
            all_before = all_before and self.start is not None and latest < self.start
            all_after = all_after and self.end is not None and earliest > self.end
        return not known or not (all_before or all_after)


def _spans(item: Observation) -> Iterable[tuple[int, int]]:
    """The times of a record, each as the first and last instant that it can have been."""
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, Timestamp) and field.name not in _NOT_WHEN:
            yield value.ns, value.ns
        elif isinstance(value, NoTime) and value.local is not None:
            try:
                local = Timestamp.from_datetime(datetime.fromisoformat(value.local).replace(tzinfo=UTC)).ns
            except ValueError:
                continue
            yield local - _ZONES, local + _ZONES


def _instant(text: str) -> int | None:
    """Nanoseconds of a text in RFC 3339, to the microsecond; None for a day that no month has."""
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")).ns
    except ValueError:
        return None
