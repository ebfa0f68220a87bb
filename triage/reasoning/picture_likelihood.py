"""Likely nudity as counts by folder and month: nobody has to look at a picture to see where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import PictureLikelihood
from triage.scan.conclude import Conclusion, Context, Drawn

_MOST = 20_000


class PictureLikelihoods(Conclusion):
    """A ``PictureLikelihood`` for each folder and month."""

    name = "picture_likelihood"
    types = ("PictureScore",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._found: dict[tuple[str, str, str, str], tuple[int, float, float]] = {}
        self._left_out = 0

    def feed(self, observation: Mapping[str, Any]) -> None:
        where = observation["provenance"]
        folder = (where["path"].rpartition("/")[0] or "/") if where["path"] else "(not in a file)"
        month = (observation.get("time") or observation.get("time_local") or "")[:7]
        key = (where["source"], where["volume"], folder, month)
        if len(self._found) >= _MOST and key not in self._found:
            self._left_out += 1
            return
        count, highest, _ = self._found.get(key, (0, 0.0, 0.0))
        self._found[key] = (count + 1, max(highest, observation["score"]), observation["threshold"])

    def conclude(self) -> Iterator[Drawn | Problem]:
        for (source, volume, folder, month), (count, highest, threshold) in sorted(self._found.items()):
            drawn = PictureLikelihood(folder=folder, month=month or None, likely=count, highest=highest, threshold=threshold)
            yield Drawn(drawn, source, volume)
        if self._left_out:
            yield Problem(f"{self._left_out} pictures in more folders and months than are kept were not counted", Status.FAILED)


CONCLUSIONS = (PictureLikelihoods,)
