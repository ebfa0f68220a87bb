"""``triage sweep``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.commands import options
from triage.commands.common import COMPLETED, GAPS, existing, stop

if TYPE_CHECKING:
    from hashsets import BlockSet


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sweep")(sweep)


def sweep(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Drive, device or image (raw, E01, VHD, VMDK, QCOW2 …).")],
    case: Annotated[Path, typer.Option(help="Folder for the case; the same folder again goes on where the sweep stopped.")],
    hashset: Annotated[Path, typer.Option(help="Block set of known files (triage hashset build … --kinds block).")],
    hashset_key: options.HashSetKey = None,
    time_budget: Annotated[str | None, typer.Option(help="End after this long with what there is: 10m (if left out), 90s, 1h.")] = None,
    confidence: Annotated[float, typer.Option(help="How sure the odds must be, from 0.5 to 0.9999.")] = 0.99,
    amount: Annotated[str, typer.Option(help="Known material that must be met with that confidence: 20MB, 500kB, 1GB.")] = "20MB",
    exhaustive: Annotated[bool, typer.Option("--exhaustive", help="Read everything; no time budget unless one is named.")] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the random sample, to repeat a sweep; drawn and recorded if left out.")
    ] = None,
    visit: options.Visit = None,
    live: options.Live = False,
    unlock: options.Unlock = None,
    key: options.Key = None,
    passphrase_file: options.PassphraseFile = None,
    workers: options.Workers = None,
    hash_source: options.HashSource = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Sample a whole disk, deleted data too, for blocks of known files, and say with what odds they would have been met."""
    from functools import partial

    from rules import conditions, findings
    from triage.commands import examine
    from triage.scan.job import Job
    from triage.scan.profile import load_profile
    from triage.scan.setup import HashSetSetup, Setup
    from triage.sweep.run import Settings, Sweep

    if not 0.5 <= confidence <= 0.9999:
        stop("the confidence is a number from 0.5 to 0.9999, for example 0.99")
    budget = examine.budget(time_budget or (None if exhaustive else "10m"))
    opened = examine.sources([source], live, unlock)
    if Path(source).is_dir():
        stop(f"{source} is a folder: a sweep reads the blocks of a device or an image; scan the folder instead")
    visit_data = examine.visit(visit, opened)
    secret = _key(hashset_key)
    blocks = _blocks(existing(hashset, "the hash set"), secret)
    size = sum(file.size for file in blocks.files)
    settings = Settings(
        seed=_seed(case, seed),
        confidence=confidence,
        amount=_amount(amount),
        listed=min(1.0, sum(file.kept for file in blocks.files) * 4096 / max(size, 1)),
        exhaustive=exhaustive,
    )
    rule_set = findings.load([])
    job = Job(
        setup=Setup(
            profile=load_profile("standard"),
            sources=opened,
            hash_sets=[HashSetSetup(str(hashset.absolute()), "alert", secret.hex() if secret else None)],
        ),
        case=case,
        signer=examine.signer(key, passphrase_file),
        visit=visit_data,
        time_budget=budget,
        hash_sources=hash_source,
        arguments=sys.argv[1:],
        identities={
            "rules": {"findings": rule_set.digest, "conditions": conditions.shipped().digest},
            "hash_sets": [blocks.identity],
            "sweep": settings.to_json(),
        },
        begin=partial(Sweep, settings=settings),
    )
    if workers is not None:
        job.workers = workers
    outcome = examine.perform(job, quiet=quiet)
    examine.say(case, as_json)
    raise SystemExit(GAPS if outcome.gaps else COMPLETED)


def _key(path: Path | None) -> bytes | None:
    import hashsets

    try:
        return None if path is None else hashsets.load_key(existing(path, "the key file"))
    except (OSError, ValueError, hashsets.HashSetError) as error:
        stop(str(error))


def _blocks(path: Path, key: bytes | None) -> BlockSet:
    import hashsets

    try:
        opened = hashsets.open_blocks(path, key)
    except (hashsets.HashSetError, OSError) as error:
        stop(str(error))
    if opened.role != "alert":
        stop(f"{path.name} has the role {opened.role}: a sweep looks for what is on an alert list")
    if not opened.count:
        stop(f"{path.name} holds no block by which one file can be told from others")
    return opened


def _amount(text: str) -> int:
    """``20MB``, ``500 kB``, ``1.5GB`` (decimal units) in bytes."""
    import re

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(k|m|g|t)?b?", text.strip().lower())
    count = int(float(match[1]) * 1000 ** " kmgt".index(match[2] or " ")) if match else 0
    if count < 4096:
        stop(f"{text!r} is not an amount that a sweep can look for: write it like 20MB, at least 4096 bytes")
    return count


def _seed(case: Path, given: int | None) -> int:
    """The seed named; else that with which the case was begun; else one by chance."""
    import secrets

    from triage.casefolder import JOURNAL
    from triage.journal import JournalError, read

    if given is not None:
        return given
    try:
        first = next(read(case / JOURNAL), None)
    except (OSError, JournalError):
        first = None  # a new case; or one that cannot be gone on with, which is said when it is opened
    recorded = first.data.get("sweep") if first is not None and first.kind == "case_opened" else None
    seed = recorded.get("seed") if isinstance(recorded, dict) else None
    return seed if isinstance(seed, int) else secrets.randbits(32)
