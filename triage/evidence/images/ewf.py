"""Expert Witness images (E01, Ex01, S01) by libewf, with own reading of E01 chunks where libewf is silent or gives up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import RetryingBytes, plain_reason
from triage.evidence.images.ewf_chunks import SIGNATURE, EwfChunks
from triage.evidence.images.ewf_header import acquisition_times
from triage.evidence.images.image import Image, NotOpened, allow_open_files

SIGNATURE2 = b"EVF2\r\n\x81\x00"
MAX_SEGMENTS = 14_971
"""E01 to E99 and EAA to ZZZ: what the naming scheme can hold."""

_FACTS = {
    "case_number": "case number",
    "evidence_number": "evidence number",
    "examiner_name": "examiner",
    "description": "description",
    "notes": "notes",
    "acquiry_operating_system": "acquired on",
    "acquiry_software": "acquired with",
    "acquiry_software_version": "acquired with version",
    "model": "model",
    "serial_number": "serial number",
    "device_label": "device label",
    "process_identifier": "process identifier",
}


class EwfBytes(RetryingBytes):
    """The media inside an Expert Witness image. ``handle`` is libewf's, None where it could not open the set; ``chunks`` the own
    reading, None for other versions of the format."""

    def __init__(self, handle: Any, chunks: EwfChunks | None, size: int, chunk_size: int) -> None:
        super().__init__(size, chunk_size)  # a damaged chunk is lost whole: it is the unit of compression and of check sums
        self._handle = handle
        self._chunks = chunks
        self._zeros = bytes(chunk_size)
        self._true_zeros: set[int] = set()

    def _read(self, offset: int, length: int) -> bytes:
        if self._handle is None:
            return self._from_chunks(offset, length)
        try:
            data: bytes = self._handle.read_buffer_at_offset(length, offset)
        except (OSError, RuntimeError, ValueError, MemoryError):
            return self._from_chunks(offset, length)
        if self._chunks is not None:
            self._check_zeros(data, offset)
        return data

    def _check_zeros(self, data: bytes, offset: int) -> None:
        """libewf gives zeros for a chunk that fails its check sum, so zeros are believed only where the stored chunk is sound."""
        assert self._chunks is not None
        size = self._sector
        position = 0
        while position < len(data):
            number, inside = divmod(offset + position, size)
            end = min(len(data), position + size - inside)
            if number not in self._true_zeros and data[position:end] == self._zeros[: end - position]:
                self._chunks.chunk(number)
                if len(self._true_zeros) > 1 << 16:
                    self._true_zeros.clear()
                self._true_zeros.add(number)
            position = end

    def _from_chunks(self, offset: int, length: int) -> bytes:
        if self._chunks is None:
            raise OSError("this part of the image is missing or damaged")
        first, last = offset // self._sector, (offset + length - 1) // self._sector
        data = b"".join(self._chunks.chunk(number) for number in range(first, last + 1))
        start = offset - first * self._sector
        return data[start : start + length]

    def close(self) -> None:
        """Close libewf's handle and the segment files. Safe to call twice."""
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except (OSError, RuntimeError):  # libewf refuses to close what it opened only in part
                pass
        if self._chunks is not None:
            self._chunks.close()


def _extension(first: str, number: int) -> str:
    """The extension of a segment: ``E01`` to ``E99``, then ``EAA`` to ``ZZZ``; the case and the letter as in the first one."""
    lead = first[:-2]
    if number <= 99:
        return f"{lead}{number:02d}"
    number -= 100
    letter = chr(ord(lead[-1]) + number // 676)
    start = ord("A") if lead[-1].isupper() else ord("a")
    return f"{lead[:-1]}{letter}{chr(start + number // 26 % 26)}{chr(start + number % 26)}"


def _segments(path: Path, number: int) -> list[Path | None]:
    """Every segment of the set that ``path`` (segment ``number``) belongs to, None for one missing before the last that is there."""
    suffix = path.suffix.removeprefix(".")
    if (
        not re.fullmatch(r"[A-Za-z]x?(\d\d|[A-Za-z]{2})", suffix)
        or number > MAX_SEGMENTS
        or _extension(f"{suffix[:-2]}01", number) != suffix
    ):
        return [path]
    present = {entry.name for entry in path.parent.iterdir()}
    first = f"{suffix[:-2]}01" if number <= 99 else f"{path.suffix[1]}01"
    names = [f"{path.stem}.{_extension(first, place)}" for place in range(1, MAX_SEGMENTS)]
    last = max((place for place, name in enumerate(names, start=1) if name in present), default=1)
    return [path.with_name(name) if name in present else None for name in names[:last]]


def open_ewf(path: Path) -> Image:
    """An Expert Witness image named by any of its segments. Raises ``NotOpened`` where nothing of it can be read."""
    import pyewf

    with path.open("rb") as stream:
        head = stream.read(28)
    first_version = head[:8] == SIGNATURE
    number = int.from_bytes(head[9:11], "little") if first_version else int.from_bytes(head[12:16], "little")
    segments: list[Path | None] = _segments(path, number) if number else [path]
    if segments[0] is None:
        raise NotOpened("the first segment of the image is missing; without it nothing of the rest can be placed", Status.UNREADABLE)
    files = [segment for segment in segments if segment is not None]
    allow_open_files(len(files))
    problems: list[Problem] = []
    if path != files[0]:
        problems.append(Problem(f"{path.name} is a later segment; the image was opened from {files[0].name}", Status.SKIPPED))

    chunks = EwfChunks(segments) if first_version else None
    handle = pyewf.handle()
    # libewf opens a set whose end is missing, but none that lacks a segment in the middle.
    whole = segments.index(None) if None in segments else len(segments)
    reason = ""
    try:
        handle.open([str(file) for file in files[:whole]])
        size = handle.get_media_size()
        reason = "" if size else "it states a size of nothing"
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        reason = plain_reason(error)
    if chunks is not None:
        problems += chunks.problems
    if reason:
        if chunks is None or not chunks.size:
            if chunks is not None:
                chunks.close()
            raise NotOpened(f"the Expert Witness image cannot be opened: {reason}")
        problems.append(Problem(f"libewf cannot open the image ({reason}); it was read chunk by chunk", Status.UNREADABLE))
        return Image("ewf", EwfBytes(None, chunks, chunks.size, chunks.chunk_size), [str(file) for file in files], problems=problems)

    times = acquisition_times(chunks.section("header2"), chunks.section("header")) if chunks is not None else {}
    if chunks is not None and chunks.chunk_size != handle.get_chunk_size():
        chunks.close()  # a variant whose geometry we read otherwise: libewf is the one to trust
        chunks = None
    data = EwfBytes(handle, chunks, size, handle.get_chunk_size())
    image = Image("ewf", data, [str(file) for file in files], problems=problems, sector=handle.get_bytes_per_sector())
    values = handle.get_header_values()
    image.facts = {words: str(values[name]) for name, words in _FACTS.items() if values.get(name)}
    image.facts.update(times)
    image.stored_hashes = {name.lower(): value.lower() for name, value in handle.get_hash_values().items() if name in ("MD5", "SHA1")}
    image.facts.update({f"stored {name.upper()}": value for name, value in image.stored_hashes.items()})
    return image
