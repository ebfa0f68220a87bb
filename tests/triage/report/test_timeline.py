"""timeline.csv: complete, in order, in bounded memory, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from artefacts import observations as o
from artefacts.times import Timestamp
from triage.report import timeline
from triage.report.case import load


def _rows(folder: Path) -> list[dict[str, str]]:
    out = io.BytesIO()
    timeline.write(load(folder), out, folder)
    raw = out.getvalue()
    assert raw.startswith(b"\xef\xbb\xbftime_utc,time_kind,") and raw.endswith(b"\r\n") and b"\n" not in raw.replace(b"\r\n", b"")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_every_time_once_and_listed_files_only_where_a_finding_names_them(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    named, other = "/Users/person/Pictures/holiday 00001.jpg", "/Users/person/other.jpg"
    maker.add("finding", **makers.finding(1))
    maker.list({"path": named}, {"path": other}, {"path": named, "allocated": False, "local_times": True})
    maker.observe(o.SearchQuery(terms="x", time=Timestamp(-1_000_000_000)))
    early = maker.observe(o.PageVisit(url="https://example.org/", title="T", time=Timestamp(-1), user="p"))
    late = maker.observe(o.Download(url="https://example.org/a", started=Timestamp(makers.T0), finished=Timestamp(makers.T0 + 500_000_000)))
    rows = _rows(maker.finish())
    assert [(r["time_utc"], r["time_kind"], r["type"]) for r in rows] == [
        ("1969-12-31T23:59:59Z", "searched", "SearchQuery"),
        ("1969-12-31T23:59:59.999999999Z", "visited", "PageVisit"),
        ("2026-09-20T14:13:20Z", "created", "FileSeen"),
        ("2026-09-21T14:13:20Z", "started", "Download"),
        ("2026-09-21T14:13:20Z", "changed", "FileSeen"),
        ("2026-09-21T14:13:20Z", "modified", "FileSeen"),
        ("2026-09-21T14:13:20.500Z", "finished", "Download"),
        ("2026-09-22T14:13:20Z", "accessed", "FileSeen"),
    ]
    assert rows[1]["observation_id"] == early and rows[3]["observation_id"] == late
    assert [rows[1][name] for name in ("description", "path", "source", "user")] == [
        "url: https://example.org/; title: T", "/Users/person/History", "s1", "p",
    ]  # fmt: skip
    assert {r["path"] for r in rows if r["type"] == "FileSeen"} == {named}


def test_the_first_and_the_last_year_stand_at_the_ends(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    for ns in (253_402_300_799 * 10**9, 0, -62_135_596_800 * 10**9, 10**19, -(10**9)):
        maker.observe(o.PageVisit(url="u", time=Timestamp(ns)))
    assert [row["time_utc"][:10] for row in _rows(maker.finish())] == ["0001-01-01", "1969-12-31", "1970-01-01", "2286-11-20", "9999-12-31"]


def test_no_cell_is_a_formula_and_nothing_acts(makers: SimpleNamespace, tmp_path: Path) -> None:
    rows = _rows(makers.hostile(tmp_path / "c"))
    assert len(rows) >= 40
    for row in rows:
        assert None not in row and None not in row.values()
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@"))
            assert not any(ord(c) < 32 or 0x202A <= ord(c) <= 0x202E or 0xD800 <= ord(c) <= 0xDFFF for c in cell)
    assert any(row["user"].startswith("'=cmd") for row in rows)


@pytest.mark.parametrize("chunk_bytes", [1, 5_000, 1 << 30])
def test_sorting_on_disk_is_sorting(tmp_path: Path, chunk_bytes: int) -> None:
    chance = random.Random(4)
    lines = [f"{chance.randrange(400):05d}\t{chance.randrange(9)}\n" for _ in range(3_000)]
    assert list(timeline.sort_lines(iter(lines), tmp_path, chunk_bytes=chunk_bytes)) == sorted(lines)
    assert not list(tmp_path.iterdir())
