"""A stretch of the $MFT decoded to columns: names, streams, runs. Pure, so that several can be decoded at once.

Layouts: Microsoft, STANDARD_INFORMATION, FILE_NAME and ATTRIBUTE_RECORD_HEADER; Linux-NTFS documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.evidence.model import Run
from triage.evidence.ntfs import attributes, names, reparse, runs
from triage.evidence.ntfs.attributes import Attributes
from triage.evidence.ntfs.memory import Ints
from triage.evidence.ntfs.records import DAMAGED, REFERENCE, Records

NO_RECORD = 0xFFFFFFFF
NAME = np.dtype([
    ("record", "<u4"), ("holder", "<u4"), ("parent", "<u4"), ("parent_sequence", "<u2"), ("space", "u1"), ("times", "<u8", 4), ("hash", "<u8"),
])  # fmt: skip
"""A $FILE_NAME: ``record`` it names, ``holder`` it lies in, the parent's reference, times as FILETIME in the order of ``TIMES``, the hash of its text."""
STREAM = np.dtype([
    ("record", "<u4"), ("holder", "<u4"), ("type", "<u4"), ("id", "<u2"), ("flags", "<u2"), ("name", "<u4"), ("resident", "?"),
    ("whole", "?"), ("unit", "u1"), ("content", "<u2"), ("start_vcn", "<i8"), ("size", "<i8"), ("valid", "<i8"), ("run", "<i8"), ("runs", "<i8"),
])  # fmt: skip
"""An attribute with content: ``name`` indexes ``Table.labels``; ``content`` is where a resident value starts in its record; ``valid`` the
initialised size; ``unit`` the power of two of clusters in a compression unit; ``run`` and ``runs`` the slice of ``Table.run_*``;
``whole`` is False where part of its runs is damaged or lost."""
TIMES = ("created", "modified", "changed", "accessed")  # in the order NTFS stores them
_KEPT = (attributes.DATA, attributes.INDEX_ROOT, attributes.INDEX_ALLOCATION)


class ListFound(NamedTuple):
    """An $ATTRIBUTE_LIST: its base record, its own id, and its value, or the runs it lies in and its size."""

    base: int
    id: int
    value: bytes | None
    pieces: list[Run]
    size: int


class Damage(NamedTuple):
    """A record that could not be wholly read: its number, the base record it belongs to, and whether all of it was lost."""

    number: int
    base: int
    all: bool


@dataclass(slots=True)
class Part:
    """The columns of some records, which are those of ``Table``; stream names index ``labels``, runs count from the first run here."""

    numbers: Ints
    status: NDArray[np.uint8]
    flags: NDArray[np.uint16]
    sequence: NDArray[np.uint16]
    base: NDArray[np.uint64]
    times: NDArray[np.uint64]
    used: NDArray[np.bool_]
    names: NDArray[np.void]
    texts: list[str]
    streams: NDArray[np.void]
    labels: list[str]
    run_cluster: Ints
    run_length: Ints
    lists: list[ListFound]
    reparse: dict[int, reparse.Reparse]
    damage: list[Damage]


def in_bytes(cluster: Ints, length: Ints, cluster_size: int) -> list[Run]:
    """Runs in clusters (-1: sparse) as runs in bytes of the volume."""
    return [
        Run(start * cluster_size if start >= 0 else -1, count * cluster_size)
        for start, count in zip(cluster.tolist(), length.tolist(), strict=True)
    ]


def decode(records: Records, cluster_size: int, clusters: int) -> Part:
    """The columns of ``records``, in a volume of ``clusters`` clusters."""
    found, torn = attributes.walk(records)
    damaged = (records.status == DAMAGED) | torn
    owner = np.where(records.base != 0, records.base & np.uint64(REFERENCE), records.numbers.astype(np.uint64))
    owner = np.minimum(owner, NO_RECORD).astype(np.int64)
    used = np.zeros(len(records), dtype=bool)
    used[found.row] = True
    own = records.base[found.row] == 0
    name_rows, texts = _names(records, found, owner, damaged)
    streams, labels, decoded = _streams(records, found, owner, clusters, damaged)
    lists = _lists(records, found.where((found.type == attributes.ATTRIBUTE_LIST) & own), cluster_size, clusters)
    points = _reparse(records, found.where((found.type == attributes.REPARSE_POINT) & found.resident & own))
    damage = [
        Damage(int(records.numbers[row]), int(owner[row]), not records.limit[row]) for row in np.flatnonzero(damaged).tolist()
    ]  # fmt: skip
    return Part(
        records.numbers, np.where(torn, np.uint8(DAMAGED), records.status).astype(np.uint8), records.flags.astype(np.uint16),
        records.sequence.astype(np.uint16), records.base, _times(records, found.where(own)), used, name_rows, texts, streams, labels,
        decoded.cluster, decoded.length, lists, points, damage,
    )  # fmt: skip


