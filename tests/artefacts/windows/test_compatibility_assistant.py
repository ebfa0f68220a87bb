"""Program Compatibility Assistant: the specimens, lines written here, bad lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.windows import compatibility_assistant as assistant

FOLDER = "/Windows/appcompat/pca"


def read(evidence: Any, data: bytes, parser: Any) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({f"{FOLDER}/x.txt": data}).parse(parser, f"{FOLDER}/x.txt")
    return result


@pytest.mark.specimens
def test_specimens(evidence: Any, specimens: Path) -> None:
    folder = specimens / "windows-misc/plaso"
    observations, problems = read(evidence, (folder / "PcaAppLaunchDic.txt").read_bytes(), assistant.parse_launches)
    assert problems == [] and len(observations) == 4
    assert (observations[0].program, observations[0].time.isoformat()) == ("msteams.exe", "2022-11-15T00:02:08.476Z")
    observations, problems = read(evidence, (folder / "PcaGeneralDb0.txt").read_bytes(), assistant.parse_general)
    assert problems == [] and len(observations) == 3
    assert (observations[0].program, observations[0].time.isoformat(), observations[0].how) == (
        "msteamsupdate.exe", "2022-11-14T23:37:11.789Z", "Program Compatibility Assistant: Abnormal process exit with code 0x4c7",
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_own_lines(evidence: Any, encoding: str) -> None:
    text = "C:\\Users\\jo\\Täst.exe|2024-01-02 03:04:05.678\r\nbroken\r\nC:\\b.exe|yesterday\r\n"
    [run], problems = read(evidence, text.encode(encoding), assistant.parse_launches)
    assert (run.program, run.user, run.time.isoformat(), run.time_meaning) == ("Täst.exe", "jo", "2024-01-02T03:04:05.678Z", "last run")
    assert [item.locator for item in problems] == ["line=2", "line=3"]


def test_what_is_no_list(evidence: Any) -> None:
    with pytest.raises(Unrecognised):
        read(evidence, b"noise\n" * 5000, assistant.parse_general)
    good = b"C:\\a.exe|2024-01-02 03:04:05.678\n"
    observations, problems = read(evidence, good + b"noise\n" * 5000 + good, assistant.parse_launches)
    assert len(observations) == 1 and len(problems) == 101 and "the rest is not read" in problems[-1].reason
