"""Gaps in a history: what is missing is found from several sides, and a history that nobody touched gives nothing."""

from __future__ import annotations

import json
import lzma
import sqlite3
import tarfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import missing_history
from artefacts.browsers.missing_history import host_of

HOME = "/home/jo/.config/google-chrome/Default"
FOX = "/home/jo/.mozilla/firefox/x.default"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOSTS = ("garden.example", "seeds.example", "shed.example", "tools.example", "weather.example")


def webkit(day: float) -> int:
    return int((START + timedelta(days=day) - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000


def prtime(day: float) -> int:
    return int((START + timedelta(days=day)).timestamp()) * 1_000_000


def database(path: Path, *statements: str, rows: Sequence[tuple[str, Sequence[Any]]] = ()) -> bytes:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
        for statement, values in rows:
            connection.executemany(statement, values)
    connection.close()
    return path.read_bytes()


def history(folder: Path, *after: str, days: int = 40) -> bytes:
    """Every day a visit of one of five sites in turn, then what ``after`` does to them."""
    urls = [(number, f"https://www.{host}/page") for number, host in enumerate(HOSTS, 1)]
    visits = [(day + 1, day % 5 + 1, webkit(day)) for day in range(days)]
    data = database(
        folder / "History",
        "CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT)",
        "CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER, visit_time INTEGER)",
        "CREATE TABLE keyword_search_terms(keyword_id INTEGER, url_id INTEGER, term TEXT)",
        rows=[("INSERT INTO urls VALUES(?,?)", urls), ("INSERT INTO visits VALUES(?,?,?)", visits)],
    )
    with sqlite3.connect(folder / "History") as connection:
        for statement in after:
            connection.execute(statement)
    connection.close()
    return (folder / "History").read_bytes() if after else data


def favicons(folder: Path) -> bytes:
    return database(
        folder / "Favicons",
        "CREATE TABLE icon_mapping(id INTEGER PRIMARY KEY, page_url TEXT, icon_id INTEGER)",
        "CREATE TABLE favicon_bitmaps(id INTEGER PRIMARY KEY, icon_id INTEGER, last_updated INTEGER)",
        rows=[
            ("INSERT INTO icon_mapping VALUES(?,?,?)", [(n, f"https://{host}/page", n) for n, host in enumerate(HOSTS, 1)]),
            ("INSERT INTO favicon_bitmaps VALUES(?,?,?)", [(n, n, webkit(n)) for n in range(1, 6)]),
        ],
    )


def cookies(folder: Path, days: Sequence[int]) -> bytes:
    return database(
        folder / "Cookies",
        "CREATE TABLE cookies(host_key TEXT, name TEXT, creation_utc INTEGER)",
        rows=[("INSERT INTO cookies VALUES(?,?,?)", [(f".{host}", "visitor", webkit(day)) for day in days for host in HOSTS[:2]])],
    )


def gaps(evidence: Any, contents: dict[str, bytes]) -> dict[str, Any]:
    observations, problems = evidence({f"{HOME}/{name}": data for name, data in contents.items()}).parse(
        missing_history.parse_chromium, f"{HOME}/History"
    )
    assert problems == []
    assert all((gap.browser, gap.profile, gap.user) == ("Chrome", "Default", "jo") for gap in observations)
    found = {gap.kind: gap for gap in observations}
    assert len(found) == len(observations)
    return found


def test_whole_history(evidence: Any, tmp_path: Path) -> None:
    assert gaps(evidence, {"History": history(tmp_path), "Favicons": favicons(tmp_path), "Cookies": cookies(tmp_path, range(40))}) == {}


def test_a_site_removed(evidence: Any, tmp_path: Path) -> None:
    data = history(tmp_path, "DELETE FROM visits WHERE url = 3", "DELETE FROM urls WHERE id = 3")
    found = gaps(evidence, {"History": data, "Favicons": favicons(tmp_path)})
    assert set(found) == {"records in between", "sites"}
    assert (found["records in between"].missing, found["records in between"].left) == (8, 32)
    assert (found["sites"].sites, found["sites"].stores, found["sites"].strength) == (("shed.example",), ("Favicons",), "weak")


def test_a_bookmarked_site_is_not_missing(evidence: Any, tmp_path: Path) -> None:
    data = history(tmp_path, "DELETE FROM visits WHERE url = 3", "DELETE FROM urls WHERE id = 3")
    bookmark = {"type": "url", "url": "https://shed.example/", "name": "Sheds", "date_added": "0"}
    bookmarks = json.dumps({"roots": {"bookmark_bar": {"type": "folder", "name": "Bar", "children": [bookmark]}}}).encode()
    assert "sites" not in gaps(evidence, {"History": data, "Favicons": favicons(tmp_path), "Bookmarks": bookmarks})


def test_the_newest_records_removed(evidence: Any, tmp_path: Path) -> None:
    found = gaps(evidence, {"History": history(tmp_path, "DELETE FROM visits WHERE id > 33")})
    assert (found["newest records"].missing, found["newest records"].left, found["newest records"].strength) == (7, 33, "strong")


def test_everything_removed(evidence: Any, tmp_path: Path) -> None:
    data = history(tmp_path, "DELETE FROM visits", "DELETE FROM urls", "DELETE FROM sqlite_sequence")
    found = gaps(evidence, {"History": data, "Favicons": favicons(tmp_path), "Cookies": cookies(tmp_path, range(40))})
    assert set(found) == {"sites", "days"}
    assert (found["sites"].missing, found["sites"].strength) == (5, "moderate")
    assert found["days"].missing == 40


def test_days_removed(evidence: Any, tmp_path: Path) -> None:
    data = history(tmp_path, "DELETE FROM visits WHERE id BETWEEN 11 AND 20")
    found = gaps(evidence, {"History": data, "Cookies": cookies(tmp_path, range(40))})
    assert set(found) == {"records in between", "days"}
    days = found["days"]
    assert (days.missing, days.sites, days.stores, days.strength) == (8, HOSTS[:2], ("Cookies",), "moderate")
    assert (days.first.isoformat(), days.last.isoformat()) == ("2026-06-12T00:00:00Z", "2026-06-19T00:00:00Z")


def test_what_went_by_age_is_no_gap(evidence: Any, tmp_path: Path) -> None:
    data = history(tmp_path, "DELETE FROM visits WHERE id <= 110", days=200)
    assert gaps(evidence, {"History": data, "Favicons": favicons(tmp_path), "Cookies": cookies(tmp_path, range(200))}) == {}


def test_loose_ends(evidence: Any, tmp_path: Path) -> None:
    data = history(tmp_path, "INSERT INTO keyword_search_terms VALUES(2, 99, 'sheds'), (2, 1, 'gardens')")
    found = gaps(evidence, {"History": data})
    assert found["loose ends"].detail == "1 rows of keyword_search_terms belong to rows of urls that are gone"
    assert gaps(evidence, {"History": history(tmp_path, "INSERT INTO keyword_search_terms VALUES(2, 1, 'gardens')")}) == {}


def test_a_profile_younger_than_its_history(evidence: Any, tmp_path: Path) -> None:
    late = json.dumps({"profile": {"creation_time": str(webkit(60))}}).encode()
    assert set(gaps(evidence, {"History": history(tmp_path), "Preferences": late})) == {"profile younger than its history"}
    early = json.dumps({"profile": {"creation_time": str(webkit(-1))}}).encode()
    assert gaps(evidence, {"History": history(tmp_path), "Preferences": early}) == {}


def test_a_damaged_history_is_not_called_a_gap(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    whole = history(tmp_path, days=2000)
    assert gaps(evidence, {"History": whole}) == {}
    cut = evidence({f"{HOME}/History": whole[: len(whole) * 2 // 3]})
    observations, problems = cut.parse(missing_history.parse_chromium, f"{HOME}/History")
    assert observations == [] and "cut off" in problems[0].reason
    icons = favicons(tmp_path)
    for data in mutations(whole, 40):
        evidence({f"{HOME}/History": data, f"{HOME}/Favicons": icons}).parse(missing_history.parse_chromium, f"{HOME}/History")
    for data in mutations(icons, 40):
        assert gaps(evidence, {"History": history(tmp_path), "Favicons": data}).keys() <= {"sites", "days"}


def places(folder: Path, *after: str) -> bytes:
    history_of_firefox = (
        "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url TEXT)",
        "CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, place_id INTEGER, visit_date INTEGER)",
    )
    database(
        folder / "places.sqlite",
        *history_of_firefox,
        rows=[
            ("INSERT INTO moz_places VALUES(?,?)", [(n, f"https://{host}/page") for n, host in enumerate(HOSTS, 1)]),
            ("INSERT INTO moz_historyvisits VALUES(?,?,?)", [(day + 1, day % 5 + 1, prtime(day)) for day in range(40)]),
        ],
    )
    with sqlite3.connect(folder / "places.sqlite") as connection:
        for statement in after:
            connection.execute(statement)
    connection.close()
    return (folder / "places.sqlite").read_bytes()


def test_firefox(evidence: Any, tmp_path: Path) -> None:
    icons = database(
        tmp_path / "favicons.sqlite",
        "CREATE TABLE moz_pages_w_icons(id INTEGER PRIMARY KEY, page_url TEXT)",
        rows=[("INSERT INTO moz_pages_w_icons VALUES(?,?)", [(n, f"https://{host}/page") for n, host in enumerate(HOSTS, 1)])],
    )
    jar = database(
        tmp_path / "cookies.sqlite",
        "CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, host TEXT, name TEXT, creationTime INTEGER)",
        rows=[
            (
                "INSERT INTO moz_cookies(host, name, creationTime) VALUES(?,?,?)",
                [(host, "visitor", prtime(d)) for d in range(40) for host in HOSTS],
            )
        ],
    )

    def found(*after: str) -> dict[str, Any]:
        contents = {f"{FOX}/places.sqlite": places(tmp_path, *after), f"{FOX}/favicons.sqlite": icons, f"{FOX}/cookies.sqlite": jar}
        observations, problems = evidence(contents).parse(missing_history.parse_firefox, f"{FOX}/places.sqlite")
        assert problems == []
        return {gap.kind: gap for gap in observations}

    assert found() == {}
    older = found("DELETE FROM moz_historyvisits WHERE id <= 20", "DELETE FROM moz_places WHERE id = 2")
    assert set(older) == {"sites", "days", "loose ends", "younger than other records"}
    younger = older["younger than other records"]
    assert (younger.strength, younger.stores) == ("moderate", ("cookies.sqlite",))
    assert (older["sites"].sites, older["days"].missing, older["loose ends"].missing) == (("seeds.example",), 19, 4)
    assert set(found("DELETE FROM moz_historyvisits WHERE id BETWEEN 20 AND 21")) == {"records in between"}


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.Example.org/a", "example.org"),
        ("http://[::1", ""),
        ("[*.]example.org", "example.org"),
        ("chrome://settings", ""),
        ("about:blank", ""),
        ("http://localhost:8080/", "localhost"),
        ("", ""),
    ],
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.specimens
@pytest.mark.parametrize("version", ["42.0.2311.90", "64.0.3282.140"])
def test_specimen_profiles_have_no_gap(evidence: Any, specimens: Path, tmp_path: Path, version: str) -> None:
    packed = specimens / f"browser/dfirlabs-chrome/specimens/google-chrome-{version}.tar.xz"
    with lzma.open(packed) as stream, tarfile.open(fileobj=stream) as archive:
        archive.extractall(tmp_path, filter="data")
    [profile] = [path.parent for path in tmp_path.rglob("History")]
    assert gaps(evidence, {path.name: path.read_bytes() for path in profile.iterdir() if path.is_file()}) == {}
