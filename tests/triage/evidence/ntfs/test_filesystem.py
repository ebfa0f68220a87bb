"""Volumes written record by record: hostile structures, damage, and what must come out of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from artefacts.coverage import Status
from triage.evidence.bytesource import FileBytes
from triage.evidence.model import Entry, ReadError
from triage.evidence.ntfs.filesystem import NtfsFilesystem

CLUSTERS = 256
MFT_CLUSTER, MIRROR_CLUSTER, BITMAP_CLUSTER, FREE = 4, 2, 3, 64
RECORDS = 96


@dataclass
class Image:
    """A volume of 1 MiB under construction."""

    make: ModuleType
    records: dict[int, bytes] = field(default_factory=dict)
    clusters: dict[int, bytes] = field(default_factory=dict)
    used: set[int] = field(default_factory=lambda: set(range(FREE)))
    mft_runs: list[tuple[int | None, int]] = field(default_factory=lambda: [(MFT_CLUSTER, RECORDS // 4)])
    root: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, number: int, name: str, *attributes: bytes, parent: int | None = None, listed: bool = True, **options: Any) -> None:
        """A file (a directory with ``flags=3``) in the root, or in ``parent``, a whole reference."""
        make = self.make
        key = make.name_key(make.reference(5, 5) if parent is None else parent, name, directory=bool(options.get("flags", 1) & 2))
        self.records[number] = make.record(
            number, [make.standard_information((1, 2, 3, 4)), make.resident(make.FILE_NAME, 1, key), *attributes], **options
        )  # fmt: skip
        if listed and parent is None:
            self.root.append((make.reference(number, options.get("sequence", 1)), key))

    def write(self, path: Path) -> Path:
        make = self.make
        boot = bytearray(512)
        boot[0:11] = b"\xeb\x52\x90NTFS    "
        boot[11:14] = b"\x00\x02\x08"
        boot[40:64] = (CLUSTERS * 8 - 1).to_bytes(8, "little") + MFT_CLUSTER.to_bytes(8, "little") + MIRROR_CLUSTER.to_bytes(8, "little")
        boot[64], boot[68] = 0xF6, 1
        boot[510:512] = b"\x55\xaa"
        content = bytearray(CLUSTERS * make.CLUSTER)
        content[0:512] = boot
        content[-512:] = boot
        info = make.resident(0x70, 3, bytes(8) + b"\x03\x01" + bytes(2))
        attributes, _ = make.directory_attributes(make.reference(5, 5), ".", sorted(self.root, key=lambda item: item[1][66:]), 0)
        size = RECORDS * make.RECORD
        basic = {
            0: make.record(0, [
                make.standard_information(), make.resident(make.FILE_NAME, 2, make.name_key(make.reference(5, 5), "$MFT")),
                make.nonresident(make.DATA, 1, self.mft_runs, size),
            ]),
            3: make.record(3, [make.resident(0x60, 2, "volume".encode("utf-16-le")), info], sequence=3),
            5: make.record(5, attributes, sequence=5, flags=3),
            6: make.record(6, [make.nonresident(make.DATA, 1, [(BITMAP_CLUSTER, 1)], CLUSTERS // 8)], sequence=6),
        }  # fmt: skip
        places = [start + step for start, length in self.mft_runs if start is not None for step in range(length)]
        for number, raw in {**basic, **self.records}.items():
            start = places[number // 4] * make.CLUSTER + number % 4 * make.RECORD
            content[start : start + len(raw)] = raw
        mirror = MIRROR_CLUSTER * make.CLUSTER
        content[mirror : mirror + make.RECORD] = basic[0]
        bits = sum(1 << cluster for cluster in self.used)
        content[BITMAP_CLUSTER * make.CLUSTER : BITMAP_CLUSTER * make.CLUSTER + CLUSTERS // 8] = bits.to_bytes(CLUSTERS // 8, "little")
        for cluster, value in self.clusters.items():
            content[cluster * make.CLUSTER : cluster * make.CLUSTER + len(value)] = value
        path.write_bytes(bytes(content))
        return path


@pytest.fixture
def image(make: ModuleType) -> Image:
    return Image(make)


def by_path(path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any]) -> tuple[dict[str, Entry], list[str]]:
    with ntfs(path) as fs:
        entries = entries_of(fs)
        return {entry.path: entry for entry in entries}, [f"{problem.reason} [{problem.locator}]" for problem in fs.problems]


Listed = Callable[[Image], tuple[dict[str, Entry], list[str]]]


@pytest.fixture
def listing(tmp_path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any]) -> Listed:
    return lambda image: by_path(image.write(tmp_path / "volume.raw"), entries_of, ntfs)


def test_sound_volume(image: Image, make: ModuleType, listing: Listed) -> None:
    image.add(64, "plain.txt", make.resident(make.DATA, 2, b"hello"), make.resident(make.DATA, 3, b"note", "stream"))
    entries, problems = listing(image)
    assert problems == []
    assert set(entries) == {"/$MFT", "/plain.txt", "/plain.txt:stream"}
    plain = entries["/plain.txt"]
    assert (plain.kind, plain.size, plain.address, plain.flags, plain.runs) == ("file", 5, "64-128-2", ("resident",), None)
    epoch = 11_644_473_600 * 10**9
    assert (plain.created, plain.modified, plain.changed, plain.accessed) == (100 - epoch, 200 - epoch, 300 - epoch, 400 - epoch)
    assert (entries["/plain.txt:stream"].kind, entries["/plain.txt:stream"].size) == ("stream", 4)


def test_long_name_and_short_name_are_one_file(image: Image, make: ModuleType, listing: Listed) -> None:
    def key(name: str, space: int) -> bytes:
        return make.resident(make.FILE_NAME, 3 + space, make.name_key(make.reference(5, 5), name, space=space))

    image.records[64] = make.record(64, [make.standard_information(), key("LONGNA~1.TXT", 2), key("long name.txt", 1)])
    image.records[65] = make.record(65, [make.standard_information(), key("ONLYDO~1.TXT", 2)])
    entries, problems = listing(image)
    assert problems == []
    assert set(entries) == {"/$MFT", "/long name.txt", "/ONLYDO~1.TXT"}


def test_hostile_names_stay_one_part_of_a_path(image: Image, make: ModuleType, listing: Listed) -> None:
    image.add(64, "a/../../b")
    image.add(65, "lone \ud800 half")
    image.add(66, "pair \U0001f600 after")
    entries, _ = listing(image)
    assert {"/a\u2215..\u2215..\u2215b", "/lone \ud800 half", "/pair \U0001f600 after"} <= set(entries)


def test_deleted_content_by_the_bitmap(image: Image, make: ModuleType, listing: Listed) -> None:
    def data(*runs: tuple[int | None, int]) -> bytes:
        return make.nonresident(make.DATA, 2, runs, sum(length for _, length in runs) * make.CLUSTER)

    image.used.add(120)
    image.add(64, "free", data((100, 10)), flags=0, sequence=2)
    image.add(65, "last cluster taken", data((111, 10)), flags=0, sequence=2)
    image.add(66, "in the middle", data((100, 5), (115, 30)), flags=0, sequence=2)
    image.add(67, "resident", make.resident(make.DATA, 2, b"x"), flags=0, sequence=2)
    image.add(68, "nothing", flags=0, sequence=2)
    image.add(69, "one cluster", data((119, 1)), flags=0, sequence=2)
    image.add(70, "up to the end", data((121, CLUSTERS - 1 - 121)), flags=0, sequence=2)
    entries, problems = listing(image)
    assert problems == []
    assert {path[1:]: entry.content for path, entry in entries.items() if not entry.allocated and "index" not in entry.flags} == {
        "free": "recoverable", "last cluster taken": "overwritten", "in the middle": "overwritten", "resident": "recoverable",
        "nothing": "none", "one cluster": "recoverable", "up to the end": "recoverable",
    }  # fmt: skip


def test_parents_are_checked_by_sequence(image: Image, make: ModuleType, listing: Listed) -> None:
    image.add(64, "folder", *folder(make), flags=3, sequence=4)
    image.add(65, "right", parent=make.reference(64, 4))
    image.add(66, "of the folder before", parent=make.reference(64, 3), flags=0, sequence=2)
    image.add(67, "removed", *folder(make), flags=2, sequence=8)
    image.add(68, "in removed", parent=make.reference(67, 7), flags=0, sequence=2)
    image.add(69, "in nothing", parent=make.reference(90), flags=1)
    image.add(70, "far away", parent=make.reference((1 << 48) - 1, 9), flags=1)
    image.records[71] = make.record(71, [make.standard_information()], flags=0)
    entries, problems = listing(image)
    assert problems == []
    assert {path: entry.orphan for path, entry in entries.items() if "index" not in entry.flags} == {
        "/$MFT": False, "/folder": False, "/folder/right": False, "/$OrphanFiles/of the folder before": True, "/removed": False,
        "/removed/in removed": False, "/$OrphanFiles/in nothing": True, "/$OrphanFiles/far away": True, "/$OrphanFiles/OrphanFile-71": True,
    }  # fmt: skip


def folder(make: ModuleType) -> list[bytes]:
    return [make.resident(make.INDEX_ROOT, 2, make.index([])[0], "$I30")]


def test_directories_in_a_loop(image: Image, make: ModuleType, listing: Listed) -> None:
    image.add(64, "one", *folder(make), parent=make.reference(65), flags=3)
    image.add(65, "two", *folder(make), parent=make.reference(64), flags=3)
    image.add(66, "own parent", *folder(make), parent=make.reference(66), flags=3)
    image.add(67, "inside", parent=make.reference(64))
    entries, problems = listing(image)
    assert all(entry.orphan for path, entry in entries.items() if path != "/$MFT")
    assert any(path.endswith("/one/inside") for path in entries)
    assert sum("the loop was cut" in problem for problem in problems) == 2


def test_very_deep_directories(image: Image, make: ModuleType, listing: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.evidence.ntfs.paths.MAX_PATH", 1000)
    for number in range(64, 80):
        parent = None if number == 64 else make.reference(number - 1)
        image.add(number, "d" * 100, *folder(make), parent=parent, flags=3)
    entries, problems = listing(image)
    assert max(map(len, entries)) <= 1000 + 256
    assert len(entries) == 17
    assert any("deeper than NTFS allows" in problem for problem in problems)


def test_initialised_size_and_holes(image: Image, make: ModuleType, tmp_path: Path, ntfs: Callable[..., Any]) -> None:
    image.clusters = {100: b"a" * 4096, 101: b"b" * 4096, 110: b"c" * 4096}
    image.add(64, "file", make.nonresident(make.DATA, 2, [(100, 2), (None, 1), (110, 1)], 4 * 4096 - 10, valid=6000))
    with ntfs(image.write(tmp_path / "v")) as fs:
        entry = fs.lookup("/FILE")
        assert sum(run.length for run in entry.runs) == entry.size == 4 * 4096 - 10
        with fs.open(entry) as stream:
            assert stream.read() == b"a" * 4096 + b"b" * (6000 - 4096) + bytes(4 * 4096 - 10 - 6000)
            assert stream.read_errors == []


def test_lost_content_is_said_to_be_lost(image: Image, make: ModuleType, tmp_path: Path, ntfs: Callable[..., Any]) -> None:
    image.add(64, "short", make.nonresident(make.DATA, 2, [(100, 1)], 10_000))
    image.add(65, "secret", make.nonresident(make.DATA, 2, [(100, 1)], 4000, flags=0x4000))
    wof = make.resident(0xC0, 3, (0x80000017).to_bytes(4, "little") + bytes(20))
    image.add(66, "packed by windows", make.nonresident(make.DATA, 2, [(None, 1)], 4000), wof)
    with ntfs(image.write(tmp_path / "v")) as fs:
        with fs.open(fs.lookup("/short")) as stream:
            assert len(stream.read()) == 4096
            assert [(error.offset, error.length) for error in stream.read_errors] == [(4096, 10_000 - 4096)]
        for name, word in (("/secret", "EFS"), ("/packed by windows", "WOF")):
            with fs.open(fs.lookup(name)) as stream:
                assert stream.read() == bytes(4000)
                assert word in stream.read_errors[0].reason and stream.read_errors[0].length == 4000
        assert fs.lookup("/secret").flags == ("encrypted",)


def test_files_that_windows_keeps_compressed(
    image: Image, make: ModuleType, tmp_path: Path, ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]]
) -> None:
    chunks = b"a" * 4096, b"b" * 4096, b"c" * 808  # stored as they are: how they are packed is tested in test_wof
    stream = (4096).to_bytes(4, "little") + (8192).to_bytes(4, "little") + b"".join(chunks)
    image.clusters = {100: stream}
    point = b"".join(value.to_bytes(4, "little") for value in (0x80000017, 16, 1, 2, 1, 0))
    parts = (
        make.nonresident(make.DATA, 2, [(None, 3)], 9000),
        make.nonresident(make.DATA, 4, [(100, 3)], len(stream), name="WofCompressedData"),
    )
    image.add(64, "program.exe", *parts, make.resident(0xC0, 3, point))
    image.add(65, "without its stream", parts[0], make.resident(0xC0, 3, point))
    with ntfs(image.write(tmp_path / "v")) as fs:
        entries = {entry.path: entry for entry in entries_of(fs)}
        for entry in (entries["/program.exe"], fs.lookup("/program.exe")):
            assert (entry.size, entry.runs, entry.flags) == (9000, None, ("compressed",))
            with fs.open(entry) as content:
                assert content.read() == b"".join(chunks)
                assert content.read_errors == []
        assert "virtual" in entries["/program.exe:WofCompressedData"].flags
        with fs.open(entries["/without its stream"]) as content:
            assert content.read() == bytes(9000) and content.read_errors


def test_times_that_disagree(
    image: Image, make: ModuleType, tmp_path: Path, ntfs: Callable[..., Any], entries_of: Callable[..., Any]
) -> None:
    second, day = 10_000_000, 864_000_000_000
    name = make.TIME // second * second + 1234567  # when the name was made, by a clock
    whole, odd = name - 400 * day - 1234567, name - 400 * day

    def add(number: int, text: str, own: tuple[int, int, int, int], folder: int = 5) -> None:
        key = make.name_key(make.reference(folder, 5 if folder == 5 else 1), text, time=name)
        parts = [make.standard_information(own), make.resident(make.FILE_NAME, 1, key), make.resident(make.DATA, 2, b"x")]
        image.records[number] = make.record(number, parts)

    image.add(40, "Windows", flags=3)
    add(64, "back-dated.txt", (whole, whole, name + 5, name))
    add(65, "copied.txt", (odd, odd, name + 5, name))  # keeps its date with its fraction: no sign
    add(66, "record too.txt", (odd, odd, odd, odd))
    add(67, "as it was.txt", (name, name, name, name))
    add(68, "installed.dll", (whole, whole, name, name), 40)
    with ntfs(image.write(tmp_path / "v")) as fs:
        assert fs.disagreements is None
        entries_of(fs)
        found = fs.disagreements
        assert [(item.path, len(item.signs)) for item in found.files] == [("/back-dated.txt", 1), ("/record too.txt", 1)]
        assert found.files[0].own[0] == whole and found.files[0].name[0] == name
        assert (found.more, found.installed) == (0, 1)
        assert fs.folder_path("40-1") == "/Windows" and fs.folder_path("5-5") == ""
        assert fs.names_of("64-1") == ["back-dated.txt"] and fs.names_of("64-2") == [] and fs.names_of("x") == []
        assert [fs.folder_path(text) for text in ("40-2", "64-1", "9999-1", "x", "5")] == [None, None, None, None, None]


def spread(image: Image, make: ModuleType, **options: Any) -> list[bytes]:
    """A file whose content is described by two extension records; returns the entries of its attribute list."""
    base = make.reference(64)
    image.records[65] = make.record(65, [make.nonresident(make.DATA, 0, [(100, 2)], 5 * 4096)], base=base)
    image.records[66] = make.record(66, [make.nonresident(make.DATA, 0, [(110, 3)], 0, start_vcn=2)], base=base, **options)
    image.clusters = {100: b"a" * 8192, 110: b"b" * 12288}
    return [list_entry(kind, number, vcn) for kind, number, vcn in ((0x10, 64, 0), (0x30, 64, 0), (0x80, 65, 0), (0x80, 66, 2))]


def list_entry(kind: int, number: int, vcn: int, identifier: int = 0) -> bytes:
    return (
        kind.to_bytes(4, "little") + b"\x20\x00\x00\x1a" + vcn.to_bytes(8, "little") + (number | 1 << 48).to_bytes(8, "little")
        + identifier.to_bytes(2, "little") + bytes(6)
    )  # fmt: skip


@pytest.mark.parametrize("resident", [True, False])
def test_attribute_list(
    image: Image, make: ModuleType, tmp_path: Path, ntfs: Callable[..., Any], entries_of: Callable[..., list[Entry]], resident: bool
) -> None:
    content = b"".join(spread(image, make))
    if resident:
        image.add(64, "spread", make.resident(make.ATTRIBUTE_LIST, 7, content))
    else:
        image.clusters[120] = content
        image.add(64, "spread", make.nonresident(make.ATTRIBUTE_LIST, 7, [(120, 1)], len(content)))
    with ntfs(image.write(tmp_path / "v")) as fs:
        entry = next(entry for entry in entries_of(fs) if entry.path == "/spread")
        assert fs.problems == []
        assert fs.lookup("/spread") == entry
        # Numbered on from the highest identifier in the list, as The Sleuth Kit does.
        assert (entry.address, entry.size, len(entry.runs)) == ("64-128-8", 5 * 4096, 2)
        with fs.open(entry) as stream:
            assert stream.read() == b"a" * 8192 + b"b" * 12288


def test_attribute_lists_that_lie(image: Image, make: ModuleType, listing: Listed) -> None:
    entries = spread(image, make)
    itself = [list_entry(0x20, 64, 0, 7), list_entry(0x80, 64, 0), list_entry(0x80, 90, 9)]
    image.add(64, "spread", make.resident(make.ATTRIBUTE_LIST, 7, b"".join([*entries, *itself])))
    image.add(70, "stale", make.resident(make.ATTRIBUTE_LIST, 7, list_entry(0x30, 70, 0)))
    image.records[71] = make.record(71, [make.resident(make.DATA, 0, b"of an older state")], base=make.reference(70))
    image.add(72, "damaged", make.resident(make.ATTRIBUTE_LIST, 7, b"\x80\0\0\0\x07\0" + bytes(30)))
    image.records[73] = make.record(73, [make.resident(make.DATA, 0, b"no base")], base=make.reference(74, 3))
    found, problems = listing(image)
    assert found["/spread"].size == 5 * 4096 and len(found["/spread"].runs or ()) == 2
    assert found["/stale"].size == 0
    assert [problem for problem in problems if "index" not in problem] == [
        "$MFT extension record belongs to no file: its attributes are lost [record=73]",
        "attribute list names records that are not parts of the file (90) [record=64]",
        "attribute list is unreadable or damaged: parts of the file may be missing [record=72]",
    ]


def test_missing_extension_record(image: Image, make: ModuleType, tmp_path: Path, ntfs: Callable[..., Any]) -> None:
    image.add(64, "spread", make.resident(make.ATTRIBUTE_LIST, 7, b"".join(spread(image, make))))
    image.records[66] = make.record(66, [], flags=0)
    with ntfs(image.write(tmp_path / "v")) as fs:
        with fs.open(fs.lookup("/spread")) as stream:
            assert stream.read() == b"a" * 8192
            assert sum(error.length for error in stream.read_errors) == 12288
        assert any("not parts of the file (66)" in problem.reason for problem in fs.problems)


def test_fragmented_mft_and_its_mirror(image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]]) -> None:
    image.mft_runs = [(MFT_CLUSTER, 4), (30, 10), (20, 10)]
    image.add(90, "last", make.resident(make.DATA, 2, b"x"))
    path = image.write(tmp_path / "v")
    content = bytearray(path.read_bytes())
    content[MFT_CLUSTER * 4096 + 600] ^= 0xFF
    content[MFT_CLUSTER * 4096 + 510] ^= 0xFF
    path.write_bytes(bytes(content))
    data = FileBytes(path)
    fs = NtfsFilesystem(data)
    assert "/last" in {entry.path for entry in entries_of(fs)}
    assert any("record 0 is damaged" in problem.reason for problem in fs.problems)
    data.close()


def damaged(image: Image, tmp_path: Path, change: Callable[[bytearray], None]) -> Path:
    path = image.write(tmp_path / "damaged")
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(bytes(content))
    return path


def place(number: int) -> int:
    return MFT_CLUSTER * 4096 + number * 1024


def test_a_torn_record_costs_what_lies_behind_the_tear(
    image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any]
) -> None:
    image.add(64, "torn", make.resident(make.DATA, 2, b"x" * 500))
    image.add(65, "sound", make.resident(make.DATA, 2, b"y"))

    def tear(content: bytearray) -> None:
        content[place(64) + 1022] ^= 1

    entries, problems = by_path(damaged(image, tmp_path, tear), entries_of, ntfs)
    assert (entries["/torn"].size, entries["/torn"].address) == (0, "64")
    assert entries["/sound"].size == 1
    assert problems == ["$MFT record is damaged: what lies before the damage was read [record=64]"]


@pytest.mark.parametrize("how", ["signature", "first sector", "update sequence"])
def test_a_lost_record_is_known_from_its_directory(
    image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any], how: str
) -> None:
    blocks = [(make.reference(65), make.name_key(make.reference(64), "lost.jpg", size=12345))]
    image.add(64, "folder", *block_folder(image, make, blocks), flags=3)
    image.add(65, "lost.jpg", make.resident(make.DATA, 2, b"x"), parent=make.reference(64))

    def destroy(content: bytearray) -> None:
        start = place(65)
        if how == "signature":
            content[start : start + 4] = b"\x12\x34\x56\x78"
        elif how == "first sector":
            content[start + 510] ^= 1
        else:
            content[start + 4 : start + 8] = b"\xff\xff\xff\xff"

    entries, problems = by_path(damaged(image, tmp_path, destroy), entries_of, ntfs)
    lost = entries["/folder/lost.jpg"]
    assert lost.allocated is True  # and no truth value of numpy, which a worker cannot write down
    assert (lost.size, lost.content, lost.address) == (12345, "none", "65")
    assert problems[0] == "$MFT record is damaged: nothing of it could be read [record=65]"


def block_folder(image: Image, make: ModuleType, entries: list[tuple[int, bytes]], slack: bytes = b"") -> list[bytes]:
    """The index attributes of a directory with one block, at cluster 130."""
    image.used.add(130)
    image.clusters[130] = make.index_block([*(make.index_entry(*entry) for entry in entries), make.index_entry(0, b"")], 0, slack)
    root = (
        make.index([])[0][:16] + (16).to_bytes(4, "little") + (40).to_bytes(4, "little") * 2 + b"\x01\0\0\0" + make.index_entry(0, b"", 0)
    )
    return [
        make.resident(make.INDEX_ROOT, 2, root, "$I30"),
        make.nonresident(make.INDEX_ALLOCATION, 3, [(130, 1)], 4096, "$I30"),
        make.resident(make.BITMAP, 4, b"\x01" + bytes(7), "$I30"),
    ]


def test_names_left_in_an_index(image: Image, make: ModuleType, listing: Listed) -> None:
    def key(name: str, **options: Any) -> bytes:
        return bytes(make.name_key(make.reference(64), name, **options))

    slack = (
        make.index_entry(make.reference(80, 3), key("deleted.jpg", size=777))
        + make.index_entry(make.reference(65), key("kept.txt"))
        + make.index_entry(make.reference(66, 1), key("reused.txt"))
        + make.index_entry(make.reference(81), key("from another life.txt", time=5))
        + make.index_entry(make.reference(65), key("KEPT~1.TXT", space=2))
    )
    # A block that the index gave up still holds its last names as if they were in use.
    names = [(make.reference(65), key("kept.txt")), (make.reference(66, 2), key("stale.txt"))]
    image.add(64, "folder", *block_folder(image, make, names, slack), flags=3)
    image.add(65, "kept.txt", parent=make.reference(64))
    image.add(66, "somebody else", sequence=9)
    entries, problems = listing(image)
    assert problems == []
    remnants = {path: (entry.size, entry.flags, entry.content) for path, entry in entries.items() if "index" in entry.flags}
    assert remnants == {
        "/folder/deleted.jpg": (777, ("index",), "none"),
        "/folder/reused.txt": (0, ("index", "reused"), "none"),
        "/folder/stale.txt": (0, ("index", "reused"), "none"),
    }
    assert all(entries[path].allocated is False for path in remnants)


def test_unreadable_parts_of_the_mft_are_not_empty(
    image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]]
) -> None:
    image.add(64, "here")
    image.add(80, "on a bad sector")
    data = BadSector(FileBytes(image.write(tmp_path / "v")), place(80), 1024)
    fs = NtfsFilesystem(data)
    paths = {entry.path for entry in entries_of(fs)}
    assert "/here" in paths and "/on a bad sector" not in paths
    unreadable = [problem for problem in fs.problems if problem.status is Status.UNREADABLE]
    assert [problem.locator for problem in unreadable] == ["record=80"]


class BadSector:
    """A byte source of which a stretch is unreadable."""

    def __init__(self, inner: FileBytes, offset: int, length: int) -> None:
        self._inner, self._bad = inner, ReadError(offset, length, "input/output error")
        self.errors: list[ReadError] = []

    @property
    def size(self) -> int:
        return self._inner.size

    def read_at(self, offset: int, length: int) -> bytes:
        found = bytearray(self._inner.read_at(offset, length))
        low, high = max(self._bad.offset, offset), min(self._bad.offset + self._bad.length, offset + len(found))
        if low < high:
            found[low - offset : high - offset] = bytes(high - low)
            if self._bad not in self.errors:
                self.errors.append(self._bad)
        return bytes(found)

    def close(self) -> None:
        self._inner.close()


def test_a_volume_that_was_cut_off(image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]]) -> None:
    image.add(64, "early", make.resident(make.DATA, 2, b"x"))
    image.add(90, "late")
    path = image.write(tmp_path / "v")
    path.write_bytes(path.read_bytes()[: place(80)])
    fs = NtfsFilesystem(FileBytes(path))
    paths = {entry.path for entry in entries_of(fs)}
    assert "/early" in paths and "/late" not in paths
    reasons = " ".join(problem.reason for problem in fs.problems)
    assert "the volume is cut off" in reasons and "16 records are not there" in reasons


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (3, b"NTFT", "no NTFS boot sector"),
        (13, b"\x03", "cluster size"),
        (64, b"\x01\x00", ""),
        (11, b"\x00\x03", "sector size"),
        (48, b"\xff" * 7, "outside"),
    ],
)
def test_boot_sectors_that_make_no_sense(image: Image, tmp_path: Path, offset: int, value: bytes, reason: str) -> None:
    def change(content: bytearray) -> None:
        for base in (0, len(content) - 512):
            content[base + offset : base + offset + len(value)] = value

    path = damaged(image, tmp_path, change)
    if reason:
        with pytest.raises(OSError, match=reason):
            NtfsFilesystem(FileBytes(path))


def test_the_copy_of_the_boot_sector(
    image: Image, tmp_path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any]
) -> None:
    def change(content: bytearray) -> None:
        content[0:512] = bytes(512)

    entries, problems = by_path(damaged(image, tmp_path, change), entries_of, ntfs)
    assert "/$MFT" in entries
    assert "the copy at the end of the volume was used" in problems[0]


def test_unknown_version(image: Image, make: ModuleType, tmp_path: Path) -> None:
    image.records[3] = make.record(3, [make.resident(0x70, 3, bytes(8) + b"\x09\x00" + bytes(2))], sequence=3)
    with pytest.raises(OSError, match=r"version 9\.0"):
        NtfsFilesystem(FileBytes(image.write(tmp_path / "v")))


def rich(image: Image, make: ModuleType) -> None:
    """A bit of everything, to be damaged."""
    image.add(64, "spread", make.resident(make.ATTRIBUTE_LIST, 7, b"".join(spread(image, make))))
    key = make.name_key(make.reference(70), "in a block.txt")
    image.add(70, "folder", *block_folder(image, make, [(make.reference(71), key)]), flags=3)
    image.add(71, "in a block.txt", make.nonresident(make.DATA, 2, [(100, 2), (None, 3), (110, 1)], 20_000), parent=make.reference(70))
    image.add(72, "packed", make.nonresident(make.DATA, 2, [(140, 3), (None, 13)], 60_000, flags=1, unit=4))
    image.add(73, "gone", make.nonresident(make.DATA, 2, [(200, 4)], 15_000), flags=0, sequence=2)
    for number in range(74, 90):
        image.add(number, f"file {number}", make.resident(make.DATA, 2, bytes(number)), make.resident(make.DATA, 3, b"s", "stream"))


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_is_survived(
    image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]], seed: int
) -> None:
    rich(image, make)
    pick = random.Random(seed)

    def flip(content: bytearray) -> None:
        starts = [place(number) for number in [0, 3, 5, 6, *range(64, 90)]] + [130 * 4096]
        for _ in range(pick.choice([1, 5, 40, 400])):
            content[pick.choice(starts) + pick.randrange(512)] = pick.randrange(256)

    path = damaged(image, tmp_path, flip)
    if seed % 4 == 3:
        path.write_bytes(path.read_bytes()[: pick.randrange(1 << 20)])
    data = FileBytes(path)
    try:
        fs = NtfsFilesystem(data)
    except OSError:
        return
    entries = entries_of(fs)
    assert len(entries) < 300
    for entry in entries:
        assert entry.path.startswith("/") and entry.size >= 0
        assert Entry.from_wire(entry.to_wire()) == entry
        try:
            stream = fs.open(entry)
        except OSError:
            continue
        with stream:
            while stream.tell() < 1 << 20 and stream.read(1 << 16):
                pass
    for path_ in ("/folder", "/spread", "/", "/folder/in a block.txt"):
        fs.lookup(path_)
        fs.children(path_)
    data.close()


def test_every_single_damaged_record_is_reported(
    image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any]
) -> None:
    rich(image, make)

    def lie(content: bytearray) -> None:
        for number in range(74, 90):
            start = place(number)
            (first,) = content[start + 20 : start + 21]
            content[start + first + 4 : start + first + 8] = (0xFFFFFFF0 + number % 16).to_bytes(4, "little")

    entries, problems = by_path(damaged(image, tmp_path, lie), entries_of, ntfs)
    assert "/folder/in a block.txt" in entries
    assert sum("$MFT record is damaged" in problem for problem in problems) == 16


def test_an_unusual_record_goes_to_the_sleuth_kit(
    image: Image, make: ModuleType, tmp_path: Path, entries_of: Callable[..., list[Entry]], ntfs: Callable[..., Any]
) -> None:
    pytest.importorskip("pytsk3")
    image.add(64, "unaligned", make.resident(make.DATA, 2, b"read by the other"))

    def shift(content: bytearray) -> None:
        # Attributes that begin at an offset not divisible by eight: nothing Windows writes, and nothing our decoder takes.
        start = place(64)
        (first,) = content[start + 20 : start + 21]
        content[start + first + 4 : start + first + 300] = content[start + first : start + first + 296]
        content[start + 20] = first + 4

    entries, problems = by_path(damaged(image, tmp_path, shift), entries_of, ntfs)
    other = entries["/$OrphanFiles/OrphanFile-64"]
    assert (other.address, other.size, other.allocated) == ("64-128-2", 17, True)
    assert problems == [
        "$MFT record is damaged: nothing of it could be read [record=64]",
        "$MFT record was read by The Sleuth Kit instead; its name is not known [record=64]",
    ]
    with ntfs(tmp_path / "damaged") as fs, fs.open(other) as stream:
        assert stream.read() == b"read by the other"
