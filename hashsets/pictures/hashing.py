"""What a picture looks like, in bits: pHash and dHash (64 bits) and PDQ (256 bits, with a quality), and all as turned and mirrored.

pHash and dHash are, of a picture decoded in full, bit for bit those of the ``imagehash`` package. PDQ follows its description
(Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019): luminance, two box filters along each axis,
64 × 64 samples, the 16 × 16 lowest frequencies of their cosine transform without the constant one, each against their median.
Filters and sampling are linear along each axis: here each sample is one weighted sum.

Bits are given as ``uint64`` words, most significant bit first as in the hexadecimal text of each.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Words = NDArray[np.uint64]
Floats = NDArray[np.float64]

ORIENTATIONS = (
    "as it is", "mirrored", "upside down and mirrored", "turned by 180 degrees",
    "turned by 90 degrees and mirrored", "turned by 90 degrees", "turned by 270 degrees", "turned by 270 degrees and mirrored",
)  # fmt: skip
"""What was done to a picture, in the order of the rows that ``orientations`` gives."""
WIDTHS = {"pdq": 4, "phash": 1, "dhash": 1}
"""The algorithms, and how many 64-bit words their hashes have."""
_PDQ_SIDE, _PDQ_BITS = 64, 16
_PHASH_SIDE, _PHASH_BITS = 32, 8
_MOST_ROWS = 1024


class Looks(NamedTuple):
    """The frequencies of a picture's luminance that its hashes are made of, and the PDQ quality (0 to 100)."""

    pdq: Floats
    phash: Floats
    quality: int


def looks(picture: Image.Image, size: tuple[int, int] | None = None) -> Looks:
    """Those of a picture of mode L; ``size`` in pixels is that of the whole picture, where this is one of which each pixel is the mean of a square of it."""
    whole = size or picture.size
    samples = _samples(picture, whole)
    pdq = _cosines(_PDQ_SIDE)[1 : _PDQ_BITS + 1] @ samples @ _cosines(_PDQ_SIDE)[1 : _PDQ_BITS + 1].T
    # The last row and column of a reduced picture reach over the edge of the whole one.
    wide, high = (length / _scale(length, reduced) for length, reduced in zip(whole, picture.size, strict=True))
    side = (_PHASH_SIDE, _PHASH_SIDE)
    small = np.asarray(picture.resize(side, Image.Resampling.LANCZOS, (0, 0, wide, high)), np.float64)
    phash = _cosines(_PHASH_SIDE)[:_PHASH_BITS] @ small @ _cosines(_PHASH_SIDE)[:_PHASH_BITS].T
    return Looks(pdq, phash, _quality(samples))


def orientations(found: Looks, algorithm: str) -> Words:
    """The hashes (8, words) of the picture in the order of ``ORIENTATIONS``; ``algorithm`` is pdq or phash."""
    frequencies, first = (found.pdq, 1) if algorithm == "pdq" else (found.phash, 0)
    # To mirror a picture is to change the sign of every odd frequency along that axis, to turn it is to mirror its transpose.
    sign = 1 - 2 * (np.arange(first, first + len(frequencies)) % 2)
    across, down = sign[None, :], sign[:, None]
    flipped = frequencies.T
    every = (frequencies, frequencies * across, frequencies * down, frequencies * across * down,
             flipped, flipped * across, flipped * down, flipped * across * down)  # fmt: skip
    return np.stack([_words(part > np.median(part), backwards=algorithm == "pdq") for part in every])


def pdq(picture: Image.Image, size: tuple[int, int] | None = None) -> tuple[str, int]:
    """The PDQ hash in hexadecimal, and its quality; of what ``looks`` takes."""
    found = looks(picture, size)
    return to_hex(orientations(found, "pdq")[0]), found.quality


def phash(picture: Image.Image, size: tuple[int, int] | None = None) -> str:
    """The pHash in hexadecimal, of what ``looks`` takes."""
    return to_hex(orientations(looks(picture, size), "phash")[0])


def dhash(picture: Image.Image) -> str:
    """The dHash of a picture of mode L in hexadecimal."""
    return to_hex(dhash_words(picture))


def dhash_words(picture: Image.Image) -> Words:
    """The dHash of a picture of mode L."""
    small = np.asarray(picture.resize((9, 8), Image.Resampling.LANCZOS))
    return _words(small[:, 1:] > small[:, :-1], backwards=False)


def dhash_orientations(picture: Image.Image) -> Words:
    """As ``orientations``."""
    turn = Image.Transpose
    picture.thumbnail((256, 256)) if max(picture.size) > 1024 else None
    flipped = picture.transpose(turn.TRANSPOSE)
    every = [
        part if how is None else part.transpose(how)
        for part in (picture, flipped)
        for how in (None, turn.FLIP_LEFT_RIGHT, turn.FLIP_TOP_BOTTOM, turn.ROTATE_180)
    ]
    return np.stack([dhash_words(part) for part in every])


