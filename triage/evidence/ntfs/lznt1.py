"""LZNT1, the compression of NTFS files (MS-XCA 2.5).

A stream of chunks: a 16-bit header (low 12 bits: stored length less 3; top bit: compressed), then either 4096 bytes as they are or
tokens under flag bytes. A token of 16 bits splits into distance and length at a place that moves as the chunk fills up.
"""

from __future__ import annotations

CHUNK = 4096
# How many bits of a token are its length, by how much of the chunk has been written.
_LENGTH_BITS = tuple(12 - max(0, (written - 1).bit_length() - 4) for written in range(CHUNK + 1))


def decompress(source: bytes, limit: int) -> tuple[bytes, bool]:
    """At most ``limit`` bytes out of ``source``, and whether it was sound. After damage the rest of the chunk is left out."""
    result = bytearray()
    offset, end = 0, len(source)
    while offset + 2 <= end and len(result) < limit:
        header = source[offset] | source[offset + 1] << 8
        if header == 0:
            break
        offset += 2
        stop = offset + (header & 0x0FFF) + 1
        if stop > end:
            return bytes(result[:limit]), False
        if header & 0x8000:
            chunk = _chunk(source, offset, stop)
            if chunk is None:
                return bytes(result[:limit]), False
        else:
            chunk = bytearray(source[offset:stop])
        offset = stop
        if offset + 2 <= end and len(chunk) < CHUNK:
            # Only the last chunk may be short: every other one stands for 4096 bytes.
            chunk.extend(bytes(CHUNK - len(chunk)))
        result += chunk
    return bytes(result[:limit]), True


def _chunk(source: bytes, offset: int, stop: int) -> bytearray | None:
    """The content of one compressed chunk, None where a token points before its start or it overflows."""
    chunk = bytearray()
    while offset < stop:
        flags = source[offset]
        offset += 1
        if not flags:
            chunk += source[offset : min(offset + 8, stop)]
            offset += 8
            continue
        for bit in range(8):
            if offset >= stop:
                break
            if not flags >> bit & 1:
                chunk.append(source[offset])
                offset += 1
                continue
            written = len(chunk)
            if offset + 2 > stop or not 0 < written < CHUNK:
                return None
            token = source[offset] | source[offset + 1] << 8
            offset += 2
            bits = _LENGTH_BITS[written]
            distance, length = (token >> bits) + 1, (token & ((1 << bits) - 1)) + 3
            if distance > written:
                return None
            if distance >= length:
                chunk += chunk[written - distance : written - distance + length]
            else:
                chunk += (chunk[written - distance :] * (length // distance + 1))[:length]
    return chunk if len(chunk) <= CHUNK else None
