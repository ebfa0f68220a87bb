"""The recycle bin: every sample against its published listing, own fixtures, orphans, damage."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.times import NoTime, Timestamp
from artefacts.windows import recycle_bin

BIN = "/$Recycle.Bin/S-1-5-21-7-7-7-1001"
_STAMP = 131459172035487843  # 2017-07-30T19:40:03.5487843Z


def record(path: str, version: int = 2, size: int = 12) -> bytes:
    head = struct.pack("<QQQ", version, size, _STAMP)
    if version == 1:
        return head + path.encode("utf-16-le").ljust(520, b"\0")
    return head + struct.pack("<I", len(path) + 1) + path.encode("utf-16-le") + b"\0\0"


def listing(path: Path) -> list[list[str]]:
    """Index, deleted, gone, size, path."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[lines.index(next(line for line in lines if line.startswith("Index"))) + 1 :] if line]


def second(time: Any) -> str:
    assert isinstance(time, Timestamp)
    return time.isoformat()[:19].replace("T", " ")


@pytest.mark.parametrize("version", [1, 2])
def test_own_records(evidence: Any, version: int) -> None:
    files = {
        f"{BIN}/$IAAAAAA.txt": record("C:\\Users\\jo\\list.txt", version),
        f"{BIN}/$RAAAAAA.txt": b"hello world!",
        f"{BIN}/$IBBBBBB": record("D:\\loose", version),
        f"{BIN}/$RCCCCCC.bin": b"x",
    }
    held = evidence(files)
    [[seen], [], [loose], [], [orphan], []] = [
        part
        for parser, name in (
            (recycle_bin.parse_record, "$IAAAAAA.txt"), (recycle_bin.parse_record, "$IBBBBBB"), (recycle_bin.parse_content, "$RCCCCCC.bin"),
        )
        for part in held.parse(parser, f"{BIN}/{name}")
    ]  # fmt: skip
    assert (seen.path, seen.size, seen.user, seen.content) == ("C:\\Users\\jo\\list.txt", 12, "jo", "recoverable")
    assert seen.deleted.isoformat() == "2017-07-30T19:40:03.5487843Z"
    assert (loose.content, loose.user) == ("none", "S-1-5-21-7-7-7-1001")
    assert (orphan.path, orphan.size, orphan.how) == (f"{BIN}/$RCCCCCC.bin", 1, "recycle bin, without its record")
    assert held.parse(recycle_bin.parse_content, f"{BIN}/$RAAAAAA.txt") == ([], [])


@pytest.mark.specimens
def test_vista_samples(evidence: Any, specimens: Path) -> None:
    held = evidence.of_folder(specimens / "recyclebin/rifiuti2/dir-sample1", BIN)
    rows = listing(specimens / "recyclebin/rifiuti2/dir-sample1.txt")
    assert len(rows) == 15
    for name, deleted, gone, size, path in rows:
        [seen], problems = held.parse(recycle_bin.parse_record, f"{BIN}/{name}")
        assert problems == []
        assert (second(seen.deleted), seen.path, seen.size) == (deleted, path, None if size == "???" else int(size))
        # Its listing finds $I1IS2OK.txt's file, which is not among the samples as they came here.
        assert name == "$I1IS2OK.txt" or (seen.content == "none") == (gone == "TRUE")


@pytest.mark.specimens
@pytest.mark.parametrize(
    "name",
    [
        "INFO-NT-en-1",
        "INFO2-sample2",
        "INFO2-ME-en-1",
        "INFO2-me-en-uncpath",
        "INFO2-2k-cht-1",
        "INFO2-2k-tw-uncpath",
        "INFO2-03-tw-uncpath",
    ],
)
def test_index_samples(evidence: Any, specimens: Path, name: str) -> None:
    folder = specimens / "recyclebin/rifiuti2"
    observations, problems = evidence({"/RECYCLED/INFO2": (folder / name).read_bytes()}).parse(recycle_bin.parse_info, "/RECYCLED/INFO2")
    assert problems == []
    ours = [
        [item.locator.split("number=")[1], second(item.deleted), "TRUE" if item.recovered else "FALSE", str(item.size), item.path]
        for item in observations
    ]
    # One listing was made with the short names: only its other columns can be compared.
    columns = 4 if name == "INFO2-2k-tw-uncpath" else 5
    assert [row[:columns] for row in ours] == [row[:columns] for row in listing(folder / f"{name}.txt")]


@pytest.mark.specimens
def test_bad_and_empty_samples(evidence: Any, specimens: Path) -> None:
    folder = specimens / "recyclebin/rifiuti2"
    held = evidence.of_folder(folder / "dir-badfiles", BIN)
    for name, reason, path in (
        ("$IF47Q09", "cut short: 28 of 106 bytes", "[path not readable]"),
        ("$IX1JBL3.djvu", "cut short: 91 of 108 bytes", "\\\\WIN-163RLA0PH3N\\somewhere\\পরী"),
    ):
        [seen], [problem] = held.parse(recycle_bin.parse_record, f"{BIN}/{name}")
        assert (seen.path, problem.reason) == (path, reason) and not isinstance(seen.deleted, NoTime)
    held = evidence({"/INFO2": (folder / "INFO2-trunc").read_bytes(), "/e/INFO2": (folder / "INFO2-empty").read_bytes()})
    observations, problems = held.parse(recycle_bin.parse_info, "/INFO2")
    assert len(observations) == 5 and [problem.reason for problem in problems] == ["the last record is cut short: 795 of 800 bytes"]
    assert held.parse(recycle_bin.parse_info, "/e/INFO2") == ([], [])


def test_what_is_neither_is_refused(evidence: Any) -> None:
    for data in (b"", bytes(24), b"hello" * 200):
        for parser in (recycle_bin.parse_record, recycle_bin.parse_info):
            with pytest.raises(Unrecognised):
                evidence({f"{BIN}/$IX": data}).parse(parser, f"{BIN}/$IX")


def test_damage_is_survived(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    entry = b"C:\\a.txt".ljust(260, b"\0") + struct.pack("<IIQI", 1, 2, _STAMP, 4096)
    index = struct.pack("<5I", 5, 0, 1, 800, 0) + (entry + "C:\\a.txt".encode("utf-16-le").ljust(520, b"\0")) * 4
    for parser, whole in ((recycle_bin.parse_info, index), (recycle_bin.parse_record, record("C:\\Users\\jo\\a.txt"))):
        for copy in mutations(whole, 60):
            try:
                observations, _ = evidence({f"{BIN}/$IX": copy}).parse(parser, f"{BIN}/$IX")
            except Unrecognised:
                continue
            json.dumps([item.to_json() for item in observations])
