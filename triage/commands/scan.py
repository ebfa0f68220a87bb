"""``triage scan``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.commands.common import COMPLETED, FAILED, GAPS, duration, existing, stop

if TYPE_CHECKING:
    from triage.keys import Signer
    from triage.scan.setup import HashSetSetup, Setup, SourceSetup


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scan")(scan)


def scan(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Folder, drive, device or image (raw, E01, VHD, VMDK, QCOW2 …).")
    ],
    case: Annotated[Path, typer.Option(help="Folder for the case; the same folder again goes on where the scan stopped.")],
    visit: Annotated[Path | None, typer.Option(help="visit.yaml: who, on whose authority, declared devices, conditions.")] = None,
    hashset: Annotated[list[str] | None, typer.Option(help="Hash set, or ROLE=FILE (alert=… or ignore=…) for a plain list.")] = None,
    role: Annotated[str | None, typer.Option(help="Role of lists that do not state one: alert or ignore.")] = None,
    hashset_key: Annotated[Path | None, typer.Option(help="Key file of keyed hash sets.")] = None,
    keywords: Annotated[
        list[str] | None, typer.Option(help="Keyword list (CSV, YAML or text); 'shipped' for the demonstration lists.")
    ] = None,
    yara: Annotated[list[str] | None, typer.Option(help="YARA file or folder; 'shipped' for those that come with the tool.")] = None,
    profile: Annotated[str, typer.Option(help="quick, standard or full.")] = "standard",
    time_budget: Annotated[str | None, typer.Option(help="End after this long with what there is: 15m, 90s, 1h.")] = None,
    live: Annotated[bool, typer.Option("--live", help="The source is a drive of this running computer (needs --visit).")] = False,
    unlock: Annotated[Path | None, typer.Option(help="File with passwords or recovery keys, one a line; '-' asks for one.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="Signing key (encrypted PKCS#8 PEM); without one the case is signed by nobody known.")
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="File with the signing key's passphrase (otherwise it is asked for).")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Worker processes; default one for each core.")] = None,
    hash_source: Annotated[bool, typer.Option("--hash-source", help="Hash whole images of any size (small ones always are).")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only alerts and the result.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Examine sources and write a signed report into a case folder."""
    from triage.casefolder import CaseError
    from triage.journal import JournalError
    from triage.scan.job import Job, JobError, run
    from triage.scan.profile import load_profile
    from triage.scan.progress import make_progress
    from triage.scan.setup import Setup

    try:
        chosen = load_profile(profile)
    except KeyError as error:
        stop(str(error.args[0]))
    budget = None
    if time_budget is not None:
        try:
            budget = duration(time_budget)
        except ValueError as error:
            stop(str(error))
        if budget <= 0:
            stop("the time budget must be longer than nothing")
    opened = _sources(sources, live, unlock)
    visit_data = _visit(visit, opened)
    setup = Setup(
        profile=chosen,
        sources=opened,
        hash_sets=_hash_sets(hashset or [], role, hashset_key),
        exclude_users=list((visit_data or {}).get("scope", {}).get("exclude_users", [])),
    )
    identities = _rules(setup, keywords or [], yara or [], quiet)
    job = Job(
        setup=setup, case=case, signer=_signer(key, passphrase_file), visit=visit_data, time_budget=budget, hash_sources=hash_source,
        arguments=sys.argv[1:], identities=identities,
    )  # fmt: skip
    if workers is not None:
        job.workers = workers
    progress = make_progress(quiet=quiet)
    try:
        outcome = run(job, progress)
    except (CaseError, JobError) as error:
        stop(str(error))
    except JournalError as error:
        stop(f"the case {case} cannot be gone on with: {error}", FAILED)
    except OSError as error:
        stop(
            f"the case folder {case} can no longer be written ({error.strerror or error}); what was found until then is in its journal",
            FAILED,
        )
    finally:
        progress.close()
    _say(case, as_json)
    raise SystemExit(GAPS if outcome.gaps else COMPLETED)


def _sources(names: list[str], live: bool, unlock: Path | None) -> dict[str, SourceSetup]:
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


def _visit(path: Path | None, sources: dict[str, SourceSetup]) -> dict[str, Any] | None:
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


def _hash_sets(names: list[str], role: str | None, key_file: Path | None) -> list[HashSetSetup]:
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


def _rules(setup: Setup, keywords: list[str], yara: list[str], quiet: bool) -> dict[str, Any]:
    """Load everything once here, so that a mistake is told before the scan; returns the identities for the journal."""
    from rules import conditions, findings
    from triage.text import visible

    def warn(problem: object) -> None:
        if not quiet:
            print(f"triage: warning: {visible(str(problem))}", file=sys.stderr)

    identities: dict[str, Any] = {}
    rule_set = findings.load([Path(rule) for rule in setup.rules])
    identities["rules"] = {"findings": rule_set.digest, "conditions": conditions.shipped().digest}
    identities["hash_sets"] = []
    if setup.hash_sets:
        import hashsets

        for item in setup.hash_sets:
            try:
                opened = hashsets.open_set(Path(item.path), role=item.role, key=bytes.fromhex(item.key) if item.key else None)
            except (hashsets.HashSetError, OSError) as error:
                stop(str(error))
            for problem in opened.problems:
                warn(f"{item.path}: {f'line {problem.line}: ' if problem.line else ''}{problem.reason}")
            identities["hash_sets"].append(opened.identity)
    if keywords:
        from rules import keywords as words

        setup.keywords = [str(words.SHIPPED) if name == "shipped" else str(existing(Path(name), "the keyword list")) for name in keywords]
        libraries = words.load([Path(path) for path in setup.keywords])
        for trouble in libraries.problems:
            warn(trouble)
        if not libraries.count:
            stop("the keyword lists hold no usable term")
        identities["keywords"] = {"digest": libraries.digest, "terms": libraries.count}
    if yara:
        from rules import yara_rules

        setup.yara = [str(yara_rules.SHIPPED) if name == "shipped" else str(existing(Path(name), "the YARA rules")) for name in yara]
        rules = yara_rules.load([Path(path) for path in setup.yara])
        for wrong in rules.problems:
            warn(wrong)
        if not rules.count:
            stop("the YARA files hold no usable rule")
        identities["yara"] = {"digest": rules.digest, "rules": rules.count}
    return identities


def _signer(key: Path | None, passphrase_file: Path | None) -> Signer:
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


def _say(case: Path, as_json: bool) -> None:
    """The result on standard output: page one in a few lines."""
    import json

    from triage.text import visible

    report = json.loads((case / "report.json").read_bytes())
    seal = json.loads((case / "seal.json").read_bytes())
    assessment = report["assessment"]
    if as_json:
        print(
            json.dumps(
                {"case": str(case), "fingerprint": seal["fingerprint"], "assessment": assessment, "findings": len(report["findings"])}
            )
        )
        return
    print(f"\n{visible(assessment.get('headline') or assessment['outcome'])}\n")
    for reason in assessment["reasons"][:3]:
        print(f"  - {visible(reason)}")
    for line in assessment.get("not_checked", [])[:5]:
        print(f"  not checked: {visible(line)}")
    print(f"\nCase: {case}\nFingerprint: {seal['fingerprint']}")
