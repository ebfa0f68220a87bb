"""Names written over: the forms, the journals, names left in directories, and what is none of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from artefacts.observations import DeletedFile, FileSeen
from tests.triage.reasoning.conftest import NOON, at, draw, row, seen
from triage.reasoning import overwritten_names
from triage.reasoning.overwritten_names import OverwrittenNames, left_by, looks_random, way_of

USN = "change journal"


def chain(
    names: list[str], file: int, *, deleted: bool = True, how: str = USN, start: float = 0, timed: bool = True
) -> list[dict[str, Any]]:
    """A file renamed from each name to the next, then deleted."""
    out = []
    for number, (old, new) in enumerate(pairwise(names)):
        item = FileSeen(path=old, how=f"{how}: renamed", detail=f"renamed to {new}")
        if timed:
            item.used = at(seconds=start + number)
        out.append(seen(item, "/j", f"{'usn' if timed else 'lsn'}={1000 * file + number} file={file}-1 folder=50-1"))
    if deleted:
        gone = DeletedFile(path=names[-1], how=how)
        if timed:
            gone.deleted = at(seconds=start + len(names))
        out.append(seen(gone, "/j", f"{'usn' if timed else 'lsn'}={1000 * file + 900} file={file}-1 folder=50-1"))
    return out


FOLDER = row("/Users/jo/Pictures", "directory", address="50-144-2")


def sdelete(name: str) -> list[str]:
    return [name, *("".join("." if c == "." else letter for c in name) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]


def test_sdelete_with_the_name_and_the_folder_from_before() -> None:
    (sign,) = draw(OverwrittenNames, chain(sdelete("holiday.jpg"), 7), [FOLDER])
    assert (sign["kind"], sign["strength"], sign["tool"], sign["count"]) == ("file names overwritten", "strong", "SDelete", 1)
    assert sign["names"] == ["/Users/jo/Pictures/holiday.jpg"] and sign["place"] == "/Users/jo/Pictures"
    assert (sign["first"], sign["last"]) == (at().isoformat(), at(seconds=27).isoformat())
    assert len(sign["provenance"]["rests_on"]) == 2


def test_a_folder_that_is_gone_is_said() -> None:
    (sign,) = draw(OverwrittenNames, chain(sdelete("holiday.jpg"), 7))
    assert sign["names"] == ["holiday.jpg"] and sign["place"] == "a folder that is gone"


@pytest.mark.parametrize(
    ("names", "tool"),
    [
        (["letter.txt", "ZZZZZZ.ZZZ"], "SDelete or CCleaner"),
        (["letter.txt", "0000000000", "000000000", "00000000", "0"], "shred or wipe"),
        (["letter.txt", "qzkfvp.xwq", "bhwqzj.kkv", "rxoedw.qqf"], "BleachBit, Eraser, srm or wipe"),
        (["letter.txt", "a7Kq" * 50, "k"], "BleachBit, Eraser, srm or wipe"),
    ],
)
def test_other_ways(names: list[str], tool: str) -> None:
    observations = [item for file in (3, 4, 5) for item in chain(names, file)]
    (sign,) = draw(OverwrittenNames, observations)
    assert (sign["tool"], sign["strength"], sign["count"]) == (tool, "strong", 3)


@pytest.mark.parametrize(
    "names",
    [
        ["report.docx", "4F2A81C0.tmp"],
        ["Unconfirmed 123.crdownload", "film.mp4"],
        ["IMG_0001.JPG", "~ren0001.tmp", "Holiday 001.jpg"],
        ["part A.zip", "A.zip"],
        ["a.zip", "b.zip", "c.zip", "d.zip", "e.zip"],
        ["index.js", "index.js.old"],
        ["0001", "0002", "0003"],
        ["1f00ab" * 5, "1f00ab" * 5 + ".1", "77aacd" * 5, "77aacd" * 5 + ".1"],
        ["xqzkvbwq.tmp", "kjqxwvzp", "bhwqzjkk"],
    ],
)
def test_usual_renames(names: list[str]) -> None:
    assert draw(OverwrittenNames, chain(names, 3) + chain(names, 4)) == []


def test_a_file_renamed_to_odd_names_that_lives_on() -> None:
    names = ["letter.txt", "qzkfvp.xwq", "bhwqzj.kkv"]
    assert draw(OverwrittenNames, chain(names, 3, deleted=False)) == []


def test_a_file_deleted_long_after_it_was_renamed() -> None:
    observations = chain(["letter.txt", "ZZZZZZ.ZZZ"], 3, deleted=False)
    observations.append(seen(DeletedFile(path="ZZZZZZ.ZZZ", how=USN, deleted=at(days=3)), "/j", "usn=9000 file=3-1 folder=50-1"))
    assert draw(OverwrittenNames, observations) == []


def test_two_journals_that_tell_of_one_file_are_one_sign() -> None:
    observations = chain(sdelete("holiday.jpg"), 7) + chain(sdelete("holiday.jpg"), 7, how="NTFS log", timed=False)
    (sign,) = draw(OverwrittenNames, observations)
    assert sign["count"] == 1 and sign["first"] is not None
    (alone,) = draw(OverwrittenNames, chain(sdelete("holiday.jpg"), 7, how="NTFS log", timed=False))
    assert alone["first"] is None and alone["count"] == 1


def test_names_left_in_directories() -> None:
    rows = [row(f"/Documents/{'0' * n}", allocated=False, changed=NOON + n) for n in (1, 1, 2)]
    (sign,) = draw(OverwrittenNames, [], rows)
    assert (sign["tool"], sign["strength"], sign["count"], sign["place"]) == ("shred or wipe", "strong", 3, "/Documents")
    assert draw(OverwrittenNames, [], rows[:1]) == []


def test_the_folder_of_cipher() -> None:
    (sign,) = draw(OverwrittenNames, [], [row("/EFSTMPWP/fil1.tmp", allocated=False)])
    assert (sign["tool"], sign["strength"]) == ("cipher /w", "strong")


def test_an_ending_that_a_file_here_has_was_not_drawn_by_lot() -> None:
    names = [f"/Pictures/{stem}.xqv" for stem in ("kjqxwvzp", "bhwqzjkk", "rxoedwqf")]
    gone = [row(path, allocated=False, changed=NOON) for path in names]
    (sign,) = draw(OverwrittenNames, [], gone)
    assert (sign["strength"], sign["count"]) == ("weak", 3)
    assert draw(OverwrittenNames, [], [*gone, row("/Documents/mine.xqv")]) == []


def test_forms_of_names() -> None:
    assert [left_by(name) for name in ("ZZZ.ZZZ", "zzz", "000", "00000", "x", "readme.md", "xkqwvzp.qqz")] == [
        "last letter", None, "zeros", None, "leftover random", None, "leftover random",
    ]  # fmt: skip
    assert way_of(["a.txt"]) is None
    assert not looks_random("Thumbnails") and not looks_random("deadbeefcafe1234")


def test_more_than_can_be_held_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.triage.reasoning.conftest import problems

    monkeypatch.setattr(overwritten_names, "_MOST_RENAMES", 10)
    ((name, problem),) = problems(OverwrittenNames, chain(sdelete("holiday.jpg"), 7))
    assert name == "overwritten_names" and problem.reason.startswith("17 ")
