"""Both engines give the same hits, whatever the terms and whatever the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.keywords import Matcher, load
from rules.keywords.engines import choose

pytest.importorskip("hyperscan")

LIBRARY = """term,category,severity,form,language,unless,where,near,within,substitutions
tor,anonymisers,3,word,,,,,
ab,a,1,word,,,,,
abc,a,1,stem,,,,,
a b a,a,1,phrase,,,,,
ab-c d,a,1,phrase,,,,,
a*bcd,a,1,wildcard,,,,,
?bcd*,a,1,wildcard,,,,,
*bca* ab,a,1,wildcard,,,,,
[ab]{2}[^c]+c,a,1,regex,,,,,
\\bc.a$,a,1,regex,,,,,
straße,a,1,word,,,,,
été,a,1,word,,,,,
中文,a,1,word,,,,,
ひら,a,1,stem,,,,,
ไทย,a,1,word,,,,,
שלום,a,1,word,,,,,
мир,a,1,stem,,,,,
c++,a,1,word,,,,,
.ab bc,a,1,phrase,,,,,
bcd,a,1,word,,ab|a b,,,
dcb,a,1,word,,,,ab,2
tail,a,1,word,,,,,,true
salt boat,a,1,phrase,,,,,,yes
oboe,a,1,stem,,,,,,true
"""

ALPHABET = st.sampled_from(list("abcdABC  \n_-.+/0é\u0301中文ひらไทยשלוםмирЯßſK\u00ad\u200b\ufeff“”ａｂİı\x00\ud800014@$7tailobe"))
PIECES = st.sampled_from(
    ["tor", "Tor", "ab", "abc", "ABCD", "a b a", "a  b\na", "ab-c d", "abbc", "xbcda", "straße", "STRASSE", "e\u0301te\u0301", "été", "中文", "ไทย",
     "мир", "миру", "c++", ".ab bc", "bcd", "dcb", " ", " ", "\n", "-", "_", "é", "“", "ｔｏｒ", "t\u200bor", "cxa", "ta1l", "t@il", "tall", "7417", "s4lt", "$alt", "b0at", "b0@7", "0b0es", "oboe"]
)  # fmt: skip
TEXTS = st.one_of(st.text(ALPHABET, max_size=60), st.lists(PIECES, max_size=20).map("".join), st.lists(PIECES, max_size=20).map(" ".join))


@pytest.fixture(scope="module")
def matchers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Matcher, Matcher]:
    path = tmp_path_factory.mktemp("library") / "both.csv"
    path.write_text(LIBRARY, encoding="utf-8")
    libraries = load([path])
    assert libraries.problems == []
    assert libraries.count == LIBRARY.count("\n") - 1
    return libraries.matcher("hyperscan"), libraries.matcher("ahocorasick")


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, where=st.sampled_from(["text", "url", "name"]))
def test_the_same_hits_in_text(matchers: tuple[Matcher, Matcher], text: str, where: str) -> None:
    hyperscan, ahocorasick = matchers
    assert hyperscan.in_text(text, where) == ahocorasick.in_text(text, where)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=TEXTS,
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]),
    noise=st.binary(max_size=8),
)
def test_the_same_hits_in_bytes(matchers: tuple[Matcher, Matcher], text: str, encoding: str, noise: bytes) -> None:
    hyperscan, ahocorasick = matchers
    data = text.encode(encoding, "replace") + noise
    assert hyperscan.in_bytes(data) == ahocorasick.in_bytes(data)


def test_every_term_of_the_library_can_hit_in_both(matchers: tuple[Matcher, Matcher]) -> None:
    text = (
        "Tor | AB | abcd | a b a | ab c  d | axbcd | xbcde | xbcay ab | bax! c | c.a\n| STRASSE | e\u0301te\u0301 | 的中文字 | ひらがな | ภาษาไทยดี | "
        "שלום | миру | C++ | .ab bc " + "~ " * 45 + " bcd " + "~ " * 45 + " dcb one ab | t@1l | 5alt b0at | 0boe5 | cya"
    )
    for matcher in matchers:
        found = {hit.term for hit in matcher.in_text(text, "text")}
        assert found == {line.split(",")[0] for line in LIBRARY.splitlines()[1:]}


def test_names_of_engines(matchers: tuple[Matcher, Matcher]) -> None:
    assert [matcher.engine for matcher in matchers] == ["hyperscan", "ahocorasick"]
    assert choose("auto") == "hyperscan"
    with pytest.raises(ValueError, match="no keyword engine"):
        choose("grep")


def test_without_hyperscan_auto_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.keywords.engines.importlib.util.find_spec", lambda name: None)
    (tmp_path / "a.csv").write_text("term,category,severity,form\ntor,a,1,word\n")
    matcher = load([tmp_path / "a.csv"]).matcher()
    assert matcher.engine == "ahocorasick"
    assert [hit.found for hit in matcher.in_text("Tor", "text")] == ["Tor"]
    with pytest.raises(ValueError, match="not installed"):
        choose("hyperscan")


def test_the_compiled_database_is_kept_and_follows_its_library(tmp_path: Path) -> None:
    library, cache = tmp_path / "a.csv", tmp_path / "cache"
    library.write_text("term,category,severity,form\ntor,a,1,word\n(x|y)z,a,1,regex\n")

    def found(engine: str = "hyperscan") -> list[str]:
        return [hit.found for hit in load([library]).matcher(engine, cache).in_text("Tor xz onion", "text")]

    assert found() == ["Tor", "xz"]
    (kept,) = cache.iterdir()
    first = kept.read_bytes()
    assert found() == ["Tor", "xz"]
    assert kept.read_bytes() == first

    library.write_text("term,category,severity,form\nonion,a,1,word\n")
    assert found() == ["onion"]
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text", "folder"])
def test_a_damaged_database_is_made_again(tmp_path: Path, damage: str) -> None:
    library, cache = tmp_path / "a.csv", tmp_path / "cache"
    library.write_text("term,category,severity,form\ntor,a,1,word\n")
    load([library]).matcher("hyperscan", cache)
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    if damage == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        kept.write_bytes(
            {"cut": whole[:-5], "flip": whole[:100] + bytes([whole[100] ^ 1]) + whole[101:], "empty": b"", "text": b"x" * 500}[damage]
        )
    assert [hit.found for hit in load([library]).matcher("hyperscan", cache).in_text("Tor", "text")] == ["Tor"]
    if damage != "folder":
        assert kept.read_bytes() == whole


def test_a_kept_database_is_really_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "a.csv"
    library.write_text("term,category,severity,form\ntor,a,1,word\n")
    load([library]).matcher("hyperscan", tmp_path)
    monkeypatch.setattr("hyperscan.Database", None)
    assert [hit.found for hit in load([library]).matcher("hyperscan", tmp_path).in_text("Tor", "text")] == ["Tor"]
