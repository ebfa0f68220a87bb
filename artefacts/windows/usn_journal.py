"""The NTFS change journal (``$Extend/$UsnJrnl:$J``): files deleted and renamed, by name, after they are gone.

The stream begins with a hole that grows as old records are given up; the records lie at its end, eight-byte aligned, never across a page of 4 KiB.
Versions 2 and 3 (128-bit references) of the record; version 4 has no name and no time and is passed over. Times are FILETIMEs (UTC).

Source: Microsoft, "USN_RECORD_V2", "USN_RECORD_V3" (winioctl.h).
"""

from __future__ import annotations

import io
import struct
from collections import OrderedDict
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import DeletedFile, FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp, from_filetime

_BLOCK = 1 << 20
_PAGE = 4096
_EMPTY_BLOCKS = 64  # this much emptiness from the end, and what lies before is the hole
_MOST_BYTES = 512 << 20
_MOST_PROBLEMS = 1000
_MOST_OPEN_RENAMES = 10_000
_MOST_FOLDERS = 200_000
_DEEPEST = 256
_DELETE, _OLD_NAME, _NEW_NAME, _CLOSE = 0x200, 0x1000, 0x2000, 0x80000000
_DIRECTORY = 0x10


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``DeletedFile`` for each deletion, ``FileSeen`` for each renaming (``path`` the old name, ``detail`` the new), one ``SystemFact`` on what is kept.

    A path is whole as far as the journal or the file system still knows the folder; else it is the name alone. ``locator`` has the reference
    of the file and of its folder (record-sequence).
    """
    with file.open() as stream:
        start, end = _bounds(stream)
        if start >= end:
            raise Unrecognised("empty, or no change journal")
        folders = _Folders(file)
        for change in _changes(stream, start, end):
            if not isinstance(change, Problem) and change.directory:
                folders.note(change)
        yield from _told(stream, start, end, folders)


class _Change(NamedTuple):
    """One record of the journal. ``place`` is its offset, ``file`` and ``folder`` are references."""

    place: int
    usn: int
    file: str
    folder: str
    name: str
    time: Time
    reason: int
    directory: bool

    @property
    def locator(self) -> str:
        return f"usn={self.usn} file={self.file} folder={self.folder}"


class _Folders:
    """Where folders lie: by the journal, which knows those that are gone, and by the file system."""

    def __init__(self, file: EvidenceFile) -> None:
        self._file = file
        self._noted: dict[str, tuple[str, str]] = {}
        self._paths: dict[str, str | None] = {}

    def note(self, change: _Change) -> None:
        if len(self._noted) < _MOST_FOLDERS:
            self._noted[change.file] = (change.name, change.folder)

    def path(self, reference: str, depth: int = 0) -> str | None:
        if reference not in self._paths:
            if len(self._paths) >= _MOST_FOLDERS:
                self._paths.clear()
            found = self._file.folder(reference)
            if found is None and reference in self._noted and depth < _DEEPEST:
                name, above = self._noted[reference]
                self._paths[reference] = None  # a loop ends here
                before = self.path(above, depth + 1)
                found = None if before is None else f"{before}/{name}"
            self._paths[reference] = found
        return self._paths[reference]

    def whole(self, change: _Change, name: str) -> str:
        """The path of ``name`` in the folder of ``change``."""
        folder = self.path(change.folder)
        return name if folder is None else f"{folder}/{name}"


def _bounds(stream: BinaryIO) -> tuple[int, int]:
    end = stream.seek(0, io.SEEK_END)
    place = (end - 1) // _BLOCK * _BLOCK
    start, empty = end, 0
    while place >= 0 and empty < _EMPTY_BLOCKS and end - place <= _MOST_BYTES:
        stream.seek(place)
        block = stream.read(_BLOCK)
        if block.count(0) == len(block):
            empty += 1
        else:
            start, empty = place + (len(block) - len(block.lstrip(b"\0"))) // 8 * 8, 0
        place -= _BLOCK
    return start, end


def _changes(stream: BinaryIO, start: int, end: int) -> Iterator[_Change | Problem]:
    """The sound records, and what of the others is wrong."""
    problems = 0
    place = start
    buffer, base = b"", start // _PAGE * _PAGE
    while place < end and problems < _MOST_PROBLEMS:
        if place - base + _PAGE > len(buffer):
            stream.seek(place // _PAGE * _PAGE)
            base, buffer = place // _PAGE * _PAGE, stream.read(_BLOCK + _PAGE)
        at = place - base
        if at + 8 > len(buffer):
            break
        length, major = struct.unpack_from("<IH", buffer, at)
        next_page = (place // _PAGE + 1) * _PAGE
        if length == 0:
            # The rest of a page that had no room for the next record, or the hole.
            rest = buffer[at : at + next_page - place]
            place = next_page if not rest.strip(b"\0") else place + 8
            continue
        wide = 8 if major == 3 else 0
        fixed = 60 + 2 * wide
        if length % 8 or length < 40 or major not in (2, 3, 4) or at + length > len(buffer) or (major != 4 and length < fixed):
            problems += 1
            yield Problem("a record is damaged", Status.FAILED, f"offset={place}")
            place = next_page
            continue
        place += length
        if major == 4:
            continue
        usn, stamp, reason, _, _, attributes, name_length, name_at = struct.unpack_from("<QQIIIIHH", buffer, at + 24 + 2 * wide)
        if name_at < fixed or name_at + name_length > length:
            problems += 1
            yield Problem("a record's name is outside it", Status.FAILED, f"offset={place - length}")
            continue
        name = buffer[at + name_at : at + name_at + name_length].decode("utf-16-le", "backslashreplace")
        yield _Change(
            place - length, usn, _reference(buffer, at + 8), _reference(buffer, at + 16 + wide), name, from_filetime(stamp), reason,
            bool(attributes & _DIRECTORY),
        )  # fmt: skip
    if problems >= _MOST_PROBLEMS:
        yield Problem(f"more than {_MOST_PROBLEMS} problems: the rest is not read", Status.FAILED)


def _told(stream: BinaryIO, start: int, end: int, folders: _Folders) -> Iterator[Observation | Problem]:
    renames: OrderedDict[str, tuple[str, str]] = OrderedDict()
    count = 0
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED
    for change in _changes(stream, start, end):
        if isinstance(change, Problem):
            yield change
            continue
        count, last = count + 1, change.time
        first = change.time if count == 1 else first
        kind = "directory" if change.directory else "file"
        if change.reason & _OLD_NAME:
            renames[change.file] = (change.name, folders.whole(change, change.name))
            if len(renames) > _MOST_OPEN_RENAMES:
                renames.popitem(last=False)
        elif change.reason & _NEW_NAME and change.file in renames:
            old, path = renames.pop(change.file)
            words = f"renamed to {change.name}" if change.name != old else f"moved to {folders.whole(change, change.name)}"
            yield FileSeen(path=path, used=change.time, kind=kind, how="change journal: renamed", detail=words, locator=change.locator)
        if change.reason & _DELETE and change.reason & _CLOSE:
            yield DeletedFile(
                path=folders.whole(change, change.name), deleted=change.time, kind=kind, content="none", how="change journal",
                locator=change.locator,
            )  # fmt: skip
    if not count:
        raise Unrecognised("no record of a change journal in it")
    words = f"{count} changes" + (f", the last at {last.isoformat()}" if isinstance(last, Timestamp) else "")
    yield SystemFact(name="change journal", value=words, time=first, locator=f"offset={start}")


def _reference(buffer: bytes, at: int) -> str:
    """A file reference as record-sequence; of a 128-bit one the upper half is zero on NTFS."""
    value = int.from_bytes(buffer[at : at + 8], "little")
    return f"{value & 0xFFFFFFFFFFFF}-{value >> 48}"


ARTEFACTS = (
    Artefact(
        id="windows.usn_journal",
        title="NTFS change journal",
        meaning="Files that were deleted or renamed lately, by name.",
        paths=("$Extend/$UsnJrnl:$J",),
        parse=parse,
        references=("https://learn.microsoft.com/windows/win32/api/winioctl/ns-winioctl-usn_record_v2",),
        systems=("windows",),
        validation="specimen",
    ),
)
