"""Virtual disks and Apple images: real ones, ones made by qemu-img, chains of parents, damage."""

from __future__ import annotations

import hashlib
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Status
from triage.evidence.bytesource import plain_range
from triage.evidence.images import Image, NotOpened, open_image
from triage.evidence.unlock import Secret

Unpack = Callable[[str], Path]


def whole(image: Image) -> bytes:
    return b"".join(image.data.read_at(offset, 1 << 20) for offset in range(0, image.data.size, 1 << 20))


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("path", "kind", "same_as"),
    [
        ("images/dfvfs/ext2.qcow2", "qcow", "images/dfvfs/ext2.raw.xz"),
        ("images/dfvfs/ext2.vhd.xz", "vhd", "images/dfvfs/ext2.raw.xz"),
        ("images/dfvfs/ext2.vmdk", "vmdk", "images/dfvfs/ext2.raw.xz"),
        ("images/dfvfs/ext2.E01", "ewf", "images/dfvfs/ext2.raw.xz"),
        ("images/sleuthkit/image.E01", "ewf", "images/sleuthkit/image.dd"),
        ("images/plaso/image.vhd.xz", "vhd", "images/plaso/ímynd.dd"),
    ],
)
def test_specimens_hold_the_raw_image(unpacked: Unpack, path: str, kind: str, same_as: str) -> None:
    image = open_image(unpacked(path))
    raw = unpacked(same_as).read_bytes()
    content = whole(image)
    assert image.kind == kind
    assert content[: len(raw)] == raw
    assert not any(content[len(raw) :])  # a VHD's size is rounded up to its geometry
    assert kind == "vhd" or len(content) == len(raw)
    assert (image.problems, image.data.errors) == ([], [])
    image.data.close()


@pytest.mark.specimens
def test_sleuthkit_specimens_hold_one_image(unpacked: Unpack) -> None:
    """Their media are one later state of image.dd: the superblock differs from it in the mount count and time."""
    contents = [whole(open_image(unpacked(f"images/sleuthkit/image.{name}")))[:102400] for name in ("qcow", "vhd.xz", "vmdk")]
    assert contents[0] == contents[1] == contents[2]
    assert sum(one != other for one, other in zip(contents[0], unpacked("images/sleuthkit/image.dd").read_bytes(), strict=True)) < 100


@pytest.mark.specimens
def test_udif_specimens(unpacked: Unpack) -> None:
    assert open_image(unpacked("images/dfvfs/hfsplus_zlib.dmg")).data.size == 1954304
    image = open_image(unpacked("images/plaso/spotlight.12.dmg"))
    assert (image.kind, image.data.size) == ("udif", 67108864)
    assert image.data.read_at(512, 8) == b"EFI PART"
    assert open_image(unpacked("images/plaso/apfs.dmg.xz")).kind == "raw"  # an uncompressed .dmg has no trailer and is what it is


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory, mixed_media: bytes) -> Path:
    path = tmp_path_factory.mktemp("media") / "media.raw"
    path.write_bytes(mixed_media)
    return path


