"""Content that does not lie in the volume as it is: compressed streams, and streams that cannot be read at all."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from triage.evidence.filesystems.stream import ContentReader, ContentStream, RunReader
from triage.evidence.model import ByteSource, ReadError, Run
from triage.evidence.ntfs import lznt1

_CACHED_UNITS = 4


class CompressedReader(ContentReader):
    """A stream compressed in units of ``unit`` bytes; beyond its initialised size ``valid`` it is zeros.

    A unit with no clusters is zeros, one with all of them is stored as it is, anything between is LZNT1.
    """

    def __init__(self, data: ByteSource, runs: Sequence[Run], size: int, unit: int, valid: int) -> None:
        """``runs`` in bytes of the volume, untrimmed."""
        starts = [0, *accumulate(run.length for run in runs)]
        held = size if valid <= starts[-1] else min(size, starts[-1])
        super().__init__(held)
        if held < size:
            self._note(held, size - held, "the file system holds no space for this part: not delivered")
        self._data, self._runs, self._starts, self._unit, self._valid = data, runs, starts, unit, valid
        self._cache: dict[int, bytes] = {}

    def _fetch(self, offset: int, length: int) -> bytes:
        first = offset // self._unit
        parts = [self._content(number) for number in range(first, (offset + length - 1) // self._unit + 1)]
        start = offset - first * self._unit
        return b"".join(parts)[start : start + length]

    def _content(self, number: int) -> bytes:
        if number not in self._cache:
            while len(self._cache) >= _CACHED_UNITS:
                del self._cache[next(iter(self._cache))]
            content = self._decompressed(number * self._unit)
            self._cache[number] = content[: max(self._valid - number * self._unit, 0)].ljust(self._unit, b"\0")
        return self._cache[number]

    def _decompressed(self, start: int) -> bytes:
        if start >= min(self._valid, self._starts[-1]):
            return b""
        stored: list[Run] = []
        for place in range(bisect_right(self._starts, start) - 1, len(self._runs)):
            low, high = max(self._starts[place], start), min(self._starts[place + 1], start + self._unit)
            if low >= high:
                break
            if self._runs[place].offset >= 0:
                stored.append(Run(self._runs[place].offset + low - self._starts[place], high - low))
        length = sum(run.length for run in stored)
        raw, errors = read_all(self._data, stored, length)
        if errors:
            self._note(start, min(self._unit, self.size - start), errors[0].reason)
            return b""
        if length in (0, self._unit):
            return raw
        wanted = min(self._unit, self._valid - start)
        content, sound = lznt1.decompress(raw, wanted)
        if not sound:
            self._note(start + len(content), wanted - len(content), "the compressed data is damaged")
        return content


class UnreadableReader(ContentReader):
    """``size`` zeros, every one of them reported with ``reason``."""

    def __init__(self, size: int, reason: str) -> None:
        super().__init__(size)
        self._reason = reason

    def _fetch(self, offset: int, length: int) -> bytes:
        self._note(offset, length, self._reason)
        return bytes(length)


def read_all(data: ByteSource, runs: Sequence[Run], size: int) -> tuple[bytes, list[ReadError]]:
    """The first ``size`` bytes of what lies in ``runs``, and what of them could not be read."""
    reader = RunReader(data, runs, size)
    stream = ContentStream(reader)
    return stream.read(), reader.read_errors
