"""$ATTRIBUTE_LIST: which records hold the attributes of a file that does not fit into one.

Layout: Microsoft, ATTRIBUTE_LIST_ENTRY. A list is flat: the extension records it names are read once, whatever they name themselves,
so that a list that refers to itself ends like any other.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from triage.evidence.ntfs.records import REFERENCE

MAX_BYTES = 256 * 1024  # NTFS allows no more
_HEAD = struct.Struct("<IHBBQQH")


class ListEntry(NamedTuple):
    """An attribute (or one of its extents) and the record it lies in."""

    type: int
    name: str
    start_vcn: int
    record: int
    sequence: int
    id: int


def parse(content: bytes) -> tuple[list[ListEntry], bool]:
    """The entries of a list and whether it was sound to its end."""
    entries: list[ListEntry] = []
    offset, end = 0, min(len(content), MAX_BYTES)
    while offset + _HEAD.size <= end:
        kind, length, name_length, name, vcn, reference, number = _HEAD.unpack_from(content, offset)
        if kind == 0 and length == 0:
            break
        if length < _HEAD.size or offset + length > end or (name_length and name + 2 * name_length > length):
            return entries, False
        text = content[offset + name : offset + name + 2 * name_length].decode("utf-16-le", "surrogatepass") if name_length else ""
        entries.append(ListEntry(kind, text, vcn, reference & REFERENCE, reference >> 48, number))
        offset += length
    return entries, not any(content[offset:end])


def unique_ids(base: int, list_id: int, entries: list[ListEntry]) -> dict[tuple[int, str], int]:
    """An identifier for each attribute that begins outside the base record ``base``.

    Identifiers are unique within one record only. Like The Sleuth Kit, so that addresses agree with its: those of extension records
    are numbered on from the highest in the list, in its order.
    """
    highest = max([list_id, *(entry.id for entry in entries)])
    seen: set[tuple[int, str]] = set()
    result: dict[tuple[int, str], int] = {}
    for entry in entries:
        key = (entry.type, entry.name)
        if key not in seen:
            seen.add(key)
            if entry.record != base:
                highest += 1
                result[key] = highest & 0xFFFF
    return result
