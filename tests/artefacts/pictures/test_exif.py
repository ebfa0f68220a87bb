"""Facts in pictures: real cameras with exact values, structures the tests write, and damage."""

from __future__ import annotations

import io
import random
import re
import struct
from pathlib import Path

import pytest
from PIL import Image

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import PictureFacts
from artefacts.pictures import exif
from artefacts.times import NoTime, Timestamp
from tests.drawn import encoded, picture


def _facts(data: bytes) -> PictureFacts:
    (found,) = exif.facts(io.BytesIO(data))
    assert isinstance(found, PictureFacts)
    return found


@pytest.mark.specimens
def test_item_47_phone(specimens: Path) -> None:
    found = _facts((specimens / "pictures/bulk_extractor/exif_demo1.jpg").read_bytes())
    assert (found.maker, found.model, found.software, found.gps) == ("Apple", "iPhone SE (2nd generation)", "15.2", "yes")
    assert isinstance(found.time, Timestamp)
    assert found.time.isoformat() == "2021-12-19T17:04:36Z"  # 12:04:36 at -05:00
    assert (found.width, found.height) == (320, 240)


@pytest.mark.specimens
def test_item_47_cameras_as_exiftool_reads_them(specimens: Path) -> None:
    compared = 0
    for told in sorted((specimens / "expected/exiftool").glob("*.out")):
        lines = told.read_bytes().decode("utf-8", "replace")
        name = re.search(r"File Name: (.+)", lines)
        path = specimens / "pictures/exiftool" / (name.group(1).strip() if name else "")
        if not path.is_file() or exif.kind_of(path.read_bytes()[:16]) is None:
            continue

        def tag(number: int, group: str, text: str = lines) -> str | None:
            match = re.search(rf"^\[EXIF, {group}, \w+\] {number} - [^:]+: (.*)$", text, re.MULTILINE)
            return match.group(1).strip() or None if match else None

        found = [one for one in exif.facts(io.BytesIO(path.read_bytes())) if isinstance(one, PictureFacts)]
        maker, model = tag(271, "IFD0"), tag(272, "IFD0")
        if maker is None and model is None:
            continue
        compared += 1
        assert (found[0].maker, found[0].model, found[0].software) == (maker, model, tag(305, "IFD0")), path.name
        taken = tag(36867, "ExifIFD") or tag(36868, "ExifIFD")
        if taken and taken[4:5] == ":":
            local = taken[:10].replace(":", "-") + "T" + taken[11:19]
            assert isinstance(found[0].time, NoTime), path.name
            assert found[0].time.local == local, path.name
    assert compared >= 18


@pytest.mark.specimens
def test_the_number_in_the_notes_of_a_nikon(specimens: Path) -> None:
    assert _facts((specimens / "pictures/exiftool/NikonD2Hs.jpg").read_bytes()).serial == "3001006"


def _camera(**more: object) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F], tags[0x0110], tags[0x0131] = "Cornflower", "Model 7", "Developed 2"
    inner = tags.get_ifd(0x8769)
    inner[0x9003], inner[0xA431] = "2026:05:01 10:22:28", "00123"
    for name, value in more.items():
        inner[int(name.removeprefix("t"), 16)] = value
    return tags


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_container(form: str) -> None:
    # Pillow leaves the inner tags out of a TIFF: there the structure alone is the file.
    data = _camera().tobytes().removeprefix(b"Exif\0\0") if form == "TIFF" else encoded(picture(1), form, exif=_camera())
    found = _facts(data)
    assert (found.maker, found.model, found.serial, found.software, found.gps) == ("Cornflower", "Model 7", "00123", "Developed 2", "no")
    assert found.time == NoTime("local time, zone not recorded (Exif)", local="2026-05-01T10:22:28")


def test_times_with_a_zone_and_impossible_ones() -> None:
    assert _facts(encoded(picture(1), exif=_camera(t9011="+02:00"))).time == Timestamp(1777623748 * 10**9)
    broken = _camera(t9011="+02:00")
    broken.get_ifd(0x8769)[0x9003] = "2026:02:31 10:22:28"
    assert _facts(encoded(picture(1), exif=broken)).time == NoTime("no date of the calendar", local="2026-02-31T10:22:28")
    empty = _camera()
    empty.get_ifd(0x8769)[0x9003] = "    :  :     :  :  "
    assert _facts(encoded(picture(1), exif=empty)).time == NoTime("not recorded")


def test_a_place_is_told_without_saying_which() -> None:
    tags = _camera()
    place = tags.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (51.0, 30.0, 26.0), "W", (0.0, 7.0, 40.0)
    found = _facts(encoded(picture(1), exif=tags))
    assert found.gps == "yes"
    assert "51" not in str(found)
    place[2] = place[4] = (0.0, 0.0, 0.0)
    assert _facts(encoded(picture(1), exif=tags)).gps == "no"


def test_the_small_copy() -> None:
    data = encoded(picture(1), exif=_camera())
    assert exif.thumbnail(data) is None
    small = encoded(picture(1, (64, 48)))
    head = (
        b"Exif\0\0II*\0"
        + struct.pack("<IHI", 8, 0, 14)
        + struct.pack("<HHHIIHHII", 2, 0x0201, 4, 1, 44, 0x0202, 4, 1, len(small))
        + bytes(4)
    )
    assert exif.thumbnail(b"\xff\xd8\xff\xe1" + struct.pack(">H", 2 + len(head) + len(small)) + head + small + data[2:]) == small


def test_pictures_that_say_nothing_and_other_files() -> None:
    assert list(exif.facts(io.BytesIO(encoded(picture(1))))) == []
    with pytest.raises(Unrecognised):
        list(exif.facts(io.BytesIO(b"no picture at all")))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_damage(form: str) -> None:
    data = encoded(picture(1, (64, 64)), form, exif=_camera())
    rng = random.Random(form)
    problems = 0
    for _ in range(300):
        broken = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(1, 20)):
            if broken:
                broken[rng.randrange(min(len(broken), rng.choice((200, 1 << 20))))] = rng.randrange(256)
        try:
            problems += sum(isinstance(one, Problem) for one in exif.facts(io.BytesIO(bytes(broken))))
        except Unrecognised:
            problems += 1
        exif.thumbnail(bytes(broken))
    assert problems


def test_directories_that_lie() -> None:
    body = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 0xFFFF) + struct.pack("<HHII", 0x010F, 2, 0xFFFFFFFF, 8) * 10
    found = list(exif.facts(io.BytesIO(body)))
    assert any(isinstance(one, Problem) for one in found)
    looped = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    assert list(exif.facts(io.BytesIO(looped))) == []
