"""The self-test: the whole program on two small folders that it makes itself, one with known things in it and one without.

It goes the way of a real scan - worker processes, journal, rules, report, seal, verification - and fails loudly if anything that
should be found is not, if anything is found where nothing is, or if a case that was tampered with passes for intact.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from triage.scan.progress import LineProgress

KNOWN = b"harmless control content of the triage self-test\n" * 40
TERM = "triage control phrase"
RULE = 'rule control { meta: severity = 3 category = "control" description = "Self-test control" innocent = "It is the self-test" strings: $a = "c0ntrol-marker-71" condition: $a }'


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that had to be so."""

    name: str
    passed: bool
    detail: str = ""


class _Silent(LineProgress):
    def _say(self, text: str) -> None:
        pass


def run() -> list[Check]:
    """Run both controls; never raises for a failing one."""
    checks: list[Check] = []
    with tempfile.TemporaryDirectory(prefix="triage-selftest-") as name:
        folder = Path(name)
        for title, control in (("positive control", _positive), ("negative control", _negative)):
            try:
                checks += control(folder)
            except Exception as error:
                checks.append(Check(title, False, f"{type(error).__name__}: {error}"))
    return checks


def _scan(folder: Path, evidence: Path, case: Path) -> dict[str, object]:
    from triage import keys
    from triage.scan.job import Job, run
    from triage.scan.profile import load_profile
    from triage.scan.setup import HashSetSetup, Setup, SourceSetup

    known, words, rules = folder / "known.md5", folder / "words.csv", folder / "control.yar"
    known.write_text(hashlib.md5(KNOWN, usedforsecurity=False).hexdigest() + "\n")
    words.write_text(f"term,category,severity,form\n{TERM},control,4,phrase\n")
    rules.write_text(RULE)
    setup = Setup(
        profile=load_profile("full"),
        sources={"s1": SourceSetup(str(evidence))},
        hash_sets=[HashSetSetup(str(known), "alert")],
        keywords=[str(words)],
        yara=[str(rules)],
    )
    run(Job(setup=setup, case=case, signer=keys.case_signer(), workers=1), _Silent(quiet=True))
    report: dict[str, object] = json.loads((case / "report.json").read_bytes())
    return report


def _positive(folder: Path) -> list[Check]:
    from triage.report.verify import verify

    evidence, case = folder / "positive", folder / "positive-case"
    profile = evidence / "Users" / "control" / "AppData" / "Local" / "Google" / "Chrome" / "User Data" / "Default"
    profile.mkdir(parents=True)
    (evidence / "renamed.dat").write_bytes(KNOWN)
    (evidence / "letter.txt").write_text(f"This letter holds the {TERM} once.\n")
    (evidence / "marker.bin").write_bytes(b"\0\1\2c0ntrol-marker-71\0")
    with sqlite3.connect(profile / "History") as database:
        database.execute("CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER, last_visit_time INTEGER)")
        database.execute("CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER)")
        database.execute("INSERT INTO urls VALUES(1, 'https://control.example/', ?, 1, 13350000000000000)", (TERM,))
        database.execute("INSERT INTO visits VALUES(1, 1, 13350000000000000, 1)")
    database.close()
    report = _scan(folder, evidence, case)
    findings = report["findings"]
    assert isinstance(findings, list)
    rules = {finding["rule"] for finding in findings}
    paths = {finding["path"] for finding in findings}
    assessment = report["assessment"]
    assert isinstance(assessment, dict)
    checks = [
        Check("a known file under another name is found", "/renamed.dat" in paths, f"findings on {sorted(paths)}"),
        Check("a keyword in a text file is found", "/letter.txt" in paths, f"findings on {sorted(paths)}"),
        Check("a YARA rule matches", "/marker.bin" in paths, f"rules {sorted(rules)}"),
        Check(
            "a page visit is read and its title matched", any(p and p.endswith("/History") for p in paths), f"findings on {sorted(paths)}"
        ),
        Check("the outcome is 'found'", assessment["outcome"] == "found", str(assessment["outcome"])),
        Check("the case verifies", verify(case).exit_code == 0, "; ".join(verify(case).lines())),
    ]
    for name in ("report.html", "journal.jsonl"):
        checks.append(_tamper(case, name, lambda: verify(case).exit_code))
    return checks


def _tamper(case: Path, name: str, exit_code: Callable[[], int]) -> Check:
    path = case / name
    before = path.read_bytes()
    middle = len(before) // 2
    path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
    noticed = exit_code() == 1
    path.write_bytes(before)
    return Check(f"one changed bit in {name} is noticed", noticed, "the case still passed for intact")


def _negative(folder: Path) -> list[Check]:
    evidence, case = folder / "negative", folder / "negative-case"
    evidence.mkdir()
    (evidence / "letter.txt").write_text("An ordinary letter about controlled phrasing and a triage nurse.\n")
    (evidence / "empty.dat").write_bytes(b"")
    (evidence / "other.bin").write_bytes(bytes(range(256)) * 20)
    report = _scan(folder, evidence, case)
    findings, assessment = report["findings"], report["assessment"]
    assert isinstance(findings, list)
    assert isinstance(assessment, dict)
    titles = "; ".join(finding["title"] for finding in findings)
    return [
        Check("nothing is found where nothing is", not findings, titles),
        Check("the outcome is 'nothing_found'", assessment["outcome"] == "nothing_found", str(assessment["outcome"])),
    ]
