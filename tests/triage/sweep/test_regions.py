from __future__ import annotations

import random
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from triage.evidence.bytesource import FileBytes
from triage.evidence.sources import open_source
from triage.sweep.regions import Grid, Region, grid, regions

CHANCE = random.Random(2)


def _source(tmp_path: Path, data: bytes) -> FileBytes:
    path = tmp_path / "volume"
    path.write_bytes(data)
    return FileBytes(path)


def test_grids_from_superblocks(tmp_path: Path) -> None:
    ext = bytearray(8192)
    ext[1024 + 56 : 1024 + 58] = b"\x53\xef"
    struct.pack_into("<I", ext, 1024 + 24, 0)
    assert grid(_source(tmp_path, bytes(ext)), "ext4")[:2] == (0, 1024)
    struct.pack_into("<I", ext, 1024 + 24, 2)
    assert grid(_source(tmp_path, bytes(ext)), "ext3")[:2] == (0, 4096)
    hfs = bytearray(8192)
    hfs[1024:1026] = b"H+"
    struct.pack_into(">I", hfs, 1024 + 40, 8192)
    assert grid(_source(tmp_path, bytes(hfs)), "hfs+")[:2] == (0, 4096)
    xfs = b"XFSB" + struct.pack(">I", 512) + bytes(8000)
    assert grid(_source(tmp_path, xfs), "xfs")[:2] == (0, 512)
    apfs = bytes(32) + b"NXSB" + struct.pack("<I", 4096) + bytes(8000)
    assert grid(_source(tmp_path, apfs), "apfs")[:2] == (0, 4096)


@pytest.mark.parametrize("kind", ["ntfs", "fat32", "exfat", "ext4", "hfs+", "apfs", "xfs", "ufs", None])
def test_where_the_grid_is_not_known_every_sector_is_tried(tmp_path: Path, kind: str | None) -> None:
    for data in (b"", bytes(100), bytes(8192), b"\xff" * 8192, CHANCE.randbytes(8192)):
        found: Grid = grid(_source(tmp_path, data), kind)
        assert found[:2] == (0, 512) and "every sector tried" in found.words


@pytest.mark.tools
@pytest.mark.parametrize(
    ("options", "cluster"), [(["-F", "32", "-s", "8"], 4096), (["-F", "16", "-s", "4"], 2048), (["-F", "32", "-s", "1"], 512)]
)
def test_fat_clusters_need_not_lie_on_the_grid_of_the_disk(tmp_path: Path, options: list[str], cluster: int) -> None:
    image = tmp_path / "fat.raw"
    with image.open("wb") as file:
        file.truncate(300 << 20 if "32" in options else 60 << 20)
    subprocess.run(["mkfs.fat", "-a", *options, "-R", "35", str(image)], check=True, capture_output=True)
    (tmp_path / "marker").write_bytes(b"marker" * 10_000)
    subprocess.run(["mcopy", "-i", str(image), str(tmp_path / "marker"), "::marker"], check=True, capture_output=True)
    source = open_source(image)
    (region,) = regions(source)
    place = image.read_bytes().index(b"marker" * 500)
    assert region.step == min(cluster, 4096) and (place - region.start) % region.step == 0
    assert region.volume == "v1" and str(cluster) in region.words
    source.close()


def test_partitions_and_what_lies_between(tmp_path: Path) -> None:
    # An MBR with two partitions that begin at the odd sectors of old systems, and more than a mebibyte between them.
    size = 64 << 20
    disk = bytearray(CHANCE.randbytes(1 << 20) * 64)
    mbr = bytearray(512)
    for number, (first, count) in enumerate([(63, 20_000), (40_000, 50_000)]):
        struct.pack_into("<B3xB3xII", mbr, 446 + 16 * number, 0, 0x83, first, count)
    mbr[510:] = b"\x55\xaa"
    disk[:512] = mbr
    image = tmp_path / "disk.raw"
    image.write_bytes(disk)
    source = open_source(image)
    found = regions(source)
    source.close()
    sizes = {volume.id: (volume.offset, volume.length) for volume in source.volumes()}
    assert {region.volume for region in found} == {*sizes, ""}
    assert all(region.step == 512 for region in found)
    stretches = sorted(
        (sizes[r.volume][0] if r.volume else r.start, (sizes[r.volume][0] if r.volume else r.start) + r.blocks * 4096) for r in found
    )
    assert all(stop <= start for (_, stop), (start, _) in pairwise(stretches)), "no byte twice"
    assert sum(region.blocks * 4096 for region in found) > size - 4096 * 2 * len(found)


def test_a_locked_volume_is_left_out_and_a_folder_has_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert regions(open_source(tmp_path / "folder")) == []
    locked = tmp_path / "locked.raw"
    locked.write_bytes(b"LUKS\xba\xbe" + struct.pack(">H", 1) + b"aes".ljust(32, b"\0") + CHANCE.randbytes(4 << 20))
    source = open_source(locked)
    assert [volume.encrypted for volume in source.volumes()] == ["luks"]
    assert regions(source) == []
    source.close()


def test_wire() -> None:
    region = Region("v1", 512, 4096, 7, "words")
    assert Region(*region.to_wire()) == region
