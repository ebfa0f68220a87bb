"""The decoded $MFT as columns: records, names, streams and runs, gathered chunk by chunk and then joined.

A file that needs several records is put together by the base references of its extension records, which every extension record
carries; its attribute list then says whether any is missing or out of date.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artefacts.coverage import Status
from triage.evidence.model import Run
from triage.evidence.ntfs import attribute_list, reparse
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.part import NAME, NO_RECORD, STREAM, ListFound, Part, in_bytes
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import EMPTY, IN_USE, REFERENCE

ReadRuns = Callable[[Sequence[Run], int], bytes | None]


@dataclass(slots=True)
class Table:
    """The columns. Row i of the record columns is record ``numbers[i]``; names and streams are in the order of ``record``."""

    numbers: Ints
    status: NDArray[np.uint8]
    flags: NDArray[np.uint16]
    sequence: NDArray[np.uint16]
    base: NDArray[np.uint64]
    times: NDArray[np.uint64]  # (records, 4): $STANDARD_INFORMATION as FILETIME in the order of TIMES
    used: NDArray[np.bool_]  # has attributes
    names: NDArray[np.void]
    texts: list[str]
    streams: NDArray[np.void]
    labels: list[str]
    run_cluster: Ints
    run_length: Ints
    reparse: dict[int, reparse.Reparse]
    incomplete: set[int] = field(default_factory=set)  # records that The Sleuth Kit may read better

    def position(self, records: NDArray[np.unsignedinteger] | Ints) -> Ints:
        """The row of each record number, -1 where it is not in the table."""
        wanted = records.astype(np.int64)
        if not len(self.numbers):
            return np.full(len(wanted), -1, dtype=np.int64)
        if int(self.numbers[-1]) == len(self.numbers) - 1:
            return np.where((wanted >= 0) & (wanted < len(self.numbers)), wanted, -1)
        row = np.minimum(np.searchsorted(self.numbers, wanted), len(self.numbers) - 1)
        return np.where(self.numbers[row] == wanted, row, -1)

    def runs(self, stream: np.void, cluster_size: int) -> list[Run]:
        """All runs of a stream in bytes of the volume, untrimmed."""
        part = slice(int(stream["run"]), int(stream["run"]) + int(stream["runs"]))
        return in_bytes(self.run_cluster[part], self.run_length[part], cluster_size)


class TableBuilder:
    """Takes parts in ascending order and makes a ``Table`` of them."""

    def __init__(self, problems: ProblemLog) -> None:
        self._problems = problems
        self._records: list[tuple[NDArray[Any], ...]] = []
        self._names: list[NDArray[np.void]] = []
        self._texts: list[str] = []
        self._streams: list[NDArray[np.void]] = []
        self._run_cluster: list[Ints] = []
        self._run_length: list[Ints] = []
        self._run_total = 0
        self._labels: dict[str, int] = {"": 0}
        self._lists: list[ListFound] = []
        self._reparse: dict[int, reparse.Reparse] = {}
        self._incomplete: set[int] = set()

    def add(self, part: Part) -> None:
        """Take what comes next. What could not be read is noted in the problems."""
        codes = np.array([self._labels.setdefault(label, len(self._labels)) for label in part.labels], dtype=np.uint32)
        part.streams["name"] = codes[part.streams["name"]]
        part.streams["run"] += self._run_total
        self._run_total += len(part.run_cluster)
        self._run_cluster.append(part.run_cluster)
        self._run_length.append(part.run_length)
        self._streams.append(part.streams)
        self._names.append(part.names)
        self._texts += part.texts
        self._lists += part.lists
        self._reparse |= part.reparse
        for number, base, everything in part.damage:
            self._incomplete.add(base)
            lost = "nothing of it could be read" if everything else "what lies before the damage was read"
            self._problems.add(f"$MFT record is damaged: {lost}", f"record={number}")
        self._records.append((part.numbers, part.status, part.flags, part.sequence, part.base, part.times, part.used))

    def finish(self, read_runs: ReadRuns | None) -> Table:
        """Join what was gathered. ``read_runs(runs, length)`` gives the bytes of non-resident attribute lists, or None where they are
        unreadable; without it those lists are left aside."""
        columns: list[Any] = [np.concatenate(column) for column in zip(*self._records, strict=True)] if self._records else _NOTHING
        self._records.clear()
        numbers, status, flags, sequence, base, times, used = columns
        whole = np.dtype(np.int64)
        table = Table(
            numbers, status, flags, sequence, base, times, used, _joined(self._names, NAME), self._texts, _joined(self._streams, STREAM),
            list(self._labels), _joined(self._run_cluster, whole), _joined(self._run_length, whole), self._reparse, self._incomplete,
        )  # fmt: skip
        valid = self._valid_extensions(table)
        lists = self._read_lists(table, read_runs, valid)
        self._join(table, valid, lists)
        for rows in (table.names, table.streams):
            if len(rows) and (np.diff(rows["record"].astype(np.int64)) < 0).any():
                order = np.argsort(rows["record"], kind="stable")
                if rows is table.names:
                    table.texts = [table.texts[place] for place in order.tolist()]
                    table.names = rows[order]
                else:
                    table.streams = rows[order]
        return table

    def _valid_extensions(self, table: Table) -> NDArray[np.bool_]:
        """For each record whether its attributes count: True for base records, and for extension records that fit their base."""
        valid: NDArray[np.bool_] = table.base == 0
        rows = np.flatnonzero(~valid)
        if len(rows):
            target = table.position(np.minimum(table.base[rows] & np.uint64(REFERENCE), np.uint64(NO_RECORD)))
            wanted = (table.base[rows] >> np.uint64(48)).astype(np.int64)
            there = target >= 0
            target = np.maximum(target, 0)
            now = table.sequence[target].astype(np.int64)
            free = table.flags[target] & IN_USE == 0
            # A record's sequence number goes up by one when it is freed.
            fits = (now == wanted) | (free & (now == _next(wanted)))
            fits &= there & (table.status[target] != EMPTY) & (table.base[target] == 0)
            fits &= free | (table.flags[rows] & IN_USE != 0)
            valid[rows] = fits
            for row in rows[~fits & (table.flags[rows] & IN_USE != 0)].tolist():
                self._problems.add("$MFT extension record belongs to no file: its attributes are lost", f"record={int(table.numbers[row])}")
        return valid

    def _read_lists(self, table: Table, read_runs: ReadRuns | None, valid: NDArray[np.bool_]) -> dict[int, dict[tuple[int, str], int]]:
        """The identifiers that attribute lists give, by base record. Extension records a list does not name lose their validity."""
        listed: dict[int, set[int]] = {}
        result: dict[int, dict[tuple[int, str], int]] = {}
        for base, number, value, pieces, size in self._lists:
            if value is None and read_runs is None:
                continue
            allocated = bool((table.flags[table.position(np.array([base]))] & IN_USE)[0])
            content = value if value is not None else read_runs(pieces, min(max(size, 0), attribute_list.MAX_BYTES))  # type: ignore[misc]
            entries, sound = attribute_list.parse(content) if content is not None else ([], False)
            if not sound and allocated:
                self._problems.add("attribute list is unreadable or damaged: parts of the file may be missing", f"record={base}")
                self._incomplete.add(base)
            if sound:
                listed[base] = {entry.record for entry in entries}
                self._check_list(table, valid, base, listed[base], allocated)
            result[base] = attribute_list.unique_ids(base, number, entries)
        for row in np.flatnonzero(valid & (table.base != 0)).tolist():
            base = int(table.base[row] & np.uint64(REFERENCE))
            if base in listed and int(table.numbers[row]) not in listed[base]:
                valid[row] = False
        return result

    def _check_list(self, table: Table, valid: NDArray[np.bool_], base: int, listed: set[int], allocated: bool) -> None:
        others = np.array(sorted(listed - {base}), dtype=np.int64)
        where = table.position(others)
        missing = (where < 0) | ~valid[where] | ((table.base[where] & np.uint64(REFERENCE)).astype(np.int64) != base)
        if allocated and missing.any():
            text = ", ".join(map(str, others[missing][:5].tolist()))
            self._problems.add(f"attribute list names records that are not parts of the file ({text})", f"record={base}", Status.FAILED)
            self._incomplete.add(base)

    def _join(self, table: Table, valid: NDArray[np.bool_], lists: dict[int, dict[tuple[int, str], int]]) -> None:
        """Drop what lies in invalid extension records and make one stream of the extents of an attribute."""
        spread = np.unique(table.base[valid & (table.base != 0)] & np.uint64(REFERENCE))
        if not valid.all():
            kept = valid[table.position(table.names["holder"])]
            table.texts = [text for text, keep in zip(table.texts, kept.tolist(), strict=True) if keep]
            table.names = table.names[kept]
            table.streams = table.streams[valid[table.position(table.streams["holder"])]]
        several = np.isin(table.streams["record"], spread) if len(spread) else np.zeros(len(table.streams), dtype=bool)
        headless = ~several & (table.streams["start_vcn"] != 0)
        for stream in table.streams[headless]:
            self._problems.add("the beginning of an attribute is missing", f"record={int(stream['record'])}")
            self._incomplete.add(int(stream["record"]))
        if headless.any():
            table.streams, several = table.streams[~headless], several[~headless]
        if not several.any():
            return
        alone = table.streams[~several]
        groups: dict[tuple[int, int, int], list[np.void]] = {}
        for stream in table.streams[several]:
            groups.setdefault((int(stream["record"]), int(stream["type"]), int(stream["name"])), []).append(stream)
        cluster, length = [table.run_cluster], [table.run_length]
        total = len(table.run_cluster)
        joined: list[np.void] = []
        for (record, kind, label), extents in groups.items():
            ids = lists.get(record, {})
            heads = [stream for stream in extents if stream["start_vcn"] == 0]
            rest = sorted((stream for stream in extents if stream["start_vcn"] != 0), key=lambda stream: int(stream["start_vcn"]))
            if not heads:
                self._problems.add("the beginning of an attribute is missing", f"record={record}")
                self._incomplete.add(record)
                continue
            for head in heads:
                if head["holder"] != record:
                    head["id"] = ids.get((kind, table.labels[label]), int(head["id"]))
            joined += heads
            if rest:
                parts = [slice(int(part["run"]), int(part["run"] + part["runs"])) for part in (heads[0], *rest)]
                reached = 0
                used: list[slice] = []
                for extent, part in zip((heads[0], *rest), parts, strict=True):
                    if int(extent["start_vcn"]) != reached or not extent["whole"]:
                        self._problems.add("part of an attribute's runs is missing", f"record={record}")
                        self._incomplete.add(record)
                        heads[0]["whole"] = False
                        if int(extent["start_vcn"]) != reached:
                            break
                    used.append(part)
                    reached += int(table.run_length[part].sum())
                heads[0]["run"], heads[0]["runs"] = total, sum(part.stop - part.start for part in used)
                cluster += [table.run_cluster[part] for part in used]
                length += [table.run_length[part] for part in used]
                total += int(heads[0]["runs"])
        table.run_cluster, table.run_length = np.concatenate(cluster), np.concatenate(length)
        table.streams = np.concatenate([alone, np.array(joined, dtype=STREAM)])


_NOTHING = [
    np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint8), np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.uint16),
    np.zeros(0, dtype=np.uint64), np.zeros((0, 4), dtype=np.uint64), np.zeros(0, dtype=bool),
]  # fmt: skip


def _joined(parts: list[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    result = np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)
    parts.clear()
    return result


def _next(sequence: Ints) -> Ints:
    """The sequence number after ``sequence``: 0 is never used."""
    return np.where(sequence >= 0xFFFF, 1, sequence + 1)
