"""A stick that fills up or is pulled out while a scan writes to it: a readable message, and a case that goes on and verifies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.tools, pytest.mark.slow]

FILES = 1500
TRIAGE = [sys.executable, "-m", "triage.cli"]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evidence")
    for number in range(FILES):
        (root / f"{number:05d}.txt").write_text(f"number {number}: the copper kettle protocol\n" * 20)
    (root / "words.csv").write_text("term,category,severity,form\ncopper kettle,drugs,4,phrase\n")
    return root


@pytest.fixture(scope="module")
def whole(evidence: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The findings of a scan that nothing happened to."""
    case = tmp_path_factory.mktemp("whole") / "case"
    assert _scan(evidence, case).returncode in (0, 3)
    return _findings(case)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("mounting needs Linux and root")
    place = tmp_path / "stick"
    place.mkdir()
    yield place
    while os.path.ismount(place):
        _call("umount", "-l", place)


def _call(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]} is not possible here: {done.stderr.strip()}")


def _command(evidence: Path, case: Path) -> list[str]:
    return [*TRIAGE, "scan", str(evidence), "--keywords", str(evidence / "words.csv"), "--case", str(case), "--workers", "1", "--quiet"]


def _scan(evidence: Path, case: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_command(evidence, case), capture_output=True, text=True, check=False)


def _findings(case: Path) -> list[object]:
    return list(json.loads((case / "report.json").read_bytes())["findings"])


def _goes_on(evidence: Path, case: Path, whole: list[object]) -> None:
    again = _scan(evidence, case)
    assert again.returncode in (0, 3), again.stderr
    assert _findings(case) == whole
    verified = subprocess.run([*TRIAGE, "verify", str(case)], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout


@pytest.mark.parametrize("size", [200_000, 1_200_000])
def test_a_full_stick(evidence: Path, whole: list[object], stick: Path, size: int) -> None:
    _call("mount", "-t", "tmpfs", "-o", f"size={size}", "none", stick)
    done = _scan(evidence, stick / "case")
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("triage: the stick or disk with the case folder"), done.stderr
    assert "is full" in done.stderr and "Traceback" not in done.stderr
    assert (stick / "case" / "journal.jsonl").stat().st_size > 0
    _call("mount", "-o", "remount,size=64m", stick)
    _goes_on(evidence, stick / "case", whole)


def _ext4(image: Path, place: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    _call("mkfs.ext4", "-q", "-F", image)
    _call("mount", "-o", "loop", image, place)
    return lambda: _call("umount", "-l", place), lambda: _call("mount", "-o", "loop", image, place)


def _ntfs(image: Path, place: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """Its driver is a program: killed, every file on the stick fails as those of a stick that is out."""
    _call("mkntfs", "-q", "-F", "-f", image)
    driver = subprocess.Popen(["ntfs-3g", "-o", "no_detach", str(image), str(place)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not os.path.ismount(place):
        if driver.poll() is not None or time.monotonic() > deadline:
            pytest.skip("ntfs-3g cannot mount here")
        time.sleep(0.05)

    def pull() -> None:
        driver.send_signal(signal.SIGKILL)
        driver.wait()

    def back() -> None:
        _call("umount", "-l", place)
        _call("ntfs-3g", image, place)

    return pull, back


@pytest.mark.parametrize("kind", [_ext4, _ntfs], ids=["taken from under it", "gone"])
def test_a_pulled_stick(
    evidence: Path,
    whole: list[object],
    stick: Path,
    tmp_path: Path,
    kind: Callable[[Path, Path], tuple[Callable[[], None], Callable[[], None]]],
) -> None:
    if shutil.which("ntfs-3g") is None or shutil.which("mkfs.ext4") is None:
        pytest.skip("no ntfs-3g or no e2fsprogs")
    image = tmp_path / "stick.img"
    image.touch()
    os.truncate(image, 64 << 20)
    pull, back = kind(image, stick)
    journal = stick / "case" / "journal.jsonl"
    process = subprocess.Popen(_command(evidence, stick / "case"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 100_000):
        time.sleep(0.01)
    assert process.poll() is None, "the scan was over before the stick could be pulled"
    pull()
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 1, said
    assert said.splitlines()[-1].startswith("triage: the case folder") and "can no longer be written" in said, said
    assert "Traceback" not in said
    back()
    _goes_on(evidence, stick / "case", whole)
