"""When the NTFS change journal was made: its settings written here, cut short, and of another kind."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.windows import usn_journal_made

PATH = "/$Extend/$UsnJrnl:$Max"
SETTINGS = struct.pack("<4Q", 33_554_432, 8_388_608, 132_000_000_000_000_000, 0)


def test_own_settings(evidence: Any) -> None:
    (fact,), problems = evidence({PATH: SETTINGS}).parse(usn_journal_made.parse, PATH)
    assert problems == [] and (fact.name, fact.value) == (usn_journal_made.MADE, "at most 33,554,432 bytes")
    assert fact.to_json()["time"] == "2019-04-17T18:40:00Z"


@pytest.mark.parametrize("data", [b"", SETTINGS[:31], bytes(32), b"\xff" * 32])
def test_anything_else_is_refused(evidence: Any, data: bytes) -> None:
    with pytest.raises(Unrecognised):
        evidence({PATH: data}).parse(usn_journal_made.parse, PATH)
