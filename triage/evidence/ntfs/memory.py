"""Little-endian integers at arbitrary byte offsets of a buffer, many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Memory:
    """A writable byte buffer and overlapping views of it: ``u32(offsets)`` gathers one integer an offset, aligned or not."""

    def __init__(self, content: bytes | bytearray, length: int) -> None:
        """Copy ``content`` into a buffer of ``length`` bytes, zeros behind it. Offsets up to ``length - 1`` may be read at any width."""
        self.bytes: NDArray[np.uint8] = np.zeros(length + 8, dtype=np.uint8)
        size = min(len(content), length)
        self.bytes[:size] = np.frombuffer(content, dtype=np.uint8, count=size)
        self.length = length
        self._u16 = self._view("<u2", 2)
        self._u32 = self._view("<u4", 4)
        self._u64 = self._view("<u8", 8)

    def _view(self, code: str, width: int) -> NDArray[np.unsignedinteger]:
        return np.ndarray((len(self.bytes) - width + 1,), dtype=code, buffer=self.bytes.data, strides=(1,))

    def u8(self, offsets: Ints) -> Ints:
        """One byte at each offset."""
        return self.bytes[offsets].astype(np.int64)

    def u16(self, offsets: Ints) -> Ints:
        """Two bytes at each offset."""
        return self._u16[offsets].astype(np.int64)

    def u32(self, offsets: Ints) -> Ints:
        """Four bytes at each offset."""
        return self._u32[offsets].astype(np.int64)

    def u64(self, offsets: Ints) -> NDArray[np.uint64]:
        """Eight bytes at each offset, unsigned."""
        return self._u64[offsets].astype(np.uint64)

    def i64(self, offsets: Ints) -> Ints:
        """Eight bytes at each offset, signed."""
        return self._u64[offsets].astype(np.uint64).view(np.int64)
