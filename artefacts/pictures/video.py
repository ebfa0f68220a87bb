"""What a video file says of itself, without decoding a frame: how long it plays, with which codec, when it was made and with what.

Sources: ISO/IEC 14496-12 (MP4) and Apple, "QuickTime File Format Specification" (``mvhd``, ``tkhd``, ``stsd``, ``udta``, ``meta``); RFC 8794 and
RFC 9559 (EBML and Matroska); Microsoft, "AVI RIFF File Reference" (``avih``, ``strh``, ``IDIT``). Times of MP4 are seconds since 1904 that the
standard calls UTC; cameras without a zone write their wall clock there: it is given as an instant, and the report says what it may be.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation, VideoFacts
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NS, NoTime, Time, Timestamp, from_local, from_unix

_EPOCH_1904 = -2_082_844_800  # 1904-01-01 in Unix seconds
_EPOCH_2001 = 978_307_200
_MAX_BOXES = 4096
_MAX_HELD = 16 << 20
_DEEP = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"udta", b"meta"))
_PICTURES = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"crx "))
_SOUND_ONLY = frozenset((b"M4A ", b"M4B ", b"M4P "))
_PLACE = (b"\xa9xyz", b"loci")
_TEXTS = {b"\xa9mak": "maker", b"\xa9mod": "model", b"\xa9swr": "software", b"\xa9too": "software"}
_KEYS = {
    "com.apple.quicktime.make": "maker", "com.apple.quicktime.model": "model", "com.apple.quicktime.software": "software",
    "com.apple.quicktime.location.ISO6709": "gps", "com.android.manufacturer": "maker", "com.android.model": "model",
}  # fmt: skip


def kind_of(head: bytes) -> str | None:
    """The kind of video that begins like this: mp4, matroska, avi; None for anything else."""
    if head[4:8] == b"ftyp" and head[8:12] not in _PICTURES | _SOUND_ONLY:
        return "mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide") or (head[4:8] == b"skip" and len(head) > 8):
        return "mp4"  # QuickTime before there were brands
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    return "avi" if head.startswith(b"RIFF") and head[8:12] == b"AVI " else None


def facts(stream: BinaryIO, path: str = "") -> Iterator[VideoFacts | Problem]:
    """One ``VideoFacts``, and a ``Problem`` where the file is cut short or its index makes no sense. Raises ``Unrecognised`` for what is no video."""
    head = stream.read(64)
    kind = kind_of(head)
    if kind is None:
        raise Unrecognised("no video of a known kind")
    found = VideoFacts(path=path, container="")
    try:
        problem = {"mp4": _mp4, "matroska": _matroska, "avi": _avi}[kind](stream, found)
    except (struct.error, ValueError, OverflowError, IndexError) as error:
        problem = f"its index makes no sense ({error})"
    if found.container:
        yield found
    if problem:
        yield Problem(problem)


class _Box(NamedTuple):
    kind: bytes
    start: int
    end: int


def _boxes(stream: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """The boxes between two bytes; ends at the first that makes no sense."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        stream.seek(start)
        head = stream.read(16)
        if len(head) < 8:
            return
        size, header = struct.unpack_from(">I", head)[0], 8
        if size == 1 and len(head) == 16:
            size, header = struct.unpack_from(">Q", head, 8)[0], 16
        stop = end if size == 0 else start + size
        if (size and size < header) or start + header > end:
            return
        yield _Box(head[4:8], start + header, min(stop, end))
        start = stop


def _mp4(stream: BinaryIO, found: VideoFacts) -> str | None:
    end = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    first = stream.read(12)
    quicktime = first[4:8] != b"ftyp" or first[8:12] == b"qt  "
    found.container = "QuickTime" if quicktime else "MP4"
    movie = next((box for box in _boxes(stream, 0, end) if box.kind == b"moov"), None)
    if movie is None:
        return "it holds no index (moov): it is cut short, or was never finished"
    if movie.end - movie.start > _MAX_HELD:
        return "its index is larger than 16 MiB: not read"
    stream.seek(movie.start)
    _movie(io.BytesIO(stream.read(movie.end - movie.start)), found)
    return None


def _movie(index: BinaryIO, found: VideoFacts) -> None:
    data = index.read()
    for box in _boxes(index, 0, len(data)):
        body = data[box.start : box.end]
        if box.kind == b"mvhd":
            _movie_header(body, found)
        elif box.kind == b"trak":
            _track(index, data, box, found)
        elif box.kind == b"udta":
            _user_data(index, data, box, found)
        elif box.kind == b"meta":
            _keys(index, data, box, found)


def _movie_header(body: bytes, found: VideoFacts) -> None:
    made, scale, length = struct.unpack_from(">Q8xIQ" if body[0] == 1 else ">I4xII", body, 4)
    unknown = length in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
    found.seconds = round(length / scale, 3) if scale and not unknown else None
    # Some phones count from 1970 here; what then would be before 1970 cannot have been meant.
    seconds = made + _EPOCH_1904 if made > -_EPOCH_1904 else made
    found.time = from_unix(seconds) if made else NOT_RECORDED


