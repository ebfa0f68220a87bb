"""Byte sources: random access to the bytes of a file, a device or a decoded container, where a bad sector costs one sector.

Every class here satisfies ``triage.evidence.model.ByteSource``. Besides that contract each has ``plain_path`` and ``plain_offset``:
where the bytes are one unbroken range of one file, its path and the place of byte 0 in it, so that a fast reader may ``os.pread``
the file itself; ``None`` and 0 otherwise.
"""

from __future__ import annotations

import io
import os
import threading
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from triage.evidence.model import ByteSource, ReadError

SECTOR = 512

FINE_RETRIES = 20_000
"""Sectors lost one by one before retries become coarse: a dying disk answers in seconds, and a dead one must not take weeks."""
COARSE = 1 << 16
MAX_ERRORS = 50_000
"""Read errors kept apart; later ones only lengthen the last, so that a hostile image cannot fill memory with them."""


class Plain(ByteSource, Protocol):
    """A byte source that says whether it is a plain range of a file."""

    @property
    def plain_path(self) -> str | None: ...

    @property
    def plain_offset(self) -> int: ...


def plain_range(data: ByteSource) -> tuple[str | None, int]:
    """(path, offset of byte 0 in it) where ``data`` is an unbroken range of one file, else (None, 0)."""
    return getattr(data, "plain_path", None), getattr(data, "plain_offset", 0)


