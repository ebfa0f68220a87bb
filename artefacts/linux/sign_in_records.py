"""Who signed in and when, when the system started and the clock was set: ``wtmp``, ``btmp``, ``utmp``, ``lastlog`` of Linux, ``utmpx`` of macOS.

Linux, 384 bytes a record, in the byte order of the machine: type (i16, padded), process (i32), line (32), id (4), user (32), host (256), exit (2 × i16), session (i32),
seconds and microseconds (i32, Unix), address (16), 20 unused. lastlog, 292 bytes for each user number: seconds (i32), line (32), host (256).
macOS, 628 bytes: user (256), id (4), line (32), process (i32), type (i16, padded), seconds, microseconds (i32), host (256), 64 unused; the first is a signature.

Sources: utmp(5); bits/utmp.h of the GNU C library; utmpx(5) and utmpx-darwin.h of Apple; the specimens (little- and big-endian, macOS).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, ClockChange, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_unix

Results = Iterator[Observation | Problem]

_SIZE, _MAC_SIZE, _LASTLOG_SIZE = 384, 628, 292
_LARGEST = 64 << 20  # bytes
_MOST = 50_000
_RUN_LEVEL, _BOOT, _NEW_TIME, _OLD_TIME, _USER, _DEAD = 1, 2, 3, 4, 7, 8
_MAC_KINDS = {
    2: _BOOT,
    3: _OLD_TIME,
    4: _NEW_TIME,
    7: _USER,
    8: _DEAD,
    11: 11,
}  # macOS numbers the two clock records the other way round; 11 is shutdown
_MAC_SHUTDOWN = 11


@dataclass(frozen=True, slots=True)
class Record:
    """One record: ``kind`` as Linux numbers it."""

    offset: int
    kind: int
    line: str
    user: str
    host: str
    time: Time


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace").strip()


def records(data: bytes) -> list[Record]:
    """The records of wtmp, btmp or utmp in either byte order, those without a type left out. Raises ``Unrecognised`` for anything else."""
    if not data:
        return []
    types = [
        (struct.unpack_from("<h", data, at)[0], struct.unpack_from(">h", data, at)[0]) for at in range(0, len(data) - _SIZE + 1, _SIZE)
    ]
    if not types:
        raise Unrecognised("shorter than one record")
    little, big = (sum(0 <= pair[order] <= 9 for pair in types) for order in (0, 1))
    if max(little, big) * 10 < len(types) * 9:
        raise Unrecognised("not a file of sign-in records")
    order = "<" if little >= big else ">"
    found = []
    for number in range(len(types)):
        at = number * _SIZE
        kind, line, user, host = struct.unpack_from(f"{order}hxx4x32s4x32s256s", data, at)
        seconds, microseconds = struct.unpack_from(f"{order}ii", data, at + 340)
        if 0 < kind <= 9:
            found.append(Record(at, kind, _text(line), _text(user), _text(host), _time(seconds, microseconds)))
    return found


def mac_records(data: bytes) -> list[Record]:
    """The records of a macOS utmpx file. Raises ``Unrecognised`` for anything else."""
    if not data.startswith(b"utmpx-"):
        raise Unrecognised("not a utmpx file of macOS")
    found = []
    for at in range(_MAC_SIZE, len(data) - _MAC_SIZE + 1, _MAC_SIZE):
        user, line, kind, seconds, microseconds, host = struct.unpack_from("<256s4x32s4xhxxii256s", data, at)
        found.append(Record(at, _MAC_KINDS.get(kind, 0), _text(line), _text(user), _text(host), _time(seconds, microseconds)))
    return found


def _time(seconds: int, microseconds: int) -> Time:
    if not seconds:
        return NOT_RECORDED
    return from_unix(seconds * 1_000_000 + (microseconds if 0 <= microseconds < 1_000_000 else 0), unit_ns=1000)


def parse(file: EvidenceFile) -> Results:
    """``AccountUse`` for each session with its end where one is recorded, ``SystemFact`` for starts and stops, ``ClockChange``; a sum."""
    data = file.read(_LARGEST)
    yield from _told(records(data), "Linux", file.name)
    if len(data) % _SIZE:
        yield Problem(
            f"the last record is cut short: {len(data) % _SIZE} of {_SIZE} bytes", Status.FAILED, f"offset={len(data) // _SIZE * _SIZE}"
        )


def parse_mac(file: EvidenceFile) -> Results:
    """The same of ``utmpx``, which keeps only what is since the last start."""
    data = file.read(_LARGEST)
    yield from _told(mac_records(data), "macOS", file.name)
    if len(data) % _MAC_SIZE:
        yield Problem(
            f"the last record is cut short: {len(data) % _MAC_SIZE} of {_MAC_SIZE} bytes",
            Status.FAILED,
            f"offset={len(data) // _MAC_SIZE * _MAC_SIZE}",
        )


def _told(found: list[Record], system: str, log: str) -> Results:
    sessions: list[AccountUse] = []
    on_line: dict[str, AccountUse] = {}
    old_time: Record | None = None
    for record in found[:_MOST]:
        locator = f"offset={record.offset}"
        match record.kind:
            case 7 if record.user:
                place = f"{log}: signed in at {record.line or 'line not recorded'}" + (f" from {record.host}" if record.host else "")
                use = AccountUse(
                    service=system,
                    account=record.user,
                    time=record.time,
                    count=1,
                    user=record.user,
                    how=place,
                    locator=locator,
                )
                sessions.append(use)
                on_line[record.line] = use
            case 8:
                if (ended := on_line.pop(record.line, None)) is not None:
                    ended.last = record.time
            case 2:
                on_line.clear()  # whoever was signed in is not any more, and when they went is not recorded
                yield SystemFact(
                    name="start-up and shutdown",
                    value=f"started, {record.host}" if record.host else "started",
                    time=record.time,
                    locator=locator,
                )
            case 1 if record.user == "shutdown":
                yield SystemFact(name="start-up and shutdown", value="shut down", time=record.time, locator=locator)
            case 11:
                yield SystemFact(name="start-up and shutdown", value="shut down", time=record.time, locator=locator)
            case 4:
                old_time = record
            case 3:
                yield ClockChange(
                    time=record.time,
                    before=old_time.time if old_time else NOT_RECORDED,
                    after=record.time,
                    how=f"{log}: the clock was set",
                    locator=locator,
                )
                old_time = None
    yield from sessions
    if len(found) > _MOST:
        yield Problem(f"more than {_MOST} records: the rest is not kept", Status.FAILED, f"offset={found[_MOST].offset}")
    times = [record.time for record in found if isinstance(record.time, Timestamp)]
    span = f", {min(times).isoformat()} to {max(times).isoformat()}" if times else ""
    yield SystemFact(name="sign-in records", value=f"{len(found)} records{span}", time=min(times, default=NOT_RECORDED), locator="offset=0")


def parse_failed(file: EvidenceFile) -> Results:
    """``SystemFact`` for failed sign-ins, by place. The names that were typed are not kept: people type passwords there by mistake."""
    found = records(file.read(_LARGEST))
    places = Counter((record.line if not record.host else f"{record.line} from {record.host}") for record in found)
    for place, count in sorted(places.items())[:_MOST]:
        times = [
            item.time
            for item in found
            if isinstance(item.time, Timestamp) and (item.line if not item.host else f"{item.line} from {item.host}") == place
        ]
        last = f", the last {max(times).isoformat()}" if times else ""
        yield SystemFact(name="failed sign-ins", value=f"{count} at {place}{last}", time=min(times, default=NOT_RECORDED))


def parse_last(file: EvidenceFile) -> Results:
    """``AccountUse`` for each user number that ever signed in. The file has holes as large as the highest user number."""
    number = read = 0
    with file.open() as stream:
        while chunk := stream.read(_LASTLOG_SIZE * 8192):
            if any(chunk):
                for at in range(0, len(chunk) - _LASTLOG_SIZE + 1, _LASTLOG_SIZE):
                    seconds, line, host = struct.unpack_from("<i32s256s", chunk, at)
                    if seconds:
                        user = number + at // _LASTLOG_SIZE
                        where = _text(line) + (f" from {_text(host)}" if _text(host) else "")
                        yield AccountUse(
                            service="Linux",
                            account=f"uid {user}",
                            last=from_unix(seconds),
                            how=f"lastlog: {where}",
                            locator=f"offset={user * _LASTLOG_SIZE}",
                        )
            number += len(chunk) // _LASTLOG_SIZE
            if (read := read + len(chunk)) >= _LARGEST:
                yield Problem(f"only the first {read} bytes were read", Status.FAILED, f"offset={read}")
                return
    if read % _LASTLOG_SIZE:
        yield Problem("the last record is cut short", Status.FAILED, f"offset={read // _LASTLOG_SIZE * _LASTLOG_SIZE}")


_REFERENCE = ("https://man7.org/linux/man-pages/man5/utmp.5.html",)

ARTEFACTS = (
    Artefact(
        id="linux.sign_ins",
        title="Sign-in records",
        meaning="Who signed in, from where, when and how long; when the computer was started and its clock set.",
        paths=("**/var/log/wtmp*", "**/run/utmp"),
        parse=parse,
        references=_REFERENCE,
        systems=("linux",),
        validation="specimens, little- and big-endian; generated",
    ),
    Artefact(
        id="linux.failed_sign_ins",
        title="Failed sign-ins",
        meaning="How often a sign-in failed, where and when last.",
        paths=("**/var/log/btmp*",),
        parse=parse_failed,
        references=_REFERENCE,
        systems=("linux",),
    ),
    Artefact(
        id="linux.last_sign_ins",
        title="Last sign-ins",
        meaning="When each user number last signed in.",
        paths=("**/var/log/lastlog",),
        parse=parse_last,
        references=("https://man7.org/linux/man-pages/man8/lastlog.8.html",),
        systems=("linux",),
    ),
    Artefact(
        id="macos.sign_ins",
        title="Sign-in records of macOS",
        meaning="Who signed in since the Mac was last started.",
        paths=("**/var/run/utmpx",),
        parse=parse_mac,
        references=("https://keith.github.io/xcode-man-pages/endutxent.3.html",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
)