def _track(index: BinaryIO, data: bytes, track: _Box, found: VideoFacts) -> None:
    size, handler, codec = (0, 0), b"", None
    pending = [track]
    seen = 0
    while pending and seen < _MAX_BOXES:
        outer = pending.pop()
        for box in _boxes(index, outer.start, outer.end):
            seen += 1
            body = data[box.start : box.end]
            if box.kind == b"tkhd" and len(body) >= 8:
                wide, high = struct.unpack(">II", body[-8:])
                size = (wide >> 16, high >> 16)
            elif box.kind == b"hdlr" and body[4:8] != b"dhlr" and body[8:12] in (b"vide", b"soun"):
                handler = body[8:12]
            elif box.kind == b"stsd" and len(body) >= 16:
                codec = body[12:16].decode("latin-1").strip()
            elif box.kind in _DEEP:
                pending.append(box)
    if handler == b"vide" and found.codec is None:
        found.codec = codec
        found.width, found.height = size if all(size) else (None, None)


def _user_data(index: BinaryIO, data: bytes, outer: _Box, found: VideoFacts) -> None:
    for box in _boxes(index, outer.start, outer.end):
        body = data[box.start : box.end]
        name = _TEXTS.get(box.kind)
        if name is not None and getattr(found, name) is None:
            # QuickTime: a length and a language before each text.
            length = struct.unpack_from(">H", body)[0] if len(body) >= 4 else 0
            setattr(found, name, _clean(body[4 : 4 + length] if 0 < length <= len(body) - 4 else body))
        elif box.kind in _PLACE:
            found.gps = "yes"
        elif box.kind == b"meta":
            _keys(index, data, box, found)
        elif box.kind == b"TAGS":
            _pentax(body, found)


def _pentax(body: bytes, found: VideoFacts) -> None:
    # Pentax, Nikon and others write the maker's name in capitals at the beginning of a block of their own.
    match = re.match(rb"[A-Z][A-Z ]{3,23}", body)
    if match and found.maker is None:
        found.maker = _clean(match.group())


def _keys(index: BinaryIO, data: bytes, outer: _Box, found: VideoFacts) -> None:
    """Apple's list of names (``keys``) and of values by their number (``ilst``)."""
    # In MP4 this box has a version before its children, in QuickTime it has none.
    skip = 0 if data[outer.start + 4 : outer.start + 8] in (b"hdlr", b"keys") else 4
    names: list[str] = []
    for box in _boxes(index, outer.start + skip, outer.end):
        body = data[box.start : box.end]
        if box.kind == b"keys":
            at = 8
            while at + 8 <= len(body) and len(names) < 256:
                (size,) = struct.unpack_from(">I", body, at)
                if size < 8:
                    break
                names.append(body[at + 8 : at + size].decode("utf-8", "replace"))
                at += size
        elif box.kind == b"ilst":
            for item in _boxes(index, box.start, box.end):
                number = int.from_bytes(item.kind, "big")
                name = _KEYS.get(names[number - 1]) if 1 <= number <= len(names) else _TEXTS.get(item.kind)
                value = data[item.start + 16 : item.end]
                if name == "gps":
                    found.gps = "yes"
                elif name is not None and getattr(found, name) is None:
                    setattr(found, name, _clean(value))


def _clean(value: bytes) -> str | None:
    text = value.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
    return text[:200] or None


_SEGMENT, _INFO, _TRACKS, _TRACK, _VIDEO, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675
_SCALE, _DURATION, _DATE, _MUXER, _WRITER, _CODEC, _TYPE, _WIDE, _HIGH, _DOCTYPE = (
    0x2AD7B1, 0x4489, 0x4461, 0x4D80, 0x5741, 0x86, 0x83, 0xB0, 0xBA, 0x4282,
)  # fmt: skip


