"""Thumbs.db: the specimens, a catalogue written here, damage."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.registry import Content
from artefacts.windows import thumbs_db

PATH = "/Users/jo/Pictures/Thumbs.db"
_STAMP = 131459172035487843  # 2017-07-30T19:40:03.5487843Z


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(thumbs_db.parse, PATH)
    return result


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("folder", "count", "first"),
    [
        ("ExifPhotos", 3, "267ac1efabfe4df"), ("ExifPhotos/All_Exif_Version", 4, "267ac1efabfe4df"),
        ("ExifPhotos/Iphone", 2, "8af375c39d65d23f"), ("MailUserAgents/files", 3, "378cfa79e2ef561e"),
    ],
)  # fmt: skip
def test_specimens(evidence: Any, specimens: Path, folder: str, count: int, first: str) -> None:
    observations, problems = read(evidence, (specimens / f"thumbcache/thumbs.db/{folder}/Thumbs.db").read_bytes())
    assert problems == [] and len(observations) == count
    assert (observations[0].path, observations[0].user, observations[0].detail) == (
        f"[thumbnail {first}]",
        "jo",
        "in the folder /Users/jo/Pictures",
    )


def test_catalogue() -> None:
    entries = b""
    for number, name in ((1, "boat.jpg"), (12, "tree.jpg")):
        text = f"{name}\0\0".encode("utf-16-le")
        entries += struct.pack("<IIQ", 16 + len(text), number, _STAMP) + text
    data = struct.pack("<HHIII", 16, 7, 2, 96, 96) + entries
    first, second = thumbs_db.catalog(data)
    assert not isinstance(first, Problem) and not isinstance(second, Problem)
    assert (first[0], first[1].isoformat(), first[2]) == (1, "2017-07-30T19:40:03.5487843Z", "boat.jpg")  # type: ignore[union-attr]
    assert second[2] == "tree.jpg"
    *_, problem = thumbs_db.catalog(data[:-4])
    assert isinstance(problem, Problem) and problem.reason == "its catalogue counts 2 entries, 1 were read"
    assert list(thumbs_db.catalog(b"")) == []


@pytest.mark.specimens
def test_pictures(evidence: Any, specimens: Path) -> None:
    signatures = []
    for path in sorted((specimens / "thumbcache/thumbs.db").rglob("Thumbs.db")):
        contents = list(thumbs_db.contents(evidence({PATH: path.read_bytes()}).file(PATH)))
        assert all(isinstance(item, Content) and item.data.startswith((b"\xff\xd8\xff", b"\x89PNG")) for item in contents)
        signatures += [item.data[:2] for item in contents if isinstance(item, Content)]
        assert all(isinstance(item, Content) and item.name.startswith("thumbnail 256_") for item in contents)
    assert (signatures.count(b"\xff\xd8"), signatures.count(b"\x89P")) == (9, 3)


@pytest.mark.specimens
def test_damage(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for copy in mutations((specimens / "thumbcache/thumbs.db/ExifPhotos/Iphone/Thumbs.db").read_bytes(), 40):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
            list(thumbs_db.contents(evidence({PATH: copy}).file(PATH)))
        except Unrecognised:
            pass
    with pytest.raises(Unrecognised):
        read(evidence, b"no compound file")
