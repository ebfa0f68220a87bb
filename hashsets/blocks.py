"""Block hashes: parts of known files, found where the whole file is deleted, cut short, overwritten in part or embedded.

A reference file is cut into aligned 4 KiB blocks from its start; the hash of each *probative* block is kept with its file and offset. Not
probative, and dropped when the set is built (after Garfinkel et al. 2010, Foster 2012, Garfinkel and McCarrin 2015, whose sweeps met such
blocks in unrelated files all the time): the first block of a file, which holds its header; blocks of low entropy; blocks in which one
32-bit value makes up a quarter, or half of them rise by a constant step; blocks with an ICC, EXIF or XMP header; blocks that occur
twice in one file, in two reference files, or in a corpus of known harmless files. A last block that is not full is not kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hashsets.errors import Damaged, HashSetError
from hashsets.keys import TAG_BYTES, Keyer
from hashsets.rows import Keys, Rows, SortedRows, Sorter, make_rows
from hashsets.store import Opened, open_parts
from hashsets.table import Table

BLOCK_BYTES = 4096
MIN_ENTROPY = 6.0  # bits a byte; compressed pictures and video lie above 7.8, text and tables below 6
_KNOWN = (1 << 31) - 1  # the file number of blocks of the corpus of known harmless files
_MAX_FILES = _KNOWN - 1
_HEADERS = (b"ICC_PROFILE\0", b"Exif\0\0", b"http://ns.adobe.com/", b"<x:xmpmeta")
_READ = 256 * BLOCK_BYTES


class ReferenceFile(NamedTuple):
    """A file of which blocks are known: name relative to the folder it was read from, size in bytes, full blocks, and how many are kept."""

    name: str
    size: int
    blocks: int
    kept: int


class BlockMatch(NamedTuple):
    """A block of a reference file: the number of the file in ``BlockSet.files``, its name, and the byte offset of the block in it."""

    file: int
    name: str
    offset: int


def digest(block: bytes | memoryview) -> bytes:
    """What stands for a block: the first 128 bits of its SHA-256."""
    return hashlib.sha256(block).digest()[:TAG_BYTES]


def probative(blocks: Keys) -> NDArray[np.bool_]:
    """Which of the (n, 4096) blocks could tell one file from all others."""
    n = len(blocks)
    numbered = blocks.astype(np.int64) + (np.arange(n, dtype=np.int64) << 8)[:, None]
    share = np.bincount(numbered.ravel(), minlength=n << 8).reshape(n, 256) / BLOCK_BYTES
    entropy = -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1)
    words = np.ascontiguousarray(blocks).view("<u4")
    wanted: NDArray[np.bool_] = (entropy >= MIN_ENTROPY) & (_commonest(words) < 256) & (_commonest(np.diff(words, axis=1)) < 512)
    return wanted


def _commonest(values: NDArray[Any]) -> NDArray[np.int64]:
    """How often the commonest value of each row occurs, if it makes up a quarter of the row or more; any less otherwise."""
    ordered = np.sort(values, axis=1)
    commonest = np.zeros(len(values), np.int64)
    # A value that fills a quarter of the sorted row stands at one of its eighths.
    for column in ordered[:, :: values.shape[1] // 8].T:
        commonest = np.maximum(commonest, (ordered == column[:, None]).sum(axis=1))
    return commonest


class BlockCollector:
    """Gathers the blocks of reference files, for ``build``."""

    def __init__(self, sorter: Sorter, kind: int, keyer: Keyer | None) -> None:
        self._sorter = sorter
        self._kind = kind
        self._keyer = keyer
        self._seen: set[bytes] = set()
        self._files: list[tuple[str, int, int]] = []

    def add(self, name: str, stream: BinaryIO, *, known: bool = False) -> tuple[str, bool]:
        """Read one file through: its SHA-256, and False where the same contents were added before. ``known``: of the harmless corpus."""
        whole = hashlib.sha256()
        pending: list[Rows] = []
        size = 0
        file = _KNOWN if known else len(self._files)
        if file > _MAX_FILES and not known:
            raise HashSetError(f"More than {_MAX_FILES} reference files.")
        while data := _read_full(stream, _READ):
            whole.update(data)
            pending.append(self._rows(data, file, size // BLOCK_BYTES))
            size += len(data)
        if whole.digest() in self._seen and not known:
            return whole.hexdigest(), False
        if not known:
            self._seen.add(whole.digest())
            self._files.append((name, size, size // BLOCK_BYTES))
        for rows in pending:
            self._sorter.add(rows)
        return whole.hexdigest(), True

    def _rows(self, data: bytes, file: int, first: int) -> Rows:
        count = len(data) // BLOCK_BYTES
        blocks = np.frombuffer(data, np.uint8, count * BLOCK_BYTES).reshape(count, BLOCK_BYTES)
        wanted = probative(blocks) if count else np.zeros(0, bool)
        if first == 0:
            wanted[:1] = False
        view = memoryview(data)
        digests, numbers = [], []
        for i in np.flatnonzero(wanted).tolist():
            block = view[i * BLOCK_BYTES : (i + 1) * BLOCK_BYTES].tobytes()
            if not any(header in block for header in _HEADERS):
                digests.append(digest(block))
                numbers.append(first + i)
        keys = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, TAG_BYTES)
        if self._keyer:
            keys = self._keyer.tags("block", keys)
        return make_rows(keys, self._kind, (file << 32) + np.array(numbers, np.int64))

    def finish(self) -> tuple[SortedRows, bytes]:
        """The rows of the blocks that are probative (``size`` is file number << 32 | block number), and the files, for the store."""
        # Rows of one block at two places have had their places replaced by SIZES_DIFFER, which is negative.
        rows = self._sorter.finish().only(lambda rows: (rows["size"] >= 0) & (rows["size"] >> 32 != _KNOWN))
        kept = np.zeros(len(self._files) + 1, np.int64)
        for part in rows:
            kept += np.bincount(part["size"] >> 32, minlength=len(kept))
        files = [[*file, count] for file, count in zip(self._files, kept.tolist(), strict=False)]
        return rows, json.dumps(files, ensure_ascii=True).encode()


def _read_full(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    while 0 < len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


@dataclass(slots=True)
class BlockSet:
    """The block hashes of a store. ``count`` blocks of ``files``; ``identity`` is for the report, as ``HashSet.identity``."""

    name: str
    version: str | None
    role: str
    count: int
    files: list[ReferenceFile]
    identity: dict[str, Any]
    _table: Table
    _keyer: Keyer | None

    def match(self, blocks: Sequence[bytes]) -> list[BlockMatch | None]:
        """For each block of exactly 4096 bytes what it is part of, or None. Raises ``ValueError`` for another length, or ``Damaged``."""
        if any(len(block) != BLOCK_BYTES for block in blocks):
            raise ValueError(f"a block has {BLOCK_BYTES} bytes")
        keys = np.frombuffer(b"".join(map(digest, blocks)), np.uint8).reshape(-1, TAG_BYTES)
        if self._keyer:
            keys = self._keyer.tags("block", keys)
        positions = self._table.find(keys)
        hits = np.flatnonzero(positions >= 0)
        answers: list[BlockMatch | None] = [None] * len(blocks)
        places = self._table.sizes_at(positions[hits])
        if len(hits) and places is not None:
            if self._keyer:
                places = places ^ self._keyer.mask(keys[hits])[1]
            for i, place in zip(hits.tolist(), places.tolist(), strict=True):
                file, number = place >> 32, place & 0xFFFFFFFF
                if not 0 <= file < len(self.files):
                    raise Damaged(f"{self.name} names a reference file that it does not have.")
                answers[i] = BlockMatch(file, self.files[file].name, number * BLOCK_BYTES)
        return answers


def open_blocks(path: Path, key: bytes | None = None) -> BlockSet:
    """The block hashes of the store at ``path``.

    Raises ``HashSetError`` where it has none, and as ``open_set`` does.
    """
    parts = open_parts(path, key)
    if "block" not in parts.header["tables"]:
        raise HashSetError(f"{path.name} holds no block hashes: build it from a folder of reference files with the kind 'block'.")
    try:
        table = parts.table("block")
        if table.layout.width != TAG_BYTES or table.sizes is None:
            raise ValueError("block")
        files = _files(parts)
    except (KeyError, TypeError, ValueError, OverflowError, IndexError):
        raise Damaged(f"{path.name} has a malformed header: nothing of it is used.") from None
    header = parts.header
    return BlockSet(header["name"], header["version"], header["role"], table.layout.entries, files, parts.identity(), table, parts.keyer)


def _files(parts: Opened) -> list[ReferenceFile]:
    offset, length = map(int, parts.header["sections"]["files"])
    if offset < 0 or length < 0 or offset + length > parts.blocks.end:
        raise ValueError("files")
    parts.blocks.check_range(offset, length)
    text = parts.data[offset : offset + length]
    listed = json.loads(parts.keyer.unseal(text) if parts.keyer else text)
    return [ReferenceFile(str(name), int(size), int(blocks), int(kept)) for name, size, blocks, kept in listed]
