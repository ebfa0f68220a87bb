"""Files that Windows 10 and 11 keep compressed (Windows Overlay Filter, "CompactOS", ``compact /exe``).

The file's own stream is a hole; the content is in the stream ``WofCompressedData``: a table of where each chunk ends but the last (4 bytes each, 8 from
4 GiB on, counted from the end of the table), then the chunks. A chunk as long as its content is stored as it is.

Source: Microsoft, FILE_PROVIDER_EXTERNAL_INFO_V1 (the reparse point: provider 2, algorithm 0 to 3); E. Biggers, ntfs-3g system compression.
Decompressed by libfwnt.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from triage.evidence.filesystems.stream import ContentReader
from triage.evidence.ntfs import lzx

STREAM = "WofCompressedData"
_FILE_PROVIDER = 2
_XPRESS_4K, _LZX, _XPRESS_8K, _XPRESS_16K = 0, 1, 2, 3
_CHUNKS = {_XPRESS_4K: 4096, _LZX: 32_768, _XPRESS_8K: 8192, _XPRESS_16K: 16_384}
_WIDE_FROM = 1 << 32
_CACHED_CHUNKS = 4


def algorithm_of(value: bytes) -> int | None:
    """The algorithm in a reparse point of the filter; None where the content is elsewhere (in a WIM archive) or the form is not known."""
    if len(value) < 24:
        return None
    version, provider, provider_version, algorithm = struct.unpack_from("<IIII", value, 8)
    known = (version, provider, provider_version) == (1, _FILE_PROVIDER, 1) and algorithm in _CHUNKS
    return algorithm if known else None


class WofReader(ContentReader):
    """The content of such a file, of which ``packed`` is the compressed stream."""

    def __init__(self, packed: ContentReader, size: int, algorithm: int) -> None:
        """``size`` of the content; ``algorithm`` as ``algorithm_of`` gives it. A chunk that is damaged is delivered as zeros and noted."""
        self._packed, self._algorithm = packed, algorithm
        self._chunk, self._entry = _CHUNKS[algorithm], 8 if size >= _WIDE_FROM else 4
        count = -(-size // self._chunk)
        # Each chunk takes a byte at least, and each but the last a place in the table: what is claimed beyond is not there.
        possible = (packed.size + self._entry) // (self._entry + 1)
        super().__init__(min(size, possible * self._chunk))
        if self.size < size:
            self._note(self.size, size - self.size, "the compressed data ends before it: not delivered")
        self._table = (count - 1) * self._entry
        self._whole = size
        self._cache: dict[int, bytes] = {}

    def _fetch(self, offset: int, length: int) -> bytes:
        first = offset // self._chunk
        parts = [self._content(number) for number in range(first, (offset + length - 1) // self._chunk + 1)]
        start = offset - first * self._chunk
        return b"".join(parts)[start : start + length]

    def _content(self, number: int) -> bytes:
        if number not in self._cache:
            while len(self._cache) >= _CACHED_CHUNKS:
                del self._cache[next(iter(self._cache))]
            wanted = min(self._chunk, self._whole - number * self._chunk)
            try:
                content = self._decompressed(number, wanted)
            except (OSError, ValueError) as error:
                self._note(number * self._chunk, wanted, f"the compressed data is damaged ({str(error)[:60]})")
                content = bytes(wanted)
            self._cache[number] = content
        return self._cache[number]

    def _place(self, number: int) -> int:
        """Where chunk ``number`` begins in the compressed stream."""
        if number == 0:
            return self._table
        return self._table + int.from_bytes(self._stored((number - 1) * self._entry, self._entry), "little")

    def _stored(self, offset: int, length: int) -> bytes:
        before = len(self._packed.read_errors)
        self._packed.seek(offset)
        data = self._packed.read(length)
        if len(self._packed.read_errors) > before:
            raise ValueError(self._packed.read_errors[-1].reason)
        if len(data) != length:
            raise ValueError("it ends too early")
        return data

    def _decompressed(self, number: int, wanted: int) -> bytes:
        start = self._place(number)
        last = (number + 1) * self._chunk >= self._whole
        stop = self._packed.size if last else self._place(number + 1)
        if not 0 < stop - start <= wanted:
            raise ValueError("a chunk's place makes no sense")
        data = self._stored(start, stop - start)
        if len(data) == wanted:
            return data
        content = _decompressor(self._algorithm)(data, wanted)
        if len(content) != wanted:
            raise ValueError("a chunk is too short")
        return content


def _decompressor(algorithm: int) -> Callable[[bytes, int], bytes]:
    import pyfwnt

    if algorithm != _LZX:
        return pyfwnt.lzxpress_huffman_decompress  # type: ignore[no-any-return]

    def decompress(data: bytes, size: int) -> bytes:
        try:
            return pyfwnt.lzx_decompress(data, size)  # type: ignore[no-any-return]
        except OSError:
            return lzx.decompress(data, size)

    return decompress
