"""Decompression of Snappy's raw format (github.com/google/snappy, format_description.txt), bounded."""

from __future__ import annotations

LARGEST = 64 << 20  # bytes of one block decompressed; LevelDB's blocks are about 4 KiB


def decompress(data: bytes) -> bytes:
    """The original bytes. Raises ``ValueError`` for anything that is not sound, and above ``LARGEST``."""
    try:
        return _decompress(data)
    except IndexError as error:
        raise ValueError("compressed data is cut short") from error


def _decompress(data: bytes) -> bytes:
    length = shift = place = 0
    while True:
        byte = data[place]
        place += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
        if shift > 28:
            raise ValueError("the stated length is not a number")
    if length > LARGEST:
        raise ValueError(f"states {length} bytes, more than {LARGEST}")
    out = bytearray()
    while place < len(data):
        tag = data[place]
        place += 1
        if tag & 3 == 0:
            size = tag >> 2
            if size >= 60:
                more = size - 59
                size = int.from_bytes(data[place : place + more], "little")
                place += more
            size += 1
            if place + size > len(data):
                raise ValueError("compressed data is cut short")
            out += data[place : place + size]
            place += size
        else:
            if tag & 3 == 1:
                size, back = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[place]
                place += 1
            else:
                wide = 2 if tag & 3 == 2 else 4
                size, back = (tag >> 2) + 1, int.from_bytes(data[place : place + wide], "little")
                place += wide
            if not 0 < back <= len(out):
                raise ValueError("refers to data before the beginning")
            # What is copied may overlap what it makes: a short piece repeated.
            piece = bytes(out[-back:][:size])
            out += (piece * (size // len(piece) + 1))[:size]
        if len(out) > length:
            raise ValueError("holds more than it states")
    if len(out) != length:
        raise ValueError("holds less than it states")
    return bytes(out)
