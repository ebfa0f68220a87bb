"""An entry of a file system as an artefact parser sees it: the ``EvidenceFile`` of ``artefacts.registry``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from posixpath import normpath
from typing import BinaryIO

from triage.evidence.model import Entry, Filesystem, ReadError

_PROFILE_PARENTS = ("users", "home", "documents and settings")
_NOT_USERS = {"public", "default", "default user", "all users", "shared"}


def user_of(path: str) -> str | None:
    """The user profile a path lies in: ``/Users/NAME/…``, ``/home/NAME/…``, ``/Documents and Settings/NAME/…``, ``/root/…``; else None."""
    parts = path.split("/")
    for number, part in enumerate(parts[1:4], start=1):
        lower = part.lower()
        if lower in _PROFILE_PARENTS and number + 2 < len(parts):
            return None if parts[number + 1].lower() in _NOT_USERS else parts[number + 1]
        if number == 1 and lower == "root" and len(parts) > 2:
            return "root"
    return None


class EntryFile:
    """One entry, read-only. ``content`` (the whole file, already read) spares a second read; every stream opened is kept to
    collect what was unreadable."""

    def __init__(self, filesystem: Filesystem, entry: Entry, content: bytes | None = None) -> None:
        self._filesystem = filesystem
        self._content = content
        self._streams: list[BinaryIO] = []
        self._folder: dict[str, EntryFile] = {}
        self._elsewhere: dict[str, EntryFile] = {}
        self._folder_complete = False
        self.entry = entry

    @property
    def path(self) -> str:
        return self.entry.path

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def size(self) -> int:
        return self.entry.size

    @property
    def user(self) -> str | None:
        return user_of(self.entry.path)

    @property
    def allocated(self) -> bool:
        return self.entry.allocated

    @property
    def read_errors(self) -> list[ReadError]:
        """What was unreadable in every stream opened so far, siblings' included."""
        own = [error for stream in self._streams for error in getattr(stream, "read_errors", ())]
        return own + [
            error for other in (*self._folder.values(), *self._elsewhere.values()) if other is not self for error in other.read_errors
        ]

    def open(self) -> BinaryIO:
        if self._content is not None:
            return io.BytesIO(self._content)
        stream = self._filesystem.open(self.entry)
        self._streams.append(stream)
        return stream

    def read(self, limit: int) -> bytes:
        if self._content is not None:
            return self._content[:limit]
        with self.open() as stream:
            return stream.read(limit)

    def sibling(self, name: str) -> EntryFile | None:
        if not self.allocated:
            return None  # a live file beside a deleted one is not its companion
        held = self._elsewhere if "/" in name else self._folder
        if name not in held and not (held is self._folder and self._folder_complete):
            entry = self._filesystem.lookup(normpath(f"{self.path.rsplit('/', 1)[0]}/{name}"))
            if entry is None or entry.kind != "file":
                return None
            held[name] = EntryFile(self._filesystem, entry)
        return held.get(name)

    def siblings(self, folder: str = "") -> Sequence[EntryFile]:
        if not self.allocated:
            return [] if folder else [self]
        if folder:
            place = f"{self.path.rsplit('/', 1)[0]}/{folder}"
            names = [entry.name for entry in self._filesystem.children(place) if entry.kind == "file"]
            return [found for name in sorted(names) if (found := self.sibling(f"{folder}/{name}")) is not None]
        if not self._folder_complete:
            for entry in self._filesystem.children(self.path.rsplit("/", 1)[0] or "/"):
                if entry.kind == "file" and entry.name not in self._folder:
                    own = entry.path == self.path
                    self._folder[entry.name] = self if own else EntryFile(self._filesystem, entry)
            self._folder_complete = True
        return [self._folder[name] for name in sorted(self._folder)]

    def folder(self, reference: str) -> str | None:
        known = getattr(self._filesystem, "folder_path", None)
        return known(reference) if known is not None else None

    def names(self, reference: str) -> Sequence[str] | None:
        known = getattr(self._filesystem, "names_of", None)
        return known(reference) if known is not None else None
