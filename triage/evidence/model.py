"""What every source of evidence looks like to the rest of the program: bytes, volumes, file systems, entries.

Layers, each knowing only the one below: a *byte source* (an image container or a device, opened read-only), a *volume* inside it
(a partition, a logical volume, an unlocked encrypted volume, or the whole source), a *file system* on a volume, its *entries*.
A folder is a source whose one volume has a file system and no bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple, Protocol

from artefacts.coverage import Problem, Status


class ReadError(NamedTuple):
    """A range that could not be read; it was delivered as zeros."""

    offset: int
    length: int
    reason: str


class ByteSource(Protocol):
    """Random access to bytes, read-only."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    @property
    def errors(self) -> list[ReadError]:
        """Every range that could not be read so far, in the order met."""

    def read_at(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``, fewer only at the end. Unreadable parts are zeros and are noted in ``errors``."""

    def close(self) -> None:
        """Let go of files and native handles. Safe to call twice."""


class Run(NamedTuple):
    """A stretch of a file's content: ``offset`` in bytes inside the volume (-1: sparse, all zeros), ``length`` in bytes."""

    offset: int
    length: int


@dataclass(slots=True)
class Entry:
    """A file, directory, link, alternate stream or deleted remnant.

    ``path`` starts with ``/``; a stream is ``/file:stream``. Times are nanoseconds since the Unix epoch, or None where the file
    system has none. On FAT and exFAT without a recorded offset, ``local_times`` is True and they are wall-clock readings counted as
    if they were UTC: they must be printed as local, never as instants.
    ``address`` is the file system's own identity of the content (``41-128-1``: TSK's inode-type-id; the relative path for a folder).
    ``content``: for deleted entries what the bytes may be relied on for: ``recoverable`` (all its space is still free), ``guess``
    (an assumption such as contiguous clusters was needed), ``overwritten`` (some of its space is in use by others), ``none``; for
    allocated ones ``present``.
    ``runs`` is None where the file system does not give them cheaply; ``first_offset`` is the byte of the *volume* at which the
    content starts (-1 unknown or resident), used to read in disk order.
    """

    path: str
    kind: str  # file, directory, link, stream, other
    size: int
    address: str
    allocated: bool = True
    orphan: bool = False
    modified: int | None = None
    accessed: int | None = None
    changed: int | None = None
    created: int | None = None
    local_times: bool = False
    content: str = "present"
    first_offset: int = -1
    runs: Sequence[Run] | None = None
    flags: tuple[str, ...] = ()  # compressed, encrypted, sparse, resident, reused
    link_target: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def to_wire(self) -> list[Any]:
        """The entry as JSON values, to cross a process boundary."""
        runs = None if self.runs is None else [list(run) for run in self.runs]
        return [
            self.path, self.kind, self.size, self.address, self.allocated, self.orphan, self.modified, self.accessed,
            self.changed, self.created, self.local_times, self.content, self.first_offset, runs, list(self.flags), self.link_target,
        ]  # fmt: skip

    @classmethod
    def from_wire(cls, values: list[Any]) -> Entry:
        """The inverse of ``to_wire``."""
        entry = cls(*values)
        entry.flags = tuple(entry.flags)
        if entry.runs is not None:
            entry.runs = [Run(*run) for run in entry.runs]
        return entry


class Filesystem(Protocol):
    """A file system on a volume, or a folder."""

    @property
    def type(self) -> str:
        """``ntfs``, ``fat12``, ``fat16``, ``fat32``, ``exfat``, ``ext2``…, ``hfs+``, ``apfs``, ``iso9660``, ``xfs``, ``folder``, …"""

    @property
    def label(self) -> str | None:
        """The volume's name, where it has one."""

    @property
    def run_bytes(self) -> ByteSource | None:
        """The bytes in which an entry's ``runs`` lie, where content without flags may be read from them directly; else None."""

    @property
    def problems(self) -> list[Problem]:
        """What could not be read so far: damaged directories, loops, records given to a fallback. Becomes coverage."""

    def entries(self) -> Iterator[list[Entry]]:
        """Every entry, allocated and deleted, streams included, in lists of a few hundred to a few thousand. Each entry once.
        Never raises for damage: it says so in ``problems`` and goes on."""

    def open(self, entry: Entry) -> BinaryIO:
        """Content as a seekable stream whose ``read_errors`` attribute (list[ReadError]) tells what was unreadable and read as zeros."""

    def lookup(self, path: str) -> Entry | None:
        """The allocated entry at ``path`` (by the file system's own rule on case), or None."""

    def children(self, path: str) -> list[Entry]:
        """The allocated entries directly in the directory ``path``, in name order; empty if it is not one."""

    def close(self) -> None:
        """Let go of native handles. Safe to call twice."""


@dataclass(slots=True)
class Volume:
    """A volume found on a source. ``status`` other than PARSED says why it has no file system to walk, in ``reason``."""

    id: str  # "v1", "v1.2" for a volume inside v1, "v1.d1.v1" on a virtual disk that is a file on v1: stable for the same source
    offset: int  # bytes from the start of the source or of the virtual disk; 0 for volumes that are not a plain range
    length: int
    scheme: str  # mbr, gpt, apm, bsd, none, lvm, apfs container, bitlocker, luks, fvde, vss, folder
    description: str = ""  # partition type in words
    filesystem: str | None = None
    label: str | None = None
    encrypted: str | None = None  # None, or the kind: bitlocker, luks, filevault, apfs, possible container
    unlocked: bool = False
    status: Status = Status.PARSED
    reason: str = ""
    problems: list[Problem] = field(default_factory=list)


def volume_order(volume_id: str) -> list[str | int]:
    """What volumes are sorted by: their ids, numbers by value, each before those that lie in it."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", volume_id)]


class Source(Protocol):
    """Something to examine. Opening reads only what is needed to know what it is."""

    @property
    def kind(self) -> str:
        """``folder``, ``live``, ``device``, ``raw``, ``split raw``, ``ewf``, ``vhd``, ``vhdx``, ``vmdk``, ``qcow``, ``udif``."""

    @property
    def path(self) -> str:
        """As named by the user, made absolute."""

    @property
    def size(self) -> int | None:
        """Bytes of the media inside the container; None for a folder."""

    @property
    def files(self) -> Sequence[str]:
        """The files on our side that make up the source (segments, extents); empty for a folder."""

    @property
    def facts(self) -> dict[str, str]:
        """What the container says of itself: acquisition date, stored MD5, examiner, software, …"""

    @property
    def problems(self) -> list[Problem]:
        """What was wrong with the container or its partition tables."""

    @property
    def bytes(self) -> ByteSource | None:
        """The media's bytes; None for a folder."""

    def volumes(self) -> list[Volume]:
        """Every volume, nested ones after the one they lie in. Computed once."""

    def volume_bytes(self, volume: Volume) -> ByteSource:
        """The (decrypted) bytes of a volume. Raises ``OSError`` for a folder."""

    def filesystem(self, volume: Volume, *, careful: bool = False) -> Filesystem:
        """The file system of a volume whose status is PARSED; ``careful`` keeps to The Sleuth Kit where there is a faster reader of our
        own. Raises ``OSError`` with a plain reason where it cannot be opened."""

    def close(self) -> None:
        """Let go of everything. Safe to call twice."""
