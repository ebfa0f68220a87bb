"""What went wrong, without drowning: the first of a kind in full, the rest counted."""

from __future__ import annotations

from collections import Counter

from artefacts.coverage import Problem, Status

_IN_FULL = 100


class ProblemLog:
    """Collects problems; after a hundred with the same reason the rest of that kind becomes one line with its count."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._counts: Counter[tuple[str, Status]] = Counter()

    def add(self, reason: str, locator: str = "", status: Status = Status.FAILED) -> None:
        """Note one problem."""
        self._counts[reason, status] += 1
        if self._counts[reason, status] <= _IN_FULL:
            self._found.append(Problem(reason, status, locator))

    def __len__(self) -> int:
        return sum(self._counts.values())

    def list(self) -> list[Problem]:
        """All of them, in the order met, the counts of those left out last."""
        rest = [
            Problem(f"{reason} ({count - _IN_FULL:,} more like this)", status)
            for (reason, status), count in self._counts.items()
            if count > _IN_FULL
        ]
        return self._found + rest
