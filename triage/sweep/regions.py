"""What of a source is sampled, and on which grid.

A reference file's blocks lie on a disk where its clusters lie: on the grid of the file system, which need not be that of the disk. Where
clusters are smaller than a block, or the grid is not known, every position of a block is tried at which a file can start (multiples of
the cluster, at least a sector of 512 bytes).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from artefacts.coverage import Status
from triage.evidence.filesystems import fat
from triage.evidence.model import ByteSource, Source, Volume
from triage.evidence.ntfs import boot
from triage.sweep.sampling import BLOCK

SECTOR = 512


class Grid(NamedTuple):
    """Where files can start on a volume: at ``origin`` + any multiple of ``step`` bytes. ``words`` say how that is known."""

    origin: int
    step: int
    words: str


class Region(NamedTuple):
    """``blocks`` blocks of a volume ("" for the medium itself) from byte ``start``; a block may begin at any multiple of ``step`` in it."""

    volume: str
    start: int
    step: int
    blocks: int
    words: str

    def to_wire(self) -> list[Any]:
        """As JSON values."""
        return list(self)


def regions(source: Source) -> list[Region]:
    """Everything of a source that can be sampled, no byte twice: volumes without others inside, unlocked where they were locked, and the
    parts of the medium in no volume. Locked volumes are left out."""
    data = source.bytes
    if data is None:
        return []
    volumes = source.volumes()
    out: list[Region] = []
    covered: list[tuple[int, int]] = []
    for volume in volumes:
        top = "." not in volume.id
        place = (volume.offset, volume.offset + volume.length)
        if top and any(start <= place[0] and place[1] <= end for start, end in covered):
            continue  # listed by two partition tables
        if top:
            covered.append(place)
        if not _is_sampled(volume, volumes):
            continue
        content = source.volume_bytes(volume)
        found = grid(content, volume.filesystem)
        out.append(_region(volume.id, found.origin, content.size, found.step, found.words))
    out += [_region("", start, end, SECTOR, "in no volume: every sector tried") for start, end in _uncovered(covered, data.size)]
    return [region for region in out if region.blocks]


def _region(volume: str, start: int, end: int, step: int, words: str) -> Region:
    return Region(volume, start, step, max(0, end - start) // BLOCK, words)


def _is_sampled(volume: Volume, volumes: list[Volume]) -> bool:
    if volume.length <= 0 or (volume.status is Status.ENCRYPTED and volume.encrypted != "possible container"):
        return False
    if volume.scheme in ("vss", "apfs container"):
        return False  # their bytes lie in the volume that holds them
    inside = [other for other in volumes if other.id.startswith(volume.id + ".")]
    return all(other.scheme in ("vss", "apfs container") for other in inside)


def _uncovered(covered: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    out, at = [], 0
    for start, end in [*sorted(covered), (size, size)]:
        if start - at >= BLOCK:
            out.append((at, min(start, size)))
        at = max(at, end)
    return out


def grid(data: ByteSource, filesystem: str | None) -> Grid:
    """Where the files of a volume can start, from its boot sector or superblock; every sector where that does not say."""
    read = _READERS.get(_family(filesystem))
    try:
        found = read(data) if read else None
    except (OSError, ValueError, struct.error, IndexError):
        found = None
    if found is None:
        return Grid(0, SECTOR, "no grid of clusters is known: every sector tried")
    origin, cluster = found
    step = BLOCK if cluster >= BLOCK else cluster
    if cluster < SECTOR or cluster & (cluster - 1) or not 0 <= origin < data.size:
        return Grid(0, SECTOR, "its size of clusters is not credible: every sector tried")
    where = f"clusters of {cluster} bytes from byte {origin}"
    return Grid(origin % step if step < BLOCK else origin % BLOCK, step, where if step == BLOCK else f"{where}: every {step} bytes tried")


def _family(filesystem: str | None) -> str:
    name = (filesystem or "").lower()
    return next((family for family in _READERS if name.startswith(family)), "")


def _ntfs(data: ByteSource) -> tuple[int, int]:
    return 0, boot.parse(data.read_at(0, 512)).cluster_size


def _fat(data: ByteSource) -> tuple[int, int] | None:
    layout = fat.read_layout(data)
    return None if layout is None else (layout.data, layout.cluster)


def _ext(data: ByteSource) -> tuple[int, int] | None:
    """Block size: 1024 shifted by ``s_log_block_size``. Format: https://docs.kernel.org/filesystems/ext4/super.html"""
    head = data.read_at(1024, 64)
    return (0, 1024 << min(struct.unpack_from("<I", head, 24)[0], 20)) if head[56:58] == b"\x53\xef" else None


def _hfs(data: ByteSource) -> tuple[int, int] | None:
    """``blockSize`` of the volume header. Format: Apple Technical Note TN1150. A wrapper of plain HFS has another header there."""
    head = data.read_at(1024, 64)
    return (0, struct.unpack_from(">I", head, 40)[0]) if head[:2] in (b"H+", b"HX") else None


def _apfs(data: ByteSource) -> tuple[int, int] | None:
    """``nx_block_size`` of the container. Format: Apple File System Reference, nx_superblock_t."""
    head = data.read_at(0, 64)
    return (0, struct.unpack_from("<I", head, 36)[0]) if head[32:36] == b"NXSB" else None


def _xfs(data: ByteSource) -> tuple[int, int] | None:
    """``sb_blocksize``. Format: XFS Algorithms and Data Structures, superblock."""
    head = data.read_at(0, 64)
    return (0, struct.unpack_from(">I", head, 4)[0]) if head[:4] == b"XFSB" else None


def _iso(data: ByteSource) -> tuple[int, int]:
    return 0, 2048


_READERS: dict[str, Callable[[ByteSource], tuple[int, int] | None]] = {
    "ntfs": _ntfs, "fat": _fat, "exfat": _fat, "ext": _ext, "hfs": _hfs, "apfs": _apfs, "xfs": _xfs, "iso": _iso,
}  # fmt: skip
