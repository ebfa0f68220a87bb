"""The NTFS log: specimens of Windows 7 and 10, a log made here, damage."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import DeletedFile, FileSeen
from artefacts.windows import log_file

PATH = "/$LogFile"
ADD, REMOVE = 0x0E, 0x0F
TICKS = 132_000_000_000_000_000


def entry(name: str, file: int = 64, folder: int = 5, space: int = 1) -> bytes:
    text = name.encode("utf-16-le")
    key = struct.pack("<7QQII", folder | 1 << 48, TICKS, TICKS, TICKS, TICKS, 4096, 77, 0x20, 0, 0)[:64] + bytes([len(name), space]) + text
    size = (16 + len(key) + 7) // 8 * 8
    return (struct.pack("<QHHI", file | 3 << 48, size, len(key), 0) + key).ljust(size, b"\0")


def log(steps: list[tuple[int, bytes]]) -> bytes:
    """A log of one restart page and pages of records, one step a record."""
    pages, page, lsn_base = [], bytearray(0x40), 1
    for operation, data in steps:
        redo, undo = (len(data), 0) if operation == ADD else (0, len(data))
        client = struct.pack("<6H20x", operation, 0, 0x20, redo, 0x20, undo) + data
        if len(page) + 0x30 + len(client) > 4096:
            pages.append(page)
            page, lsn_base = bytearray(0x40), lsn_base + 1
        lsn = (lsn_base << 20) | len(page) >> 3
        page += struct.pack("<QQQIIIIH6x", lsn, lsn - 1, 0, len(client), 0, 1, 24, 0)
        page += client.ljust((len(client) + 7) // 8 * 8, b"\0")
    pages.append(page)
    out = b"RSTR".ljust(4096, b"\0")
    for number, page in enumerate(pages, 1):
        raw = bytearray(bytes(page).ljust(4096, b"\0"))
        raw[:16] = struct.pack("<4sHHQ", b"RCRD", 0x28, 9, number << 20)
        raw[0x28:0x2A] = b"\x07\0"
        for sector in range(8):
            end = sector * 512 + 510
            raw[0x2A + 2 * sector : 0x2C + 2 * sector] = raw[end : end + 2]
            raw[end : end + 2] = b"\x07\0"
        out += raw
    return out


def test_deleted_renamed_moved(evidence: Any) -> None:
    steps = [
        (ADD, entry("new.txt")), (REMOVE, entry("gone.txt", 70)), (REMOVE, entry("GONE~1.TXT", 70, space=2)), (REMOVE, entry("old.jpg", 71)),
        (ADD, entry("x.jpg", 71)), (REMOVE, entry("same", 72)), (ADD, entry("same", 72)), (REMOVE, entry("there", 73)), (ADD, entry("there", 73, 40)),
        (REMOVE, entry("still.txt", 74)),
    ]  # fmt: skip
    case = evidence({PATH: log(steps)}, {"5-1": "", "40-1": "/Users/jo/Pictures"}, {"74-3": ("still.txt",)})
    observations, problems = case.parse(log_file.parse, PATH)
    assert problems == []
    renamed, moved, deleted, fact = [item.to_json() for item in observations]
    assert (renamed["path"], renamed["detail"]) == ("/old.jpg", "renamed to x.jpg")
    assert (moved["path"], moved["detail"]) == ("/there", "moved to /Users/jo/Pictures/there")
    assert (deleted["type"], deleted["path"], deleted["size"], deleted["created"]) == (
        "DeletedFile",
        "/gone.txt",
        77,
        "2019-04-17T18:40:00Z",
    )
    assert observations[2].locator.endswith("file=70-3 folder=5-1")
    assert fact["value"] == "10 records"


def test_many_pages_and_damage(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = log([(REMOVE, entry(f"file {number}.txt", 100 + number)) for number in range(300)])
    observations, problems = evidence({PATH: data}, {}, {}).parse(log_file.parse, PATH)
    assert problems == []
    assert [item.path for item in observations if isinstance(item, DeletedFile)] == [f"file {number}.txt" for number in range(300)]
    # A log without its file system: no deletion is claimed.
    alone, _ = evidence({PATH: data}).parse(log_file.parse, PATH)
    assert {type(item).__name__ for item in alone[:-1]} == {"FileSeen"} and len(alone) == 301
    torn = bytearray(data)
    torn[4096 * 3 + 510] ^= 0xFF
    fewer, problems = evidence({PATH: bytes(torn)}).parse(log_file.parse, PATH)
    assert 200 < len(fewer) < 300 and [problem.locator for problem in problems] == ["offset=12288"]
    for copy in mutations(data, 60):
        try:
            evidence({PATH: copy}).parse(log_file.parse, PATH)
        except Unrecognised:
            pass


def test_empty_and_other_files(evidence: Any) -> None:
    (fact,), problems = evidence({PATH: b"\xff" * 65_536}).parse(log_file.parse, PATH)
    assert fact.value.startswith("empty") and problems == []
    with pytest.raises(Unrecognised):
        evidence({PATH: b"nothing" * 1000}).parse(log_file.parse, PATH)


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("name", "records"), [("LogFile_7", 772), ("LogFile_10", 528), ("LogFile_10_large", 401), ("LogFile_10_downgraded", 485)]
)
def test_specimens(evidence: Any, specimens: Path, name: str, records: int) -> None:
    data = (specimens / f"images/dfir_ntfs/{name}.bin").read_bytes()
    observations, problems = evidence({PATH: data}).parse(log_file.parse, PATH)
    assert problems == []
    assert observations[-1].to_json()["value"] == f"{records} records"
    assert any(isinstance(item, FileSeen) and item.path == "find_me.txt" and item.size == 7 for item in observations)
