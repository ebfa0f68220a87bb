from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hashsets import HashSetError, match_hex, open_set
from hashsets.hash_set import HashSet

A, B, C, D = (b"demonstration a", b"demonstration b", b"demonstration c", b"demonstration d")


def digest(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm, data).digest()


@pytest.fixture
def opened(tmp_path: Path) -> HashSet:
    """A is listed by MD5 and SHA-1, B by MD5 alone, C by SHA-256."""
    path = tmp_path / "demo.csv"
    rows = [
        ("md5", "sha1", "sha256", "category"),
        (digest("md5", A).hex(), digest("sha1", A).hex(), "", "1"),
        (digest("md5", B).hex(), "", "", "2"),
        ("", "", digest("sha256", C).hex(), ""),
    ]
    path.write_text("\n".join(",".join(row) for row in rows))
    return open_set(path, role="alert")


def test_the_strongest_algorithm_and_what_the_others_say(opened: HashSet) -> None:
    files = [A, B, C, D]
    columns = {name: [digest(name, file) for file in files] for name in ("md5", "sha1", "sha256")}
    columns["sha1"][1] = None
    columns["md5"].append(digest("md5", A))  # the MD5 of A, but another file
    columns["sha1"].append(digest("sha1", D))
    columns["sha256"].append(digest("sha256", D))
    found = opened.match_all(columns)
    assert [m and (m.algorithm, m.code, m.listed_by, m.confirmed_by, m.contradicted_by) for m in found] == [
        ("sha1", "1", ("md5", "sha1"), ("md5",), ()),
        ("md5", "2", ("md5",), (), ()),
        ("sha256", None, ("sha256",), (), ()),
        None,
        ("md5", "1", ("md5", "sha1"), (), ("sha1",)),
    ]
    assert opened.match_all({"md5": columns["md5"]})[0].algorithm == "md5"
    assert opened.match_all({}) == []


def test_wrong_usage_is_never_silence(opened: HashSet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        opened.match("md5", [digest("sha1", A)])
    with pytest.raises(ValueError, match="16 bytes"):
        opened.match("md5", [bytes(15), bytes(17)])
    path = tmp_path / "md5"
    path.write_text(digest("md5", A).hex() + "\n")
    with pytest.raises(HashSetError, match="lists no sha1; it lists md5"):
        open_set(path, role="alert").match("sha1", [digest("sha1", A)])
    assert opened.match("md5", []) == []
    with pytest.raises(HashSetError, match="is a folder"):
        open_set(tmp_path, role="alert")


def test_hashes_found_in_other_evidence(opened: HashSet, tmp_path: Path) -> None:
    path = tmp_path / "ignore.txt"
    path.write_text(digest("md5", A).hex() + "\n")
    sets = [opened, open_set(path, role="ignore")]
    assert [(m.set, m.algorithm, m.alert) for m in match_hex(sets, {"MD5": digest("md5", A).hex().upper()})] == [
        ("demo", "md5", True),
        ("ignore", "md5", False),
    ]
    amcache = {"sha1": "0000" + digest("sha1", A).hex()}
    assert [m.algorithm for m in match_hex(sets, amcache)] == ["sha1"]
    assert [m.confirmed_by for m in match_hex([opened], {"SHA-1": digest("sha1", A).hex(), "md5": digest("md5", A).hex()})] == [("md5",)]
    assert match_hex(sets, {"md5": "", "sha1": "n/a", "ed2k": "0" * 32, "sha256": digest("md5", A).hex()}) == []
    assert match_hex(sets, {"md5": digest("md5", D).hex()}) == []
    assert match_hex([], {"md5": digest("md5", A).hex()}) == []


def test_a_batch_is_answered_in_its_order(opened: HashSet) -> None:
    wanted = [digest("md5", D), digest("md5", B), digest("md5", A), digest("md5", B)] * 1000
    assert [m and m.code for m in opened.match("md5", wanted)] == [None, "2", "1", "2"] * 1000
