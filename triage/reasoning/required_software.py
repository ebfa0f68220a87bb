"""Programs that the visit file says must be on the device: is it there, when did it run last, was it stopped, removed or installed anew?

What is expected of such a program is that it runs whenever the device is used. So its last run is held against the last use of the device that any
record tells; between the two may lie the number of days that the visit file allows. What no record tells stays "could not tell".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from artefacts.observations import RequiredSoftware
from artefacts.times import NOT_RECORDED, Time, Timestamp
from rules import software
from rules.software import Category, Joiner, Program, Trace
from rules.software.joiner import DELETED, INSTALLED, PRESENT, RUN, STARTS, UNINSTALLED
from triage.scan.conclude import COLUMN, Conclusion, Context, Drawn

_CATEGORY = Category("required", "programs that must be there")
_MOST_GROUNDS = 100
_MOST_DAYS = 5_000
_OFF = ("disabled", "switched off")
_SENT = ("bytes sent", "bytes received")


@dataclass(slots=True)
class _Record:
    """What is known of one required program."""

    ways: set[str] = field(default_factory=set)
    installed: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    contact: str | None = None
    removed: str | None = None
    running: bool = False
    off: bool = False
    grounds: set[str] = field(default_factory=set)


class RequiredPrograms(Conclusion):
    """One ``RequiredSoftware`` for each program that the visit file requires; none where it requires none."""

    name = "required_software"
    types = Joiner(()).types
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._required = list((context.visit or {}).get("required_software") or [])
        self._joiner = Joiner(_program(number, item) for number, item in enumerate(self._required))
        self._records = [_Record() for _ in self._required]
        self._last_use = ""
        self._days: set[str] = set()

    def feed(self, observation: Mapping[str, Any]) -> None:
        """Take an observation that may speak of a required program, or of the use of the device."""
        if not self._required:
            return
        if observation["type"] in ("ProgramRun", "PageVisit"):
            time = observation.get("time")
            if isinstance(time, str) and time < "2100":
                self._last_use = max(self._last_use, time, key=_instant)
        for hit in self._joiner.match(observation):
            self._take(self._records[int(hit.program.id)], observation, hit.seen)

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        """Take the listed files: those of a required program show that it is there."""
        if not self._required:
            return
        for row in rows:
            path, allocated = row[COLUMN["path"]], bool(row[COLUMN["allocated"]])
            for hit in self._joiner.match_file(path, folder=row[COLUMN["kind"]] == "directory", allocated=allocated):
                self._records[int(hit.program.id)].ways.add(hit.seen)

    def conclude(self) -> Iterator[Drawn]:
        """Each required program in the order of the visit file."""
        states = [self._state(item, record) for item, record in zip(self._required, self._records, strict=True)]
        met = all(state in ("running", "ran") for state, _ in states)
        for item, record, (state, detail) in zip(self._required, self._records, states, strict=True):
            observation = RequiredSoftware(
                name=item["name"],
                state=state,
                detail=detail,
                all_met=met,
                installed=_time(max(record.installed, default=None)),
                last_run=_time(max(record.ran, key=_instant, default=None)),
                last_contact=_time(record.contact),
                removed=_time(record.removed),
                last_use=_time(self._last_use or None),
            )
            yield Drawn(observation, rests_on=sorted(record.grounds)[:_MOST_GROUNDS])

    def _take(self, record: _Record, observation: Mapping[str, Any], seen: str) -> None:
        record.ways.add(seen)
        if len(record.grounds) < _MOST_GROUNDS:
            record.grounds.add(observation["id"])
        time = observation.get("time")
        if seen == RUN and observation["type"] == "ProgramRun":
            how = str(observation.get("how") or "")
            record.running |= how.startswith("running")
            if isinstance(time, str):
                if len(record.ran) >= _MOST_DAYS:
                    record.ran.discard(min(record.ran, key=_instant))
                record.ran.add(time)
                if any(word in how for word in _SENT) and " 0 bytes received, 0 sent" not in how:
                    record.contact = max(record.contact or "", time, key=_instant)
        elif seen == INSTALLED and isinstance(observation.get("installed"), str):
            record.installed.add(observation["installed"])
        elif seen == STARTS:
            record.off |= str(observation.get("start") or "").startswith(_OFF)
        elif seen in (DELETED, UNINSTALLED) and isinstance(observation.get("deleted"), str):
            record.removed = max(record.removed or "", observation["deleted"], key=_instant)

    def _state(self, item: Mapping[str, Any], record: _Record) -> tuple[str, str]:
        there = bool(record.ways & {INSTALLED, PRESENT, STARTS}) and not (
            UNINSTALLED in record.ways and not record.ways & {PRESENT, STARTS}
        )
        last = max(record.ran, key=_instant, default=None)
        again = ""
        if len(record.installed) > 1:
            again = f" It was installed more than once: {', '.join(_day(time) for time in sorted(record.installed)[-5:])}."
        if record.running:
            return "running", f"It is running now.{again}"
        if there and record.off:
            return "switched off", f"It is there, but set not to start.{_ran(last)}{again}"
        if not there and record.ways & {RUN, DELETED, UNINSTALLED}:
            when = f" It was removed on {_day(record.removed)}." if record.removed else ""
            if not self.context.complete:
                return (
                    "could not tell",
                    f"Traces of it were found, but not the program. The scan did not reach everything.{when}{_ran(last)}",
                )
            return "removed", f"Traces of it were found, but the program is not there any more.{when}{_ran(last)}{again}"
        if not there:
            if not self.context.complete:
                return "could not tell", "It was not found in what was reached."
            return "not found", "No trace of it was found."
        if last is None:
            return "installed", f"It is there. No record of when it ran was found.{again}"
        if self._last_use and _moment(last) + timedelta(days=int(item["stale_after_days"])) < _moment(self._last_use):
            return "stopped", f"It is there, but the device was used until {_day(self._last_use)}.{_ran(last)}{again}"
        return "ran", f"It is there.{_ran(last)}{again}"


def _program(number: int, item: Mapping[str, Any]) -> Program:
    traces = [Trace(kind, value, True) for kind, values in (item.get("traces") or {}).items() for value in values]
    known = software.shipped().programs.get(item.get("software") or "")
    if known is not None:
        traces += [trace for trace in known.traces if trace.kind not in ("site", "search", "download", "web")]
    return Program(
        id=str(number), name=item["name"], what="", category=_CATEGORY, severity=1, innocent="", sources=(), traces=tuple(dict.fromkeys(traces))
    )  # fmt: skip


def _instant(time: str) -> str:
    return time.rstrip("Z")  # without the Z, "…:00" sorts before "…:00.5"


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time[:19] + "+00:00")


def _time(text: str | None) -> Time:
    return Timestamp.from_datetime(_moment(text)) if text else NOT_RECORDED


def _day(time: str | None) -> str:
    if not time:
        return ""
    moment = _moment(time)
    return f"{moment.day} {moment:%B %Y}"


def _ran(last: str | None) -> str:
    return f" Its last run that is recorded was on {_day(last)}." if last else " No run of it is recorded."


CONCLUSIONS = (RequiredPrograms,)
