"""Text logs in the forms of syslog: ``syslog``, ``messages``, ``kern.log``, ``auth.log``, ``secure``, ``cron``, macOS's ``system.log``.

Lines begin with ``Mar 11 19:26:39 host`` (neither year nor zone: the wall clock is kept), with an RFC 3339 time and a host (rsyslog), or with an RFC 3339 time and a
severity (Chrome OS), each perhaps after ``<15>``; then the program, perhaps with its number, and the message. A line of another form belongs to the one before it.

Sources: RFC 3164, RFC 5424, rsyslog's templates (FileFormat, TraditionalFileFormat, ForwardFormat, SysklogdFileFormat); the specimens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.linux.log_facts import LogFacts
from artefacts.log_lines import MONTHS, log_lines, yearless
from artefacts.observations import Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp

_OLD = r"(?P<month>" + MONTHS + r") {1,2}(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d)"
_NEW = r"(?P<full>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
_HEAD = re.compile(rf"(?:<\d{{1,3}}>)?(?:{_NEW}|{_OLD})(?P<rest>:? .*)", re.DOTALL)
# Messages sent over the network lie one behind the other: a priority and a time begin the next.
_NEXT = re.compile(rf"(?=<\d{{1,3}}>(?:\d{{4}}-\d\d-\d\dT\d\d:|(?:{MONTHS}) {{1,2}}\d))")
_BODY = re.compile(
    r"(?:(?P<host>[^\s:\[\]]{1,255}) )?\s*(?P<program>[^\s:\[\]]{1,64})(?:\[\d+\])?(?: <\w+>)?(?P<colon>:| ) ?(?P<message>.*)", re.DOTALL
)
_REPEATED = re.compile(r"^:? ?(?:\S+ )?--- last message repeated \d+ times? ---")
_SEVERITIES = frozenset(("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"))
_MOST_PROBLEMS = 20


def entries(file: EvidenceFile) -> Iterator[tuple[int, Time, str | None, str, str] | Problem]:
    """(line number, time, host, program, message) of each entry, lines that go on joined; a ``Problem`` for what stands before the first."""
    held: tuple[int, re.Match[str]] | None = None
    more: list[str] = []
    stray = 0
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        for piece in _NEXT.split(line) if "<" in line else (line,):
            found = _HEAD.match(piece)
            if found is not None:
                if held is not None:
                    yield _entry(*held, more)
                held, more = (number, found), []
            elif held is not None:
                if len(more) < 50:
                    more.append(piece)
            elif piece.strip() and (stray := stray + 1) <= _MOST_PROBLEMS:
                yield Problem("not a line of a system log", Status.UNRECOGNISED, f"line={number}")
    if held is not None:
        yield _entry(*held, more)


def _entry(number: int, found: re.Match[str], more: list[str]) -> tuple[int, Time, str | None, str, str]:
    rest = found["rest"]
    if _REPEATED.match(rest):
        return number, _time(found), None, "", rest.strip(": ")
    body = _BODY.match(rest.removeprefix(":").lstrip(" "))
    if body is None:
        return number, _time(found), None, "", rest
    host, program = body["host"], body["program"]
    message = "\n".join((body["message"], *more)) if more else body["message"]
    return number, _time(found), None if host in _SEVERITIES else host, program, message


def _time(found: re.Match[str]) -> Time:
    if found["full"] is None:
        return yearless(found["month"], found["day"], found["clock"])
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(found["full"]))
    except ValueError as error:
        return NoTime(f"not a time: {error}")


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """What ``LogFacts`` finds, and one ``SystemFact``: how many entries, from when to when. Raises ``Unrecognised`` where no line is an entry."""
    mac = file.name.startswith(("system.log", "secure.log"))
    facts = LogFacts(f"system log {file.name}", "macOS" if mac else "Linux")
    count = 0
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    problems: list[Problem] = []
    for item in entries(file):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        number, last, _, program, message = item
        first, count = (last if count == 0 else first), count + 1
        if facts.wants(program):
            facts.feed(program, message, last, f"line={number}")
    if problems and not count and problems[0].status is Status.UNRECOGNISED:
        raise Unrecognised("not a system log: no line is an entry")
    yield from problems
    yield from facts.finish()
    if count:
        yield SystemFact(name="system log", value=f"{count} entries, the last {_words(last)}", time=first, locator="line=1")


def _words(time: Time) -> str:
    return time.isoformat() if isinstance(time, Timestamp) else (time.local or "at a time not recorded")


ARTEFACTS = (
    Artefact(
        id="linux.syslog",
        title="System logs",
        meaning="Devices plugged in, networks joined, sign-ins, programs started by cron and sudo, clock changes, start-up and shutdown.",
        paths=(
            "**/var/log/syslog*", "**/var/log/messages*", "**/var/log/kern.log*", "**/var/log/auth.log*", "**/var/log/secure*", "**/var/log/cron*", "**/var/log/daemon.log*",
            "**/var/log/user.log*", "**/var/log/system.log*",
        ),
        parse=parse,
        references=("https://www.rfc-editor.org/rfc/rfc3164", "https://www.rfc-editor.org/rfc/rfc5424"),
        systems=("linux", "macos"),
        validation="specimens of seven dialects; generated",
    ),
)  # fmt: skip
