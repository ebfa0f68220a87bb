"""The cases on the stick: a name for a new one, and those that were begun and did not end."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from triage import journal
from triage.casefolder import JOURNAL

MOST = 500
_LARGEST_REPORT = 256 << 20


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that can be gone on with. ``opened``: the data of its ``case_opened`` record; ``begun``: RFC 3339; ``sealed``: it was ended in good
    order before everything was read."""

    folder: Path
    opened: dict[str, Any]
    begun: str
    sealed: bool

    @property
    def name(self) -> str:
        """By what an officer knows it."""
        return str((self.opened.get("visit") or {}).get("reference") or self.folder.name)


def new_folder(cases: Path, reference: str, now: datetime) -> Path:
    """A folder for a new case below ``cases``, not made yet: the day, the time and what of the reference every file system takes."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", reference).strip("-")[:40] or "visit"
    base = f"{now:%Y-%m-%d-%H%M}-{plain}"
    return next(folder for number in range(1, 10_000) if not (folder := cases / (base if number == 1 else f"{base}-{number}")).exists())


def open_cases(cases: Path) -> list[OpenCase]:
    """Cases of a visit below ``cases`` that did not end, the latest first. What is not a case, or cannot be read, is left out."""
    found = []
    try:
        folders = sorted((path for path in cases.iterdir() if (path / JOURNAL).is_file()), reverse=True)[:MOST]
    except OSError:
        return []
    for folder in folders:
        sealed = (folder / "seal.json").exists()
        try:
            if sealed and _complete(folder):
                continue
            record = next(journal.read(folder / JOURNAL), None)
        except (OSError, journal.JournalError):
            continue
        if record is not None and record.kind == "case_opened" and isinstance(record.data.get("visit"), dict):
            found.append(OpenCase(folder, record.data, record.time, sealed))
    return found


def begun_with(case: OpenCase) -> Sequence[tuple[str, bool]]:
    """The sources of a case: path, and whether they belong to a running computer."""
    return [(str(path), bool(live)) for path, live in case.opened["sources"].values()]


def _complete(folder: Path) -> bool:
    path = folder / "report.json"
    if path.stat().st_size > _LARGEST_REPORT:
        return True
    try:
        return bool(json.loads(path.read_bytes())["visit"]["complete"])
    except (ValueError, KeyError, TypeError):
        return False  # going on with it writes the report anew, and says what the old seal was worth
