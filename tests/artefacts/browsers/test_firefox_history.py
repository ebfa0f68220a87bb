"""Firefox places: the real specimens, a database of today's schema, damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers.firefox_history import file_path, parse, parse_downloads
from artefacts.browsers.unvisited import NO_VISIT_RECORD
from artefacts.coverage import Encrypted, Unrecognised
from artefacts.observations import Bookmark, Download, PageVisit, SearchQuery
from artefacts.times import NoTime, Timestamp

PLACES = "/home/jo/.mozilla/firefox/ab12.default-esr/places.sqlite"
START = 1_760_000_000_000_000  # 2025-10-09T08:53:20Z in microseconds


def of(kind: type, observations: list[Any]) -> list[Any]:
    return [item for item in observations if type(item) is kind]


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


@pytest.mark.specimens
def test_places_of_firefox_5(evidence: Any, specimens: Path) -> None:
    data = (specimens / "browser/plaso-firefox/firefox_history/places.sqlite").read_bytes()
    observations, problems = evidence({PLACES: data}).parse(parse, PLACES)
    assert problems == []
    [page] = of(PageVisit, observations)
    assert (page.url, page.title, page.transition, page.visit_count) == ("http://news.google.com/", "Google News", "typed", 1)
    assert iso(page.time) == "2011-07-01T11:16:21.371935Z" and page.user == "jo" and page.browser == "Firefox"
    bookmarks = of(Bookmark, observations)
    assert len(bookmarks) == 91 and len(observations) == 92
    assert ("2011-07-01T11:13:59.266344Z", "2011-07-01T11:13:59.267198Z") in [
        (iso(b.time), iso(b.modified)) for b in bookmarks if b.url.startswith("place:folder=BOOKMARKS_MENU")
    ]
    assert bookmarks[-1].folder == "Bookmarks Toolbar/Latest Headlines"


@pytest.mark.specimens
def test_downloads_of_firefox_22(evidence: Any, specimens: Path) -> None:
    path = "/Users/jo/AppData/Roaming/Mozilla/Firefox/Profiles/x.default/downloads.sqlite"
    observations, problems = evidence({path: (specimens / "browser/plaso-firefox/downloads.sqlite").read_bytes()}).parse(
        parse_downloads, path
    )
    assert problems == []
    [download] = observations
    assert download.url == "https://plaso.googlecode.com/files/plaso-static-1.0.1-win32-vs2008.zip"
    assert (download.path, download.bytes, download.total_bytes, download.state) == (
        "D:/plaso-static-1.0.1-win32-vs2008.zip",
        15974599,
        15974599,
        "complete",
    )
    assert (iso(download.started), iso(download.finished)) == ("2013-07-18T18:59:59.312Z", "2013-07-18T19:01:18.578Z")


def today(path: Path) -> bytes:
    db = sqlite3.connect(path)
    db.executescript(
        """
        CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, rev_host LONGVARCHAR, visit_count INTEGER DEFAULT 0,
          hidden INTEGER DEFAULT 0 NOT NULL, typed INTEGER DEFAULT 0 NOT NULL, frecency INTEGER DEFAULT -1 NOT NULL, last_visit_date INTEGER,
          guid TEXT, foreign_count INTEGER DEFAULT 0 NOT NULL, url_hash INTEGER DEFAULT 0 NOT NULL, description TEXT);
        CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER,
          session INTEGER, source INTEGER DEFAULT 0 NOT NULL, triggeringPlaceId INTEGER);
        CREATE TABLE moz_anno_attributes (id INTEGER PRIMARY KEY, name VARCHAR(32) UNIQUE NOT NULL);
        CREATE TABLE moz_annos (id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, anno_attribute_id INTEGER, content LONGVARCHAR,
          dateAdded INTEGER DEFAULT 0, lastModified INTEGER DEFAULT 0);
        CREATE TABLE moz_bookmarks (id INTEGER PRIMARY KEY, type INTEGER, fk INTEGER DEFAULT NULL, parent INTEGER, position INTEGER,
          title LONGVARCHAR, dateAdded INTEGER, lastModified INTEGER);
        """
    )
    db.executemany(
        "INSERT INTO moz_places (id, url, title, visit_count, last_visit_date) VALUES (?, ?, ?, ?, ?)",
        [
            (1, "https://duckduckgo.com/?q=garden+sheds", "garden sheds at DuckDuckGo", 1, START),
            (2, "https://sheds.example/", "Sheds", 1, START + 1),
            (3, "https://sheds.example/plan.pdf", "plan.pdf", 0, START + 2),
            (4, "https://kept.example/", "Kept", 0, None),
            (5, "https://old.example/", "Old", 3, START - 9),
        ],
    )
    db.executemany(
        "INSERT INTO moz_historyvisits (id, from_visit, place_id, visit_date, visit_type) VALUES (?, ?, ?, ?, ?)",
        [(1, 0, 1, START, 2), (2, 1, 2, START + 1, 1), (3, 2, 3, START + 2, 7)],
    )
    db.executemany(
        "INSERT INTO moz_anno_attributes VALUES (?, ?)", [(1, "downloads/destinationFileURI"), (2, "downloads/metaData"), (3, "other")]
    )
    db.executemany(
        "INSERT INTO moz_annos (place_id, anno_attribute_id, content, dateAdded) VALUES (?, ?, ?, ?)",
        [
            (3, 1, "file:///home/jo/Downloads/my%20plan.pdf", START + 3),
            (3, 2, '{"state":1,"deleted":true,"endTime":1760000001500,"fileSize":2345}', START + 4),
            (2, 3, "x", START),
            (5, 2, "[" * 100_000, START),
        ],
    )
    db.executemany(
        "INSERT INTO moz_bookmarks VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
        [
            (1, 2, None, 0, "", START, START),
            (2, 2, None, 1, "menu", START, START),
            (3, 2, None, 2, "Home", START, START),
            (4, 1, 4, 3, None, START + 5, START + 6),
            (5, 2, None, 5, "circle", START, START),
            (6, 1, 4, 5, "In a circle", START, START),
        ],
    )
    db.commit()
    db.close()
    return path.read_bytes()


def test_todays_schema(evidence: Any, tmp_path: Path) -> None:
    observations, problems = evidence({PLACES: today(tmp_path / "p")}).parse(parse, PLACES)
    assert problems == []
    pages = of(PageVisit, observations)
    assert [(p.url, p.transition, p.source, p.referrer) for p in pages] == [
        ("https://duckduckgo.com/?q=garden+sheds", "typed", None, None),
        ("https://sheds.example/", "link", None, "https://duckduckgo.com/?q=garden+sheds"),
        ("https://sheds.example/plan.pdf", "download", None, "https://sheds.example/"),
        ("https://old.example/", None, NO_VISIT_RECORD, None),
    ]
    assert iso(pages[1].time) == "2025-10-09T08:53:20.000001Z"
    [search] = of(SearchQuery, observations)
    assert (search.engine, search.terms, search.count, iso(search.time)) == ("DuckDuckGo", "garden sheds", 1, "2025-10-09T08:53:20Z")
    download, broken = of(Download, observations)
    assert (download.url, download.path) == ("https://sheds.example/plan.pdf", "/home/jo/Downloads/my plan.pdf")
    assert (download.state, download.bytes) == ("complete, file since deleted", 2345)
    assert (iso(download.started), iso(download.finished)) == ("2025-10-09T08:53:20.000003Z", "2025-10-09T08:53:21.500Z")
    assert (broken.url, broken.path, broken.state, broken.finished) == ("https://old.example/", None, None, NoTime("not recorded"))
    kept, circle = of(Bookmark, observations)
    assert (kept.url, kept.title, kept.folder, iso(kept.time), iso(kept.modified)) == (
        "https://kept.example/",
        "Kept",
        "menu/Home",
        "2025-10-09T08:53:20.000005Z",
        "2025-10-09T08:53:20.000006Z",
    )
    assert circle.title == "In a circle" and set(circle.folder.split("/")) == {"circle"}


def test_deleted_rows_are_recovered_and_marked(evidence: Any, tmp_path: Path) -> None:
    """As Firefox leaves it: the deletion stands in the write-ahead log, the rows still in the file beneath."""
    data = today(tmp_path / "p")
    db = sqlite3.connect(tmp_path / "p")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA wal_autocheckpoint=0")
    data = (tmp_path / "p").read_bytes()
    db.execute("DELETE FROM moz_historyvisits WHERE id IN (1, 2)")
    db.execute("DELETE FROM moz_places WHERE id = 1")
    db.commit()
    log = (tmp_path / "p-wal").read_bytes()
    db.close()
    observations, problems = evidence({PLACES: data, f"{PLACES}-wal": log}).parse(parse, PLACES)
    assert problems == []
    assert [item.url for item in of(PageVisit, observations) if not item.recovered] == [
        "https://sheds.example/plan.pdf", "https://sheds.example/", "https://old.example/",
    ]  # fmt: skip
    recovered = [item for item in observations if item.recovered]
    assert [(type(item), item.url, iso(item.time)) for item in recovered] == [
        (PageVisit, "https://duckduckgo.com/?q=garden+sheds", "2025-10-09T08:53:20Z"),
        (PageVisit, "https://duckduckgo.com/?q=garden+sheds", "2025-10-09T08:53:20Z"),
        (PageVisit, "https://sheds.example/", "2025-10-09T08:53:20.000001Z"),
        (SearchQuery, "https://duckduckgo.com/?q=garden+sheds", "2025-10-09T08:53:20Z"),
    ]
    assert "replaced page=" in recovered[0].locator


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///C:/a%20b.txt", "C:/a b.txt"),
        ("file:///home/jo/%C3%A9", "/home/jo/é"),
        ("file:///bad%ff", "/bad\\xff"),
        ("/plain", "/plain"),
        (None, None),
    ],
)
def test_file_path(uri: str | None, path: str | None) -> None:
    assert file_path(uri) == path


def test_mutations(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = today(tmp_path / "p")
    for damaged in mutations(data, 60):
        try:
            observations, problems = evidence({PLACES: damaged}).parse(parse, PLACES)
        except (Unrecognised, Encrypted):
            continue
        assert len(observations) < 20
        assert problems or len(damaged) == len(data)