def _times(records: Records, found: Attributes) -> NDArray[np.uint64]:
    times = np.zeros((len(records), 4), dtype=np.uint64)
    rows = found.where((found.type == attributes.STANDARD_INFORMATION) & found.resident & (found.length >= 32))
    for column in range(4):
        times[rows.row, column] = records.memory.u64(rows.content + 8 * column)
    return times


def _names(records: Records, found: Attributes, owner: Ints, damaged: NDArray[np.bool_]) -> tuple[NDArray[np.void], list[str]]:
    """The $FILE_NAMEs and their texts; marks the records of unsound ones in ``damaged``."""
    rows = found.where(found.type == attributes.FILE_NAME)
    units = records.memory.u8(np.minimum(rows.content + 64, records.memory.length))
    sane = rows.resident & (rows.length >= 66) & (66 + 2 * units <= rows.length) & (units > 0)
    damaged[rows.row[~sane]] = True
    if not sane.all():
        rows, units = rows.where(sane), units[sane]
    table = np.zeros(len(rows), dtype=NAME)
    parent = records.memory.u64(rows.content)
    table["record"] = owner[rows.row]
    table["holder"] = records.numbers[rows.row]
    table["parent"] = np.minimum(parent & np.uint64(REFERENCE), np.uint64(NO_RECORD))
    table["parent_sequence"] = parent >> np.uint64(48)
    table["space"] = records.memory.u8(rows.content + 65)
    for column in range(4):
        table["times"][:, column] = records.memory.u64(rows.content + 8 + 8 * column)
    texts, table["hash"] = names.decode(records.memory, rows.content + 66, units)
    return table, texts


def _streams(
    records: Records, found: Attributes, owner: Ints, clusters: int, damaged: NDArray[np.bool_]
) -> tuple[NDArray[np.void], list[str], runs.Runs]:
    """The attributes with content, the labels their names index, and their runs; marks the records of unsound ones in ``damaged``."""
    memory = records.memory
    rows = found.where(np.isin(found.type, _KEPT))
    table = np.zeros(len(rows), dtype=STREAM)
    table["record"], table["holder"] = owner[rows.row], records.numbers[rows.row]
    table["type"], table["id"], table["flags"], table["resident"] = rows.type, rows.id, rows.flags, rows.resident
    table["whole"] = True
    named = np.flatnonzero(rows.name_length)
    codes: dict[str, int] = {"": 0}
    table["name"][named] = [
        codes.setdefault(label, len(codes)) for label in names.decode(memory, rows.name[named], rows.name_length[named])[0]
    ]
    table["content"] = np.where(rows.resident, rows.content - rows.row * records.size, 0)
    table["size"] = table["valid"] = rows.length
    outside = np.flatnonzero(~rows.resident)
    at = rows.at[outside]
    decoded = runs.decode(memory, rows.content[outside], rows.length[outside], clusters)
    table["start_vcn"][outside] = memory.i64(at + 16)
    table["size"][outside] = memory.i64(at + 48)
    table["valid"][outside] = memory.i64(at + 56)
    table["unit"][outside] = np.minimum(memory.u16(at + 34), 255)
    table["run"][outside], table["runs"][outside], table["whole"][outside] = decoded.start, decoded.count, decoded.sound
    # Sizes are counted in 63 bits; a negative one is a lie, and so is a start that no volume reaches.
    lying = (table["size"] < 0) | (table["valid"] < 0) | (table["start_vcn"] < 0) | (table["start_vcn"] > 1 << 48)
    damaged[rows.row[outside[~decoded.sound]]] = True
    damaged[rows.row[lying]] = True
    return (table[~lying] if lying.any() else table), list(codes), decoded


def _lists(records: Records, rows: Attributes, cluster_size: int, clusters: int) -> list[ListFound]:
    result: list[ListFound] = []
    decoded = runs.decode(records.memory, rows.content, np.where(rows.resident, 0, rows.length), clusters)
    for row in range(len(rows)):
        base, number = int(records.numbers[rows.row[row]]), int(rows.id[row])
        if rows.resident[row]:
            start, length = int(rows.content[row]), int(rows.length[row])
            result.append(ListFound(base, number, records.memory.bytes[start : start + length].tobytes(), [], length))
            continue
        part = slice(int(decoded.start[row]), int(decoded.start[row] + decoded.count[row]))
        size = max(int(records.memory.i64(rows.at[row : row + 1] + 48)[0]), 0)
        result.append(ListFound(base, number, None, in_bytes(decoded.cluster[part], decoded.length[part], cluster_size), size))
    return result


def _reparse(records: Records, rows: Attributes) -> dict[int, reparse.Reparse]:
    result: dict[int, reparse.Reparse] = {}
    for row, start, length in zip(rows.row.tolist(), rows.content.tolist(), rows.length.tolist(), strict=True):
        point = reparse.parse(records.memory.bytes[start : start + length].tobytes())
        if point is not None:
            result[int(records.numbers[row])] = point
    return result
