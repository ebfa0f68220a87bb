"""Recognising file systems by what the formats put where."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from triage.evidence.bytesource import FileBytes
from triage.evidence.filesystems import identify, open_filesystem
from triage.evidence.model import Volume


def _image(path: Path, *pieces: tuple[int, bytes], size: int = 2 << 20) -> FileBytes:
    with path.open("wb") as file:
        file.truncate(size)
        for offset, piece in pieces:
            file.seek(offset)
            file.write(piece)
    return FileBytes(path)


SIGNATURES = {
    "refs": ((3, b"ReFS\0\0\0\0"),),
    "btrfs": ((65536 + 64, b"_BHRfS_M"), (65536 + 299, b"a label")),
    "f2fs": ((1024, b"\x10\x20\xf5\xf2"), (1024 + 124, "a label".encode("utf-16-le"))),
    "swap": ((4086, b"SWAPSPACE2"), (1052, b"a label")),
    "squashfs": ((0, b"hsqs"),),
    "udf": ((32768, b"\0BEA01\1"), (34816, b"\0NSR03\1")),
    "ufs1": ((8192 + 1372, struct.pack("<I", 0x11954)),),
    "ufs2": ((65536 + 1372, struct.pack(">I", 0x19540119)), (65536 + 680, b"a label")),
    "jfs": ((32768, b"JFS1"),),
    "reiserfs": ((65588, b"ReIsEr2Fs"),),
    "zfs": ((131072, struct.pack("<Q", 0xBAB10C)),),
    "erofs": ((1024, struct.pack("<I", 0xE0F5E1E2)),),
    "ext journal": ((1024 + 56, b"\x53\xef"), (1024 + 96, struct.pack("<I", 8))),
}
LABELLED = {"btrfs", "f2fs", "swap", "ufs2"}


@pytest.mark.parametrize("kind", SIGNATURES)
def test_by_signature(kind: str, tmp_path: Path) -> None:
    data = _image(tmp_path / "image", *SIGNATURES[kind])
    assert identify(data) == (kind, "a label" if kind in LABELLED else None)
    if not kind.startswith("ufs"):
        with pytest.raises(OSError, match=f"{kind} is recognised but this program cannot read it"):
            open_filesystem(data, Volume("v1", 0, data.size, "none"))
    data.close()


@pytest.mark.tools
@pytest.mark.parametrize(
    ("command", "size", "found"),
    [
        (("mkfs.ext4", "-q", "-L", "one"), 8 << 20, ("ext4", "one")),
        (("mkfs.ext3", "-q", "-L", "one"), 8 << 20, ("ext3", "one")),
        (("mkfs.ext2", "-q"), 8 << 20, ("ext2", None)),
        (("mkfs.vfat", "-F", "32", "-n", "ONE"), 64 << 20, ("fat32", "ONE")),
        (("mkfs.vfat", "-F", "16"), 16 << 20, ("fat16", None)),
        (("mkfs.vfat", "-F", "12", "-S", "4096"), 4 << 20, ("fat12", None)),
        (("mkfs.exfat", "-L", "one"), 8 << 20, ("exfat", "one")),
        (("mkntfs", "-q", "-F", "-L", "one"), 8 << 20, ("ntfs", "one")),
        (("mkfs.xfs", "-q", "-L", "one"), 320 << 20, ("xfs", "one")),
        (("mkswap", "-L", "one"), 1 << 20, ("swap", "one")),
    ],
    ids=lambda value: "-".join(value[:1]) if isinstance(value, tuple) else "",
)
def test_as_made_by_its_own_program(command: tuple[str, ...], size: int, found: tuple[str, str | None], tmp_path: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    data = _image(tmp_path / "image", size=size)
    subprocess.run([*command, str(tmp_path / "image")], check=True, capture_output=True)
    assert identify(data) == found
    data.close()


def test_a_boot_sector_without_a_file_system(tmp_path: Path) -> None:
    data = _image(tmp_path / "image", (0, b"\xeb\x3c\x90MSDOS5.0"), (510, b"\x55\xaa"))
    assert identify(data) is None
    data.close()


def test_labels_that_are_damaged_cost_only_themselves(tmp_path: Path) -> None:
    ntfs = bytearray(512)
    ntfs[3:11] = b"NTFS    "
    struct.pack_into("<HB", ntfs, 11, 512, 8)
    struct.pack_into("<QQb", ntfs, 48, 1 << 60, 0, -10)
    data = _image(tmp_path / "image", (0, bytes(ntfs)))
    assert identify(data) == ("ntfs", None)
    data.close()
    hfs = bytearray(512)
    struct.pack_into(">2sH", hfs, 0, b"H+", 4)
    struct.pack_into(">I", hfs, 40, 4096)
    data = _image(tmp_path / "image", (1024, bytes(hfs)))
    assert identify(data) == ("hfs+", None)
    data.close()
