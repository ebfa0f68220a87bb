"""Pictures that a test draws: blobs and shades as of a photograph, another for every seed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """A picture in colour."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3))
    for side, weight in ((4, 1.0), (9, 0.8), (23, 0.5), (61, 0.1)):
        for channel in range(3):
            noise = Image.fromarray(rng.random((side, side), np.float32) * 255)
            total[:, :, channel] += weight * np.asarray(noise.resize(size, Image.Resampling.BICUBIC))
    low, high = total.min(), total.max()
    return Image.fromarray(((total - low) / (high - low) * 255).astype(np.uint8))


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()
