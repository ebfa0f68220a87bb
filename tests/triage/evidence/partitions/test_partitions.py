"""Partition tables against published answers, against mmls, against tables made by the system's tools, and damaged."""

from __future__ import annotations

import json
import random
import re
import struct
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.evidence.bytesource import FileBytes, SliceBytes
from triage.evidence.partitions import MAX_PARTITIONS, PartitionTable, bsd, read_partitions

Unpack = Callable[[str], Path]
DISKS = "images/dissect-volume/disk/"


def read(path: Path) -> PartitionTable:
    table = read_partitions(FileBytes(path))
    assert table is not None
    return table


def facts(specimens: Path, name: str) -> list[dict[str, Any]]:
    answers = json.loads((specimens / "expected/test_facts.json").read_text())
    return next(entry["facts"].get("partitions", []) for entry in answers if entry["path"] == DISKS + name)


def as_facts(table: PartitionTable) -> list[dict[str, Any]]:
    return [
        {"number": p.number, "offset": p.offset, "size": p.length, "type": p.type, "guid": p.guid, "name": p.name or None}
        for p in table.partitions
    ]


@pytest.mark.specimens
@pytest.mark.parametrize("name", ["gpt.bin", "gpt_4k.bin", "gpt_esxi.bin"])
def test_gpt_specimens(specimens: Path, name: str) -> None:
    table = read(specimens / DISKS / name)
    expected = facts(specimens, name)
    for partition in expected:
        # dissect's figure leaves out the last sector; UEFI 2.10 table 5-6 counts the last LBA in, and so does mmls.
        partition["size"] += table.sector
        partition["name"] = partition["name"] or None
    assert as_facts(table) == expected
    assert table.scheme == "gpt"
    assert [problem.reason for problem in table.problems] == [
        "the backup GPT at the end of the disk is missing: the image may be cut short, or the disk cloned to a larger one"
    ]


@pytest.mark.specimens
def test_gpt_hybrid_specimen(specimens: Path) -> None:
    table = read(specimens / DISKS / "gpt_hybrid.bin")
    expected = [partition | {"size": partition["size"] + 512} for partition in facts(specimens, "gpt_hybrid.bin") if partition["guid"]]
    assert as_facts(table) == expected
    assert table.facts["hybrid MBR"] == "yes"
    assert table.also == []  # both MBR entries start where a GPT partition starts: the same two partitions


@pytest.mark.specimens
def test_gpt_name_of_ff_is_no_name(specimens: Path) -> None:
    table = read(specimens / DISKS / "gpt_no_name_xff.bin")
    assert [partition.name for partition in table.partitions] == [""]


@pytest.mark.specimens
def test_mbr_specimen(specimens: Path) -> None:
    table = read(specimens / DISKS / "mbr.bin")
    expected = [partition | {"type": f"0x{partition['type']:02x}"} for partition in facts(specimens, "mbr.bin")]
    assert as_facts(table) == expected
    assert table.facts == {"MBR disk signature": "baff7d5c"}
    assert table.problems == []


@pytest.mark.specimens
def test_apm_specimen(specimens: Path) -> None:
    table = read(specimens / DISKS / "apm.bin")
    assert as_facts(table) == [partition | {"name": partition["name"] or None} for partition in facts(specimens, "apm.bin")]
    assert (table.scheme, table.problems) == ("apm", [])


@pytest.mark.specimens
def test_bsd_specimen(specimens: Path) -> None:
    table = read(specimens / DISKS / "bsd.bin")
    assert as_facts(table) == [partition | {"type": str(partition["type"])} for partition in facts(specimens, "bsd.bin")]
    assert table.scheme == "bsd"


