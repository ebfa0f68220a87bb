"""Files that are no disks get a reason that helps."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from triage.evidence.bytesource import FileBytes
from triage.evidence.recognise import name_file


def test_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("x", "y")
    assert name_file(FileBytes(tmp_path / "a")) == "this is a ZIP archive; unpack it first"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"FILE0" + bytes(1000), "a single NTFS $MFT"),
        (b"regf" + bytes(1000), "a Windows registry hive"),
        (b"LVF\x09\x0d\x0a\xff\x00", "logical evidence file (L01)"),
        (b"PK\x03\x04..container.description aff4://c0ffee", "AFF4 image"),
        (b"\xfd7zXZ\0", "an xz archive"),
        (bytes(257) + b"ustar\x0000", "a tar archive"),
        (bytes(9999) + b"cdsaencr".ljust(512, b"\0"), "encrypted Apple disk image"),
        (b"name,size\r\nx,1\r\n", "a text file"),
        (b"\x00\x00\x00\x18ftypheic", "MP4 or HEIC"),
    ],
)
def test_by_first_bytes(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert words in (name_file(FileBytes(tmp_path / "a")) or "")


@pytest.mark.parametrize("content", [b"", b"\x01\x02\x03", bytes(5000)])
def test_nothing_known(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert name_file(FileBytes(tmp_path / "a")) is None
