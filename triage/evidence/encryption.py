"""Encrypted volumes, told by signature; and volumes that look like nothing but noise, told by measurement and named with care."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from triage.evidence.model import ByteSource

BITLOCKER_SIGNATURE = b"-FVE-FS-"
# The GUIDs that mark a BitLocker volume whose boot sector looks like another file system's (libbde documentation, "Volume header").
BITLOCKER_TO_GO_GUID = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
BITLOCKER_USED_SPACE_GUID = bytes.fromhex("3b4da892 80dd 0e4d 9e4e b1e3284eaed8")
LUKS_SIGNATURE = b"LUKS\xba\xbe"
LUKS2_BACKUP_SIGNATURE = b"SKUL\xba\xbe"
LUKS2_BACKUP_OFFSETS = (0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000)
CORE_STORAGE_SIGNATURE = b"CS"

PROTECTORS = {
    0x0000: "clear key (protection suspended)",
    0x0100: "TPM",
    0x0200: "startup key",
    0x0500: "TPM and PIN",
    0x0800: "recovery password",
    0x2000: "password",
}

WINDOW = 1 << 16
WINDOWS = 16
MIN_NOISE = 256 << 10
"""Smaller areas are not judged: VeraCrypt's smallest volume is about 292 KiB, and few windows prove little."""
MIN_ENTROPY = 7.99
"""Bits a byte in each window. 64 KiB of random bytes have 7.997 on average and practically never less than 7.996."""
CHI_SQUARE = (150.0, 380.0)
"""Of all windows' bytes together, 255 degrees of freedom: mean 255, standard deviation 22.6, so about five deviations either way.
Compressed files pass the entropy test but keep a small bias that grows with the number of bytes and leaves this band."""

CONSTANT_SAMPLE = 4096
CONSTANT_SAMPLES = 256


class Encryption(NamedTuple):
    """What was recognised: ``kind`` as in ``Volume.encrypted``, ``detail`` a few plain words on version and protection."""

    kind: str
    detail: str


def detect(data: ByteSource) -> Encryption | None:
    """The encryption of a volume by its signatures, or None. Reads a few sectors."""
    head = data.read_at(0, 512)
    if (
        head[3:11] == BITLOCKER_SIGNATURE
        or BITLOCKER_TO_GO_GUID in (head[160:176], head[424:440])
        or head[160:176] == BITLOCKER_USED_SPACE_GUID
    ):
        return Encryption("bitlocker", _bitlocker_detail(data, head))
    if head[:6] == LUKS_SIGNATURE:
        return Encryption("luks", f"LUKS version {int.from_bytes(head[6:8], 'big')}")
    if (
        head[88:90] == CORE_STORAGE_SIGNATURE
        and head[8:10] == b"\x01\x00"
        and struct.unpack_from("<I", head.ljust(512, b"\0"), 96)[0] in (512, 4096)
    ):
        return Encryption("filevault", "FileVault 2 or another Core Storage volume")
    for offset in LUKS2_BACKUP_OFFSETS:
        if data.read_at(offset, 6) == LUKS2_BACKUP_SIGNATURE:
            return Encryption("luks", f"LUKS version 2 whose first header is destroyed; its second header is at byte {offset}")
    return None


def _bitlocker_detail(data: ByteSource, head: bytes) -> str:
    """Version by the boot sector, protectors by the metadata block, where they can be read without a key."""
    if head[3:11] != BITLOCKER_SIGNATURE:
        words = "BitLocker To Go" if head[424:440] == BITLOCKER_TO_GO_GUID else "BitLocker"
    else:
        words = "BitLocker (Windows Vista)" if head[:3] == b"\xeb\x52\x90" else "BitLocker"
    if head[160:176] == BITLOCKER_USED_SPACE_GUID:
        words += ", used space only"
    protectors = _protectors(data, head)
    return f"{words}, protected by {', '.join(protectors)}" if protectors else words


def _protectors(data: ByteSource, head: bytes) -> list[str]:
    """The kinds of key protector in the first sound metadata block. Format: libbde documentation, "FVE metadata"."""
    if head[160:176] in (BITLOCKER_TO_GO_GUID, BITLOCKER_USED_SPACE_GUID):
        offsets = struct.unpack_from("<3Q", head, 176)
    elif head[424:440] == BITLOCKER_TO_GO_GUID:
        offsets = struct.unpack_from("<3Q", head, 440)
    else:  # Vista: the cluster of the first block
        offsets = (struct.unpack_from("<Q", head, 56)[0] * int.from_bytes(head[11:13], "little") * head[13], 0, 0)
    for offset in offsets:
        block = data.read_at(offset, 1 << 16) if 0 < offset < data.size else b""
        if block[:8] != BITLOCKER_SIGNATURE or len(block) < 112:
            continue
        size = min(struct.unpack_from("<I", block, 64)[0] + 64, len(block))
        place = 64 + 48
        found: list[str] = []
        while place + 8 <= size:
            length, kind, value = struct.unpack_from("<HHH", block, place)
            if length < 8:
                break
            if kind == 2 and value == 8 and place + 36 <= size:  # a volume master key and how it is protected
                protection = struct.unpack_from("<H", block, place + 8 + 26)[0]
                found.append(PROTECTORS.get(protection, f"protector 0x{protection:04x}"))
            place += length
        return list(dict.fromkeys(found))
    return []


class Noise(NamedTuple):
    """What measuring found: ``constant`` the one byte everything sampled consists of, or None; ``random`` whether every window looks
    like random bytes; ``samples`` how many were read; ``entropy`` the lowest of a window; ``chi_square`` of all windows together."""

    constant: int | None
    random: bool
    samples: int
    entropy: float = 0.0
    chi_square: float = 0.0


def measure(data: ByteSource) -> Noise:
    """Whether a volume without signatures is constant, random-looking, or neither. Reads at most 2 MiB, spread evenly, the first and
    the last bytes among them. Ranges that could not be read are neither constant nor random."""
    size = data.size
    count = min(CONSTANT_SAMPLES, max(1, -(-size // CONSTANT_SAMPLE)))
    step = max(0, size - CONSTANT_SAMPLE) / max(1, count - 1)
    constant: int | None = None
    for number in range(count):
        piece = data.read_at(int(number * step), CONSTANT_SAMPLE)
        if not piece or piece.count(piece[0]) != len(piece) or constant not in (None, piece[0]):
            break
        constant = piece[0]
    else:
        return Noise(None if data.errors else constant, False, count)
    if size < MIN_NOISE:
        return Noise(None, False, count)
    total = [0] * 256
    lowest = 8.0
    windows = min(WINDOWS, size // WINDOW)  # never overlapping: bytes counted twice would spoil the chi-square
    step = (size - WINDOW) / (windows - 1)
    for number in range(windows):
        counts = _histogram(data.read_at(int(number * step) // 512 * 512, WINDOW))
        lowest = min(lowest, _entropy(counts))
        if lowest < MIN_ENTROPY:
            return Noise(None, False, number + 1, lowest)
        total = [one + other for one, other in zip(total, counts, strict=True)]
    expected = sum(total) / 256
    chi_square = sum((count - expected) ** 2 for count in total) / expected
    looks_random = CHI_SQUARE[0] <= chi_square <= CHI_SQUARE[1] and not data.errors
    return Noise(None, looks_random, windows, lowest, chi_square)


def _histogram(data: bytes) -> list[int]:
    return [data.count(value) for value in range(256)]


def _entropy(counts: list[int]) -> float:
    """Shannon entropy in bits a byte."""
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts if count) if total else 0.0
