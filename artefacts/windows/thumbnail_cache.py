"""Windows' thumbnail store (thumbcache_*.db): a small picture of each picture, film or document that was shown in a folder.

A header of 24 bytes, then cells. Versions: 0x14 Vista, 0x15 Windows 7, 0x1a to 0x1f Windows 8 and 8.1, 0x20 Windows 10 and 11. An entry names its file only by a
hash, so it proves that a file was seen, not where. A cell without hash and name is free.

Source: libyal, "Windows Explorer thumbnail cache database format" (libwtcdb); checked against the specimens.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile

_SIGNATURE = b"CMMM"
_HEADER = 24
_VISTA, _SEVEN, _EIGHT = 0x14, 0x15, 0x1A
_LATEST = 0x20
_MOST_CELLS = 1_000_000
_MOST_PROBLEMS = 100
_LONGEST_NAME = 1024


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each entry (``path`` is its name in the store, ``size`` of the small picture), then one ``SystemFact`` with the counts."""
    with file.open() as stream:
        head = stream.read(_HEADER)
        if not head.startswith(_SIGNATURE) or len(head) < _HEADER:
            raise Unrecognised("not a thumbnail store")
        version, kind = struct.unpack_from("<II", head, 4)
        if not _VISTA <= version <= _LATEST:
            raise Unrecognised(f"a thumbnail store of unknown version {version:#x}")
        end = stream.seek(0, io.SEEK_END)
        place = _HEADER
        fixed = 56 if version != _SEVEN else 48
        seen: set[bytes] = set()
        cells = problems = 0
        while place + 8 <= end and cells < _MOST_CELLS and problems < _MOST_PROBLEMS:
            stream.seek(place)
            cell = stream.read(fixed + _LONGEST_NAME)
            size = int.from_bytes(cell[4:8], "little")
            if not cell.startswith(_SIGNATURE) or size < fixed or place + size > end:
                if not cell.strip(b"\0"):
                    break
                problems += 1
                yield Problem("a cell is damaged, what follows it in its file is not read", Status.FAILED, f"offset={place}")
                break
            cells += 1
            skip = 24 if version == _VISTA else 16
            name_length, padding, data_length, width, height = struct.unpack_from("<5I", cell, skip)
            key = cell[8:16]
            if any(key) and key not in seen:
                seen.add(key)
                if fixed + name_length + padding + data_length > size or name_length > _LONGEST_NAME:
                    problems += 1
                    yield Problem("an entry is larger than its cell", Status.FAILED, f"offset={place}")
                else:
                    name = cell[fixed : fixed + name_length].decode("utf-16-le", "backslashreplace").rstrip("\0")
                    yield FileSeen(
                        path=f"[thumbnail {name}]",
                        size=data_length,
                        kind="thumbnail",
                        how="thumbnail store",
                        user=file.user,
                        detail=f"{width} x {height}" if version >= _EIGHT and width else None,
                        locator=f"offset={place} hash={key.hex()}",
                    )
            place += size
        value = f"{file.name}: {cells} cells, {len(seen)} entries, version {version:#x}, kind {kind}"
        yield SystemFact(name="thumbnail store", value=value, locator="offset=0")


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
    ),
)
