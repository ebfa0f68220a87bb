from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from hashsets.errors import HashSetError, UnknownFormat
from hashsets.formats.columns import ColumnMap

M = [hashlib.md5(bytes([n])).hexdigest() for n in range(4)]
S = [hashlib.sha1(bytes([n])).hexdigest() for n in range(4)]
BOTH = ("md5", "sha1")


def test_a_header_names_the_columns(tmp_path: Path, read_list) -> None:
    path = tmp_path / "list.csv"
    rows = ["\ufeffName;SHA-1;Category;MD5;File Size", f"a;{S[0]};1;{M[0].upper()};10", f'"b;c";{S[1]};;{M[1]};', f"d;;7;{M[2]};1.5 MB"]
    path.write_text("\r\n".join(rows), encoding="utf-8")
    form, listed, problems = read_list(path)
    assert form == "delimited table with a header"
    assert listed == {
        "md5": {M[0]: (10, ("1",), BOTH), M[1]: (-1, (), BOTH), M[2]: (-1, ("7",), ("md5",))},
        "sha1": {S[0]: (10, ("1",), BOTH), S[1]: (-1, (), BOTH)},
    }
    assert problems == [(4, "the size is not a number of bytes, the hash is used without it: '1.5 MB'")]


def test_bad_rows_cost_themselves_only(tmp_path: Path, read_list) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f'md5,sha1\n"open quote,{S[0]}\nnothing,{S[1]}\n,\n{M[1]}\n{M[2]},{S[2]},more,cells\n')
    _, listed, problems = read_list(path)
    assert set(listed["md5"]) == {M[1], M[2]}
    assert set(listed["sha1"]) == {S[1], S[2]}
    assert [line for line, _ in problems] == [2, 3, 4]


def test_a_single_column(tmp_path: Path, read_list) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"sha256\n{'ab' * 32}\n")
    assert read_list(path)[1] == {"sha256": {"ab" * 20: (-1, (), ("sha256",))}}


def test_hashkeeper(tmp_path: Path, read_list) -> None:
    path = tmp_path / "set.hsh"
    path.write_text(
        '"file_id","hashset_id","file_name","directory","hash","file_size","date_modified","time_modified"\n'
        f'1,2,"A.DLL","C:\\","{M[0].upper()}",4096,"",""\n'
    )
    assert read_list(path)[1] == {"md5": {M[0]: (4096, (), ("md5",))}}


@pytest.mark.parametrize(
    "header",
    [
        '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"',
        '"SHA-1","FileName","FileSize","ProductCode","OpSystemCode","MD4","MD5","CRC32","SpecialCode"',
    ],
)
def test_nsrl_2(tmp_path: Path, read_list, header: str) -> None:
    values = {'"SHA-1"': S[0].upper(), '"MD5"': M[0].upper(), '"FileName"': 'a ""quoted"", name', '"FileSize"': "99"}
    path = tmp_path / "NSRLFile.txt"
    path.write_text(header + "\n" + ",".join(f'"{values.get(name, "0")}"' for name in header.split(",")) + "\n")
    form, listed, problems = read_list(path)
    assert form == "NSRL RDS 2.x"
    assert listed == {"md5": {M[0]: (99, (), BOTH)}, "sha1": {S[0]: (99, (), BOTH)}}
    assert problems == []


def test_a_column_map_by_name_and_by_number(tmp_path: Path, read_list) -> None:
    named, numbered = tmp_path / "named", tmp_path / "numbered"
    named.write_text(f"Grade|Fingerprint\nX|{M[0]}\n|{M[1]}\n")
    numbered.write_text(f"12|{M[0]}|B\n13|{S[1]}|C\n")
    by_name = ColumnMap.from_json({"delimiter": "|", "md5": "fingerprint", "code": "Grade", "default_code": "U"}, "map")
    by_number = ColumnMap.from_json({"delimiter": "|", "header": False, "hash": 2, "size": 1, "code": 3}, "map")
    assert read_list(named, by_name)[1] == {"md5": {M[0]: (-1, ("X",), ("md5",)), M[1]: (-1, ("U",), ("md5",))}}
    assert read_list(numbered, by_number)[1] == {"md5": {M[0]: (12, ("B",), ("md5",))}, "sha1": {S[1]: (13, ("C",), ("sha1",))}}
    with pytest.raises(UnknownFormat, match="needs a column map"):
        read_list(numbered)
    with pytest.raises(HashSetError, match="has no column 'fingerprint'"):
        read_list(numbered, ColumnMap.from_json({"md5": "fingerprint"}, "map"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "no object"),
        ({"md5": "a", "colour": 1}, "unknown 'colour'"),
        ({"size": 1}, "no hash column"),
        ({"md5": 0}, "numbered from 1"),
        ({"md5": True}, "numbered from 1"),
        ({"md5": "a", "delimiter": ""}, "one character"),
        ({"md5": "a", "header": False}, "without a header"),
    ],
)
def test_column_maps_that_are_refused(tmp_path: Path, data: object, message: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps(data))
    with pytest.raises(HashSetError, match=message):
        ColumnMap.load(path)
