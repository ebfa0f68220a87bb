"""Libraries: good lines are used, bad ones are named by line."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from rules import keywords
from rules.keywords import CATEGORIES, Libraries, Near


def load(tmp_path: Path, name: str, content: str | bytes) -> Libraries:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return keywords.load([path])


def lines(libraries: Libraries) -> list[tuple[int, str]]:
    return [(problem.line, problem.reason) for problem in libraries.problems]


def test_csv_with_every_column(tmp_path: Path) -> None:
    text = (
        "term,category,severity,form,language,unless,where,near,within\r\n"
        'Lantern,Drugs,3,word,en,"old lantern|lantern fish",url|Title,club|night out,7\r\n'
    )
    (term,) = load(tmp_path, "list.csv", b"\xef\xbb\xbf" + text.encode()).terms
    assert (term.text, term.category, term.severity, term.form, term.language) == ("Lantern", "drugs", 3, "word", "en")
    assert (term.unless, term.where, term.near) == (("old lantern", "lantern fish"), {"url", "title"}, Near(("club", "night out"), 7))
    assert (term.library, Path(term.file).name, term.line) == ("list", "list.csv", 2)


def test_csv_names_each_bad_line_and_uses_the_others(tmp_path: Path) -> None:
    text = """term,category,severity,form,where,colour
lantern,drugs,3,word,,
,drugs,3,word,,
harbour,drugs,9,word,,
harbour,drugs,three,word,,
harbour,drugs,3,sentence,,
harbour,,3,word,,

