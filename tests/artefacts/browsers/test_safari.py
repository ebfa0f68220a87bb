"""Safari: the real specimens exactly, own fixtures of the newer formats, damage."""

from __future__ import annotations

import plistlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from artefacts import plist
from artefacts.browsers import safari
from artefacts.coverage import Unrecognised
from artefacts.observations import Bookmark, Cookie, Download, PageVisit, SearchQuery
from artefacts.times import NoTime, Timestamp

FOLDER = "/Users/jo/Library/Safari"


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


def read(evidence: Any, name: str, data: bytes, parser: Any) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({f"{FOLDER}/{name}": data}).parse(parser, f"{FOLDER}/{name}")
    return result


@pytest.mark.specimens
def test_cookies_specimen(evidence: Any, specimens: Path) -> None:
    data = (specimens / "browser/plaso-safari/Cookies.binarycookies").read_bytes()
    observations, problems = read(evidence, "Cookies.binarycookies", data, safari.parse_cookies)
    # The published 106 count 15 events that were made again from Google Analytics cookies.
    assert problems == [] and len(observations) == 91 and all(type(item) is Cookie for item in observations)
    assert sum(item.name in ("__utma", "__utmb", "__utmz") for item in observations) == 15
    [cookie] = [item for item in observations if item.name == "fpc"]
    assert (cookie.host, cookie.path, iso(cookie.created), iso(cookie.expires)) == (
        ".www.yahoo.com", "/", "2013-07-08T17:24:30Z", "2014-07-08T05:24:29Z",
    )  # fmt: skip


@pytest.mark.specimens
def test_plist_specimens(evidence: Any, specimens: Path) -> None:
    folder = specimens / "browser/plaso-safari"
    observations, problems = read(evidence, "History.plist", (folder / "History.plist").read_bytes(), safari.parse_old_history)
    assert problems == [] and Counter(type(item) for item in observations) == {PageVisit: 18, SearchQuery: 3}
    assert (observations[0].url, observations[0].title, iso(observations[0].time)) == (
        "http://www.youtube.com/watch?v=jm8iSg8eZdw", "Glima Interview - YouTube", "2013-07-08T21:06:21.400Z",
    )  # fmt: skip
    assert [item.terms for item in observations if isinstance(item, SearchQuery)] == ["islensk glima", "fost a halendi", "google chrome"]
    observations, problems = read(evidence, "Downloads.plist", (folder / "Downloads.plist").read_bytes(), safari.parse_downloads)
    assert problems == [] and len(observations) == 4 and all(type(item) is Download for item in observations)
    assert (observations[1].path, observations[1].bytes, iso(observations[1].finished)) == (
        "/Users/me/Downloads/CyberChef_v9.55.0.zip", 39811307, "2022-12-14T19:04:19.255635Z",
    )  # fmt: skip


def test_history_database(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "h")
    db.executescript(
        """
        CREATE TABLE history_items (id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL UNIQUE, domain_expansion TEXT, visit_count INTEGER);
        CREATE TABLE history_visits (id INTEGER PRIMARY KEY AUTOINCREMENT, history_item INTEGER NOT NULL, visit_time REAL NOT NULL, title TEXT,
          load_successful BOOLEAN, redirect_source INTEGER, redirect_destination INTEGER, origin INTEGER);
        INSERT INTO history_items VALUES (1, 'https://www.bing.com/search?q=garden+sheds', 'bing', 2), (2, 'https://sheds.example/', 'sheds', 1);
        INSERT INTO history_visits VALUES (1, 1, 700000000.25, 'Search', 1, NULL, NULL, 0), (2, 2, 700000001, 'Sheds', 0, 1, NULL, 1);
        """
    )
    db.close()
    observations, problems = read(evidence, "History.db", (tmp_path / "h").read_bytes(), safari.parse_history)
    assert problems == []
    search, sheds = [item for item in observations if isinstance(item, PageVisit)]
    assert (search.title, iso(search.time), search.visit_count, search.source) == ("Search", "2023-03-08T20:26:40.250Z", 2, "this device")
    assert (sheds.transition, sheds.from_visit, sheds.qualifiers, sheds.source) == (
        "redirect",
        1,
        ("did not load",),
        "another device (synced)",
    )
    assert [(item.engine, item.terms) for item in observations if isinstance(item, SearchQuery)] == [("Bing", "garden sheds")]
    assert (search.browser, search.user) == ("Safari", "jo")


