"""Exif: the camera that made a picture, its number, when, and whether the place is given.

Sources: Exif 2.32 (CIPA DC-008) for the tags, and for where the structure lies: JPEG the APP1 segment, TIFF and camera raw files the file itself,
PNG the ``eXIf`` chunk (PNG Third Edition), WebP the ``EXIF`` chunk, HEIC and AVIF an item (ISO 23008-12, annex A.2). The number of the
camera's body is tag A431; Nikon and Canon keep it in their own notes, too (tags 001D and 000C), where cameras before 2010 have it alone.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation, PictureFacts
from artefacts.pictures.tiff import NoTiff, Tiff, Value
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_local

MAX_HEAD = 4 << 20
"""Bytes at a picture's beginning in which its Exif structure must lie, where the structure is not the file itself."""
_EXIF = b"Exif\0\0"
_TIME = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_ZONE = re.compile(r"([+-])(\d\d):(\d\d)")
_STRUCTURE = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_HEIF = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"))
_MAKER, _MODEL, _SOFTWARE, _CHANGED = 0x010F, 0x0110, 0x0131, 0x0132
_EXIF_TAGS, _GPS_TAGS = 0x8769, 0x8825
_TAKEN, _MADE, _ZONE_TAKEN, _ZONE_MADE, _ZONE_CHANGED = 0x9003, 0x9004, 0x9011, 0x9012, 0x9010
_FRACTION_TAKEN, _NOTE, _SERIAL, _DNG_SERIAL = 0x9291, 0x927C, 0xA431, 0xC62F
_LATITUDE, _LONGITUDE = 2, 4
_SMALL, _SMALL_LENGTH = 0x0201, 0x0202
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


