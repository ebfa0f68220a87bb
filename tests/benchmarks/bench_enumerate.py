"""Listing an NTFS volume: ``fls -r -p`` and ``fls -r -m /`` against ours, alternately, on volumes this module writes itself.

How long fls takes depends on how many entries the largest directories have, so there are several shapes.
columns: the $MFT decoded to columns and all paths. entries: ``NtfsFilesystem.entries`` to its end, names from directory indexes included.
process: the same as columns in a fresh interpreter, start-up and imports included, as they are in fls's own figure.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.files_image import CACHE, driver_image
from tests.benchmarks.ntfs_images import build, shapes
from triage.evidence.bytesource import FileBytes
from triage.evidence.ntfs.filesystem import NtfsFilesystem

TITLE = "enumerating NTFS"
_PROCESS = "import sys; from tests.benchmarks.bench_enumerate import columns; columns(sys.argv[1])"
_ROOT = Path(__file__).resolve().parents[2]


def columns(image: str) -> int:
    """Decode the $MFT of ``image`` to columns and build every path; returns how many."""
    data = FileBytes(image)
    fs = NtfsFilesystem(data)
    _, _, listing = fs.columns()
    count = len(listing.paths())
    fs.close()
    data.close()
    return count


def entries(image: str) -> int:
    """Iterate over every entry of ``image``; returns how many."""
    data = FileBytes(image)
    fs = NtfsFilesystem(data)
    count = sum(len(batch) for batch in fs.entries())
    fs.close()
    data.close()
    return count


def _program(*command: str) -> Callable[[str], object]:
    return lambda image: subprocess.run([*command, image], check=True, stdout=subprocess.DEVNULL, cwd=_ROOT)


RUNNERS: dict[str, Callable[[str], object]] = {
    "fls -r -p": _program("fls", "-r", "-p"),
    "fls -r -m /": _program("fls", "-r", "-m", "/"),
    "columns": columns,
    "entries": entries,
    "process": _program(sys.executable, "-c", _PROCESS),
}


def measure(image: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of each runner in each round, one after the other so that all meet the same conditions. One round goes unmeasured."""
    seconds: dict[str, list[float]] = {name: [] for name in RUNNERS}
    for turn in range(rounds + 1):
        for name, runner in RUNNERS.items():
            start = time.perf_counter()
            runner(str(image))
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def peak_memory(what: str, image: Path) -> int:
    """Peak resident memory in MiB of a fresh interpreter that runs ``columns`` or ``entries``."""
    code = f"import resource, sys; from tests.benchmarks.bench_enumerate import {what}; {what}(sys.argv[1]); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    found = subprocess.run([sys.executable, "-c", code, str(image)], check=True, capture_output=True, text=True, cwd=_ROOT).stdout
    return int(found) // (1024 if sys.platform != "darwin" else 1 << 20)


def main(arguments: Sequence[str]) -> dict[str, Any]:
    """Build the volumes, or use those of the last time, measure, and return medians in seconds, ratios and peak memory."""
    parser = argparse.ArgumentParser(prog="bench_enumerate")
    parser.add_argument("--large", action="store_true", help="1,000,000 files instead of 100,000")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(list(arguments))
    for program in ("fls", "mkntfs"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is needed for this benchmark")
    number = 1_000_000 if options.large else 100_000
    CACHE.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"title": f"{TITLE}: {number:,} files", "rounds": options.rounds, "seconds": {}, "memory": {}, "ratios": {}}
    images: dict[str, Path] = {}
    for shape, folders in shapes(number).items():
        images[shape] = CACHE / f"ntfs-{number}-{shape.replace(' ', '-').replace(',', '')}.raw"
        if not images[shape].exists():
            scratch = images[shape].with_suffix(".new")
            build(scratch, folders)
            scratch.rename(images[shape])
    if not options.large and (written := driver_image(102_000)) is not None:
        images["ten folders by ntfs-3g"] = written
    for shape, image in images.items():
        seconds = measure(image, options.rounds)
        for name, times in seconds.items():
            result["seconds"][f"{shape}: {name}"] = round(statistics.median(times), 4)
            for reference in ("fls -r -p", "fls -r -m /"):
                if not name.startswith("fls"):
                    pairs = zip(seconds[reference], times, strict=True)
                    result["ratios"][f"{shape}: {reference} / {name}"] = round(statistics.median(one / own for one, own in pairs), 2)
        for what in ("columns", "entries"):
            result["memory"][f"{shape}: {what}, peak MiB"] = peak_memory(what, image)
    return result


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2))
