"""The look-up structure of one algorithm: a filter, an index of leading bits, and the sorted rest of the digests.

Digests are evenly spread, so leading bits say where a digest would stand:

- the *filter*: 64-bit words, ``FILTER_BITS`` bits an entry, three bits set for each entry in the word its first 32 bits point to (a
  Bloom filter in register-sized blocks: Putze, Sanders, Singler 2007). About 7 of 100 absent hashes pass; no present one is stopped.
- the *index*: where in the records each value of the first ``index_bits`` bits starts, about 16 to 32 entries apart.
- the *records*: the sorted digests without their first ``implied`` bytes, which the index implies.

Word, index and records all follow the order of the digests: sorted queries go through the file once, front to back, and a miss that
the filter stops costs no read of the records at all. That matters on a USB 2 stick, where a read costs a millisecond.
Set up for evenly spread digests, it stays correct for any (a hostile list only makes it slower, within a binary search).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hashsets.rows import Keys, Rows, SortedRows, leading

FILTER_BITS = 6
_QUERIES = 1 << 17  # looked up at a time: the working arrays stay in the processor's cache


class Layout(NamedTuple):
    """The shape of a table for ``entries`` entries of ``width`` key bytes."""

    entries: int
    width: int
    implied: int
    index_bits: int
    filter_words: int

    @classmethod
    def of(cls, entries: int, width: int) -> Layout:
        implied = 0 if entries < 1 << 10 else 1 if entries < 1 << 19 else 2 if entries < 1 << 31 else 3
        bits = max(8 * implied, entries.bit_length() - 5, 0)
        return cls(entries, width, implied, bits, -(-entries * FILTER_BITS // 64) or 1)

    @property
    def record_bytes(self) -> int:
        return self.width - self.implied

    @property
    def index_type(self) -> np.dtype[Any]:
        return np.dtype("<u4" if self.entries < 1 << 32 else "<u8")


class Guard(Protocol):
    """Vouches for stored bytes before they are used."""

    def vouch(self, section: str, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        """Bytes ``first`` to ``last`` (inclusive, inside the section) are as written. Raises ``Damaged`` where they are not."""

    def done(self) -> None:
        """What was vouched for has been used."""


@dataclass(slots=True)
class Table:
    """One algorithm's entries, in memory or mapped from a store. ``records`` is (entries, record_bytes), row by row.

    ``kinds`` and ``sizes`` have one value an entry, or none: all are of kind ``only_kind``, no sizes are known.
    """

    layout: Layout
    filter: NDArray[np.uint64]
    index: NDArray[Any]
    records: Keys
    kinds: NDArray[Any] | None = None
    sizes: NDArray[Any] | None = None
    only_kind: int = 0
    guard: Guard | None = None

    def find(self, keys: Keys) -> NDArray[np.int64]:
        """For each of the (n, width) keys the number of its entry, or -1. Raises ``Damaged`` where the store is."""
        found = np.full(len(keys), -1, np.int64)
        if not self.layout.entries:
            return found
        head = leading(keys)
        order = np.argsort(head)
        for start in range(0, len(keys), _QUERIES):
            part = order[start : start + _QUERIES]
            part = part[self._passes(head[part], keys[part])]
            if len(part):
                found[part] = self._search(keys[part], head[part])
            if self.guard:
                self.guard.done()
        return found

    def _passes(self, head: NDArray[np.uint64], keys: Keys) -> NDArray[np.bool_]:
        words = filter_word(head, self.layout)
        if self.guard:
            at = words.astype(np.int64) * 8
            self.guard.vouch("filter", at, at + 7)
        mask = filter_mask(keys)
        passes: NDArray[np.bool_] = (self.filter[words] & mask) == mask
        return passes

    def _search(self, keys: Keys, head: NDArray[np.uint64]) -> NDArray[np.int64]:
        layout = self.layout
        slot = (head >> np.uint64(64 - layout.index_bits)).astype(np.int64) if layout.index_bits else np.zeros(len(head), np.int64)
        low, end = self.index[slot].astype(np.int64), self.index[slot + 1].astype(np.int64)
        result = np.full(len(keys), -1, np.int64)
        there = np.flatnonzero(low < end)
        low, end, keys = low[there], end[there], keys[there]
        if self.guard and len(there):
            self.guard.vouch("records", low * layout.record_bytes, end * layout.record_bytes - 1)
        rest = np.ascontiguousarray(keys[:, layout.implied :])
        wanted = leading(rest)
        step = 1 << int((end - low).max(initial=0)).bit_length() >> 1
        while step:
            # How many of the bucket are smaller, bit by bit from the highest: the same steps for all keys.
            ahead = low + step
            smaller = self._heads(np.minimum(ahead, end) - 1) < wanted
            low = np.where(smaller & (ahead <= end), ahead, low)
            step >>= 1
        candidates = np.flatnonzero(low < end)
        candidates = candidates[self._heads(low[candidates]) == wanted[candidates]]
        same = (self.records[low[candidates]] == rest[candidates]).all(axis=1)
        result[there[candidates[same]]] = low[candidates[same]]
        for i in candidates[~same].tolist():
            # Eight bytes agree and a later one does not: chance never brings this about, a hostile list may.
            result[there[i]] = self._bisect(rest[i].tobytes(), int(low[i]), int(end[i]))
        return result

    def _heads(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The first eight bytes of records as numbers, read where they are: records are wider, and not on even boundaries."""
        heads = np.ndarray((len(self.records),), np.uint64, self.records, 0, (self.records.strides[0],))[positions]
        return heads.byteswap(inplace=True) if sys.byteorder == "little" else heads

    def _bisect(self, wanted: bytes, low: int, end: int) -> int:
        high = end
        while low < high:
            middle = (low + high) // 2
            if self.records[middle].tobytes() < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < end and self.records[low].tobytes() == wanted else -1

    def kinds_at(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """The kind number, as stored, of each entry."""
        if self.kinds is None:
            return np.full(len(positions), self.only_kind)
        return self._values("kinds", self.kinds, positions)

    def sizes_at(self, positions: NDArray[np.int64]) -> NDArray[Any] | None:
        """The size, as stored, of each entry; None where no sizes are known."""
        return None if self.sizes is None else self._values("sizes", self.sizes, positions)

    def _values(self, section: str, values: NDArray[Any], positions: NDArray[np.int64]) -> NDArray[Any]:
        if self.guard and len(positions):
            at = positions * values.itemsize
            self.guard.vouch(section, at, at + values.itemsize - 1)
        return values[positions]

    def keys_from(self, start: int, stop: int) -> Keys:
        """The whole kept keys of entries ``start`` to ``stop``."""
        positions = np.arange(start, min(stop, self.layout.entries), dtype=np.int64)
        if self.guard and len(positions):
            size = self.layout.record_bytes
            self.guard.vouch("records", positions[:1] * size, (positions[-1:] + 1) * size - 1)
        slot = np.searchsorted(self.index, positions, side="right").astype(np.uint64) - np.uint64(1)
        keys = np.empty((len(positions), self.layout.width), np.uint8)
        keys[:, self.layout.implied :] = self.records[start:stop]
        if self.layout.implied:
            top = slot >> np.uint64(self.layout.index_bits - 8 * self.layout.implied)
            keys[:, : self.layout.implied] = top.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - self.layout.implied :]
        return keys


