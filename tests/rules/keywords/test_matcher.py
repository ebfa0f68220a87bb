"""What counts as a hit, in text of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import keywords
from rules.keywords import Matcher
from rules.keywords.tally import MAX_KEPT


def matcher(tmp_path: Path, *lines: str, engine: str = "auto") -> Matcher:
    path = tmp_path / "list.csv"
    path.write_text("term,category,severity,form,language,unless,where,near,within\n" + "\n".join(lines) + "\n", encoding="utf-8")
    libraries = keywords.load([path])
    assert libraries.problems == []
    return libraries.matcher(engine)


def found(matcher: Matcher, text: str, where: str = "text") -> list[str]:
    return [hit.found for hit in matcher.in_text(text, where)]


def test_a_hit_says_everything(tmp_path: Path) -> None:
    text = "x" * 60 + " before the LANTERN after\x1b[2J\u202e " + "y" * 60
    (hit,) = matcher(tmp_path, "Lantern,drugs,3,word,en,,,,").in_text(text, "title")
    assert (hit.term, hit.category, hit.severity, hit.library, hit.form, hit.language, hit.where) == (
        "Lantern", "drugs", 3, "list", "word", "en", "title"
    )  # fmt: skip
    assert (text[hit.start : hit.end], hit.found, hit.repeats) == ("LANTERN", "LANTERN", 0)
    assert hit.context == text[hit.start - 40 : hit.end + 40]
    (short,) = matcher(tmp_path, "Lantern,drugs,3,word,en,,,,").in_text(text, "title", context=5)
    assert short.context == " the LANTERN afte"


@pytest.mark.parametrize(
    ("term", "text", "hits"),
    [
        ("tor,a,1,word", "tor Tor TOR_x tor's tor-x x.tor", ["tor", "Tor", "TOR", "tor", "tor", "tor"]),
        ("tor,a,1,word", "tort stor tor2 2tor torß ätor torа", []),
        ("straße,a,1,word", "STRASSE Straße strasse Straßen", ["STRASSE", "Straße", "strasse"]),
        ("café,a,1,word", "cafe\u0301 CAFÉ cafe café's", ["cafe\u0301", "CAFÉ", "café"]),
        ("ΣΊΣΥΦΟΣ,a,1,word", "σίσυφος", ["σίσυφος"]),
        ("κόσμος,a,1,word", "ΚΌΣΜΟΣ", ["ΚΌΣΜΟΣ"]),
        ("lantern,a,1,word", "ｌａｎｔｅｒｎ lan\u00adtern l\u200ban\u200dtern 𝐥𝐚𝐧𝐭𝐞𝐫𝐧", ["ｌａｎｔｅｒｎ", "lan\u00adtern", "l\u200ban\u200dtern", "𝐥𝐚𝐧𝐭𝐞𝐫𝐧"]),
        ("c++,a,1,word", "C++ c+ c++11", ["C++", "c++"]),
        ("ß,a,1,word", "ss ß", ["ss", "ß"]),
        ("dark web,a,1,phrase", "dark web|Dark  Web|dark\n\t web|dark-web|dark_web|dark.web|dark/web|darkweb|dark. web|dark, web", ["dark web", "Dark  Web", "dark\n\t web", "dark-web", "dark_web", "dark.web", "dark/web"]),
        ("dark-web,a,1,phrase", "dark web", ["dark web"]),
        ("dark web,a,1,phrase", f"dark{' ' * 16}web dark{' ' * 17}web dark-\n   web dark – web", [f"dark{' ' * 16}web", "dark-\n   web"]),
        ("dark web,a,1,phrase", "dark dark web web; xdark web; dark webs", ["dark web"]),
        ("a b a,a,1,phrase", "a b a b a", ["a b a"]),
        ("radicalis,a,1,stem", "radicalisation, RADICALISED; de-radicalise unradicalised", ["radicalisation", "RADICALISED", "radicalise"]),
        ("lan*rn,a,1,wildcard", "lantern lanrn lanternx xlantern lan rn LAN12345RN", ["lantern", "lanrn", "LAN12345RN"]),
        ("?antern,a,1,wildcard", "lantern Cantern antern llantern", ["lantern", "Cantern"]),
        ("blue lan*,a,1,wildcard", "Blue  lanterns blue lan bluelan", ["Blue  lanterns", "blue lan"]),
        ("[0-9]{3}-lan,a,1,regex", "x123-LANTERN", ["123-LAN"]),
        ("foo_bar,a,1,regex", "foo_bar foo bar", ["foo_bar", "foo bar"]),
        ("中文,a,1,word", "我的中文字", ["中文"]),
        ("ひらがな,a,1,word", "これはひらがなです", ["ひらがな"]),
        ("ไทย,a,1,word", "ภาษาไทยดี", ["ไทย"]),
        ("שלום,a,1,word", "אומר שלום, ושלום", ["שלום"]),
        ("سلام,a,1,word", "قال سلام. والسلام", ["سلام"]),
        ("क्षमा,a,1,word", "मुझे क्षमा करें", ["क्षमा"]),
        ("क्ष,a,1,word", "क्षमा", []),
        ("tor,a,1,word", "用Tor浏览器", ["Tor"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["hyperscan", "ahocorasick"])
def test_forms_and_boundaries(tmp_path: Path, engine: str, term: str, text: str, hits: list[str]) -> None:
    assert found(matcher(tmp_path, term, engine=engine), text) == hits


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("https://x.test/?q=blue%20lantern", ["blue lantern"]),
        ("https://x.test/?q=blue+lantern&x=1", ["blue+lantern"]),
        ("https://x.test/blue_lantern-2.html", ["blue lantern"]),
        ("https://x.test/%62lue%5Flantern", ["blue lantern"]),
        ("https://x.test/?u=https%253A%252F%252Fy%252Fblue%252520lantern", ["blue lantern"]),
        ("https://x.test/?q=bl%75e%20l%E2%80%8Bantern", ["blue l\u200bantern"]),
        ("https://x.test/?q=blue%lantern%zz", []),
        ("https://x.test/blue&#32;&#108;antern", ["blue lantern"]),
        ("data:text/plain;base64,blue+lantern/blue+lantern", []),
        ("https://x.test/bluelantern", []),
    ],
)
def test_addresses(tmp_path: Path, text: str, hits: list[str]) -> None:
    assert [hit.replace("_", " ") for hit in found(matcher(tmp_path, "blue lantern,a,1,phrase"), text, "url")] == hits


def test_only_addresses_are_decoded(tmp_path: Path) -> None:
    assert found(matcher(tmp_path, "blue lantern,a,1,phrase"), "blue%20lantern", "name") == []
    assert found(matcher(tmp_path, "blue lantern,a,1,phrase"), "blue&#32;lantern", "title") == ["blue lantern"]


def test_where_confines(tmp_path: Path) -> None:
    one = matcher(tmp_path, "lantern,a,1,word,,,url|name")
    assert [where for where in keywords.PLACES if found(one, "lantern", where)] == ["url", "name"]
    with pytest.raises(ValueError, match="no kind of text"):
        one.in_text("lantern", "body")
    with pytest.raises(ValueError, match="no kind of text"):
        one.in_bytes(b"lantern", "body")


def test_unless_silences_around_and_nearby(tmp_path: Path) -> None:
    one = matcher(tmp_path, "gun,a,1,word,,glue gun|begin*,,,")
    assert found(one, "a glue gun and a Gun") == ["Gun"]
    assert found(one, "GLUE-GUN") == []
    assert found(one, "beginners learn to use a gun") == []
    assert found(one, "beginners " + "." * 80 + " gun") == ["gun"]
    assert found(one, "the gluegun gun") == ["gun"]


def test_near_needs_a_companion(tmp_path: Path) -> None:
    one = matcher(tmp_path, "gun,a,1,word,,,,buy|for sale,3")
    assert found(one, "gun") == []
    assert found(one, "buy a new gun") == ["gun"]
    assert found(one, "buy a very new gun") == []
    assert found(one, "gun, now for  sale") == ["gun"]
    assert found(one, "gun buyer") == []


def test_repeats_are_counted_not_kept(tmp_path: Path) -> None:
    hits = matcher(tmp_path, "lantern,a,1,word", "harbour,a,1,word").in_text("lantern " * 5000 + "harbour", "text")
    assert len(hits) == MAX_KEPT + 1
    assert [hit.repeats for hit in hits if hit.repeats] == [5000 - MAX_KEPT]
    assert sum(1 + hit.repeats for hit in hits) == 5001


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800 lantern \udfff", "a" * 100_000, "%" * 1000, "&;" * 1000, "\u0301" * 1000, "lantern\u0301"]
)
def test_odd_text(tmp_path: Path, text: str) -> None:
    for where in keywords.PLACES:
        assert found(matcher(tmp_path, "lantern,a,1,word"), text, where) == (["lantern"] if " lantern " in text else [])


def test_offsets_lead_back_into_the_text(tmp_path: Path) -> None:
    one = matcher(tmp_path, "lantern,a,1,word", "straße,a,1,word", "e,a,1,stem")
    text = "ﬁﬁ İstanbul ß\u00ad e\u0301te\u0301 ½ ＬＡＮＴＥＲＮ — STRASSE ǅ Straße … lan\u00adtern é" * 50
    hits = one.in_text(text, "text")
    assert {hit.found for hit in hits} >= {"ＬＡＮＴＥＲＮ", "STRASSE", "Straße", "lan\u00adtern"}
    assert [text[hit.start : hit.end] for hit in hits] == [hit.found for hit in hits]
