"""The $MFT itself: where it lies, and its records, in chunks or by number."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from artefacts.coverage import Status
from triage.evidence.filesystems.stream import MAX_READ_ERRORS, RunReader
from triage.evidence.model import ByteSource, Run
from triage.evidence.ntfs import attribute_list, attributes, part, records
from triage.evidence.ntfs.attribute_list import ListEntry
from triage.evidence.ntfs.boot import Geometry
from triage.evidence.ntfs.content import read_all
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.part import Part
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import Records
from triage.evidence.ntfs.table import Table, TableBuilder

CHUNK_BYTES = 8 << 20
MAX_WORKERS = 4  # threads: numpy lets go of the interpreter while it works on arrays
MAX_RECORDS = 1 << 32  # the number NTFS itself allows


class _MftReader(RunReader):
    """The bytes of the $MFT without the copies that a stream makes."""

    def at(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, fewer only at the end."""
        length = min(length, self.size - offset)
        return self._fetch(offset, length) if length > 0 else b""


class Mft:
    """Reads file records. ``count`` is how many there are."""

    def __init__(self, data: ByteSource, pieces: Sequence[Run], size: int, geometry: Geometry, problems: ProblemLog) -> None:
        """``pieces`` and ``size`` of the unnamed $DATA of record 0, in bytes of ``data``."""
        self._data, self._geometry, self._problems = data, geometry, problems
        self._reader = _MftReader(data, pieces, size)
        for error in self._reader.read_errors:
            problems.add(
                f"$MFT: {error.length // geometry.record_size:,} records are not there: {error.reason}", f"offset={error.offset}",
                Status.UNREADABLE,
            )  # fmt: skip
        self.count = min(self._reader.size // geometry.record_size, MAX_RECORDS)

    def read(self, numbers: Ints) -> Records:
        """The records with these numbers, which must be ascending and below ``count``."""
        size = self._geometry.record_size
        before = len(self._reader.read_errors)
        breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
        parts = [self._reader.at(int(piece[0]) * size, len(piece) * size) for piece in np.split(numbers, breaks) if len(piece)]
        result = records.decode(parts[0] if len(parts) == 1 else b"".join(parts), size, numbers)
        # Zeros delivered for what could not be read must not pass for records that were never used.
        for error in self._reader.read_errors:
            lost = (numbers + 1) * size > error.offset
            result.status[lost & (numbers * size < error.offset + error.length)] = records.DAMAGED
        if len(self._reader.read_errors) >= MAX_READ_ERRORS:
            result.status[result.status == records.EMPTY] = records.DAMAGED
        for error in self._reader.read_errors[before:]:
            first, last = error.offset // size, (error.offset + error.length - 1) // size
            self._problems.add(f"$MFT records {first} to {last} are unreadable: {error.reason}", f"record={first}", Status.UNREADABLE)
        return result

    def raw(self, number: int) -> bytes | None:
        """One record as it lies on disk, or None where it could not be read."""
        if not 0 <= number < self.count:
            return None
        size, before = self._geometry.record_size, len(self._reader.read_errors)
        data = self._reader.at(number * size, size)
        return data if len(self._reader.read_errors) == before and len(data) == size else None

    def _part(self, records: Records) -> Part:
        return part.decode(records, self._geometry.cluster_size, self._geometry.clusters)

    def _parts(self) -> Iterator[Part]:
        """All records in ascending order. Chunks are read one after the other and decoded side by side, a few at a time."""
        step = max(CHUNK_BYTES // self._geometry.record_size, 1)
        workers = min(os.cpu_count() or 1, MAX_WORKERS)
        with ThreadPoolExecutor(workers, "mft") as pool:
            waiting: deque[Future[Part]] = deque()
            for start in range(0, self.count, step):
                waiting.append(pool.submit(self._part, self.read(np.arange(start, min(start + step, self.count), dtype=np.int64))))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def table(self, numbers: Ints | None = None, *, volume: bool = True) -> Table:
        """The columns of all records, or of those with ``numbers`` (ascending) alone. Without the ``volume`` around it only what lies in
        the $MFT itself is read: attribute lists that lie elsewhere go uncompared."""
        builder = TableBuilder(self._problems)
        if numbers is None:
            for found in self._parts():
                builder.add(found)
        else:
            numbers = numbers[numbers < self.count]
            if len(numbers):
                builder.add(self._part(self.read(numbers)))
        return builder.finish(self._read_list if volume else None)

    def extensions(self, numbers: Ints) -> Ints:
        """The extension records that the attribute lists of these base records name, ascending. Lists that are damaged give what they can."""
        numbers = numbers[numbers < self.count]
        if not len(numbers):
            return numbers
        wanted = {entry.record for entry in list_entries(self._data, self._part(self.read(numbers))) if entry.record < self.count}
        return np.array(sorted(wanted.difference(numbers.tolist())), dtype=np.int64)

    def _read_list(self, pieces: Sequence[Run], size: int) -> bytes | None:
        content, errors = read_all(self._data, pieces, size)
        return None if errors else content


def locate(data: ByteSource, geometry: Geometry, problems: ProblemLog) -> Mft:
    """The $MFT of a volume, by its own record 0, or by the copy in $MFTMirr where that is damaged.

    A $MFT in so many pieces that record 0 cannot hold them has an attribute list; the extension records it names lie in the part that
    is known already. Raises ``OSError`` where neither record can be read.
    """
    for cluster, place in ((geometry.mft_cluster, "record 0"), (geometry.mirror_cluster, "the mirror")):
        quiet = ProblemLog()
        if cluster >= geometry.clusters:
            continue
        raw = data.read_at(cluster * geometry.cluster_size, geometry.record_size)
        first = records.decode(raw, geometry.record_size, np.zeros(1, dtype=np.int64))
        found = part.decode(first, geometry.cluster_size, geometry.clusters)
        if found.status[0] != records.SOUND:
            problems.add(f"$MFT: {place} is damaged", f"offset={cluster * geometry.cluster_size}")
            continue
        builder = TableBuilder(quiet)
        builder.add(found)
        mft = _from_table(builder.finish(None), geometry)
        if mft is None:
            problems.add(f"$MFT: {place} has no runs", f"offset={cluster * geometry.cluster_size}")
            continue
        entries = list_entries(data, found)
        listed = {entry.record for entry in entries if entry.type == attributes.DATA and 0 < entry.record < MAX_RECORDS}
        return Mft(data, *_whole(data, mft, np.array(sorted(listed), dtype=np.int64), geometry, quiet), geometry, problems)
    raise OSError("neither the first $MFT record nor its mirror can be read")


def _from_table(table: Table, geometry: Geometry) -> tuple[list[Run], int] | None:
    for stream in table.streams:
        if (
            stream["record"] == 0
            and stream["type"] == attributes.DATA
            and stream["name"] == 0
            and not stream["resident"]
            and stream["runs"]
        ):
            return table.runs(stream, geometry.cluster_size), min(int(stream["size"]), geometry.volume_size)
    return None


def list_entries(data: ByteSource, found: Part) -> list[ListEntry]:
    """The entries of the attribute lists in ``found``; of a damaged list those before the damage."""
    result: list[ListEntry] = []
    for item in found.lists:
        content = item.value
        if content is None:
            content, _ = read_all(data, item.pieces, min(item.size, attribute_list.MAX_BYTES))
        result += attribute_list.parse(content)[0]
    return result


def _whole(data: ByteSource, known: tuple[list[Run], int], listed: Ints, geometry: Geometry, problems: ProblemLog) -> tuple[list[Run], int]:
    """The runs with those in extension records. Each round reads what the last one made reachable; it ends when nothing is added."""
    pieces, size = known
    while len(listed):
        reachable = Mft(data, pieces, min(sum(run.length for run in pieces), size), geometry, problems)
        found = _from_table(reachable.table(np.concatenate([np.zeros(1, dtype=np.int64), listed])), geometry)
        if found is None or sum(run.length for run in found[0]) <= sum(run.length for run in pieces):
            break
        pieces = found[0]
    return pieces, size
