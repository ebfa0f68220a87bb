"""What no file of a volume holds: keywords in unallocated space and slack, and whole pictures and videos that lie there in one piece."""

from __future__ import annotations

import hashlib
import io
from typing import Any, BinaryIO

from artefacts.coverage import Status
from artefacts.times import NoTime
from triage.evidence.file import user_of
from triage.evidence.model import ByteSource, Entry, Filesystem
from triage.scan.carving import Carved, Search
from triage.scan.content import ALGORITHMS, KEEP
from triage.scan.emit import Emitter
from triage.scan.inspect import CARVING, UNALLOCATED
from triage.scan.inspect.insides import Insides
from triage.scan.inspect.item import Inside, Subject
from triage.scan.inspect.words import Words
from triage.scan.pool import Pulse
from triage.scan.unallocated import Gap, Space, search, space

_CHUNK = 4 << 20
_GROUP = 32


class UnusedSpace:
    """Searches volumes for what is in no file. One for each worker."""

    def __init__(self, emit: Emitter, pulse: Pulse, words: Words, insides: Insides) -> None:
        self._emit, self._pulse, self._words, self._insides = emit, pulse, words, insides

    def words(self, filesystem: Filesystem, data: ByteSource) -> int:
        """Look for keywords; ``data`` are the volume's bytes. Returns how many were searched."""
        if self._words.matcher is None:
            return 0
        found = self._space(filesystem, data, UNALLOCATED)
        if found is None:
            return 0
        nowhere = Entry("", "other", 0, "", allocated=False)
        for path, hits, places in search(self._words.matcher, found, data, self._beat):
            self._words.tell(hits, nowhere, NoTime("in no file"), user=user_of(path), places=places)
        self._emit.count(UNALLOCATED, Status.PARSED if found.size else Status.EMPTY, size=found.size)
        self._hidden(found, UNALLOCATED)
        return found.size

    def pictures(self, filesystem: Filesystem, data: ByteSource) -> int:
        """Look for pictures and videos, which are handed to every check on content. Returns how many bytes were searched."""
        found = self._space(filesystem, data, CARVING)
        if found is None:
            return 0
        # What is listed as deleted, with content, has been examined under its own name.
        listed = {
            entry.first_offset
            for chunk in filesystem.entries()
            for entry in chunk
            if not entry.allocated and entry.content in ("recoverable", "guess") and entry.first_offset >= 0
        }

        def read(offset: int, length: int) -> bytes:
            self._beat(0)
            return data.read_at(offset, length)

        looking = Search(read, videos=True)
        count = known = 0
        group: list[Subject] = []
        for gap in found.gaps:
            for carved in looking.between(gap.start, gap.end):
                if carved.start in listed:
                    known += 1
                    continue
                count += 1
                group.append(self._subject(data, gap, carved))
                if len(group) >= _GROUP or sum(subject.size for subject in group if subject.data is not None) > KEEP:
                    self._insides.loose(group)
                    group = []
            self._beat(gap.end - gap.start)
        self._insides.loose(group)
        self._emit.count(CARVING, Status.PARSED if found.size else Status.EMPTY, size=found.size)
        self._emit.count(CARVING, Status.PARSED, "whole pictures and videos in one piece, examined", times=count)
        self._emit.count(CARVING, Status.PARSED, "belong to deleted files that were examined under their names", times=known)
        self._emit.count(
            CARVING, Status.SKIPPED, "beginnings of pictures that are not whole, or go on elsewhere: not examined", times=looking.broken
        )
        self._emit.count(CARVING, Status.FAILED, "so many false beginnings that the rest of a gap was not searched", times=looking.gave_up)
        self._hidden(found, CARVING)
        return found.size

    def _beat(self, read: int) -> None:
        self._pulse.item(0)
        self._pulse.beat(read)

    def _space(self, filesystem: Filesystem, data: ByteSource, what: str) -> Space | None:
        """Where no file lies; None, and why is told, where the file system does not say."""
        found = space(filesystem, data, self._pulse.beat)
        if found.hidden and not found.files:
            self._emit.count(what, Status.UNRECOGNISED, f"{filesystem.type} does not tell here which space its files use", size=data.size)
            return None
        return found

    def _hidden(self, found: Space, what: str) -> None:
        if found.hidden:
            reason = "files that do not say where they lie: what is found between files may be theirs"
            self._emit.count(what, Status.SKIPPED, reason, times=found.hidden)

    def _subject(self, data: ByteSource, gap: Gap, carved: Carved) -> Subject:
        slack = carved.start < gap.slack_end
        place = f"in the slack of {gap.path}" if slack else "in space that no file uses"
        name = f"[{carved.kind} at byte {carved.start} {place}]"
        size = carved.end - carved.start
        held = data.read_at(carved.start, size) if size <= KEEP else None

        def opened() -> BinaryIO:
            return io.BytesIO(held if held is not None else data.read_at(carved.start, size))

        subject = Subject(
            Entry("", "other", 0, "", allocated=False), name, f"carved.{carved.kind}", f"offset={carved.start}", size,
            data.read_at(carved.start, 4096) if held is None else held[:4096], held, opened,
            inside=Inside(f"{carved.kind} at byte {carved.start}", place, carved.start),
        )  # fmt: skip
        if held is None:
            subject.digests = self._digests(data, carved)
        return subject

    def _digests(self, data: ByteSource, carved: Carved) -> dict[str, bytes]:
        """All digests of what is too large to be held."""
        hashers: dict[str, Any] = {name: hashlib.new(name, usedforsecurity=False) for name in ALGORITHMS}
        for start in range(carved.start, carved.end, _CHUNK):
            chunk = data.read_at(start, min(_CHUNK, carved.end - start))
            self._beat(0)
            for hasher in hashers.values():
                hasher.update(chunk)
        return {name: hasher.digest() for name, hasher in hashers.items()}
