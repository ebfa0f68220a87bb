"""Notifications (``wpndatabase.db``): which apps were set up to notify the user, and when notifications came. Their text is never read.

SQLite. ``CreatedTime`` is text in UTC, arrival a FILETIME (UTC).

Source: Y. Khatri, "Windows 10 notification database" (swiftforensics, 2016); the specimen.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import InstalledProgram, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.times import from_filetime
from artefacts.windows.event_facts import parse_time


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``InstalledProgram`` for each app that may notify, ``SystemFact`` for each notification that is kept: from which app, when."""
    with Database(file) as database:
        if not database.has("NotificationHandler", "RecordId", "PrimaryId"):
            raise Unrecognised("a database, but not of notifications")
        yield from database.problems
        apps: dict[int, str] = {}
        for row in database.rows("NotificationHandler", ("RecordId", "PrimaryId"), ("HandlerType", "CreatedTime")):
            if isinstance(row, Problem):
                yield row
                continue
            name = row.text("PrimaryId") or "[no name]"
            number = row.integer("RecordId")
            if number is not None:
                apps[number] = name
            yield InstalledProgram(
                name=name, installed=parse_time((row.text("CreatedTime") or "").replace(" ", "T") + "Z"), identifier=name, user=file.user,
                how=f"notifications ({row.text('HandlerType') or 'kind not given'}); installed: when it was entered here", locator=row.locator,
            )  # fmt: skip
        for row in database.rows("Notification", ("HandlerId", "ArrivalTime"), ("Type",)):
            if isinstance(row, Problem):
                yield row
                continue
            app = apps.get(row.integer("HandlerId") or -1, "an app that is not listed")
            yield SystemFact(
                name="notification shown", value=f"{row.text('Type') or 'notification'} from {app}", time=from_filetime(row.integer("ArrivalTime") or 0),
                locator=row.locator,
            )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="windows.notifications",
        title="Windows notifications",
        meaning="Apps that may show notifications to this user, and when the last ones came. What they said is not read.",
        paths=("**/Windows/Notifications/wpndatabase.db",),
        parse=parse,
        references=("https://www.swiftforensics.com/2016/06/prasing-windows-10-notification-database.html",),
        systems=("windows",),
        validation="specimen of Windows 10",
    ),
)
