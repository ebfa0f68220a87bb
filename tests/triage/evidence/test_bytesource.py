"""Byte sources: what a bad sector costs, and that every view of a source counts and reports alike."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from triage.evidence import bytesource
from triage.evidence.bytesource import (
    ByteStream,
    ConcatenatedBytes,
    FileBytes,
    HoleBytes,
    NativeBytes,
    RetryingBytes,
    SliceBytes,
    plain_range,
    plain_reason,
)
from triage.evidence.model import ReadError


class BadDisk(RetryingBytes):
    """A disk whose sectors in ``bad`` cannot be read; ``calls`` counts the attempts."""

    def __init__(self, content: bytes, bad: set[int]) -> None:
        super().__init__(len(content))
        self.content = content
        self.bad = bad
        self.calls = 0

    def _read(self, offset: int, length: int) -> bytes:
        self.calls += 1
        if any(sector in self.bad for sector in range(offset // 512, (offset + length - 1) // 512 + 1)):
            raise OSError(5, "Input/output error")
        return self.content[offset : offset + length]

    def close(self) -> None:
        pass


CONTENT = bytes(sector % 251 + 1 for sector in range(256) for _ in range(512))


def test_one_bad_sector_costs_one_sector() -> None:
    disk = BadDisk(CONTENT, {100})
    expected = CONTENT[: 100 * 512] + bytes(512) + CONTENT[101 * 512 :]
    assert disk.read_at(0, len(CONTENT)) == expected
    assert disk.errors == [ReadError(100 * 512, 512, "Input/output error")]


def test_a_bad_sector_is_asked_for_once_and_reported_once() -> None:
    disk = BadDisk(CONTENT, {100})
    disk.read_at(0, len(CONTENT))
    before = disk.calls
    assert disk.read_at(100 * 512 + 10, 50) == bytes(50)
    assert disk.calls == before
    assert len(disk.errors) == 1


def test_unaligned_reads_around_a_bad_sector() -> None:
    for offset in range(99 * 512 - 3, 102 * 512, 171):
        for length in (1, 511, 512, 513, 1500):
            disk = BadDisk(CONTENT, {100})
            expected = (CONTENT[: 100 * 512] + bytes(512) + CONTENT[101 * 512 :])[offset : offset + length]
            assert disk.read_at(offset, length) == expected
            touched = offset < 101 * 512 and offset + length > 100 * 512
            assert disk.errors == ([ReadError(51200, 512, "Input/output error")] if touched else [])


def test_neighbouring_bad_sectors_are_one_error() -> None:
    disk = BadDisk(CONTENT, {7, 8, 9, 200})
    disk.read_at(0, len(CONTENT))
    assert disk.errors == [ReadError(7 * 512, 3 * 512, "Input/output error"), ReadError(200 * 512, 512, "Input/output error")]


def test_a_dead_disk_is_given_up_in_larger_and_larger_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytesource, "FINE_RETRIES", 16)
    content = bytes(4 << 20)
    disk = BadDisk(content, set(range(8192)))
    assert disk.read_at(0, 4 << 20) == content
    assert disk.calls < 300  # sector by sector it would be more than 16,000
    assert sum(error.length for error in disk.errors) == 4 << 20


def test_the_list_of_errors_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytesource, "MAX_ERRORS", 5)
    disk = BadDisk(CONTENT, set(range(0, 256, 2)))
    disk.read_at(0, len(CONTENT))
    assert len(disk.errors) == 5
    assert disk.errors[-1].offset + disk.errors[-1].length == 255 * 512


def test_reads_outside_are_empty_or_cut() -> None:
    disk = BadDisk(CONTENT, set())
    assert disk.read_at(len(CONTENT), 1) == b""
    assert disk.read_at(-1, 10) == b""
    assert disk.read_at(5, 0) == b""
    assert disk.read_at(len(CONTENT) - 3, 100) == CONTENT[-3:]


def test_a_slice_counts_errors_from_its_own_start() -> None:
    disk = BadDisk(CONTENT, {10, 100})
    part = SliceBytes(disk, 50 * 512 + 100, 60 * 512)
    disk.read_at(0, len(CONTENT))
    assert part.errors == [ReadError(50 * 512 - 100, 512, "Input/output error")]
    assert part.read_at(0, 20) == CONTENT[50 * 512 + 100 :][:20]
    assert part.read_at(part.size - 4, 100) == CONTENT[110 * 512 + 96 :][:4]


def test_a_slice_reports_only_its_own_part_of_an_error() -> None:
    disk = BadDisk(CONTENT, {10, 11, 12, 13})
    disk.read_at(0, len(CONTENT))
    assert SliceBytes(disk, 11 * 512, 512).errors == [ReadError(0, 512, "Input/output error")]
    assert SliceBytes(disk, 9 * 512, 1024).errors == [ReadError(512, 512, "Input/output error")]
    assert SliceBytes(disk, 14 * 512, 512).errors == []


def test_a_slice_never_reaches_beyond_what_it_lies_on() -> None:
    assert SliceBytes(BadDisk(CONTENT, set()), len(CONTENT) - 100, 1 << 60).size == 100
    assert SliceBytes(BadDisk(CONTENT, set()), len(CONTENT) + 1, 10).size == 0


def test_plain_ranges_of_files(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(CONTENT)
    whole = FileBytes(path)
    inner = SliceBytes(SliceBytes(whole, 1000, 5000), 24, 100)
    assert plain_range(whole) == (str(path), 0)
    assert plain_range(inner) == (str(path), 1024)
    assert plain_range(ConcatenatedBytes([whole])) == (None, 0)
    with path.open("rb") as stream:
        stream.seek(1024)
        assert inner.read_at(0, 100) == stream.read(100)
    whole.close()
    whole.close()


def test_a_file_that_shrinks_gives_errors_and_no_exception(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(CONTENT)
    data = FileBytes(path)
    path.write_bytes(CONTENT[:1024])
    assert data.read_at(0, 2048) == CONTENT[:1024] + bytes(1024)
    assert [(error.offset, error.length) for error in data.errors] == [(1024, 1024)]


def test_parts_one_after_the_other() -> None:
    joined = ConcatenatedBytes([BadDisk(CONTENT[:1000], set()), HoleBytes(500, "segment 2 is missing"), BadDisk(CONTENT[1500:], set())])
    assert joined.size == len(CONTENT)
    assert joined.errors == []
    assert joined.read_at(990, 600) == CONTENT[990:1000] + bytes(500) + CONTENT[1500:1590]
    assert joined.errors == [ReadError(1000, 500, "segment 2 is missing")]


def test_a_stream_reads_and_seeks_like_a_file() -> None:
    stream = ByteStream(BadDisk(CONTENT, set()))
    reader = io.BufferedReader(stream)
    assert reader.read(700) == CONTENT[:700]
    assert reader.seek(-5, io.SEEK_END) == len(CONTENT) - 5
    assert reader.read() == CONTENT[-5:]
    assert stream.seek(3) == 3
    assert stream.read() == CONTENT[3:]
    with pytest.raises(ValueError, match="before the start"):
        stream.seek(-1)


def test_a_strict_stream_fails_where_a_lenient_one_gives_zeros() -> None:
    disk = BadDisk(CONTENT, {3})
    lenient = ByteStream(disk)
    assert lenient.read(2048) == CONTENT[:1536] + bytes(512)
    assert lenient.read_errors == disk.errors
    strict = ByteStream(disk, strict=True)
    assert strict.read(1536) == CONTENT[:1536]
    with pytest.raises(OSError, match="Input/output error"):
        strict.read(512)


def test_a_decoding_layer_loses_no_more_than_the_sectors_beneath() -> None:
    class Decoder:
        """Stands for a libyal object over a strict stream."""

        def __init__(self) -> None:
            self.stream = ByteStream(BadDisk(CONTENT, {40}), strict=True)

        def read_buffer_at_offset(self, length: int, offset: int) -> bytes:
            self.stream.seek(offset)
            return bytes(byte ^ 0xFF for byte in self.stream.read(length))

    data = NativeBytes(Decoder(), len(CONTENT))
    clear = bytes(byte ^ 0xFF for byte in CONTENT)
    assert data.read_at(0, len(CONTENT)) == clear[: 40 * 512] + bytes(512) + clear[41 * 512 :]
    assert [(error.offset, error.length) for error in data.errors] == [(40 * 512, 512)]
    data.close()
    assert data.read_at(0, 10) == bytes(10)


def test_reasons_are_plain() -> None:
    chain = (
        "pyewf_handle_read_buffer_at_offset: unable to read data. libewf_chunk_table_get: missing segment file for offset: 5. libewf_x: no."
    )
    assert plain_reason(OSError(chain)) == "missing segment file for offset: 5"
    assert plain_reason(OSError(5, "Input/output error")) == "Input/output error"
    assert plain_reason(ValueError("no good")) == "no good"
    assert plain_reason(MemoryError()) == "MemoryError"
