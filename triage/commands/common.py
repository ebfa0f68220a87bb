"""What several commands share: exit codes, plain errors, files of secrets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

COMPLETED, FAILED, WRONG_USAGE, GAPS = 0, 1, 2, 3


def stop(message: str, code: int = WRONG_USAGE) -> NoReturn:
    """One clear line on standard error, and out."""
    from triage.text import visible

    print(f"triage: {visible(message)}", file=sys.stderr)
    raise SystemExit(code)


def duration(text: str) -> float:
    """``90``, ``90s``, ``15m``, ``1h`` or ``1h30m`` as seconds. Raises ``ValueError``."""
    import re

    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip().lower())
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is not a length of time: write it like 15m, 90s or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def list_secret(key_file: Path | None) -> bytes | None:
    """What opens encrypted keyword lists, from its key file; a mistake ends the program."""
    if key_file is None:
        return None
    from rules.sealed import load_secret

    try:
        return load_secret(existing(key_file, "the key file"))
    except (OSError, ValueError) as error:
        stop(str(error))


def existing(path: Path, what: str) -> Path:
    """``path`` made absolute, or a clear error and exit code 2."""
    if not path.exists():
        stop(f"{what} {path} does not exist")
    return path.absolute()
