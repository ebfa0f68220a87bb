"""Letters written as digits and signs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.keywords import Matcher, load


def matcher(tmp_path: Path, engine: str = "auto", flag: str = "true") -> Matcher:
    path = tmp_path / "list.yaml"
    path.write_text(
        f"substitutions: {flag}\ncategory: a\nseverity: 2\nterms:\n- lantern\n- {{term: tail boat, form: phrase}}\n- {{term: velbrin, form: stem}}\n"
        "- {term: 'x[0-9]y', form: regex}\n- {term: gate 9, form: phrase}\n"
    )
    libraries = load([path])
    assert libraries.problems == []
    return libraries.matcher(engine)


@pytest.mark.parametrize("engine", ["hyperscan", "ahocorasick"])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("l4ntern L@NT3RN lantern 1an7ern", ["l4ntern", "L@NT3RN", "lantern", "1an7ern"]),
        ("ta1l-b0@t", ["ta1l-b0@t"]),
        ("tall boat", []),  # another word, though l and i are one class
        ("lanterns 14n73rnx 1 47", []),
        ("v3lbr1ns and velbrin7", ["v3lbr1ns", "velbrin7"]),
        ("x5y xsy", ["x5y"]),
        ("gate 9 and g8te 9 and g4te 9", ["gate 9", "g4te 9"]),
        ("été 1ante\u200brn", ["1ante\u200brn"]),
    ],
)
def test_substitutions(tmp_path: Path, engine: str, text: str, found: list[str]) -> None:
    pytest.importorskip("hyperscan") if engine == "hyperscan" else None
    assert [hit.found for hit in matcher(tmp_path, engine).in_text(text, "text")] == found
    assert [hit.found for hit in matcher(tmp_path, engine).in_bytes(f" {text}".encode("utf-16"))] == found


def test_off_by_default_and_never_for_numbers(tmp_path: Path) -> None:
    assert matcher(tmp_path, flag="false").in_text("l4ntern", "text") == []
    path = tmp_path / "a.csv"
    path.write_text(
        "term,category,severity,form,substitutions\nlantern,a,1,word,\nto,a,1,word,true\ntoes,a,1,word,true\nboat,a,1,word,perhaps\n"
    )
    libraries = load([path])
    assert [(problem.line, problem.reason) for problem in libraries.problems] == [
        (3, "'to' has fewer than 3 letters: with substitutions it would match numbers"),
        (5, "'boat' has the substitutions 'perhaps': true or false"),
    ]
    assert libraries.matcher().in_text("l4ntern 7035 703 t0 ", "text") == []


def test_a_file_of_nothing_else(tmp_path: Path) -> None:
    hits = matcher(tmp_path).in_bytes(b"lantern l4ntern " * 20_000)
    assert len(hits) == 100
    assert sum(1 + hit.repeats for hit in hits) == 10_000
