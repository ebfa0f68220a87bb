"""Volumes: nesting, gaps, what lies beyond the end, encryption inside partitions."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Status
from triage.evidence.model import Source, Volume
from triage.evidence.sources import Secret, open_source

Unpack = Callable[[str], Path]
MIB = 1 << 20


def entry(kind: int, start: int, count: int) -> bytes:
    return struct.pack("<4xB3xII", kind, start // 512, count // 512)


def disk(path: Path, size: int, entries: list[bytes], places: dict[int, bytes]) -> Source:
    with path.open("wb") as stream:
        stream.truncate(size)
        for offset, content in places.items():
            stream.seek(offset)
            stream.write(content)
        stream.seek(446)
        stream.write((b"".join(entries)).ljust(64, b"\0") + b"\x55\xaa")
    return open_source(path)


def shape(source: Source) -> list[tuple[str, int, int, str, str | None, str]]:
    return [(v.id, v.offset, v.length, v.scheme, v.filesystem, v.status.value) for v in source.volumes()]


def by_id(source: Source, volume_id: str) -> Volume:
    return next(volume for volume in source.volumes() if volume.id == volume_id)


@pytest.fixture(scope="module")
def fat(tmp_path_factory: pytest.TempPathFactory, run_tool: Callable[..., str]) -> bytes:
    path = tmp_path_factory.mktemp("fat") / "fat"
    with path.open("wb") as stream:
        stream.truncate(2 * MIB)
    run_tool("mkfs.vfat", "-n", "KEEPSAKE", path)
    return path.read_bytes()


@pytest.mark.specimens
def test_extended_partitions_of_dftt(specimens: Path, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(specimens / "images/dftt/1-extend-part.zip") as archive:
        name = next(item for item in archive.namelist() if item.endswith(".dd"))
        path = Path(archive.extract(name, tmp_path))
    source = open_source(path)
    volumes = source.volumes()
    assert [volume.offset // 512 for volume in volumes] == [63, 52416, 104832, 157311, 209727, 262143]
    assert [volume.filesystem for volume in volumes] == ["fat16"] * 6
    assert source.problems == []
    for volume in volumes:
        files = [entry for batch in source.filesystem(volume).entries() for entry in batch if entry.kind == "file" and entry.allocated]
        assert len([item for item in files if "virtual" not in item.flags]) == 1


@pytest.mark.specimens
def test_two_ntfs_partitions_of_plaso(unpacked: Unpack) -> None:
    source = open_source(unpacked("images/plaso/multi_partition_image.vmdk.xz"))
    assert shape(source) == [
        ("v1", 0x10000, 5242880, "mbr", "ntfs", "parsed"),
        ("v2", 0x510000, 3932160, "mbr", "ntfs", "parsed"),
        ("v3", 9240576, 1245184, "unpartitioned", None, "empty"),
    ]
    assert source.facts["MBR disk signature"] == "9940c61f"


@pytest.mark.specimens
def test_logical_volumes(unpacked: Unpack) -> None:
    source = open_source(unpacked("images/dfvfs-encrypted-and-vss/lvm.raw.xz"))
    assert shape(source) == [
        ("v1", 0, 10485760, "none", None, "skipped_by_rule"),
        ("v1.1", 0, 4194304, "lvm", "ext2", "parsed"),
        ("v1.2", 0, 4194304, "lvm", None, "empty"),
    ]
    assert [volume.description for volume in source.volumes()[1:]] == [
        "logical volume test_volume_group/test_logical_volume1", "logical volume test_volume_group/test_logical_volume2",
    ]  # fmt: skip
    assert by_id(source, "v1.1").label == "ext2_test"


@pytest.mark.specimens
def test_shadow_copies_are_listed(unpacked: Unpack) -> None:
    source = open_source(unpacked("images/dfvfs-encrypted-and-vss/vss.raw.xz"))
    whole, first, second = source.volumes()
    assert (whole.filesystem, whole.status) == ("ntfs", Status.PARSED)
    assert first.description == "shadow copy of 2021-05-01T17:40:03Z, de81cc22-aa8b-11eb-9339-8cdcd4557abc"
    assert second.description == "shadow copy of 2021-05-01T17:41:28Z, de81cc2b-aa8b-11eb-9339-8cdcd4557abc"
    for shadow in (first, second):
        assert (shadow.scheme, shadow.status, shadow.reason) == ("vss", Status.SKIPPED, "listed; not scanned in this profile")
        data = source.volume_bytes(shadow)
        assert (data.size, data.read_at(3, 4)) == (82771968, b"NTFS")


@pytest.mark.specimens
def test_apfs_volumes(unpacked: Unpack) -> None:
    source = open_source(unpacked("images/dfvfs/apfs.raw.xz"))
    container, volume = source.volumes()
    assert (container.filesystem, container.status) == ("apfs", Status.SKIPPED)
    assert (volume.id, volume.scheme, volume.label, volume.status) == ("v1.1", "apfs container", "apfs_test", Status.PARSED)
    assert "458ed10d-8ac3-4af1-8dfd-3954d151a3f3" in volume.description


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("secrets", "words"), [([], "no password or recovery key was given"), (["a", "b"], "none of the 2 secrets given opens it")]
)
def test_locked_apfs(unpacked: Unpack, secrets: list[str], words: str) -> None:
    path = unpacked("images/dfvfs-encrypted-and-vss/apfs_encrypted.dmg.xz")
    volume = by_id(open_source(path, secrets=[Secret("password", word) for word in secrets]), "v1.1")
    assert (volume.encrypted, volume.unlocked, volume.status) == ("apfs", False, Status.ENCRYPTED)
    assert words in volume.reason


@pytest.mark.specimens
def test_unlocked_apfs(unpacked: Unpack) -> None:
    path = unpacked("images/dfvfs-encrypted-and-vss/apfs_encrypted.dmg.xz")
    volume = by_id(open_source(path, secrets=[Secret("password", "apfs-TEST")]), "v1.1")
    assert (volume.encrypted, volume.unlocked, volume.status, volume.label) == ("apfs", True, Status.PARSED, "SingleVolume")


@pytest.mark.specimens
def test_locked_luks(unpacked: Unpack) -> None:
    volume = by_id(open_source(unpacked("images/dfvfs-encrypted-and-vss/luks1.raw.xz")), "v1")
    assert (volume.encrypted, volume.unlocked, volume.status) == ("luks", False, Status.ENCRYPTED)
    assert volume.reason == "LUKS version 1: no password or recovery key was given"


@pytest.mark.specimens
def test_disklabel_inside_a_partition(unpacked: Unpack) -> None:
    source = open_source(unpacked("images/dissect-volume/disk/bsd64.bin.gz"))
    assert [(volume.id, volume.offset, volume.scheme) for volume in source.volumes()] == [
        ("v1", 1048576, "gpt"), ("v2", 2097152, "gpt"), ("v2.1", 3145728, "bsd"), ("v2.2", 3149824, "bsd"), ("v2.3", 3153920, "bsd"),
    ]  # fmt: skip


@pytest.mark.specimens
@pytest.mark.parametrize("name", ["gpt.bin", "gpt_esxi.bin", "mbr.bin", "apm.bin"])
def test_partitions_that_are_not_in_the_image_are_gaps(specimens: Path, name: str) -> None:
    for volume in open_source(specimens / "images/dissect-volume/disk" / name).volumes():
        if volume.status is not Status.SKIPPED:
            assert volume.status is Status.UNREADABLE
            assert "end of the image" in volume.problems[0].reason


@pytest.mark.specimens
def test_tables_without_partitions(unpacked: Unpack) -> None:
    (volume,) = open_source(unpacked("images/dfir_ntfs/gpt-512-0p.raw.gz")).volumes()
    assert (volume.scheme, volume.status, volume.reason) == ("gpt", Status.EMPTY, "a partition table without partitions")
    (volume,) = open_source(unpacked("images/dfir_ntfs/mbr-512-p0.bin")).volumes()
    assert (volume.status, volume.reason) == (Status.UNRECOGNISED, "a partition table without partitions, and no file system")


@pytest.mark.tools
def test_a_removed_partition_is_found_in_its_gap(tmp_path: Path, fat: bytes) -> None:
    source = disk(tmp_path / "d", 12 * MIB, [entry(0x0E, 8 * MIB, 2 * MIB)], {MIB: fat, 8 * MIB: fat})
    assert shape(source) == [
        ("v1", MIB, 7 * MIB, "unpartitioned", "fat12", "parsed"),
        ("v2", 8 * MIB, 2 * MIB, "mbr", "fat12", "parsed"),
        ("v3", 10 * MIB, 2 * MIB, "unpartitioned", None, "empty"),
    ]
    assert by_id(source, "v1").label == "KEEPSAKE"
    assert "perhaps a removed partition" in by_id(source, "v1").description


@pytest.mark.tools
def test_the_backup_of_a_gpt_is_no_content_of_a_gap(tmp_path: Path, fat: bytes, run_tool: Callable[..., str]) -> None:
    path = tmp_path / "disk.raw"
    disk(path, 12 * MIB, [], {MIB: fat}).close()
    run_tool("sgdisk", "-g", "-o", "-n1:2048:+2M", path)
    assert shape(open_source(path))[1:] == [("v2", 3 * MIB, 9 * MIB - 33 * 512, "unpartitioned", None, "empty")]
    with path.open("r+b") as stream:
        stream.seek(12 * MIB - 34 * 512)
        stream.write(b"something")
    assert shape(open_source(path))[1:] == [("v2", 3 * MIB, 9 * MIB - 33 * 512, "unpartitioned", None, "skipped_by_rule")]


@pytest.mark.tools
def test_noise_in_a_partition_and_in_a_gap(tmp_path: Path, fat: bytes) -> None:
    noise = random.Random(2).randbytes(2 * MIB)
    source = disk(
        tmp_path / "d",
        8 * MIB,
        [entry(0x07, MIB, 2 * MIB), entry(0x0E, 3 * MIB, 2 * MIB)],
        {MIB: noise, 3 * MIB: fat, 5 * MIB: noise + noise[:MIB]},
    )
    assert [(v.id, v.scheme, v.encrypted, v.status.value) for v in source.volumes()] == [
        ("v1", "mbr", "possible container", "encrypted"),
        ("v2", "mbr", None, "parsed"),
        ("v3", "unpartitioned", "possible container", "encrypted"),
    ]
    assert "consistent with an encrypted volume such as VeraCrypt, or with wiped or random data" in by_id(source, "v1").reason


@pytest.mark.tools
def test_a_partition_cut_by_the_end_of_the_image(tmp_path: Path, fat: bytes) -> None:
    source = disk(tmp_path / "d", 2 * MIB, [entry(0x0E, MIB, 2 * MIB)], {MIB: fat[:MIB]})
    (volume,) = source.volumes()
    assert (volume.length, volume.filesystem, volume.status) == (2 * MIB, "fat12", Status.PARSED)
    assert volume.problems[0].reason == f"its last {MIB} of {2 * MIB} bytes lie beyond the end of the image"
    assert volume.problems[0].status.is_gap


def test_what_is_left_of_a_cut_partition_is_not_called_empty(tmp_path: Path) -> None:
    (volume,) = disk(tmp_path / "d", 2 * MIB, [entry(0x0E, MIB, 20 * MIB)], {}).volumes()
    assert volume.status is Status.UNREADABLE
    assert volume.reason == f"only its first {MIB} of {20 * MIB} bytes are in the image: nothing but zeros in the 256 samples read"


@pytest.mark.tools
def test_the_same_place_twice_is_examined_once(tmp_path: Path, fat: bytes) -> None:
    source = disk(tmp_path / "d", 3 * MIB, [entry(0x0E, MIB, 2 * MIB), entry(0x07, MIB, 2 * MIB)], {MIB: fat})
    assert [(v.id, v.status.value) for v in source.volumes()] == [("v1", "parsed"), ("v2", "skipped_by_rule")]
    assert by_id(source, "v2").reason == "the partition table lists the same place twice; see v1"


@pytest.mark.tools
def test_swap_and_a_file_system_nobody_reads(tmp_path: Path, run_tool: Callable[..., str]) -> None:
    swap = tmp_path / "swap"
    swap.write_bytes(bytes(2 * MIB))
    run_tool("mkswap", "-q", swap)
    btrfs = bytearray(2 * MIB)
    btrfs[65536 + 64 : 65536 + 72] = b"_BHRfS_M"
    source = disk(
        tmp_path / "d", 6 * MIB, [entry(0x82, MIB, 2 * MIB), entry(0x83, 3 * MIB, 2 * MIB)], {MIB: swap.read_bytes(), 3 * MIB: bytes(btrfs)}
    )
    assert [(v.filesystem, v.status.value) for v in source.volumes()] == [("swap", "skipped_by_rule"), ("btrfs", "unreadable")]


@pytest.mark.tools
def test_a_hybrid_disc_image(tmp_path: Path, run_tool: Callable[..., str], fat: bytes) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "filler.bin").write_bytes(random.Random(1).randbytes(6 * MIB))
    run_tool("genisoimage", "-quiet", "-V", "DISC", "-o", tmp_path / "iso", tmp_path / "tree")
    iso = (tmp_path / "iso").read_bytes()
    source = disk(tmp_path / "d", len(iso), [entry(0x17, 0, len(iso)), entry(0xEF, 2 * MIB, 2 * MIB)], {0: iso, 2 * MIB: fat})
    assert [(v.id, v.offset, v.scheme, v.filesystem, v.status.value) for v in source.volumes()] == [
        ("v1", 0, "none", "iso9660", "parsed"),
        ("v2", 2 * MIB, "mbr", "fat12", "parsed"),
    ]


def test_bitlocker_in_a_partition_is_named(tmp_path: Path) -> None:
    boot = bytearray(random.Random(1).randbytes(MIB))
    boot[0:11] = b"\xeb\x58\x90-FVE-FS-"
    boot[160:176] = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    path = tmp_path / "d"
    disk(path, 2 * MIB, [entry(0x07, MIB, MIB)], {MIB: bytes(boot)})
    (volume,) = open_source(path, secrets=[Secret("password", "word")]).volumes()
    assert (volume.encrypted, volume.unlocked, volume.status) == ("bitlocker", False, Status.ENCRYPTED)
    assert volume.reason.startswith("BitLocker: ")


@pytest.mark.tools
def test_partitions_inside_an_unlocked_volume(tmp_path: Path, run_tool: Callable[..., str], fat: bytes) -> None:
    """A partition table inside LUKS inside a partition."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    inner = bytearray(4 * MIB)
    inner[446:462] = entry(0x0E, MIB, 2 * MIB)
    inner[510:512] = b"\x55\xaa"
    inner[MIB : 3 * MIB] = fat
    key = random.Random(3).randbytes(64)
    (tmp_path / "key").write_bytes(key)
    luks = tmp_path / "luks"
    luks.write_bytes(bytes(20 * MIB))
    run_tool("cryptsetup", "luksFormat", "-q", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--cipher", "aes-xts-plain64",
             "--key-size", "512", "--sector-size", "512", "--offset", 16 * MIB // 512, "--volume-key-file", tmp_path / "key", luks, "-", stdin=b"word")  # fmt: skip
    hidden = b"".join(
        Cipher(algorithms.AES(key), modes.XTS((at // 512).to_bytes(16, "little"))).encryptor().update(bytes(inner[at : at + 512]))
        for at in range(0, len(inner), 512)
    )
    disk(tmp_path / "d", 21 * MIB, [entry(0x83, MIB, 20 * MIB)], {MIB: luks.read_bytes()[: 16 * MIB] + hidden})
    source = open_source(tmp_path / "d", secrets=[Secret("password", "word")])
    assert shape(source) == [("v1", MIB, 20 * MIB, "mbr", None, "skipped_by_rule"), ("v1.1", 0, 2 * MIB, "mbr", "fat12", "parsed")]
    assert by_id(source, "v1.1").description.endswith(f", at byte {MIB} of v1")
    assert (by_id(source, "v1").encrypted, by_id(source, "v1").unlocked) == ("luks", True)
    assert by_id(source, "v1.1").label == "KEEPSAKE"
