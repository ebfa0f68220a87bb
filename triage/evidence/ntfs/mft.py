"""The $MFT itself: where it lies, and its records, in chunks or by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from artefacts.coverage import Status
from triage.evidence.filesystems.stream import MAX_READ_ERRORS, RunReader
from triage.evidence.model import ByteSource, ReadError, Run
from triage.evidence.ntfs import attribute_list, attributes, records, runs
from triage.evidence.ntfs.attribute_list import ListEntry
from triage.evidence.ntfs.attributes import Attributes
from triage.evidence.ntfs.boot import Geometry
from triage.evidence.ntfs.content import read_all
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import Records
from triage.evidence.ntfs.table import Table, TableBuilder, in_bytes

Walked = tuple[Records, Attributes, NDArray[np.bool_]]
"""Records, their attributes, and which of the records were damaged: what ``TableBuilder.add`` takes."""

CHUNK_BYTES = 8 << 20
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
        result, errors = self._read(numbers)
        self._report(errors)
        return result

    def raw(self, number: int) -> bytes | None:
        """One record as it lies on disk, or None where it could not be read."""
        if not 0 <= number < self.count:
            return None
        size, before = self._geometry.record_size, len(self._reader.read_errors)
        data = self._reader.at(number * size, size)
        return data if len(self._reader.read_errors) == before and len(data) == size else None

    def _read(self, numbers: Ints) -> tuple[Records, list[ReadError]]:
        """The records, and what of the $MFT has newly been found unreadable."""
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
        return result, self._reader.read_errors[before:]

    def _report(self, errors: Sequence[ReadError]) -> None:
        size = self._geometry.record_size
        for error in errors:
            first, last = error.offset // size, (error.offset + error.length - 1) // size
            self._problems.add(f"$MFT records {first} to {last} are unreadable: {error.reason}", f"record={first}", Status.UNREADABLE)

    def _walked(self, start: int, stop: int) -> tuple[Walked, list[ReadError]]:
        result, errors = self._read(np.arange(start, stop, dtype=np.int64))
        return (result, *attributes.walk(result)), errors

    def _chunks(self) -> Iterator[Walked]:
        """All records in ascending order with their attributes; the next chunk is read and walked while this one is worked on."""
        step = max(CHUNK_BYTES // self._geometry.record_size, 1)
        bounds = [(start, min(start + step, self.count)) for start in range(0, self.count, step)]
        with ThreadPoolExecutor(1, "mft") as ahead:
            waiting = [ahead.submit(self._walked, *bound) for bound in bounds[:1]]
            for following in [*bounds[1:], None]:
                if not waiting:
                    return
                walked, errors = waiting.pop().result()
                if following is not None:
                    waiting.append(ahead.submit(self._walked, *following))
                self._report(errors)
                yield walked

    def table(self, numbers: Ints | None = None, *, volume: bool = True) -> Table:
        """The columns of all records, or of those with ``numbers`` (ascending) alone. Without the ``volume`` around it only what lies in
        the $MFT itself is read: attribute lists that lie elsewhere go uncompared."""
        builder = TableBuilder(self._geometry.cluster_size, self._geometry.clusters, self._problems)
        if numbers is None:
            for walked in self._chunks():
                builder.add(*walked)
        else:
            numbers = numbers[numbers < self.count]
            if len(numbers):
                chosen = self.read(numbers)
                builder.add(chosen, *attributes.walk(chosen))
        return builder.finish(self._read_list if volume else None)

    def extensions(self, numbers: Ints) -> Ints:
        """The extension records that the attribute lists of these base records name, ascending. Lists that are damaged give what they can."""
        numbers = numbers[numbers < self.count]
        if not len(numbers):
            return numbers
        record = self.read(numbers)
        found, _ = attributes.walk(record)
        lists = found.where((found.type == attributes.ATTRIBUTE_LIST) & (record.base[found.row] == 0))
        entries = list_entries(self._data, record, lists, self._geometry)
        wanted = {entry.record for entry in entries if entry.record < self.count}
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
        record = records.decode(raw, geometry.record_size, np.zeros(1, dtype=np.int64))
        found, torn = attributes.walk(record)
        if record.status[0] != records.SOUND or torn[0]:
            problems.add(f"$MFT: {place} is damaged", f"offset={cluster * geometry.cluster_size}")
            continue
        builder = TableBuilder(geometry.cluster_size, geometry.clusters, quiet)
        builder.add(record, found, torn)
        mft = _from_table(builder.finish(lambda pieces, size: b""), geometry)
        if mft is None:
            problems.add(f"$MFT: {place} has no runs", f"offset={cluster * geometry.cluster_size}")
            continue
        entries = list_entries(data, record, found.where(found.type == attributes.ATTRIBUTE_LIST), geometry)
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


def list_entries(data: ByteSource, record: Records, lists: Attributes, geometry: Geometry) -> list[ListEntry]:
    """The entries of the attribute lists in ``lists``, which belong to ``record``."""
    result: list[ListEntry] = []
    pieces = runs.decode(record.memory, lists.content, np.where(lists.resident, 0, lists.length), geometry.clusters)
    for row in range(len(lists)):
        start, length = int(lists.content[row]), int(lists.length[row])
        if lists.resident[row]:
            content = record.memory.bytes[start : start + length].tobytes()
        else:
            part = slice(int(pieces.start[row]), int(pieces.start[row] + pieces.count[row]))
            size = int(record.memory.i64(lists.at[row : row + 1] + 48)[0])
            found = in_bytes(pieces.cluster[part], pieces.length[part], geometry.cluster_size)
            content, _ = read_all(data, found, min(max(size, 0), attribute_list.MAX_BYTES))
        result += attribute_list.parse(content)[0]
    return result


def _whole(data: ByteSource, known: tuple[list[Run], int], listed: Ints, geometry: Geometry, problems: ProblemLog) -> tuple[list[Run], int]:
    """The runs with those in extension records. Each round reads what the last one made reachable; it ends when nothing is added."""
    pieces, size = known
    while len(listed):
        part = Mft(data, pieces, min(sum(run.length for run in pieces), size), geometry, problems)
        found = _from_table(part.table(np.concatenate([np.zeros(1, dtype=np.int64), listed])), geometry)
        if found is None or sum(run.length for run in found[0]) <= sum(run.length for run in pieces):
            break
        pieces = found[0]
    return pieces, size
