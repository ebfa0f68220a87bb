"""``triage open``: a sealed case made an ordinary one again, at the unit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage.commands.common import COMPLETED, FAILED, existing, stop


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("open")(open_case)


def open_case(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="The folder of an encrypted case.")],
    out: Annotated[Path, typer.Option(help="New folder for the case in the clear.")],
    identity: Annotated[
        Path | None, typer.Option(help="The unit's secret key (age); without it the officer's passphrase is asked for.")
    ] = None,
    trusted: Annotated[
        list[Path] | None, typer.Option(help="Certificate (PEM) or public key of a signer you know, or of the authority behind it.")
    ] = None,
    crl: Annotated[list[Path] | None, typer.Option(help="Revocation list (PEM or DER) of an authority.")] = None,
) -> None:
    """Decrypt a case into a new folder and verify it. The encrypted case stays as it is. Exit code 0: opened and intact; 1: not."""
    import os

    from triage.casefolder import SEALED
    from triage.report import sealing
    from triage.report.verify import verify
    from triage.text import visible

    if not (case / SEALED).is_file():
        stop(f"{case} is not an encrypted case: it has no {SEALED}")
    if case.resolve() == out.resolve() or case.resolve() in out.resolve().parents:
        stop("open the case into another folder: what is in the clear must not lie on the stick")
    try:
        keys = sealing.read_identities(existing(identity, "the key file")) if identity is not None else []
        passphrase = None
        if not keys:
            passphrase = os.environ.get("TRIAGE_SEAL_PASSPHRASE") or str(typer.prompt("Passphrase of this case", hide_input=True))
        opened = sealing.unseal(case, identities=keys, passphrase=passphrase)
        try:
            names = sealing.extract(opened, out)
            problem, closed = opened.problem, opened.closed
        finally:
            opened.close()
    except sealing.SealingError as error:
        stop(str(error), FAILED)
    except OSError as error:
        stop(f"the case cannot be opened: {error.strerror or error}", FAILED)
    print(f"{len(names)} files of the case are in {visible(str(out))}, in the clear.")
    if problem:
        print(f"The encrypted case cannot be read to its end: {problem}. What was written before that is there.")
    elif not closed:
        print("The scan did not come to its end, or the end of the encrypted case was cut off. What was written is there.")
    verdict = verify(out, trusted=trusted or [], revocations=crl or [])
    for line in verdict.lines():
        print(visible(line))
    raise SystemExit(COMPLETED if closed and not problem and verdict.exit_code == 0 else FAILED)