def plain_reason(error: BaseException) -> str:
    """One plain sentence from an exception; libyal's chain of C function names is cut down to its first cause."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    sentences = [part.strip() for part in str(error).split(". ") if part.strip()]
    if not sentences:
        return type(error).__name__
    # libyal gives the outermost call first, then the causes from the innermost outwards: the second sentence is the cause.
    sentence = sentences[1] if len(sentences) > 1 and "_" in sentences[0].split(":")[0] else sentences[0]
    function, colon, rest = sentence.partition(": ")
    return (rest if colon and "_" in function and " " not in function else sentence).rstrip(".")


def overlapping(errors: Iterable[ReadError], offset: int, length: int) -> list[ReadError]:
    """Those errors that touch the range."""
    return [error for error in errors if error.offset < offset + length and offset < error.offset + error.length]


class RetryingBytes(ABC):
    """Base of every source that really reads: failures are retried in halves down to a sector, the lost sectors are zeros."""

    plain_path: str | None = None
    plain_offset: int = 0

    def __init__(self, size: int, sector: int = SECTOR) -> None:
        self._size = size
        self._sector = sector
        self._errors: list[ReadError] = []
        self._bad: set[int] = set()  # numbers of sectors known to be lost: a dying disk is not asked twice

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    @property
    def errors(self) -> list[ReadError]:
        """Every range that could not be read so far, in the order met."""
        return self._errors

    @abstractmethod
    def _read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes, wholly inside the source. Any exception, or fewer bytes, means that the range failed."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and native handles. Safe to call twice."""

    def read_at(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, fewer only at the end. Unreadable parts are zeros and are noted in ``errors``."""
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        if not self._bad:
            data, _ = self._attempt(offset, length)
            if data is not None:
                return data
        return self._piecewise(offset, length)

    def _attempt(self, offset: int, length: int) -> tuple[bytes | None, str]:
        try:
            data = self._read(offset, length)
        except (OSError, RuntimeError, ValueError, MemoryError, EOFError) as error:
            return None, plain_reason(error)
        if len(data) != length:
            return None, f"only {len(data)} of {length} bytes came back"
        return data, ""

    def _piecewise(self, offset: int, length: int) -> bytes:
        pieces: list[bytes] = []
        pending = [(offset, length)]
        while pending:
            start, count = pending.pop()
            first, last = start // self._sector, (start + count - 1) // self._sector
            if first == last and first in self._bad:
                pieces.append(bytes(count))
                continue
            if self._bad.isdisjoint(range(first, last + 1)):
                data, reason = self._attempt(start, count)
                if data is not None:
                    pieces.append(data)
                    continue
                if first == last or (count <= COARSE and len(self._bad) >= FINE_RETRIES):
                    self._lost(first, last, reason)
                    pieces.append(bytes(count))
                    continue
            middle = max(first + 1, (first + last + 1) // 2) * self._sector
            pending += [(middle, start + count - middle), (start, middle - start)]
        return b"".join(pieces)

    def _lost(self, first: int, last: int, reason: str) -> None:
        if len(self._bad) < FINE_RETRIES:
            self._bad.update(range(first, last + 1))
        start, end = first * self._sector, min((last + 1) * self._sector, self._size)
        if self._errors:
            previous = self._errors[-1]
            if previous.offset + previous.length == start and previous.reason == reason:
                self._errors[-1] = ReadError(previous.offset, end - previous.offset, reason)
                return
            if len(self._errors) >= MAX_ERRORS:
                low, high = min(previous.offset, start), max(previous.offset + previous.length, end)
                self._errors[-1] = ReadError(low, high - low, "more unreadable ranges than are kept apart")
                return
        self._errors.append(ReadError(start, end - start, reason))


class FileBytes(RetryingBytes):
    """The bytes of an ordinary file, opened read-only.

    Raises ``OSError`` when it cannot be opened. ``size`` is fixed at opening; a file that shrinks afterwards gives read errors.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
        self._lock = threading.Lock()
        self._closed = False
        super().__init__(os.lseek(self._file, 0, os.SEEK_END))
        self.plain_path = os.fspath(path)

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length:
            if hasattr(os, "pread"):
                piece = os.pread(self._file, length, offset)
            else:  # Windows has no pread
                with self._lock:
                    os.lseek(self._file, offset, os.SEEK_SET)
                    piece = os.read(self._file, length)
            if not piece:
                break
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        if not self._closed:
            self._closed = True
            os.close(self._file)


class StreamBytes(RetryingBytes):
    """The bytes of a seekable stream that notes in ``read_errors`` what it could not read: a file inside evidence. Closes it."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        super().__init__(size)
        self._stream: BinaryIO | None = stream
        self._lock = threading.Lock()

    def _read(self, offset: int, length: int) -> bytes:
        with self._lock:
            if self._stream is None:
                raise OSError("the source has been closed")
            self._stream.seek(offset)
            data = self._stream.read(length)
            lost = overlapping(getattr(self._stream, "read_errors", ()), offset, length)
        if lost:
            raise OSError(lost[0].reason)
        return data

    def close(self) -> None:
        """Close the stream. Safe to call twice."""
        with self._lock:
            stream, self._stream = self._stream, None
            if stream is not None:
                stream.close()


class NativeBytes(RetryingBytes):
    """The bytes behind a libyal object (an image, a decrypted volume, a logical volume) with ``read_buffer_at_offset``.

    ``also_close`` are closed after it: the sources it reads from, where nobody else holds them. ``sector``: the smallest part that can
    be lost by itself, in bytes. Every read is widened to multiples of
    ``align`` bytes: libluksde decrypts wrongly, and without a word, a read that starts inside one sector and ends in another.
    """

    def __init__(self, handle: Any, size: int, *, also_close: Sequence[Any] = (), align: int = 1, sector: int = SECTOR) -> None:
        super().__init__(size, sector)
        self._handle = handle
        self._align = align
        self._lock = threading.RLock()  # libyal handles have one position and one cache
        self._also_close = list(also_close)

    @property
    def handle(self) -> Any:
        """The libyal object, for another that must be told its parent."""
        return self._handle

    def keep(self, *others: Any) -> None:
        """Close these too when this is closed."""
        self._also_close += others

    def _read(self, offset: int, length: int) -> bytes:
        with self._lock:
            if self._handle is None:
                raise OSError("the source has been closed")
            before = offset % self._align
            widened = min(-(-(before + length) // self._align) * self._align, self._size - offset + before)
            data: bytes = self._handle.read_buffer_at_offset(widened, offset - before)
            return data[before : before + length] if widened != length else data

    def close(self) -> None:
        """Close the handle. Safe to call twice."""
        with self._lock:
            handle, self._handle = self._handle, None
            for item in [handle, *self._also_close]:
                close = getattr(item, "close", None)
                if close is not None:
                    try:
                        close()
                    except (OSError, RuntimeError):  # libyal may refuse to close a handle that failed half-way through opening
                        pass
            self._also_close = []


class SliceBytes:
    """A range of another source, cut where the other ends. Closing it leaves the other open, unless ``owned``."""

    def __init__(self, data: ByteSource, offset: int, length: int, *, owned: bool = False) -> None:
        self._data = data
        self._owned = owned
        self._offset = max(0, offset)
        self._size = max(0, min(length, data.size - self._offset))
        path, start = plain_range(data)
        self.plain_path = path
        self.plain_offset = start + self._offset if path is not None else 0

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    @property
    def errors(self) -> list[ReadError]:
        """The errors of the source beneath that lie in this range, counted from its start."""
        found = []
        for error in overlapping(self._data.errors, self._offset, self._size):
            start = max(error.offset, self._offset)
            end = min(error.offset + error.length, self._offset + self._size)
            found.append(ReadError(start - self._offset, end - start, error.reason))
        return found

    def read_at(self, offset: int, length: int) -> bytes:
        """As ``ByteSource.read_at``."""
        if offset < 0 or offset >= self._size:
            return b""
        return self._data.read_at(self._offset + offset, min(length, self._size - offset))

    def close(self) -> None:
        """Close the source beneath if it is owned. Safe to call twice."""
        if self._owned:
            self._data.close()


class HoleBytes(RetryingBytes):
    """A part that is missing, such as an absent segment: zeros, every one of them reported."""

    def __init__(self, size: int, reason: str) -> None:
        super().__init__(size)
        self._reason = reason

    def read_at(self, offset: int, length: int) -> bytes:
        """Zeros; the range is noted in ``errors``."""
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        length = min(length, self._size - offset)
        if not overlapping(self._errors, offset, length):
            self._errors.append(ReadError(0, self._size, self._reason))
        return bytes(length)

    def _read(self, offset: int, length: int) -> bytes:
        raise OSError(self._reason)

    def close(self) -> None:
        """Nothing to let go of."""


class ConcatenatedBytes:
    """Several sources one after the other: the segments of a split image, the extents of a virtual disk. Closes its parts."""

    plain_path: str | None = None
    plain_offset = 0

    def __init__(self, parts: Sequence[ByteSource]) -> None:
        self._parts = list(parts)
        self._starts: list[int] = []
        position = 0
        for part in self._parts:
            self._starts.append(position)
            position += part.size
        self._size = position

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    @property
    def errors(self) -> list[ReadError]:
        """The errors of every part, in the order of the parts."""
        return [
            ReadError(error.offset + start, error.length, error.reason)
            for start, part in zip(self._starts, self._parts, strict=True)
            for error in part.errors
        ]

    def read_at(self, offset: int, length: int) -> bytes:
        """As ``ByteSource.read_at``."""
        if offset < 0 or length <= 0 or offset >= self._size:
            return b""
        pieces = []
        index = bisect_right(self._starts, offset) - 1
        while length > 0 and index < len(self._parts):
            piece = self._parts[index].read_at(offset - self._starts[index], length)
            pieces.append(piece)
            offset += len(piece)
            length -= len(piece)
            index += 1
        return b"".join(pieces)

    def close(self) -> None:
        """Close every part. Safe to call twice."""
        for part in self._parts:
            part.close()


class ByteStream(io.RawIOBase):
    """A seekable, read-only stream over a byte source, for libraries that want a file object.

    With ``strict`` an unreadable range raises ``OSError`` instead of giving zeros: a layer that decrypts or decompresses must not
    take zeros for data; it fails, and the retrying source above it narrows the loss down.
    ``read_errors`` are the errors of the source beneath.
    """

    def __init__(self, data: ByteSource, *, strict: bool = False) -> None:
        super().__init__()
        self._data = data
        self._strict = strict
        self._position = 0

    @property
    def read_errors(self) -> list[ReadError]:
        """What was unreadable beneath and read as zeros."""
        return self._data.errors

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Bytes from the start."""
        return self._position

    def get_size(self) -> int:
        """Length in bytes; libyal asks for it by this name."""
        return self._data.size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As ``io.RawIOBase.seek``."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._data.size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, all that is left for -1."""
        if size is None or size < 0:
            size = max(0, self._data.size - self._position)
        data = self._data.read_at(self._position, size)
        if self._strict and self._data.errors:
            lost = overlapping(self._data.errors, self._position, len(data))
            if lost:
                raise OSError(lost[0].reason)
        self._position += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase.readinto``."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
