"""The baseline through the real commands: a folder at two visits, something cleaned between them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[3]
NOW = int(time.time() + 11_644_473_600) * 1_000_000  # WebKit: microseconds since 1601


def _triage(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "triage.cli", *arguments], cwd=ROOT, capture_output=True, text=True)


def _history(profile: Path, days: range) -> None:
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "History").unlink(missing_ok=True)
    with closing(sqlite3.connect(profile / "History")) as database, database:
        database.execute("CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER, last_visit_time INTEGER)")
        database.execute("CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER)")
        for number, day in enumerate(days, 1):
            stamp = NOW + (day - 61) * 86_400_000_000
            database.execute("INSERT INTO urls VALUES(?, ?, 'A page', 1, ?)", (number, f"https://example.org/{number}", stamp))
            database.execute("INSERT INTO visits VALUES(?, ?, ?, 1)", (number, number, stamp))


def test_two_visits(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    profile = evidence / "Users" / "ann" / "AppData" / "Local" / "Google" / "Chrome" / "User Data" / "Default"
    _history(profile, range(60))
    assert _triage("scan", str(evidence), "--case", str(tmp_path / "one")).returncode in (0, 3)
    made = _triage("baseline", str(tmp_path / "one"), "--out", str(tmp_path / "base.json"))
    assert made.returncode == 0, made.stderr
    same = _triage("scan", str(evidence), "--case", str(tmp_path / "same"), "--baseline", str(tmp_path / "base.json"))
    assert same.returncode in (0, 3), same.stderr
    assert json.loads((tmp_path / "same" / "report.json").read_bytes())["observations"].get("SinceLastVisit") is None
    _history(profile, range(55, 62))
    assert _triage("scan", str(evidence), "--case", str(tmp_path / "two"), "--baseline", str(tmp_path / "base.json")).returncode in (0, 3)
    report = json.loads((tmp_path / "two" / "report.json").read_bytes())
    (finding,) = [item for item in report["findings"] if item["rule"] == "since.history_fewer"]
    assert "of 60 visits from" in finding["explanation"] and "5 are there now" in finding["explanation"]
    assert _triage("verify", str(tmp_path / "two")).returncode == 0


def test_a_baseline_that_is_none_ends_the_program_before_anything(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "evidence").mkdir()
    done = _triage("scan", str(tmp_path / "evidence"), "--case", str(tmp_path / "c"), "--baseline", str(tmp_path / "x.json"))
    assert done.returncode == 2 and "is no baseline" in done.stderr and not (tmp_path / "c").exists()
    assert _triage("baseline", str(tmp_path), "--out", str(tmp_path / "b")).returncode == 2
