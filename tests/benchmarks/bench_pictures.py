"""Pictures: hashing against imagehash and pdqhash, the search of ten million PDQ, and what survives which change.

Hashing is measured in processor time, on twelve-megapixel JPEGs made of the photographs of the specimens (the real ones of that size, and the
others enlarged, all at quality 85); each picture is timed with ours and its peer by turns. ``--large`` searches 10,000,000 hashes,
otherwise 1,000,000. Recall is counted on the photographs with enough in them (PDQ quality of 50): each is changed and looked up among all.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TITLE = "pictures by their looks"
SHARED = Path(os.environ.get("TRIAGE_SPECIMENS", Path(__file__).resolve().parents[3] / "shared" / "data"))
ROUNDS = 3


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def photographs(folder: Path = SHARED / "pictures") -> dict[str, Any]:
    """The pictures of the specimens with enough in them, decoded in full, by name; of those that show one scene turned, only one."""
    from PIL import Image

    from hashsets.pictures import decode, hashing

    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".png", ".tiff", ".webp") or ("bridge" in path.name and "-2-" not in path.name):
            continue
        try:
            with open(path, "rb") as stream:
                full = decode.full(stream)
        except decode.NotDecoded:
            continue
        if min(full.width, full.height) >= 64 and hashing.looks(full.luminance).quality >= 50:
            found[path.relative_to(folder).as_posix()] = Image.open(path).convert("RGB")
    return found


def _large(picture: Any) -> bytes:
    scale = (12_000_000 / (picture.width * picture.height)) ** 0.5
    image = picture if scale <= 1 else picture.resize((round(picture.width * scale), round(picture.height * scale)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _ours(work: Callable[..., Any], data: bytes) -> Any:
    from hashsets.pictures import decode

    decoded = decode.decode(io.BytesIO(data))
    return work(decoded.luminance, decoded.size)


def _hashing(pictures: dict[str, Any], result: dict[str, Any]) -> None:
    import imagehash
    import numpy as np
    import pdqhash
    from PIL import Image

    from hashsets.pictures import hashing

    imagehash.phash(Image.new("L", (64, 64)))
    seconds: dict[str, list[float]] = {"phash, imagehash": [], "phash": [], "pdq, pdqhash": [], "pdq": []}
    far = {"phash": [], "pdq": []}  # type: dict[str, list[int]]
    for picture in pictures.values():
        data = _large(picture)
        for _ in range(ROUNDS):
            seconds["phash, imagehash"].append(_cpu(lambda data=data: imagehash.phash(Image.open(io.BytesIO(data)))))
            seconds["phash"].append(_cpu(lambda data=data: _ours(hashing.phash, data)))
            seconds["pdq, pdqhash"].append(_cpu(lambda data=data: pdqhash.compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))))
            seconds["pdq"].append(_cpu(lambda data=data: _ours(hashing.pdq, data)))
        whole = Image.open(io.BytesIO(data))
        bits, _ = pdqhash.compute(np.asarray(whole.convert("RGB")))
        far["phash"].append((int(_ours(hashing.phash, data), 16) ^ int(str(imagehash.phash(whole)), 16)).bit_count())
        far["pdq"].append((int(_ours(hashing.pdq, data)[0], 16) ^ int("".join(map(str, bits)), 2)).bit_count())
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    result["seconds"] |= {f"{name}, 12 megapixels": round(value, 4) for name, value in medians.items()}
    result["ratios"]["phash against imagehash"] = round(medians["phash, imagehash"] / medians["phash"], 1)
    result["ratios"]["pdq against pdqhash"] = round(medians["pdq, pdqhash"] / medians["pdq"], 1)
    result["figures"]["pictures"] = len(pictures)
    result["figures"]["phash within 2 bits of the full decode"] = sum(bits <= 2 for bits in far["phash"])
    result["figures"]["pdq within 10 bits of the full decode"] = sum(bits <= 10 for bits in far["pdq"])
    result["figures"]["most bits, phash and pdq"] = [max(far["phash"]), max(far["pdq"])]


def _searching(entries: int, result: dict[str, Any]) -> None:
    import numpy as np

    from hashsets.pictures.search import within

    rng = np.random.default_rng(1)
    columns = [rng.integers(0, 1 << 63, entries, np.uint64) << np.uint64(1) for _ in range(4)]
    for count in (1, 8, 64):
        queries = rng.integers(0, 1 << 63, (count, 4), np.uint64)
        taken = statistics.median(_cpu(lambda queries=queries: within(columns, queries, 31)) for _ in range(ROUNDS))
        result["seconds"][f"a PDQ among {entries:,}, {count} at once"] = round(taken / count, 4)


def changes() -> dict[str, Callable[[Any], bytes]]:
    """What is done to a picture, by name: from a picture to the bytes of a file."""
    from PIL import Image, ImageDraw

    def saved(image: Any, form: str = "JPEG", **options: Any) -> bytes:
        out = io.BytesIO()
        image.save(out, form, **options)
        return out.getvalue()

    def cropped(image: Any) -> Any:
        x, y = round(image.width * 0.025), round(image.height * 0.025)
        return image.crop((x, y, image.width - x, image.height - y))

    def marked(image: Any) -> Any:
        image = image.copy()
        wide, high = image.size
        ImageDraw.Draw(image).text((wide * 0.55, high * 0.85), "example.org", fill="white", font_size=max(8, wide // 16))
        return image

    return {
        "half the size": lambda image: saved(image.resize((image.width // 2, image.height // 2)), quality=90),
        "JPEG quality 30": lambda image: saved(image, quality=30),
        "as PNG": lambda image: saved(image, "PNG"),
        "as WebP": lambda image: saved(image, "WEBP"),
        "grey": lambda image: saved(image.convert("L"), quality=90),
        "5% cropped": lambda image: saved(cropped(image), quality=90),
        "turned by 2 degrees": lambda image: saved(image.rotate(2, Image.Resampling.BICUBIC), quality=90),
        "mirrored": lambda image: saved(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=90),
        "turned by 90 degrees": lambda image: saved(image.transpose(Image.Transpose.ROTATE_90), quality=90),
        "watermark": lambda image: saved(marked(image), quality=90),
    }


def recall(pictures: dict[str, Any], folder: Path) -> dict[str, list[int]]:
    """For each change: how many were found, how many by PDQ alone, how many other pictures were met, how many there were."""
    from hashsets import build
    from hashsets.pictures import hashing
    from hashsets.pictures.store import open_pictures

    (folder / "reference").mkdir()
    for number, (name, picture) in enumerate(pictures.items()):
        picture.save(folder / "reference" / f"{number:03d} {Path(name).stem}.png")
    names = sorted(path.name for path in (folder / "reference").iterdir())
    build(folder / "set", [folder / "reference"], role="alert", kinds=["picture"])
    known = open_pictures(folder / "set")
    table = {}
    for change, work in changes().items():
        found = by_pdq = false = 0
        for name, picture in zip(names, pictures.values(), strict=True):
            looks = _ours(hashing.looks, work(picture))
            hashes = {algorithm: hashing.orientations(looks, algorithm) for algorithm in ("pdq", "phash")}
            near = known.nearest(hashes)
            every = {one for algorithm, words in hashes.items() for turned in known.search(algorithm, words) for _, one in turned}
            found += near is not None and near.name == name
            by_pdq += near is not None and near.name == name and near.algorithm == "pdq"
            false += len(every - {name})
        table[change] = [found, by_pdq, false, len(names)]
    return table


def main(arguments: list[str]) -> dict[str, Any]:
    """Run it."""
    import tempfile

    result: dict[str, Any] = {"title": TITLE, "seconds": {}, "ratios": {}, "figures": {}}
    _searching(10_000_000 if "--large" in arguments else 1_000_000, result)
    if not SHARED.is_dir():
        result["figures"]["pictures"] = f"the specimens are not at {SHARED}"
        return result
    pictures = photographs()
    _hashing(pictures, result)
    with tempfile.TemporaryDirectory() as folder:
        for change, (found, by_pdq, false, of) in recall(pictures, Path(folder)).items():
            result["figures"][f"recall, {change}"] = f"{found} of {of} ({by_pdq} by PDQ), {false} others met"
    return result
