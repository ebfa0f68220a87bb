"""The systemd journal (``*.journal``): which boots it covers, where entries are missing, and the facts in its messages.

A file: header (magic ``LPKSHHRH``), then objects, each at a multiple of eight: type, flags, six bytes, size (u64). A data object holds ``FIELD=value``, perhaps compressed; an
entry holds its number, wall clock and uptime (microseconds), its boot and the places of its data. The objects are read one after the other, so that no broken index hides
an entry. Compressed data are longer than any message that is wanted (systemd compresses from 512 bytes) and are not unpacked.

Source: systemd, "Journal File Format" (systemd.io/JOURNAL_FILE_FORMAT); checked against journalctl.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.linux.log_facts import LogFacts
from artefacts.observations import ClockChange, LogGap, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime, Time, Timestamp, from_unix

_LARGEST = 256 << 20  # bytes
_DATA, _ENTRY = 1, 3
_COMPRESSED = 1 | 2 | 4
_COMPACT = 16
_STATES = {0: "closed", 1: "in use, or not closed properly", 2: "archived"}
_MOST_PROBLEMS = 20
_MOST_BOOTS = 5_000
_MOST_GAPS = 1_000
_STEP_BACK = 2_000_000  # microseconds: smaller steps are the clock being kept right
_FIELDS = (b"SYSLOG_IDENTIFIER=", b"_COMM=", b"MESSAGE=", b"_HOSTNAME=")


@dataclass(slots=True)
class _Boot:
    first: int
    last: int
    count: int = 0


def entries(data: bytes) -> Iterator[tuple[int, int, int, int, bytes, tuple[int, ...]] | Problem]:
    """(offset, number, wall clock, uptime, boot, places of its data) of each entry in the order of the file; times in microseconds.

    Raises ``Unrecognised`` where it is no journal.
    """
    if data[:8] != b"LPKSHHRH" or len(data) < 208:
        raise Unrecognised("not a systemd journal")
    incompatible = struct.unpack_from("<I", data, 12)[0]
    start, arena = struct.unpack_from("<QQ", data, 88)
    if start + arena > len(data):
        yield Problem(f"the head says {start + arena} bytes, there are {len(data)}", Status.FAILED, "offset=88")
    place, end = start, min(start + arena, len(data))
    bad = 0
    while place + 16 <= end:
        kind, _, size = struct.unpack_from("<BB6xQ", data, place)
        if kind == 0 and size == 0:
            break  # not used yet
        if not 1 <= kind <= 7 or size < 16 or place + size > end:
            if (bad := bad + 1) <= _MOST_PROBLEMS:
                yield Problem("what follows is not an object", Status.FAILED, f"offset={place}")
            return
        if kind == _ENTRY and size >= 64:
            number, wall, uptime, boot = struct.unpack_from("<QQQ16s", data, place + 16)
            if incompatible & _COMPACT:
                items = struct.unpack_from(f"<{(size - 64) // 4}I", data, place + 64)
            else:
                items = struct.unpack_from("<" + "Q8x" * ((size - 64) // 16), data, place + 64)
            yield place, number, wall, uptime, boot, items
        place += -(-size // 8) * 8


def field(data: bytes, place: int, compact: bool) -> bytes | None:
    """``FIELD=value`` of the data object at ``place``; None where there is none, or where it is compressed."""
    if place + 64 > len(data):
        return None
    kind, flags, size = struct.unpack_from("<BB6xQ", data, place)
    head = 72 if compact else 64
    if kind != _DATA or flags & _COMPRESSED or size < head:
        return None
    return data[place + head : min(place + size, place + head + 4096)]


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``SystemFact`` for the file and for each boot, ``LogGap`` for missing files, ``ClockChange`` where the clock went back, and what ``LogFacts`` finds."""
    data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        yield Problem(f"larger than {_LARGEST} bytes: the rest is not read", Status.FAILED, f"offset={_LARGEST}")
    compact = bool(len(data) >= 16 and struct.unpack_from("<I", data, 12)[0] & _COMPACT)
    facts = LogFacts(f"systemd journal {file.name}")
    known: dict[int, tuple[bytes, bytes] | None] = {}  # by place: the fields that are wanted; each is used by many entries
    boots: dict[bytes, _Boot] = {}
    hosts: set[str] = set()
    numbers: list[tuple[int, int]] = []  # number and wall clock
    previous: tuple[bytes, int, int] | None = None
    steps: list[Observation] = []
    packed: set[int] = set()
    unread = 0

    def wanted(place: int) -> tuple[bytes, bytes] | None:
        if place not in known:
            text = field(data, place, compact)
            if text is None and data[place : place + 1] == bytes([_DATA]) and data[place + 1] & _COMPRESSED:
                packed.add(place)
            name = next((name for name in _FIELDS if text is not None and text.startswith(name)), None)
            known[place] = (name, text[len(name) :]) if name is not None and text is not None else None
        return known[place]

    for item in entries(data):
        if isinstance(item, Problem):
            yield item
            continue
        _, number, wall, uptime, boot, items = item
        numbers.append((number, wall))
        found = boots.get(boot)
        if found is None and len(boots) < _MOST_BOOTS:
            found = boots[boot] = _Boot(wall, wall)
        if found is not None:
            found.first, found.last, found.count = min(found.first, wall), max(found.last, wall), found.count + 1
        if (
            previous is not None
            and previous[0] == boot
            and uptime >= previous[2]
            and wall < previous[1] - _STEP_BACK
            and len(steps) < _MOST_GAPS
        ):
            how = f"systemd journal {file.name}: the clock went back while the computer ran on"
            steps.append(ClockChange(time=_time(wall), before=_time(previous[1]), after=_time(wall), how=how, locator=f"entry={number}"))
        previous = (boot, wall, uptime)
        values = dict(value for at in items if (value := wanted(at)) is not None)
        unread += b"MESSAGE=" not in values and any(at in packed for at in items)
        host = values.get(b"_HOSTNAME=")
        if host is not None and len(hosts) < 50:
            hosts.add(host.decode("utf-8", "backslashreplace")[:255])
        program = (values.get(b"SYSLOG_IDENTIFIER=") or values.get(b"_COMM=") or b"").decode("utf-8", "backslashreplace")
        message = values.get(b"MESSAGE=")
        if message is not None and program == "systemd-journald" and message.startswith(b"Vacuuming done") and len(steps) < _MOST_GAPS:
            words = message.decode("utf-8", "backslashreplace")
            steps.append(SystemFact(name="journal vacuumed", value=words, time=_time(wall), locator=f"entry={number}"))
        elif message is not None and facts.wants(program):
            facts.feed(program, message.decode("utf-8", "backslashreplace"), _time(wall), f"entry={number}")
    if unread:
        yield Problem(f"{unread} messages are long, compressed and not read", Status.SKIPPED)
    yield _summary(data, numbers)
    for name in sorted(hosts):
        yield SystemFact(name="host name in the journal", value=name)
    for boot, run in sorted(boots.items(), key=lambda pair: (pair[1].first, pair[0])):
        yield SystemFact(
            name="time of running",
            value=f"{run.count} entries until {_words(_time(run.last))}",
            time=_time(run.first),
            locator=f"boot={boot.hex()}",
        )
    yield from _gaps(file, data)
    yield from steps
    yield from facts.finish()