def kind_of(head: bytes) -> str | None:
    """The kind of picture that begins like this, of those in which facts are looked for: jpeg, tiff, png, webp, heif; None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")):
        return "tiff"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return "heif" if head[4:8] == b"ftyp" and head[8:12] in _HEIF else None


def facts(stream: BinaryIO) -> Iterator[PictureFacts | Problem]:
    """One ``PictureFacts`` where the picture says anything of its camera, its time or its place; a ``Problem`` where what it says is damaged.

    Raises ``Unrecognised`` for what is no picture of a known kind.
    """
    kind = kind_of(stream.read(16))
    if kind is None:
        raise Unrecognised("no picture in which facts are kept")
    width = height = None
    if kind == "tiff":
        structure, base = stream, 0
    else:
        stream.seek(0)
        head = stream.read(MAX_HEAD)
        place, (width, height) = _FINDERS[kind](head)
        if place is None:
            return
        structure, base = io.BytesIO(head), place
    try:
        tiff = Tiff(structure, base)
    except NoTiff:
        yield Problem("the Exif part has no valid header")
        return
    found = _read(tiff)
    found.width, found.height = width, height
    if found.maker or found.model or found.serial or found.software or found.gps == "yes" or found.time != NOT_RECORDED:
        yield found
    if tiff.damaged:
        yield Problem("parts of the Exif tags lie beyond the end or make no sense: left out")


def thumbnail(data: bytes) -> bytes | None:
    """The small copy (JPEG) in the Exif part of a JPEG; None where there is none."""
    place, _ = _in_jpeg(data[:MAX_HEAD])
    if place is None:
        return None
    try:
        tiff = Tiff(io.BytesIO(data[:MAX_HEAD]), place)
    except NoTiff:
        return None
    _, second = tiff.directory(tiff.first)
    tags = tiff.directory(second)[0] if second else {}
    offset, length = (value.number if (value := tags.get(tag)) is not None else None for tag in (_SMALL, _SMALL_LENGTH))
    if not offset or not length:
        return None
    small = data[place + offset : place + offset + length]
    return small if small.startswith(b"\xff\xd8\xff") and len(small) == length else None


def _read(tiff: Tiff) -> PictureFacts:
    tags, _ = tiff.directory(tiff.first)
    exif = tiff.under(tags, _EXIF_TAGS)
    maker = _text(tags, _MAKER)
    return PictureFacts(
        maker=maker,
        model=_text(tags, _MODEL),
        serial=_text(exif, _SERIAL) or _text(tags, _DNG_SERIAL) or _in_note(tiff, exif, maker or ""),
        time=_time(tags, exif),
        gps="yes" if _has_place(tiff.under(tags, _GPS_TAGS)) else "no",
        software=_text(tags, _SOFTWARE),
    )


def _text(tags: Mapping[int, Value], tag: int) -> str | None:
    value = tags.get(tag)
    text = value.text if value is not None else None
    return text[:200] if text else None


def _has_place(tags: Mapping[int, Value]) -> bool:
    # Cameras without reception write the tags with zeros, or degrees over nothing.
    given = False
    for tag in (_LATITUDE, _LONGITUDE):
        value = tags.get(tag)
        if value is None or value.kind != 5 or len(value.data) < 24:
            return False
        numbers = struct.unpack_from(value.order + "6I", value.data)
        if not numbers[1]:
            return False
        given |= any(numbers[::2])
    return given


def _time(tags: Mapping[int, Value], exif: Mapping[int, Value]) -> Time:
    """When the picture was taken, else made, by the clock of the camera; where it only says when it was last changed, that, if a camera is named."""
    for where, tag, zone in ((exif, _TAKEN, _ZONE_TAKEN), (exif, _MADE, _ZONE_MADE), (tags, _CHANGED, _ZONE_CHANGED)):
        text = _text(where, tag)
        match = _TIME.match(text) if text else None
        if match is None or (tag == _CHANGED and not (_text(tags, _MAKER) or _text(tags, _MODEL))):
            continue
        local = "{}-{}-{}T{}:{}:{}".format(*match.groups())
        offset = _ZONE.fullmatch(_text(exif, zone) or "")
        if offset is None:
            return from_local(local, "Exif")
        return _instant(local, offset)
    return NOT_RECORDED


def _instant(local: str, offset: re.Match[str]) -> Time:
    from datetime import datetime

    try:
        return Timestamp.from_datetime(datetime.fromisoformat(f"{local}{offset.group()}"))
    except (ValueError, OverflowError):
        return NoTime("no date of the calendar", local=local)


def _in_note(tiff: Tiff, exif: Mapping[int, Value], maker: str) -> str | None:
    """The number of the camera's body in the maker's own notes."""
    note = exif.get(_NOTE)
    if note is None:
        return None
    if maker.upper().startswith("NIKON") and note.data.startswith(b"Nikon\0\x02"):
        try:
            own = Tiff(io.BytesIO(note.data[10:]))
        except NoTiff:
            return None
        return _text(own.directory(own.first)[0], 0x001D)
    if maker.upper().startswith("CANON"):
        number = tiff.directory(note.at)[0].get(0x000C)
        value = number.number if number is not None else None
        return str(value) if value else None
    return None


def _in_jpeg(head: bytes) -> tuple[int | None, tuple[int | None, int | None]]:
    """Where the Exif structure begins, and the size in pixels."""
    at, place = 2, None
    size: tuple[int | None, int | None] = (None, None)
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", head, at + 2)
        if marker == 0xE1 and place is None and head.startswith(_EXIF, at + 4):
            place = at + 4 + len(_EXIF)
        if marker in _FRAMES and at + 9 <= len(head):
            high, wide = struct.unpack_from(">HH", head, at + 5)
            size = (wide, high)
        if marker in (0xDA, 0xD9) or length < 2:
            break
        at += 2 + length
    return place, size


def _in_png(head: bytes) -> tuple[int | None, tuple[int | None, int | None]]:
    at, size = 8, (None, None)
    if head[12:16] == b"IHDR" and len(head) >= 24:
        size = struct.unpack_from(">II", head, 16)
    while at + 8 <= len(head):
        (length,) = struct.unpack_from(">I", head, at)
        if head[at + 4 : at + 8] == b"eXIf":
            return at + 8, size
        at += 12 + length
    return None, size


def _in_webp(head: bytes) -> tuple[int | None, tuple[int | None, int | None]]:
    at = 12
    while at + 8 <= len(head):
        (length,) = struct.unpack_from("<I", head, at + 4)
        if head[at : at + 4] == b"EXIF":
            # The specification has the structure alone here; many programs write the name of the JPEG segment before it.
            return at + 8 + (len(_EXIF) if head.startswith(_EXIF, at + 8) else 0), (None, None)
        at += 8 + length + length % 2
    return None, (None, None)


def _in_heif(head: bytes) -> tuple[int | None, tuple[int | None, int | None]]:
    # The item's place is told by two boxes of many versions; its beginning is unmistakable, and writers put it before the pictures.
    match = _STRUCTURE.search(head)
    return (match.end() if match else None), (None, None)


_FINDERS = {"jpeg": _in_jpeg, "png": _in_png, "webp": _in_webp, "heif": _in_heif}


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """See ``facts``."""
    with file.open() as stream:
        yield from facts(stream)


EXIF = Artefact(
    id="pictures.exif",
    title="What pictures say of themselves",
    meaning="The camera or phone that took a picture, when, and whether the place is given.",
    paths=(),
    parse=parse,
    references=("https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2019-E",),
)
"""Not found by path but by content: the picture check of a scan asks it of every picture, wherever it lies."""
