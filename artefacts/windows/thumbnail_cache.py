"""Windows' thumbnail store (thumbcache_*.db): a small picture of each picture, film or document that was shown in a folder.

A header of 24 bytes, then cells. Versions: 0x14 Vista, 0x15 Windows 7, 0x1a to 0x1f Windows 8 and 8.1, 0x20 Windows 10 and 11. An entry names its file only by a
hash, so it proves that a file was seen, not where. A cell without hash and name is free.

Source: libyal, "Windows Explorer thumbnail cache database format" (libwtcdb); checked against the specimens.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, Content, EvidenceFile

_SIGNATURE = b"CMMM"
_HEADER = 24
_VISTA, _SEVEN, _EIGHT = 0x14, 0x15, 0x1A
_LATEST = 0x20
_MOST_CELLS = 1_000_000
_MOST_PROBLEMS = 100
_LONGEST_NAME = 1024
_LARGEST_PICTURE = 64 << 20


class _Cell(NamedTuple):
    """A cell with an entry: where it lies, the hash it is filed under, its name, its picture's place, length and size in pixels."""

    place: int
    key: bytes
    name: str
    data: int
    length: int
    pixels: str | None


class _Store:
    """A store, gone through cell by cell. Raises ``Unrecognised`` where it is none."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        head = stream.read(_HEADER)
        if not head.startswith(_SIGNATURE) or len(head) < _HEADER:
            raise Unrecognised("not a thumbnail store")
        self.version, self.kind = struct.unpack_from("<II", head, 4)
        if not _VISTA <= self.version <= _LATEST:
            raise Unrecognised(f"a thumbnail store of unknown version {self.version:#x}")
        self.cells = 0

    def entries(self) -> Iterator[_Cell | Problem]:
        """Each entry once."""
        stream, version = self._stream, self.version
        end = stream.seek(0, io.SEEK_END)
        place = _HEADER
        fixed = 56 if version != _SEVEN else 48
        seen: set[bytes] = set()
        problems = 0
        while place + 8 <= end and self.cells < _MOST_CELLS and problems < _MOST_PROBLEMS:
            stream.seek(place)
            cell = stream.read(fixed + _LONGEST_NAME)
            size = int.from_bytes(cell[4:8], "little")
            if not cell.startswith(_SIGNATURE) or size < fixed or place + size > end:
                if cell.strip(b"\0"):
                    yield Problem("a cell is damaged, what follows it in its file is not read", Status.FAILED, f"offset={place}")
                return
            self.cells += 1
            name_length, padding, length, width, height = struct.unpack_from("<5I", cell, 24 if version == _VISTA else 16)
            key = cell[8:16]
            if any(key) and key not in seen:
                seen.add(key)
                if fixed + name_length + padding + length > size or name_length > _LONGEST_NAME:
                    problems += 1
                    yield Problem("an entry is larger than its cell", Status.FAILED, f"offset={place}")
                else:
                    name = cell[fixed : fixed + name_length].decode("utf-16-le", "backslashreplace").rstrip("\0")
                    pixels = f"{width} x {height}" if version >= _EIGHT and width else None
                    yield _Cell(place, key, name, place + fixed + name_length + padding, length, pixels)
            place += size


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each entry (``path`` is its name in the store, ``size`` of the small picture), then one ``SystemFact`` with the counts."""
    with file.open() as stream:
        store = _Store(stream)
        entries = 0
        for cell in store.entries():
            if isinstance(cell, Problem):
                yield cell
                continue
            entries += 1
            yield FileSeen(
                path=f"[thumbnail {cell.name}]",
                size=cell.length,
                kind="thumbnail",
                how="thumbnail store",
                user=file.user,
                detail=cell.pixels,
                locator=f"offset={cell.place} hash={cell.key.hex()}",
            )
        value = f"{file.name}: {store.cells} cells, {entries} entries, version {store.version:#x}, kind {store.kind}"
        yield SystemFact(name="thumbnail store", value=value, locator="offset=0")


def contents(file: EvidenceFile) -> Iterator[Content | Problem]:
    """The small pictures, by their names in the store."""
    with file.open() as stream:
        for cell in _Store(stream).entries():
            if isinstance(cell, _Cell) and 0 < cell.length <= _LARGEST_PICTURE:
                stream.seek(cell.data)
                yield Content(
                    f"thumbnail {cell.name}", stream.read(cell.length), "as a small copy that Windows made of a picture", cell.data
                )


ARTEFACTS = (
    Artefact(
        id="windows.thumbnail_cache",
        title="Thumbnail store",
        meaning="How many pictures, films and documents were shown small in a folder, also of files that are gone.",
        paths=tuple(
            f"**/Microsoft/Windows/Explorer/thumbcache_{size}.db"
            for size in (16, 32, 48, 96, 256, 768, 1024, 1280, 1600, 1920, 2560, "sr", "wide", "exif", "wide_alternate", "custom_stream")
        ),
        parse=parse,
        references=(
            "https://github.com/libyal/libwtcdb/blob/main/documentation/Explorer%20thumbnail%20cache%20database%20format.asciidoc",
        ),
        systems=("windows",),
        validation="30 specimens, Windows 7, 8.1 and 11",
        contents=contents,
    ),
)
