"""Databases of sites in a Chromium profile."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import chromium_indexed_db
from artefacts.browsers.indexed_db_keys import ordered_key
from artefacts.browsers.v8_values import UNDEFINED, Date, describe, deserialise
from artefacts.coverage import Encrypted, Status, Unrecognised
from artefacts.observations import SiteTrace, StoredRecord
from artefacts.times import Timestamp

PLACE = "/home/jo/.config/google-chrome/Default/IndexedDB"
FOLDER = f"{PLACE}/https_a.example_0.indexeddb.leveldb"
SPECIMENS = "browser/dfindexeddb/indexeddb/chrome"


def of_specimen(specimens: Path, name: str) -> dict[str, bytes]:
    contents = {}
    for path in sorted((specimens / SPECIMENS / name).rglob("*")):
        if path.is_file():
            place = f"{PLACE}/{path.relative_to(specimens / SPECIMENS / name).as_posix()}"
            contents[place.removesuffix(".xz")] = lzma.open(path).read() if path.suffix == ".xz" else path.read_bytes()
    return contents


FIRST = (
    "{id: 1, test_undef: undefined, test_null: null, test_bool_true: true, test_bool_false: false, test_string: text of 14 characters, "
    "test_number: 3.14, test_string_object: text of 15 characters, test_number_object: 3.14, test_boolean_true_object: true, "
    "test_boolean_false_object: false, test_bigint: 12300000000000001048576, test_date: 2023-02-12T23:20:30.456Z, test_set: [1, 2, 3], "
    "test_map: {a: 1, b: 2, c: 3}, test_regexp: pattern of 3 characters, test_array: [123, 456, text of 3 characters, text of 3 characters], "
    "test_object: {name: {first: text of 4 characters, last: text of 3 characters}, age: 21}}"
)
SECOND = (
    "{id: 2, test_date: 2023-02-12T23:20:30.457Z, test_nested_array: {level_id: 1, child: {level_id: 2, child: {level_id: 3, "
    "child: {level_id: 4, child: {level_id: 5, child: {level_id: 6, child: {level_id: 7}}}}}}}}"
)
THIRD = "{id: 3, test_date: 2023-02-12T23:20:30.458Z, buffer: 102400 bytes, buffer_view: 102400 bytes}"
FOURTH = "{id: 4, test_date: 2023-02-12T23:20:30.459Z, view: 1024000 bytes}"


@pytest.mark.specimens
@pytest.mark.parametrize("name", ["linux_109_64", "win11_109_64"])
def test_specimens_of_chrome_109(evidence: Any, specimens: Path, name: str) -> None:
    found, problems = evidence(of_specimen(specimens, name)).parse(chromium_indexed_db.parse, f"{PLACE}/file__0.indexeddb.leveldb/CURRENT")
    assert problems == []
    site, *rows = found
    assert isinstance(site, SiteTrace) and site.url == "file://"
    assert [(row.database, row.store, row.key, row.value, row.state) for row in rows if isinstance(row, StoredRecord)] == [
        ("IndexedDB test", "test store a", str(number), value, "current")
        for number, value in enumerate((FIRST, SECOND, THIRD, FOURTH), start=1)
    ]


@pytest.mark.specimens
def test_specimen_of_chrome_144(evidence: Any, specimens: Path) -> None:
    pytest.importorskip("backports.zstd")
    found, problems = evidence(of_specimen(specimens, "osx_144_64")).parse(chromium_indexed_db.parse_sqlite, f"{PLACE}/file__0/sample")
    assert problems == []
    assert [(row.database, row.store, row.key, row.value) for row in found] == [
        ("IndexedDB test", "test store a", str(number), value) for number, value in enumerate((FIRST, SECOND, THIRD, FOURTH), start=1)
    ]


@pytest.mark.specimens
@pytest.mark.slow
def test_damaged_specimens(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for name, place, parse in (
        ("linux_109_64", f"{PLACE}/file__0.indexeddb.leveldb/000003.log", chromium_indexed_db.parse),
        ("osx_144_64", f"{PLACE}/file__0/sample", chromium_indexed_db.parse_sqlite),
    ):
        contents = of_specimen(specimens, name)
        start = place if parse is chromium_indexed_db.parse_sqlite else f"{PLACE}/file__0.indexeddb.leveldb/CURRENT"
        kept = 0
        for damaged in mutations(contents[place], 200):
            try:
                found, _ = evidence({**contents, place: damaged}).parse(parse, start)
            except (Unrecognised, Encrypted):
                continue
            kept += sum(isinstance(item, StoredRecord) and item.value in (FIRST, SECOND, THIRD, FOURTH) for item in found)
        assert kept > 200


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def text(value: str) -> bytes:
    return varint(len(value)) + value.encode("utf-16-be")


def log(*changes: tuple[bytes, bytes | None]) -> bytes:
    body = (1).to_bytes(8, "little") + len(changes).to_bytes(4, "little")
    for key, value in changes:
        body += (b"\0" if value is None else b"\1") + varint(len(key)) + key
        body += b"" if value is None else varint(len(value)) + value
    return bytes(4) + len(body).to_bytes(2, "little") + b"\1" + body


def record(key: str) -> bytes:
    return bytes((0, 1, 1, 1, 1)) + text(key)


def number(value: int) -> bytes:
    return b"\1\xff\x0dI" + varint(value * 2)


NAMES = (
    (b"\0\0\0\0" + bytes([201]) + text("https_a.example_0@1") + text("letters"), b"\1"),
    (bytes((0, 1, 0, 0, 50)) + b"\1\0", "inbox".encode("utf-16-be")),
)


def test_what_was_replaced_or_deleted_is_told_as_such(evidence: Any) -> None:
    data = log(
        *NAMES, (record("a"), number(1)), (record("b"), number(2)), (record("a"), number(3)), (record("b"), None), (record("c"), b"\1\xff\x0d\x22\x05hello")
    )  # fmt: skip
    contents = {f"{FOLDER}/CURRENT": b"MANIFEST-000001\n", f"{FOLDER}/000003.log": data}
    found, problems = evidence(contents).parse(chromium_indexed_db.parse, f"{FOLDER}/CURRENT")
    assert problems == []
    assert [(row.url, row.database, row.store, row.key, row.value, row.state, row.recovered) for row in found[1:]] == [
        ("https://a.example", "letters", "inbox", "a", "3", "current", False),
        ("https://a.example", "letters", "inbox", "a", "1", "replaced by a newer value", True),
        ("https://a.example", "letters", "inbox", "b", "2", "deleted", True),
        ("https://a.example", "letters", "inbox", "c", "text of 5 characters", "current", False),
    ]
    assert "hello" not in repr(found)


@pytest.mark.parametrize(
    ("folder", "url"),
    [
        ("https_www.a.example_0", "https://www.a.example"),
        ("http_127.0.0.1_8080", "http://127.0.0.1:8080"),
        ("chrome-extension_abcdefghijklmnop_0", "chrome-extension://abcdefghijklmnop"),
    ],
)
def test_the_folder_names_the_site(evidence: Any, folder: str, url: str) -> None:
    place = f"{PLACE}/{folder}.indexeddb.leveldb/CURRENT"
    [found], problems = evidence({place: b""}).parse(chromium_indexed_db.parse, place)
    assert problems == [] and found.url == url


def test_a_folder_that_names_no_site_is_said(evidence: Any) -> None:
    place = f"{PLACE}/whatever.indexeddb.leveldb/CURRENT"
    found, [problem] = evidence({place: b""}).parse(chromium_indexed_db.parse, place)
    assert found == [] and problem.status is Status.UNRECOGNISED


def test_values() -> None:
    assert deserialise(b"\xff\x0d_") is UNDEFINED
    assert deserialise(b'\xff\x0do"\x01aI\x04"\x01bD\x00\x00\x00\x00\x00@\x8f@{\x02') == {"a": 2, "b": Date(Timestamp(10**9))}
    assert deserialise(b"\xff\x0dA\x02I\x02c\x02\x61\x26$\x00\x02") == [1, "\u2661"]
    looped = deserialise(b'\xff\x0do"\x01a^\x00{\x01')
    assert looped["a"] is looped and describe(looped).count("a: ") == 9
    for bad in (b"\xff\x0do", b"\xff\x0d\\b", b"\xff\x0d^\x05", b"\xff\x0d" + b"A\x01" * 5000, b"\xff\x0dA\xff\xff\xff\xff\x0f--", b""):
        with pytest.raises(ValueError):
            deserialise(bad)


def test_ordered_keys() -> None:
    assert ordered_key(bytes.fromhex("10bff0000000000000")) == 1.0
    assert ordered_key(bytes.fromhex("10400fffffffffffff")) == -1.0
    assert ordered_key(bytes.fromhex("20c08f400000000000")) == Timestamp(10**9)
    assert ordered_key(b"\x30" + bytes(ord(char) + 1 for char in "key") + b"\0") == "key"
    assert ordered_key(b"\x30\x80\x6a") == "\u00e9"
    assert ordered_key(b"\x99") == b"\x99"