def _summary(data: bytes, numbers: list[tuple[int, int]]) -> SystemFact:
    state = _STATES.get(data[16], "in a state not known")
    first = min((wall for _, wall in numbers), default=0)
    last = max((wall for _, wall in numbers), default=0)
    low = min((number for number, _ in numbers), default=0)
    value = f"{len(numbers)} entries from number {low}, the last {_words(_time(last))}; file {state}; machine {data[40:56].hex()}"
    return SystemFact(name="systemd journal", value=value, time=_time(first), locator="offset=0")


def _gaps(file: EvidenceFile, own: bytes) -> Iterator[Observation | Problem]:
    """Numbers that no journal in the folder covers, told once, by the one in use (``system.journal``); only the heads of the others are read.

    The files of a machine and its users share one count of entries. What is missing at the front was dropped when the journal grew, or vacuumed.
    """
    if file.name != "system.journal":
        return
    heads = []
    for other in file.siblings():
        head = other.read(208) if other.name.endswith((".journal", ".journal~")) else b""
        if head[:8] == b"LPKSHHRH" and len(head) == 208 and head[72:88] == own[72:88]:
            tail, first, _, began, ended = struct.unpack_from("<5Q", head, 160)
            if 0 < first <= tail:
                heads.append((first, tail, began, ended))
    reached, ended, told = 0, 0, 0
    for first, tail, began, last in sorted(heads):
        if first > reached + 1 and (told := told + 1) <= _MOST_GAPS:
            reason = "between two files of the journal" if reached else "before the oldest file: dropped when the journal grew, or removed"
            yield LogGap(
                log="systemd journal",
                first=reached + 1,
                last=first - 1,
                before=_time(ended),
                after=_time(began),
                reason=reason,
                locator="offset=160",
            )
        if tail > reached:
            reached, ended = tail, last


def _time(microseconds: int) -> Time:
    return from_unix(microseconds, unit_ns=1000) if microseconds < 1 << 60 else NoTime("outside the calendar")


def _words(time: Time) -> str:
    return time.isoformat() if isinstance(time, Timestamp) else "at a time not recorded"


ARTEFACTS = (
    Artefact(
        id="linux.journal",
        title="systemd journal",
        meaning="When the computer ran, devices plugged in, networks, sign-ins, clock changes, and where entries are missing.",
        paths=("**/log/journal/**/*.journal", "**/log/journal/**/*.journal~"),
        parse=parse,
        references=("https://systemd.io/JOURNAL_FILE_FORMAT/",),
        systems=("linux",),
        validation="specimens of systemd 229 to 257; generated",
    ),
)
