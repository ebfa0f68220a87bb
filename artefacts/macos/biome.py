"""What was in use, as Biome keeps it since macOS 12: streams of records in SEGB files.

SEGB 1: a head of 56 bytes (end of the data in the first four, magic ``SEGB`` at 52), then records: length, state, two Cocoa doubles (UTC), checksum, unknown,
32 bytes in all, and the content, padded to eight. SEGB 2: magic first, number of records at 4, made at 8; contents, each after a checksum and four unknown
bytes, lie from byte 32, and a table of 16-byte entries (end of the content, state, time) at the end of the file, backwards. The content is a Protocol Buffers message.

Sources: cclgroupltd/ccl-segb (documentation of both versions); Protocol Buffers encoding (protobuf.dev). Read from the bytes, nothing copied.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_cocoa

_LARGEST = 64 << 20  # bytes
_MOST_PROBLEMS = 50
_MOST_PROGRAMS = 20_000
_WRITTEN, _DELETED = 1, 3
_V1_HEAD, _V1_RECORD, _V2_HEAD, _V2_ENTRY = 56, 32, 32, 16
# Streams that name a program, and the field of the message that holds its bundle identifier.
_STREAMS = {"app.infocus": ("in the foreground", 6), "app.mediausage": ("playing media", 6), "app.webusage": ("showing web pages", 1)}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a SEGB file: when it was written, whether it is marked deleted, and its content."""

    offset: int
    time: Time
    deleted: bool
    content: bytes


def records(data: bytes) -> Iterator[Record | Problem]:
    """The records of a SEGB file of either version, in the order of their places. Raises ``Unrecognised`` for anything else."""
    if data[:4] == b"SEGB" and len(data) >= _V2_HEAD:
        yield from _version_2(data)
    elif data[52:56] == b"SEGB":
        yield from _version_1(data)
    else:
        raise Unrecognised("not a SEGB file")


def _version_1(data: bytes) -> Iterator[Record | Problem]:
    end = struct.unpack_from("<I", data)[0]
    if end > len(data):
        yield Problem(f"the head says {end} bytes, there are {len(data)}", Status.FAILED, "offset=0")
    place = _V1_HEAD
    while place + _V1_RECORD <= min(end, len(data)):
        length, state, written, _ = struct.unpack_from("<iidd", data, place)
        start = place + _V1_RECORD
        if length < 0 or start + length > len(data):
            yield Problem(f"a record of {length} bytes does not fit", Status.FAILED, f"offset={place}")
            return
        if state in (_WRITTEN, _DELETED):
            yield Record(place, from_cocoa(written), state == _DELETED, data[start : start + length])
        place = start + -(-length // 8) * 8


def _version_2(data: bytes) -> Iterator[Record | Problem]:
    count = struct.unpack_from("<i", data, 4)[0]
    fit = (len(data) - _V2_HEAD) // _V2_ENTRY
    if not 0 <= count <= fit:
        yield Problem(f"the head counts {count} records: more than fit", Status.FAILED, "offset=4")
        count = 0
    table = sorted(struct.unpack_from("<iid", data, len(data) - _V2_ENTRY * (number + 1)) for number in range(count))
    start = 0
    for end, state, written in table:
        if not start <= end <= len(data) - _V2_HEAD - _V2_ENTRY * count:
            yield Problem(f"a record that ends at {end} does not fit", Status.FAILED, f"offset={_V2_HEAD + start}")
            continue
        if state in (_WRITTEN, _DELETED):
            yield Record(_V2_HEAD + start, from_cocoa(written), state == _DELETED, data[_V2_HEAD + start + 8 : _V2_HEAD + end])
        start = -(-end // 4) * 4


def texts(message: bytes) -> dict[int, str]:
    """The fields of a Protocol Buffers message that are short texts, by number; reading stops where the message is damaged."""
    found: dict[int, str] = {}
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while shift < 70:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise IndexError

    try:
        while place < len(message):
            key = varint()
            match key & 7:
                case 0:
                    varint()
                case 1:
                    place += 8
                case 5:
                    place += 4
                case 2:
                    length = varint()
                    if place + length > len(message):
                        return found
                    if 0 < length <= 1024:
                        try:
                            found.setdefault(key >> 3, message[place : place + length].decode("utf-8"))
                        except UnicodeDecodeError:
                            pass
                    place += length
                case _:
                    return found
    except IndexError:
        pass
    return found


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each program of a stream that names programs (newest record, count); one ``SystemFact``: what the file covers."""
    data = file.read(_LARGEST + 1)
    stream = next((part.lower() for part in reversed(file.path.split("/")) if part.lower() in _STREAMS), None)
    what, field = _STREAMS[stream] if stream else ("", 0)
    programs: dict[str, list[Record]] = {}
    count = deleted = problems = 0
    times: list[Timestamp] = []
    for record in records(data[:_LARGEST]):
        if isinstance(record, Problem):
            if (problems := problems + 1) <= _MOST_PROBLEMS:
                yield record
            continue
        count, deleted = count + 1, deleted + record.deleted
        if isinstance(record.time, Timestamp):
            times.append(record.time)
        name = texts(record.content).get(field) if field else None
        if name and (name in programs or len(programs) < _MOST_PROGRAMS):
            programs.setdefault(name, []).append(record)
    if len(data) > _LARGEST:
        yield Problem(f"larger than {_LARGEST} bytes: the rest is not read", Status.FAILED, f"offset={_LARGEST}")
    if count:
        value = f"{count} records, {deleted} of them deleted" + (
            f", from {min(times).isoformat()} to {max(times).isoformat()}" if times else ""
        )
        yield SystemFact(name=f"Biome {stream or 'stream'}", value=value, time=min(times, default=NOT_RECORDED), locator="offset=0")
    for name, used in sorted(programs.items()):
        dated = [item for item in used if isinstance(item.time, Timestamp)]
        newest = max(dated or used, key=lambda item: item.time.ns if isinstance(item.time, Timestamp) else 0)
        yield ProgramRun(
            program=name, time=newest.time, count=len(used), user=file.user, how=f"Biome ({what})", time_meaning="newest record",
            locator=f"offset={newest.offset}",
        )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="macos.biome",
        title="Biome",
        meaning="Which programs were in the foreground and when, since macOS 12.",
        paths=(
            "**/Biome/streams/*/App.InFocus/local/*",
            "**/Biome/streams/*/App.MediaUsage/local/*",
            "**/Biome/streams/*/App.WebUsage/local/*",
        ),
        parse=parse,
        references=("https://github.com/cclgroupltd/ccl-segb",),
        systems=("macos",),
    ),
)
