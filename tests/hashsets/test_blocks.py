from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from hashsets import HashSetError, KeyNeeded, build, open_blocks, open_set
from hashsets.blocks import BLOCK_BYTES, probative

SECRET = b"a secret of the unit"
CHANCE = random.Random(11)


def noise(blocks: int) -> bytes:
    return CHANCE.randbytes(blocks * BLOCK_BYTES)


def is_probative(*blocks: bytes) -> list[bool]:
    return probative(np.frombuffer(b"".join(blocks), np.uint8).reshape(-1, BLOCK_BYTES)).tolist()


def blocks_of(data: bytes) -> list[bytes]:
    return [data[at : at + BLOCK_BYTES] for at in range(0, len(data) - BLOCK_BYTES + 1, BLOCK_BYTES)]


def test_what_is_probative() -> None:
    text = (b"The quick brown fox jumps over the lazy dog. " * 100)[:BLOCK_BYTES]
    ramp = struct.pack("<1024I", *range(7, 7 + 1024 * 65_539, 65_539))
    half_ramp = ramp[: BLOCK_BYTES * 6 // 10] + noise(1)[: BLOCK_BYTES - BLOCK_BYTES * 6 // 10]
    table = b"".join(CHANCE.choice([b"\x12\x34\x56\x78", CHANCE.randbytes(4), CHANCE.randbytes(4)]) for _ in range(1024))
    assert is_probative(noise(1), bytes(BLOCK_BYTES), b"\xff" * BLOCK_BYTES, text, ramp, half_ramp, table) == [True] + [False] * 6
    assert is_probative(*blocks_of(noise(200))) == [True] * 200


@pytest.mark.parametrize("key", [None, SECRET], ids=["plain", "keyed"])
@pytest.mark.parametrize("run_rows", [1 << 20, 50])
def test_blocks_are_found_with_their_file_and_offset(tmp_path: Path, key: bytes | None, run_rows: int) -> None:
    folder = tmp_path / "reference"
    (folder / "sub").mkdir(parents=True)
    shared, harmless = noise(1), noise(2)
    a = noise(400) + b"tail"
    repeated = noise(1)
    b = noise(2) + repeated + bytes(BLOCK_BYTES) + repeated + shared + noise(1)
    c = noise(1) + b"Exif\0\0" + noise(1)[6:] + shared + harmless[BLOCK_BYTES:] + noise(2)
    (folder / "a.jpg").write_bytes(a)
    (folder / "a copy.jpg").write_bytes(a)
    (folder / "sub" / "b.mp4").write_bytes(b)
    (folder / "sub" / "c.jpg").write_bytes(c)
    (folder / "small").write_bytes(b"x" * 100)
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "theme").write_bytes(noise(1) + harmless)
    out = tmp_path / "set"
    built = build(out, [folder], role="alert", kinds=["block"], key=key, known=[tmp_path / "known"], run_rows=run_rows)
    assert built.hashes == {"block": 399 + 2 + 2}
    assert [problem.reason for problem in built.problems] == [
        "reference: a.jpg: the same contents as a file before it, whose blocks stand for both"
    ]
    opened = open_blocks(out, key)
    assert [tuple(file) for file in opened.files] == [
        ("a copy.jpg", len(a), 400, 399),
        ("small", 100, 0, 0),
        ("sub/b.mp4", len(b), 7, 2),
        ("sub/c.jpg", len(c), 6, 2),
    ]
    assert (opened.count, opened.role, opened.name) == (403, "alert", "set")

    def places(data: bytes) -> list[tuple[str, int] | None]:
        return [match and (match.name, match.offset // BLOCK_BYTES) for match in opened.match(blocks_of(data))]

    assert places(a) == [None] + [("a copy.jpg", n) for n in range(1, 400)]
    assert places(b) == [None, ("sub/b.mp4", 1), None, None, None, None, ("sub/b.mp4", 6)]
    assert places(c) == [None, None, None, None, ("sub/c.jpg", 4), ("sub/c.jpg", 5)]
    assert places(noise(50)) == [None] * 50
    assert places(harmless) == [None, None]
    assert (b"a copy.jpg" in out.read_bytes()) is (key is None)
    if key:
        with pytest.raises(KeyNeeded):
            open_blocks(out)


def test_exact_and_block_hashes_in_one_store(tmp_path: Path) -> None:
    import hashlib

    folder = tmp_path / "reference"
    folder.mkdir()
    data = noise(5)
    (folder / "a").write_bytes(data)
    out = tmp_path / "set"
    built = build(out, [folder], role="alert", kinds=["exact", "block"])
    assert (built.count, built.hashes) == (1, {"md5": 1, "sha1": 1, "sha256": 1, "block": 4})
    assert open_set(out).algorithms == {"md5", "sha1", "sha256"}
    assert open_set(out).match("md5", [hashlib.md5(data).digest()])[0] is not None
    assert open_blocks(out).count == 4


def test_the_wrong_kind_of_store(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "a").write_bytes(noise(3))
    build(tmp_path / "blocks", [folder], role="alert", kinds=["block"])
    build(tmp_path / "exact", [folder], role="alert")
    with pytest.raises(HashSetError, match="block hashes only"):
        open_set(tmp_path / "blocks")
    with pytest.raises(HashSetError, match="no block hashes"):
        open_blocks(tmp_path / "exact")
    with pytest.raises(ValueError, match="4096 bytes"):
        open_blocks(tmp_path / "blocks").match([b"short"])


def test_damage_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "a").write_bytes(noise(30))
    out = tmp_path / "set"
    build(out, [folder], role="alert", kinds=["block"])
    whole = out.read_bytes()
    for place in [CHANCE.randrange(len(whole)) for _ in range(60)]:
        out.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(HashSetError):
            open_blocks(out)
        out.write_bytes(whole[:place])
        with pytest.raises(HashSetError):
            open_blocks(out)
