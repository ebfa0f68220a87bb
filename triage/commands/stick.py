"""``triage stick``: lay out a stick from a keeper's folder, check one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.commands import options
from triage.commands.common import COMPLETED, FAILED, existing, list_secret, stop

app = typer.Typer(
    help="The stick: lay one out from a keeper's folder, signed; check that one is still what its keeper signed.", no_args_is_help=True
)


@app.command("create")
def create(
    root: Annotated[
        Path, typer.Argument(metavar="DIR", help="The stick: an empty folder or drive, or a stick, whose cases and visits stay.")
    ],
    keeper: Annotated[list[Path], typer.Option("--from", help="Keeper's folder; what may be in it is in portable/README.md.")],
    key: Annotated[Path, typer.Option(help="The keeper's signing key (encrypted PKCS#8 PEM), which must not be on the stick.")],
    bundle: Annotated[list[Path] | None, typer.Option(help="Bundle (the folder with bundle.json), one for each system.")] = None,
    secret: Annotated[
        Path | None, typer.Option(help="Key file of the keyed hash sets and encrypted lists: each is opened once, to be sure.")
    ] = None,
    passphrase_file: options.PassphraseFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Lay out a stick: judge what the keeper gives, copy it, read it back, sign the list. Nothing sensitive comes along in the clear."""
    from triage.commands import examine
    from triage.stick import create as stick
    from triage.stick import keeper as given
    from triage.text import visible

    folders = [existing(folder, "the keeper's folder") for folder in keeper]
    contents = given.examine(folders, [existing(folder, "the bundle") for folder in bundle or []], list_secret(secret))
    if not contents.refused and _same_file(key, list(contents.files.values())):
        contents.refused.append(f"{key.name} is the keeper's own key: it must not be on the stick that it signs")
    if contents.refused:
        for reason in contents.refused:
            typer.echo(f"refused: {visible(reason)}", err=True)
        stop("no stick was made", FAILED)
    signer = examine.signer(key, passphrase_file)
    try:
        verdict = stick.create(root, contents, signer)
    except stick.StickError as error:
        stop(str(error), FAILED)
    verdict.warnings = [*contents.warnings, *verdict.warnings]
    _say(root, verdict, as_json, f"{len(contents.files)} files and {len(contents.bundles)} bundles written and read back.")


@app.command("check")
def check(
    root: Annotated[Path, typer.Argument(metavar="DIR", help="The stick.")],
    keeper: Annotated[
        list[Path] | None, typer.Option("--keeper", help="The keeper's certificate or public key: only with it is it known who signed.")
    ] = None,
    crl: Annotated[list[Path] | None, typer.Option(help="Revocation list (PEM or DER) of an authority.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="As at every start: of large files the two ends only.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Whether the stick is what its keeper signed. Exit code 0: it is; 1: do not use it."""
    from triage.report.trust import read_trusted
    from triage.stick.check import check as compare

    trusted = read_trusted(keeper, crl or []) if keeper else None
    _say(root, compare(existing(root, "the stick"), quick=quick, trusted=trusted), as_json)


def _same_file(key: Path, files: list[Path]) -> bool:
    try:
        own = key.read_bytes()
        return any(path.stat().st_size == len(own) and path.read_bytes() == own for path in files)
    except OSError:
        return False


def _say(root: Path, verdict: Any, as_json: bool, done: str = "") -> None:
    from triage.text import visible

    listed = verdict.listed
    if as_json:
        facts = None
        if listed is not None:
            facts = {"name": listed.name, "created": listed.created, "expires": listed.expires, "files": len(listed.files), "fingerprint": listed.fingerprint, "signer": listed.keeper["name"]}  # fmt: skip
        known = None if verdict.identity is None else verdict.identity.known
        print(json.dumps({"usable": not verdict.problems, "problems": verdict.problems, "warnings": verdict.warnings, "keeper_known": known, "stick": facts}))  # fmt: skip
        raise SystemExit(FAILED if verdict.problems else COMPLETED)
    for text in verdict.problems:
        print(f"problem: {visible(text)}")
    for text in verdict.warnings:
        print(f"warning: {visible(text)}")
    if done and not verdict.problems:
        print(done)
    if verdict.problems:
        print("Do not use this stick. Ask its keeper for another one.")
        raise SystemExit(FAILED)
    print(f"The stick {visible(str(root))} is what was signed on {visible(listed.created)} by {visible(listed.keeper['name'])}.")
    print(f"Fingerprint of the signing key: {listed.fingerprint}")
    if verdict.identity is None:
        print("Compare it with the label of the stick: without --keeper it is not known whose key that is.")
    raise SystemExit(COMPLETED)


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="stick")
