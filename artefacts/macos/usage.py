"""Programs that were started, stopped, or let out by the firewall, as old logs of macOS count them, and programs that told the user something.

``application_usage.sqlite`` (written by Munki and its relatives): table application_usage, Unix seconds. ``appfirewall.log`` of OS X 10.7 to 10.11: one line
a connection allowed or refused, without year or zone. Notification centre: table record, Cocoa seconds; what a notification says is never read.

Sources: the specimens; munki/munki, app_usage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts import plist
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import MONTHS, log_lines, yearless
from artefacts.macos.property_lists import date
from artefacts.observations import Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import Results, number_time, rows_of
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_cocoa, from_unix

_LINE = re.compile(r"^(" + MONTHS + r") {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) (?:\S+ )?socketfilterfw\[\d+\] <(\w+)>: (.*)$")
_REPEATED = re.compile(r"^(" + MONTHS + r") {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) --- last message repeated (\d{1,6}) times? ---$")
_MOST = 20_000


def parse_application_usage(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each program and event (launch, activate, quit) with the last time and the count."""

    def read(row: Row, _: Database) -> Results:
        path = row.text("app_path")
        yield ProgramRun(
            program=row.text("bundle_id") or path or "[no name]",
            path=path,
            time=number_time(row, "last_time", from_unix),
            count=row.integer("number_times"),
            how=f"application usage ({row.text('event')})",
            time_meaning=f"last {row.text('event')}; version {row.text('app_version') or 'not recorded'}",
            locator=row.locator,
        )

    yield from rows_of(file, "application_usage", ("event", "bundle_id", "last_time"), ("app_version", "app_path", "number_times"), read)


def parse_firewall_log(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each program and what the firewall did, with its last line; a sum. Lines of another form are a ``Problem``."""
    runs: dict[tuple[str, str], ProgramRun] = {}
    count = bad = 0
    first: Time = NOT_RECORDED
    previous: ProgramRun | None = None
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        if found := _REPEATED.match(line):
            count += 1
            if previous is not None:
                previous.count = (previous.count or 0) + int(found[4])
                previous.time = yearless(found[1], found[2], found[3])
            continue
        matched = _LINE.match(line)
        if matched is None:
            if line.strip() and (bad := bad + 1) <= 20:
                yield Problem("not a line of this log", Status.UNRECOGNISED, f"line={number}")
            continue
        count += 1
        time = yearless(matched[1], matched[2], matched[3])
        first = time if count == 1 else first
        program, colon, action = matched[5].partition(": ")
        previous = None
        if not colon or program == "Logging" or len(runs) >= _MOST:
            continue
        action = action.partition("(")[0].strip()
        previous = runs.setdefault(
            (program, action), ProgramRun(program=program, count=0, how=f"firewall log: {action}", locator=f"line={number}")
        )
        previous.time, previous.count, previous.time_meaning = time, (previous.count or 0) + 1, "last line of the log"
    if bad and not count:
        raise Unrecognised("not a firewall log")
    if count:
        yield SystemFact(name="firewall log", value=f"{count} entries", time=first, locator="line=1")
    yield from runs.values()


def parse_notifications(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each program that showed notifications, with the newest and their number. Their texts are not kept."""
    programs: dict[str, ProgramRun] = {}

    def read(row: Row, database: Database) -> Results:
        owner = database.lookup("app", row.integer("app_id"), ("identifier",))
        name = (owner.text("identifier") if owner is not None else None) or "[program not recorded]"
        time = number_time(row, "delivered_date", from_cocoa)
        data = row.values["data"]
        if not isinstance(time, Timestamp) and isinstance(data, bytes):
            try:
                held = plist.load(data)
                time = date(held.get("date")) if isinstance(held, dict) else time
            except ValueError as error:
                yield Problem(f"a notification is {error}", Status.FAILED, row.locator)
        if name not in programs and len(programs) >= _MOST:
            return
        run = programs.setdefault(
            name,
            ProgramRun(
                program=name, count=0, user=file.user, how="notification centre", time_meaning="newest notification", locator=row.locator
            ),
        )
        run.count = (run.count or 0) + 1
        if isinstance(time, Timestamp) and (not isinstance(run.time, Timestamp) or time > run.time):
            run.time, run.locator = time, row.locator

    yield from rows_of(file, "record", ("app_id", "data"), ("delivered_date",), read)
    yield from (programs[name] for name in sorted(programs))


ARTEFACTS = (
    Artefact(
        id="macos.application_usage",
        title="Application usage",
        meaning="Programs that were started, brought to the front and quit, how often and when last.",
        paths=("**/application_usage.sqlite",),
        parse=parse_application_usage,
        references=("https://github.com/munki/munki/wiki/Application-Usage",),
        systems=("macos",),
        validation="specimen; generated",
    ),
    Artefact(
        id="macos.firewall_log",
        title="Firewall log",
        meaning="Programs that used the network, before OS X 10.12; the log has no year.",
        paths=("**/var/log/appfirewall.log*",),
        parse=parse_firewall_log,
        references=("https://support.apple.com/guide/mac-help/mh34041/mac",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
    Artefact(
        id="macos.notifications",
        title="Notification centre",
        meaning="Programs that showed notifications, and when last; what they said is not kept.",
        paths=("**/com.apple.notificationcenter/db2/db", "**/com.apple.notificationcenter/db/db", "**/NotificationCenter/*.db", "**/group.com.apple.usernoted/db2/db"),
        parse=parse_notifications,
        references=("https://support.apple.com/guide/mac-help/mchl2fb1258f/mac",),
        systems=("macos",),
        validation="specimen; generated",
    ),
)  # fmt: skip
