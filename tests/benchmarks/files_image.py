"""An NTFS image full of files with content, for measuring reading: made once with mkntfs and ntfs-3g, kept in the cache folder."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("TRIAGE_BENCH_DIR", Path(tempfile.gettempdir()) / "triage-bench"))
SIGMA, LARGEST = 1.5, 64 << 20


def files_image(files: int) -> Path:
    """An image of ``files`` files in folders of a few hundred; sizes log-normal, 2.4 GB for 100,000. Needs root and /dev/fuse."""
    CACHE.mkdir(parents=True, exist_ok=True)
    image = CACHE / f"files-{files}.img"
    if image.exists():
        return image
    dice = random.Random(1)
    sizes = [min(int(dice.lognormvariate(9, SIGMA)), LARGEST) for _ in range(files)]
    scratch = image.with_suffix(".new")
    with open(scratch, "wb") as file:
        file.truncate(int(sum(sizes) * 1.3) + files * 6_000 + (256 << 20))
    subprocess.run(["mkntfs", "-q", "-F", "-c", "4096", scratch], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pool = random.Random(2).randbytes(LARGEST + (1 << 20))
    with mounted(scratch, read_only=False) as mount:
        for number, size in enumerate(sizes):
            folder = mount / "Users" / "a" / ("Pictures" if number % 5 == 0 else "Documents") / f"{number // 400:04d}"
            if number % 400 < 5:
                folder.mkdir(parents=True, exist_ok=True)
            start = dice.randrange(1 << 20)
            (folder / f"file {number:06d}.{'jpg' if number % 5 == 0 else 'dat'}").write_bytes(pool[start : start + size])
    scratch.rename(image)
    return image


def driver_image(files: int) -> Path | None:
    """An image of ``files`` small files in ten folders, laid out as a real driver (ntfs-3g) lays them out; None without root or FUSE."""
    if os.name == "nt" or os.geteuid() != 0 or not Path("/dev/fuse").exists() or shutil.which("ntfs-3g") is None:
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    image = CACHE / f"driver-{files}.img"
    if not image.exists():
        scratch = image.with_suffix(".new")
        with open(scratch, "wb") as file:
            file.truncate(files * 8_000 + (1 << 30))
        subprocess.run(["mkntfs", "-q", "-F", "-c", "4096", scratch], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with mounted(scratch, read_only=False) as mount:
            for folder in range(10):
                (mount / f"folder {folder}").mkdir()
                for number in range(files // 10):
                    (mount / f"folder {folder}" / f"picture number {number:06d}.jpg").write_bytes(b"x" * 1_500)
        scratch.rename(image)
    return image


class mounted:
    """``with mounted(image) as folder``: the image on ntfs-3g, read-only unless told otherwise."""

    def __init__(self, image: Path, *, read_only: bool = True) -> None:
        self._image, self._options = image, "ro,loop" if read_only else "loop,big_writes"
        self._folder = Path(tempfile.mkdtemp(prefix="triage-mount-"))

    def __enter__(self) -> Path:
        subprocess.run(["ntfs-3g", "-o", self._options, self._image, self._folder], check=True, stderr=subprocess.DEVNULL)
        return self._folder

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", self._folder], check=True)
        self._folder.rmdir()
