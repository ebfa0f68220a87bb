"""Where the file of an image lies: on our own disk, or inside the evidence, as a virtual disk does that belongs to the computer examined."""

from __future__ import annotations

from pathlib import Path
from posixpath import normpath
from typing import BinaryIO, Protocol

from triage.evidence.bytesource import FileBytes, StreamBytes
from triage.evidence.model import ByteSource, Entry, Filesystem


class ImageFile(Protocol):
    """A file that may be a container, read-only. ``str`` of it is its full path, as it is to be named."""

    @property
    def name(self) -> str:
        """The last part of its path."""

    def open(self) -> BinaryIO:
        """A new seekable stream at 0. Raises ``OSError``."""

    def data(self) -> ByteSource:
        """Its bytes. Raises ``OSError``."""

    def beside(self, name: str) -> ImageFile | None:
        """The file that a disk names as its extent or parent, looked for in the same folder by the last part of ``name``; None where it is not there."""


def last_part(name: str) -> str:
    """The last part of a path written on any system, without what follows a zero; "" where it names no file."""
    part = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].split("\0")[0]
    return "" if part in (".", "..") else part


class OwnFile:
    """An ``ImageFile`` of the examining computer. A path inside evidence is never followed elsewhere: it may name any file here."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """See ``ImageFile.name``."""
        return self.path.name

    def open(self) -> BinaryIO:
        """See ``ImageFile.open``."""
        return self.path.open("rb")

    def data(self) -> ByteSource:
        """See ``ImageFile.data``."""
        return FileBytes(self.path)

    def beside(self, name: str) -> OwnFile | None:
        """See ``ImageFile.beside``."""
        last = last_part(name)
        candidate = self.path.with_name(last) if last else self.path
        return OwnFile(candidate) if candidate != self.path and candidate.is_file() else None


class EvidenceImage:
    """An ``ImageFile`` that is an entry of a file system inside the evidence."""

    def __init__(self, filesystem: Filesystem, entry: Entry) -> None:
        self._filesystem, self.entry = filesystem, entry

    def __str__(self) -> str:
        return self.entry.path

    @property
    def name(self) -> str:
        """See ``ImageFile.name``."""
        return self.entry.name

    def open(self) -> BinaryIO:
        """See ``ImageFile.open``."""
        return self._filesystem.open(self.entry)

    def data(self) -> ByteSource:
        """See ``ImageFile.data``."""
        return StreamBytes(self.open(), self.entry.size)

    def beside(self, name: str) -> EvidenceImage | None:
        """See ``ImageFile.beside``; after that at the place itself, if it is a full path: nothing outside this file system can be met."""
        last = last_part(name)
        places = [f"{self.entry.path.rpartition('/')[0]}/{last}"] if last else []
        whole = name.replace("\\", "/").split("\0")[0]
        if whole[1:3] == ":/":
            places.append(normpath(whole[2:]))
        for place in places:
            entry = self._filesystem.lookup(place)
            if entry is not None and entry.kind == "file" and entry.path != self.entry.path:
                return EvidenceImage(self._filesystem, entry)
        return None
