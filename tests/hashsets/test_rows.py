from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from hashsets.codes import CodeBook, Kind
from hashsets.rows import NO_SIZE, SIZES_DIFFER, Sorter, make_rows, sort

PLAIN = Kind((), ("md5",))


def keys(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)


@pytest.mark.parametrize("width", [16, 20])
def test_order_is_that_of_the_bytes_even_where_the_first_sixteen_agree(width: int) -> None:
    chance = random.Random(1)
    values = [bytes(16) + chance.randbytes(width - 16) for _ in range(50)] + [bytes(8) + chance.randbytes(width - 8) for _ in range(50)]
    values += [chance.randbytes(width) for _ in range(50)]
    assert [row["key"].tobytes() for row in sort(make_rows(keys(values), 0))] == sorted(values)


@pytest.mark.parametrize("run_rows", [1 << 20, 40, 3])
def test_merging_runs_keeps_each_key_once(tmp_path: Path, run_rows: int) -> None:
    chance = random.Random(2)
    values = [chance.randbytes(16) for _ in range(300)]
    given = [chance.choice(values) for _ in range(1000)]
    book = CodeBook([PLAIN])
    sorter = Sorter(16, book, tmp_path, run_rows)
    for start in range(0, 1000, 7):
        sorter.add(make_rows(keys(given[start : start + 7]), 0))
    done = sorter.finish()
    listed = [row["key"].tobytes() for part in done for row in part]
    assert listed == sorted(set(given))
    assert done.count == len(set(given))
    assert sorter.duplicates == 1000 - len(set(given))
    assert len(list(tmp_path.iterdir())) == (0 if run_rows > 1000 else 1)


@pytest.mark.parametrize("run_rows", [100, 2])
def test_kinds_and_sizes_of_one_key_are_united(tmp_path: Path, run_rows: int) -> None:
    book = CodeBook([PLAIN, Kind(("2",), ("md5",)), Kind(("1",), ("md5", "sha1"))])
    key = {name: bytes([n]) * 16 for n, name in enumerate("abcd")}
    sorter = Sorter(16, book, tmp_path, run_rows)
    for name, kind, size in [
        ("a", 0, 5),
        ("b", 1, 7),
        ("a", 1, NO_SIZE),
        ("c", 0, NO_SIZE),
        ("b", 1, 8),
        ("a", 2, 5),
        ("c", 0, 3),
        ("d", 2, 1),
        ("d", 2, 1),
    ]:
        sorter.add(make_rows(keys([key[name]]), kind, size))
    found = {row["key"].tobytes(): (book.kinds[row["kind"]], int(row["size"])) for part in sorter.finish() for row in part}
    assert found == {
        key["a"]: (Kind(("1", "2"), ("md5", "sha1")), 5),
        key["b"]: (Kind(("2",), ("md5",)), SIZES_DIFFER),
        key["c"]: (PLAIN, 3),
        key["d"]: (Kind(("1",), ("md5", "sha1")), 1),
    }


def test_sizes_that_differ_stay_so(tmp_path: Path) -> None:
    sorter = Sorter(16, CodeBook([PLAIN]), tmp_path)
    sorter.add(make_rows(keys([bytes(16)] * 4), 0, [5, 6, NO_SIZE, 5]))
    assert [int(row["size"]) for part in sorter.finish() for row in part] == [SIZES_DIFFER]
