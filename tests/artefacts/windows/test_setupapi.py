"""Device installation logs: the specimen, both forms written here, damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import SystemFact
from artefacts.windows import setupapi

PATH = "/Windows/inf/setupapi.dev.log"
STICK = "USBSTOR\\Disk&Ven_ACME&Prod_Tiny_Stick&Rev_1.00\\AA0001&0"
NEW = f"""[Device Install Log]
     OS Version = 10.0.19041

[BeginLog]

>>>  [Device Install (Hardware initiated) - {STICK}]
>>>  Section start 2024/03/04 05:06:07.891
     ump: Creating Install Process: DrvInst.exe
<<<  Section end 2024/03/04 05:06:09.000
<<<  [Exit status: SUCCESS]


>>>  [Device Install (Hardware initiated) - {STICK}]
>>>  Section start 2024/04/04 05:06:07.891
<<<  Section end 2024/04/04 05:06:09.000
>>>  [Delete Device - PCI\\VEN_1\\2]
>>>  Section start 2024/04/05 05:06:07.891
"""
OLD = """[SetupAPI Log]
OS Version = 5.1.2600 Service Pack 3
[2009/01/02 03:04:05 600.7 Driver Install]
#-019 Searching for hardware ID(s): usbstor\\diskacme
#-121 Device install of "USB\\VID_1234&PID_ABCD\\0099" finished successfully.
"""


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(setupapi.parse, PATH)
    return result


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_own_log(evidence: Any, encoding: str) -> None:
    (fact, stick), problems = read(evidence, NEW.encode(encoding))
    assert problems == [] and fact.value == "3 sections, the last from 2024-04-05T05:06:07.891"
    assert (stick.kind, stick.maker, stick.model, stick.serial, stick.count) == ("USB storage", "ACME", "Tiny Stick", "AA0001", 2)
    assert (stick.first.local, stick.last.local) == ("2024-03-04T05:06:07.891", "2024-04-04T05:06:07.891")
    assert stick.identifier == STICK and "zone not recorded" in stick.first.reason


def test_log_of_before_vista(evidence: Any) -> None:
    (_, device), problems = read(evidence, OLD.encode())
    assert problems == [] and (device.model, device.serial, device.first.local) == ("VID_1234&PID_ABCD", "0099", "2009-01-02T03:04:05")


def test_a_section_that_does_not_begin_is_said(evidence: Any) -> None:
    _, problems = read(evidence, NEW.replace(">>>  Section start 2024/03/04 05:06:07.891\n", "").encode())
    assert [(item.reason, item.locator) for item in problems] == [("a section does not say when it began", "line=6")]
    with pytest.raises(Unrecognised):
        read(evidence, b"another log\n" * 9)


@pytest.mark.specimens
def test_specimen(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = (specimens / "windows-misc/plaso/setupapi.setup.log").read_bytes()
    observations, problems = read(evidence, data)
    assert problems == []
    assert isinstance(observations[0], SystemFact) and observations[0].value == "16 sections, the last from 2015-11-22T17:57:17.502"
    assert observations[0].time.local == "2015-11-22T17:53:16.599"  # type: ignore[union-attr]
    assert [item.identifier for item in observations[1:]] == [
        "SCSI\\CDROM&VEN_VBOX&PROD_CD-ROM\\4&3554261F&0&010000",
        "USB\\VID_80EE&PID_0021\\5&35F564D4&0&1",
        "SCSI\\DISK&VEN_VBOX&PROD_HARDDISK\\4&3554261F&0&000000",
    ]
    # Windows made these serials: they tell nothing about the device.
    assert all(item.serial is None for item in observations[1:])
    for copy in mutations(data, 24):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
        except Unrecognised:
            pass
