"""Every format, and everything that is wrong with a picture: limits, damage, lying headers."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from hashsets.pictures import decode, hashing
from tests.drawn import encoded, picture


def _near(data: bytes, image: Image.Image) -> int:
    a = hashing.pdq(decode.decode(io.BytesIO(data)).luminance)[0]
    b = hashing.pdq(image.convert("L"))[0]
    return (int(a, 16) ^ int(b, 16)).bit_count()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_format(form: str) -> None:
    image = picture(1)
    assert form in decode.formats()
    if form == "HEIF":
        pi_heif = pytest.importorskip("pillow_heif", reason="writing HEIC needs pillow-heif; reading is tested with a specimen")
        pi_heif.register_heif_opener()
    data = encoded(image, form)
    assert _near(data, image) <= 24
    found = decode.decode(io.BytesIO(data))
    assert (found.width, found.height, found.format, found.luminance.mode) == (320, 240, form, "L")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_mode(mode: str) -> None:
    image = picture(2)
    if mode == "I;16":
        import numpy as np

        data = encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "PNG")
    else:
        form = "JPEG" if mode in ("CMYK", "YCbCr") else "TIFF" if mode == "PA" else "PNG"
        data = encoded(image.convert("L").convert(mode) if mode in ("LA", "PA", "P") else image.convert(mode), form)
    assert _near(data, image) <= (60 if mode == "1" else 12)


def test_large_jpegs_are_decoded_small() -> None:
    found = decode.decode(io.BytesIO(encoded(picture(3, (2400, 2100)))))
    assert (found.width, found.height) == (2400, 2100)
    assert found.luminance.size == (300, 263)


def test_raw_files_by_their_largest_preview() -> None:
    image = picture(4, (800, 600))
    small, large = encoded(image.resize((160, 120))), encoded(image, quality=90)
    head = b"II*\0" + struct.pack("<IH", 8, 0) + bytes(4)
    found = decode.decode(io.BytesIO(head + small + bytes(100) + large + random.Random(4).randbytes(5000)))
    assert (found.width, found.height, found.format) == (800, 600, "raw preview")


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(1 << 20), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(60_000, 60_000), (100_000, 2), (0x7FFFFFFF, 0x7FFFFFFF)])
def test_bombs_are_left_alone(size: tuple[int, int]) -> None:
    with pytest.raises(decode.NotDecoded, match="more than are decoded") as told:
        decode.decode(io.BytesIO(_png(*size)))
    assert told.value.limit


def test_only_the_first_frame_of_an_animation_counts() -> None:
    frames = [picture(seed, (64, 64)) for seed in (8, 9, 10)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40)
    block = data[data.rindex(b"\x21\xf9") : -1]
    assert _near(data[:-1] + block * 100_000 + b";", frames[0]) <= 30


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF"])
def test_damage_never_raises_anything_else(form: str) -> None:
    data = encoded(picture(11), form)
    rng = random.Random(form)
    failed = 0
    for _ in range(60):
        broken = bytearray(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(1, 20)):
            if broken:
                broken[rng.randrange(min(len(broken), rng.choice((64, 1 << 20))))] = rng.randrange(256)
        try:
            hashing.looks(decode.decode(io.BytesIO(bytes(broken))).luminance)
        except decode.NotDecoded:
            failed += 1
    assert failed


def test_cut_short_says_so() -> None:
    with pytest.raises(decode.NotDecoded, match="cut short") as told:
        decode.decode(io.BytesIO(encoded(picture(12))[:5000]))
    assert not told.value.limit
    with pytest.raises(decode.NotDecoded, match="not a picture") as told:
        decode.decode(io.BytesIO(b"nothing of the kind"))
    assert told.value.unknown


def test_formats_that_nobody_needs_are_not_tried() -> None:
    with pytest.raises(decode.NotDecoded):
        decode.decode(io.BytesIO(encoded(picture(13), "PPM")))
    with pytest.raises(decode.NotDecoded):
        decode.decode(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"))


@pytest.mark.specimens
def test_a_real_raw_file_that_was_cut_is_no_picture(specimens: Path) -> None:
    with pytest.raises(decode.NotDecoded), open(specimens / "pictures/exiftool/Nikon.nef", "rb") as stream:
        decode.decode(stream)
