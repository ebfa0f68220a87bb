"""Encryption told by signatures and by measurement."""

from __future__ import annotations

import os
import random
import struct
import zlib
from pathlib import Path

import pytest

from triage.evidence.bytesource import FileBytes
from triage.evidence.encryption import detect, measure

METADATA = 65536


def on_disk(tmp_path: Path, content: bytes) -> FileBytes:
    path = tmp_path / "volume"
    path.write_bytes(content)
    return FileBytes(path)


def bitlocker_metadata(*protections: int) -> bytes:
    """A BitLocker metadata block whose volume master keys are protected in these ways (libbde documentation, "FVE metadata")."""
    entries = b""
    for protection in protections:
        value = bytes(16) + bytes(8) + struct.pack("<HH", 0, protection)
        entries += struct.pack("<HHHH", 8 + len(value), 2, 8, 1) + value
    head = struct.pack("<III16sIIQ", 48 + len(entries), 1, 48, bytes(16), 1, 0x8004, 0)
    return b"-FVE-FS-".ljust(64, b"\0") + head.ljust(48, b"\0") + entries


def bitlocker(kind: str, *protections: int) -> bytes:
    sector = bytearray(512)
    sector[510:512] = b"\x55\xaa"
    sector[11:14] = struct.pack("<HB", 512, 8)
    windows7 = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    if kind == "vista":
        sector[0:11] = b"\xeb\x52\x90-FVE-FS-"
        struct.pack_into("<Q", sector, 56, METADATA // 4096)
    elif kind == "to go":
        sector[0:11] = b"\xeb\x58\x90MSWIN4.1"
        sector[424:440] = windows7
        struct.pack_into("<3Q", sector, 440, METADATA, 0, 0)
    else:
        sector[0:11] = b"\xeb\x58\x90-FVE-FS-"
        sector[160:176] = windows7 if kind == "7" else bytes.fromhex("3b4da89280dd0e4d9e4eb1e3284eaed8")
        struct.pack_into("<3Q", sector, 176, 1 << 40, METADATA, 0)  # the first block lies beyond the end: the second is used
    return (bytes(sector).ljust(METADATA, b"\0") + bitlocker_metadata(*protections)).ljust(1 << 18, b"\0")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("vista", "BitLocker (Windows Vista)"),
        ("7", "BitLocker"),
        ("used space", "BitLocker, used space only"),
        ("to go", "BitLocker To Go"),
    ],
)
def test_bitlocker(tmp_path: Path, kind: str, words: str) -> None:
    found = detect(on_disk(tmp_path, bitlocker(kind, 0x0100, 0x0800)))
    assert found == ("bitlocker", f"{words}, protected by TPM, recovery password")
    assert detect(on_disk(tmp_path, bitlocker(kind))) == ("bitlocker", words)


def test_bitlocker_with_suspended_protection(tmp_path: Path) -> None:
    found = detect(on_disk(tmp_path, bitlocker("7", 0x0000)))
    assert found == ("bitlocker", "BitLocker, protected by clear key (protection suspended)")


def test_bitlocker_metadata_that_lies(tmp_path: Path) -> None:
    dice = random.Random(3)
    good = bitlocker("7", 0x0100, 0x2000, 0x0800)
    for _ in range(300):
        content = bytearray(good)
        for _ in range(dice.randint(1, 8)):
            content[METADATA + 8 + dice.randrange(240)] = dice.randrange(256)
        found = detect(on_disk(tmp_path, bytes(content[: dice.choice((len(content), METADATA + dice.randrange(200)))])))
        assert found is not None
        assert found.kind == "bitlocker"


