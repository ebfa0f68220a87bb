"""Archives and compressed streams: zip (with the documents that are zips), tar, gzip, bzip2, xz, zstd."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from artefacts.coverage import Problem, Status
from triage.scan.text import packages
from triage.scan.text.kinds import worth_unpacking
from triage.scan.text.parts import Budget, Member, Part, Text, size_of

_ENCRYPTED = 0x1
_CHUNK = 1 << 16


def read_zip(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """Members of a zip, or the words of the office document that it is. Names count as names."""
    try:
        archive = zipfile.ZipFile(stream)
    except Exception as error:
        yield Problem(f"is damaged: {str(error) or type(error).__name__}")
        return
    with archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        document = packages.recognise({info.filename for info in members})
        locked = [info for info in members if info.flag_bits & _ENCRYPTED]
        if locked:
            reason = f"{len(locked)} of its {len(members)} members are encrypted, the first: {locked[0].filename}"
            yield Problem(reason, Status.ENCRYPTED)
        if document is not None:
            yield from packages.read(archive, members, document, budget)
            return
        for info in members:
            if not budget.member() or budget.spent:
                yield Problem(budget.spent)
                return
            yield Text(info.filename, info.filename, "name")
            if info.flag_bits & _ENCRYPTED:
                continue
            try:
                with archive.open(info) as content:
                    data, reason = budget.expand(content, info.compress_size, worth_unpacking)
            except Exception as error:
                yield Problem(f"a member cannot be unpacked: {str(error) or type(error).__name__}", locator=info.filename)
                continue
            if reason:
                yield Problem(reason, locator=info.filename)
            if data:
                yield Member(info.filename, data)


def read_tar(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """Members of a tar."""
    try:
        archive = tarfile.open(fileobj=stream, mode="r:")
        while (info := archive.next()) is not None:
            if not budget.member() or budget.spent:
                yield Problem(budget.spent)
                return
            yield Text(info.name, info.name, "name")
            if not info.isreg() or info.sparse or (content := archive.extractfile(info)) is None:
                continue
            data, reason = budget.expand(content, info.size, worth_unpacking)
            if reason or 0 < len(data) < info.size:
                yield Problem(reason or "is cut short", locator=info.name)
            if data:
                yield Member(info.name, data)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        yield Problem(f"is damaged: {error}")


def read_gzip(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The content of a gzip file, all its members joined."""
    yield from _stream(stream, _Gzip, budget)


def read_bzip2(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The content of a bzip2 file."""
    yield from _stream(stream, bz2.BZ2File, budget)


def read_xz(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The content of an xz file."""
    yield from _stream(stream, lzma.LZMAFile, budget)


def read_zstd(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The content of a Zstandard file."""
    from backports.zstd import ZstdFile

    yield from _stream(stream, ZstdFile, budget)


def _stream(stream: BinaryIO, opened: Callable[[BinaryIO], io.BufferedIOBase], budget: Budget) -> Iterator[Part]:
    packed = size_of(stream)
    data, reason = budget.expand(opened(stream), packed, worth_unpacking)
    if reason:
        yield Problem(reason)
    if data:
        yield Member("", data)


class _Gzip(io.BufferedIOBase):
    """Decompressed gzip. What follows the last member is left alone, not damage: a browser's cache puts its own data there."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source, self._member, self._rest = source, zlib.decompressobj(31), b""

    def read(self, size: int | None = -1, /) -> bytes:
        """At least one byte and at most ``size``; none at the end. Raises ``EOFError`` where the last member is cut short, ``zlib.error``."""
        while True:
            if self._member.eof:
                self._rest = self._member.unused_data
                if len(self._rest) < 2:
                    self._rest += self._source.read(_CHUNK)
                if not self._rest.startswith(b"\x1f\x8b"):
                    return b""
                self._member = zlib.decompressobj(31)
            raw = self._rest or self._source.read(_CHUNK)
            data = self._member.decompress(raw, size if size and size > 0 else 0)
            self._rest = self._member.unconsumed_tail
            if data:
                return data
            if not raw and not self._member.eof:
                raise EOFError("it ends before its last member does")
