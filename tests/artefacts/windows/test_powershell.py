"""PowerShell: transcripts in two languages, a history, and that no command is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.windows import powershell

HISTORY = "/Users/jo/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
TRANSCRIPT = "/Users/jo/Documents/PowerShell_transcript.X.txt"


def test_history(evidence: Any) -> None:
    (fact,), problems = evidence({HISTORY: b"Get-Item secret-place\r\n\r\nexit\r\n"}).parse(powershell.parse_history, HISTORY)
    assert problems == [] and fact.value == "2 commands of jo, without times"


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "count", "user", "begin"),
    [
        ("powershell_transcript.txt", 1, "IEUser", "2022-07-21T02:37:49"),
        ("powershell_transcript_ger.txt", 1, "User", "2022-08-24T12:21:11"),
    ],
)
def test_transcripts(
    evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]], name: str, count: int, user: str, begin: str
) -> None:
    data = (specimens / "windows-misc/plaso" / name).read_bytes()
    runs, problems = evidence({TRANSCRIPT: data}).parse(powershell.parse_transcript, TRANSCRIPT)
    assert problems == [] and len(runs) == count
    first = runs[0].to_json()
    assert (first["program"], first["user"], first["time"], first["time_local"]) == ("powershell.exe", user, None, begin)
    assert "whoami" not in json.dumps([run.to_json() for run in runs])
    for copy in mutations(data, 30):
        try:
            evidence({TRANSCRIPT: copy}).parse(powershell.parse_transcript, TRANSCRIPT)
        except Unrecognised:
            pass


def test_something_else_is_refused(evidence: Any) -> None:
    with pytest.raises(Unrecognised):
        evidence({TRANSCRIPT: b"no transcript"}).parse(powershell.parse_transcript, TRANSCRIPT)