"two
lines",drugs,3,phrase,,
harbour,drugs,3,word,everywhere,
Lantern,drugs,2,word,,
lantern,violence,2,word,,
(,drugs,3,regex,,
(a)\\1,drugs,3,regex,,
a*,drugs,3,regex,,
*a*,drugs,3,wildcard,,
one two,drugs,3,stem,,
---,drugs,3,word,,
harbour,drugs,3,word,,,too,many
last,drugs,3,word
"""
    libraries = load(tmp_path, "list.csv", text)
    assert [(term.text, term.category) for term in libraries.terms] == [
        ("lantern", "drugs"), ("two\nlines", "drugs"), ("lantern", "violence"), ("last", "drugs")
    ]  # fmt: skip
    found = lines(libraries)
    assert [line for line, _ in found] == [1, 3, 4, 5, 6, 7, 11, 12, 14, 15, 16, 17, 18, 19, 20]
    reasons = dict(found)
    assert reasons[1] == "the column 'colour' is not known and not used"
    assert reasons[3] == "has no term"
    assert reasons[4] == "'harbour' has the severity '9': 1 to 5"
    assert reasons[7] == "'harbour' has no category"
    assert reasons[12] == "'Lantern' is a duplicate of list.csv line 2"
    assert reasons[14].startswith("'(' is not an expression that RE2 takes: missing )")
    assert reasons[15].startswith("'(a)\\\\1' is not an expression that RE2 takes: invalid escape sequence")
    assert reasons[16] == "'a*' matches nothing at all, and so would match everywhere"
    assert reasons[17] == "'*a*' has no three letters in a row: it would match almost anything"
    assert reasons[20] == "has 8 values for 6 columns: is a comma not quoted?"


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("a.csv", "", 0, "is empty"),
        ("a.csv", "term,category\nx,y\n", 1, "the header lacks the column severity, form: nothing of this file is used"),
        ("a.csv", "term,category,severity,form\n", 0, "holds no terms"),
        ("a.csv", b"term,category,severity,form\nok,a,1,word\n\xff\xfe,a,1,word\n", 3, "is not UTF-8"),
        ("a.csv", 'term,category,severity,form\n"open,a,1,word\n', 2, "is not CSV: unexpected end of data"),
        ("a.yaml", "terms: [", 1, "is not valid YAML"),
        ("a.yaml", "words: [a]\n", 1, "has no list called terms"),
        ("a.yaml", "a: &a [x, x]\nterms: [*a, *a]\n", 1, "is used again by an alias"),
        ("a.yaml", "category: a\nseverity: 1\nterms:\n  - {term: [a, b]}\n", 4, "term is not a single value"),
        ("a.yaml", "category: a\nseverity: 1\ncolour: red\nterms: [a]\n", 3, "'colour' is not known and not used"),
        ("a.yaml", "category: a\nseverity: 1\nterms:\n  - ok\n  - {term: b, sevrity: 2}\n", 5, "'sevrity' is not known and not used"),
        ("a.yaml", "category: a\nseverity: 1\ncategory: b\nterms: [a]\n", 3, "'category' is given twice: the first is used"),
        ("a.pdf", "x", 0, "is not a keyword library"),
    ],
)
def test_a_problem_says_where(tmp_path: Path, name: str, content: str | bytes, line: int, reason: str) -> None:
    found = lines(load(tmp_path, name, content))
    assert any(where == line and why.startswith(reason) for where, why in found), found


def test_yaml_defaults_and_lists(tmp_path: Path) -> None:
    text = """
library: harbour list
category: Self-Harm
severity: 4
language: en
terms:
  - lantern
  - term: "no"
    form: word
    severity: 2
    near: [club, night]
    within: 3
    unless: [old]
    where: [search_terms]
"""
    libraries = load(tmp_path, "x.yaml", text)
    assert libraries.problems == []
    first, second = libraries.terms
    assert (first.text, first.category, first.severity, first.library, first.language, first.line) == (
        "lantern", "self-harm", 4, "harbour list", "en", 7
    )  # fmt: skip
    assert (second.text, second.severity, second.near, second.unless, second.where) == (
        "no", 2, Near(("club", "night"), 3), ("old",), {"search_terms"}
    )  # fmt: skip


def test_plain_list(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("lantern\n# category: Drugs\n# severity: 5\n# a remark\nquiet harbour\n\nlant*\n", encoding="utf-8")
    libraries = keywords.load([path], category="mine", severity=2)
    assert libraries.problems == []
    assert [(term.text, term.form, term.category, term.severity, term.line) for term in libraries.terms] == [
        ("lantern", "word", "mine", 2, 1), ("quiet harbour", "phrase", "Drugs".lower(), 5, 5), ("lant*", "wildcard", "drugs", 5, 7)
    ]  # fmt: skip


def test_folders_missing_files_and_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.txt").write_text("lantern\n")
    (tmp_path / "a/two.csv").write_text("term,category,severity,form\nharbour,a,1,word\n")
    libraries = keywords.load([tmp_path / "a"])
    assert (libraries.count, libraries.problems) == (2, [])
    assert keywords.load([tmp_path / "a/one.txt", tmp_path / "a/two.csv"]).digest == libraries.digest
    (tmp_path / "a/one.txt").write_text("lanterns\n")
    assert keywords.load([tmp_path / "a"]).digest != libraries.digest

    (tmp_path / "b").mkdir()
    missing = keywords.load([tmp_path / "b", tmp_path / "c.csv"])
    assert [(Path(problem.file).name, problem.line) for problem in missing.problems] == [("b", 0), ("c.csv", 0)]
    assert missing.matcher().in_text("lantern", "text") == []


def test_the_shipped_libraries_are_sound_and_cover_the_standard_categories() -> None:
    libraries = keywords.load([keywords.SHIPPED])
    assert libraries.problems == []
    assert {term.category for term in libraries.terms} == set(CATEGORIES)


def test_damaged_libraries_never_raise(tmp_path: Path) -> None:
    generator = random.Random(3)
    for file in sorted(keywords.SHIPPED.iterdir()):
        whole = file.read_bytes()
        for _ in range(25):
            damaged = bytearray(whole[: generator.randrange(len(whole))])
            for _ in range(5):
                damaged[generator.randrange(len(damaged) or 1) :][:1] = bytes([generator.randrange(256)])
                if damaged:
                    damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            libraries = load(tmp_path, file.name, bytes(damaged))
            libraries.matcher("ahocorasick").in_text("tor browser", "text")
            assert libraries.problems or libraries.count


def test_a_catastrophic_expression_is_linear(tmp_path: Path) -> None:
    """(a+)+$ takes a backtracking matcher 2**n steps on n letters: with 200,000 this test would not end."""
    text = "term,category,severity,form\n(a+)+$,a,1,regex\n(x*)*(y+)+z,a,1,regex\n" + "*aab*aab*aab*,a,1,wildcard\n"
    libraries = load(tmp_path, "evil.csv", text)
    assert libraries.count == 3
    for engine in ("hyperscan", "ahocorasick"):
        matcher = libraries.matcher(engine)
        started = time.monotonic()
        for evil in (b"a" * 200_000 + b"!", b"y" * 200_000, b"aab" * 70_000, b"aab aabaab " * 20_000):
            matcher.in_bytes(evil)
        assert time.monotonic() - started < 60
