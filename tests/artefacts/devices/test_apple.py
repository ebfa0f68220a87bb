"""Backups and pairing records of iPhones: what they say of the phone, and never what they keep secret."""

from __future__ import annotations

import plistlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.devices import apple_backups, apple_pairing
from artefacts.observations import Observation
from artefacts.times import Timestamp

UDID = "00008030-001A2B3C4D5E802E"
FOLDER = f"/Users/jo/AppData/Roaming/Apple Computer/MobileSync/Backup/{UDID}"
INFO = {
    "Device Name": "Jo’s iPhone", "Product Type": "iPhone12,1", "Product Version": "17.5", "Serial Number": "C39ABCDEFGHI", "IMEI": "356789012345678",
    "MEID": "35678901234567", "Phone Number": "+44 7700 900123", "Unique Identifier": UDID.replace("-", ""), "Target Identifier": UDID,
    "Last Backup Date": datetime(2026, 11, 3, 18, 0, 5), "Applications": {"com.example": {"password": "secret words"}},
}  # fmt: skip
MANIFEST = {
    "IsEncrypted": True,
    "Date": datetime(2026, 11, 3, 18, 0),
    "Lockdown": {"DeviceName": "Jo", "SerialNumber": "C39ABCDEFGHI", "ProductType": "iPhone12,1"},
}
STATUS = {"Date": datetime(2026, 11, 3, 18, 9, 30), "IsFullBackup": False}


def backup(evidence: Any, **trees: Any) -> Any:
    form = {"fmt": plistlib.FMT_BINARY}
    return evidence(
        {f"{FOLDER}/{name}.plist": tree if isinstance(tree, bytes) else plistlib.dumps(tree, **form) for name, tree in trees.items()}
    )


def test_a_backup(evidence: Any) -> None:
    held = backup(evidence, Info=INFO, Manifest=MANIFEST, Status=STATUS)
    [found], problems = held.parse(apple_backups.parse, f"{FOLDER}/Info.plist")
    assert problems == []
    assert (found.name, found.maker, found.model, found.product, found.system) == (
        "Jo’s iPhone",
        "Apple",
        "iPhone 11",
        "iPhone12,1",
        "iOS 17.5",
    )
    assert (found.serial, found.imei, found.meid, found.phone_number) == (
        "C39ABCDEFGHI",
        "356789012345678",
        "35678901234567",
        "+44 7700 900123",
    )
    assert (found.udid, found.encrypted, found.user) == (UDID.replace("-", ""), True, "jo")
    assert isinstance(found.last, Timestamp) and found.last.isoformat() == "2026-11-03T18:09:30Z"
    assert "secret" not in str(found.to_json())
    assert held.parse(apple_backups.parse, f"{FOLDER}/Manifest.plist") == ([], [])  # told once


def test_a_backup_of_which_only_a_part_is_left(evidence: Any) -> None:
    [found], problems = backup(evidence, Manifest=MANIFEST).parse(apple_backups.parse, f"{FOLDER}/Manifest.plist")
    assert problems == [] and (found.udid, found.name, found.encrypted) == (UDID, "Jo", True)
    [found], [problem] = backup(evidence, Info=INFO, Manifest=b"bplist00 broken").parse(apple_backups.parse, f"{FOLDER}/Info.plist")
    assert found.encrypted is None and "Manifest.plist" in problem.reason  # not known, and that is not "not encrypted"


def test_other_property_lists_are_refused(evidence: Any) -> None:
    path = "/Users/jo/MobileSync/Backup/other/Info.plist"
    for tree in ({"a": 1}, [1, 2]):
        with pytest.raises(Unrecognised):
            evidence({path: plistlib.dumps(tree)}).parse(apple_backups.parse, path)
    with pytest.raises(Unrecognised):
        evidence({path: b"none"}).parse(apple_backups.parse, path)


def test_damage_is_refused_or_said(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    outcomes = set()
    for data in mutations(plistlib.dumps(INFO, fmt=plistlib.FMT_BINARY), 200):
        try:
            items = list(apple_backups.parse(backup(evidence, Info=data, Manifest=MANIFEST).file(f"{FOLDER}/Info.plist")))
        except Unrecognised:
            outcomes.add("refused")
        else:
            outcomes.add("read")
            assert all(isinstance(item, Observation | Problem) for item in items)
    assert outcomes == {"refused", "read"}


def test_a_pairing_record(evidence: Any) -> None:
    path = f"/ProgramData/Apple/Lockdown/{UDID}.plist"
    record = {"WiFiMACAddress": "a4:83:e7:1:22:33", "HostID": "H", "EscrowBag": b"key", "HostPrivateKey": b"private", "SystemBUID": "B"}
    [found], problems = evidence({path: plistlib.dumps(record)}).parse(apple_pairing.parse, path)
    assert problems == [] and found.serial == UDID and found.identifiers == (f"udid:{UDID}", "mac:a4:83:e7:01:22:33")
    assert "private" not in str(found.to_json()) and "key" not in str(found.to_json())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("SystemConfiguration.plist", plistlib.dumps({"SystemBUID": "x"})),
        (f"{UDID}.plist", b"bplist00"),
        (f"{UDID}.plist", plistlib.dumps([1])),
    ],
)
def test_what_is_no_pairing_record(evidence: Any, name: str, data: bytes) -> None:
    with pytest.raises(Unrecognised):
        evidence({f"/ProgramData/Apple/Lockdown/{name}": data}).parse(apple_pairing.parse, f"/ProgramData/Apple/Lockdown/{name}")
