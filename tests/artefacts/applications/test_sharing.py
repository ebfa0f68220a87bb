"""Programs for sharing files: the specimens' exact values, files written here, damage, and real programs where they are installed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artefacts.applications import (
    ares,
    bittorrent_clients,
    direct_connect,
    emule,
    freenet,
    gnutella,
    peer_settings,
    shareaza,
    soulseek,
    torrents,
    usenet,
)
from artefacts.coverage import Encrypted, Status, Unrecognised
from artefacts.observations import AccountUse, SearchQuery, SharedFile, SystemFact
from artefacts.times import NOT_RECORDED, Timestamp

HASH = "0123456789abcdef0123456789abcdef01234567"


def _iso(time_: Any) -> str:
    assert isinstance(time_, Timestamp)
    return time_.isoformat()


# --- the specimens ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.specimens
def test_resume_dat_of_iped_has_five_torrents(unpacked: Callable[[str], Path], evidence: Any) -> None:
    data = unpacked("mixed/iped-apps/test_resume.dat").read_bytes()
    found, problems = evidence({"/Users/jo/AppData/Roaming/uTorrent/resume.dat": data}).parse(
        bittorrent_clients.parse_utorrent, "/Users/jo/AppData/Roaming/uTorrent/resume.dat"
    )
    assert not problems
    assert [(item.name, item.downloaded, item.uploaded, item.state, item.shared) for item in found] == [
        ("Sintel", 63831927, 0, "incomplete", None),
        ("Tears of Steel", 29736960, 0, "incomplete", None),
        ("NovaROFull_19112020.exe", 3259111196, 999424, "complete", True),
        ("Cosmos Laundromat", 23551574, 0, "incomplete", None),
        ("Big Buck Bunny", 56228123, 163840, "incomplete", True),
    ]
    assert found[0].hashes == {"infohash": "08ada5a7a6183aae1e09d831df6748d566095a10"}
    assert found[0].path == r"C:\Users\guilh\Downloads\Sintel"
    assert _iso(found[2].time) == "2021-01-17T03:41:43Z" and _iso(found[2].finished) == "2021-01-17T03:46:37Z"


@pytest.mark.specimens
def test_torrents_of_plaso(unpacked: Callable[[str], Path], evidence: Any) -> None:
    files = evidence(
        {
            "/Users/jo/uTorrent/resume.dat": unpacked("mixed/plaso-apps/bencode/utorrent").read_bytes(),
            "/Users/jo/resume/x.0123456789abcdef.resume": unpacked("mixed/plaso-apps/bencode/transmission").read_bytes(),
        }
    )
    (first,), problems = files.parse(bittorrent_clients.parse_utorrent, "/Users/jo/uTorrent/resume.dat")
    assert not problems
    assert (first.name, first.path) == ("plaso test", r"e:\torrent\files\plaso test")
    assert (_iso(first.time), _iso(first.finished)) == ("2013-08-03T14:52:12Z", "2013-08-03T18:11:35Z")
    (second,), problems = files.parse(bittorrent_clients.parse_transmission, "/Users/jo/resume/x.0123456789abcdef.resume")
    assert not problems
    assert second.path == f"/Users/brian/Downloads/{second.name}"
    assert (_iso(second.time), _iso(second.finished)) == ("2013-11-08T15:31:20Z", "2013-11-08T18:24:24Z")


@pytest.mark.specimens
def test_searches_of_shareaza(unpacked: Callable[[str], Path], evidence: Any) -> None:
    data = unpacked("mixed/iped-apps/test_shareazaSearches.dat").read_bytes()
    found, problems = evidence({"/Shareaza/Data/Searches.dat": data}).parse(shareaza.parse_searches, "/Shareaza/Data/Searches.dat")
    assert not problems
    assert [item.terms for item in found] == ["radiohead", "geni e o zepelim", "chico buarque", "filmes piratas", "bethoven"]


# --- torrents --------------------------------------------------------------------------------------------------------------------------


def test_a_torrent_gives_the_hashes_of_whole_files(made: SimpleNamespace, evidence: Any) -> None:
    small, large = b"a" * 10, b"b" * 40
    pieces = b"".join(hashlib.sha1((large + small)[at : at + 40]).digest() for at in (0, 40))
    info = {"name": "set", "piece length": 40, "pieces": pieces, "files": [{"length": 40, "path": ["x", "large.jpg"]}, {"length": 10, "path": ["small.jpg"], "md5sum": hashlib.md5(small).hexdigest()}]}  # fmt: skip
    data = made.bencode({"announce": "http://tracker.example/key", "creation date": 1_600_000_000, "info": info})
    found, problems = evidence({"/a.torrent": data}).parse(torrents.parse, "/a.torrent")
    assert not problems
    infohash = hashlib.sha1(made.bencode(info)).hexdigest()
    assert [(item.path, item.size) for item in found] == [("set/x/large.jpg", 40), ("set/small.jpg", 10)]
    assert found[0].hashes == {"sha1": hashlib.sha1(large).hexdigest(), "infohash": infohash}
    assert found[1].hashes == {"md5": hashlib.md5(small).hexdigest(), "sha1": hashlib.sha1(small).hexdigest(), "infohash": infohash}
    assert _iso(found[0].time) == "2020-09-13T12:26:40Z" and found[0].state == "listed"
    assert "tracker" not in repr(found)  # an address of a tracker may hold a key to an account


def test_padding_is_no_file_and_shifts_the_pieces(made: SimpleNamespace, evidence: Any) -> None:
    info = {"name": "set", "piece length": 40, "pieces": bytes(40), "files": [{"length": 30, "path": ["a"]}, {"length": 10, "attr": "p", "path": [".pad", "10"]}, {"length": 5, "path": ["b"]}]}  # fmt: skip
    found, _ = evidence({"/a.torrent": made.bencode({"info": info})}).parse(torrents.parse, "/a.torrent")
    assert [(item.name, "sha1" in item.hashes) for item in found] == [("a", False), ("b", True)]


def test_a_piece_that_two_files_share_is_the_hash_of_neither(made: SimpleNamespace, evidence: Any) -> None:
    info = {"name": "set", "piece length": 40, "pieces": bytes(20), "files": [{"length": 30, "path": ["a"]}, {"length": 5, "path": ["b"]}]}
    found, problems = evidence({"/a.torrent": made.bencode({"info": info})}).parse(torrents.parse, "/a.torrent")
    assert not problems and [set(item.hashes) for item in found] == [{"infohash"}, {"infohash"}]


def test_version_2_gives_sha256_of_small_files_only(made: SimpleNamespace, evidence: Any) -> None:
    root = hashlib.sha256(b"x").digest()
    info = {"name": "set", "meta version": 2, "piece length": 16384, "file tree": {"d": {"one": {"": {"length": 1, "pieces root": root}}}, "two": {"": {"length": 20000, "pieces root": root}}}}  # fmt: skip
    data = made.bencode({"info": info})
    found, problems = evidence({"/a.torrent": data}).parse(torrents.parse, "/a.torrent")
    assert not problems
    assert [(item.path, item.hashes.get("sha256")) for item in found] == [("set/d/one", root.hex()), ("set/two", None)]
    assert found[1].hashes["sha256_merkle"] == root.hex()
    assert found[0].hashes["infohash2"] == hashlib.sha256(made.bencode(info)).hexdigest()


def test_a_torrent_without_end_costs_only_what_is_missing(made: SimpleNamespace, evidence: Any) -> None:
    info = {"name": "set", "files": [{"length": 1, "path": [f"{number}.jpg"]} for number in range(20)]}
    data = made.bencode({"info": info})
    found, problems = evidence({"/a.torrent": data[: len(data) // 2]}).parse(torrents.parse, "/a.torrent")
    assert 3 < len(found) < 20 and found[0].name == "0.jpg"
    assert [problem.status for problem in problems] == [Status.FAILED]


@pytest.mark.parametrize(
    "data", [b"", b"text", b"d" * 100_000, b"d4:infod5:filesl" + b"l" * 100_000, b"d9999999999:x", b"d1:a" + b"9" * 50]
)
def test_what_is_no_torrent_ends_at_once(data: bytes, evidence: Any) -> None:
    try:
        found, problems = evidence({"/a.torrent": data}).parse(torrents.parse, "/a.torrent")
    except Unrecognised:
        return
    assert problems and not found


def test_libtorrent_deluge_and_vuze(made: SimpleNamespace, evidence: Any) -> None:
    resume = {"file-format": "libtorrent resume file", "info-hash": bytes.fromhex(HASH), "info-hash2": bytes(32), "name": "film.mkv", "save_path": "/home/jo/Videos", "added_time": 1_600_000_000, "completed_time": 1_600_000_100, "total_uploaded": 5, "total_downloaded": 6}  # fmt: skip
    vuze = {"downloads": [{"save_dir": "/home/jo/v", "save_file": "film.mkv", "torrent": "/t/film.torrent", "torrent_hash": bytes.fromhex(HASH), "uploaded": 3, "downloaded": 4, "completed": 1000, "creationTime": 1_600_000_000_123}]}  # fmt: skip
    files = evidence(
        {
            f"/BT_backup/{HASH}.fastresume": made.bencode(resume | {"qBt-category": "x"}),
            "/home/jo/.config/deluge/state/torrents.fastresume": made.bencode({HASH: made.bencode(resume)}),
            "/home/jo/.azureus/downloads.config": made.bencode(vuze),
        }
    )
    paths = list(files.contents)
    parsers = (bittorrent_clients.parse_libtorrent, bittorrent_clients.parse_deluge, bittorrent_clients.parse_vuze)
    programs = ("qBittorrent", "Deluge", "Vuze")
    for path, parser, program in zip(paths, parsers, programs, strict=True):
        (item,), problems = files.parse(parser, path)
        assert not problems
        assert (item.name, item.program, item.state, item.shared, item.hashes) == (
            "film.mkv",
            program,
            "complete",
            True,
            {"infohash": HASH},
        )
        assert item.path.endswith("/film.mkv") and _iso(item.time).startswith("2020-09-13T12:26:40")


def test_the_log_of_qbittorrent_remembers_what_was_removed(evidence: Any) -> None:
    log = '(N) 2024-01-01T10:00:00 - Added new torrent. Torrent: "film.mkv"\n(I) 2024-01-01T10:00:01 - UPnP/NAT-PMP support: ON\n(N) 2024-01-02T10:00:00 - Removed torrent and deleted its content. Torrent: "film.mkv"\n'
    found, problems = evidence({"/q.log": log.encode()}).parse(bittorrent_clients.parse_qbittorrent_log, "/q.log")
    assert not problems
    assert [(item.name, item.state, item.time.local) for item in found] == [
        ("film.mkv", "added", "2024-01-01T10:00:00"),
        ("film.mkv", "removed with its files", "2024-01-02T10:00:00"),
    ]


# --- eMule, Ares, Shareaza, LimeWire ---------------------------------------------------------------------------------------------------


def _known(made: SimpleNamespace) -> bytes:
    aich = base64.b32encode(bytes(range(20)))
    one = made.emule_record(1_600_000_000, bytes(range(16)), [made.tag(1, "holiday.jpg"), made.tag(2, 123456), made.tag(0x50, 1000), made.tag(0x54, 1), made.tag(0x51, 7), made.tag(0x34, 1_600_000_500), b"\x02\x01\0\x27" + len(aich).to_bytes(2, "little") + aich])  # fmt: skip
    two = made.emule_record(
        1_600_000_000, bytes(16), [bytes((0x80 | 0x12, 1)) + "é".encode(), b"\x8b\x02" + (5 << 32).to_bytes(8, "little")]
    )
    return b"\x0f" + (2).to_bytes(4, "little") + one + two


def test_known_met(made: SimpleNamespace, evidence: Any) -> None:
    (one, two), problems = evidence({"/eMule/known.met": _known(made)}).parse(emule.parse_known, "/eMule/known.met")
    assert not problems
    assert (one.name, one.size, one.uploaded, one.requests, one.shared) == ("holiday.jpg", 123456, (1 << 32) + 1000, 7, True)
    assert one.hashes == {"ed2k": bytes(range(16)).hex(), "aich": bytes(range(20)).hex()}
    assert (_iso(one.time), one.time_meaning) == ("2020-09-13T12:35:00Z", "last shared")
    assert (two.name, two.size, two.shared, two.time_meaning) == ("é", 5 << 32, None, "the file's last change")


def test_part_met_collection_and_cancelled(made: SimpleNamespace, evidence: Any) -> None:
    part = b"\xe0" + made.emule_record(1_600_000_000, bytes(16), [made.tag(1, "film.avi"), made.tag(2, 99), made.tag(8, 50)])
    collection = (1).to_bytes(4, "little") + (1).to_bytes(4, "little") + made.tag(1, "list") + (1).to_bytes(4, "little") + (2).to_bytes(4, "little") + made.tag(0x28, bytes(range(16))) + made.tag(1, "a.jpg")  # fmt: skip
    link = b"ed2k://|file|b%20c.jpg|55|00112233445566778899AABBCCDDEEFF|/\r\n"
    files = evidence({"/001.part.met": part, "/a.emulecollection": collection, "/b.emulecollection": link, "/canceled.met": b"\x22" + (2).to_bytes(4, "little") + bytes(32), "/x.met": b"\x22\xff\xff\0\0" + bytes(16)})  # fmt: skip
    (item,), problems = files.parse(emule.parse_part, "/001.part.met")
    assert not problems and (item.name, item.state, item.downloaded, item.shared) == ("film.avi", "incomplete", 50, True)
    (item,), problems = files.parse(emule.parse_collection, "/a.emulecollection")
    assert not problems and (item.name, item.collection, item.hashes, item.state) == (
        "a.jpg",
        "list",
        {"ed2k": bytes(range(16)).hex()},
        "listed",
    )
    (item,), problems = files.parse(emule.parse_collection, "/b.emulecollection")
    assert not problems and (item.name, item.size, item.hashes["ed2k"]) == ("b c.jpg", 55, "00112233445566778899aabbccddeeff")
    assert files.parse(emule.parse_cancelled, "/canceled.met")[0][0].value == "2"
    found, problems = files.parse(emule.parse_cancelled, "/x.met")
    assert found[0].value == "1" and problems  # it says 65,535 and has room for one


def test_words_and_folders_of_emule(evidence: Any) -> None:
    files = evidence({"/AC_SearchStrings.dat": "\ufeffnewest words\r\nolder\r\n".encode("utf-16-le"), "/eMule/shareddir.dat": "C:\\Shared\\\r\n".encode("utf-16-le"), "/eMule/preferences.dat": b"\x14" + bytes(range(16))})  # fmt: skip
    found, problems = files.parse(emule.parse_searches, "/AC_SearchStrings.dat")
    assert not problems and [item.terms for item in found] == ["newest words", "older"]
    assert all(item.where == "file sharing program" for item in found)
    assert [item.value for item in files.parse(emule.parse_folders, "/eMule/shareddir.dat")[0]] == ["C:\\Shared\\"]
    assert files.parse(emule.parse_preferences, "/eMule/preferences.dat")[0][0].account == bytes(range(16)).hex()


def test_ares(made: SimpleNamespace, evidence: Any) -> None:
    high = b"__ARESDB1.02H_" + made.ares_record(bytes(range(20)) + b"\x01", {1: rb"C:\My Shared Folder\song.mp3", 11: (1_600_000_000).to_bytes(4, "little")}) + made.ares_record(bytes(20) + b"\x00", {})  # fmt: skip
    low = b"__ARESDB1.04L_" + made.ares_record(
        bytes(range(20)) + b"\x05" + bytes(4) + (777).to_bytes(8, "little") + bytes(12), {2: "Título".encode()}
    )
    files = evidence({"/ShareH.dat": high, "/ShareL.dat": low})
    (item,), problems = files.parse(ares.parse, "/ShareH.dat")
    assert not problems
    assert (item.name, item.path, item.shared, item.hashes) == (
        "song.mp3",
        r"C:\My Shared Folder\song.mp3",
        True,
        {"sha1": bytes(range(20)).hex()},
    )
    assert _iso(item.time) == "2020-09-13T12:26:40Z"
    (item,), problems = files.parse(ares.parse, "/ShareL.dat")
    assert not problems and (item.name, item.size) == ("Título", 777)


def _library(made: SimpleNamespace, ghost: bool = True) -> bytes:
    u32, text = (lambda value: value.to_bytes(4, "little")), made.mfc_text

    def file(name: str, shared: int) -> bytes:
        hashes = u32(1) + bytes(range(20)) + u32(0) + u32(1) + bytes(range(16)) + u32(0) + u32(0)
        return text(name) + u32(1) + (42).to_bytes(8, "little") + (132_444_736_000_000_000).to_bytes(8, "little") + u32(shared) + bytes(8) + hashes + u32(0) + text("") + u32(0) + text("") + text("") + bytes(12) + u32(9) + u32(3) + u32(0) + u32(0) + b"\0\0"  # fmt: skip

    folder = text(r"C:\Shared") + u32(0) + u32(1) + b"\0\0" + b"\x02\0" + file("a.jpg", 0) + file("b.jpg", 1)
    album = text("") + b"\0\0" + u32(0) + u32(0) + text("album") + bytes(8) + text("") + b"\0\0" + b"\0\0"
    history = b"\x01\0" + bytes(12) + text("")
    ghosts = b"\x01\0" + file("gone.jpg", 0) if ghost else b"\0\0"
    return bytes(8) + u32(28) + bytes(16) + b"\x01\0" + folder + album + history + ghosts


def test_library_of_shareaza(made: SimpleNamespace, evidence: Any) -> None:
    found, problems = evidence({"/Shareaza/Library1.dat": _library(made)}).parse(shareaza.parse_library, "/Shareaza/Library1.dat")
    assert not problems
    assert [(item.name, item.path, item.shared, item.state) for item in found] == [
        ("a.jpg", r"C:\Shared\a.jpg", True, "complete"),
        ("b.jpg", r"C:\Shared\b.jpg", False, "complete"),
        ("gone.jpg", None, None, "removed from the library"),
    ]
    assert found[0].hashes == {"sha1": bytes(range(20)).hex(), "md5": bytes(range(16)).hex()}
    assert (found[0].size, found[0].requests, _iso(found[0].time)) == (42, 3, "2020-09-13T12:26:40Z")


def _urns() -> bytes:
    path, urn = b"/home/jo/Shared/a.jpg", b"urn:sha1:" + base64.b32encode(bytes(range(20)))
    return b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap" + b"".join(b"\x74" + len(item).to_bytes(2, "big") + item for item in (path, urn))


def test_limewire(evidence: Any) -> None:
    props = b"#x\nDIRECTORIES_TO_SEARCH_FOR_FILES=C\\:\\\\A;C\\:\\\\B\nDIRECTORY_FOR_SAVING_FILES=C\\:\\\\Saved\n"
    files = evidence({"/fileurns.cache": _urns(), "/limewire.props": props})
    (item,), problems = files.parse(gnutella.parse_urns, "/fileurns.cache")
    assert not problems and (item.path, item.hashes) == ("/home/jo/Shared/a.jpg", {"sha1": bytes(range(20)).hex()})
    found, _ = files.parse(gnutella.parse_properties, "/limewire.props")
    assert [(item.name, item.value) for item in found] == [
        ("folder shared with LimeWire", "C:\\A"),
        ("folder shared with LimeWire", "C:\\B"),
        ("folder for files fetched with LimeWire", "C:\\Saved"),
    ]


# --- others ----------------------------------------------------------------------------------------------------------------------------

NICOTINE = """[server]
login = 'somebody'
passw = 'never-this'
[transfers]
downloaddir = '/home/jo/got'
shared = [('music', '/home/jo/music')]
[searches]
history = ['one two', 'three']
"""
QUEUE = (
    '<?xml version="1.0"?><Downloads Version="0.8"><Download Target="C:\\got\\a.jpg" Size="12" Added="1600000000" TTH="{}"/></Downloads>'
)
INDEX = '<HashStore Version="2"><Trees><Hash Type="TTH" Size="77" Root="{0}"/></Trees><Files><File Name="c:\\shared\\b.jpg" TimeStamp="1600000000" Root="{0}"/></Files></HashStore>'
TTH = base64.b32encode(bytes(range(24))).decode().rstrip("=")
NZB = '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE nzb PUBLIC "-//newzBin//DTD NZB 1.1//EN" "http://www.newzbin.com/DTD/nzb/nzb-1.1.dtd"><nzb xmlns="http://www.newzbin.com/DTD/2003/nzb"><head><meta type="password">never-this</meta></head><file poster="a@b" date="1600000000" subject="set &quot;a.jpg&quot; yEnc (1/2)"><groups><group>alt.test</group></groups><segments><segment bytes="10" number="1">x</segment><segment bytes="20" number="2">y</segment></segments></file></nzb>'


def test_nicotine(evidence: Any) -> None:
    files = evidence({"/home/jo/.config/nicotine/config": NICOTINE.encode(), "/nicotine/uploads.json": json.dumps([["peer", "music\\a.mp3", "", "Finished", 100, 100]]).encode(), "/nicotine/downloads.json": json.dumps([["peer", "@@x\\b.mp3", "/home/jo/got", "Aborted", 200, 20, {}], 5]).encode()})  # fmt: skip
    found, problems = files.parse(soulseek.parse_config, "/home/jo/.config/nicotine/config")
    assert not problems and "never-this" not in repr(found)
    assert [item.account for item in found if isinstance(item, AccountUse)] == ["somebody"]
    assert [item.terms for item in found if isinstance(item, SearchQuery)] == ["one two", "three"]
    assert sorted(item.value for item in found if isinstance(item, SystemFact)) == ["/home/jo/got", "/home/jo/music"]
    (item,), problems = files.parse(soulseek.parse_transfers, "/nicotine/uploads.json")
    assert not problems and (item.name, item.shared, item.uploaded, item.state) == ("a.mp3", True, 100, "complete")
    (item,), problems = files.parse(soulseek.parse_transfers, "/nicotine/downloads.json")
    assert (item.path, item.shared, item.downloaded, item.state) == ("/home/jo/got/b.mp3", None, 20, "incomplete")
    assert [problem.status for problem in problems] == [Status.UNRECOGNISED]


def test_direct_connect(evidence: Any) -> None:
    files = evidence({"/DC++/Queue.xml": QUEUE.format(TTH).encode(), "/HashIndex.xml": INDEX.format(TTH).encode(), "/DCPlusPlus.xml": b"<DCPlusPlus><Settings><Nick>me</Nick></Settings><Share><Directory Virtual='x'>C:\\shared\\</Directory></Share></DCPlusPlus>", "/DC++/Favorites.xml": b"<Favorites><Hubs><Hub Name='n' Server='adc://h' Password='never-this'/></Hubs></Favorites>"})  # fmt: skip
    (item,), problems = files.parse(direct_connect.parse_queue, "/DC++/Queue.xml")
    assert not problems and (item.name, item.size, item.hashes, item.state) == (
        "a.jpg",
        12,
        {"tiger": bytes(range(24)).hex()},
        "incomplete",
    )
    (item,), problems = files.parse(direct_connect.parse_index, "/HashIndex.xml")
    assert not problems and (item.name, item.size, item.shared, _iso(item.time)) == ("b.jpg", 77, True, "2020-09-13T12:26:40Z")
    found, _ = files.parse(direct_connect.parse_settings, "/DCPlusPlus.xml")
    assert [getattr(item, "account", None) or item.value for item in found] == ["me", "C:\\shared\\"]
    found, _ = files.parse(direct_connect.parse_hubs, "/DC++/Favorites.xml")
    assert [item.value for item in found] == ["n adc://h"]


def test_xml_that_declares_entities_is_refused(evidence: Any) -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Downloads><Download Target="&b;"/></Downloads>'
    with pytest.raises(Unrecognised, match="entities"):
        evidence({"/Queue.xml": bomb}).parse(direct_connect.parse_queue, "/Queue.xml")


def test_usenet(evidence: Any, sqlite_file: Callable[..., bytes]) -> None:
    database = sqlite_file("CREATE TABLE history (id INTEGER PRIMARY KEY, completed INTEGER, name TEXT, nzb_name TEXT, status TEXT, storage TEXT, bytes INTEGER, password TEXT)", history=[(1, 1_600_000_000, "set", "set.nzb", "Completed", "/got/set", 99, "never-this")])  # fmt: skip
    files = evidence({"/a.nzb": NZB.encode(), "/sabnzbd/admin/history1.db": database})
    (item,), problems = files.parse(usenet.parse_nzb, "/a.nzb")
    assert not problems and (item.name, item.size, item.state, _iso(item.time)) == ("a.jpg", 30, "listed", "2020-09-13T12:26:40Z")
    (item,), problems = files.parse(usenet.parse_sabnzbd, "/sabnzbd/admin/history1.db")
    assert not problems and (item.name, item.path, item.size, item.state) == ("set", "/got/set", 99, "complete")
    assert "never-this" not in repr(item)


def test_freenet_ipfs_and_onionshare(evidence: Any) -> None:
    files = evidence({"/Freenet/completed.list.downloads": b"CHK@abc,def,AAMC--8/dir/my%20file.jpg\n\nno address\n", "/Freenet/completed.list.uploads": b"CHK@abc,def/up.jpg\n", "/client.dat.crypt": b"x", "/.ipfs/config": json.dumps({"Identity": {"PeerID": "12D3Koo", "PrivKey": "never-this"}}).encode(), "/onionshare/persistent/a.json": json.dumps({"persistent": {"mode": "share"}, "share": {"filenames": ["/home/jo/a.zip"]}, "onion": {"private_key": "never-this"}}).encode()})  # fmt: skip
    (item,), problems = files.parse(freenet.parse_completed, "/Freenet/completed.list.downloads")
    assert not problems and (item.name, item.shared, item.locator) == ("my file.jpg", None, "line=1")
    assert files.parse(freenet.parse_completed, "/Freenet/completed.list.uploads")[0][0].shared is True
    with pytest.raises(Encrypted):
        files.parse(freenet.parse_encrypted, "/client.dat.crypt")
    found, _ = files.parse(peer_settings.parse_ipfs, "/.ipfs/config")
    assert found[0].account == "12D3Koo" and "never-this" not in repr(found)
    found, _ = files.parse(peer_settings.parse_onionshare, "/onionshare/persistent/a.json")
    assert (found[1].path, found[1].shared) == ("/home/jo/a.zip", True) and "never-this" not in repr(found)


# --- damage ----------------------------------------------------------------------------------------------------------------------------


def _samples(made: SimpleNamespace) -> Iterator[tuple[Any, str, bytes]]:
    info = {"name": "set", "piece length": 40, "pieces": bytes(40), "files": [{"length": 40, "path": ["x", "y"]}] * 5}
    resume = {"file-format": "x", "info-hash": bytes(20), "name": "film", "save_path": "/v", "added_time": 1}
    yield torrents.parse, "/a.torrent", made.bencode({"creation date": 1, "info": info})
    yield bittorrent_clients.parse_utorrent, "/uTorrent/resume.dat", made.bencode({"a.torrent": {"caption": "a", "added_on": 5, "info": bytes(20), "path": "/x"}, "rec": [1]})  # fmt: skip
    yield (
        bittorrent_clients.parse_transmission,
        f"/resume/{HASH}.resume",
        made.bencode({"destination": "/x", "added-date": 1, "progress": {"have": "all"}}),
    )
    yield bittorrent_clients.parse_libtorrent, f"/{HASH}.fastresume", made.bencode(resume)
    yield bittorrent_clients.parse_deluge, "/torrents.fastresume", made.bencode({HASH: made.bencode(resume)})
    yield bittorrent_clients.parse_vuze, "/downloads.config", made.bencode({"downloads": [{"save_file": "a", "creationTime": 1}]})
    yield emule.parse_known, "/known.met", _known(made)
    yield emule.parse_part, "/1.part.met", b"\xe0" + made.emule_record(1, bytes(16), [made.tag(1, "a")])
    yield emule.parse_searches, "/AC_SearchStrings.dat", "words\r\n".encode("utf-16")
    yield ares.parse, "/ShareH.dat", b"__ARESDB1.02H_" + made.ares_record(bytes(21), {1: b"a"}) * 5
    yield shareaza.parse_library, "/Library1.dat", _library(made)
    yield gnutella.parse_urns, "/fileurns.cache", _urns()
    yield soulseek.parse_config, "/config", NICOTINE.encode()
    yield direct_connect.parse_queue, "/Queue.xml", QUEUE.format(TTH).encode()
    yield direct_connect.parse_index, "/HashIndex.xml", INDEX.format(TTH).encode()
    yield usenet.parse_nzb, "/a.nzb", NZB.encode()


def test_damage_is_survived(made: SimpleNamespace, evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for parser, path, whole in _samples(made):
        sound, problems = evidence({path: whole}).parse(parser, path)
        assert sound and not problems, path
        for copy in mutations(whole, 60):
            try:
                evidence({path: copy}).parse(parser, path)
            except (Unrecognised, Encrypted):
                continue


def test_a_short_copy_is_never_silent(made: SimpleNamespace, evidence: Any) -> None:
    """Of binary files with counts or an end, a copy that lost its last third says so, or is not recognised."""
    spoken = {torrents.parse, bittorrent_clients.parse_utorrent, bittorrent_clients.parse_libtorrent, emule.parse_known, emule.parse_part, ares.parse, shareaza.parse_library, direct_connect.parse_queue, usenet.parse_nzb}  # fmt: skip
    for parser, path, whole in _samples(made):
        if parser not in spoken:
            continue
        try:
            _, problems = evidence({path: whole[: len(whole) * 2 // 3]}).parse(parser, path)
        except Unrecognised:
            continue
        assert problems, path


@pytest.mark.specimens
def test_damaged_copies_of_the_specimens(
    unpacked: Callable[[str], Path], evidence: Any, mutations: Callable[[bytes, int], list[bytes]]
) -> None:
    for name, parser in (("test_resume.dat", bittorrent_clients.parse_utorrent), ("test_shareazaSearches.dat", shareaza.parse_searches)):
        for copy in mutations(unpacked(f"mixed/iped-apps/{name}").read_bytes(), 40):
            try:
                evidence({"/torrent": copy}).parse(parser, "/torrent")
            except Unrecognised:
                continue


# --- the programs themselves -------------------------------------------------------------------------------------------------------------


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def _torrent(folder: Path) -> tuple[Path, bytes]:
    content = bytes(range(256)) * 40
    (folder / "sample.bin").write_bytes(content)
    torrent = folder / "sample.torrent"
    subprocess.run(["transmission-create", "-o", str(torrent), str(folder / "sample.bin")], check=True, capture_output=True)
    return torrent, content


@pytest.mark.tools
@pytest.mark.slow
def test_qbittorrent_itself(tmp_path: Path, evidence: Any) -> None:
    if shutil.which("qbittorrent-nox") is None or shutil.which("transmission-create") is None:
        pytest.skip("qbittorrent-nox and transmission-create are not installed")
    torrent, content = _torrent(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        ["qbittorrent-nox", f"--profile={tmp_path}/q", f"--webui-port={port}", str(torrent), "--skip-dialog=true", f"--save-path={tmp_path}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    backup = tmp_path / "q/qBittorrent/data/BT_backup"
    for _ in range(100):
        if list(backup.glob("*.fastresume")):
            break
        time.sleep(0.2)
    time.sleep(3)
    _ended(process)
    files = evidence.of_folder(tmp_path)
    made_by = next(path for path in files.contents if path.endswith(".fastresume"))
    (item,), problems = files.parse(bittorrent_clients.parse_libtorrent, made_by)
    assert not problems
    assert (item.name, item.program, item.path) == ("sample.bin", "qBittorrent", f"{tmp_path}/sample.bin")
    assert item.hashes == {"infohash": Path(made_by).stem} and item.time is not NOT_RECORDED
    (listed,), problems = files.parse(torrents.parse, "/sample.torrent")
    assert not problems and listed.hashes == {"sha1": hashlib.sha1(content).hexdigest(), "infohash": Path(made_by).stem}
    logged, _ = files.parse(bittorrent_clients.parse_qbittorrent_log, "/q/qBittorrent/data/logs/qbittorrent.log")
    assert ("sample.bin", "added") in [(entry.name, entry.state) for entry in logged]


@pytest.mark.tools
@pytest.mark.slow
def test_amule_itself(tmp_path: Path, evidence: Any) -> None:
    if shutil.which("amuled") is None:
        pytest.skip("amuled is not installed")
    folder, shared = tmp_path / "amule", tmp_path / "shared"
    shared.mkdir()
    (shared / "picture.jpg").write_bytes(b"harmless" * 1000)

    def run(until: Callable[[], bool]) -> None:
        process = subprocess.Popen(
            ["amuled", f"--config-dir={folder}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"HOME": str(tmp_path)}
        )
        for _ in range(60):
            if process.poll() is not None or until():
                break
            time.sleep(0.25)
        time.sleep(2)
        _ended(process)

    run((folder / "preferences.dat").exists)
    # Without these two the daemon ends at once.
    conf = (folder / "amule.conf").read_text().replace("AcceptExternalConnections=0", "AcceptExternalConnections=1")
    (folder / "amule.conf").write_text(conf.replace("ECPassword=", f"ECPassword={hashlib.md5(b'test').hexdigest()}"))
    (folder / "shareddir.dat").write_text(f"{shared}/\n")
    run(lambda: (folder / "known.met").stat().st_size > 100)
    files = evidence.of_folder(folder, "/home/jo/.aMule")
    (item,), problems = files.parse(emule.parse_known, "/home/jo/.aMule/known.met")
    assert not problems
    assert (item.name, item.size, item.program) == ("picture.jpg", 8000, "aMule")
    assert item.hashes["ed2k"] == subprocess.run(["openssl", "md4", "-provider", "legacy", str(shared / "picture.jpg")], capture_output=True, text=True, check=True).stdout.split()[-1]  # fmt: skip
    assert [fact.value for fact in files.parse(emule.parse_folders, "/home/jo/.aMule/shareddir.dat")[0]] == [f"{shared}/"]


def test_gzip_is_not_mistaken(evidence: Any) -> None:
    with pytest.raises(Unrecognised):
        evidence({"/a.torrent": gzip.compress(b"d4:infode")}).parse(torrents.parse, "/a.torrent")
    assert isinstance(SharedFile(name="x").to_json()["hashes"], dict)
