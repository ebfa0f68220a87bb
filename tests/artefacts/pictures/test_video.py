"""Facts of videos: a real QuickTime file with exact values, MP4, Matroska and AVI that the tests write, and damage."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import VideoFacts
from artefacts.pictures import video
from artefacts.times import NoTime, Timestamp


def _facts(data: bytes) -> VideoFacts:
    (found,) = video.facts(io.BytesIO(data), "/a")
    assert isinstance(found, VideoFacts)
    return found


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _movie(*, brand: bytes = b"isom", more: bytes = b"", version: int = 0) -> bytes:
    made = 2_082_844_800 + 1_777_623_748
    if version:
        header = struct.pack(">B3xQQIQ", 1, made, made, 600, 600 * 12 + 300) + bytes(80)
    else:
        header = struct.pack(">4xIIII", made, made, 600, 600 * 12 + 300) + bytes(80)
    entry = struct.pack(">I4s6xH", 86, b"avc1", 1) + bytes(70)
    table = _box(b"stbl", _box(b"stsd", struct.pack(">4xI", 1) + entry))
    handler = _box(b"hdlr", bytes(4) + b"\0\0\0\0vide" + bytes(12))
    track = _box(
        b"trak", _box(b"tkhd", bytes(76) + struct.pack(">II", 1920 << 16, 1080 << 16)) + _box(b"mdia", handler + _box(b"minf", table))
    )
    sound = _box(b"trak", _box(b"mdia", _box(b"hdlr", bytes(4) + b"\0\0\0\0soun" + bytes(12))))
    return _box(b"ftyp", brand + bytes(8)) + _box(b"mdat", bytes(1000)) + _box(b"moov", _box(b"mvhd", header) + sound + track + more)


@pytest.mark.specimens
def test_item_47_quicktime(specimens: Path) -> None:
    found = _facts((specimens / "pictures/exiftool/QuickTime.mov").read_bytes())
    assert (found.container, found.codec, found.seconds, found.width, found.height) == ("QuickTime", "jpeg", 4.967, 320, 240)
    assert found.maker == "PENTAX DIGITAL CAMERA"
    assert isinstance(found.time, Timestamp)
    assert found.time.isoformat() == "2005-08-11T14:03:54Z"


@pytest.mark.parametrize("version", [0, 1])
def test_mp4(version: int) -> None:
    found = _facts(_movie(version=version))
    assert (found.container, found.codec, found.seconds, found.width, found.height) == ("MP4", "avc1", 12.5, 1920, 1080)
    assert found.time == Timestamp(1_777_623_748 * 10**9)
    assert found.gps is None


def test_what_apple_and_others_write_of_the_camera() -> None:
    texts = _box(b"udta", b"".join(_box(kind, struct.pack(">HH", len(text), 0) + text) for kind, text in (
        (b"\xa9mak", b"Cornflower"), (b"\xa9mod", b"Phone 3"), (b"\xa9swr", b"9.1"), (b"\xa9xyz", b"+51.5-000.1/"))))  # fmt: skip
    found = _facts(_movie(brand=b"qt  ", more=texts))
    assert (found.container, found.maker, found.model, found.software, found.gps) == ("QuickTime", "Cornflower", "Phone 3", "9.1", "yes")
    names = [b"com.apple.quicktime.make", b"com.apple.quicktime.model", b"com.apple.quicktime.location.ISO6709"]
    keys = _box(b"keys", struct.pack(">4xI", 3) + b"".join(_box(b"mdta", name) for name in names))
    values = _box(b"ilst", b"".join(
        struct.pack(">II", 8 + 16 + len(text), number) + _box(b"data", bytes(8) + text) for number, text in ((1, b"Apple"), (2, b"iPhone 11"), (3, b"+51/"))))  # fmt: skip
    for skip in (b"", bytes(4)):
        found = _facts(_movie(more=_box(b"meta", skip + keys + values)))
        assert (found.maker, found.model, found.gps) == ("Apple", "iPhone 11", "yes")
        assert "+51" not in str(found)


def _element(name: int, body: bytes) -> bytes:
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + _size(len(body)) + body


def _size(value: int) -> bytes:
    return (value | 1 << 28).to_bytes(4, "big")


def _matroska() -> bytes:
    ns = (1_777_623_748 - 978_307_200) * 10**9
    info = _element(0x1549A966, _element(0x2AD7B1, b"\x0f\x42\x40") + _element(0x4489, struct.pack(">d", 61_500.0)) + _element(0x4461, struct.pack(">q", ns)) + _element(0x5741, b"Recorder 4"))  # fmt: skip
    track = _element(0xAE, _element(0x83, b"\x01") + _element(0x86, b"V_VP9") + _element(0xE0, _element(0xB0, b"\x02\x80") + _element(0xBA, b"\x01\xe0")))  # fmt: skip
    segment = b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + info + _element(0x1654AE6B, track) + _element(0x1F43B675, bytes(500))
    return _element(0x1A45DFA3, _element(0x4282, b"webm")) + segment


def test_matroska() -> None:
    found = _facts(_matroska())
    assert (found.container, found.codec, found.seconds, found.width, found.height) == ("WebM", "V_VP9", 61.5, 640, 480)
    assert (found.software, found.time) == ("Recorder 4", Timestamp(1_777_623_748 * 10**9))


def _avi() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    header = chunk(b"avih", struct.pack("<IIIIIIIIII", 40_000, 0, 0, 0, 250, 0, 1, 0, 320, 200) + bytes(16))
    stream = chunk(b"LIST", b"strl" + chunk(b"strh", b"vidsMJPG" + bytes(48)))
    body = (
        b"AVI "
        + chunk(b"LIST", b"hdrl" + header + stream + chunk(b"IDIT", b"Sat Mar 02 12:01:23 2024\n\0"))
        + chunk(b"LIST", b"movi" + bytes(900))
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_avi() -> None:
    found = _facts(_avi())
    assert (found.container, found.codec, found.seconds, found.width, found.height) == ("AVI", "MJPG", 10.0, 320, 200)
    assert found.time == NoTime("local time, zone not recorded (AVI)", local="2024-03-02T12:01:23")


def test_what_is_no_video() -> None:
    for data in (b"", b"no video", b"\0\0\0\x18ftypheic" + bytes(20), b"\0\0\0\x18ftypM4A " + bytes(20)):
        with pytest.raises(Unrecognised):
            list(video.facts(io.BytesIO(data)))


def test_cut_short_says_so() -> None:
    found, problem = video.facts(io.BytesIO(_movie()[:600]))
    assert isinstance(found, VideoFacts)
    assert isinstance(problem, Problem)
    assert "no index" in problem.reason


@pytest.mark.parametrize("make", [_movie, _matroska, _avi])
def test_damage(make: object) -> None:
    data = make()  # type: ignore[operator]
    rng = random.Random(1)
    problems = 0
    for _ in range(400):
        broken = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(1, 10)):
            if broken:
                broken[rng.randrange(len(broken))] = rng.choice((0, 255, rng.randrange(256)))
        try:
            problems += sum(isinstance(one, Problem) for one in video.facts(io.BytesIO(bytes(broken))))
        except Unrecognised:
            problems += 1
    assert problems
