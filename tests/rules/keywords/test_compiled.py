"""Compiled lists on disk: believed only where they are ours, and of encrypted lists not readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import keywords, sealed
from rules.keywords.compiled import Store

SECRET = b"a secret of the unit"
CSV = b"term,category,severity,form\nzellowmark,demonstration,4,word\n"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.sealed"
    path.write_bytes(sealed.seal("words.csv", CSV, SECRET))
    return path


@pytest.mark.parametrize("key", [None, b"k" * 32])
def test_kept_and_loaded(tmp_path: Path, key: bytes | None) -> None:
    store = Store(tmp_path / "folder", key)
    assert store.load("a") is None
    store.keep("a", b"payload")
    assert store.load("a") == b"payload"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a"]
    (tmp_path / "folder/a").rename(tmp_path / "folder/b")
    assert store.load("b") is None, "another's"
    store.keep("a", b"payload")
    data = (tmp_path / "folder/a").read_bytes()
    for at in range(len(data)):
        (tmp_path / "folder/a").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert store.load("a") is None
        (tmp_path / "folder/a").write_bytes(data[:at])
        assert store.load("a") is None


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file")
    store.keep("a", b"payload")
    assert store.load("a") is None


def test_of_an_encrypted_list_nothing_can_be_read(words: Path, tmp_path: Path) -> None:
    pytest.importorskip("hyperscan")
    cache = tmp_path / "cache"
    assert keywords.load([words], secret=SECRET).matcher(cache=cache).in_text("Zellowmark", "text")
    (kept,) = cache.iterdir()
    data = kept.read_bytes()
    assert b"zellow" not in data.lower() and Store(cache).load(kept.name) is None
    # It is what is used: with another database in its place, nothing is found.
    key = keywords.load([words], secret=SECRET)._key
    assert key is not None
    import hyperscan

    other = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    other.compile(expressions=[b"nothing"], ids=[0], elements=1, flags=[0])
    Store(cache, key).keep(kept.name, hyperscan.dumpb(other))
    assert keywords.load([words], secret=SECRET).matcher(cache=cache).in_text("zellowmark", "text") == []


def test_words_of_a_visit_are_in_no_compiled_list(tmp_path: Path) -> None:
    plain = tmp_path / "words.csv"
    plain.write_bytes(CSV)
    cache = tmp_path / "cache"
    libraries = keywords.load([plain], named=["glimmerstone", "copper kettle", "glimmer*"])
    assert [term.form for term in libraries.terms[1:]] == ["word", "phrase", "wildcard"]
    for engine in ("hyperscan", "ahocorasick"):
        if engine == "hyperscan":
            pytest.importorskip("hyperscan")
        found = libraries.matcher(engine, cache=cache).in_text("zellowmark, a glimmerstone and a copper kettle", "text")
        assert sorted((hit.term, hit.category) for hit in found) == [
            ("copper kettle", "named in the visit"), ("glimmer*", "named in the visit"), ("glimmerstone", "named in the visit"),
            ("zellowmark", "demonstration"),
        ]  # fmt: skip
    assert len(list(cache.iterdir())) == 1 and keywords.load([plain]).digest == libraries.digest
    assert all(b"glimmer" not in path.read_bytes() for path in cache.iterdir())
