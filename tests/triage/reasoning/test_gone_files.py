"""Files that records remember: joined, looked for, matched, and left out where they are here."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.observations import DeletedFile, Download, FileSeen, HashMatch, KeywordHit
from tests.triage.reasoning.conftest import at, draw, problems, row, seen
from triage.reasoning import gone_files
from triage.reasoning.gone_files import GoneFiles


def link(path: str, days: float = 0, **options: Any) -> dict[str, Any]:
    return seen(FileSeen(path=path, how="jump list", used=at(days=days), user="jo", **options), f"/jump{days}", "entry=1")


def test_one_file_of_many_records() -> None:
    path = r"C:\Users\jo\Pictures\holiday.jpg"
    hashed = FileSeen(path=path, how="Amcache", hashes={"sha1": "ab" * 20}, size=1234)
    gone = DeletedFile(path=path.lower(), how="recycle bin, emptied or restored", deleted=at(days=3), content="none")
    (found,) = draw(GoneFiles, [link(path, 1), link(path, 2), seen(hashed, "/Amcache.hve", "k=1"), seen(gone, "/INFO2", "o=1")])
    assert (found["where"], found["records"], found["size"], found["user"]) == ("deleted", 4, 1234, "jo")
    assert found["how"] == ["Amcache", "jump list", "recycle bin, emptied or restored"]
    assert (found["seen"], found["deleted"]) == (at(days=3).isoformat(), at(days=3).isoformat())
    assert found["hashes"] == {"sha1": "ab" * 20} and found["matches"] is None
    assert len(found["provenance"]["rests_on"]) == 4


def test_what_is_here_is_not_gone() -> None:
    rows = [row("/Users/Jo/Pictures/Holiday.jpg"), row("/Users/jo/new name.doc")]
    assert draw(GoneFiles, [link(r"C:\Users\jo\Pictures\holiday.jpg")], rows) == []
    renamed = FileSeen(path="/Users/jo/old name.doc", how="change journal: renamed", used=at(), detail="renamed to new name.doc")
    assert draw(GoneFiles, [seen(renamed, "/j", "usn=1 file=4-1 folder=9-1")], rows) == []
    recent = FileSeen(path="holiday.jpg", how="RecentDocs", used=at())
    assert draw(GoneFiles, [seen(recent, "/NTUSER.DAT")], rows) == []


def test_a_deleted_entry_is_not_a_file_that_is_here() -> None:
    (found,) = draw(GoneFiles, [link(r"C:\a\holiday.jpg")], [row("/a/holiday.jpg", allocated=False)])
    assert found["where"] == "not known"


@pytest.mark.parametrize(
    ("item", "place"),
    [
        (link(r"E:\list.pdf", volume={"kind": "removable drive", "label": "STICK", "serial": "2CA3D1AE"}), "removable drive"),
        (link(r"\\server\share\list.pdf"), "network"),
        (link(r"C:\Users\jo\OneDrive\list.pdf"), "cloud"),
        (seen(DeletedFile(path=r"C:\list.pdf", how="recycle bin", content="recoverable", deleted=at()), "/$I1"), "in the recycle bin"),
        (seen(Download(url="https://a.example/", path=r"C:\Users\jo\Downloads\list.pdf", finished=at()), "/History"), "not known"),
    ],
)
def test_where_it_went(item: dict[str, Any], place: str) -> None:
    assert [found["where"] for found in draw(GoneFiles, [item])] == [place]


def test_a_file_on_a_stick_is_not_the_one_of_the_same_path_here() -> None:
    item = link(r"E:\list.pdf", volume={"kind": "removable drive", "label": "STICK", "serial": "2CA3D1AE"})
    (found,) = draw(GoneFiles, [item], [row("/list.pdf")])
    assert found["detail"] == "on the volume STICK 2CA3D1AE"


def test_programs_own_files_are_left_out_unless_a_digest_is_known() -> None:
    assert draw(GoneFiles, [link(r"C:\Windows\a.jpg"), link(r"C:\Users\jo\AppData\Local\x.db"), link(r"C:\tool.exe")]) == []


def test_known_ones_come_first_with_the_list_that_knows_them() -> None:
    old = seen(FileSeen(path="/old.jpg", how="Amcache", hashes={"sha1": "cd" * 20}, used=at(days=-50)), "/Amcache.hve", "k=9")
    match = HashMatch(path="/old.jpg", algorithm="sha1", digest="cd" * 20, set_name="demo", label="sample", allocated=False)
    hit = KeywordHit(term="kettle", category="demonstration", severity=4, where="name", context="kettle.doc", library="x")
    observations = [old, seen(match, "/Amcache.hve", "k=9"), link("/new.jpg"), link("/kettle.doc", 5), seen(hit, "/jump5", "entry=1")]
    found = draw(GoneFiles, observations)
    assert [(item["path"], item["matches"]) for item in found] == [
        ("/kettle.doc", ["keyword of demonstration"]), ("/old.jpg", ["hash set demo: sample"]), ("/new.jpg", None),
    ]  # fmt: skip


def test_more_than_are_told_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gone_files, "_MOST_TOLD", 2)
    ((_, problem),) = problems(GoneFiles, [link(f"/{n}.jpg", n) for n in range(5)])
    assert problem.reason.startswith("3 more files")
