"""Phone backups made here: read as a file system, scanned as a volume of their own, damaged, with a password."""

from __future__ import annotations

import hashlib
import plistlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Unrecognised
from tests.triage.scan.conftest import Result, scan  # noqa: F401  a fixture
from triage.evidence.filesystems.folder import FolderFilesystem
from triage.evidence.filesystems.ios_backup import IosBackupFilesystem, backup_volume

Scan = Callable[..., Result]
PLACE = "Users/jo/AppData/Roaming/Apple Computer/MobileSync/Backup/00008030-0011223344556677"
SAFARI = "HomeDomain/Library/Safari/History.db"
CHROME = "AppDomain-com.google.chrome.ios/Library/Application Support/Google/Chrome/Default/History"


def _archived(size: int) -> bytes:
    facts = {"Size": size, "LastModified": 1_700_000_000, "Birth": 1_600_000_000, "LastStatusChange": 0, "Mode": 33188}
    return plistlib.dumps({"$archiver": "NSKeyedArchiver", "$objects": ["$null", facts], "$version": 100000}, fmt=plistlib.FMT_BINARY)


def backup(folder: Path, files: dict[str, bytes], *, encrypted: bool = False) -> Path:
    """An unencrypted backup in ``folder`` of files by domain and path; ``encrypted`` only says that it is."""
    folder.mkdir(parents=True)
    (folder / "Manifest.plist").write_bytes(plistlib.dumps({"IsEncrypted": encrypted, "Version": "10.0"}))
    (folder / "Info.plist").write_bytes(plistlib.dumps({"Device Name": "phone"}))
    database = sqlite3.connect(folder / "Manifest.db")
    database.execute("CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)")
    for path, data in files.items():
        domain, _, rest = path.partition("/")
        number = hashlib.sha1(f"{domain}-{rest}".encode()).hexdigest()
        (folder / number[:2]).mkdir(exist_ok=True)
        (folder / number[:2] / number).write_bytes(data)
        database.execute("INSERT INTO Files VALUES (?, ?, ?, 1, ?)", (number, domain, rest, _archived(len(data))))
        database.execute(
            "INSERT OR IGNORE INTO Files VALUES (?, ?, ?, 2, NULL)", (hashlib.sha1(rest.encode()).hexdigest(), domain, "Library")
        )
    database.commit()
    database.close()
    return folder


def _safari(path: Path) -> bytes:
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE history_items (id INTEGER PRIMARY KEY, url TEXT, visit_count INTEGER);"
        "CREATE TABLE history_visits (id INTEGER PRIMARY KEY, history_item INTEGER, visit_time REAL, title TEXT);"
        "INSERT INTO history_items VALUES (1, 'https://safari.example/', 1);"
        "INSERT INTO history_visits VALUES (1, 1, 700000000.5, 'A page');"
    )
    database.commit()
    database.close()
    return path.read_bytes()


def _chrome(path: Path) -> bytes:
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER, typed_count INTEGER, last_visit_time INTEGER, hidden INTEGER);"
        "CREATE TABLE visits (id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, from_visit INTEGER, transition INTEGER, segment_id INTEGER, visit_duration INTEGER);"
        "INSERT INTO urls VALUES (1, 'https://chrome.example/', 'Another', 1, 1, 13300000000000000, 0);"
        "INSERT INTO visits VALUES (1, 1, 13300000000000000, 0, 1, 0, 0);"
    )
    database.commit()
    database.close()
    return path.read_bytes()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    return {
        SAFARI: _safari(tmp_path / "safari.db"),
        CHROME: _chrome(tmp_path / "chrome.db"),
        "CameraRollDomain/Media/DCIM/100APPLE/IMG_0001.JPG": b"\xff\xd8\xff a picture",
    }


def test_a_backup_is_a_file_system(tmp_path: Path, files: dict[str, bytes]) -> None:
    backup(tmp_path / PLACE, files)
    outer = FolderFilesystem(tmp_path)
    volume = backup_volume(outer, f"/{PLACE}/Manifest.db", "v1.b1")
    assert volume is not None and (volume.scheme, volume.status.value, volume.encrypted) == ("phone backup", "parsed", None)
    inner = IosBackupFilesystem(outer, f"/{PLACE}")
    entries = {entry.path: entry for chunk in inner.entries() for entry in chunk}
    assert {path for path, entry in entries.items() if entry.kind == "file"} == {f"/{path}" for path in files}
    assert {path for path, entry in entries.items() if entry.kind == "directory"} >= {
        "/HomeDomain",
        "/HomeDomain/Library",
        "/HomeDomain/Library/Safari",
    }
    for path, data in files.items():
        entry = entries[f"/{path}"]
        assert (entry.size, entry.modified, entry.created, entry.changed) == (len(data), 1_700_000_000 * 10**9, 1_600_000_000 * 10**9, None)
        assert inner.lookup(f"/{path}") == entry
        with inner.open(entry) as stream:
            assert stream.read() == data
    assert [entry.name for entry in inner.children("/HomeDomain/Library")] == ["Safari"]
    assert inner.lookup("/homedomain") is None and inner.problems == []
    (tmp_path / PLACE / entries[f"/{SAFARI}"].address[:2] / entries[f"/{SAFARI}"].address).unlink()
    with pytest.raises(OSError, match="does not hold"):
        inner.open(entries[f"/{SAFARI}"])


