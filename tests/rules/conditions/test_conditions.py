"""Checks, weights, gaps and advice as data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rules import conditions
from rules.findings.model import CHECKS


def test_what_ships_is_sound_and_whole() -> None:
    rules = conditions.shipped()
    assert not rules.problems and tuple(rules.checks) == CHECKS
    assert set(rules.weights.severity) == {1, 2, 3, 4, 5}
    assert list(rules.weights.severity.values()) == sorted(rules.weights.severity.values())
    assert rules.gaps[-1].what == "*", "every gap is said somehow"
    assert rules.gap("browsers.firefox.history").hides.startswith("Pages") and rules.gap("never heard of").weight > 0
    yaml = {path.name for path in conditions.SHIPPED.glob("*.yaml")}
    assert yaml == set(conditions.FILES)


CHECK = "title: T\nmeans: Keep it.\nreads: History.\ncould_hide: Much.\n"


@pytest.mark.parametrize(
    ("name", "text", "line", "reason"),
    [
        ("keep_history.yaml", CHECK + "colour: red\n", 5, "unknown key colour"),
        ("keep_history.yaml", "title: T\n", 1, "means, reads, could_hide missing"),
        ("keep_history.yaml", CHECK + "proof: [browser]\n", 5, "is not a mapping of keys"),
        ("keep_history.yaml", CHECK + "proof:\n  solaris: [browser]\n", 6, "unknown key solaris"),
        ("keep_history.yaml", CHECK + "proof:\n  linux: []\n", 6, "linux is a list of names"),
        ("keep_history.yaml", CHECK + "proof:\n  linux: [a, [b, 3]]\n", 6, "1 is a list of names"),
        ("keep_history.yaml", CHECK + "met_by: one\n", 5, "met_by is a list of names"),
        ("keep_history.yaml", CHECK + "title: U\n", 5, "title is given twice"),
        ("keep_history.yaml", "- x\n", 1, "is not a mapping of keys"),
        ("keep_history.yaml", "title: [\n", 2, ""),
        ("advice.yaml", "a: Do this.\nb: [x]\n", 2, "b is a sentence"),
        ("weights.yaml", "severity: {1: 1, 2: 2, 3: x, 4: 4, 5: 5}\ndeleted: 1\nagain: 1\ncounter: {all_deleted: {weight: 1, say: a}, several_users: {weight: 1, say: a}, one_record: {weight: 1, say: a}}\n", 1, "3 is a whole number"),
        ("weights.yaml", "severity: {}\ndeleted: 1\nagain: 1\ncounter: {}\n", 1, "1, 2, 3, 4, 5 missing"),
        ("gaps.yaml", "hides: x\nkinds: {}\ncoverage: []\n", 2, "unfinished, locked, no_files, volume, source, left_out missing"),
        ("gaps.yaml", "hides: x\nkinds: {}\ncoverage: [{what: a, weight: 1, hides: b, skipped: perhaps}]\n", 3, "skipped and blocks are true or false"),
        ("systems.yaml", "windows: [a]\n", 1, "macos, linux missing"),
    ],
)  # fmt: skip
def test_faults_are_named_and_the_rest_is_used(tmp_path: Path, name: str, text: str, line: int, reason: str) -> None:
    folder = tmp_path / "c"
    shutil.copytree(conditions.SHIPPED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / name).write_text(text)
    rules = conditions.load(folder)
    assert [(Path(problem.file).name, problem.line) for problem in rules.problems] == [(name, line)]
    assert reason in rules.problems[0].reason
    assert len(rules.checks) >= 11 and rules.advice


def test_missing_files(tmp_path: Path) -> None:
    rules = conditions.load(tmp_path)
    assert len(rules.problems) == len(conditions.FILES) and not rules.checks
