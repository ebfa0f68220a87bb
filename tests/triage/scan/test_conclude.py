"""Conclusions: fed in any order, drawn anew by every attempt, one that fails costs itself."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem, Status
from artefacts.observations import LogCleared, Observation, SystemFact
from triage import keys
from triage.report.exports import export
from triage.scan import conclude
from triage.scan.conclude import COLUMN, Conclusion, Conclusions, Context, Drawn, all_conclusions
from triage.scan.emit import observation_json
from triage.scan.examination import TimeUp
from triage.scan.job import Job, run
from triage.scan.profile import load_profile
from triage.scan.progress import make_progress
from triage.scan.run import Scan
from triage.scan.setup import Setup, SourceSetup


def _journalled(item: Observation, path: str = "/x") -> dict[str, Any]:
    return observation_json(item, source="s1", volume="v1", path=path, parser="test/1")


class Names(Conclusion):
    """Every fact's name, and how many files were listed."""

    name = "names"
    types = ("SystemFact",)
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.names: dict[str, str] = {}
        self.files: set[str] = set()

    def feed(self, observation: Mapping[str, Any]) -> None:
        self.names[observation["name"]] = observation["id"]

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        self.files.update(row[COLUMN["path"]] for row in rows if row[COLUMN["kind"]] == "file")

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        whole = "all" if self.context.complete else "some"
        yield Drawn(SystemFact(name=f"{whole} facts", value=", ".join(sorted(self.names))), "s1", rests_on=sorted(self.names.values()))
        yield LogCleared(log=f"{len(self.files)} files")


class Later(Conclusion):
    """What ``Names`` has drawn."""

    name = "a later one"
    stage = 2
    types = ("LogCleared",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.logs: list[str] = []

    def feed(self, observation: Mapping[str, Any]) -> None:
        self.logs.append(observation["log"])

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        yield SystemFact(name="drawn before", value=str(self.logs))
        yield Problem("one was too odd", Status.SKIPPED)


class Broken(Conclusion):
    name = "broken"
    types = ("SystemFact",)

    def feed(self, observation: Mapping[str, Any]) -> None:
        raise RuntimeError("odd")

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        yield SystemFact(name="never", value="")


def test_the_order_of_feeding_does_not_show() -> None:
    facts = [_journalled(SystemFact(name=f"fact {number}", value="x")) for number in range(40)]
    results = []
    for seed in range(3):
        random.Random(seed).shuffle(facts)
        conclusions = Conclusions(Context(sources=("s1",)), kinds=(Names, Later))
        for fact in facts:
            conclusions.feed(fact)
        results.append(list(conclusions.draw(complete=True)))
    assert results[0] == results[1] == results[2]
    drawn, cleared, later, problem = results[0]
    assert isinstance(drawn, dict) and drawn["name"] == "all facts" and drawn["provenance"]["parser"] == "names/1"
    assert sorted(fact["id"] for fact in facts) == drawn["provenance"]["rests_on"]
    assert isinstance(later, dict) and later["value"] == "['0 files']"
    assert isinstance(cleared, dict) and cleared["provenance"]["source"] == "s1" and cleared["provenance"]["rests_on"] == []
    assert problem == ("a later one", Problem("one was too odd", Status.SKIPPED))


def test_one_that_fails_is_said_and_the_others_go_on() -> None:
    conclusions = Conclusions(Context(), kinds=(Broken, Names))
    conclusions.feed(_journalled(SystemFact(name="a", value="b")))
    drawn = list(conclusions.draw(complete=False))
    assert [item["name"] for item in drawn if isinstance(item, dict) and "name" in item] == ["some facts"]
    assert drawn[-1] == ("broken", Problem("RuntimeError: odd"))


def test_more_than_a_report_can_hold_is_cut_off_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Broken):
        name = "endless"
        types = ()

        def conclude(self) -> Iterator[Drawn | Observation | Problem]:
            number = 0
            while True:
                number += 1
                yield SystemFact(name=str(number), value="")

    monkeypatch.setattr(conclude, "MOST_DRAWN", 7)
    drawn = list(Conclusions(Context(), kinds=(Endless,)).draw(complete=True))
    assert len(drawn) == 8 and drawn[-1][0] == "endless"  # type: ignore[index]


def test_conclusions_are_found_and_have_names_of_their_own() -> None:
    kinds = all_conclusions()
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert all(kind.types or kind.listing for kind in kinds)


class _Cut(Scan):
    """A scan whose time is up before anything is read."""

    def _read(self, *_: Any) -> None:
        raise TimeUp


def _perform(evidence: Path, case: Path, begin: Any) -> list[dict[str, Any]]:
    setup = Setup(profile=load_profile("standard"), sources={"s1": SourceSetup(str(evidence))})
    run(Job(setup=setup, case=case, signer=keys.case_signer(), workers=1, begin=begin), make_progress(quiet=True))
    return [json.loads(line) for line in (case / "journal.jsonl").read_bytes().splitlines()]


def test_cut_off_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conclude, "all_conclusions", lambda: (Names, Later))
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "os-release").write_text("x")
    (evidence / "b.txt").write_text("y")
    cut = _perform(evidence, tmp_path / "case", _Cut)
    said = [line["data"] for line in cut if line["kind"] == "observation"]
    assert [item["name"] for item in said if item["type"] == "SystemFact"] == ["some facts", "drawn before"]
    report = json.loads((tmp_path / "case" / "report.json").read_bytes())
    row = next(row for row in report["coverage"] if row["what"] == "conclusions from all records together")
    assert (row["status"], row["reason"]) == ("out_of_time", "drawn from what was read until then: the time allowed ran out")

    whole = _perform(evidence, tmp_path / "case", Scan)
    (withdrawn,) = (line["data"] for line in whole if line["kind"] == "withdrawn")
    assert withdrawn["observations"] == sorted(item["id"] for item in said)
    with io.BytesIO() as out:
        export(tmp_path / "case", "jsonl", out)
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["name"] for line in lines if line["type"] == "SystemFact"] == ["all facts", "drawn before"]
    assert [line["log"] for line in lines if line["type"] == "LogCleared"] == ["2 files"]
    assert all("rests_on" in line["provenance"] for line in lines if line["type"] == "LogCleared")
    report = json.loads((tmp_path / "case" / "report.json").read_bytes())
    assert report["observations"]["LogCleared"] == 1
    rows = [(row["status"], row["reason"]) for row in report["coverage"] if row["what"].startswith("conclusions")]
    assert rows == [("parsed", ""), ("skipped_by_rule", "a later one: one was too odd")]

    again = _perform(evidence, tmp_path / "case", Scan)
    assert len([line for line in again if line["kind"] == "observation"]) == len([line for line in whole if line["kind"] == "observation"])
    assert len([line for line in again if line["kind"] == "withdrawn"]) == 1
