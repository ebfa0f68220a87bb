"""The visit in a real terminal, by keyboard alone, ending with a sealed case that ``triage verify`` passes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from triage.visit import words

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PATIENCE = 90.0


class Terminal:
    """A terminal of tmux with its own server."""

    def __init__(self, socket: Path, size: tuple[int, int], command: list[str], folder: Path) -> None:
        self._base = ["tmux", "-S", str(socket)]
        width, height = size
        line = shlex.join(command) + f"; echo ended with $? > {shlex.quote(str(folder / 'code'))}; sleep 600"
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._run("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(folder), line, env=environment)

    def _run(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        return subprocess.run([*self._base, *arguments], check=True, capture_output=True, text=True, env=env).stdout

    def shown(self) -> str:
        return self._run("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def write(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def wait(self, text: str) -> str:
        end = time.monotonic() + PATIENCE
        while text not in (seen := self.shown()):
            assert time.monotonic() < end, f"{text!r} never came:\n{seen}"
            time.sleep(0.1)
        return seen

    def close(self) -> None:
        subprocess.run([*self._base, "kill-server"], check=False, capture_output=True)


@pytest.fixture(params=[(80, 24), (120, 40)], ids=["80x24", "120x40"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    command = [
        sys.executable, "-m", "triage.cli", "visit", str(SAMPLE / "sample.E01"), "--cases", str(tmp_path / "cases"),
        "--hashset", f"alert={SAMPLE / 'known.md5'}", "--keywords", str(SAMPLE / "words.csv"),
    ]  # fmt: skip
    for number in range(4):  # there must be time for a note
        with open(tmp_path / f"empty{number}.raw", "wb") as file:
            file.truncate(250 << 20)
        command.insert(5, str(tmp_path / f"empty{number}.raw"))
    opened = Terminal(tmp_path / "socket", request.param, command, tmp_path)
    yield opened
    opened.close()


@pytest.mark.tools
@pytest.mark.slow
def test_a_visit_in_a_terminal(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait(words.BEGIN_NEW)
    terminal.press("Tab", "Enter")
    terminal.wait(words.STEPS["who"])
    for text in ("Pat Demo", "0042", "Demo Police", "REF-9", ""):
        if text:
            terminal.write(text)
        terminal.press("Enter")
    terminal.press("Tab", "Enter")
    terminal.wait(words.STEPS["authority"])
    terminal.press("Down")
    terminal.wait(words.BASIS_FIELDS["consent"]["given_by"])
    terminal.press("Tab")
    for text in ("The person", "22 November 2026, 09:40", "By telling me", "Notebook 12"):
        terminal.write(text)
        terminal.press("Enter")
    terminal.press("Tab", "Enter")
    terminal.wait(words.STEPS["order"])
    terminal.press("BTab")  # from the first field backwards: the last button
    terminal.press("Enter")
    terminal.wait(words.STEPS["scope"])
    terminal.press("BTab", "Enter")
    terminal.wait(words.PATH_LABEL)
    terminal.press("BTab", "Enter")
    terminal.wait(words.SUMMARY)
    terminal.press("BTab", "Enter")
    terminal.wait(words.STEPS["running"])
    terminal.press("n")
    terminal.wait(words.NOTE_ASK)
    terminal.write("A dog in the room")
    terminal.press("Enter")
    terminal.wait(words.STEPS["end"])
    page = terminal.wait("Grounds to consider seizure")
    assert "\ufffd" not in page
    terminal.press("Tab", "Enter")
    after = terminal.wait("Fingerprint: ")
    case = next((tmp_path / "cases").iterdir())
    assert str(case.name) in after.replace("\n", "")
    assert (case / "seal.json").is_file()
    end = time.monotonic() + PATIENCE
    while not (tmp_path / "code").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert (tmp_path / "code").read_text() in ("ended with 0\n", "ended with 3\n")
    verified = subprocess.run([sys.executable, "-m", "triage.cli", "verify", str(case)], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout
    assert "A dog in the room" in (case / "journal.jsonl").read_text()
    fingerprint = after.split("Fingerprint: ")[1][:29]
    assert fingerprint in verified.stdout
    assert fingerprint.split()[0] in page


@pytest.mark.parametrize("arguments", [["visit"], ["visit", "--visit", "nowhere.yaml"]])
def test_without_a_terminal_it_says_so_in_one_line(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "triage.cli", *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "terminal" in done.stderr


def test_the_version_is_told_without_the_screens() -> None:
    code = "import sys; from triage.cli import application; application('--version'); assert 'textual' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
