"""Traces of one program joined: what is said, how grave it is, and that clean machines stay quiet; and programs that must be there."""

from __future__ import annotations

import random
from typing import Any

import pytest

from artefacts.observations import RequiredSoftware, Software
from artefacts.times import Timestamp
from rules import findings
from triage.assessment import assess
from triage.findings import FindingEngine
from triage.reasoning.required_software import RequiredPrograms
from triage.reasoning.software import SoftwareSeen
from triage.scan.conclude import Conclusions, Context, Drawn
from triage.visit.visitfile import VisitError, parse_visit


def observed(number: int, kind: str, parser: str = "test/1", **fields: Any) -> dict[str, Any]:
    provenance = {"source": "s1", "volume": "v1", "path": "", "locator": "", "parser": parser, "recovered": False}
    return {"id": f"{number:016x}", "type": kind, **fields, "provenance": provenance}


def visit(*checks: str) -> dict[str, Any]:
    return {"conditions": [{"id": "1", "text": "x", "checks": list(checks)}], "required_software": []}


def concluded(observations: list[dict[str, Any]], *, complete: bool = True, checks: tuple[str, ...] = ()) -> dict[str, Software]:
    context = Context(visit=visit(*checks), sources=("s1",))
    conclusion = SoftwareSeen(context)
    for item in observations:
        conclusion.feed(item)
    context.complete = complete
    drawn = [item for item in conclusion.conclude() if isinstance(item, Drawn)]
    assert all(isinstance(item.observation, Software) for item in drawn)
    return {item.observation.software: item.observation for item in drawn if isinstance(item.observation, Software)}


BLEACHBIT = [
    observed(1, "InstalledProgram", name="BleachBit 4.6.0", how="uninstall entry", installed="2026-10-01T00:00:00Z"),
    observed(2, "ProgramRun", program="BLEACHBIT.EXE", path=None, how="Prefetch", time="2026-11-03T10:00:00Z", count=14),
    observed(3, "ProgramRun", program="BLEACHBIT.EXE", path=None, how="Prefetch", time="2026-11-01T10:00:00Z", count=None),
    observed(4, "PageVisit", url="https://example.org/", time="2026-11-20T10:00:00Z"),
    observed(
        5, "DeletedFile", path=r"C:\Program Files\BleachBit\bleachbit.exe", deleted="2026-11-04T09:00:00Z", how="recycle bin", user="anna"
    ),
    observed(6, "Download", url="https://download.bleachbit.org/BleachBit-4.6.0-setup.exe", path=None, started="2026-10-01T08:00:00Z"),
]


def test_what_the_traces_say_together() -> None:
    seen = concluded(BLEACHBIT)["bleachbit"]
    assert seen.state == "removed"
    assert seen.summary == "was installed, run 14 times, last on 3 November 2026, downloaded, now gone, deleted on 4 November 2026"
    assert (seen.runs, seen.users, seen.strength) == (14, ("anna",), "strong")
    assert seen.last_run == Timestamp.from_datetime(Timestamp(1793700000 * 10**9).to_datetime())
    assert (seen.severity, seen.bears_on) == (4, ("no_wiping_software",))
    assert {proof["seen"] for proof in seen.proofs} == {"installed", "run", "downloaded", "deleted"}


def test_the_order_of_feeding_does_not_matter() -> None:
    first = concluded(BLEACHBIT)["bleachbit"]
    for seed in range(5):
        again = list(BLEACHBIT)
        random.Random(seed).shuffle(again)
        assert concluded(again)["bleachbit"].to_json() == first.to_json()


def test_an_unfinished_scan_does_not_say_removed() -> None:
    seen = concluded([BLEACHBIT[1]], complete=False)["bleachbit"]
    assert seen.state == "remembered"
    assert concluded([BLEACHBIT[1]])["bleachbit"].state == "removed"


def test_a_search_or_a_visit_is_weak() -> None:
    seen = concluded([observed(1, "SearchQuery", terms="veracrypt", time="2026-11-01T00:00:00Z", last=None)])["veracrypt"]
    assert (seen.state, seen.severity, seen.summary) == ("looked for", 2, "looked for in a search")
    assert concluded([observed(1, "PageVisit", url="https://www.teamviewer.com/", time=None)]) == {}