@pytest.mark.specimens
def test_disklabel64_specimen(unpacked: Unpack) -> None:
    disk = FileBytes(unpacked(DISKS + "bsd64.bin.gz"))
    outer = read_partitions(disk)
    assert outer is not None
    place = outer.partitions[1]
    label = bsd.read(SliceBytes(disk, place.offset, place.length), place.offset)
    assert label is not None
    assert [(p.number, p.offset, p.length, p.type, p.guid) for p in label.partitions] == [
        (1, 1048576, 4096, "7", "c3ce50a4-61bd-11ed-9048-010c29feac9a"),
        (2, 1052672, 4096, "7", "eebaf645-61bd-11ed-9048-010c29feac9a"),
        (5, 1056768, 4096, "7", "eebaf650-61bd-11ed-9048-010c29feac9a"),
    ]


MMLS = re.compile(r"^\d+:\s+(\d{3}(?::\d{3})?)\s+(\d+)\s+\d+\s+(\d+)\s")
MMLS_SPECIMENS = [
    "images/dfir_ntfs/fat64.raw.gz",
    "images/dfir_ntfs/gpt-512-0p.raw.gz",
    "images/dfir_ntfs/gpt-512-3p.raw.gz",
    "images/dfir_ntfs/mbr-512-p1.bin",
    "images/dfir_ntfs/mbr-512-p1e2.bin.gz",
    "images/dfir_ntfs/mbr-512-p1e2_2.bin.gz",
    "images/dfvfs/apm.dmg.xz",
    "images/dfvfs/mbr.raw.xz",
    "images/dissect-volume/disk/gpt_esxi.bin",
    "images/forensics-samples/fs.exfat.xz",
    "images/plaso/apfs.dmg.xz",
    "images/plaso/multi_partition_image.vmdk.xz",
    "images/plaso/tsk_volume_system.raw.xz",
    "images/bulk_extractor/1mb_fat32.dmg.xz",
]


@pytest.mark.specimens
@pytest.mark.parametrize("path", MMLS_SPECIMENS)
def test_as_mmls_reads_them(specimens: Path, unpacked: Unpack, path: str) -> None:
    listing = (specimens / "expected/oracle" / f"{path.removeprefix('images/').replace('/', '_')}.txt").read_text().split("## fsstat")[0]
    rows = sorted((int(match[2]) * 512, int(match[3]) * 512) for line in listing.splitlines() if (match := MMLS.match(line)))
    table = read(unpacked(path))
    assert sorted((partition.offset, partition.length) for partition in table.partitions) == rows


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # mmls takes 512-byte sectors for granted and puts these at an eighth of their place: the extended boot records lie at 4096 x 126
        # and 4096 x 8, and nothing lies at 512 x 126 or 512 x 8.
        ("mbr-4096-p1e0.bin.gz", [(1, 4096, 512000)]),
        ("mbr-4096-p1e1.bin.gz", [(1, 12288, 8192), (5, 36864, 8192)]),
    ],
)
def test_mbr_of_4096_byte_sectors(unpacked: Unpack, name: str, expected: list[tuple[int, int, int]]) -> None:
    table = read(unpacked(f"images/dfir_ntfs/{name}"))
    assert table.sector == 4096
    assert [(partition.number, partition.offset, partition.length) for partition in table.partitions] == expected


@pytest.mark.specimens
@pytest.mark.parametrize(
    "path", ["images/dfvfs/fat12.raw.xz", "images/dfvfs/ntfs.raw.xz", "images/dissect-fat/exfat.bin.xz", "images/dfvfs/ext2.raw.xz"]
)
def test_a_file_system_is_no_partition_table(unpacked: Unpack, path: str) -> None:
    assert read_partitions(FileBytes(unpacked(path))) is None


def entry(kind: int, start: int, count: int, flag: int = 0) -> bytes:
    return struct.pack("<B3xB3xII", flag, kind, start, count)


def boot_record(*entries: bytes) -> bytes:
    return (bytes(446) + b"".join(entries)).ljust(510, b"\0") + b"\x55\xaa"


def on_disk(tmp_path: Path, size: int, places: dict[int, bytes]) -> FileBytes:
    path = tmp_path / "disk.raw"
    with path.open("wb") as disk:
        disk.truncate(size)
        for offset, content in places.items():
            disk.seek(offset)
            disk.write(content)
    return FileBytes(path)


