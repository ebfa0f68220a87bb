"""Perceptual hashes in a store: gathered when it is built, opened and asked in a scan.

Sections of the store: for each algorithm its words, a section a word (``pictures.pdq.0``, little-endian uint64, an entry each), and the
number of the name that belongs to the entry (``pictures.pdq.names``, uint32); ``pictures.text``, all names one after the other in UTF-8,
and ``pictures.ends``, where each ends (uint64). A plain store is mapped and used where it lies. Near hashes cannot be looked up under a
keyed function: in a keyed store each section is encrypted instead (AES-256-GCM), and decrypted into memory, 32 bytes a PDQ, when it is opened.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashsets.errors import Damaged, HashSetError
from hashsets.pictures.hashing import ORIENTATIONS, WIDTHS, Words
from hashsets.pictures.search import THRESHOLDS, Near, chance, within
from hashsets.store import Opened, open_parts

LEAST_QUALITY = 50
"""PDQ quality below which a picture (plain areas, a line of text) has too little in it to be told from others by its looks."""
MAX_ENTRIES = 1 << 31
Sections = dict[str, NDArray[Any]]


class PictureCollector:
    """Gathers perceptual hashes, for ``build``."""

    def __init__(self) -> None:
        self._words = {algorithm: array("Q") for algorithm in WIDTHS}
        self._named = {algorithm: array("I") for algorithm in WIDTHS}
        self._text = bytearray()
        self._ends = array("Q")
        self._last: str | None = None

    def add(self, algorithm: str, words: Words, name: str) -> None:
        """Take a hash, and what it is called. Raises ``HashSetError`` where there are too many."""
        if name != self._last:
            if len(self._ends) >= MAX_ENTRIES:
                raise HashSetError(f"More than {MAX_ENTRIES} pictures.")
            self._text += name.encode("utf-8", "surrogateescape")
            self._ends.append(len(self._text))
            self._last = name
        self._words[algorithm].extend(words.tolist())
        self._named[algorithm].append(len(self._ends) - 1)

    def add_picture(self, name: str, stream: BinaryIO) -> str | None:
        """Take the hashes of a reference picture; why not, where it has none of use. Raises ``MemoryError``."""
        from hashsets.pictures import hashing
        from hashsets.pictures.decode import NotDecoded, decode

        try:
            decoded = decode(stream)
            found = hashing.looks(decoded.luminance, decoded.size)
        except NotDecoded as error:
            return str(error)
        if found.quality < LEAST_QUALITY:
            return f"has too little in it to be recognised by its looks (PDQ quality {found.quality}, at least {LEAST_QUALITY} is needed)"
        for algorithm in ("pdq", "phash"):
            self.add(algorithm, hashing.orientations(found, algorithm)[0], name)
        return None

    def finish(self) -> tuple[dict[str, int], Sections, int]:
        """How many entries each algorithm has, the sections, and how many repeated hashes were left out (the first name is kept)."""
        counts: dict[str, int] = {}
        sections: Sections = {}
        repeated = 0
        for algorithm, width in WIDTHS.items():
            table = np.frombuffer(self._words[algorithm], np.uint64).reshape(-1, width)
            if not len(table):
                continue
            kept = _distinct(table)
            repeated += len(table) - len(kept)
            counts[algorithm] = len(kept)
            for number in range(width):
                sections[f"pictures.{algorithm}.{number}"] = table[kept, number].astype("<u8")
            sections[f"pictures.{algorithm}.names"] = np.frombuffer(self._named[algorithm], np.uint32)[kept].astype("<u4")
        if counts:
            sections["pictures.text"] = np.frombuffer(bytes(self._text), np.uint8)
            sections["pictures.ends"] = np.frombuffer(self._ends, np.uint64).astype("<u8")
        return counts, sections, repeated


def _distinct(table: Words) -> NDArray[np.int64]:
    """The rows that are the first of their like, in their order."""
    order = np.lexsort(table.T[::-1])
    ordered = table[order]
    new = np.ones(len(table), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    # lexsort is stable: the first of each run is the first that was given.
    return np.sort(order[new])


class PictureNear(NamedTuple):
    """The entry of a set that is nearest to a picture: by which algorithm, bits that differ, the threshold, what the entry is called, what
    would have to be done to the entry's picture to have this one (one of ``ORIENTATIONS``), how many entries are within the threshold, and
    how many would be by chance if hashes were as even as dice."""

    algorithm: str
    distance: int
    threshold: int
    name: str
    orientation: str
    entries: int
    chance: float


@dataclass(slots=True)
class PictureSet:
    """The perceptual hashes of a store. ``counts``: entries by algorithm; ``identity`` is for the report, as ``HashSet.identity``."""

    name: str
    version: str | None
    role: str
    counts: dict[str, int]
    identity: dict[str, Any]
    _columns: dict[str, list[Words]]
    _named: dict[str, NDArray[np.uint32]]
    _text: NDArray[np.uint8]
    _ends: NDArray[np.uint64]
    thresholds: Mapping[str, int] = field(default_factory=lambda: dict(THRESHOLDS))

    def nearest(self, hashes: Mapping[str, Words]) -> PictureNear | None:
        """The nearest entry to a picture of which ``hashes`` has (8, words) by algorithm, as ``orientations`` gives them; None where none is near.

        PDQ goes before pHash, pHash before dHash.
        """
        for algorithm, words in hashes.items():
            columns = self._columns.get(algorithm)
            if columns is None:
                continue
            near = [(one, number) for number, found in enumerate(within(columns, words, self.thresholds[algorithm])) for one in found]
            if near:
                best, orientation = min(near, key=lambda pair: (pair[0].distance, pair[1], pair[0].row))
                return self._told(algorithm, best, orientation, len({one.row for one, _ in near}))
        return None

    def search(self, algorithm: str, queries: Words, most: int | None = None) -> list[list[tuple[int, str]]]:
        """For each of the (n, words) hashes the (distance, name) of all entries within ``most`` bits (the threshold), nearest first."""
        columns = self._columns.get(algorithm)
        if columns is None:
            raise HashSetError(f"{self.name} holds no {algorithm}; it holds {', '.join(self.counts)}.")
        found = within(columns, queries, self.thresholds[algorithm] if most is None else most)
        return [[(near.distance, self._name(algorithm, near.row)) for near in one] for one in found]

    def entries(self) -> Iterator[tuple[str, Words, str]]:
        """(algorithm, words, name) of every entry."""
        for algorithm, columns in self._columns.items():
            for row in range(self.counts[algorithm]):
                yield algorithm, np.array([column[row] for column in columns], np.uint64), self._own_name(algorithm, row)

    def _told(self, algorithm: str, near: Near, orientation: int, entries: int) -> PictureNear:
        threshold = self.thresholds[algorithm]
        odds = chance(algorithm, threshold, self.counts[algorithm])
        name = self._name(algorithm, near.row)
        return PictureNear(algorithm, near.distance, threshold, name, ORIENTATIONS[orientation], entries, odds)

    def _name(self, algorithm: str, row: int) -> str:
        return self._own_name(algorithm, row) or f"entry {row + 1}"

    def _own_name(self, algorithm: str, row: int) -> str:
        number = int(self._named[algorithm][row])
        if not number < len(self._ends):
            raise Damaged(f"{self.name} names a picture that it does not have.")
        start = int(self._ends[number - 1]) if number else 0
        return self._text[start : int(self._ends[number])].tobytes().decode("utf-8", "replace")


def has_pictures(path: Path) -> bool:
    """Whether the store at ``path`` holds perceptual hashes; its key is not needed. Raises as ``open_parts`` does."""
    return bool(open_parts(path, None, need_key=False).header.get("pictures"))


def open_pictures(path: Path, key: bytes | None = None) -> PictureSet:
    """The perceptual hashes of the store at ``path``. Raises ``HashSetError`` where it has none, and as ``open_set`` does."""
    parts = open_parts(path, key)
    counts = parts.header.get("pictures")
    if not counts:
        raise HashSetError(f"{path.name} holds no perceptual hashes: build it with the kind 'picture'.")
    try:
        if any(algorithm not in WIDTHS for algorithm in counts):
            raise ValueError("algorithm")
        counts = {algorithm: int(counts[algorithm]) for algorithm in WIDTHS if algorithm in counts}
        columns = {
            algorithm: [_section(parts, f"{algorithm}.{number}", "<u8", count) for number in range(WIDTHS[algorithm])]
            for algorithm, count in counts.items()
        }
        named = {algorithm: _section(parts, f"{algorithm}.names", "<u4", count) for algorithm, count in counts.items()}
        text, ends = _section(parts, "text", "u1", None), _section(parts, "ends", "<u8", None)
        if len(ends) and (int(ends[-1]) != len(text) or (ends[1:] < ends[:-1]).any()):
            raise ValueError("names")
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise Damaged(f"{path.name} has a malformed header: nothing of it is used.") from None
    header = parts.header
    return PictureSet(header["name"], header["version"], header["role"], counts, parts.identity(), columns, named, text, ends)


def _section(parts: Opened, name: str, kind: str, count: int | None) -> NDArray[Any]:
    offset, length = map(int, parts.header["sections"][f"pictures.{name}"])
    if offset < 0 or length < 0 or offset + length > parts.blocks.end:
        raise ValueError(name)
    parts.blocks.check_range(offset, length)
    data: Any = parts.data if parts.keyer is None else parts.keyer.unseal(parts.data[offset : offset + length])
    start, size = (offset, length) if parts.keyer is None else (0, len(data))
    if size % np.dtype(kind).itemsize or (count is not None and size != count * np.dtype(kind).itemsize):
        raise ValueError(name)
    return np.frombuffer(data, kind, size // np.dtype(kind).itemsize, start)
