"""Pictures in a whole scan: wherever they hide on an NTFS volume, changed or not, and nothing else; bombs cost a line each."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hashsets import build
from tests.drawn import encoded, picture
from tests.triage.scan.conftest import Result

Scan = Callable[..., Result]


def _observed(result: Result, type_: str) -> list[dict[str, Any]]:
    return [record["data"] for record in result.journal if record["kind"] == "observation" and record["data"]["type"] == type_]


def _coverage(result: Result, what: str) -> list[dict[str, Any]]:
    return [row for row in result.report["coverage"] if row["what"] == what]


@contextmanager
def _mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    done = subprocess.run(["ntfs-3g", "-o", "streams_interface=windows", image, at], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"an NTFS volume cannot be mounted here: {done.stderr.strip()}")
    try:
        yield at
    finally:
        for _ in range(20):
            if subprocess.run(["umount", at], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.2)


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _tar_gz(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _docx(data: bytes) -> bytes:
    types = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    text = b'<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>'
    return _zip({"[Content_Types].xml": types, "word/document.xml": text, "word/media/image1.jpeg": data})


@pytest.mark.tools
@pytest.mark.slow
def test_every_picture_on_an_ntfs_volume_and_no_decoy(tmp_path: Path, scan: Scan) -> None:
    """In the manner of the JPEG search of the Digital Forensics Tool Testing images (Carrier, 2004)."""
    for program in ("mkntfs", "ntfs-3g", "umount"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}")
    original = {name: encoded(picture(100 + number, (400, 300)), quality=88) for number, name in enumerate(
        ("right", "wrong", "none", "deleted", "deleted_wrong", "zip", "tar", "office", "stream", "junk", "carved"))}  # fmt: skip
    reference = tmp_path / "reference"
    reference.mkdir()
    for name, data in original.items():
        (reference / f"{name}.jpg").write_bytes(data)
    rng = random.Random(1)
    image = tmp_path / "volume.dd"
    with open(image, "wb") as out:
        out.truncate(24 << 20)
    subprocess.run(["mkntfs", "-Q", "-F", "-q", image], check=True, capture_output=True)
    with _mounted(image, tmp_path / "mnt") as root:
        (root / "alloc").mkdir()
        (root / "del").mkdir()
        (root / "alloc/file1.jpg").write_bytes(original["right"])
        (root / "alloc/file2.dat").write_bytes(original["wrong"])
        (root / "alloc/file3").write_bytes(original["none"])
        (root / "del/file4.jpg").write_bytes(original["deleted"])
        (root / "del/file5.hmm").write_bytes(original["deleted_wrong"])
        (root / "alloc/archive.zip").write_bytes(_zip({"file6.jpg": original["zip"]}))
        (root / "alloc/file7.tar.gz").write_bytes(_tar_gz("file7.jpg", original["tar"]))
        (root / "alloc/letter.docx").write_bytes(_docx(original["office"]))
        (root / "alloc/notes.txt").write_bytes(b"nothing here\n")
        (root / "alloc/notes.txt:here").write_bytes(original["stream"])
        (root / "alloc/junk.dat").write_bytes(rng.randbytes(3000) + original["junk"])
        # The decoys: a header and nothing behind it, a text with the name of a picture, a header inside other bytes.
        (root / "alloc/decoy1.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + rng.randbytes(20_000))
        (root / "alloc/decoy2.jpg").write_bytes(b"no picture at all, only a name\n" * 200)
        (root / "alloc/decoy3.dat").write_bytes(rng.randbytes(5000) + b"\xff\xd8\xff\xe1" + rng.randbytes(5000))
        (root / "alloc/other.jpg").write_bytes(encoded(picture(900, (400, 300))))
        (root / "big.bin").write_bytes(rng.randbytes(8192) + original["carved"] + rng.randbytes(8192))
    with _mounted(image, tmp_path / "mnt") as root:
        (root / "del/file4.jpg").unlink()
        (root / "del/file5.hmm").unlink()
    raw = bytearray(image.read_bytes())
    place = raw.index(original["carved"])
    # A whole picture in space that no file uses: written past the file system into the last free clusters.
    free = len(raw) - (2 << 20)
    raw[place : place + len(original["carved"])] = rng.randbytes(len(original["carved"]))
    raw[free : free + len(original["carved"])] = original["carved"]
    image.write_bytes(raw)
    known = tmp_path / "known"
    build(known, [reference], role="alert", kinds=["exact", "picture"], name="known")

    result = scan(image, "--case", tmp_path / "case", "--hashset", known, "--profile", "full", "--quiet")
    assert result.code in (0, 3), result.err
    exact = {(item["path"], item["hashes"]["sha256"]) for item in _observed(result, "HashMatch")}
    import hashlib

    for name, data in original.items():
        assert [path for path, digest in exact if digest == hashlib.sha256(data).hexdigest()], name
    near = {item["reference"]: item for item in _observed(result, "PictureMatch")}
    assert set(near) == {f"{name}.jpg" for name in original}
    assert {item["distance"] for item in near.values()} <= set(range(9))
    paths = {item["path"] for item in [*_observed(result, "PictureMatch"), *_observed(result, "HashMatch")]}
    assert not [path for path in paths if "decoy" in path or "other" in path]
    assert near["zip.jpg"]["inside"] == "archive.zip ▸ file6.jpg"
    assert near["office.jpg"]["inside"] == "letter.docx ▸ word/media/image1.jpeg"
    assert near["stream.jpg"]["path"] == "/alloc/notes.txt:here"
    assert near["carved.jpg"]["offset"] == free
    assert not near["deleted.jpg"]["allocated"]
    assert all("code" not in item and "category" not in item for item in near.values())


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A set of perceptual hashes of one picture."""
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "tree.jpg").write_bytes(encoded(picture(7, (640, 480)), quality=92))
    build(tmp_path / "known", [folder], role="alert", kinds=["picture"], key=b"the key of the stick", name="known")
    (tmp_path / "key").write_bytes(b"the key of the stick\n")
    return tmp_path / "known"


