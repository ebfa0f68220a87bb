"""What Firefox fetched and kept: ``cache2`` (since Firefox 32; one file an entry) and the older ``_CACHE_001_`` to ``_CACHE_003_``.

*cache2*: the body, then a table of check sums, a header and named values; the last four bytes say where the body ends. All big-endian.
*Older*: blocks of 256, 1024 or 4096 bytes after a bitmap; an entry starts at a block with its version. Times are Unix seconds.

Sources: Mozilla's netwerk/cache2/CacheFileMetadata.h and CacheFileUtils.cpp (keys), netwerk/cache/nsDiskCache.h of Firefox 3 to 31.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from artefacts.browsers import bodies
from artefacts.browsers.profiles import FIREFOX, Owner, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import CachedItem, SiteTrace
from artefacts.registry import Artefact, Content, EvidenceFile
from artefacts.times import from_unix

_CHUNK = 262_144  # bytes of the body to a check sum
_MOST_METADATA = 1 << 20  # bytes
_LARGEST_OLD = 256 << 20  # bytes: Firefox stopped far below
_OLD_MAP_START = 276  # bytes of header in front of the map's records
_OLD_BLOCKS = {"_cache_001_": 256, "_cache_002_": 1024, "_cache_003_": 4096}
_PREDICTION = b"~predictor-origin"
_OLD_START = 4096  # bytes of bitmap in front of the blocks


class _Entry(NamedTuple):
    """What stands behind the body of a cache2 file, whose length is ``body``."""

    body: int
    uses: int
    fetched: int
    modified: int
    key: bytes
    values: dict[str, str]


def parse(file: EvidenceFile) -> Results:
    """The ``CachedItem`` of one cache2 file; a ``SiteTrace`` where it holds only what Firefox learned of a site."""
    owned = owner(file, FIREFOX)
    entry = _entry(file)
    if entry is None:
        yield Problem("too short to hold an entry: it was never written out", Status.EMPTY)
        return
    if _PREDICTION in entry.key:
        yield SiteTrace(
            url=_address(entry.key.decode("utf-8", "backslashreplace")),
            what="prediction of what a page will load",
            time=from_unix(entry.fetched),
            count=entry.uses,
            **owned.labels,
        )
        return
    head = entry.values.get("response-head", "")
    yield _item(owned, entry.key, head, entry.body, entry.modified, entry.fetched, entry.uses, file, "")


def contents(file: EvidenceFile) -> Iterator[Content | Problem]:
    """The body of one cache2 file, unpacked, by its address."""
    entry = _entry(file)
    if entry is None or _PREDICTION in entry.key:
        return
    yield from _body(entry.key, file.read(min(entry.body, bodies.LARGEST)), entry.body, entry.values.get("response-head", ""), 0)


def _body(key: bytes, body: bytes, size: int, head: str, offset: int | None) -> Iterator[Content | Problem]:
    name = _address(key.decode("utf-8", "backslashreplace"))
    if len(body) < size:
        reason = f"only the first {len(body)} of {size} bytes of a stored page were checked"
        yield Problem(reason, Status.SKIPPED if size > bodies.LARGEST else Status.FAILED, name)
    yield from bodies.content(name, body, bodies.encoding_in(head), offset=offset)


def _entry(file: EvidenceFile) -> _Entry | None:
    """None for a file too short to hold one. Raises ``Unrecognised``."""
    with file.open() as stream:
        size = stream.seek(0, 2)
        if size < 4:
            return None
        stream.seek(size - 4)
        body = int.from_bytes(stream.read(4), "big")
        sums = 4 + 2 * -(-body // _CHUNK)
        if body + sums + 28 > size - 4:
            raise Unrecognised("not an entry of Firefox's cache, or its end is missing")
        stream.seek(body + sums)
        metadata = stream.read(min(size - 4 - body - sums, _MOST_METADATA))
    version, count, fetched, modified, _, _, key_size = struct.unpack_from(">7I", metadata)
    start = 28 if version < 2 else 32
    if not 1 <= version <= 10 or not 0 < key_size <= len(metadata) - start:
        raise Unrecognised("not an entry of Firefox's cache")
    return _Entry(body, count, fetched, modified, metadata[start : start + key_size], _pairs(metadata[start + key_size + 1 :]))


def parse_old(file: EvidenceFile) -> Results:
    """``CachedItem`` for each entry in one of the block files."""
    owned = owner(file, FIREFOX)
    data = file.read(_LARGEST_OLD)
    if 0 < len(data) < _OLD_START:
        yield Problem("cut off before its first entry", Status.FAILED, f"offset={len(data)}")
        return
    found = False
    for offset, entry in _old_entries(file, data):
        found = True
        if offset + 36 + entry.key_size + entry.info_size > len(data):
            yield Problem("an entry is cut off", Status.FAILED, f"offset={offset}")
        head = entry.values.get("response-head", "")
        yield _item(owned, entry.key, head, entry.body, entry.modified, entry.fetched, entry.uses, file, f"offset={offset}")
    if not found and len(data) > _OLD_START and data.strip(b"\0"):
        raise Unrecognised("holds no entry of Firefox's cache")


class _OldEntry(NamedTuple):
    """The record of an entry in a block file; ``place`` is where this record lies, as the map of the cache says it."""

    place: int
    uses: int
    fetched: int
    modified: int
    body: int
    key_size: int
    info_size: int
    key: bytes
    values: dict[str, str]


def _old_entries(file: EvidenceFile, data: bytes) -> Iterator[tuple[int, _OldEntry]]:
    block = _OLD_BLOCKS.get(file.name.lower(), 256)
    for offset in range(_OLD_START, len(data) - 36, block):
        major, minor, place, count, fetched, modified, _, body, key_size, info_size = struct.unpack_from(">2H8I", data, offset)
        if major != 1 or not 1 <= minor <= 50 or not 2 <= key_size <= 1 << 21 or count == 0:
            continue
        key = data[offset + 36 : offset + 36 + key_size].rstrip(b"\0")
        if not re.match(rb"[!-~]+$", key):
            continue
        values = _pairs(data[offset + 36 + key_size : offset + 36 + key_size + min(info_size, _MOST_METADATA)])
        yield offset, _OldEntry(place, count, fetched, modified, body, key_size, info_size, key, values)


def contents_old(file: EvidenceFile) -> Iterator[Content | Problem]:
    """The bodies of the entries in one of the block files, as the map beside it says where they lie."""
    index = file.sibling("_CACHE_MAP_")
    if index is None:
        yield Problem("the map of the cache is missing: nothing says where the stored pages lie", Status.MISSING)
        return
    places = {
        meta: (number, data) for number, _, data, meta in struct.iter_unpack(">4I", _whole(index.read(_LARGEST_OLD)[_OLD_MAP_START:], 16))
    }
    for _, entry in _old_entries(file, file.read(_LARGEST_OLD)):
        number, place = places.get(entry.place, (0, 0))
        if place:
            yield from _body(entry.key, _old_body(file, number, place, entry.body), entry.body, entry.values.get("response-head", ""), None)


def _whole(data: bytes, record: int) -> bytes:
    return data[: len(data) // record * record]


def _old_body(file: EvidenceFile, number: int, place: int, size: int) -> bytes:
    """What lies at a place of the map: blocks of a block file, or a file of its own, which a newer version put into folders."""
    size = min(size, bodies.LARGEST)
    kind = place >> 28 & 3
    if kind:
        name, block = next((name.upper(), block) for name, block in _OLD_BLOCKS.items() if name.endswith(f"{kind}_"))
        blocks = file.sibling(name)
        if blocks is None:
            return b""
        with blocks.open() as stream:
            stream.seek(_OLD_START + (place & 0xFFFFFF) * block)
            return stream.read(min(size, ((place >> 24 & 3) + 1) * block))
    text = f"{number:08X}"
    for name in (f"{text}d{place & 0xFF:02X}", f"{text[0]}/{text[1:3]}/{text[3:]}d{place & 0xFF:02X}"):
        own = file.sibling(name)
        if own is not None:
            return own.read(size)
    return b""


def _item(
    owned: Owner, key: bytes, head: str, body: int, modified: int, fetched: int, count: int, file: EvidenceFile, locator: str
) -> CachedItem:
    kind = re.search(r"(?im)^content-type:[ \t]*([^\r\n;]{1,200})", head)
    return CachedItem(
        url=_address(key.decode("utf-8", "backslashreplace")),
        content_type=kind[1].strip() if kind else None,
        bytes=body,
        time=from_unix(modified),
        time_meaning="stored",
        last_used=from_unix(fetched),
        count=count,
        stored_in=None if locator else file.path,
        locator=locator,
        **owned.labels,
    )


def _address(key: str) -> str:
    """The address in a key: after tags and their values, each ended by a comma, and a colon (``O^partition,a,:https://…``)."""
    found = re.match(r"(?:[^:]*,)?:(?=[a-z])|HTTPS?(?:-\w+)?:(?=[a-z])|[a-zA-Z0-9^~=&%.,-]*?,:", key)
    # Answers to forms carry a number in front of the address.
    return re.sub(r"^id=[0-9a-f]+&uri=", "", key[found.end() :] if found else key)


def _pairs(data: bytes) -> dict[str, str]:
    """Names and values, each ended by a zero byte."""
    parts = data.split(b"\0")
    return {
        name.decode("utf-8", "backslashreplace"): value.decode("utf-8", "backslashreplace")
        for name, value in zip(parts[::2], parts[1::2], strict=False)
    }


ARTEFACTS = (
    Artefact(
        id="browsers.firefox.cache",
        title="Firefox: stored copies of pages",
        meaning="Pages, pictures and other parts of pages that Firefox fetched and kept, when, and how often they were used.",
        paths=("**/cache2/entries/*", "**/cache2/doomed/*"),
        parse=parse,
        references=("https://searchfox.org/mozilla-central/source/netwerk/cache2/CacheFileMetadata.h",),
        validation="specimens of Firefox 37 and 90; profiles made by Firefox in the tests",
        contents=contents,
    ),
    Artefact(
        id="browsers.firefox.old_cache",
        title="Firefox before 32: stored copies of pages",
        meaning="Pages, pictures and other parts of pages that an older Firefox fetched and kept.",
        paths=("**/_CACHE_001_", "**/_CACHE_002_", "**/_CACHE_003_"),
        parse=parse_old,
        references=("https://www.forensicswiki.org/wiki/Mozilla_Cache_File_format",),
        validation="specimens of Firefox 3",
        contents=contents_old,
    ),
)
