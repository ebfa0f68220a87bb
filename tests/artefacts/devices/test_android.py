"""Android phones on a computer: folders of backups, and the developer tools."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.devices import android


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/Users/jo/Documents/Samsung/SmartSwitch/backup/SM-G991B/SM-G991B_20260131120102/ReqItemsInfo.json",
            ("Samsung", "SM-G991B", "2026-01-31T12:01:02", "Samsung Smart Switch backup"),
        ),
        (
            "/Users/jo/Documents/Samsung/Kies/Backup/GT-I9100/GT-I9100_20130131120102/contacts.sbu",
            ("Samsung", "GT-I9100", "2013-01-31T12:01:02", "Samsung Kies backup"),
        ),
        (
            "/Users/jo/Documents/HiSuite/backup/HUAWEI P30_2020-05-10 12.33.44/info.xml",
            ("HUAWEI", "HUAWEI P30", "2020-05-10T12:33:44", "HUAWEI HiSuite backup"),
        ),
        (
            "/Users/jo/Documents/HiSuite/backup/HUAWEI P30_2020-99-10 12.33.44/info.xml",
            ("HUAWEI", "HUAWEI P30", None, "HUAWEI HiSuite backup"),
        ),
    ],
)
def test_folders_of_backups(evidence: Any, path: str, expected: tuple[Any, ...]) -> None:
    [found], problems = evidence({path: b""}).parse(android.parse_backup, path)
    assert problems == [] and (found.maker, found.model, getattr(found.last, "local", None), found.how) == expected and found.user == "jo"


def test_developer_tools(evidence: Any) -> None:
    held = evidence({
        "/Users/jo/.android/adb_known_hosts.pb": b"\x0a\x20\x0a\x1eadb-R58N12345AB-QwErTy._adb-tls\x0a\x11adb-R58N12345AB-QwErTy\xff\x00adb-0A1B2C3D-abcdef",
        "/Users/jo/.android/adbkey.pub": b"QAAAA" * 140 + b" jo@DESK\n",
    })  # fmt: skip
    phones, problems = held.parse(android.parse_known_hosts, "/Users/jo/.android/adb_known_hosts.pb")
    assert problems == [] and [(phone.kind, phone.serial, phone.user) for phone in phones] == [
        ("phone", "R58N12345AB", "jo"),
        ("phone", "0A1B2C3D", "jo"),
    ]
    [key], problems = held.parse(android.parse_key, "/Users/jo/.android/adbkey.pub")
    assert problems == [] and (key.name, key.value) == ("Android debugging key made by", "jo@DESK") and "QAAAA" not in str(key)
    with pytest.raises(Unrecognised):
        evidence({"/adbkey.pub": b"\xff"}).parse(android.parse_key, "/adbkey.pub")


def test_many_phones_are_bounded(evidence: Any) -> None:
    data = b"".join(b"adb-%08d-abcdef\n" % number for number in range(2000))
    phones, [problem] = evidence({"/x": data}).parse(android.parse_known_hosts, "/x")
    assert len(phones) == 1000 and "not kept" in problem.reason
