"""What FAT12/16/32 and exFAT record and The Sleuth Kit does not hand on: the label by its own rule, times as written (with exFAT's
UTC offsets), which clusters are in use, and the fields of a directory entry that recovery needs.

The Sleuth Kit turns FAT times into instants with the time zone of the computer it runs on; here they stay wall-clock readings.
Sources: Microsoft FAT specification 1.03; Microsoft exFAT file system specification, sections 3, 5, 6, 7.
"""

from __future__ import annotations

import struct
from calendar import timegm
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from triage.evidence.model import ByteSource, Run

FIRST_INODE = 3  # The Sleuth Kit numbers the 32-byte slots of the data area from 3, the FAT12/16 root directory first
SLOT = 32
MAX_TABLE = 1 << 30
_ROOT_ENTRIES_FOR_LABEL = 4096
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie on a FAT or exFAT volume; offsets and sizes in bytes, clusters numbered from 2."""

    type: str  # fat12, fat16, fat32, exfat
    sector: int
    cluster: int
    clusters: int
    table: int
    table_size: int
    slots: int  # where the slot of FIRST_INODE lies
    data: int  # where cluster 2 lies
    root: int  # first cluster of the root directory; 0: the fixed root area of FAT12/16, at ``slots``
    root_size: int
    total: int

    def offset(self, cluster: int) -> int:
        """Where ``cluster`` lies on the volume."""
        return self.data + (cluster - 2) * self.cluster

    def holds(self, cluster: int) -> bool:
        """Whether there is a cluster of this number."""
        return 2 <= cluster < self.clusters + 2


def read_layout(data: ByteSource) -> Layout | None:
    """The layout from the boot sector, or None where it is not one of FAT or exFAT."""
    boot = data.read_at(0, 512)
    if len(boot) < 512:
        return None
    return _exfat_layout(boot) if boot[3:11] == b"EXFAT   " else _fat_layout(boot)


def _exfat_layout(boot: bytes) -> Layout | None:
    total, table, table_length, heap, clusters, root = struct.unpack_from("<QIIIII", boot, 72)
    shift, cluster_shift = boot[108], boot[109]
    if not 9 <= shift <= 12 or cluster_shift > 25 - shift or not clusters:
        return None
    sector = 1 << shift
    return Layout(
        "exfat", sector, sector << cluster_shift, clusters, table * sector, table_length * sector, heap * sector, heap * sector, root, 0,
        total * sector,
    )  # fmt: skip


def _fat_layout(boot: bytes) -> Layout | None:
    sector, per_cluster, reserved, tables, root_entries, total16, media, size16 = struct.unpack_from("<HBHBHHBH", boot, 11)
    total32, size32 = struct.unpack_from("<I", boot, 32)[0], struct.unpack_from("<I", boot, 36)[0]
    total, size = total16 or total32, size16 or size32
    if not total and size32:
        # 64-bit count of sectors in the place of the type's name, as some tools and Linux distributions' patched drivers write it.
        total = struct.unpack_from("<Q", boot, 82)[0]
    if sector not in (512, 1024, 2048, 4096) or not per_cluster or per_cluster & (per_cluster - 1) or not reserved or not 1 <= tables <= 8:
        return None
    if (media != 0xF0 and media < 0xF8) or not size or (boot[510:512] != b"\x55\xaa" and boot[0] not in (0xE9, 0xEB)):
        return None
    slots = reserved + tables * size
    root_sectors = (root_entries * SLOT + sector - 1) // sector
    clusters = (total - slots - root_sectors) // per_cluster
    if clusters <= 0:
        return None
    if not size16:
        kind, root = "fat32", struct.unpack_from("<I", boot, 44)[0]
    else:
        kind, root = ("fat12" if clusters < 4085 else "fat16"), 0
    return Layout(
        kind, sector, sector * per_cluster, clusters, reserved * sector, size * sector, slots * sector, (slots + root_sectors) * sector, root,
        root_entries * SLOT, total * sector,
    )  # fmt: skip


def label(data: ByteSource, layout: Layout) -> str | None:
    """The volume's label: the root directory's label entry; only where it has none, the boot sector's."""
    read = 0
    for block in _root(data, layout):
        for at in range(0, len(block) - SLOT + 1, SLOT):
            slot = block[at : at + SLOT]
            read += 1
            if slot[0] == 0 or read > _ROOT_ENTRIES_FOR_LABEL:
                return _boot_label(data, layout)
            if layout.type == "exfat":
                if slot[0] == 0x83:
                    return slot[2 : 2 + 2 * min(slot[1], 11)].decode("utf-16-le", "replace")
            elif slot[0] != 0xE5 and slot[11] & 0x3F != 0x0F and slot[11] & 0x08:
                return short_name_bytes(slot)[:11].decode("cp437").rstrip()
    return _boot_label(data, layout)


def short_name_bytes(slot: bytes) -> bytes:
    """The 11 name bytes of a directory entry; a first byte of 0x05 stands for 0xE5."""
    return (b"\xe5" if slot[0] == 5 else slot[:1]) + slot[1:11]


