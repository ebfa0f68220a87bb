"""How many pictures with camera facts there are, by folder, camera and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import PictureCount
from triage.scan.conclude import Conclusion, Context, Drawn

_MOST, _MOST_KEPT = 20_000, 200_000
_Key = tuple[str, str, str, str, str]


class PictureCounts(Conclusion):
    """A ``PictureCount`` for each folder, camera and month. What is in no file counts under the folder ``(not in a file)``."""

    name = "picture_counts"
    types = ("PictureFacts",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._pictures: Counter[_Key] = Counter()
        self._placed: Counter[_Key] = Counter()
        self._differing: Counter[_Key] = Counter()
        self._left_out = 0

    def feed(self, observation: Mapping[str, Any]) -> None:
        where = observation["provenance"]
        maker, model = observation.get("maker") or "", observation.get("model") or ""
        # Many makers write their name into the model, too.
        camera = model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()
        taken = observation.get("time") or observation.get("time_local") or ""
        folder = (where["path"].rpartition("/")[0] or "/") if where["path"] else "(not in a file)"
        key = (where["source"], where["volume"], folder, camera, taken[:7])
        if len(self._pictures) >= _MOST_KEPT and key not in self._pictures:
            self._left_out += 1
            return
        self._pictures[key] += 1
        self._placed[key] += observation.get("gps") == "yes"
        self._differing[key] += observation.get("thumbnail") == "differs"

    def conclude(self) -> Iterator[Drawn | Problem]:
        for key in sorted(self._pictures)[:_MOST]:
            source, volume, folder, camera, month = key
            count = PictureCount(
                folder=folder, camera=camera or None, month=month or None, pictures=self._pictures[key], gps=self._placed[key],
                differing=self._differing[key],
            )  # fmt: skip
            yield Drawn(count, source, volume)
        if self._left_out:
            yield Problem(f"{self._left_out} pictures in more folders than are kept were not counted", Status.FAILED)
        if len(self._pictures) > _MOST:
            yield Problem(f"{len(self._pictures) - _MOST} more folders, cameras and months are not told one by one", Status.FAILED)


CONCLUSIONS = (PictureCounts,)