def _number(data: bytes, at: int, *, marked: bool) -> tuple[int, int]:
    """A number of variable length and where it ends; ``marked``: with its length mark, as ids are. -1 for an unknown size."""
    first = data[at]
    if first == 0:
        raise ValueError("a number of no length")
    length = 9 - first.bit_length()
    raw = int.from_bytes(data[at : at + length], "big")
    if at + length > len(data):
        raise IndexError("cut short")
    value = raw if marked else raw & ((1 << 7 * length) - 1)
    return (-1 if not marked and value == (1 << 7 * length) - 1 else value), at + length


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(id, start, end) of the elements between two bytes; one of unknown size reaches to ``end``."""
    for _ in range(_MAX_BOXES):
        if at >= end:
            return
        name, at = _number(data, at, marked=True)
        size, at = _number(data, at, marked=False)
        stop = end if size < 0 else min(at + size, end)
        yield name, at, stop
        at = end if size < 0 else at + size


def _matroska(stream: BinaryIO, found: VideoFacts) -> str | None:
    stream.seek(0)
    data = stream.read(_MAX_HELD)
    scale, length = 1_000_000, 0.0
    found.container = "Matroska"
    try:
        for name, start, end in _elements(data, 0, len(data)):
            if name == 0x1A45DFA3:
                texts = {one: data[a:b] for one, a, b in _elements(data, start, end)}
                found.container = "WebM" if texts.get(_DOCTYPE, b"").strip(b"\0") == b"webm" else "Matroska"
            elif name == _SEGMENT:
                for part, a, b in _elements(data, start, end):
                    if part == _INFO:
                        fields = {one: data[c:d] for one, c, d in _elements(data, a, b)}
                        scale = int.from_bytes(fields.get(_SCALE, b"\x0f\x42\x40"), "big")
                        length = _float(fields.get(_DURATION, b""))
                        found.software = _clean(fields.get(_WRITER, b"")) or _clean(fields.get(_MUXER, b""))
                        found.time = _date(fields.get(_DATE, b""))
                    elif part == _TRACKS:
                        _matroska_tracks(data, a, b, found)
                    elif part == _CLUSTER:
                        break
    finally:
        found.seconds = round(length * scale / NS, 3) if 0 < length < 1e15 else None
    return None


def _matroska_tracks(data: bytes, start: int, end: int, found: VideoFacts) -> None:
    for name, a, b in _elements(data, start, end):
        if name != _TRACK:
            continue
        fields = {one: (c, d) for one, c, d in _elements(data, a, b)}
        kind = data[slice(*fields[_TYPE])] if _TYPE in fields else b""
        if int.from_bytes(kind, "big") == 1 and found.codec is None:
            found.codec = _clean(data[slice(*fields[_CODEC])]) if _CODEC in fields else None
            if _VIDEO in fields:
                size = {one: int.from_bytes(data[c:d], "big") for one, c, d in _elements(data, *fields[_VIDEO])}
                found.width, found.height = size.get(_WIDE), size.get(_HIGH)


def _float(data: bytes) -> float:
    return float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0]) if len(data) in (4, 8) else 0.0


def _date(data: bytes) -> Time:
    if len(data) != 8:
        return NOT_RECORDED
    ns = int.from_bytes(data, "big", signed=True) + _EPOCH_2001 * NS
    try:
        return Timestamp(ns)
    except ValueError:
        return NoTime("outside the years 1 to 9999")


def _avi(stream: BinaryIO, found: VideoFacts) -> str | None:
    stream.seek(0)
    data = stream.read(1 << 20)
    found.container = "AVI"
    at, end = 12, len(data)
    stops = []
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            break
        kind, (size,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        body = data[at + 8 : at + 8 + size]
        if kind == b"LIST":
            if data[at + 8 : at + 12] == b"movi":
                at += 8 + size + size % 2
                continue
            stops.append(at)
            at += 12
            continue
        if kind == b"avih" and len(body) >= 40:
            per_frame, frames = struct.unpack_from("<I12xI", body)
            found.width, found.height = struct.unpack_from("<II", body, 32)
            found.seconds = round(per_frame * frames / 1_000_000, 3) or None
        elif kind == b"strh" and body[:4] == b"vids" and found.codec is None:
            found.codec = _clean(body[4:8])
        elif kind == b"IDIT":
            found.time = _avi_time(body)
        elif kind == b"ISFT":
            found.software = _clean(body)
        at += 8 + size + size % 2
    return None if found.seconds is not None or found.codec else "it holds no index: it is cut short"


_MONTHS = {
    name: number for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_WORDS = re.compile(r"\w{3} +(\w{3}) +(\d{1,2}) +(\d\d):(\d\d):(\d\d) +(\d{4})")
_DIGITS = re.compile(r"(\d{4})[:/-] ?(\d{1,2})[:/-] ?(\d{1,2}) +(\d\d):(\d\d)(?::(\d\d))?")


def _avi_time(body: bytes) -> Time:
    text = _clean(body) or ""
    if words := _WORDS.match(text):
        month = _MONTHS.get(words.group(1).lower())
        if month:
            return from_local(f"{words.group(6)}-{month:02d}-{int(words.group(2)):02d}T{':'.join(words.group(3, 4, 5))}", "AVI")
    if digits := _DIGITS.match(text):
        year, month_text, day, hour, minute, second = digits.groups()
        return from_local(f"{year}-{int(month_text):02d}-{int(day):02d}T{hour}:{minute}:{second or '00'}", "AVI")
    return NOT_RECORDED


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """See ``facts``."""
    with file.open() as stream:
        yield from facts(stream, file.path)


VIDEO = Artefact(
    id="pictures.video",
    title="What videos say of themselves",
    meaning="How long a video plays, when it was made and with which camera. No frame is decoded.",
    paths=(),
    parse=parse,
    references=("https://www.rfc-editor.org/rfc/rfc9559", "https://developer.apple.com/documentation/quicktime-file-format"),
)
"""Not found by path but by content, as ``EXIF``."""
