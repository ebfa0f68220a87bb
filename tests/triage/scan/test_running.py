"""The programs that run on a live machine: their names, files and accounts, never their arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from artefacts.coverage import Problem, Status
from artefacts.observations import ProgramRun
from artefacts.times import Timestamp
from triage.scan.running import running

Scan = Callable[..., Any]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[psutil.Process]:
    """A process in a session of its own, so that it is none of ours, with an argument that is a secret."""
    inner = "[sys.executable, '-c', 'import time; time.sleep(120)', 'hunter2']"
    code = f"import subprocess as s, sys; print(s.Popen({inner}, start_new_session=True, stdout=s.DEVNULL, stderr=s.DEVNULL).pid)"
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    process = psutil.Process(pid)
    yield process
    process.kill()


def test_what_runs_is_listed_without_arguments(sleeper: psutil.Process) -> None:
    items = [item for item in running() if isinstance(item, ProgramRun)]
    assert items and "hunter2" not in str([item.to_json() for item in items])
    [found] = [item for item in items if item.path == sleeper.exe() and item.user == sleeper.username() and item.program == sleeper.name()]
    assert found.how == "running now" and isinstance(found.time, Timestamp)
    assert found.time.ns <= (sleeper.create_time() + 0.1) * 1e9


def test_refusals_are_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hidden:
        def __init__(self, **facts: Any) -> None:
            self.info = {"pid": 1 << 30, "name": "a.exe", "exe": None, "create_time": None, "username": None, "status": "running", **facts}

    monkeypatch.setattr(
        psutil, "process_iter", lambda *_, **__: iter([Hidden(), Hidden(name=None), Hidden(exe=""), Hidden(status="zombie")])
    )
    run, nameless, refused = running()
    assert isinstance(run, ProgramRun) and (run.program, run.path) == ("a.exe", None)
    assert isinstance(nameless, Problem) and isinstance(refused, Problem) and nameless.status is refused.status is Status.UNREADABLE

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no such table")

    monkeypatch.setattr(psutil, "process_iter", broken)
    [problem] = running()
    assert isinstance(problem, Problem) and "no such table" in problem.reason


@pytest.fixture
def other_drive() -> Iterator[Path]:
    """A folder on another drive than the evidence: a live scan refuses to write on the drive that it examines."""
    folder = Path("/dev/shm") / f"triage-running-{os.getpid()}"
    if not folder.parent.is_dir():
        pytest.skip("needs /dev/shm")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_live_scan_journals_them(scan: Scan, tmp_path: Path, sleeper: psutil.Process, other_drive: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_text("a")
    visit = tmp_path / "visit.yaml"
    visit.write_text(
        "reference: V/1\nofficer: {name: A. Officer, number: '1', force: Test}\nsubject: {reference: S/1}\n"
        "authority: {basis: consent, reference: C/1}\n"
    )
    result = scan(root, "--live", "--visit", visit, case=other_drive)
    assert result.code in (0, 3), result.err
    runs = [line["data"] for line in result.journal if line["kind"] == "observation" and line["data"].get("how") == "running now"]
    assert sleeper.exe() in {run["path"] for run in runs}
    assert "hunter2" not in (result.case / "journal.jsonl").read_text()
    [listed] = [item for item in result.report["coverage"] if item["what"] == "programs that run now" and item["status"] == "parsed"]
    assert listed["count"] == len(runs)
    again = scan(root, case=tmp_path / "other")
    assert not [line for line in again.journal if line["kind"] == "observation" and line["data"].get("how") == "running now"]
