"""Keywords in what no file holds: the space of a volume that no file uses, and the slack between a file's end and its last cluster's.

Which bytes those are follows from the runs of the allocated entries: everything between them. A term that begins in a file and ends in its
slack, or the other way about, is found too. Where a file follows another without a byte between them there is a gap of no length, so that
a term that crosses from the one into the other is found as well.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from triage.evidence.filesystems import fat
from triage.evidence.model import ByteSource, Entry, Filesystem
from triage.evidence.ntfs import boot
from triage.scan.text.search import Key, key_of

if TYPE_CHECKING:
    from rules.keywords import Hit, Matcher, Stream

MARGIN = 512
"""Bytes of the files on either side that are looked at with a gap: a term may cross their edge."""
PIECE = 16 << 20
_READ = 1 << 20
_SECTOR, _LARGEST_CLUSTER = 512, 4096
# The matcher judges by its first 8 KiB whether content is UTF-16 as a whole: space between files never is, whatever it begins with.
_LEAD = bytes(1 << 13)
# Not zeros: after one, UTF-16 that begins a piece would be read with its bytes the other way round, from one byte too early.
_BETWEEN = b"\n" * 64


class Gap(NamedTuple):
    """A stretch of a volume in no allocated file; up to ``slack_end`` it is the slack of ``path``. One of no length: where ``path`` ends and
    another file begins."""

    start: int
    end: int
    slack_end: int
    path: str


class Batch(NamedTuple):
    """Hits in one place: the slack of ``path``, or space that no file uses (``path`` empty). ``places``: where each term stands first."""

    path: str
    hits: list[Hit]
    places: dict[Key, str]


@dataclass(slots=True)
class Space:
    """The gaps of a volume, in order. ``hidden``: files that do not say where they lie; their content cannot be told from a gap."""

    gaps: list[Gap] = field(default_factory=list)
    hidden: int = 0
    files: int = 0

    @property
    def size(self) -> int:
        """Bytes in all gaps."""
        return sum(gap.end - gap.start for gap in self.gaps)


def space(filesystem: Filesystem, data: ByteSource, beat: Callable[[], None]) -> Space:
    """Lists the file system through for what its files leave of ``data``."""
    found = Space()
    names: list[str] = []
    rows: list[tuple[int, int, int]] = []
    for chunk in filesystem.entries():
        beat()
        for entry in chunk:
            if not entry.allocated or entry.kind not in ("file", "stream", "directory"):
                continue
            if entry.runs is None:
                found.hidden += entry.kind != "directory" and entry.size > 0 and "resident" not in entry.flags
                continue
            used = [(start, end, len(names)) for start, end in _used(entry, data.size)]
            if used:
                rows += used
                names.append(entry.path if entry.kind != "directory" else "")
    found.files = len(names)
    rows.sort()
    table = np.array(rows, np.int64).reshape(-1, 3)
    starts, ends = table[:, 0], table[:, 1]
    reach = np.maximum.accumulate(ends) if len(table) else ends
    last = np.maximum.accumulate(np.where(ends == reach, np.arange(len(table)), 0)) if len(table) else ends
    cluster = _cluster(filesystem, data, starts)
    after = np.append(starts[1:], data.size)
    if len(table) == 0 or starts[0] > 0:
        end = int(starts[0]) if len(table) else data.size
        found.gaps.append(Gap(0, end, 0, ""))
    for row in np.flatnonzero(after >= reach).tolist():
        start, end = int(reach[row]), int(after[row])
        owner = int(last[row])
        if start == end:
            if row + 1 < len(table) and table[row + 1, 2] != table[owner, 2]:
                found.gaps.append(Gap(start, start, start, names[int(table[owner, 2])]))
            continue
        length = start - int(starts[owner])
        slack_end = min(int(starts[owner]) - (-length // cluster) * cluster, end)
        path = names[int(table[owner, 2])]
        found.gaps.append(Gap(start, end, slack_end if path else start, path if slack_end > start else ""))
    return found


def _used(entry: Entry, size: int) -> Iterator[tuple[int, int]]:
    left = entry.size
    whole = entry.kind == "directory" or "compressed" in entry.flags
    for offset, length in entry.runs or ():
        length = length if whole else min(length, left)
        left -= length
        if offset >= 0 and length > 0 and offset < size:
            yield offset, min(offset + length, size)


def _cluster(filesystem: Filesystem, data: ByteSource, starts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    """Bytes of a cluster; where the file system is none whose header is read here, what all files' places have in common."""
    try:
        if filesystem.type == "ntfs":
            return boot.parse(data.read_at(0, _SECTOR)).cluster_size
        layout = fat.read_layout(data) if filesystem.type in ("fat12", "fat16", "fat32", "exfat") else None
    except (OSError, ValueError):
        layout = None
    if layout is not None:
        return layout.cluster
    common = int(np.gcd.reduce(starts)) if len(starts) else 0
    return max(_SECTOR, min(common & -common, _LARGEST_CLUSTER))


