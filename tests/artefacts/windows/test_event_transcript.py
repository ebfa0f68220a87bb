"""Windows diagnostic data: the specimen's events, one made here, damage."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import InstalledProgram, PageVisit, ProgramRun, SystemFact
from artefacts.windows import event_transcript

PATH = "/ProgramData/Microsoft/Diagnosis/EventTranscript/EventTranscript.db"


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked("windows-misc/plaso/EventTranscript.db.xz").read_bytes()
    observations, problems = evidence({PATH: data}).parse(event_transcript.parse, PATH)
    assert problems == []
    kinds = {
        kind: [item for item in observations if isinstance(item, kind)] for kind in (PageVisit, ProgramRun, InstalledProgram, SystemFact)
    }
    assert {kind.__name__: len(found) for kind, found in kinds.items()} == {
        "PageVisit": 81, "ProgramRun": 23, "InstalledProgram": 17, "SystemFact": 1,
    }  # fmt: skip
    fact = kinds[SystemFact][0].to_json()
    assert (fact["value"], fact["time"]) == ("2526 events", "2021-08-17T11:27:06.2573347Z")
    page = kinds[PageVisit][1].to_json()
    assert page["url"].startswith("https://support.microsoft.com/en-us/windows/diagnostics-feedback")
    assert (page["time"], page["browser"]) == ("2021-08-17T11:28:25.027Z", "Edge")
    assert "msedge.exe" in {run.program for run in kinds[ProgramRun]}
    for copy in mutations(data, 4):
        try:
            evidence({PATH: copy}).parse(event_transcript.parse, PATH)
        except Unrecognised:
            pass


def test_made_here(evidence: Any, tmp_path: Path) -> None:
    names = [
        "Win32kTraceLogging.AppInteractivitySummary", "X.HJ_NavigateCompleteExtended", "X.HJ_HistoryAddUrl", "X.HJ_NavigateCompleteExtended",
        "X.HJ_HistoryAddUrl",
    ]  # fmt: skip
    payloads: list[Any] = [
        {"data": {"AppId": "W:1!2!notes.exe", "AggregationStartTime": "2021-01-01T00:00:00Z", "InFocusDurationMS": 3000}},
        {
            "data": {
                "navigationUrl": "https://example.org/",
                "CorrelationGuid": "1",
                "IsTopLevelUrl": 1,
                "Timestamp": "2021-01-01T00:00:01Z",
            }
        },
        {"data": {"navigationUrl": "https://example.org/", "CorrelationGuid": "1"}},
        {"data": {"navigationUrl": "https://example.org/frame", "CorrelationGuid": "2", "IsTopLevelUrl": 0}},
        ["of another form"],
    ]
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE events_persisted (sid TEXT, timestamp INTEGER, payload TEXT, full_event_name TEXT)")
        for name, payload in zip(names, payloads, strict=True):
            row = ("S-1-5-21-1", 132_000_000_000_000_000, json.dumps(payload), name)
            connection.execute("INSERT INTO events_persisted VALUES (?, ?, ?, ?)", row)
    connection.close()
    observations, problems = evidence({PATH: (tmp_path / "a.db").read_bytes()}).parse(event_transcript.parse, PATH)
    assert [problem.locator for problem in problems] == ["table=events_persisted rowid=5"]
    page, run, fact = observations
    assert isinstance(page, PageVisit) and page.url == "https://example.org/"
    assert isinstance(run, ProgramRun) and run.program == "notes.exe" and "3 seconds in front in 1 periods" in str(run.how)
    assert isinstance(fact, SystemFact) and fact.value == "5 events"
