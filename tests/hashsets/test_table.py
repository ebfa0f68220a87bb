from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from hashsets.codes import CodeBook, Kind
from hashsets.rows import Sorter, make_rows
from hashsets.table import Layout, table_in_memory


def table_of(values: list[bytes], folder: Path):
    sorter = Sorter(len(values[0]), CodeBook([Kind((), ("md5",))]), folder)
    sorter.add(make_rows(np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1), 0))
    return table_in_memory(sorter.finish())


def find(table, values: list[bytes]) -> list[int]:
    return table.find(np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)).tolist()


@pytest.mark.parametrize(("width", "count"), [(16, 1), (20, 2), (16, 1000), (20, 1024), (16, 5000), (20, 600_000)])
def test_present_and_absent(tmp_path: Path, width: int, count: int) -> None:
    data = np.random.default_rng(count).integers(0, 256, (2 * count, width), dtype=np.uint8)
    sorter = Sorter(width, CodeBook([Kind((), ("md5",))]), tmp_path)
    sorter.add(make_rows(data[:count], 0))
    table = table_in_memory(sorter.finish())
    found = table.find(data)
    assert sorted(found[:count].tolist()) == list(range(count))
    assert (found[count:] == -1).all()
    assert table.layout.implied == (0 if count < 1024 else 1 if count < 1 << 19 else 2)
    stored = table.keys_from(0, count)
    assert (stored[found[:count]] == data[:count]).all()
    middle = slice(count // 2, count // 2 + 100)
    listed = [key.tobytes() for key in stored[middle]]
    assert listed == sorted(listed)
    assert (table.keys_from(middle.start, middle.stop) == stored[middle]).all()


def test_neighbours_of_entries_are_absent(tmp_path: Path) -> None:
    chance = random.Random(3)
    values = [chance.randbytes(16) for _ in range(3000)]
    table = table_of(values, tmp_path)
    for at in (0, 1, 2, 7, 9, 10, 15):
        near = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for value in values]
        assert find(table, near) == [-1] * 3000


@pytest.mark.parametrize("shared", [2, 9, 15])
def test_a_hostile_list_whose_hashes_begin_alike(tmp_path: Path, shared: int) -> None:
    # Every bucket, and from 9 bytes on every comparison of eight bytes, is the same.
    values = [bytes([7]) * shared + number.to_bytes(16 - shared, "big") for number in range(min(5000, 256 ** (16 - shared)))]
    table = table_of(values, tmp_path)
    assert find(table, values) == list(range(len(values)))
    assert find(table, [bytes([7]) * 15 + bytes([255]) if len(values) > 256 else bytes(16), bytes([8]) * 16, bytes(16)]) == [-1, -1, -1]


@pytest.mark.parametrize("value", [bytes(16), b"\xff" * 16])
def test_the_first_and_the_last_digest_there_can_be(tmp_path: Path, value: bytes) -> None:
    chance = random.Random(5)
    values = [chance.randbytes(16) for _ in range(2000)]
    assert find(table_of(values, tmp_path), [value]) == [-1]
    assert find(table_of([*values, value], tmp_path), [value]) == [0 if value[0] == 0 else 2000]


def test_most_misses_end_at_the_filter(tmp_path: Path) -> None:
    chance = np.random.default_rng(6)
    data = chance.integers(0, 256, (100_000, 16), dtype=np.uint8)
    table = table_of([row.tobytes() for row in data[:50_000]], tmp_path)
    passed = table._passes(np.ascontiguousarray(data[50_000:, :8]).view(">u8").ravel().astype(np.uint64), data[50_000:])
    assert 0.04 < passed.mean() < 0.10


def test_fifty_million_entries_cost_at_most_twenty_bytes_a_hash() -> None:
    for width in (16, 20):
        layout = Layout.of(50_000_000, width)
        index = ((1 << layout.index_bits) + 1) * layout.index_type.itemsize
        one_kind_byte = 1
        total = layout.record_bytes + one_kind_byte + (layout.filter_words * 8 + index) / 50_000_000
        assert total * 1.001 < 20  # a thousandth for the digests of the blocks
