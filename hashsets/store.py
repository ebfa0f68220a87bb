"""The store: one file that is mapped into memory and answers without being read through.

Layout (integers little-endian)::

    0      magic "FTHSET1\\n", u64 offset and u64 length of the header, 32 bytes SHA-256 of the header; zeros up to 4096
    4096   sections, each on an 8-byte boundary: for each table its filter, index, records, kinds and sizes (see ``table``)
           digests: the SHA-256 of each 64 KiB of the sections, in order
    end    the header: UTF-8 JSON with the set's name, version, role, sources, kinds, categories, key parameters, tables and sections

The header's SHA-256 fixes every byte of the file: it is the set's identity in a report. What is checked, and when: on opening, that the
file has exactly the length it says, the header, the digests and every index; the rest too where it has at most 64 MiB. Of larger
stores every 64 KiB is checked once, before anything in it is first used, so that no answer ever rests on an unchecked byte, and a
store of a gigabyte on a slow stick still opens at once. ``check_all`` checks everything.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hashsets.codes import CategoryTable, CodeBook
from hashsets.entries import ALGORITHMS, KEPT_BYTES, ROLES, ListProblem, Problems
from hashsets.errors import Damaged, HashSetError, KeyNeeded
from hashsets.hash_set import TableSet
from hashsets.keys import TAG_BYTES, Keyer
from hashsets.rows import Rows, SortedRows
from hashsets.table import Layout, Table, build_filter, build_index

MAGIC = b"FTHSET1\n"
BLOCK = 1 << 16
DATA_AT = 4096
CHECKED_ON_OPENING = 1 << 26
_PREAMBLE = struct.Struct("<8sQQ32s")
_MAX_HEADER = 1 << 26
_LET_GO_AFTER = 1 << 28  # bytes of the file that may be resident before the system is told to forget them
SIZE_TYPE = np.dtype("<i8")


class _Writer:
    """Writes sections and digests each 64 KiB of them on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._block = hashlib.sha256()
        self._filled = 0
        self.digests = bytearray()
        self.sections: dict[str, tuple[int, int]] = {}
        stream.write(bytes(DATA_AT))

    def _write(self, data: memoryview) -> None:
        self._stream.write(data)
        while len(data):
            part = data[: BLOCK - self._filled]
            self._block.update(part)
            self._filled += len(part)
            data = data[len(part) :]
            if self._filled == BLOCK:
                self._end_block()

    def _end_block(self) -> None:
        self.digests += self._block.digest()
        self._block, self._filled = hashlib.sha256(), 0

    def section(self, name: str, parts: Iterator[NDArray[Any]]) -> None:
        start = self._stream.tell()
        for part in parts:
            self._write(np.ascontiguousarray(part).view(np.uint8).reshape(-1).data)
        end = self._stream.tell()
        self.sections[name] = (start, end - start)
        self._write(memoryview(bytes(-end % 8)))

    def end(self) -> tuple[int, int, str]:
        """Write the digests; their offset, length and SHA-256."""
        if self._filled:
            self._end_block()
        start = self._stream.tell()
        self._stream.write(self.digests)
        return start, len(self.digests), hashlib.sha256(self.digests).hexdigest()


