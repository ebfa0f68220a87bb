"""A running scan does what the person at the keyboard asks: it waits, goes on, stops and takes notes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from triage import keys
from triage.report.verify import verify
from triage.scan.control import Control
from triage.scan.job import Job, run
from triage.scan.profile import load_profile
from triage.scan.progress import LineProgress
from triage.scan.setup import Setup, SourceSetup

PATIENCE = 60.0


class _AtPhase(LineProgress):
    """Calls ``then`` when a phase begins, in the thread of the scan."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        super().__init__(quiet=True)
        self._name, self._then = name, then

    def phase(self, name: str, *, files: int = 0, size: int = 0) -> None:
        if name == self._name:
            self._then()


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    root = tmp_path / "evidence"
    root.mkdir()
    for number in range(600):
        (root / f"file {number:03d}.dat").write_bytes(bytes([number % 251]) * 5000)
    return root


def _job(tmp_path: Path, evidence: Path, **options: Any) -> Job:
    setup = Setup(profile=load_profile("standard"), sources={"s1": SourceSetup(str(evidence))})
    return Job(setup=setup, case=tmp_path / "case", signer=keys.case_signer(), workers=1, **options)


def _journal(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "case" / "journal.jsonl").read_bytes().splitlines()]


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


def test_pause_really_pauses_and_its_time_is_given_back(tmp_path: Path, evidence: Path) -> None:
    job = _job(tmp_path, evidence, time_budget=3600)
    control = job.control
    thread = threading.Thread(target=run, args=(job, _AtPhase("read", control.pause)))
    thread.start()
    try:
        _until(lambda: control.holding)
        workers = [process for process in psutil.Process().children(recursive=True) if process.status() == psutil.STATUS_STOPPED]
        assert workers
        used = [worker.cpu_times().user for worker in workers]
        assert control.note("note", "written while it waits")
        size = 0
        _until(lambda: b"written while it waits" in (tmp_path / "case" / "journal.jsonl").read_bytes())
        size = (tmp_path / "case" / "journal.jsonl").stat().st_size
        time.sleep(0.5)
        assert [worker.cpu_times().user for worker in workers] == used
        assert (tmp_path / "case" / "journal.jsonl").stat().st_size == size
    finally:
        control.resume()
        thread.join(PATIENCE)
    assert not thread.is_alive() and not control.holding
    lines = _journal(tmp_path)
    assert [line["data"] for line in lines if line["kind"] == "operator"] == [
        {"action": "paused", "text": ""},
        {"action": "note", "text": "written while it waits"},
        {"action": "went on", "text": ""},
    ]
    assert next(line["data"] for line in lines if line["kind"] == "scan_finished")["complete"]
    assert next(line["data"]["seconds"] for line in lines if line["kind"] == "timing" and line["data"]["name"] == "paused") >= 0.5
    assert verify(tmp_path / "case").exit_code == 0


def test_stop_while_it_waits_reports_and_seals(tmp_path: Path, evidence: Path) -> None:
    job = _job(tmp_path, evidence)

    def ask() -> None:
        job.control.pause()
        threading.Timer(0.5, job.control.stop).start()

    outcome = run(job, _AtPhase("read", ask))
    assert not outcome.complete and "stopped" in outcome.reason
    assert verify(tmp_path / "case").exit_code == 0


def test_notes_of_any_characters_until_the_end(tmp_path: Path, evidence: Path) -> None:
    job = _job(tmp_path, evidence)
    text = 'He said: "no" \x1b[2J \u202e \ud800 \U0001f600\n' * 3
    assert job.control.note("said", text)
    run(job, _AtPhase("report", lambda: None))
    assert not job.control.note("note", "too late")
    assert [line["data"] for line in _journal(tmp_path) if line["kind"] == "operator"] == [{"action": "said", "text": text}]
    assert verify(tmp_path / "case").exit_code == 0


def test_taken_once() -> None:
    control = Control()
    control.note("note", "one")
    assert list(control.taken()) == [("note", "one")] and not list(control.taken())
    control.note("note", "two")
    assert list(control.close()) == [("note", "two")]
    assert not control.note("note", "three") and not list(control.taken())
