"""Damaged volumes: cut off and with bytes flipped. Nothing raises, nothing hangs, and what is wrong is said."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from triage.evidence.filesystems import identify, open_filesystem
from triage.evidence.model import ReadError, Volume

IMAGES = (
    "dfvfs/ext2.raw.xz", "dfvfs/ext4.raw.xz", "dfvfs/fat12.raw.xz", "dfvfs/hfsplus.raw.xz", "dfvfs/apfs.raw.xz", "dfvfs/xfs.raw.xz",
    "dftt/6-fat-undel.dd.xz", "dissect-fat/exfat.bin.xz", "dftt/iso-dirtree1.iso", "dfvfs/ntfs.raw.xz",
)  # fmt: skip


class Bytes:
    """A volume in memory."""

    def __init__(self, content: bytes, bad: tuple[int, int] = (0, 0)) -> None:
        self._content, self._bad = content, bad
        self.size = len(content)
        self.errors: list[ReadError] = []

    def read_at(self, offset: int, length: int) -> bytes:
        raw = bytearray(self._content[offset : offset + length])
        start, end = max(self._bad[0], offset), min(self._bad[1], offset + len(raw))
        if start < end:
            raw[start - offset : end - offset] = bytes(end - start)
            self.errors.append(ReadError(start, end - start, "input/output error"))
        return bytes(raw)

    def close(self) -> None:
        """Nothing to do."""


def _walk(content: bytes) -> tuple[int, list[str]]:
    """Number of entries and reasons of the problems; -1 where the volume was refused."""
    data = Bytes(content)
    try:
        filesystem = open_filesystem(data, Volume("v1", 0, data.size, "none"))
    except OSError:
        return -1, []
    count = 0
    for batch in filesystem.entries():
        for entry in batch:
            count += 1
            assert entry.path.startswith("/")
            if entry.kind in ("file", "link", "stream") and count < 100:
                try:
                    stream = filesystem.open(entry)
                except OSError:
                    continue
                for _ in range(10):
                    if not stream.read(1 << 16):
                        break
            if count < 20:
                filesystem.lookup(entry.path)
                filesystem.children(entry.path)
    reasons = [problem.reason for problem in filesystem.problems]
    filesystem.close()
    return count, reasons


@pytest.mark.specimens
@pytest.mark.parametrize("image", IMAGES)
def test_flipped_and_cut(image: str, unpacked: Callable[[str], Path]) -> None:
    whole = unpacked(f"images/{image}").read_bytes()
    sound, _ = _walk(whole)
    written = [at for at in range(0, len(whole), 512) if any(whole[at : at + 512])]
    seen = []
    for seed in range(12):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 10, 60))):
            damaged[chance.choice(written) + chance.randrange(512)] = chance.randrange(256)
        if seed % 3 == 0:
            del damaged[chance.randrange(len(damaged) // 2, len(damaged)) :]
        seen.append(_walk(bytes(damaged)))
    assert any(count > 0 for count, _ in seen), "sound parts are still listed"
    assert any(count < 0 or reasons for count, reasons in seen), "damage is said"
    assert all(count <= 10 * sound + 100 for count, _ in seen)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 4096, b"\xff" * 70_000, random.Random(7).randbytes(300_000)], ids=["none", "zeros", "ones", "noise"]
)
def test_no_file_system(content: bytes) -> None:
    data = Bytes(content)
    assert identify(data) is None
    with pytest.raises(OSError, match="no file system is recognised"):
        open_filesystem(data, Volume("v1", 0, data.size, "none"))


@pytest.mark.tools
def test_bad_sectors_are_told(tmp_path: Path) -> None:
    if shutil.which("mke2fs") is None:
        pytest.skip("mke2fs is not installed")
    tree = tmp_path / "tree"
    (tree / "dir").mkdir(parents=True)
    (tree / "dir" / "file").write_bytes(b"x" * 50_000)
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(4 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-b", "1024", "-d", tree, image], check=True)
    content = image.read_bytes()
    good = open_filesystem(Bytes(content), Volume("v1", 0, len(content), "none"))
    entry, directory = good.lookup("/dir/file"), good.lookup("/dir")
    assert entry is not None and directory is not None
    data = Bytes(content, (entry.first_offset + 2048, entry.first_offset + 3072))
    stream = open_filesystem(data, Volume("v1", 0, data.size, "none")).open(entry)
    assert stream.read() == b"x" * 2048 + bytes(1024) + b"x" * (50_000 - 3072)
    assert stream.read_errors == [ReadError(2048, 1024, "input/output error")]  # type: ignore[attr-defined]
    # An unreadable directory must not pass for an empty one.
    data = Bytes(content, (directory.first_offset, directory.first_offset + 1024))
    filesystem = open_filesystem(data, Volume("v1", 0, data.size, "none"))
    assert [e.path for batch in filesystem.entries() for e in batch if e.path.startswith("/dir/")] == []
    assert [p.locator for p in filesystem.problems] == ["/dir"]
