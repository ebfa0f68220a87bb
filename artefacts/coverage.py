"""What was and was not examined: the states that every source, volume, parser and file class ends in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How an examination ended. The value is the word used in the journal, report.json and the exports."""

    PARSED = "parsed"
    EMPTY = "empty"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNRECOGNISED = "unrecognised"
    ENCRYPTED = "encrypted"
    SKIPPED = "skipped_by_rule"
    OUT_OF_TIME = "out_of_time"
    FAILED = "failed"

    @property
    def is_gap(self) -> bool:
        """True where something was there, or may have been, and was not fully examined."""
        return self not in (Status.PARSED, Status.EMPTY, Status.MISSING, Status.SKIPPED)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing inside a file that could not be read: yielded by a parser beside its sound observations.

    ``locator`` says where (``offset=4096``, ``table=visits rowid=42``); ``reason`` is a plain sentence.
    """

    reason: str
    status: Status = Status.FAILED
    locator: str = ""


class Unrecognised(Exception):
    """Raised by a parser for a file that is not of its format at all: coverage ``unrecognised``, with this text."""


class Encrypted(Exception):
    """Raised by a parser for a file of its format whose content is encrypted: coverage ``encrypted``, with this text."""
