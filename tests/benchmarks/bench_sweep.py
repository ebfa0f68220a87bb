"""The sweep: how long the real command takes over a sparse image of 8 GiB, from its start to the sealed report.

``--large`` takes an image of 256 GiB. There is no free peer that samples: reading and hashing everything stands beside it, taken from a stretch of the image.
"""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TITLE = "sweep"
ROUNDS = 3
BLOCK = 4096
DATA = 256 << 20
STRETCH = 64 << 20


def _read_all(image: Path) -> float:
    """Seconds to read and hash a stretch block by block."""
    started = time.perf_counter()
    with image.open("rb") as file:
        for _ in range(STRETCH // BLOCK):
            hashlib.sha256(file.read(BLOCK)).digest()
    return time.perf_counter() - started


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure; medians in seconds."""
    from hashsets import build

    size = (256 if "--large" in arguments else 8) << 30
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        (where / "references").mkdir()
        for number in range(20):
            (where / "references" / f"{number:02d}").write_bytes(chance.randbytes(1 << 20))
        build(where / "set", [where / "references"], role="alert", kinds=["block"])
        image = where / "disk.raw"
        with image.open("wb") as out:
            out.truncate(size)
            for _ in range(DATA >> 24):
                out.write(chance.randbytes(1 << 24))
        sweeps, everything, samples = [], [], 0
        for number in range(ROUNDS):
            case = where / f"case{number}"
            line = [sys.executable, "-m", "triage.cli", "sweep", str(image), "--case", str(case), "--hashset", str(where / "set"), "-q"]
            started = time.perf_counter()
            subprocess.run([*line, "--seed", str(number), "--time-budget", "5m"], check=False, capture_output=True)
            sweeps.append(time.perf_counter() - started)
            report = json.loads((case / "report.json").read_bytes())
            samples = next(row["count"] for row in report["coverage"] if row["what"] == "sweep" and row["status"] == "parsed")
            everything.append(_read_all(image) * size / STRETCH)
        took, whole = statistics.median(sweeps), statistics.median(everything)
    return {
        "title": f"{TITLE}: {size >> 30} GiB, {samples:,} blocks sampled",
        "seconds": {"sweep, with start, report and seal": round(took, 2), "reading and hashing everything (extrapolated)": round(whole, 1)},
        "figures": {"blocks a second": round(samples / took), "share of the blocks read": round(samples * BLOCK / size, 4)},
        "ratios": {"everything / sweep": round(whole / took, 2)},
    }
