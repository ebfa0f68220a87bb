"""Start-up: ``triage --version`` against ``python -c "import typer"``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TITLE = "start-up"
ROUNDS = 21


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure alternately; medians in seconds."""
    ours, peer = [str(Path(sys.executable).parent / "triage"), "--version"], [sys.executable, "-c", "import typer"]
    rounds = [(_seconds(ours), _seconds(peer)) for _ in range(ROUNDS)]
    a, b = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {
        "title": TITLE,
        "rounds": ROUNDS,
        "seconds": {"triage --version": round(a, 4), 'python -c "import typer"': round(b, 4)},
        "ratios": {"ours / import typer": round(a / b, 2)},
    }
