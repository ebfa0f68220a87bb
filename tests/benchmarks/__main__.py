"""Run benchmarks and print their figures: ``python -m tests.benchmarks [NAME…] [--large] [--json FILE]``.

A benchmark is a module ``bench_NAME.py`` with ``TITLE`` and ``main(arguments) -> dict`` that measures ours and its peers alternately in one run and returns
medians in ``seconds`` (or another unit that it names) and ``ratios``. It judges nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Run the benchmarks named, or all; returns the exit code."""
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    out = Path("benchmarks.json")
    if "--json" in arguments:
        at = arguments.index("--json")
        out = Path(arguments[at + 1])
        del arguments[at : at + 2]
    chosen = [word for word in arguments if not word.startswith("-")] or names
    options = [word for word in arguments if word.startswith("-")]
    if unknown := sorted(set(chosen) - set(names)):
        print(f"There is no benchmark {', '.join(unknown)}: choose from {', '.join(names)}.", file=sys.stderr)
        return 2
    results: dict[str, Any] = {
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()}
    }
    for name in chosen:
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        result = module.main(options)
        results[name] = result
        print(f"\n{result['title']}")
        for section in ("seconds", "figures", "memory", "ratios"):
            for key, value in result.get(section, {}).items():
                print(f"  {section[:-1] if section.endswith('s') else section:8} {key:44} {value}")
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nWritten to {out}")
    return 0


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
