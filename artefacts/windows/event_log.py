"""Windows event logs since Vista (.evtx): cleared logs, clock changes, sign-ins, start-up and shutdown, services, devices, networks, gaps.

Source: libyal, "Windows XML Event Log (EVTX) format"; read by the evtx library. What the events mean: ``artefacts.windows.event_facts``.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.event_facts import INTERESTING, Event, EventFacts, parse_time

_SIGNATURE, _CHUNK_SIGNATURE = b"ElfFile\0", b"ElfChnk\0"
_HEADER, _CHUNK = 4096, 65_536
_MOST_PROBLEMS = 1000
_LARGEST_MENDED = 512 << 20  # bytes of a log without a sound header that are read into memory
_EVENT_ID = re.compile(r'"EventID":\s*(?:(\d+)|\{\s*"#attributes":\s*\{[^}]*\},\s*"#text":\s*(\d+))')
_COMPUTER = re.compile(r'"Computer":\s*"([^"]*)"')


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """The records of ``event_facts``. A damaged chunk or record is one ``Problem`` and costs nothing else."""
    with file.open() as stream:
        head = stream.read(_HEADER)
        size = stream.seek(0, io.SEEK_END)
        stream.seek(_HEADER)
        first = stream.read(8)
        if not head.startswith(_SIGNATURE) and first != _CHUNK_SIGNATURE:
            raise Unrecognised("not an event log")
        stream.seek(0)
        yield from _read(file, stream, head, size)


def _read(file: EvidenceFile, stream: BinaryIO, head: bytes, size: int) -> Iterator[Observation | Problem]:
    import evtx

    facts = EventFacts(file.name.rsplit(".", 1)[0].replace("%4", "/"))
    computers: set[str] = set()
    problems = 0
    if size > _HEADER and (size - _HEADER) % _CHUNK:
        problems += 1
        yield Problem(f"cut short: {size} bytes are no whole number of chunks", Status.FAILED, f"offset={size}")
    try:
        records = evtx.PyEvtxParser(stream, number_of_threads=1).records_json()
    except (RuntimeError, OSError, ValueError):
        problems += 1
        yield Problem("its header is damaged: the records are read without it", Status.FAILED, "offset=0")
        stream.seek(_HEADER)
        mended = io.BytesIO(_header(max(1, (size - _HEADER) // _CHUNK)) + stream.read(_LARGEST_MENDED))
        try:
            records = evtx.PyEvtxParser(mended, number_of_threads=1).records_json()
        except (RuntimeError, OSError, ValueError):
            yield Problem("nor can they be read without it", Status.FAILED, "offset=4096")
            return
    while problems < _MOST_PROBLEMS:
        try:
            record: Any = next(records)
        except StopIteration:
            break
        except (RuntimeError, OSError, ValueError, OverflowError) as error:
            problems += 1
            yield Problem(" ".join(str(error).split())[:300], Status.FAILED)
            continue
        text, number = record["data"], record["event_record_id"]
        time = parse_time(record["timestamp"])
        facts.saw(number, time)
        if len(computers) < 20 and (computer := _COMPUTER.search(text)):
            computers.add(computer[1])
        found = _EVENT_ID.search(text)
        if found and int(found[1] or found[2]) not in INTERESTING:
            continue
        event = _event(text, number, time)
        if event is None:
            problems += 1
            yield Problem("an event is not in the form of events", Status.FAILED, f"record={number}")
        else:
            yield from facts.take(event)
    else:
        yield Problem(f"more than {_MOST_PROBLEMS} problems: the rest is not read", Status.FAILED)
    yield from facts.finish(damaged=problems > 0, computers=computers)
    if facts.dropped:
        yield Problem("more accounts, devices, programs or gaps than are kept", Status.FAILED)


def _event(text: str, number: int, time: Any) -> Event | None:
    try:
        event = json.loads(text)["Event"]
        system = event["System"]
        identifier = system["EventID"]
        provider = system["Provider"]["#attributes"].get("Name") or ""
        security = system.get("Security")
        user = security["#attributes"].get("UserID") if isinstance(security, dict) else None
        data, strings = _values(event)
        return Event(
            provider=provider,
            id=int(identifier["#text"] if isinstance(identifier, dict) else identifier),
            number=number,
            time=time,
            log=str(system.get("Channel") or ""),
            user=user,
            data=data,
            strings=strings,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None


def _values(event: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The values of an event: by name, and those without names in order."""
    body = event.get("EventData") or {}
    inner = event.get("UserData")
    if isinstance(inner, dict):
        body = next((value for value in inner.values() if isinstance(value, dict)), {})
    data: dict[str, str] = {}
    strings: tuple[str, ...] = ()
    for name, value in body.items() if isinstance(body, dict) else ():
        if isinstance(value, dict):
            value = value.get("#text")
        if isinstance(value, list):
            strings = tuple(_text(item) for item in value)
        elif name == "Data":
            strings = (_text(value),)
        elif name != "#attributes":
            data[name] = _text(value)
        attributes = body.get("#attributes")
        if isinstance(attributes, dict):
            data.update({key: _text(item) for key, item in attributes.items() if key not in data})
    return data, strings


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _header(chunks: int) -> bytes:
    """A sound file header for ``chunks`` chunks, in place of a damaged one."""
    start = _SIGNATURE + struct.pack("<QQQIHHHH", 0, chunks - 1, 1, 128, 1, 3, _HEADER, min(chunks, 0xFFFF)) + bytes(76)
    return (start + struct.pack("<II", 0, zlib.crc32(start))).ljust(_HEADER, b"\0")


ARTEFACTS = (
    Artefact(
        id="windows.event_log",
        title="Event logs",
        meaning="Who signed in when, when the machine ran, what was plugged in, printed, fetched or started, and whether logs were cleared or the clock was set.",
        paths=("**/*.evtx",),
        parse=parse,
        references=("https://github.com/libyal/libevtx/blob/main/documentation/Windows%20XML%20Event%20Log%20(EVTX).asciidoc",),
        systems=("windows",),
        validation="32 specimens, Windows 7 to 10",
    ),
)
