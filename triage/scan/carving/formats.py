"""Where a picture or a video that begins here ends: each format read by its own structure, so that a false header is told from a true one.

Sources: ITU-T T.81 annex B (JPEG markers), PNG specification 1.2 section 3 (chunks and their CRC), GIF89a specification, WebP container
specification (RIFF), ISO/IEC 14496-12 (boxes).

Each function takes ``data`` and the place ``start`` of its signature, and returns the offset after the last byte. It raises ``Broken`` where
this is no such file, and ``CutShort`` where the data ends before it does.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

_MOST_PARTS = 100_000
# In coded data a byte FF is followed by 00, or by the number of a restart.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
_BARE = frozenset((0x01, *range(0xD0, 0xD8)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEGMENTS = _FRAMES | frozenset((0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFE, *range(0xE0, 0xF0)))
_BOX = re.compile(rb"[A-Za-z0-9 \xa9_-]{4}")
_TOP_BOXES = frozenset(
    (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"sidx", b"styp", b"uuid", b"meta", b"udta", b"pdin", b"pnot", b"ssix", b"prft", b"emsg", b"beam")
)  # fmt: skip


class Broken(Exception):
    """Not a file of this format, or one whose bytes go on elsewhere."""


class CutShort(Exception):
    """The data ends before the file does."""


def jpeg(data: bytes, start: int) -> int:
    """JPEG, from the start of image to its end: at least one frame and one scan."""
    position = start + 2
    framed = scanned = False
    for _ in range(_MOST_PARTS):
        while data[position : position + 2] == b"\xff\xff":
            position += 1
        if position + 4 > len(data):
            if scanned and data[position : position + 2] == b"\xff\xd9":
                return position + 2
            raise CutShort
        marker = data[position + 1]
        if data[position] != 0xFF:
            raise Broken
        if marker == 0xD9:
            if not scanned:
                raise Broken
            return position + 2
        if marker in _BARE:
            position += 2
            continue
        if marker not in _SEGMENTS:
            raise Broken
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position + 4 : position + 2 + min(length, 64)]
        if length < 2 or (marker == 0xDA and not framed):
            raise Broken
        if marker in _FRAMES:
            if length < 11 or (
                len(segment) >= 6 and not (segment[3:5] != b"\0\0" and segment[0] in (8, 12, 16) and length == 8 + 3 * segment[5])
            ):
                raise Broken
            framed = True
        position += 2 + length
        if marker == 0xDA:
            if segment and length != 6 + 2 * segment[0]:
                raise Broken
            found = _MARKER.search(data, position)
            if found is None:
                raise CutShort
            scanned, position = True, found.start()
    raise Broken


def png(data: bytes, start: int) -> int:
    """PNG: every chunk has its CRC."""
    position = start + 8
    first, pixels = True, False
    for _ in range(_MOST_PARTS):
        if position + 12 > len(data):
            raise CutShort
        length, kind = struct.unpack_from(">I4s", data, position)
        if length > 0x7FFFFFFF or not kind.isalpha() or (first and (kind, length) != (b"IHDR", 13)):
            raise Broken
        end: int = position + 12 + length
        if end > len(data):
            raise CutShort
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise Broken
        first, pixels, position = False, pixels or kind == b"IDAT", end
        if kind == b"IEND":
            if not pixels:
                raise Broken
            return end
    raise Broken


def gif(data: bytes, start: int) -> int:
    """GIF: at least one picture, then the trailer."""
    if len(data) < start + 13:
        raise CutShort
    width, height, flags = struct.unpack_from("<HHB", data, start + 6)
    if data[start + 4 : start + 6] not in (b"7a", b"9a") or not width or not height:
        raise Broken
    position = start + 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    pictures = 0
    for _ in range(_MOST_PARTS):
        if position >= len(data):
            raise CutShort
        kind = data[position]
        if kind == 0x3B:
            if not pictures:
                raise Broken
            return position + 1
        if kind == 0x21:
            position = _sub_blocks(data, position + 2)
        elif kind == 0x2C:
            if position + 11 > len(data):
                raise CutShort
            flags = data[position + 9]
            position += 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
            if position < len(data) and not 2 <= data[position] <= 11:
                raise Broken
            position = _sub_blocks(data, position + 1)
            pictures += 1
        else:
            raise Broken
    raise Broken


def _sub_blocks(data: bytes, position: int) -> int:
    try:
        while size := data[position]:
            position += 1 + size
    except IndexError:
        raise CutShort from None
    return position + 1


def webp(data: bytes, start: int) -> int:
    """WebP: chunks that fill the RIFF container."""
    if len(data) < start + 20:
        raise CutShort
    size = int.from_bytes(data[start + 4 : start + 8], "little")
    if data[start + 8 : start + 12] != b"WEBP" or data[start + 12 : start + 15] != b"VP8" or size < 12:
        raise Broken
    end = start + 8 + size
    position = start + 12
    for _ in range(_MOST_PARTS):
        if position >= end:
            break
        if position + 8 > len(data):
            raise CutShort
        kind, length = struct.unpack_from("<4sI", data, position)
        if not kind.rstrip(b" ").isalnum():
            raise Broken
        position += 8 + length + (length & 1)
    if position not in (end, end + 1):
        raise Broken
    if end > len(data):
        raise CutShort
    return end


def mp4(read: Callable[[int, int], bytes], start: int, limit: int) -> int:
    """MP4 and QuickTime: boxes, with a description (``moov``) and content. ``read(offset, length)`` gives bytes; ``limit``: where they end."""
    position = start
    kinds: set[bytes] = set()
    for _ in range(_MOST_PARTS):
        head = read(position, 16)
        kind = head[4:8]
        if len(head) < 8 or position + 8 > limit or kind not in _TOP_BOXES or (position > start and kind == b"ftyp"):
            break
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
            if size < 16:
                raise Broken
        elif size < 8:
            break  # size 0, to the end of the file: in a space without files nobody knows where that is
        if kind == b"moov" and read(position + 12, 4) not in (b"mvhd", b"cmov", b"iods", b"meta", b"udta", b"trak", b"free", b"clip"):
            raise Broken
        if position + size > limit:
            raise CutShort
        kinds.add(kind)
        position += size
    if b"moov" not in kinds or not kinds & {b"mdat", b"moof"}:
        raise Broken
    return position
