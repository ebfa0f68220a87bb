"""What the person at the keyboard asks of a running examination, from another thread or a signal handler: wait, go on, stop, take a note."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator


class Control:
    """Between the one who asks and the one who examines. No method blocks, and each may be called from any thread."""

    def __init__(self) -> None:
        self.stopped = False
        """Whether the end was asked for."""
        self.paused = False
        """Whether a pause was asked for."""
        self.holding = False
        """Whether the workers stand still: set by the examination, a moment after ``paused``."""
        self.writing = False
        """Whether a note is being written: the end waits for it, unless a stop was asked for."""
        self.waited = 0.0
        """Seconds for which they have stood still so far, finished pauses only."""
        self._notes: deque[tuple[str, str]] = deque()
        self.closed = False
        """Whether it has ended: no note is taken any more."""

    def stop(self) -> None:
        """End in good order as soon as possible."""
        self.stopped = True

    def pause(self) -> None:
        """Let the workers stand still until ``resume``. The time allowed stands still with them."""
        self.paused = True

    def resume(self) -> None:
        """Go on after a pause."""
        self.paused = False

    def note(self, action: str, text: str) -> bool:
        """A record ``operator`` for the journal. False where the examination has ended and nothing can be added any more."""
        if self.closed:
            return False
        self._notes.append((action, text))
        return True

    def taken(self) -> Iterator[tuple[str, str]]:
        """The notes since last asked, each once: for the examination, whose thread writes the journal."""
        while self._notes:
            yield self._notes.popleft()

    def close(self) -> Iterator[tuple[str, str]]:
        """The last notes; none is taken from now on."""
        self.closed = True
        return self.taken()
