"""Scheduled tasks: what Windows starts by itself, for whom; and for tasks of before Vista, when it last did.

``.job`` files: a fixed part of 68 bytes, then strings counted in 16 bits; the last run is a SYSTEMTIME on the machine's own clock. Since
Vista tasks are XML files, in UTF-16, below ``System32/Tasks``.

Sources: MS-TSCH 2.4 (.job) and 2.5 (XML); the specimen.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from xml.etree import ElementTree

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, ProgramRun, StartupItem
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_local
from artefacts.windows.paths import name_of
from artefacts.windows.text import decode

_LARGEST = 1 << 20  # bytes
_FIXED = 68
_VERSIONS = frozenset((0x0400, 0x0500, 0x0501, 0x0502, 0x0600, 0x0601, 0x0602, 0x0603, 0x0A00))
_SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
_TRIGGERS = 50
_ACTIONS = 32


def parse_job(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for the last run of a ``.job`` file, ``StartupItem`` where it never ran."""
    data = file.read(_LARGEST)
    if len(data) < _FIXED or struct.unpack_from("<H", data)[0] not in _VERSIONS or struct.unpack_from("<H", data, 2)[0] != 1:
        raise Unrecognised("not a scheduled task")
    place = struct.unpack_from("<H", data, 20)[0]
    texts: list[str] = []
    for part in ("program", "parameters", "working folder", "author", "comment"):
        count = int.from_bytes(data[place : place + 2], "little")
        end = place + 2 + 2 * count
        if place < _FIXED or end > len(data):
            yield Problem(f"cut short before its {part}", Status.FAILED, f"offset={place}")
            break
        texts.append(data[place + 2 : end].decode("utf-16-le", "backslashreplace").rstrip("\0"))
        place = end
    program = texts[0] if texts else ""
    user = texts[3] if len(texts) > 3 and texts[3] else None
    if not program:
        return
    last = _system_time(data[52:68])
    if last is NOT_RECORDED:
        yield StartupItem(
            name=file.name, command=" ".join(filter(None, texts[:2])), start="scheduled, never ran", user=user, how="scheduled task"
        )
    else:
        yield ProgramRun(
            program=name_of(program), path=program, time=last, user=user, how="scheduled task", time_meaning="last run", locator="offset=52"
        )


def parse_xml(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``StartupItem`` for each program that a task starts."""
    text = decode(file.read(_LARGEST))
    if _SPACE[1:-1] not in text[:4000] or "<Task" not in text:
        raise Unrecognised("not a scheduled task")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        # No task has them, and they are how a small file becomes a huge one.
        yield Problem("it declares entities: not read", Status.FAILED)
        return
    try:
        # The declaration names UTF-16; what is parsed is text already.
        root = ElementTree.fromstring(text[text.index("<Task") :])
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        yield Problem(f"damaged XML ({error})"[:200], Status.FAILED)
        return
    principal = root.find(f"{_SPACE}Principals/{_SPACE}Principal")
    user = None if principal is None else principal.findtext(f"{_SPACE}UserId") or principal.findtext(f"{_SPACE}GroupId")
    triggers = [item.tag.removeprefix(_SPACE) for item in (root.find(f"{_SPACE}Triggers") or ())][:_TRIGGERS]
    enabled = root.findtext(f"{_SPACE}Settings/{_SPACE}Enabled") != "false"
    name = root.findtext(f"{_SPACE}RegistrationInfo/{_SPACE}URI") or file.name
    written = _registered(root.findtext(f"{_SPACE}RegistrationInfo/{_SPACE}Date"))
    for index, action in enumerate(root.iterfind(f"{_SPACE}Actions/{_SPACE}Exec")):
        if index >= _ACTIONS:
            yield Problem(f"more than {_ACTIONS} programs: the rest is not read", Status.FAILED)
            return
        command = " ".join(filter(None, (action.findtext(f"{_SPACE}Command"), action.findtext(f"{_SPACE}Arguments"))))
        start = ", ".join(dict.fromkeys(triggers)) or "on demand"
        yield StartupItem(
            name=name,
            command=command or None,
            start=start if enabled else f"disabled ({start})",
            written=written,
            user=user,
            how="scheduled task",
            locator=f"action={index}",
        )


def _system_time(raw: bytes) -> Time:
    year, month, _, day, hour, minute, second, millisecond = struct.unpack("<8H", raw)
    if not year:
        return NOT_RECORDED
    return from_local(
        f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}", "a SYSTEMTIME on the machine's own clock"
    )


def _registered(text: str | None) -> Time:
    return from_local(text, "written in the machine's own time") if text else NOT_RECORDED


ARTEFACTS = (
    Artefact(
        id="windows.scheduled_task.job",
        title="Scheduled tasks before Vista",
        meaning="Programs that Windows starts by itself, and when it last did.",
        paths=("Windows/Tasks/*.job", "WINNT/Tasks/*.job"),
        parse=parse_job,
        references=("https://learn.microsoft.com/openspecs/windows_protocols/ms-tsch/",),
        systems=("windows",),
        validation="specimen",
    ),
    Artefact(
        id="windows.scheduled_task.xml",
        title="Scheduled tasks",
        meaning="Programs that Windows starts by itself, for whom and on what occasion.",
        paths=("Windows/System32/Tasks/**",),
        parse=parse_xml,
        references=("https://learn.microsoft.com/openspecs/windows_protocols/ms-tsch/",),
        systems=("windows",),
        validation="generated",
    ),
)
