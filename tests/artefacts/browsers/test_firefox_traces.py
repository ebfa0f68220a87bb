"""Sites that Firefox remembers beside its history, its version and place, policies in files, guest windows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import chromium_preferences, firefox_traces, installations, policies
from artefacts.coverage import Status, Unrecognised

FOX = "/home/jo/.mozilla/firefox/x.default"


def made(path: Path, script: str) -> bytes:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    return path.read_bytes()


ICONS = "CREATE TABLE moz_pages_w_icons(id INTEGER PRIMARY KEY, page_url TEXT); INSERT INTO moz_pages_w_icons VALUES(1, 'https://a.example/x'), (2, NULL);"
PERMISSIONS = """
    CREATE TABLE moz_perms(id INTEGER PRIMARY KEY, origin TEXT, type TEXT, permission INTEGER, modificationTime INTEGER);
    INSERT INTO moz_perms VALUES(1, 'https://a.example', 'storageAccessAPI', 1, 1780315200123);
"""
OLD_PERMISSIONS = (
    "CREATE TABLE moz_hosts(id INTEGER PRIMARY KEY, host TEXT, type TEXT); INSERT INTO moz_hosts VALUES(1, 'a.example', 'popup');"
)
SETTINGS = """
    CREATE TABLE groups(id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE prefs(id INTEGER PRIMARY KEY, groupID INTEGER, timestamp REAL);
    INSERT INTO groups VALUES(1, 'a.example'), (2, 'b.example'); INSERT INTO prefs VALUES(1, 1, 1780315200.5), (2, 1, 1780315100.5);
"""
TYPED = """
    CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url TEXT, title TEXT);
    CREATE TABLE moz_inputhistory(place_id INTEGER, input TEXT, use_count REAL, PRIMARY KEY(place_id, input));
    INSERT INTO moz_places VALUES(1, 'https://a.example/x', 'Sheds'); INSERT INTO moz_inputhistory VALUES(1, 'she', 2.5), (9, 'gone', 1);
