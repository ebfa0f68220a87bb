"""The confusion table over all scenes: one scan of all their evidence, judged scene by scene."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.scenes import real_tools, used_programs, volumes, written
from tests.scenes.scene import Scene

SCENES = [*real_tools.BOOK.scenes, *written.BOOK.scenes, *used_programs.BOOK.scenes]
VISIT = """reference: scenes
officer: {name: A. Example, number: "1", force: Example}
subject: {reference: scenes}
authority: {basis: order, reference: Order 1}
conditions:
  - id: "1"
    text: Not to delete browsing history, and not to use software that wipes, hides, shares or anonymises.
    checks: [keep_history, no_private_browsing, no_wiping_software, no_anonymisers, no_undeclared_encryption, no_p2p]
"""
"""Every scene is scanned under such an order: what an everyday program means depends on it."""
GRAVE = 3
"""The severity from which on a finding is more than a note."""


@dataclass(slots=True)
class Result:
    """What a scan said of one scene."""

    scene: Scene
    findings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def spoken(self) -> list[str]:
        """The rules that spoke with weight, in order."""
        return sorted({item["rule"] for item in self.findings if item["severity"] >= GRAVE})

    @property
    def right(self) -> bool:
        """An evasion: the right rule spoke. An innocent scene: none did."""
        if not self.scene.evasion:
            return not self.spoken
        return any(rule.startswith(wanted) for rule in self.spoken for wanted in self.scene.rules)


def possible(scene: Scene) -> str:
    """Why a scene cannot be made here, "" where it can."""
    if scene.volumes and (why := volumes.missing()):
        return why
    absent = [tool for tool in scene.tools if shutil.which(tool) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def perform(scenes: Sequence[Scene], folder: Path, seed: int) -> list[Result]:
    """Make the evidence of all scenes below ``folder`` and scan it in one case."""
    sources = []
    for number, scene in enumerate(scenes):
        place = folder / f"scene{number}"
        place.mkdir()
        sources.append(scene.build(place, random.Random(f"{seed} {scene.name}")))
    case = folder / "case"
    visit = folder / "visit.yaml"
    visit.write_text(VISIT, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "triage.cli",
        "scan",
        *map(str, sources),
        "--case",
        str(case),
        "--visit",
        str(visit),
        "--quiet",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stderr[-2000:])
    report = json.loads((case / "report.json").read_bytes())
    results = [Result(scene) for scene in scenes]
    for finding in report["findings"]:
        results[int(str(finding["source"]).removeprefix("s")) - 1].findings.append(finding)
    return results


def table(results: Sequence[Result]) -> str:
    """The results as text: the four counts, and every scene that went wrong."""
    found = sum(result.right for result in results if result.scene.evasion)
    evasions = sum(result.scene.evasion for result in results)
    alarms = sum(not result.right for result in results if not result.scene.evasion)
    innocent = len(results) - evasions
    lines = [
        f"{'':22}{'said so':>10}{'silent':>10}",
        f"{'evasion':22}{found:>10}{evasions - found:>10}",
        f"{'innocent':22}{alarms:>10}{innocent - alarms:>10}",
        f"recall {found / max(1, evasions):.1%} of {evasions}, false alarms {alarms / max(1, innocent):.1%} of {innocent}",
    ]
    for result in results:
        if not result.right:
            said = ", ".join(f"{item['rule']} ({item['severity']}): {item['title']}" for item in result.findings) or "nothing"
            lines.append(f"{'MISSED' if result.scene.evasion else 'FALSE ALARM'}: {result.scene.name}: {said}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Print the table; 0 where recall is at least 95% and false alarms are at most 2%."""
    seed = next((int(item) for item in arguments if item.isdigit()), 1)
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    chosen = [scene for scene in SCENES if only in scene.name]
    left_out = {scene.name: why for scene in chosen if (why := possible(scene))}
    made = [scene for scene in chosen if scene.name not in left_out]
    with tempfile.TemporaryDirectory(prefix="scenes-") as folder:
        results = perform(made, Path(folder), seed)
    print(table(results))
    for name, why in left_out.items():
        print(f"not made: {name}: {why}")
    evasions = [result.right for result in results if result.scene.evasion]
    innocent = [result.right for result in results if not result.scene.evasion]
    return 0 if sum(evasions) >= 0.95 * len(evasions) and sum(innocent) >= 0.98 * len(innocent) else 1
