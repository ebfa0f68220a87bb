"""Virtual disks that are files of a scanned volume: opened, scanned, named; damage, locks and depth are gaps."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.evidence.filesystems.folder import FolderFilesystem
from triage.evidence.model import Entry
from triage.evidence.sources import open_inside
from triage.scan.noted import Noted

Scan = Callable[..., Any]
KNOWN = b"a harmless known file\n" * 50
MIB = 1 << 20

pytestmark = pytest.mark.tools


def run(*arguments: str | Path) -> None:
    if shutil.which(str(arguments[0])) is None:
        pytest.skip(f"{arguments[0]} is not installed")
    subprocess.run([str(item) for item in arguments], check=True, capture_output=True)


def volume_of(tmp_path: Path, files: dict[str, bytes], size: int = 8) -> Path:
    """A raw ext4 volume of ``size`` MiB with these files."""
    tree = tmp_path / f"tree{len(list(tmp_path.iterdir()))}"
    for name, data in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    raw = tree.with_suffix(".raw")
    with raw.open("wb") as stream:
        stream.truncate(size * MIB)
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, raw)
    return raw


def partitioned(raw: Path) -> Path:
    """The volume as the only partition of a disk, a mebibyte behind its start."""
    data = raw.read_bytes()
    table = struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", 2048, len(data) // 512)
    disk = raw.with_suffix(".disk")
    disk.write_bytes(bytes(446) + table + bytes(48) + b"\x55\xaa" + bytes(MIB - 512) + data)
    return disk


def converted(raw: Path, to: Path, form: str, options: str = "") -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    run("qemu-img", "convert", "-f", "raw", "-O", form, *(["-o", options] if options else []), raw, to)


def coverage(result: Any, **wanted: str) -> list[tuple[str, str, str]]:
    return [
        (item["volume"], item["status"], item["reason"])
        for item in result.report["coverage"]
        if all(item[key] == value for key, value in wanted.items())
    ]


def gaps(result: Any) -> set[tuple[str, str]]:
    """(volume, what) of the gaps in volumes and their listing, those of single files left out."""
    fine = ("parsed", "empty", "missing", "skipped_by_rule")
    what = ("source", "volume", "virtual disks", "file system", "listing of the volume")
    return {(item["volume"], item["what"]) for item in result.report["coverage"] if item["status"] not in fine and item["what"] in what}


@pytest.fixture
def hash_set(tmp_path: Path) -> str:
    (tmp_path / "known.md5").write_text(hashlib.md5(KNOWN, usedforsecurity=False).hexdigest() + "\n")
    return f"alert={tmp_path / 'known.md5'}"


@pytest.mark.parametrize(
    ("name", "form", "options"),
    [
        ("ext4.vhdx", "vhdx", ""), ("a.VHD", "vpc", "force_size=on"), ("b.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse"),
        ("c.vmdk", "vmdk", "subformat=monolithicFlat"), ("a.qcow2", "qcow2", "compression_type=zlib"), ("a.vdi", "vdi", ""),
    ],
)  # fmt: skip
def test_what_lies_on_a_virtual_disk_is_found(scan: Scan, tmp_path: Path, hash_set: str, name: str, form: str, options: str) -> None:
    disk = partitioned(volume_of(tmp_path, {"home/jo/known.bin": KNOWN, "home/jo/.bash_history": b"shred -u a.txt\n"}))
    path = tmp_path / "evidence/Users/jo/VMs" / name
    converted(disk, path, form, options)
    before = {file: hashlib.sha256(file.read_bytes()).digest() for file in path.parent.iterdir()}
    result = scan(tmp_path / "evidence", "--hashset", hash_set)
    assert gaps(result) == set(), result.err
    [found] = [item for item in result.findings() if item["category"] == "known_material" or item["hashes"]]
    assert found["path"] == "/home/jo/known.bin"
    volumes = {item["id"]: item for item in result.report["sources"][0]["volumes"]}
    assert set(volumes) == {"v1", "v1.d1.v1"} and volumes["v1.d1.v1"]["filesystem"] == "ext4"
    assert volumes["v1.d1.v1"]["description"].startswith(f"/Users/jo/VMs/{name} ▸ ")
    assert before == {file: hashlib.sha256(file.read_bytes()).digest() for file in path.parent.iterdir()}


def test_in_an_image_two_deep_and_no_deeper(scan: Scan, tmp_path: Path, hash_set: str) -> None:
    for depth, files in enumerate(({"c.bin": KNOWN}, {"b.bin": KNOWN}, {"a.bin": KNOWN})):
        raw = volume_of(tmp_path, {**files, **({"inner.vhdx": (tmp_path / "inner.vhdx").read_bytes()} if depth else {})}, 16 << depth)
        converted(raw, tmp_path / "inner.vhdx", "vhdx")
    outer = volume_of(tmp_path, {"inner.vhdx": (tmp_path / "inner.vhdx").read_bytes()}, 128)
    result = scan(outer, "--hashset", hash_set)
    assert {item["path"] for item in result.findings() if item["hashes"]} == {"/a.bin", "/b.bin"}
    assert [item["id"] for item in result.report["sources"][0]["volumes"]] == ["v1", "v1.d1.v1", "v1.d1.v1.d1.v1"]
    [gap] = coverage(result, what="virtual disks")
    assert result.code == 3 and gap[:2] == ("v1.d1.v1.d1.v1", "unreadable") and "not looked into" in gap[2]


def test_the_quick_profile_names_them(scan: Scan, tmp_path: Path) -> None:
    converted(volume_of(tmp_path, {"a.txt": b"a"}), tmp_path / "evidence/a.vhdx", "vhdx")
    result = scan(tmp_path / "evidence", "--profile", "quick")
    assert result.code == 0
    assert [item[:2] for item in coverage(result, what="virtual disks")] == [("v1", "skipped_by_rule")]
    facts = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "SystemFact"]
    assert "virtual disk is present" in {item["name"] for item in facts}


def test_damaged_orphaned_and_encrypted_disks_are_gaps(scan: Scan, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    base = tmp_path / "base.vhdx"
    converted(volume_of(tmp_path, {"a.txt": b"a"}), base, "vhdx")
    (evidence / "sub").mkdir(parents=True)
    damaged = bytearray(base.read_bytes())
    damaged[64 << 10 : 512 << 10] = bytes(448 << 10)  # its headers and region tables
    (evidence / "damaged.vhdx").write_bytes(damaged)
    (evidence / "none.vdi").write_bytes(os.urandom(100) * 1000)
    run("qemu-img", "convert", "-f", "vhdx", "-O", "qcow2", base, tmp_path / "base.qcow2")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(tmp_path / "base.qcow2"), evidence / "orphan.qcow2")
    luks = tmp_path / "luks.raw"
    with luks.open("wb") as stream:
        stream.truncate(4 * MIB)
        stream.write(b"LUKS\xba\xbe\0\1aes".ljust(40, b"\0") + b"xts-plain64".ljust(32, b"\0"))
    converted(luks, evidence / "locked.vhdx", "vhdx")
    result = scan(evidence)
    assert result.code == 3
    gaps = {item[0]: item[1:] for item in coverage(result, what="volume")}
    assert sorted(gaps) == ["v1.d1.v1", "v1.d2.v1", "v1.d3.v1", "v1.d4.v1"]
    assert gaps["v1.d1.v1"][0] == "unreadable" and "damaged" in gaps["v1.d1.v1"][1]
    assert gaps["v1.d2.v1"][0] == "encrypted"
    assert gaps["v1.d4.v1"][0] == "unreadable" and "base.qcow2" in gaps["v1.d4.v1"][1]
    items = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "EncryptedItem"]
    assert ("luks volume", "v1.d2.v1") in {(item["kind"], item["provenance"]["volume"]) for item in items}


def test_a_chain_of_changes_is_joined_inside_the_evidence(scan: Scan, tmp_path: Path, hash_set: str) -> None:
    evidence = tmp_path / "evidence"
    converted(volume_of(tmp_path, {"a.bin": KNOWN}), evidence / "base.qcow2", "qcow2")
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", evidence / "now.qcow2")
    result = scan(evidence, "--hashset", hash_set)
    assert gaps(result) == set(), result.err
    assert [item["id"] for item in result.report["sources"][0]["volumes"]] == ["v1", "v1.d1.v1", "v1.d2.v1"]


def test_no_path_on_a_disk_leads_out_of_the_evidence(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"S" * 8192)
    (tmp_path / "evidence").mkdir()
    for name in ("../secret", str(tmp_path / "secret")):
        (tmp_path / "evidence/a.vmdk").write_text(
            f'# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 16 FLAT "{name}" 0\n'
        )
        disk = open_inside(FolderFilesystem(tmp_path / "evidence"), "/a.vmdk", prefix="v1.d1.")
        [volume] = disk.volumes()
        assert volume.id == "v1.d1.v1" and volume.status.is_gap, volume
        disk.close()


def test_which_files_are_disks() -> None:
    noted = Noted()
    names = ("a.vhdx", "A.VMDK", "a-flat.vmdk", "b-flat.vmdk", "a-s001.vmdk", "small.vdi", "a.txt", "gone.vdi", "a.avhdx")
    for name in names:
        noted.see(Entry(f"/{name}", "file", 10 if name == "small.vdi" else MIB, "1", allocated=name != "gone.vdi"))
    assert noted.disks == ["/A.VMDK", "/a.avhdx", "/a.vhdx", "/b-flat.vmdk"]
