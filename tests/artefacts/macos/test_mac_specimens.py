"""Every macOS specimen: its exact facts and no problem; each of them damaged: no exception but the two that are agreed, and nothing endless."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Problem, Unrecognised
from artefacts.linux import sign_in_records
from artefacts.macos import accounts, devices, finder, fsevents, keychain, logs, networks, printing, spotlight, startup, system, usage
from artefacts.registry import Parser

pytestmark = pytest.mark.specimens

MAC = "macos/plaso/"
APPLE_ID = MAC + "com.apple.coreservices.appleidauthenticationinfo.ABC0ABC1-ABC0-ABC0-ABC0-ABC0ABC1ABC2.plist"
READERS: dict[str, Parser] = {
    MAC + "wifi.log": networks.parse_log,
    MAC + "appfirewall.log": usage.parse_firewall_log,
    MAC + "application_usage.sqlite": usage.parse_application_usage,
    MAC + "mac_notificationcenter.db": usage.parse_notifications,
    MAC + "login.keychain": keychain.parse,
    MAC + "utmpx_mac": sign_in_records.parse_mac,
    MAC + "apple.bsm": logs.parse_audit,
    MAC + "applesystemlog.asl": logs.parse_asl,
    "linux/plaso/security.log": logs.parse_security,
    MAC + "mac_cups_ipp": printing.parse,
    MAC + "backgrounditems.btm": startup.parse_background_items,
    MAC + "com.apple.loginitems.plist": startup.parse_login_items,
    MAC + "launchd.plist": startup.parse_launchd,
    MAC + "StartupParameters.plist": startup.parse_startup_item,
    MAC + "com.apple.SoftwareUpdate.plist": system.parse_updates,
    APPLE_ID: accounts.parse_apple_account,
    MAC + "user.plist": accounts.parse,
    MAC + "VolumeConfiguration.plist": spotlight.parse_volume,
    MAC + "org.cups.printers.plist": devices.parse_printers,
    "mixed/velociraptor/vagrant.plist": accounts.parse,
    "mixed/velociraptor/com.apple.dock.plist": finder.parse_dock,
    "mixed/velociraptor/fs_events_000000002fc5e551": fsevents.parse,
}


@pytest.fixture
def read(evidence: Any, specimens: Path) -> Callable[..., list[Any]]:
    """``read(specimen, parser=…)``: its observations as JSON values; a problem fails the test."""

    def of(relative: str, parse: Parser | None = None) -> list[Any]:
        path = "/Users/jo/" + relative.rsplit("/", 1)[-1]
        observations, problems = evidence({path: (specimens / relative).read_bytes()}).parse(parse or READERS[relative], path)
        assert problems == []
        return [item.to_json() for item in observations]

    return of


def test_wifi_log(read: Any) -> None:
    fact, campus, android = read(MAC + "wifi.log")
    assert (fact["value"], fact["time"], fact["time_local"]) == ("10 entries", None, "--11-14T20:14:37.123")
    assert (campus["name"], campus["count"]) == ("CampusNet", 3)
    assert (android["name"], android["kind"], android["last_local"]) == ("AndroidAP", "wireless", "--01-01T01:12:17.311")
    assert "neither year nor zone" in android["last_reason"]


def test_firewall_log(read: Any) -> None:
    fact, *runs = read(MAC + "appfirewall.log")
    assert fact["value"] == "47 entries"
    spotify = next(run for run in runs if run["program"] == "Spotify")
    assert (spotify["how"], spotify["time_local"]) == ("firewall log: Allow TCP LISTEN", "--11-29T22:18:29")
    assert next(run["time_local"] for run in runs if run["program"] == "Notify") == "--01-01T01:13:23"


def test_application_usage(read: Any) -> None:
    runs = read(MAC + "application_usage.sqlite")
    assert len(runs) == 5
    assert (runs[0]["program"], runs[0]["path"], runs[0]["time"], runs[0]["count"]) == (
        "com.apple.Safari", "/Applications/Safari.app", "2014-05-07T18:52:02Z", 1,
    )  # fmt: skip
    assert runs[0]["how"] == "application usage (launch)" and "9537.75.14" in runs[0]["time_meaning"]


def test_notifications_are_counted_and_their_words_left_alone(read: Any) -> None:
    runs = read(MAC + "mac_notificationcenter.db")
    assert [(run["program"], run["count"]) for run in runs] == [("com.google.drivefs", 2), ("com.google.santagui", 4)]
    assert "KeePassXC" not in json.dumps(runs)


def test_keychain_names_sites_and_dates_only(read: Any) -> None:
    uses = read(MAC + "login.keychain")
    assert [(use["service"], use["time"], use["last"]) for use in uses] == [
        ("Secret Application", "2014-01-26T14:51:48Z", "2014-01-26T14:52:29Z"),
        ("Secret Note", "2014-01-26T14:53:29Z", "2014-01-26T14:53:29Z"),
        ("plaso.kiddaland.net", "2014-01-26T14:54:33Z", "2014-01-26T14:54:33Z"),
        ("imap.gmail.com", "2014-01-26T14:55:20Z", "2014-01-26T14:55:20Z"),
    ]
    assert "moxilo" not in json.dumps(uses) and "MrMoreno" not in json.dumps(uses)


def test_utmpx(read: Any) -> None:
    start, console, terminal, fact = read(MAC + "utmpx_mac")
    assert start["value"] == "started" and fact["value"].startswith("6 records")
    assert (console["account"], console["how"], console["time"]) == (
        "moxilo",
        "utmpx_mac: signed in at console",
        "2013-11-13T17:52:41.736713Z",
    )
    assert terminal["how"] == "utmpx_mac: signed in at ttys000"


def test_counted_logs(read: Any) -> None:
    (audit,) = read(MAC + "apple.bsm")
    # Another tool reads the 381 as microseconds; the format says milliseconds (OpenBSM, audit.log(5)).
    assert (audit["value"][:10], audit["time"]) == ("54 records", "2013-11-04T18:36:20.381Z")
    asl, host = read(MAC + "applesystemlog.asl")
    assert asl["value"].startswith("2 messages, 2013-11-25T09:45:35.705481Z") and asl["time"] == "2013-11-25T09:45:35Z"
    assert host["value"] == "DarkTemplar-2.local"
    (security,) = read("linux/plaso/security.log")
    assert (security["value"], security["time_local"]) == ("9 entries", "--02-26T19:11:56")


def test_print_job(read: Any) -> None:
    (job,) = read(MAC + "mac_cups_ipp")
    assert (job["path"], job["user"], job["created"]) == ("Assignament 1", "moxilo", "2013-11-03T18:07:21Z")
    assert job["detail"] == "on RHULBW, from LibreOffice, application/pdf"


def test_what_starts(read: Any) -> None:
    helper = "/Applications/iTunes.app/Contents/MacOS/iTunesHelper.app"
    assert [(item["command"], item["how"]) for item in read(MAC + "backgrounditems.btm")] == [(helper, "login item")]
    assert [(item["name"], item["command"]) for item in read(MAC + "com.apple.loginitems.plist")] == [("iTunesHelper", helper)]
    (job,) = read(MAC + "launchd.plist")
    assert (job["name"], job["command"], job["user"]) == ("com.foobar.test", "/Test", "nobody") and "when loaded" in job["start"]
    for name in ("launchd.minimal.plist", "launchd.noprogram.plist"):
        assert [(item["name"], item["command"]) for item in read(MAC + name, startup.parse_launchd)] == [("foo", "/usr/bin/true")]
    assert read(MAC + "StartupParameters.plist")[0]["name"] == "The best service ever"


def test_accounts(read: Any) -> None:
    (user,) = read(MAC + "user.plist")
    assert (user["name"], user["full_name"], user["identifier"], user["home"]) == ("user", "Joaquin Moreno", "501", "/Users/user")
    # 2001-01-01 in the policy means never.
    assert (user["password_changed"], user["last_sign_in"], user["failed_sign_ins"]) == ("2013-12-28T04:35:47Z", None, 0)
    assert [item["identifier"] for item in read(MAC + "nobody.plist", accounts.parse)] == ["-2"]
    (vagrant,) = read("mixed/velociraptor/vagrant.plist")
    assert (vagrant["home"], vagrant["password_changed"]) == ("/Users/vagrant", "2017-11-25T00:36:29.728412Z")
    (apple,) = read(APPLE_ID)
    assert (apple["account"], apple["time"], apple["last"]) == ("email@domain.com", "2013-06-24T20:46:42Z", "2013-12-25T14:00:32Z")
    assert "SALTED" not in json.dumps(user)


def test_damaged_account_is_refused(evidence: Any, specimens: Path) -> None:
    data = (specimens / MAC / "truncated.plist").read_bytes()
    with pytest.raises(Unrecognised):
        evidence({"/x": data}).parse(accounts.parse, "/x")


def test_system(read: Any) -> None:
    looked, update = read(MAC + "com.apple.SoftwareUpdate.plist")
    assert (looked["value"], looked["time"]) == ("on 10.9.1 (13B42)", "2014-01-06T17:43:48Z")
    assert update["value"] == "Digital Camera RAW Compatibility Update 5.03"
    assert [item["time"] for item in read(MAC + "VolumeConfiguration.plist")] == ["2013-06-25T05:54:43Z", "2013-05-27T12:27:36Z"]
    assert read(MAC + "org.cups.printers.plist") == []


def test_dock(read: Any) -> None:
    programs = read("mixed/velociraptor/com.apple.dock.plist")
    assert [item["name"] for item in programs if item["how"] == "Dock"] == [
        "Launchpad", "Chrome Remote Desktop", "Skitch", "Calculator", "Google Chrome", "Slack", "System Preferences", "iTerm",
    ]  # fmt: skip
    assert programs[0]["identifier"] == "com.apple.launchpad.launcher"
    assert programs[0]["path"] == "/System/Applications/Launchpad.app"


def test_fsevents_against_another_reader(specimens: Path) -> None:
    import gzip

    answers = json.loads((specimens / "expected/velociraptor.json").read_text())
    counts = {"fs_events_00000000007cff3d": 2, "fs_events_000000002fc5e551": 2730}
    for name, count in counts.items():
        rows = next(entry["rows"] for entry in answers if entry["path"] == f"mixed/velociraptor/{name}")
        found = list(fsevents.events(gzip.decompress((specimens / "mixed/velociraptor" / name).read_bytes())))
        records = {(item[1], item[2]): item for item in found if not isinstance(item, Problem)}
        assert len(found) == count and len(records) == count
        for row in rows:
            record = records[row["EntryPath"], row["EntryId"]]
            assert row["FileId"] in ("", record[4])
            for word, bit in (("FSE_RENAME", fsevents.RENAMED), ("FSE_CREATE_FILE", fsevents.CREATED), ("IsDirectory", fsevents.FOLDER)):
                assert (word in row["EntryFlags"]) == bool(record[3] & bit), row


def test_fsevents_of_a_user(read: Any) -> None:
    facts = read("mixed/velociraptor/fs_events_000000002fc5e551")
    removed = [item for item in facts if item["type"] == "DeletedFile"]
    assert removed[0]["path"] == "/Users/ec2-user/.zsh_history.LOCK" and removed[0]["user"] == "ec2-user"
    assert facts[-1]["value"].startswith("2730 events")


@pytest.mark.parametrize("relative", READERS, ids=lambda path: path.rsplit("/", 1)[-1])
def test_damage(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]], relative: str) -> None:
    for copy in mutations((specimens / relative).read_bytes(), 60):
        try:
            observations, _ = evidence({"/Users/jo/x": copy}).parse(READERS[relative], "/Users/jo/x")
        except (Unrecognised, Encrypted):
            continue
        json.dumps([item.to_json() for item in observations])
