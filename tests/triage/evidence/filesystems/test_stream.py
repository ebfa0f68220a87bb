"""Content streams over runs and over libraries."""

from __future__ import annotations

import io

from triage.evidence.filesystems.stream import ContentStream, NativeReader, RunReader
from triage.evidence.model import ReadError, Run


class Source:
    """A volume that counts how it is read; ``bad`` bytes read as zeros."""

    def __init__(self, content: bytes, bad: range = range(0)) -> None:
        self.content, self.bad, self.size = content, bad, len(content)
        self.errors: list[ReadError] = []
        self.reads: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        touched = range(max(offset, self.bad.start), min(offset + length, self.bad.stop))
        if touched:
            self.errors.append(ReadError(touched.start, len(touched), "bad sector"))
        return bytes(0 if at in self.bad else self.content[at] for at in range(offset, min(offset + length, self.size)))

    def close(self) -> None:
        """Nothing."""


CONTENT = bytes(range(250)) * 4


def test_runs_are_joined_and_holes_are_zeros() -> None:
    source = Source(CONTENT)
    stream = ContentStream(RunReader(source, [Run(100, 50), Run(150, 50), Run(-1, 30), Run(0, 20)], 145))
    assert stream.read() == CONTENT[100:200] + bytes(30) + CONTENT[:15]
    assert source.reads[0] == (100, 100)
    assert stream.read_errors == []
    stream.seek(95)
    assert stream.read(10) == CONTENT[195:200] + bytes(5)
    assert stream.seek(0, io.SEEK_END) == 145


def test_ends_where_the_space_ends() -> None:
    stream = ContentStream(RunReader(Source(CONTENT), [Run(0, 100)], 5000))
    assert stream.read() == CONTENT[:100]
    assert [(e.offset, e.length) for e in stream.read_errors] == [(100, 4900)]
    stream = ContentStream(RunReader(Source(CONTENT), [Run(0, 100), Run(900, 400)], 500))
    assert stream.read() == CONTENT[:100] + CONTENT[900:]
    assert [(e.offset, e.length) for e in stream.read_errors] == [(200, 300)]


def test_a_run_outside_the_volume_keeps_the_rest_in_place() -> None:
    stream = ContentStream(RunReader(Source(CONTENT), [Run(5000, 100), Run(0, 100)], 200))
    assert stream.read() == bytes(100) + CONTENT[:100]
    assert [(e.offset, e.length, e.reason) for e in stream.read_errors] == [(0, 100, "outside the volume")]


def test_clusters_in_a_circle_end() -> None:
    stream = ContentStream(RunReader(Source(CONTENT), [Run(0, 500), Run(0, 500)] * 1000, 1_000_000))
    assert len(stream.read()) == len(CONTENT)
    assert stream.read_errors


def test_bad_sectors_in_terms_of_the_file() -> None:
    stream = ContentStream(RunReader(Source(CONTENT, range(150, 160)), [Run(0, 10), Run(100, 100)], 110))
    assert stream.read() == CONTENT[:10] + CONTENT[100:150] + bytes(10) + CONTENT[160:200]
    assert stream.read_errors == [ReadError(60, 10, "bad sector")]


def test_a_library_that_fails_costs_a_piece() -> None:
    content = bytes(10_000) + b"x" * 90_000

    def read(offset: int, length: int) -> bytes:
        if offset < 20_000 < offset + length:
            raise OSError("broken")
        return content[offset : offset + length]

    stream = ContentStream(NativeReader(read, 100_000))
    assert stream.read() == content[:16_384] + bytes(4096) + content[20_480:]
    assert stream.read_errors == [ReadError(16_384, 4096, "broken")]


def test_a_library_that_gives_too_little() -> None:
    stream = ContentStream(NativeReader(lambda offset, length: b"abc"[offset : offset + length], 10))
    assert stream.read() == b"abc" + bytes(7)
    assert [(e.offset, e.length) for e in stream.read_errors] == [(3, 7)]
