"""What Chromium browsers fetched and kept: both formats of the disk cache, told from the file ``index`` that each has.

*Block file* (Windows, and everywhere before 2014): ``index`` is a hash table of addresses; an address is a block in ``data_0`` to ``data_3``
or a file ``f_xxxxxx``. Entries that no chain leads to any more are reported as recovered. *Simple* (Linux, macOS, Android): one file
``HASH_0`` an entry: key, body, then the response's headers. Each entry is read on its own: a bad one costs itself.

Sources: Chromium's net/disk_cache/blockfile/disk_format.h and addr.h, net/disk_cache/simple/simple_entry_format.h,
net/http/http_response_info.cc. Times are WebKit microseconds (UTC).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from artefacts.browsers import bodies
from artefacts.browsers.profiles import CHROMIUM, Owner, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import CachedItem
from artefacts.registry import Artefact, Content, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_webkit

_INDEX_MAGIC, _BLOCK_MAGIC = 0xC103CAC3, 0xC104CAC3
_SIMPLE_START, _SIMPLE_END = struct.pack("<Q", 0xFCFB6D1BA7725C30), struct.pack("<Q", 0xF4FA6F45970D41D8)
_BLOCK_SIZES = {1: 36, 2: 256, 3: 1024, 4: 4096}  # by the file type in an address
_HEADER = 8192  # bytes before the first block of a block file
_MOST_HEADERS = 1 << 20  # bytes of a response's headers that are read
_LONGEST_KEY = 1 << 21  # bytes: Chromium's longest address
_FIRST, _LAST = 12_591_158_400_000_000, 15_778_454_400_000_000  # 2000 and 2101


def parse(file: EvidenceFile) -> Results:
    """``CachedItem`` for each entry of the cache that ``file`` (its ``index``) belongs to."""
    owned = owner(file, CHROMIUM)
    head = file.read(368)
    if head.startswith(_SIMPLE_START):
        yield from _simple(file, owned)
    elif _is_block_file(head):
        yield from _block_file(file, head, owned)
    elif owned.known and head:
        raise Unrecognised("not the index of a Chromium cache")
    elif head:
        yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)


def contents(file: EvidenceFile) -> Iterator[Content | Problem]:
    """The body of each entry, unpacked, by the file that holds it and its address. What cannot be read at all ``parse`` has said."""
    head = file.read(368)
    if head.startswith(_SIMPLE_START):
        for other in _simple_files(file):
            try:
                yield from _simple_body(other)
            except (ValueError, struct.error):
                continue
    elif _is_block_file(head):
        blocks = _Blocks(file)
        try:
            for found in _entries(file, head, blocks):
                if isinstance(found, _Found):
                    yield from _block_body(blocks, found)
        finally:
            blocks.close()


def _is_block_file(head: bytes) -> bool:
    return len(head) >= 4 and int.from_bytes(head[:4], "little") == _INDEX_MAGIC


# ---- block file


class _Entry(NamedTuple):
    """An EntryStore record (256 bytes and on)."""

    next: int
    rankings: int
    reused: int
    state: int
    created: int
    key_length: int
    long_key: int
    sizes: tuple[int, ...]
    addresses: tuple[int, ...]
    key: bytes


class _Found(NamedTuple):
    """An entry, where it lies, and whether nothing leads to it any more."""

    entry: _Entry
    address: int
    recovered: bool


class _Blocks:
    """The block files beside an index, read in place."""

    def __init__(self, index: EvidenceFile) -> None:
        self._index = index
        self._open: dict[str, BinaryIO | None] = {}

    def stream(self, name: str) -> BinaryIO | None:
        """A neighbouring file, opened once; None where it is missing."""
        if name not in self._open:
            found = self._index.sibling(name)
            self._open[name] = found.open() if found is not None else None
        return self._open[name]

    def name(self, address: int) -> str:
        """The file that an address points into."""
        return f"f_{address & 0x0FFFFFFF:06x}" if address >> 28 & 7 == 0 else f"data_{address >> 16 & 0xFF}"

    def read(self, address: int, length: int) -> bytes:
        """``length`` bytes at an address. Raises ``ValueError`` where there is no such place."""
        kind = address >> 28 & 7
        if not address >> 31:
            raise ValueError("an address that was never set")
        if kind == 0:
            found = self._index.sibling(self.name(address))
            if found is None:
                raise ValueError(f"{self.name(address)} is missing")
            return found.read(length)
        stream = self.stream(self.name(address))
        if stream is None or kind not in _BLOCK_SIZES:
            raise ValueError(f"{self.name(address)} is missing")
        stream.seek(_HEADER + (address & 0xFFFF) * _BLOCK_SIZES[kind])
        data = stream.read(length)
        if len(data) < length:
            raise ValueError(f"{self.name(address)} is cut off")
        return data

    def entry(self, address: int) -> _Entry:
        """The entry at an address. Raises ``ValueError``."""
        if address >> 28 & 7 != 2:
            raise ValueError("an entry's address is not one of an entry")
        data = self.read(address, 256 * ((address >> 24 & 3) + 1))
        _, following, rankings, reused, _, state, created, length, long_key = struct.unpack_from("<3I3iQiI", data)
        return _Entry(
            following,
            rankings,
            reused,
            state,
            created,
            length,
            long_key,
            struct.unpack_from("<4i", data, 40),
            struct.unpack_from("<4I", data, 56),
            data[96:],
        )

    def close(self) -> None:
        """Let go of the streams."""
        for stream in self._open.values():
            if stream is not None:
                stream.close()


def _block_file(file: EvidenceFile, head: bytes, owned: Owner) -> Results:
    blocks = _Blocks(file)
    try:
        for found in _entries(file, head, blocks):
            if isinstance(found, Problem):
                yield found
                continue
            try:
                yield _item(file, blocks, found, owned)
            except (ValueError, struct.error) as error:
                if not found.recovered:
                    yield _unreadable(error, found.address)
    finally:
        blocks.close()


def _unreadable(error: Exception, address: int) -> Problem:
    return Problem(f"an entry cannot be read: {error}", Status.FAILED, f"address=0x{address:08x}")


def _entries(file: EvidenceFile, head: bytes, blocks: _Blocks) -> Iterator[_Found | Problem]:
    """Every entry: those in the chains of the hash table, then those that are only still there."""
    live: set[int] = set()
    buckets = int.from_bytes(head[28:32], "little") or 0x10000
    stream = file.open()
    stream.seek(368)
    table = stream.read(4 * min(buckets, 1 << 22))
    stream.close()
    if len(table) < 4 * buckets:
        yield Problem("cut off inside the table of entries", Status.FAILED, f"offset={368 + len(table)}")
    for (first,) in struct.iter_unpack("<I", table[: len(table) // 4 * 4]):
        address = first
        while address and address not in live:
            live.add(address)
            try:
                entry = blocks.entry(address)
            except (ValueError, struct.error) as error:
                yield _unreadable(error, address)
                break
            yield _Found(entry, address, False)
            address = entry.next
    yield from _forgotten(blocks, live)


def _forgotten(blocks: _Blocks, live: set[int]) -> Iterator[_Found | Problem]:
    """Entries in the block files that the hash table no longer leads to."""
    number, seen = 1, set[int]()
    covered = {address & 0x00FF0000 | (address & 0xFFFF) + more for address in live for more in range((address >> 24 & 3) + 1)}
    while number not in seen:
        seen.add(number)
        stream = blocks.stream(f"data_{number}")
        if stream is None:
            return
        stream.seek(0)
        head = stream.read(64)
        if len(head) < 20 or int.from_bytes(head[:4], "little") != _BLOCK_MAGIC or int.from_bytes(head[12:16], "little") != 256:
            yield Problem(f"data_{number} is not a file of entries", Status.FAILED, f"data_{number} offset=0")
            return
        block, offset = 0, _HEADER
        while block < 0x10000:
            stream.seek(offset + 256 * block)
            data = stream.read(256)
            if len(data) < 256:
                break
            if number << 16 | block not in covered and _FIRST < int.from_bytes(data[24:32], "little") < _LAST:
                address = 0xA0000000 | number << 16 | block
                try:
                    entry = blocks.entry(address)
                    if (
                        0 <= entry.state <= 2
                        and 0 < entry.key_length <= 160
                        and re.match(rb"(?:\d/\d*/)?(?:_dk_)?[a-z][a-z0-9+.-]*:", entry.key)
                    ):
                        yield _Found(entry, address, True)
                except (ValueError, struct.error):
                    pass
            block += 1
        number = int.from_bytes(head[10:12], "little")
        if number == 0:
            return


def _key(blocks: _Blocks, entry: _Entry) -> bytes:
    length = entry.key_length
    if not 0 < length <= _LONGEST_KEY:
        raise ValueError(f"a key of {length} bytes")
    key = blocks.read(entry.long_key, length) if entry.long_key else entry.key[:length]
    if len(key) < length:
        raise ValueError("a key that runs off its entry")
    return key


def _headers(blocks: _Blocks, entry: _Entry) -> bytes:
    try:
        return blocks.read(entry.addresses[0], min(entry.sizes[0], _MOST_HEADERS)) if entry.sizes[0] > 0 else b""
    except ValueError:
        return b""  # the address and the date are worth having without the headers


def _block_body(blocks: _Blocks, found: _Found) -> Iterator[Content | Problem]:
    entry = found.entry
    size, address = entry.sizes[1], entry.addresses[1]
    if size <= 0 or not address:
        return
    try:
        name = f"{blocks.name(address)} ▸ {_address(_key(blocks, entry))}"
    except ValueError:
        return
    try:
        body = blocks.read(address, min(size, bodies.LARGEST))
    except ValueError:
        yield Problem("the file that held a stored page is missing or cut off", Status.MISSING, name)
        return
    if size > bodies.LARGEST:
        yield Problem(f"only the first {bodies.LARGEST >> 20} MiB of a stored page were checked", Status.SKIPPED, name)
    elif len(body) < size:
        yield Problem("a stored page is cut off", Status.FAILED, name)
    yield from bodies.content(name, body, bodies.encoding_in(_headers(blocks, entry)), recovered=found.recovered)


def _item(file: EvidenceFile, blocks: _Blocks, found: _Found, owned: Owner) -> CachedItem:
    entry, address, recovered = found
    key, headers = _key(blocks, entry), _headers(blocks, entry)
    used: Time = NOT_RECORDED
    try:
        used = from_webkit(int.from_bytes(blocks.read(entry.rankings, 8), "little"))
    except ValueError:
        pass
    body = entry.addresses[1]
    return CachedItem(
        url=_address(key),
        content_type=_content_type(headers),
        bytes=max(entry.sizes[1], 0),
        time=from_webkit(entry.created),
        time_meaning="stored",
        last_used=used,
        count=max(entry.reused, 0) + 1,
        stored_in=f"{file.path.rpartition('/')[0]}/{blocks.name(body)}" if body else None,
        recovered=recovered,
        locator=f"address=0x{address:08x}",
        **owned.labels,
    )


# ---- simple


def _simple(file: EvidenceFile, owned: Owner) -> Results:
    for other in _simple_files(file):
        if other.read(24).strip(b"\0") == b"":
            yield Problem("an entry was begun and never written out", Status.EMPTY, other.name)
            continue
        try:
            entry = _simple_entry(other)
        except (ValueError, struct.error) as error:
            yield Problem(f"an entry cannot be read: {error}", Status.FAILED, other.name)
            continue
        yield CachedItem(
            url=_address(entry.key),
            content_type=_content_type(entry.headers),
            bytes=max(entry.size, 0),
            time=_response_time(entry.headers),
            time_meaning="fetched",
            stored_in=other.path,
            locator=other.name,
            **owned.labels,
        )


def _simple_files(index: EvidenceFile) -> Iterator[EvidenceFile]:
    return (other for other in index.siblings() if re.fullmatch(r"[0-9a-f]{16}_0", other.name))


class _Simple(NamedTuple):
    """An entry of the simple format: its body is ``size`` bytes (less than 0: not known) from ``start``."""

    key: bytes
    headers: bytes
    start: int
    size: int


def _simple_body(file: EvidenceFile) -> Iterator[Content | Problem]:
    entry = _simple_entry(file)
    name = f"{file.name} ▸ {_address(entry.key)}"
    with file.open() as stream:
        stream.seek(entry.start)
        body = stream.read(min(max(entry.size, 0), bodies.LARGEST))
    if entry.size > bodies.LARGEST:
        yield Problem(f"only the first {bodies.LARGEST >> 20} MiB of a stored page were checked", Status.SKIPPED, name)
    yield from bodies.content(name, body, bodies.encoding_in(entry.headers))


def _simple_entry(file: EvidenceFile) -> _Simple:
    """Header, key, body, end record, headers, [digest of the key,] end record. Raises ``ValueError`` or ``struct.error``."""
    with file.open() as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        head = stream.read(24)
        if not head.startswith(_SIMPLE_START):
            raise ValueError("its signature is missing")
        (key_length,) = struct.unpack_from("<I", head, 12)
        if not 0 < key_length <= _LONGEST_KEY:
            raise ValueError(f"a key of {key_length} bytes")
        # The structure is 20 bytes; compilers round it up to 24.
        key = stream.read(key_length)
        if len(key) < key_length:
            raise ValueError("cut off inside the key")
        stream.seek(max(size - 24, 0))
        end = stream.read(24)
        headers, body = b"", size - 24 - key_length - 24
        if end.startswith(_SIMPLE_END):
            flags, _, length = struct.unpack_from("<3I", end, 8)
            digest = 32 if flags & 2 else 0
            start = size - 24 - digest - length
            if 24 + key_length <= start:
                stream.seek(start)
                headers = stream.read(min(length, _MOST_HEADERS))
                body = start - 24 - (24 + key_length)
        else:
            raise ValueError(f"cut off: its end record is missing (address {_address(key)})")
    return _Simple(key, headers, 24 + key_length, body)


# ---- both


def _address(key: bytes) -> str:
    """The address in a key; newer keys put the sites it was fetched for in front (``1/0/_dk_https://a https://a https://a/b``)."""
    text = key.decode("utf-8", "backslashreplace")
    if "_dk_" in text[:40] and " " in text:
        return text.rpartition(" ")[2]
    return re.sub(r"^\d+/\d+/(?=[a-z][a-z0-9+.-]*:)", "", text)


def _content_type(headers: bytes) -> str | None:
    found = re.search(rb"(?i)\0content-type:[ \t]*([^\0;]{1,200})", headers)
    return found[1].decode("ascii", "backslashreplace").strip() if found else None


def _response_time(headers: bytes) -> Time:
    """When the response came: a pickle of size, flags, request time, response time, headers."""
    if len(headers) < 24:
        return NOT_RECORDED
    for offset in (16, 20):  # with and without a second word of flags
        value = int.from_bytes(headers[offset : offset + 8], "little")
        if _FIRST < value < _LAST:
            return from_webkit(value)
    return NOT_RECORDED


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.cache",
        title="Chromium browsers: stored copies of pages",
        meaning="Pages, pictures and other parts of pages that a browser fetched and kept, when, and how often they were used.",
        paths=("**/*Cache*/index",),
        parse=parse,
        references=("https://www.chromium.org/developers/design-documents/network-stack/disk-cache/",),
        validation="specimens of Chrome 34, 42 and 64; profiles made by Chromium in the tests",
        contents=contents,
    ),
)
