"""Tabs of Chromium: pages with their times, files that are encrypted, cut short or of another kind."""

from __future__ import annotations

import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers.chromium_sessions import parse
from artefacts.coverage import Encrypted, Unrecognised

FOLDER = "/home/jo/.config/google-chrome/Default/Sessions"
TIME = 13_424_788_800_000_000


def text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(4, "little") + raw.ljust((len(raw) + 3) // 4 * 4, b"\0")


def page(url: str, title: str) -> bytes:
    wide = title.encode("utf-16-le")
    body = bytes(8) + text(url) + len(title).to_bytes(4, "little") + wide.ljust((len(wide) + 3) // 4 * 4, b"\0")
    body += text("state: not to be read") + bytes(8) + text("") + bytes(4) + text(url) + bytes(4) + TIME.to_bytes(8, "little")
    return len(body).to_bytes(4, "little") + body


def session(*commands: tuple[int, bytes], version: int = 3) -> bytes:
    body = b"".join((len(data) + 1).to_bytes(2, "little") + bytes([number]) + data for number, data in commands)
    return b"SNSS" + version.to_bytes(4, "little") + body


def test_pages(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    commands = [
        (6, page("https://a.example/", "Sheds")),
        (255, b""),
        (6, page("https://a.example/", "Sheds")),
        (1, page("https://b.example/x", "")),
    ]
    for name, url, title, what in (
        ("Session_13424788800000000", "https://a.example/", "Sheds", "tab that was open"),
        ("Tabs_13424788800000000", "https://b.example/x", None, "tab that was closed"),
    ):
        path = f"{FOLDER}/{name}"
        [visit], problems = evidence({path: session(*commands)}).parse(parse, path)
        assert problems == []
        assert (visit.url, visit.title, visit.source, visit.to_json()["time"]) == (url, title, what, "2026-06-01T12:00:00Z")
        assert (visit.browser, visit.profile, visit.user) == ("Chrome", "Default", "jo") and "state" not in repr(visit)
    path = f"{FOLDER}/Session_1"
    for damaged in mutations(session(*commands), 200):
        try:
            evidence({path: damaged}).parse(parse, path)
        except (Unrecognised, Encrypted):
            pass


def test_damage_is_said_and_what_is_sound_is_kept(evidence: Any) -> None:
    path = f"{FOLDER}/Session_1"
    data = session((6, page("https://a.example/", "")), (6, page("https://b.example/", "")[:30]), (6, page("https://c.example/", "")))
    found, problems = evidence({path: data}).parse(parse, path)
    assert [item.url for item in found] == ["https://a.example/", "https://c.example/"] and len(problems) == 1
    found, problems = evidence({path: data[:-9]}).parse(parse, path)
    assert [item.url for item in found] == ["https://a.example/"] and "cut short" in problems[-1].reason


def test_other_files(evidence: Any) -> None:
    path = f"{FOLDER}/Session_1"
    for data, error in (
        (b"hello", Unrecognised),
        (session(version=9), Unrecognised),
        (session(version=2), Encrypted),
        (session(version=5), Encrypted),
    ):
        with pytest.raises(error):
            evidence({path: data}).parse(parse, path)
    assert evidence({path: b""}).parse(parse, path) == ([], [])


@pytest.mark.specimens
def test_specimen(evidence: Any, specimens: Path, tmp_path: Path) -> None:
    packed = specimens / "browser/dfirlabs-chrome/specimens/google-chrome-64.0.3282.140.tar.xz"
    with lzma.open(packed) as stream, tarfile.open(fileobj=stream) as archive:
        archive.extractall(tmp_path, filter="data")
    [profile] = [path.parent for path in tmp_path.rglob("History")]
    for name in ("Current Session", "Current Tabs"):
        path = f"/home/jo/.config/google-chrome/Default/{name}"
        [visit], problems = evidence({path: (profile / name).read_bytes()}).parse(parse, path)
        assert problems == []
        assert visit.url == "https://raw.githubusercontent.com/dfirlabs/chrome-specimens/master/generate-specimens.sh"
        assert visit.to_json()["time"] == "2018-08-04T11:32:02.481541Z"
