"""Options that more than one command has: one wording, one type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Visit = Annotated[Path | None, typer.Option(help="visit.yaml: who, on whose authority, declared devices, conditions.")]
HashSetKey = Annotated[Path | None, typer.Option(help="Key file of keyed hash sets.")]
Live = Annotated[bool, typer.Option("--live", help="The source is a drive of this running computer (needs --visit).")]
Unlock = Annotated[Path | None, typer.Option(help="File with passwords or recovery keys, one a line; '-' asks for one.")]
Key = Annotated[Path | None, typer.Option(help="Signing key (encrypted PKCS#8 PEM); without one the case is signed by nobody known.")]
PassphraseFile = Annotated[Path | None, typer.Option(help="File with the signing key's passphrase (otherwise it is asked for).")]
Workers = Annotated[int | None, typer.Option(min=1, max=64, help="Worker processes; default one for each core.")]
HashSource = Annotated[bool, typer.Option("--hash-source", help="Hash whole images of any size (small ones always are).")]
SealTo = Annotated[
    Path | None,
    typer.Option(help="File with the unit's public key (age1…): the case is encrypted for it, so that a lost stick shows nothing."),
]
PassphrasePrompt = Annotated[
    bool,
    typer.Option("--passphrase-prompt", help="Ask for a passphrase that opens the encrypted case too, and with which the scan can go on."),
]
Stick = Annotated[
    Path | None,
    typer.Option(help="The stick whose hash sets, lists, rules and keys are used where none are named; a bundle uses the one it lies on."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only alerts and the result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
