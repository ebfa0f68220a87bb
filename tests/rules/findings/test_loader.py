"""Rules are read one by one; what is wrong is named with file and line, the rest is used."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rules.conditions import shipped
from rules.findings import load
from rules.findings.loader import SHIPPED
from rules.findings.model import CHECKS

SOUND = """\
- id: demo.one
  version: 1
  category: demo
  on: KeywordHit
  when: {field: where, equals: name}
  severity: 2
  indicates: note
  title: Word {term}
  explanation: The word {term} was met.
  innocent_explanations: [It may mean something else.]
"""


def added(tmp_path: Path, text: str) -> tuple[list[str], list[str]]:
    """Ids of the rules that an extra file adds, and the problems it gives."""
    path = tmp_path / "extra.yaml"
    path.write_text(text)
    rules = load([path])
    shipped_ids = {rule.id for rule in load()}
    return [rule.id for rule in rules if rule.id not in shipped_ids], [
        str(problem).replace(str(path), "extra.yaml") for problem in rules.problems
    ]


def test_shipped_rules_are_sound() -> None:
    rules = load()
    assert rules.problems == []
    assert {rule.origin.rpartition(":")[0] for rule in rules} == {str(file) for file in SHIPPED.glob("*.yaml")}
    for rule in rules:
        assert rule.innocent_explanations
        for key in [*rule.advice, *(key for item in rule.also for key in item.advice)]:
            assert key in shipped().advice


def test_a_new_rule_is_one_new_entry(tmp_path: Path) -> None:
    assert added(tmp_path, SOUND) == (["demo.one"], [])
    assert load([tmp_path]).digest != load().digest


def test_digest_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND)
    first = load([tmp_path / "a.yaml"]).digest
    assert first == load([tmp_path / "a.yaml"]).digest
    (tmp_path / "a.yaml").write_text(SOUND + "\n")
    assert first != load([tmp_path / "a.yaml"]).digest


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("id: demo.one", "id: Demo One", 1, "lower-case"),
        ("id: demo.one", "id: hash.known_file", 1, "used already"),
        ("version: 1", "version: none", 2, "whole number"),
        ("on: KeywordHit", "on: Nothing", 4, "not an observation type"),
        ("field: where", "field: wehre", 5, "no field wehre"),
        ("equals: name", "is: name", 5, "not a test"),
        ("severity: 2", "severity: 6", 6, "1 to 5"),
        ("severity: 2", "severity: {from: nowhere}", 6, "no field nowhere"),
        ("indicates: note", "indicates: {1: refer, 3: note}", 7, "cannot indicate less"),
        ("indicates: note", "indicates: guilty", 7, "found, refer or note"),
        ("Word {term}", "Word {tern}", 8, "no field tern"),
        ("Word {term}", "'Word {'", 8, "brace"),
        ("[It may mean something else.]", "[]", 10, "at least one"),
        ("[It may mean something else.]", "['{context|}']", 10, "sentence of its own"),
        ("  version: 1\n", "", 1, "version missing"),
        ("  version: 1\n", "  version: 1\n  version: 2\n", 3, "given twice"),
        ("  version: 1\n", "  version: 1\n  color: red\n", 3, "unknown key color"),
        ("  version: 1\n", "  version: 1\n  bears_on: [no_fun]\n", 3, "not a check"),
        ("  version: 1\n", "  version: 1\n  group: [term, nowhere]\n", 3, "no field nowhere"),
        ("  version: 1\n", "  version: 1\n  also:\n    - {say: x}\n", 4, "has when"),
        ("  version: 1\n", "  version: 1\n  also:\n    - when: {field: zzz, exists: true}\n      say: x\n", 4, "no field zzz"),
    ],
)
def test_a_wrong_entry_costs_only_itself(tmp_path: Path, old: str, new: str, line: int, word: str) -> None:
    assert old in SOUND
    other = SOUND.replace("demo.one", "demo.two")
    ids, problems = added(tmp_path, SOUND.replace(old, new, 1) + other)
    assert ids == ["demo.two"]
    assert problems
    assert problems[0].startswith(f"extra.yaml:{line}: ")
    assert any(word in problem for problem in problems)


def test_files_that_are_no_rules(tmp_path: Path) -> None:
    assert added(tmp_path, "a: [\n")[1][0].startswith("extra.yaml:2: is not valid YAML")
    assert "not a list of rules" in added(tmp_path, "a: 1\n")[1][0]
    assert "a rule is a mapping" in added(tmp_path, "- 7\n")[1][0]
    missing = load([tmp_path / "absent.yaml"])
    assert len(missing) == len(load())
    assert "cannot be read" in missing.problems[0].reason
    (tmp_path / "folder").mkdir()
    assert "no rule file" in load([tmp_path / "folder"]).problems[0].reason


def test_damaged_rule_files_never_raise(tmp_path: Path) -> None:
    sound = (SHIPPED / "hash_sets.yaml").read_bytes()
    path = tmp_path / "damaged.yaml"
    rng = random.Random(11)
    reported = 0
    for _ in range(40):
        data = bytearray(sound[: rng.randrange(1, len(sound))])
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        reported += bool(load([path]).problems)
    assert reported >= 38  # the ids are in use already, so nearly any reading must say something


def test_every_check_has_words() -> None:
    assert set(shipped().checks) == set(CHECKS)
    assert shipped().problems == []
