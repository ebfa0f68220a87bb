"""Apple partition maps. Format: Inside Macintosh: Devices, chapter 3 (driver descriptor "ER", entries "PM", big-endian).

Own reading, because The Sleuth Kit refuses the map of an image that is cut short and cannot be told of 2048-byte blocks.
"""

from __future__ import annotations

import struct

from triage.evidence.model import ByteSource
from triage.evidence.partitions.table import MAX_PARTITIONS, Partition, PartitionTable

WORDS = {
    "Apple_partition_map": "the partition map itself",
    "Apple_Free": "free space",
    "Apple_HFS": "Apple HFS or HFS+",
    "Apple_HFSX": "Apple HFSX",
    "Apple_APFS": "Apple APFS",
    "Apple_CoreStorage": "Apple Core Storage",
    "Apple_UFS": "Apple UFS",
    "Apple_Boot": "Apple boot",
    "Windows_NTFS": "NTFS or exFAT",
    "DOS_FAT_32": "FAT32",
    "DOS_FAT_16": "FAT16",
}


def is_housekeeping(kind: str) -> bool:
    """True for parts that hold no volume: the map itself, free space, drivers, patches."""
    return kind == "Apple_partition_map" or kind.startswith(("Apple_Free", "Apple_Void", "Apple_Driver", "Apple_Patches"))


def read(data: ByteSource) -> PartitionTable | None:
    """The partition map of ``data``, or None where there is none."""
    driver = data.read_at(0, 512)
    stated = struct.unpack_from(">H", driver, 2)[0] if driver[:2] == b"ER" and len(driver) == 512 else 512
    # Discs state 2048 and yet place the map by 512: the map's own place decides.
    for block in dict.fromkeys((stated, 512, 2048)):
        if block in (512, 1024, 2048, 4096) and data.read_at(block, 2) == b"PM":
            break
    else:
        return None
    table = PartitionTable("apm", block)
    count = struct.unpack(">I", data.read_at(block + 4, 4).rjust(4, b"\0"))[0]
    if count > MAX_PARTITIONS:
        table.problem(f"the map claims {count} entries; {MAX_PARTITIONS} were read", block)
    missing: list[int] = []
    for number in range(1, min(count, MAX_PARTITIONS) + 1):
        raw = data.read_at(number * block, 136)
        if len(raw) < 136 or raw[:2] != b"PM":
            missing.append(number)
            continue
        start, length = struct.unpack_from(">II", raw, 8)
        name = raw[16:48].split(b"\0")[0].decode("mac-roman")
        kind = raw[48:80].split(b"\0")[0].decode("mac-roman")
        table.partitions.append(Partition(number, start * block, length * block, "apm", kind, WORDS.get(kind, kind), name))
    if missing:
        table.problem(
            f"{len(missing)} of {count} entries of the partition map are missing or damaged, the first is entry {missing[0]}",
            missing[0] * block,
        )
    return table
