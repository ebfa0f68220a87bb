"""``triage scan``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.commands import options
from triage.commands.common import COMPLETED, GAPS, existing, stop

if TYPE_CHECKING:
    from triage.baseline.digest import Baseline
    from triage.scan.setup import HashSetSetup, Setup


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scan")(scan)


def scan(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Folder, drive, device or image (raw, E01, VHD, VMDK, QCOW2 …).")
    ],
    case: Annotated[Path, typer.Option(help="Folder for the case; the same folder again goes on where the scan stopped.")],
    visit: options.Visit = None,
    baseline: Annotated[Path | None, typer.Option(help="Baseline of the last visit (triage baseline): what changed since is told.")] = None,
    hashset: Annotated[list[str] | None, typer.Option(help="Hash set, or ROLE=FILE (alert=… or ignore=…) for a plain list.")] = None,
    role: Annotated[str | None, typer.Option(help="Role of lists that do not state one: alert or ignore.")] = None,
    hashset_key: options.HashSetKey = None,
    keywords: Annotated[
        list[str] | None, typer.Option(help="Keyword list (CSV, YAML or text); 'shipped' for the demonstration lists.")
    ] = None,
    list_key: Annotated[Path | None, typer.Option(help="Key file of encrypted keyword lists.")] = None,
    yara: Annotated[list[str] | None, typer.Option(help="YARA file or folder; 'shipped' for those that come with the tool.")] = None,
    profile: Annotated[str, typer.Option(help="quick, standard or full.")] = "standard",
    time_budget: Annotated[str | None, typer.Option(help="End after this long with what there is: 15m, 90s, 1h.")] = None,
    live: options.Live = False,
    unlock: options.Unlock = None,
    key: options.Key = None,
    passphrase_file: options.PassphraseFile = None,
    workers: options.Workers = None,
    hash_source: options.HashSource = False,
    seal_to: options.SealTo = None,
    passphrase_prompt: options.PassphrasePrompt = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Examine sources and write a signed report into a case folder."""
    from triage.commands import examine
    from triage.scan.pool import prepare

    prepare()
    from triage.scan.job import Job
    from triage.scan.profile import load_profile
    from triage.scan.scope import Dates
    from triage.scan.setup import Setup

    try:
        chosen = load_profile(profile)
    except KeyError as error:
        stop(str(error.args[0]))
    budget = examine.budget(time_budget)
    opened = examine.sources(sources, live, unlock)
    visit_data = examine.visit(visit, opened)
    setup = Setup(
        profile=chosen,
        sources=opened,
        hash_sets=hash_sets(hashset or [], role, hashset_key),
        named=list((visit_data or {}).get("keywords", [])),
        exclude_users=list((visit_data or {}).get("scope", {}).get("exclude_users", [])),
        dates=Dates.of(visit_data),
    )
    sealing = examine.sealing(seal_to, passphrase_prompt, case)
    setup.keep_named = sealing is None
    identities, warnings = _rules(setup, keywords or [], list_key, yara or [], quiet)
    job = Job(
        setup=setup, case=case, signer=examine.signer(key, passphrase_file), visit=visit_data, baseline=_baseline(baseline), time_budget=budget, hash_sources=hash_source,
        arguments=sys.argv[1:], identities=identities, warnings=warnings, sealing=sealing,
    )  # fmt: skip
    if workers is not None:
        job.workers = workers
    outcome = examine.perform(job, quiet=quiet)
    examine.say(job.folder, as_json)
    job.close()
    raise SystemExit(GAPS if outcome.gaps else COMPLETED)


def _baseline(path: Path | None) -> Baseline | None:
    from triage.baseline import digest

    if path is None:
        return None
    try:
        return digest.load(existing(path, "the baseline"))
    except (digest.BaselineError, OSError) as error:
        stop(str(error))


def hash_sets(names: list[str], role: str | None, key_file: Path | None) -> list[HashSetSetup]:
    """The hash sets named by options; a mistake ends the program."""
    from triage.scan.setup import HashSetSetup

    if role is not None and role not in ("alert", "ignore"):
        stop(f"a role is alert or ignore, not {role!r}")
    key = None
    if key_file is not None:
        import hashsets

        try:
            key = hashsets.load_key(existing(key_file, "the key file")).hex()
        except (OSError, ValueError, hashsets.HashSetError) as error:
            stop(str(error))
    out = []
    for name in names:
        given, equals, rest = name.partition("=")
        own = given if equals and given in ("alert", "ignore") else None
        path = existing(Path(rest if own else name), "the hash set")
        out.append(HashSetSetup(str(path), own or role, key))
    return out


def _rules(setup: Setup, keywords: list[str], list_key: Path | None, yara: list[str], quiet: bool) -> tuple[dict[str, Any], list[str]]:
    """The identities for the journal, and what of the lists and rules could not be used; a mistake ends the program."""
    from triage.commands.common import list_secret
    from triage.scan import lists
    from triage.text import visible

    def warn(problem: object, anyway: bool) -> None:
        warnings.append(str(problem))
        if anyway or not quiet:
            print(f"triage: warning: {visible(str(problem))}", file=sys.stderr)

    warnings: list[str] = []
    try:
        return lists.load(setup, keywords, yara, list_secret(list_key), warn), warnings
    except lists.ListError as error:
        stop(str(error))
