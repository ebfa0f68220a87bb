"""A volume filled through ntfs-3g with what ordinary use leaves behind, compared with The Sleuth Kit and with what was written."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.evidence.model import Entry, Run

pytestmark = [pytest.mark.tools, pytest.mark.slow]

LONG = "n" * 251 + ".txt"
UNICODE = "Ünïcödé — 日本語 😀.txt"
NOISE = random.Random(5).randbytes(300_000)
PIECES = b"".join(bytes([number & 0xFF]) * 4096 for number in range(2500))
TEXT = b"The quick brown fox jumps over the lazy dog. " * 5000


def fill(root: Path) -> None:
    """The state of affairs that the tests below know of."""
    # A full volume of which every second cluster is freed leaves a file in more pieces than one record can describe.
    (root / "filler").mkdir()
    fillers = 0
    with contextlib.suppress(OSError):
        while True:
            (root / "filler" / f"{fillers:06d}").write_bytes(b"f" * 4096)
            fillers += 1
    for number in range(0, fillers, 2):
        (root / "filler" / f"{number:06d}").unlink()
    (root / "pieces.bin").write_bytes(PIECES)
    shutil.rmtree(root / "filler")
    (root / "many").mkdir()
    for number in range(10_000):
        (root / "many" / f"entry number {number:05d}.dat").write_bytes(b"")
    for number in range(0, 10_000, 97):
        (root / "many" / f"entry number {number:05d}.dat").unlink()
    (root / "linked.txt").write_bytes(b"one content, three names")
    (root / "sub").mkdir()
    os.link(root / "linked.txt", root / "sub" / "second.txt")
    os.link(root / "linked.txt", root / "sub" / "third.txt")
    (root / LONG).write_bytes(b"long")
    (root / UNICODE).write_bytes("ünïcödé".encode())
    with open(root / "sparse.bin", "wb") as file:
        file.write(b"head")
        file.seek(3_000_000)
        file.write(b"tail")
    os.setxattr(root / "linked.txt", b"user.Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    os.setxattr(root / "sub", b"user.note", b"a stream of a directory")
    (root / "packed").mkdir()
    os.setxattr(root / "packed", b"system.ntfs_attrib_be", (0x810).to_bytes(4, "big"))
    (root / "packed" / "text.txt").write_bytes(TEXT)
    (root / "packed" / "noise.bin").write_bytes(NOISE)
    (root / "gone").mkdir()
    (root / "gone" / "kept in the record.txt").write_bytes(b"small and deleted")
    (root / "gone" / "kept in clusters.bin").write_bytes(NOISE)
    os.sync()
    shutil.rmtree(root / "gone")
    (root / "old name.txt").write_bytes(b"renamed")
    (root / "old name.txt").rename(root / "new name.txt")


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in ("mkntfs", "ntfs-3g", "mount", "umount"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not Path("/dev/fuse").exists() or os.geteuid() != 0:
        pytest.skip("mounting needs /dev/fuse and root")
    folder = tmp_path_factory.mktemp("mounted")
    image, root = folder / "volume.raw", folder / "root"
    with open(image, "wb") as file:
        file.truncate(48 << 20)
    root.mkdir()
    subprocess.run(["mkntfs", "-Q", "-F", "-q", "-L", "füll", str(image)], check=True, capture_output=True)
    options = "loop,compression,streams_interface=xattr,big_writes"
    if subprocess.run(["mount", "-t", "ntfs-3g", "-o", options, str(image), str(root)], capture_output=True).returncode:
        pytest.skip("ntfs-3g cannot mount here")
    try:
        fill(root)
    finally:
        subprocess.run(["umount", str(root)], check=True)
    return image


def test_equal_to_the_sleuth_kit(
    volume: Path, ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]], same_as_tsk: Callable[..., None]
) -> None:
    with ntfs(volume) as fs:
        assert fs.label == "füll"
        entries = entries_of(fs)
        assert fs.problems == []
    same_as_tsk(volume, entries)
    many = [entry for entry in entries if entry.path.startswith("/many/") and "index" not in entry.flags]
    assert sum(entry.allocated for entry in many) == 10_000 - 104
    assert 90 < sum(not entry.allocated for entry in many) <= 104  # a few records have been used again


def test_what_was_written_is_what_is_read(volume: Path, ntfs: Callable[..., Any]) -> None:
    with ntfs(volume) as fs:
        found = {path: fs.lookup(path) for path in ("/linked.txt", "/sub/second.txt", "/sub/third.txt")}
        assert len({entry.address for entry in found.values()}) == 1
        assert fs.lookup("/linked.txt:Zone.Identifier").kind == "stream"
        assert content(fs, "/linked.txt:Zone.Identifier") == b"[ZoneTransfer]\r\nZoneId=3\r\n"
        assert content(fs, "/sub:note") == b"a stream of a directory"
        assert content(fs, f"/{LONG}") == b"long"
        assert content(fs, f"/{UNICODE}") == "ünïcödé".encode()
        assert [entry.name for entry in fs.children("/sub")] == ["second.txt", "third.txt"]
        assert len(fs.children("/many")) == 10_000 - 104


def content(fs: Any, path: str) -> bytes:
    entry = fs.lookup(path)
    assert entry is not None, path
    with fs.open(entry) as stream:
        found: bytes = stream.read()
        assert stream.read_errors == []
        middle = entry.size // 3
        stream.seek(middle)
        assert stream.read(10_000) == found[middle : middle + 10_000]
    return found


def test_sparse_compressed_and_fragmented(volume: Path, ntfs: Callable[..., Any]) -> None:
    with ntfs(volume) as fs:
        sparse = fs.lookup("/sparse.bin")
        assert sparse.size == 3_000_004 and any(run.offset == -1 for run in sparse.runs)
        assert content(fs, "/sparse.bin") == b"head" + bytes(2_999_996) + b"tail"
        packed = fs.lookup("/packed/text.txt")
        assert "compressed" in packed.flags and packed.runs is None and packed.first_offset > 0
        assert content(fs, "/packed/text.txt") == TEXT
        assert content(fs, "/packed/noise.bin") == NOISE
        pieces = fs.lookup("/pieces.bin")
        assert len(pieces.runs) > 300 and sum(run.length for run in pieces.runs) == len(PIECES)
        assert content(fs, "/pieces.bin") == PIECES


def test_deleted(volume: Path, ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]]) -> None:
    with ntfs(volume) as fs:
        deleted = {entry.path: entry for entry in entries_of(fs) if not entry.allocated}
        small = deleted["/gone/kept in the record.txt"]
        assert (small.content, small.orphan) == ("recoverable", False)
        with fs.open(small) as stream:
            assert stream.read() == b"small and deleted"
        large = deleted["/gone/kept in clusters.bin"]
        assert large.content == "recoverable"
        with fs.open(large) as stream:
            assert stream.read() == NOISE
        # The name is gone from the $MFT; only the unused part of an index block can still know it.
        assert "/old name.txt" not in {entry.path for entry in deleted.values() if "index" not in entry.flags}
        assert fs.lookup("/gone") is None and fs.lookup("/gone/kept in clusters.bin") is None


def test_entries_cross_process_boundaries(volume: Path, ntfs: Callable[..., Any]) -> None:
    with ntfs(volume) as fs:
        entry = Entry.from_wire(fs.lookup("/pieces.bin").to_wire())
        assert isinstance(entry.runs[0], Run)
    with ntfs(volume) as other, other.open(entry) as stream:
        stream.seek(7 * 4096)
        assert stream.read(2) == b"\x07\x07"
