"""Names that only a directory index still knows: deleted or renamed entries in its unused parts, and files whose $MFT record is damaged.

These cost a read per directory and are therefore listed last, in disk order. They are names, sizes and times without content: what the
record they point to holds now is somebody else's, or is listed under its present name already.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from artefacts.coverage import Status
from triage.evidence.model import ByteSource, Entry
from triage.evidence.ntfs import attributes, index
from triage.evidence.ntfs.content import read_all
from triage.evidence.ntfs.listing import INDEX_NAME, unix_times
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.names import DOS
from triage.evidence.ntfs.paths import ORPHANS, Paths
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import DAMAGED, DIRECTORY, IN_USE, SOUND
from triage.evidence.ntfs.table import Table

MAX_DIRECTORY_BYTES = 128 << 20
_BATCH_BYTES = 4 << 20


class Remnants:
    """Finds them for a whole $MFT."""

    def __init__(self, data: ByteSource, table: Table, paths: Paths, cluster_size: int, index_size: int, problems: ProblemLog) -> None:
        self._data, self._table, self._paths, self._cluster_size = data, table, paths, cluster_size
        self._index_size, self._problems = index_size, problems
        self._seen: set[tuple[int, int, int, str]] = set()
        self._by_parent: NDArray[np.int64] | None = None
        self._texts: dict[int, set[str]] = {}  # of the directory asked for last

    def entries(self) -> Iterator[list[Entry]]:
        """The remnants in lists, directory by directory in disk order."""
        streams = self._table.streams
        label = self._table.labels.index(INDEX_NAME) if INDEX_NAME in self._table.labels else -1
        rows = np.flatnonzero((streams["type"] == attributes.INDEX_ALLOCATION) & (streams["name"] == label) & (streams["runs"] > 0))
        records = self._table.position(streams["record"][rows])
        rows = rows[self._table.flags[records] & DIRECTORY != 0]
        rows = rows[np.argsort(self._table.run_cluster[streams["run"][rows]], kind="stable")]
        size = self._index_size
        contents: list[bytes] = []
        owners: list[Ints] = []
        waiting = 0
        for row in rows.tolist():
            content = self._content(streams[row])
            contents.append(content[: len(content) // size * size])
            owners.append(np.full(len(content) // size, int(streams[row]["record"]), dtype=np.int64))
            waiting += len(content)
            if waiting >= _BATCH_BYTES:
                yield from self._found(b"".join(contents), size, np.concatenate(owners))
                contents, owners, waiting = [], [], 0
        if contents:
            yield from self._found(b"".join(contents), size, np.concatenate(owners))

    def _content(self, stream: np.void) -> bytes:
        record = int(stream["record"])
        size = min(int(stream["size"]), self._data.size)
        if size > MAX_DIRECTORY_BYTES:
            self._problems.add(
                "directory index too large: only its first part was searched for deleted names", f"record={record}", Status.SKIPPED
            )
            size = MAX_DIRECTORY_BYTES
        content, errors = read_all(self._data, self._table.runs(stream, self._cluster_size), size)
        allocated = self._table.flags[self._table.position(np.array([record]))] & IN_USE != 0
        if errors and allocated[0]:
            self._problems.add(f"directory index is not wholly readable: {errors[0].reason}", f"record={record}", Status.UNREADABLE)
        return content

    def _found(self, content: bytes, size: int, owner: Ints) -> Iterator[list[Entry]]:
        found, _ = index.scan_blocks(content, size, owner)
        rows = self._unknown(found, owner)
        if not len(rows):
            return
        times = [unix_times(found.times[rows, column], self._problems) for column in range(4)]
        result: list[Entry] = []
        for place, row in enumerate(rows.tolist()):
            record, sequence, parent = int(found.record[row]), int(found.sequence[row]), int(found.parent[row])
            text = found.texts[row]
            key = (parent, record, sequence, text)
            if key in self._seen:
                continue
            self._seen.add(key)
            directory, orphan = self._paths.of_directory(parent)
            if not self._same(parent, int(found.parent_sequence[row])):
                directory, orphan = ORPHANS, True
            referred = bool(record or sequence)
            at = int(self._table.position(np.array([record]))[0]) if referred else -1
            # Still in use in its directory, but its record cannot be read: this is all there is to know of a file that exists.
            live = bool(found.live[row] and not orphan and at >= 0 and self._table.status[at] == DAMAGED)
            reused = at >= 0 and self._table.status[at] == SOUND and not self._same(record, sequence)
            result.append(Entry(
                f"{directory}/{text}", "directory" if found.directory[row] else "file", max(int(found.size[row]), 0), str(record) if referred else "", live,
                orphan, times[1][place], times[3][place], times[2][place], times[0][place], False, "none", -1, [],
                ("index", "reused") if reused else ("index",),
            ))  # fmt: skip
        if result:
            yield result

    def _same(self, record: int, sequence: int) -> bool:
        """Whether the record is, or was until it was freed, the one that the reference means."""
        at = int(self._table.position(np.array([record]))[0])
        if at < 0:
            return False
        now = int(self._table.sequence[at])
        return now == sequence or (not self._table.flags[at] & IN_USE and now == (1 if sequence >= 0xFFFF else sequence + 1))

    def _unknown(self, found: index.IndexNames, owner: Ints) -> NDArray[np.int64]:
        """The rows whose name the $MFT does not have; an 8.3 form only where it is the only name left."""
        names = self._table.names
        low = np.searchsorted(names["record"], found.record)
        high = np.searchsorted(names["record"], found.record, side="right")
        known = np.zeros(len(found.record), dtype=bool)
        for step in range(int((high - low).max(initial=0))):
            place = low + step
            inside = np.flatnonzero(~known & (place < high))
            if not len(inside):
                break
            name = names[place[inside]]
            known[inside] = (name["hash"] == found.hashes[inside]) & (name["parent"] == found.parent[inside])
        for row in np.flatnonzero(~known & (found.record == 0) & (found.sequence == 0)).tolist():
            known[row] = found.texts[row] in self._texts_in(int(found.parent[row]))
        long = found.space != DOS
        pairs = set(zip(found.record[long].tolist(), found.parent[long].tolist(), strict=True))
        for row in np.flatnonzero(~known & ~long).tolist():
            known[row] = (int(found.record[row]), int(found.parent[row])) in pairs
        return np.flatnonzero(~known)

    def _texts_in(self, parent: int) -> set[str]:
        """The names the $MFT has in a directory: with them a remnant that lost its reference is compared."""
        if self._by_parent is None:
            self._by_parent = np.argsort(self._table.names["parent"], kind="stable")
        if parent not in self._texts:
            sorted_parents = self._table.names["parent"]
            low, high = np.searchsorted(sorted_parents, [parent, parent + 1], sorter=self._by_parent).tolist()
            self._texts = {parent: {self._table.texts[row] for row in self._by_parent[low:high].tolist()}}
        return self._texts[parent]