def filter_word(head: NDArray[np.uint64], layout: Layout) -> NDArray[np.uint64]:
    """The number of the filter word of each key, from its first 32 bits; it never falls as the keys rise."""
    return ((head >> np.uint64(32)) * np.uint64(layout.filter_words)) >> np.uint64(32)


def filter_mask(keys: Keys) -> NDArray[np.uint64]:
    """The three bits of each key, from its bytes 8 to 10."""
    bits = np.uint64(1) << (keys[:, 8:11] & 63).astype(np.uint64)
    mask: NDArray[np.uint64] = bits[:, 0] | bits[:, 1] | bits[:, 2]
    return mask


def build_filter(chunks: Iterable[Rows], layout: Layout) -> NDArray[np.uint64]:
    """The filter of sorted rows."""
    words = np.zeros(layout.filter_words, np.uint64)
    for rows in chunks:
        where = filter_word(leading(rows["key"]), layout)
        starts = np.flatnonzero(np.r_[True, where[1:] != where[:-1]])
        words[where[starts]] |= np.bitwise_or.reduceat(filter_mask(rows["key"]), starts)
    return words


def build_index(chunks: Iterable[Rows], layout: Layout) -> NDArray[Any]:
    """The index of sorted rows: ``2 ** index_bits + 1`` starts."""
    counts = np.zeros((1 << layout.index_bits) + 1, np.int64)
    for rows in chunks:
        if layout.index_bits:
            slot = (leading(rows["key"]) >> np.uint64(64 - layout.index_bits)).astype(np.int64)
            first = int(slot[0])
            part = np.bincount(slot - first)
            counts[first + 1 : first + 1 + len(part)] += part
        else:
            counts[1] += len(rows)
    return np.cumsum(counts).astype(layout.index_type)


def table_in_memory(rows: SortedRows) -> Table:
    """A table of rows that are few enough to be kept."""
    layout = Layout.of(rows.count, rows.width)
    chunks = list(rows)
    if not chunks:
        return Table(layout, build_filter([], layout), build_index([], layout), np.empty((0, rows.width), np.uint8))
    whole = np.concatenate(chunks)
    sizes = np.ascontiguousarray(whole["size"])
    return Table(
        layout,
        build_filter([whole], layout),
        build_index([whole], layout),
        np.ascontiguousarray(whole["key"][:, layout.implied :]),
        np.ascontiguousarray(whole["kind"]),
        sizes if (sizes >= 0).any() else None,
    )
