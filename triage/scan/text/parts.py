"""What a format's reader gives, and how much all readers together may take of one file."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, BinaryIO

from artefacts.coverage import Problem

MAX_EXPANDED = 256 << 20
"""Bytes that may come out of one file, however deep they lie."""
MAX_MEMBERS = 10_000
"""Members and attachments of one file."""
MAX_MESSAGES = 500_000
"""Messages of one mail store, which is as large as they are: only their number has to end somewhere."""
MAX_DEPTH = 4
"""Containers inside containers; the file itself is the first."""
MAX_RATIO, RATIO_FROM = 200, 1 << 20
"""A stream that grows more than so many times is a bomb, once it has given this many bytes."""
MAX_READ = 64 << 20
"""Bytes read of formats that have to be in memory whole (markup, RTF)."""
MAX_PACKED = 256 << 20
"""The same for archives."""
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a document. ``where`` is one of ``rules.keywords.PLACES``; ``locator`` says which part of the document they are."""

    text: str
    locator: str = ""
    where: str = "text"


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside the file. ``how`` says in words what kind of place it lies in, where the container's kind does not; ``offset``: the byte of
    the container at which it begins, if it lies there as it is; ``recovered``: nothing leads to it any more."""

    name: str
    data: bytes
    how: str = ""
    offset: int | None = None
    recovered: bool = False


Part = Text | Member | Problem
"""A problem's ``locator`` names the member it is about, where it is about one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may come out of one file: bytes and members, and how long it may take."""

    expanded: int
    members: int
    seconds: float = 600.0


class Budget:
    """The limits of one file, used up by everything inside it. ``beat`` tells the parent process that the work goes on."""

    def __init__(
        self, beat: Callable[[], None], size: int = 0, *, limits: Limits | None = None, words: bool = True, everything: bool = False
    ) -> None:
        """``size``: bytes of the file itself, which may all come out again (a mail store is not compressed). ``words``: text is wanted;
        ``everything``: members of any kind are."""
        limits = limits or Limits(MAX_EXPANDED, MAX_MEMBERS)
        self.beat, self.words, self.everything = beat, words, everything
        self._most = limits.expanded + size
        self._bytes_left = self._most
        self._most_members = self._members_left = limits.members
        self._seconds = limits.seconds
        self._end = time.monotonic() + limits.seconds
        self._messages_left = MAX_MESSAGES

    @property
    def left(self) -> int:
        """Bytes that may still come out."""
        return max(self._bytes_left, 0)

    @property
    def spent(self) -> str:
        """Why nothing more may be taken out of the file; empty while something may."""
        if self._bytes_left <= 0:
            return f"more than {self._most >> 20} MiB come out of it: the rest was left"
        if self._members_left < 0:
            return f"more than {self._most_members} members: the rest was left"
        if time.monotonic() > self._end:
            return f"takes longer than {self._seconds:.0f} seconds: the rest was left"
        if self._messages_left < 0:
            return f"more than {MAX_MESSAGES} messages: the rest was left"
        return ""

    def member(self) -> bool:
        """Count one more member; False where there have been enough."""
        self._members_left -= 1
        return self._members_left >= 0

    def message(self) -> bool:
        """Count one more message of a mail store; False where there have been enough."""
        self._messages_left -= 1
        return self._messages_left >= 0

    def took(self, size: int) -> None:
        """Count bytes that came out."""
        self._bytes_left -= size
        self.beat()

    def expand(
        self, stream: IO[bytes] | io.BufferedIOBase, packed: int, wanted: Callable[[bytes], bool] | None = None
    ) -> tuple[bytes, str]:
        """What a decompressing ``stream`` gives, and why it ended early (empty where it did not).

        ``packed``: the bytes it is made from. ``wanted`` is asked about the first 4 KiB; where it says no, they are all that is read and
        nothing is returned. Of a bomb nothing is returned; of a damaged stream what came before the damage.
        """
        parts: list[bytes] = []
        size = 0
        try:
            while chunk := stream.read(4096 if not parts else _CHUNK):
                if not parts and wanted is not None and not self.everything and not wanted(chunk):
                    return b"", ""
                parts.append(chunk)
                size += len(chunk)
                self.took(len(chunk))
                if size > RATIO_FROM and size > MAX_RATIO * max(packed, 1):
                    return b"", f"grows more than {MAX_RATIO} times when it is unpacked: taken for a bomb and left"
                if self.spent:
                    return b"".join(parts), self.spent
        except MemoryError:
            raise
        except Exception as error:  # zlib, bz2, lzma, struct and zipfile each have their own
            return b"".join(parts), f"is damaged: {str(error) or type(error).__name__}"
        return b"".join(parts), ""


def size_of(stream: BinaryIO) -> int:
    """Length of a seekable stream, which is left at its beginning."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size
