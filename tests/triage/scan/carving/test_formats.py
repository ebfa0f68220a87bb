"""Where pictures and videos end, which headers are false, and what damage does."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from tests.triage.scan import hiding
from triage.scan.carving import Broken, CutShort, Search, formats

ENDS: dict[str, Callable[[bytes, int], int]] = {"JPEG": formats.jpeg, "PNG": formats.png, "GIF": formats.gif, "WEBP": formats.webp}


def video(size: int = 5000) -> bytes:
    """An MP4: what it is, a description, content."""
    moov = struct.pack(">I4s", 116, b"moov") + struct.pack(">I4s", 108, b"mvhd") + bytes(100)
    return (
        struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 512) + moov + struct.pack(">I4s", 8 + size, b"mdat") + random.Random(1).randbytes(size)
    )


@pytest.mark.parametrize("kind", ENDS)
def test_the_end_of_a_picture(kind: str) -> None:
    for seed in range(5):
        data = hiding.picture(seed, kind, (40 + seed, 30))
        for after in (b"", b"\0\xff\xd9 and more", data):
            assert ENDS[kind](b"before" + data + after, 6) == 6 + len(data)


def test_progressive_and_animated_pictures_end_too() -> None:
    noise = [Image.frombytes("RGB", (64, 48), random.Random(seed).randbytes(64 * 48 * 3)) for seed in range(3)]
    out = io.BytesIO()
    noise[0].save(out, "JPEG", progressive=True, restart_marker_blocks=4, comment=b"\xff\xd9 no end")
    assert formats.jpeg(out.getvalue() + b"tail", 0) == len(out.getvalue())
    for kind in ("GIF", "WEBP", "PNG"):
        out = io.BytesIO()
        noise[0].save(out, kind, save_all=True, append_images=noise[1:])
        assert ENDS[kind](out.getvalue() + b"tail", 0) == len(out.getvalue())


@pytest.mark.specimens
def test_every_real_picture_ends_where_its_file_does(specimens: Path) -> None:
    found = 0
    for path in sorted((specimens / "pictures").rglob("*.jp*g")) + sorted((specimens / "pictures").rglob("*.png")):
        data = path.read_bytes()
        if not data.startswith((b"\xff\xd8\xff", b"\x89PNG")) or data.rstrip(b"\0")[-2:] not in (b"\xff\xd9", b"\x60\x82"):
            continue
        end = (formats.jpeg if data[0] == 0xFF else formats.png)(data, 0)
        found += end == len(data)
        assert end == len(data) or path.name in ("CanonRaw.jpg",), path
    assert found >= 20


@pytest.mark.parametrize("seed", range(20))
def test_a_false_header_is_no_picture(seed: int) -> None:
    noise = random.Random(seed).randbytes(200_000)
    for data, end in (
        (hiding.false_jpeg(seed, 200_000), formats.jpeg), (hiding.picture(1, "PNG")[:40] + noise, formats.png),
        (b"GIF89a" + noise, formats.gif), (b"RIFF\0\0\1\0WEBPVP8 " + noise, formats.webp),
    ):  # fmt: skip
        with pytest.raises((Broken, CutShort)):
            end(data, 0)


def test_a_picture_that_goes_on_elsewhere_is_not_whole() -> None:
    data = hiding.picture(1, size=(300, 200))
    broken = data[: len(data) // 2 // 512 * 512] + random.Random(2).randbytes(4096) + data[len(data) // 2 :]
    with pytest.raises(Broken):
        formats.jpeg(broken, 0)


def test_search_across_pieces() -> None:
    dice = random.Random(3)
    pictures = [hiding.picture(seed, kind) for seed, kind in enumerate(("JPEG", "PNG", "GIF", "WEBP", "JPEG"))] + [video()]
    data, places = b"", []
    for picture in pictures:
        data += dice.randbytes(dice.randrange(1, 900)).replace(b"\xff\xd8", b"..")
        places.append((len(data), len(data) + len(picture)))
        data += picture
    for piece in (64, 100, 333, 1 << 20):
        search = Search(lambda offset, length: data[offset : offset + length], videos=True, piece=piece)
        assert [(found.start, found.end) for found in search.between(0, len(data))] == places
    assert [found.kind for found in search.between(0, len(data))] == ["jpg", "png", "gif", "webp", "jpg", "mp4"]
    # One that does not end before the stretch does belongs to nobody.
    assert [found.start for found in search.between(0, places[-1][1] - 1)] == [start for start, _ in places[:-1]]
    assert list(search.between(places[0][0] + 1, places[0][1])) == []


@pytest.mark.parametrize("seed", range(4))
def test_damage(seed: int) -> None:
    dice = random.Random(seed)
    whole = [hiding.picture(seed, kind, (120, 90)) for kind in ENDS] + [video()]
    for _ in range(60):
        data = bytearray(b"".join(whole))
        for _ in range(dice.randrange(1, 40)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        found = list(Search(lambda offset, length, d=bytes(data): d[offset : offset + length], videos=True).between(0, len(data)))  # type: ignore[misc]
        assert all(0 <= item.start < item.end <= len(data) for item in found)
        assert all(one.end <= two.start for one, two in pairwise(found))


def test_headers_made_to_waste_time_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.scan.carving.search._SECONDS", 0.0)
    data = hiding.false_jpeg(1) * 5
    search = Search(lambda offset, length: data[offset : offset + length])
    assert list(search.between(0, len(data))) == [] and search.gave_up == 1