def to_hex(words: Words) -> str:
    """The hexadecimal text of a hash, as ``imagehash`` writes hashes: other tools read that."""
    from imagehash import ImageHash

    bits = np.unpackbits(np.frombuffer(words.astype(">u8").tobytes(), np.uint8)).astype(bool)
    side = math.isqrt(bits.size)
    return str(ImageHash(bits.reshape(side, side)))


def from_hex(text: str, algorithm: str) -> Words:
    """The inverse of ``to_hex``. Raises ``ValueError`` for a text of another length."""
    data = bytes.fromhex(text)
    if len(data) != 8 * WIDTHS[algorithm]:
        raise ValueError(f"a {algorithm} has {16 * WIDTHS[algorithm]} hexadecimal digits")
    return np.frombuffer(data, ">u8").astype(np.uint64)


def _words(bits: NDArray[np.bool_], *, backwards: bool) -> Words:
    flat = bits.ravel()
    return np.packbits(flat[::-1] if backwards else flat).view(">u8").astype(np.uint64)


@lru_cache(maxsize=4)
def _cosines(side: int) -> Floats:
    """The matrix of the cosine transform (DCT-II); the scale of it changes no bit."""
    places = np.arange(side)
    matrix: Floats = np.cos(np.pi / (2 * side) * places[:, None] * (2 * places[None, :] + 1)) * np.sqrt(2 / side)
    return matrix


def _scale(length: int, reduced: int) -> int:
    """How many pixels of a side of ``length`` make one of ``reduced``, the last perhaps of fewer."""
    return -(-length // reduced)


@lru_cache(maxsize=64)
def _taps(length: int, scale: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Two box filters and the sampling after them, along a side of ``length`` that was reduced by ``scale``: the places that each of the 64 samples is
    made of, and their weights, both (taps, 64)."""
    window = (length + 2 * _PDQ_SIDE - 1) // (2 * _PDQ_SIDE)
    places = np.arange(length)
    low, high = np.maximum(places - (window - 1) // 2, 0), np.minimum(places + window // 2 + 1, length)
    rows = np.zeros((_PDQ_SIDE, length))
    rows[np.arange(_PDQ_SIDE), ((np.arange(_PDQ_SIDE) + 0.5) * length / _PDQ_SIDE).astype(int)] = 1
    for _ in range(2):
        spread = np.zeros((length + 1, _PDQ_SIDE))
        shares = (rows / (high - low)).T
        np.add.at(spread, low, shares)
        np.add.at(spread, high, -shares)
        rows = spread[:length].cumsum(axis=0).T
    rows[rows < 1e-9] = 0  # what the sums leave behind a window's end
    # A pixel of the reduced picture has the weight of all that it stands for: the filters stay where they are in the whole one.
    rows = np.pad(rows, ((0, 0), (0, -length % scale))).reshape(_PDQ_SIDE, -1, scale).sum(axis=2)
    used = rows > 0
    first = used.argmax(axis=1)
    taps = int((rows.shape[1] - used[:, ::-1].argmax(axis=1) - first).max())
    chosen = np.minimum(first, rows.shape[1] - taps) + np.arange(taps)[:, None]
    return chosen, np.take_along_axis(rows.T, chosen, axis=0).astype(np.float32)


def _along(pixels: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The 64 samples along the first axis, a side of ``length`` in the whole picture: (reduced, n) into (64, n)."""
    # No matrix product: for one of this size the library behind numpy starts threads, which cost thirty times what they do.
    chosen, weights = _taps(length, _scale(length, len(pixels)))
    total: NDArray[np.float32] = pixels[chosen[0]] * weights[0][:, None]
    for places, weight in zip(chosen[1:], weights[1:], strict=True):
        total += pixels[places] * weight[:, None]
    return total


def _samples(picture: Image.Image, whole: tuple[int, int]) -> Floats:
    shorter = min(picture.size)
    if shorter > _MOST_ROWS:
        picture = picture.reduce(shorter // (_MOST_ROWS // 2))
    down = _along(np.asarray(picture).astype(np.float32), whole[1])
    return _along(np.ascontiguousarray(down.T), whole[0]).T.astype(np.float64)


def _quality(samples: Floats) -> int:
    # Each step is cut to a whole number before they are added, as in the reference program.
    steps = sum(int(np.abs(np.trunc(np.diff(samples, axis=axis) * 100 / 255)).sum()) for axis in (0, 1))
    return min(steps // 90, 100)
