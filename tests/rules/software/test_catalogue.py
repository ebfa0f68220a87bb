"""The catalogue that ships: no mistake, no duplicate, enough programs; and what is said of files with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules import software
from rules.software import KINDS, load

GOOD = """category: tests
title: programs for tests
programs:
  - id: one
    name: One
    what: It does one thing.
    severity: 3
    innocent: Everybody has it.
    source: https://example.org/one
    exe: [one.exe, ~single]
"""


def test_shipped_catalogue_has_no_problem() -> None:
    catalogue = software.shipped()
    assert catalogue.problems == []
    assert len(catalogue) >= 250
    assert len({program.name for program in catalogue}) == len(catalogue), "a name is used twice"
    assert {trace.kind for program in catalogue for trace in program.traces} >= set(KINDS) - {"yara"}


def test_every_category_has_programs_and_everyday_products_are_facts() -> None:
    catalogue = software.shipped()
    categories = {program.category.id for program in catalogue}
    assert categories == {file.stem for file in software.SHIPPED.glob("*.yaml")}
    for everyday in ("whatsapp", "teamviewer", "onedrive", "dropbox", "seven_zip"):
        assert catalogue.programs[everyday].severity == 1


def test_words_are_plain() -> None:
    for program in software.shipped():
        text = f"{program.what} {program.innocent}".lower()
        assert not any(word in text for word in ("breach", "guilty", "prove", "criminal", "suspect")), program.id


def write(tmp_path: Path, text: str, name: str = "tests.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_good_file(tmp_path: Path) -> None:
    catalogue = load([write(tmp_path, GOOD)])
    assert catalogue.problems == []
    program = catalogue.programs["one"]
    assert [(trace.kind, trace.value, trace.strong) for trace in program.traces] == [("exe", "one.exe", True), ("exe", "single", False)]
    assert program.origin.endswith(":5") or program.origin.endswith(":4")


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("severity: 3", "severity: 9", 7, "severity is a whole number"),
        ("source: https://example.org/one", "source: http://example.org", 9, "source is a public address"),
        ("what: It does one thing.", "what: It does one thing", 6, "ends with a full stop"),
        ("exe: [one.exe, ~single]", "exe: [one.exe, ONE.EXE]", 10, "ONE.EXE is given twice"),
        ("exe: [one.exe, ~single]", "exe: [bin/one]", 10, "has no /"),
        ("exe: [one.exe, ~single]", "site: [example.org]", 4, "has no trace but sites"),
        ("exe: [one.exe, ~single]", 'exe: ["on*.exe"]', 10, "* stands only at the end"),
        ("exe: [one.exe, ~single]", "appid: [xyz]", 10, "jump list"),
        ("exe: [one.exe, ~single]", "colour: red", 10, "unknown key colour"),
        ("category: tests", "category: others", 1, "they must agree"),
    ],
)
def test_mistakes_are_told_by_line(tmp_path: Path, old: str, new: str, line: int, reason: str) -> None:
    assert old in GOOD
    catalogue = load([write(tmp_path, GOOD.replace(old, new))])
    assert any(problem.line == line and reason in problem.reason for problem in catalogue.problems), catalogue.problems


def test_two_programs_cannot_share_what_identifies_them(tmp_path: Path) -> None:
    twice = GOOD + GOOD.split("programs:\n")[1].replace("id: one", "id: two")
    catalogue = load([write(tmp_path, twice)])
    assert list(catalogue.programs) == ["one"]
    assert [problem.reason.split(",")[0] for problem in catalogue.problems] == ["one.exe is a strong trace of one too"]


def test_not_a_catalogue(tmp_path: Path) -> None:
    for text in ("- a\n- b\n", "{", "", "category: tests\n"):
        assert load([write(tmp_path, text)]).problems
    assert load([tmp_path / "missing.yaml"]).problems
