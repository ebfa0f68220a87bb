"""The dates of the visit: what is within is kept, what is outside is listed and not opened, and coverage says so."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.observations import AttachedDevice, Cookie, PageVisit
from artefacts.times import NS, NoTime, Timestamp
from tests.triage.scan.conftest import KNOWN, Result
from triage.evidence.model import Entry
from triage.scan.scope import FILES_OUTSIDE, LISTED, OUTSIDE, RECORDS_ONLY, UNDATED, WHAT_UNDATED, Dates
from triage.scan.setup import Setup

DAY = 86_400 * NS
START = 1_772_323_200 * NS  # 2026-03-01
END = START + 31 * DAY - 1
VISIT = {"scope": {"from": "2026-03-01T00:00:00Z", "to": "2026-03-31T23:59:59.999999Z"}}


def entry(*times: int | None, local: bool = False) -> Entry:
    modified, created, accessed, changed = (*times, None, None, None, None)[:4]
    return Entry("/a", "file", 1, "1", modified=modified, created=created, accessed=accessed, changed=changed, local_times=local)


def test_the_dates_of_a_visit() -> None:
    assert Dates.of(VISIT) == Dates(START, END)
    assert Dates.of({"scope": {"from": None, "to": "2026-03-31T23:59:59.999999Z"}}) == Dates(None, END)
    for nothing in (None, {}, {"scope": None}, {"scope": {"from": None, "to": None}}):
        assert not Dates.of(nothing)
    assert Dates(START, END) and Dates(start=0)


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        (entry(), True),
        (entry(START), True),
        (entry(END), True),
        (entry(START - 1), False),
        (entry(END + 1), False),
        (entry(START - DAY, START - 2 * DAY), False),
        (entry(END + DAY, START - DAY), True),  # it was there in between
        (entry(START - DAY, START + DAY), True),
        (entry(START - 13 * 3600 * NS, local=True), True),  # it may be the first of March there
        (entry(START - 15 * 3600 * NS, local=True), False),
    ],
)
def test_files(item: Entry, kept: bool) -> None:
    assert Dates(START, END).entry(item) is kept
    assert Dates().entry(item)


def test_one_end_alone() -> None:
    assert Dates(start=START).entry(entry(END + 400 * DAY)) and not Dates(start=START).entry(entry(START - 1))
    assert Dates(end=END).entry(entry(0)) and not Dates(end=END).entry(entry(END + 1))


def test_records() -> None:
    dates = Dates(START, END)
    before, after = Timestamp(START - DAY), Timestamp(END + DAY)
    assert not dates.record(PageVisit(url="x", time=before))
    assert dates.record(PageVisit(url="x", time=Timestamp(START)))
    assert dates.record(PageVisit(url="x")) and not dates.dated(PageVisit(url="x"))
    assert dates.record(AttachedDevice(kind="USB storage", first=before, last=after))
    assert not dates.record(AttachedDevice(kind="USB storage", first=before, last=before))
    assert not dates.record(Cookie(host="x", name="y", created=before, expires=after))  # when it ends is not when it was used
    assert dates.record(PageVisit(url="x", time=NoTime("zone", local="2026-02-28T20:00:00")))
    assert not dates.record(PageVisit(url="x", time=NoTime("zone", local="2026-02-20T20:00:00")))
    assert dates.record(PageVisit(url="x", time=NoTime("zone", local="yesterday")))


def test_records_as_they_are_journalled() -> None:
    dates = Dates(START, END)
    for time, kept in (
        ("2026-03-01T00:00:00Z", True),
        ("2026-02-28T23:59:59.9999999Z", False),
        ("2026-02-31T00:00:00Z", True),
        ("soon", True),
    ):
        assert dates.journalled({"type": "X", "time": time, "path": "/a"}) is kept
    for moment in (START - 1, START, END, END + 1):
        visit = PageVisit(url="x", time=Timestamp(moment // 1000 * 1000))
        assert dates.journalled(visit.to_json()) is dates.record(visit)


def test_the_dates_reach_the_workers() -> None:
    from triage.scan.profile import load_profile

    setup = Setup(load_profile("quick"), {}, dates=Dates(START, None))
    assert Setup.decode(setup.encode()).dates == Dates(START, None)


def _dated(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


@pytest.fixture
def household(tmp_path: Path) -> Path:
    """A folder whose files are of March 2026 and of 2001; a History that was last written in 2001 and holds both."""
    root = tmp_path / "evidence"
    profile = root / "Users" / "alex" / "AppData" / "Local" / "Google" / "Chrome" / "User Data" / "Default"
    profile.mkdir(parents=True)
    for name, seconds in (("march.txt", START // NS + 86_400), ("old.txt", 1_000_000_000)):
        (root / name).write_bytes(KNOWN + b"We talked about the copper kettle protocol.\n")
        _dated(root / name, seconds)
    history = profile / "History"
    with sqlite3.connect(history) as database:
        database.execute("CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER, last_visit_time INTEGER)")
        database.execute("CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER)")
        for number, (url, seconds) in enumerate(
            (("march", START // NS + 3600), ("early", START // NS - 3600), ("late", END // NS + 3600)), 1
        ):
            time = (seconds + 11_644_473_600) * 1_000_000
            database.execute("INSERT INTO urls VALUES(?, ?, 'copper kettle protocol', 1, ?)", (number, f"https://{url}.example/", time))
            database.execute("INSERT INTO visits VALUES(?, ?, ?, 1)", (number, number, time))
    database.close()
    _dated(history, 1_000_000_000)
    return root


def _covered(result: Result) -> dict[tuple[str, str, str], int]:
    records = [line["data"] for line in result.journal if line["kind"] == "coverage" and line["data"].get("summary")]
    return {(item["what"], item["status"], item["reason"]): item["count"] for item in records}


def _visits(result: Result) -> set[str]:
    return {line["data"]["url"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "PageVisit"}


def _hits(result: Result) -> set[str]:
    found = (line["data"] for line in result.journal if line["kind"] == "observation")
    return {item["provenance"]["path"] for item in found if item["type"] == "KeywordHit"}


@pytest.mark.tools
def test_a_scan_within_dates(scan: Callable[..., Result], household: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("term,category,severity,form\ncopper kettle protocol,demonstration,4,phrase\n")
    # A folder's change times cannot be set: an image can have others.
    image = _image(household, tmp_path)
    visit = tmp_path / "visit.yaml"
    visit.write_text(
        "reference: R1\nofficer: {name: No}\nauthority: {basis: order, reference: X}\nscope: {from: 2026-03-01, to: 2026-03-31}\n"
    )
    free = scan(image, "--keywords", words, case=tmp_path / "free")
    assert _visits(free) == {"https://march.example/", "https://early.example/", "https://late.example/"}
    assert _hits(free) >= {"/march.txt", "/old.txt"}

    bound = scan(image, "--keywords", words, "--visit", visit, case=tmp_path / "bound")
    assert bound.code == 0, bound.err
    assert _visits(bound) == {"https://march.example/"}
    assert {path for path in _hits(bound) if path.endswith(".txt")} == {"/march.txt"}
    assert not any("early" in str(f) or "late.example" in str(f) for f in bound.findings())
    covered = _covered(bound)
    assert covered[FILES_OUTSIDE, "skipped_by_rule", LISTED] == 1
    assert covered[FILES_OUTSIDE, "skipped_by_rule", RECORDS_ONLY] == 1
    assert covered["browsers.chromium.history", "skipped_by_rule", OUTSIDE] == 2
    listed = {row[0]: row for line in bound.journal if line["kind"] == "listing" for row in line["data"]["rows"]}
    assert listed["/old.txt"][-1] is None and listed["/march.txt"][-1] is not None
    page_one: dict[str, Any] = bound.report["assessment"]
    assert any("outside the dates of the visit" in line for line in page_one["not_checked"])
    assert (WHAT_UNDATED, "parsed", UNDATED) not in _covered(free)


def _image(folder: Path, tmp_path: Path) -> Path:
    """An ISO 9660 image of the folder: its files have one time, the one that was set."""
    import shutil
    import subprocess

    if shutil.which("genisoimage") is None:
        pytest.skip("genisoimage is not installed")
    image = tmp_path / "household.iso"
    subprocess.run(["genisoimage", "-quiet", "-R", "-U", "-D", "-o", image, folder], check=True, capture_output=True)
    return image
