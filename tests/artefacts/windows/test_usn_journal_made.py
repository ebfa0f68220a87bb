"""When the change journal was made: settings written here, and what is none."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import SystemFact
from artefacts.registry import all_artefacts
from artefacts.windows import usn_journal_made

PATH = "/$Extend/$UsnJrnl:$Max"
STAMP = 131459172035487843  # 2017-07-30T19:40:03.5487843Z


def test_own_settings(evidence: Any) -> None:
    data = struct.pack("<4Q", 32 << 20, 8 << 20, STAMP, 0)
    (fact,), problems = evidence({PATH: data}).parse(usn_journal_made.parse, PATH)
    assert problems == []
    assert isinstance(fact, SystemFact) and (fact.name, fact.value) == ("change journal made", "at most 33,554,432 bytes")
    assert fact.time.isoformat() == "2017-07-30T19:40:03.5487843Z"  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [b"", bytes(32), bytes(31), b"\xff" * 32, struct.pack("<4Q", 0, 0, STAMP, 0)])
def test_what_is_none(evidence: Any, data: bytes) -> None:
    with pytest.raises(Unrecognised):
        evidence({PATH: data}).parse(usn_journal_made.parse, PATH)


def test_it_is_planned() -> None:
    assert usn_journal_made.ARTEFACTS[0] in all_artefacts()
