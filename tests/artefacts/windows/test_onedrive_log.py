"""OneDrive's logs: the specimen with its map of words, one made here, damage."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import FileSeen, SystemFact
from artefacts.windows import onedrive_log

FOLDER = "/Users/jo/AppData/Local/Microsoft/OneDrive/logs/Personal"
PATH = f"{FOLDER}/SyncEngine-1.odlgz"


def record(text: bytes, milliseconds: int = 1_600_000_000_000) -> bytes:
    return bytes.fromhex("ccddeeff") + bytes(4) + struct.pack("<Q", milliseconds) + bytes(32) + struct.pack("<II", len(text), 0) + text


@pytest.mark.specimens
def test_specimen(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    folder = specimens / "windows-misc/plaso"
    data = (folder / "SyncEngine-2022-11-24.2341.10688.1.odlgz").read_bytes()
    words = (folder / "ObfuscationStringMap.txt").read_bytes()
    observations, problems = evidence({PATH: data, f"{FOLDER}/ObfuscationStringMap.txt": words}).parse(onedrive_log.parse, PATH)
    assert problems == []
    assert isinstance(observations[-1], SystemFact) and observations[-1].value == "3038 records"
    first = observations[0].to_json()
    assert first["path"] == "C:\\Users\\User\\AppData\\Local\\Microsoft\\OneDrive\\logs\\Personal\\telemetry-dll-ramp-value.txt"
    assert (first["used"], first["user"]) == ("2022-11-24T23:41:31.913Z", "User")
    # Without the map the made-up words stay.
    alone, _ = evidence({PATH: data}).parse(onedrive_log.parse, PATH)
    assert isinstance(alone[0], FileSeen) and alone[0].path.endswith("QuillTheCan.txt")
    for copy in mutations(data, 12):
        try:
            evidence({PATH: copy}).parse(onedrive_log.parse, PATH)
        except Unrecognised:
            pass


@pytest.mark.parametrize("packed", [True, False])
def test_made_here(evidence: Any, packed: bool) -> None:
    body = record(b"\x01\0\0\0C:\\Pictures\\one.jpg\0") + record(b"C:\\Pictures\\one.jpg\0", 1_600_000_001_000)
    head = b"EBFGONED".ljust(256, b"\0")
    observations, problems = evidence({PATH: head + (gzip.compress(body) if packed else body)}).parse(onedrive_log.parse, PATH)
    assert problems == []
    seen, fact = [item.to_json() for item in observations]
    assert (seen["path"], seen["count"], seen["used"]) == ("C:\\Pictures\\one.jpg", 2, "2020-09-13T12:26:41Z")
    assert (fact["value"], fact["time"]) == ("2 records", "2020-09-13T12:26:40Z")
    # Cut short: what is whole is told, and that it is not all.
    damaged = head + (gzip.compress(body)[:-12] if packed else body[:-3])
    observations, problems = evidence({PATH: damaged}).parse(onedrive_log.parse, PATH)
    assert observations and len(problems) == 1


def test_something_else_is_refused(evidence: Any) -> None:
    with pytest.raises(Unrecognised):
        evidence({PATH: b"nothing"}).parse(onedrive_log.parse, PATH)
