"""Rows of one algorithm: sorted, freed of duplicates, merged from runs on disk in bounded memory.

A row is the kept bytes of a digest (``key``, most significant byte first), the number of its kind in the ``CodeBook`` and the file
size in bytes, ``NO_SIZE`` where none is given or ``SIZES_DIFFER`` where the set gives several.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hashsets.codes import CodeBook, Kind
from hashsets.entries import ALGORITHMS, DIGEST_BYTES, KEPT_BYTES, Entry

NO_SIZE, SIZES_DIFFER = -1, -2
MAX_SIZE = 2**63 - 1
RUN_ROWS = 1 << 23  # sorting this many takes about 700 MB
_MERGE_ROWS = 1 << 22  # of all runs together, read at a time
_BATCH = 1 << 16

Rows = NDArray[Any]
Keys = NDArray[np.uint8]


def row_type(width: int) -> np.dtype[Any]:
    """One row with a key of ``width`` bytes, packed."""
    return np.dtype([("key", "u1", (width,)), ("kind", "<u2"), ("size", "<i8")])


def make_rows(keys: Keys, kinds: Any, sizes: Any = NO_SIZE) -> Rows:
    """Rows from a (n, width) array of keys; ``kinds`` and ``sizes`` are arrays of n or one value for all."""
    rows = np.empty(len(keys), row_type(keys.shape[1]))
    rows["key"], rows["kind"], rows["size"] = keys, kinds, sizes
    return rows


def leading(keys: Keys, start: int = 0) -> NDArray[np.uint64]:
    """Bytes ``start`` to ``start + 8`` of each key as one number, so that numbers compare as the bytes do; zeros are added at the end."""
    part = keys[:, start : start + 8]
    if part.shape[1] < 8:
        part = np.pad(part, ((0, 0), (0, 8 - part.shape[1])))
    return np.ascontiguousarray(part).view(">u8").ravel().astype(np.uint64)


def sort(rows: Rows) -> Rows:
    """The rows in the order of their keys."""
    head = leading(rows["key"])
    order = np.argsort(head, kind="stable")
    head = head[order]
    tied = np.zeros(len(head), bool)
    tied[1:] = head[1:] == head[:-1]
    tied[:-1] |= tied[1:]
    where = np.flatnonzero(tied)
    if len(where):
        subset = order[where]
        words = [leading(rows["key"][subset], at) for at in range(0, rows["key"].shape[1], 8)]
        order[where] = subset[np.lexsort(words[::-1])]
    return rows[order]


def unite(rows: Rows, book: CodeBook) -> tuple[Rows, int]:
    """Sorted rows with each key once, and how many rows fell away. Kinds of one key are united, sizes that differ become ``SIZES_DIFFER``."""
    if len(rows) < 2:
        return rows, 0
    repeated = np.zeros(len(rows), bool)
    repeated[1:] = (rows["key"][1:] == rows["key"][:-1]).all(axis=1)
    extra = int(repeated.sum())
    if not extra:
        return rows, 0
    owner = np.flatnonzero(~repeated)[np.cumsum(~repeated) - 1]
    differs = repeated & ((rows["kind"] != rows["kind"][owner]) | (rows["size"] != rows["size"][owner]))
    for at in np.flatnonzero(differs).tolist():
        first = int(owner[at])
        if rows["kind"][at] != rows["kind"][first]:
            rows["kind"][first] = book.union(int(rows["kind"][first]), int(rows["kind"][at]))
        rows["size"][first] = _one_size(int(rows["size"][first]), int(rows["size"][at]))
    return rows[~repeated], extra


def _one_size(a: int, b: int) -> int:
    if a == b or b == NO_SIZE:
        return a
    return b if a == NO_SIZE else SIZES_DIFFER


def batches(entries: Iterable[Entry], book: CodeBook) -> Iterator[tuple[str, Rows]]:
    """(algorithm, rows) for the digests of ``entries``, in batches of bounded size."""
    pending: dict[str, tuple[bytearray, list[int], list[int]]] = {name: (bytearray(), [], []) for name in ALGORITHMS}
    seen: dict[tuple[str | None, bool, bool, bool], int] = {}
    waiting = 0
    for md5, sha1, sha256, size, code in entries:
        signature = (code, md5 is not None, sha1 is not None, sha256 is not None)
        kind = seen.get(signature)
        if kind is None:
            listed = tuple(name for name, there in zip(ALGORITHMS, signature[1:], strict=True) if there)
            kind = seen[signature] = book.number(Kind(() if code is None else (code,), listed))
        for name, digest in (("md5", md5), ("sha1", sha1), ("sha256", sha256)):
            if digest is not None:
                keys, kinds, sizes = pending[name]
                keys += digest[: KEPT_BYTES[name]]
                kinds.append(kind)
                sizes.append(NO_SIZE if size is None else size)
                waiting += 1
        if waiting >= _BATCH:
            yield from _flush(pending)
            waiting = 0
    yield from _flush(pending)


def _flush(pending: dict[str, tuple[bytearray, list[int], list[int]]]) -> Iterator[tuple[str, Rows]]:
    for name, (keys, kinds, sizes) in pending.items():
        if kinds:
            yield name, make_rows(np.frombuffer(bytes(keys), np.uint8).reshape(-1, KEPT_BYTES[name]), kinds, sizes)
            keys.clear()
            kinds.clear()
            sizes.clear()


def keys_of(algorithm: str, digests: Iterable[bytes]) -> Keys:
    """The kept bytes of whole digests, as a (n, width) array. Raises ``ValueError`` for a digest of another length."""
    listed = list(digests)
    whole = DIGEST_BYTES[algorithm]
    joined = b"".join(listed)
    if listed and set(map(len, listed)) != {whole}:
        raise ValueError(f"a {algorithm} digest has {whole} bytes")
    return np.frombuffer(joined, np.uint8).reshape(-1, whole)[:, : KEPT_BYTES[algorithm]]


class Sorter:
    """Takes rows in any order and any number, gives them back sorted and united; what does not fit in memory waits in ``folder``."""

    def __init__(self, width: int, book: CodeBook, folder: Path, run_rows: int = RUN_ROWS) -> None:
        self._type = row_type(width)
        self._book = book
        self._folder = folder
        self._run_rows = run_rows
        self._pending: list[Rows] = []
        self._count = 0
        self._runs: list[Path] = []
        self.duplicates = 0

    def add(self, rows: Rows) -> None:
        if len(rows):
            self._pending.append(rows)
            self._count += len(rows)
        if self._count >= self._run_rows:
            self._spill()

    def _sorted_pending(self) -> Rows:
        rows = np.concatenate(self._pending) if self._pending else np.empty(0, self._type)
        self._pending, self._count = [], 0
        rows, extra = unite(sort(rows), self._book)
        self.duplicates += extra
        return rows

    def _spill(self) -> None:
        self._runs.append(_write(self._folder, [self._sorted_pending()]))

    def finish(self) -> SortedRows:
        """All rows, sorted and united. The sorter is empty afterwards."""
        if not self._runs:
            return SortedRows(self._sorted_pending(), self._type)
        if self._count:
            self._spill()
        merged = _write(self._folder, self._merge())
        for run in self._runs:
            run.unlink()
        self._runs = []
        return SortedRows(merged, self._type)

    def _merge(self) -> Iterator[Rows]:
        each = max(1, _MERGE_ROWS // len(self._runs))
        readers = [_chunks(run, self._type, each) for run in self._runs]
        heads: list[Rows] = [next(reader) for reader in readers]
        while heads:
            # Rows above the smallest last key may still have equals unread in another run; each turn uses up one chunk at least.
            limit = min(head["key"][-1].tobytes() for head in heads)
            taken: list[Rows] = []
            for i in range(len(heads)):
                cut = _count_up_to(heads[i]["key"], limit)
                taken.append(heads[i][:cut])
                heads[i] = heads[i][cut:]
            for i in reversed(range(len(heads))):
                if not len(heads[i]):
                    refill = next(readers[i], None)
                    if refill is None:
                        del heads[i], readers[i]
                    else:
                        heads[i] = refill
            rows, extra = unite(sort(np.concatenate(taken)), self._book)
            self.duplicates += extra
            yield rows


def _count_up_to(keys: Keys, limit: bytes) -> int:
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle].tobytes() <= limit:
            low = middle + 1
        else:
            high = middle
    return low


def _chunks(path: Path, kind: np.dtype[Any], count: int) -> Iterator[Rows]:
    with path.open("rb") as stream:
        while len(rows := np.fromfile(stream, kind, count)):
            yield rows


def _write(folder: Path, chunks: Iterable[Rows]) -> Path:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".rows", delete=False) as out:
        for rows in chunks:
            rows.tofile(out)
        return Path(out.name)


class SortedRows:
    """Sorted rows with distinct keys, in memory or in a file, to be gone through more than once."""

    def __init__(self, where: Rows | Path, kind: np.dtype[Any]) -> None:
        self._where = where
        self._type = kind
        self.count = where.stat().st_size // kind.itemsize if isinstance(where, Path) else len(where)
        self.width: int = kind["key"].shape[0]

    def __iter__(self) -> Iterator[Rows]:
        if isinstance(self._where, Path):
            return _chunks(self._where, self._type, 1 << 20)
        return iter([self._where] if len(self._where) else [])

    def only(self, wanted: Callable[[Rows], NDArray[np.bool_]]) -> SortedRows:
        """The rows for which ``wanted`` is True, instead of these."""
        chosen = (part[wanted(part)] for part in self)
        if not isinstance(self._where, Path):
            return SortedRows(np.concatenate([np.empty(0, self._type), *chosen]), self._type)
        where = _write(self._where.parent, chosen)
        self._where.unlink()
        return SortedRows(where, self._type)
