"""Which file a byte of a volume belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from triage.evidence.model import Entry, Filesystem

IN_FILE, IN_DELETED = "a file", "a deleted file"
UNUSED, NOT_KNOWN, OUTSIDE = "space not used by any file", "a place not known to belong to a file", "a place outside every file system"


class Place(NamedTuple):
    """``words``: one of the five above. ``path`` of the file, "" where there is none; ``allocated`` is False for what is deleted or unused."""

    words: str
    path: str = ""
    allocated: bool = True


class Places:
    """The runs of every file of a volume, looked up by place. A file in use goes before a deleted one that lay there."""

    def __init__(self, filesystem: Filesystem, beat: Callable[[], None]) -> None:
        """Lists the file system through; ``beat`` is called as it goes on."""
        self._names: list[tuple[str, bool]] = []
        rows: list[tuple[int, int, int]] = []
        self._hidden = 0
        for chunk in filesystem.entries():
            beat()
            for entry in chunk:
                if entry.kind in ("file", "stream") and entry.size:
                    self._add(entry, rows)
        # Sorted by start; of two that start together the one in use stands last and is met first.
        rows.sort(key=lambda row: (row[0], self._names[row[2]][1]))
        table = np.array(rows, np.int64).reshape(-1, 3)
        self._starts, self._ends, self._owners = table.T
        self._reach = np.maximum.accumulate(self._ends) if len(table) else self._ends

    def _add(self, entry: Entry, rows: list[tuple[int, int, int]]) -> None:
        if entry.runs is None:
            self._hidden += entry.allocated and "resident" not in entry.flags
            return
        number = len(self._names)
        found = [(run.offset, run.offset + run.length, number) for run in entry.runs if run.offset >= 0 and run.length > 0]
        if found:
            self._names.append((entry.path, entry.allocated))
            rows += found

    def at(self, offset: int) -> Place:
        """The place of the block that begins at byte ``offset`` of the volume."""
        deleted: str | None = None
        index = int(np.searchsorted(self._starts, offset, "right")) - 1
        while index >= 0 and self._reach[index] > offset:
            if self._ends[index] > offset:
                path, allocated = self._names[self._owners[index]]
                if allocated:
                    return Place(IN_FILE, path)
                deleted = path if deleted is None else min(deleted, path)
            index -= 1
        if deleted is not None:
            return Place(IN_DELETED, deleted, False)
        # Compressed files and some file systems do not say where content lies: what is found there may be theirs.
        return Place(NOT_KNOWN) if self._hidden else Place(UNUSED, "", False)
