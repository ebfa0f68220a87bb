"""Finding pictures and videos in bytes that are only partly in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from triage.scan.carving import formats
from triage.scan.carving.formats import Broken, CutShort

LARGEST_PICTURE = 64 << 20
LARGEST_VIDEO = 4 << 30
_FIRST_LOOK = 256 << 10
_SECONDS = 60.0
"""What false headers may cost in one stretch of bytes: made on purpose, they could cost hours."""

_Ends = Callable[[bytes, int], int]
_ENDS: dict[str, _Ends] = {"jpg": formats.jpeg, "png": formats.png, "gif": formats.gif, "webp": formats.webp}
# Bytes, how far they lie from the beginning of the file, and its kind.
_PICTURES = (
    (b"\xff\xd8\xff", 0, "jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "png"),
    (b"GIF8", 0, "gif"),
    (b"WEBPVP8", 8, "webp"),
)
_VIDEOS = ((b"ftyp", 4, "mp4"),)
_LONGEST = 8


class Carved(NamedTuple):
    """A whole picture or video: from ``start`` to ``end``; ``kind`` is its usual extension."""

    start: int
    end: int
    kind: str


class Search:
    """Looks through stretches of bytes that ``read(offset, length)`` gives, fewer only at the end.

    ``videos``: MP4 and QuickTime are looked for, too. ``broken``: headers that no sound picture followed; ``gave_up``: stretches in which there
    were so many of them that the rest was left.
    """

    def __init__(self, read: Callable[[int, int], bytes], *, videos: bool = False, piece: int = 4 << 20) -> None:
        self._read, self._piece = read, piece
        self._signatures = _PICTURES + _VIDEOS if videos else _PICTURES
        self.broken = 0
        self.gave_up = 0

    def between(self, start: int, end: int) -> Iterator[Carved]:
        """Every whole picture that lies from ``start`` to ``end``, in order. What lies inside one is not looked for."""
        place = start
        wasted = 0.0
        while place < end:
            # With what goes before it, for a mark that stands inside its file, and a little of what follows, for one that lies across.
            first = max(start, place - _LONGEST)
            data = self._read(first, min(self._piece + 2 * _LONGEST, end - first))
            if not data:
                return
            after = first + min(len(data), self._piece)
            for at, kind in self._marks(data, first):
                if not place <= at < after:
                    continue
                begun = time.monotonic()
                last = self._end(at, end, kind)
                if last is None:
                    wasted += time.monotonic() - begun
                    if wasted > _SECONDS:
                        self.gave_up += 1
                        return
                    continue
                yield Carved(at, last, kind)
                place = last  # later marks in this piece that lie before it are inside the picture
            place = max(place, after)

    def _marks(self, data: bytes, base: int) -> Iterator[tuple[int, str]]:
        """The places where something may begin, in order."""
        following = _first(data, tuple(mark for mark, _, _ in self._signatures))
        while following:
            at, number = min(following)
            following.remove((at, number))
            mark, before, kind = self._signatures[number]
            yield base + at - before, kind
            again = data.find(mark, at + 1)
            if again >= 0:
                following.append((again, number))

    def _end(self, start: int, limit: int, kind: str) -> int | None:
        try:
            if kind == "mp4":
                end = formats.mp4(self._read, start, min(limit, start + LARGEST_VIDEO))
            else:
                end = self._picture_end(start, limit, kind)
        except (Broken, CutShort):
            self.broken += 1
            return None
        return end

    def _picture_end(self, start: int, limit: int, kind: str) -> int:
        look = _FIRST_LOOK
        while True:
            length = min(look, limit - start, LARGEST_PICTURE)
            try:
                return start + _ENDS[kind](self._read(start, length), 0)
            except CutShort:
                if length < look or look >= LARGEST_PICTURE:
                    raise
                look *= 4


def _first(data: bytes, marks: tuple[bytes, ...]) -> list[tuple[int, int]]:
    """Where each of the marks that are in ``data`` stands first, with its number. Most bytes hold none: one pass says so, not one a mark."""
    database = _database(marks)
    if database is None:
        return [(at, number) for number, mark in enumerate(marks) if (at := data.find(mark)) >= 0]
    found: list[tuple[int, int]] = []

    def met(number: int, _start: int, end: int, _flags: int, _context: Any) -> None:
        found.append((end - len(marks[number]), number))

    database.scan(data, match_event_handler=met)
    return found


@cache
def _database(marks: tuple[bytes, ...]) -> Any:
    """The marks for Hyperscan, each reported once; None where it is not installed."""
    try:
        import hyperscan
    except ImportError:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[b"".join(b"\\x%02x" % byte for byte in mark) for mark in marks],
        ids=list(range(len(marks))),
        elements=len(marks),
        flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(marks),
    )
    database.scratch = hyperscan.Scratch(database)
    return database
