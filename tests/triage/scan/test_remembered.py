"""Words in what a record remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rules.keywords import Matcher, load
from triage.scan.remembered import hits_in

ADDRESS = "https://duckduckgo.com/?q=velvet%20lantern"


@pytest.fixture
def words(tmp_path: Path) -> Matcher:
    (tmp_path / "w.csv").write_text(
        "term,category,severity,form,where\nvelvet lantern,a,1,phrase,\nlantern,a,1,word,title|url\nfilm.mp4,a,1,name-like,\nveil,a,1,word,application\n"
    )
    return load([tmp_path / "w.csv"]).matcher()


def record(kind: str, *, recovered: bool = False, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "provenance": {"recovered": recovered}, **fields}


@pytest.mark.parametrize(
    ("data", "found", "repeated"),
    [
        (record("PageVisit", url=ADDRESS, title="velvet lantern at DuckDuckGo"), [("lantern", "title"), ("lantern", "url")], 2),
        (record("PageVisit", url=ADDRESS, title=None, recovered=True), [("lantern", "url"), ("velvet lantern", "url")], 0),
        (record("CachedItem", url=ADDRESS), [("lantern", "url"), ("velvet lantern", "url")], 0),
        (record("PageVisit", url="https://x.example/velvet-lantern", title=None), [("lantern", "url"), ("velvet lantern", "url")], 0),
        (record("SearchQuery", terms="velvet lantern", url=ADDRESS), [("velvet lantern", "search_terms")], 0),
        (record("FileSeen", path="E:\\x\\Film (3).mp4"), [("film.mp4", "name")], 0),
        (record("DeletedFile", path="C:/x/film.avi"), [("film.mp4", "name")], 0),
        (record("SharedFile", name="film_01.mpg"), [("film.mp4", "name")], 0),
        (record("InstalledProgram", name="Veil 2"), [("veil", "application")], 0),
        (record("ProgramRun", program="VEIL.EXE"), [("veil", "application")], 0),
        (record("StartupItem", name="Veil service"), [("veil", "application")], 0),
        (record("SiteTrace", url="https://x.example/lantern", title="A lantern"), [("lantern", "title"), ("lantern", "url")], 0),
        (record("RegistryRemnant", content="velvet lantern"), [("velvet lantern", "text")], 0),
        (record("SystemFact", name="film.mp4", value="velvet lantern"), [], 0),
    ],
)
def test_hits_in(words: Matcher, data: dict[str, Any], found: list[tuple[str, str]], repeated: int) -> None:
    hits, again = hits_in(words, data)
    assert (sorted((hit.term, hit.where) for hit in hits), again) == (found, repeated)