def test_recent_use_weighs_more() -> None:
    old = observed(1, "ProgramRun", program="veracrypt.exe", path=None, how="x", time="2025-01-01T00:00:00Z", count=1)
    here = observed(
        2,
        "SoftwareTrace",
        software="veracrypt",
        trace="exe",
        value="VeraCrypt.exe",
        strength="strong",
        seen="present",
        path="/x/VeraCrypt.exe",
    )
    later = observed(3, "PageVisit", url="https://example.org/", time="2026-11-20T10:00:00Z")
    assert concluded([old, here, later])["veracrypt"].severity == 3
    new = {**old, "time": "2026-11-19T00:00:00Z"}
    assert concluded([new, here, later])["veracrypt"].severity == 4


def test_everyday_products_are_facts_unless_the_order_asks() -> None:
    items = [observed(1, "InstalledProgram", name="Dropbox", how="uninstall entry", installed=None)]
    assert concluded(items)["dropbox"].severity == 1
    assert concluded(items, checks=("no_cloud_storage",))["dropbox"].severity == 2
    assert concluded(items, checks=("no_p2p",))["dropbox"].severity == 1
    used = [*items, observed(2, "PageVisit", url="https://www.dropbox.com/home", time="2026-11-20T10:00:00Z")]
    assert concluded(used, checks=("no_cloud_storage",))["dropbox"].severity == 3


def test_what_comes_with_the_system_is_silent_until_used() -> None:
    there = [
        observed(1, "InstalledProgram", name="coreutils", identifier="coreutils:amd64", how="dpkg status", installed=None),
        observed(
            2, "SoftwareTrace", software="shred", trace="exe", value="shred", strength="strong", seen="present", path="/usr/bin/shred"
        ),
        observed(3, "InstalledProgram", name="Microsoft OneDrive", how="uninstall entry", installed=None),
        observed(
            4,
            "StartupItem",
            name="OneDrive",
            command=r"C:\Users\a\AppData\Local\Microsoft\OneDrive\OneDrive.exe /background",
            how="Run key",
        ),
        observed(5, "InstalledProgram", name="cryptsetup", identifier="cryptsetup:amd64", how="dpkg status", installed=None),
        observed(6, "FileSeen", path=r"C:\Windows\System32\cipher.exe", how="ShimCache", used=None),
    ]
    assert concluded(there) == {}
    used = [*there, observed(7, "ProgramRun", program="shred", path=None, how="bash history", time=None, count=3)]
    seen = concluded(used)["shred"]
    assert (seen.severity, seen.state, seen.summary) == (2, "part of the system", "run 3 times")
    ran = [*there, observed(8, "ProgramRun", program="ONEDRIVE.EXE", path=None, how="Prefetch", time=None, count=300)]
    assert concluded(ran, checks=("no_cloud_storage",))["onedrive"].severity == 1


def test_one_weak_trace_says_nothing() -> None:
    weak = observed(1, "ProgramRun", program="wipe", path=None, how="bash history", time=None, count=1)
    assert concluded([weak]) == {}
    both = [weak, observed(2, "InstalledProgram", name="wipe", identifier="wipe:amd64", how="dpkg status", installed=None)]
    assert concluded(both)["wipe"].severity == 3


def test_from_a_stick() -> None:
    run = observed(
        1, "ProgramRun", program="sdelete.exe", path=r"E:\tools\sdelete.exe", how="UserAssist", time="2026-11-03T10:00:00Z", count=1
    )
    seen = concluded([run])["sdelete"]
    assert (seen.state, seen.removable) == ("on another drive", True)


def test_rules_make_one_finding_of_a_program() -> None:
    conclusions = Conclusions(Context(sources=("s1",)), kinds=(SoftwareSeen,))
    for item in BLEACHBIT:
        conclusions.feed(item)
    engine = FindingEngine(findings.load())
    made = [finding for data in conclusions.draw(complete=True) if isinstance(data, dict) for finding in engine.consider(data)]
    assert [(finding.rule, finding.severity, finding.indicates) for finding in made] == [("software.seen", 4, "refer")]
    assert made[0].title.startswith("BleachBit: was installed, run 14 times")
    assert made[0].bears_on == ["no_wiping_software"]


