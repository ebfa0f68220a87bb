"""The other files of a profile: cookies, forms, bookmarks, preferences, icons, logins."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import (
    chromium_bookmarks,
    chromium_preferences,
    chromium_sites,
    chromium_traces,
    cookies,
    firefox_preferences,
    forms,
)
from artefacts.coverage import Encrypted, Status, Unrecognised
from artefacts.observations import (
    AccountUse,
    Bookmark,
    Cookie,
    FormEntry,
    InstalledProgram,
    PolicySetting,
    SearchQuery,
    SiteTrace,
    SystemFact,
)
from artefacts.registry import all_artefacts
from artefacts.times import NoTime, Timestamp

CHROME = "/Users/jo/AppData/Local/Google/Chrome/User Data/Default"
FIREFOX = "/home/jo/.mozilla/firefox/ab12.default"
DAY = 13_400_000_000_000_000  # WebKit microseconds of 2025-08-18T14:13:20Z


def iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


def database(path: Path, script: str) -> bytes:
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()
    return path.read_bytes()


# ---- specimens


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("specimen", "parser", "name", "count", "host", "cookie", "created", "used"),
    [
        ("plaso-chrome/cookies.db", cookies.parse_chromium, "Cookies", 560, "www.linkedin.com", "leo_auth_token", "2011-08-25T21:48:20.792703Z", "2011-08-25T21:50:27.292367Z"),
        ("plaso-chrome/Cookies-68.0.3440.106", cookies.parse_chromium, "Cookies", 5, ".google.com", "__utma", "2018-08-14T15:03:43.650324Z", "2018-08-14T15:03:45.489599Z"),
        ("plaso-firefox/firefox_cookies/firefox_2_cookies.sqlite", cookies.parse_firefox, "cookies.sqlite", 90, "s.greenqloud.com", "__utma", "2013-10-30T21:56:03.992499Z", "2013-10-30T21:56:03.997686Z"),
    ],
)  # fmt: skip
def test_cookie_specimens(
    evidence: Any, specimens: Path, specimen: str, parser: Any, name: str, count: int, host: str, cookie: str, created: str, used: str
) -> None:
    path = f"{CHROME}/{name}"
    observations, problems = evidence({path: (specimens / "browser" / specimen).read_bytes()}).parse(parser, path)
    assert problems == [] and len(observations) == count and all(type(item) is Cookie for item in observations)
    assert (host.lstrip("."), cookie, created, used) in [
        (item.host.lstrip("."), item.name, iso(item.created), iso(item.last_used)) for item in observations
    ]


@pytest.mark.specimens
def test_preferences_specimen(evidence: Any, specimens: Path) -> None:
    path = f"{CHROME}/Preferences"
    observations, problems = evidence({path: (specimens / "browser/plaso-chrome/Preferences").read_bytes()}).parse(
        chromium_preferences.parse, path
    )
    assert problems == []
    assert Counter(type(item) for item in observations) == {SystemFact: 2, InstalledProgram: 20, SiteTrace: 7}
    facts = {item.name: iso(item.time) for item in observations if isinstance(item, SystemFact)}
    assert facts == {
        "browsing data cleared by the user": "2016-06-08T16:17:47.453766Z",
        "browser looked for updates of its extensions": "2014-11-12T13:01:43.926143Z",
    }
    [program] = [
        item for item in observations if isinstance(item, InstalledProgram) and item.identifier == "mgndgikekgjfcpckkfioiadnlibdjbkf"
    ]
    assert (program.name, iso(program.installed)) == ("Chrome", "2014-11-05T18:31:24.154837Z")
    assert program.path == "C:\\Program Files\\Google\\Chrome\\Application\\38.0.2125.111\\resources\\chrome_app"
    [midi] = [item for item in observations if isinstance(item, SiteTrace) and item.what == "site setting: midi sysex"]
    assert (midi.url, iso(midi.time)) == ("https://rawgit.com:443", "2016-11-11T16:20:09.866137Z")


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("42.0.2311.90", {"InstalledProgram": 18, "SiteTrace": 2, "SystemFact": 3}),
        ("64.0.3282.140", {"Cookie": 1, "PageVisit": 3, "Download": 1, "InstalledProgram": 16, "SiteTrace": 7, "SystemFact": 3}),
    ],
)
def test_whole_profiles(evidence: Any, unpacked: Callable[[str], Path], version: str, expected: dict[str, int]) -> None:
    with tarfile.open(
        fileobj=io.BytesIO(unpacked(f"browser/dfirlabs-chrome/specimens/google-chrome-{version}.tar.xz").read_bytes())
    ) as archive:
        contents = {"/" + item.name.lstrip("./"): archive.extractfile(item).read() for item in archive if item.isfile()}  # type: ignore[union-attr]
    contents = {path: data for path, data in contents.items() if "/.config/google-chrome/" in path and "/ext/" not in path}
    counts: Counter[str] = Counter()
    read = 0
    for path in contents:
        for artefact in all_artefacts():
            if artefact.id.startswith("browsers.chromium.") and f"**/{path.rsplit('/', 1)[-1]}" in artefact.paths:
                observations, problems = evidence(contents).parse(artefact.parse, path)
                assert problems == [], path
                counts.update(type(item).__name__ for item in observations)
                read += 1
    assert counts == expected and read >= 11


# ---- own fixtures


def test_cookies_of_firefox_2_and_142(evidence: Any, tmp_path: Path) -> None:
    script = """
        CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER);
        INSERT INTO moz_cookies VALUES (1200000000000000, 'a', 'secret', 'old.example', '/', 1300000000, 1200000000000001);
        INSERT INTO moz_cookies VALUES (1200000000000002, 'b', 'secret', 'new.example', '/', 1800000000123, 0);
    """
    path = f"{FIREFOX}/cookies.sqlite"
    observations, problems = evidence({path: database(tmp_path / "c", script)}).parse(cookies.parse_firefox, path)
    assert problems == []
    old, new = observations
    assert (iso(old.created), iso(old.last_used), iso(old.expires)) == (
        "2008-01-10T21:20:00Z",
        "2008-01-10T21:20:00.000001Z",
        "2011-03-13T07:06:40Z",
    )
    assert (iso(new.expires), new.last_used) == ("2027-01-15T08:00:00.123Z", NoTime("not recorded"))
    assert not any("secret" in json.dumps(item.to_json()) for item in observations)


def test_forms_give_the_words_of_searches_only(evidence: Any, tmp_path: Path) -> None:
    script = """
        CREATE TABLE autofill (name VARCHAR, value VARCHAR, date_created INTEGER, date_last_used INTEGER, count INTEGER);
        INSERT INTO autofill VALUES ('q', 'garden sheds', 1700000000, 1700000100, 3), ('card_number', 'PRIVATE', 1700000000, 1700000000, 1);
        INSERT INTO autofill VALUES ('SiteSearchBox', 'newts', 1700000000, 1700000000, 1), ('email', 'PRIVATE', 1700000000, 1700000000, 1);
    """
    path = f"{CHROME}/Web Data"
    observations, problems = evidence({path: database(tmp_path / "w", script)}).parse(forms.parse_chromium, path)
    assert problems == []
    assert [(item.field, item.value) for item in observations if isinstance(item, FormEntry)] == [
        ("q", "garden sheds"), ("card_number", None), ("SiteSearchBox", "newts"), ("email", None),
    ]  # fmt: skip
    search = next(item for item in observations if isinstance(item, SearchQuery))
    assert (search.terms, search.where, search.count, iso(search.time), iso(search.last)) == (
        "garden sheds", "form", 3, "2023-11-14T22:13:20Z", "2023-11-14T22:15:00Z",
    )  # fmt: skip
    assert "PRIVATE" not in json.dumps([item.to_json() for item in observations])


def test_forms_of_old_chrome_and_of_firefox(evidence: Any, tmp_path: Path) -> None:
    chrome = """
        CREATE TABLE autofill (name VARCHAR, value VARCHAR, value_lower VARCHAR, pair_id INTEGER PRIMARY KEY, count INTEGER);
        CREATE TABLE autofill_dates (pair_id INTEGER, date_created INTEGER);
        INSERT INTO autofill VALUES ('search', 'sheds', 'sheds', 7, 2);
        INSERT INTO autofill_dates VALUES (7, 1300000100), (7, 1300000000);
    """
    path = f"{CHROME}/Web Data"
    observations, problems = evidence({path: database(tmp_path / "w", chrome)}).parse(forms.parse_chromium, path)
    assert problems == [] and [(iso(item.first), iso(item.last)) for item in observations if isinstance(item, FormEntry)] == [
        ("2011-03-13T07:06:40Z", "2011-03-13T07:08:20Z")
    ]
    firefox = """
        CREATE TABLE moz_formhistory (id INTEGER PRIMARY KEY, fieldname TEXT, value TEXT, timesUsed INTEGER, firstUsed INTEGER, lastUsed INTEGER);
        INSERT INTO moz_formhistory VALUES (1, 'searchbar-history', 'pond pumps', 2, 1700000000000000, 1700000000000001), (2, 'surname', 'PRIVATE', 1, 0, 0);
    """
    path = f"{FIREFOX}/formhistory.sqlite"
    observations, problems = evidence({path: database(tmp_path / "f", firefox)}).parse(forms.parse_firefox, path)
    assert problems == []
    assert [type(item) for item in observations] == [FormEntry, SearchQuery, FormEntry]
    assert (observations[1].terms, iso(observations[1].last), observations[2].value) == ("pond pumps", "2023-11-14T22:13:20.000001Z", None)


BOOKMARKS = {
    "roots": {
        "bookmark_bar": {
            "type": "folder",
            "name": "Bookmarks bar",
            "children": [
                {
                    "type": "url",
                    "name": "Sheds {1}",
                    "url": "https://sheds.example/",
                    "date_added": str(DAY),
                    "date_last_used": str(DAY + 1),
                },
                {
                    "type": "folder",
                    "name": "Ponds",
                    "children": [{"type": "url", "name": "Newts", "url": "https://newts.example/", "date_added": "x"}],
                },
            ],
        },
        "other": {"type": "folder", "name": "Other", "children": [{"type": "url", "url": "https://last.example/"}]},
    },
    "version": 1,
}


def test_bookmarks(evidence: Any) -> None:
    path = f"{CHROME}/Bookmarks"
    observations, problems = evidence({path: json.dumps(BOOKMARKS).encode()}).parse(chromium_bookmarks.parse, path)
    assert problems == []
    assert [(item.url, item.title, item.folder, item.locator) for item in observations] == [
        ("https://sheds.example/", "Sheds {1}", "Bookmarks bar", "roots.bookmark_bar.children[0]"),
        ("https://newts.example/", "Newts", "Bookmarks bar/Ponds", "roots.bookmark_bar.children[1].children[0]"),
        ("https://last.example/", None, "Other", "roots.other.children[0]"),
    ]
    assert (iso(observations[0].time), iso(observations[0].last_used)) == ("2025-08-18T14:13:20Z", "2025-08-18T14:13:20.000001Z")
    assert observations[1].time == NoTime("not a number") and observations[2].time == NoTime("not recorded")


def test_bookmarks_cut_short(evidence: Any) -> None:
    path = f"{CHROME}/Bookmarks"
    whole = json.dumps(BOOKMARKS).encode()
    observations, [problem] = evidence({path: whole[: whole.index(b'"other"')]}).parse(chromium_bookmarks.parse, path)
    assert problem.status is Status.FAILED and "damaged" in problem.reason
    assert [item.url for item in observations if isinstance(item, Bookmark)] == ["https://newts.example/"]
    deep = b'{"roots":' + b'{"a":' * 200_000
    observations, problems = evidence({path: deep}).parse(chromium_bookmarks.parse, path)
    assert observations == [] and len(problems) == 1


def test_preferences_that_stop_history(evidence: Any) -> None:
    tree = {
        "browser": {"last_clear_browsing_data_time": str(DAY), "clear_data_on_exit": {"browsing_history": True, "cache": False}},
        "profile": {"default_content_setting_values": {"cookies": 4}, "creation_time": str(DAY - 10)},
        "account_info": [{"email": "jo@example.org"}, "noise", {"email": 7}],
        "google": {"services": {"last_username": "JO@example.org"}},
        "extensions": {
            "settings": {
                "abc": {"manifest": {"name": "Wiper", "version": "2"}, "install_time": str(DAY), "state": 0},
                "def": {"x": 1},
                "ghi": 3,
            }
        },
    }
    path = f"{CHROME}/Preferences"
    observations, problems = evidence({path: json.dumps(tree).encode()}).parse(chromium_preferences.parse, path)
    assert problems == []
    assert [(item.setting, item.value) for item in observations if isinstance(item, PolicySetting)] == [
        ("browser.clear_data_on_exit.browsing_history", "true"), ("profile.default_content_setting_values.cookies", "4"),
    ]  # fmt: skip
    assert [item.account for item in observations if isinstance(item, AccountUse)] == ["jo@example.org"]
    [program] = [item for item in observations if isinstance(item, InstalledProgram)]
    assert (program.name, program.version, program.enabled, iso(program.installed)) == ("Wiper", "2", False, "2025-08-18T14:13:20Z")


def test_preferences_of_firefox(evidence: Any) -> None:
    text = """// Mozilla User Preferences
