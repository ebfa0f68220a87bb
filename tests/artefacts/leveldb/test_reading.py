"""LevelDB: every key of the specimens, logs and tables made here, and damage."""

from __future__ import annotations

import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.leveldb import Record, records
from artefacts.leveldb.snappy import decompress


def read(data: bytes) -> tuple[list[Record], list[Problem]]:
    found = list(records(data))
    return [item for item in found if isinstance(item, Record)], [item for item in found if isinstance(item, Problem)]


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def log(*batches: tuple[int, list[tuple[bytes, bytes | None]]]) -> bytes:
    """A log file, its batches split over blocks of 32 KiB as LevelDB does."""
    out = bytearray()
    for sequence, changes in batches:
        batch = sequence.to_bytes(8, "little") + len(changes).to_bytes(4, "little")
        for key, value in changes:
            batch += (b"\0" if value is None else b"\1") + varint(len(key)) + key
            batch += b"" if value is None else varint(len(value)) + value
        first = True
        while batch or first:
            room = 32768 - len(out) % 32768
            if room < 7:
                out += bytes(room)
                continue
            part, batch = batch[: room - 7], batch[room - 7 :]
            kind = (1 if not batch else 2) if first else (4 if not batch else 3)
            out += bytes(4) + len(part).to_bytes(2, "little") + bytes([kind]) + part
            first = False
    return bytes(out)


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    body, last = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(last), len(key)) and last[shared] == key[shared]:
            shared += 1
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    return body + bytes(4) + (1).to_bytes(4, "little")


def table(entries: list[tuple[bytes, bytes | None, int]]) -> bytes:
    """A table of blocks of ten entries, not compressed."""
    out, index = b"", []
    for start in range(0, len(entries), 10):
        some = [
            (key + (number << 8 | (value is not None)).to_bytes(8, "little"), value or b"")
            for key, value, number in entries[start : start + 10]
        ]
        body = block(some)
        index.append((some[-1][0], varint(len(out)) + varint(len(body))))
        out += body + bytes(5)
    body = block(index)
    place = varint(len(out)) + varint(len(body))
    out += body + bytes(5)
    return out + (b"\0\0" + place).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


ENTRIES: list[tuple[bytes, bytes | None, int]] = [
    (f"key{n:04}".encode(), None if n % 7 == 0 else b"value%d" % n, n + 1) for n in range(500)
]


def test_log() -> None:
    data = log((1, [(b"a", b"x" * 100_000), (b"b", None)]), (3, [(b"c", b"")]))
    found, problems = read(data)
    assert problems == []
    assert [(item.key, item.value, item.sequence, item.offset) for item in found][1:] == [
        (b"b", None, 2, 0),
        (b"c", b"", 3, len(data) - 23),
    ]
    assert found[0].value == b"x" * 100_000


def test_table() -> None:
    found, problems = read(table(ENTRIES))
    assert problems == [] and [(item.key, item.value, item.sequence) for item in found] == ENTRIES


def test_damage(mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for whole in (
        table(ENTRIES),
        log(*((n * 10 + 1, [(key, value) for key, value, _ in ENTRIES[n * 10 : n * 10 + 10]]) for n in range(50))),
    ):
        sound = {(item.key, item.value) for item in read(whole)[0]}
        kept = 0
        for copy in mutations(whole, 200):
            try:
                kept += len({(item.key, item.value) for item in read(copy)[0]} & sound)
            except Unrecognised:
                continue
        assert kept > 200 * len(sound) * 0.3


def test_one_bad_block_costs_that_block() -> None:
    data = bytearray(table(ENTRIES))
    data[20:60] = b"\xff" * 40
    found, problems = read(bytes(data))
    assert len(problems) == 1 and [(item.key, item.value, item.sequence) for item in found][-490:] == ENTRIES[10:]
    found, problems = read(table(ENTRIES)[:-48] + b"\xff" * 40 + bytes.fromhex("57fb808b247547db"))
    assert found == [] and "index" in problems[0].reason


def test_not_leveldb() -> None:
    with pytest.raises(Unrecognised):
        read(b"hello, this is a diary and no log of a database" * 3)


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x00", b""),
        (b"\x05\x10hello", b"hello"),
        (b"\x0a\x00a\x15\x01", b"a" * 10),  # a copy that overlaps what it makes
        (b"\x0c\x08abc\x22\x03\x00", b"abcabcabcabc"),
    ],
)
def test_snappy(packed: bytes, plain: bytes) -> None:
    assert decompress(packed) == plain


def test_snappy_survives_anything() -> None:
    for bad in (b"", b"\xff\xff\xff\xff\x7f", b"\xff" * 20, b"\x05\x10he", b"\x05\x05\x09", b"\x01\x10hello"):
        with pytest.raises(ValueError):
            decompress(bad)
    rng = random.Random(1)
    for _ in range(2000):
        try:
            decompress(rng.randbytes(rng.randrange(60)))
        except ValueError:
            continue


@pytest.mark.specimens
def test_a_hundred_thousand_keys(specimens: Path) -> None:
    for folder, deleted in (("100k keys", 0), ("100k keys delete", 10)):
        place = specimens / "browser/dfindexeddb/leveldb" / folder
        in_log, problems = read((place / "000004.log").read_bytes())
        in_table, more = read(lzma.decompress((place / "000005.ldb.xz").read_bytes()))
        assert problems == more == []
        put = {item.key: item.value for item in (*in_table, *in_log) if item.value is not None}
        assert put == {n.to_bytes(4, "little"): b"test value" + n.to_bytes(4, "little") for n in range(100_000)}
        assert sum(item.value is None for item in in_log) == deleted


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("create key/000003.log", [(8, 10)]),
        ("delete key/000003.log", [(8, 10), (8, None)]),
        ("large logfilerecord/000003.log", [(1, 1000), (1, 97_270), (1, 8000)]),
    ],
)
def test_small_specimens(specimens: Path, name: str, lengths: list[tuple[int, int | None]]) -> None:
    found, problems = read((specimens / "browser/dfindexeddb/leveldb" / name).read_bytes())
    assert problems == []
    assert [(len(item.key), None if item.value is None else len(item.value)) for item in found] == lengths
