"""The worker's side of a sweep: says what can be sampled, reads blocks, looks them up, and around a hit looks for more of the same file."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from artefacts.observations import BlockMatch
from hashsets import BlockSet, open_blocks
from hashsets.blocks import BlockMatch as Known
from triage.evidence.bytesource import overlapping
from triage.evidence.model import ByteSource
from triage.scan.emit import Emitter
from triage.scan.pool import Pulse
from triage.scan.setup import Setup
from triage.scan.worker import Worker, serve
from triage.sweep.matches import MAX_OFFSETS, observation
from triage.sweep.places import NOT_KNOWN, OUTSIDE, Place, Places
from triage.sweep.regions import regions
from triage.sweep.sampling import BLOCK

READ = 1 << 20
"""Blocks that lie side by side are read together, up to this many bytes."""
AROUND = 16
"""Blocks on either side of a hit in which a second block of the same file is looked for."""
TRIES = 4
"""Hits of one file in one task around which is read; the file is deepened no further once two blocks are known."""


def main(connection: Connection, pulse: Pulse, setup_data: bytes) -> None:
    """Answer the tasks of a sweep until the parent closes the pipe."""
    serve(connection, Sweeper(Setup.decode(setup_data), Emitter(connection), pulse))


class Sweeper(Worker):
    """Answers the tasks of a sweep."""

    def __init__(self, setup: Setup, emit: Emitter, pulse: Pulse) -> None:
        from rules import findings
        from triage.findings import FindingEngine

        super().__init__(setup, emit, pulse)
        (item,) = setup.hash_sets
        self._set: BlockSet = open_blocks(Path(item.path), bytes.fromhex(item.key) if item.key else None)
        self._engine = FindingEngine(findings.load([Path(rule) for rule in setup.rules]))
        self._places: dict[tuple[str, str], Places | None] = {}

    def do_regions(self, order: dict[str, Any], body: bytes) -> None:
        """Say what of a source can be sampled."""
        self.pulse.item(0)
        self.emit.done(regions=[region.to_wire() for region in regions(self._source(order["source"]))])

    def _content(self, source_id: str, volume_id: str) -> ByteSource:
        source = self._source(source_id)
        if volume_id:
            return source.volume_bytes(self._volume({"source": source_id, "volume": volume_id}))
        assert source.bytes is not None  # regions come from sources that have bytes
        return source.bytes

    def do_sample(self, order: dict[str, Any], body: bytes) -> None:
        """Read the blocks whose offsets (int64, ascending) are in ``body`` and tell of those that are known.

        Two blocks of one file at one place are an observation at once; a single one goes back with the result, for the parent to keep
        until the pass is over.
        """
        self.pulse.item(0)
        data = self._content(order["source"], order["volume"])
        offsets: list[int] = np.frombuffer(body, "<i8").tolist()
        step = order["step"]
        blank = unreadable = 0
        self._read = 0
        candidates: list[bytes] = []
        places: list[int] = []
        for offset, window in self._windows(data, offsets, BLOCK + BLOCK - step):
            if data.errors and overlapping(data.errors, offset, BLOCK):
                unreadable += 1
                continue
            if len(window) >= BLOCK and window.count(window[:1]) == len(window):
                blank += 1
                continue
            for shift in range(0, min(BLOCK, len(window) - BLOCK + 1), step):
                candidates.append(window[shift : shift + BLOCK])
                places.append(offset + shift)
        found = [(place, known) for place, known in zip(places, self._set.match(candidates), strict=True) if known is not None]
        single = self._told(order, data, found) if found else []
        self.pulse.flush()
        self.emit.done(blank=blank, unreadable=unreadable, bytes=self._read, single=single, hits=len(found))

    def _windows(self, data: ByteSource, offsets: list[int], length: int) -> list[tuple[int, bytes]]:
        """``length`` bytes from each offset, those side by side read as one."""
        out: list[tuple[int, bytes]] = []
        first = 0
        for index in range(1, len(offsets) + 1):
            if index < len(offsets) and offsets[index] == offsets[index - 1] + BLOCK and offsets[index] + length - offsets[first] <= READ:
                continue
            start = offsets[first]
            stretch = self._bytes(data, start, offsets[index - 1] + length - start)
            out += [(offset, stretch[offset - start : offset - start + length]) for offset in offsets[first:index]]
            first = index
        return out

    def _bytes(self, data: ByteSource, offset: int, length: int) -> bytes:
        content = data.read_at(offset, length)
        self._read += len(content)
        self.pulse.beat(len(content))
        return content

    def _told(self, order: dict[str, Any], data: ByteSource, found: list[tuple[int, Known]]) -> list[dict[str, Any]]:
        """Put hits together by reference file and by the file they lie in; tell of those that are two blocks or more, return the others."""
        source, volume = order["source"], order["volume"]
        groups: dict[tuple[int, Place], list[tuple[int, Known]]] = {}
        for offset, known in found:
            groups.setdefault((known.file, self._place(order, offset)), []).append((offset, known))
        single = []
        for (_, place), hits in groups.items():
            distinct = {known.offset for _, known in hits}
            for offset, known in hits[:TRIES]:
                if len(distinct) > 1:
                    break
                distinct |= self._around(data, offset, known)
            item = observation(self._match(hits, distinct, place), source=source, volume=volume)
            if len(distinct) == 1:
                single.append(item)
                continue
            self.emit.record("observation", item)
            for finding in self._engine.consider(item):
                self.emit.finding(finding.to_json())
        return single

    def _match(self, hits: list[tuple[int, Known]], distinct: set[int], place: Place) -> BlockMatch:
        offset, known = hits[0]
        reference = self._set.files[known.file]
        return BlockMatch(
            path=place.path,
            place=place.words,
            set_name=self._set.name,
            set_version=self._set.version,
            role=self._set.role,
            reference=reference.name,
            reference_size=reference.size,
            reference_blocks=reference.kept,
            reference_offsets=tuple(sorted(distinct)[:MAX_OFFSETS]),
            blocks=len(distinct),
            offset=offset,
            allocated=place.allocated,
        )

    def _around(self, data: ByteSource, offset: int, known: Known) -> set[int]:
        """Blocks of the same reference file that lie around a hit as they do in the file, as offsets in the reference file."""
        size = self._set.files[known.file].size
        before = min(AROUND, known.offset // BLOCK, offset // BLOCK)
        after = min(AROUND, max(0, size // BLOCK - 1 - known.offset // BLOCK))
        content = self._bytes(data, offset - before * BLOCK, (before + 1 + after) * BLOCK)
        blocks = [content[at : at + BLOCK] for at in range(0, len(content) - BLOCK + 1, BLOCK)]
        return {match.offset for match in self._set.match(blocks) if match is not None and match.file == known.file}

    def _place(self, order: dict[str, Any], offset: int) -> Place:
        """Where a hit lies. The files of a volume are listed when its first hit is met, and not again if that has killed a worker."""
        source, volume = order["source"], order["volume"]
        if not volume or self._volume({"source": source, "volume": volume}).filesystem is None:
            return Place(OUTSIDE, "", False)
        if not order.get("resolve", True):
            return Place(NOT_KNOWN)
        key = (source, volume)
        if key not in self._places:
            self._places[key] = None
            try:
                self._places[key] = Places(self._filesystem(order), lambda: self.pulse.item(0))
            except OSError:
                pass  # said in the words of the place
        places = self._places[key]
        return places.at(offset) if places is not None else Place(NOT_KNOWN)
