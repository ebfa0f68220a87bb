"""Software catalogue: 1,000,000 observations of every kind and 1,000,000 names of files against all its programs.

The peer is what nobody should write: one regular expression for each program over the same texts, on a hundredth of them, scaled up. Both in
processor time of one core.
"""

from __future__ import annotations

import random
import re
import time
from typing import Any

from rules import software
from rules.software import Joiner

TITLE = "software catalogue, 1,000,000 observations and as many files"
COUNT = 1_000_000
SHARE = 2_000


def observations(count: int) -> list[dict[str, Any]]:
    """Made-up records in the mixture of a home computer, one in two hundred of them a trace."""
    rng = random.Random(11)
    syllables = ["ba", "ter", "mo", "lin", "ra", "sok", "vi", "den", "pul", "ge", "nor", "ti"]

    def word() -> str:
        return "".join(rng.choice(syllables) for _ in range(rng.randint(2, 4)))

    names = [word() for _ in range(5000)]
    hosts = [f"www.{rng.choice(names)}.com" for _ in range(3000)]
    programs = list(software.shipped())
    made: list[dict[str, Any]] = []
    for number in range(count):
        name, kind = rng.choice(names), rng.random()
        provenance = {"source": "s1", "path": f"/Users/{name}/x"}
        item: dict[str, Any] = {"id": f"{number:016x}", "provenance": provenance}
        if kind < 0.005:
            item |= {"type": "InstalledProgram", "name": rng.choice(programs).name, "how": "uninstall entry"}
        elif kind < 0.45:
            item |= {"type": "PageVisit", "url": f"https://{rng.choice(hosts)}/{name}/{number}?q={number}", "time": None}
        elif kind < 0.65:
            item |= {"type": "FileSeen", "path": f"C:\\Users\\{name}\\Documents\\{rng.choice(names)}\\{name}{number}.docx", "how": "LNK"}
        elif kind < 0.8:
            item |= {"type": "DeletedFile", "path": f"{name}{number}.tmp", "how": "change journal"}
        elif kind < 0.9:
            item |= {
                "type": "ProgramRun",
                "program": f"{name}.exe",
                "path": f"C:\\Program Files\\{name}\\{name}.exe",
                "how": "Prefetch",
                "time": None,
            }
        elif kind < 0.95:
            item |= {"type": "SearchQuery", "terms": f"{name} {rng.choice(names)} {rng.choice(names)}"}
        else:
            item |= {"type": "StartupItem", "name": name, "command": f"C:\\Windows\\System32\\{name}.sys", "how": "driver"}
        made.append(item)
    return made


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure; see the module."""
    clock = time.process_time
    started = clock()
    catalogue = software.load()
    joiner = Joiner(catalogue)
    loading = clock() - started
    made = observations(COUNT)
    started = clock()
    hits = sum(len(joiner.match(item)) for item in made)
    matching = clock() - started
    paths = [f"/Users/a/folder{number % 7919}/file{number}.jpg" for number in range(COUNT)]
    started = clock()
    for path in paths:
        joiner.match_file(path)
    listing = clock() - started
    peers = [
        re.compile("|".join(re.escape(trace.value.rstrip("*")) for trace in program.traces), re.IGNORECASE) for program in catalogue
    ]  # fmt: skip
    texts = [" ".join(str(value) for value in item.values() if isinstance(value, str)) for item in made[:SHARE]]
    started = clock()
    for text in texts:
        for peer in peers:
            peer.search(text)
    naive = (clock() - started) * COUNT / SHARE
    return {
        "title": TITLE,
        "seconds": {"load the catalogue": round(loading, 2), "observations": round(matching, 2), "names of files": round(listing, 2), "one expression a program (scaled)": round(naive, 1)},
        "figures": {"programs": len(catalogue), "traces": sum(len(program.traces) for program in catalogue), "hits": hits},
        "ratios": {"faster than one expression a program": round(naive / matching, 1)},
    }  # fmt: skip
