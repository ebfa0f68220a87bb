"""Logs of macOS that are counted and dated rather than read line by line: the audit trail, Apple System Log files, the security log, install.log.

Sources: OpenBSM, ``man audit.log`` (records between a header token 0x14 and a trailer; the time is seconds and milliseconds);
Apple Libc, asl_file.h ("ASL DB"); the specimens.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import datetime

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import MONTHS, log_lines, yearless
from artefacts.observations import AttachedDevice, InstalledProgram, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_local, from_unix

Results = Iterator[Observation | Problem]

_LARGEST = 64 << 20  # bytes
_MOST_PROBLEMS = 20
_SECURITY = re.compile(
    r"^("
    + MONTHS
    + r") {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) (?:\S+ )?(?:\w+\[\d+\] <\w+> \[.{0,200}?\]:|--- last message repeated \d+ times? ---)"
)
_DAY = re.compile(r"^[A-Z][a-z]{2} (" + MONTHS + r") {1,2}(\d{1,2}) (\d\d:\d\d:\d\d) \S{1,8} (\d{4})$")
_MOUNTED = re.compile(r"^(?:/dev/|//)\S+ .{0,200}?% +(/Volumes/.{1,255}?)\s*$")
_INSTALLED = re.compile(r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)([+-]\d\d)(\d\d)? \S+ .*?Installed \"(.{1,200}?)\"(?: \((.{0,60}?)\))?")


def parse_audit(file: EvidenceFile) -> Results:
    """One ``SystemFact``: how many records the audit trail has, and from when to when."""
    data = file.read(_LARGEST + 1)
    if len(data) < 18 or data[0] not in (0x14, 0x15, 0x74, 0x79):
        raise Unrecognised("not an audit trail")
    place = count = 0
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    while place + 18 <= min(len(data), _LARGEST):
        token, size = struct.unpack_from(">BI", data, place)
        if token not in (0x14, 0x15, 0x74, 0x79) or size < 18 or place + size > len(data):
            yield Problem("what follows is not a whole record", Status.FAILED, f"offset={place}")
            break
        if token == 0x14:
            seconds, thousandths = struct.unpack_from(">II", data, place + 10)
            last = from_unix(seconds * 1000 + min(thousandths, 999), unit_ns=1_000_000)
            first = last if count == 0 else first
        count, place = count + 1, place + size
    if count:
        yield SystemFact(name="audit trail", value=f"{count} records, the last {_words(last)}", time=first, locator="offset=0")


def parse_asl(file: EvidenceFile) -> Results:
    """One ``SystemFact``: how many messages the file has, from when to when, and whose machine wrote them."""
    data = file.read(_LARGEST)
    if data[:6] != b"ASL DB" or len(data) < 80:
        raise Unrecognised("not an Apple System Log file")
    first_at, created = struct.unpack_from(">QQ", data, 16)
    times: list[Timestamp] = []
    host, count, place = None, 0, first_at
    seen: set[int] = set()
    while place:
        if place in seen or place + 70 > len(data):
            yield Problem("the chain of messages is broken", Status.FAILED, f"offset={place}")
            break
        seen.add(place)
        following, _, seconds, nanoseconds = struct.unpack_from(">QQQI", data, place + 6)
        time = from_unix(seconds * 1_000_000_000 + nanoseconds % 1_000_000_000, unit_ns=1) if seconds < 1 << 40 else NOT_RECORDED
        if isinstance(time, Timestamp):
            times.append(time)
        host = host or _asl_text(data, place + 66)
        count, place = count + 1, following
    span = f", {min(times).isoformat()} to {max(times).isoformat()}" if times else ""
    yield SystemFact(
        name="Apple System Log",
        value=f"{count} messages{span}",
        time=from_unix(created) if created < 1 << 40 else NOT_RECORDED,
        locator="offset=0",
    )
    if host:
        yield SystemFact(name="host name in the Apple System Log", value=host, locator=f"offset={first_at}")


def _asl_text(data: bytes, place: int) -> str | None:
    """The text that a field of a message points at; short ones lie in the field itself, marked by its first bit."""
    raw = data[place : place + 8]
    if len(raw) < 8 or raw == bytes(8):
        return None
    if raw[0] & 0x80:
        return raw[1 : 1 + (raw[0] & 0x7F)].decode("utf-8", "backslashreplace")
    at = int.from_bytes(raw, "big")
    length = int.from_bytes(data[at + 2 : at + 6], "big")
    return data[at + 6 : at + 6 + min(length, 1024)].split(b"\0")[0].decode("utf-8", "backslashreplace") or None


def parse_security(file: EvidenceFile) -> Results:
    """One ``SystemFact``: how many entries the log of securityd has. Lines of another form are a ``Problem``."""
    count = bad = 0
    first: Time = NOT_RECORDED
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
        elif found := _SECURITY.match(line):
            count += 1
            first = yearless(found[1], found[2], found[3]) if count == 1 else first
        elif line.strip() and (bad := bad + 1) <= _MOST_PROBLEMS:
            yield Problem("not a line of this log", Status.UNRECOGNISED, f"line={number}")
    if bad and not count:
        raise Unrecognised("not a log of securityd")
    if count:
        yield SystemFact(name="security log", value=f"{count} entries", time=first, locator="line=1")


def parse_install(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each line of install.log that says so; its times carry the zone's distance from UTC."""
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
        elif found := _INSTALLED.match(line):
            try:
                time = Timestamp.from_datetime(datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3]}:{found[4] or '00'}"))
            except ValueError:
                yield Problem("a time that is none", Status.FAILED, f"line={number}")
                continue
            yield InstalledProgram(name=found[5], version=found[6] or None, installed=time, how="install.log", locator=f"line={number}")


