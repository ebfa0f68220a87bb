"""What Firefox and Safari profiles say of themselves and of sites, outside history."""

from __future__ import annotations

import json
import plistlib
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import firefox_profile, safari_traces
from artefacts.coverage import Status, Unrecognised

PROFILE = "/home/jo/.mozilla/firefox/x.default"
SAFARI = "/Users/jo/Library/Safari"


def test_age_of_the_profile(evidence: Any) -> None:
    place = f"{PROFILE}/times.json"
    found, problems = evidence({place: b'{"created":1780315200000,"firstUse":1780315201500}'}).parse(firefox_profile.parse_times, place)
    assert problems == []
    assert [(item.name, item.to_json()["time"]) for item in found] == [
        ("browser profile created", "2026-06-01T12:00:00Z"),
        ("browser profile first used", "2026-06-01T12:00:01.500Z"),
    ]
    _, [problem] = evidence({"/srv/times.json": b'{"other": 1}'}).parse(firefox_profile.parse_times, "/srv/times.json")
    assert problem.status is Status.SKIPPED
    with pytest.raises(Unrecognised):
        evidence({place: b"text"}).parse(firefox_profile.parse_times, place)


def test_extensions(evidence: Any) -> None:
    place = f"{PROFILE}/extensions.json"
    addon = {
        "id": "a@b",
        "version": "1.2",
        "location": "app-profile",
        "active": True,
        "installDate": 1780315200000,
        "defaultLocale": {"name": "History AutoDelete"},
    }
    tree = {"addons": [addon, {"id": "c@d", "location": "app-builtin-addons"}, 7]}
    [item], problems = evidence({place: json.dumps(tree).encode()}).parse(firefox_profile.parse_extensions, place)
    assert problems == []
    assert (item.name, item.version, item.enabled, item.how) == ("History AutoDelete", "1.2", True, "extension of Firefox")
    assert item.to_json()["installed"] == "2026-06-01T12:00:00Z"


def test_containers(evidence: Any) -> None:
    place = f"{PROFILE}/containers.json"
    tree = {"identities": [{"name": "Hidden corner", "public": True}, {"name": "", "public": True}, {"name": "internal", "public": False}]}
    [item], _ = evidence({place: json.dumps(tree).encode()}).parse(firefox_profile.parse_containers, place)
    assert item.value.endswith(": Hidden corner")


def test_storage_of_sites(evidence: Any) -> None:
    place = f"{PROFILE}/storage/default/https+++www.a.example+8443^userContextId=2/.metadata-v2"
    [item], problems = evidence({place: (1_780_315_200_000_000).to_bytes(8, "big") + bytes(20)}).parse(firefox_profile.parse_storage, place)
    assert problems == [] and (item.url, item.to_json()["time"]) == ("https://www.a.example:8443", "2026-06-01T12:00:00Z")


def test_days_of_secure_sites(evidence: Any) -> None:
    place = f"{PROFILE}/SiteSecurityServiceState.txt"
    [item], [problem] = evidence({place: b"a.example:HSTS\t3\t20605\t1811851200000,1,0\nbroken\n"}).parse(
        firefox_profile.parse_secure_sites, place
    )
    assert (item.url, item.to_json()["time"]) == ("a.example", "2026-06-01T00:00:00Z") and problem.locator == "line=2"


def test_tabs_of_safari(evidence: Any) -> None:
    place = f"{SAFARI}/RecentlyClosedTabs.plist"
    tree = {
        "ClosedTabOrWindowPersistentStates": [
            {"PersistentState": {"TabURL": "https://a.example/", "TabTitle": "A", "DateClosed": datetime(2026, 6, 1, 12)}}
        ]
    }
    for form in (plistlib.FMT_XML, plistlib.FMT_BINARY):
        [tab], problems = evidence({place: plistlib.dumps(tree, fmt=form)}).parse(safari_traces.parse_tabs, place)
        assert problems == [] and (tab.url, tab.title, tab.source, tab.to_json()["time"]) == (
            "https://a.example/",
            "A",
            "tab that was closed",
            "2026-06-01T12:00:00Z",
        )
    with pytest.raises(Unrecognised):
        evidence({place: b"bplist00 nothing"}).parse(safari_traces.parse_tabs, place)


def test_top_sites_of_safari(evidence: Any) -> None:
    place = f"{SAFARI}/TopSites.plist"
    [site], _ = evidence({place: plistlib.dumps({"TopSites": [{"TopSiteURLString": "https://a.example/", "TopSiteTitle": "A"}]})}).parse(
        safari_traces.parse_top_sites, place
    )
    assert (site.url, site.what) == ("https://a.example/", "most visited sites")


def test_tabs_of_other_devices(evidence: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "made") as connection:
        connection.execute("CREATE TABLE cloud_tab_devices(device_uuid TEXT, device_name TEXT, last_modified REAL)")
        connection.execute("CREATE TABLE cloud_tabs(device_uuid TEXT, title TEXT, url TEXT)")
        connection.execute("INSERT INTO cloud_tab_devices VALUES('u','Phone of Jo',802008000.0)")
        connection.execute("INSERT INTO cloud_tabs VALUES('u','A','https://a.example/')")
    connection.close()
    place = f"{SAFARI}/CloudTabs.db"
    [device, tab], problems = evidence({place: (tmp_path / "made").read_bytes()}).parse(safari_traces.parse_cloud_tabs, place)
    assert problems == []
    assert (device.name, device.to_json()["last"]) == ("Phone of Jo", "2026-06-01T12:00:00Z")
    assert (tab.url, tab.source) == ("https://a.example/", "tab open on another device (Phone of Jo)")
