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
    from triage.report.sealing import SealedCase, Sealing

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
    sealing: Sealing | None = None
    """How the case is encrypted; None: it lies in its folder in the clear."""
    sealed: SealedCase | None = None
    """The encrypted case once ``run`` has begun it; to be read until ``close``."""

    @property
    def folder(self) -> casefolder.CaseFolder:
        """Where the files of the case are read and written."""
        return self.sealed if self.sealed is not None else self.case

    def close(self) -> None:
        """Let go of an encrypted case."""
        if self.sealed is not None:
            self.sealed.close()


def run(job: Job, progress: Progress) -> Outcome:
    """Scan, write the reports, seal. Raises ``JobError``, ``CaseError``, ``JournalError`` before anything is scanned, ``OSError`` where the
    case folder can no longer be written."""
    from rules import findings
    from triage.evidence.live_windows import keep_awake
    from triage.findings import FindingEngine
    from triage.report import write_reports
    from triage.report.seal import reopen, seal

    started = time.monotonic()
    keep_awake()
    setup = job.setup
    sources = [(Path(item.path), item.live) for item in setup.sources.values()]
    hidden = job.sealing is not None
    resuming = casefolder.prepare(job.case, sources, sealed=hidden)
    engine = FindingEngine(findings.load([Path(rule) for rule in setup.rules]))
    with casefolder.locked(job.case, sealed=hidden):
        _seal_off(job, resuming)
        path = job.folder / casefolder.JOURNAL
        state = State(engine, Conclusions(Context(visit=job.visit, sources=tuple(setup.sources), baseline=job.baseline)))
        if resuming and path.exists() and path.lstat().st_size:
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
                reopen(job.folder, journal)
            if job.sealed is not None and job.sealed.dropped:
                text = f"the encrypted case ended in {job.sealed.dropped} bytes of an unfinished write, which were dropped"
                journal.append("error", {"where": "journal", "reason": text})
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
            write_reports(job.folder)
            seal(job.folder, journal, job.signer)
            if job.sealed is not None:
                job.sealed.finish()
            progress.phase("done")
            return outcome
        finally:
            journal.close()


def _seal_off(job: Job, resuming: bool) -> None:
    """Begin the encrypted case, or open it to go on. Raises ``JobError``."""
    from triage.report import sealing

    if job.sealing is None:
        return
    reference = _letters(str((job.visit or {}).get("reference", "")))
    subject = _letters(str(((job.visit or {}).get("subject") or {}).get("reference", "")))
    if any(len(text) > 2 and text in _letters(job.case.name) for text in (reference, subject)):
        raise JobError(f"the name of the folder {job.case} tells the reference of the case: a lost stick must not, choose another name")
    try:
        if resuming and (job.case / casefolder.SEALED).stat().st_size:
            job.sealed = sealing.unseal(job.case, passphrase=job.sealing.passphrase, writable=True)
        else:
            job.sealed = sealing.create(job.case, job.sealing)
    except sealing.SealingError as error:
        raise JobError(str(error)) from None


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


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
