"""The NTFS boot sector: where the $MFT lies and how big clusters and records are.

Source: Microsoft, "NTFS boot sector" (BPB and extended BPB). Sizes of clusters and records have two encodings each: a plain count and,
for what does not fit, a negative power of two (clusters up to 2 MiB since Windows 10 1709).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from artefacts.coverage import Problem, Status
from triage.evidence.model import ByteSource

_SECTOR_SIZES = (256, 512, 1024, 2048, 4096)
_MAX_CLUSTER = 2 << 20
RECORD_SIZES = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes and positions of a volume, in bytes unless the name says clusters."""

    sector_size: int
    cluster_size: int
    record_size: int
    index_size: int
    mft_cluster: int
    mirror_cluster: int
    volume_size: int
    serial: int

    @property
    def clusters(self) -> int:
        """Number of whole clusters in the volume."""
        return self.volume_size // self.cluster_size


def parse(sector: bytes) -> Geometry:
    """The geometry in a boot sector (at least 512 bytes). Raises ``OSError`` with a plain reason where it is not one of NTFS."""
    if len(sector) < 512 or sector[3:11] != b"NTFS    ":
        raise OSError("no NTFS boot sector")
    sector_size, per_cluster = struct.unpack_from("<HB", sector, 11)
    sectors, mft, mirror = struct.unpack_from("<QQQ", sector, 40)
    record, index = struct.unpack_from("<b3xb", sector, 64)
    (serial,) = struct.unpack_from("<Q", sector, 72)
    if sector_size not in _SECTOR_SIZES:
        raise OSError(f"NTFS boot sector with an impossible sector size of {sector_size}")
    # 129 to 255 are negative powers of two: 0xF4 means 2**12 sectors.
    cluster = sector_size * per_cluster if per_cluster <= 128 else sector_size << min(256 - per_cluster, 40)
    if not sector_size <= cluster <= _MAX_CLUSTER or cluster & (cluster - 1):
        raise OSError(f"NTFS boot sector with an impossible cluster size of {cluster}")
    record_size, index_size = _size(record, cluster), _size(index, cluster)
    if record_size not in RECORD_SIZES:
        raise OSError(f"NTFS boot sector with an impossible record size of {record_size}")
    if index_size not in RECORD_SIZES:
        index_size = 4096
    if not sectors or mft * cluster >= sectors * sector_size:
        raise OSError("NTFS boot sector that puts the $MFT outside the volume")
    return Geometry(sector_size, cluster, record_size, index_size, mft, mirror, sectors * sector_size, serial)


def _size(encoded: int, cluster: int) -> int:
    return encoded * cluster if encoded > 0 else 1 << min(-encoded, 40)


def read(data: ByteSource) -> tuple[Geometry, list[Problem]]:
    """The geometry of the volume in ``data``, by its first sector or else the copy in its last one, and what was wrong.

    Raises ``OSError`` where neither is readable.
    """
    try:
        return parse(data.read_at(0, 512)), []
    except OSError as error:
        reason = str(error)
        first = error
    for sector_size in (512, 4096):
        offset = data.size // sector_size * sector_size - sector_size
        if offset > 0:
            try:
                geometry = parse(data.read_at(offset, 512))
            except OSError:
                continue
            return geometry, [Problem(f"first sector: {reason}; the copy at the end of the volume was used", Status.FAILED, "offset=0")]
    raise first