def test_bookmarks(evidence: Any) -> None:
    tree = {
        "Children": [
            {"Title": "Bar", "Children": [{"URLString": "https://a.example/", "URIDictionary": {"title": "A"}}, "noise"]},
            {"URLString": "https://b.example/", "ReadingList": {"DateAdded": datetime(2024, 5, 6, 7, 8, 9)}},
        ]
    }
    observations, problems = read(evidence, "Bookmarks.plist", plistlib.dumps(tree, fmt=plistlib.FMT_BINARY), safari.parse_bookmarks)
    assert problems == [] and all(type(item) is Bookmark for item in observations)
    assert [(item.url, item.title, item.folder) for item in observations] == [
        ("https://a.example/", "A", "Bar"),
        ("https://b.example/", None, ""),
    ]
    assert observations[0].time == NoTime("not recorded") and iso(observations[1].time) == "2024-05-06T07:08:09Z"


def test_a_list_that_refers_to_itself_is_refused(evidence: Any) -> None:
    # One array whose only member is the array itself.
    data = b"bplist00" + b"\xa1\x00" + b"\x08" + bytes(6) + b"\x01\x01" + (1).to_bytes(8, "big") + bytes(8) + (10).to_bytes(8, "big")
    try:
        plist.load(data)
    except ValueError as error:
        assert "property list" in str(error)
    with pytest.raises(Unrecognised):
        read(evidence, "Bookmarks.plist", data, safari.parse_bookmarks)


def cookie_file() -> bytes:
    import struct

    def cookie(host: bytes, name: bytes) -> bytes:
        texts = host + b"\0" + name + b"\0/\0secret\0"
        start = 56
        offsets = (start, start + len(host) + 1, start + len(host) + len(name) + 2, start + len(host) + len(name) + 4)
        return struct.pack("<4I4I8x2d", start + len(texts), 0, 0, 0, *offsets, 7e8, 6.9e8) + texts

    cookies = [cookie(b".a.example", b"one"), cookie(b"b.example", b"two")]
    first = 8 + 4 * len(cookies) + 4
    page = b"\0\0\1\0" + struct.pack("<3I", 2, first, first + len(cookies[0])) + b"\0\0\0\0" + b"".join(cookies)
    return b"cook" + struct.pack(">2I", 1, len(page)) + page + bytes(8)


def test_cookies_never_their_values(evidence: Any) -> None:
    observations, problems = read(evidence, "Cookies.binarycookies", cookie_file(), safari.parse_cookies)
    assert problems == []
    assert [(item.host, item.name, item.path, iso(item.created), iso(item.expires)) for item in observations] == [
        (".a.example", "one", "/", "2022-11-13T02:40:00Z", "2023-03-08T20:26:40Z"),
        ("b.example", "two", "/", "2022-11-13T02:40:00Z", "2023-03-08T20:26:40Z"),
    ]
    assert not any("secret" in str(item.to_json()) for item in observations)


@pytest.mark.parametrize(
    ("parser", "make"),
    [
        (safari.parse_cookies, cookie_file),
        (safari.parse_bookmarks, lambda: plistlib.dumps({"Children": [{"URLString": "https://a.example/"}] * 20}, fmt=plistlib.FMT_BINARY)),
        (safari.parse_old_history, lambda: plistlib.dumps({"WebHistoryDates": [{"": "https://a.example/", "lastVisitedDate": "7e8"}] * 9})),
    ],
)
def test_mutations(evidence: Any, mutations: Callable[[bytes, int], list[bytes]], parser: Any, make: Callable[[], bytes]) -> None:
    for damaged in mutations(make(), 80):
        try:
            observations, _ = read(evidence, "x", damaged, parser)
        except Unrecognised:
            continue
        assert len(observations) <= 20
