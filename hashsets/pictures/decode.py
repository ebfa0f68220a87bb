"""Pictures into luminance, at as small a scale as their hashes need, and within limits.

A decoder is native code that meets hostile bytes: what is called here belongs into a process that may die. Only the formats named here are
tried, whatever Pillow could read besides; what a header claims is checked before a pixel is decoded; of an animation, the first frame counts.
"""

from __future__ import annotations

import io
import struct
import warnings
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

LEAST_SIDE = 256
"""A JPEG is decoded at the smallest scale (1, 1/2, 1/4, 1/8) at which its shorter side still has as many pixels."""
MOST_PIXELS = 100_000_000
MOST_PIXELS_JPEG = 250_000_000  # of a progressive JPEG all coefficients are held, two bytes each
MOST_SIDE = 65_535
_RAW_PREVIEWS, _RAW_LEAST = 32, 4096
_RAW_HEADS = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILM")
_MODULES = {"WEBP": "WebP"}
_HEIF = {"heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1"}


class NotDecoded(Exception):
    """A picture that gives no hash; the text says why. ``limit``: it was left alone because of what its header claims; ``unknown``: no
    decoder for it is here."""

    def __init__(self, reason: str, *, limit: bool = False, unknown: bool = False) -> None:
        super().__init__(reason)
        self.limit, self.unknown = limit, unknown


@dataclass(slots=True)
class Decoded:
    """A picture. ``luminance`` has mode L, at ``width`` × ``height`` or a whole fraction of it; ``format`` as Pillow calls it, or ``raw preview``."""

    luminance: Image.Image
    format: str
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        return self.width, self.height


@cache
def formats() -> tuple[str, ...]:
    """The formats that are read here: those of Pillow that pictures on a person's device have, and HEIC where pi-heif is installed."""
    from importlib import import_module

    from PIL import features

    found = ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"]
    if features.check("avif"):
        found.append("AVIF")
    for name in (*found, "MPO"):
        import_module(f"PIL.{_MODULES.get(name, name.title())}ImagePlugin")
    try:
        import pi_heif
    except ImportError:
        return tuple(found)
    pi_heif.register_heif_opener()
    return (*found, "HEIF")


def is_heif(head: bytes) -> bool:
    """Whether a content begins as HEIC does (ISO 23008-12), by its brand."""
    return head[4:8] == b"ftyp" and head[8:12].decode("latin-1") in _HEIF


def is_raw(head: bytes) -> bool:
    """Whether a content may be a camera's raw file, most of which are TIFF."""
    return head.startswith(_RAW_HEADS)


def decode(stream: BinaryIO) -> Decoded:
    """The picture in ``stream``. Raises ``NotDecoded``, and ``MemoryError``."""
    head = stream.read(32)
    stream.seek(0)
    if not is_raw(head):
        return _decode(stream)
    # A raw file opens as a TIFF, too, whose first picture is often a stamp of 160 pixels: its largest JPEG is what people see.
    data = stream.read(MOST_RAW)
    preview = _preview(data)
    try:
        plain = _decode(io.BytesIO(data))
    except NotDecoded:
        if preview is None:
            raise
        return preview
    return preview if preview is not None and preview.width > plain.width else plain


MOST_RAW = 128 << 20


def _decode(stream: BinaryIO, *, draft: bool = True) -> Decoded:
    with _guarded(), closing(Image.open(stream, formats=formats())) as picture:
        width, height = picture.size
        jpeg = picture.format in ("JPEG", "MPO")
        _check(width, height, MOST_PIXELS_JPEG if jpeg else MOST_PIXELS)
        if jpeg and draft:
            scale = next((scale for scale in (8, 4, 2) if min(width, height) // scale >= LEAST_SIDE), 1)
            picture.draft("L", (width // scale, height // scale) if scale > 1 else picture.size)
        name = str(picture.format)
        return Decoded(_luminance(picture), name, width, height)


def full(stream: BinaryIO) -> Decoded:
    """As ``decode``, every pixel of it: what the reference programs see."""
    return _decode(stream, draft=False)


def colours(stream: BinaryIO) -> Image.Image:
    """The picture in ``stream`` in colour (RGB), reduced as for ``decode``. Raises ``NotDecoded``, and ``MemoryError``."""
    with _guarded(), closing(Image.open(stream, formats=formats())) as picture:
        width, height = picture.size
        jpeg = picture.format in ("JPEG", "MPO")
        _check(width, height, MOST_PIXELS_JPEG if jpeg else MOST_PIXELS)
        if jpeg:
            picture.draft("RGB", (max(width // 8, LEAST_SIDE), max(height // 8, LEAST_SIDE)))
        return picture.convert("RGB")


class _guarded:
    """Whatever a decoder raises becomes ``NotDecoded``, but want of memory."""

    def __enter__(self) -> None:
        # Limits are this module's own; those of Pillow warn at a size that phones reach by now.
        Image.MAX_IMAGE_PIXELS = None
        # Pillow warns of damage on standard error, where a scan has its progress.
        self._quiet = warnings.catch_warnings()
        self._quiet.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._quiet.__exit__(None, None, None)
        if isinstance(error, UnidentifiedImageError):
            raise NotDecoded("not a picture that can be decoded", unknown=True) from error
        if isinstance(error, Exception) and not isinstance(error, (NotDecoded, MemoryError)):
            text = " ".join(str(error).split())[:120]
            raise NotDecoded(f"damaged or cut short ({text or type(error).__name__})") from error


def _check(width: int, height: int, most: int) -> None:
    if width * height > most or max(width, height) > MOST_SIDE:
        raise NotDecoded(f"{width} × {height} pixels, more than are decoded", limit=True)
    if min(width, height) < 1:
        raise NotDecoded("no pixels")


def _luminance(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16") or picture.mode == "I":
        import numpy as np

        # Pillow cuts what is above 255 off instead of scaling it.
        return Image.fromarray((np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8), "L")
    return picture.convert("L")


def _preview(data: bytes) -> Decoded | None:
    """The JPEG with most pixels of those that lie in ``data``."""
    best: tuple[int, int] | None = None
    at, tried = data.find(b"\xff\xd8\xff"), 0
    while at >= 0 and tried < _RAW_PREVIEWS:
        size = _jpeg_size(data, at)
        if size is not None and size[0] * size[1] <= MOST_PIXELS_JPEG and (best is None or size[0] * size[1] > best[0]):
            best = (size[0] * size[1], at)
        tried += size is not None
        at = data.find(b"\xff\xd8\xff", at + 3)
    if best is None:
        return None
    try:
        found = _decode(io.BytesIO(data[best[1] :]))
    except NotDecoded:
        return None
    found.format = "raw preview"
    return found


def _jpeg_size(data: bytes, at: int) -> tuple[int, int] | None:
    """Width and height by the frame header of a JPEG (ITU T.81, B.2.2); None where none follows, or it is no baseline or progressive one."""
    place = at + 2
    for _ in range(64):
        if data[place : place + 1] != b"\xff" or place + 9 > len(data):
            return None
        marker = data[place + 1]
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker in (0xC0, 0xC1, 0xC2):
            height, width = struct.unpack_from(">HH", data, place + 5)
            return (width, height) if width and height else None
        if marker == 0xDA or length < 2:
            return None
        place += 2 + length
    return None