"""


@pytest.mark.parametrize(
    ("name", "script", "parser", "expected"),
    [
        ("favicons.sqlite", ICONS, firefox_traces.parse_favicons, [("https://a.example/x", "icon of the page", None, None)]),
        (
            "permissions.sqlite",
            PERMISSIONS,
            firefox_traces.parse_permissions,
            [("https://a.example", "site setting: storageAccessAPI", "2026-06-01T12:00:00.123Z", "1")],
        ),
        ("permissions.sqlite", OLD_PERMISSIONS, firefox_traces.parse_permissions, [("a.example", "site setting: popup", None, None)]),
        (
            "content-prefs.sqlite",
            SETTINGS,
            firefox_traces.parse_site_settings,
            [
                ("a.example", "setting of the site (zoom, folder, …)", "2026-06-01T12:00:00.500Z", None),
                ("b.example", "setting of the site (zoom, folder, …)", None, None),
            ],
        ),
        ("places.sqlite", TYPED, firefox_traces.parse_typed, [("https://a.example/x", "typed in the address bar and chosen", None, "she")]),
    ],
)
def test_databases(
    evidence: Any,
    tmp_path: Path,
    mutations: Callable[[bytes, int], list[bytes]],
    name: str,
    script: str,
    parser: Any,
    expected: list[tuple[Any, ...]],
) -> None:
    data = made(tmp_path / name, script)
    observations, problems = evidence({f"{FOX}/{name}": data}).parse(parser, f"{FOX}/{name}")
    assert problems == []
    assert [(item.url, item.what, item.to_json()["time"], item.value) for item in observations] == expected
    assert {(item.browser, item.profile, item.user) for item in observations} == {("Firefox", "x.default", "jo")}
    for damaged in mutations(data, 24):
        try:
            evidence({f"{FOX}/{name}": damaged}).parse(parser, f"{FOX}/{name}")
        except Unrecognised:
            pass


def test_logins_without_names_and_passwords(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    login = {
        "hostname": "https://a.example",
        "encryptedUsername": "MDoEEPgA",
        "encryptedPassword": "MDoEEPgB",
        "timeCreated": 1780315200123,
    }
    data = json.dumps({"logins": [login, {"id": 7}], "version": 3}).encode()
    [used], [problem] = evidence({f"{FOX}/logins.json": data}).parse(firefox_traces.parse_logins, f"{FOX}/logins.json")
    assert (used.service, used.to_json()["time"], used.account, used.how) == (
        "https://a.example",
        "2026-06-01T12:00:00.123Z",
        None,
        "saved login",
    )
    assert "MDoEE" not in json.dumps(used.to_json()) and problem.locator == "logins[1]"
    for damaged in mutations(data, 40):
        try:
            evidence({f"{FOX}/logins.json": damaged}).parse(firefox_traces.parse_logins, f"{FOX}/logins.json")
        except Unrecognised:
            pass


@pytest.mark.parametrize(
    ("path", "text", "parser", "expected"),
    [
        (
            f"{FOX}/compatibility.ini",
            "[Compatibility]\nLastVersion=140.1.0_20260101/20260101\nLastPlatformDir=E:\\FirefoxPortable\\App\n",
            installations.parse_firefox,
            ("Firefox", "140.1.0", "E:\\FirefoxPortable\\App"),
        ),
        (
            "/home/jo/tor-browser/Browser/TorBrowser/Data/Browser/profile.default/compatibility.ini",
            "[Compatibility]\nLastVersion=140.1.0_2/2\n",
            installations.parse_firefox,
            ("Tor Browser", "140.1.0", None),
        ),
        ("/home/jo/.config/chromium/Last Version", "131.0.6778.85", installations.parse_chromium, ("Chromium", "131.0.6778.85", None)),
        (
            "/stick/GoogleChromePortable/Data/profile/Last Version",
            "131.0.6778.85",
            installations.parse_chromium,
            ("GoogleChrome (portable)", "131.0.6778.85", None),
        ),
    ],
)
def test_installations(evidence: Any, path: str, text: str, parser: Any, expected: tuple[Any, ...]) -> None:
    [program], problems = evidence({path: text.encode()}).parse(parser, path)
    assert problems == [] and (program.name, program.version, program.path) == expected


def test_other_files_of_those_names(evidence: Any) -> None:
    for parser, known in (
        (installations.parse_firefox, f"{FOX}/compatibility.ini"),
        (installations.parse_chromium, "/home/jo/.config/chromium/Last Version"),
    ):
        for content in (b"", b"\xff\xfe\x00", b"[Other]\nx=1", b"[[["):
            observations, [problem] = evidence({"/x/y": content}).parse(parser, "/x/y")
            assert observations == [] and problem.status is Status.SKIPPED
            with pytest.raises(Unrecognised):
                evidence({known: content}).parse(parser, known)


def test_policies(evidence: Any) -> None:
    chrome = "/etc/opt/chrome/policies/managed/unit.json"
    tree: dict[str, Any] = {
        "IncognitoModeAvailability": 1,
        "ClearBrowsingDataOnExitList": ["browsing_history"],
        "HomepageLocation": "http://a.example",
    }
    found, problems = evidence({chrome: json.dumps(tree).encode()}).parse(policies.parse, chrome)
    assert problems == []
    assert [(item.program, item.setting, item.value, item.meaning) for item in found] == [
        ("Chrome", "IncognitoModeAvailability", "1", "private windows are not allowed"),
        ("Chrome", "ClearBrowsingDataOnExitList", '["browsing_history"]', "browsing data is deleted each time the browser closes"),
    ]
    firefox = "/usr/lib/firefox/distribution/policies.json"
    tree = {"policies": {"DisablePrivateBrowsing": True, "SanitizeOnShutdown": {"History": True}, "DisableForgetButton": False}}
    found, problems = evidence({firefox: json.dumps(tree).encode()}).parse(policies.parse, firefox)
    assert problems == []
    assert [(item.program, item.setting) for item in found] == [("Firefox", "DisablePrivateBrowsing"), ("Firefox", "SanitizeOnShutdown")]
    found, [problem] = evidence({chrome: b'{"a": '}).parse(policies.parse, chrome)
    assert found == [] and problem.status is Status.FAILED
    with pytest.raises(Unrecognised):
        evidence({chrome: b"[1]"}).parse(policies.parse, chrome)


def test_guest_window(evidence: Any) -> None:
    place = "/home/jo/.config/google-chrome/{}/Preferences"
    data = json.dumps({"profile": {"creation_time": "13424616000000000"}}).encode()
    for profile, names in (
        ("Guest Profile", ["browser profile created", "browser guest window used"]),
        ("Default", ["browser profile created"]),
    ):
        found, problems = evidence({place.format(profile): data}).parse(chromium_preferences.parse, place.format(profile))
        assert problems == [] and [item.name for item in found] == names
