"""A drive with a running browser on it: its locked databases are read, and nothing on it changes by that."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.artefacts.browsers.test_real_browsers import chromium_switches, open_in_chromium, port, running, stop, wait_for  # noqa: F401
from tests.triage.scan.conftest import Result, command

Scan = Callable[..., Result]
pytestmark = [pytest.mark.slow, pytest.mark.tools]
SPARED = "access times were spared, except those of symbolic links: no system lets a link be read without"
VISIT = (
    "reference: OP-1\nofficer: {name: A. Officer, number: '12', force: Sample}\nsubject: {reference: S-1}\n"
    "authority: {basis: order, reference: ORDER-1}\n"
)


@pytest.fixture
def case() -> Iterator[Path]:
    """A case folder on another drive than the evidence."""
    folder = Path("/dev/shm") / f"triage-live-{os.getpid()}"
    if not folder.parent.is_dir():
        pytest.skip("needs a second drive to write the case to")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _states(root: Path) -> dict[str, tuple[int, ...]]:
    """Of every file and folder below ``root``: identity, size, the four times but creation; not the access time of links."""
    found = {}
    for path in [root, *sorted(root.rglob("*"))]:
        state = path.lstat()
        accessed = 0 if path.is_symlink() else state.st_atime_ns
        found[str(path)] = (state.st_ino, state.st_size, accessed, state.st_mtime_ns, state.st_ctime_ns)
    return found


def _reading_shows(folder: Path) -> bool:
    """Whether this file system notes access times at all: without that the test would prove nothing of them."""
    probe = folder / "probe"
    probe.write_text("x")
    os.utime(probe, (1, 2))
    probe.read_text()
    return probe.stat().st_atime_ns != 10**9


def _visited(result: Result) -> set[str]:
    observed = [line["data"] for line in result.journal if line["kind"] == "observation"]
    return {data["url"] for data in observed if data["type"] == "PageVisit"}


def test_the_history_of_a_running_chromium(scan: Scan, tmp_path: Path, case: Path, port: int) -> None:  # noqa: F811
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    if case.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second drive to write the case to")
    data = tmp_path / "drive" / "home" / "jo" / ".config" / "chromium"
    history, base = data / "Default" / "History", f"http://127.0.0.1:{port}"
    (tmp_path / "visit.yaml").write_text(VISIT)
    data.mkdir(parents=True)
    process = running([program, *chromium_switches(data, port), "about:blank"], tmp_path)
    try:
        open_in_chromium(data, (f"{base}/one", f"{base}/two"))
        wait_for(lambda: history.exists() and b"/two" in history.read_bytes() + _log(history), "two pages")
        os.killpg(process.pid, signal.SIGSTOP)  # it keeps its locks, and what changes from now on is our doing
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(f"file:{history}?mode=ro", uri=True, timeout=0).execute("SELECT count(*) FROM urls").fetchone()
        noted = _reading_shows(tmp_path)
        for path in (tmp_path / "drive").rglob("*"):
            if noted and not path.is_symlink():
                os.utime(path, ns=(10**18, path.stat().st_mtime_ns))
        before = _states(tmp_path / "drive")
        result = scan(tmp_path / "drive", "--live", "--visit", tmp_path / "visit.yaml", case=case)
        assert _states(tmp_path / "drive") == before
        assert result.code in (0, 3), result.err
        assert {f"{base}/one", f"{base}/two"} <= _visited(result)
        [touch] = [line["data"] for line in result.journal if line["kind"] == "touch"]
        assert touch == {"what": f"read the files of {tmp_path / 'drive'}", "why": SPARED}
        os.killpg(process.pid, signal.SIGCONT)
        open_in_chromium(data, (f"{base}/three",))
        wait_for(lambda: b"/three" in history.read_bytes() + _log(history), "the browser to go on")
    finally:
        os.killpg(process.pid, signal.SIGCONT)
        stop(process)


def _log(history: Path) -> bytes:
    log = history.with_name("History-wal")
    return log.read_bytes() if log.exists() else b""


def test_files_of_others_are_a_touch_that_is_journalled(tmp_path: Path) -> None:
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to read as somebody who owns nothing there")
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "theirs.txt").write_text("x")
    os.chown(drive / "theirs.txt", 65534, 65534)
    drop = ["setpriv", "--bounding-set=-fowner", "--inh-caps=-fowner"]
    done = subprocess.run([*drop, *command("scan", drive, "--case", tmp_path / "case")], capture_output=True, text=True, check=False)
    result = Result(done.returncode, done.stdout, done.stderr, tmp_path / "case")
    assert result.code == 0, result.err
    touches: list[Any] = [line["data"]["why"] for line in result.journal if line["kind"] == "touch"]
    assert touches == [SPARED, "this system does not let us read some of them without setting access times"]
