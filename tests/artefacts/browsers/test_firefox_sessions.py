"""Tabs of Firefox: what they say of pages and times, packed and not, and damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from artefacts.browsers.firefox_sessions import parse, unpack
from artefacts.coverage import Status, Unrecognised

PLACE = "/home/jo/.mozilla/firefox/x.default/sessionstore.jsonlz4"


def packed(plain: bytes) -> bytes:
    """One LZ4 block of literals only."""
    length = len(plain)
    head = bytes([min(length, 15) << 4])
    rest = length - 15
    while length >= 15 and rest >= 255:
        head, rest = head + b"\xff", rest - 255
    head += bytes([rest]) if length >= 15 else b""
    return b"mozLz40\0" + length.to_bytes(4, "little") + head + plain


TAB = {
    "entries": [{"url": "https://a.example/1", "title": "One"}, {"url": "https://a.example/2"}],
    "index": 2,
    "lastAccessed": 1780315200123,
}
CLOSED = {"closedAt": 1780315300000, "state": {"entries": [{"url": "https://b.example/"}], "index": 1}}
SESSION = json.dumps({"windows": [{"tabs": [TAB, None], "_closedTabs": [CLOSED]}], "_closedWindows": [{"closedAt": 1780315400000, "tabs": [{"entries": [{"url": "https://c.example/"}], "index": 1}]}]}).encode()  # fmt: skip
EXPECTED = [
    ("https://a.example/1", "One", None, "tab of a window that was open", "windows[0].tabs[0].entries[0]"),
    ("https://a.example/2", None, "2026-06-01T12:00:00.123Z", "tab of a window that was open", "windows[0].tabs[0].entries[1]"),
    ("https://b.example/", None, "2026-06-01T12:01:40Z", "tab that was closed", "windows[0]._closedTabs[0].entries[0]"),
    ("https://c.example/", None, "2026-06-01T12:03:20Z", "tab of a window that was closed", "_closedWindows[0].tabs[0].entries[0]"),
]


@pytest.mark.parametrize("data", [SESSION, packed(SESSION)])
def test_tabs(evidence: Any, data: bytes, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    found, problems = evidence({PLACE: data}).parse(parse, PLACE)
    assert problems == []
    assert [(item.url, item.title, item.to_json()["time"], item.source, item.locator) for item in found] == EXPECTED
    for damaged in mutations(data, 200):
        try:
            found, problems = evidence({PLACE: damaged}).parse(parse, PLACE)
        except Unrecognised:
            continue
        assert found or problems or not damaged


def test_copies_that_overlap() -> None:
    assert unpack(b"mozLz40\0" + (16).to_bytes(4, "little") + b"\x27ab\x02\x00\x30xyz") == b"ababababababaxyz"


@pytest.mark.parametrize("bad", [b"\x27ab\x03\x00", b"\x27ab\x02", b"\xf0", b"\x50ab", b"\x2fab\x02\x00\xff\xff\xff\x00"])
def test_unpacking_stops(bad: bytes) -> None:
    with pytest.raises(ValueError):
        unpack(b"mozLz40\0" + (16).to_bytes(4, "little") + bad)
    with pytest.raises(ValueError):
        unpack(b"mozLz40\0\xff\xff\xff\xff" + bad)


def test_other_files(evidence: Any) -> None:
    for data in (b"hello", b"[]", b"{}"):
        with pytest.raises(Unrecognised):
            evidence({PLACE: data}).parse(parse, PLACE)
    found, [problem] = evidence({PLACE: b"{"}).parse(parse, PLACE)
    assert found == [] and problem.status is Status.FAILED
    assert evidence({PLACE: b""}).parse(parse, PLACE) == ([], [])
