r"""The recycle bin: what was deleted, where it lay, when, how large; by user where the bin is one user's.

Since Vista a file becomes ``$Rxxxxxx.ext`` beside ``$Ixxxxxx.ext``, which is its record (version 1: Vista to 8.1, 2: since Windows 10), in
``$Recycle.Bin\SID``. Before, a file became ``Dc3.ext``, and one file for all was the record: ``INFO`` (version 0 of Windows 95, 2 of NT 4)
or ``INFO2`` (version 4 of 98, 5 of ME, 2000, XP and 2003), in ``RECYCLED`` or ``RECYCLER\SID``. Times are FILETIMEs (UTC). A record whose first byte
of the path is gone was emptied or restored.

Source: rifiuti2, docs "Recycle bin format" (by A. Leung); checked against its samples.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import DeletedFile, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import from_filetime
from artefacts.windows.paths import user_of

_VERSION_1 = 24 + 520
_MOST_CHARACTERS = 32_768
_HEADER = 20
_ANSI, _WIDE = 280, 800  # bytes of a record of INFO2 without and with the path in Unicode
_MOST_RECORDS = 65_536
_SID = re.compile(r"/(S-1-\d+(?:-\d+)+)/", re.IGNORECASE)
_SHARE = 26  # the drive number of what lay on another machine
_NO_SIZE = 0xFFFFFFFFFFFFFFFF


def parse_record(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``DeletedFile`` from a ``$I`` file. ``content`` is ``recoverable`` where its ``$R`` is still there, ``none`` where it is not."""
    data = file.read(28 + 2 * _MOST_CHARACTERS + 1)
    version = int.from_bytes(data[:8], "little")
    if version not in (1, 2):
        raise Unrecognised("not a record of the recycle bin")
    if len(data) < 24:
        yield Problem(f"cut short: {len(data)} bytes", Status.FAILED, f"offset={len(data)}")
        return
    start, size, (deleted,) = 24, int.from_bytes(data[8:16], "little"), struct.unpack_from("<Q", data, 16)
    stated = _VERSION_1
    if version == 1 and len(data) == _VERSION_1 - 1:
        # Early Vista wrote a byte of the size too few: everything after it lies one byte nearer, and the size is not to be trusted.
        start, size, (deleted,), stated = 23, _NO_SIZE, struct.unpack_from("<Q", data, 15), _VERSION_1 - 1
    elif version == 2:
        start, stated = 28, 28 + 2 * int.from_bytes(data[24:28], "little")
    raw = data[start:stated]
    path = raw[: len(raw) // 2 * 2].decode("utf-16-le", "backslashreplace").split("\0", 1)[0]
    if len(data) < stated:
        yield Problem(f"cut short: {len(data)} of {stated} bytes", Status.FAILED, f"offset={len(data)}")
    if not path and len(data) < stated:
        path = "[path not readable]"
    yield DeletedFile(
        path=path,
        deleted=from_filetime(deleted),
        size=None if size == _NO_SIZE else size,
        content="recoverable" if _twin(file, "R") else "none",
        how="recycle bin",
        user=_user(file, path),
        locator=f"version={version}",
    )


def parse_content(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``DeletedFile`` for a ``$R`` file that has no record: its old place is not known."""
    if _twin(file, "I") is None:
        yield DeletedFile(
            path=file.path, size=file.size, content="recoverable", how="recycle bin, without its record", user=_user(file, "")
        )


def parse_info(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``DeletedFile`` for each record of an ``INFO`` or ``INFO2`` file; those whose file has left the bin are ``recovered``."""
    data = file.read(_HEADER + _MOST_RECORDS * _WIDE + 1)
    version, _, _, size = struct.unpack_from("<4I", data.ljust(_HEADER, b"\0"))
    if version not in (0, 2, 4, 5) or size not in (_ANSI, _WIDE) or len(data) < _HEADER:
        raise Unrecognised("not the index of a recycle bin")
    for place in range(_HEADER, len(data), size):
        record = data[place : place + size]
        if not record.strip(b"\0"):
            continue
        whole = len(record) == size
        if not whole:
            yield Problem(f"the last record is cut short: {len(record)} of {size} bytes", Status.FAILED, f"offset={place}")
        if len(record) < _ANSI:
            return
        short = record[:260].split(b"\0", 1)[0]
        number, drive, deleted, length = struct.unpack_from("<IIQI", record, 260)
        gone = record[0] == 0
        if size == _WIDE and version != 2:
            path = record[_ANSI : _ANSI + 520].decode("utf-16-le", "backslashreplace").split("\0", 1)[0]
        elif size == _WIDE:
            # NT 4 keeps the path in Unicode only where it has no place for it in the first field.
            path = record[_ANSI : _ANSI + 520].decode("utf-16-le", "backslashreplace").split("\0", 1)[0] or short.decode(
                "cp1252", "replace"
            )
        else:
            letter = chr(ord("A") + drive) if drive < _SHARE else "\\"
            rest = record[1:260].split(b"\0", 1)[0] if gone else short[1:]
            path = letter + rest.decode("cp1252", "backslashreplace") if gone else short.decode("cp1252", "backslashreplace")
        yield DeletedFile(
            path=path,
            deleted=from_filetime(deleted),
            size=length,  # of the clusters it took, not of the file
            content="none" if gone else "recoverable",
            how="recycle bin, emptied or restored" if gone else "recycle bin",
            user=_user(file, path),
            recovered=gone,
            locator=f"offset={place} number={number}",
        )


def _twin(file: EvidenceFile, letter: str) -> EvidenceFile | None:
    return file.sibling(f"${letter}{file.name[2:]}")


def _user(file: EvidenceFile, path: str) -> str | None:
    """Whose bin it is: the owner by the path deleted, else the SID that names the bin."""
    sid = _SID.search(file.path)
    return user_of(path) or (sid[1].upper() if sid else None)


def _artefact(name: str, title: str, meaning: str, paths: tuple[str, ...], parse: object, validation: str) -> Artefact:
    return Artefact(
        id=f"windows.recycle_bin.{name}",
        title=title,
        meaning=meaning,
        paths=paths,
        parse=parse,  # type: ignore[arg-type]
        references=("https://github.com/abelcheung/rifiuti2",),
        systems=("windows",),
        validation=validation,
    )


ARTEFACTS = (
    _artefact("record", "Recycle bin", "Files that a user deleted, from where and when.", ("$Recycle.Bin/*/$I*",), parse_record, "17 specimens"),
    _artefact(
        "content", "Recycle bin: files without a record", "Deleted files whose record was removed.", ("$Recycle.Bin/*/$R*",), parse_content,
        "generated",
    ),
    _artefact(
        "info", "Recycle bin before Vista", "Files that were deleted, from where and when, also those that have left the bin.",
        ("**/INFO2", "RECYCLER/*/INFO", "RECYCLED/INFO"), parse_info, "9 specimens, NT 4 to 2003",
    ),
)  # fmt: skip
