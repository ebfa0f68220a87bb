"""The NTFS log (``$LogFile``): names that were taken out of a folder or changed, within the last hours or days of the volume's life.

Pages of 4 KiB (``RCRD``) of records, each numbered by its place (LSN). A record says how to redo and undo one step; steps that put a name into a
folder's index or take it out carry the whole entry: name, reference of the file and of its folder, size and the times the index held. The log has no times
of its own.

Source: Linux-NTFS documentation, "$LogFile"; J. Schicht, "LogFileParser" notes on operations; checked against the specimens.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import DeletedFile, FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import from_filetime

_PAGE, _DATA, _STRIDE = 4096, 0x40, 512
_RESTART, _RECORD, _DAMAGED = b"RSTR", b"RCRD", b"BAAD"
_HEAD, _CLIENT = 0x30, 0x20
_ADDS, _REMOVES = (0x0C, 0x0E), (0x0D, 0x0F)  # into and out of the root of an index, and its blocks
_MOST_BYTES = 512 << 20
_LARGEST_RECORD = 1 << 16
_MOST_PROBLEMS = 200
_MOST_OPEN = 10_000
_WINDOW = 64  # steps within which the two halves of a renaming lie
_DOS, _DIRECTORY = 2, 0x10000000
_ENTRY_HEAD, _NAME_HEAD = 16, 66


class _Step(NamedTuple):
    """An index entry that was added or removed."""

    added: bool
    lsn: int
    file: str
    folder: str
    name: str
    size: int
    times: tuple[int, int, int, int]
    directory: bool


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``DeletedFile`` for each name taken out of a folder, ``FileSeen`` for each that was changed (``path`` the old one, ``detail`` the new)
    and one ``SystemFact``: how many records there are. ``locator`` has the references (record-sequence) of file and folder."""
    with file.open() as stream:
        head = stream.read(_PAGE)
        if len(head) == _PAGE and head.count(0xFF) == _PAGE:
            yield SystemFact(name="NTFS log", value="empty: reset by a program that checked, made or cleaned the file system")
            return
        if head[:4] not in (_RESTART, _RECORD, _DAMAGED):
            raise Unrecognised("not the log of NTFS")
        yield from _told(file, _Log(stream))


def _told(file: EvidenceFile, log: _Log) -> Iterator[Observation | Problem]:
    """Pairs what was removed with what was added for the same file soon after: a renaming, or the index put in order."""
    open_steps: OrderedDict[str, tuple[int, _Step]] = OrderedDict()
    for number, item in enumerate(log.steps()):
        if isinstance(item, Problem):
            yield item
            continue
        while open_steps and (number - next(iter(open_steps.values()))[0] > _WINDOW or len(open_steps) > _MOST_OPEN):
            yield from _removed(file, open_steps.popitem(last=False)[1][1])
        if not item.added:
            open_steps.pop(item.file, None)
            open_steps[item.file] = (number, item)
        elif item.file in open_steps:
            _, old = open_steps.pop(item.file)
            if (old.name, old.folder) != (item.name, item.folder):
                words = f"renamed to {item.name}" if old.folder == item.folder else f"moved to {_path(file, item.folder, item.name)}"
                yield FileSeen(
                    path=_path(file, old.folder, old.name), size=old.size, kind="directory" if old.directory else "file",
                    created=from_filetime(old.times[0]), time=from_filetime(old.times[1]), how="NTFS log: renamed", detail=words,
                    locator=f"lsn={old.lsn} file={old.file} folder={old.folder}",
                )  # fmt: skip
    for _, step in open_steps.values():
        yield from _removed(file, step)
    yield SystemFact(name="NTFS log", value=f"{log.records} records")


def _removed(file: EvidenceFile, step: _Step) -> Iterator[Observation]:
    """A name taken out of an index: nothing where the file is still there by that name, for an index is also put in order by taking names out of
    one part and writing whole others. Where that cannot be told, no deletion is claimed."""
    now = file.names(step.file)
    if now is None:
        yield FileSeen(
            path=_path(file, step.folder, step.name), size=step.size, kind="directory" if step.directory else "file",
            created=from_filetime(step.times[0]), time=from_filetime(step.times[1]), how="NTFS log: taken out of a part of its folder's index",
            detail="deleted, or only moved inside the index", locator=f"lsn={step.lsn} file={step.file} folder={step.folder}",
        )  # fmt: skip
    elif step.name not in now:
        yield _deleted(file, step)


def _deleted(file: EvidenceFile, step: _Step) -> DeletedFile:
    return DeletedFile(
        path=_path(file, step.folder, step.name), size=step.size, created=from_filetime(step.times[0]), time=from_filetime(step.times[1]),
        changed=from_filetime(step.times[2]), accessed=from_filetime(step.times[3]), kind="directory" if step.directory else "file",
        content="none", how="NTFS log", locator=f"lsn={step.lsn} file={step.file} folder={step.folder}",
    )  # fmt: skip


def _path(file: EvidenceFile, folder: str, name: str) -> str:
    where = file.folder(folder)
    return name if where is None else f"{where}/{name}"


