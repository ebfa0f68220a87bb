"""One read of a file feeds every check: digests, and the bytes themselves where something else will want them."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from triage.evidence.filesystems.stream import ContentStream
from triage.evidence.model import Entry, Filesystem, ReadError

CHUNK = 4 << 20
KEEP = 32 << 20
"""Files up to this size are held in memory while they are checked; larger ones are streamed."""
ALGORITHMS = ("md5", "sha1", "sha256")


@dataclass(slots=True)
class Content:
    """What reading a file gave. ``data`` is None for a file larger than ``KEEP``; ``head`` is its beginning in any case."""

    digests: dict[str, bytes] = field(default_factory=dict)
    data: bytes | None = None
    head: bytes = b""
    read: int = 0
    errors: Sequence[ReadError] = ()


_HASHERS: dict[str, Callable[[bytes], Any]] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False),
    "sha256": lambda data: hashlib.sha256(data, usedforsecurity=False),
}


def digests_of(data: bytes, algorithms: Iterable[str]) -> dict[str, bytes]:
    """Digests of ``data`` by name."""
    return {name: _HASHERS[name](data).digest() for name in algorithms}


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