def search(words: Matcher, found: Space, data: ByteSource, beat: Callable[[int], None]) -> Iterator[Batch]:
    """The hits in every gap, in order, gathered by place; ``beat(n)`` is called as bytes are read."""
    window = _Window(words)
    for gap in found.gaps:
        for start in range(gap.start, max(gap.end, gap.start + 1), PIECE):
            end = min(start + PIECE, gap.end)
            window.piece(gap, start, end, data, beat)
            if window.fed >= PIECE:
                yield from window.finish()
                window = _Window(words)
    yield from window.finish()


class _Segment(NamedTuple):
    fed: int
    place: int
    gap: Gap
    start: int
    end: int


class _Window:
    """Pieces of several gaps in one stream of the matcher, which remembers where each came from."""

    def __init__(self, words: Matcher) -> None:
        self._stream: Stream = words.stream()
        self._stream.feed(_LEAD)
        self._at = len(_LEAD)
        self._segments: list[_Segment] = []
        self.fed = 0

    def piece(self, gap: Gap, start: int, end: int, data: ByteSource, beat: Callable[[int], None]) -> None:
        """Read ``start`` to ``end`` of a gap, with what lies on either side."""
        place, stop = max(0, start - MARGIN), min(end + MARGIN, data.size)
        fresh = True
        while place < stop:
            chunk = data.read_at(place, min(_READ, stop - place))
            if not chunk:
                return
            beat(len(chunk))
            if chunk.count(0) == len(chunk):
                fresh = True
            else:
                if fresh:
                    self._feed(_BETWEEN)
                    self._segments.append(_Segment(self._at, place, gap, start, end))
                self._feed(chunk)
                fresh = False
            place += len(chunk)

    def _feed(self, data: bytes) -> None:
        self._stream.feed(data)
        self._at += len(data)
        self.fed += len(data)

    def finish(self) -> Iterator[Batch]:
        """Everything found in what was fed."""
        begins = [segment.fed for segment in self._segments]
        batches: dict[str, Batch] = {}
        for hit in self._stream.finish():
            index = bisect_right(begins, hit.start) - 1
            if index < 0:
                continue
            segment = self._segments[index]
            first = segment.place + hit.start - segment.fed
            end = first + hit.end - hit.start
            # Inside the files on either side it is theirs, and in the piece before it has been met already.
            if end <= segment.start or first >= segment.end or (first < segment.start and segment.start > segment.gap.start):
                continue
            path = segment.gap.path if first < segment.gap.slack_end else ""
            batch = batches.setdefault(path, Batch(path, [], {}))
            batch.hits.append(hit)
            where = f"in the slack of {path}" if path else "in space not used by any file"
            if segment.gap.start == segment.gap.end:
                where = f"from the end of {path or 'a folder'} into the file after it"
            batch.places.setdefault(key_of(hit), f"offset={first} {where}")
        yield from batches.values()
