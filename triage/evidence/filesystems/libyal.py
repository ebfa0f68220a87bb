"""File systems read by a libyal library (libfsapfs, libfsxfs), whose file entries look alike. They hold no deleted entries.

Streams are extended attributes; ``com.apple.ResourceFork`` is called ``rsrc``, as on HFS+.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from artefacts.coverage import Status
from triage.evidence.filesystems import tree
from triage.evidence.filesystems.stream import ContentStream, NativeReader
from triage.evidence.model import Entry, Run

MAX_RUNS = 100_000
MAX_ATTRIBUTES = 1000
_EXTENT_SPARSE = 1
_RESOURCE_FORK = "com.apple.ResourceFork"


class LibyalFilesystem(tree.TreeFilesystem):
    """A ``Filesystem`` over a libyal volume whose ``root_directory`` is the root."""

    def __init__(
        self, kind: str, label: str | None, volume: Any, fold: Callable[[str], str], identity: str, find: Callable[[int], Any],
        keep: tuple[Any, ...], *, plain: bool = True,
    ) -> None:  # fmt: skip
        """``plain``: the runs hold the content as it is, not encrypted. ``identity``: the attribute of a file entry that is its inode; ``find``: from an inode to its file entry; ``keep``: what must
        live as long as the volume."""
        super().__init__(kind, label, fold)
        self._volume, self._identity, self._find, self._keep, self._plain = volume, identity, find, keep, plain
        self._problem(f"deleted entries are not looked for on {kind.upper()}", status=Status.SKIPPED)

    def close(self) -> None:
        """See ``Filesystem.close``."""
        self._cache.clear()
        self._volume, self._keep = None, ()

    def entries(self) -> Iterator[list[Entry]]:
        """See ``Filesystem.entries``."""
        try:
            root = self._volume.root_directory
        except (OSError, ValueError, MemoryError) as error:
            self._problem(f"the root directory could not be read: {_plain(error)}", "/")
            return
        if root is None:
            self._problem("there is no root directory", "/")
            return
        stack, seen, batch, count = [(root, "", 0)], {self._inode(root)}, [], 0
        while stack and count < tree.MAX_ENTRIES:
            directory, path, depth = stack.pop()
            below = []
            for native in self._sub_entries(directory, path):
                found = self._described(native, path)
                batch += found
                count += len(found)
                if found and found[0].kind == "directory":
                    inode = self._inode(native)
                    if inode in seen:
                        self._problem("a directory leads back to one already listed: it was not entered again", found[0].path)
                    elif depth >= tree.MAX_DEPTH:
                        self._problem(f"directories are nested more than {tree.MAX_DEPTH} deep: deeper ones were not listed", found[0].path)
                    else:
                        seen.add(inode)
                        below.append((native, found[0].path, depth + 1))
                if len(batch) >= tree.BATCH:
                    yield batch
                    batch = []
            stack += reversed(below)
        if stack:
            self._problem(f"more than {tree.MAX_ENTRIES} entries: the rest were not listed")
        if batch:
            yield batch

    def open(self, entry: Entry) -> BinaryIO:
        """See ``Filesystem.open``. Raises ``OSError`` where the entry is not of this file system."""
        if entry.link_target is not None:
            target = entry.link_target.encode("utf-8", "surrogateescape")
            return ContentStream(NativeReader(lambda offset, length: target[offset : offset + length], len(target)))
        inode, _, number = entry.address.partition("-")
        if not inode.isdigit():
            raise OSError(f"{entry.path} is not an entry of this file system")
        native = self._find(int(inode))
        if number:
            native = native.get_extended_attribute(int(number))
        return ContentStream(NativeReader(_reader(native), entry.size))

    def _list(self, directory: Entry | None, path: str) -> list[Entry]:
        native = self._find(int(directory.address)) if directory else self._volume.root_directory
        return [entry for sub in self._sub_entries(native, path) for entry in self._described(sub, path)]

    def _inode(self, native: Any) -> int:
        return int(getattr(native, self._identity))

    def _sub_entries(self, directory: Any, path: str) -> Iterator[Any]:
        try:
            number = int(directory.number_of_sub_file_entries)
        except (OSError, ValueError, MemoryError) as error:
            self._problem(f"a directory could not be read: {_plain(error)}", path or "/")
            return
        if number > tree.MAX_DIRECTORY:
            self._problem(f"a directory of {number} entries: only {tree.MAX_DIRECTORY} were listed", path or "/")
        failed = 0
        for index in range(min(number, tree.MAX_DIRECTORY)):
            try:
                yield directory.get_sub_file_entry(index)
            except (OSError, ValueError, MemoryError) as error:
                failed += 1
                if failed <= 3:
                    self._problem(f"an entry could not be read: {_plain(error)}", path or "/")

    def _described(self, native: Any, parent: str) -> list[Entry]:
        """The entry and its streams. Each fact that cannot be read is left out and is a problem."""
        inode = self._ask(lambda: self._inode(native), parent)
        if inode is None:
            return []
        name = self._ask(lambda: native.name, parent) or f"inode {inode}"
        path = f"{parent}/{name}"
        mode = self._ask(lambda: int(native.file_mode), path) or 0
        kind = "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "other"
        entry = Entry(path, kind, 0, str(inode))
        entry.modified = self._time(native, "modification", path)
        entry.accessed = self._time(native, "access", path)
        entry.changed = self._time(native, "inode_change", path)
        entry.created = self._time(native, "creation", path)
        if kind == "link":
            entry.link_target = self._ask(lambda: native.symbolic_link_target, path)
            entry.size = len((entry.link_target or "").encode("utf-8", "surrogateescape"))
        elif kind != "other":
            entry.size = max(self._ask(lambda: int(native.size), path) or 0, 0)
        if kind == "file" and entry.size:
            self._set_runs(entry, native)
        return [entry, *self._streams(native, entry)]

    def _ask(self, question: Callable[[], Any], path: str) -> Any:
        try:
            return question()
        except (OSError, ValueError, OverflowError, MemoryError) as error:
            self._problem(f"a part of an entry could not be read: {_plain(error)}", path or "/")
            return None

    def _time(self, native: Any, which: str, path: str) -> int | None:
        return self._ask(lambda: getattr(native, f"get_{which}_time_as_integer")(), path) or None

    def _set_runs(self, entry: Entry, native: Any) -> None:
        # Content kept in the inode or compressed has no extents, which the libraries call an error.
        try:
            number = int(native.number_of_extents)
            if not 0 < number <= MAX_RUNS:
                return
            extents = [native.get_extent(index) for index in range(number)]
        except (OSError, ValueError, MemoryError):
            return
        left, runs = entry.size, []
        for offset, length, flags in extents:
            length = min(length, left)
            if length <= 0:
                break
            runs.append(Run(-1 if flags & _EXTENT_SPARSE else offset, length))
            left -= length
        entry.runs = runs if self._plain else None
        entry.first_offset = next((run.offset for run in runs if run.offset >= 0), -1)
        if any(run.offset < 0 for run in runs):
            entry.flags += ("sparse",)

    def _streams(self, native: Any, entry: Entry) -> list[Entry]:
        streams = []
        for index in range(min(self._ask(lambda: int(native.number_of_extended_attributes), entry.path) or 0, MAX_ATTRIBUTES)):
            attribute = self._ask(lambda index=index: native.get_extended_attribute(index), entry.path)  # type: ignore[misc]
            name = attribute and self._ask(lambda attribute=attribute: attribute.name, entry.path)  # type: ignore[misc]
            if not name:
                continue
            size = self._ask(lambda attribute=attribute: int(attribute.size), entry.path) or 0  # type: ignore[misc]
            streams.append(
                Entry(
                    f"{entry.path}:{'rsrc' if name == _RESOURCE_FORK else name}", "stream", size, f"{entry.address}-{index}",
                    modified=entry.modified, accessed=entry.accessed, changed=entry.changed, created=entry.created,
                )
            )  # fmt: skip
        return streams


def _reader(native: Any) -> Callable[[int, int], bytes]:
    def read(offset: int, length: int) -> bytes:
        return bytes(native.read_buffer_at_offset(length, offset))

    return read


def _plain(error: BaseException) -> str:
    """The innermost of the library's chained messages stands last; the first says what was asked."""
    parts = [part.strip() for part in str(error).split(". ") if part.strip()]
    return parts[-1].rstrip(".").partition(": ")[2] or str(error) if parts else type(error).__name__
