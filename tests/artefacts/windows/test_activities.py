"""Windows' time line: a database made here, damage, and that the clipboard is not read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.windows import activities

PATH = "/Users/jo/AppData/Local/ConnectedDevicesPlatform/L.jo/ActivitiesCache.db"
APP = [{"application": "short", "platform": "packageId"}, {"application": "C:\\Tools\\view.exe", "platform": "x_exe_path"}]


def database(path: Path, rows: list[tuple[Any, ...]]) -> bytes:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE Activity (Id BLOB, AppId TEXT, ActivityType INT, StartTime INT, EndTime INT, Payload BLOB, ClipboardPayload BLOB)"
        )
        connection.executemany("INSERT INTO Activity VALUES (x'00', ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return path.read_bytes()


def test_use_and_files(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    app = json.dumps(APP)
    data = database(
        tmp_path / "a.db",
        [
            (app, 5, 1_600_000_000, 1_600_000_060, json.dumps({"contentUri": "file://C:/Users/jo/my%20plan.txt?VolumeId=1"}).replace("//C", "///C"), None),
            (app, 6, 1_600_000_100, 0, None, None),
            (app, 5, 1_600_000_200, 0, json.dumps({"contentUri": "https://example.org/"}), None),
            (app, 16, 1_600_000_300, 0, None, json.dumps([{"content": "copied words"}])),
            ("not json", 5, 1, 0, None, None),
        ],
    )  # fmt: skip
    observations, problems = evidence({PATH: data}).parse(activities.parse, PATH)
    assert [problem.locator for problem in problems] == ["table=Activity rowid=5"]
    opened, file, front, _, page, fact = [item.to_json() for item in observations]
    assert (opened["program"], opened["time"], opened["user"]) == ("view.exe", "2020-09-13T12:26:40Z", "jo")
    assert opened["how"] == "Windows time line: opened, 60 seconds"
    assert (file["path"], file["how"]) == ("C:\\Users\\jo\\my plan.txt", "Windows time line: opened with view.exe")
    assert front["how"] == "Windows time line: in front"
    assert page["url"] == "https://example.org/"
    assert fact["value"] == "5 activities, 1 of the clipboard (not read)"
    assert "copied words" not in json.dumps([item.to_json() for item in observations])
    for copy in mutations(data, 20):
        try:
            evidence({PATH: copy}).parse(activities.parse, PATH)
        except Unrecognised:
            pass


def test_another_database_is_refused(evidence: Any) -> None:
    with pytest.raises(Unrecognised):
        evidence({PATH: b"nothing"}).parse(activities.parse, PATH)
