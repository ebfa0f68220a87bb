"""``triage selftest``."""

from __future__ import annotations

from typing import Annotated

import typer

from triage.commands.common import COMPLETED, FAILED


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("selftest")(selftest)


def selftest(as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False) -> None:
    """Check the tool on itself: a positive control that must be found, a negative one that must stay silent."""
    import json

    from triage.selftest import run

    results = run()
    passed = all(result.passed for result in results)
    if as_json:
        print(json.dumps({"passed": passed, "checks": [{"name": r.name, "passed": r.passed, "detail": r.detail} for r in results]}))
    else:
        for result in results:
            print(f"{'pass' if result.passed else 'FAIL'}  {result.name}{'' if result.passed else ': ' + result.detail}")
        print("The self-test passed." if passed else "THE SELF-TEST FAILED: do not rely on this copy of triage.")
    raise SystemExit(COMPLETED if passed else FAILED)
