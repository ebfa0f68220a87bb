"""Programs of clouds: the specimens' exact values, databases written here, damage; that no secret is kept."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artefacts.applications import cloud_dropbox, cloud_google_drive, cloud_nextcloud, cloud_onedrive, cloud_others, rclone
from artefacts.applications.folder_tree import FolderTree
from artefacts.coverage import Encrypted, Unrecognised
from artefacts.observations import AccountUse, EncryptedItem, FileSeen
from artefacts.times import Timestamp

Make = Callable[..., bytes]


def _iso(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()


@pytest.mark.specimens
def test_snapshot_of_google_drive_has_twenty_entries(unpacked: Callable[[str], Path], evidence: Any) -> None:
    data = unpacked("mixed/plaso-apps/snapshot.db").read_bytes()
    found, problems = evidence({"/snapshot.db": data}).parse(cloud_google_drive.parse_snapshot, "/snapshot.db")
    assert not problems and len(found) == 20
    cloud = next(item for item in found if item.path == "Google Drive:/Almenningur/Saklausa hliðin")
    assert (_iso(cloud.created), _iso(cloud.time), cloud.size) == ("2014-01-28T00:12:26Z", "2014-01-28T00:12:27Z", 0)
    local = next(item for item in found if item.path.endswith("/Enn meiri leyndarmál/Sýnileiki - Örverpi.gdoc"))
    assert local.path == "/Users/kiddi/Google Drive/Top Secret/Enn meiri leyndarmál/Sýnileiki - Örverpi.gdoc"
    assert (_iso(local.time), local.size, local.hashes) == ("2014-01-28T00:11:25Z", 184, {"md5": "2f32540baab87287f3d0bcf8bfe116e1"})


@pytest.mark.specimens
def test_cloud_graph_of_google_drive(unpacked: Callable[[str], Path], evidence: Any) -> None:
    data = unpacked("mixed/iped-apps/test_cloudGraph.db").read_bytes()
    found, problems = evidence({"/cloud_graph.db": data}).parse(cloud_google_drive.parse_snapshot, "/cloud_graph.db")
    assert not problems and len(found) == 827
    paper = next(item for item in found if item.path.endswith("Documento ficha cadastral assinado.pdf"))
    assert (paper.size, paper.hashes, _iso(paper.time)) == (26978900, {"md5": "10dca0e4150f732fe41de0ff69c50463"}, "2021-03-15T20:14:45Z")


@pytest.mark.specimens
def test_history_of_dropbox_has_six_entries(unpacked: Callable[[str], Path], evidence: Any) -> None:
    data = unpacked("mixed/plaso-apps/sync_history.db").read_bytes()
    found, problems = evidence({"/sync_history.db": data}).parse(cloud_dropbox.parse_history, "/sync_history.db")
    assert not problems and len(found) == 6
    assert (found[0].path, _iso(found[0].used)) == ("/home/useraa/Dropbox/loc1/create_local.txt", "2022-02-17T10:57:18Z")
    assert found[0].detail == "Dropbox, sent to the cloud, new"


def _drivefs(sqlite_file: Make) -> bytes:
    return sqlite_file(
        "CREATE TABLE items (stable_id INTEGER PRIMARY KEY, id TEXT, trashed INTEGER, is_owner INTEGER, is_folder INTEGER, local_title TEXT, file_size INTEGER, modified_date INTEGER, viewed_by_me_date INTEGER, is_tombstone INTEGER)",
        "CREATE TABLE stable_parents (item_stable_id INTEGER, parent_stable_id INTEGER)",
        items=[(1, "r", 0, 1, 1, "My Drive", 0, 1, 0, 0), (2, "a", 1, 0, 0, "a.jpg", 55, 1_600_000_000_123, 1_600_000_001_000, 0)],
        stable_parents=[(2, 1)],
    )


def _onedrive(sqlite_file: Make) -> bytes:
    return sqlite_file(
        "CREATE TABLE od_ClientFolder_Records (resourceID TEXT, parentResourceID TEXT, folderName TEXT)",
        "CREATE TABLE od_ClientFile_Records (resourceID TEXT, parentResourceID TEXT, fileName TEXT, size INTEGER, lastChange INTEGER, localHashDigest BLOB)",
        od_ClientFolder_Records=[("f1", "root", "Pictures"), ("f2", "f1", "2020")],
        od_ClientFile_Records=[("x", "f2", "a.jpg", 7, 1_600_000_000, bytes(range(20))), ("y", "lost", "b.jpg", 8, None, None)],
    )


def _nextcloud(sqlite_file: Make) -> bytes:
    return sqlite_file(
        "CREATE TABLE metadata (phash INTEGER, path TEXT, modtime INTEGER, type INTEGER, filesize INTEGER, contentChecksum TEXT, contentChecksumTypeId INTEGER)",
        "CREATE TABLE checksumtype (id INTEGER PRIMARY KEY, name TEXT)",
        metadata=[(1, "Photos/a.jpg", 1_600_000_000, 0, 9, "ab" * 20, 1), (2, "Photos", 1_600_000_000, 2, 0, None, None)],
        checksumtype=[(1, "SHA1")],
    )


def _box(sqlite_file: Make) -> bytes:
    return sqlite_file(
        "CREATE TABLE box_item (box_id TEXT, item_type INTEGER, parent_item_id TEXT, name TEXT, checksum TEXT, size INTEGER, content_updated_at INTEGER)",
        box_item=[("1", 1, "0", "Papers", "", None, None), ("2", 0, "1", "a.pdf", "CD" * 20, 5, 1_600_000_000)],
    )


def _pcloud(sqlite_file: Make) -> bytes:
    return sqlite_file(
        "CREATE TABLE setting (id TEXT, value TEXT)",
        "CREATE TABLE folder (id INTEGER PRIMARY KEY, parentfolderid INTEGER, name TEXT)",
        "CREATE TABLE file (id INTEGER PRIMARY KEY, parentfolderid INTEGER, name TEXT, size INTEGER, ctime INTEGER, mtime INTEGER)",
        setting=[("username", "jo@example.org"), ("auth", "never-this")],
        folder=[(5, 0, "Films")],
        file=[(1, 5, "a.mkv", 3, 1_600_000_000, 1_600_000_100)],
    )


def test_google_drive_for_desktop(evidence: Any, sqlite_file: Make) -> None:
    path = "/Users/jo/AppData/Local/Google/DriveFS/1234567890/metadata_sqlite_db"
    found, problems = evidence({path: _drivefs(sqlite_file)}).parse(cloud_google_drive.parse_drivefs, path)
    assert not problems
    assert (found[0].service, found[0].account) == ("Google Drive", "number 1234567890")
    item = found[2]
    assert (item.path, item.size, _iso(item.time), _iso(item.used)) == (
        "Google Drive:/My Drive/a.jpg",
        55,
        "2020-09-13T12:26:40.123Z",
        "2020-09-13T12:26:41Z",
    )
    assert item.detail == "Google Drive, in the cloud, in its bin, somebody else's, shared with this account"


def test_account_of_google_drive(evidence: Any, sqlite_file: Make) -> None:
    data = sqlite_file("CREATE TABLE data (entry_key TEXT, data_key TEXT, data_value TEXT)", data=[("user_email", "value", "jo@example.org"), ("local_sync_root_path", "value", "\\\\?\\C:\\Users\\jo\\Google Drive"), ("token", "value", "never-this")])  # fmt: skip
    found, problems = evidence({"/sync_config.db": data}).parse(cloud_google_drive.parse_config, "/sync_config.db")
    assert not problems and "never-this" not in repr(found)
    assert (found[0].account, found[1].path, found[1].kind) == ("jo@example.org", "C:\\Users\\jo\\Google Drive", "folder")


def test_accounts_of_dropbox_and_its_encrypted_list(evidence: Any) -> None:
    info = {"personal": {"path": "C:\\Users\\jo\\Dropbox", "host": 123, "is_team": False}}
    files = evidence({"/Dropbox/info.json": json.dumps(info).encode(), "/Dropbox/instance1/filecache.dbx": b"x" * 100})
    found, problems = files.parse(cloud_dropbox.parse_info, "/Dropbox/info.json")
    assert not problems and (found[0].account, found[1].path) == ("personal, host 123", "C:\\Users\\jo\\Dropbox")
    with pytest.raises(Encrypted):
        files.parse(cloud_dropbox.parse_encrypted, "/Dropbox/instance1/filecache.dbx")


def test_onedrive(evidence: Any, sqlite_file: Make) -> None:
    data = _onedrive(sqlite_file)
    ini = 'cid = 1a2b3c4d5e6f7a8b\r\nlibrary = 1 4 x 1 "SkyDrive" Me personal "C:\\Users\\jo\\OneDrive" 1\r\n'
    base = "/Users/jo/AppData/Local/Microsoft/OneDrive/settings"
    files = evidence({f"{base}/Personal/SyncEngineDatabase.db": data, f"{base}/Business1/SyncEngineDatabase.db": data, f"{base}/Personal/a.ini": ini.encode("utf-16")})  # fmt: skip
    found, problems = files.parse(cloud_onedrive.parse_database, f"{base}/Personal/SyncEngineDatabase.db")
    assert not problems
    assert [(item.path, item.size, item.hashes) for item in found] == [
        ("OneDrive:/Pictures/2020/a.jpg", 7, {"sha1": bytes(range(20)).hex()}),
        ("OneDrive:/b.jpg", 8, {}),
    ]
    found, _ = files.parse(cloud_onedrive.parse_database, f"{base}/Business1/SyncEngineDatabase.db")
    assert [item.hashes for item in found] == [{}, {}]  # there it is no SHA-1
    found, problems = files.parse(cloud_onedrive.parse_settings, f"{base}/Personal/a.ini")
    assert not problems and (found[0].account, found[1].path) == ("number 1a2b3c4d5e6f7a8b", "C:\\Users\\jo\\OneDrive")


def test_nextcloud(evidence: Any, sqlite_file: Make) -> None:
    cfg = b"[General]\nx=1\n[Accounts]\n0\\url=https://cloud.example.org\n0\\dav_user=jo\n0\\http_oauth=never-this\n0\\Folders\\1\\localPath=/home/jo/Nextcloud/\n"
    files = evidence({"/nextcloud.cfg": cfg, "/home/jo/Nextcloud/.sync_1a2b.db": _nextcloud(sqlite_file)})
    found, problems = files.parse(cloud_nextcloud.parse_settings, "/nextcloud.cfg")
    assert not problems and "never-this" not in repr(found)
    assert (found[0].path, found[1].account) == ("/home/jo/Nextcloud/", "jo at https://cloud.example.org")
    found, problems = files.parse(cloud_nextcloud.parse_journal, "/home/jo/Nextcloud/.sync_1a2b.db")
    assert not problems
    assert [(item.path, item.kind, item.hashes) for item in found] == [
        ("/home/jo/Nextcloud/Photos/a.jpg", "file", {"sha1": "ab" * 20}),
        ("/home/jo/Nextcloud/Photos", "folder", {}),
    ]


def test_box_pcloud_and_mega(evidence: Any, sqlite_file: Make) -> None:
    files = evidence({"/sync.db": _box(sqlite_file), "/data.db": _pcloud(sqlite_file), "/MEGAsync.cfg": b"x"})
    found, problems = files.parse(cloud_others.parse_box, "/sync.db")
    assert not problems and (found[1].path, found[1].hashes, found[1].size) == ("Box:/Papers/a.pdf", {"sha1": "cd" * 20}, 5)
    found, problems = files.parse(cloud_others.parse_pcloud, "/data.db")
    assert not problems and "never-this" not in repr(found)
    assert (found[0].account, found[1].path, _iso(found[1].time)) == ("jo@example.org", "pCloud:/Films/a.mkv", "2020-09-13T12:28:20Z")
    with pytest.raises(Encrypted):
        files.parse(cloud_others.parse_mega, "/MEGAsync.cfg")


def test_a_cycle_of_folders_ends() -> None:
    tree = FolderTree()
    tree.add(1, "a", 2)
    tree.add(2, "b", 1)
    assert tree.path(1, "x") == "b/a/x"
    assert tree.path(9, "x") == "x"


def test_rclone(evidence: Any) -> None:
    conf = b"[work]\ntype = sftp\nhost = example.org\nuser = jo\npass = never-this\n\n[hidden]\ntype = crypt\nremote = work:files\npassword = never-this\n"
    files = evidence(
        {
            "/rclone.conf": conf,
            "/locked/rclone.conf": b"# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nxyz\n",
            "/odd/rclone.conf": b"words",
        }
    )
    found, problems = files.parse(rclone.parse, "/rclone.conf")
    assert not problems and "never-this" not in repr(found)
    assert isinstance(found[0], EncryptedItem) and found[0].path == "work:files"
    assert isinstance(found[1], AccountUse) and (found[1].service, found[1].account) == ("rclone: sftp", "work jo")
    with pytest.raises(Encrypted):
        files.parse(rclone.parse, "/locked/rclone.conf")
    with pytest.raises(Unrecognised):
        files.parse(rclone.parse, "/odd/rclone.conf")


@pytest.mark.tools
def test_what_rclone_itself_writes(tmp_path: Path, evidence: Any) -> None:
    if shutil.which("rclone") is None:
        pytest.skip("rclone is not installed")
    conf = tmp_path / "rclone.conf"
    for arguments in (("disk", "local"), ("hidden", "crypt", "remote=disk:/files", "password=harmless-word")):
        subprocess.run(["rclone", "--config", str(conf), "config", "create", *arguments], check=True, capture_output=True)
    found, problems = evidence({"/rclone.conf": conf.read_bytes()}).parse(rclone.parse, "/rclone.conf")
    assert not problems
    assert [(type(item).__name__, getattr(item, "path", None)) for item in found] == [
        ("EncryptedItem", "disk:/files")
    ]  # a folder is no cloud


def _databases(sqlite_file: Make) -> Iterator[tuple[Any, bytes]]:
    yield cloud_google_drive.parse_drivefs, _drivefs(sqlite_file)
    yield cloud_onedrive.parse_database, _onedrive(sqlite_file)
    yield cloud_nextcloud.parse_journal, _nextcloud(sqlite_file)
    yield cloud_others.parse_box, _box(sqlite_file)
    yield cloud_others.parse_pcloud, _pcloud(sqlite_file)


def test_damage_is_survived(evidence: Any, sqlite_file: Make, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for parser, whole in _databases(sqlite_file):
        sound, _ = evidence({"/x/1/a.db": whole}).parse(parser, "/x/1/a.db")
        assert any(isinstance(item, FileSeen) for item in sound)
        for copy in mutations(whole, 30):
            try:
                evidence({"/x/1/a.db": copy}).parse(parser, "/x/1/a.db")
            except (Unrecognised, Encrypted):
                continue


def test_another_database_is_not_recognised(evidence: Any, sqlite_file: Make) -> None:
    other = sqlite_file("CREATE TABLE something (a INTEGER)", something=[(1,)])
    parsers = [parser for parser, _ in _databases(sqlite_file)]
    for parser in (*parsers, cloud_google_drive.parse_snapshot, cloud_google_drive.parse_config, cloud_dropbox.parse_history):
        with pytest.raises(Unrecognised):
            evidence({"/x/1/a.db": other}).parse(parser, "/x/1/a.db")
