"""MBR partition tables, extended and logical partitions included. Format: the classical IBM PC layout, four 16-byte entries at 446.

Own reading, because The Sleuth Kit refuses the whole table when the image is cut short, never considers 4096-byte sectors, and gives
up a chain of extended partitions at its first bad link.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from triage.evidence.model import ByteSource
from triage.evidence.partitions.table import MAX_PARTITIONS, Partition, PartitionTable

EXTENDED = {0x05, 0x0F, 0x85}
PROTECTIVE = 0xEE

TYPES = {
    0x01: "FAT12", 0x04: "FAT16 below 32 MiB", 0x05: "extended", 0x06: "FAT16", 0x07: "NTFS or exFAT", 0x0B: "FAT32", 0x0C: "FAT32 (LBA)",
    0x0E: "FAT16 (LBA)", 0x0F: "extended (LBA)", 0x11: "hidden FAT12", 0x12: "maker's recovery or diagnostics", 0x14: "hidden FAT16 below 32 MiB",
    0x16: "hidden FAT16", 0x17: "hidden NTFS or exFAT", 0x1B: "hidden FAT32", 0x1C: "hidden FAT32 (LBA)", 0x1E: "hidden FAT16 (LBA)",
    0x27: "Windows recovery", 0x42: "Windows dynamic disk", 0x82: "Linux swap", 0x83: "Linux", 0x84: "hibernation", 0x85: "Linux extended",
    0x8E: "Linux LVM", 0xA5: "FreeBSD", 0xA6: "OpenBSD", 0xA8: "Mac OS X UFS", 0xA9: "NetBSD", 0xAB: "Mac OS X boot", 0xAF: "Mac OS X HFS",
    0xBE: "Solaris boot", 0xBF: "Solaris", 0xEB: "BeOS", 0xEE: "GPT protective", 0xEF: "EFI system", 0xFB: "VMware VMFS", 0xFD: "Linux RAID",
}  # fmt: skip


class Entry(NamedTuple):
    """One of the four entries of a table; ``start`` and ``sectors`` count sectors."""

    slot: int
    flag: int
    type: int
    start: int
    sectors: int


def words(kind: int) -> str:
    """A partition type in English."""
    return TYPES.get(kind, "unknown type")


def entries(sector: bytes) -> list[Entry]:
    """The four entries of a boot sector that are in use; empty without the signature 55 AA."""
    if len(sector) < 512 or sector[510:512] != b"\x55\xaa":
        return []
    found = []
    for slot in range(4):
        flag, kind, start, count = struct.unpack_from("<B3xB3xII", sector, 446 + 16 * slot)
        if kind and count:
            found.append(Entry(slot, flag, kind, start, count))
    return found


def is_boot_sector(sector: bytes) -> bool:
    """True for the boot sector of a FAT, exFAT, NTFS or BitLocker volume, which ends in 55 AA as an MBR does."""
    if len(sector) < 512 or sector[3:11] in (b"NTFS    ", b"EXFAT   ", b"-FVE-FS-"):
        return len(sector) >= 512
    if sector[0] not in (0xEB, 0xE9):
        return False
    bytes_per_sector, sectors_per_cluster, reserved, fats = struct.unpack_from("<HBHB", sector, 11)
    return (
        bytes_per_sector in (512, 1024, 2048, 4096)
        and sectors_per_cluster != 0
        and sectors_per_cluster & (sectors_per_cluster - 1) == 0
        and reserved > 0
        and fats in (1, 2)
        and (sector[21] == 0xF0 or sector[21] >= 0xF8)
    )


def read(data: ByteSource, sectors: tuple[int, ...], known_content: Callable[[int], bool]) -> PartitionTable | None:
    """The MBR at the start of ``data``, or None where there is none.

    ``sectors`` are the sector sizes to consider, the likeliest first: an MBR does not say which was meant. The first wins unless
    another finds more partitions whose start holds something known, which ``known_content(byte offset)`` decides.
    """
    first = data.read_at(0, 512)
    primary = entries(first)
    if not primary or all(entry.type == PROTECTIVE for entry in primary):
        return None
    good_flags = all(entry.flag in (0, 0x80) for entry in primary)
    inside = [entry for entry in primary if entry.flag in (0, 0x80) and entry.start * sectors[0] < data.size]
    if not good_flags and not inside:
        return None  # 55 AA at the end of anything else

    def score(sector: int) -> int:
        return sum(
            data.read_at(entry.start * sector + 510, 2) == b"\x55\xaa" if entry.type in EXTENDED else known_content(entry.start * sector)
            for entry in primary
            if entry.start
        )

    if is_boot_sector(first) and not (good_flags and score(sectors[0])):
        return None  # a FAT or NTFS volume without partitions, whose boot code happens to look like entries
    scores = [score(sector) for sector in sectors]
    sector = sectors[scores.index(max(scores))]

    table = PartitionTable("mbr", sector)
    signature = struct.unpack_from("<I", first, 440)[0]
    if signature:
        table.facts["MBR disk signature"] = f"{signature:08x}"
    if sector != 512:
        table.facts["sector size"] = str(sector)
    for entry in primary:
        if entry.flag not in (0, 0x80):
            table.problem(
                f"entry {entry.slot + 1} of the partition table has an impossible boot flag (0x{entry.flag:02x})", 446 + 16 * entry.slot
            )
        if entry.type == PROTECTIVE:
            continue
        if entry.type in EXTENDED:
            _read_chain(data, table, entry)
        else:
            table.partitions.append(_partition(entry.slot + 1, entry, 0, sector))
    table.partitions.sort(key=lambda partition: partition.number)
    return table


def _partition(number: int, entry: Entry, base: int, sector: int) -> Partition:
    return Partition(number, (base + entry.start) * sector, entry.sectors * sector, "mbr", f"0x{entry.type:02x}", words(entry.type))


def _read_chain(data: ByteSource, table: PartitionTable, extended: Entry) -> None:
    """Follow the chain of extended boot records. Each holds one logical partition, counted from the record itself, and a link, counted
    from the start of the first record; records with more of either exist, and everything they say is followed once."""
    base = extended.start
    pending = [base]
    seen: set[int] = set()
    number = max([4, *(partition.number for partition in table.partitions)])
    while pending:
        start = pending.pop(0)
        offset = start * table.sector
        if start in seen:
            table.problem("the chain of extended partitions leads back to itself; it was cut there", offset)
            continue
        seen.add(start)
        if number - 4 >= MAX_PARTITIONS or len(seen) > MAX_PARTITIONS:
            table.problem(f"more than {MAX_PARTITIONS} logical partitions; the rest were left out", offset)
            return
        record = data.read_at(offset, 512)
        if len(record) < 512:
            table.problem("the chain of extended partitions leads beyond the end", offset)
            continue
        if record[510:512] != b"\x55\xaa":
            table.problem("a link in the chain of extended partitions is damaged; logical partitions behind it were not found", offset)
            continue
        for entry in entries(record):
            if entry.type in EXTENDED:
                pending.append(base + entry.start)
            else:
                number += 1
                table.partitions.append(_partition(number, entry, start, table.sector))
