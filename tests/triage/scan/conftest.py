"""Evidence folders and scans for the tests of the scan engine."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KNOWN = b"a harmless known file\n" * 50


@dataclass
class Result:
    """How ``triage scan`` ended."""

    code: int
    out: str
    err: str
    case: Path

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.case / "report.json").read_bytes())
        return report

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.case / "journal.jsonl").read_bytes().splitlines()]

    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.report["findings"]
        return found


def command(*arguments: str | Path) -> list[str]:
    """The command line of the installed program."""
    return [sys.executable, "-m", "triage.cli", *map(str, arguments)]


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., Result]:
    """``scan(source, *options, case=…)`` runs the real command."""

    def run(*arguments: str | Path, case: Path | None = None, timeout: float = 300) -> Result:
        folder = case or tmp_path / "case"
        done = subprocess.run(command("scan", *arguments, "--case", folder), capture_output=True, text=True, timeout=timeout, check=False)
        return Result(done.returncode, done.stdout, done.stderr, folder)

    return run


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A folder with a few hundred files: a known file under three names, a phrase in a text, decoys."""
    root = tmp_path / "evidence"
    for folder in ("Pictures", "Documents", "Downloads"):
        (root / folder).mkdir(parents=True)
    for number in range(300):
        (root / "Documents" / f"file {number:03d}.dat").write_bytes(hashlib.sha256(str(number).encode()).digest() * (number + 1))
    (root / "Pictures" / "known.jpg").write_bytes(KNOWN)
    (root / "Documents" / "renamed.dat").write_bytes(KNOWN)
    (root / "Documents" / "letter.txt").write_text("We talked about the copper kettle protocol.\n")
    (root / "Documents" / "decoy.txt").write_text("Copper, a kettle and a protocol.\n")
    return root


@pytest.fixture
def lists(tmp_path: Path) -> list[str]:
    """Options that name a hash list and a keyword list."""
    (tmp_path / "known.md5").write_text(hashlib.md5(KNOWN, usedforsecurity=False).hexdigest() + "\n")
    (tmp_path / "words.csv").write_text("term,category,severity,form\ncopper kettle protocol,demonstration,4,phrase\n")
    return ["--hashset", f"alert={tmp_path / 'known.md5'}", "--keywords", str(tmp_path / "words.csv")]