def short_name(slot: bytes) -> str:
    """The 8.3 name of a directory entry, the lost first letter of a deleted one as ``_``.

    FAT does not record the code page of letters beyond ASCII. They are read as code page 850, the OEM code page of Western Europe.
    """
    raw = (b"_" if slot[0] == 0xE5 else short_name_bytes(slot)[:1]) + slot[1:11]
    base, extension = (part.decode("cp850").rstrip(" ") for part in (raw[:8], raw[8:]))
    case = slot[12]  # Windows NT: 0x08 and 0x10 say that base and extension are in lower case
    base, extension = base.lower() if case & 8 else base, extension.lower() if case & 16 else extension
    return f"{base}.{extension}" if extension else base


def _boot_label(data: ByteSource, layout: Layout) -> str | None:
    if layout.type == "exfat":
        return None
    boot = data.read_at(0, 512)
    at = 66 if layout.type == "fat32" else 38
    if boot[at] != 0x29:
        return None
    text = boot[at + 5 : at + 16].decode("cp437").rstrip()
    return None if text == "NO NAME" else text


def _root(data: ByteSource, layout: Layout) -> list[bytes]:
    if not layout.root:
        return [data.read_at(layout.slots, min(layout.root_size, _ROOT_ENTRIES_FOR_LABEL * SLOT))]
    blocks, cluster, left = [], layout.root, _ROOT_ENTRIES_FOR_LABEL * SLOT
    while layout.holds(cluster) and left > 0:
        blocks.append(data.read_at(layout.offset(cluster), min(layout.cluster, left)))
        left -= layout.cluster
        cluster = int.from_bytes(data.read_at(layout.table + 4 * cluster, 4), "little") & 0x0FFFFFFF
    return blocks


class Times(NamedTuple):
    """Nanoseconds since the Unix epoch; wall-clock readings counted as UTC where ``local``, else instants."""

    modified: int | None
    accessed: int | None
    created: int | None
    local: bool


class Slot(NamedTuple):
    """What a directory entry says of itself."""

    times: Times
    cluster: int  # first cluster, 0 for none
    size: int
    contiguous: bool  # exFAT: the entry states that its clusters follow one another
    label: bool
    directory: bool
    short: str | None  # FAT: the 8.3 name
    truncated_cluster: bool  # FAT32: the high half of the first cluster is zero, as Windows leaves it on deletion


class Slots:
    """Directory entries by The Sleuth Kit's inode number."""

    def __init__(self, data: ByteSource, layout: Layout) -> None:
        self._layout = layout
        self._block = lru_cache(maxsize=256)(lambda index: data.read_at(index * _BLOCK, _BLOCK))

    def _read(self, offset: int) -> bytes:
        block, into = divmod(offset, _BLOCK)
        return self._block(block)[into : into + SLOT]

    def get(self, inode: int) -> Slot | None:
        """The entry of ``inode``, or None where there is no file's entry."""
        offset = self._layout.slots + (inode - FIRST_INODE) * SLOT
        raw = self._read(offset)
        if inode < FIRST_INODE or len(raw) < SLOT:
            return None
        return self._exfat(raw, offset) if self._layout.type == "exfat" else self._fat(raw)

    def sound(self, inode: int) -> bool:
        """Whether an exFAT file's entry set has the checksum it states (exFAT specification, 6.3.3), deletion undone."""
        offset = self._layout.slots + (inode - FIRST_INODE) * SLOT
        first = self._read(offset)
        if len(first) < SLOT or first[0] & 0x7F != 0x05 or not 2 <= first[1] <= 18:
            return False
        checksum = 0
        for number in range(first[1] + 1):
            slot = self._read(offset + number * SLOT)
            if len(slot) < SLOT:
                return False
            for index, byte in enumerate((slot[0] | 0x80, *slot[1:])):
                if number or index not in (2, 3):
                    checksum = ((checksum << 15 | checksum >> 1) & 0xFFFF) + byte & 0xFFFF
        return checksum == int.from_bytes(first[2:4], "little")

    def _fat(self, raw: bytes) -> Slot:
        made_10ms, made_time, made_date, seen_date, high, time, date, low, size = struct.unpack_from("<BHHHHHHHI", raw, 13)
        times = Times(_dos(date, time), _dos(seen_date, 0), _dos(made_date, made_time, made_10ms), True)
        high = high if self._layout.type == "fat32" else 0
        is_label = raw[11] & 0x18 == 0x08
        return Slot(
            times,
            high << 16 | low,
            size,
            False,
            is_label,
            bool(raw[11] & 0x10),
            short_name(raw),
            not high and self._layout.clusters > 0xFFFF,
        )

    def _exfat(self, raw: bytes, offset: int) -> Slot | None:
        if raw[0] & 0x7F == 0x03:
            return Slot(Times(None, None, None, True), 0, 0, False, True, False, None, False)
        if raw[0] & 0x7F != 0x05:
            return None
        stamps = struct.unpack_from("<HHHHHH", raw, 8)
        zones = raw[22:25]
        local = not all(zone & 0x80 for zone in zones)
        readings = (_dos(stamps[1], stamps[0], raw[20]), _dos(stamps[3], stamps[2], raw[21]), _dos(stamps[5], stamps[4]))
        created, modified, accessed = (
            value if value is None or local else value - _quarter_hours(zone) * 900 * 1_000_000_000
            for value, zone in zip(readings, zones, strict=True)
        )
        times, stream = Times(modified, accessed, created, local), self._read(offset + SLOT)
        cluster = size = 0
        contiguous = False
        # The stream extension follows at once, unless the directory's own cluster ends here: then its place is not known from here.
        if len(stream) == SLOT and stream[0] & 0x7F == 0x40 and (offset + SLOT - self._layout.data) % self._layout.cluster:
            cluster, size = struct.unpack_from("<IQ", stream, 20)
            contiguous = bool(stream[1] & 2)
        return Slot(times, cluster, size, contiguous, False, bool(raw[4] & 0x10), None, False)


