"""``triage baseline``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from triage.commands import options
from triage.commands.common import FAILED, stop


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("baseline")(baseline)


def baseline(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    key: options.Key = None,
    passphrase_file: options.PassphraseFile = None,
) -> None:
    """Write a small signed digest of a case, without content, for the next visit: 'triage scan … --baseline FILE' then tells what changed."""
    from triage.baseline.digest import make
    from triage.commands import examine
    from triage.journal import JournalError
    from triage.report.files import replacing

    if not (case / "journal.jsonl").is_file():
        stop(f"{case} is not a case folder: it has no journal.jsonl")
    if (case / "seal.json").exists() and case.resolve() in out.resolve().parents:
        stop("the case is sealed: write the baseline outside its folder")
    try:
        data = make(case, examine.signer(key, passphrase_file))
        with replacing(out) as file:
            file.write(data)
    except JournalError as error:
        stop(f"the journal of {case} is damaged: {error}", FAILED)
    except OSError as error:
        stop(f"the baseline cannot be written: {error.strerror or error}", FAILED)
    print(f"{out}: {len(data):,} bytes")
