"""Every image whose file system The Sleuth Kit's own programs could list: the same entries, sizes, allocation and contents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from triage.evidence.bytesource import FileBytes, SliceBytes
from triage.evidence.filesystems.tsk import TskFilesystem
from triage.evidence.images.ewf import open_ewf
from triage.evidence.model import ByteSource, Entry

pytestmark = pytest.mark.specimens

LINE = re.compile(
    r"^(?P<kind>./.) (?P<deleted>\* )?(?P<address>[\d-]+)(?P<realloc>\(realloc\))?:\t(?P<name>.*?)\t"
    r"(?P<modified>\S+ \S+) \(UTC\)\t(?P<accessed>\S+ \S+) \(UTC\)\t(?P<changed>\S+ \S+) \(UTC\)\t(?P<created>\S+ \S+) \(UTC\)\t(?P<size>\d+)\t"
)
LABEL = re.compile(r" *\(Volume Label Entry\)$")
# A deleted directory that was moved before: fls lists its files under each place it ever had, we under the place its ".." names.
MOVED = {
    "bulk_extractor/1mb_fat32.dmg.xz": ("/_NTITL~1/", "/Downloaded from github.com/"),
    "dftt/6-fat-undel.dd.xz": ("/System Volume Information/_restore{A25F48CA-6632-4143-8EF8-3586A84AB5AF}/_P1/",),
}
IMAGES = (
    "bulk_extractor/1mb_fat32.dmg.xz", "bulk_extractor/CFReDS001.E01.xz", "dfir_ntfs/fat12.raw.gz", "dfir_ntfs/fat16.raw.gz",
    "dfir_ntfs/fat16_moved.raw.gz", "dfir_ntfs/fat_dir.raw.gz", "dfir_ntfs/fat_noloop.raw.gz", "dfir_ntfs/fat_unusual_cluster.raw.gz",
    "dfir_ntfs/fat_unusual_label.raw.gz", "dftt/6-fat-undel.dd.xz", "dftt/9-fat-label.dd.xz", "dftt/daylight.dd.xz",
    "dftt/fat-img-kw.dd.xz", "dftt/iso-dirtree1.iso", "dftt/nps-2009-hfsjtest1.image.gen1.dmg.xz", "dfvfs/apm.dmg.xz",
    "dfvfs/ext2.raw.xz", "dfvfs/ext4.raw.xz", "dfvfs/fat12.raw.xz", "dfvfs/hfsplus.raw.xz", "dfvfs/iso9660.raw", "dfvfs/mbr.raw.xz",
    "dissect-fat/exfat.bin.xz", "dissect-fat/fat12.bin.xz", "dissect-fat/fat16.bin.xz", "forensics-samples/fs.exfat.xz",
    "plaso/ext4_with_binaries.dd.xz", "plaso/syslog_image.dd", "plaso/tsk_volume_system.raw.xz", "plaso/ímynd.dd", "sleuthkit/image.dd",
    "sleuthkit/image.iso", "velociraptor/fat_very_small.dd",
)  # fmt: skip
NTFS_IMAGES = (
    "dfir_ntfs/ntfs3.raw.gz", "dfir_ntfs/ntfs3_attrlist.raw.gz", "dfir_ntfs/ntfs_index.raw.gz", "dfvfs/ntfs.raw.xz",
    "dissect-ntfs/ntfs.bin.gz", "plaso/multi_partition_image.vmdk.xz", "sleuthkit/imageformat_mmls_1.E01", "velociraptor/partition_image.E01",
)  # fmt: skip
# What fls finds in the middle of files of an exFAT volume and takes for deleted entries: none has the checksum of one.
NO_ENTRIES = "/$OrphanFiles/"


def _sections(text: str) -> list[tuple[int, list[re.Match[str]], dict[str, str]]]:
    """Start sector, listing and MD5 by path of each volume in an answer."""
    found = []
    for part in text.split("## fls -r -p -l -z UTC -o ")[1:]:
        listing, _, rest = part.partition("\n## md5")
        head, *lines = listing.splitlines()
        hashes = dict(
            reversed(line.split("  ", 1)) for line in rest.split("\n## ")[0].splitlines()[1:] if re.match(r"[0-9a-f]{32}  ", line)
        )
        found.append((int(head), [match for line in lines if (match := LINE.match(line))], hashes))
    return found


def _seconds(text: str) -> int | None:
    return None if text.startswith("0000") else int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def _whole(nanoseconds: int | None) -> int | None:
    return None if nanoseconds is None else nanoseconds // 1_000_000_000


def _data(path: Path) -> Path | ByteSource:
    return open_ewf(path).data if path.suffix == ".E01" else path


def _theirs(line: re.Match[str]) -> tuple[str, str, int, bool]:
    return "/" + LABEL.sub("", line["name"]), line["address"], int(line["size"]), not line["deleted"]


def _ours(entry: Entry) -> tuple[str, str, int, bool]:
    # fls prints control characters as ^.
    return re.sub(r"[\x00-\x1f]", "^", entry.path), entry.address, entry.size, entry.allocated


@pytest.mark.parametrize("image", IMAGES)
def test_same_as_fls(image: str, specimens: Path, unpacked: Callable[[str], Path], opened: Any) -> None:
    answer = (specimens / "expected" / "oracle" / f"{image.replace('/', '_')}.txt").read_text("utf-8")
    sections = _sections(answer)
    assert sections
    for sector, lines, hashes in sections:
        o = opened(_data(unpacked(f"images/{image}")), sector * 512)
        listed = {_ours(entry): entry for entry in o.entries if entry.kind != "stream"}
        elsewhere = (*MOVED.get(image, ()), *((NO_ENTRIES,) if o.filesystem.type == "exfat" else ()))
        expected = {_theirs(line): line for line in lines if not f"/{line['name']}".startswith(elsewhere)}
        assert set(listed) == set(expected)
        assert len(expected) == len([entry for entry in o.entries if entry.kind != "stream"])
        for key, line in expected.items():
            entry = listed[key]
            # exFAT, ISO 9660: fls leaves out the recorded offset from UTC. Labels have a modification time only.
            if o.filesystem.type not in ("exfat", "iso9660") and "label" not in entry.flags:
                for which in ("modified", "accessed", "changed"):
                    assert _whole(getattr(entry, which)) == _seconds(line[which]), (key, which)
                # Creation on FAT counts 0 to 199 hundredths; the reference program forgets the whole second of exactly 100.
                assert _whole(entry.created) in (
                    _seconds(line["created"]),
                    (_seconds(line["created"]) or 0) + o.filesystem.type.startswith("fat"),
                )
        for path, digest in hashes.items():
            (entry,) = [e for e in o.entries if e.path == LABEL.sub("", path) and e.allocated]
            if entry.kind == "link":
                # Of a short ext link the reference program gives as many zeros as the target has letters.
                assert o.content(entry).decode() == entry.link_target
            else:
                assert o.md5(entry) == digest, path
        assert o.gaps == []


@pytest.mark.parametrize("image", NTFS_IMAGES)
def test_ntfs_fallback_same_as_fls(image: str, specimens: Path, unpacked: Callable[[str], Path]) -> None:
    answer = (specimens / "expected" / "oracle" / f"{image.replace('/', '_')}.txt").read_text("utf-8")
    for sector, lines, hashes in _sections(answer):
        image_data = _data(unpacked(f"images/{image}"))
        data = FileBytes(image_data) if isinstance(image_data, Path) else image_data
        filesystem = TskFilesystem(SliceBytes(data, sector * 512, data.size - sector * 512), "ntfs", None)
        listed = {_ours(entry): entry for batch in filesystem.entries() for entry in batch}
        # fls shows only the named streams of a file without content of its own; we show the file too.
        bare = {
            ("/$Extend/$ObjId", "25", 0, True),
            ("/$Extend/$Quota", "24", 0, True),
            ("/$Extend/$Reparse", "26", 0, True),
            ("/$Secure", "9", 0, True),
        }
        assert set(listed) - bare == {_theirs(line) for line in lines}
        assert bare <= set(listed)
        for line in lines:
            # The library of today gives no time for the MFT's own record where the reference program printed one in 2076.
            entry = listed[_theirs(line)]
            if not entry.path.endswith("/$MFT"):
                assert [_whole(t) for t in (entry.modified, entry.accessed, entry.changed, entry.created)] == [
                    _seconds(line[which]) for which in ("modified", "accessed", "changed", "created")
                ], entry.path
        by_path = {entry.path: entry for entry in listed.values() if entry.allocated}
        for path, digest in hashes.items():
            stream = filesystem.open(by_path[path])
            assert hashlib.md5(stream.read()).hexdigest() == digest, path
            assert stream.read_errors == []  # type: ignore[attr-defined]
        assert filesystem.problems == []
        filesystem.close()
        data.close()
