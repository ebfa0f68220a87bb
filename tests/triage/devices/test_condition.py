"""The condition "declared devices only" over real records: met, concern, could not tell."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.keys import case_signer
from triage.scan.job import Job, run
from triage.scan.profile import load_profile
from triage.scan.progress import make_progress
from triage.scan.setup import Setup, SourceSetup

STICK, SERVER = {"kind": "USB stick", "serial": "AA951D0000007252", "mac": []}, {"kind": "server", "hostname": "controller", "mac": []}
FILES = {
    "registry/plaso/SYSTEM.xz": "Windows/System32/config/SYSTEM",
    "registry/plaso/SOFTWARE-RunTests.xz": "Windows/System32/config/SOFTWARE",
    "registry/plaso/NTUSER-WIN7.DAT.xz": "Users/nfury/NTUSER.DAT",
    "windows-misc/plaso/setupapi.setup.log": "Windows/inf/setupapi.dev.log",
}


@pytest.fixture(scope="module")
def examined(unpacked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """``examined(declared, leave_out)``: the report of a scan of a Windows of specimens."""
    base = tmp_path_factory.mktemp("condition")

    def scan(declared: list[Any], leave_out: str = "none") -> Any:
        number = len(list(base.iterdir()))
        source = base / f"{number}-source"
        for specimen, place in FILES.items():
            if leave_out not in place:
                (source / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(unpacked(specimen), source / place)
        visit = {
            "reference": "V1", "authority": {"basis": "order", "reference": "O1"}, "declared_devices": declared,
            "conditions": [{"id": "1", "text": "Declare every device", "checks": ["declared_devices_only"]}],
        }  # fmt: skip
        setup = Setup(profile=load_profile("quick"), sources={"s1": SourceSetup(str(source))})
        run(Job(setup=setup, case=base / f"{number}-case", signer=case_signer(), visit=visit, workers=1), make_progress(quiet=True))
        return json.loads((base / f"{number}-case" / "report.json").read_bytes())

    return scan


@pytest.mark.specimens
def test_met_where_every_device_is_declared_and_all_was_read(examined: Callable[..., Any]) -> None:
    report = examined([STICK, SERVER])
    assert report["assessment"]["conditions"][0]["outcome"] == "met"
    stick = next(device for device in report["devices"] if device["kind"] == "USB storage")
    assert (stick["title"], stick["declared"], stick["first"]) == ("HP v100w USB Device", "declared", "2011-04-01T04:52:37.607Z")
    assert {proof["how"] for proof in stick["proofs"]} == {
        "USBSTOR",
        "Enum\\USB",
        "MountedDevices",
        "ReadyBoost test (EMDMgmt)",
        "Windows Portable Devices",
    }
    assert all(proof["matched"] == "serial AA951D0000007252" for proof in stick["proofs"])


@pytest.mark.slow
@pytest.mark.specimens
def test_a_concern_where_one_is_not(examined: Callable[..., Any]) -> None:
    report = examined([SERVER])
    assert report["assessment"]["conditions"][0]["outcome"] == "concern"
    assert [item["title"] for item in report["findings"] if item["rule"] == "device.undeclared"] == [
        "Not on the list of declared devices: HP v100w USB Device"
    ]


@pytest.mark.slow
@pytest.mark.specimens
def test_it_cannot_be_told_where_a_record_is_not_there(examined: Callable[..., Any]) -> None:
    [condition] = examined([STICK, SERVER], leave_out="setupapi")["assessment"]["conditions"]
    assert condition["outcome"] == "could_not_tell" and "Not there, or not read: Device installation logs." in condition["reasons"]
