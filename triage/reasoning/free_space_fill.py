"""What a volume's free space is filled with, said as a sign of clean-up where it is all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import CleanupSign, Observation
from triage.reasoning.evidence import where
from triage.scan.conclude import Conclusion, Context, Drawn

_ENOUGH = 200  # samples: fewer say nothing of a whole volume
_ALL = 0.97


class FreeSpaceFill(Conclusion):
    """A ``CleanupSign`` (``free space overwritten``) for each volume whose free space is alike throughout."""

    name = "free_space_fill"
    types = ("FreeSpace",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._found: list[Mapping[str, Any]] = []

    def feed(self, observation: Mapping[str, Any]) -> None:
        self._found.append(observation)

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for item in sorted(self._found, key=lambda item: (where(item), item["id"])):
            samples = item["samples"]
            if samples < _ENOUGH:
                continue
            if item["random"] >= _ALL * samples:
                strength, words = "strong", "look like random bytes. Deleted files do not look like that all over a drive"
            elif item["constant"] >= _ALL * samples:
                strength, words = "moderate", "hold one and the same byte, which is not zero"
            elif item["zero"] >= _ALL * samples:
                strength, words = "weak", "hold only zeros"
            else:
                continue
            detail = f"Of {samples:,} places looked at in the free space ({item['free'] / 1e6:,.0f} MB), at least 97 in 100 {words}."
            sign = CleanupSign(kind="free space overwritten", strength=strength, detail=detail, place="free space", count=samples)
            yield Drawn(sign, *where(item), rests_on=[item["id"]])


CONCLUSIONS = (FreeSpaceFill,)
