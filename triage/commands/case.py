"""``triage report``, ``triage verify`` and ``triage export``: what is done with a finished case."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from triage.commands.common import COMPLETED, FAILED, stop


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("report")(report)
    app.command("verify")(verify)
    app.command("export")(export)


def _case(case: Path) -> Path:
    if (case / "case.sealed").is_file() and not (case / "journal.jsonl").exists():
        stop(f"{case} is encrypted: open it first with 'triage open {case} --identity KEY --out FOLDER'")
    if not (case / "journal.jsonl").is_file():
        stop(f"{case} is not a case folder: it has no journal.jsonl")
    return case


def report(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")],
    out: Annotated[Path | None, typer.Option(help="Write the reports into this folder instead of the case.")] = None,
    template_dir: Annotated[
        Path | None, typer.Option(help="Folder of your force's own templates (logo, wording); see report_templates/README.md.")
    ] = None,
) -> None:
    """Write the reports again from the journal. A sealed case is not changed: its reports must come out the same, byte for byte."""
    import tempfile

    from triage.journal import JournalError
    from triage.report import write_reports

    _case(case)
    if template_dir is not None and not (template_dir / "report.html.j2").is_file():
        stop(f"{template_dir} holds no report.html.j2: see report_templates/README.md")
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        elif (case / "seal.json").exists():
            # Beside the case, not in the system's temporary folder: that one may be the examined computer's.
            with tempfile.TemporaryDirectory(prefix=".report-", dir=case.absolute().parent) as scratch:
                differing = [
                    name
                    for name in write_reports(case, Path(scratch), templates=template_dir)
                    if not _same(case / name, Path(scratch) / name)
                ]
            if differing:
                stop(
                    f"the case is sealed, and {', '.join(differing)} would come out differently: it was altered, or written by another "
                    "version of triage. See 'triage verify', or give another folder with --out",
                    FAILED,
                )
            print(f"The reports in {case} are what the journal gives; nothing was changed.")
            return
        for name in write_reports(case, out, templates=template_dir):
            print((out or case) / name)
    except JournalError as error:
        stop(f"the journal of {case} is damaged: {error}", FAILED)
    except OSError as error:
        stop(f"the reports cannot be written: {error.strerror or error}", FAILED)
    except Exception as error:
        from jinja2 import TemplateError

        if not isinstance(error, TemplateError):
            raise
        stop(f"a template in {template_dir} is wrong: {error}", FAILED)


def _same(path: Path, built: Path) -> bool:
    import filecmp

    from triage.report.pdf_signature import PDF, is_signed_form

    if not path.is_file():
        return False
    return filecmp.cmp(path, built, shallow=False) or (path.name == PDF and is_signed_form(path, built))


def verify(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")],
    trusted: Annotated[
        list[Path] | None, typer.Option(help="Certificate (PEM) or public key of a signer you know, or of the authority behind it.")
    ] = None,
    crl: Annotated[
        list[Path] | None, typer.Option(help="Revocation list (PEM or DER) of an authority: certificates that were withdrawn.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Check that nothing in a case was altered, who signed it, and what was added later. Exit code 0: intact; 1: not."""
    import json

    from triage.report.verify import verify as check
    from triage.text import visible

    if not case.is_dir():
        stop(f"{case} is not a folder")
    verdict = check(case, trusted=trusted or [], revocations=crl or [])
    if as_json:
        print(json.dumps(verdict.to_json(), indent=1))
    else:
        for line in verdict.lines():
            print(visible(line))
    raise SystemExit(verdict.exit_code)


def export(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")],
    format_: Annotated[str, typer.Option("--format", help="jsonl, csv, …")],
    out: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
) -> None:
    """Write what was observed or found in another form."""
    from triage.journal import JournalError
    from triage.report.exports import UnknownFormat
    from triage.report.exports import export as write

    _case(case)
    try:
        if out is not None:
            if (case / "seal.json").exists() and case.resolve() in out.resolve().parents:
                stop("the case is sealed: write the export outside its folder")
            write(case, format_, out)
        else:
            write(case, format_, sys.stdout.buffer)
    except UnknownFormat as error:
        stop(str(error))
    except JournalError as error:
        stop(f"the journal of {case} is damaged: {error}", FAILED)
    except BrokenPipeError:
        raise
    except OSError as error:
        stop(f"the export cannot be written: {error.strerror or error}", FAILED)
    raise SystemExit(COMPLETED)