def _quarter_hours(zone: int) -> int:
    """The signed 7-bit offset from UTC in quarters of an hour."""
    value = zone & 0x7F
    return value - 128 if value >= 64 else value


def _dos(date: int, time: int, ten_ms: int = 0) -> int | None:
    """A DOS date and time, plus tens of milliseconds, as nanoseconds counted as if it were UTC; None where it is no date."""
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    hour, minute, second = time >> 11, time >> 5 & 63, (time & 31) * 2
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60 and ten_ms < 200):
        return None
    try:
        return timegm((year, month, day, hour, minute, second)) * 1_000_000_000 + ten_ms * 10_000_000
    except ValueError:
        return None


class Clusters:
    """Which clusters are in use, and what follows which."""

    def __init__(self, data: ByteSource, layout: Layout) -> None:
        """Reads the whole table (FAT) or the allocation bitmap (exFAT). Raises ``OSError`` where that is not to be had."""
        self._data, self._layout = data, layout
        self.used = _exfat_used(data, layout) if layout.type == "exfat" else _fat_used(data, layout)

    def chain(self, first: int, count: int) -> list[int] | None:
        """The ``count`` clusters the table still links from ``first``, or None where the chain is not whole."""
        chain, entry, mask = [first], 4, 0xFFFFFFFF
        while len(chain) < count:
            following = int.from_bytes(self._data.read_at(self._layout.table + chain[-1] * entry, entry), "little") & mask
            if not self._layout.holds(following):
                return None
            chain.append(following)
        return chain if len(set(chain)) == count else None


def _fat_used(data: ByteSource, layout: Layout) -> bytearray:
    """One byte a cluster number from 0: 1 where the table gives it to something."""
    import numpy as np

    count = layout.clusters + 2
    width = {"fat12": 1.5, "fat16": 2, "fat32": 4}[layout.type]
    length = min(int(count * width + 1), layout.table_size)
    if length > MAX_TABLE:
        raise OSError("the allocation table is too large to be real")
    raw = data.read_at(layout.table, length)
    if layout.type == "fat12":
        raw = raw[: len(raw) // 3 * 3 + 3].ljust((len(raw) + 2) // 3 * 3, b"\0")
        triples = np.frombuffer(raw, np.uint8).reshape(-1, 3).astype(np.uint16)
        entries = np.stack([triples[:, 0] | (triples[:, 1] & 15) << 8, triples[:, 1] >> 4 | triples[:, 2] << 4], axis=1).ravel()
    elif layout.type == "fat16":
        entries = np.frombuffer(raw[: len(raw) // 2 * 2], "<u2")
    else:
        entries = np.frombuffer(raw[: len(raw) // 4 * 4], "<u4") & 0x0FFFFFFF
    used = bytearray((entries[:count] != 0).astype(np.uint8).tobytes())
    return used.ljust(count, b"\1")


def _exfat_used(data: ByteSource, layout: Layout) -> bytearray:
    import numpy as np

    for block in _root(data, layout):
        for at in range(0, len(block) - SLOT + 1, SLOT):
            if block[at] == 0x81 and not block[at + 1] & 1:
                cluster, size = struct.unpack_from("<IQ", block, at + 20)
                if not layout.holds(cluster) or size > MAX_TABLE:
                    raise OSError("the allocation bitmap is not where the root directory says")
                # The specification lets the bitmap be fragmented; every formatter lays it out in one piece, at the heap's start.
                bits = np.unpackbits(np.frombuffer(data.read_at(layout.offset(cluster), size), np.uint8), bitorder="little")
                return (bytearray(b"\1\1") + bits[: layout.clusters].tobytes()).ljust(layout.clusters + 2, b"\1")
    raise OSError("the root directory names no allocation bitmap")


def runs_of(layout: Layout, clusters: list[tuple[int, int]], size: int) -> list[Run]:
    """Stretches of clusters ``(first, count)`` as runs of the volume, cut to ``size`` bytes."""
    runs = []
    for first, count in clusters:
        length = min(count * layout.cluster, size)
        runs.append(Run(layout.offset(first), length))
        size -= length
    return runs
