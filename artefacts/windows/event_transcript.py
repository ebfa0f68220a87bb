"""Diagnostic data that Windows 10 and 11 keep of what they send to Microsoft (``EventTranscript.db``): programs in use, pages in Edge, installations.

SQLite; a row an event: its time as a FILETIME (UTC), its name, and its data as JSON. It is only there where somebody has switched on "Diagnostic data viewer".

Source: A. Rathbun and J. Hartsuyker, "EventTranscript.db" (Kroll, 2021); the specimen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import InstalledProgram, Observation, PageVisit, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_filetime
from artefacts.windows.event_facts import parse_time

_MOST_SUMS = 10_000
_MOST_PAGES = 200_000
_PAGES = ("HJ_HistoryAddUrl", "HJ_NavigateCompleteExtended")
_USE = "Win32kTraceLogging.AppInteractivitySummary"
_PROGRAM = "Microsoft.Windows.Inventory.Core.InventoryApplicationAdd"


@dataclass(slots=True)
class _Use:
    first: Timestamp
    last: Timestamp
    periods: int = 0
    milliseconds: int = 0


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``PageVisit`` for each page in Edge, ``InstalledProgram`` for each program inventoried, ``ProgramRun`` for each program and user with the
    time in front of the user, one ``SystemFact``: how many events there are."""
    with Database(file) as database:
        if not database.has("events_persisted", "timestamp", "payload", "full_event_name"):
            raise Unrecognised("a database, but not of diagnostic data")
        yield from database.problems
        count = 0
        first: Time = NOT_RECORDED
        pages: set[tuple[Any, str]] = set()
        uses: dict[tuple[str, str | None], _Use] = {}
        for row in database.rows("events_persisted", ("timestamp", "payload", "full_event_name"), ("sid",)):
            if isinstance(row, Problem):
                yield row
                continue
            count += 1
            time = from_filetime(row.integer("timestamp") or 0)
            first = (
                min(first, time)
                if isinstance(first, Timestamp) and isinstance(time, Timestamp)
                else first
                if isinstance(first, Timestamp)
                else time
            )
            name = row.text("full_event_name") or ""
            kind = name.rpartition(".")[2]
            if kind not in _PAGES and name not in (_USE, _PROGRAM):
                continue
            try:
                data = json.loads(row.values["payload"])["data"]
                user = row.text("sid")
                if name == _USE:
                    _add(uses, data, time, user)
                elif name == _PROGRAM:
                    yield _program(data, row.locator)
                elif (page := _page(data, time, user, row.locator, pages)) is not None:
                    yield page
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                yield Problem("an event's data cannot be read", Status.FAILED, row.locator)
        for (program, user), use in sorted(uses.items(), key=lambda pair: (pair[0][0], pair[0][1] or "")):
            yield ProgramRun(
                program=program, time=use.last, time_meaning="begin of the last period of use", user=user,
                how=f"diagnostic data: {use.milliseconds // 1000} seconds in front in {use.periods} periods since {use.first.isoformat()}",
                locator=f"event={_USE}",
            )  # fmt: skip
        if len(uses) >= _MOST_SUMS or len(pages) >= _MOST_PAGES:
            yield Problem("more programs or pages than are kept", Status.FAILED)
        yield SystemFact(name="diagnostic data kept", value=f"{count} events", time=first)


def _page(data: Any, time: Time, user: str | None, locator: str, seen: set[tuple[Any, str]]) -> PageVisit | None:
    """One page from the several events of its opening, which share a number; None for parts of pages and for those told already."""
    address = data.get("navigationUrl")
    key = (data.get("CorrelationGuid"), address)
    if not isinstance(address, str) or not address or not data.get("IsTopLevelUrl", 1) or key in seen or len(seen) >= _MOST_PAGES:
        return None
    seen.add(key)
    exact = parse_time(str(data.get("Timestamp", "")))
    return PageVisit(
        url=address, title=str(data.get("PageTitle") or "") or None, time=exact if isinstance(exact, Timestamp) else time, browser="Edge",
        referrer=str(data.get("referUrl") or "") or None, user=user, source="Windows diagnostic data", locator=locator,
    )  # fmt: skip


def _add(uses: dict[tuple[str, str | None], _Use], data: Any, time: Time, user: str | None) -> None:
    program = str(data["AppId"]).rpartition("!")[2] or str(data["AppId"])
    began = parse_time(str(data.get("AggregationStartTime", "")))
    began = began if isinstance(began, Timestamp) else time
    if not isinstance(began, Timestamp) or ((program, user) not in uses and len(uses) >= _MOST_SUMS):
        return
    use = uses.setdefault((program, user), _Use(began, began))
    use.first, use.last = min(use.first, began), max(use.last, began)
    use.periods += 1
    use.milliseconds += int(data.get("InFocusDurationMS") or 0)


def _program(data: Any, locator: str) -> InstalledProgram:
    return InstalledProgram(
        name=str(data.get("Name") or "[no name]"), version=str(data.get("Version") or "") or None,
        publisher=str(data.get("Publisher") or "") or None, path=str(data.get("RootDirPath") or "") or None,
        how=f"inventory in the diagnostic data ({data.get('Source') or 'source not given'})", locator=locator,
    )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="windows.event_transcript",
        title="Windows diagnostic data",
        meaning="Programs and how long they were in front, pages opened in Edge, and programs installed. Written only where this was switched on.",
        paths=("ProgramData/Microsoft/Diagnosis/EventTranscript/EventTranscript.db",),
        parse=parse,
        references=("https://github.com/rathbuna/EventTranscript.db-Research",),
        systems=("windows",),
        validation="specimen of Windows 10",
    ),
)
