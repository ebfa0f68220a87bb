"""GUID partition tables, with the backup where the primary is damaged. Format: UEFI specification 2.10, chapter 5.

Own reading, because The Sleuth Kit drops the type and partition GUIDs, needs to be told the sector size, and reads no table at all from
an image that is cut short.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from typing import NamedTuple

from triage.evidence.model import ByteSource
from triage.evidence.partitions import mbr
from triage.evidence.partitions.table import MAX_PARTITIONS, Partition, PartitionTable

SIGNATURE = b"EFI PART"
MAX_TABLE = 1 << 20
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")

TYPES = {
    "00000000-0000-0000-0000-000000000000": "unused",
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
    "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
    "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "Windows dynamic disk metadata",
    "af9b60a0-1431-4f62-bc68-3311714a69ad": "Windows dynamic disk data",
    "e75caf8f-f680-4cee-afa3-b001e56efc2d": "Windows Storage Spaces",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux filesystem",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
    "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
    "933ac7e1-2eb4-4f13-b844-0e14e2aef915": "Linux home",
    "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
    "ca7d7ccb-63ed-4c53-861c-1742536059cc": "LUKS",
    "48465300-0000-11aa-aa11-00306543ecac": "Apple HFS+",
    "7c3457ef-0000-11aa-aa11-00306543ecac": "Apple APFS",
    "53746f72-6167-11aa-aa11-00306543ecac": "Apple Core Storage",
    "426f6f74-0000-11aa-aa11-00306543ecac": "Apple boot",
    "52637672-7900-11aa-aa11-00306543ecac": "Apple APFS recovery",
    "69646961-6700-11aa-aa11-00306543ecac": "Apple APFS preboot",
    "516e7cb4-6ecf-11d6-8ff8-00022d09712b": "FreeBSD disklabel",
    "516e7cb6-6ecf-11d6-8ff8-00022d09712b": "FreeBSD UFS",
    "516e7cba-6ecf-11d6-8ff8-00022d09712b": "FreeBSD ZFS",
    "9d087404-1ca5-11dc-8817-01301bb8a9f5": "DragonFly disklabel64",
    "3d48ce54-1d16-11dc-8696-01301bb8a9f5": "DragonFly disklabel64",
    "824cc7a0-36a8-11e3-890a-952519ad3f61": "OpenBSD",
    "6a898cc3-1dd2-11b2-99a6-080020736631": "ZFS",
    "fe3a2a5d-4f32-41a7-b725-accc3285a309": "ChromeOS kernel",
    "3cb8e202-3b7e-47dd-8a3c-7ff2a13cfcec": "ChromeOS root",
    "aa31e02a-400f-11db-9590-000c2911d1b8": "VMware VMFS",
    "9d275380-40ad-11db-bf97-000c2911d1b8": "VMware core dump",
    "4eb2ea39-7855-4790-a79e-fae495e21f8d": "VMware OS data",
}


class Header(NamedTuple):
    """A GPT header and the raw table it points to; ``sound`` if both check sums hold."""

    offset: int
    sector: int
    guid: str
    alternate: int
    entry_size: int
    entries: bytes
    sound: bool


def _guid(raw: bytes) -> str:
    return str(uuid.UUID(bytes_le=raw))


def _header(data: ByteSource, offset: int, sector: int) -> Header | None:
    raw = data.read_at(offset, sector)
    if len(raw) < _HEADER.size or raw[:8] != SIGNATURE:
        return None
    _, _, size, crc, _, _, alternate, _, _, guid, table, count, entry_size, table_crc = _HEADER.unpack_from(raw)
    sound = _HEADER.size <= size <= len(raw) and zlib.crc32(raw[:16] + bytes(4) + raw[20:size]) == crc
    if not 128 <= entry_size <= 4096 or count == 0:
        return Header(offset, sector, _guid(guid), alternate, 128, b"", False)
    entries = data.read_at(table * sector, min(count * entry_size, MAX_TABLE))
    sound = sound and len(entries) == count * entry_size and zlib.crc32(entries) == table_crc
    return Header(offset, sector, _guid(guid), alternate, entry_size, entries, sound)


def read(data: ByteSource, sectors: tuple[int, ...]) -> PartitionTable | None:
    """The GPT of ``data``, or None where there is none. ``sectors`` are the sector sizes to consider, the likeliest first."""
    primary = backup = None
    for sector in sectors:
        primary = _header(data, sector, sector)
        if primary is not None:
            break
    protective = any(entry.type == mbr.PROTECTIVE for entry in mbr.entries(data.read_at(0, 512)))
    if primary is None and not protective:
        return None
    for sector in (primary.sector,) if primary else sectors:
        for offset in dict.fromkeys((primary.alternate * sector if primary else 0, (data.size // sector - 1) * sector)):
            if sector < offset < data.size and (backup is None or not backup.sound):
                backup = _header(data, offset, sector) or backup
    chosen = next((header for header in (primary, backup) if header is not None and header.sound), primary or backup)
    if chosen is None:
        return None

    table = PartitionTable("gpt", chosen.sector, protected=protective)
    table.facts["GPT disk GUID"] = chosen.guid
    if chosen.sector != 512:
        table.facts["sector size"] = str(chosen.sector)
    if primary is None or not primary.sound:
        state = "missing" if primary is None else "damaged"
        if chosen is backup:
            table.problem(f"the primary GPT is {state}; the backup at the end of the disk was used", chosen.sector)
        else:
            table.problem(f"the primary GPT is {state} and there is no sound backup; it was read as far as it makes sense", chosen.sector)
    elif backup is None:
        table.problem("the backup GPT at the end of the disk is missing: the image may be cut short, or the disk cloned to a larger one")
    elif not backup.sound:
        table.problem("the backup GPT at the end of the disk is damaged", backup.offset)
    elif backup.entries != primary.entries:
        table.problem("the primary and the backup GPT differ; the primary was used", backup.offset)
    if backup is not None:
        table.backup = (backup.offset - len(backup.entries), backup.offset + backup.sector)
    _read_entries(chosen, table)
    _read_hybrid(data, table)
    return table


def _read_entries(header: Header, table: PartitionTable) -> None:
    for number in range(1, len(header.entries) // header.entry_size + 1):
        raw = header.entries[(number - 1) * header.entry_size :][:128]
        kind, guid, first, last = struct.unpack_from("<16s16sQQ", raw)
        if not any(kind):
            continue
        if last < first or last >= 1 << 55:
            table.problem(f"entry {number} of the GPT ends before it starts or is impossibly large; it was left out")
            continue
        if len(table.partitions) >= MAX_PARTITIONS:
            table.problem(f"more than {MAX_PARTITIONS} partitions; the rest were left out")
            return
        # Some tools leave the unused tail of the name, or all of it, as FF FF: that is no character and ends the name as a zero does.
        name = raw[56:128].decode("utf-16-le", "replace").split("\0")[0].split("\uffff")[0]
        words = TYPES.get(_guid(kind), "unknown type")
        length = (last - first + 1) * header.sector
        table.partitions.append(Partition(number, first * header.sector, length, "gpt", _guid(kind), words, name, _guid(guid)))


def _read_hybrid(data: ByteSource, table: PartitionTable) -> None:
    """A hybrid MBR repeats some of the GPT's partitions for systems that know no GPT; one that the GPT does not have is worth naming."""
    others = [entry for entry in mbr.entries(data.read_at(0, 512)) if entry.type != mbr.PROTECTIVE]
    starts = {partition.offset for partition in table.partitions}
    for entry in others:
        table.facts["hybrid MBR"] = "yes"
        offset = entry.start * table.sector
        if offset not in starts:
            kind = f"0x{entry.type:02x}"
            table.also.append(Partition(entry.slot + 1, offset, entry.sectors * table.sector, "mbr", kind, mbr.words(entry.type)))
