"""The journal of ext: one written here block by block, and damage to it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.linux import ext_journal
from artefacts.observations import DeletedFile, FileSeen

PATH = "/[journal]"
SIZE = 1024
MAGIC = 0xC03B3998
TIME = 1_700_000_000


def directory(names: dict[str, int], own: int = 12) -> bytes:
    """A first block of a directory."""
    entries = [(own, b"."), (2, b".."), *((inode, name.encode()) for name, inode in names.items())]
    out = b""
    for number, (inode, name) in enumerate(entries):
        length = (8 + len(name) + 3) // 4 * 4
        if number == len(entries) - 1:
            length = SIZE - len(out)
        out += (struct.pack("<IHBB", inode, length, len(name), 2 if name in (b".", b"..") else 1) + name).ljust(length, b"\0")
    return out


def journal(*states: bytes, block: int = 77) -> bytes:
    """A journal with one transaction for each state of a directory's block, a second apart."""
    out = struct.pack(">III", MAGIC, 4, 0) + struct.pack(">IIIII", SIZE, 200, 1, 1, 1)
    blocks = [out.ljust(SIZE, b"\0")]
    for sequence, state in enumerate(states, start=4):
        tag = struct.pack(">IHH", block, 0, 8) + bytes(16)  # the last, with a UUID after it
        blocks.append((struct.pack(">III", MAGIC, 1, sequence) + tag).ljust(SIZE, b"\0"))
        blocks.append(state)
        blocks.append((struct.pack(">III", MAGIC, 2, sequence) + bytes(36) + struct.pack(">QI", TIME + sequence, 500)).ljust(SIZE, b"\0"))
    return b"".join(blocks).ljust(200 * SIZE, b"\0")


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(ext_journal.parse, PATH)
    return result


CHANGES = journal(
    directory({"letter.txt": 13, "list.txt": 14}),
    directory({"0000000000": 13, "list.txt": 14}),
    directory({"0": 13, "list.txt": 14}),
    directory({"list.txt": 14}),
    directory({"list.txt": 14, "new.txt": 15}),
)


def test_a_rename_and_a_deletion(evidence: Any) -> None:
    observations, problems = read(evidence, CHANGES)
    assert problems == []
    first, second, third = observations
    assert isinstance(first, FileSeen) and (first.path, first.detail, first.recovered) == ("letter.txt", "renamed to 0000000000", True)
    assert (first.locator, first.used.isoformat()) == ("usn=5 file=13 folder=12", "2023-11-14T22:13:25.0000005Z")  # type: ignore[union-attr]
    assert (second.path, second.detail) == ("0000000000", "renamed to 0")
    assert isinstance(third, DeletedFile) and (third.path, third.deleted.isoformat()) == ("0", "2023-11-14T22:13:27.0000005Z")  # type: ignore[union-attr]


def test_a_block_seen_once_tells_of_no_change(evidence: Any) -> None:
    assert read(evidence, journal(directory({"letter.txt": 13}))) == ([], [])


def test_what_is_no_journal(evidence: Any) -> None:
    for data in (b"", bytes(4096), struct.pack(">III", MAGIC, 4, 0) + bytes(2000), b"\0" * 10):
        with pytest.raises(Unrecognised):
            read(evidence, data)


def test_damaged_copies(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for copy in mutations(CHANGES, 200):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
        except Unrecognised:
            pass
