"""Where compiled word lists and rules are kept between scans: beside what they were compiled from, and nowhere on the examined machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from triage.casefolder import objection
from triage.identity import package_roots
from triage.stick import layout

FOLDER = "triage-compiled"


def folder_for(paths: Sequence[str], sources: Iterable[tuple[Path, bool]]) -> str | None:
    """The folder for what is compiled from ``paths``, or None if there is no place for it. It is made when something is written.

    It is beside the first list that did not come with the tool (whose files are the tool's identity). ``sources`` are (path, live): inside
    evidence, or on an examined drive, nothing is written; nor on a stick: what is compiled is code, and nobody could sign it there.
    """
    roots = package_roots()
    for name in paths:
        path = Path(name).resolve()
        if any(root == path or root in path.parents for root in roots):
            continue
        beside = path if path.is_dir() else path.parent
        if not os.access(beside, os.W_OK) or layout.find(beside) is not None or objection(beside, sources) is not None:
            return None
        return str(beside / FOLDER)
    return None
