"""Every NTFS volume among the specimens: the same listing as The Sleuth Kit's, the published content, no problems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.evidence.bytesource import FileBytes
from triage.evidence.model import Entry
from triage.evidence.ntfs.mft_file import read_mft_file

pytestmark = pytest.mark.specimens

VOLUMES = [
    ("images/dfvfs/ntfs.raw.xz", 0, 32),
    ("images/dfvfs-encrypted-and-vss/vss.raw.xz", 0, 44),
    ("images/dissect-ntfs/ntfs.bin.gz", 0, 2298),
    ("images/dfir_ntfs/ntfs3.raw.gz", 0, 31),
    ("images/dfir_ntfs/ntfs3_attrlist.raw.gz", 0, 127),
    ("images/dfir_ntfs/ntfs_index.raw.gz", 65536, 65),
    ("images/plaso/multi_partition_image.vmdk.xz", 65536, 24),
    ("images/plaso/multi_partition_image.vmdk.xz", 5_308_416, 24),
]


@pytest.mark.parametrize(("name", "offset", "count"), VOLUMES)
def test_listing_equals_the_sleuth_kits(
    unpacked: Callable[[str], Path], ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]], same_as_tsk: Callable[..., None],
    name: str, offset: int, count: int,
) -> None:  # fmt: skip
    image = unpacked(name)
    with ntfs(image, offset) as fs:
        entries = entries_of(fs)
        assert fs.problems == []
    assert len(entries) == count
    assert len({(entry.path, entry.address, entry.allocated) for entry in entries}) == count
    same_as_tsk(image, entries, offset)


@pytest.mark.parametrize(("name", "offset", "count"), VOLUMES)
def test_looking_up_finds_what_listing_finds(
    unpacked: Callable[[str], Path], ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]], name: str, offset: int, count: int
) -> None:
    image = unpacked(name)
    with ntfs(image, offset) as fs:
        entries = [entry for entry in entries_of(fs) if entry.allocated and not entry.orphan]
    with ntfs(image, offset) as fs:
        step = max(len(entries) // 200, 1)
        # Found in the $MFT but not in its directory's index, which a crafted volume had cut out.
        missing = {entry.path for entry in entries[::step] if fs.lookup(entry.path) is None} - {"/test/1.txt"}
        assert missing == set()
        for entry in entries[::step]:
            found = fs.lookup(entry.path.swapcase())
            if found is not None:
                found.content = entry.content
                assert found == entry
        folder = next(entry for entry in entries if entry.kind == "directory" and entry.path.count("/") == 1)
        direct = sorted(entry.path for entry in entries if entry.path.rpartition("/")[0] == folder.path and entry.kind != "stream")
        assert set(direct) - {"/test/1.txt"} == {entry.path for entry in fs.children(folder.path)}
        assert fs.children("/no such folder") == []
        assert fs.lookup("/no such file") is None


def digest(fs: Any, path: str) -> str:
    with fs.open(fs.lookup(path)) as stream:
        content = stream.read()
        assert stream.read_errors == []
    return hashlib.md5(content).hexdigest()


def test_published_content(unpacked: Callable[[str], Path], ntfs: Callable[..., Any]) -> None:
    with ntfs(unpacked("images/dfvfs/ntfs.raw.xz")) as fs:
        assert (fs.type, fs.label) == ("ntfs", "ntfs_test")
        assert digest(fs, "/passwords.txt") == "39cb097008d17660abd0539891a672af"
        assert digest(fs, "/a_directory/a_file") == "85bebf486af24792085f769afa46717d"
        assert digest(fs, "/a_directory/another_file") == "d54ff73404ed6041a3bd66850b061bff"
    image = unpacked("images/plaso/multi_partition_image.vmdk.xz")
    with ntfs(image, 65536) as fs:
        assert digest(fs, "/file1.txt") == "704d282e81a6976fa011ba6f44501eed"
    with ntfs(image, 5_308_416) as fs:
        assert fs.lookup("/$MFT").created == 1431651626892597900


def test_dissect_volume(unpacked: Callable[[str], Path], specimens: Path, ntfs: Callable[..., Any]) -> None:
    facts = next(
        item["facts"]
        for item in json.loads((specimens / "expected" / "test_facts.json").read_text(encoding="utf-8"))
        if item["path"] == "images/dissect-ntfs/ntfs.bin.gz"
    )  # fmt: skip
    with ntfs(unpacked("images/dissect-ntfs/ntfs.bin.gz")) as fs:
        assert fs.label == facts["volume_name"] == "New Volume"
        geometry = fs.geometry
        assert (geometry.sector_size, geometry.cluster_size, geometry.record_size) == (512, 4096, 1024)
        with fs.open(fs.lookup("/File.txt")) as stream:
            assert stream.read() == b"Contents here"
        large = fs.lookup("/Large.txt")
        assert "compressed" in large.flags and large.runs is None
        with fs.open(large) as stream:
            assert stream.read() == b"A" * 2_097_152
            assert stream.read_errors == []
        assert len(fs.children("/Large Directory")) == 2048


def test_content_of_every_file_equals_the_sleuth_kits(
    unpacked: Callable[[str], Path], ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]]
) -> None:
    pytsk3 = pytest.importorskip("pytsk3")
    for name, offset, _ in VOLUMES:
        image = unpacked(name)
        other = pytsk3.FS_Info(pytsk3.Img_Info(str(image)), offset=offset)
        with ntfs(image, offset) as fs:
            entries = [
                entry for entry in entries_of(fs) if entry.kind in ("file", "stream") and 0 < entry.size < 1 << 23 and entry.allocated
            ]
            for entry in entries[:: max(len(entries) // 60, 1)]:
                inode, kind, number = (int(part) for part in entry.address.split("-"))
                with fs.open(entry) as stream:
                    content = stream.read()
                if entry.path == "/$BadClus:$Bad":
                    assert content.strip(b"\0") == b""  # all holes: The Sleuth Kit reads nothing at all
                    continue
                assert content == other.open_meta(inode=inode).read_random(0, entry.size, kind, number), entry.path


def test_links_are_links(unpacked: Callable[[str], Path], ntfs: Callable[..., Any]) -> None:
    with ntfs(unpacked("images/dfvfs-encrypted-and-vss/vss.raw.xz")) as fs:
        link = fs.lookup("/a_link")
        assert (link.kind, link.link_target) == ("link", "x:\\a_directory\\another_file")


@pytest.mark.parametrize("name", ["4k-large.mft.xz", "unicode.mft"])
def test_lone_mft_against_its_listing(unpacked: Callable[[str], Path], specimens: Path, name: str) -> None:
    listing = specimens / "images" / "dfir_ntfs" / f"{name.split('.')[0]}.fls"
    wanted = set()
    for line in listing.read_text(encoding="utf-8").splitlines():
        head, path, *rest = line.split("\t")
        if path != "$OrphanFiles":  # a directory of The Sleuth Kit's own making
            wanted.add((f"/{path}", head.split()[-1].rstrip(":"), int(rest[4]), "*" not in head))
    found = read_mft_file(FileBytes(unpacked(f"images/dfir_ntfs/{name}")))
    assert {(entry.path, entry.address, entry.size, entry.allocated) for entry in found.entries()} == wanted
    assert found.problems == []


def test_lone_mfts(unpacked: Callable[[str], Path]) -> None:
    found = read_mft_file(FileBytes(unpacked("images/dissect-ntfs/mft.bin.gz")))
    assert int((found.table.status != 0).sum()) == 37
    assert {entry.address.split("-")[0]: entry.path for entry in found.entries()}["4"] == "/$AttrDef"
    entries = {entry.path: entry for entry in read_mft_file(FileBytes(unpacked("images/dfir_ntfs/deleted.mft"))).entries()}
    deep = entries["/1/2/3/4/file.txt"]
    assert (deep.allocated, deep.orphan, deep.size, deep.content, deep.runs) == (False, False, 3, "recoverable", None)
    link = {entry.path: entry for entry in read_mft_file(FileBytes(unpacked("images/dfir_ntfs/different_la.mft"))).entries()}["/link.txt"]
    assert (link.kind, link.link_target, link.allocated) == ("link", "target.txt", False)
    for name in ("compressed_sparse", "mapping_pairs_1", "mapping_pairs_2"):
        assert read_mft_file(FileBytes(unpacked(f"images/dfir_ntfs/{name}.mft"))).problems == []
