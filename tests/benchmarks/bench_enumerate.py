"""Listing an NTFS volume: ``fls -r -p`` and ``fls -r -m /`` against ours, alternately, on volumes this module writes itself.

``python -m tests.benchmarks.bench_enumerate [--large] [--rounds N] [--keep DIR] [--json FILE]`` prints a table of ratios and the figures
as JSON; it judges nothing. How long fls takes depends on how many entries its largest directories have, so there are several shapes.

columns: the $MFT decoded to columns and all paths. entries: ``NtfsFilesystem.entries`` to its end, names from directory indexes included.
process: the same as columns in a fresh interpreter, start-up and imports included, which is what fls's own figure includes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.ntfs_images import build, shapes
from triage.evidence.bytesource import FileBytes
from triage.evidence.ntfs.filesystem import NtfsFilesystem

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


def run(*, large: bool = False, rounds: int = 5, keep: Path | None = None) -> dict[str, Any]:
    """Build the volumes (in ``keep``, used again if there, or in a temporary folder), measure, print the tables; returns the figures."""
    for program in ("fls", "mkntfs"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is needed for this benchmark")
    number = 1_000_000 if large else 100_000
    result: dict[str, Any] = {"benchmark": "enumerate", "entries": number, "shapes": {}}
    with tempfile.TemporaryDirectory() as temporary:
        for shape, folders in shapes(number).items():
            image = (keep or Path(temporary)) / f"ntfs-{number}-{shape.replace(' ', '-')}.raw"
            if not image.exists():
                build(image, folders)
            seconds = measure(image, rounds)
            medians = {name: statistics.median(times) for name, times in seconds.items()}
            ratios = {
                name: statistics.median(reference / own for reference, own in zip(seconds["fls -r -p"], times, strict=True))
                for name, times in seconds.items()
            }
            memory = {what: peak_memory(what, image) for what in ("columns", "entries")}
            result["shapes"][shape] = {"seconds": medians, "times_faster_than_fls_r_p": ratios, "peak_mib": memory}
            print(f"\n{number:,} files, {shape}, median of {rounds}")
            for name, median in medians.items():
                peak = f"{memory[name]:>6} MiB" if name in memory else ""
                print(f"  {name:<12} {median:8.3f} s   {ratios[name]:6.2f} x   {peak}")
            if keep is None:
                image.unlink()
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench_enumerate", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--large", action="store_true", help="1,000,000 files instead of 100,000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="folder for the volumes, used again next time")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    result = run(large=options.large, rounds=options.rounds, keep=options.keep)
    text = json.dumps(result, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
