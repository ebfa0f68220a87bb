"""Drives of a running Windows computer. The reading itself is tested with the real bundle under Wine (tests/portable)."""

from __future__ import annotations

import sys

import pytest

from rules import findings
from triage.evidence.live_windows import Drive, containers_of, drive_of, mounted_containers


@pytest.mark.skipif(sys.platform == "win32", reason="drive letters mean something here")
@pytest.mark.parametrize("path", ["C:\\", "c:/", "C:", "/", "C:\\Users", ""])
def test_a_drive_letter_is_nothing_on_other_systems(path: str) -> None:
    assert drive_of(path) is None


def test_facts_and_device_name() -> None:
    drive = Drive("C", "fixed", "NTFS", "", "1A2B3C4D")
    assert drive.device == "\\\\.\\C:"
    assert drive.facts() == {"drive": "C:", "kind of drive": "fixed", "file system": "NTFS", "volume serial": "1A2B3C4D"}


def test_open_containers_are_told_by_the_device_behind_the_letter() -> None:
    targets = {
        "X": r"\Device\VeraCryptVolumeX",
        "C": r"\Device\HarddiskVolume3",
        "T": r"\device\truecryptvolumet",
        "Z": r"\??\D:\VeraCrypt",
        "U": "",
    }
    found = list(containers_of(targets))
    assert [(item.kind, item.path, item.state, item.locator) for item in found] == [
        ("TrueCrypt volume", "T:\\", "unlocked", r"\device\truecryptvolumet"),
        ("VeraCrypt volume", "X:\\", "unlocked", r"\Device\VeraCryptVolumeX"),
    ]


def test_an_open_container_asks_to_keep_the_power() -> None:
    rule = next(rule for rule in findings.load() if rule.id == "encryption.volume")
    (item,) = containers_of({"X": r"\Device\VeraCryptVolumeX"})
    assert rule.on == type(item).__name__ and "volume" in item.kind and item.state == "unlocked"
    assert [addition.advice for addition in rule.also if addition.advice == ("keep_power",)]


@pytest.mark.skipif(sys.platform == "win32", reason="there it asks Windows")
def test_other_systems_have_none() -> None:
    assert list(mounted_containers()) == []
