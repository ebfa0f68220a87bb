"""Compound files (MS-CFB) from hostile evidence: their streams, as far as they are sound. Read by olefile."""

from __future__ import annotations

import io
from collections.abc import Iterator

from artefacts.coverage import Problem, Status

SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
LARGEST = 64 << 20  # bytes of a file that is worth reading
_MOST_STREAMS = 10_000


def streams_of(data: bytes) -> Iterator[tuple[str, bytes] | Problem]:
    """The streams of the root storage, by lower-case name.

    olefile was written for sound files: on hostile ones it may raise nearly anything, and each becomes a ``Problem``.
    """
    import olefile

    try:
        compound = olefile.OleFileIO(io.BytesIO(data))
        names = [path[0] for path in compound.listdir() if len(path) == 1]
    except Exception as error:
        yield Problem(f"a damaged compound file ({type(error).__name__})", Status.FAILED, "offset=0")
        return
    budget = 4 * LARGEST
    for name in names[:_MOST_STREAMS]:
        try:
            content = compound.openstream(name).read()
        except Exception as error:
            yield Problem(f"a stream is damaged ({type(error).__name__})", Status.FAILED, f"stream={name}")
            continue
        budget -= len(content)
        if budget < 0:
            # Streams that share their sectors can add up to far more than the file.
            yield Problem("its streams overlap: the rest is not read", Status.FAILED, f"stream={name}")
            return
        yield name.lower(), content
    if len(names) > _MOST_STREAMS:
        yield Problem(f"{len(names)} streams: only {_MOST_STREAMS} are read", Status.FAILED)
