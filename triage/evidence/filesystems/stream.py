"""Content of a file as a seekable stream that never raises for bad media: what cannot be read is zeros, and said so."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence

from triage.evidence.model import ByteSource, ReadError, Run

MAX_READ_ERRORS = 10_000
_BUFFER = 1 << 16
_NATIVE_CHUNK = 1 << 20
_RETRY_CHUNK = 1 << 12


class ContentReader(io.RawIOBase):
    """Unbuffered bytes ``0 … size`` of one content. Subclasses say how a range inside it is fetched.

    ``read_errors`` lists the ranges that were delivered as zeros, or that the file claims and the file system has no space for.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = max(size, 0)
        self.read_errors: list[ReadError] = []
        self._position = 0

    def _fetch(self, offset: int, length: int) -> bytes:
        raise NotImplementedError

    def _note(self, offset: int, length: int, reason: str) -> None:
        error = ReadError(offset, length, reason)
        if len(self.read_errors) < MAX_READ_ERRORS and error not in self.read_errors[-8:]:
            self.read_errors.append(error)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("negative seek position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        length = min(len(buffer), self.size - self._position)
        if length <= 0:
            return 0
        data = self._fetch(self._position, length)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def first(self, limit: int) -> bytes:
        """The first ``limit`` bytes, or all there are. Does not move the position."""
        length, parts = min(limit, self.size), []
        offset = 0
        while offset < length:
            part = self._fetch(offset, length - offset)
            if not part:
                break
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readall(self) -> bytes:
        parts = iter(lambda: self.read(_NATIVE_CHUNK), b"")
        return b"".join(parts)


class RunReader(ContentReader):
    """Content that lies in ``runs`` of a volume, read straight from ``data``; adjacent runs are read as one.

    A run of offset -1 is zeros. Where the runs hold less than ``size`` bytes, or end outside the volume, the stream ends there and
    ``read_errors`` names the rest.
    """

    def __init__(self, data: ByteSource, runs: Sequence[Run], size: int) -> None:
        merged: list[Run] = []
        held = stored = 0
        for offset, length in runs:
            length = min(length, size - held)
            if offset >= 0:
                # Clusters cannot be had more often than the volume is long: a loop in the chain, or a size that lies.
                length = min(length, data.size - stored)
                stored += max(length, 0)
            if length <= 0:
                break
            held += length
            if merged and (merged[-1].offset + merged[-1].length == offset if offset >= 0 else merged[-1].offset < 0):
                merged[-1] = Run(merged[-1].offset, merged[-1].length + length)
            else:
                merged.append(Run(offset, length))
        while merged and merged[-1].offset >= 0 and merged[-1].offset + merged[-1].length > data.size:
            last = merged.pop()
            inside = max(data.size - last.offset, 0)
            held -= last.length - inside
            if inside:
                merged.append(Run(last.offset, inside))
        super().__init__(held)
        if held < size:
            self._note(held, size - held, "the file system holds no space for this part: not delivered")
        self._data = data
        self._runs = merged
        self._starts = [0]
        for run in merged:
            self._starts.append(self._starts[-1] + run.length)

    def _fetch(self, offset: int, length: int) -> bytes:
        parts = []
        index = bisect_right(self._starts, offset) - 1
        while length > 0:
            run, into = self._runs[index], offset - self._starts[index]
            part = min(length, run.length - into)
            parts.append(bytes(part) if run.offset < 0 else self._read(offset, run.offset + into, part))
            offset, length, index = offset + part, length - part, index + 1
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read(self, offset: int, at: int, length: int) -> bytes:
        try:
            data = self._data.read_at(at, length)
        except (OSError, ValueError) as error:
            data = b""
            self._note(offset, length, str(error))
        else:
            if len(data) < length:
                self._note(offset + len(data), length - len(data), "outside the volume")
        for bad in self._data.errors:
            start, end = max(bad.offset, at), min(bad.offset + bad.length, at + length)
            if start < end:
                self._note(offset + start - at, end - start, bad.reason)
        return data if len(data) == length else data[:length].ljust(length, b"\0")


class NativeReader(ContentReader):
    """Content a library must decode (resident, compressed, encrypted): ``read(offset, length)`` may raise ``OSError`` or fall short."""

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        super().__init__(size)
        self._read_native = read

    def _fetch(self, offset: int, length: int) -> bytes:
        length = min(length, _NATIVE_CHUNK)
        try:
            data = self._read_native(offset, length)
        except (OSError, ValueError, MemoryError):
            data = b""
        if len(data) == length:
            return data
        return data + b"".join(
            self._piece(start, min(_RETRY_CHUNK, offset + length - start))
            for start in range(offset + len(data), offset + length, _RETRY_CHUNK)
        )

    def _piece(self, offset: int, length: int) -> bytes:
        reason = "fewer bytes are there than the file claims"
        try:
            data = self._read_native(offset, length)
        except (OSError, ValueError, MemoryError) as error:
            data, reason = b"", str(error)
        if len(data) < length:
            self._note(offset + len(data), length - len(data), reason)
        return data[:length].ljust(length, b"\0")


class ContentStream(io.BufferedReader):
    """A buffered ``ContentReader``: ``read(n)`` gives ``n`` bytes unless the content ends."""

    def __init__(self, reader: ContentReader) -> None:
        super().__init__(reader, _BUFFER)
        self._reader = reader

    @property
    def read_errors(self) -> list[ReadError]:
        """Ranges that could not be read so far."""
        return self._reader.read_errors

    def whole(self, limit: int) -> bytes:
        """The content from its beginning, at most ``limit`` bytes, past the buffer: half the cost of a small file is copying it twice."""
        return self._reader.first(limit)
