"""A look at the devices of a room: a sealed case with a ledger, findings and what could not be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem, Status
from artefacts.observations import AttachedDevice, Observation
from triage.commands import devices as command
from triage.devices import survey
from triage.journal import read
from triage.keys import case_signer
from triage.report.verify import verify
from triage.scan.job import run
from triage.scan.progress import make_progress

VISIT: dict[str, Any] = {
    "reference": "V1", "officer": {"name": "A", "number": None, "force": None}, "subject": {"reference": None},
    "authority": {"basis": "order", "reference": "O1"}, "scope": {"from": None, "to": None, "exclude_users": []}, "keywords": [],
    "declared_devices": [{"kind": "phone", "serial": "R58N12345AB", "mac": []}],
    "conditions": [{"id": "1", "text": "Declare every device", "checks": ["declared_devices_only"]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("survey") / "case"

    def gather(_: Any) -> Iterator[Observation | Problem]:
        yield AttachedDevice(kind="phone", serial="R58N12345AB", maker="Samsung", how="attached now")
        yield AttachedDevice(kind="USB storage", serial="4C530001234567891011", maker="SanDisk", model="Cruzer Blade", how="attached now")
        yield Problem("one list was locked", Status.UNREADABLE)

    def broken(_: Any) -> Iterator[Observation | Problem]:
        raise PermissionError(13, "not allowed")
        yield

    outcome = run(
        survey.job(
            folder,
            case_signer(),
            VISIT,
            [survey.Gatherer("devices attached now", gather), survey.Gatherer("other list", broken)],
            [],
            [survey.Touch("wrote here", "told to")],
        ),
        make_progress(quiet=True),
    )
    assert outcome.gaps
    return folder


def test_the_report_has_the_ledger_and_the_gaps(case: Path) -> None:
    report = json.loads((case / "report.json").read_bytes())
    assert [(device["title"], device["declared"]) for device in report["devices"]] == [
        ("SanDisk Cruzer Blade", "not declared"),
        ("Samsung phone", "declared"),
    ]
    [finding] = [item for item in report["findings"] if item["rule"].startswith("device.")]
    assert finding["rule"] == "device.undeclared" and finding["indicates"] == "refer" and finding["bears_on"] == ["declared_devices_only"]
    assert report["assessment"]["outcome"] == "refer" and report["assessment"]["conditions"][0]["outcome"] == "concern"
    gaps = {(line["what"], line["status"]): line["reason"] for line in report["coverage"]}
    assert gaps["devices attached now", "unreadable"] == "one list was locked" and gaps["other list", "failed"] == "not allowed"
    assert verify(case).exit_code == 0
    page = (case / "report.html").read_text("utf-8")
    assert (
        "Where is the SanDisk Cruzer Blade last connected" not in page
        and "Where is the SanDisk Cruzer Blade that was connected here?" in page
    )


def test_the_command_lists_a_case(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal.jsonl").write_bytes((case / "journal.jsonl").read_bytes())
    command._say(command._of_case(tmp_path, None), False)
    out = capsys.readouterr().out
    assert "1. SanDisk Cruzer Blade (USB storage): not declared" in out and "2. Samsung phone (phone): declared" in out
    visit = tmp_path / "visit.yaml"
    visit.write_text(
        "reference: V\nofficer: {name: A}\nauthority: {basis: order, reference: O}\ndeclared_devices:\n  - {kind: USB stick, serial: 4C530001234567891011}\n"
    )
    command._say(command._of_case(tmp_path, visit), True)
    assert {device["title"]: device["declared"] for device in json.loads(capsys.readouterr().out)} == {
        "SanDisk Cruzer Blade": "declared",
        "Samsung phone": "not declared",
    }


def test_without_an_authority_the_room_is_not_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.devices(case=tmp_path / "new", visit=None, as_json=False)
    assert stopped.value.code == 2 and not (tmp_path / "new").exists()


def test_an_empty_list_of_declared_devices_is_never_met(tmp_path: Path) -> None:
    def gather(_: Any) -> Iterator[Observation | Problem]:
        yield AttachedDevice(kind="phone", serial="R58N12345AB", maker="Samsung", how="attached now")

    run(
        survey.job(tmp_path / "c", case_signer(), {**VISIT, "declared_devices": []}, [survey.Gatherer("devices", gather)], []),
        make_progress(quiet=True),
    )
    report = json.loads((tmp_path / "c/report.json").read_bytes())
    assert [item["rule"] for item in report["findings"]] == ["device.unclear"] and report["assessment"]["conditions"][0][
        "outcome"
    ] == "could_not_tell"


def test_what_is_written_to_the_computer_itself_is_journalled(case: Path, tmp_path: Path) -> None:
    touches = [record.data for record in read(case / "journal.jsonl") if record.kind == "touch"]
    assert touches[0] == {"what": "wrote here", "why": "told to"} and touches[1]["what"] == "devices attached now"
    assert survey.on_own_drive(tmp_path / "new") == (tmp_path.stat().st_dev == Path("/").stat().st_dev)


def test_one_gatherer_that_fails_costs_only_itself(tmp_path: Path) -> None:
    def broken(_: Any) -> Iterator[Observation | Problem]:
        yield AttachedDevice(kind="phone", serial="R58N12345AB", maker="Samsung", how="attached now")
        raise ValueError("hostile")

    run(
        survey.job(tmp_path / "c", case_signer(), VISIT, [survey.Gatherer("list", broken, "network/1", "/t.csv")], []),
        make_progress(quiet=True),
    )
    report = json.loads((tmp_path / "c/report.json").read_bytes())
    assert [(line["status"], line["reason"]) for line in report["coverage"] if line["what"] == "list"] == [
        ("failed", "ValueError('hostile')"),
        ("parsed", ""),
    ]
    [seen] = [
        record.data
        for record in read(tmp_path / "c/journal.jsonl")
        if record.kind == "observation" and record.data["type"] == "AttachedDevice"
    ]
    assert (seen["provenance"]["parser"], seen["provenance"]["path"]) == ("network/1", "/t.csv")


@pytest.mark.parametrize("options", [{"listen": "soon"}, {"listen": "0s"}, {"ask": True}, {"router_table": [Path("/none")]}])
def test_wrong_usage_and_no_authority_end_before_anything_is_done(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.devices(
            **{"case": tmp_path / "new", "visit": None, "listen": None, "ask": False, "router_table": None, "as_json": False, **options}
        )
    assert stopped.value.code == 2 and not (tmp_path / "new").exists()


def test_a_look_that_was_taken_is_listed_again(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (case / "journal.jsonl").read_bytes()
    with pytest.raises(SystemExit) as stopped:
        command.devices(case=case, visit=None)
    assert stopped.value.code == 0 and (case / "journal.jsonl").read_bytes() == before
    assert "1. SanDisk Cruzer Blade (USB storage): not declared" in capsys.readouterr().out


def test_the_case_of_a_scan_is_not_looked_at_anew(case: Path, tmp_path: Path) -> None:
    lines = (case / "journal.jsonl").read_bytes().replace(b'"sources":{}', b'"sources":{"s1":["/x",false]}', 1).splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_bytes(lines[0])
    with pytest.raises(SystemExit) as stopped:
        command.devices(case=tmp_path, visit=None, ask=True)
    assert stopped.value.code == 2