@pytest.mark.parametrize(
    ("place", "content", "kind", "words"),
    [
        (0, b"LUKS\xba\xbe\x00\x01", "luks", "LUKS version 1"),
        (0, b"LUKS\xba\xbe\x00\x02", "luks", "LUKS version 2"),
        (0x4000, b"SKUL\xba\xbe\x00\x02", "luks", "LUKS version 2 whose first header is destroyed; its second header is at byte 16384"),
        (0x400000, b"SKUL\xba\xbe\x00\x02", "luks", "LUKS version 2 whose first header is destroyed; its second header is at byte 4194304"),
    ],
)
def test_luks(tmp_path: Path, place: int, content: bytes, kind: str, words: str) -> None:
    assert detect(on_disk(tmp_path, bytes(place) + content + bytes(1 << 16))) == (kind, words)


def test_core_storage(tmp_path: Path) -> None:
    header = bytearray(512)
    header[8:12] = b"\x01\x00\x10\x00"
    header[88:90] = b"CS"
    header[96:100] = struct.pack("<I", 4096)
    found = detect(on_disk(tmp_path, bytes(header)))
    assert found is not None
    assert found.kind == "filevault"
    header[96:100] = bytes(4)
    assert detect(on_disk(tmp_path, bytes(header))) is None


@pytest.mark.parametrize("content", [b"", b"LUKS", bytes(100), b"\x55\xaa" * 256, os.urandom(4096)])
def test_nothing_is_no_encryption(tmp_path: Path, content: bytes) -> None:
    assert detect(on_disk(tmp_path, content)) is None


def test_random_bytes_are_a_possible_container(tmp_path: Path) -> None:
    for seed in range(8):
        found = measure(on_disk(tmp_path, random.Random(seed).randbytes(300 << 10)))
        assert found.random
        assert (found.constant, found.samples) == (None, 4)
        assert found.entropy > 7.99


def test_compressed_and_other_content_is_not(tmp_path: Path) -> None:
    words = [f"word{number} " for number in range(5000)]
    dice = random.Random(4)
    text = "".join(dice.choice(words) for _ in range(500_000)).encode()
    packed = zlib.compress(text, 9)
    assert len(packed) > 1 << 20
    assert not measure(on_disk(tmp_path, packed)).random
    assert not measure(on_disk(tmp_path, text)).random
    noise = random.Random(1).randbytes(1 << 20)
    assert not measure(on_disk(tmp_path, noise[: 600 << 10] + bytes(100 << 10) + noise[700 << 10 :])).random


def test_each_measure_counts_by_itself(tmp_path: Path) -> None:
    dice = random.Random(9)
    # Every window uses half the values, all windows together use all of them evenly: only the entropy tells.
    halves = b"".join(bytes(byte & 0x7F | number % 2 << 7 for byte in dice.randbytes(1 << 16)) for number in range(16))
    # One value a third too frequent, as compression leaves it: only the chi-square tells.
    biased = bytes(0 if dice.random() < 0.0013 else byte for byte in dice.randbytes(1 << 20))
    # All values exactly equally often, as a counter gives: too even to be random.
    even = bytes(range(256)) * 4096
    for content in (halves, biased, even):
        assert not measure(on_disk(tmp_path, content)).random


def test_small_areas_are_not_judged(tmp_path: Path) -> None:
    assert not measure(on_disk(tmp_path, random.Random(1).randbytes(100 << 10))).random


@pytest.mark.parametrize(("value", "size"), [(0, 5 << 20), (0xFF, 5000), (0, 1)])
def test_constant(tmp_path: Path, value: int, size: int) -> None:
    found = measure(on_disk(tmp_path, bytes([value]) * size))
    assert (found.constant, found.random) == (value, False)


def test_one_other_byte_at_the_end_is_not_constant(tmp_path: Path) -> None:
    assert measure(on_disk(tmp_path, bytes((5 << 20) - 1) + b"x")).constant is None


def test_a_constant_that_was_not_read_is_none(tmp_path: Path) -> None:
    data = on_disk(tmp_path, bytes(1 << 20))
    (tmp_path / "volume").write_bytes(bytes(1000))
    assert measure(data).constant is None