def test_browsers_in_a_backup_are_read_by_the_same_artefacts(scan: Scan, tmp_path: Path, files: dict[str, bytes]) -> None:  # noqa: F811
    backup(tmp_path / "evidence" / PLACE, files)
    result = scan(tmp_path / "evidence")
    assert result.code == 0, result.err
    visits = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "PageVisit"]
    assert {(visit["url"], visit["provenance"]["volume"], visit["provenance"]["path"]) for visit in visits} == {
        ("https://safari.example/", "v1.b1", f"/{SAFARI}"), ("https://chrome.example/", "v1.b1", f"/{CHROME}"),
    }  # fmt: skip
    [volume] = [v for v in result.report["sources"][0]["volumes"] if v["id"] == "v1.b1"]
    assert volume["filesystem"] == "ios backup"
    coverage = [c for c in result.report["coverage"] if c["volume"] == "v1.b1" and c["status"] == "skipped_by_rule"]
    assert [(c["count"], c["reason"]) for c in coverage] == [
        (1, "files of a backup that are examined under the names they have on this disk")
    ]
    again = scan(tmp_path / "evidence")
    assert again.code == 0 and len([line for line in again.journal if line["kind"] == "volume"]) == 2


def test_a_backup_with_a_password_is_a_gap(scan: Scan, tmp_path: Path, files: dict[str, bytes]) -> None:  # noqa: F811
    folder = backup(tmp_path / "evidence" / PLACE, files, encrypted=True)
    (folder / "Manifest.db").write_bytes(random.Random(1).randbytes(100_000))
    with pytest.raises(Encrypted):
        IosBackupFilesystem(FolderFilesystem(tmp_path / "evidence"), f"/{PLACE}")
    result = scan(tmp_path / "evidence")
    assert result.code == 3
    locked = [c for c in result.report["coverage"] if c["status"] == "encrypted"]
    assert [(c["volume"], c["reason"]) for c in locked] == [("v1.b1", "the backup is protected by a password")]
    items = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "EncryptedItem"]
    assert [(item["kind"], item["state"]) for item in items if item["kind"].startswith("phone backup")] == [
        ("phone backup volume", "locked")
    ]


def test_hostile_rows_name_no_place_outside(tmp_path: Path) -> None:
    folder = backup(tmp_path / PLACE, {"HomeDomain/a.txt": b"a"})
    database = sqlite3.connect(folder / "Manifest.db")
    rows: list[tuple[Any, ...]] = [
        ("../../../../etc/passwd", "HomeDomain", "x", 1, None), ("ab" * 20, "HomeDomain", "../../b.txt", 1, None),
        ("cd" * 20, "a/../..", "c.txt", 1, None), ("ef" * 20, "HomeDomain", "a.txt/below", 1, b"bplist00 broken"), (None, None, None, None, None),
    ]  # fmt: skip
    database.executemany("INSERT INTO Files VALUES (?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    inner = IosBackupFilesystem(FolderFilesystem(tmp_path), f"/{PLACE}")
    paths = [entry.path for chunk in inner.entries() for entry in chunk]
    assert paths == sorted({"/HomeDomain", "/HomeDomain/Library", "/HomeDomain/a.txt", "/HomeDomain/a.txt/below"} & set(paths))
    assert len(inner.problems) == 4


@pytest.mark.parametrize("seed", range(30))
def test_damage(tmp_path: Path, files: dict[str, bytes], seed: int) -> None:
    folder = backup(tmp_path / PLACE, files)
    dice = random.Random(seed)
    data = bytearray((folder / "Manifest.db").read_bytes())
    if seed % 3 == 0:
        del data[dice.randrange(len(data)) :]
    for _ in range(dice.randrange(0, 60) if data else 0):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    (folder / "Manifest.db").write_bytes(data)
    outer = FolderFilesystem(tmp_path)
    volume = backup_volume(outer, f"/{PLACE}/Manifest.db", "v1.b1")
    assert volume is not None
    try:
        inner = IosBackupFilesystem(outer, f"/{PLACE}")
    except (Unrecognised, Encrypted, OSError):
        assert volume.status.value != "parsed"
        return
    for chunk in inner.entries():
        for entry in chunk:
            try:
                inner.open(entry).close()
            except OSError:
                continue
