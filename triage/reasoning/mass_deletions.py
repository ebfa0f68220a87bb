"""Many files of one place deleted within a short time, by the change journal, the recycle bin or trash, and deleted entries of ext."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import CleanupSign, Observation
from artefacts.times import NS
from triage.reasoning.evidence import Folders, instant, locator_part, ns, where
from triage.scan.conclude import Conclusion, Context, Drawn

_MOST = 500_000
_WINDOW = 3600 * NS
_MANY = 40
_SHOWN = 20
_GROUNDS = 100
# Where programs delete their own files by the thousand every day.
_PROGRAMS = re.compile(
    r"(?:^|[\\/])(?:appdata|local settings|application data|temp|tmp|cache2?|\.cache|caches|windows|winnt|program files(?: \(x86\))?|programdata|"
    r"\$recycle\.bin|recycler|\$extend|system volume information|node_modules|\.git|\.config|\.local|\.mozilla|library|usr|var|opt|lib|snap|"
    r"__pycache__|site-packages|softwaredistribution|winsxs)(?:[\\/]|$)",
    re.IGNORECASE,
)
_OWN_ENDINGS = (
    "jpg jpeg png gif bmp webp heic heif tif tiff raw dng cr2 nef arw mp4 m4v mov avi mkv webm wmv mpg mpeg 3gp doc docx xls xlsx ppt pptx odt ods "
    "pdf txt rtf zip rar 7z mp3 m4a wav eml msg"
)
_OWN = frozenset(_OWN_ENDINGS.split())


class MassDeletions(Conclusion):
    """One ``CleanupSign`` (``many files deleted``) for each place and hour in which more than forty files went."""

    name = "mass_deletions"
    types = ("DeletedFile",)
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._folders = Folders()
        self._journal: defaultdict[tuple[str, str, str], list[tuple[int, str, str]]] = defaultdict(list)
        self._paths: defaultdict[tuple[str, str, str], list[tuple[int, str, str]]] = defaultdict(list)
        self._held = self._dropped = 0

    def feed(self, observation: Mapping[str, Any]) -> None:
        time = ns(observation.get("deleted"))
        if time is None or observation.get("kind") == "directory":
            return
        if self._held >= _MOST:
            self._dropped += 1
            return
        self._held += 1
        path = observation["path"]
        if observation.get("how") == "change journal" and "/" not in path:
            self._journal[(*where(observation), locator_part(observation, "folder"))].append((time, path, observation["id"]))
            return
        separator = "\\" if "\\" in path else "/"
        folder, _, name = path.rpartition(separator)
        self._paths[(*where(observation), folder)].append((time, name, observation["id"]))

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        self._folders.feed(source, volume, rows)

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        places: dict[tuple[str, str, str], list[tuple[int, str, str]]] = dict(self._paths)
        for (source, volume, reference), items in sorted(self._journal.items()):
            folder = self._folders.path(source, volume, reference)
            key = (source, volume, folder if folder is not None else "a folder that is gone")
            places[key] = [*places.get(key, []), *items]
        for (source, volume, folder), items in sorted(places.items()):
            if len(items) >= _MANY and not _PROGRAMS.search(folder):
                yield from _bursts(source, volume, folder, sorted(items))
        if self._dropped:
            yield Problem(f"{self._dropped} deletions were too many to hold: not compared", Status.SKIPPED)


def _bursts(source: str, volume: str, folder: str, items: Sequence[tuple[int, str, str]]) -> Iterator[Drawn]:
    """The stretches of an hour from their first deletion on that have many, one after the other."""
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and items[end][0] - items[start][0] <= _WINDOW:
            end += 1
        names = {name for _, name, _ in items[start:end]}
        own = sorted(name for name in names if name.rpartition(".")[2].lower() in _OWN)
        if len(names) >= _MANY and own:
            yield _sign(source, volume, folder, items[start:end], names, own)
        start = end


def _sign(source: str, volume: str, folder: str, items: Sequence[tuple[int, str, str]], names: set[str], own: Sequence[str]) -> Drawn:
    kinds = Counter(name.rpartition(".")[2].lower() for name in own).most_common(3)
    what = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds, key=lambda item: (-item[1], item[0])))
    minutes = max(1, round((items[-1][0] - items[0][0]) / (60 * NS)))
    return Drawn(
        CleanupSign(
            kind="many files deleted",
            strength="moderate" if len(own) >= _MANY else "weak",
            detail=f"{len(names):,} files were deleted within {minutes} minute{'s' if minutes > 1 else ''}, {len(own):,} of them pictures, films, sound or documents ({what}).",
            place=folder or "/",
            names=tuple(own[:_SHOWN]),
            count=len(names),
            first=instant(items[0][0]),
            last=instant(items[-1][0]),
        ),
        source, volume, rests_on=sorted(item for _, _, item in items)[:_GROUNDS],
    )  # fmt: skip


CONCLUSIONS = (MassDeletions,)
