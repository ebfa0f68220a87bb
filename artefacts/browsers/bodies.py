"""The body of an answer from a web server as the page saw it: unpacked as its header ``Content-Encoding`` says.

Sources: RFC 9110 section 8.4 (the codings, applied in the order listed), RFC 1950 to 1952, RFC 7932 (Brotli), RFC 8878 (Zstandard).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.registry import Content

LARGEST = 64 << 20
"""Bytes of a body that are read, and that are unpacked."""
KEPT = "among what a browser keeps"
_MOST_CODINGS = 4


def content(name: str, body: bytes, encoding: str, *, offset: int | None = None, recovered: bool = False) -> Iterator[Content | Problem]:
    """A cached body for the checks on content: unpacked, or as it is with a ``Problem`` where it cannot be. ``encoding`` is the header's value."""
    try:
        plain = decoded(body, encoding)
    except ValueError as error:
        yield Problem(f"a stored page cannot be unpacked: {error}", Status.FAILED, name)
        plain = body
    if plain:
        yield Content(name, plain, KEPT, offset if plain is body else None, recovered)


def encoding_in(headers: str | bytes) -> str:
    """The value of ``Content-Encoding`` in headers parted by line ends or zero bytes; empty where there is none."""
    text = headers.decode("latin-1") if isinstance(headers, bytes) else headers
    found = re.search(r"(?i)[\0\n]content-encoding:[ \t]*([a-z0-9, \t-]{1,60})", text)
    return found[1].strip() if found else ""


def decoded(body: bytes, encoding: str) -> bytes:
    """``body`` without its codings. Raises ``ValueError`` for one that is unknown, damaged, or larger than ``LARGEST`` when unpacked."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()]
    if len(names) > _MOST_CODINGS:
        raise ValueError(f"{len(names)} codings")
    for name in reversed(names):
        if name == "identity" or not body:
            continue
        if name not in _CODINGS:
            raise ValueError(f"its coding {name} is not known")
        body = _CODINGS[name](body)
        if len(body) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST >> 20} MiB")
    return body


def _gzip(data: bytes) -> bytes:
    return _inflate(data, 31)


def _deflate(data: bytes) -> bytes:
    # "deflate" means the zlib format; servers that sent bare deflate data were common enough for every browser to take both.
    try:
        return _inflate(data, 15)
    except ValueError:
        return _inflate(data, -15)


def _inflate(data: bytes, window: int) -> bytes:
    unpacker = zlib.decompressobj(window)
    try:
        out = unpacker.decompress(data, LARGEST + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return _ended(out, unpacker.eof)


def _brotli(data: bytes) -> bytes:
    import brotli

    unpacker = brotli.Decompressor()
    out = bytearray()
    try:
        out += unpacker.process(data, output_buffer_limit=LARGEST + 1)
        while not unpacker.can_accept_more_data() and len(out) <= LARGEST:
            out += unpacker.process(b"", output_buffer_limit=LARGEST + 1)
        return _ended(bytes(out), unpacker.is_finished())
    except brotli.error as error:
        raise ValueError(str(error) or "damaged") from error


def _zstd(data: bytes) -> bytes:
    from backports import zstd

    out = b""
    while data and len(out) <= LARGEST:
        unpacker: Any = zstd.ZstdDecompressor()
        try:
            out += unpacker.decompress(data, LARGEST + 1)
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from error
        _ended(out, unpacker.eof)
        data = unpacker.unused_data
    return out


def _ended(out: bytes, whole: bool) -> bytes:
    if not whole and len(out) <= LARGEST:
        raise ValueError("it is cut short")
    return out


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd,
}  # fmt: skip
