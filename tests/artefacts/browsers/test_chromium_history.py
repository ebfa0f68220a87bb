"""Chromium history: real specimens exactly, a database of today's schema, what is missing, what is damaged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers.chromium_history import parse
from artefacts.browsers.missing_history import parse_chromium
from artefacts.browsers.unvisited import NO_VISIT_RECORD
from artefacts.coverage import Encrypted, Status, Unrecognised
from artefacts.observations import Download, PageVisit, SearchQuery
from artefacts.times import NoTime, Timestamp

CHROME = "/Users/jo/AppData/Local/Google/Chrome/User Data/Default/History"
DAY = 13_400_000_000_000_000  # WebKit microseconds of 2025-08-18T14:13:20Z


def of(kind: type, observations: list[Any]) -> list[Any]:
    return [item for item in observations if type(item) is kind]


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


def parsed_specimen(evidence: Any, path: Path) -> list[Any]:
    observations: list[Any]
    observations, problems = evidence({CHROME: path.read_bytes()}).parse(parse, CHROME)
    assert problems == []
    return observations


FORENSICS = "en.wikipedia.org/wiki/Computer_forensics"


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("number", "visits", "visited", "started", "finished"),
    [
        # The published answer ends in 3; the bytes say 13014880135498622: Hindsight's value went through a float.
        ("01", 46, "2013-06-05T04:28:55.498622Z", "2013-06-05T04:28:30Z", None),
        ("10", 84, "2013-06-27T04:23:14.176756Z", "2013-06-27T04:23:25Z", None),
        ("30", 46, "2013-10-02T23:15:13.326712Z", "2013-10-02T23:17:29.397160Z", "2013-10-02T23:17:36.367044Z"),
    ],
)
def test_hindsight_specimens(
    evidence: Any, specimens: Path, number: str, visits: int, visited: str, started: str, finished: str | None
) -> None:
    observations = parsed_specimen(evidence, specimens / "browser/hindsight" / number / "History")
    pages = of(PageVisit, observations)
    assert len(pages) == visits
    assert all(isinstance(page.time, Timestamp) and page.transition and page.browser == "Chrome" and page.user == "jo" for page in pages)
    assert visited in [iso(page.time) for page in pages if page.url.split("://")[1] == FORENSICS]
    downloads = of(Download, observations)
    assert len(downloads) == 2
    disk = downloads[0]
    assert disk.url.split("://")[1] == "upload.wikimedia.org/wikipedia/commons/7/7a/Hard_disk.jpg"
    assert (disk.path.split("\\")[-1], disk.bytes, disk.total_bytes, disk.state) == ("Hard_disk.jpg", 1387537, 1387537, "complete")
    assert iso(disk.started) == started
    assert (iso(disk.finished) if finished else disk.finished) == (finished or NoTime("not recorded"))
    assert [(search.terms, search.engine) for search in of(SearchQuery, observations)] == [
        ("computer forensics", "Google"),
        ("3 tb hard drive", "Google"),
        ("write blocker", "Amazon"),
        ("file system forensic analysis", "Google"),
        ("facebook bill gates", "Google"),
        ("twitter colbert", "Google"),
    ]


@pytest.mark.specimens
def test_every_version_of_dfirlabs(evidence: Any, specimens: Path) -> None:
    facts = {
        item["path"]: item["facts"]
        for item in json.loads((specimens / "expected/test_facts.json").read_text())
        if isinstance(item["path"], str)
    }
    paths = sorted((specimens / "browser/dfirlabs-chrome/history").iterdir())
    assert len(paths) == 18
    for path in paths:
        fact = facts[f"browser/dfirlabs-chrome/history/{path.name}"]
        observations = parsed_specimen(evidence, path)
        pages, downloads = of(PageVisit, observations), of(Download, observations)
        assert (len(pages), len(downloads), len(observations)) == (fact["visits_rows"], fact["downloads_rows"], fact["visits_rows"] * 2)
        assert all(page.url == fact["url"] for page in pages)
        for download in downloads:
            assert download.url.endswith("/plaso-20171231.1.win32.msi") and download.path.endswith(".msi")
            assert isinstance(download.started, Timestamp) and iso(download.started).startswith("20")


def today(path: Path) -> bytes:
    """A history with the columns of 2026, of a person who searched, followed a link, was redirected and downloaded."""
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE urls (id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, title LONGVARCHAR, visit_count INTEGER DEFAULT 0 NOT NULL,
          typed_count INTEGER DEFAULT 0 NOT NULL, last_visit_time INTEGER NOT NULL, hidden INTEGER DEFAULT 0 NOT NULL);
        CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL, from_visit INTEGER,
          external_referrer_url TEXT, transition INTEGER DEFAULT 0 NOT NULL, visit_duration INTEGER DEFAULT 0 NOT NULL, originator_cache_guid TEXT);
        CREATE TABLE visit_source (id INTEGER PRIMARY KEY, source INTEGER NOT NULL);
        CREATE TABLE keyword_search_terms (keyword_id INTEGER NOT NULL, url_id INTEGER NOT NULL, term LONGVARCHAR NOT NULL, normalized_term LONGVARCHAR);
        CREATE TABLE downloads (id INTEGER PRIMARY KEY, guid VARCHAR, current_path LONGVARCHAR, target_path LONGVARCHAR, start_time INTEGER,
          received_bytes INTEGER, total_bytes INTEGER, state INTEGER, danger_type INTEGER, interrupt_reason INTEGER, end_time INTEGER,
          opened INTEGER, referrer VARCHAR, mime_type VARCHAR);
        CREATE TABLE downloads_url_chains (id INTEGER, chain_index INTEGER, url LONGVARCHAR, PRIMARY KEY (id, chain_index));
        """
    )
    pages = [
        (1, "https://www.google.com/search?q=garden+sheds", "garden sheds", 2, DAY + 9),
        (2, "http://sheds.example/", "Sheds", 1, DAY + 2),
        (3, "https://sheds.example/", None, 1, DAY + 3),
        (4, "https://old.example/", "Old", 7, DAY - 50),
        (5, "https://duckduckgo.com/?q=Garden%20Sheds&t=h_", "x", 1, DAY + 5),
        (6, "https://never.example/", "Kept by a bookmark, not visited", 0, 0),
    ]
    db.executemany("INSERT INTO urls (id, url, title, visit_count, last_visit_time) VALUES (?, ?, ?, ?, ?)", pages)
    visits = [
        (1, 1, DAY, 0, "", 0x30000005, 0, ""),
        (2, 2, DAY + 2, 1, "", 0x10000000, 0, ""),
        (3, 3, DAY + 3, 2, "", -0x60000000, 1_500_000, ""),
        (4, 5, DAY + 5, 0, "https://mail.example/", 1, 0, ""),
        (5, 1, DAY + 9, 0, "", 8, 0, "guid-of-a-phone"),
        (6, 2, DAY + 10, 0, "", 0, 0, ""),
        (7, 99, 0, 0, "", 77, 0, ""),
    ]
    db.executemany("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]) for v in visits])
    db.execute("INSERT INTO visit_source VALUES (6, 3)")
    db.execute("INSERT INTO keyword_search_terms VALUES (2, 1, 'Garden sheds', 'garden sheds')")
    row = (
        1,
        "C:\\Temp\\x.crdownload",
        "C:\\Users\\jo\\Downloads\\plan.pdf",
        DAY + 20,
        10,
        1000,
        4,
        2,
        DAY + 30,
        1,
        "https://sheds.example/",
        "application/pdf",
    )
    db.execute(
        "INSERT INTO downloads (id, current_path, target_path, start_time, received_bytes, total_bytes, state, danger_type, end_time, opened, referrer, mime_type)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    db.executemany(
        "INSERT INTO downloads_url_chains VALUES (1, ?, ?)", [(1, "https://cdn.example/plan.pdf"), (0, "https://sheds.example/get")]
    )
    db.commit()
    db.close()
    return path.read_bytes()


def test_todays_schema(evidence: Any, tmp_path: Path) -> None:
    observations, problems = evidence({CHROME: today(tmp_path / "History")}).parse(parse, CHROME)
    assert problems == []
    pages = of(PageVisit, observations)
    assert [(page.locator, page.transition, page.source) for page in pages] == [
        ("table=visits rowid=1", "generated", "this device"),
        ("table=visits rowid=2", "link", "this device"),
        ("table=visits rowid=3", "link", "this device"),
        ("table=visits rowid=4", "typed", "this device"),
        ("table=visits rowid=5", "reload", "another device (synced)"),
        ("table=visits rowid=6", "link", "imported from Firefox"),
        ("table=visits rowid=7", "unknown (77)", "this device"),
        ("table=urls rowid=4", None, NO_VISIT_RECORD),
    ]
    assert pages[0].qualifiers == ("chain start", "chain end")
    assert pages[2].qualifiers == ("chain end", "server redirect") and pages[2].duration == 1.5
    assert (pages[2].from_visit, pages[2].referrer) == (2, "http://sheds.example/") and pages[2].title is None
    assert pages[3].referrer == "https://mail.example/"
    assert pages[6].url == "[address not known: row 99 of urls is gone]" and pages[6].time == NoTime("not recorded")
    assert iso(pages[1].time) == "2025-08-18T14:13:20.000002Z"
    searches = of(SearchQuery, observations)
    assert [(s.engine, s.terms, s.where, s.count) for s in searches] == [
        ("Google", "Garden sheds", "keyword_search_terms", 2),
        ("DuckDuckGo", "Garden Sheds", "url", 1),
    ]
    assert (iso(searches[0].time), iso(searches[0].last)) == ("2025-08-18T14:13:20Z", "2025-08-18T14:13:20.000009Z")
    [download] = of(Download, observations)
    assert download.url == "https://cdn.example/plan.pdf"
    assert download.url_chain == ("https://sheds.example/get", "https://cdn.example/plan.pdf")
    assert (download.path, download.state, download.danger, download.opened) == (
        "C:\\Users\\jo\\Downloads\\plan.pdf",
        "interrupted",
        "dangerous address",
        True,
    )
    assert (download.bytes, download.total_bytes, download.mime_type) == (10, 1000, "application/pdf")
    assert iso(download.finished) == "2025-08-18T14:13:20.000030Z"


def test_deleted_rows_are_recovered_and_marked(evidence: Any, tmp_path: Path) -> None:
    today(tmp_path / "History")
    db = sqlite3.connect(tmp_path / "History")
    db.execute("PRAGMA secure_delete=OFF")
    db.execute("DELETE FROM urls WHERE id = 5")
    db.execute("DELETE FROM visits WHERE id IN (2, 4)")
    db.commit()
    db.close()
    observations, problems = evidence({CHROME: (tmp_path / "History").read_bytes()}).parse(parse, CHROME)
    assert problems == []
    assert not any(item.recovered for item in observations if item.locator.startswith("table=visits rowid="))
    recovered = [item for item in observations if item.recovered]
    assert [(item.url, iso(item.time), getattr(item, "source", None)) for item in recovered] == [
        ("https://duckduckgo.com/?q=Garden%20Sheds&t=h_", "2025-08-18T14:13:20.000005Z", "deleted address (time of its last visit)"),
        ("http://sheds.example/", "2025-08-18T14:13:20.000002Z", "deleted visit"),
        ("https://duckduckgo.com/?q=Garden%20Sheds&t=h_", "2025-08-18T14:13:20.000005Z", None),
    ]
    assert isinstance(recovered[2], SearchQuery) and recovered[2].terms == "Garden Sheds"
    assert all("page=" in item.locator and "offset=" in item.locator for item in recovered)
    assert len(of(PageVisit, observations)) == 7 + 1


def test_a_cleared_history_tells_how_much_there_was(evidence: Any, tmp_path: Path) -> None:
    today(tmp_path / "History")
    db = sqlite3.connect(tmp_path / "History")
    for pragma in ("PRAGMA secure_delete=ON", "DELETE FROM visits", "DELETE FROM urls", "DELETE FROM downloads", "VACUUM"):
        db.execute(pragma)
        db.commit()
    db.close()
    observations, problems = evidence({CHROME: (tmp_path / "History").read_bytes()}).parse(parse, CHROME)
    assert problems == [] and observations == []
    gaps, problems = evidence({CHROME: (tmp_path / "History").read_bytes()}).parse(parse_chromium, CHROME)
    assert problems == [] and [(gap.kind, gap.missing, gap.left) for gap in gaps[:2]] == [
        ("newest records", 7, 0),
        ("newest records", 6, 0),
    ]


def test_downloads_of_the_first_versions_count_unix_seconds(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "History")
    db.executescript(
        """
        CREATE TABLE urls (id INTEGER PRIMARY KEY, url LONGVARCHAR);
        CREATE TABLE downloads (id INTEGER PRIMARY KEY, full_path LONGVARCHAR, url LONGVARCHAR, start_time INTEGER, received_bytes INTEGER,
          total_bytes INTEGER, state INTEGER);
        INSERT INTO downloads VALUES (1, 'C:\\plan.pdf', 'https://sheds.example/plan.pdf', 1300000000, 5, 5, 1);
        """
    )
    db.close()
    [download], problems = evidence({CHROME: (tmp_path / "History").read_bytes()}).parse(parse, CHROME)
    assert problems == [] and (iso(download.started), download.state, download.opened) == ("2011-03-13T07:06:40Z", "complete", None)


def test_only_the_columns_used_are_required(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "History")
    db.executescript("CREATE TABLE urls (id INTEGER PRIMARY KEY, url); CREATE TABLE visits (id INTEGER PRIMARY KEY, url)")
    db.executescript("INSERT INTO urls VALUES (1, 'https://a.example/'); INSERT INTO visits VALUES (1, 1)")
    db.close()
    [page], problems = evidence({CHROME: (tmp_path / "History").read_bytes()}).parse(parse, CHROME)
    assert problems == [] and (page.url, page.time, page.transition) == ("https://a.example/", NoTime("not recorded"), None)


def test_a_view_in_the_place_of_the_table_is_not_history(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "History")
    db.executescript("CREATE TABLE t (id, url); INSERT INTO t VALUES (1, 'https://planted.example/'); CREATE VIEW urls AS SELECT * FROM t")
    db.close()
    with pytest.raises(Unrecognised, match="without the table urls"):
        evidence({CHROME: (tmp_path / "History").read_bytes()}).parse(parse, CHROME)


def test_files_that_share_the_name(evidence: Any, tmp_path: Path) -> None:
    text = b"Release notes\n" * 20
    with pytest.raises(Unrecognised):
        evidence({CHROME: text}).parse(parse, CHROME)
    elsewhere = "/usr/share/doc/tool/History"
    observations, [problem] = evidence({elsewhere: text}).parse(parse, elsewhere)
    assert observations == [] and problem.status is Status.SKIPPED
    unknown = "/mnt/stick/odd/History"
    beside = {unknown: text, "/mnt/stick/odd/Cookies": b"", "/mnt/stick/odd/Web Data": b""}
    with pytest.raises(Unrecognised):
        evidence(beside).parse(parse, unknown)


def test_a_profile_somewhere_unknown(evidence: Any, tmp_path: Path) -> None:
    path = "/mnt/stick/odd/History"
    observations, problems = evidence({path: today(tmp_path / "History")}).parse(parse, path)
    assert problems == [] and {item.browser for item in observations} == {"unknown Chromium browser"}
    assert {item.profile for item in observations} == {"odd"}


def test_mutations(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = today(tmp_path / "History")
    whole, _ = evidence({CHROME: data}).parse(parse, CHROME)
    for damaged in mutations(data, 60):
        try:
            observations, problems = evidence({CHROME: damaged}).parse(parse, CHROME)
        except (Unrecognised, Encrypted):
            continue
        assert len(observations) <= len(whole) + 5
        assert problems or len(damaged) == len(data)
