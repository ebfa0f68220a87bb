"""Secrets the examiner gives, and the volumes they open. A secret is never stored, logged, printed or sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KINDS = ("password", "recovery_key", "keyfile")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Secret:
    """A password, a recovery key (BitLocker's 48 digits, FileVault's personal key) or the path of a key file.

    ``value`` is the secret itself. Neither ``repr`` nor ``str`` nor an error message ever shows it.
    """

    kind: str
    value: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a secret is one of {', '.join(KINDS)}")

    def __repr__(self) -> str:
        return f"Secret(kind={self.kind!r}, value=hidden)"