@pytest.mark.tools
@pytest.mark.parametrize(
    ("form", "options", "kind"),
    [
        ("vhdx", "", "vhdx"),
        ("vhdx", "subformat=fixed", "vhdx"),
        ("vpc", "subformat=fixed,force_size=on", "vhd"),
        ("vpc", "force_size=on", "vhd"),
        ("vdi", "", "vdi"),
        ("vdi", "static=on", "vdi"),
        ("qcow2", "compression_type=zlib", "qcow"),
        ("qcow2", "compat=0.10", "qcow"),
        ("qcow2", "cluster_size=512", "qcow"),
        ("qcow2", "extended_l2=on", "qcow"),
        ("qcow", "", "qcow"),
        ("vmdk", "subformat=monolithicFlat", "vmdk"),
        ("vmdk", "subformat=monolithicSparse", "vmdk"),
        ("vmdk", "subformat=twoGbMaxExtentFlat", "vmdk"),
        ("vmdk", "subformat=twoGbMaxExtentSparse", "vmdk"),
        ("vmdk", "subformat=streamOptimized", "vmdk"),
    ],
)
def test_made_by_qemu(
    tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str], form: str, options: str, kind: str
) -> None:
    path = tmp_path / "renamed.bin"  # the content says what it is, not the name
    if form == "vmdk":
        path = tmp_path / "disk.vmdk"
    run_tool("qemu-img", "convert", "-O", form, *(["-o", options] if options else []), media, path)
    before = {file: (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).digest()) for file in tmp_path.iterdir()}
    image = open_image(path)
    assert image.kind == kind
    assert whole(image) == mixed_media
    assert (image.problems, image.data.errors) == ([], [])
    assert set(image.files) == {str(file) for file in tmp_path.iterdir()}
    image.data.close()
    assert before == {file: (file.stat().st_mtime_ns, hashlib.sha256(file.read_bytes()).digest()) for file in tmp_path.iterdir()}


@pytest.mark.tools
def test_flat_extent_is_plain(tmp_path: Path, media: Path, run_tool: Callable[..., str]) -> None:
    run_tool("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", media, tmp_path / "disk.vmdk")
    assert plain_range(open_image(tmp_path / "disk.vmdk").data) == (str(tmp_path / "disk-flat.vmdk"), 0)


@pytest.mark.tools
@pytest.mark.parametrize("subformat", ["monolithicSparse", "streamOptimized"])
def test_a_renamed_vmdk_is_read_and_not_its_namesake(
    tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str], subformat: str
) -> None:
    """The descriptor inside names the file as it was called when it was made; another disk may have that name by now."""
    made, renamed = tmp_path / "disk.vmdk", tmp_path / "exhibit 1.vmdk"
    run_tool("qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={subformat}", media, made)
    made.rename(renamed)
    image = open_image(renamed)
    assert (whole(image), image.files) == (mixed_media, [str(renamed)])
    (tmp_path / "other.raw").write_bytes(b"other" * len(mixed_media))
    run_tool("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", f"subformat={subformat}", tmp_path / "other.raw", made)
    assert whole(open_image(renamed)) == mixed_media


@pytest.mark.tools
def test_a_cut_stream_optimised_vmdk_is_lost_by_the_grain(
    tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str]
) -> None:
    path = tmp_path / "disk.vmdk"
    run_tool("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", media, path)
    os.truncate(path, path.stat().st_size // 2)
    image = open_image(path)
    data = whole(image)
    assert image.data.errors
    for error in image.data.errors:
        assert error.offset % 65536 == 0
        mixed_media = mixed_media[: error.offset] + bytes(error.length) + mixed_media[error.offset + error.length :]
    assert data == mixed_media


def flat_disk(folder: Path, lines: list[str]) -> Path:
    text = ["# Disk DescriptorFile", "version=1", "CID=12345678", "parentCID=ffffffff", 'createType="twoGbMaxExtentFlat"', "",
            "# Extent description", *lines, "", "# The Disk Data Base", "#DDB", "", 'ddb.adapterType = "ide"', ""]  # fmt: skip
    path = folder / "disk.vmdk"
    path.write_text("\n".join(text))
    return path


def test_a_missing_and_a_short_flat_extent(tmp_path: Path) -> None:
    (tmp_path / "disk-f001.vmdk").write_bytes(b"A" * 4096)
    (tmp_path / "disk-f003.vmdk").write_bytes(b"C" * 3000)
    path = flat_disk(tmp_path, [f'RW 8 FLAT "disk-f00{number}.vmdk" 0' for number in (1, 2, 3)])
    image = open_image(path)
    assert whole(image) == b"A" * 4096 + bytes(4096) + b"C" * 3000 + bytes(1096)
    assert [(error.offset, error.length) for error in image.data.errors] == [(4096, 4096), (11192, 1096)]
    assert [problem.locator for problem in image.problems] == ["extent=2", "extent=3"]
    assert all(problem.status.is_gap for problem in image.problems)


@pytest.mark.parametrize("name", ["../outside.vmdk", "/etc/hostname", "C:\\\\Windows\\\\win.ini"])
def test_extents_outside_the_folder_are_never_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.vmdk").write_bytes(b"secret" * 1000)
    (tmp_path / "inside").mkdir()
    with pytest.raises(NotOpened, match="outside its own folder"):
        open_image(flat_disk(tmp_path / "inside", [f'RW 8 FLAT "{name}" 0']))


@pytest.mark.tools
@pytest.mark.parametrize(
    "form",
    [
        ["qcow2"],
        ["qcow2", "-o", "cluster_size=4k"],
        ["qcow2", "-o", "extended_l2=on"],
        ["vmdk", "-o", "subformat=streamOptimized"],
    ],
)
def test_compressed_by_qemu(tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str], form: list[str]) -> None:
    """libqcow gives zeros for compressed clusters and says nothing."""
    run_tool("qemu-img", "convert", "-c", "-O", *form, media, tmp_path / "disk.img")
    image = open_image(tmp_path / "disk.img")
    assert whole(image) == mixed_media
    assert (image.problems, image.data.errors) == ([], [])


