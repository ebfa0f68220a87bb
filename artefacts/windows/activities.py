"""The time line of Windows 10 (``ActivitiesCache.db``): programs and files in use, with begin and end, kept for some weeks.

SQLite; ``Activity`` has what is kept, ``ActivityOperation`` what was still to be sent to other devices. Times are Unix seconds (UTC). ``AppId`` is JSON: the same
program under several names; ``Payload`` JSON: what it showed. ``ActivityType`` 5: a program or file opened, 6: in front, 10 and 16: clipboard, whose text is not read.

Sources: K. Kantardjiev, "WindowsTimeline"; Group-IB, "Windows 10 Timeline" (2020).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation, PageVisit, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import Time, Timestamp, from_unix
from artefacts.windows.paths import name_of

_OPENED, _IN_FRONT, _CLIPBOARD = 5, 6, (10, 16)
_KINDS = ("x_exe_path", "windows_win32", "windows_universal", "packageId")


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each period of use, ``FileSeen`` or ``PageVisit`` for what was opened in it, ``SystemFact``: how many activities."""
    with Database(file) as database:
        if not database.has("Activity", "AppId", "ActivityType", "StartTime"):
            raise Unrecognised("a database, but not of Windows' time line")
        yield from database.problems
        count = clipboard = 0
        for table in ("Activity", "ActivityOperation"):
            for row in database.rows(table, ("AppId", "ActivityType", "StartTime"), ("EndTime", "Payload")):
                if isinstance(row, Problem):
                    yield row
                    continue
                kind = row.integer("ActivityType")
                count += 1
                clipboard += kind in _CLIPBOARD
                if kind in (_OPENED, _IN_FRONT):
                    yield from _activity(row, kind, file.user)
        yield SystemFact(name="Windows time line", value=f"{count} activities, {clipboard} of the clipboard (not read)")


def _activity(row: Row, kind: int, user: str | None) -> Iterator[Observation | Problem]:
    start, end = (from_unix(row.integer(name) or 0) for name in ("StartTime", "EndTime"))
    try:
        program = _program(json.loads(row.values["AppId"] or "[]"))
        payload = json.loads(row.values["Payload"] or "{}")
    except (ValueError, TypeError, RecursionError):
        yield Problem("an activity's data cannot be read", Status.FAILED, row.locator)
        return
    seconds = (end.ns - start.ns) // 1_000_000_000 if isinstance(start, Timestamp) and isinstance(end, Timestamp) else None
    lasted = f", {seconds} seconds" if seconds is not None and seconds > 0 else ""
    yield ProgramRun(
        program=name_of(program), path=program, time=start, user=user, how=f"Windows time line: {'opened' if kind == _OPENED else 'in front'}{lasted}",
        locator=row.locator,
    )  # fmt: skip
    if isinstance(payload, dict) and kind == _OPENED:
        yield from _shown(payload, program, start, user, row.locator)


def _shown(payload: dict[str, Any], program: str, start: Time, user: str | None, locator: str) -> Iterator[Observation]:
    target = payload.get("contentUri") or payload.get("description")
    if not isinstance(target, str) or not target:
        return
    if target.lower().startswith(("http:", "https:")):
        yield PageVisit(url=target, time=start, user=user, source="Windows time line", browser=name_of(program), locator=locator)
    elif target.lower().startswith("file:") or target[1:3] == ":\\":
        path = unquote(target.partition("?")[0].removeprefix("file:///").removeprefix("file:")).replace("/", "\\")
        yield FileSeen(path=path, used=start, user=user, how=f"Windows time line: opened with {name_of(program)}", locator=locator)


def _program(names: Any) -> str:
    """The name of a program that says most, of those that it has."""
    found = {item["platform"]: item["application"] for item in names if isinstance(item, dict) and item.get("application")}
    return str(next((found[kind] for kind in _KINDS if kind in found), next(iter(found.values()), "[program not named]")))


ARTEFACTS = (
    Artefact(
        id="windows.activities",
        title="Windows time line",
        meaning="Programs in use and files and pages opened, with begin and end, over some weeks. Of the clipboard only that it was used.",
        paths=("**/ConnectedDevicesPlatform/**/ActivitiesCache.db",),
        parse=parse,
        references=("https://kacos2000.github.io/WindowsTimeline/",),
        systems=("windows",),
    ),
)
