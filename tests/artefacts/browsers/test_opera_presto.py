"""Opera before version 15: the real specimens, and files with lines missing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers.opera_presto import parse_history, parse_typed
from artefacts.coverage import Unrecognised
from artefacts.observations import PageVisit, SearchQuery, SiteTrace
from artefacts.times import NoTime, Timestamp

FOLDER = "/Users/jo/AppData/Roaming/Opera/Opera"


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


@pytest.mark.specimens
def test_specimens(evidence: Any, specimens: Path) -> None:
    folder = specimens / "browser/plaso-ie-opera"
    path = f"{FOLDER}/global_history.dat"
    observations, problems = evidence({path: (folder / "global_history.dat").read_bytes()}).parse(parse_history, path)
    assert problems == [] and Counter(type(item) for item in observations)[PageVisit] == 37
    assert (observations[4].url, observations[4].title, iso(observations[4].time)) == (
        "http://www.mbl.is/frettir/erlent/2013/11/11/karl_bretaprins_faer_ellilifeyri/",
        "Karl Bretaprins fær ellilífeyri - mbl.is",
        "2013-11-11T22:45:46Z",
    )
    path = f"{FOLDER}/typed_history.xml"
    observations, problems = evidence({path: (folder / "typed_history.xml").read_bytes()}).parse(parse_typed, path)
    assert problems == [] and len(observations) == 4 and all(type(item) is SiteTrace for item in observations)
    assert (observations[0].url, observations[0].what, iso(observations[0].time)) == (
        "plaso.kiddaland.net", "typed in the address bar and chosen", "2013-11-11T23:45:27Z",
    )  # fmt: skip


def test_entries_around_a_missing_line(evidence: Any) -> None:
    path = f"{FOLDER}/global_history.dat"
    lines = (
        "A\nhttps://a.example/\n1384209918\n-1\nhttps://b.example/\n1384209919\n-1\nC\nhttps://www.bing.com/search?q=sheds\n1384209920\n5\n"
    )
    observations, problems = evidence({path: lines.encode()}).parse(parse_history, path)
    assert [item.url for item in observations if isinstance(item, PageVisit)] == [
        "https://a.example/",
        "https://www.bing.com/search?q=sheds",
    ]
    assert [item.terms for item in observations if isinstance(item, SearchQuery)] == ["sheds"] and len(problems) == 3
    with pytest.raises(Unrecognised):
        evidence({path: b"nothing of the kind\n" * 500}).parse(parse_history, path)


def test_typed_items_that_are_damaged(evidence: Any) -> None:
    path = f"{FOLDER}/typed_history.xml"
    text = '<typed_history><typed_history_item content="a&amp;b" type="x" last_typed="noon"/><typed_history_item content="cut'
    [item], [problem] = evidence({path: text.encode()}).parse(parse_typed, path)
    assert (item.url, item.time) == ("a&b", NoTime("not a time with a zone")) and "damaged" in problem.reason
