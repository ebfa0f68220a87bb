"""Sites and devices that a Chromium profile notes outside its history."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import chromium_extension_activity, chromium_network, chromium_sites, chromium_storage, chromium_sync
from artefacts.coverage import Encrypted, Unrecognised

PROFILE = "/home/jo/.config/google-chrome/Default"
DAY = 13_424_788_800_000_000  # 2026-06-01T12:00:00Z
PARSERS = chromium_sites.PARSERS


def database(path: Path, *statements: str) -> bytes:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()


CASES = [
    (
        "media_history", "Media History",
        ("CREATE TABLE playbackSession(id INTEGER PRIMARY KEY, url TEXT, title TEXT, last_updated_time_s INTEGER)",
         f"INSERT INTO playbackSession VALUES(1,'https://a.example/film','A film',{DAY // 10**6})"),
        [("https://a.example/film", "media played", "A film", "2026-06-01T12:00:00Z", None)],
    ),
    (
        "clicked_sites", "DIPS",
        ("CREATE TABLE bounces(site TEXT PRIMARY KEY NOT NULL, first_user_activation_time INTEGER, last_user_activation_time INTEGER, "
         "first_bounce_time INTEGER, last_bounce_time INTEGER)",
         f"INSERT INTO bounces VALUES('a.example',{DAY - 10**6},{DAY},NULL,NULL),('b.example',NULL,NULL,{DAY},{DAY + 10**6})"),
        [("a.example", "clicked or typed on the site", None, "2026-06-01T12:00:00Z", None),
         ("b.example", "site that passed the visitor on", None, "2026-06-01T12:00:01Z", None)],
    ),
    (
        "clicked_sites", "DIPS",
        ("CREATE TABLE bounces(site TEXT PRIMARY KEY NOT NULL, first_site_storage_time INTEGER, last_site_storage_time INTEGER, "
         "first_user_interaction_time INTEGER, last_user_interaction_time INTEGER)",
         f"INSERT INTO bounces VALUES('a.example',{DAY},{DAY},{DAY},NULL)"),
        [("a.example", "clicked or typed on the site", None, "2026-06-01T12:00:00Z", None),
         ("a.example", "site that stored something", None, "2026-06-01T12:00:00Z", None)],
    ),
    (
        "storage_use", "WebStorage/QuotaManager",
        ("CREATE TABLE buckets(id INTEGER PRIMARY KEY, storage_key TEXT, host TEXT, use_count INTEGER, last_accessed INTEGER, last_modified INTEGER)",
         f"INSERT INTO buckets VALUES(1,'http://www.a.example/','www.a.example',3,{DAY},{DAY})"),
        [("http://www.a.example", "storage of the site (time of the last use)", None, "2026-06-01T12:00:00Z", 3)],
    ),
    (
        "reporting", "Reporting and NEL",
        ("CREATE TABLE nel_policies(origin_scheme TEXT, origin_host TEXT, origin_port INTEGER, last_access_us_since_epoch INTEGER)",
         f"INSERT INTO nel_policies VALUES('https','a.example',443,{DAY}),('http','b.example',8080,{DAY})"),
        [("https://a.example", "asked for reports of errors", None, "2026-06-01T12:00:00Z", None),
         ("http://b.example:8080", "asked for reports of errors", None, "2026-06-01T12:00:00Z", None)],
    ),
    (
        "trust_tokens", "Trust Tokens",
        ("CREATE TABLE trust_tokens_issuer_config(key TEXT PRIMARY KEY, proto BLOB)", "INSERT INTO trust_tokens_issuer_config VALUES('https://a.example',x'00')"),
        [("https://a.example", "site that vouches for visitors", None, None, None)],
    ),
    (
        "heavy_ads", "heavy_ad_intervention_opt_out.db",
        ("CREATE TABLE previews_v1(host_name VARCHAR NOT NULL, time INTEGER NOT NULL)", f"INSERT INTO previews_v1 VALUES('a.example',{DAY})"),
        [("a.example", "a part of the page was held back", None, "2026-06-01T12:00:00Z", None)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "statements", "expected"), CASES)
def test_sites(
    evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]], name: str, file: str, statements: Any, expected: Any
) -> None:
    data, place = database(tmp_path / "made", *statements), f"{PROFILE}/{file}"
    found, problems = evidence({place: data}).parse(PARSERS[name], place)
    assert problems == []
    assert [(item.url, item.what, item.title, item.to_json()["time"], item.count) for item in found] == expected
    for damaged in mutations(data, 40):
        try:
            evidence({place: damaged}).parse(PARSERS[name], place)
        except (Unrecognised, Encrypted):
            pass


@pytest.mark.specimens
def test_activity_of_extensions(evidence: Any, specimens: Path) -> None:
    place = f"{PROFILE}/Extension Activity"
    data = (specimens / "browser/plaso-chrome/Extension Activity").read_bytes()
    found, problems = evidence({place: data}).parse(chromium_extension_activity.parse, place)
    assert problems == [] and len(found) == 56
    first = found[0]
    assert (first.program, first.count, first.time_meaning) == (
        "knipolnnllmklapflnccelgolnpehhpl",
        5,
        "last time the extension called alarms.create",
    )
    assert first.to_json()["time"] == "2014-11-25T21:12:03.189013Z"
    assert Counter(item.how for item in found) == {"activity of an extension of Chrome": 56}


def test_servers(evidence: Any) -> None:
    place = f"{PROFILE}/Network Persistent State"
    servers: Any
    for servers in (
        [{"server": "https://a.example"}, {"server": "https://b.example:8443"}],
        [{"https://a.example": {}}, {"b.example:8443": {}}],
    ):
        data = json.dumps({"net": {"http_server_properties": {"servers": servers, "version": 5}}}).encode()
        found, problems = evidence({place: data}).parse(chromium_network.parse_servers, place)
        assert problems == [] and [item.url for item in found] == ["https://a.example", "https://b.example:8443"]
    _, [problem] = evidence({place: data[:40]}).parse(chromium_network.parse_servers, place)
    assert "damaged" in problem.reason


def test_dates_of_secure_sites(evidence: Any) -> None:
    place = f"{PROFILE}/TransportSecurity"
    for tree in (
        {"sts": [{"sts_observed": 1780315200.5}, {"sts_observed": 1780315300}], "version": 2},
        {"a=": {"sts_observed": 1780315200.5}, "b=": {"sts_observed": 1780315300}},
    ):
        found, problems = evidence({place: json.dumps(tree).encode()}).parse(chromium_network.parse_security, place)
        assert problems == []
        assert [item.to_json()["time"] for item in found] == ["2026-06-01T12:00:00.500Z", "2026-06-01T12:01:40Z"]


def log(*changes: tuple[bytes, bytes | None]) -> bytes:
    body = (1).to_bytes(8, "little") + len(changes).to_bytes(4, "little")
    for key, value in changes:
        body += (b"\0" if value is None else b"\1") + bytes([len(key)]) + key
        body += b"" if value is None else bytes([len(value)]) + value
    return bytes(4) + len(body).to_bytes(2, "little") + b"\1" + body


def test_devices_that_share_the_account(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    def device(name: bytes, kind: int) -> bytes:
        updated = b""
        value = 1_780_315_200_000
        while value > 127:
            updated, value = updated + bytes([value & 127 | 128]), value >> 7
        return b"\x0a\x04guid" + b"\x12" + bytes([len(name)]) + name + b"\x18" + bytes([kind]) + b"\x40" + updated + bytes([value])

    place = f"{PROFILE}/Sync Data/LevelDB/000003.log"
    data = log(
        (b"device_info-dt-aaaa", device(b"JO-LAPTOP", 1)), (b"device_info-dt-bbbb", device(b"Phone of Jo", 6)), (b"device_info-dt-bbbb", None), (b"other-dt-c", b"x")
    )  # fmt: skip
    found, problems = evidence({place: data}).parse(chromium_sync.parse, place)
    assert problems == []
    assert [(item.name, item.kind, item.identifier, item.to_json()["last"], item.recovered) for item in found] == [
        ("JO-LAPTOP", "computer (Windows)", "aaaa", "2026-06-01T12:00:00Z", False),
        ("Phone of Jo", "phone", "bbbb", "2026-06-01T12:00:00Z", True),
    ]
    for damaged in mutations(data, 60):
        try:
            evidence({place: damaged}).parse(chromium_sync.parse, place)
        except Unrecognised:
            pass


def test_storage_of_tabs(evidence: Any) -> None:
    place = f"{PROFILE}/Session Storage/000003.log"
    name = b"namespace-96c10a28_9e38_4ccb_8bcf_675151d860c2-"
    data = log((b"version", b"1"), (name + b"http://www.a.example/", b"0"), (b"map-0-b", b"y\0"), (name + b"http://www.b.example/", None))
    found, problems = evidence({place: data}).parse(chromium_storage.parse_session_storage, place)
    assert problems == []
    assert [(item.url, item.what) for item in found] == [
        ("http://www.a.example", "data kept by the site for a tab"),
        ("http://www.b.example", "data kept by the site for a tab was removed"),
    ]
