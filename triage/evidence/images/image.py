"""What every container opener returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from artefacts.coverage import Problem, Status
from triage.evidence.model import ByteSource


class NotOpened(Exception):
    """A container that was recognised and cannot be opened. ``status`` and the text become the coverage of its one volume."""

    def __init__(self, reason: str, status: Status = Status.UNREADABLE) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class Image:
    """An opened container.

    ``kind`` as in ``Source.kind``; ``data`` the media's bytes; ``files`` the paths of its segments and extents; ``facts`` what it
    says of itself; ``stored_hashes`` hex digests of the media, by name (``md5``, ``sha1``); ``sector`` the sector size it states.
    """

    kind: str
    data: ByteSource
    files: list[str]
    facts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stored_hashes: dict[str, str] = field(default_factory=dict)
    sector: int | None = None
