"""What the commands that examine sources share: options made ready, the job run, its result said."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from triage.commands.common import FAILED, duration, existing, stop

if TYPE_CHECKING:
    from triage.casefolder import CaseFolder
    from triage.keys import Signer
    from triage.report.sealing import Sealing
    from triage.scan.examination import Outcome
    from triage.scan.job import Job
    from triage.scan.setup import SourceSetup


def budget(text: str | None) -> float | None:
    """A time budget in seconds, None for none; a mistake ends the program."""
    if text is None:
        return None
    try:
        seconds = duration(text)
    except ValueError as error:
        stop(str(error))
    if seconds <= 0:
        stop("the time budget must be longer than nothing")
    return seconds


def sources(names: list[str], live: bool, unlock: Path | None) -> dict[str, SourceSetup]:
    """The sources by id, checked, with the secrets that may unlock them."""
    from triage.evidence.sources import check_source
    from triage.scan.setup import SourceSetup

    secrets: list[tuple[str, str]] = []
    if unlock is not None:
        from triage.evidence.unlock import load_secrets, parse_secret

        if str(unlock) == "-":
            secrets = [(s.kind, s.value) for s in [parse_secret(typer.prompt("Password or recovery key", hide_input=True))]]
        else:
            secrets = [(s.kind, s.value) for s in load_secrets(existing(unlock, "the file of passwords"))]
    opened = {}
    for number, name in enumerate(names, start=1):
        try:
            is_device = check_source(name)
        except OSError as error:
            stop(str(error))
        opened[f"s{number}"] = SourceSetup(path=name, live=live or is_device, secrets=secrets)
    return opened


def visit(path: Path | None, sources: dict[str, SourceSetup]) -> dict[str, Any] | None:
    """The visit file's data; a live source without one ends the program."""
    if path is None:
        live = [item.path for item in sources.values() if item.live]
        if live:
            stop(f"{live[0]} belongs to a running computer: name the authority for the examination with --visit visit.yaml")
        return None
    from triage.text import visible
    from triage.visit.visitfile import VisitError, load_visit

    try:
        return load_visit(existing(path, "the visit file")).to_json()
    except VisitError as error:
        for line in error.problems[:-1]:
            print(f"triage: {visible(line)}", file=sys.stderr)
        stop(error.problems[-1])


def signer(key: Path | None, passphrase_file: Path | None) -> Signer:
    """The signer of the case: the key named, or one made for the case."""
    from triage import keys

    if key is None:
        return keys.case_signer()
    ask = keys.passphrase_from(
        file=passphrase_file, variable="TRIAGE_PASSPHRASE", ask=lambda: str(typer.prompt("Passphrase of the signing key", hide_input=True))
    )
    try:
        return keys.load_signer(existing(key, "the signing key"), ask)
    except keys.SigningKeyError as error:
        stop(str(error))


def sealing(recipients: Path | None, ask: bool, case: Path) -> Sealing | None:
    """How the case is to be encrypted, None for not at all; a mistake ends the program. A new passphrase is asked for twice."""
    import os

    from triage.casefolder import SEALED

    if recipients is None:
        if ask:
            stop("--passphrase-prompt is for a case that is encrypted: name the unit's public key with --seal-to FILE")
        return None
    from triage.report.sealing import Sealing, SealingError, read_recipients

    passphrase = os.environ.get("TRIAGE_SEAL_PASSPHRASE") or None
    try:
        found = read_recipients(existing(recipients, "the file of recipients"))
    except SealingError as error:
        stop(str(error))
    if passphrase is None and ask:
        new = not (case / SEALED).exists()
        passphrase = str(typer.prompt("Passphrase of this case", hide_input=True, confirmation_prompt=new))
    return Sealing(found, passphrase)


def perform(job: Job, *, quiet: bool) -> Outcome:
    """Run the job with the right display. What goes wrong is said in one line and ends the program."""
    from triage.casefolder import CaseError
    from triage.journal import JournalError
    from triage.scan.job import JobError, run
    from triage.scan.progress import make_progress

    progress = make_progress(quiet=quiet)
    try:
        return run(job, progress)
    except (CaseError, JobError) as error:
        stop(str(error))
    except JournalError as error:
        stop(f"the case {job.case} cannot be gone on with: {error}", FAILED)
    except OSError as error:
        stop(_no_longer_written(job.case, error), FAILED)
    finally:
        progress.close()


def _no_longer_written(case: Path, error: OSError) -> str:
    """What became of the case, and what to do."""
    after = "What was found until then is in its journal. {} and give the same command again: the scan goes on where it stopped"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the stick or disk with the case folder {case} is full. " + after.format("Make room on it")
    return f"the case folder {case} can no longer be written ({error.strerror or error}). " + after.format("Put the stick back in")


def say(case: CaseFolder, as_json: bool) -> None:
    """The result on standard output: page one in a few lines. Whoever reads it may be gone: the case is sealed all the same."""
    import json
    import os

    report = json.loads((case / "report.json").read_bytes())
    seal = json.loads((case / "seal.json").read_bytes())
    assessment = report["assessment"]
    if as_json:
        facts = {"case": str(case), "fingerprint": seal["fingerprint"], "assessment": assessment, "findings": len(report["findings"])}
        lines = [json.dumps(facts)]
    else:
        lines = _page_one(assessment, case, seal["fingerprint"])
    try:
        print("\n".join(lines), flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in the buffer would fail once more at the end of the program
        print(f"triage: the result could not be printed ({error.strerror}); it is in {case / 'report.html'}", file=sys.stderr)


def _page_one(assessment: dict[str, Any], case: CaseFolder, fingerprint: str) -> list[str]:
    from triage.text import visible

    lines = ["", visible(assessment.get("headline") or assessment["outcome"]), ""]
    lines += [f"  - {visible(reason)}" for reason in assessment["reasons"][:3]]
    lines += [f"  not checked: {visible(line)}" for line in assessment.get("not_checked", [])[:5]]
    return [*lines, "", f"Case: {visible(str(case))}", f"Fingerprint: {fingerprint}"]
