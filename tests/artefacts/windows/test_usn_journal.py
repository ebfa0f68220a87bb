"""The change journal: the specimen, a journal with its hole written here, damage."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import DeletedFile, FileSeen, SystemFact
from artefacts.windows import usn_journal

PATH = "/$Extend/$UsnJrnl:$J"
_STAMP = 131459172035487843  # 2017-07-30T19:40:03.5487843Z
_DELETED, _OLD, _NEW = 0x80000200, 0x1000, 0x80002000


def change(name: str, reason: int, file: int = 40, version: int = 2, usn: int = 0) -> bytes:
    text = name.encode("utf-16-le")
    reference = "<QQ" if version == 2 else "<Q8xQ8x"
    fixed = 60 if version == 2 else 76
    length = (fixed + len(text) + 7) // 8 * 8
    head = struct.pack("<IHH", length, version, 0) + struct.pack(reference, 3 << 48 | file, 5 << 48 | 5)
    return (head + struct.pack("<QQIIIIHH", usn, _STAMP, reason, 0, 0, 0x20, len(text), fixed) + text).ljust(length, b"\0")


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(usn_journal.parse, PATH)
    return result


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("hole", [0, 3 << 20])
def test_own_journal(evidence: Any, version: int, hole: int) -> None:
    page = (change("list.txt", _OLD, version=version) + change("AAAA.AAA", _NEW, version=version)).ljust(4096, b"\0")
    data = bytes(hole) + page + change("AAAA.AAA", _DELETED, version=version, usn=77)
    (renamed, deleted, fact), problems = read(evidence, data)
    assert problems == []
    assert (renamed.path, renamed.detail, renamed.used.isoformat()) == ("list.txt", "renamed to AAAA.AAA", "2017-07-30T19:40:03.5487843Z")
    assert isinstance(deleted, DeletedFile) and (deleted.path, deleted.locator) == ("AAAA.AAA", "usn=77 file=40-3 folder=5-5")
    assert fact.value == "3 changes, the last at 2017-07-30T19:40:03.5487843Z"


@pytest.mark.specimens
def test_specimen(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = (specimens / "windows-misc/plaso/UsnJrnl.raw").read_bytes()
    observations, problems = read(evidence, data)
    assert problems == []
    fact = observations[-1]
    assert isinstance(fact, SystemFact) and fact.value == "19 changes, the last at 2015-11-30T21:16:02.031250Z"
    assert fact.time.isoformat() == "2015-11-30T21:15:27.203125Z"  # type: ignore[union-attr]
    assert [(item.path, item.detail) for item in observations[:-1]] == [
        ("Nieuw - Tekstdocument.txt", "renamed to first.txt"), ("Kopie van first.txt", "renamed to second.txt"),
    ]  # fmt: skip
    for copy in mutations(data, 100):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
        except Unrecognised:
            pass


def test_a_damaged_record_costs_its_page(evidence: Any) -> None:
    first = bytearray(change("one.txt", _DELETED).ljust(4096, b"\0"))
    first[0:4] = struct.pack("<I", 0x7FFFFFF8)
    observations, problems = read(evidence, bytes(first) + change("two.txt", _DELETED))
    assert [item.path for item in observations if isinstance(item, DeletedFile)] == ["two.txt"]
    assert [item.locator for item in problems] == ["offset=0"]
    for data in (b"", bytes(10_000)):
        with pytest.raises(Unrecognised):
            read(evidence, data)


def test_paths_by_the_file_system_and_by_the_journal_itself(evidence: Any) -> None:
    def inside(name: str, folder: int, reason: int, file: int, *, directory: bool = False) -> bytes:
        record = bytearray(change(name, reason, file=file))
        struct.pack_into("<Q", record, 16, 3 << 48 | folder)
        struct.pack_into("<I", record, 52, 0x10 if directory else 0x20)
        return bytes(record)

    data = (
        inside("a.jpg", 50, _DELETED, 60) + inside("gone", 51, _DELETED, 50, directory=True) + inside("b.jpg", 99, _DELETED, 61)
        + inside("c.jpg", 51, _OLD, 62) + inside("c.jpg", 50, _NEW, 62)
    )  # fmt: skip
    observations, problems = evidence({PATH: data}, {"51-3": "/Users/jo"}).parse(usn_journal.parse, PATH)
    assert problems == []
    deleted = [item.path for item in observations if isinstance(item, DeletedFile)]
    assert deleted == ["/Users/jo/gone/a.jpg", "/Users/jo/gone", "b.jpg"]
    (moved,) = [item for item in observations if isinstance(item, FileSeen)]
    assert (moved.path, moved.detail) == ("/Users/jo/c.jpg", "moved to /Users/jo/gone/c.jpg")


def test_folders_that_contain_each_other(evidence: Any) -> None:
    records = b""
    for file, folder in ((50, 51), (51, 50)):
        record = bytearray(change("loop", _DELETED, file=file))
        struct.pack_into("<Q", record, 16, 3 << 48 | folder)
        struct.pack_into("<I", record, 52, 0x10)
        records += record
    observations, _ = read(evidence, records)
    assert [item.path for item in observations if isinstance(item, DeletedFile)] == ["loop", "loop"]
