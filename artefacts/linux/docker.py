"""Containers and images of Docker: other systems that ran on this computer. What they printed is counted, not kept.

``containers/ID/config.json`` (``config.v2.json`` since 1.10), ``containers/ID/ID-json.log``, ``graph/ID/json`` (until 1.9). Times are RFC 3339, UTC.

Source: moby/moby, container/container.go and daemon/logger/jsonfilelog; the specimens of Docker 1.8.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import InstalledProgram, Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp

Results = Iterator[Observation | Problem]

_LARGEST = 16 << 20  # bytes
_MOST_PROBLEMS = 20


def _time(value: Any) -> Time:
    """An RFC 3339 time to the microsecond; the year 1 is Go's "never"."""
    if not isinstance(value, str) or value.startswith("0001-"):
        return NOT_RECORDED
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(value))
    except ValueError:
        return NoTime("without a zone, or not a time", local=value[:40])


def _object(file: EvidenceFile) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read(_LARGEST))
    except (ValueError, RecursionError) as error:
        raise Unrecognised("not a JSON object") from error
    if not isinstance(found, dict):
        raise Unrecognised("not a JSON object")
    return found


def _inside(holder: Any, key: str) -> Any:
    return holder.get(key) if isinstance(holder, dict) else None


def parse_container(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for the container and ``ProgramRun`` for its last start."""
    config = _object(file)
    identifier = config.get("ID")
    if not isinstance(identifier, str):
        raise Unrecognised("not the settings of a container")
    name = str(config.get("Name") or "").lstrip("/") or identifier[:12]
    image = str(_inside(config.get("Config"), "Image") or config.get("Image") or "")
    yield InstalledProgram(
        name=f"container {name}", identifier=identifier, version=image[:64] or None, installed=_time(config.get("Created")),
        enabled=_inside(config.get("State"), "Running") is True, how="Docker container", locator="Created",
    )  # fmt: skip
    started, ended = _time(_inside(config.get("State"), "StartedAt")), _time(_inside(config.get("State"), "FinishedAt"))
    if isinstance(started, Timestamp):
        until = f", ended {ended.isoformat()}" if isinstance(ended, Timestamp) else ""
        program = str(config.get("Path") or name)
        yield ProgramRun(
            program=program.rsplit("/", 1)[-1], path=program, time=started, how=f"in the Docker container {name}", time_meaning=f"last start of the container{until}",
            locator="State/StartedAt",
        )  # fmt: skip


def parse_image(file: EvidenceFile) -> Results:
    """One ``InstalledProgram`` for a layer of an image."""
    layer = _object(file)
    if "created" not in layer:
        raise Unrecognised("not the description of a layer")
    yield InstalledProgram(
        name=f"image layer {file.path.split('/')[-2][:12]}",
        identifier=file.path.split("/")[-2],
        installed=_time(layer.get("created")),
        how="Docker image",
        locator="created",
    )


def parse_log(file: EvidenceFile) -> Results:
    """One ``SystemFact``: how many lines a container printed, from when to when. A line that is no JSON object is a ``Problem``."""
    count = bad = 0
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict) or "time" not in entry:
            if line.strip() and (bad := bad + 1) <= _MOST_PROBLEMS:
                yield Problem("not a line of this log", Status.UNRECOGNISED, f"line={number}")
            continue
        count, last = count + 1, _time(entry["time"])
        first = last if count == 1 else first
    if bad and not count:
        raise Unrecognised("not the log of a container")
    if count:
        words = last.isoformat() if isinstance(last, Timestamp) else "not recorded"
        yield SystemFact(name="Docker container log", value=f"{count} lines, the last {words}", time=first, locator="line=1")


_REFERENCE = ("https://docs.docker.com/engine/",)

ARTEFACTS = (
    Artefact(
        id="linux.docker.container",
        title="Docker containers",
        meaning="Other systems that ran on this computer in containers, when made and last started.",
        paths=("**/docker/containers/*/config.json", "**/docker/containers/*/config.v2.json"),
        parse=parse_container,
        references=_REFERENCE,
        systems=("linux",),
        validation="specimen of Docker 1.8; generated",
    ),
    Artefact(
        id="linux.docker.image",
        title="Docker images",
        meaning="Images of other systems that were fetched or made.",
        paths=("**/docker/graph/*/json",),
        parse=parse_image,
        references=_REFERENCE,
        systems=("linux",),
        validation="specimen of Docker 1.8; generated",
    ),
    Artefact(
        id="linux.docker.log",
        title="Docker logs",
        meaning="When a container printed something; what it printed is not kept.",
        paths=("**/docker/containers/*/*-json.log",),
        parse=parse_log,
        references=_REFERENCE,
        systems=("linux",),
        validation="specimen of Docker 1.8; generated",
    ),
)
