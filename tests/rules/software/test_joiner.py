"""Traces found in every kind of observation, and look-alikes that are none."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rules import software
from rules.software import Joiner


@pytest.fixture(scope="module")
def joiner() -> Joiner:
    return Joiner(software.shipped())


def found(joiner: Joiner, kind: str, **fields: Any) -> set[tuple[str, str]]:
    observation = {"id": "0", "type": kind, "provenance": {"path": fields.pop("where", ""), "source": "s1"}, **fields}
    return {(hit.program.id, hit.seen) for hit in joiner.match(observation)}


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("InstalledProgram", {"name": "BleachBit 4.6.0", "how": "uninstall entry"}, ("bleachbit", "installed")),
        ("InstalledProgram", {"name": "VeraCrypt", "how": "uninstall entry"}, ("veracrypt", "installed")),
        (
            "InstalledProgram",
            {"name": "secure-delete", "identifier": "secure-delete:amd64", "how": "dpkg status"},
            ("secure_delete", "installed"),
        ),
        ("InstalledProgram", {"name": "wipe", "how": "dpkg log: purge", "enabled": False}, ("wipe", "uninstalled")),
        (
            "InstalledProgram",
            {"name": "Click&Clean", "identifier": "ghgabhipcejejjmhhchfonmamedcbeod", "how": "extension of Google Chrome"},
            ("click_and_clean", "browser extension"),
        ),
        ("ProgramRun", {"program": "SDELETE64.EXE", "path": r"\VOLUME{0}\TOOLS\SDELETE64.EXE", "how": "Prefetch"}, ("sdelete", "run")),
        ("ProgramRun", {"program": "shred", "how": "bash history"}, ("shred", "run")),
        ("ProgramRun", {"program": "sudo srm -r private", "how": "bash history"}, ("secure_delete", "run")),
        ("ProgramRun", {"program": "cipher.exe", "path": r"C:\Windows\System32\cipher.exe", "how": "BAM"}, ("cipher", "run")),
        ("StartupItem", {"name": "TeamViewer", "how": "service"}, ("teamviewer", "starts by itself")),
        (
            "StartupItem",
            {"name": "x", "command": '"C:\\Program Files\\qBittorrent\\qbittorrent.exe" --min', "how": "Run key"},
            ("qbittorrent", "starts by itself"),
        ),
        ("FileSeen", {"path": r"E:\Tor Browser\Browser\firefox.exe", "how": "ShimCache"}, ("tor_browser", "remembered")),
        (
            "FileSeen",
            {"path": r"C:\x.txt", "where": "/Users/a/Recent/AutomaticDestinations/550abc1cb58eb92c.automaticDestinations-ms"},
            ("veracrypt", "run"),
        ),
        ("DeletedFile", {"path": r"C:\Users\a\Downloads\BleachBit-4.4.2-setup.exe", "how": "recycle bin"}, ("bleachbit", "deleted")),
        ("DeletedFile", {"path": "CCLEANER64.EXE-0A1B2C3D.pf", "how": "change journal"}, ("ccleaner", "run")),
        ("Download", {"url": "https://dist.torproject.org/x/torbrowser-install-win64-12.exe", "path": None}, ("tor_browser", "downloaded")),
        ("SearchQuery", {"terms": "how to use veracrypt hidden volume"}, ("veracrypt", "searched for")),
        ("PageVisit", {"url": "https://www.bleachbit.org/download"}, ("bleachbit", "site visited")),
        ("PageVisit", {"url": "https://web.whatsapp.com/"}, ("whatsapp", "used in a browser")),
        ("AccountUse", {"service": "https://mega.nz/login", "account": "a"}, ("mega", "account")),
        ("RegistryRemnant", {"key": r"?\Software\Piriform\CCleaner\x"}, ("ccleaner", "settings left")),
        ("SharedFile", {"name": "a", "program": "eMule"}, ("emule", "files shared")),
    ],
)
def test_found(joiner: Joiner, kind: str, fields: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in found(joiner, kind, **dict(fields))


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("InstalledProgram", {"name": "TortoiseGit 2.15", "how": "uninstall entry"}),
        ("InstalledProgram", {"name": "Eraser Photo Studio", "how": "uninstall entry"}),
        ("InstalledProgram", {"name": "Deep Shredder 13 UCI (chess)", "how": "uninstall entry"}),
        ("InstalledProgram", {"name": "Ares Commander 2024", "how": "uninstall entry"}),
        ("InstalledProgram", {"name": "Session Manager Plugin", "how": "uninstall entry"}),
        ("InstalledProgram", {"name": "wipe", "how": "uninstall entry"}),
        ("InstalledProgram", {"name": "qemu-block-extra", "how": "dpkg status"}),
        ("ProgramRun", {"program": "SETUP.EXE", "path": r"C:\Downloads\SETUP.EXE", "how": "Prefetch"}),
        ("ProgramRun", {"program": "firefox.exe", "path": r"C:\Program Files\Mozilla Firefox\firefox.exe", "how": "UserAssist"}),
        ("FileSeen", {"path": r"C:\Users\tor\tor\notes.txt", "how": "LNK"}),
        ("FileSeen", {"path": "/home/a/shred", "how": "recent documents"}),
        ("SearchQuery", {"terms": "eraser for pencils signal jammer tor mountain"}),
        ("PageVisit", {"url": "https://example.org/?u=https://bleachbit.org/"}),
        ("PageVisit", {"url": "https://notbleachbit.org/"}),
        ("PageVisit", {"url": "https://github.com/other/thing"}),
        ("AccountUse", {"service": "example.org"}),
    ],
)
def test_look_alikes_are_none(joiner: Joiner, kind: str, fields: dict[str, Any]) -> None:
    assert found(joiner, kind, **dict(fields)) == set()


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/Program Files/VeraCrypt", True, {("veracrypt", "present")}),
        ("/Windows/Prefetch/SDELETE.EXE-1234ABCD.pf", False, {("sdelete", "run")}),
        ("/Windows/Prefetch/VERACRYPT FORMAT.EXE-1234ABCD.pf", False, {("veracrypt", "run")}),
        ("/usr/bin/srm", False, {("secure_delete", "present")}),
        ("/home/a/srm", False, set()),
        ("/home/a/.config/bleachbit", True, {("bleachbit", "present")}),
        ("/Users/a/Downloads/tails-amd64-6.1.img", False, {("tails", "downloaded")}),
        ("/home/a/tails-amd64-notes.txt", False, set()),
        ("/usr/share/doc/tor/readme", False, set()),
        ("", False, set()),
        ("/root/.m2/repository/com/pinterest", True, set()),
        ("/data/data/org.torproject.android", True, {("orbot", "present")}),
    ],
)
def test_files(joiner: Joiner, path: str, folder: bool, expected: set[tuple[str, str]]) -> None:
    assert {(hit.program.id, hit.seen) for hit in joiner.match_file(path, folder=folder)} == expected


def test_every_program_is_found_by_each_of_its_traces() -> None:
    """What stands in the catalogue can be met: one observation made for each trace."""
    joiner = Joiner(software.shipped())
    made: dict[str, Any] = {
        "installed": lambda v: ("InstalledProgram", {"name": v.removesuffix("*"), "how": "uninstall entry"}),
        "exe": lambda v: ("ProgramRun", {"program": v, "path": f"/usr/bin/{v}", "how": "x"}),
        "path": lambda v: ("FileSeen", {"path": f"C:\\Users\\a\\{v}\\inner.txt".replace("/", "\\"), "how": "LNK"}),
        "registry": lambda v: ("RegistryRemnant", {"key": "?\\" + v.replace("/", "\\")}),
        "package": lambda v: ("InstalledProgram", {"name": v, "how": "package list"}),
        "bundle": lambda v: ("InstalledProgram", {"name": "x", "identifier": v, "how": "application bundle"}),
        "extension": lambda v: ("InstalledProgram", {"name": "x", "identifier": v, "how": "extension of Firefox"}),
        "service": lambda v: ("StartupItem", {"name": v, "how": "service"}),
        "driver": lambda v: ("StartupItem", {"name": v, "how": "driver"}),
        "download": lambda v: ("DeletedFile", {"path": f"C:\\Downloads\\{v.removesuffix('*').removesuffix('.zip')}1.zip"}),
        "appid": lambda v: ("FileSeen", {"path": "x", "where": f"/a/{v}.automaticDestinations-ms"}),
        "yara": lambda v: ("YaraMatch", {"path": "x", "rule": v}),
        "site": lambda v: ("PageVisit", {"url": f"https://{v}"}),
        "web": lambda v: ("PageVisit", {"url": f"https://{v}/"}),
        "search": lambda v: ("SearchQuery", {"terms": f"free {v} uk"}),
    }
    for program in software.shipped():
        for trace in program.traces:
            if trace.kind == "download" and "." in trace.value:
                continue
            kind, fields = made[trace.kind](trace.value)
            where = fields.pop("where", "")
            hits = joiner.match({"id": "0", "type": kind, "provenance": {"path": where, "source": "s1"}, **fields})
            assert any(hit.program is program and hit.trace == trace for hit in hits), (program.id, trace)


def test_hostile_text_raises_nothing(joiner: Joiner) -> None:
    rng = random.Random(8)
    alphabet = "\\/\x00\u202e.%:?#@*\ud800 aBtor.exe-"
    for _ in range(3000):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(60)))
        joiner.match_file("/" + text, folder=rng.random() < 0.5)
        for kind in joiner.types:
            value: Any = text if rng.random() < 0.9 else rng.choice([None, 7, True, [text], {}])
            names = ("name", "identifier", "how", "path", "program", "command", "url", "terms", "service", "rule", "key")
            joiner.match({"id": "0", "type": kind, "provenance": {"path": text}, **dict.fromkeys(names, value)})


def test_a_torrent_file_alone_is_no_use_of_a_program() -> None:
    joiner = Joiner(software.shipped())
    listed = {"type": "SharedFile", "name": "x.bin", "program": "BitTorrent", "state": "listed", "shared": None}
    assert list(joiner.match(listed)) == []
    assert {hit.program.id for hit in joiner.match({**listed, "state": "complete"})} == {"bittorrent"}