class _Log:
    """Reads the records page by page. ``records`` counts them."""

    def __init__(self, stream: BinaryIO) -> None:
        self.records = 0
        self._stream = stream
        self._held: tuple[int, bytes | None] = (-1, None)

    def _page(self, number: int) -> bytes | None:
        """A sound page of records with its update sequence undone; None for any other."""
        if self._held[0] == number:
            return self._held[1]
        self._stream.seek(number * _PAGE)
        raw = bytearray(self._stream.read(_PAGE))
        page: bytes | None = None
        if len(raw) == _PAGE and raw[:4] == _RECORD:
            at, words = struct.unpack_from("<HH", raw, 4)
            if words == _PAGE // _STRIDE + 1 and at + 2 * words <= _STRIDE - 2:
                check = raw[at : at + 2]
                ends = range(_STRIDE - 2, _PAGE, _STRIDE)
                if all(raw[end : end + 2] == check for end in ends):
                    for place, end in enumerate(ends, 1):
                        raw[end : end + 2] = raw[at + 2 * place : at + 2 * place + 2]
                    page = bytes(raw)
        self._held = (number, page)
        return page

    def _kinds(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        while number * _PAGE < _MOST_BYTES:
            self._stream.seek(number * _PAGE)
            head = self._stream.read(4)
            if len(head) < 4:
                return
            yield number, head
            number += 1

    def steps(self) -> Iterator[_Step | Problem]:
        """Index entries added or removed, in the order of the log's numbers as far as the pages lie in it."""
        problems = 0
        seen: set[int] = set()
        found: list[tuple[int, int]] = []
        for number, head in self._kinds():
            page = self._page(number)
            if page is None:
                if head in (_RECORD, _DAMAGED):
                    problems += 1
                    if problems <= _MOST_PROBLEMS:
                        yield Problem("a page is damaged", Status.FAILED, f"offset={number * _PAGE}")
                continue
            (last,) = struct.unpack_from("<Q", page, 8)
            found.append((last, number))
        if problems > _MOST_PROBLEMS:
            yield Problem(f"{problems - _MOST_PROBLEMS} more pages are damaged", Status.FAILED)
        # The log is a ring, and its first pages are copies of others: the number of a page's last record says when it was written.
        for _, number in sorted(found):
            for lsn, data in self._records(number):
                if lsn in seen:
                    continue
                seen.add(lsn)
                self.records += 1
                step = _step(lsn, data)
                if step is not None:
                    yield step

    def _records(self, number: int) -> Iterator[tuple[int, bytes]]:
        page = self._page(number)
        at = _DATA
        while page is not None and at + _HEAD + _CLIENT <= _PAGE:
            lsn, previous, _, size, _, kind, _, flags = struct.unpack_from("<QQQIIIIH", page, at)
            # The low bits of a record's number are its place, in units of eight bytes.
            if (lsn << 3) & (_PAGE - 1) != at or kind not in (1, 2) or previous >= lsn or not _CLIENT <= size <= _LARGEST_RECORD:
                at += 8
                continue
            data = page[at + _HEAD : at + _HEAD + size]
            if len(data) < size:
                if flags & 1:
                    data = self._continued(number, data, size)
                if len(data) < size:
                    at += 8
                    page = self._page(number)
                    continue
            yield lsn, data
            page = self._page(number)
            at += (_HEAD + size + 7) // 8 * 8

    def _continued(self, number: int, data: bytes, size: int) -> bytes:
        while len(data) < size:
            number += 1
            page = self._page(number)
            if page is None:
                break
            data += page[_DATA : _DATA + size - len(data)]
        return data


def _step(lsn: int, data: bytes) -> _Step | None:
    redo, _, redo_at, redo_size, undo_at, undo_size = struct.unpack_from("<6H", data)
    if redo in _ADDS:
        return _entry(lsn, data[redo_at : redo_at + redo_size], added=True)
    if redo in _REMOVES:
        return _entry(lsn, data[undo_at : undo_at + undo_size], added=False)
    return None


def _entry(lsn: int, entry: bytes, *, added: bool) -> _Step | None:
    """The step that an index entry stands for; None for those of other indexes, 8.3 names and what is not sound."""
    if len(entry) < _ENTRY_HEAD + _NAME_HEAD:
        return None
    file, length, key = struct.unpack_from("<QHH", entry)
    folder, created, modified, changed, accessed, _, real, flags = struct.unpack_from("<7QI", entry, _ENTRY_HEAD)
    units, space = entry[_ENTRY_HEAD + 64], entry[_ENTRY_HEAD + 65]
    if (
        key != _NAME_HEAD + 2 * units
        or length < _ENTRY_HEAD + key
        or len(entry) < _ENTRY_HEAD + key
        or space == _DOS
        or space > 3
        or not units
    ):
        return None
    name = entry[_ENTRY_HEAD + _NAME_HEAD : _ENTRY_HEAD + key].decode("utf-16-le", "backslashreplace")
    return _Step(
        added,
        lsn,
        _reference(file),
        _reference(folder),
        name,
        min(real, 1 << 63),
        (created, modified, changed, accessed),
        bool(flags & _DIRECTORY),
    )


def _reference(value: int) -> str:
    return f"{value & 0xFFFFFFFFFFFF}-{value >> 48}"


ARTEFACTS = (
    Artefact(
        id="windows.log_file",
        title="NTFS log",
        meaning="Names that were removed from folders or changed lately. Windows does this all the time by itself, to temporary files above all.",
        paths=("$LogFile",),
        parse=parse,
        references=("https://flatcap.github.io/linux-ntfs/ntfs/files/logfile.html",),
        systems=("windows",),
        validation="specimens of Windows 7 and 10",
    ),
)