@dataclass(frozen=True, slots=True)
class Content:
    """What a store is made of. ``facts`` goes into the header as it is; ``files`` are the reference files of a block table.

    ``pictures``: how many perceptual hashes there are by algorithm; ``picture_sections``: their sections (see pictures/store.py).
    """

    facts: Mapping[str, Any]
    tables: Mapping[str, SortedRows]
    book: CodeBook
    keyer: Keyer | None = None
    key_parameters: Mapping[str, Any] | None = None
    files: bytes = b""
    pictures: Mapping[str, int] = field(default_factory=dict)
    picture_sections: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def write_store(out: Path, content: Content) -> None:
    """Write the store to ``out``, whole or not at all. Raises ``OSError``."""
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("wb") as stream:
            writer = _Writer(stream)
            tables = {name: _write_table(writer, name, rows, content) for name, rows in content.tables.items()}
            if content.files:
                files = content.keyer.seal(content.files) if content.keyer else content.files
                writer.section("files", iter([np.frombuffer(files, np.uint8)]))
            for name, values in content.picture_sections.items():
                writer.section(name, iter([np.frombuffer(content.keyer.seal(values.tobytes()), np.uint8) if content.keyer else values]))
            offset, length, digest = writer.end()
            header = {
                **content.facts,
                "format": 1,
                "kinds": content.book.to_json(),
                "key": content.key_parameters,
                "tables": tables,
                **({"pictures": dict(content.pictures)} if content.pictures else {}),
                "sections": writer.sections,
                "digests": [offset, length, digest],
            }
            text = json.dumps(header, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
            at = stream.tell()
            stream.write(text)
            stream.seek(0)
            stream.write(_PREAMBLE.pack(MAGIC, at, len(text), hashlib.sha256(text).digest()))
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _write_table(writer: _Writer, name: str, rows: SortedRows, content: Content) -> dict[str, Any]:
    layout = Layout.of(rows.count, rows.width)
    kinds_used: set[int] = set()
    any_size = False
    for part in rows:
        kinds_used.update(np.unique(part["kind"]).tolist())
        any_size = any_size or bool((part["size"] != -1).any())
    writer.section(f"{name}.filter", iter([build_filter(rows, layout)]))
    writer.section(f"{name}.index", iter([build_index(rows, layout)]))
    writer.section(f"{name}.records", (part["key"][:, layout.implied :] for part in rows))
    kind_bytes = 0
    if len(kinds_used) > 1:
        kind_type = np.dtype("u1" if max(kinds_used) < 256 else "<u2")
        kind_bytes = kind_type.itemsize
        writer.section(f"{name}.kinds", (_masked(part, "kind", content.keyer).astype(kind_type) for part in rows))
    if any_size:
        writer.section(f"{name}.sizes", (_masked(part, "size", content.keyer) for part in rows))
    return {"layout": list(layout), "kind_bytes": kind_bytes, "only_kind": min(kinds_used, default=0), "sizes": any_size}


def _masked(rows: Rows, column: str, keyer: Keyer | None) -> NDArray[Any]:
    if keyer is None:
        return rows[column]
    kind_mask, size_mask = keyer.mask(rows["key"])
    masked: NDArray[Any] = rows[column] ^ (kind_mask if column == "kind" else size_mask)
    return masked


@dataclass(slots=True)
class _Blocks:
    """Checks blocks of a mapped store against their digests, each once."""

    name: str
    data: mmap.mmap
    end: int  # of the sections
    digests: bytes
    checked: NDArray[np.bool_]
    resident: int = 0

    def check(self, blocks: NDArray[np.int64]) -> None:
        view = memoryview(self.data)
        for block in blocks.tolist():
            start = DATA_AT + block * BLOCK
            found = hashlib.sha256(view[start : min(start + BLOCK, self.end)]).digest()
            if found != self.digests[block * 32 : block * 32 + 32]:
                raise Damaged(f"{self.name} is damaged at bytes {start} to {min(start + BLOCK, self.end)}: it differs from what was built.")
            self.checked[block] = True

    def check_all(self) -> None:
        for start in range(0, len(self.checked), 1024):
            self.check(start + np.flatnonzero(~self.checked[start : start + 1024]))
            self.resident += 1024 * BLOCK
            self.let_go()

    def check_range(self, start: int, length: int) -> None:
        blocks = np.arange((start - DATA_AT) // BLOCK, (start + max(length, 1) - 1 - DATA_AT) // BLOCK + 1)
        self.check(blocks[~self.checked[blocks]])

    def let_go(self) -> None:
        """Pages used stay resident until the system is short of memory; on a small machine it had better not come to that."""
        if self.resident > _LET_GO_AFTER and hasattr(mmap, "MADV_DONTNEED"):
            self.data.madvise(mmap.MADV_DONTNEED)
            self.resident = 0


@dataclass(frozen=True, slots=True)
class _TableGuard:
    blocks: _Blocks
    offsets: Mapping[str, int]

    def vouch(self, section: str, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        base = self.offsets[section] - DATA_AT
        a, b = (first + base) // BLOCK, (last + base) // BLOCK
        checked = self.blocks.checked
        todo = {*a[~checked[a]].tolist(), *b[~checked[b]].tolist()}
        for i in np.flatnonzero(b - a > 1).tolist():
            inner = np.arange(a[i], b[i])
            todo.update(inner[~checked[inner]].tolist())
        self.blocks.check(np.array(sorted(todo), np.int64))
        self.blocks.resident += (1 + int(np.count_nonzero(a[1:] != a[:-1]))) * BLOCK

    def done(self) -> None:
        self.blocks.let_go()


@dataclass(slots=True, kw_only=True)
class StoredSet(TableSet):
    """A set in a store. ``path`` is the file, ``bytes_on_disk`` its length."""

    path: Path
    bytes_on_disk: int
    blocks: _Blocks
    _map: mmap.mmap = field(repr=False)

    def check_all(self) -> None:
        """Read the whole store and compare it with its digests. Raises ``Damaged``."""
        self.blocks.check_all()

    def close(self) -> None:
        self.tables = {}
        try:
            self._map.close()
        except BufferError:
            pass  # an array of the caller's still shows a part of it; it goes with the last one


@dataclass(slots=True)
class Opened:
    """A store's parts, checked: what ``open_store`` and ``blocks.open_blocks`` build on."""

    path: Path
    header: dict[str, Any]
    digest: str
    size: int
    data: mmap.mmap
    blocks: _Blocks
    keyer: Keyer | None

    def table(self, name: str) -> Table:
        facts, sections = self.header["tables"][name], self.header["sections"]
        layout = Layout(*map(int, facts["layout"]))
        sane = (
            layout.width in (16, 20)
            and 0 <= layout.implied <= 4
            and 8 * layout.implied <= layout.index_bits <= 40
            and layout.filter_words > 0
        )
        if not sane or not 0 <= layout.entries < 1 << 40:
            raise ValueError("layout")

        def section(part: str, kind: np.dtype[Any], count: int) -> NDArray[Any]:
            offset, length = map(int, sections[f"{name}.{part}"])
            if length != count * kind.itemsize or offset < DATA_AT or offset % 8 or offset + length > self.blocks.end:
                raise ValueError(part)
            return np.frombuffer(self.data, kind, count, offset)

        index_offset, index_length = map(int, sections[f"{name}.index"])
        index = section("index", layout.index_type, (1 << layout.index_bits) + 1)
        self.blocks.check_range(index_offset, index_length)
        if index[0] != 0 or index[-1] != layout.entries or (index[1:] < index[:-1]).any():
            raise ValueError("index")
        kind_bytes = int(facts["kind_bytes"])
        return Table(
            layout,
            section("filter", np.dtype("<u8"), layout.filter_words),
            index,
            section("records", np.dtype("u1"), layout.entries * layout.record_bytes).reshape(layout.entries, layout.record_bytes),
            section("kinds", np.dtype(f"<u{kind_bytes}"), layout.entries) if kind_bytes in (1, 2) else None,
            section("sizes", SIZE_TYPE, layout.entries) if facts["sizes"] else None,
            int(facts["only_kind"]),
            _TableGuard(self.blocks, {key.partition(".")[2]: int(at) for key, (at, _) in sections.items() if key.startswith(name + ".")}),
        )

    def identity(self) -> dict[str, Any]:
        header = self.header
        return {
            "name": header["name"],
            "version": header["version"],
            "role": header["role"],
            "count": header["count"],
            "algorithms": [name for name in ALGORITHMS if name in header["tables"]],
            "sha256": self.digest,
            "sha256_of": "the header of the store, which holds a digest of every part of it",
            "file": self.path.name,
            "format": "hash set store 1",
            "keyed": self.keyer is not None,
            "sources": header["sources"],
            "built": header["built"],
            "categories": header["categories"],
            **({"pictures": header["pictures"]} if header.get("pictures") else {}),
        }


def open_parts(path: Path, key: bytes | None, *, need_key: bool = True) -> Opened:
    """Open a store and check what is checked on opening. Raises ``Damaged``, ``KeyNeeded``, ``WrongKey``, ``OSError``.

    Without ``need_key`` a keyed store opens without its key: its header can be read, its entries cannot.
    """
    cut = Damaged(f"{path.name} is cut short or damaged: nothing of it is used.")
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        preamble = stream.read(_PREAMBLE.size)
        if len(preamble) < _PREAMBLE.size:
            raise cut
        magic, at, length, digest = _PREAMBLE.unpack(preamble)
        if magic != MAGIC or at + length != size or not at >= DATA_AT or length > _MAX_HEADER:
            raise cut
        padding = stream.read(DATA_AT - _PREAMBLE.size)
        stream.seek(at)
        text = stream.read(length)
        if padding.strip(b"\0") or hashlib.sha256(text).digest() != digest:
            raise cut
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        header = _header(text)
        start, length, wanted = header["digests"]
        digests = data[start : start + length]
        count = -(-(start - DATA_AT) // BLOCK)
        if start + length != at or length != count * 32 or hashlib.sha256(digests).hexdigest() != wanted:
            raise cut
        blocks = _Blocks(path.name, data, start, digests, np.zeros(count, bool))
        if start <= CHECKED_ON_OPENING:
            blocks.check_all()
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise cut from None
    parameters = header["key"]
    if parameters is not None and key is None and need_key:
        raise KeyNeeded(f"{path.name} is keyed: give its key file or passphrase.")
    keyer = Keyer(key, parameters) if parameters is not None and key is not None else None
    return Opened(path, header, digest.hex(), size, data, blocks, keyer)


def _header(text: bytes) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(text)
    if header["format"] != 1:
        raise HashSetError("The store was built by a later version of this program.")
    if header["role"] not in ROLES or not isinstance(header["name"], str) or not isinstance(header["version"], str | None):
        raise ValueError("header")
    for name, kind in (("count", int), ("sources", list), ("tables", dict), ("sections", dict), ("problems", dict)):
        if not isinstance(header[name], kind):
            raise ValueError(name)
    for name in ("key", "built", "categories", "digests"):
        header[name]
    return header


def open_store(path: Path, key: bytes | None) -> StoredSet:
    """The exact hashes of a store: none, and no algorithm, where it holds only perceptual ones.

    Raises as ``open_parts`` does, and ``HashSetError`` for a store of block hashes only.
    """
    parts = open_parts(path, key)
    header = parts.header
    try:
        names = [name for name in ALGORITHMS if name in header["tables"]]
        tables = {name: parts.table(name) for name in names}
        if any(table.layout.width != (TAG_BYTES if parts.keyer else KEPT_BYTES[name]) for name, table in tables.items()):
            raise ValueError("width")
        kinds, categories = CodeBook.from_json(header["kinds"]), CategoryTable.from_json(header["categories"])
        kept = [ListProblem(int(line), str(reason)) for line, reason in header["problems"]["kept"]]
        total = int(header["problems"]["total"])
    except (KeyError, TypeError, ValueError, OverflowError, IndexError):
        raise Damaged(f"{path.name} has a malformed header: nothing of it is used.") from None
    if not tables and not header.get("pictures"):
        raise HashSetError(f"{path.name} holds block hashes only: it is for a sweep.")
    problems = Problems()
    problems.kept, problems.total = kept, total
    return StoredSet(
        name=header["name"],
        version=header["version"],
        role=header["role"],
        count=header["count"],
        algorithms=frozenset(tables),
        identity=parts.identity(),
        problems=problems,
        tables=tables,
        kinds=kinds,
        categories=categories,
        keyer=parts.keyer,
        path=path,
        bytes_on_disk=parts.size,
        blocks=parts.blocks,
        _map=parts.data,
    )


def is_store(path: Path) -> bool:
    """True where the file starts as a store does. Raises ``OSError``."""
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def describe(path: Path, *, check: bool = False) -> dict[str, Any]:
    """What a store says of itself, without its key: its identity, bytes, hashes by table, bytes a hash, problems of its sources.

    With ``check`` every part is compared with its digest and ``file_sha256``, of the whole file, is added. Raises as ``open_parts`` does.
    """
    parts = open_parts(path, None, need_key=False)
    try:
        hashes = {name: int(table["layout"][0]) for name, table in parts.header["tables"].items()} | parts.header.get("pictures", {})
        facts = {
            **parts.identity(),
            "keyed": parts.header["key"] is not None,
            "hashes": hashes,
            "bytes": parts.size,
            "problems": parts.header["problems"]["total"],
        }
    except (KeyError, TypeError, ValueError, IndexError):
        raise Damaged(f"{path.name} has a malformed header: nothing of it is used.") from None
    if check:
        parts.blocks.check_all()
        with path.open("rb") as stream:
            facts["file_sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
    return facts