VISIT = b"""reference: V1
officer: {name: A}
authority: {basis: order, reference: O1}
required_software:
  - {name: Watcher, exe: [watcher.exe], service: [WatcherSvc], stale_after_days: 3}
"""

SERVICE = observed(1, "StartupItem", name="WatcherSvc", how="service", start="automatic", command=None)
RAN = observed(
    2, "ProgramRun", program="watcher.exe", path=None, how="SRUM, 12 bytes received, 30 sent", time="2026-11-10T00:00:00Z", count=None
)
USED = observed(3, "PageVisit", url="https://example.org/", time="2026-11-12T00:00:00Z")
LATER = observed(4, "PageVisit", url="https://example.org/", time="2026-11-20T00:00:00Z")
GONE = observed(5, "DeletedFile", path=r"C:\x\watcher.exe", deleted="2026-11-11T00:00:00Z", how="recycle bin")
LIVE = observed(6, "ProgramRun", program="watcher.exe", path=None, how="running now", time="2026-11-20T00:00:00Z", count=None)


@pytest.mark.parametrize(
    ("observations", "complete", "state", "rule"),
    [
        ([SERVICE, RAN, USED], True, "ran", "software.required_there"),
        ([SERVICE, LIVE], True, "running", "software.required_there"),
        ([SERVICE, RAN, LATER], True, "stopped", "software.required_missing"),
        ([{**SERVICE, "start": "disabled"}, RAN], True, "switched off", "software.required_missing"),
        ([RAN, GONE, USED], True, "removed", "software.required_missing"),
        ([RAN, GONE, USED], False, "could not tell", "software.required_unclear"),
        ([SERVICE], True, "installed", "software.required_unclear"),
        ([USED], True, "not found", "software.required_missing"),
        ([USED], False, "could not tell", "software.required_unclear"),
    ],
)
def test_required_software(observations: list[dict[str, Any]], complete: bool, state: str, rule: str) -> None:
    checked = parse_visit(VISIT).to_json()
    assert checked["required_software"][0]["stale_after_days"] == 3
    conclusions = Conclusions(Context(visit=checked, sources=("s1",)), kinds=(RequiredPrograms,))
    for item in observations:
        conclusions.feed(item)
    drawn = [data for data in conclusions.draw(complete=complete) if isinstance(data, dict)]
    assert [(data["type"], data["state"]) for data in drawn] == [(RequiredSoftware.__name__, state)]
    engine = FindingEngine(findings.load())
    assert [finding.rule for finding in engine.consider(drawn[0])] == [rule]
    if RAN in observations:
        assert drawn[0]["last_contact"] == "2026-11-10T00:00:00Z"


def test_mistakes_in_required_software_are_told() -> None:
    for wrong in (b"{exe: [a.exe]}", b"{name: A}", b"{name: A, exe: [a], stale_after_days: 0}", b"{name: A, colour: red}"):
        with pytest.raises(VisitError):
            parse_visit(VISIT.split(b"  - {")[0] + b"  - " + wrong + b"\n")


def test_the_condition_is_met_only_where_the_program_runs() -> None:
    checked = parse_visit(VISIT + b"conditions: [{id: 1, text: Keep it on., checks: [monitoring_software_present]}]\n").to_json()
    for observations, outcome in (([SERVICE, RAN, USED], "met"), ([SERVICE], "could_not_tell"), ([SERVICE, RAN, LATER], "concern")):
        conclusions = Conclusions(Context(visit=checked, sources=("s1",)), kinds=(RequiredPrograms,))
        for item in observations:
            conclusions.feed(item)
        engine = FindingEngine(findings.load())
        made = [made.to_json() for data in conclusions.draw(complete=True) if isinstance(data, dict) for made in engine.consider(data)]
        result = assess(findings=made, coverage=[], volumes=[], sources=[], visit=checked, complete=True)
        assert result["conditions"][0]["outcome"] == outcome, result["conditions"]
