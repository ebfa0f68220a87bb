"""What was in use, as the Mac's own statistics say: ``knowledgeC.db`` (table ZOBJECT), macOS 10.13 to 12 and, for a part, later.

Times are Cocoa seconds, UTC. A row is one stretch of use: of a program in the foreground, of a program kept open, of a locked screen.

Source: Core Data store of Apple's CoreDuet; streams as described by S. Edwards (mac4n6.com, "Knowledge is Power") and checked against rows written here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from artefacts.coverage import Problem
from artefacts.observations import ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import Results, number_time, rows_of
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_cocoa

_USE = {
    "/app/inFocus": "in the foreground",
    "/app/usage": "in use",
    "/app/activity": "activity told by the program",
    "/app/install": "installed",
}
_STATES = {"/device/isLocked": "screen locked", "/display/isBacklit": "screen lit", "/device/isPluggedIn": "plugged in"}
_MOST = 50_000


@dataclass(slots=True)
class _Use:
    """The stretches of one program in one stream."""

    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    count: int = 0
    seconds: float = 0.0
    locator: str = ""
    days: set[int] = field(default_factory=set)

    def add(self, start: Time, end: Time, locator: str) -> None:
        self.count += 1
        if isinstance(start, Timestamp):
            self.days.add(start.ns // 86_400_000_000_000)
            if not isinstance(self.first, Timestamp) or start < self.first:
                self.first = start
            if isinstance(end, Timestamp) and end >= start:
                self.seconds += (end.ns - start.ns) / 1e9
            if not isinstance(self.last, Timestamp) or start > self.last:
                self.last, self.locator = start, locator


def parse(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each program and kind of use (newest start, count, first start and total in ``time_meaning``); ``SystemFact`` for screen and power."""
    uses: dict[tuple[str, str], _Use] = {}
    dropped = 0

    def read(row: Row, _: Database) -> Results:
        nonlocal dropped
        stream, program = row.text("ZSTREAMNAME") or "", row.text("ZVALUESTRING") or ""
        if stream in _STATES:
            program = "yes" if row.integer("ZVALUEINTEGER") else "no"
        elif stream not in _USE or not program:
            return iter(())
        key = (stream, program)
        if key not in uses and len(uses) >= _MOST:
            dropped += 1
            return iter(())
        start, end = number_time(row, "ZSTARTDATE", from_cocoa), number_time(row, "ZENDDATE", from_cocoa)
        uses.setdefault(key, _Use()).add(start, end, row.locator)
        return iter(())

    yield from rows_of(file, "ZOBJECT", ("ZSTREAMNAME", "ZSTARTDATE", "ZENDDATE"), ("ZVALUESTRING", "ZVALUEINTEGER"), read)
    if dropped:
        yield Problem(f"more than {_MOST} programs: {dropped} records are not kept")
    for (stream, program), use in sorted(uses.items()):
        if stream in _STATES:
            value = f"{_STATES[stream]}, {program}: {use.count} times on {len(use.days)} days, last {_words(use.last)}"
            yield SystemFact(name="use of this computer", value=value, time=use.first, locator=use.locator)
            continue
        yield ProgramRun(
            program=program,
            time=use.last,
            count=use.count,
            user=file.user,
            how=f"KnowledgeC ({_USE[stream]})",
            time_meaning=f"newest start; first {_words(use.first)}, {round(use.seconds)} seconds on {len(use.days)} days",
            locator=use.locator,
        )


def _words(time: Time) -> str:
    return time.isoformat() if isinstance(time, Timestamp) else "not recorded"


ARTEFACTS = (
    Artefact(
        id="macos.knowledge",
        title="KnowledgeC",
        meaning="Which programs were used, how often and how long, over about the last four weeks.",
        paths=("**/Application Support/Knowledge/knowledgeC.db", "**/var/db/CoreDuet/Knowledge/knowledgeC.db"),
        parse=parse,
        references=("https://www.mac4n6.com/blog/2018/8/5/knowledge-is-power-using-the-knowledgecdb-database-on-macos-and-ios-to-determine-precise-user-and-application-usage",),
        systems=("macos",),
    ),
)  # fmt: skip
