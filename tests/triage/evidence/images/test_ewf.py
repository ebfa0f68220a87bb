"""Expert Witness images: real ones, whole sets, and every kind of loss; what is lost is said, what is left is read."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Status
from triage.evidence.images.ewf import EwfBytes, _extension, open_ewf
from triage.evidence.images.ewf_header import acquisition_times
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.model import ReadError

Unpack = Callable[[str], Path]
CHUNK = 32768


def whole(image: Image) -> bytes:
    return b"".join(image.data.read_at(offset, 1 << 20) for offset in range(0, image.data.size, 1 << 20))


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("path", "size", "acquired"),
    [
        ("images/dfvfs/ext2.E01", 4194304, "2021-07-22T15:33:18Z"),
        ("images/plaso/image.E01", 102400, "2013-12-10T11:28:38Z"),
        ("images/sleuthkit/image.E01", 102400, "2019-06-10T15:11:25Z"),
        ("images/velociraptor/partition_image.E01", 8388608, "2026-03-01T07:24:45Z"),
        ("images/bulk_extractor/CFReDS001.E01.xz", 103219200, "2004-11-04T03:56:35Z"),
        (
            "images/sleuthkit/imageformat_mmls_1.E01",
            62915072,
            "2018-05-16T15:05:08 (local time of the acquiring computer, no zone recorded)",
        ),
    ],
)
def test_specimens_match_the_hashes_they_store(unpacked: Unpack, path: str, size: int, acquired: str) -> None:
    image = open_ewf(unpacked(path))
    content = whole(image)
    assert len(content) == size
    assert image.stored_hashes
    for name, value in image.stored_hashes.items():
        assert hashlib.new(name, content).hexdigest() == value
    assert image.facts["acquired"] == acquired
    assert (image.problems, image.data.errors) == ([], [])
    image.data.close()
    image.data.close()


@pytest.mark.specimens
def test_facts_of_a_specimen(unpacked: Unpack) -> None:
    image = open_ewf(unpacked("images/bulk_extractor/CFReDS001.E01.xz"))
    assert image.facts == {
        "case number": "CFReDS001", "evidence number": "CFReDS001", "description": "CFReDS001", "examiner": "JRL", "acquired on": "Windows 2000",
        "acquired with version": "4.19a", "acquired": "2004-11-04T03:56:35Z", "acquiring computer's clock": "2004-11-04T03:56:35Z",
        "stored MD5": "e4f9afba18011f0b9015a9d74cd3c3ac",
    }  # fmt: skip
    assert (image.kind, image.sector) == ("ewf", 512)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, run_tool: Callable[..., str], mixed_media: bytes) -> Path:
    """The folder of a set of three segments of ``mixed_media``."""
    folder = tmp_path_factory.mktemp("ewf")
    (folder / "media.raw").write_bytes(mixed_media)
    run_tool(
        "ewfacquire",
        "-u",
        "-q",
        "-t",
        folder / "set",
        "-S",
        "1MiB",
        "-c",
        "deflate:fast",
        "-C",
        "C1",
        "-e",
        "A. Examiner",
        folder / "media.raw",
    )
    return folder


@pytest.fixture
def segments(made: Path, tmp_path: Path) -> list[Path]:
    """A private copy of the set."""
    return [Path(shutil.copy(path, tmp_path)) for path in sorted(made.glob("set.E*"))]


def lost(content: bytes, media: bytes) -> list[int]:
    """Numbers of the chunks that differ; each must be zeros."""
    assert len(content) == len(media)
    places = [place for place in range(0, len(media), CHUNK) if content[place : place + CHUNK] != media[place : place + CHUNK]]
    assert all(not any(content[place : place + CHUNK]) for place in places)
    return [place // CHUNK for place in places]


@pytest.mark.tools
def test_a_set_by_any_of_its_segments(segments: list[Path], mixed_media: bytes) -> None:
    assert len(segments) == 3
    for named in segments:
        image = open_ewf(named)
        assert whole(image) == mixed_media
        assert image.files == [str(path) for path in segments]
        assert image.data.errors == []
        assert [problem.status for problem in image.problems] == ([] if named == segments[0] else [Status.SKIPPED])
        image.data.close()


@pytest.mark.tools
def test_a_chunk_that_fails_its_check_sum_is_not_taken_for_zeros(segments: list[Path], mixed_media: bytes) -> None:
    content = bytearray(segments[0].read_bytes())
    for place in range(300000, 300050):
        content[place] ^= 0x55
    segments[0].write_bytes(content)
    image = open_ewf(segments[0])
    chunks = lost(whole(image), mixed_media)
    assert len(chunks) == 1
    assert image.data.errors == [ReadError(chunks[0] * CHUNK, CHUNK, "this part of the image fails its check sum")]


@pytest.mark.tools
def test_missing_last_segment(segments: list[Path], mixed_media: bytes) -> None:
    segments[2].unlink()
    image = open_ewf(segments[0])
    chunks = lost(whole(image), mixed_media)
    assert chunks == list(range(chunks[0], 128))
    assert chunks[0] > 60
    assert [(error.offset, error.length) for error in image.data.errors] == [(chunks[0] * CHUNK, (128 - chunks[0]) * CHUNK)]
    assert [problem.reason for problem in image.problems] == ["the image does not end with set.E02: later segments are missing"]
    assert image.problems[0].status is Status.UNREADABLE


@pytest.mark.tools
def test_missing_middle_segment(segments: list[Path], mixed_media: bytes) -> None:
    segments[1].unlink()
    image = open_ewf(segments[0])
    chunks = lost(whole(image), mixed_media)
    assert chunks == list(range(chunks[0], chunks[-1] + 1))
    assert 0 < chunks[0] < chunks[-1] < 127  # what lies behind the gap is read, and is in its place
    assert [problem.reason for problem in image.problems] == ["segment 2 of the image is missing"]
    assert image.facts["case number"] == "C1"


@pytest.mark.tools
def test_missing_first_segment(segments: list[Path]) -> None:
    segments[0].unlink()
    with pytest.raises(NotOpened, match="first segment of the image is missing"):
        open_ewf(segments[1])


@pytest.mark.tools
def test_a_cut_segment_gives_every_chunk_that_is_whole(segments: list[Path], mixed_media: bytes) -> None:
    size = segments[0].stat().st_size
    os.truncate(segments[0], size // 2)  # its table, which comes last, is gone
    for later in segments[1:]:
        later.unlink()
    image = open_ewf(segments[0])
    chunks = lost(whole(image), mixed_media)
    assert chunks == list(range(chunks[0], 128))
    assert chunks[0] >= 25
    assert "is cut short" in image.problems[0].reason


@pytest.mark.tools
def test_cut_anywhere_and_flipped_anywhere(segments: list[Path], mixed_media: bytes) -> None:
    good = segments[0].read_bytes()
    for later in segments[1:]:
        later.unlink()
    dice = random.Random(11)
    for turn in range(40):
        content = bytearray(good)
        if turn % 2:
            del content[dice.randrange(20, len(content)) :]
        else:
            for _ in range(dice.randint(1, 30)):
                content[dice.choice((dice.randrange(len(content)), dice.randrange(4000), len(content) - 1 - dice.randrange(2000)))] ^= (
                    dice.randrange(1, 256)
                )
        segments[0].write_bytes(content)
        try:
            image = open_ewf(segments[0])
        except NotOpened as error:
            assert str(error)
            continue
        got = b"".join(image.data.read_at(offset, CHUNK) for offset in range(0, min(image.data.size, len(mixed_media)), CHUNK))
        assert image.problems
        for number in range(len(got) // CHUNK):
            piece = got[number * CHUNK : (number + 1) * CHUNK]
            if piece != mixed_media[number * CHUNK : (number + 1) * CHUNK] and len(image.data.errors) == 0:
                pytest.fail(f"turn {turn}: chunk {number} is wrong and nothing says so")
        image.data.close()


def test_names_of_segments() -> None:
    assert [_extension("E01", number) for number in (1, 99, 100, 125, 126, 775, 776)] == ["E01", "E99", "EAA", "EAZ", "EBA", "EZZ", "FAA"]
    assert _extension("e01", 100) == "eaa"
    assert _extension("Ex01", 2) == "Ex02"


def test_acquisition_times_from_both_headers() -> None:
    new = zlib.compress("1\nmain\na\tm\tu\nx\t1099540595\t1099540600\n\n".encode("utf-16"))
    old = zlib.compress(b"1\r\nmain\r\na\tm\tu\r\nx\t2004 11 3 22 56 35\tnonsense\r\n\r\n")
    assert acquisition_times(new, old) == {"acquired": "2004-11-04T03:56:35Z", "acquiring computer's clock": "2004-11-04T03:56:40Z"}
    assert acquisition_times(b"", old) == {"acquired": "2004-11-03T22:56:35 (local time of the acquiring computer, no zone recorded)"}
    assert acquisition_times(b"junk", zlib.compress(b"main")) == {}


def test_sectors_lost_when_the_image_was_made(tmp_path: Path) -> None:
    def section(kind: bytes, offset: int, data: bytes, last: bool = False) -> bytes:
        size = 76 + len(data)
        head = struct.pack("<16sQQ40x", kind, offset if last else offset + size, size)
        return head + struct.pack("<I", zlib.adler32(head)) + data

    media = bytes(range(256)) * 128
    content = b"EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00"
    volume = struct.pack("<B3xIIIQ", 1, 1, 64, 512, 64).ljust(1048, b"\0")
    content += section(b"volume", len(content), volume + struct.pack("<I", zlib.adler32(volume)))
    place = len(content) + 76
    packed = zlib.compress(media)
    content += section(b"sectors", len(content), packed)
    head = struct.pack("<I4xQ4x", 1, 0)
    entries = struct.pack("<I", place | 1 << 31)
    table = head + struct.pack("<I", zlib.adler32(head)) + entries + struct.pack("<I", zlib.adler32(entries))
    content += section(b"table", len(content), table)
    content += section(b"error2", len(content), struct.pack("<I", 2).ljust(520, b"\0") + struct.pack("<IIII", 7, 3, 20, 1) + bytes(4))
    content += section(b"done", len(content), b"", last=True)
    path = tmp_path / "one.E01"
    path.write_bytes(content)
    image = open_ewf(path)
    assert [problem.reason for problem in image.problems if "when the image was made" in problem.reason] == [
        "4 sectors in 2 places could not be read when the image was made and are zeros in it"
    ]
    assert isinstance(image.data, EwfBytes)
    assert image.data.read_at(0, 32768) == media
