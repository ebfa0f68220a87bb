"""Error reports and RecentFileCache: files written here, damage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.windows import crash_reports

WER = "/ProgramData/Microsoft/Windows/WER/ReportArchive/AppCrash_1/Report.wer"
BCF = "/Windows/AppCompat/Programs/RecentFileCache.bcf"


def test_report(evidence: Any) -> None:
    text = "Version=1\r\nEventType=APPCRASH\r\nEventTime=132000000000000000\r\nAppPath=C:\\Users\\jo\\Downloads\\tool.exe\r\n"
    (run,), problems = evidence({WER: b"\xff\xfe" + text.encode("utf-16-le")}).parse(crash_reports.parse_report, WER)
    assert problems == []
    assert (run.program, run.user, run.to_json()["time"], run.how) == ("tool.exe", "jo", "2019-04-17T18:40:00Z", "error report: APPCRASH")
    with pytest.raises(Unrecognised):
        evidence({WER: b"something else"}).parse(crash_reports.parse_report, WER)
    none, problems = evidence({WER: b"EventType=x\nEventTime=99999999999999999999999\n"}).parse(crash_reports.parse_report, WER)
    assert none == [] and len(problems) == 1


def test_recent_files(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = bytes.fromhex("feffeeff11220000030000000100000000000000")
    for path in ("c:\\users\\jo\\a.exe", "d:\\b.exe"):
        data += len(path).to_bytes(4, "little") + path.encode("utf-16-le") + bytes(2)
    runs, problems = evidence({BCF: data}).parse(crash_reports.parse_recent, BCF)
    assert problems == []
    assert [(run.program, run.user) for run in runs] == [("a.exe", "jo"), ("b.exe", None)]
    fewer, problems = evidence({BCF: data[:-4]}).parse(crash_reports.parse_recent, BCF)
    assert len(fewer) == 1 and len(problems) == 1
    for copy in mutations(data, 40):
        try:
            evidence({BCF: copy}).parse(crash_reports.parse_recent, BCF)
        except Unrecognised:
            pass
