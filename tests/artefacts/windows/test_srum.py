"""The System Resource Usage Monitor: the specimen, damage. No library here writes an ESE database: there is no fixture of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import ProgramRun, SystemFact
from artefacts.times import Timestamp
from artefacts.windows import srum

PATH = "/Windows/System32/sru/SRUDB.dat"


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(srum.parse, PATH)
    return result


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked("ese/dissect/SRUDB.dat.gz").read_bytes()
    observations, problems = read(evidence, data)
    assert problems == []
    assert isinstance(observations[-1], SystemFact) and observations[-1].value == "220 entries"
    runs = [item for item in observations if isinstance(item, ProgramRun)]
    assert runs and len(runs) == len(observations) - 1
    assert any(item.user and item.user.startswith("S-1-5-") for item in runs)
    assert all(isinstance(item.time, Timestamp) for item in runs)
    for copy in mutations(data, 8):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
        except Unrecognised:
            pass


@pytest.mark.specimens
def test_another_database_is_refused(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    with pytest.raises(Unrecognised):
        read(evidence, unpacked("ese/dissect/basic.edb.gz").read_bytes())
    with pytest.raises(Unrecognised):
        read(evidence, b"no database at all")
