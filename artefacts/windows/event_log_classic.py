"""Windows event logs before Vista (.evt): the same facts as from the modern ones, as far as those systems logged them.

A header of 48 bytes, then records one after the other; in a log that is full they go on at its start again. Times are Unix seconds (UTC). Where
the header is stale (the log was copied while in use) or wrong, records are found by their signature, and by their length being at both ends.

Sources: MS-EVEN (EVENTLOGRECORD); libyal, "Windows Event Log (EVT) format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Time, from_unix
from artefacts.windows.event_facts import INTERESTING, Event, EventFacts

_SIGNATURE = b"LfLe"
_HEADER, _FIXED = 48, 56
_LARGEST = 1 << 30  # bytes; Windows itself allowed some 300 MB for all logs
_LARGEST_RECORD = 1 << 17
_MOST_PROBLEMS = 1000
_DIRTY = 1


@dataclass(slots=True)
class Record:
    """One record as it lies in the file. ``type``: 1 error, 2 warning, 4 information, 8 audit success, 16 audit failure."""

    offset: int
    number: int
    time: Time
    id: int
    type: int
    category: int
    source: str
    computer: str
    user: str | None
    strings: tuple[str, ...]
    data: bytes


def records(data: bytes) -> Iterator[Record | Problem]:
    """Every record in the bytes of a log, in the order in which they lie."""
    place = data.find(_SIGNATURE, _HEADER) - 4
    problems = 0
    while place >= _HEADER and problems < _MOST_PROBLEMS:
        (length,) = struct.unpack_from("<I", data, place)
        raw = data[place : place + length] if length <= _LARGEST_RECORD else b""
        if len(raw) < length <= _LARGEST_RECORD:
            raw += data[_HEADER : _HEADER + length - len(raw)]  # it goes on at the start of the log
        following = place + 8
        if length < _FIXED + 4 or length % 4 or len(raw) != length or raw[-4:] != raw[:4]:
            problems += 1
            yield Problem("a record is damaged", Status.FAILED, f"offset={place}")
        else:
            yield _record(raw, place)
            following = place + length
        place = data.find(_SIGNATURE, following) - 4
    if problems >= _MOST_PROBLEMS:
        yield Problem(f"more than {_MOST_PROBLEMS} problems: the rest is not read", Status.FAILED)


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """The records of ``event_facts``; those whose number the header no longer counts are ``recovered``."""
    data = file.read(_LARGEST + 1)
    if data[4:8] != _SIGNATURE or int.from_bytes(data[:4], "little") != _HEADER:
        raise Unrecognised("not an event log")
    if len(data) > _LARGEST:
        yield Problem(f"larger than {_LARGEST} bytes: the rest is not read", Status.FAILED, f"offset={_LARGEST}")
    if len(data) < _HEADER:
        yield Problem(f"cut short: {len(data)} bytes", Status.FAILED, f"offset={len(data)}")
        return
    following, oldest, stated, flags = struct.unpack_from("<4I", data, 24)
    facts = EventFacts(file.name.rsplit(".", 1)[0])
    computers: set[str] = set()
    damaged = False
    if len(data) < stated:
        damaged = True
        yield Problem(f"cut short: {len(data)} of {stated} bytes", Status.FAILED, f"offset={len(data)}")
    for record in records(data):
        if isinstance(record, Problem):
            damaged = True
            yield record
            continue
        old = not flags & _DIRTY and not oldest <= record.number < following
        if not old:
            facts.saw(record.number, record.time)
        if len(computers) < 20:
            computers.add(record.computer)
        if record.id in INTERESTING:
            event = Event(
                provider=record.source, id=record.id, number=record.number, time=record.time, log=facts.log, user=record.user,
                strings=record.strings, recovered=old,
            )  # fmt: skip
            yield from facts.take(event)
    yield from facts.finish(damaged=damaged, computers=computers)
    if facts.dropped:
        yield Problem("more accounts, devices, programs or gaps than are kept", Status.FAILED)


def _record(raw: bytes, offset: int) -> Record:
    number, written, _, identifier, kind, count, category = struct.unpack_from("<4I3H", raw, 8)
    strings_at, sid_length, sid_at, data_length, data_at = struct.unpack_from("<5I", raw, 36)
    source, after = _text(raw, _FIXED)
    computer, _ = _text(raw, after)
    strings: list[str] = []
    place = strings_at
    for _ in range(count):
        if not _FIXED <= place < len(raw) - 4:
            break
        text, place = _text(raw, place)
        strings.append(text)
    return Record(
        offset=offset,
        number=number,
        time=from_unix(written),
        id=identifier & 0xFFFF,
        type=kind,
        category=category,
        source=source,
        computer=computer,
        user=sid_text(raw[sid_at : sid_at + sid_length]) if sid_length else None,
        strings=tuple(strings),
        data=raw[data_at : data_at + data_length],
    )


def _text(raw: bytes, place: int) -> tuple[str, int]:
    """A string in UTF-16 up to its zero, and where the next begins."""
    end = place
    while end + 1 < len(raw) and raw[end : end + 2] != b"\0\0":
        end += 2
    return raw[place:end].decode("utf-16-le", "backslashreplace"), end + 2


def sid_text(raw: bytes) -> str | None:
    """A SID in its usual notation (``S-1-5-…``), or None where the bytes are none."""
    if len(raw) < 8 or len(raw) < 8 + 4 * raw[1]:
        return None
    parts = struct.unpack_from(f"<{raw[1]}I", raw, 8)
    return "-".join(map(str, ("S", raw[0], int.from_bytes(raw[2:8], "big"), *parts)))


ARTEFACTS = (
    Artefact(
        id="windows.event_log_classic",
        title="Event logs before Vista",
        meaning="Who signed in when, when the machine ran, and whether logs were cleared or the clock was set.",
        paths=("**/*.evt",),
        parse=parse,
        references=("https://github.com/libyal/libevt/blob/main/documentation/Windows%20Event%20Log%20(EVT)%20format.asciidoc",),
        systems=("windows",),
        validation="2 specimens",
    ),
)