def test_compressed_cluster_of_version_1(tmp_path: Path) -> None:
    content = bytes(range(256)) * 16
    packer = zlib.compressobj(9, zlib.DEFLATED, -12)
    packed = packer.compress(content) + packer.flush()
    header = struct.pack(">4sIQIIQBBHIQ", b"QFI\xfb", 1, 0, 0, 0, 3 * 4096, 12, 9, 0, 0, 512)
    second = struct.pack(">3Q", 8192, 1 << 63 | len(packed) << 51 | 12288, 0)  # stored, compressed, not there
    path = tmp_path / "disk.qcow"
    path.write_bytes(
        header.ljust(512, b"\0") + struct.pack(">Q", 4096).ljust(3584, b"\0") + second.ljust(4096, b"\0") + b"A" * 4096 + packed
    )
    assert whole(open_image(path)) == b"A" * 4096 + content + bytes(4096)


@pytest.mark.tools
def test_a_damaged_compressed_cluster_is_an_error_not_zeros(
    tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str]
) -> None:
    path = tmp_path / "disk.qcow2"
    run_tool("qemu-img", "convert", "-c", "-O", "qcow2", media, path)
    os.truncate(path, path.stat().st_size * 2 // 3)
    image = open_image(path)
    data = whole(image)
    assert len(data) == len(mixed_media)
    assert data != mixed_media
    for error in image.data.errors:
        mixed_media = mixed_media[: error.offset] + bytes(error.length) + mixed_media[error.offset + error.length :]
    assert data == mixed_media


@pytest.mark.tools
def test_qcow_compressed_with_zstandard_is_refused_by_name(tmp_path: Path, media: Path, run_tool: Callable[..., str]) -> None:
    run_tool("qemu-img", "convert", "-c", "-O", "qcow2", "-o", "compression_type=zstd", media, tmp_path / "disk.qcow2")
    with pytest.raises(NotOpened, match="Zstandard"):
        open_image(tmp_path / "disk.qcow2")


@pytest.mark.tools
def test_overlay_on_a_raw_image_and_snapshots_inside(tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str]) -> None:
    overlay = tmp_path / "overlay.qcow2"
    raw = tmp_path / "base.raw"
    raw.write_bytes(mixed_media)
    run_tool("qemu-img", "create", "-f", "qcow2", "-F", "raw", "-b", raw, overlay)
    run_tool("qemu-img", "snapshot", "-c", "before", overlay)
    run_tool("qemu-io", "-c", "write -P 0x5a 0 4096", overlay)
    image = open_image(overlay)
    assert whole(image) == b"\x5a" * 4096 + mixed_media[4096:]
    assert image.files == [str(overlay), str(raw)]
    assert [problem.status for problem in image.problems] == [Status.SKIPPED]


