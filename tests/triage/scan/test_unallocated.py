"""Keywords in slack and in space that no file uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from rules import keywords
from rules.keywords import Matcher
from tests.triage.scan.conftest import Result
from triage.evidence.model import Entry, ReadError, Run
from triage.scan import unallocated

Scan = Callable[..., Result]

SECTOR = 512
DOCUMENTED = {
    # Of each string the byte of the image at which it lies, as https://dftt.sourceforge.net/test2/ gives sector and offset.
    "first": {271 * SECTOR + 167},
    "SECOND": {272 * SECTOR + 288, 239 * SECTOR + 480},
    "1cross1": {271 * SECTOR + 508},
    "2cross2": {273 * SECTOR + 508},
    "3cross3": {283 * SECTOR + 508},
    "1slack1": {272 * SECTOR + 396},
    "2slack2": {274 * SECTOR + 508},
    "3slack3": {277 * SECTOR + 385},
    "1fragment1": {275 * SECTOR + 507},
    "2fragment sentence2": {278 * SECTOR + 502},  # the page says 500: there lie two spaces
    "deleted": {276 * SECTOR + 230},
    r"a\?b\\c\*d\$e#f\[g\^": {279 * SECTOR + 160},
    # The page's variations.
    "f[[:alpha:]]rst": {271 * SECTOR + 167},
    "f[a-z]r[0-9]?s[[:space:]]*t": {271 * SECTOR + 167},
    "d[a-z]l.?t.?d": {276 * SECTOR + 230},
    r"a\??[a-c]\\*[a-c]\*": {279 * SECTOR + 160},
    r"[1572943][[:space:]]?fr.{2,3}ent[[:space:]]?": {275 * SECTOR + 507, 278 * SECTOR + 502},
    r"[[:alpha:]]\??x?y?Q?[a-c]\\*u*[a-c]\**d\$[0-9]*e#": {279 * SECTOR + 160},
}


@pytest.mark.specimens
def test_every_documented_string_of_the_keyword_image(scan: Scan, unpacked: Callable[[str], Path], tmp_path: Path) -> None:
    image = unpacked("images/dftt/fat-img-kw.dd.xz")
    words = tmp_path / "words.csv"
    rows = "".join(f'"{term}",demonstration,3,regex\n' for term in DOCUMENTED)
    words.write_text("term,category,severity,form\n" + rows)
    result = scan(image, "--keywords", words, "--profile", "full")
    assert result.code == 0, result.err
    starts = _starts(image)
    met: dict[str, set[int]] = {}
    for data in _hits(result):
        where = data["provenance"]
        match = re.match(r"offset=(\d+)", where["locator"])
        if match:
            met.setdefault(data["term"], set()).add(_place(starts.get(where["path"]), int(match[1])))
    assert met.keys() == DOCUMENTED.keys()
    assert {term: places for term, places in met.items() if not places >= DOCUMENTED[term]} == {}
    assert [hit["provenance"]["path"] for hit in _hits(result) if hit["where"] == "name"] == ["/second"]
    slack = {hit["term"]: hit["provenance"]["locator"].partition(" ")[2] for hit in _hits(result) if "slack" in hit["term"]}
    assert slack == {
        "1slack1": "in the slack of /file2.dat",
        "2slack2": "in the slack of /file3.dat",
        "3slack3": "in the slack of /file4.dat",
    }
    (crossing,) = (hit["provenance"] for hit in _hits(result) if hit["term"] == "1cross1")
    assert crossing["locator"] == f"offset={271 * SECTOR + 508} from the end of /file1.dat into the file after it"
    assert [c["status"] for c in result.report["coverage"] if c["what"] == "unallocated space"] == ["parsed"]


@pytest.mark.specimens
def test_other_profiles_say_that_they_do_not_look_there(scan: Scan, unpacked: Callable[[str], Path], lists: list[str]) -> None:
    result = scan(unpacked("images/dftt/fat-img-kw.dd.xz"), *lists, "--profile", "standard")
    notes = [c["reason"] for c in result.report["coverage"] if c["what"] == "unallocated space"]
    assert notes == ["the profile standard does not look for keywords in space that no file uses"]


@pytest.mark.specimens
def test_a_scan_that_goes_on_does_not_search_again(scan: Scan, unpacked: Callable[[str], Path], lists: list[str]) -> None:
    image = unpacked("images/dftt/fat-img-kw.dd.xz")
    first = scan(image, *lists, "--profile", "full")
    again = scan(image, *lists, "--profile", "full")
    batches = [
        line["data"]["batch"] for line in again.journal if line["kind"] == "listing" and line["data"]["class"] == "unallocated space"
    ]
    assert batches == ["unallocated space s1 v1"]
    assert again.report["coverage"] == first.report["coverage"]


def _hits(result: Result) -> list[dict[str, Any]]:
    return [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"]["type"] == "KeywordHit"]


def _starts(image: Path) -> dict[str, list[Run]]:
    from triage.evidence.sources import open_source

    source = open_source(str(image))
    filesystem = source.filesystem(source.volumes()[0])
    runs = {entry.path: list(entry.runs or ()) for chunk in filesystem.entries() for entry in chunk}
    source.close()
    return runs


def _place(runs: list[Run] | None, offset: int) -> int:
    """The byte of the image at which byte ``offset`` of a file lies."""
    for run in runs or ():
        if offset < run.length:
            return run.offset + offset
        offset -= run.length
    return offset


# A volume made here


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)
        self.errors: list[ReadError] = []

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def close(self) -> None:
        pass


class _Volume:
    """A file system that is nothing but a list of entries, in clusters of 4096 bytes."""

    type, label, problems, run_bytes = "ext4", None, (), None

    def __init__(self, *entries: Entry) -> None:
        self._entries = entries

    def entries(self) -> Iterator[list[Entry]]:
        yield list(self._entries)

    def open(self, entry: Entry) -> BinaryIO:
        raise OSError

    def lookup(self, path: str) -> Entry | None:
        return None

    def children(self, path: str) -> list[Entry]:
        return []

    def close(self) -> None:
        pass


def _entry(path: str, size: int, *runs: tuple[int, int], **more: Any) -> Entry:
    return Entry(path, "file", size, path, runs=[Run(*run) for run in runs], **more)


@pytest.fixture
def words(tmp_path: Path) -> Matcher:
    library = tmp_path / "words.csv"
    library.write_text("term,category,severity,form\ncopper kettle,demonstration,3,phrase\n")
    return keywords.load([library]).matcher()


def _search(words: Matcher, volume: Any, data: bytes) -> list[str]:
    source = _Bytes(data)
    found = unallocated.space(volume, source, lambda: None)
    batches = unallocated.search(words, found, source, lambda read: None)
    return sorted(place for batch in batches for place in batch.places.values())


def test_gaps_are_what_no_allocated_file_holds() -> None:
    volume = _Volume(
        _entry("/a", 5000, (4096, 5000)),
        _entry("/b", 4096, (20480, 4096)),
        _entry("/hole", 9000, (-1, 9000)),
        _entry("/gone", 4096, (12288, 4096), allocated=False),
        _entry("/lies", 1 << 40, (24576, 1 << 40)),
        Entry("/packed", "file", 10, "x", runs=None),
    )
    found = unallocated.space(volume, _Bytes(bytes(32768)), lambda: None)  # type: ignore[arg-type]
    assert found.gaps == [
        unallocated.Gap(0, 4096, 0, ""),
        unallocated.Gap(9096, 20480, 12288, "/a"),
        unallocated.Gap(24576, 24576, 24576, "/b"),
    ]
    assert (found.hidden, found.size) == (1, 4096 + 11384)


def test_a_term_is_found_across_every_edge(words: Matcher) -> None:
    data = bytearray(65536)
    inside = (4200, 8100, 20480 - 6)  # of a file, however its runs lie
    for place in (4090, 8192 - 6, 30000, 16384 - 6, 1000, 8192 + 2000, *inside):
        data[place : place + 13] = b"copper kettle"
    volume = _Volume(_entry("/a", 4096, (4096, 4096)), _entry("/b", 8000, (16384, 4096), (20480, 3904)), _entry("/c", 100, (40960, 100)))
    data[41060 + 5 : 41060 + 18] = b"copper kettle"
    assert _search(words, volume, bytes(data)) == [
        "offset=1000 in space not used by any file",
        "offset=41065 in the slack of /c",
    ]
    # The first place of each term is told; the others are in the count.
    source = _Bytes(bytes(data))
    found = unallocated.space(volume, source, lambda: None)  # type: ignore[arg-type]
    counts = {batch.path: len(batch.hits) for batch in unallocated.search(words, found, source, lambda read: None)}
    assert counts == {"": 6, "/c": 1}


def test_a_term_is_found_from_one_file_into_the_next_and_not_within_one(words: Matcher) -> None:
    data = bytearray(65536)
    for place in (8192 - 6, 12288 - 6, 16384 - 6, 8192 - 40, 8192 + 40):
        data[place : place + 13] = b"copper kettle"
    volume = _Volume(
        _entry("/a", 4096, (4096, 4096)), _entry("/b", 8192, (8192, 4096), (12288, 4096)), Entry("/d", "directory", 0, "d", runs=[Run(16384, 4096)])
    )  # fmt: skip
    assert _search(words, volume, bytes(data)) == [
        "offset=16378 from the end of /b into the file after it",
        "offset=8186 from the end of /a into the file after it",
    ]


def test_wide_text_at_the_beginning_does_not_hide_what_follows(words: Matcher) -> None:
    data = "copper kettle ".encode("utf-16-le") * 1000 + b" copper kettle "
    source = _Bytes(data.ljust(65536, b"\0"))
    found = unallocated.space(_Volume(), source, lambda: None)  # type: ignore[arg-type]
    (batch,) = unallocated.search(words, found, source, lambda read: None)
    assert sum(1 + hit.repeats for hit in batch.hits) == 1001


def test_pieces_of_a_long_gap_count_each_hit_once(words: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unallocated, "PIECE", 8192)
    data = bytearray(b"x. " * 30000)
    places = [0, 8190, 12288 - 13, 16384, 24576 - 1, 40000]
    for place in places:
        data[place : place + 15] = b" copper kettle "
    source = _Bytes(bytes(data))
    found = unallocated.space(_Volume(), source, lambda: None)  # type: ignore[arg-type]
    batches = list(unallocated.search(words, found, source, lambda read: None))
    assert sum(len(batch.hits) for batch in batches) == len(places)
