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
from triage.evidence.ntfs import attribute_list, attributes, names, reparse, runs
from triage.evidence.ntfs.attributes import Attributes
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import DAMAGED, EMPTY, IN_USE, REFERENCE, Records

NO_RECORD = 0xFFFFFFFF
NAME = np.dtype([
    ("record", "<u4"), ("holder", "<u4"), ("parent", "<u4"), ("parent_sequence", "<u2"), ("space", "u1"), ("times", "<u8", 4), ("hash", "<u8"),
])  # fmt: skip
"""A $FILE_NAME: ``record`` it names, ``holder`` it lies in, the parent's reference, times as FILETIME in the order of ``TIMES``, the hash of its text."""
STREAM = np.dtype([
    ("record", "<u4"), ("holder", "<u4"), ("type", "<u4"), ("id", "<u2"), ("flags", "<u2"), ("name", "<u4"), ("resident", "?"),
    ("whole", "?"), ("unit", "u1"), ("content", "<u2"), ("start_vcn", "<i8"), ("size", "<i8"), ("valid", "<i8"), ("run", "<i8"), ("runs", "<i8"),
])  # fmt: skip
"""An attribute with content: ``name`` indexes ``Table.labels``; ``content`` is where a resident value starts in its record; ``valid`` the
initialised size; ``unit`` the power of two of clusters in a compression unit; ``run`` and ``runs`` the slice of ``Table.run_*``;
``whole`` is False where part of its runs is damaged or lost."""
TIMES = ("created", "modified", "changed", "accessed")  # in the order NTFS stores them
_KEPT = (attributes.DATA, attributes.INDEX_ROOT, attributes.INDEX_ALLOCATION, attributes.BITMAP, attributes.VOLUME_NAME)

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


def in_bytes(cluster: Ints, length: Ints, cluster_size: int) -> list[Run]:
    """Runs in clusters (-1: sparse) as runs in bytes of the volume."""
    return [
        Run(start * cluster_size if start >= 0 else -1, count * cluster_size)
        for start, count in zip(cluster.tolist(), length.tolist(), strict=True)
    ]