user_pref("privacy.sanitize.sanitizeOnShutdown", true);
user_pref("privacy.clearOnShutdown_v2.cache", false);
user_pref("browser.privatebrowsing.autostart", true);
user_pref("network.proxy.type", 1);
user_pref("services.sync.username", "jo@example.org");
user_pref("toolkit.startup.last_success", 1700000000);
user_pref("broken
"""
    path = f"{FIREFOX}/prefs.js"
    observations, [problem] = evidence({path: text.encode()}).parse(firefox_preferences.parse, path)
    assert problem.reason == "1 lines are damaged and were not read"
    assert [(item.setting, item.locator) for item in observations if isinstance(item, PolicySetting)] == [
        ("privacy.sanitize.sanitizeOnShutdown", "line=2"), ("browser.privatebrowsing.autostart", "line=4"), ("network.proxy.type", "line=5"),
    ]  # fmt: skip
    assert [item.account for item in observations if isinstance(item, AccountUse)] == ["jo@example.org"]
    assert [iso(item.time) for item in observations if isinstance(item, SystemFact)] == ["2023-11-14T22:13:20Z"]


def test_traces_outside_history(evidence: Any, tmp_path: Path) -> None:
    scripts = {
        "Favicons": f"CREATE TABLE icon_mapping (id INTEGER PRIMARY KEY, page_url, icon_id); CREATE TABLE favicon_bitmaps (id INTEGER PRIMARY KEY, icon_id, last_updated);"
        f"INSERT INTO icon_mapping VALUES (1, 'https://a.example/', 5); INSERT INTO favicon_bitmaps VALUES (1, 5, {DAY}), (2, 5, {DAY + 1})",
        "Shortcuts": f"CREATE TABLE omni_box_shortcuts (id, text, url, description, last_access_time, number_of_hits);"
        f"INSERT INTO omni_box_shortcuts VALUES ('x', 'shed', 'https://b.example/', 'B', {DAY}, 4)",
        "Network Action Predictor": "CREATE TABLE network_action_predictor (id, user_text, url, number_of_hits); INSERT INTO network_action_predictor VALUES ('x', 'sh', 'https://c.example/', 2)",
        "Login Data": f"CREATE TABLE logins (signon_realm, username_value, password_value, date_created, date_last_used, blacklisted_by_user);"
        f"INSERT INTO logins VALUES ('https://d.example/', 'PRIVATE', x'00', 1300000000, {DAY}, 0)",
    }  # fmt: skip
    parsers = {
        "Favicons": chromium_traces.parse_favicons,
        "Shortcuts": chromium_sites.PARSERS["shortcuts"],
        "Network Action Predictor": chromium_sites.PARSERS["predictor"],
        "Login Data": chromium_traces.parse_logins,
    }
    contents = {f"{CHROME}/{name}": database(tmp_path / name, script) for name, script in scripts.items()}
    found = {}
    for name, parser in parsers.items():
        observations, problems = evidence(contents).parse(parser, f"{CHROME}/{name}")
        assert problems == []
        [found[name]] = observations
    assert (found["Favicons"].url, iso(found["Favicons"].time)) == ("https://a.example/", "2025-08-18T14:13:20.000001Z")
    assert (found["Shortcuts"].value, found["Shortcuts"].count) == ("shed", 4)
    assert (found["Network Action Predictor"].url, found["Network Action Predictor"].count) == ("https://c.example/", 2)
    login = found["Login Data"]
    assert (login.service, login.account, iso(login.time), iso(login.last)) == (
        "https://d.example/",
        None,
        "2011-03-13T07:06:40Z",
        "2025-08-18T14:13:20Z",
    )
    with pytest.raises(Unrecognised):
        evidence({f"{CHROME}/Favicons": contents[f"{CHROME}/Shortcuts"]}).parse(chromium_traces.parse_favicons, f"{CHROME}/Favicons")


@pytest.mark.parametrize("name", ["Bookmarks", "Preferences", "prefs.js"])
def test_mutations(evidence: Any, mutations: Callable[[bytes, int], list[bytes]], name: str) -> None:
    preferences = b'user_pref("browser.privatebrowsing.autostart", true);\n' * 20
    data, parser, folder = {
        "Bookmarks": (json.dumps(BOOKMARKS).encode(), chromium_bookmarks.parse, CHROME),
        "Preferences": (json.dumps({"profile": {"creation_time": "1"}, "extensions": {"settings": {"a": {"path": "b"}}}}).encode(), chromium_preferences.parse, CHROME),
        "prefs.js": (preferences, firefox_preferences.parse, FIREFOX),
    }[name]  # fmt: skip
    for damaged in mutations(data, 60):
        try:
            evidence({f"{folder}/{name}": damaged}).parse(parser, f"{folder}/{name}")
        except (Unrecognised, Encrypted):
            continue
