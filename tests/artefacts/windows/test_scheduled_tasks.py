"""Scheduled tasks: the specimen, both forms written here, hostile XML, damage."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import ProgramRun, StartupItem
from artefacts.times import NoTime
from artefacts.windows import scheduled_tasks as tasks

XML = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Date>2024-01-02T03:04:05</Date><URI>\\Demo</URI></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger><CalendarTrigger/></Triggers>
  <Principals><Principal id="Author"><UserId>S-1-5-21-7-1001</UserId></Principal></Principals>
  <Settings><Enabled>{enabled}</Enabled></Settings>
  <Actions Context="Author"><Exec><Command>C:\\Tools\\demo.exe</Command><Arguments>/quiet</Arguments></Exec></Actions>
</Task>"""


def read(evidence: Any, data: bytes, parser: Any) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({"/Windows/System32/Tasks/Demo": data}).parse(parser, "/Windows/System32/Tasks/Demo")
    return result


def job(last: tuple[int, ...]) -> bytes:
    head = struct.pack("<HH16sHHHHHHIIIII", 0x0601, 1, bytes(16), 70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) + struct.pack("<8H", *last)
    texts = ("C:\\Tools\\demo.exe", "/x", "", "jo", "a comment")
    body = b"".join(struct.pack("<H", len(text) + 1) + f"{text}\0".encode("utf-16-le") for text in texts)
    return head.ljust(70, b"\0") + body


@pytest.mark.specimens
def test_specimen(evidence: Any, specimens: Path) -> None:
    [run], problems = read(evidence, (specimens / "windows-misc/plaso/wintask.job").read_bytes(), tasks.parse_job)
    assert problems == [] and isinstance(run, ProgramRun) and isinstance(run.time, NoTime)
    assert (run.program, run.user, run.time.local) == ("GoogleUpdate.exe", "Brian", "2013-08-24T12:42:00.112")


def test_own_job(evidence: Any) -> None:
    [run], problems = read(evidence, job((2009, 1, 5, 2, 3, 4, 5, 6)), tasks.parse_job)
    assert problems == [] and (run.path, run.user, run.time.local) == ("C:\\Tools\\demo.exe", "jo", "2009-01-02T03:04:05.006")
    [item], _ = read(evidence, job((0,) * 8), tasks.parse_job)
    assert isinstance(item, StartupItem) and (item.command, item.start) == ("C:\\Tools\\demo.exe /x", "scheduled, never ran")
    _, problems = read(evidence, job((0,) * 8)[:120], tasks.parse_job)
    assert [item.reason for item in problems] == ["cut short before its author"]


@pytest.mark.parametrize(
    ("enabled", "start"), [("true", "LogonTrigger, CalendarTrigger"), ("false", "disabled (LogonTrigger, CalendarTrigger)")]
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_own_xml(evidence: Any, encoding: str, enabled: str, start: str) -> None:
    [item], problems = read(evidence, XML.replace("{enabled}", enabled).encode(encoding), tasks.parse_xml)
    assert problems == []
    assert (item.name, item.command, item.start, item.user) == ("\\Demo", "C:\\Tools\\demo.exe /quiet", start, "S-1-5-21-7-1001")
    assert item.written.local == "2024-01-02T03:04:05"


def test_hostile_xml(evidence: Any) -> None:
    bomb = XML.replace("<Task ", '<!DOCTYPE Task [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Task ')
    observations, [problem] = read(evidence, bomb.encode(), tasks.parse_xml)
    assert observations == [] and problem.reason == "it declares entities: not read"
    _, [problem] = read(evidence, XML[:500].encode(), tasks.parse_xml)
    assert "damaged XML" in problem.reason
    deep = XML.replace("<Settings>", "<a>" * 50_000 + "<Settings>")
    assert read(evidence, deep.encode(), tasks.parse_xml)[1] != []
    for parser in (tasks.parse_xml, tasks.parse_job):
        with pytest.raises(Unrecognised):
            read(evidence, b"something else" * 20, parser)


def test_damage_is_survived(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for parser, whole in ((tasks.parse_job, job((2009, 1, 5, 2, 3, 4, 5, 6))), (tasks.parse_xml, XML.encode("utf-16"))):
        for copy in mutations(whole, 60):
            try:
                json.dumps([item.to_json() for item in read(evidence, copy, parser)[0]])
            except Unrecognised:
                pass
