"""The table as a list of entries: each name joined with each stream of its record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.evidence.model import Entry, Run
from triage.evidence.ntfs import attributes, reparse, wof
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.part import TIMES
from triage.evidence.ntfs.paths import ORPHANS, ROOT, Places
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import DIRECTORY, EMPTY, IN_USE
from triage.evidence.ntfs.table import Table

CHUNK = 4096
INDEX_NAME = "$I30"
FIRST_FREE = 16  # the first record that is not set aside
_EPOCH = 116_444_736_000_000_000  # 1970-01-01 as FILETIME
_FIRST_SAFE, _LAST_SAFE = 24_220_000_000_000_000, 208_670_000_000_000_000  # 1677 to 2262: nanoseconds since 1970 that fit 64 bits
_LAST = 2_650_467_743_999_999_999  # the end of 9999
_FLAGS = ((1, "resident"), (2, "compressed"), (4, "encrypted"), (8, "sparse"))
_FLAG_SETS = [tuple(word for bit, word in _FLAGS if bits & bit) for bits in range(16)]
_KINDS = ("file", "directory", "stream")
_CONTENT = ("present", "recoverable", "overwritten", "none")
PRESENT, RECOVERABLE, OVERWRITTEN, NONE = range(4)


def unix_times(values: NDArray[np.uint64], problems: ProblemLog) -> list[int | None]:
    """FILETIMEs as nanoseconds since the Unix epoch; None where not set (0) or after the year 9999, which is reported."""
    result: list[int | None] = ((np.clip(values, _FIRST_SAFE, _LAST_SAFE).astype(np.int64) - _EPOCH) * 100).tolist()
    for row in np.flatnonzero((values < _FIRST_SAFE) | (values > _LAST_SAFE)).tolist():
        value = int(values[row])
        result[row] = (value - _EPOCH) * 100 if 0 < value <= _LAST else None
        if _LAST < value < 0x7FFFFFFFFFFFFFFF:
            problems.add("a time lies after the year 9999 and was left out")
    return result


def trimmed_runs(runs: list[Run], size: int, valid: int) -> list[Run]:
    """``runs`` cut to ``size`` bytes, with what lies beyond the initialised size ``valid`` as zeros, which is how it must be read."""
    result: list[Run] = []
    start = 0
    for run in runs:
        if start >= size:
            break
        length = min(run.length, size - start)
        live = min(length, max(valid - start, 0)) if run.offset >= 0 else length
        if live:
            result.append(Run(run.offset, live) if live != run.length else run)
        if live < length:
            result.append(Run(-1, length - live))
        start += length
    return result


class Listing:
    """Rows of (name, stream) in $MFT order. ``name`` is -1 for a record without one, ``stream`` -1 for one without content."""

    def __init__(self, table: Table, paths: Places, cluster_size: int, bitmap: NDArray[np.uint8] | None, problems: ProblemLog) -> None:
        """``bitmap`` is the content of $Bitmap; without it nothing deleted is called recoverable."""
        self._table, self._paths, self._cluster_size, self._problems = table, paths, cluster_size, problems
        base = table.base == 0
        streams = np.flatnonzero(np.isin(table.streams["type"], (attributes.DATA, attributes.INDEX_ROOT)))
        owner = table.position(table.streams["record"][streams])
        count = np.bincount(owner, minlength=len(table.numbers))
        first = np.cumsum(count) - count

        # The names of a record, and one row without a name for what has none: orphans in the strictest sense.
        named = table.position(table.names["record"][paths.rows])
        bare = base & table.used & (table.status != EMPTY)
        bare[named] = False
        # Records 11 to 15 are set aside for NTFS itself: in use, without a name and without content.
        bare &= (table.numbers != ROOT) & ((table.numbers >= FIRST_FREE) | (table.flags & IN_USE == 0))
        bare_rows = np.flatnonzero(bare)
        record = np.concatenate([named, bare_rows])
        name = np.concatenate([np.arange(len(named), dtype=np.int64), np.full(len(bare_rows), -1, dtype=np.int64)])
        order = np.argsort(record, kind="stable")
        record, name = record[order], name[order]

        times = np.maximum(count[record], 1)
        ends = np.cumsum(times)
        step = np.arange(int(times.sum()), dtype=np.int64) - np.repeat(ends - times, times)
        self.record: Ints = np.repeat(record, times)  # row of the record in the table
        self.name: Ints = np.repeat(name, times)  # row of paths.rows
        place = np.minimum(first[self.record] + step, max(len(streams) - 1, 0))
        self.stream: Ints = np.where(count[self.record] > 0, streams[place] if len(streams) else -1, -1)
        self.content = self._contents(bitmap)

    def __len__(self) -> int:
        return len(self.record)

    def _contents(self, bitmap: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
        """What the content of each row may be relied on for, as an index into the words of the contract."""
        table, streams = self._table, self._table.streams
        result = np.full(len(self), PRESENT, dtype=np.uint8)
        deleted = np.flatnonzero(table.flags[self.record] & IN_USE == 0)
        if not len(deleted):
            return result
        result[deleted] = NONE
        deleted = deleted[self.stream[deleted] >= 0]
        chosen, inverse = np.unique(self.stream[deleted], return_inverse=True)
        state = np.full(len(chosen), NONE, dtype=np.uint8)
        state[streams["resident"][chosen]] = RECOVERABLE
        state[streams["resident"][chosen] & (streams["size"][chosen] == 0)] = NONE
        outside = np.flatnonzero(~streams["resident"][chosen] & (streams["runs"][chosen] > 0) & (streams["size"][chosen] > 0))
        if len(outside) and bitmap is not None:
            rows = streams[chosen[outside]]
            runs = np.repeat(rows["run"] - (np.cumsum(rows["runs"]) - rows["runs"]), rows["runs"]) + np.arange(int(rows["runs"].sum()))
            owner = np.repeat(np.arange(len(rows)), rows["runs"])
            real = table.run_cluster[runs] >= 0
            busy = in_use(bitmap, table.run_cluster[runs[real]], table.run_length[runs[real]])
            state[outside] = RECOVERABLE
            state[outside[~rows["whole"]]] = NONE
            state[outside[np.unique(owner[real][busy])]] = OVERWRITTEN
        result[deleted] = state[inverse.reshape(-1)]
        return result

    def paths(self, start: int = 0, stop: int | None = None) -> list[str]:
        """The paths of rows ``start`` to ``stop``, streams with ``:name`` behind them."""
        table, paths = self._table, self._paths
        part = slice(start, len(self) if stop is None else stop)
        names = self.name[part]
        at = np.maximum(names, 0)
        some = bool(len(paths.rows))
        rows = np.where(names >= 0, paths.rows[at] if some else 0, -1).tolist()
        slots = np.where(names >= 0, paths.directory[at] if some else 0, 0).tolist()
        prefixes, texts = paths.prefixes, table.texts
        result = [f"{prefixes[slot]}/{texts[row]}" if row >= 0 else "" for row, slot in zip(rows, slots, strict=True)]
        for place in np.flatnonzero(names < 0).tolist():
            result[place] = f"{ORPHANS}/OrphanFile-{int(table.numbers[self.record[start + place]])}"
        stream = self.stream[part]
        label = np.where(stream >= 0, table.streams["name"][np.maximum(stream, 0)] if len(table.streams) else 0, 0)
        for place, code in zip(np.flatnonzero(label).tolist(), label[label != 0].tolist(), strict=True):
            if table.labels[code] != INDEX_NAME:
                result[place] = f"{result[place]}:{table.labels[code]}"
        return result

    def entries(self, start: int, stop: int) -> list[Entry]:
        """Rows ``start`` to ``stop`` as entries."""
        table = self._table
        stop = min(stop, len(self))
        record = self.record[start:stop]
        stream = self.stream[start:stop]
        has = stream >= 0
        rows = table.streams[np.maximum(stream, 0)] if len(table.streams) else np.zeros(len(stream), dtype=table.streams.dtype)
        numbers = table.numbers[record].tolist()
        allocated = table.flags[record] & IN_USE != 0
        named = self.name[start:stop]
        orphan = np.where(named >= 0, self._paths.orphan[np.maximum(named, 0)] if len(self._paths.orphan) else True, True)
        bits = (
            rows["resident"] * 1
            + (~rows["resident"] & (rows["flags"] & attributes.COMPRESSED != 0)) * 2
            + (rows["flags"] & attributes.ENCRYPTED != 0) * 4
        )
        bits = np.where(has, bits + (rows["flags"] & attributes.SPARSE != 0) * 8, 0)
        times = [unix_times(table.times[record, column], self._problems) for column in range(4)]
        by_name = dict(zip(TIMES, times, strict=True))
        kinds, targets = self._kinds(record, rows, has)
        result = [
            Entry(
                path, kind, length, f"{number}-{code}-{identifier}" if code else f"{number}", there, lost, modified, accessed, changed,
                created, False, _CONTENT[content], first, runs, _FLAG_SETS[flags],
            )
            for path, kind, length, number, code, identifier, there, lost, modified, accessed, changed, created, content, first, runs, flags
            in zip(
                self.paths(start, stop), kinds, np.where(has, rows["size"], 0).tolist(), numbers,
                np.where(has, rows["type"], 0).tolist(), rows["id"].tolist(), allocated.tolist(), orphan.tolist(), by_name["modified"],
                by_name["accessed"], by_name["changed"], by_name["created"], self.content[start:stop].tolist(), *self._runs(rows, has),
                bits.tolist(), strict=True,
            )
        ]  # fmt: skip
        for place, target in targets.items():
            result[place].link_target = target
        if table.reparse:
            self._mark_packed(result, table.numbers[record].tolist(), table.labels, rows["name"].tolist())
        return result

    def _mark_packed(self, entries: list[Entry], numbers: list[int], labels: list[str], names: list[int]) -> None:
        """Files that Windows keeps compressed: their hole is no content, and the stream that is has no meaning of its own."""
        for entry, number, name in zip(entries, numbers, names, strict=True):
            point = self._table.reparse.get(number)
            if point is None or point.algorithm is None:
                continue
            if entry.kind == "file" and "resident" not in entry.flags:
                entry.runs, entry.first_offset, entry.flags = None, -1, ("compressed",)
            elif entry.kind == "stream" and labels[name] == wof.STREAM:
                entry.flags = (*entry.flags, "virtual")

    def _kinds(self, record: Ints, rows: NDArray[np.void], has: NDArray[np.bool_]) -> tuple[list[str], dict[int, str | None]]:
        """The kind of each row, and the targets of those that are links."""
        table = self._table
        plain = np.array([label in ("", INDEX_NAME) for label in table.labels])
        directory = table.flags[record] & DIRECTORY != 0
        stream = has & (~plain[rows["name"]] | (directory & (rows["type"] == attributes.DATA)))
        kinds = np.where(stream, 2, directory).tolist()
        words = [_KINDS[kind] for kind in kinds]
        targets: dict[int, str | None] = {}
        if table.reparse:
            for place, number in enumerate(table.numbers[record].tolist()):
                point = table.reparse.get(number)
                if point is not None and point.tag in (reparse.SYMLINK, reparse.MOUNT_POINT) and kinds[place] != 2:
                    words[place], targets[place] = "link", point.target
        return words, targets

    def _runs(self, rows: NDArray[np.void], has: NDArray[np.bool_]) -> tuple[list[int], list[list[Run] | None]]:
        """``first_offset`` and ``runs`` of each stream. Compressed ones have no runs to be read as they are."""
        table, size = self._table, self._cluster_size
        clusters, lengths = table.run_cluster, table.run_length
        if len(clusters):
            place = np.minimum(rows["run"], len(clusters) - 1)
            first, extent = clusters[place], lengths[place]
        else:
            first = extent = np.zeros(len(rows), dtype=np.int64)
        outside = has & ~rows["resident"]
        # Most files: one run that holds all of it.
        simple = outside & (rows["runs"] == 1) & (rows["valid"] >= rows["size"]) & (first >= 0) & (rows["size"] > 0)
        simple &= (extent * size >= rows["size"]) & (rows["flags"] & attributes.COMPRESSED == 0)
        offsets = np.where(simple, first * size, -1).tolist()
        make = tuple.__new__
        runs: list[list[Run] | None] = [
            [make(Run, (offset, length))] if offset >= 0 else None for offset, length in zip(offsets, rows["size"].tolist(), strict=True)
        ]
        for at in np.flatnonzero(outside & ~simple).tolist():
            stream = rows[at]
            pieces = table.runs(stream, size)
            offsets[at] = next((run.offset for run in pieces if run.offset >= 0), -1)
            if not stream["flags"] & attributes.COMPRESSED:
                runs[at] = trimmed_runs(pieces, int(stream["size"]), int(stream["valid"]))
        return offsets, runs


def in_use(bitmap: NDArray[np.uint8], cluster: Ints, length: Ints) -> NDArray[np.bool_]:
    """For each range of clusters whether $Bitmap marks any of it as in use. Clusters beyond the bitmap count as in use."""
    if not len(bitmap) or not len(cluster):
        return np.ones(len(cluster), dtype=bool)
    words = np.zeros((len(bitmap) + 7) // 8, dtype="<u8")
    words.view(np.uint8)[: len(bitmap)] = bitmap
    last = cluster + length - 1
    busy = last >= len(bitmap) * 8
    low, high = np.minimum(cluster, len(bitmap) * 8 - 1), np.minimum(last, len(bitmap) * 8 - 1)
    head, tail = low >> 6, high >> 6
    every = np.uint64(0xFFFFFFFFFFFFFFFF)
    from_head, to_tail = every << (low & 63).astype(np.uint64), every >> (63 - (high & 63)).astype(np.uint64)
    one = head == tail
    busy |= words[head] & np.where(one, from_head & to_tail, from_head) != 0
    busy |= words[tail] & np.where(one, from_head & to_tail, to_tail) != 0
    # The whole words between: how many in use come before the end, less how many before the start.
    marked = np.flatnonzero(words)
    busy |= (tail - head > 1) & (np.searchsorted(marked, tail) > np.searchsorted(marked, head + 1))
    return busy
