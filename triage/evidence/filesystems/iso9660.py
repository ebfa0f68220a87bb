"""When files of an ISO 9660 volume were recorded, with the offset from UTC that The Sleuth Kit does not hand on.

Source: ECMA-119, sections 8.4 (volume descriptors), 9.1 (directory records).
"""

from __future__ import annotations

import struct
from calendar import timegm
from collections.abc import Iterator

from triage.evidence.model import ByteSource

SECTOR = 2048
MAX_DIRECTORIES = 100_000
MAX_DIRECTORY = 8 << 20
_MAX_DESCRIPTORS = 32
_NS = 1_000_000_000

Times = dict[tuple[int, int], int]


def recorded_times(data: ByteSource) -> Times:
    """Nanoseconds since the Unix epoch by first byte on the volume and length in bytes, from every directory tree (primary, Joliet).

    Empty for a volume in raw 2,352-byte sectors. Content that two records of different times share is left out, as is a record
    whose date is none.
    """
    found: Times = {}
    doubtful: set[tuple[int, int]] = set()
    seen: set[int] = set()
    waiting = list(_roots(data))
    while waiting and len(seen) < MAX_DIRECTORIES:
        start, size = waiting.pop()
        if start in seen:
            continue
        seen.add(start)
        for record in _records(data.read_at(start, min(size, MAX_DIRECTORY))):
            place, length = struct.unpack_from("<I", record, 2)[0] * SECTOR, struct.unpack_from("<I", record, 10)[0]
            when = _when(record[18:25])
            if when is not None and found.setdefault((place, length), when) != when:
                doubtful.add((place, length))
            if record[25] & 2:
                waiting.append((place, length))
    return {key: when for key, when in found.items() if key not in doubtful}


def _roots(data: ByteSource) -> Iterator[tuple[int, int]]:
    for number in range(16, 16 + _MAX_DESCRIPTORS):
        descriptor = data.read_at(number * SECTOR, SECTOR)
        if len(descriptor) < SECTOR or descriptor[1:6] != b"CD001" or descriptor[0] == 255:
            return
        if descriptor[0] in (1, 2):
            yield struct.unpack_from("<I", descriptor, 158)[0] * SECTOR, struct.unpack_from("<I", descriptor, 166)[0]


def _records(directory: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(directory):
        length = directory[at]
        if length < 34:
            at = (at // SECTOR + 1) * SECTOR  # a record never crosses a sector: the rest of this one is padding
            continue
        record = directory[at : at + length]
        if len(record) == length:
            yield record
        at += length


def _when(raw: bytes) -> int | None:
    year, month, day, hour, minute, second, quarters = struct.unpack("<6Bb", raw)
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60 and -48 <= quarters <= 52):
        return None
    seconds: int = timegm((1900 + year, month, day, hour, minute, second)) - quarters * 900
    return seconds * _NS
