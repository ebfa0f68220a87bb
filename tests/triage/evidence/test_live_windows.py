"""Drives of a running Windows computer. The reading itself is tested with the real bundle under Wine (tests/portable)."""

from __future__ import annotations

import sys

import pytest

from triage.evidence.live_windows import Drive, drive_of


@pytest.mark.skipif(sys.platform == "win32", reason="drive letters mean something here")
@pytest.mark.parametrize("path", ["C:\\", "c:/", "C:", "/", "C:\\Users", ""])
def test_a_drive_letter_is_nothing_on_other_systems(path: str) -> None:
    assert drive_of(path) is None


def test_facts_and_device_name() -> None:
    drive = Drive("C", "fixed", "NTFS", "", "1A2B3C4D")
    assert drive.device == "\\\\.\\C:"
    assert drive.facts() == {"drive": "C:", "kind of drive": "fixed", "file system": "NTFS", "volume serial": "1A2B3C4D"}
