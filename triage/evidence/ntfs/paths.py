"""Paths from parent references: the chain of directories up to the root, each link checked by its sequence number.

A parent counts if it is a directory and still the one meant: same sequence number, or one more where it has been deleted since (the
number goes up when a record is freed). Without such a parent a name is an orphan and stands in ``/$OrphanFiles``, as The Sleuth Kit has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.names import DOS, short_only
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import DIRECTORY, EMPTY, IN_USE
from triage.evidence.ntfs.table import Table

ROOT = 5
ORPHANS = "/$OrphanFiles"
MAX_PATH = 32_767  # characters, the limit of NTFS itself
_BUDGET = 64 << 20  # characters of directory paths; a volume made to exhaust memory meets a smaller limit from there on
_SHORT_PATH = 512


@dataclass(slots=True)
class Places:
    """The directory of every name of a table.

    ``rows`` are the rows of ``table.names`` that are names of their own (8.3 forms left out), ``directory`` for each the index into
    ``prefixes`` of the path it stands in, ``orphan`` whether that chain is broken somewhere.
    """

    rows: Ints
    directory: Ints
    orphan: NDArray[np.bool_]
    prefixes: list[str]


class Paths(Places):
    """The places of all names of a whole $MFT."""

    def __init__(self, table: Table, problems: ProblemLog) -> None:
        names = table.names
        self.rows = np.flatnonzero(~short_only(names["record"], names["parent"], names["space"]))
        self._table = table
        self._problems = problems
        parent = self._parents(names["parent"][self.rows], names["parent_sequence"][self.rows])
        # Row of the table for each directory's own record, -1 elsewhere, and the (last) name by which it is reached.
        record = table.position(names["record"][self.rows])
        is_directory = table.flags[record] & DIRECTORY != 0
        self._name_of = np.full(len(table.numbers), -1, dtype=np.int64)
        # Of several names (a damaged or crafted directory) the first in the record counts, and a real one before an 8.3 form.
        order = np.flatnonzero(is_directory)[::-1]
        order = order[np.argsort(names["space"][self.rows[order]] != DOS, kind="stable")]
        self._name_of[record[order]] = order
        self._parent = parent
        self.prefixes = [ORPHANS]
        self._broken: list[bool] = [True]
        self._slot: dict[int, int] = {}
        self._characters = 0
        root = int(table.position(np.array([ROOT]))[0])
        if root >= 0:
            self._slot[root] = self._add("", False)
        self._named = self.rows  # what _name_of and _parent count by
        unique, inverse = np.unique(parent, return_inverse=True)
        slots = np.array([self._resolve(row) for row in unique.tolist()], dtype=np.int64)
        self.directory = slots[inverse.reshape(-1)] if len(unique) else np.zeros(0, dtype=np.int64)
        self.orphan = np.array(self._broken, dtype=bool)[self.directory]
        # The root is its own parent; its name "." is no entry of the tree.
        own = names["record"][self.rows] != ROOT
        self.rows, self.directory, self.orphan = self.rows[own], self.directory[own], self.orphan[own]

    def of_directory(self, record: int) -> tuple[str, bool]:
        """The path of the directory with this record number (the root is the empty string) and whether it is an orphan."""
        row = int(self._table.position(np.array([record]))[0])
        slot = self._resolve(row)
        return self.prefixes[slot], self._broken[slot]

    def _parents(self, number: NDArray[np.unsignedinteger], sequence: NDArray[np.unsignedinteger]) -> Ints:
        """The table row of each parent that counts, -1 for the others."""
        table = self._table
        row = table.position(number)
        at = np.maximum(row, 0)
        now, meant = table.sequence[at].astype(np.int64), sequence.astype(np.int64)
        freed = table.flags[at] & IN_USE == 0
        same = (now == meant) | (freed & (now == np.where(meant >= 0xFFFF, 1, meant + 1)))
        good = (row >= 0) & same & (table.flags[at] & DIRECTORY != 0)
        good &= (table.status[at] != EMPTY) & (table.base[at] == 0)
        return np.where(good, row, -1)

    def _add(self, path: str, broken: bool) -> int:
        self.prefixes.append(path)
        self._broken.append(broken)
        self._characters += len(path)
        return len(self.prefixes) - 1

    def _resolve(self, row: int) -> int:
        """The slot of the directory in table row ``row``; of the orphans' directory for -1."""
        chain: list[int] = []
        met: set[int] = set()
        while row >= 0 and row not in self._slot:
            if row in met:
                self._problems.add("directories that contain each other: the loop was cut", f"record={int(self._table.numbers[row])}")
                row = -1
                break
            met.add(row)
            chain.append(row)
            name = int(self._name_of[row])
            row = int(self._parent[name]) if name >= 0 else -1
        slot = self._slot.get(row, 0)
        for link in reversed(chain):
            name = int(self._name_of[link])
            number = int(self._table.numbers[link])
            text = self._table.texts[int(self._named[name])] if name >= 0 else f"OrphanFile-{number}"
            limit = MAX_PATH if self._characters < _BUDGET else _SHORT_PATH
            path = f"{self.prefixes[slot]}/{text}"
            if len(path) > limit:
                self._problems.add("directories nested deeper than NTFS allows: placed among the orphans", f"record={number}")
                slot, path = 0, f"{ORPHANS}/{text}"
            slot = self._slot[link] = self._add(path, self._broken[slot])
        return slot
