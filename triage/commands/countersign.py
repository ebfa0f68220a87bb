"""``triage countersign`` and ``triage timestamp``: what is added to a sealed case, at the station."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.commands import options
from triage.commands.common import FAILED, existing, stop

if TYPE_CHECKING:
    from triage.keys import Signer

Case = Annotated[Path, typer.Argument(metavar="CASE", help="A sealed case folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("countersign")(countersign)
    app.command("timestamp")(timestamp)


def countersign(
    case: Case,
    key: Annotated[Path | None, typer.Option(help="Your own signing key (encrypted PKCS#8 PEM).")] = None,
    passphrase_file: options.PassphraseFile = None,
    pkcs11: Annotated[Path | None, typer.Option(help="Library of your token's maker (PKCS#11); the PIN is asked for.")] = None,
    token: Annotated[str | None, typer.Option(help="Name of the token, where there are several.")] = None,
    token_key: Annotated[str | None, typer.Option(help="Name of the key, where the token holds several.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Your certificate (PEM), where it is not beside the key or on the token.")
    ] = None,
) -> None:
    """Vouch for a sealed case with your own key, at the station. Nothing in the case is changed."""
    from triage.keys import SigningKeyError
    from triage.report.countersign import countersign as sign
    from triage.report.seal import SealError

    if (key is None) == (pkcs11 is None):
        stop("name your key: either --key FILE or --pkcs11 LIBRARY")
    _intact(case)
    try:
        signer = _file(key, passphrase_file, certificate) if key else _token(pkcs11, token, token_key, certificate)
        entry = sign(case, signer)
    except (SigningKeyError, SealError) as error:
        stop(str(error))
    except OSError as error:
        stop(f"the case folder cannot be written: {error.strerror or error}", FAILED)
    print(f"Countersigned by {signer.name} at {entry['time']}, by the clock of this computer. Nothing in the case was changed.")
    if not signer.certificates:
        print("The key has no certificate: whoever verifies the case must know the key itself.")


def _file(key: Path, passphrase_file: Path | None, certificate: Path | None) -> Signer:
    from triage import keys

    ask = keys.passphrase_from(
        file=passphrase_file, variable="TRIAGE_PASSPHRASE", ask=lambda: str(typer.prompt("Passphrase of your key", hide_input=True))
    )
    return keys.load_signer(existing(key, "the signing key"), ask, certificates=certificate)


def _token(module: Path | None, token: str | None, label: str | None, certificate: Path | None) -> Signer:
    from triage.keys import passphrase_from
    from triage.token_key import load_token

    assert module is not None
    pin = passphrase_from(variable="TRIAGE_PIN", ask=lambda: str(typer.prompt("PIN of the token", hide_input=True)))
    return load_token(existing(module, "the PKCS#11 library"), pin, token=token, label=label, certificates=certificate)


def timestamp(
    case: Case,
    request: Annotated[Path | None, typer.Option(help="Write a request for a time stamp into this new file (.tsq).")] = None,
    response: Annotated[Path | None, typer.Option(help="Put the authority's response (.tsr) into the case.")] = None,
) -> None:
    """A time stamp (RFC 3161) for a sealed case, in two steps: carry the request to the authority, and its response back."""
    from triage.report import timestamp as stamps
    from triage.report.seal import SealError
    from triage.text import visible

    if (request is None) == (response is None):
        stop("say which step: --request FILE writes the request, --response FILE takes the answer")
    _intact(case)
    try:
        if request is not None:
            if case.resolve() in request.absolute().resolve().parents:
                stop("the case is sealed: write the request outside its folder")
            with open(request, "xb") as file:
                file.write(stamps.request(case))
            print(f"The request is in {request}. Send it to the time stamping authority from another network than the one at the scene.")
            return
        assert response is not None
        name, stamp = stamps.add(case, existing(response, "the response").read_bytes())
    except SealError as error:
        stop(str(error))
    except FileExistsError:
        stop(f"the file {request} is there already")
    except OSError as error:
        stop(f"a file cannot be read or written: {error.strerror or error}", FAILED)
    print(f"{name}: {visible(stamp.authority)} says that this case existed at {stamp.time:%Y-%m-%dT%H:%M:%SZ}.")


def _intact(case: Path) -> None:
    """Nobody is to vouch for a case that was altered, or that has no seal."""
    from triage.report.seal import clear
    from triage.report.verify import verify
    from triage.text import visible

    if not case.is_dir():
        stop(f"{case} is not a folder")
    try:
        clear(case)
    except OSError as error:
        stop(f"the case folder cannot be written: {error.strerror or error}", FAILED)
    verdict = verify(case)
    if verdict.exit_code:
        stop(visible(" ".join(verdict.lines()[:3])), FAILED)
