"""One ``triage scan`` or ``triage sweep``: from checked options to a sealed case. Used by the command line, the visit and the self-test."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage import casefolder
from triage.identity import tool
from triage.journal import Journal, JournalError
from triage.scan.conclude import Conclusions, Context
from triage.scan.control import Control
from triage.scan.examination import Examination, Outcome
from triage.scan.progress import Progress
from triage.scan.run import Scan
from triage.scan.setup import Setup
from triage.scan.state import State

if TYPE_CHECKING:
    from triage.baseline.digest import Baseline
    from triage.keys import Signer

RESERVE = (2.0, 0.03, 20.0)
"""Of a time budget, what is kept for writing and sealing the report: at least, as a share, at most (seconds)."""

MAX_WARNINGS = 200


class JobError(Exception):
    """The scan cannot start; the text says why in one line."""


@dataclass(slots=True)
class Job:
    """What to scan, where to put it, on whose authority, and how long it may take."""

    setup: Setup
    case: Path
    signer: Signer
    visit: dict[str, Any] | None = None
    baseline: Baseline | None = None
    """Of the last visit, to compare with."""
    time_budget: float | None = None
    workers: int = field(default_factory=lambda: max(1, os.cpu_count() or 1))
    hash_sources: bool = False
    arguments: list[str] = field(default_factory=list)
    """The command line, for the report."""
    identities: dict[str, Any] = field(default_factory=dict)
    """Digests of the rules, word lists and hash sets in use, for the journal and the report."""
    warnings: list[str] = field(default_factory=list)
    """What of the lists and rules could not be used: the report says so, for what is not looked for is not found."""
    control: Control = field(default_factory=Control)
    """Through which the operator can pause it, stop it and have notes taken."""
    begin: Callable[..., Examination] = Scan
    """Makes what examines the sources, with the arguments of ``Examination``."""


def run(job: Job, progress: Progress) -> Outcome:
    """Scan, write the reports, seal. Raises ``JobError``, ``CaseError``, ``JournalError`` before anything is scanned, ``OSError`` where the
    case folder can no longer be written."""
    from rules import findings
    from triage.findings import FindingEngine
    from triage.report import write_reports
    from triage.report.seal import reopen, seal

    started = time.monotonic()
    setup = job.setup
    sources = [(Path(item.path), item.live) for item in setup.sources.values()]
    resuming = casefolder.prepare(job.case, sources)
    path = job.case / casefolder.JOURNAL
    engine = FindingEngine(findings.load([Path(rule) for rule in setup.rules]))
    with casefolder.locked(job.case):
        state = State(engine, Conclusions(Context(visit=job.visit, sources=tuple(setup.sources), baseline=job.baseline)))
        if resuming and path.stat().st_size:
            state.replay(path)
            _same_case(state, job)
        journal = Journal(path, checkpoint=job.signer.checkpoint)
        try:
            if state.opened is None:
                journal.append("case_opened", _case_opened(job))
                for text in job.warnings[:MAX_WARNINGS]:
                    journal.append("error", {"where": "lists and rules", "reason": text})
                if len(job.warnings) > MAX_WARNINGS:
                    journal.append(
                        "error", {"where": "lists and rules", "reason": f"{len(job.warnings) - MAX_WARNINGS} more such mistakes"}
                    )
            else:
                reopen(job.case, journal)
            journal.append(
                "scan_started",
                {"attempt": state.attempts + 1, "time_budget": job.time_budget, "tool": tool(), "public_key": job.signer.public_key},
            )
            journal.checkpoint_now()
            deadline = None
            if job.time_budget is not None:
                least, share, most = RESERVE
                deadline = started + job.time_budget - min(max(least, share * job.time_budget), most, job.time_budget / 2)
            scan = job.begin(
                setup, journal, state, engine, progress, workers=job.workers, deadline=deadline, hash_sources=job.hash_sources, control=job.control,
            )  # fmt: skip
            with _stoppable(scan.request_stop):
                outcome = scan.run()
            progress.phase("report")
            journal.flush(durable=True)
            write_reports(job.case)
            seal(job.case, journal, job.signer)
            progress.phase("done")
            return outcome
        finally:
            journal.close()


def _case_opened(job: Job) -> dict[str, Any]:
    setup = job.setup
    return {
        "tool": tool(),
        "case_id": job.case.name,
        "arguments": job.arguments,
        "profile": setup.profile.to_json(),
        "sources": {key: [item.path, item.live] for key, item in setup.sources.items()},
        "visit": job.visit,
        "baseline": job.baseline.to_json() if job.baseline is not None else None,
        "public_key": job.signer.public_key,
        **job.identities,
    }


def _same_case(state: State, job: Job) -> None:
    """A case goes on only as it was begun: other sources, rules or lists would make its findings nobody's."""
    if state.opened is None:
        raise JobError(f"the journal in {job.case} does not begin like that of a case")
    now = _case_opened(job)
    for name, words in (
        ("sources", "sources"), ("profile", "profile"), ("rules", "rules"), ("hash_sets", "hash sets"), ("keywords", "keyword lists"),
        ("yara", "YARA rules"), ("visit", "visit file"), ("baseline", "baseline"), ("sweep", "settings of a sweep"),
    ):  # fmt: skip
        if state.opened.get(name) != now.get(name):
            raise JobError(f"this case was begun with other {words}: name the same ones, or choose a new case folder")
    if state.opened["tool"] != now["tool"]:
        raise JobError("this case was begun with another version of triage: go on with that one, or choose a new case folder")


@contextmanager
def _stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and a polite kill end the scan in good order: what was found is reported and sealed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Job", "JobError", "JournalError", "run"]
