"""The thumbnail store: the specimens' counts, a store written here, damage."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import FileSeen
from artefacts.registry import Content
from artefacts.windows import thumbnail_cache

PATH = "/Users/jo/AppData/Local/Microsoft/Windows/Explorer/thumbcache_96.db"


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(thumbnail_cache.parse, PATH)
    return result


def store(version: int, *names: str) -> bytes:
    out = b"CMMM" + struct.pack("<5I", version, 2, 0, 24, 24)
    for number, name in enumerate(names, 1):
        text = name.encode("utf-16-le")
        sizes = struct.pack("<3I", len(text), 0, 4) + (struct.pack("<3I", 96, 64, 0) if version >= 0x1A else bytes(4))
        rest = bytes([number]) * 8 + (bytes(8) if version == 0x14 else b"") + sizes + bytes(16) + text + b"data"
        out += b"CMMM" + struct.pack("<I", 8 + len(rest)) + rest
    return out


@pytest.mark.parametrize("version", [0x14, 0x15, 0x1F, 0x20])
def test_own_store(evidence: Any, version: int) -> None:
    (one, two, fact), problems = read(evidence, store(version, "aa11", "bb22"))
    assert problems == []
    assert (one.path, one.size, one.user, two.path) == ("[thumbnail aa11]", 4, "jo", "[thumbnail bb22]")
    assert one.detail == ("96 x 64" if version >= 0x1A else None) and "2 cells, 2 entries" in fact.value


@pytest.mark.parametrize("version", [0x14, 0x15, 0x1F, 0x20])
def test_contents(evidence: Any, version: int) -> None:
    data = store(version, "aa11", "bb22")
    contents = list(thumbnail_cache.contents(evidence({PATH: data}).file(PATH)))
    assert [(item.name, item.data) for item in contents if isinstance(item, Content)] == [
        ("thumbnail aa11", b"data"),
        ("thumbnail bb22", b"data"),
    ]
    assert all(isinstance(item, Content) and data[item.offset :].startswith(b"data") for item in contents)


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "cells", "entries"), [("windows_11/thumbcache_32.db.xz", 9, None), ("windows_7/thumbcache_256.db.xz", 3, 1), ("windows_81/thumbcache_32.db.xz", 49, None)],
)  # fmt: skip
def test_specimens(evidence: Any, unpacked: Callable[[str], Path], name: str, cells: int, entries: int | None) -> None:
    observations, problems = read(evidence, unpacked(f"thumbcache/dissect/{name}").read_bytes())
    assert problems == [] and f": {cells} cells, {entries if entries is not None else ''}" in observations[-1].value
    if entries:
        assert observations[0].locator == "offset=24 hash=e84eb8f951bc2409"


@pytest.mark.specimens
def test_every_specimen_is_sound(evidence: Any, specimens: Path, unpacked: Callable[[str], Path]) -> None:
    found = 0
    for path in sorted((specimens / "thumbcache/dissect").rglob("thumbcache_*")):
        if "idx" not in path.name:
            observations, problems = read(evidence, unpacked(path.relative_to(specimens).as_posix()).read_bytes())
            held = [item for item in observations if isinstance(item, FileSeen) and item.size]
            contents = list(
                thumbnail_cache.contents(evidence({PATH: unpacked(path.relative_to(specimens).as_posix()).read_bytes()}).file(PATH))
            )
            assert [len(item.data) for item in contents if isinstance(item, Content)] == [item.size for item in held]
            assert all(isinstance(item, Content) and item.data.startswith((b"BM", b"\x89PNG")) for item in contents)
            found += sum(isinstance(item, FileSeen) for item in observations)
            assert problems == [], path
    assert found > 0


def test_damage(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    whole = store(0x20, "aa11", "bb22", "cc33")
    observations, problems = read(evidence, whole[:-3])
    assert len(observations) == 3 and len(problems) == 1
    for copy in mutations(whole, 60):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
            list(thumbnail_cache.contents(evidence({PATH: copy}).file(PATH)))
        except Unrecognised:
            pass
    with pytest.raises(Unrecognised):
        read(evidence, b"IMMM" + bytes(40))
