"""Single signs of clean-up: deletions, emptied places and lists, the clock, new beginnings, use without history, free space, encrypted folders."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.observations import (
    ClockChange,
    Cookie,
    DeletedFile,
    FileSeen,
    FreeSpace,
    PageVisit,
    ProgramRun,
    RegistryRemnant,
    SystemFact,
)
from tests.triage.reasoning.conftest import DAY, NOON, at, draw, row, seen
from triage.reasoning.clock import ClockSetBack
from triage.reasoning.emptied_lists import EmptiedLists
from triage.reasoning.emptied_places import EmptiedPlaces
from triage.reasoning.encrypted_folders import EncryptedFolders
from triage.reasoning.free_space_fill import FreeSpaceFill
from triage.reasoning.mass_deletions import MassDeletions
from triage.reasoning.started_anew import StartedAnew
from triage.reasoning.use_without_history import UseWithoutHistory


def deletions(count: int, ending: str, apart: float, folder: str = "50-1") -> list[dict[str, Any]]:
    return [
        seen(
            DeletedFile(path=f"IMG_{n}.{ending}", deleted=at(seconds=n * apart), how="change journal"),
            "/j",
            f"usn={n} file={n}-1 folder={folder}",
        )
        for n in range(count)
    ]


def test_many_pictures_of_one_folder_deleted() -> None:
    (sign,) = draw(MassDeletions, deletions(60, "jpg", 1), [row("/Users/jo/Pictures", "directory", address="50-144-2")])
    assert (sign["kind"], sign["strength"], sign["place"], sign["count"]) == ("many files deleted", "moderate", "/Users/jo/Pictures", 60)
    assert sign["detail"] == ("60 files were deleted within 1 minute, 60 of them pictures, films, sound or documents (60 jpg).")
    assert (sign["first"], sign["last"]) == (at().isoformat(), at(seconds=59).isoformat())


@pytest.mark.parametrize(
    ("observations", "folder"),
    [
        (deletions(39, "jpg", 1), "/Users/jo/Pictures"),
        (deletions(60, "jpg", 300), "/Users/jo/Pictures"),
        (deletions(60, "dll", 1), "/Users/jo/Pictures"),
        (deletions(60, "jpg", 1), "/Users/jo/AppData/Local/Temp"),
    ],
)
def test_few_slow_or_a_programs_own(observations: list[dict[str, Any]], folder: str) -> None:
    assert draw(MassDeletions, observations, [row(folder, "directory", address="50-144-2")]) == []


RECENT = "/Users/jo/AppData/Roaming/Microsoft/Windows/Recent"


def place(folder: str, names: list[str], *, allocated: bool) -> list[list[Any]]:
    return [row(folder, "directory"), *(row(f"{folder}/{name}", allocated=allocated, changed=NOON) for name in names)]


USE = [seen(ProgramRun(program=f"P{n}.EXE", time=at()), "/y", f"n={n}") for n in range(25)]
PREFETCH = [f"TOOL{n}.EXE-0011223{n}.pf" for n in range(5)]
LINKS = [f"letter {n}.lnk" for n in range(5)]


def test_two_places_emptied_together() -> None:
    rows = place("/Windows/Prefetch", PREFETCH, allocated=False) + place(RECENT, LINKS, allocated=False)
    (sign,) = draw(EmptiedPlaces, USE, rows)
    assert (sign["kind"], sign["strength"], sign["count"], sign["user"]) == ("place emptied", "moderate", 2, "jo")
    assert sign["detail"] == "Prefetch (programs run); Recent (files opened) are empty. At least 10 records were there and were deleted."


def test_one_place_is_weak_and_needs_use() -> None:
    rows = place("/Windows/Prefetch", PREFETCH, allocated=False)
    assert [sign["strength"] for sign in draw(EmptiedPlaces, USE, rows)] == ["weak"]
    assert draw(EmptiedPlaces, USE[:5], rows) == []
    switched_off = seen(SystemFact(name="programs run are noted in Prefetch (EnablePrefetcher)", value="0"))
    assert draw(EmptiedPlaces, [*USE, switched_off], rows) == []


def test_a_place_with_anything_in_it_was_not_emptied() -> None:
    rows = [*place("/Windows/Prefetch", PREFETCH, allocated=False), row("/Windows/Prefetch/NEW.EXE-00112233.pf")]
    assert draw(EmptiedPlaces, USE, rows) == []
    assert draw(EmptiedPlaces, USE, place("/Windows/Prefetch", [], allocated=True)) == []


def test_the_change_journal_says_when_a_place_was_emptied() -> None:
    rows = place("/Windows/Prefetch", [], allocated=True) + place(RECENT, LINKS, allocated=False)
    rows[0] = row("/Windows/Prefetch", "directory", address="70-144-1")
    gone = [
        seen(DeletedFile(path=name, deleted=at(days=1), how="change journal"), "/j", f"usn={n} file={n}-1 folder=70-1")
        for n, name in enumerate(PREFETCH)
    ]
    (sign,) = draw(EmptiedPlaces, [*USE, *gone], rows)
    assert sign["count"] == 2 and sign["last"] == at(days=1).isoformat()


NTUSER = "/Users/jo/NTUSER.DAT"
HIVE = seen(SystemFact(name="registry hive last written", value="x"), NTUSER)


def test_lists_emptied() -> None:
    uses = [seen(FileSeen(path=f"{n}.txt", how="jump list", user="jo", used=at()), "/jump", f"n={n}") for n in range(30)]
    (sign,) = draw(EmptiedLists, [HIVE, *uses])
    assert (sign["strength"], sign["user"], sign["count"]) == ("moderate", "jo", 2)
    key = r"Software\Microsoft\Windows\CurrentVersion\Explorer\RecentDocs\.jpg"
    remnants = [seen(RegistryRemnant(key=key, value=str(n)), NTUSER, f"offset={n}") for n in range(4)]
    (sign,) = draw(EmptiedLists, [HIVE, *uses, *remnants])
    assert sign["strength"] == "strong" and sign["detail"].endswith("4 deleted entries of these lists are left in the registry file.")


def test_lists_that_are_not_kept_or_an_account_not_used() -> None:
    uses = [seen(FileSeen(path=f"{n}.txt", how="jump list", user="jo", used=at()), "/jump", f"n={n}") for n in range(30)]
    started = seen(ProgramRun(program="x.exe", how="UserAssist", user="jo"), NTUSER, "n=1")
    assert draw(EmptiedLists, [HIVE, *uses, started]) == []
    assert draw(EmptiedLists, [HIVE, *uses[:10]]) == []
    assert draw(EmptiedLists, uses) == []


def clock(hours: float, **options: Any) -> dict[str, Any]:
    return seen(ClockChange(time=at(), before=at(), after=at(seconds=-3600 * hours), **options), "/log", f"record={hours}")


def test_the_clock_set_back_by_somebody() -> None:
    (sign,) = draw(ClockSetBack, [clock(24 * 30, user="DESK\\jo", program="C:\\Windows\\System32\\dllhost.exe")])
    assert (sign["kind"], sign["strength"], sign["user"]) == ("clock set back", "strong", "DESK\\jo")
    assert "the furthest by 30 days, from 2025-06-15 15:06 UTC to 2025-05-16 15:06 UTC" in sign["detail"]


@pytest.mark.parametrize(
    "change",
    [
        clock(1, user="DESK\\jo"),
        clock(-24, user="DESK\\jo"),
        clock(24 * 30, user="NT AUTHORITY\\LOCAL SERVICE", program="C:\\Windows\\System32\\svchost.exe"),
        clock(24 * 30, user="NT AUTHORITY\\SYSTEM"),
        clock(24 * 30, user="DESK\\jo", how="event 1, reason 2"),
    ],
)
def test_the_clock_put_right(change: dict[str, Any]) -> None:
    assert draw(ClockSetBack, [change]) == []


MFT = row("/$MFT", created=NOON - 400 * DAY)
INSTALLED = seen(SystemFact(name="Windows installed", value="x", time=at(days=-390)), "/SOFTWARE")


def made(days: float) -> dict[str, Any]:
    return seen(SystemFact(name="change journal made", value="x", time=at(days=days)), "/$Extend/$UsnJrnl:$Max")


def test_a_change_journal_begun_anew() -> None:
    (sign,) = draw(StartedAnew, [made(-10), INSTALLED], [MFT])
    assert sign["kind"] == "change journal started anew" and sign["first"] == at(days=-10).isoformat()
    assert draw(StartedAnew, [made(-390), INSTALLED], [MFT]) == []
    assert draw(StartedAnew, [made(-10), INSTALLED], [MFT, row("/Windows.old", "directory")]) == []


def test_windows_installed_after_the_date_looked_from() -> None:
    visit = {"scope": {"from": at(days=-30).isoformat(), "to": None}}
    new = seen(SystemFact(name="Windows installed", value="x", time=at(days=-5)), "/SOFTWARE")
    (sign,) = draw(StartedAnew, [new], [MFT], visit=visit)
    assert sign["kind"] == "Windows installed lately"
    assert draw(StartedAnew, [new], [MFT]) == []
    assert draw(StartedAnew, [new], [MFT, row("/Users/jo/NTUSER.DAT", created=NOON - 300 * DAY)], visit=visit) == []
    assert draw(StartedAnew, [INSTALLED], [MFT], visit=visit) == []


def test_all_logs_begin_late() -> None:
    logs = [seen(SystemFact(name="event log", value="x", time=at(days=-20, seconds=n)), f"/logs/{n}.evtx") for n in range(4)]
    (sign,) = draw(StartedAnew, [INSTALLED, *logs], [MFT])
    assert (sign["kind"], sign["count"]) == ("logs start late", 4)
    old = seen(SystemFact(name="event log", value="x", time=at(days=-380)), "/logs/old.evtx")
    assert draw(StartedAnew, [INSTALLED, *logs, old], [MFT]) == []


def cookies(count: int) -> list[dict[str, Any]]:
    return [
        seen(Cookie(host=f".site{n}.example", name="a", created=at(days=n), browser="Chrome", user="jo"), "/c", f"n={n}")
        for n in range(count)
    ]


def test_a_browser_in_use_without_history() -> None:
    (sign,) = draw(UseWithoutHistory, cookies(15))
    assert (sign["kind"], sign["place"], sign["user"], sign["count"]) == ("use without history", "Chrome", "jo", 15)
    assert sign["last"] == at(days=14).isoformat()
    visit = seen(PageVisit(url="https://a.example/", browser="Chrome", user="jo"), "/h")
    assert draw(UseWithoutHistory, [*cookies(15), visit]) == []
    assert draw(UseWithoutHistory, cookies(5)) == []
    runs = [seen(ProgramRun(program="CHROME.EXE", count=40, time=at(), how="Prefetch"), "/p")]
    assert draw(UseWithoutHistory, runs) == []
    runs[0]["user"] = "jo"
    assert [sign["detail"] for sign in draw(UseWithoutHistory, [*runs, *cookies(1)])] == [
        "There is no page in the history of Chrome, but there are stored things of 1 different site and 40 starts of the program."
    ]


@pytest.mark.parametrize(
    ("zero", "constant", "random", "strength"),
    [(1000, 0, 0, "weak"), (0, 1000, 0, "moderate"), (20, 0, 980, "strong"), (500, 0, 500, None), (0, 0, 0, None)],
)
def test_free_space(zero: int, constant: int, random: int, strength: str | None) -> None:
    space = seen(FreeSpace(free=1 << 30, samples=1000, zero=zero, constant=constant, random=random, size=1 << 32))
    assert [sign["strength"] for sign in draw(FreeSpaceFill, [space])] == ([strength] if strength else [])


def test_encrypted_folders() -> None:
    rows = [row("/home/jo/vault/vault.cryptomator"), row("/home/jo/vault/masterkey.cryptomator"), row("/x/gocryptfs.conf", allocated=False)]
    (item,) = draw(EncryptedFolders, [], rows)
    assert (item["type"], item["kind"], item["path"]) == ("EncryptedItem", "Cryptomator container (a folder)", "/home/jo/vault")
