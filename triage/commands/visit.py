"""``triage visit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from triage.commands import options
from triage.commands.common import existing, list_secret, stop


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("visit")(visit)


def visit(
    sources: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE...]", help="Folders or images to put on the page.")] = None,
    cases: Annotated[
        Path | None, typer.Option(help="The folder in which each visit gets a case folder; without it, cases on the stick or here.")
    ] = None,
    visit_file: Annotated[
        Path | None,
        typer.Option("--visit", help="visit.yaml made at the station: fills in the pages. Without it, one beside the cases is offered."),
    ] = None,
    hashset: Annotated[list[str] | None, typer.Option(help="Hash set, or ROLE=FILE (alert=… or ignore=…) for a plain list.")] = None,
    role: Annotated[str | None, typer.Option(help="Role of lists that do not state one: alert or ignore.")] = None,
    hashset_key: options.HashSetKey = None,
    keywords: Annotated[list[str] | None, typer.Option(help="Keyword list; 'shipped' for the demonstration lists.")] = None,
    list_key: Annotated[Path | None, typer.Option(help="Key file of encrypted keyword lists.")] = None,
    yara: Annotated[list[str] | None, typer.Option(help="YARA file or folder; 'shipped' for those that come with the tool.")] = None,
    key: options.Key = None,
    passphrase_file: options.PassphraseFile = None,
    workers: options.Workers = None,
    stick: options.Stick = None,
) -> None:
    """Guided, full screen: who, what allows it, what to check, how long; then the check itself and page one of the report."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        stop("a visit needs a screen and a keyboard: start it in a terminal, or use 'triage scan'")
    from triage.commands import examine, on_stick
    from triage.commands.scan import hash_sets
    from triage.stick.layout import CASES
    from triage.visit.draft import Draft
    from triage.visit.session import Lists
    from triage.visit.visitfile import VisitError, load_visit

    draft = Draft()
    if visit_file is not None:
        try:
            draft = Draft.of(load_visit(existing(visit_file, "the visit file")))
        except VisitError as error:
            stop("\ntriage: ".join(error.problems))
    draft.paths = "; ".join(sources or [])
    held = on_stick.held(stick)
    signer = examine.signer(key or (held.signing_key if held is not None else None), passphrase_file)
    lists = Lists(
        hash_sets=hash_sets(hashset or [], role, hashset_key),
        keywords=[name if name == "shipped" else str(existing(Path(name), "the keyword list")) for name in keywords or []],
        list_secret=list_secret(list_key),
        yara=[name if name == "shipped" else str(existing(Path(name), "the YARA rules")) for name in yara or []],
        signer=lambda: signer,
        arguments=sys.argv[1:],
        workers=workers,
    )
    if held is not None:
        taken = on_stick.take(held, sets=hashset is None, words=keywords is None, hashset_key=hashset_key, list_secret=lists.list_secret)
        lists.hash_sets += taken.hash_sets
        lists.keywords += taken.keywords
        lists.list_secret = taken.list_secret
        lists.yara = lists.yara if yara is not None else [str(path) for path in held.yara]
        lists.rules = [str(path) for path in held.rules]
        lists.identities, lists.warnings = {"stick": held.identity}, taken.warnings
    if cases is None:
        cases = (held.root if held is not None else Path()) / CASES
    try:
        cases.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"the folder for cases {cases} cannot be made: {error.strerror or error}")
    from triage.visit.screen import run

    raise SystemExit(run(cases.absolute(), lists, draft))
