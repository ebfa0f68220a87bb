"""Internet Explorer: the real specimens, an index.dat made here, damage."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers.explorer import parse_index, parse_webcache
from artefacts.coverage import Status, Unrecognised
from artefacts.observations import CachedItem, Cookie, PageVisit, SearchQuery, SiteTrace
from artefacts.times import Timestamp

INDEX = "/Documents and Settings/jo/Local Settings/History/History.IE5/index.dat"
CACHE = "/Users/jo/AppData/Local/Microsoft/Windows/WebCache/WebCacheV01.dat"


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


@pytest.mark.specimens
def test_index_specimens(evidence: Any, specimens: Path) -> None:
    folder = specimens / "browser/plaso-ie-opera"
    observations, problems = evidence({INDEX: (folder / "index.dat").read_bytes()}).parse(parse_index, INDEX)
    assert problems == [] and len(observations) == 18 and all(type(item) is PageVisit for item in observations)
    [cats] = [item for item in observations if item.locator == "offset=21376"]
    assert (cats.url, cats.visit_count, cats.user, cats.recovered, iso(cats.time)) == (
        "http://www.trafficfusionx.com/download/tfscrn2/funnycats.exe", 6, "testing", False, "2011-06-23T18:02:10.066Z",
    )  # fmt: skip
    # Seven records are referred to by the hash table; the other eleven lie in freed blocks.
    assert Counter(item.recovered for item in observations) == {True: 11, False: 7}
    observations, problems = evidence({INDEX: (folder / "MSHist012013031020130311-index.dat").read_bytes()}).parse(parse_index, INDEX)
    assert problems == [] and Counter(type(item) for item in observations) == {PageVisit: 14, SiteTrace: 9, SearchQuery: 2}
    assert iso(observations[0].time) == "2013-03-10T09:38:51.619Z" and observations[0].user == "jo"


@pytest.mark.specimens
def test_webcache_specimens(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    data = unpacked("browser/plaso-ie-opera/WebCacheV01.dat.xz").read_bytes()
    observations, problems = evidence({CACHE: data}).parse(parse_webcache, CACHE)
    assert problems == []
    assert Counter(type(item) for item in observations) == {CachedItem: 156, PageVisit: 105, Cookie: 38, SiteTrace: 12, SearchQuery: 7}
    visits = [(item.url, iso(item.time)) for item in observations if isinstance(item, PageVisit)]
    assert ("http://code.google.com/p/libyal/wiki/Overview", "2014-05-12T07:31:06.1252928Z") in visits
    data = unpacked("browser/plaso-ie-opera/WebCacheV01_cookies.dat.xz").read_bytes()
    observations, problems = evidence({CACHE: data}).parse(parse_webcache, CACHE)
    # Taken from a running machine: that is said, and is no gap in what this file holds.
    assert [problem.status for problem in problems] == [Status.PARSED] and "was in use" in problems[0].reason
    [abid] = [item for item in observations if isinstance(item, Cookie) and item.name == "abid"]
    assert abid.host == "associates-amazon.com" and abid.locator == "table=CookieEntryEx_2 EntryId=13"


def index_file(entries: list[tuple[str, bytes, bool]]) -> bytes:
    """An index.dat of version 5.2 with one record an entry: address, stored headers, whether its blocks are in use."""
    bitmap = bytearray(0x1000)
    records = b""
    for address, headers, used in entries:
        body = address.encode("cp1252") + b"\0" + headers
        blocks = -(-(104 + len(body)) // 128)
        record = bytearray(blocks * 128)
        struct.pack_into("<4sIQQ", record, 0, b"URL ", blocks, 130_000_000_000_000_000, 130_000_000_010_000_000)
        struct.pack_into("<I", record, 32, 4321)
        struct.pack_into("<I", record, 0x34, 104)
        struct.pack_into("<2I", record, 0x44, 104 + len(address) + 1 if headers else 0, len(headers))
        struct.pack_into("<I", record, 0x54, 3)
        record[104 : 104 + len(body)] = body
        if used:
            for block in range(blocks):
                number = len(records) // 128 + block
                bitmap[number // 8] |= 1 << number % 8
        records += bytes(record)
    size = 0x4000 + len(records)
    header = b"Client UrlCache MMF Ver 5.2\0" + struct.pack("<I", size)
    return header.ljust(0x250, b"\0") + bytes(bitmap).ljust(0x4000 - 0x250, b"\0") + records


ENTRIES = [
    ("Visited: jo@http://www.google.com/search?q=garden+sheds", b"", True),
    ("Cookie:jo@sheds.example/shop", b"", True),
    ("http://sheds.example/plan.gif", b"HTTP/1.1 200 OK\r\nContent-Type: image/gif; x\r\n\r\n", True),
    ("Visited: jo@file:///C:/Users/jo/plan.doc", b"", False),
]


def test_each_kind_of_record(evidence: Any) -> None:
    observations, problems = evidence({INDEX: index_file(ENTRIES)}).parse(parse_index, INDEX)
    assert problems == []
    visit, search, cookie, item, deleted = observations
    assert (visit.url, visit.visit_count, iso(visit.time)) == ("http://www.google.com/search?q=garden+sheds", 3, "2012-12-14T23:06:41Z")
    assert isinstance(search, SearchQuery) and search.terms == "garden sheds"
    assert isinstance(cookie, Cookie) and (cookie.host, cookie.path) == ("sheds.example", "/shop")
    assert isinstance(item, CachedItem) and (item.content_type, item.bytes) == ("image/gif", 4321)
    assert (deleted.url, deleted.recovered) == ("file:///C:/Users/jo/plan.doc", True)


def test_other_files(evidence: Any) -> None:
    for path, parser in ((INDEX, parse_index), (CACHE, parse_webcache)):
        with pytest.raises(Unrecognised):
            evidence({path: b"nothing of the kind" * 100}).parse(parser, path)


def test_mutations(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = index_file(ENTRIES)
    for damaged in mutations(data, 80):
        try:
            observations, problems = evidence({INDEX: damaged}).parse(parse_index, INDEX)
        except Unrecognised:
            continue
        assert len(observations) <= 6
        assert len(damaged) == len(data) or any(problem.status is Status.FAILED for problem in problems)
