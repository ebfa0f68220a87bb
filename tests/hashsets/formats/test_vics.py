from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from hashsets.errors import Damaged, HashSetError, UnknownFormat
from hashsets.formats import vics

M = [hashlib.md5(bytes([n])).hexdigest().upper() for n in range(6)]
S = [hashlib.sha1(bytes([n])).hexdigest().upper() for n in range(6)]
V1 = "http://github.com/ICMEC/ProjectVic/DataModels/1.{}.xml#Media"
V2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#{}"
BOTH = ("md5", "sha1")


def write(path: Path, data: Any, mark: bytes = b"") -> Path:
    path.write_bytes(mark + json.dumps(data).encode())
    return path


def lower(*digests: str) -> list[str]:
    return [digest.lower() for digest in digests]


def test_hash_set_1_2_with_text_for_numbers(tmp_path: Path, read_list) -> None:
    media = [{"odata.id": "1", "MediaID": 1, "Category": 0, "MD5": M[0], "SHA1": S[0], "MediaSize": "120", "Name": "a.jpg"}]
    form, listed, problems = read_list(write(tmp_path / "a.json", {"odata.metadata": V1.format(2), "value": media}, b"\xef\xbb\xbf"))
    assert form == "VICS 1.2 hash set"
    assert listed == {"md5": {M[0].lower(): (120, ("0",), BOTH)}, "sha1": {S[0].lower(): (120, ("0",), BOTH)}}
    assert problems == []


def test_hash_set_1_3_and_2_0(tmp_path: Path, read_list) -> None:
    media = [
        {"MediaID": 1, "Category": 1, "MD5": M[0], "SHA1": "", "MediaSize": 9, "VictimIdentified": "True", "IsDistributed": False},
        {"MediaID": 2, "Category": None, "MD5": M[1].lower(), "Exifs": [{"MD5": M[5], "PropertyName": "Make", "PropertyValue": "x"}]},
        {
            "MediaID": 3,
            "Category": 2,
            "MD5": "",
            "AlternativeHashes": [{"HashName": "PhotoDNA", "HashValue": "AAAA"}, {"HashValue": S[2], "HashName": "SHA-1"}],
        },
        {"MediaID": 4, "Category": 2, "MD5": "not a hash", "SHA1": S[3]},
        {"MediaID": 5, "Category": 2},
    ]
    expected = {
        "md5": {M[0].lower(): (9, ("1",), ("md5",)), M[1].lower(): (-1, (), ("md5",))},
        "sha1": {S[2].lower(): (-1, ("2",), ("sha1",)), S[3].lower(): (-1, ("2",), ("sha1",))},
    }
    old = read_list(write(tmp_path / "a.json", {"odata.metadata": V1.format(3), "value": media}))
    new = read_list(write(tmp_path / "b.json", {"@odata.context": V2.format("Default", "Media"), "value": media}))
    assert (old[0], new[0]) == ("VICS 1.3 hash set", "VICS 2.0 Default hash set")
    assert old[1] == new[1] == expected
    assert old[2] == new[2] == [(4, "not hexadecimal: 'not a hash'"), (5, "no MD5, SHA-1 or SHA-256")]


@pytest.mark.parametrize("context_last", [False, True])
def test_case_2_0(tmp_path: Path, read_list, context_last: bool) -> None:
    file = {"MD5": M[4], "FileName": "x", "FilePath": "C:\\x", "Unallocated": False, "SourceID": "A/1"}
    cases = [
        {
            "CaseID": "1",
            "CaseNumber": "N-1",
            "TotalMediaFiles": 99,
            "Media": [{"MediaID": 1, "Category": 1, "MD5": M[0], "MediaFiles": [file, file]}],
        },
        {"CaseID": "2", "Media": []},
        {
            "CaseID": "3",
            "Media": [{"MediaID": 1, "Category": "3", "MD5": M[1], "SHA1": S[1], "MediaSize": 1}, {"MD5": M[2], "Category": None}],
        },
    ]
    context = {"@odata.context": V2.format("US", "Cases")}
    data = {"value": cases, **context} if context_last else {**context, "value": cases}
    form, listed, problems = read_list(write(tmp_path / "a.json", data))
    assert form == "VICS 2.0 US case"
    assert {digest: codes for digest, (_, codes, _) in listed["md5"].items()} == dict(zip(lower(*M[:3]), [("1",), ("3",), ()], strict=True))
    assert listed["sha1"] == {S[1].lower(): (1, ("3",), BOTH)}
    assert problems == []


def test_other_json_is_refused(tmp_path: Path, read_list) -> None:
    for data in ({"a": 1}, [], [{"MD5": M[0]}]):
        with pytest.raises(UnknownFormat):
            read_list(write(tmp_path / "a.json", data))


def test_cut_short_anywhere_is_refused(tmp_path: Path, read_list) -> None:
    path = write(tmp_path / "a.json", {"@odata.context": V2.format("UK", "Media"), "value": [{"MD5": m, "Category": 1} for m in M]})
    whole = path.read_bytes()
    for length in range(1, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(HashSetError):
            read_list(path)


def test_a_single_value_without_end_is_refused_in_bounded_memory(tmp_path: Path, read_list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vics, "_MAX_VALUE", 1 << 20)
    path = tmp_path / "a.json"
    for filling in (b"a", b'\\"', b" "):
        path.write_bytes(b'{"odata.metadata":"' + V1.format(3).encode() + b'","value":[{"Name":"' + filling * (3 << 20) + b'"}]}')
        with pytest.raises(Damaged, match="single value of more than 1048576 bytes"):
            read_list(path)


def test_deep_nesting_is_refused(tmp_path: Path, read_list) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"odata.metadata":"' + V1.format(3).encode() + b'","value":' + b"[" * 100_000)
    with pytest.raises(Damaged, match="nested more than 64 deep"):
        read_list(path)


def test_flipped_bytes_never_do_more_than_raise(tmp_path: Path, read_list) -> None:
    path = write(
        tmp_path / "a.json", {"@odata.context": V2.format("UK", "Media"), "value": [{"MD5": m, "Category": 1, "MediaSize": 3} for m in M]}
    )
    whole = path.read_bytes()
    chance = random.Random(7)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_list(path)
        except HashSetError:
            refused += 1
    assert refused > 100
