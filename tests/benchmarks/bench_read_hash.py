"""Read and hash every allocated file: ours against the floor and against hashdeep on the mounted image.

The floor is the larger of two times: reading the bytes of those files once in disk order, and computing MD5, SHA-1 and SHA-256 of as
many bytes, cut into the same sizes, on all cores, from memory. No program that does both can be faster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.files_image import files_image, mounted

TITLE = "read and hash every allocated file"


def _extents(image: Path) -> list[tuple[int, int]]:
    """(offset, length) of the content of each allocated file, in disk order; resident content counts at the end."""
    from triage.evidence.sources import open_source

    source = open_source(image)
    volume = source.volumes()[0]
    extents = []
    for chunk in source.filesystem(volume).entries():
        for entry in chunk:
            if entry.kind == "file" and entry.allocated and entry.size and not entry.path.startswith("/$"):
                extents.append((entry.first_offset, entry.size))
    source.close()
    return sorted(extents)


def _read(image: Path, extents: list[tuple[int, int]]) -> float:
    started = time.perf_counter()
    descriptor = os.open(image, os.O_RDONLY)
    for offset, size in extents:
        os.pread(descriptor, size, max(offset, 0))
    os.close(descriptor)
    return time.perf_counter() - started


def _hash_some(sizes: list[int]) -> None:
    data = random.Random(3).randbytes(max(sizes))
    view = memoryview(data)
    for size in sizes:
        for name in ("md5", "sha1", "sha256"):
            hashlib.new(name, view[:size]).digest()


def _hash(sizes: list[int]) -> float:
    cores = os.cpu_count() or 1
    started = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(cores) as pool:
        pool.map(_hash_some, [sizes[core::cores] for core in range(cores)])
    return time.perf_counter() - started


def _run(command: list[str]) -> tuple[float, float]:
    """Seconds, and the peak of resident memory in MiB of the largest process (children that were waited for included)."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def _ours(image: Path) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp())
    try:
        command = [sys.executable, "-m", "triage.cli", "scan", str(image), "--case", str(folder / "case"), "--profile", "full", "--quiet"]
        total, memory = _run(command)
        timings = json.loads((folder / "case" / "report.json").read_bytes())["timings"]
        return {"total": total, "read": timings["read"], "memory": memory}
    finally:
        shutil.rmtree(folder)


def _hashdeep(image: Path) -> tuple[float, float]:
    with mounted(image) as folder:
        return _run(["hashdeep", "-c", "md5,sha1,sha256", "-r", str(folder)])


def run(*, files: int, rounds: int, hashdeep: bool) -> dict[str, Any]:
    """Measure alternately; medians in seconds and their ratios."""
    image = files_image(files)
    extents = _extents(image)
    sizes = [size for _, size in extents]
    rows: dict[str, list[float]] = {
        "read floor": [],
        "hash floor": [],
        "ours, read and hash": [],
        "ours, whole scan": [],
        "hashdeep -r": [],
    }
    memory: dict[str, float] = {}
    for _ in range(rounds):
        rows["read floor"].append(_read(image, extents))
        rows["hash floor"].append(_hash(sizes))
        ours = _ours(image)
        rows["ours, read and hash"].append(ours["read"])
        rows["ours, whole scan"].append(ours["total"])
        memory["ours, largest process, MiB"] = round(max(memory.get("ours, largest process, MiB", 0), ours["memory"]))
        if hashdeep:
            seconds, peak = _hashdeep(image)
            rows["hashdeep -r"].append(seconds)
            memory["hashdeep, MiB"] = round(peak)
    medians = {name: round(statistics.median(values), 3) for name, values in rows.items() if values}
    floor = max(medians["read floor"], medians["hash floor"])
    ratios = {"ours / floor": round(medians["ours, read and hash"] / floor, 2)}
    if hashdeep:
        ratios["hashdeep / ours (whole scan)"] = round(medians["hashdeep -r"] / medians["ours, whole scan"], 2)
        ratios["hashdeep / ours (read and hash)"] = round(medians["hashdeep -r"] / medians["ours, read and hash"], 2)
    return {
        "title": TITLE,
        "files": len(sizes),
        "bytes": sum(sizes),
        "rounds": rounds,
        "seconds": medians,
        "memory": memory,
        "ratios": ratios,
    }


def main(arguments: list[str]) -> dict[str, Any]:
    """Command line: ``--files N --rounds N --no-hashdeep``."""
    parser = argparse.ArgumentParser(prog="bench_read_hash")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-hashdeep", action="store_true")
    parser.add_argument("--large", action="store_true", help="as given to all benchmarks; changes nothing here")
    options = parser.parse_args(arguments)
    return run(files=options.files, rounds=options.rounds, hashdeep=not options.no_hashdeep)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=1))
