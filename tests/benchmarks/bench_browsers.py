"""Browser histories: ``triage scan`` against Hindsight on the same Chromium profiles, and what each reports of them.

Hindsight lives in an environment of its own, outside the project: ``HINDSIGHT`` names its ``hindsight.py`` beside its Python. Both tools get
the folder with all profiles and find them themselves. Hindsight is measured as it runs unless told otherwise (a workbook) and in its
quickest form (lines of JSON), and so are we: the whole scan, and the records alone as lines of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.browser_profiles import large, specimens

TITLE = "browser history against Hindsight"
ROUNDS = 3
_KINDS = {
    "chrome:history:page_visited": "visits",
    "chrome:history:file_downloaded": "downloads",
    "chrome:cookie:entry": "cookies",
    "chrome:cache:entry": "cache entries",
    "chrome:bookmark:entry": "bookmarks",
}
_TYPES = {"PageVisit": "visits", "Download": "downloads", "Cookie": "cookies", "CachedItem": "cache entries", "Bookmark": "bookmarks"}
_SUBREAPER = 36  # prctl: orphans become our children, so that the process that workers are forked from is counted too


def _run(command: list[str], where: Path) -> tuple[float, float]:
    """Seconds of wall clock and of processors, those of every process it began included, for one command."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wall = time.perf_counter() - started
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stdout.decode(errors="replace")[-2000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _scan(root: Path, where: Path) -> list[str]:
    return [str(Path(sys.executable).parent / "triage"), "scan", str(root), "--case", str(where / "case"), "--quiet"]


def _records(root: Path, where: Path) -> list[str]:
    """Our command for Hindsight's quickest job: the records as lines of JSON, with no journal, findings, report or seal."""
    return [sys.executable, str(Path(__file__).with_name("browser_records.py")), str(root), str(where / "records.jsonl")]


def _hindsight(script: Path, form: str) -> Callable[[Path, Path], list[str]]:
    def command(root: Path, where: Path) -> list[str]:
        python = str(script.parent / "python")
        return [python, str(script), "-i", str(root), "-o", str(where / "peer"), "-f", form, "-l", str(where / "log"), "--nocopy"]

    return command


Key = tuple[str, str, str]


def _of_peer(file: Path) -> Iterator[Key]:
    """What Hindsight reports: kind, user, address (of a cookie: host and name)."""
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            kind = _KINDS.get(item["data_type"])
            if kind == "cookies" and item.get("timestamp_desc") != "Creation Time":
                continue  # a second line for the same cookie's last use
            if kind:
                user = item["profile"].split("/home/")[1].split("/")[0]
                yield kind, user, f"{item['host'].lstrip('.')} {item['cookie_name']}" if kind == "cookies" else item["url"]


def _of_ours(journal: Path) -> Iterator[Key]:
    with open(journal, encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)["data"]
            kind = _TYPES.get(item.get("type", ""))
            if kind:
                user = item["provenance"]["path"].split("/home/")[1].split("/")[0]
                yield kind, user, f"{item['host'].lstrip('.')} {item['name']}" if kind == "cookies" else item["url"]


def _compare(peer: Path, journal: Path) -> tuple[dict[str, Any], list[Key]]:
    """Counts by kind, and everything that Hindsight reports and we do not, as often as it does."""
    theirs, ours = Counter(_of_peer(peer)), Counter(_of_ours(journal))
    missing = theirs - ours
    figures: dict[str, Any] = {}
    for kind in _KINDS.values():
        count, own, lost = (sum(number for key, number in found.items() if key[0] == kind) for found in (theirs, ours, missing))
        figures[kind] = f"Hindsight {count:,}, ours {own:,}, only Hindsight {lost:,}"
    return figures, sorted(missing)


def main(arguments: list[str]) -> dict[str, Any]:
    """Medians of alternating runs; start-up counts on both sides. Without Hindsight only our own figures."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    named = os.environ.get("HINDSIGHT", "")
    script = Path(named) if named and Path(named).is_file() else None
    if script is None:
        print("Hindsight is not here (set HINDSIGHT to its hindsight.py): only our own time is measured", file=sys.stderr)
    commands: dict[str, Callable[[Path, Path], list[str]]] = {"whole triage scan": _scan, "our records": _records}
    if script is not None:
        commands |= {"Hindsight": _hindsight(script, "xlsx"), "Hindsight, JSON lines": _hindsight(script, "jsonl")}
    result: dict[str, Any] = {"title": TITLE, "rounds": ROUNDS, "seconds": {}, "figures": {}, "ratios": {}}
    with tempfile.TemporaryDirectory() as scratch:
        roots = {"all specimens": Path(scratch) / "specimens", "60,000 visits": Path(scratch) / "large"}
        result["figures"]["all specimens: profiles"] = len(specimens(roots["all specimens"]))
        large(roots["60,000 visits"])
        for name, root in roots.items():
            runs: dict[str, list[tuple[float, float]]] = {title: [] for title in commands}
            for number in range(ROUNDS):
                where = Path(scratch) / f"run {number}"
                where.mkdir()
                for title, command in commands.items():
                    runs[title].append(_run(command(root, where), where if "records" not in title else Path(__file__).parents[2]))
                if script is not None and not number:
                    figures, missing = _compare(where / "peer.jsonl", where / "case" / "journal.jsonl")
                    result["figures"] |= {f"{name}: {kind}": text for kind, text in figures.items()}
                    result["figures"] |= {f"{name}: only Hindsight {n}": " ".join(key) for n, key in enumerate(missing[:50], 1)}
                shutil.rmtree(where)
            median = {title: [statistics.median(column) for column in zip(*values, strict=True)] for title, values in runs.items()}
            for title, (wall, cpu) in median.items():
                result["seconds"] |= {f"{name}: {title}": round(wall, 2), f"{name}: {title}, processors": round(cpu, 2)}
            if script is not None:
                for title, peer in (
                    ("whole triage scan", "Hindsight"),
                    ("our records", "Hindsight, JSON lines"),
                    ("whole triage scan", "Hindsight, JSON lines"),
                ):
                    ratio = [own / other for own, other in zip(median[title], median[peer], strict=True)]
                    result["ratios"] |= {
                        f"{name}: {title} / {peer}": round(ratio[0], 2),
                        f"{name}: {title} / {peer}, processors": round(ratio[1], 2),
                    }
    return result
