"""The published facts about the specimens (EXPECTED.md, items 1, 3, 4, 6 to 11, 14): contents, deleted files, labels, times."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Status
from triage.evidence.bytesource import FileBytes
from triage.evidence.filesystems import identify, open_filesystem
from triage.evidence.filesystems.apfs import container_volumes
from triage.evidence.model import Entry, Volume

pytestmark = pytest.mark.specimens
Unpack = Callable[[str], Path]

TREE = {
    "/passwords.txt": "39cb097008d17660abd0539891a672af",
    "/a_directory/a_file": "85bebf486af24792085f769afa46717d",
    "/a_directory/another_file": "d54ff73404ed6041a3bd66850b061bff",
}


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("image", "kind", "label"),
    [
        ("dfvfs/ext2.raw.xz", "ext2", "ext2_test"), ("dfvfs/ext4.raw.xz", "ext4", "ext4_test"), ("dfvfs/fat12.raw.xz", "fat12", "FAT12_TEST"),
        ("dfvfs/ntfs.raw.xz", "ntfs", "ntfs_test"), ("dfvfs/hfsplus.raw.xz", "hfs+", "hfsplus_test"), ("dfvfs/apfs.raw.xz", "apfs", "apfs_test"),
        ("dfvfs/xfs.raw.xz", "xfs", "xfs_test"), ("sleuthkit/image.dd", "ext2", None),
    ],
)  # fmt: skip
def test_same_tree_on_every_file_system(image: str, kind: str, label: str | None, unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked(f"images/{image}"))
    assert (o.filesystem.type, o.filesystem.label) == (kind, label)
    assert TREE.items() <= o.files().items()
    assert o.gaps == []
    for path, digest in TREE.items():
        found = o.filesystem.lookup(path)
        assert found == o.one(path)
        assert o.md5(found) == digest
    if kind != "ntfs":
        with pytest.raises(OSError, match="is not an entry of this file system"):
            o.filesystem.open(Entry("/elsewhere", "file", 1, "a/folder/path"))
    links = [e for e in o.entries if e.path == "/a_link"]
    if kind != "fat12":
        assert len(links) == 1
    if links and kind != "ntfs":
        assert (links[0].kind, links[0].link_target) == ("link", "a_directory/another_file")
    assert [e.name for e in o.filesystem.children("/a_directory")][:2] in (["a_file", "another_file"], ["a_file", "a_resourcefork"])
    assert all(e.created and not e.local_times for e in o.entries if e.path in TREE and kind not in ("ext2", "fat12"))


def test_undeleted_from_fat(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dftt/6-fat-undel.dd.xz"))
    deleted = {e.path: e for e in o.entries if not e.allocated and e.kind == "file"}
    # The first letter of a short name is lost on deletion; the library writes _.
    found = {path: (e.size, e.content, o.md5(e)) for path, e in deleted.items()}
    # Fragments that lay between other deleted files: frag3 comes back, frag1 and frag2 do not, and all are called a guess.
    assert {path: value for path, value in found.items() if not path.startswith(("/_rag1", "/_rag2"))} == {
        "/_ing.dat": (780, "recoverable", "59b20779f69ff9f0ac5fcd2c38835a79"),
        "/_ult1.dat": (3801, "guess", "ffd27bd782bdce67750b6b9ee069d2ef"),
        "/_ir1/mult2.dat": (1715, "guess", "59cf0e9cd107bc1e75afb7374f6e05bb"),
        "/_ir1/dir2/frag3.dat": (2027, "guess", "21121699487f3fbbdb9a4b3391b6d3e0"),
    }
    assert {path: value[:2] for path, value in found.items() if path.startswith(("/_rag1", "/_rag2"))} == {
        "/_rag1.dat": (1584, "guess"),
        "/_rag2.dat": (3873, "guess"),
    }
    assert [e.path for e in o.entries if not e.allocated and e.kind == "directory" and "reused" not in e.flags] == [
        "/_ir1", "/System Volume Information", "/_ir1/dir2", "/System Volume Information/_restore{A25F48CA-6632-4143-8EF8-3586A84AB5AF}",
    ]  # fmt: skip
    assert o.gaps == []


def test_local_times_of_fat_in_any_time_zone(unpacked: Unpack, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    for zone in ("UTC", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            o = opened(unpacked("images/dftt/daylight.dd.xz"))
        finally:
            monkeypatch.undo()
            time.tzset()
        winter, summer = o.one("/winter.txt"), o.one("/summer.txt")
        assert (winter.modified, winter.local_times) == (_ns("2004-01-01T14:00:02"), True)
        assert (summer.modified, summer.local_times) == (_ns("2004-06-01T15:00:04"), True)


def test_label_entry_with_content(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dftt/9-fat-label.dd.xz"))
    assert o.filesystem.label == "LABEL2"
    hidden = o.one("/LABEL2")
    assert (hidden.kind, hidden.flags, o.md5(hidden)) == ("file", ("label",), "8071eeaa52cd372a9bbb093e348e605c")
    assert o.md5(o.one("/dir1/FILE2   DLL")) == "8aeca328aa6fbb7d2ec01f8c2f3e4bbd"


def test_both_trees_of_a_disc(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dftt/iso-dirtree1.iso"))
    assert (o.filesystem.type, o.filesystem.label) == ("iso9660", "ISO9660 Orphan Test 1")
    assert o.content(o.one("/File2.txt")) == b"Goodbye. I am file #2. \n"
    (first,) = [e for e in o.entries if e.orphan]
    assert (o.content(first), first.content, first.allocated) == (b"Hello. I am file #1.\n", "recoverable", False)
    # Recorded at 10:13:07 and 10:12:55 five hours behind UTC.
    assert (o.one("/File2.txt").created, first.created, first.local_times) == (
        _ns("2010-02-22T15:13:07"),
        _ns("2010-02-22T15:12:55"),
        False,
    )


def test_hfsplus_with_journal(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dftt/nps-2009-hfsjtest1.image.gen1.dmg.xz"))
    assert (o.filesystem.type, o.filesystem.label) == ("hfs+", "image")
    assert {path: digest for path, digest in o.files().items() if path.endswith(".txt")} == {
        "/file1.txt": "fdb2cbe03eadd06158b0d3acd17d62aa",
        "/file2.txt": "476b30654f28faa9c46f5876c9d1ae5b",
    }
    assert o.gaps == []


def test_exfat_allocated_and_deleted(specimens: Path, unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/forensics-samples/fs.exfat.xz"), 2048 * 512)
    rows = [line.split("\t") for line in (specimens / "expected/forensics-samples-hashes.tsv").read_text().splitlines()[1:]]
    original = {(row[0].removeprefix("original-files"), row[2], row[5] == "allocated") for row in rows}
    assert len(original) == 36
    listed = {(e.path, o.md5(e), e.allocated): e for e in o.entries if e.kind == "file" and not e.path.startswith("/$")}
    assert set(listed) == original
    assert {e.content for e in listed.values() if not e.allocated} == {"recoverable"}
    # 05:26:49 by the clock, at UTC: the record states its offset.
    assert (o.one("/audio1").created, o.one("/audio1").local_times) == (_ns("2020-10-27T05:26:49") + 490_000_000, False)
    assert [e.path for e in o.entries if not e.allocated and e.kind == "directory"] == ["/audio2", "/movie2", "/pic2", "/text2"]
    # What the library takes for deleted entries in the middle of files fails the entry set's checksum.
    assert [e.path for e in o.entries if e.orphan] == []
    assert o.gaps == []


def test_apfs_container(unpacked: Unpack) -> None:
    with_volume = FileBytes(unpacked("images/dfvfs/apfs.raw.xz"))
    (volume,) = container_volumes(with_volume)
    assert (volume.index, volume.name, volume.uuid, volume.encrypted) == (0, "apfs_test", "458ed10d-8ac3-4af1-8dfd-3954d151a3f3", False)
    with_volume.close()


def test_encrypted_apfs(unpacked: Unpack, opened: Any) -> None:
    path = unpacked("images/dfvfs-encrypted-and-vss/apfs_encrypted.dmg.xz")
    start, length = 40 * 512, 8112 * 512
    for secrets in ((), ("wrong",)):
        with pytest.raises(OSError, match="encrypted"):
            opened(path, start, length, secrets)
    o = opened(path, start, length, ("wrong", "apfs-TEST"))
    assert o.files()["/passwords.txt"] == TREE["/passwords.txt"]
    assert all(e.runs is None for e in o.entries), "the runs of an encrypted volume hold no plain content"
    assert [p.status for p in o.filesystem.problems] == [Status.SKIPPED]


@pytest.mark.parametrize(("image", "label"), [("fat12.bin.xz", "VOLLAB1"), ("fat16.bin.xz", "LABFAT16")])
def test_small_fat(image: str, label: str, unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked(f"images/dissect-fat/{image}"))
    assert (o.filesystem.type, o.filesystem.label) == (image[:5], label)
    assert {e.path: e.size for e in o.entries if e.kind == "file" and e.allocated} == {
        "/file1.txt": 20,
        "/file2.txt": 23,
        "/subdir1/file3.txt": 27,
    }
    assert o.filesystem.lookup("/SUBDIR1/FILE3.TXT") == o.one("/subdir1/file3.txt")


def test_exfat_offsets_from_utc(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dissect-fat/exfat.bin.xz"))
    assert o.filesystem.label == "THESIS"
    assert (o.one("/cat.jpg").size, o.one("/find_me.txt").size) == (88786, 9)
    # 10:32:08 on a clock two hours ahead of UTC.
    assert (o.one("/cat.jpg").modified, o.one("/cat.jpg").local_times) == (_ns("2019-04-17T08:32:08"), False)
    assert {e.path for e in o.entries if e.kind == "directory"} == {"/directory", "/System Volume Information"}


@pytest.mark.parametrize("name", ["fat12", "fat16"])
def test_path_and_time_of_every_file(name: str, specimens: Path, unpacked: Unpack, opened: Any) -> None:
    lines = (specimens / f"images/dfir_ntfs/{name}_full_test.txt").read_text().splitlines()
    expected = {path: _ns(stamp.replace("+", "T")[:19]) for path, stamp in (line.rsplit(maxsplit=1) for line in lines)}
    o = opened(unpacked(f"images/dfir_ntfs/{name}.raw.gz"))
    listed = {e.path: e for e in o.entries if "virtual" not in e.flags and e.kind != "other"}
    assert set(listed) == set(expected)
    # The list was made three hours ahead of the clock that wrote the volume.
    assert {path: e.modified + 3 * 3600 * 1_000_000_000 for path, e in listed.items()} == expected
    assert o.gaps == []


def test_tiny_fat(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/velociraptor/fat_very_small.dd"))
    hello = o.one("/a/b/hello.txt")
    assert (hello.size, o.md5(hello), hello.modified, hello.local_times) == (
        12,
        "6f5902ac237024bdd0c176cb93063dc4",
        _ns("2023-09-23T09:33:48"),
        True,
    )


def test_sectors_counted_in_64_bits(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dfir_ntfs/fat64.raw.gz"), 2048 * 512, 129024 * 512)
    assert (o.filesystem.type, o.one("/test/test.test").kind) == ("fat32", "file")
    assert o.gaps == []


def test_ntfs_large_and_resident(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/dissect-ntfs/ntfs.bin.gz"))
    assert o.filesystem.label == "New Volume"
    assert o.content(o.one("/File.txt")) == b"Contents here"
    assert hashlib.md5(o.content(o.one("/Large.txt"))).hexdigest() == hashlib.md5(b"A" * 2097152).hexdigest()
    assert len(o.filesystem.children("/Large Directory")) == 2048


def test_moved_directory_lists_its_files_once(unpacked: Unpack, opened: Any) -> None:
    o = opened(unpacked("images/bulk_extractor/1mb_fat32.dmg.xz"), 512, 2016 * 512)
    assert [e.path for e in o.entries if e.address == "28086"] == ["/.Trashes/505/Downloaded from github.com/ReadMe.md"]
    assert o.one("/Downloaded from github.com").flags == ("reused",)


def test_recognised_but_not_readable(unpacked: Unpack) -> None:
    data = FileBytes(unpacked("images/dfvfs/hfs.raw.xz"))
    assert identify(data) == ("hfs", "hfs_test")
    with pytest.raises(OSError, match="hfs is recognised but this program cannot read it"):
        open_filesystem(data, Volume("v1", 0, data.size, "none"))
    data.close()