def test_changed_pictures_are_referred_and_never_found(tmp_path: Path, scan: Scan, known: Path) -> None:
    root = tmp_path / "evidence/Users/sam/Pictures"
    root.mkdir(parents=True)
    image = picture(7, (640, 480))
    (root / "half.jpg").write_bytes(encoded(image.resize((320, 240)), quality=80))
    (root / "turned.txt").write_bytes(encoded(image.transpose(Image.Transpose.ROTATE_90), "PNG"))
    (root / "grey.webp").write_bytes(encoded(image.convert("L"), "WEBP"))
    (root / "other.jpg").write_bytes(encoded(picture(8, (640, 480))))
    (root / "plain.png").write_bytes(encoded(Image.new("RGB", (300, 300), "red"), "PNG"))
    (root / "icon.png").write_bytes(encoded(picture(7, (16, 16)), "PNG"))
    result = scan(tmp_path / "evidence", "--hashset", known, "--hashset-key", tmp_path / "key", "--quiet")
    found = {item["path"].rpartition("/")[2]: item for item in _observed(result, "PictureMatch")}
    assert set(found) == {"half.jpg", "turned.txt", "grey.webp"}
    assert found["turned.txt"]["orientation"] == "turned by 90 degrees"
    assert found["half.jpg"]["reference"] == "tree.jpg"
    assert found["half.jpg"]["odds"].startswith("1 in 10^")
    assert {(item["rule"], item["severity"]) for item in result.findings()} == {("pictures.near_match", 4)}
    assert result.report["assessment"]["outcome"] == "refer"
    reasons = {row["reason"]: row["count"] for row in _coverage(result, "pictures: by their looks")}
    assert reasons["too little in the picture to recognise it by"] == 1
    assert reasons["smaller than 32 pixels: icons and spacers"] == 1


def _bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10 << 20))) + chunk(b"IEND", b"")


