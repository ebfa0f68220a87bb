"""BSD disklabels: the classical one (FreeBSD, NetBSD, OpenBSD) and DragonFly's disklabel64. Format: sys/disklabel.h, sys/disklabel64.h.

Own reading, because The Sleuth Kit knows neither a label inside a partition, whose offsets may count from the disk or from the
partition, nor disklabel64.
"""

from __future__ import annotations

import struct
import uuid

from triage.evidence.model import ByteSource
from triage.evidence.partitions.table import Partition, PartitionTable

_MAGIC = struct.pack("<I", 0x82564557)
_MAGIC64 = struct.pack("<I", 0xC4464C59)
LABEL_OFFSETS = (512, 64, 0, 128)
"""Where architectures keep the label: sector 1 on PCs, further places inside sector 0."""

TYPES = {
    0: "unused", 1: "swap", 7: "4.2BSD (UFS)", 8: "MS-DOS", 9: "4.4LFS", 11: "HPFS", 12: "ISO 9660", 13: "bootstrap", 14: "vinum", 15: "RAID",
    17: "ext2", 18: "NTFS", 20: "ccd", 22: "HAMMER", 23: "HAMMER2", 27: "ZFS",
}  # fmt: skip


def read(data: ByteSource, base: int = 0) -> PartitionTable | None:
    """The disklabel at the start of ``data``, or None where there is none.

    ``base`` is where ``data`` starts on its disk, in bytes: offsets of a label inside a partition may count from the disk.
    Partitions are returned with offsets inside ``data``.
    """
    if data.read_at(512, 4) == _MAGIC64:
        return _read64(data)
    for offset in LABEL_OFFSETS:
        label = data.read_at(offset, 148 + 16 * 22)
        if label[:4] == _MAGIC and label[132:136] == _MAGIC and len(label) >= 148:
            return _read32(data, label, offset, base)
    return None


def _read32(data: ByteSource, label: bytes, offset: int, base: int) -> PartitionTable:
    stated = struct.unpack_from("<I", label, 40)[0]
    sector = stated if stated in (512, 1024, 2048, 4096) else 512
    table = PartitionTable("bsd", sector)
    count = struct.unpack_from("<H", label, 138)[0]
    if count > 22:
        table.problem(f"the disklabel claims {count} partitions; 22 were read", offset)
        count = 22
    words = struct.unpack_from(f"<{len(label) // 2}H", label)
    checksum = 0
    for word in words[: (148 + 16 * count) // 2]:
        checksum ^= word
    if checksum:
        table.problem("the disklabel's check sum does not hold; it was read nevertheless", offset)
    raw = []
    for slot in range(count):
        if 148 + 16 * slot + 16 > len(label):
            table.problem("the disklabel is cut short", offset)
            break
        length, start, _, kind = struct.unpack_from("<IIIB", label, 148 + 16 * slot)
        if kind and length:
            raw.append((slot + 1, start * sector, length * sector, kind))
    # Counted from the disk where every one lies at or past the place of the label's own partition.
    shift = base if base and raw and all(start >= base for _, start, _, _ in raw) else 0
    for number, start, length, kind in raw:
        table.partitions.append(Partition(number, start - shift, length, "bsd", str(kind), TYPES.get(kind, "unknown type")))
    return table


def _read64(data: ByteSource) -> PartitionTable:
    table = PartitionTable("bsd", 512)
    label = data.read_at(512, 200 + 64 * 16)
    if len(label) < 200:
        table.problem("the disklabel64 is cut short", 512)
        return table
    count = struct.unpack_from("<I", label, 12)[0]
    if count > 16:
        table.problem(f"the disklabel64 claims {count} partitions; 16 were read", 512)
    for slot in range(min(count, 16)):
        raw = label[200 + 64 * slot :][:64]
        if len(raw) < 64:
            table.problem("the disklabel64 is cut short", 512)
            break
        start, length, kind = struct.unpack_from("<QQB", raw)
        if kind and length:
            guid = str(uuid.UUID(bytes_le=raw[48:64]))
            table.partitions.append(Partition(slot + 1, start, length, "bsd", str(kind), TYPES.get(kind, "unknown type"), guid=guid))
    return table