def parse_daily(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each volume that was mounted below ``/Volumes`` when the daily maintenance ran, with the wall clock of the first and last run."""
    volumes: dict[str, AttachedDevice] = {}
    time: Time = NOT_RECORDED
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
        elif found := _DAY.match(line):
            time = from_local(
                f"{found[4]}-{MONTHS.split('|').index(found[1]) + 1:02d}-{int(found[2]):02d}T{found[3]}", "a zone by name only"
            )
        elif (found := _MOUNTED.match(line)) and (found[1] in volumes or len(volumes) < 1000):
            path = found[1]
            device = volumes.setdefault(
                path,
                AttachedDevice(
                    kind="volume",
                    name=path.rsplit("/", 1)[-1],
                    identifier=path,
                    first=time,
                    count=0,
                    how="daily maintenance",
                    locator=f"line={number}",
                ),
            )
            device.last, device.count = time, (device.count or 0) + 1
    yield from volumes.values()


def _words(time: Time) -> str:
    return time.isoformat() if isinstance(time, Timestamp) else "at a time not recorded"


ARTEFACTS = (
    Artefact(
        id="macos.audit",
        title="Audit trail",
        meaning="That the audit log is there and which time it covers; its records are counted, not read.",
        paths=("**/var/audit/*",),
        parse=lambda file: iter(()) if file.name == "dist" else parse_audit(file),
        references=("https://www.freebsd.org/cgi/man.cgi?query=audit.log",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
    Artefact(
        id="macos.asl",
        title="Apple System Log",
        meaning="Which time the log of before macOS 10.12 covers, and the name of the machine that wrote it.",
        paths=("**/var/log/asl/*.asl", "**/var/log/DiagnosticMessages/*.asl"),
        parse=parse_asl,
        references=("https://opensource.apple.com/source/Libc/",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
    Artefact(
        id="macos.security_log",
        title="Log of securityd",
        meaning="That the log of the keychain service is there, and from when; it has no year.",
        paths=("**/Library/Logs/CrashReporter/security.log*", "**/var/log/security.log*", "**/Library/Logs/security.log*"),
        parse=parse_security,
        references=("https://opensource.apple.com/source/securityd/",),
        systems=("macos",),
        validation="specimen; generated",
    ),
    Artefact(
        id="macos.install_log",
        title="Installation log",
        meaning="What was installed and when; programs that are gone included.",
        paths=("**/var/log/install.log*",),
        parse=parse_install,
        references=("https://support.apple.com/guide/console/welcome/mac",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.daily",
        title="Daily maintenance",
        meaning="Volumes that were attached on the days when the daily maintenance ran.",
        paths=("**/var/log/daily.out*",),
        parse=parse_daily,
        references=("https://keith.github.io/xcode-man-pages/periodic.8.html",),
        systems=("macos",),
    ),
)