@pytest.mark.tools
def test_overlay_with_and_without_its_backing_file(tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str]) -> None:
    base, overlay = tmp_path / "base.qcow2", tmp_path / "overlay.qcow2"
    run_tool("qemu-img", "convert", "-O", "qcow2", media, base)
    run_tool("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", base, overlay)
    run_tool("qemu-io", "-c", "write -P 0x5a 65536 65536", overlay)
    image = open_image(overlay)
    assert whole(image) == mixed_media[:65536] + b"\x5a" * 65536 + mixed_media[131072:]
    assert image.files == [str(overlay), str(base)]
    image.data.close()
    base.unlink()
    with pytest.raises(NotOpened, match=r"backing file .* is not beside it"):
        open_image(overlay)


@pytest.mark.tools
def test_differencing_vhd_without_its_parent_says_so(tmp_path: Path, media: Path, run_tool: Callable[..., str]) -> None:
    path = tmp_path / "child.vhd"
    run_tool("qemu-img", "convert", "-O", "vpc", "-o", "force_size=on", media, path)
    content = bytearray(path.read_bytes())
    for footer in (0, len(content) - 512):
        content[footer + 60 : footer + 64] = (4).to_bytes(4, "big")  # disk type: differencing
        content[footer + 64 : footer + 68] = bytes(4)
        content[footer + 64 : footer + 68] = (~sum(content[footer : footer + 512]) & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(NotOpened) as caught:
        open_image(path)
    assert caught.value.kind == "vhd"


@pytest.mark.tools
def test_qcow_encrypted_with_luks(tmp_path: Path, run_tool: Callable[..., str]) -> None:
    path = tmp_path / "luks.qcow2"
    run_tool("qemu-img", "create", "-f", "qcow2", path, "1M")
    content = bytearray(path.read_bytes())
    content[32:36] = (2).to_bytes(4, "big")  # crypt_method of the QCOW2 header
    path.write_bytes(content)
    with pytest.raises(NotOpened, match="encrypted with LUKS") as caught:
        open_image(path, [Secret("password", "word")])
    assert caught.value.status is Status.ENCRYPTED


@pytest.mark.tools
@pytest.mark.parametrize("form", ["qcow", "qcow2"])
def test_qcow_of_the_old_encryption(tmp_path: Path, media: Path, mixed_media: bytes, run_tool: Callable[..., str], form: str) -> None:
    path = tmp_path / "old.img"
    run_tool(
        "qemu-img", "convert", "-O", form, "--object", "secret,id=s,data=word", "-o", "encrypt.format=aes,encrypt.key-secret=s", media, path
    )
    with pytest.raises(NotOpened, match="no password was given") as caught:
        open_image(path)
    assert caught.value.status is Status.ENCRYPTED
    assert whole(open_image(path, [Secret("password", "word")])) == mixed_media


@pytest.mark.tools
@pytest.mark.parametrize(
    ("form", "options"), [("vhdx", ""), ("vpc", "force_size=on"), ("qcow2", ""), ("vdi", ""), ("vmdk", "subformat=monolithicSparse")]
)
def test_cut_and_flipped(tmp_path: Path, media: Path, run_tool: Callable[..., str], form: str, options: str) -> None:
    path = tmp_path / "disk.bin"
    run_tool("qemu-img", "convert", "-O", form, *(["-o", options] if options else []), media, path)
    good = path.read_bytes()
    dice = random.Random(5)
    for turn in range(12):
        content = bytearray(good)
        if turn % 2:
            os.truncate(path, 0)
            del content[dice.randrange(512, len(content)) :]
        else:
            for _ in range(10):
                content[dice.randrange(8192)] ^= dice.randrange(1, 256)
        path.write_bytes(content)
        try:
            image = open_image(path)
        except NotOpened as error:
            assert str(error)
            assert error.kind
            continue
        for offset in range(0, min(image.data.size, 4 << 20), 1 << 20):
            assert len(image.data.read_at(offset, 4096)) <= 4096
        image.data.close()
