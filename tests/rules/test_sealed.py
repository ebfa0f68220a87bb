"""Encrypted lists."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rules import keywords, sealed
from rules.sealed import WrongKey

SECRET, OTHER = b"a secret of the unit", b"another secret of it"
LIST = b"term,category,severity,form\nzellowmark,a,4,word\nquarble,a,9,word\n(tansyfox,a,1,regex\nzellowmark,a,4,word\nexample.org,,,exclude-site\n"


@pytest.fixture(scope="module")
def content() -> bytes:
    return sealed.seal("mine.csv", LIST, SECRET)


def test_there_and_back(content: bytes) -> None:
    assert sealed.unseal(content, SECRET, "x") == ("mine.csv", LIST)
    assert content != sealed.seal("mine.csv", LIST, SECRET)
    for word in (b"zellowmark", b"quarble", b"mine"):
        assert word not in content


def test_the_wrong_key_and_damage(content: bytes) -> None:
    with pytest.raises(WrongKey, match="not the one"):
        sealed.unseal(content, OTHER, "x")
    with pytest.raises(WrongKey, match="name its key"):
        sealed.unseal(content, None, "x")
    rng = random.Random(8)
    for _ in range(4):
        at = rng.randrange(len(sealed.MAGIC), len(content))
        with pytest.raises((WrongKey, ValueError)):
            sealed.unseal(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], SECRET, "x")
    with pytest.raises(ValueError, match="cut short"):
        sealed.unseal(content[:60], SECRET, "x")


def test_a_key_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(SECRET + b"\r\n")
    assert sealed.load_secret(tmp_path / "key") == SECRET
    for bad in (b"short", b"x" * 5000):
        (tmp_path / "key").write_bytes(bad)
        with pytest.raises(ValueError, match="12 to 4096"):
            sealed.load_secret(tmp_path / "key")


def test_an_encrypted_library_hits_and_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.sealed").write_bytes(content)
    libraries = keywords.load([tmp_path], secret=SECRET)
    assert [(term.text, term.library) for term in libraries.terms] == [("zellowmark", "mine")]
    assert [item.kind for item in libraries.exclusions] == ["site"]
    assert [problem.line for problem in libraries.problems] == [3, 4, 5]
    told = " ".join(problem.reason for problem in libraries.problems)
    assert not any(word in told for word in ("quarble", "tansyfox", "zellowmark"))
    cache = tmp_path / "cache"
    assert [hit.found for hit in libraries.matcher(cache=cache).in_text("Zellowmark", "text")] == ["Zellowmark"]
    assert all(b"zellow" not in path.read_bytes().lower() for path in cache.rglob("*"))
    with pytest.raises(WrongKey):
        keywords.load([tmp_path / "list.sealed"])


def test_a_damaged_list_is_a_problem_and_not_an_empty_list(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.sealed").write_bytes(content[:-1])
    assert [str(problem).partition(": ")[2] for problem in keywords.load([tmp_path / "list.sealed"], secret=SECRET).problems] == [
        "is encrypted and damaged"
    ]


def test_yaml_that_is_no_yaml_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.sealed").write_bytes(sealed.seal("a.yaml", b"terms: [zellowmark: : zellowmark\n", SECRET))
    (problem,) = keywords.load([tmp_path / "list.sealed"], secret=SECRET).problems
    assert "zellowmark" not in str(problem) and problem.line
