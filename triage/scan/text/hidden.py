"""Pictures where they hide: after the end of another picture, small inside one, in the streams of a document, in bytes that are no known format.

Only what can be given as the file that it was is given; what lies there in another form (pixels of a PDF) is not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from artefacts.coverage import Problem
from triage.scan.carving import Broken, CutShort, Search
from triage.scan.carving.formats import gif, jpeg, png, webp
from triage.scan.filetype import by_signature, is_text
from triage.scan.text.parts import Budget, Member, Part

MAX_HELD = 64 << 20
"""Bytes of a picture, or of bytes in which pictures are looked for, that are held in memory."""
_ENDS = {"image/jpeg": jpeg, "image/png": png, "image/gif": gif, "image/webp": webp}
_EXIF = b"Exif\0\0"
_THUMBNAIL, _THUMBNAIL_LENGTH = 0x0201, 0x0202


def is_picture(head: bytes) -> bool:
    """Whether a content begins as a picture whose end can be told."""
    return by_signature(head) in _ENDS


def is_unknown(head: bytes) -> bool:
    """Whether a content is neither text nor of any known format."""
    return bool(head) and by_signature(head) is None and not is_text(head)


def read_picture(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The small picture inside a photograph, and what comes after a picture's end."""
    data = stream.read(MAX_HELD)
    kind = by_signature(data[:64])
    if kind == "image/jpeg":
        yield from _exif_thumbnail(data)
        # Coded data never holds the end mark: where the file ends with the first, nothing was put behind it.
        if data.find(b"\xff\xd9", max(data.find(b"\xff\xda"), 0)) == len(data) - 2:
            return
    try:
        end = _ENDS[kind or ""](data, 0)
    except (Broken, CutShort):
        return  # a damaged picture: nobody can say where it ends
    rest = data[end:]
    if not rest.strip(b"\0\xff\n\r "):
        return
    budget.took(len(rest))
    yield Member("data after its end", rest, "after the end of a picture", offset=end)


def read_unknown(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """Pictures somewhere in bytes of no known format."""
    yield from pictures(stream.read(MAX_HELD), budget, "inside a file of no known kind")


def pictures(data: bytes, budget: Budget, how: str, *, placed: bool = True, prefix: str = "") -> Iterator[Part]:
    """Every whole picture in ``data``; ``placed``: it is the content as it stands, so that places in it say where the pictures are."""
    search = Search(lambda offset, length: data[offset : offset + length])
    for found in search.between(0, len(data)):
        if not budget.member() or budget.spent:
            yield Problem(budget.spent)
            return
        name = f"{prefix}{found.kind} picture at byte {found.start}"
        yield Member(name, data[found.start : found.end], how, offset=found.start if placed else None)
    if search.gave_up:
        yield Problem("so many false headers of pictures that the rest was not searched")


def _exif_thumbnail(data: bytes) -> Iterator[Member]:
    """The thumbnail of Exif 2.3, section 4.5.4: a JPEG that the second directory of the Exif segment points to."""
    start = data.find(_EXIF, 0, 1 << 16)
    if start < 0:
        return
    base = start + len(_EXIF)
    order = {b"II": "<", b"MM": ">"}.get(data[base : base + 2])
    if order is None:
        return
    try:
        (first,) = struct.unpack_from(f"{order}I", data, base + 4)
        (entries,) = struct.unpack_from(f"{order}H", data, base + first)
        (second,) = struct.unpack_from(f"{order}I", data, base + first + 2 + 12 * entries)
        (entries,) = struct.unpack_from(f"{order}H", data, base + second)
        fields = dict(struct.unpack_from(f"{order}H6xI", data, base + second + 2 + 12 * number) for number in range(min(entries, 64)))
    except struct.error:
        return
    offset, length = base + fields.get(_THUMBNAIL, 0), fields.get(_THUMBNAIL_LENGTH, 0)
    small = data[offset : offset + length]
    if second and 4 < length <= 1 << 16 and small.startswith(b"\xff\xd8") and len(small) == length:
        yield Member("thumbnail", small, "as a small copy inside a picture", offset=offset)
