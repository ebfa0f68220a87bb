"""``triage scan``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.commands import options
from triage.commands.common import COMPLETED, GAPS, existing, list_secret, stop

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
    stick: options.Stick = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Examine sources and write a signed report into a case folder."""
    from triage.commands import examine, on_stick
    from triage.scan.pool import prepare

    prepare()
    from triage.casefolder import JOURNAL
    from triage.scan.job import Job
    from triage.scan.profile import load_profile
    from triage.scan.scope import Dates
    from triage.scan.setup import Setup
    from triage.text import visible

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
    names, secret = list(keywords or []), list_secret(list_key)
    given: list[str] = []
    held = on_stick.held(stick)
    if held is not None:
        taken = on_stick.take(held, sets=hashset is None, words=keywords is None, hashset_key=hashset_key, list_secret=secret)
        setup.hash_sets += taken.hash_sets
        names, secret, given = names + taken.keywords, taken.list_secret, taken.warnings
        yara = yara if yara is not None else [str(path) for path in held.yara]
        setup.rules = [str(path) for path in held.rules]
        key = key or held.signing_key
        if seal_to is None and not (case / JOURNAL).exists():  # a case begun in the clear goes on so
            seal_to = held.recipients
        for text in given:
            print(f"triage: warning: {visible(text)}", file=sys.stderr)
    sealing = examine.sealing(seal_to, passphrase_prompt, case)
    setup.keep_named = sealing is None
    identities, warnings = _rules(setup, names, secret, yara or [], quiet)
    if held is not None:
        identities["stick"] = held.identity
    job = Job(
        setup=setup, case=case, signer=examine.signer(key, passphrase_file), visit=visit_data, baseline=_baseline(baseline), time_budget=budget, hash_sources=hash_source,
        arguments=sys.argv[1:], identities=identities, warnings=[*given, *warnings], sealing=sealing,
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
    secret = set_key(key_file)
    key = secret.hex() if secret is not None else None
    out = []
    for name in names:
        given, equals, rest = name.partition("=")
        own = given if equals and given in ("alert", "ignore") else None
        path = existing(Path(rest if own else name), "the hash set")
        out.append(HashSetSetup(str(path), own or role, key))
    return out


def set_key(key_file: Path | None) -> bytes | None:
    """What opens keyed hash sets, from its key file; a mistake ends the program."""
    if key_file is None:
        return None
    import hashsets

    try:
        return hashsets.load_key(existing(key_file, "the key file"))
    except (OSError, ValueError, hashsets.HashSetError) as error:
        stop(str(error))


def _rules(setup: Setup, keywords: list[str], secret: bytes | None, yara: list[str], quiet: bool) -> tuple[dict[str, Any], list[str]]:
    """The identities for the journal, and what of the lists and rules could not be used; a mistake ends the program."""
    from triage.scan import lists
    from triage.text import visible

    def warn(problem: object, anyway: bool) -> None:
        warnings.append(str(problem))
        if anyway or not quiet:
            print(f"triage: warning: {visible(str(problem))}", file=sys.stderr)

    warnings: list[str] = []
    try:
        return lists.load(setup, keywords, yara, secret, warn), warnings
    except lists.ListError as error:
        stop(str(error))
