"""The plan: every file of every volume, in the order in which it will be read, cut into batches.

A disk may hold a million files, so nothing here is an object a file: an entry is a slice of the bytes in which the walking worker sent
it (JSON, passed on unparsed), and the order comes from a few arrays.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from triage.scan import classify

BATCH_FILES = 256
BATCH_BYTES = 32 << 20
_ROW = struct.Struct("<BqqqI")
RECENT_NS = 30 * 86_400 * 1_000_000_000


class Row(NamedTuple):
    """What the plan needs to know of an entry: class, bytes (-1: no content, a directory or link), where its content starts (-1
    unknown), last change (ns, 0 unknown)."""

    cls: int
    size: int
    first_offset: int
    modified: int


def pack_chunk(rows: list[Row], lines: list[bytes]) -> bytes:
    """A worker's frame: a row and a JSON line for each entry."""
    head = b"".join(_ROW.pack(*row, len(line)) for row, line in zip(rows, lines, strict=True))
    return struct.pack("<I", len(rows)) + head + b"".join(lines)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files read together. ``key`` names exactly these entries, so that a resumed scan knows what it has done."""

    source: str
    volume: str
    cls: int
    files: int
    size: int
    key: str
    entries: bytes  # JSON lines joined by commas


class Plan:
    """Collects the entries of all volumes, then gives them back in reading order."""

    def __init__(self) -> None:
        self._volumes: list[tuple[str, str]] = []
        self._blobs: list[bytes] = []
        self._cls, self._size, self._first, self._modified = array("B"), array("q"), array("q"), array("q")
        self._volume, self._blob, self._start, self._length = array("H"), array("I"), array("I"), array("I")

    def add(self, source: str, volume: str, frame: bytes) -> None:
        """Take a frame of ``pack_chunk``."""
        if (source, volume) not in self._volumes:
            self._volumes.append((source, volume))
        number = self._volumes.index((source, volume))
        (count,) = struct.unpack_from("<I", frame)
        position = 4 + count * _ROW.size
        self._blobs.append(frame)
        for cls, size, first, modified, length in _ROW.iter_unpack(frame[4:position]):
            self._cls.append(cls)
            self._size.append(size)
            self._first.append(first)
            self._modified.append(modified)
            self._volume.append(number)
            self._blob.append(len(self._blobs) - 1)
            self._start.append(position)
            self._length.append(length)
            position += length

    def __len__(self) -> int:
        return len(self._cls)

    def totals(self) -> dict[tuple[str, str, int], tuple[int, int]]:
        """(source, volume, class) → (files, bytes)."""
        out: dict[tuple[str, str, int], tuple[int, int]] = {}
        for number, cls, size in zip(self._volume, self._cls, self._size, strict=True):
            key = (*self._volumes[number], cls)
            files, total = out.get(key, (0, 0))
            out[key] = (files + (size >= 0), total + max(size, 0))
        return out

    def mark_recent(self) -> None:
        """Move personal files changed in the last thirty days of the evidence's own life to ``recent``.

        "Last" is the 99th percentile of the volume's personal files: a few files dated in the future must not hide the rest, and the
        clock of this computer must not change the result.
        """
        by_volume: dict[int, list[int]] = {}
        for number, cls, modified in zip(self._volume, self._cls, self._modified, strict=True):
            if cls == classify.PERSONAL and modified > 0:
                by_volume.setdefault(number, []).append(modified)
        since = {number: sorted(times)[int((len(times) - 1) * 0.99)] - RECENT_NS for number, times in by_volume.items()}
        for index, (number, cls, modified) in enumerate(zip(self._volume, self._cls, self._modified, strict=True)):
            if cls == classify.PERSONAL and modified > 0 and modified >= since[number]:
                self._cls[index] = classify.RECENT

    def batches(self, classes: tuple[str, ...]) -> Iterator[Batch]:
        """Batches of the named classes, in the order of ``CLASSES``; inside a class by source and volume, then in disk order."""
        wanted = [number for number, name in enumerate(classify.CLASSES) if name in classes]
        buckets: dict[int, list[int]] = {number: [] for number in wanted}
        for index, cls in enumerate(self._cls):
            if cls in buckets:
                buckets[cls].append(index)
        for cls in wanted:
            bucket = buckets[cls]
            bucket.sort(key=lambda i: (self._volume[i], self._first[i] if self._first[i] >= 0 else -1, i))
            start = 0
            while start < len(bucket):
                volume, files, total = self._volume[bucket[start]], 0, 0
                end = start
                while end < len(bucket) and self._volume[bucket[end]] == volume and files < BATCH_FILES:
                    size = max(self._size[bucket[end]], 0)
                    if files and total + size > BATCH_BYTES:
                        break
                    files, total, end = files + 1, total + size, end + 1
                yield self._batch(bucket[start:end], cls, total)
                start = end

    def _batch(self, indexes: list[int], cls: int, total: int) -> Batch:
        lines = [self._blobs[self._blob[i]][self._start[i] : self._start[i] + self._length[i]] for i in indexes]
        entries = b",".join(lines)
        source, volume = self._volumes[self._volume[indexes[0]]]
        key = hashlib.sha256(f"{source}\0{volume}\0".encode() + entries).hexdigest()[:24]
        return Batch(source, volume, cls, len(indexes), total, key, entries)
