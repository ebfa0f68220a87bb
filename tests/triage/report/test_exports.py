"""Exports: exact, complete, read back by readers that are not ours where there is one."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artefacts import observations as o
from artefacts.times import Timestamp
from triage.report.exports import FORMATS, UnknownFormat, export


def _lines(folder: Path, format: str) -> list[dict[str, Any]]:
    out = io.BytesIO()
    export(folder, format, out)
    assert out.getvalue().isascii()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _small(makers: SimpleNamespace, folder: Path) -> Path:
    maker = makers.Maker(folder).open().source()
    maker.list(
        {"path": "/a.txt", "md5": "0" * 32, "address": "5-128-1"},
        {"path": "/b|\n.txt", "allocated": False, "content": "guess", "local_times": True, "accessed": None},
        {"path": "/dir", "kind": "directory", "modified": 1 << 80, "orphan": True},
    )
    maker.observe(
        o.PageVisit(url="https://example.org/", title="T", time=Timestamp(makers.T0 + 1000), user="p", locator="row 3", recovered=True)
    )
    return Path(maker.finish())


def test_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="no export format 'pdf': choose one of jsonl, csv, bodyfile, timesketch, sqlite, case"):
        export(tmp_path, "pdf", io.BytesIO())


@pytest.mark.parametrize("format", FORMATS)
def test_to_a_path_whole_and_the_same_twice(makers: SimpleNamespace, tmp_path: Path, format: str) -> None:
    folder = makers.hostile(tmp_path / "c")
    export(folder, format, tmp_path / "one")
    out = io.BytesIO()
    export(folder, format, out)
    assert (tmp_path / "one").read_bytes() == out.getvalue() != b""
    assert [path.name for path in folder.iterdir()] == ["journal.jsonl"]


def test_jsonl_is_every_observation_in_the_order_of_the_journal(makers: SimpleNamespace, tmp_path: Path) -> None:
    lines = _lines(_small(makers, tmp_path / "c"), "jsonl")
    assert [(line["type"], line["provenance"]["path"]) for line in lines] == [
        ("FileSeen", "/a.txt"), ("DeletedFile", "/b|\n.txt"), ("FileSeen", "/dir"), ("PageVisit", "/Users/person/History"),
    ]  # fmt: skip
    assert lines[0] == {
        "type": "FileSeen", "path": "/a.txt", "size": 1234, "time": "2026-09-21T14:13:20Z", "created": "2026-09-20T14:13:20Z",
        "accessed": "2026-09-22T14:13:20Z", "changed": "2026-09-21T14:13:20Z", "hashes": {"md5": "0" * 32}, "allocated": True, "kind": "file",
        "how": "file system", "user": None, "used": None, "used_reason": "not recorded", "count": None, "volume": {}, "detail": None, "id": None,
        "provenance": {"source": "s1", "path": "/a.txt", "locator": "5-128-1", "parser": "file system", "recovered": False, "volume": "v1"},
    }  # fmt: skip
    deleted = lines[1]
    assert deleted["time"] is None and deleted["time_local"] == "2026-09-21T14:13:20"
    assert deleted["time_reason"].startswith("local time, zone not recorded")
    assert deleted["accessed"] is None and deleted["accessed_reason"] == "not recorded" and "accessed_local" not in deleted
    assert deleted["content"] == "guess" and deleted["provenance"]["recovered"] is True and "allocated" not in deleted
    assert lines[2]["time"] is None and "outside the years" in lines[2]["time_reason"] and lines[2]["how"] == "file system, folder lost"
    assert lines[3]["time"] == "2026-09-21T14:13:20.000001Z"
    assert lines[3]["provenance"] == {
        "source": "s1", "path": "/Users/person/History", "locator": "row 3", "parser": "chromium.history/1", "recovered": True, "volume": "v1",
    }  # fmt: skip
    journalled = o.FileSeen(path="/a").to_json()
    assert set(lines[0]) | {"time_reason", "created_reason", "accessed_reason", "changed_reason"} == set(journalled) | {"id", "provenance"}


def test_csv_of_findings(makers: SimpleNamespace, tmp_path: Path) -> None:
    out = io.BytesIO()
    export(makers.found(tmp_path / "c"), "csv", out)
    assert out.getvalue().startswith(b"\xef\xbb\xbffinding_id,exhibit,rule_id,") and out.getvalue().endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert ",".join(rows[0]) == (
        "finding_id,exhibit,rule_id,rule_version,severity,confidence,artefact,path,inode_or_record,size,md5,sha1,sha256,set_name,set_version,"
        "set_code,time_utc,time_kind,user,source_tool,note"
    )
    assert len(rows) == 6
    first = rows[0]
    assert (first["finding_id"], first["exhibit"], first["severity"], first["confidence"]) == ("0000000000000001", "s1", "5", "found")
    assert (first["set_name"], first["set_version"], first["set_code"], first["size"]) == ("Example set", "2026-10", "2", "1234")
    assert (first["time_utc"], first["time_kind"]) == ("2026-09-21T14:13:20.000001Z", "time")
    assert first["sha256"] == makers.digest("/Users/person/Pictures/holiday 00001.jpg")["sha256"]
    assert first["source_tool"] == "triage 0.1.0" and first["note"].startswith("A file is in an alert hash set. ")


def test_csv_cells_are_no_formulas(makers: SimpleNamespace, tmp_path: Path) -> None:
    out = io.BytesIO()
    export(makers.hostile(tmp_path / "c"), "csv", out)
    rows = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert {len(row) for row in rows} == {21} and len(rows) == 11
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_bodyfile(makers: SimpleNamespace, tmp_path: Path) -> None:
    out = io.BytesIO()
    export(_small(makers, tmp_path / "c"), "bodyfile", out)
    assert out.getvalue().decode().splitlines() == [
        "00000000000000000000000000000000|/s1/v1/a.txt|5-128-1|r/rrwxrwxrwx|0|0|1234|1790086400|1790000000|1790000000|1789913600",
        "0|/s1/v1/b⟨U+007C⟩⟨LF⟩.txt (deleted)|41-128-1|r/rrwxrwxrwx|0|0|1234|0|1790000000|1790000000|1789913600",
        "0|/s1/v1/dir|41-128-1|d/drwxrwxrwx|0|0|1234|1790086400|0|1790000000|1789913600",
    ]


@pytest.mark.tools
def test_mactime_reads_the_bodyfile(makers: SimpleNamespace, tmp_path: Path) -> None:
    if shutil.which("mactime") is None:
        pytest.skip("no mactime on this machine")
    folder = makers.clean(tmp_path / "c")
    export(folder, "bodyfile", tmp_path / "body")
    done = subprocess.run(["mactime", "-b", str(tmp_path / "body"), "-d", "-z", "UTC"], capture_output=True, text=True, check=True)
    assert sum("/s1/v1/Users/person/Pictures/" in line for line in done.stdout.splitlines()) == 60  # three moments each
    assert "old.txt (deleted)" in done.stdout


def test_timesketch(makers: SimpleNamespace, tmp_path: Path) -> None:
    events = _lines(_small(makers, tmp_path / "c"), "timesketch")
    assert len(events) == 4 + 0 + 3 + 1
    assert all({"message", "datetime", "timestamp_desc", "timestamp"} <= set(event) for event in events)
    assert events[-1]["datetime"] == "2026-09-21T14:13:20.000001+00:00" and events[-1]["timestamp"] == 1_790_000_000_000_001
    assert events[-1]["timestamp_desc"] == "visited" and events[-1]["message"] == "url: https://example.org/; title: T"


def test_sqlite(makers: SimpleNamespace, tmp_path: Path) -> None:
    export(makers.hostile(tmp_path / "c"), "sqlite", tmp_path / "x.db")
    database = sqlite3.connect(tmp_path / "x.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    count = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in ("FileSeen", "DeletedFile", "PageVisit", "finding", "coverage", "volume")}  # fmt: skip
    number = len(makers.HOSTILE)
    assert count == {"FileSeen": number, "DeletedFile": number, "PageVisit": number, "finding": number, "coverage": number, "volume": 2}
    titles = [row[0] for row in database.execute("SELECT title FROM PageVisit ORDER BY rowid")]
    assert titles == [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in makers.HOSTILE]
    assert database.execute("SELECT DISTINCT prov_source, prov_parser FROM PageVisit").fetchall() == [("s1", "chromium.history/1")]
    database.close()