def test_a_loop_of_extended_records_is_cut_and_said(tmp_path: Path) -> None:
    disk = on_disk(
        tmp_path,
        1 << 20,
        {
            0: boot_record(entry(0x83, 1, 9), entry(0x05, 10, 1000)),
            10 * 512: boot_record(entry(0x83, 1, 5), entry(0x05, 20, 10)),
            30 * 512: boot_record(entry(0x83, 1, 5), entry(0x05, 0, 10)),
        },
    )
    table = read_partitions(disk)
    assert table is not None
    assert [(p.number, p.offset // 512) for p in table.partitions] == [(1, 1), (5, 11), (6, 31)]
    assert [problem.reason for problem in table.problems] == ["the chain of extended partitions leads back to itself; it was cut there"]


def test_a_damaged_link_loses_only_what_is_behind_it(tmp_path: Path) -> None:
    disk = on_disk(
        tmp_path,
        1 << 20,
        {0: boot_record(entry(0x0F, 10, 1000), entry(0x07, 1500, 9)), 10 * 512: boot_record(entry(0x83, 1, 5), entry(0x05, 20, 10))},
    )
    table = read_partitions(disk)
    assert table is not None
    assert [(p.number, p.offset // 512) for p in table.partitions] == [(2, 1500), (5, 11)]
    assert "damaged" in table.problems[0].reason
    assert table.problems[0].locator == f"offset={30 * 512}"


def test_a_chain_beyond_counting_is_cut(tmp_path: Path) -> None:
    places = {0: boot_record(entry(0x05, 1, 9000))}
    for number in range(MAX_PARTITIONS + 50):
        places[(1 + number) * 512] = boot_record(entry(0x83, 1, 1), entry(0x05, number + 1, 1))
    table = read_partitions(on_disk(tmp_path, 1 << 20, places))
    assert table is not None
    assert len(table.partitions) == MAX_PARTITIONS
    assert "left out" in table.problems[-1].reason


def test_an_impossible_boot_flag_costs_nothing(tmp_path: Path) -> None:
    table = read_partitions(on_disk(tmp_path, 1 << 20, {0: boot_record(entry(0x83, 8, 8, flag=0x80), entry(0x07, 64, 64, flag=0x37))}))
    assert table is not None
    assert [p.offset for p in table.partitions] == [4096, 32768]
    assert table.problems[0].reason == "entry 2 of the partition table has an impossible boot flag (0x37)"


@pytest.fixture
def gpt_disk(tmp_path: Path, run_tool: Callable[..., str]) -> Path:
    path = tmp_path / "gpt.raw"
    with path.open("wb") as disk:
        disk.truncate(8 << 20)
    run_tool(
        "sgdisk", "--disk-guid=11111111-2222-3333-4444-555555555555", "--new=1:2048:4095", "--change-name=1:Daten äöü",
        "--partition-guid=1:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "--typecode=1:ef00", "--new=3:6144:8191", "--typecode=3:8300", path,
    )  # fmt: skip
    return path


@pytest.mark.tools
def test_gpt_made_by_sgdisk(gpt_disk: Path) -> None:
    table = read(gpt_disk)
    assert table.problems == []
    assert table.facts == {"GPT disk GUID": "11111111-2222-3333-4444-555555555555"}
    first, third = table.partitions
    assert (first.number, first.offset, first.length, first.words, first.name) == (1, 1 << 20, 1 << 20, "EFI system", "Daten äöü")
    assert first.guid == "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    assert (third.number, third.offset, third.length, third.words) == (3, 3 << 20, 1 << 20, "Linux filesystem")


@pytest.mark.tools
@pytest.mark.parametrize("destroyed", [(512, 520), (512 + 16, 512 + 20), (1024, 1100), (512, 17408)])
def test_the_backup_gpt_stands_in(gpt_disk: Path, destroyed: tuple[int, int]) -> None:
    whole = as_facts(read(gpt_disk))
    content = bytearray(gpt_disk.read_bytes())
    for place in range(*destroyed):
        content[place] ^= 0xA5
    gpt_disk.write_bytes(content)
    table = read(gpt_disk)
    assert as_facts(table) == whole
    assert "the backup at the end of the disk was used" in table.problems[0].reason


@pytest.mark.tools
def test_a_damaged_backup_gpt_is_said(gpt_disk: Path) -> None:
    content = bytearray(gpt_disk.read_bytes())
    content[-512 + 60] ^= 1
    gpt_disk.write_bytes(content)
    table = read(gpt_disk)
    assert len(table.partitions) == 2
    assert [problem.reason for problem in table.problems] == ["the backup GPT at the end of the disk is damaged"]


@pytest.mark.tools
def test_both_gpt_damaged_is_read_as_far_as_it_makes_sense(gpt_disk: Path) -> None:
    content = bytearray(gpt_disk.read_bytes())
    content[1024 + 60] ^= 1  # a letter of the first name: both check sums fail, the rest is good
    content[-512 + 60] ^= 1
    gpt_disk.write_bytes(content)
    table = read(gpt_disk)
    assert [partition.offset for partition in table.partitions] == [1 << 20, 3 << 20]
    assert "there is no sound backup" in table.problems[0].reason


def make_gpt(sector: int, entries: list[bytes], size: int) -> dict[int, bytes]:
    table = b"".join(entries).ljust(128 * 128, b"\0")
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, size // sector - 1, 40, max(0, size // sector - 40), bytes(16), 2, 128, 128,
                       zlib.crc32(table))  # fmt: skip
    head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
    return {0: boot_record(entry(0xEE, 1, size // sector - 1)), sector: head, 2 * sector: table}


def gpt_entry(first: int, last: int) -> bytes:
    kind = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le
    return struct.pack("<16s16sQQQ72s", kind, bytes(range(16)), first, last, 0, "x".encode("utf-16-le"))


def test_gpt_entries_that_lie(tmp_path: Path) -> None:
    disk = on_disk(tmp_path, 1 << 20, make_gpt(512, [gpt_entry(100, 50), gpt_entry(100, 2**64 - 1), gpt_entry(100, 199)], 1 << 20))
    table = read_partitions(disk)
    assert table is not None
    assert [(p.number, p.offset, p.length) for p in table.partitions] == [(3, 51200, 51200)]
    assert sum("left out" in problem.reason for problem in table.problems) == 2


def test_gpt_partition_known_to_the_hybrid_mbr_only(tmp_path: Path) -> None:
    places = make_gpt(512, [gpt_entry(100, 199)], 1 << 20)
    places[0] = boot_record(entry(0xEE, 1, 99), entry(0x83, 100, 100), entry(0x07, 500, 20))
    table = read_partitions(on_disk(tmp_path, 1 << 20, places))
    assert table is not None
    assert [(p.scheme, p.offset) for p in table.partitions + table.also] == [("gpt", 51200), ("mbr", 256000)]


def test_a_gpt_left_over_beside_an_mbr(tmp_path: Path) -> None:
    places = make_gpt(512, [gpt_entry(100, 199)], 1 << 20)
    places[0] = boot_record(entry(0x83, 1000, 100))
    table = read_partitions(on_disk(tmp_path, 1 << 20, places))
    assert table is not None
    assert [(p.scheme, p.offset) for p in table.partitions] == [("mbr", 512000)]
    assert table.problems[0].reason == "a GPT with 1 partitions is left over beside the MBR; the MBR was used"
    places[0] = bytes(512)
    table = read_partitions(on_disk(tmp_path, 1 << 20, places))
    assert table is not None
    assert [(p.scheme, p.offset) for p in table.partitions] == [("gpt", 51200)]


def test_apm_with_a_missing_entry_and_a_lying_count(tmp_path: Path) -> None:
    def row(count: int, start: int, length: int, kind: bytes) -> bytes:
        return struct.pack(">2s2xIII32s32s", b"PM", count, start, length, b"name", kind)

    disk = on_disk(
        tmp_path,
        1 << 20,
        {0: struct.pack(">2sH", b"ER", 512), 512: row(3, 1, 63, b"Apple_partition_map"), 1536: row(3, 64, 8, b"Apple_HFS")},
    )
    table = read_partitions(disk)
    assert table is not None
    assert [(p.number, p.offset, p.type) for p in table.partitions] == [(1, 512, "Apple_partition_map"), (3, 32768, "Apple_HFS")]
    assert [problem.reason for problem in table.problems] == [
        "1 of 3 entries of the partition map are missing or damaged, the first is entry 2"
    ]
    disk = on_disk(tmp_path, 1 << 20, {512: row(0xFFFFFFFF, 1, 63, b"Apple_partition_map")})
    table = read_partitions(disk)
    assert table is not None
    assert "claims 4294967295 entries" in table.problems[0].reason
    assert len(table.problems) == 2


def bsd_label(entries: list[tuple[int, int, int]]) -> bytes:
    label = bytearray(148 + 16 * 8)
    label[0:4] = label[132:136] = struct.pack("<I", 0x82564557)
    label[40:44] = struct.pack("<I", 512)
    label[138:140] = struct.pack("<H", len(entries))
    for slot, (start, length, kind) in enumerate(entries):
        struct.pack_into("<IIIB", label, 148 + 16 * slot, length, start, 0, kind)
    total = 0
    for (word,) in struct.iter_unpack("<H", label):
        total ^= word
    label[136:138] = struct.pack("<H", total)
    return bytes(label)


@pytest.mark.parametrize(("base", "starts"), [(1 << 20, [2048 + 16, 2048 + 100]), (1 << 20, [16, 100])])
def test_disklabel_offsets_from_the_disk_or_the_partition(tmp_path: Path, base: int, starts: list[int]) -> None:
    disk = on_disk(tmp_path, 1 << 20, {512: bsd_label([(starts[0], 50, 7), (0, 0, 0), (starts[1], 60, 1)])})
    table = bsd.read(disk, base)
    assert table is not None
    assert [(p.number, p.offset, p.length, p.words) for p in table.partitions] == [
        (1, 8192, 25600, "4.2BSD (UFS)"),
        (3, 51200, 30720, "swap"),
    ]
    assert table.problems == []


def test_disklabel_with_a_wrong_check_sum_is_read_and_said(tmp_path: Path) -> None:
    label = bytearray(bsd_label([(16, 50, 7)]))
    label[20] ^= 1
    table = read_partitions(on_disk(tmp_path, 1 << 20, {512: bytes(label)}))
    assert table is not None
    assert len(table.partitions) == 1
    assert "check sum" in table.problems[0].reason


def test_flipped_and_cut_tables_never_raise(tmp_path: Path) -> None:
    dice = random.Random(20)
    bases = [
        make_gpt(512, [gpt_entry(100, 199), gpt_entry(200, 299)], 64 << 10),
        make_gpt(4096, [gpt_entry(10, 11)], 64 << 10),
        {0: boot_record(entry(0x83, 1, 9), entry(0x05, 10, 100)), 5120: boot_record(entry(0x83, 1, 5), entry(0x05, 20, 10))},
        {0: b"ER\x02\x00", 512: struct.pack(">2s2xIII32s32s", b"PM", 3, 1, 63, b"n", b"Apple_HFS")},
        {512: bsd_label([(16, 50, 7), (100, 10, 1)])},
    ]
    for base in bases:
        for _ in range(60):
            content = bytearray(64 << 10)
            for offset, part in base.items():
                content[offset : offset + len(part)] = part
            for _ in range(dice.randint(1, 12)):
                at = dice.choice(list(base)) + dice.randrange(512)
                content[at] = dice.randrange(256)
            (tmp_path / "d").write_bytes(content[: dice.choice((len(content), dice.randrange(1, 6000)))])
            table = read_partitions(FileBytes(tmp_path / "d"))
            assert table is None or len(table.partitions) <= 2 * MAX_PARTITIONS