class TableBuilder:
    """Takes decoded records in ascending order and makes a ``Table`` of them."""

    def __init__(self, cluster_size: int, clusters: int, problems: ProblemLog) -> None:
        self._cluster_size = cluster_size
        self._clusters = clusters
        self._problems = problems
        self._records: list[tuple[NDArray[np.generic], ...]] = []
        self._names: list[NDArray[np.void]] = []
        self._texts: list[str] = []
        self._streams: list[NDArray[np.void]] = []
        self._run_cluster: list[Ints] = []
        self._run_length: list[Ints] = []
        self._run_total = 0
        self._labels: dict[str, int] = {"": 0}
        self._lists: list[tuple[int, int, bytes | None, list[Run], int]] = []
        self._reparse: dict[int, reparse.Reparse] = {}
        self._incomplete: set[int] = set()

    def add(self, records: Records, found: Attributes, torn: NDArray[np.bool_]) -> None:
        """Decode a chunk, given what ``attributes.walk`` makes of it. What cannot be read is noted in the problems."""
        damaged = (records.status == DAMAGED) | torn
        status = np.where(torn, np.uint8(DAMAGED), records.status).astype(np.uint8)
        owner = np.where(records.base != 0, records.base & np.uint64(REFERENCE), records.numbers.astype(np.uint64))
        owner = np.minimum(owner, NO_RECORD).astype(np.int64)
        times = np.zeros((len(records), 4), dtype=np.uint64)
        used = np.zeros(len(records), dtype=bool)
        used[found.row] = True
        own = records.base[found.row] == 0

        standard = found.where((found.type == attributes.STANDARD_INFORMATION) & found.resident & (found.length >= 32) & own)
        for column in range(4):
            times[standard.row, column] = records.memory.u64(standard.content + 8 * column)
        damaged |= self._add_names(records, found, owner)
        damaged |= self._add_streams(records, found, owner)
        self._add_lists(records, found.where((found.type == attributes.ATTRIBUTE_LIST) & own))
        self._add_reparse(records, found.where((found.type == attributes.REPARSE_POINT) & found.resident & own))

        for row in np.flatnonzero(damaged).tolist():
            number = int(records.numbers[row])
            self._incomplete.add(int(owner[row]))
            lost = "nothing of it could be read" if records.limit[row] == 0 else "what lies before the damage was read"
            self._problems.add(f"$MFT record is damaged: {lost}", f"record={number}")
        self._records.append((
            records.numbers, status, records.flags.astype(np.uint16), records.sequence.astype(np.uint16), records.base, times, used,
        ))  # fmt: skip

    def _add_names(self, records: Records, found: Attributes, owner: Ints) -> NDArray[np.bool_]:
        damaged = np.zeros(len(records), dtype=bool)
        rows = found.where(found.type == attributes.FILE_NAME)
        units = records.memory.u8(np.minimum(rows.content + 64, records.memory.length))
        sane = rows.resident & (rows.length >= 66) & (66 + 2 * units <= rows.length) & (units > 0)
        damaged[rows.row[~sane]] = True
        rows, units = rows.where(sane), units[sane]
        table = np.zeros(len(rows), dtype=NAME)
        parent = records.memory.u64(rows.content)
        table["record"] = owner[rows.row]
        table["holder"] = records.numbers[rows.row]
        table["parent"] = np.minimum(parent & np.uint64(REFERENCE), np.uint64(NO_RECORD))
        table["parent_sequence"] = parent >> np.uint64(48)
        table["space"] = records.memory.u8(rows.content + 65)
        for column in range(4):
            table["times"][:, column] = records.memory.u64(rows.content + 8 + 8 * column)
        texts, table["hash"] = names.decode(records.memory, rows.content + 66, units)
        self._names.append(table)
        self._texts += texts
        return damaged

    def _add_streams(self, records: Records, found: Attributes, owner: Ints) -> NDArray[np.bool_]:
        memory = records.memory
        rows = found.where(np.isin(found.type, _KEPT))
        table = np.zeros(len(rows), dtype=STREAM)
        table["record"], table["holder"] = owner[rows.row], records.numbers[rows.row]
        table["type"], table["id"], table["flags"], table["resident"] = rows.type, rows.id, rows.flags, rows.resident
        table["whole"] = True
        named = np.flatnonzero(rows.name_length)
        labels, _ = names.decode(memory, rows.name[named], rows.name_length[named])
        table["name"][named] = [self._labels.setdefault(label, len(self._labels)) for label in labels]
        table["content"] = np.where(rows.resident, rows.content - rows.row * records.size, 0)
        table["size"] = table["valid"] = rows.length
        outside = np.flatnonzero(~rows.resident)
        decoded = self._add_extents(records, rows.where(~rows.resident))
        at = rows.at[outside]
        table["start_vcn"][outside] = memory.i64(at + 16)
        table["size"][outside] = memory.i64(at + 48)
        table["valid"][outside] = memory.i64(at + 56)
        table["unit"][outside] = np.minimum(memory.u16(at + 34), 255)
        table["run"][outside], table["runs"][outside] = decoded.start, decoded.count
        table["whole"][outside] = decoded.sound
        damaged = np.zeros(len(records), dtype=bool)
        # Sizes are counted in 63 bits; a negative one is a lie, and so is a start that no volume reaches.
        lying = (table["size"] < 0) | (table["valid"] < 0) | (table["start_vcn"] < 0) | (table["start_vcn"] > 1 << 48)
        damaged[rows.row[outside[~decoded.sound]]] = True
        damaged[rows.row[lying]] = True
        self._streams.append(table[~lying])
        return damaged

    def _add_extents(self, records: Records, rows: Attributes) -> runs.Runs:
        """Decode mapping pairs into the common run columns; ``start`` of the result counts from the first run of all."""
        decoded = runs.decode(records.memory, rows.content, rows.length, self._clusters)
        decoded.start += self._run_total
        self._run_cluster.append(decoded.cluster)
        self._run_length.append(decoded.length)
        self._run_total += len(decoded.cluster)
        return decoded

    def _add_lists(self, records: Records, rows: Attributes) -> None:
        decoded = runs.decode(records.memory, rows.content, np.where(rows.resident, 0, rows.length), self._clusters)
        for row in range(len(rows)):
            base, number = int(records.numbers[rows.row[row]]), int(rows.id[row])
            if rows.resident[row]:
                start = int(rows.content[row])
                value = records.memory.bytes[start : start + int(rows.length[row])].tobytes()
                self._lists.append((base, number, value, [], len(value)))
                continue
            part = slice(int(decoded.start[row]), int(decoded.start[row] + decoded.count[row]))
            pieces = in_bytes(decoded.cluster[part], decoded.length[part], self._cluster_size)
            self._lists.append((base, number, None, pieces, int(records.memory.i64(rows.at[row : row + 1] + 48)[0])))

    def _add_reparse(self, records: Records, rows: Attributes) -> None:
        for row, start, length in zip(rows.row.tolist(), rows.content.tolist(), rows.length.tolist(), strict=True):
            point = reparse.parse(records.memory.bytes[start : start + length].tobytes())
            if point is not None:
                self._reparse[int(records.numbers[row])] = point

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
