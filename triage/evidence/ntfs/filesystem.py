"""An NTFS volume: every entry from one pass over the $MFT, and single files without it.

Listing decodes the $MFT in bulk; looking up one path (as workers do, which never list) reads the indexes of the directories on the way
and the records they name. What is damaged is given to The Sleuth Kit record by record and, where that fails too, reported.
Flags beside those of ``Entry``: ``index`` for a named index (``$Quota:$Q``) and for a name found only in a directory index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from artefacts.coverage import Problem, Status
from triage.evidence.filesystems.stream import ContentReader, ContentStream, NativeReader, RunReader
from triage.evidence.filesystems.tree import TreeFilesystem
from triage.evidence.model import ByteSource, Entry, Run, Volume
from triage.evidence.ntfs import attributes, boot, index, reparse, wof
from triage.evidence.ntfs.content import CompressedReader, UnreadableReader, read_all
from triage.evidence.ntfs.listing import CHUNK, INDEX_NAME, Listing, trimmed_runs
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.mft import locate
from triage.evidence.ntfs.names import DOS, short_only
from triage.evidence.ntfs.paths import ROOT, Paths, Places
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import DIRECTORY, IN_USE
from triage.evidence.ntfs.remnants import Remnants
from triage.evidence.ntfs.resident import resident_value
from triage.evidence.ntfs.sleuthkit import SleuthKit
from triage.evidence.ntfs.table import Table
from triage.evidence.ntfs.timestamps import Disagreements, disagreements
from triage.evidence.ntfs.wof import WofReader

_VOLUME_RECORD, _BITMAP_RECORD = 3, 6
_MAX_BITMAP = 1 << 30
_DEEPEST = 256
_MOST_FOLDER_PATHS = 100_000
_VERSIONS = ((1, 0), (1, 1), (1, 2), (3, 0), (3, 1))
_FILE_KINDS = {reparse.WOF: "compressed by Windows (WOF) and not in this volume", reparse.DEDUP: "kept in the deduplication store"}


class NtfsFilesystem(TreeFilesystem):
    """See ``triage.evidence.model.Filesystem``."""

    def __init__(self, data: ByteSource, volume: Volume | None = None) -> None:
        """Reads the boot sector, the first records and nothing more. ``data`` are the bytes of the volume; it stays the caller's.

        Raises ``OSError`` where there is no NTFS here, or one so damaged or unusual that its $MFT cannot be found.
        """
        self._log = ProblemLog()
        self._data = data
        self.geometry, found = boot.read(data)
        for problem in found:
            self._log.add(problem.reason, problem.locator, problem.status)
        if self.geometry.volume_size > data.size + self.geometry.cluster_size:
            self._log.add(
                f"the volume is cut off: {data.size:,} of {self.geometry.volume_size:,} bytes are there", status=Status.UNREADABLE
            )
        self._mft = locate(data, self.geometry, self._log)
        self._tsk = SleuthKit(data)
        self.disagreements: Disagreements | None = None
        """Files whose two sets of times disagree; known once ``entries`` has begun."""
        self._folder_paths: dict[str, str | None] = {}
        super().__init__("ntfs", self._volume_facts(), str.lower)

    @property
    def run_bytes(self) -> ByteSource | None:
        """See ``Filesystem.run_bytes``."""
        return self._data

    @property
    def problems(self) -> list[Problem]:
        """See ``Filesystem.problems``."""
        return [*self._log.list(), *self._problems]

    def _volume_facts(self) -> str | None:
        """The label. Raises ``OSError`` for a version of NTFS nobody knows."""
        record = self._mft.read(np.array([_VOLUME_RECORD], dtype=np.int64))
        found, _ = attributes.walk(record)
        value: dict[int, bytes] = {}
        for row in np.flatnonzero(found.resident).tolist():
            start = int(found.content[row])
            value[int(found.type[row])] = record.memory.bytes[start : start + int(found.length[row])].tobytes()
        version = value.get(attributes.VOLUME_INFORMATION, b"")[8:10]
        if len(version) == 2 and (version[0], version[1]) not in _VERSIONS:
            raise OSError(f"NTFS version {version[0]}.{version[1]} is not known")
        return value.get(attributes.VOLUME_NAME, b"").decode("utf-16-le", "replace") or None

    # Listing

    def columns(self) -> tuple[Table, Paths, Listing]:
        """The whole $MFT decoded: records, names and streams, their directories, and the rows that ``entries`` turns into entries."""
        table = self._mft.table()
        paths = Paths(table, self._log)
        return table, paths, Listing(table, paths, self.geometry.cluster_size, self._bitmap(), self._log)

    def entries(self) -> Iterator[list[Entry]]:
        """See ``Filesystem.entries``. In $MFT order, then what The Sleuth Kit had to read, then names left in directory indexes."""
        table, paths, listing = self.columns()
        self.disagreements = disagreements(table, paths)
        for start in range(0, len(listing), CHUNK):
            yield listing.entries(start, start + CHUNK)
        yield from self._tsk.missing(table, self._log)
        yield from Remnants(
            self._data, table, paths, self.geometry.cluster_size, self.geometry.index_size, self._log
        ).entries()  # fmt: skip

    def _bitmap(self) -> NDArray[np.uint8] | None:
        """The content of $Bitmap; None where it cannot be read."""
        table = self._mft.table(np.array([_BITMAP_RECORD], dtype=np.int64))
        for stream in table.streams:
            if stream["record"] == _BITMAP_RECORD and stream["type"] == attributes.DATA and stream["name"] == 0 and not stream["resident"]:
                size = min(int(stream["size"]), _MAX_BITMAP)
                content, errors = read_all(self._data, table.runs(stream, self.geometry.cluster_size), size)
                if errors:
                    break
                return np.frombuffer(content, dtype=np.uint8)
        self._log.add("$Bitmap cannot be read: no deleted content can be called recoverable", f"record={_BITMAP_RECORD}", Status.UNREADABLE)
        return None

    # Single files

    def _list(self, directory: Entry | None, path: str) -> list[Entry]:
        record = int(directory.address.split("-")[0]) if directory else ROOT
        numbers = self._index(record)
        if not len(numbers):
            return []
        table = self._with_extensions(numbers)
        names = table.names
        mine = (names["parent"] == record) & ~short_only(names["record"], names["parent"], names["space"]) & (names["record"] != ROOT)
        mine &= table.flags[table.position(names["record"])] & IN_USE != 0
        rows = np.flatnonzero(mine)
        places = Places(rows, np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=bool), [path])
        listing = Listing(table, places, self.geometry.cluster_size, None, self._log)
        return [entry for entry in listing.entries(0, len(listing)) if not entry.orphan]

    def folder_path(self, reference: str) -> str | None:
        """The path of the folder with this reference (record-sequence, the root is the empty string), as long as its record is still its own or
        was only freed; None where it is not, or where some folder on its way is not."""
        if reference not in self._folder_paths:
            if len(self._folder_paths) >= _MOST_FOLDER_PATHS:
                self._folder_paths.clear()
            self._folder_paths[reference] = self._climbed(reference)
        return self._folder_paths[reference]

    def names_of(self, reference: str) -> list[str]:
        """The names that the file or folder with this reference (record-sequence) has now; none where its record was freed or is another's."""
        number, _, sequence = reference.partition("-")
        if not (number.isdigit() and sequence.isdigit()) or int(number) >= self._mft.count:
            return []
        record = int(number)
        table = self._with_extensions(np.array([record], dtype=np.int64))
        at = int(table.position(np.array([record]))[0])
        if at < 0 or not table.flags[at] & IN_USE or int(table.sequence[at]) != int(sequence):
            return []
        return [table.texts[row] for row in np.flatnonzero(table.names["record"] == record).tolist()]

    def _climbed(self, reference: str) -> str | None:
        parts: list[str] = []
        for _ in range(_DEEPEST):
            number, _, sequence = reference.partition("-")
            if not (number.isdigit() and sequence.isdigit()):
                return None
            record = int(number)
            if record == ROOT:
                return "".join(f"/{part}" for part in reversed(parts))
            if reference in self._folder_paths:
                above = self._folder_paths[reference]
                return None if above is None else above + "".join(f"/{part}" for part in reversed(parts))
            found = self._folder_name(record, int(sequence))
            if found is None:
                return None
            name, reference = found
            parts.append(name)
        return None

    def _folder_name(self, record: int, sequence: int) -> tuple[str, str] | None:
        """The name of a folder and the reference of the one it lies in."""
        if record >= self._mft.count:
            return None
        table = self._with_extensions(np.array([record], dtype=np.int64))
        at = int(table.position(np.array([record]))[0])
        if at < 0 or not table.flags[at] & DIRECTORY:
            return None
        now, freed = int(table.sequence[at]), not table.flags[at] & IN_USE
        if now != sequence and not (freed and now == (1 if sequence >= 0xFFFF else sequence + 1)):
            return None
        mine = np.flatnonzero(table.names["record"] == record)
        if not len(mine):
            return None
        row = next((row for row in mine.tolist() if table.names["space"][row] != DOS), int(mine[0]))
        name = table.names[row]
        return table.texts[row], f"{int(name['parent'])}-{int(name['parent_sequence'])}"

    def _index(self, record: int) -> Ints:
        """The records that the index of a directory names, ascending."""
        table = self._with_extensions(np.array([record], dtype=np.int64))
        parts: list[Ints] = []
        size = self.geometry.index_size
        for stream in table.streams:
            if stream["record"] != record or table.labels[stream["name"]] != INDEX_NAME:
                continue
            if stream["type"] == attributes.INDEX_ROOT and stream["resident"]:
                value = self._resident(stream)
                size = index.block_size(value, size)
                found = index.scan_root(value, record)
            elif stream["type"] == attributes.INDEX_ALLOCATION and not stream["resident"]:
                content, errors = read_all(
                    self._data, table.runs(stream, self.geometry.cluster_size), min(int(stream["size"]), self._data.size)
                )
                found, damaged = index.scan_blocks(content, size, np.full(len(content) // size, record, dtype=np.int64))
                if errors or damaged:
                    self._log.add("directory index is damaged or unreadable: entries may be missing", f"record={record}")
            else:
                continue
            parts.append(found.record[found.live & (found.space != DOS)])
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)

    def _with_extensions(self, numbers: Ints) -> Table:
        """The table of these records and the extension records their attribute lists name."""
        extensions = self._mft.extensions(numbers)
        return self._mft.table(np.unique(np.concatenate([numbers, extensions])))

    def _resident(self, stream: np.void) -> bytes:
        """The value of a resident attribute."""
        record = self._mft.read(np.array([stream["holder"]], dtype=np.int64))
        start = int(stream["content"])
        return record.memory.bytes[start : min(start + int(stream["size"]), record.size)].tobytes()

    def open(self, entry: Entry) -> BinaryIO:
        """See ``Filesystem.open``. Raises ``OSError`` where the entry is not of this file system."""
        return cast(BinaryIO, ContentStream(self._reader(entry)))

    def _reader(self, entry: Entry) -> ContentReader:
        if entry.size == 0 or (not entry.allocated and entry.content == "none"):
            return RunReader(self._data, (), entry.size)
        if "encrypted" in entry.flags:
            return UnreadableReader(entry.size, "encrypted by Windows (EFS)")
        if entry.runs is not None and "compressed" not in entry.flags and any(run.offset >= 0 for run in entry.runs):
            return RunReader(self._data, entry.runs, entry.size)
        parts = [int(part) for part in entry.address.split("-")]
        if len(parts) != 3:
            return RunReader(self._data, (), entry.size)
        if "resident" in entry.flags and (record := self._mft.raw(parts[0])) is not None:
            value = resident_value(record, parts[1], parts[2])
            if value is not None and len(value) >= entry.size:
                return NativeReader(lambda offset, length: value[offset : offset + length], entry.size)
        table = self._with_extensions(np.array(parts[:1], dtype=np.int64))
        for stream in table.streams:
            if (int(stream["record"]), int(stream["type"]), int(stream["id"])) == tuple(parts):
                return self._stream_reader(table, stream, entry)
        return self._tsk.reader(parts[0], parts[1], parts[2], entry.size)

    def _stream_reader(self, table: Table, stream: np.void, entry: Entry) -> ContentReader:
        if stream["resident"]:
            value = self._resident(stream)
            return NativeReader(lambda offset, length: value[offset : offset + length], entry.size)
        point = table.reparse.get(int(stream["record"]))
        if point is not None and point.tag in _FILE_KINDS and stream["name"] == 0:
            packed = self._packed(table, stream) if point.algorithm is not None else None
            if packed is not None and point.algorithm is not None:
                return WofReader(packed, entry.size, point.algorithm)
            return UnreadableReader(entry.size, f"the content is {_FILE_KINDS[point.tag]}")
        pieces: Sequence[Run] = table.runs(stream, self.geometry.cluster_size)
        if stream["flags"] & attributes.COMPRESSED and stream["unit"]:
            unit = self.geometry.cluster_size << min(int(stream["unit"]), 16)
            if unit > 1 << 20:
                return UnreadableReader(entry.size, f"compression units of {unit} bytes are not known")
            return CompressedReader(self._data, pieces, entry.size, unit, int(stream["valid"]))
        return RunReader(self._data, trimmed_runs(list(pieces), int(stream["size"]), int(stream["valid"])), entry.size)

    def _packed(self, table: Table, stream: np.void) -> ContentReader | None:
        """The compressed stream that belongs to the hole ``stream``; None where it is not there."""
        for other in table.streams:
            if other["record"] == stream["record"] and other["type"] == attributes.DATA and table.labels[other["name"]] == wof.STREAM:
                size = int(other["size"])
                kept = Entry("", "stream", size, "", flags=("compressed",))  # by its runs in the table, not by an entry's
                return self._stream_reader(table, other, kept)
        return None

    def close(self) -> None:
        """See ``Filesystem.close``."""
        self._cache.clear()
        self._tsk.close()