def test_bombs_and_damage_cost_a_line_each(tmp_path: Path, scan: Scan, known: Path) -> None:
    root = tmp_path / "evidence/Users/sam/Pictures"
    root.mkdir(parents=True)
    (root / "bomb.png").write_bytes(_bomb())
    (root / "cut.jpg").write_bytes(encoded(picture(7, (640, 480)))[:9000])
    frames = [picture(seed, (64, 64)) for seed in (8, 9)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40)
    block = moving[moving.rindex(b"\x21\xf9") : -1]
    (root / "moving.gif").write_bytes(
        moving[:-1] + (block[:8] + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0") * 100_000 + b";"
    )
    (root / "good.jpg").write_bytes(encoded(picture(7, (640, 480)), quality=60))
    result = scan(tmp_path / "evidence", "--hashset", known, "--hashset-key", tmp_path / "key", "--quiet")
    assert "Traceback" not in result.err
    assert [item["path"] for item in _observed(result, "PictureMatch")] == ["/Users/sam/Pictures/good.jpg"]
    told = {row["path"].rpartition("/")[2]: row for row in _coverage(result, "pictures: by their looks") if row.get("path")}
    assert set(told) == {"bomb.png", "cut.jpg"}
    assert told["bomb.png"]["status"] == "skipped_by_rule"
    assert "60000 × 60000 pixels" in told["bomb.png"]["reason"]
    assert told["cut.jpg"]["status"] == "failed"
    assert "cut short" in told["cut.jpg"]["reason"]


def test_facts_need_no_hash_set(tmp_path: Path, scan: Scan) -> None:
    root = tmp_path / "evidence/Users/sam/Pictures"
    root.mkdir(parents=True)
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Cornflower", "Model 7"
    tags.get_ifd(0x8769)[0x9003] = "2026:05:01 10:22:28"
    for number in range(3):
        (root / f"{number}.dat").write_bytes(encoded(picture(number), exif=tags))
    result = scan(tmp_path / "evidence", "--quiet")
    facts = _observed(result, "PictureFacts")
    assert {(item["maker"], item["model"], item["gps"], item["user"], item["time_local"]) for item in facts} == {
        ("Cornflower", "Model 7", "no", "sam", "2026-05-01T10:22:28")
    }
    assert len(facts) == 3
    (count,) = _observed(result, "PictureCount")
    assert (count["folder"], count["camera"], count["month"], count["pictures"]) == (
        "/Users/sam/Pictures",
        "Cornflower Model 7",
        "2026-05",
        3,
    )
    assert [item for item in _observed(result, "Device") if item["model"] == "Model 7"]
    assert _coverage(result, "pictures: by their looks") == []


def test_a_small_copy_that_shows_something_else(tmp_path: Path, scan: Scan, known: Path) -> None:
    root = tmp_path / "evidence/Users/sam/Pictures"
    root.mkdir(parents=True)
    data = encoded(picture(30, (640, 480)))
    for name, seed in (("same", 30), ("differs", 31)):
        small = encoded(picture(seed, (640, 480)).resize((160, 120)))
        tags = struct.pack("<HHHIIHHII", 2, 0x0201, 4, 1, 0, 0x0202, 4, 1, len(small)) + bytes(4)
        first = struct.pack("<HHHII", 1, 0x010F, 2, 4, int.from_bytes(b"Ace\0", "little"))
        second = 8 + len(first) + 4
        tags = tags[:10] + struct.pack("<I", second + len(tags)) + tags[14:]
        body = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + struct.pack("<I", second) + tags + small
        (root / f"{name}.jpg").write_bytes(b"\xff\xd8\xff\xe1" + struct.pack(">H", 2 + len(body)) + body + data[2:])
    result = scan(tmp_path / "evidence", "--hashset", known, "--hashset-key", tmp_path / "key", "--quiet")
    assert {item["path"].rpartition("/")[2]: item["thumbnail"] for item in _observed(result, "PictureFacts")} == {
        "same.jpg": "same", "differs.jpg": "differs",
    }  # fmt: skip
