"""Pictures in space that no file uses, through the real command."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.triage.scan import hiding
from tests.triage.scan.carving.test_formats import video
from tests.triage.scan.conftest import Result

Scan = Callable[..., Result]
PLACES = {"JPEG": 4 << 20, "PNG": (4 << 20) + 70_001, "GIF": (5 << 20) + 512, "WEBP": (5 << 20) + 90_000, "MP4": 6 << 20}


def _content(kind: str) -> bytes:
    return video(1 << 20) if kind == "MP4" else hiding.picture(7, kind, (90, 60))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A FAT volume with one file, and pictures, a picture in two pieces and false headers behind it, where nothing is."""
    if shutil.which("mkfs.fat") is None or shutil.which("mcopy") is None:
        pytest.skip("needs mkfs.fat and mcopy")
    path = tmp_path / "volume.img"
    with open(path, "wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkfs.fat", "-F", "16", "-s", "1", path], check=True, capture_output=True)
    (tmp_path / "letter.txt").write_text("a letter\n" * 50)
    subprocess.run(["mcopy", "-i", path, tmp_path / "letter.txt", "::/letter.txt"], check=True)
    split = hiding.picture(8, size=(300, 200))
    with open(path, "r+b") as file:
        for kind, place in PLACES.items():
            file.seek(place)
            file.write(_content(kind))
        file.seek((7 << 20) + (512 << 10))
        file.write(split[:20_480] + random.Random(1).randbytes(4096) + split[20_480:])
        file.seek((7 << 20) + (700 << 10))
        file.write(hiding.false_jpeg(3, 9000))
    return path


def _matches(result: Result) -> list[dict[str, Any]]:
    return [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "HashMatch"]


def _known(tmp_path: Path) -> str:
    listed = [_content(kind) for kind in PLACES] + [hiding.picture(8, size=(300, 200)), hiding.false_jpeg(3, 9000)]
    (tmp_path / "known.sha1").write_text("".join(hashlib.sha1(data).hexdigest() + "\n" for data in listed))
    return f"alert={tmp_path / 'known.sha1'}"


@pytest.mark.tools
def test_every_whole_picture_is_carved_and_no_other(scan: Scan, image: Path, tmp_path: Path) -> None:
    result = scan(image, "--hashset", _known(tmp_path), "--profile", "full")
    assert result.code == 0, result.err
    matches = _matches(result)
    assert {match["offset"]: match["size"] for match in matches} == {place: len(_content(kind)) for kind, place in PLACES.items()}
    assert {match["reached"] for match in matches} == {"in space that no file uses"}
    assert all(match["allocated"] is False and match["outer_size"] is None for match in matches)
    finding = next(f for f in result.findings() if f["locator"] == f"offset={4 << 20}")
    assert "in space that no file uses, at byte 4194304 of the volume, in one piece" in finding["explanation"]
    assert finding["path"] == "[jpg at byte 4194304 in space that no file uses]" and finding["allocated"] is False
    told = {c["reason"]: c["count"] for c in result.report["coverage"] if c["what"] == "pictures in unallocated space"}
    assert told["whole pictures and videos in one piece, examined"] == 5
    assert told["beginnings of pictures that are not whole, or go on elsewhere: not examined"] == 2


@pytest.mark.tools
def test_profile_standard_takes_the_time_that_is_left(scan: Scan, image: Path, tmp_path: Path) -> None:
    known = _known(tmp_path)
    without = scan(image, "--hashset", known, case=tmp_path / "without")
    assert without.code == 0 and _matches(without) == []
    [note] = [c for c in without.report["coverage"] if c["what"] == "pictures in unallocated space"]
    assert (note["status"], note["reason"]) == (
        "skipped_by_rule", "the profile standard looks for pictures in space that no file uses in time left",
    )  # fmt: skip
    with_time = scan(image, "--hashset", known, "--time-budget", "5m", case=tmp_path / "with")
    assert len(_matches(with_time)) == 5


@pytest.mark.tools
def test_what_was_examined_as_a_deleted_file_is_not_told_twice(scan: Scan, image: Path, tmp_path: Path) -> None:
    if shutil.which("mdel") is None:
        pytest.skip("needs mdel")
    picture = hiding.picture(9, size=(80, 80))
    (tmp_path / "gone.jpg").write_bytes(picture)
    subprocess.run(["mcopy", "-i", image, tmp_path / "gone.jpg", "::/gone.jpg"], check=True)
    subprocess.run(["mdel", "-i", image, "::/gone.jpg"], check=True)
    (tmp_path / "gone.sha1").write_text(hashlib.sha1(picture).hexdigest() + "\n")
    result = scan(image, "--hashset", f"alert={tmp_path / 'gone.sha1'}", "--profile", "full")
    [match] = _matches(result)
    assert match["reached"] is None and match["allocated"] is False
    told = {c["reason"]: c["count"] for c in result.report["coverage"] if c["what"] == "pictures in unallocated space"}
    assert told["belong to deleted files that were examined under their names"] == 1
