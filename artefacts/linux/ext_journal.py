"""The journal of an ext3 or ext4 file system (jbd2): names of files that were renamed or deleted lately, after they are gone.

The journal holds copies of the file system's own blocks, those of directories among them, as they were after each transaction. Two copies of
one directory block tell which names went and which came; the commit block after them tells when (seconds and nanoseconds since 1970, UTC).
Since Linux 5.13 a deleted name is wiped from its directory, so that this is where it may still be found.

Not a file that a listing shows: the scan reads it as inode 8 of the file system.

Source: docs.kernel.org/filesystems/ext4/journal.html and dirent.html ("Journal (jbd2)", "Linear (Classic) Directories").
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import DeletedFile, FileSeen, Observation
from artefacts.registry import EvidenceFile
from artefacts.times import NOT_RECORDED, NS, Time, Timestamp

_MAGIC = b"\xc0\x3b\x39\x98"
_DESCRIPTOR, _COMMIT, _SUPERBLOCK_1, _SUPERBLOCK_2 = 1, 2, 3, 4
_BIT64, _CSUM_V2, _CSUM_V3 = 0x2, 0x8, 0x10
_ESCAPED, _SAME_UUID, _LAST = 1, 2, 8
MOST_BYTES = 256 << 20
_MOST_BLOCKS = 100_000
_MOST_RECORDS = 200_000
_KINDS = {1: "file", 2: "directory", 7: "link"}


class _Name(NamedTuple):
    name: bytes
    kind: str


@dataclass(slots=True)
class _Transaction:
    """Directory blocks written by one transaction: block of the file system → names by inode, and the directory's own inode where it tells."""

    sequence: int
    time: Time = NOT_RECORDED
    blocks: dict[int, tuple[int | None, Mapping[int, frozenset[_Name]]]] = field(default_factory=dict)


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each renaming (``path`` the old name, ``detail`` the new), ``DeletedFile`` for each name that went.

    ``locator``: the transaction, the inode of the file and of its folder (0: not known). Names are without their folder.
    """
    with file.open() as stream:
        transactions = sorted(_transactions(stream), key=lambda item: item.sequence)
    if not transactions:
        raise Unrecognised("no transaction in it")
    before: dict[int, Mapping[int, frozenset[_Name]]] = {}
    folders: dict[int, int] = {}
    count = 0
    for transaction in transactions:
        gone: dict[int, list[tuple[_Name, int]]] = {}
        come: dict[int, list[_Name]] = {}
        for block, (folder, names) in sorted(transaction.blocks.items()):
            if folder is not None:
                folders[block] = folder
            old = before.get(block)
            if old is not None:
                for inode in old.keys() | names.keys():
                    was, now = old.get(inode, frozenset()), names.get(inode, frozenset())
                    gone.setdefault(inode, []).extend((name, folders.get(block, 0)) for name in sorted(was - now))
                    come.setdefault(inode, []).extend(sorted(now - was))
            before[block] = names
        for inode, went in sorted(gone.items()):
            for position, (name, folder) in enumerate(went):
                count += 1
                if count > _MOST_RECORDS:
                    yield Problem(f"more than {_MOST_RECORDS} changes of names: the rest is not told", Status.FAILED)
                    return
                arrived = come.get(inode, [])
                locator = f"usn={transaction.sequence} file={inode} folder={folder}"
                if position < len(arrived):
                    yield FileSeen(
                        path=_text(name), used=transaction.time, kind=name.kind, how="journal of the file system: renamed",
                        detail=f"renamed to {_text(arrived[position])}", locator=locator, allocated=False, recovered=True,
                    )  # fmt: skip
                else:
                    yield DeletedFile(
                        path=_text(name), deleted=transaction.time, kind=name.kind, content="none", how="journal of the file system",
                        locator=locator, recovered=True,
                    )  # fmt: skip


def _text(name: _Name) -> str:
    return name.name.decode("utf-8", "backslashreplace")


def _transactions(stream: BinaryIO) -> Iterator[_Transaction]:
    head = stream.read(1024)
    if head[:4] != _MAGIC or len(head) < 1024 or struct.unpack_from(">I", head, 4)[0] not in (_SUPERBLOCK_1, _SUPERBLOCK_2):
        raise Unrecognised("not a journal of this kind")
    size, blocks = struct.unpack_from(">II", head, 12)
    features = struct.unpack_from(">I", head, 40)[0] if head[7] == _SUPERBLOCK_2 else 0
    if size not in (1024, 2048, 4096, 8192, 16384, 32768, 65536):
        raise Unrecognised("a journal whose size of blocks is not credible")
    tag_size = _tag_size(features)
    waiting: list[int] = []
    current: _Transaction | None = None
    held = 0
    number = 1
    while number < min(blocks, MOST_BYTES // size):
        stream.seek(number * size)
        block = stream.read(size)
        if len(block) < size:
            return
        if waiting:
            # A block of data comes first to its turn, whatever it looks like: one that begins with the magic is stored without it.
            place = waiting.pop(0)
            if current is not None and held < _MOST_BLOCKS and (found := _directory(block)) is not None:
                held += 1
                current.blocks[place] = found
        elif block[:4] == _MAGIC:
            kind, sequence = struct.unpack_from(">II", block, 4)
            if kind == _DESCRIPTOR:
                if current is None or current.sequence != sequence:
                    current = _Transaction(sequence)
                waiting = list(_tags(block, tag_size, features))
            elif kind == _COMMIT and current is not None and current.sequence == sequence:
                seconds, nanoseconds = struct.unpack_from(">QI", block, 48)
                if 0 < seconds < 1 << 33 and nanoseconds < NS:
                    current.time = Timestamp(seconds * NS + nanoseconds)
                if current.blocks:
                    yield current
                current = None
        number += 1


def _tag_size(features: int) -> int:
    if features & _CSUM_V3:
        return 16
    return 8 + (2 if features & _CSUM_V2 else 0) + (4 if features & _BIT64 else 0)


def _tags(block: bytes, size: int, features: int) -> Iterator[int]:
    """The file system's blocks whose copies follow a descriptor block."""
    at = 12
    while at + size <= len(block):
        number = int.from_bytes(block[at : at + 4], "big")
        if features & _CSUM_V3:
            flags = int.from_bytes(block[at + 4 : at + 8], "big")
            high = int.from_bytes(block[at + 8 : at + 12], "big") if features & _BIT64 else 0
        else:
            flags = int.from_bytes(block[at + 6 : at + 8], "big")
            high = int.from_bytes(block[at + 8 : at + 12], "big") if features & _BIT64 else 0
        yield high << 32 | number
        if flags & _LAST:
            return
        at += size + (0 if flags & _SAME_UUID else 16)


def _directory(block: bytes) -> tuple[int | None, dict[int, frozenset[_Name]]] | None:
    """The names in a block of a directory, by inode, and the directory's own inode where the block is its first; None for any other block."""
    at, folder = 0, None
    names: dict[int, set[_Name]] = {}
    entries = 0
    while at < len(block):
        if at + 8 > len(block):
            return None
        inode, length, name_length, kind = struct.unpack_from("<IHBB", block, at)
        checksum = (inode, length, name_length, kind) == (0, 12, 0, 0xDE)
        if length < 8 or length % 4 or at + length > len(block) or name_length + 8 > length or (kind > 7 and not checksum):
            return None
        name = block[at + 8 : at + 8 + name_length]
        if inode and name_length:
            if b"/" in name or b"\0" in name:
                return None
            entries += 1
            if name == b".":
                folder = inode
            elif name != b"..":
                names.setdefault(inode, set()).add(_Name(name, _KINDS.get(kind, "other")))
        elif inode:
            return None
        at += length
    if not entries and not block.endswith(b"\x0c\x00\x00\xde" + block[-4:]):
        return None
    return folder, {inode: frozenset(found) for inode, found in names.items()}
