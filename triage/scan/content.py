"""One read of a file feeds every check: digests, and the bytes themselves where something else will want them."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from triage.evidence.filesystems.stream import ContentStream
from triage.evidence.model import Entry, Filesystem, ReadError

CHUNK = 4 << 20
KEEP = 32 << 20
"""Files up to this size are held in memory while they are checked; larger ones are streamed."""
ALGORITHMS = ("md5", "sha1", "sha256")


@dataclass(slots=True)
class Content:
    """What reading a file gave. ``data`` is None for a file larger than ``KEEP``; ``head`` is its beginning in any case; ``sound``: all of it
    was read."""

    digests: dict[str, bytes] = field(default_factory=dict)
    data: bytes | None = None
    head: bytes = b""
    read: int = 0
    errors: Sequence[ReadError] = ()
    sound: bool = False


_HASHERS: dict[str, Callable[[bytes], Any]] = {
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "sha256": partial(hashlib.sha256, usedforsecurity=False),
}


def digests_of(data: bytes, algorithms: Iterable[str]) -> dict[str, bytes]:
    """Digests of ``data`` by name."""
    return {name: _HASHERS[name](data).digest() for name in algorithms}


def _in_one_piece(filesystem: Filesystem, entry: Entry) -> bytes | None:
    """A file that lies in one piece, straight from the volume: most do, and a stream costs as much as hashing ten kilobytes. None for any
    other, and where something could not be read: the stream says what."""
    volume = filesystem.run_bytes
    if (
        volume is None
        or not entry.runs
        or len(entry.runs) != 1
        or entry.flags
        or entry.runs[0].offset < 0
        or entry.runs[0].length != entry.size
    ):
        return None
    before = len(volume.errors)
    data = volume.read_at(entry.runs[0].offset, entry.size)
    return data if len(data) == entry.size and len(volume.errors) == before else None


def read_content(
    filesystem: Filesystem,
    entry: Entry,
    algorithms: Sequence[str],
    beat: Callable[[int], None],
    seconds: defaultdict[str, float],
    also: Callable[[bytes], None] | None = None,
) -> Content:
    """Read an entry once. ``beat(n)`` is called as bytes come in; ``also`` gets every chunk of a file too large to keep; the time taken
    is added to ``seconds`` under ``read`` and ``hash``.

    Raises ``OSError`` where the content cannot be opened at all; unreadable parts come back in ``errors`` and read as zeros.
    """
    clock = time.perf_counter
    started = clock()
    data = _in_one_piece(filesystem, entry) if entry.size <= KEEP else None
    if data is not None:
        read_at = clock()
        beat(len(data))
        digests = digests_of(data, algorithms)
        seconds["read"] += read_at - started
        seconds["hash"] += clock() - read_at
        return Content(digests, data, data[:4096], len(data))
    with filesystem.open(entry) as stream:
        if entry.size <= KEEP:
            data = stream.whole(KEEP + 1) if isinstance(stream, ContentStream) else stream.read(KEEP + 1)
            read_at = clock()
            beat(len(data))
            digests = digests_of(data, algorithms)
            seconds["read"] += read_at - started
            seconds["hash"] += clock() - read_at
            return Content(digests, data, data[:4096], len(data), getattr(stream, "read_errors", ()))
        hashers = {name: _HASHERS[name](b"") for name in algorithms}
        head, read = b"", 0
        while chunk := stream.read(CHUNK):
            read_at = clock()
            read += len(chunk)
            beat(len(chunk))
            head = head or chunk[:4096]
            for hasher in hashers.values():
                hasher.update(chunk)
            seconds["read"] += read_at - started
            started = clock()
            seconds["hash"] += started - read_at
            if also is not None:
                also(chunk)
                started = clock()
        return Content({name: hasher.digest() for name, hasher in hashers.items()}, None, head, read, getattr(stream, "read_errors", ()))
