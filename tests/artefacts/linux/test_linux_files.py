"""Linux artefacts from files written here, and against the programs that write or read the same files on this machine."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Problem, Unrecognised
from artefacts.linux import desktop, docker, journal, networks, packages, shell_history, sign_in_records, syslog, system
from artefacts.registry import Parser


@pytest.fixture
def read(evidence: Any) -> Callable[..., list[Any]]:
    """``read(parser, content, path)``: observations as JSON values; a problem fails the test."""

    def of(parse: Parser, content: bytes | str, path: str = "/home/jo/x") -> list[Any]:
        observations, problems = evidence({path: content if isinstance(content, bytes) else content.encode()}).parse(parse, path)
        assert problems == []
        return [item.to_json() for item in observations]

    return of


SYSLOG = """\
Mar  4 05:06:07 host kernel: [    0.000000] Linux version 6.1.0
Mar  4 05:07:00 host kernel: [   60.0] usb 1-2: New USB device found, idVendor=0781, idProduct=5567, bcdDevice= 1.00
Mar  4 05:07:00 host kernel: [   60.1] usb 1-2: Product: Cruzer
Mar  4 05:07:00 host kernel: [   60.2] usb 1-2: Manufacturer: ACME
Mar  4 05:07:00 host kernel: [   60.3] usb 1-2: SerialNumber: 4C53
Mar  4 05:07:00 host kernel: [   60.4] usb-storage 1-2:1.0: USB Mass Storage device detected
Mar  4 05:08:00 host kernel: [  120.0] usb 1-2: USB disconnect, device number 4
Mar  4 05:09:00 host kernel: [  180.0] usb 1-2: New USB device found, idVendor=0781, idProduct=5567, bcdDevice= 1.00
Mar  4 05:09:00 host kernel: [  180.1] usb 1-2: Product: Cruzer
Mar  4 05:09:00 host kernel: [  180.2] usb 1-2: Manufacturer: ACME
Mar  4 05:09:00 host kernel: [  180.3] usb 1-2: SerialNumber: 4C53
Mar  4 05:09:00 host kernel: [  180.4] usb-storage 1-2:1.0: USB Mass Storage device detected
Mar  4 05:09:01 host udisksd[700]: Mounted /dev/sdb1 at /media/jo/STICK on behalf of uid 1000
Mar  4 05:10:00 host sshd[9]: Accepted publickey for jo from 192.0.2.7 port 5000 ssh2
Mar  4 05:10:01 host sudo[10]:       jo : TTY=pts/0 ; PWD=/home/jo ; USER=root ; COMMAND=/usr/bin/shred -u secret
Mar  4 05:11:00 host NetworkManager[5]: <info>  [1.2] device (wlan0): Activation: starting connection 'Cafe Wi-Fi' (uuid)
Mar  4 05:12:00 host wpa_supplicant[6]: wlan0: Trying to associate with 00:11:22:33:44:55 (SSID='Home' freq=2412 MHz)
Mar  4 05:13:00 host systemd[1]: Time has been changed
Mar  4 05:14:00 host useradd[77]: new user: name=guest, UID=1001, GID=1001, home=/home/guest, shell=/bin/sh
"""


def test_facts_in_a_system_log(read: Any) -> None:
    for content in (SYSLOG.encode(), gzip.compress(SYSLOG.encode())):
        facts = read(syslog.parse, content, "/var/log/syslog.2.gz")
        by_type: dict[str, list[Any]] = {}
        for fact in facts:
            by_type.setdefault(fact["type"], []).append(fact)
        stick, volume = by_type["AttachedDevice"]
        assert (volume["name"], volume["user"]) == ("STICK", "uid 1000")
        assert (stick["kind"], stick["maker"], stick["model"], stick["serial"], stick["count"]) == (
            "USB storage",
            "ACME",
            "Cruzer",
            "4C53",
            2,
        )
        assert (stick["first_local"], stick["last_local"], stick["removed_local"]) == (
            "--03-04T05:07:00",
            "--03-04T05:09:00",
            "--03-04T05:08:00",
        )
        assert [(item["account"], item["how"].split(": ")[1]) for item in by_type["AccountUse"]] == [
            ("jo", "signed in from 192.0.2.7 (publickey)")
        ]
        assert [(item["path"], item["user"]) for item in by_type["ProgramRun"]] == [("/usr/bin/shred", "jo")]
        assert [(item["name"], item["kind"]) for item in by_type["KnownNetwork"]] == [("Cafe Wi-Fi", None), ("Home", "wireless")]
        assert len(by_type["ClockChange"]) == 1
        assert [item["value"] for item in by_type["SystemFact"]][:2] == ["started", "guest"]
        assert "secret" not in json.dumps(facts)


def test_a_cut_archive_keeps_what_was_sound(evidence: Any) -> None:
    observations, problems = evidence({"/l": gzip.compress(SYSLOG.encode() * 500)[:-12]}).parse(syslog.parse, "/l")
    assert observations and "the compressed log is damaged" in problems[-1].reason
    observations, problems = evidence({"/l": gzip.compress(SYSLOG.encode())[:12]}).parse(syslog.parse, "/l")
    assert observations == [] and len(problems) == 1
    with pytest.raises(Unrecognised):
        evidence({"/l": b"nothing of the kind\n" * 5}).parse(syslog.parse, "/l")


def test_shell_history(read: Any, evidence: Any, mutations: Any) -> None:
    lines = "#1709528767\nsudo shred -u /home/jo/a.txt && ls\nwget 'https://jo:pw@example.org/x.iso?token=1'\nFOO=1 gpg -c private.txt\nhistory -c\nls -la\n"
    facts = read(shell_history.parse, lines, "/home/jo/.bash_history")
    named, download, cleared, *runs, count = facts
    assert (named["path"], named["used"], named["how"]) == ("/home/jo/a.txt", "2024-03-04T05:06:07Z", "named to shred (bash history)")
    assert (download["url"], download["browser"]) == ("https://example.org/x.iso", "wget")
    assert (cleared["log"], cleared["user"]) == ("bash history", "jo") and count["value"] == "5 commands of jo"
    assert [(run["program"], run["count"], run["time"]) for run in runs] == [
        ("gpg", 1, None),
        ("shred", 1, "2024-03-04T05:06:07Z"),
        ("wget", 1, None),
    ]
    assert "private.txt" not in json.dumps(facts) and "token" not in json.dumps(facts) and "pw" not in json.dumps(facts)
    zsh = read(shell_history.parse, ": 1709528767:0;torsocks curl https://example.org/a\n", "/home/jo/.zsh_history")
    assert [item["program"] for item in zsh if item["type"] == "ProgramRun"] == ["torsocks"]
    fish = read(shell_history.parse, "- cmd: veracrypt -t\n  when: 1709528767\n- cmd: ls\n", "/home/jo/.local/share/fish/fish_history")
    assert (fish[0]["program"], fish[0]["time"], fish[1]["value"]) == ("veracrypt", "2024-03-04T05:06:07Z", "2 commands of jo")
    for copy in mutations(lines.encode(), 60):
        evidence({"/home/jo/.bash_history": copy}).parse(shell_history.parse, "/home/jo/.bash_history")


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_history_that_bash_wrote(evidence: Any, tmp_path: Path) -> None:
    script = "HISTFILE=h\nHISTTIMEFORMAT='%F '\nset -o history\nshred --version\ntrue\nhistory -w\n"
    subprocess.run(["bash", "--norc", "-i"], input=script, cwd=tmp_path, capture_output=True, text=True, timeout=60, start_new_session=True)
    observations, problems = evidence({"/home/jo/.bash_history": (tmp_path / "h").read_bytes()}).parse(
        shell_history.parse, "/home/jo/.bash_history"
    )
    (run,) = [item.to_json() for item in observations if type(item).__name__ == "ProgramRun"]
    assert problems == [] and run["program"] == "shred" and run["time"] is not None


@pytest.mark.parametrize(
    "command",
    [
        "history -c",
        "unset HISTFILE",
        "HISTSIZE=0",
        "export HISTFILE=/dev/null",
        "set +o history",
        "rm -f ~/.bash_history",
        "ln -sf /dev/null ~/.zsh_history",
        "> ~/.bash_history",
    ],
)
def test_ways_to_leave_no_history(read: Any, command: str) -> None:
    assert read(shell_history.parse, f"{command}\n", "/home/jo/.bash_history")[0]["type"] == "LogCleared"


@pytest.mark.parametrize("command", ["history", "history 20", "HISTSIZE=1000", "cat ~/.bash_history", "HISTFILE=~/.h", "rm notes.txt"])
def test_ordinary_commands_clear_nothing(read: Any, command: str) -> None:
    assert all(item["type"] != "LogCleared" for item in read(shell_history.parse, f"{command}\n", "/home/jo/.bash_history"))


def png(texts: dict[str, str]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    body = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body += b"".join(chunk(b"tEXt", key.encode() + b"\0" + value.encode()) for key, value in texts.items())
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def test_thumbnails(read: Any, evidence: Any, mutations: Any) -> None:
    address = "file:///home/jo/Pictures/gone%20one.jpg"
    name = hashlib.md5(address.encode()).hexdigest()
    data = png({"Thumb::URI": address, "Thumb::MTime": "1709528767", "Thumb::Size": "4711"})
    (seen,) = read(desktop.parse_thumbnail, data, f"/home/jo/.cache/thumbnails/large/{name}.png")
    assert (seen["path"], seen["time"], seen["size"], seen["how"]) == (
        "/home/jo/Pictures/gone one.jpg",
        "2024-03-04T05:06:07Z",
        4711,
        "thumbnail",
    )
    assert read(desktop.parse_thumbnail, data, "/home/jo/x.png")[0]["how"] == "thumbnail, under a name that does not fit"
    _, problems = evidence({"/x.png": png({})}).parse(desktop.parse_thumbnail, "/x.png")
    assert len(problems) == 1
    for copy in mutations(data, 60):
        try:
            evidence({"/x.png": copy}).parse(desktop.parse_thumbnail, "/x.png")
        except Unrecognised:
            pass


def test_recent_documents(read: Any, evidence: Any, mutations: Any) -> None:
    data = b"""<?xml version="1.0"?><xbel version="1.0" xmlns:bookmark="b"><bookmark href="file:///home/jo/a%20b.odt" added="2024-03-04T05:06:07Z"
     modified="2024-03-04T05:06:07Z" visited="2024-03-05T05:06:07.123456Z"><info><metadata><bookmark:applications>
     <bookmark:application name="Writer" count="3"/></bookmark:applications></metadata></info></bookmark></xbel>"""
    (seen,) = read(desktop.parse_recently_used, data)
    assert (seen["path"], seen["used"], seen["count"], seen["detail"]) == (
        "/home/jo/a b.odt",
        "2024-03-05T05:06:07.123456Z",
        3,
        "Writer (3 times)",
    )
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><xbel>&a;</xbel>'
    for other in (bomb, b"", b"text"):
        with pytest.raises(Unrecognised):
            evidence({"/x": other}).parse(desktop.parse_recently_used, "/x")
    observations, problems = evidence({"/x": data[:-10]}).parse(desktop.parse_recently_used, "/x")
    assert len(observations) == len(problems) == 1


def test_trash_records(read: Any) -> None:
    record = "[Trash Info]\nPath=/home/jo/a%20b.txt\nDeletionDate=2024-03-04T05:06:07\n"
    (home,) = read(desktop.parse_trash_info, record, "/home/jo/.local/share/Trash/info/a.trashinfo")
    assert (home["path"], home["deleted"], home["deleted_local"]) == ("/home/jo/a b.txt", None, "2024-03-04T05:06:07")
    (stick,) = read(desktop.parse_trash_info, record.replace("/home/jo/", ""), "/media/STICK/.Trash-1000/info/a.trashinfo")
    assert stick["path"] == "/media/STICK/a b.txt" and stick["how"] == "Trash: a folder, or emptied since"


def test_trash_records_and_files_are_told_together(evidence: Any) -> None:
    base = "/home/jo/.local/share/Trash"
    record = b"[Trash Info]\nPath=/home/jo/a.txt\nDeletionDate=2024-03-04T05:06:07\n"
    files = evidence({f"{base}/info/a.txt.trashinfo": record, f"{base}/files/a.txt": b"hello", f"{base}/files/orphan.txt": b"x"})
    (kept,), _ = files.parse(desktop.parse_trash_info, f"{base}/info/a.txt.trashinfo")
    assert (kept.path, kept.size, kept.content, kept.how) == ("/home/jo/a.txt", 5, "recoverable", "Trash, kept as a.txt")
    assert files.parse(desktop.parse_trash_file, f"{base}/files/a.txt") == ([], [])
    (orphan,), _ = files.parse(desktop.parse_trash_file, f"{base}/files/orphan.txt")
    assert (orphan.path, orphan.how) == (f"{base}/files/orphan.txt", "in the Trash, without its record")


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("gio") is None, reason="gio is not installed")
def test_what_glib_puts_in_the_trash(evidence: Any, tmp_path: Path) -> None:
    target = tmp_path / "to go.txt"
    target.write_text("x")
    data = tmp_path / "data"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(data)}
    if subprocess.run(["gio", "trash", str(target)], env=environment, capture_output=True).returncode:
        pytest.skip("gio cannot use a Trash here")
    (record,) = data.glob("Trash/info/*.trashinfo")
    (found,), problems = evidence({"/i/x.trashinfo": record.read_bytes()}).parse(desktop.parse_trash_info, "/i/x.trashinfo")
    assert problems == [] and found.path == str(target)


def test_packages(read: Any) -> None:
    status = "Package: shredder\nStatus: install ok installed\nVersion: 1.2\nArchitecture: amd64\nDescription: a\n longer\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 3\n\n"
    here, left = read(packages.parse_dpkg_status, status)
    assert (here["name"], here["version"], here["enabled"], left["how"]) == ("shredder", "1.2", True, "dpkg status: removed, settings left")
    log = "2024-03-04 05:06:07 remove tool:amd64 1.2-1 <none>\n2024-03-04 05:06:08 status installed x:amd64 1\n"
    removed, _ = read(packages.parse_dpkg_log, log)
    assert (removed["name"], removed["version"], removed["enabled"]) == ("tool", "1.2-1", False) and "2024-03-04T05:06:07" in removed["how"]
    apt = "\nStart-Date: 2024-03-04  05:06:07\nCommandline: apt purge tool\nRequested-By: jo (1000)\nPurge: tool:amd64 (1.2)\nEnd-Date: 2024-03-04  05:06:09\n"
    purged, runs = read(packages.parse_apt_history, apt)
    assert (purged["name"], purged["user"], purged["how"]) == (
        "tool",
        "jo",
        "apt history: removed with its settings at 2024-03-04T05:06:07 local time",
    )
    assert runs["value"] == "1 runs"
    pacman = "[2024-03-04T06:06:07+0100] [ALPM] installed tor (0.4-1)\n[2020-01-01 10:00] [ALPM] removed tor (0.3-1)\n"
    new, old = read(packages.parse_pacman_log, pacman)
    assert (new["installed"], new["version"], old["enabled"]) == ("2024-03-04T05:06:07Z", "0.4-1", False)
    state = {
        "data": {
            "snaps": {
                "tool": {
                    "active": True,
                    "last-refresh-time": "2024-03-04T05:06:07Z",
                    "sequence": {"revisions": [{"snap": {"name": "tool", "revision": "7"}}]},
                }
            }
        }
    }
    (snap,) = read(packages.parse_snap, json.dumps(state))
    assert (snap["name"], snap["version"], snap["installed"]) == ("tool", "revision 7", "2024-03-04T05:06:07Z")
    assert read(packages.parse_flatpak, "[Desktop Entry]\nName=Tool\nX-Flatpak=org.example.Tool\n")[0]["identifier"] == "org.example.Tool"


def rpm_header(name: str, version: str, installed: int) -> bytes:
    store, index = b"", b""
    for tag, kind, raw in (
        (1000, 6, name.encode() + b"\0"),
        (1001, 6, version.encode() + b"\0"),
        (1002, 6, b"1\0"),
        (1008, 4, struct.pack(">I", installed)),
    ):
        store += bytes(-len(store) % 4) if kind == 4 else b""
        index += struct.pack(">4I", tag, kind, len(store), 1)
        store += raw
    return struct.pack(">II", 4, len(store)) + index + store


def test_rpm(evidence: Any, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.execute("insert into Packages (blob) values (?)", (rpm_header("tool", "2.0", 1_709_528_767),))
    connection.execute("insert into Packages (blob) values (?)", (b"\0\0\0\xff",))
    connection.commit()
    connection.close()
    (package,), problems = evidence({"/x": (tmp_path / "db").read_bytes()}).parse(packages.parse_rpm, "/x")
    assert (package.name, package.version, package.to_json()["installed"]) == ("tool", "2.0-1", "2024-03-04T05:06:07Z")
    assert [item.locator for item in problems] == ["table=Packages rowid=2"]
    (fact,), problems = evidence({"/x": bytes(12) + b"\x61\x15\x06\x00" + bytes(40)}).parse(packages.parse_berkeley, "/x")
    assert "Berkeley" in fact.value and len(problems) == 1


def test_rpm_of_opensuse(evidence: Any, mutations: Any) -> None:
    header = rpm_header("tool", "2.0", 1_709_528_767)
    slots = b"Slot" + struct.pack("<III", 7, 256, 9) + b"Slot" + struct.pack("<III", 8, 9000, 1)
    slots += (b"Slot" + bytes(12)) * ((4096 - 32 - len(slots)) // 16)
    data = b"RpmP" + struct.pack("<IIII", 0, 1, 1, 9) + bytes(12) + slots + b"BlbS" + struct.pack("<III", 7, 1, len(header)) + header
    (package,), problems = evidence({"/x": data}).parse(packages.parse_ndb, "/x")
    assert (package.name, package.version, package.to_json()["installed"]) == ("tool", "2.0-1", "2024-03-04T05:06:07Z")
    assert [item.reason for item in problems] == ["a package is not where the table says"]
    for copy in mutations(data, 100):
        try:
            evidence({"/x": copy}).parse(packages.parse_ndb, "/x")
        except Unrecognised:
            pass


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpm is not installed")
def test_a_database_that_rpm_wrote(evidence: Any, tmp_path: Path) -> None:
    spec = "Name: example-tool\nVersion: 2.5\nRelease: 3\nSummary: x\nLicense: none\nBuildArch: noarch\nVendor: Example Ltd\n%description\nx\n%files\n"
    (tmp_path / "t.spec").write_text(spec)
    subprocess.run(
        ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {tmp_path}/top", str(tmp_path / "t.spec")], check=True, capture_output=True
    )
    (package,) = tmp_path.glob("top/RPMS/noarch/*.rpm")
    base = ["rpm", "--dbpath", str(tmp_path / "db")]
    subprocess.run([*base, "--justdb", "--nodeps", "-i", str(package)], check=True, capture_output=True)
    told = subprocess.run(
        [*base, "-qa", "--qf", "%{NAME}|%{VERSION}-%{RELEASE}|%{VENDOR}|%{INSTALLTIME}"], capture_output=True, text=True
    ).stdout
    files = {f"/var/lib/rpm/{path.name}": path.read_bytes() for path in (tmp_path / "db").iterdir()}
    (found,), problems = evidence(files).parse(packages.parse_rpm, "/var/lib/rpm/rpmdb.sqlite")
    assert problems == [] and f"{found.name}|{found.version}|{found.publisher}|{found.installed.ns // 10**9}" == told


def utmp(kind: int, line: str, user: str, host: str, seconds: int, order: str = "<") -> bytes:
    return struct.pack(f"{order}hxxi32s4s32s256s4xiii16x20x", kind, 1, line.encode(), b"1", user.encode(), host.encode(), 0, seconds, 0)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sign_ins(read: Any, evidence: Any, order: str) -> None:
    data = b"".join(
        (
            utmp(2, "~", "reboot", "6.1", 1_709_528_767, order), utmp(7, "tty1", "jo", "", 1_709_528_800, order), utmp(8, "tty1", "", "", 1_709_528_900, order),
            utmp(4, "{", "date", "", 1_709_529_000, order), utmp(3, "}", "date", "", 1_609_529_000, order), utmp(1, "~", "shutdown", "6.1", 1_709_529_100, order),
        )
    )  # fmt: skip
    start, clock, stop, session, fact = read(sign_in_records.parse, data, "/var/log/wtmp")
    assert (start["value"], start["time"], stop["value"]) == ("started, 6.1", "2024-03-04T05:06:07Z", "shut down")
    assert (clock["before"], clock["after"]) == ("2024-03-04T05:10:00Z", "2021-01-01T19:23:20Z")
    assert (session["account"], session["time"], session["last"]) == ("jo", "2024-03-04T05:06:40Z", "2024-03-04T05:08:20Z")
    assert fact["value"].startswith("6 records")
    failed = read(sign_in_records.parse_failed, utmp(6, "ssh:notty", "Passw0rd", "192.0.2.9", 1_709_528_767, order), "/var/log/btmp")
    assert failed[0]["value"] == "1 at ssh:notty from 192.0.2.9, the last 2024-03-04T05:06:07Z" and "Passw0rd" not in json.dumps(failed)
    last = bytes(292 * 1000) + struct.pack("<i32s256s", 1_709_528_767, b"tty1", b"")
    (use,) = read(sign_in_records.parse_last, last, "/var/log/lastlog")
    assert (use["account"], use["last"]) == ("uid 1000", "2024-03-04T05:06:07Z")
    assert evidence({"/w": b""}).parse(sign_in_records.parse, "/w")[1] == []
    with pytest.raises(Unrecognised):
        read(sign_in_records.parse, b"x" * 4000)


@pytest.mark.tools
@pytest.mark.skipif(shutil.which("last") is None, reason="last is not installed")
def test_last_reads_the_same_sessions(read: Any, tmp_path: Path) -> None:
    data = utmp(7, "tty1", "jo", "", 1_709_528_800) + utmp(8, "tty1", "", "", 1_709_532_400)
    (tmp_path / "wtmp").write_bytes(data)
    out = subprocess.run(
        ["last", "-F", "-f", str(tmp_path / "wtmp")], capture_output=True, text=True, env={**os.environ, "TZ": "UTC"}
    ).stdout
    session = read(sign_in_records.parse, data, "/var/log/wtmp")[0]
    assert "Mon Mar  4 05:06:40 2024 - Mon Mar  4 06:06:40 2024" in out
    assert (session["time"], session["last"]) == ("2024-03-04T05:06:40Z", "2024-03-04T06:06:40Z")


def journal_file(entries: list[tuple[int, int, int, list[bytes]]], head: int = 1) -> bytes:
    """A journal of (number, wall clock, uptime, fields)."""
    body = b""
    places: dict[bytes, int] = {}

    def add(kind: int, content: bytes) -> int:
        nonlocal body
        place = 208 + len(body)
        body += struct.pack("<BB6xQ", kind, 0, 16 + len(content)) + content
        body += bytes(-len(body) % 8)
        return place

    for number, wall, uptime, fields in entries:
        for field in fields:
            places.setdefault(field, 0) or places.__setitem__(field, add(1, bytes(48) + field))
        add(
            3,
            struct.pack("<QQQ16sQ", number, wall, uptime, b"B" * 16, 0)
            + b"".join(struct.pack("<QQ", places[field], 0) for field in fields),
        )
    top = bytearray(208)
    struct.pack_into("<8sIIB", top, 0, b"LPKSHHRH", 0, 0, 1)
    top[72:88] = b"S" * 16
    struct.pack_into("<QQ", top, 88, 208, len(body))
    struct.pack_into("<5Q", top, 160, entries[-1][0], entries[0][0], 0, entries[0][1], entries[-1][1])
    return bytes(top) + body


def fields_of(program: str, message: str) -> list[bytes]:
    return [f"SYSLOG_IDENTIFIER={program}".encode(), f"MESSAGE={message}".encode(), b"_HOSTNAME=host"]


def test_journal(evidence: Any, mutations: Any) -> None:
    second = 1_000_000
    start = 1_709_528_767 * second
    data = journal_file(
        [
            (101, start, second, fields_of("kernel", "usb 1-2: New USB device found, idVendor=0781, idProduct=5567")),
            (102, start + second, 2 * second, fields_of("kernel", "usb 1-2: SerialNumber: 4C53")),
            (103, start + 2 * second, 3 * second, fields_of("systemd-journald", "Vacuuming done, freed 8.0M of archived journals")),
            (104, start - 3600 * second, 4 * second, fields_of("cron", "a message that is not wanted")),
        ]
    )
    old = journal_file([(50, start - 9 * second, 0, fields_of("x", "y")), (90, start - 8 * second, 0, fields_of("x", "y"))])
    files = {"/var/log/journal/m/system.journal": data, "/var/log/journal/m/system@1.journal": old, "/var/log/journal/m/notes.txt": b"x"}
    observations, problems = evidence(files).parse(journal.parse, "/var/log/journal/m/system.journal")
    facts = [item.to_json() for item in observations]
    assert problems == [] and facts[0]["value"].startswith("4 entries from number 101") and facts[1]["value"] == "host"
    assert [(item["first"], item["last"]) for item in facts if item["type"] == "LogGap"] == [(1, 49), (91, 100)]
    (back,) = [item for item in facts if item["type"] == "ClockChange"]
    assert (back["before"], back["after"]) == ("2024-03-04T05:06:09Z", "2024-03-04T04:06:07Z")
    assert [item["value"] for item in facts if item["name" if "name" in item else "type"] == "journal vacuumed"] == [
        "Vacuuming done, freed 8.0M of archived journals"
    ]
    assert [(item["serial"], item["first"]) for item in facts if item["type"] == "AttachedDevice"] == [("4C53", "2024-03-04T05:06:07Z")]
    for copy in mutations(data, 200):
        try:
            evidence({"/j": copy}).parse(journal.parse, "/j")
        except Unrecognised:
            pass


@pytest.mark.tools
@pytest.mark.specimens
@pytest.mark.skipif(shutil.which("journalctl") is None, reason="journalctl is not installed")
@pytest.mark.parametrize("name", ["2004.journal", "2404.journal"])
def test_journalctl_reads_the_same_entries(specimens: Path, tmp_path: Path, name: str) -> None:
    import zipfile

    with zipfile.ZipFile(specimens / "mixed/velociraptor/system.journal.zip") as archive:
        data = archive.read(name)
    (tmp_path / name).write_bytes(data)
    out = subprocess.run(["journalctl", "--file", str(tmp_path / name), "-o", "json"], capture_output=True, text=True).stdout
    theirs = [json.loads(line) for line in out.splitlines()]
    ours = [item for item in journal.entries(data) if not isinstance(item, Problem)]
    assert [int(entry["__REALTIME_TIMESTAMP"]) for entry in theirs] == [item[2] for item in ours]
    assert [entry["_BOOT_ID"] for entry in theirs] == [item[4].hex() for item in ours]
    compact = name == "2404.journal"
    for entry, item in zip(theirs, ours, strict=True):
        fields = dict(text.decode().split("=", 1) for place in item[5] if (text := journal.field(data, place, compact)) is not None)
        # A message that was compressed is null there too: it is longer than journalctl prints.
        assert fields.get("MESSAGE") == entry["MESSAGE"] and fields["_HOSTNAME"] == entry["_HOSTNAME"]


def test_networks(read: Any) -> None:
    text = "[connection]\nid=Home\ntype=wifi\ntimestamp=1709528767\n[wifi]\nssid=HomeNet\n[wifi-security]\npsk=do-not-read\n"
    (network,) = read(networks.parse_connection, text)
    assert (network["name"], network["kind"], network["last"]) == ("HomeNet", "wireless", "2024-03-04T05:06:07Z")
    assert "do-not-read" not in json.dumps(network)
    assert read(networks.parse_connection, text.replace("HomeNet", "72;105;"))[0]["name"] == "Hi"
    assert [item["name"] for item in read(networks.parse_wpa, 'network={\n ssid="Cafe"\n psk="no"\n}\nnetwork={\n ssid=4869\n}\n')] == [
        "Cafe",
        "Hi",
    ]
    assert read(networks.parse_iwd, "[Security]\n", "/var/lib/iwd/=4869.psk")[0]["name"] == "Hi"
    assert read(networks.parse_timestamps, "[timestamps]\nabc=1709528767\n")[0]["last"] == "2024-03-04T05:06:07Z"
    info = "[General]\nName=Phone\nClass=0x5a020c\n[LinkKey]\nKey=00FF\n"
    (device,) = read(networks.parse_bluetooth, info, "/var/lib/bluetooth/AA:BB:CC:DD:EE:FF/00:11:22:33:44:55/info")
    assert (device["kind"], device["name"], device["how"], device["identifier"]) == (
        "phone",
        "Phone",
        "Bluetooth, paired",
        "00:11:22:33:44:55",
    )
    assert "00FF" not in json.dumps(device)


def test_system(read: Any) -> None:
    assert read(system.parse_release, 'NAME="X"\nPRETTY_NAME="X 1"\n')[0]["value"] == "X 1"
    passwd = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\njo:$6$hash:1000:1000:Jo Doe,,,:/home/jo:/bin/zsh\n"
    root, jo, services = read(system.parse_accounts, passwd, "/etc/passwd")
    assert (root["name"], jo["full_name"], jo["home"], services["value"]) == (
        "root",
        "Jo Doe",
        "/home/jo",
        "1",
    ) and "hash" not in json.dumps(jo)
    (volume,) = read(system.parse_crypttab, "data UUID=1-2 none luks\n# x\n")
    assert (volume["path"], volume["detail"]) == ("UUID=1-2", "as data, asks for a password (crypttab)")
    fstab = "/dev/sda1 / ext4 x 0 1\n//server/share /mnt/share cifs x 0 0\ngocryptfs#/a /home/jo/b fuse.gocryptfs x 0 0\n"
    share, vault = read(system.parse_fstab, fstab)
    assert share["value"] == "//server/share at /mnt/share (cifs)" and (vault["type"], vault["path"]) == ("EncryptedItem", "/home/jo/b")
    (job,) = read(system.parse_crontab, "SHELL=/bin/sh\n17 * * * * root /usr/bin/shred --token=x /tmp/a\n", "/etc/crontab")
    assert (job["command"], job["user"], job["start"]) == ("/usr/bin/shred", "root", "17 * * * *") and "token" not in json.dumps(job)
    (own,) = read(system.parse_crontab, "@reboot ~/run.sh\n", "/var/spool/cron/crontabs/jo")
    assert (own["user"], own["start"], own["name"]) == ("jo", "@reboot", "run.sh")
    assert read(system.parse_autostart, "[Desktop Entry]\nName=A\nExec=/opt/a --x\nHidden=true\n")[0]["start"] == "at sign-in, switched off"
    assert (
        read(system.parse_unit, "[Unit]\nDescription=D\n[Service]\nExecStart=-/opt/d --key=x\n", "/etc/systemd/system/d.service")[0][
            "command"
        ]
        == "/opt/d"
    )
    assert read(system.parse_zone, b"TZif2" + bytes(40) + b"\nGMT0BST,M3.5.0/1,M10.5.0\n")[0]["value"] == "GMT0BST,M3.5.0/1,M10.5.0"


@pytest.mark.tools
@pytest.mark.skipif(not Path("/var/lib/dpkg/status").is_file(), reason="not a Debian system")
def test_this_machine(evidence: Any) -> None:
    places: tuple[tuple[str, Parser], ...] = (
        ("/var/lib/dpkg/status", packages.parse_dpkg_status), ("/var/log/dpkg.log", packages.parse_dpkg_log), ("/var/log/apt/history.log", packages.parse_apt_history),
        ("/etc/passwd", system.parse_accounts), ("/etc/os-release", system.parse_release), ("/etc/localtime", system.parse_zone),
    )  # fmt: skip
    for path, parse in places:
        if Path(path).is_file() and os.access(path, os.R_OK) and Path(path).stat().st_size:
            observations, problems = evidence({path: Path(path).read_bytes()}).parse(parse, path)
            assert observations and problems == [], path
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\\n"], capture_output=True, text=True).stdout.split()
    observations, _ = evidence({"/s": Path("/var/lib/dpkg/status").read_bytes()}).parse(packages.parse_dpkg_status, "/s")
    assert sorted(item.name for item in observations) == sorted(listed)


def test_foreign_files_are_refused(evidence: Any) -> None:
    for parse in (
        packages.parse_dpkg_log,
        packages.parse_snap,
        docker.parse_container,
        docker.parse_log,
        desktop.parse_thumbnail,
        journal.parse,
        packages.parse_rpm,
    ):
        with pytest.raises((Unrecognised, Encrypted)):
            evidence({"/x": b"another file\n" * 20}).parse(parse, "/x")
