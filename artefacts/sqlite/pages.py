"""The pages of a SQLite database as its last committed transaction left them, without a byte being written anywhere.

A database in evidence may have two companions: a write-ahead log (``-wal``: newer pages not yet copied into the file) and a rollback
journal (``-journal``: older pages, to be put back if a transaction was cut off). SQLite would apply both by writing to the disk; here
they are applied as an overlay over the evidence's own stream.

Sources: "Database File Format" (sqlite.org/fileformat2.html) sections 1.3 (header), 3 (rollback journal) and 4 (write-ahead log).
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, cast

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.registry import EvidenceFile

MAGIC = b"SQLite format 3\0"
_WAL_MAGIC = 0x377F0682  # the lowest bit says whether checksums are over big-endian words
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_PAGE_SIZES = frozenset(1 << n for n in range(9, 17))
_CACHED_PAGES = 256


class DamagedPage(ValueError):
    """A page or record that does not hold together; the text says what is wrong."""


class WalFrame(NamedTuple):
    """One frame of a write-ahead log: page ``number``, its content at ``offset`` of the log, and whether the live database uses it."""

    number: int
    offset: int
    live: bool


@dataclass(slots=True)
class Pages:
    """Random access to pages, numbered from 1. ``usable`` bytes of each belong to SQLite; ``encoding`` is Python's name for that of text."""

    stream: BinaryIO
    page_size: int
    count: int
    usable: int = 0
    encoding: str = "utf-8"
    problems: list[Problem] = field(default_factory=list)
    wal: BinaryIO | None = None
    wal_frames: list[WalFrame] = field(default_factory=list)
    _overlay: dict[int, tuple[BinaryIO, int]] = field(default_factory=dict)
    _cache: OrderedDict[int, bytes] = field(default_factory=OrderedDict)

    def page(self, number: int) -> bytes:
        """``page_size`` bytes. Raises ``DamagedPage`` for a number outside the database."""
        if not 1 <= number <= self.count:
            raise DamagedPage(f"page {number} is outside the database of {self.count} pages")
        cached = self._cache.get(number)
        if cached is not None:
            self._cache.move_to_end(number)
            return cached
        stream, offset = self._overlay.get(number, (self.stream, (number - 1) * self.page_size))
        data = _read_at(stream, offset, self.page_size)
        if len(data) < self.page_size:
            raise DamagedPage(f"page {number} is cut off")
        self._cache[number] = data
        if len(self._cache) > _CACHED_PAGES:
            self._cache.popitem(last=False)
        return data

    def image(self) -> bytearray:
        """The whole database in memory, marked as one without a write-ahead log, so that SQLite opens it from memory."""
        data = bytearray(self.count * self.page_size)
        self.stream.seek(0)
        view = memoryview(data)
        done = 0
        while done < len(data):
            chunk = self.stream.read(min(1 << 20, len(data) - done))
            if not chunk:
                break
            view[done : done + len(chunk)] = chunk
            done += len(chunk)
        for number, (stream, offset) in self._overlay.items():
            if number <= self.count:
                start = (number - 1) * self.page_size
                page = _read_at(stream, offset, self.page_size)
                view[start : start + len(page)] = page
        view.release()
        if len(data) >= 20:
            data[18:20] = b"\x01\x01"
        return data

    def old_versions(self) -> Iterator[tuple[str, int, bytes]]:
        """Page versions that the live database does not use, as (place, page number, content): log frames that were overwritten,
        never committed or left from before, and pages of the file that the log or the journal replaces."""
        for frame in self.wal_frames if self.wal is not None else ():
            if not frame.live:
                yield f"-wal offset={frame.offset}", frame.number, _read_at(cast(BinaryIO, self.wal), frame.offset, self.page_size)
        for number in sorted(self._overlay):
            yield f"replaced page={number}", number, _read_at(self.stream, (number - 1) * self.page_size, self.page_size)

    def free_pages(self) -> Iterator[tuple[int, bytes]]:
        """Number and content of the pages on the free list (section 1.5), as far as it holds together."""
        try:
            trunk = int.from_bytes(self.page(1)[32:36], "big")
            seen = {0}
            while trunk not in seen:
                seen.add(trunk)
                page = self.page(trunk)
                yield trunk, page
                count = min(int.from_bytes(page[4:8], "big"), self.usable // 4 - 2)
                for number in struct.unpack_from(f">{count}I", page, 8):
                    if number not in seen:
                        seen.add(number)
                        yield number, self.page(number)
                trunk = int.from_bytes(page[:4], "big")
        except DamagedPage:
            return

    def close(self) -> None:
        """Let go of the evidence streams."""
        self.stream.close()
        if self.wal is not None:
            self.wal.close()
        for stream, _ in self._overlay.values():
            stream.close()


def open_pages(file: EvidenceFile) -> Pages:
    """The database in ``file`` with its ``-wal`` or ``-journal`` applied; what was odd is in ``problems``.

    Raises ``Unrecognised`` for what is not SQLite, ``Encrypted`` for what looks like an encrypted database.
    """
    stream = file.open()
    size = stream.seek(0, 2)
    wal_file = file.sibling(file.name + "-wal")
    wal = wal_file.open() if wal_file is not None else None
    header = _read_at(stream, 0, 100)
    if header.startswith(MAGIC):
        page_size = _page_size(header)
    elif size == 0:
        page_size = _wal_page_size(wal)
    else:
        _refuse(stream, size)
    problems: list[Problem] = []
    if page_size not in _PAGE_SIZES:
        problems.append(Problem(f"the header gives an impossible page size ({page_size}); 4096 was tried", Status.FAILED, "offset=16"))
        page_size = 4096
    pages = Pages(stream, page_size, -(-size // page_size), problems=problems, wal=wal)
    _roll_back(pages, file)
    if wal is not None and wal_file is not None:
        _apply_wal(pages, wal, wal_file.name)
    _read_header(pages, size)
    return pages


def _read_header(pages: Pages, size: int) -> None:
    try:
        header = pages.page(1)[:100]
    except DamagedPage:
        header = _read_at(pages.stream, 0, 100).ljust(100, b"\0")
    reserved = header[20]
    pages.usable = pages.page_size - reserved if pages.page_size - reserved >= 480 else pages.page_size
    pages.encoding = {2: "utf-16-le", 3: "utf-16-be"}.get(int.from_bytes(header[56:60], "big"), "utf-8")
    stated = int.from_bytes(header[28:32], "big")
    # The count is only kept up by SQLite 3.7.0 and later, which then stamp 92..95 with the change counter.
    if header[24:28] == header[92:96] and stated > pages.count:
        pages.problems.append(
            Problem(f"cut off: the header counts {stated} pages, {pages.count} are there", Status.FAILED, f"offset={size}")
        )
    elif size % pages.page_size and pages.count:
        pages.problems.append(Problem("cut off: the last page is not whole", Status.FAILED, f"offset={size}"))


def _page_size(header: bytes) -> int:
    value = int.from_bytes(header[16:18], "big")
    return 65536 if value == 1 else value


def _wal_page_size(wal: BinaryIO | None) -> int:
    head = _read_at(wal, 0, 32) if wal is not None else b""
    size = int.from_bytes(head[8:12], "big")
    return size if size in _PAGE_SIZES else 4096


def _refuse(stream: BinaryIO, size: int) -> None:
    sample = _read_at(stream, 0, 65536)
    if not sample.strip(b"\0"):
        raise Unrecognised("not a SQLite database: the file holds only zeros")
    # 4 KiB of random bytes hold about all 256 values; text and structured files do not, and compressed ones have a signature in front.
    if (
        size >= 4096
        and size % 512 == 0
        and len(set(sample[:4096])) >= 250
        and not sample.startswith((b"\x1f\x8b", b"PK", b"\x28\xb5\x2f\xfd"))
    ):
        raise Encrypted("not a plain SQLite database: the bytes look random from the first, as an encrypted one's do (SQLCipher)")
    raise Unrecognised("not a SQLite database: its signature is missing")


def _read_at(stream: BinaryIO, offset: int, length: int) -> bytes:
    stream.seek(offset)
    parts = []
    while length > 0:
        part = stream.read(length)
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _wal_checksum(data: bytes, order: str, seed: tuple[int, int]) -> tuple[int, int]:
    first, second = seed
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for index in range(0, len(words), 2):
        first = (first + words[index] + second) & 0xFFFFFFFF
        second = (second + words[index + 1] + first) & 0xFFFFFFFF
    return first, second


def _apply_wal(pages: Pages, wal: BinaryIO, name: str) -> None:
    """Section 4.1 and 4.2: frames count while their salts are the header's and the running checksum holds, up to the last commit."""
    size = wal.seek(0, 2)
    if size == 0:
        return
    header = _read_at(wal, 0, 32)
    if len(header) < 32 or int.from_bytes(header[:4], "big") & ~1 != _WAL_MAGIC:
        zeros = not header.strip(b"\0")
        what = "begins with zeros: it was wiped or reset" if zeros else "has no valid header"
        pages.problems.append(Problem(f"{name} {what}; what it held is not in these rows", Status.FAILED, f"{name} offset=0"))
        return
    order = ">" if header[3] & 1 else "<"
    running = _wal_checksum(header[:24], order, (0, 0))
    if struct.unpack(">2I", header[24:32]) != running or int.from_bytes(header[8:12], "big") != pages.page_size:
        pages.problems.append(
            Problem(f"the header of {name} is damaged; what it held is not in these rows", Status.FAILED, f"{name} offset=0")
        )
        return
    pending: dict[int, int] = {}
    frames: list[tuple[int, int]] = []
    committed: dict[int, int] = {}
    committed_end = 0
    valid = True
    reused = False
    offset = 32
    while offset + 24 <= size:
        head = _read_at(wal, offset, 24)
        data = _read_at(wal, offset + 24, pages.page_size)
        if len(data) < pages.page_size:
            break
        number, pages_after = struct.unpack(">2I", head[:8])
        if valid:
            if head[8:16] != header[16:24]:
                valid, reused = False, True
            else:
                running = _wal_checksum(data, order, _wal_checksum(head[:8], order, running))
                valid = struct.unpack(">2I", head[16:24]) == running
        frames.append((number, offset + 24))
        if valid:
            pending[number] = offset + 24
            if pages_after:
                committed.update(pending)
                pending.clear()
                pages.count = pages_after
                committed_end = offset
        offset += 24 + pages.page_size
    if not valid and not reused and offset > committed_end:
        pages.problems.append(
            Problem(
                f"{name} is damaged: frames after the last good commit were not applied", Status.FAILED, f"{name} offset={committed_end}"
            )
        )
    used = {offset for number, offset in committed.items() if number <= pages.count}
    pages.wal_frames = [WalFrame(number, offset, offset in used) for number, offset in frames]
    pages._overlay.update({number: (wal, offset) for number, offset in committed.items()})


def _roll_back(pages: Pages, file: EvidenceFile) -> None:
    """Section 3: put back the pages that an unfinished transaction had overwritten, as SQLite would on opening."""
    journal_file = file.sibling(file.name + "-journal")
    if journal_file is None:
        return
    journal = journal_file.open()
    # A finished transaction leaves the journal empty, or its header zeroed (journal_mode=PERSIST).
    if _read_at(journal, 0, 8) != _JOURNAL_MAGIC:
        journal.close()
        return
    size = journal.seek(0, 2)
    before, offset = pages.count, 0
    # Each time SQLite had to write pages early it closed a stretch of records and began another at the next sector.
    while offset < size:
        header = _read_at(journal, offset, 28)
        if len(header) < 28 or not header.startswith(_JOURNAL_MAGIC):
            break
        records, nonce, pages_before, sector, page_size = struct.unpack(">5I", header[8:])
        if page_size != pages.page_size or not 28 <= sector <= 65536:
            break
        if offset == 0:
            before = pages_before
        start, step = offset + sector, page_size + 8
        available = (size - start) // step
        for index in range(min(records, available) if records not in (0, 0xFFFFFFFF) else available):
            record = _read_at(journal, start + index * step, step)
            number = int.from_bytes(record[:4], "big")
            checksum = (nonce + sum(record[4 + page_size - 200 : 4 : -200])) & 0xFFFFFFFF
            if number == 0 or checksum != int.from_bytes(record[-4:], "big"):
                break
            pages._overlay.setdefault(number, (journal, start + index * step + 4))
        offset = -(-(start + records * step) // sector) * sector if records not in (0, 0xFFFFFFFF) else size
    if pages._overlay:
        pages.count = before or pages.count
        words = f"a transaction was under way; {len(pages._overlay)} pages were rolled back in memory, as SQLite would"
        pages.problems.append(Problem(f"{journal_file.name} is hot: {words}", Status.PARSED))
    else:
        pages.problems.append(Problem(f"{journal_file.name} is damaged: an unfinished transaction could not be rolled back", Status.FAILED))
        journal.close()
