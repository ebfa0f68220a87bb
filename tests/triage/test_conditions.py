"""Conditions of an order: a concern, met, or could not tell; each of the twelve checks against whole and broken coverage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from artefacts.registry import all_artefacts
from rules.conditions import Check, shipped
from rules.findings import load
from rules.findings.model import CHECKS
from triage.assessment import assess

CONCLUSIONS = "conclusions from all records together"
SYSTEMS = ("windows", "macos", "linux")
VOLUME = {"source": "s1", "id": "v1", "length": 10**9, "scheme": "mbr", "description": "NTFS", "encrypted": None, "unlocked": False, "status": "parsed"}  # fmt: skip
FILES = {"source": "s1", "volume": "v1", "what": "files: personal", "status": "parsed", "count": 9, "bytes": 900, "reason": ""}


def cover(what: str, status: str = "parsed", source: str = "s1", **changes: Any) -> dict[str, Any]:
    return {
        "source": source,
        "volume": "v1" if source else "",
        "what": what,
        "status": status,
        "count": 1,
        "bytes": 0,
        "reason": "",
        **changes,
    }


def finding(**changes: Any) -> dict[str, Any]:
    return {
        "id": "01", "rule": "demo", "severity": 3, "indicates": "refer", "title": "Title", "innocent_explanations": ["Innocent."], "bears_on": [],
        "advice": [], "source": "s1", "volume": "v1", "path": "/f", "allocated": True, "count": 1, **changes,
    }  # fmt: skip


def whole(check: Check, system: str, source: str = "s1") -> list[dict[str, Any]]:
    """Coverage that proves a check on a source with one system: of alternatives the last."""
    sections = [check.proof.get(name, ()) for name in ("case", "source", "system", system)]
    marks = [cover(shipped().systems[system][0], source=source)]
    names = {names[-1]: "" if number == 0 else source for number, section in enumerate(sections) for names in section}
    return [cover(name, source=where) for name, where in names.items() if name not in {item["what"] for item in marks}] + marks


def judge(
    check: str,
    coverage: list[dict[str, Any]],
    sources: tuple[str, ...] = ("s1",),
    findings: tuple[dict[str, Any], ...] = (),
    **changes: Any,
) -> dict[str, Any]:
    walked = [
        cover("file system", source=name)
        for name in sources
        if not any(c["what"] == "file system" and c["source"] == name for c in coverage)
    ]
    arguments: dict[str, Any] = {
        "findings": list(findings),
        "coverage": [FILES, *coverage, *walked],
        "volumes": [VOLUME | {"source": name} for name in sources],
        "sources": [{"id": name, "kind": "raw", "path": "/e"} for name in sources],
        "visit": {"conditions": [{"id": "3", "text": "The text.", "checks": [check]}]},
        "complete": True,
    }
    return assess(**arguments | changes)["conditions"][0]  # type: ignore[no-any-return]


def _provable() -> Iterator[Any]:
    for name, check in shipped().checks.items():
        for system in SYSTEMS:
            if system in check.proof:
                yield pytest.param(name, system, id=f"{name}-{system}")


PROVABLE = list(_provable())
UNPROVABLE = ("no_private_browsing", "monitoring_software_present")


def test_each_of_the_twelve_is_there_and_reads_what_exists() -> None:
    rules = shipped()
    assert not rules.problems
    assert tuple(rules.checks) == CHECKS and len(CHECKS) == 12
    known = {artefact.id for artefact in all_artefacts()} | {CONCLUSIONS, "file system", "software catalogue", "free space"}
    for check in rules.checks.values():
        for section in check.proof.values():
            for names in section:
                assert set(names) <= known, check.id
    assert {name for names in rules.systems.values() for name in names} <= known
    assert tuple(name for name, check in rules.checks.items() if not check.proof) == UNPROVABLE
    finding_rules = {rule.id for rule in load()}
    assert {rule for check in rules.checks.values() for rule in check.met_by} <= finding_rules


@pytest.mark.parametrize("name", CHECKS)
def test_some_finding_rule_bears_on_each(name: str) -> None:
    rules = [rule for rule in load() if name in rule.bears_on or any(name in item.bears_on for item in rule.also)]
    assert rules


@pytest.mark.parametrize(("name", "system"), PROVABLE)
def test_met_where_all_that_would_have_shown_otherwise_was_read(name: str, system: str) -> None:
    check = shipped().checks[name]
    result = judge(name, whole(check, system))
    assert result["outcome"] == "met", result
    assert result["reasons"] == ["Nothing relevant was found, and all that this check reads was read.", check.reads]
    assert result["not_checked"] == [] and result["could_hide"] == [check.could_hide]


@pytest.mark.parametrize(("name", "system"), PROVABLE)
def test_not_met_without_any_one_of_them(name: str, system: str) -> None:
    coverage = whole(shipped().checks[name], system)
    assert len(coverage) > 2
    for missing in coverage:
        rest = [item for item in coverage if item is not missing]
        if missing["what"] == "file system":
            continue  # judged below: without it nothing at all is said
        result = judge(name, rest)
        alone = any(
            missing["what"] in names
            for section in ("case", "source", "system", system)
            for names in shipped().checks[name].proof.get(section, ())
        )
        if alone or len(whole_systems(rest)) == 0:
            assert result["outcome"] == "could_not_tell", missing["what"]
            assert result["not_checked"]


def whole_systems(coverage: list[dict[str, Any]]) -> set[str]:
    return {system for system, marks in shipped().systems.items() if any(item["what"] in marks for item in coverage)}


@pytest.mark.parametrize(
    "status", ["missing", "unreadable", "unrecognised", "encrypted", "skipped_by_rule", "out_of_time", "failed", "of another version"]
)
@pytest.mark.parametrize(("name", "system"), PROVABLE)
def test_not_met_where_any_one_of_them_has_a_gap(name: str, system: str, status: str) -> None:
    check = shipped().checks[name]
    for section in ("case", "source", "system", system):
        for names in check.proof.get(section, ()):
            for what in names:
                if status == "missing" and len(names) > 1:
                    continue
                rest = [item for item in whole(check, system) if not (status == "missing" and item["what"] == what)]
                result = judge(name, [*rest, cover(what, status, "" if section == "case" else "s1")])
                assert result["outcome"] == "could_not_tell", what
                assert result["not_checked"]


@pytest.mark.parametrize("name", UNPROVABLE)
def test_what_nothing_can_prove_is_never_met(name: str) -> None:
    everything = [cover(artefact.id) for artefact in all_artefacts()] + [
        cover("software catalogue"),
        cover("free space"),
        cover(CONCLUSIONS, source=""),
    ]
    result = judge(name, everything)
    assert result["outcome"] == "could_not_tell"
    check = shipped().checks[name]
    assert result["not_checked"] == [check.unproved or check.could_hide]


def test_monitoring_software_is_met_where_it_was_found() -> None:
    there = finding(rule="software.required_there", indicates="note", severity=1, title="It runs", bears_on=["monitoring_software_present"])
    result = judge("monitoring_software_present", [], findings=(there,))
    assert (result["outcome"], result["reasons"]) == ("met", ["It runs"])
    gone = finding(rule="software.required_missing", title="It is gone", bears_on=["monitoring_software_present"])
    assert judge("monitoring_software_present", [], findings=(there, gone))["outcome"] == "concern"


@pytest.mark.parametrize("name", CHECKS)
def test_a_finding_that_bears_on_it_is_a_concern_whatever_was_read(name: str) -> None:
    check = shipped().checks[name]
    result = judge(name, whole(check, "windows") if check.proof else [], findings=(finding(bears_on=[name]),))
    assert result["outcome"] == "concern" and result["findings"] == ["01"]
    assert result["reasons"] == ["Observation relevant to condition 3: Title"]
    assert (result["strength"], result["innocent_explanations"]) == ("medium", ["Innocent."])
    assert judge(name, [], findings=(finding(bears_on=["another"]),))["outcome"] != "concern"


def test_a_slight_finding_is_no_concern_and_not_met_either() -> None:
    slight = finding(severity=1, indicates="note", bears_on=["no_p2p"])
    result = judge("no_p2p", whole(shipped().checks["no_p2p"], "windows"), findings=(slight,))
    assert (result["outcome"], result["findings"]) == ("could_not_tell", [])
    assert "Too slight to be a concern, but not cleared up: Title" in result["reasons"]


def test_a_data_drive_beside_the_computer_needs_no_records_of_a_system() -> None:
    check = shipped().checks["no_p2p"]
    stick = [cover("file system", source="s2"), cover("software catalogue", source="s2")]
    assert judge("no_p2p", [*whole(check, "windows"), *stick], ("s1", "s2"))["outcome"] == "met"
    assert judge("no_p2p", [*whole(check, "windows"), *stick[:1]], ("s1", "s2"))["outcome"] == "could_not_tell"
    alone = judge("no_p2p", [*stick, cover(CONCLUSIONS, source="")], ("s2",))
    assert alone["outcome"] == "could_not_tell"
    assert "No computer's system was found" in alone["not_checked"][0]


def test_a_second_system_needs_its_own_records() -> None:
    check = shipped().checks["no_p2p"]
    both = [*whole(check, "windows"), cover("linux.system.release")]
    assert judge("no_p2p", both)["outcome"] == "could_not_tell"
    broken = [*whole(check, "windows"), cover("linux.system.release", "failed")]
    assert judge("no_p2p", broken)["outcome"] == "could_not_tell"
    assert judge("no_p2p", [*whole(check, "windows"), cover("linux.system.release", "missing")])["outcome"] == "met"
    mac = judge(
        "declared_devices_only", whole(replace(check, proof={}), "macos") + whole(shipped().checks["declared_devices_only"], "windows")
    )
    assert "On macOS no record that is read can show this." in mac["not_checked"]


def test_not_met_where_anything_stands_in_the_way_of_the_whole_case() -> None:
    coverage = whole(shipped().checks["no_p2p"], "windows")
    assert judge("no_p2p", coverage)["outcome"] == "met"
    locked = VOLUME | {"id": "v2", "status": "encrypted", "encrypted": "bitlocker"}
    for changes in ({"complete": False}, {"volumes": [VOLUME, locked]}, {"sources": [], "volumes": []}):
        assert judge("no_p2p", coverage, **changes)["outcome"] == "could_not_tell", changes
    assert judge("no_p2p", [])["outcome"] == "could_not_tell"


def test_a_conclusion_that_crashed_is_not_met() -> None:
    coverage = whole(shipped().checks["no_wiping_software"], "windows")
    crashed = cover(CONCLUSIONS, "failed", "", reason="software: KeyError")
    assert judge("no_wiping_software", [*coverage, crashed])["outcome"] == "could_not_tell"
    without = [item for item in coverage if item["what"] != CONCLUSIONS]
    assert judge("no_wiping_software", without)["outcome"] == "could_not_tell"


def test_a_condition_of_two_checks_needs_both() -> None:
    coverage = whole(shipped().checks["no_p2p"], "windows")
    visit = {"conditions": [{"id": "3", "text": "T", "checks": ["no_p2p", "no_virtual_machines"]}]}
    assert judge("", coverage, visit=visit)["outcome"] == "met"
    visit = {"conditions": [{"id": "3", "text": "T", "checks": ["no_p2p", "no_private_browsing"]}]}
    assert judge("", coverage, visit=visit)["outcome"] == "could_not_tell"


def test_no_check_and_an_unknown_check() -> None:
    visit: dict[str, Any] = {"conditions": [{"id": "3", "text": "T", "checks": []}]}
    assert judge("", [], visit=visit)["reasons"] == ["This tool has no check for this condition."]
    unknown = judge("no_fun", [])
    assert unknown["outcome"] == "could_not_tell" and "This tool has no check called no_fun." in unknown["not_checked"]
