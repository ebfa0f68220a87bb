"""The second opinion: records that our own decoder could not make sense of, read by The Sleuth Kit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from triage.evidence.filesystems.stream import NativeReader
from triage.evidence.model import ByteSource, Entry
from triage.evidence.ntfs.paths import ORPHANS
from triage.evidence.ntfs.problems import ProblemLog
from triage.evidence.ntfs.records import IN_USE
from triage.evidence.ntfs.table import Table

_DATA, _INDEX_ROOT = 128, 144
_NS = 1_000_000_000


class SleuthKit:
    """Opens the volume with pytsk3 when it is first needed. It never walks: that would read the whole $MFT."""

    def __init__(self, data: ByteSource) -> None:
        self._data = data
        self._opened: Any = None

    def _volume(self) -> Any:
        if self._opened is None:
            import pytsk3

            from triage.evidence.tsk_image import TskImage

            self._opened = pytsk3.FS_Info(TskImage(self._data), 0, pytsk3.TSK_FS_TYPE_NTFS)
        return self._opened

    def missing(self, table: Table, problems: ProblemLog) -> Iterator[list[Entry]]:
        """Entries for damaged base records of which nothing could be decoded here, where the library can read them."""
        numbers = np.array(sorted(table.incomplete), dtype=np.int64)
        rows = table.position(numbers)
        numbers, rows = numbers[rows >= 0], rows[rows >= 0]
        lost = (table.base[rows] == 0) & ~table.used[rows]
        for number, row in zip(numbers[lost].tolist(), rows[lost].tolist(), strict=True):
            try:
                entries = self._entries(number, bool(table.flags[row] & IN_USE))
            except (OSError, ValueError, OverflowError):
                continue
            if entries:
                problems.add("$MFT record was read by The Sleuth Kit instead; its name is not known", f"record={number}")
                yield entries

    def _entries(self, number: int, allocated: bool) -> list[Entry]:
        file = self._volume().open_meta(inode=number)
        meta = file.info.meta
        if meta is None:
            return []
        modified, accessed, changed, created = (
            int(seconds) * _NS + int(fraction) if int(seconds) else None
            for seconds, fraction in (
                (meta.mtime, meta.mtime_nano), (meta.atime, meta.atime_nano), (meta.ctime, meta.ctime_nano), (meta.crtime, meta.crtime_nano)
            )
        )  # fmt: skip
        return [
            Entry(
                f"{ORPHANS}/OrphanFile-{number}", "directory" if int(attribute.info.type) == _INDEX_ROOT else "file",
                max(int(attribute.info.size), 0), f"{number}-{int(attribute.info.type)}-{int(attribute.info.id)}", allocated, True,
                modified, accessed, changed, created, content="present" if allocated else "none",
            )
            for attribute in file
            if int(attribute.info.type) in (_DATA, _INDEX_ROOT)
        ]  # fmt: skip

    def reader(self, number: int, kind: int, identifier: int, size: int) -> NativeReader:
        """The content of an attribute as the library reads it. Raises ``OSError`` where it cannot open the record."""
        file = self._volume().open_meta(inode=number)
        return NativeReader(lambda offset, length: file.read_random(offset, length, kind, identifier), size)

    def close(self) -> None:
        """Let go of the volume."""
        self._opened = None
