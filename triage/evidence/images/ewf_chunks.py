"""The chunks of an E01 (EWF version 1) by own reading, for what libewf does not do.

libewf gives a chunk that fails its check sum as zeros and does not tell; it does not open a set that lacks a segment in the middle, and
gives nothing of a segment cut short before its table. Here the section chain tells what is missing, every doubtful chunk is checked
against its stored form, and chunks without a table are found by decoding the data in order.

Format: Joachim Metz, Expert Witness Compression Format specification (libewf documentation): a 13-byte file header; sections of a
76-byte descriptor (type, next, size, Adler-32) and data; ``table`` holds 31-bit offsets of chunks from a base, the top bit meaning
compressed; a compressed chunk is a zlib stream, another is the bytes and their Adler-32.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import FileBytes

SIGNATURE = b"EVF\x09\x0d\x0a\xff\x00"
_DESCRIPTOR = 76
MAX_SECTIONS = 200_000
MAX_SECTION = 1 << 20
MAX_TABLE_ENTRIES = 1 << 20
MAX_CHUNK = 64 << 20


class Section(NamedTuple):
    """A section: ``offset`` of its descriptor in the segment file, ``end`` where the next begins or the file ends."""

    type: str
    offset: int
    end: int
    whole: bool


@dataclass(slots=True)
class _Group:
    """Chunks told by one table (``entries``: raw little-endian 32-bit words), or found by decoding (``found``: offset, size, compressed)."""

    segment: int
    base: int
    end: int
    entries: bytes = b""
    found: list[tuple[int, int, bool]] = field(default_factory=list)
    first: int = 0

    @property
    def count(self) -> int:
        return len(self.entries) // 4 or len(self.found)

    def locate(self, number: int) -> tuple[int, int, bool]:
        if self.found:
            return self.found[number]
        word = struct.unpack_from("<I", self.entries, 4 * number)[0]
        start = self.base + (word & 0x7FFFFFFF)
        end = self.end
        if 4 * number + 8 <= len(self.entries):
            end = self.base + (struct.unpack_from("<I", self.entries, 4 * number + 4)[0] & 0x7FFFFFFF)
        return start, end - start, bool(word >> 31)


class EwfChunks:
    """The chunks of a set of E01 segment files.

    ``segments`` are the files in order, None for one that is missing. Opening walks the section descriptors only; the tables are read
    when the first chunk is asked for. ``problems`` says what is missing. ``chunk_size`` and ``size`` in bytes, 0 where the set
    does not say. Never raises for what the files hold.
    """

    def __init__(self, segments: list[Path | None]) -> None:
        self.problems: list[Problem] = []
        self.chunk_size = 0
        self.size = 0
        self._count = 0
        self._files: list[FileBytes | None] = [None if path is None else FileBytes(path) for path in segments]
        self._names = ["" if path is None else path.name for path in segments]
        self._sections = [self._walk(number) for number in range(len(self._files))]
        self._groups: list[_Group] | None = None
        self._starts: list[int] = []
        self._check_ends()

    def close(self) -> None:
        """Close the segment files. Safe to call twice."""
        for file in self._files:
            if file is not None:
                file.close()

    def section(self, kind: str) -> bytes:
        """The data of the first whole section of this type in the first segment; empty where there is none."""
        file = self._files[0]
        for found in self._sections[0]:
            if found.type == kind and found.whole and file is not None:
                return file.read_at(found.offset + _DESCRIPTOR, min(found.end - found.offset - _DESCRIPTOR, MAX_SECTION))
        return b""

    def chunk(self, number: int) -> bytes:
        """The bytes of a chunk, the last one cut to the media's size. Raises ``OSError`` where it is missing or fails its check sum."""
        if self._groups is None:
            self._load()
        assert self._groups is not None
        place = bisect_right(self._starts, number) - 1
        if place < 0 or number - self._groups[place].first >= self._groups[place].count:
            raise OSError("this part of the image is missing")
        group = self._groups[place]
        offset, length, compressed = group.locate(number - group.first)
        file = self._files[group.segment]
        assert file is not None
        if not 0 < length <= 2 * self.chunk_size + 64:
            raise OSError("the image's table gives an impossible place for this part")
        data = _decode(file.read_at(offset, length), compressed, self.chunk_size)
        if data is None:
            raise OSError("this part of the image fails its check sum")
        return data[: max(0, self.size - number * self.chunk_size)]

    def _walk(self, number: int) -> list[Section]:
        """The chain of section descriptors of one segment; each descriptor's own check sum must hold."""
        file = self._files[number]
        if file is None:
            self.problems.append(Problem(f"segment {number + 1} of the image is missing", Status.UNREADABLE, f"segment={number + 1}"))
            return []
        name = self._names[number]
        sections: list[Section] = []
        offset = 13
        while len(sections) < MAX_SECTIONS:
            raw = file.read_at(offset, _DESCRIPTOR)
            if len(raw) < _DESCRIPTOR:
                self._cut(number, f"{name} is cut short: its last {len(raw)} bytes are no whole section", offset)
                break
            following = struct.unpack_from("<Q", raw, 16)[0]
            if zlib.adler32(raw[:72]) != struct.unpack_from("<I", raw, 72)[0]:
                self._cut(number, f"{name} is damaged: the section descriptor at byte {offset} fails its check sum", offset)
                break
            kind = raw[:16].split(b"\0")[0].decode("latin-1")
            end = following if following > offset else offset + _DESCRIPTOR
            sections.append(Section(kind, offset, min(end, file.size), end <= file.size))
            if kind in ("volume", "disk", "data") and not self.chunk_size:
                self._geometry(file.read_at(offset + _DESCRIPTOR, 28))
            elif kind == "error2":
                self._acquisition_errors(file, offset + _DESCRIPTOR)
            if kind in ("done", "next"):
                break
            if following <= offset:
                self._cut(number, f"{name} is damaged: the section at byte {offset} leads back to itself", offset)
                break
            if end > file.size:
                self._cut(number, f"{name} is cut short: {end - file.size} bytes of its section “{kind}” are missing", offset)
                break
            offset = following
        return sections

    def _cut(self, number: int, reason: str, offset: int) -> None:
        self.problems.append(Problem(reason, Status.UNREADABLE, f"segment={number + 1} offset={offset}"))

    def _geometry(self, raw: bytes) -> None:
        if len(raw) < 24:
            return
        count, per_chunk, per_sector, sectors = struct.unpack_from("<IIIQ", raw.ljust(28, b"\0"), 4)
        if 0 < per_chunk * per_sector <= MAX_CHUNK:
            self._count, self.chunk_size, self.size = count, per_chunk * per_sector, sectors * per_sector

    def _acquisition_errors(self, file: FileBytes, offset: int) -> None:
        """Sectors that could not be read when the image was made; the image holds zeros for them."""
        count = struct.unpack("<I", file.read_at(offset, 4).ljust(4, b"\0"))[0]
        table = file.read_at(offset + 520, 8 * min(count, 100_000))
        ranges = [struct.unpack_from("<II", table, place) for place in range(0, len(table) - 7, 8)]
        if ranges:
            total = sum(length for _, length in ranges)
            reason = f"{total} sectors in {len(ranges)} places could not be read when the image was made and are zeros in it"
            self.problems.append(Problem(reason, Status.UNREADABLE, f"sector={ranges[0][0]}"))

    def _check_ends(self) -> None:
        last = self._sections[-1] if self._sections else []
        if last and last[-1].type != "done" and not any(problem.status is Status.UNREADABLE for problem in self.problems):
            reason = f"the image does not end with {self._names[-1]}: later segments are missing"
            self.problems.append(Problem(reason, Status.UNREADABLE, f"segment={len(self._files) + 1}"))

    def _load(self) -> None:
        before: list[_Group] = []
        after: list[_Group] = []
        gap = False
        for number, sections in enumerate(self._sections):
            if self._files[number] is None or (gap and not sections):
                gap, before = True, before + after
                after = []
                continue
            groups = self._read_segment(number, sections)
            (after if gap else before).extend(groups)
        position = 0
        for group in before:
            group.first = position
            position += group.count
        # Tables do not say which chunks they are of. Behind a gap they are counted back from the end, if the end is there.
        ended = bool(self._sections[-1]) and self._sections[-1][-1].type == "done"
        if gap and ended:
            position = self._count - sum(group.count for group in after)
            for group in after:
                group.first = position
                position += group.count
            before += after
        self._groups = before
        self._starts = [group.first for group in before]

    def _read_segment(self, number: int, sections: list[Section]) -> list[_Group]:
        groups: list[_Group] = []
        for place, section in enumerate(sections):
            if section.type != "sectors":
                continue
            table = next((other for other in sections[place + 1 : place + 3] if other.type in ("table", "table2") and other.whole), None)
            group = self._read_table(number, section, table) if table else None
            if group is None and place + 2 < len(sections) and sections[place + 2].type == "table2":
                group = self._read_table(number, section, sections[place + 2])
            groups.append(group or self._scan(number, section))
        return groups

    def _read_table(self, number: int, sectors: Section, table: Section) -> _Group | None:
        file = self._files[number]
        assert file is not None
        head = file.read_at(table.offset + _DESCRIPTOR, 24)
        if len(head) < 24 or zlib.adler32(head[:20]) != struct.unpack_from("<I", head, 20)[0]:
            return None
        count, base = struct.unpack_from("<I4xQ", head)
        if not 0 < count <= MAX_TABLE_ENTRIES:
            return None
        entries = file.read_at(table.offset + _DESCRIPTOR + 24, 4 * count + 4)
        if len(entries) < 4 * count or (
            len(entries) == 4 * count + 4 and zlib.adler32(entries[:-4]) != struct.unpack("<I", entries[-4:])[0]
        ):
            return None
        return _Group(number, base, sectors.end, entries[: 4 * count])

    def _scan(self, number: int, sectors: Section) -> _Group:
        """Chunks of a section whose table is lost: they lie one after the other, and each says where it ends."""
        file = self._files[number]
        assert file is not None
        group = _Group(number, 0, sectors.end)
        offset = sectors.offset + _DESCRIPTOR
        while offset < sectors.end and len(group.found) < MAX_TABLE_ENTRIES:
            raw = file.read_at(offset, min(self.chunk_size + 4, sectors.end - offset))
            inflater = zlib.decompressobj()
            try:
                decoded = inflater.decompress(raw, self.chunk_size + 1)
            except zlib.error:
                decoded = b""
            if inflater.eof and 0 < len(decoded) <= self.chunk_size:
                length, compressed = len(raw) - len(inflater.unused_data), True
            elif _decode(raw, False, self.chunk_size) is not None:
                length, compressed = len(raw), False
            else:
                break
            group.found.append((offset, length, compressed))
            offset += length
        return group


def _decode(raw: bytes, compressed: bool, chunk_size: int) -> bytes | None:
    """A stored chunk's bytes, or None where its check sum does not hold."""
    if compressed:
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(raw, chunk_size + 1)
        except zlib.error:
            return None
        return data if inflater.eof and len(data) <= chunk_size else None
    if len(raw) <= 4 or len(raw) > chunk_size + 4:
        return None
    return raw[:-4] if zlib.adler32(raw[:-4]) == struct.unpack("<I", raw[-4:])[0] else None
