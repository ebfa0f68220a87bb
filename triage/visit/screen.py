"""Takes the terminal for the visit, and gives it back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage.text import visible
from triage.visit.app import COMPLETED, VisitApp
from triage.visit.draft import Draft
from triage.visit.session import Lists


def run(cases: Path, lists: Lists, draft: Draft) -> int:
    """The whole visit; returns the exit code. Whatever ends the screens, an examination under way is ended in good order and sealed."""
    app = VisitApp(cases, lists, draft)
    try:
        with _own_terminal():
            code = app.run()
    finally:
        if app.session is not None:
            app.session.end()
    session = app.session
    if session is not None and session.seal is not None:
        print(f"Case: {visible(str(session.order.case))}\nFingerprint: {session.seal['fingerprint']}")
    elif session is not None and session.error is not None:
        print(f"triage: {visible(session.error)}", file=sys.stderr)
    return COMPLETED if code is None else code


@contextmanager
def _own_terminal() -> Iterator[None]:
    """The screens write to standard error. What worker processes and native libraries write there would land in the middle of a page:
    they get the null device, and the screens a handle of their own."""
    if os.name == "nt":  # there the screens write through the console's own interface
        yield
        return
    before, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    original = sys.__stderr__
    with open(os.dup(2), "w", encoding="utf-8", errors="backslashreplace", closefd=True) as terminal:
        os.dup2(null, 2)
        sys.__stderr__ = terminal  # type: ignore[misc]
        try:
            yield
        finally:
            os.dup2(before, 2)
            sys.__stderr__ = original  # type: ignore[misc]
            os.close(before)
            os.close(null)
