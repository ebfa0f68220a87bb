"""What the person at the keyboard sees while a scan runs: truthful, and plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from triage.text import visible

PHASES = {
    "open": "Opening",
    "walk": "Listing files",
    "read": "Reading files",
    "space": "Looking at free space",
    "unallocated": "Searching space that no file uses",
    "carve": "Looking for pictures in space that no file uses",
    "sweep": "Reading blocks",
    "report": "Writing the report",
    "done": "Done",
}

UNITS = {"sweep": "blocks"}
"""What is counted in a phase, where that is not files."""


class Progress(Protocol):
    """What the scan tells."""

    def phase(self, name: str, *, files: int = 0, size: int = 0) -> None:
        """A phase begins; ``files`` and ``size`` (bytes) are all it has to do, 0 where nobody knows yet."""

    def update(self, *, files: int, size: int) -> None:
        """This much of the phase is done."""

    def alert(self, finding: dict[str, Any]) -> None:
        """A finding that an officer should hear of at once."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def close(self) -> None:
        """No more will come."""


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def alert_line(finding: dict[str, Any]) -> str:
    """A finding in one line."""
    where = f" - {visible(finding['path'])}" if finding.get("path") else ""
    return f"{visible(finding['title'])}{where}"


class Meter:
    """How much of a phase is done, and how long the rest of it will take at the speed so far. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or (lambda: time.monotonic())
        self.begin(0, 0)

    def begin(self, files: int, size: int) -> None:
        """A phase begins that has so many files and bytes to do, 0 where nobody knows."""
        self._files, self._size, self._started = files, size, self._clock()
        self._done = (0, 0)
        self.elapsed = 1e-3

    def update(self, files: int, size: int) -> None:
        """This much of it is done."""
        self.elapsed = max(self._clock() - self._started, 1e-3)
        self._done = (files, size)

    @property
    def share(self) -> float | None:
        """The part that is done, 0 to 1; None where nobody knows."""
        # A disk of many small files is slow by the file, one of few large files by the byte: the slower share is the honest one.
        shares = [done / total for done, total in zip(self._done, (self._files, self._size), strict=True) if total]
        return min(1.0, *shares) if shares else None

    @property
    def left(self) -> float | None:
        """Seconds to the end of the phase; None while it cannot be told."""
        share = self.share
        return self.elapsed / share - self.elapsed if share is not None and share > 0.01 and self.elapsed > 2 else None


class LineProgress:
    """Lines on standard error, at most one every ten seconds, for a log or a pipe. ``quiet``: alerts only."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._phase, self._unit, self._files, self._size, self._last, self._alerts = "", "files", 0, 0, 0.0, 0

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def phase(self, name: str, *, files: int = 0, size: int = 0) -> None:
        self._phase, self._files, self._size, self._last = PHASES[name], files, size, time.monotonic()
        self._unit = UNITS.get(name, "files")
        if not self._quiet:
            of = f": {files} {self._unit}, {_size(size)}" if files else ""
            self._say(f"{self._phase}{of}")

    def update(self, *, files: int, size: int) -> None:
        if not self._quiet and time.monotonic() - self._last >= 10:
            self._last = time.monotonic()
            of = f" of {self._files} {self._unit}, {_size(size)} of {_size(self._size)}" if self._files else f" {self._unit}"
            self._say(f"{self._phase}: {files}{of}; {self._alerts} alerts")

    def alert(self, finding: dict[str, Any]) -> None:
        self._alerts += 1
        self._say(f"ALERT: {alert_line(finding)}")

    def note(self, text: str) -> None:
        if not self._quiet:
            self._say(visible(text))

    def close(self) -> None:
        pass


class TerminalProgress:
    """A live bar: phase, files, bytes, rate, time left, alerts so far."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._console = Console(stderr=True)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("Starting", total=None, detail="")
        self._alerts = 0
        self._meter = Meter()
        self._phase, self._unit = "", "files"
        self._bar.start()

    def phase(self, name: str, *, files: int = 0, size: int = 0) -> None:
        self._phase = PHASES[name]
        self._meter.begin(files, size)
        self._unit = UNITS.get(name, "files")
        self._bar.update(self._task, description=self._phase, total=None if not files else 1.0, completed=0, detail="")

    def update(self, *, files: int, size: int) -> None:
        meter = self._meter
        meter.update(files, size)
        # What matters most stands first: a narrow window cuts off the end.
        parts = [f"{self._alerts} ALERT{'S' if self._alerts > 1 else ''}"] if self._alerts else []
        if (left := meter.left) is not None:
            parts.append(f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left")
        parts += [f"{files:,} {self._unit}", _size(size), f"{_size(size / meter.elapsed)}/s"]
        detail = "  ".join(parts)
        self._bar.update(self._task, completed=meter.share or 0, detail=detail)

    def alert(self, finding: dict[str, Any]) -> None:
        from rich.text import Text

        self._alerts += 1
        self._console.print(Text("ALERT: ", style="bold") + Text(alert_line(finding)))

    def note(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(visible(text)))

    def close(self) -> None:
        self._bar.stop()


def make_progress(*, quiet: bool) -> Progress:
    """The right display for this terminal, or for none."""
    return TerminalProgress() if sys.stderr.isatty() and not quiet else LineProgress(quiet=quiet)
