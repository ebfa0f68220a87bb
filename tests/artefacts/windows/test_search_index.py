"""Windows Search: the specimen of Windows 7, Windows 11's form from a database made here, damage, and what must not be read."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import FileSeen, PageVisit, SystemFact
from artefacts.windows import search_index

ESE = "/ProgramData/Microsoft/Search/Data/Applications/Windows/Windows.edb"
SQLITE = "/ProgramData/Microsoft/Search/Data/Applications/Windows/Windows.db"


@pytest.mark.specimens
@pytest.mark.slow
def test_specimen(evidence: Any, unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked("ese/plaso/Windows.edb.xz").read_bytes()
    observations, problems = evidence({ESE: data}).parse(search_index.parse_ese, ESE)
    assert [problem.status for problem in problems] == ["parsed"]  # it was in use
    files = {item.path: item.to_json() for item in observations if isinstance(item, FileSeen)}
    assert len([item for item in observations if isinstance(item, FileSeen)]) == 624
    assert len([item for item in observations if isinstance(item, PageVisit)]) == 13
    link = files["C:\\ProgramData\\Microsoft\\Windows\\Start Menu\\Programs\\BCWipe 5\\BCWipe Task Manager.lnk"]
    assert (link["size"], link["time"], link["kind"]) == (1130, "2012-03-15T22:11:57.6911168Z", "file")
    (fact,) = [item for item in observations if isinstance(item, SystemFact)]
    assert fact.value == "1225 (624 file, 584 mapi, 13 iehistory, 4 csc)"
    told = json.dumps([item.to_json() for item in observations])
    assert "Mining Industry" not in told  # the subject of a mail in it
    for copy in mutations(data, 3):
        try:
            evidence({ESE: copy}).parse(search_index.parse_ese, ESE)
        except Unrecognised:
            pass


def database(path: Path, rows: dict[int, dict[str, Any]]) -> bytes:
    names = sorted({name for row in rows.values() for name in row})
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE SystemIndex_1_PropertyStore_Metadata (Id INTEGER, PropertyId INTEGER, UniqueKey TEXT)")
        connection.execute("CREATE TABLE SystemIndex_1_PropertyStore (WorkId INTEGER, ColumnId INTEGER, Value)")
        for number, name in enumerate(names, 1):
            connection.execute("INSERT INTO SystemIndex_1_PropertyStore_Metadata VALUES (?, 1, ?)", (number, f"{number}-{name}"))
        for work, row in rows.items():
            for name, value in row.items():
                connection.execute("INSERT INTO SystemIndex_1_PropertyStore VALUES (?, ?, ?)", (work, names.index(name) + 1, value))
    connection.close()
    return path.read_bytes()


def test_windows_11(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    ticks = struct.pack("<Q", 133_000_000_000_000_000)
    data = database(
        tmp_path / "a.db",
        {
            1: {
                "System_ItemUrl": "file:C:/Users/jo/Documents/plan.txt", "System_ItemPathDisplay": "C:\\Users\\jo\\Documents\\plan.txt",
                "System_Size": struct.pack("<Q", 77), "System_DateModified": ticks, "System_IsFolder": 0, "System_Search_AutoSummary": "what it says",
            },
            2: {"System_ItemUrl": "https://example.org/a", "System_ItemDate": ticks},
        },
    )  # fmt: skip
    observations, problems = evidence({SQLITE: data}).parse(search_index.parse_sqlite, SQLITE)
    assert problems == []
    file, page, fact = [item.to_json() for item in observations]
    assert (file["path"], file["size"], file["time"], file["user"]) == (
        "C:\\Users\\jo\\Documents\\plan.txt", 77, "2022-06-18T04:26:40Z", "jo",
    )  # fmt: skip
    assert (page["url"], page["time"]) == ("https://example.org/a", "2022-06-18T04:26:40Z")
    assert fact["value"] == "2 (1 file, 1 https)"
    assert "what it says" not in json.dumps([file, page, fact])
    for copy in mutations(data, 20):
        try:
            evidence({SQLITE: copy}).parse(search_index.parse_sqlite, SQLITE)
        except Unrecognised:
            pass


def test_another_database_is_refused(evidence: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute("CREATE TABLE other (a)")
    connection.close()
    with pytest.raises(Unrecognised):
        evidence({SQLITE: (tmp_path / "b.db").read_bytes()}).parse(search_index.parse_sqlite, SQLITE)
    with pytest.raises(Unrecognised):
        evidence({ESE: b"nothing"}).parse(search_index.parse_ese, ESE)
