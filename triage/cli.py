"""The command line. Thin: each command lives in ``triage.commands`` and imports what it needs when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from triage import __version__
from triage.commands import case, hashset, rules, scan, selftest

app = typer.Typer(
    name="triage",
    help="Field forensic triage: says in plain English whether a device gives grounds to look further, and what could not be checked.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
scan.register(app)
case.register(app)
selftest.register(app)
app.add_typer(hashset.app, name="hashset")
app.add_typer(rules.app, name="rules")


def _version(value: bool) -> None:
    if value:
        print(f"triage {__version__}")
        raise typer.Exit


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False) -> None:
    """Field forensic triage."""


def main() -> None:
    """Entry point of the console script and of the frozen program."""
    import multiprocessing

    multiprocessing.freeze_support()
    for stream in (sys.stdout, sys.stderr):
        # Evidence holds every character there is; a console that knows fewer must not end the scan.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()


if __name__ == "__main__":
    main()
