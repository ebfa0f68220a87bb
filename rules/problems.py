"""What was wrong with a file of rules: named by file and line, so that its keeper can mend it while the rest is used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """``file`` as it was named, ``line`` counted from 1 (0: the file as a whole), ``reason`` a plain sentence."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"
