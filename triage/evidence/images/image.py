"""What every container opener returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from artefacts.coverage import Problem, Status
from triage.evidence.model import ByteSource


def allow_open_files(count: int) -> None:
    """Raise the process's own limit of open files where a set of segments needs more: the usual soft limit of 1,024 is less than the
    segments of a 2 TB disk. Does nothing on Windows, whose limit is higher."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * count + 256  # libewf opens every segment once more
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class NotOpened(Exception):
    """A container that was recognised and cannot be opened. ``status`` and the text become the coverage of its one volume;
    ``kind`` is as in ``Source.kind``."""

    def __init__(self, reason: str, status: Status = Status.UNREADABLE) -> None:
        super().__init__(reason)
        self.status = status
        self.kind = ""


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
