"""A baseline: no content in it, signed, and what a second visit makes of it."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from artefacts import observations as o
from artefacts.times import Timestamp
from rules import findings
from triage import keys
from triage.baseline import digest
from triage.findings import FindingEngine
from triage.journal import Journal
from triage.reasoning.since_last_visit import SinceTheLastVisit
from triage.scan.conclude import Conclusions, Context
from triage.scan.emit import observation_json

T0 = int(time.time()) // 86_400 * 86_400  # the end of the last visit is the clock of this computer


def _visit(day: int, number: int, user: str = "ann") -> o.PageVisit:
    return o.PageVisit(
        url=f"https://private.example/{number}",
        time=Timestamp((T0 + day * 86_400 + number) * 10**9),
        browser="Chrome",
        profile="Default",
        user=user,
    )


def _then() -> list[o.Observation]:
    return [
        o.SystemFact(name="computer name", value="KITCHEN-PC"),
        o.UserAccount(name="ann", identifier="S-1-5-21-1-2-3-1001"),
        o.InstalledProgram(name="Secret Notes 7"),
        o.Software(software="bleachbit", name="BleachBit", what="a cleaner", category="wipers", state="installed", summary="", severity=3, why="", strength="strong", innocent=""),
        o.Device(kind="phone", title="Example Phone 4", identifiers=("imei:490154203237518",)),
        o.KnownNetwork(name="Home"),
        *[_visit(day, number) for day in range(-40, -1) for number in range(5)],
    ]  # fmt: skip


def _case(folder: Path, items: list[o.Observation], *, complete: bool = True) -> Path:
    folder.mkdir()
    with_journal = Journal(folder / "journal.jsonl")
    with_journal.append("case_opened", {"tool": {"name": "triage"}, "case_id": "visit-1", "visit": None})
    with_journal.append("scan_started", {"attempt": 1})
    with_journal.append("source_opened", {"id": "s1", "kind": "folder", "path": "/x", "size": None, "files": [], "facts": {}})
    for item in items:
        with_journal.append("observation", observation_json(item, source="s1", volume="v1", path="/p", parser="test/1"))
    with_journal.append("scan_finished", {"complete": complete, "reason": ""})
    with_journal.close()
    return folder


@pytest.fixture
def made(tmp_path: Path) -> digest.Baseline:
    path = tmp_path / "base.json"
    path.write_bytes(digest.make(_case(tmp_path / "case", _then()), keys.case_signer()))
    return digest.load(path)


def _drawn(baseline: digest.Baseline, items: list[o.Observation]) -> list[Any]:
    results = []
    for seed in (1, 2):
        order = [observation_json(item, source="s1", volume="v1", path="/p", parser="test/1") for item in items]
        random.Random(seed).shuffle(order)
        conclusions = Conclusions(Context(sources=("s1",), baseline=baseline), kinds=(SinceTheLastVisit,))
        for item in order:
            conclusions.feed(item)
        results.append(list(conclusions.draw(complete=True)))
    assert results[0] == results[1]
    return results[0]


def _said(drawn: list[Any]) -> list[tuple[Any, ...]]:
    return sorted((item["change"], item["what"], item["name"] or "", item["count"]) for item in drawn if isinstance(item, dict))


def test_no_content_is_in_it(tmp_path: Path) -> None:
    data = digest.make(_case(tmp_path / "case", _then()), keys.case_signer())
    for word in (b"KITCHEN", b"ann", b"Secret", b"490154203237518", b"private.example", b"Home", b"S-1-5"):
        assert word not in data
    assert b"bleachbit" in data  # an entry of our own catalogue, that it may be named when it is gone
    assert len(data) < 8_000


def test_nothing_changed_says_nothing(made: digest.Baseline) -> None:
    assert _drawn(made, _then()) == []


def test_new_gone_and_fewer(made: digest.Baseline) -> None:
    kept = [item for item in _then() if not isinstance(item, o.PageVisit | o.Software | o.InstalledProgram)]
    now = [
        *kept,
        o.Device(kind="USB storage", title="Example Stick", identifiers=("serial:AA1",)),
        *[_visit(0, number) for number in range(30)],
        *[_visit(-20, 1)],
    ]
    drawn = _drawn(made, now)
    assert _said(drawn) == [
        ("fewer", "history", "Chrome Default", 194), ("gone", "program", "", 1), ("gone", "program", "bleachbit", 1), ("new", "device", "Example Stick", 1),
    ]  # fmt: skip
    engine = FindingEngine(findings.load([]))
    found = {finding.rule: finding for item in drawn for finding in engine.consider(item)}
    assert set(found) == {"since.history_fewer", "since.new", "since.program_gone"}
    assert found["since.history_fewer"].severity == 3 and found["since.new"].severity == 2
    assert (
        "of 195 visits from" in found["since.history_fewer"].explanation and "1 are there now" in found["since.history_fewer"].explanation
    )


def test_history_that_a_browser_lets_go_by_age_is_no_loss(made: digest.Baseline) -> None:
    others = [item for item in _then() if not isinstance(item, o.PageVisit)]
    assert _said(_drawn(made, [*others, *[_visit(100, number) for number in range(50)]])) == []


def test_another_device_is_not_compared(made: digest.Baseline) -> None:
    (problem,) = _drawn(made, [o.SystemFact(name="computer name", value="OTHER"), o.InstalledProgram(name="X")])
    assert "no device of the last visit could be recognised" in problem[1].reason


def test_recovered_records_are_no_sign_that_a_thing_is_there(made: digest.Baseline) -> None:
    gone = [item for item in _then() if not isinstance(item, o.InstalledProgram)]
    remnant = o.InstalledProgram(name="Secret Notes 7", recovered=True)
    assert _said(_drawn(made, [*gone, remnant])) == [("gone", "program", "", 1)]


def test_an_incomplete_last_visit_is_said(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    path.write_bytes(digest.make(_case(tmp_path / "case", _then(), complete=False), keys.case_signer()))
    drawn = _drawn(digest.load(path), _then())
    assert ["not complete" in item[1].reason for item in drawn] == [True]


@pytest.mark.parametrize(
    "change", [("visit-1", "visit-2"), ('"signature": "', '"signature": "AA'), ('\\"complete\\": true', '\\"complete\\": false')]
)
def test_a_changed_baseline_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "base.json"
    text = digest.make(_case(tmp_path / "case", _then()), keys.case_signer()).decode()
    assert change[0] in text
    path.write_text(text.replace(*change))
    with pytest.raises(digest.BaselineError, match="was changed after it was made"):
        digest.load(path)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"[" * 100_000, b'{"body": "{}", "public_key": 3, "signature": null}', b"\xff\xfe\0"])
def test_what_is_no_baseline_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "base.json"
    path.write_bytes(data)
    with pytest.raises(digest.BaselineError, match="is no baseline"):
        digest.load(path)


def test_damaged_baselines_never_raise_anything_else(tmp_path: Path) -> None:
    data = digest.make(_case(tmp_path / "case", _then()), keys.case_signer())
    path, chance = tmp_path / "base.json", random.Random(5)
    for _ in range(200):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            copy[chance.randrange(len(copy))] = chance.randrange(256)
        path.write_bytes(bytes(copy[: chance.randrange(1, len(copy))] if chance.random() < 0.3 else copy))
        if path.read_bytes() != data:
            try:
                digest.load(path)
            except digest.BaselineError:
                continue
            assert json.loads(path.read_bytes())["body"] == json.loads(data)["body"]
