"""The attribute chains of many file records, walked all at once: step k handles the k-th attribute of every record still in play.

Layout: Microsoft, ATTRIBUTE_RECORD_HEADER; Linux-NTFS documentation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.records import Records

STANDARD_INFORMATION, ATTRIBUTE_LIST, FILE_NAME, VOLUME_NAME, VOLUME_INFORMATION = 0x10, 0x20, 0x30, 0x60, 0x70
DATA, INDEX_ROOT, INDEX_ALLOCATION, REPARSE_POINT = 0x80, 0x90, 0xA0, 0xC0
COMPRESSED, ENCRYPTED, SPARSE = 0x00FF, 0x4000, 0x8000  # masks of an attribute's flags
_END = 0xFFFFFFFF


@dataclass(slots=True)
class Attributes:
    """One row an attribute, in record order and, within a record, in the order of the chain.

    ``row`` is the record's row, ``at`` the byte offset of the attribute in the records' memory. For resident attributes ``content``
    and ``length`` are offset (in memory) and size of the value; for others ``content`` is the offset of the mapping pairs and
    ``length`` the room they have.
    """

    row: Ints
    at: Ints
    type: Ints
    resident: NDArray[np.bool_]
    name: Ints  # offset in memory
    name_length: Ints  # UTF-16 code units
    flags: Ints
    id: Ints
    content: Ints
    length: Ints

    def __len__(self) -> int:
        return len(self.row)

    def where(self, mask: NDArray[np.bool_]) -> Attributes:
        """The rows for which ``mask`` holds."""
        rows = np.flatnonzero(mask)
        return Attributes(*(getattr(self, item.name)[rows] for item in fields(self)))


def walk(records: Records) -> tuple[Attributes, NDArray[np.bool_]]:
    """Every sound attribute of ``records``, and for each record whether its chain was damaged (what lies before the damage is kept)."""
    memory, size = records.memory, records.size
    damaged = np.zeros(len(records), dtype=bool)
    row = np.flatnonzero(records.limit > 0)
    offset, limit = records.first[row], records.limit[row]
    found: list[tuple[Ints, ...]] = []
    while len(row):
        room = offset + 4 <= limit
        if not room.all():
            damaged[row[~room]] = True
            row, offset, limit = row[room], offset[room], limit[room]
        at = row * size + offset
        kind = memory.u32(at)
        goes_on = kind != _END
        if not goes_on.all():
            row, offset, limit, at, kind = row[goes_on], offset[goes_on], limit[goes_on], at[goes_on], kind[goes_on]
        length = memory.u32(np.minimum(at + 4, memory.length))
        sane = (length >= 24) & (length % 8 == 0) & (offset + length <= limit) & (kind != 0)
        if not sane.all():
            damaged[row[~sane]] = True
            row, offset, limit, at, kind, length = row[sane], offset[sane], limit[sane], at[sane], kind[sane], length[sane]
        found.append((row, at, kind, length))
        offset = offset + length
    if found:
        row, at, kind, length = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(row, kind="stable")
        row, at, kind, length = row[order], at[order], kind[order], length[order]
    else:
        row = at = kind = length = np.zeros(0, dtype=np.int64)
    resident = memory.bytes[at + 8] == 0
    name_length, name = memory.u8(at + 9), memory.u16(at + 10)
    place = np.where(resident, memory.u16(at + 20), memory.u16(np.minimum(at + 32, memory.length)))
    value = np.where(resident, memory.u32(at + 16), length - place)
    sane = (place + value <= length) & np.where(resident, place >= 16, (place >= 48) & (length >= 64) & (value > 0))
    sane &= (name_length == 0) | (name + 2 * name_length <= length)
    damaged[row[~sane]] = True
    every = Attributes(
        row, at, kind, resident, at + name, name_length, memory.u16(at + 12), memory.u16(at + 14), at + place, value
    )  # fmt: skip
    return (every if sane.all() else every.where(sane)), damaged
