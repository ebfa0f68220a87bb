"""What free space is filled with: by a volume made here, piece by piece."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import pytest

from triage.evidence.model import ByteSource, Entry, ReadError, Run
from triage.scan.free_space import measure

SIZE = 8 << 20
FILE = 64 << 10


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)
        self.errors: list[ReadError] = []

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def close(self) -> None:
        pass


class _Files:
    """A file system with one file at its beginning; ``runs`` False: it does not say where."""

    type, label, run_bytes, problems = "fat32", None, None, ()

    def __init__(self, runs: bool = True) -> None:
        self._runs = [Run(0, FILE)] if runs else None

    def entries(self) -> Iterator[list[Entry]]:
        yield [Entry("/a", "file", FILE, "3", runs=self._runs)]


def measured(free: bytes, *, runs: bool = True):  # type: ignore[no-untyped-def]
    data: ByteSource = _Bytes(b"x" * FILE + free)
    return measure(_Files(runs), data, lambda: None)  # type: ignore[arg-type]


LEFT = SIZE - FILE
WORDS = " ".join(random.Random(6).choices(["kettle", "garden", "window", "letter", "harbour"], k=1_500_000)).encode()


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (bytes(LEFT), (1, 0, 0)),
        (b"\xff" * LEFT, (0, 1, 0)),
        (random.Random(1).randbytes(LEFT), (0, 0, 1)),
        (WORDS[:LEFT], (0, 0, 0)),
        ((zlib.compress(WORDS, 9) * 20)[:LEFT], (0, 0, 0)),
    ],
    ids=["zeros", "ones", "random", "text", "packed"],
)
def test_fillings(free: bytes, expected: tuple[int, int, int]) -> None:
    found = measured(free)
    assert found.samples == LEFT // 4096 and found.free == LEFT and found.size == SIZE
    shares = tuple(round(count / found.samples, 2) for count in (found.zero, found.constant, found.random))
    assert shares == expected


def test_files_that_do_not_say_where_they_lie() -> None:
    assert measured(bytes(LEFT), runs=False) is None


def test_what_cannot_be_read_does_not_pass_for_empty() -> None:
    class Bad(_Bytes):
        def read_at(self, offset: int, length: int) -> bytes:
            self.errors.append(ReadError(offset, length, "bad"))
            return bytes(length)

    assert measure(_Files(), Bad(bytes(SIZE)), lambda: None) is None  # type: ignore[arg-type]


def test_a_full_volume() -> None:
    found = measured(b"")
    assert (found.free, found.samples) == (0, 0)
