"""Reference files, block sets and the real command, for the tests of the sweep."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashsets import build

MIB = 1 << 20


@dataclass
class Result:
    """How ``triage sweep`` ended."""

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

    def records(self, kind: str) -> list[dict[str, Any]]:
        return [line["data"] for line in self.journal if line["kind"] == kind]

    def findings(self, rule: str = "blocks.known_file") -> list[dict[str, Any]]:
        return [finding for finding in self.report["findings"] if finding["rule"] == rule]

    def coverage(self, what: str) -> list[dict[str, Any]]:
        return [row for row in self.report["coverage"] if row["what"] == what]


def command(*arguments: str | Path) -> list[str]:
    """The command line of the program."""
    return [sys.executable, "-m", "triage.cli", *map(str, arguments)]


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Result]:
    """``sweep(source, set, *options, case=…)`` runs the real command."""

    def run(source: Path, blocks: Path, *options: str | Path, case: Path | None = None) -> Result:
        folder = case or tmp_path / "case"
        line = command("sweep", source, "--case", folder, "--hashset", blocks, *options)
        done = subprocess.run(line, capture_output=True, text=True, timeout=300, check=False)
        return Result(done.returncode, done.stdout, done.stderr, folder)

    return run


def reference_files(folder: Path, count: int, size: int, seed: int = 5) -> list[Path]:
    """``count`` files of random bytes, as compressed pictures look to a block hash."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        path = folder / f"reference {number:02d}.jpg"
        path.write_bytes(chance.randbytes(size))
        files.append(path)
    return files


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[[Path], Path]:
    """``make_set(folder)`` builds the block set of a folder of reference files."""

    def make(folder: Path) -> Path:
        out = tmp_path / f"{folder.name}.blocks"
        build(out, [folder], role="alert", kinds=["block"])
        return out

    return make


@dataclass
class Disk:
    """An ext4 disk of 8 GiB with 256 MiB of random data and 20 MiB of reference files: ten in use, ten deleted, one of those overwritten in part."""

    image: Path
    blocks: Path
    references: Path
    in_use: set[str]
    deleted: set[str]


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Disk:
    """Made once; the programs that make it never mount it."""
    folder = tmp_path_factory.mktemp("disk")
    files = reference_files(folder / "references", 20, MIB)
    (folder / "content").mkdir()
    names = [f"picture {number:02d}.jpg" for number in range(20)]
    for path, name in zip(files, names, strict=True):
        shutil.copy(path, folder / "content" / name)
    noise = np.random.default_rng(1)
    with (folder / "content" / "other.bin").open("wb") as out:
        for _ in range(8):
            out.write(noise.bytes(32 * MIB))
    image = folder / "disk.raw"
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", str(folder / "content"), str(image), "8G"], check=True, capture_output=True
    )
    listed = subprocess.run(
        ["debugfs", "-R", f'blocks "/{names[0]}"', str(image)], check=True, capture_output=True, text=True
    ).stdout.split()
    for name in names[:10]:
        subprocess.run(["debugfs", "-w", "-R", f'rm "/{name}"', str(image)], check=True, capture_output=True)
    with image.open("r+b") as out:
        for block in listed[64:192]:
            out.seek(int(block) * 4096)
            out.write(noise.bytes(4096))
    shutil.rmtree(folder / "content")
    blocks = folder / "references.blocks"
    build(blocks, [folder / "references"], role="alert", kinds=["block"])
    return Disk(image, blocks, folder / "references", set(names[10:]), set(names[:10]))
