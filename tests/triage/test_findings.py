"""Findings: what the shipped rules make of observations, and how the book merges them."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from artefacts.observations import EncryptedItem, HashMatch, KeywordHit, Observation, YaraMatch
from artefacts.times import NOT_RECORDED, Timestamp
from rules.findings import load
from triage.findings import MAX_OBSERVATIONS, Finding, FindingBook, FindingEngine, sort_key

ENGINE = FindingEngine(load())


def stored(item: Observation, number: int = 1, *, source: str = "s1", path: str = "/Users/ann/x") -> dict[str, Any]:
    """An observation as the journal stores it."""
    provenance = {
        "source": source, "volume": "v1", "path": path, "locator": item.locator, "parser": "demo/1", "recovered": item.recovered,
    }  # fmt: skip
    return {"id": f"{number:016x}", **item.to_json(), "provenance": provenance}


def keyword(**changes: Any) -> KeywordHit:
    values: dict[str, Any] = {
        "term": "alpha", "category": "demo", "severity": 3, "where": "name", "context": "an alpha day", "library": "words", "user": "ann",
    }  # fmt: skip
    return KeywordHit(**values | changes)


def known_file(**changes: Any) -> HashMatch:
    values: dict[str, Any] = {
        "path": "/Users/ann/x", "algorithm": "sha256", "digest": "ab" * 32, "set_name": "Demo set", "size": 10, "size_matches": True,
        "label": "category demo", "code": "1",
    }  # fmt: skip
    return HashMatch(**values | changes)


def only(item: Observation, **where: Any) -> Finding:
    (finding,) = ENGINE.consider(stored(item, **where))
    return finding


# --- the shipped rules ---------------------------------------------------------------------------------------------------------------


def test_known_file() -> None:
    finding = only(known_file(hashes={"md5": "cd" * 16}, time=Timestamp(0)))
    assert (finding.rule, finding.indicates, finding.severity, finding.title) == (
        "hash.known_file",
        "found",
        5,
        "File on the alert list Demo set",
    )
    assert finding.explanation.endswith("The list calls it: category demo.")
    assert finding.hashes == {"md5": "cd" * 16, "sha256": "ab" * 32}
    assert finding.times == {"time": "1970-01-01T00:00:00Z"}
    assert (finding.source, finding.volume, finding.path, finding.allocated) == ("s1", "v1", "/Users/ann/x", True)


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_a_weak_algorithm_is_named(algorithm: str) -> None:
    finding = only(known_file(algorithm=algorithm, digest="ab"))
    assert finding.indicates == "found"
    assert f"The match rests on {algorithm} alone." in finding.explanation
    assert "The size is the same too." in finding.explanation
    assert "alone" not in only(known_file()).explanation


def test_a_weak_algorithm_without_a_size() -> None:
    finding = only(known_file(algorithm="md5", size_matches=None))
    assert finding.indicates == "found"
    assert "The size is the same" not in finding.explanation


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_another_size_weakens_to_refer(algorithm: str) -> None:
    finding = only(known_file(algorithm=algorithm, size_matches=False))
    assert (finding.rule, finding.indicates) == ("hash.size_differs", "refer")
    assert "Its size is not the one that the list gives." in finding.explanation


def test_an_unmapped_code_is_shown_as_such() -> None:
    finding = only(known_file(label=None, code="7"))
    assert "the code 7. No meaning for that code was loaded" in finding.explanation
    assert "code" not in only(known_file(label=None, code=None)).explanation


def test_deleted_and_remembered_files_are_told_apart() -> None:
    deleted = only(known_file(allocated=False, recovered=True))
    assert "The file has been deleted. Its content could still be read." in deleted.explanation
    assert deleted.allocated is False
    remembered = only(known_file(allocated=False, size=None, size_matches=None), path="/Windows/Amcache.hve")
    assert "The file itself was not seen. A record in /Windows/Amcache.hve remembers it." in remembered.explanation
    assert "could still be read" not in remembered.explanation


def test_an_ignore_set_gives_no_finding() -> None:
    assert ENGINE.consider(stored(known_file(role="ignore"))) == []


@pytest.mark.parametrize(
    ("where", "graded", "severity", "indicates"),
    [
        ("name", 3, 3, "note"), ("name", 4, 4, "refer"), ("title", 5, 5, "refer"), ("text", 1, 1, "note"), ("url", 3, 3, "note"),
        ("search_terms", 2, 3, "note"), ("search_terms", 3, 4, "refer"), ("search_terms", 5, 5, "refer"),
    ],
)  # fmt: skip
def test_keywords(where: str, graded: int, severity: int, indicates: str) -> None:
    finding = only(keyword(where=where, severity=graded))
    assert (finding.severity, finding.indicates, finding.category, finding.context) == (severity, indicates, "demo", "an alpha day")
    assert finding.rule == ("keyword.search" if where == "search_terms" else "keyword.met")
    assert finding.user == "ann"


@pytest.mark.parametrize("severity", [0, 6, -1])
def test_a_severity_out_of_range_falls_back(severity: int) -> None:
    assert only(keyword(severity=severity)).severity == 2


def test_keyword_categories_bear_on_conditions() -> None:
    assert only(keyword(category="anonymisers", where="search_terms")).bears_on == ["no_anonymisers"]
    assert only(keyword(category="deletion")).bears_on == ["no_wiping_software"]
    assert only(keyword()).bears_on == []


def test_yara_meta_is_used_where_it_is_valid() -> None:
    meta = {"severity": "4", "category": "wiper", "description": "a wiping tool", "innocent": "It may be a guide to one."}
    finding = only(YaraMatch(path="/a", rule="demo_rule", namespace="n", meta=meta, strings=("$a@0",)))
    assert (finding.severity, finding.indicates, finding.category, finding.context) == (4, "refer", "wiper", "$a@0")
    assert "What the rule looks for: a wiping tool." in finding.explanation
    assert finding.innocent_explanations[0] == "It may be a guide to one."
    assert finding.bears_on == ["no_wiping_software"]


@pytest.mark.parametrize("meta", [{}, {"severity": 9, "category": 3}, {"severity": True}, {"severity": "high", "category": ""}])
def test_yara_meta_that_is_not_valid(meta: dict[str, Any]) -> None:
    finding = only(YaraMatch(path="/a", rule="demo_rule", namespace="n", meta=meta))
    assert (finding.severity, finding.category, finding.indicates) == (4, "content pattern", "refer")
    assert "its author does not say" in finding.explanation
    assert all(finding.innocent_explanations)


@pytest.mark.parametrize(
    ("kind", "state", "rule", "indicates", "advice"),
    [
        ("bitlocker volume", "locked", "encryption.volume", "note", ["ask_for_key"]),
        ("luks volume", "unlocked", "encryption.volume", "note", ["keep_power"]),
        ("possible container volume", "unknown", "encryption.possible_volume", "note", ["ask_for_key"]),
        ("container", "locked", "encryption.container", "refer", ["ask_for_key"]),
        ("possible container", "unlocked", "encryption.container", "refer", ["ask_for_key", "keep_power"]),
        ("archive", "locked", "encryption.file", "note", ["ask_for_key"]),
    ],
)
def test_encryption(kind: str, state: str, rule: str, indicates: str, advice: list[str]) -> None:
    finding = only(EncryptedItem(kind=kind, path="Data", state=state), path="")
    assert (finding.rule, finding.indicates, finding.advice, finding.path) == (rule, indicates, advice, "Data")
    assert finding.bears_on == ["no_undeclared_encryption"]
    assert ("guess" in finding.explanation) is ("possible" in kind)


def test_other_observations_give_nothing() -> None:
    assert ENGINE.consider({"id": "1", "type": "SystemFact", "name": "n", "value": "v", "provenance": {}}) == []
    assert ENGINE.consider({"id": "1", "type": "SomethingNew", "provenance": {}}) == []


def test_evidence_is_never_a_template() -> None:
    finding = only(keyword(term="{library} {{7*7}}", context="{term}\x1b[31m\u202e"))
    assert finding.title == 'Keyword "{library} {{7*7}}" (name)'
    assert finding.context == "{term}\x1b[31m\u202e"


def test_lone_surrogates_survive() -> None:
    finding = only(keyword(term="a\udcffb"), path="/x\udcff")
    assert Finding.from_json(json.loads(json.dumps(finding.to_json()))) == finding


# --- the book ------------------------------------------------------------------------------------------------------------------------


def hits(count: int) -> list[dict[str, Any]]:
    """Observations of one group, of mixed strength, some deleted, some without a time."""
    made = []
    for number in range(count):
        item = keyword(
            severity=1 + number % 5, recovered=number % 3 == 0, locator=f"row={number}",
            time=Timestamp((number + 1) * 1_500_000_000) if number % 4 else NOT_RECORDED,
        )  # fmt: skip
        made.append(stored(item, number + 1, path=f"/f{number % 7}"))
    return made


def merged(observations: list[dict[str, Any]]) -> Finding:
    book = FindingBook()
    for observation in observations:
        for finding in ENGINE.consider(observation):
            book.add(finding)
    (finding,) = book.final()
    return finding


def test_a_group_is_the_same_in_any_order() -> None:
    observations = hits(250)
    expected = merged(observations)
    rng = random.Random(3)
    for _ in range(5):
        rng.shuffle(observations)
        assert merged(observations) == expected
    assert (expected.count, expected.severity, expected.indicates) == (250, 5, "refer")
    assert len(expected.observations) == MAX_OBSERVATIONS
    assert [example["path"] for example in expected.examples] == ["/f0", "/f0", "/f0"]
    assert expected.observations[:3] == [example["observation"] for example in expected.examples]
    assert expected.times["first"] == "1970-01-01T00:00:03Z"
    assert expected.times["last"] == "1970-01-01T00:06:15Z"


def test_an_observation_counts_once() -> None:
    twice = merged(hits(20) + hits(20))
    assert twice == merged(hits(20))
    assert (twice.count, len(twice.observations)) == (20, 20)


def test_live_examples_go_before_deleted_ones() -> None:
    deleted = stored(keyword(recovered=True), 1, path="/a")
    live = stored(keyword(), 2, path="/b")
    finding = merged([deleted, live])
    assert (finding.path, finding.allocated) == ("/b", True)
    assert [example["path"] for example in finding.examples] == ["/b", "/a"]


def test_groups_differ_by_term_where_user_and_source() -> None:
    base = stored(keyword())
    ids = {
        finding.id
        for observation in (
            base, stored(keyword(term="beta")), stored(keyword(where="title")), stored(keyword(user="bob")), stored(keyword(user=None)),
            stored(keyword(), source="s2"), stored(keyword(context="other"), 2),
        )
        for finding in ENGINE.consider(observation)
    }  # fmt: skip
    assert len(ids) == 6


def test_ids_do_not_depend_on_the_run() -> None:
    key = json.dumps(["keyword.met", "s1", "alpha", "name", "ann"])
    assert only(keyword()).id == hashlib.sha256(key.encode()).hexdigest()[:16]
    assert only(known_file(), number=5).id == only(known_file(label="other"), number=5).id != only(known_file(), number=6).id


def test_growth_is_journalled_at_powers_of_two() -> None:
    book = FindingBook()
    counts = []
    for number in range(1, 21):
        for finding in ENGINE.consider(stored(keyword(), number)):
            changed = book.add(finding)
            if changed is not None:
                counts.append(changed.count)
    assert counts == [1, 2, 4, 8, 16]
    assert [finding.count for finding in book.due()] == [20]
    assert book.due() == []
    assert [finding.count for finding in book.final()] == [20]


def test_a_graver_hit_is_journalled_at_once() -> None:
    book = FindingBook()
    for number in range(1, 4):
        book.add(only(keyword(severity=2), number=number))
    assert book.add(only(keyword(severity=2), number=4)) is not None
    assert book.add(only(keyword(severity=2), number=5)) is None
    graver = book.add(only(keyword(severity=5), number=6))
    assert graver is not None
    assert (graver.indicates, graver.count) == ("refer", 6)


def test_after_a_stop_only_what_the_journal_lacks_is_due() -> None:
    first, journal = FindingBook(), []
    for observation in hits(9):
        for finding in ENGINE.consider(observation):
            changed = first.add(finding)
            if changed is not None:
                journal.append(changed.to_json())
    journal.pop()  # killed between the observation and its finding
    again = FindingBook()
    for observation in hits(9):
        for finding in ENGINE.consider(observation):
            assert again.add(finding, replay=True) is None
    for data in journal:
        again.journalled(json.loads(json.dumps(data)))
    assert again.due() == first.final()
    assert again.due() == []


def test_report_order() -> None:
    book = FindingBook()
    for number, item in enumerate(
        [keyword(severity=1), known_file(), keyword(severity=5, term="beta"), keyword(severity=4, where="search_terms")], 1
    ):
        book.add(only(item, number=number))
    final = book.final()
    assert [(finding.indicates, finding.severity, finding.title) for finding in final] == [
        ("found", 5, "File on the alert list Demo set"), ("refer", 5, 'Keyword "beta" (name)'), ("refer", 5, 'Search for "alpha"'),
        ("note", 1, 'Keyword "alpha" (name)'),
    ]  # fmt: skip
    assert [sort_key(finding) for finding in final] == [sort_key(finding.to_json()) for finding in final]


def test_own_rules_work_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "- id: own.host\n  version: 2\n  category: demo\n  on: SystemFact\n  when: {field: value, matches: '^demo-'}\n  severity: 2\n"
        "  indicates: note\n  title: Host {value}\n  explanation: The host is {value}.\n  innocent_explanations: [It may be chance.]\n"
    )
    rules = load([tmp_path / "own.yaml"])
    assert rules.problems == []
    (finding,) = FindingEngine(rules).consider(
        {"id": "1", "type": "SystemFact", "name": "host name", "value": "DEMO-1", "provenance": {"source": "s1"}}
    )
    assert (finding.title, finding.rule_version, finding.path) == ("Host DEMO-1", 2, None)
