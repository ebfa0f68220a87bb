"""The command line. Thin: each command lives in ``triage.commands`` and imports what it needs when it runs.

Only the module of the command that was asked for is imported: describing all the others to typer would cost a third of the start-up.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated

import typer

from triage import __version__

COMMANDS = {
    "visit": "visit",
    "scan": "scan",
    "sweep": "sweep",
    "devices": "devices",
    "report": "case",
    "verify": "case",
    "countersign": "countersign",
    "timestamp": "countersign",
    "open": "open",
    "export": "case",
    "baseline": "baseline",
    "hashset": "hashset",
    "rules": "rules",
    "stick": "stick",
    "artefacts": "artefacts",
    "selftest": "selftest",
}
"""Command → its module in ``triage.commands``, in the order of the help page."""


def _version(value: bool) -> None:
    if value:
        print(f"triage {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Field forensic triage: says in plain English whether a device gives grounds to look further, and what could not be checked."""


def application(first: str | None) -> typer.Typer:
    """The program as far as it is needed when ``first`` is the first word on the command line; all of it for anything but a command."""
    app = typer.Typer(name="triage", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, callback=_root)
    modules = [] if first == "--version" else [COMMANDS[first]] if first in COMMANDS else list(dict.fromkeys(COMMANDS.values()))
    for name in modules:
        importlib.import_module(f"triage.commands.{name}").register(app)
    return app


def main() -> None:
    """Entry point of the console script and of the frozen program."""
    import multiprocessing

    multiprocessing.freeze_support()
    for stream in (sys.stdout, sys.stderr):
        # Evidence holds every character there is; a console that knows fewer must not end the scan.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        application(sys.argv[1] if len(sys.argv) > 1 else None)(prog_name="triage")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), 1
        )  # whoever read the output has seen enough; what is left in the buffer has no place to go
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
