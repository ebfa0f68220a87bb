"""Which file system lies on a volume, and its label, from the signatures the formats put there.

Sources: Microsoft FAT specification 1.03 and exFAT specification; Apple TN1150 (HFS+); ECMA-119; ECMA-167; Linux kernel
documentation and headers for ext4, XFS, btrfs, F2FS, swap, squashfs; FreeBSD ufs/ffs/fs.h; Apple File System Reference.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from triage.evidence.filesystems import fat
from triage.evidence.model import ByteSource

Found = tuple[str, str | None]

_UFS1_PLACES = (8192,)
_UFS2_PLACES = (65536, 0, 8192, 262144)
_SWAP_PAGES = (4096, 8192, 16384, 32768, 65536)
_FIXED: tuple[tuple[int, bytes, str], ...] = (
    (3, b"ReFS\0", "refs"),
    (0, b"hsqs", "squashfs"),
    (0, b"sqsh", "squashfs"),
    (0, b"\x45\x3d\xcd\x28", "cramfs"),
    (1024, b"\xe2\xe1\xf5\xe0", "erofs"),
    (1024, b"\2\0\0\0\0\0\x34\x34", "nilfs2"),
    (32768, b"JFS1", "jfs"),
    (65588, b"ReIsEr", "reiserfs"),
    (65600, b"ReIsEr4", "reiser4"),
    (8192, b"\x49\xe8\x95\xf9", "hpfs"),
    (4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", "bcachefs"),
    (1048576, b"\x0d\xd0\x01\xc0", "vmfs"),
)


def identify(data: ByteSource) -> Found | None:
    """The file system on ``data`` and its label (None where it has none), or None where no signature is known.

    Also names those this program cannot walk. Types: ntfs, refs, fat12, fat16, fat32, exfat, ext2, ext3, ext4, ext journal, hfs, hfs+,
    hfsx, apfs (a container), iso9660, udf, ufs1, ufs2, xfs, btrfs, f2fs, swap, squashfs, and others by name. Reads a few kilobytes
    (the FAT root directory, the HFS+ catalog's first leaf and the like for labels) and never raises for damaged content.
    """
    for check in (_ntfs, _fat, _apfs, _xfs, _ext, _hfs, _btrfs, _f2fs, _optical, _ufs, _swap, _zfs, _fixed):
        try:
            found = check(data)
        except (struct.error, IndexError, ValueError):
            continue
        if found:
            return found[0], found[1] or None
    return None


def _text(raw: bytes, encoding: str = "utf-8") -> str:
    return raw.decode(encoding, "replace").split("\0")[0].rstrip()


def _label(read: Callable[[ByteSource], str | None], data: ByteSource) -> str | None:
    """A damaged label never costs the recognition of the file system."""
    try:
        return read(data)
    except (struct.error, IndexError, ValueError, OverflowError):
        return None


def _ntfs(data: ByteSource) -> Found | None:
    return ("ntfs", _label(_ntfs_label, data)) if data.read_at(3, 8) == b"NTFS    " else None


def _ntfs_label(data: ByteSource) -> str | None:
    """$VOLUME_NAME (type 0x60, always resident) of MFT record 3."""
    boot = data.read_at(0, 512)
    sector, per_cluster, mft, record = (
        *struct.unpack_from("<HB", boot, 11),
        *struct.unpack_from("<Q", boot, 48),
        struct.unpack_from("<b", boot, 64)[0],
    )
    cluster = sector * (per_cluster if per_cluster <= 128 else 1 << (256 - per_cluster))
    size = record * cluster if record > 0 else 1 << -record
    if not 0 < size <= 65536:
        return None
    raw = data.read_at(mft * cluster + 3 * size, size)
    if raw[:4] != b"FILE":
        return None
    at = struct.unpack_from("<H", raw, 20)[0]
    while at + 24 <= len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        if kind == 0x60:
            count, start = struct.unpack_from("<IH", raw, at + 16)
            return raw[at + start : at + start + count].decode("utf-16-le", "replace")
        if kind == 0xFFFFFFFF or length == 0:
            return None
        at += length
    return None


def _fat(data: ByteSource) -> Found | None:
    layout = fat.read_layout(data)
    return (layout.type, _label(lambda _: fat.label(data, layout), data)) if layout else None


def _apfs(data: ByteSource) -> Found | None:
    return ("apfs", None) if data.read_at(32, 4) == b"NXSB" else None


def _xfs(data: ByteSource) -> Found | None:
    return ("xfs", _text(data.read_at(108, 12))) if data.read_at(0, 4) == b"XFSB" else None


def _ext(data: ByteSource) -> Found | None:
    block = data.read_at(1024, 264)
    if block[56:58] != b"\x53\xef":
        return None
    compatible, incompatible, read_only = struct.unpack_from("<III", block, 92)
    if incompatible & 0x8:
        return "ext journal", None
    # Extents, 64-bit, flex_bg and the like exist only in ext4; a journal alone makes ext3 of ext2.
    ext4 = incompatible & 0x3C0 or read_only & 0x578
    return ("ext4" if ext4 else "ext3" if compatible & 0x4 else "ext2"), _text(block[120:136])


def _hfs(data: ByteSource) -> Found | None:
    header = data.read_at(1024, 512)
    if header[:2] == b"BD":
        if header[0x7C:0x7E] == b"H+":
            return "hfs+", header[37 : 37 + min(header[36], 27)].decode("mac_roman", "replace")
        return "hfs", header[37 : 37 + min(header[36], 27)].decode("mac_roman", "replace")
    version = struct.unpack_from(">H", header, 2)[0]
    kind = {(b"H+", 4): "hfs+", (b"HX", 5): "hfsx"}.get((header[:2], version))
    return (kind, _label(_hfsplus_label, data)) if kind else None


def _hfsplus_label(data: ByteSource) -> str | None:
    """The name of the root folder: its record has the smallest key (parent 1) and so stands first in the catalog's first leaf."""
    header = data.read_at(1024, 512)
    block = struct.unpack_from(">I", header, 40)[0]
    extents = [struct.unpack_from(">II", header, 272 + 16 + 8 * index) for index in range(8)]

    def catalog(offset: int, length: int) -> bytes:
        for start, count in extents:
            if offset < count * block:
                return data.read_at(start * block + offset, length)
            offset -= count * block
        return b""

    leaf, _, size = struct.unpack_from(">IIH", catalog(14, 22), 10)
    node = catalog(leaf * size, size)
    first = struct.unpack_from(">H", node, size - 2)[0]
    _, parent, length = struct.unpack_from(">HIH", node, first)
    return node[first + 8 : first + 8 + 2 * length].decode("utf-16-be", "replace") if parent == 1 else None


def _btrfs(data: ByteSource) -> Found | None:
    block = data.read_at(65536, 600)
    return ("btrfs", _text(block[299:555])) if block[64:72] == b"_BHRfS_M" else None


def _f2fs(data: ByteSource) -> Found | None:
    block = data.read_at(1024, 1152)
    return ("f2fs", _text(block[124:1148], "utf-16-le")) if block[:4] == b"\x10\x20\xf5\xf2" else None


def _optical(data: ByteSource) -> Found | None:
    for sector, skip in ((2048, 0), (2352, 16), (2352, 24)):
        descriptor = data.read_at(16 * sector + skip, 2048)
        if descriptor[1:6] == b"CD001":
            return "iso9660", _text(descriptor[40:72], "latin-1")
        if descriptor[1:6] in (b"BEA01", b"NSR02", b"NSR03"):
            return "udf", None
    return None


def _ufs(data: ByteSource) -> Found | None:
    for places, magic, name in ((_UFS2_PLACES, 0x19540119, "ufs2"), (_UFS1_PLACES, 0x00011954, "ufs1")):
        for place in places:
            raw = data.read_at(place + 1372, 4)
            if len(raw) == 4 and magic in (int.from_bytes(raw, "little"), int.from_bytes(raw, "big")):
                return name, _text(data.read_at(place + 680, 32)) if name == "ufs2" else None
    return None


def _swap(data: ByteSource) -> Found | None:
    for page in _SWAP_PAGES:
        magic = data.read_at(page - 10, 10)
        if magic in (b"SWAPSPACE2", b"SWAP-SPACE"):
            return "swap", _text(data.read_at(1052, 16)) if magic == b"SWAPSPACE2" else None
    return None


def _zfs(data: ByteSource) -> Found | None:
    for place in range(131072, 262144, 4096):
        if data.read_at(place, 8) in (b"\x0c\xb1\xba\0\0\0\0\0", b"\0\0\0\0\0\xba\xb1\x0c"):
            return "zfs", None
    return None


def _fixed(data: ByteSource) -> Found | None:
    return next(((name, None) for place, magic, name in _FIXED if data.read_at(place, len(magic)) == magic), None)
