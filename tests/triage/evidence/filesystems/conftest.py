"""Opening file systems of images, and looking at all of their entries."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from artefacts.coverage import Problem
from triage.evidence.bytesource import FileBytes, SliceBytes
from triage.evidence.filesystems import identify, open_filesystem
from triage.evidence.model import ByteSource, Entry, Filesystem, Volume


class Opened:
    """A file system, everything it lists, and what its contents hash to."""

    def __init__(self, data: ByteSource, filesystem: Filesystem) -> None:
        self.data, self.filesystem = data, filesystem
        self.entries = [entry for batch in filesystem.entries() for entry in batch]

    @property
    def gaps(self) -> list[Problem]:
        """Problems that are not a stated decision (such as no deleted entries on XFS)."""
        return [problem for problem in self.filesystem.problems if problem.status.is_gap]

    def one(self, path: str, **facts: object) -> Entry:
        """The only entry at ``path`` with these facts."""
        (found,) = [e for e in self.entries if e.path == path and all(getattr(e, key) == value for key, value in facts.items())]
        return found

    def content(self, entry: Entry) -> bytes:
        """The content, read in pieces; it must be readable without errors."""
        stream = self.filesystem.open(entry)
        parts = iter(lambda: stream.read(100_000), b"")
        content = b"".join(parts)
        assert stream.read_errors == [], entry.path  # type: ignore[attr-defined]
        return content

    def md5(self, entry: Entry) -> str:
        """MD5 of the content, hex."""
        return hashlib.md5(self.content(entry)).hexdigest()

    def files(self, *, allocated: bool = True) -> dict[str, str]:
        """Path and MD5 of the files with this allocation."""
        return {e.path: self.md5(e) for e in self.entries if e.kind == "file" and e.allocated is allocated}


Opener = Callable[..., Opened]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """A function from an image's path (and where the volume lies in it) to an ``Opened``."""
    held: list[Filesystem | ByteSource] = []

    def open_image(path: Path | ByteSource, offset: int = 0, length: int | None = None, secrets: tuple[str, ...] = ()) -> Opened:
        data: ByteSource = FileBytes(path) if isinstance(path, Path) else path
        held.append(data)
        if offset or length is not None:
            data = SliceBytes(data, offset, data.size - offset if length is None else length)
        found = identify(data)
        assert found is not None
        volume = Volume("v1", offset, data.size, "none", filesystem=found[0])
        filesystem = open_filesystem(data, volume, secrets)
        held.append(filesystem)
        return Opened(data, filesystem)

    yield open_image
    for thing in reversed(held):
        thing.close()
