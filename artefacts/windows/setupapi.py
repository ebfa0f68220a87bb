"""The device installation logs (setupapi.dev.log, setupapi.setup.log, before Vista setupapi.log): when a device was first connected.

Times are the wall clock of the machine. Since Vista a section begins with ``>>>  [Title]`` and ``>>>  Section start TIME``; before, with
``[TIME PID.COUNT Title]``.

Source: Microsoft, "SetupAPI text logs: format of a text log section"; checked against the specimen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AttachedDevice, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, from_local
from artefacts.windows.devices import describe
from artefacts.windows.text import decode

_LARGEST = 64 << 20  # bytes
_MOST_DEVICES = 20_000
_MOST_PROBLEMS = 100
_TITLE = re.compile(r"^>>>  \[(.{0,2000})\]\s*$")
_START = re.compile(r"^>>>  Section start (\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\s*$")
_OLD = re.compile(r"^\[(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) \d+\.\d+(?: (.{0,2000}))?\]\s*$")
_CONFIGURED = re.compile(r"^\s*set: (\S.{0,500}?) -> Configured")
_OLD_INSTALL = re.compile(r'Device install of "([^"]{1,500})"')


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AttachedDevice`` for each outer device, its first and last installation; one ``SystemFact``: what the log covers."""
    data = file.read(_LARGEST + 1)
    text = decode(data[:_LARGEST])
    devices: dict[str, AttachedDevice] = {}
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    time: Time = NOT_RECORDED
    sections, unstarted, title, titled_at = 0, 0, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TITLE.match(line):
            if titled_at and (unstarted := unstarted + 1) <= _MOST_PROBLEMS:
                yield Problem("a section does not say when it began", Status.FAILED, f"line={titled_at}")
            title, titled_at = found[1], number
            continue
        if (found := _START.match(line)) or (found := _OLD.match(line)):
            time = _local(found[1], found[2], found[3], found[4])
            sections, last, titled_at = sections + 1, time, 0
            first = time if sections == 1 else first
            if found.re is _START:
                _add(devices, title.partition(" - ")[2], time, number, "device installation log")
            continue
        if found := _CONFIGURED.match(line):
            _add(devices, found[1], time, number, "device installation log, present when Windows was installed")
        elif found := _OLD_INSTALL.search(line):
            _add(devices, found[1], time, number, "device installation log")
    if not sections:
        if "[Device Install Log]" not in text and "[BeginLog]" not in text and "[SetupAPI Log]" not in text:
            raise Unrecognised("not a device installation log")
        return
    yield SystemFact(
        name="device installation log", value=f"{sections} sections, the last from {_words(last)}", time=first, locator="line=1"
    )
    yield from devices.values()
    if len(data) > _LARGEST:
        yield Problem(f"larger than {_LARGEST} bytes: the rest is not read", Status.FAILED, f"offset={_LARGEST}")
    if len(devices) >= _MOST_DEVICES:
        yield Problem(f"more than {_MOST_DEVICES} devices: the rest is not kept", Status.FAILED)


def _add(devices: dict[str, AttachedDevice], instance: str, time: Time, line: int, how: str) -> None:
    key = instance.upper()
    known = devices.get(key)
    if known is not None:
        known.last, known.count = time, (known.count or 0) + 1
        return
    fields = describe(instance)
    if fields is not None and len(devices) < _MOST_DEVICES:
        devices[key] = AttachedDevice(**fields, first=time, last=time, how=how, count=1, locator=f"line={line}")


def _local(year: str, month: str, day: str, clock: str) -> NoTime:
    return from_local(f"{year}-{month}-{day}T{clock}", "this log is written in the machine's own time")


def _words(time: Time) -> str:
    return (time.local or "an unknown time") if isinstance(time, NoTime) else time.isoformat()


ARTEFACTS = (
    Artefact(
        id="windows.setupapi",
        title="Device installation logs",
        meaning="Devices that were connected, and when each was connected first.",
        paths=(
            "Windows/inf/setupapi*.log", "Windows/setupapi.log", "WINNT/setupapi.log", "Windows.old/Windows/inf/setupapi*.log",
            "Windows/Panther/setupapi*.log",
        ),
        parse=parse,
        references=("https://learn.microsoft.com/windows-hardware/drivers/install/setupapi-text-logs",),
        systems=("windows",),
        validation="specimen of Windows 10; generated",
    ),
)  # fmt: skip
