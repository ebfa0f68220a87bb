"""Places where Windows keeps traces of use, and that are empty although the computer was used: Prefetch, recent files, jump lists, thumbnails.

Each alone has an everyday cause. What is looked at is how many of them were emptied on the same volume, and whether the files that were
there left deleted entries or deletions in the change journal behind.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from artefacts.coverage import Problem
from artefacts.observations import CleanupSign, Observation
from triage.reasoning.evidence import Folders, bounds, instant, locator_part, ns, where
from triage.scan.conclude import COLUMN, Conclusion, Context, Drawn

_SHOWN = 20
_MOST_NAMES = 5000
_USED = 20  # records of use from which on a profile, or a computer, counts as used
_PATH, _KIND, _ALLOCATED = COLUMN["path"], COLUMN["kind"], COLUMN["allocated"]
_CHANGED = COLUMN["changed"]
_ROAMING = r"/Users/([^/]+)/AppData/Roaming/Microsoft/Windows/Recent"


class _Kind(NamedTuple):
    """A place: what it is called, its folder, the files in it, and of how many deleted ones at least to speak."""

    words: str
    folder: re.Pattern[str]
    file: re.Pattern[str]
    deleted: int


_KINDS = {
    "prefetch": _Kind("Prefetch (programs run)", re.compile(r"/Windows/Prefetch", re.I), re.compile(r"[^/]+\.pf", re.I), 3),
    "recent": _Kind("Recent (files opened)", re.compile(_ROAMING, re.I), re.compile(r"[^/]+\.lnk", re.I), 3),
    "jump lists": _Kind(
        "jump lists (files opened by each program)", re.compile(_ROAMING + r"/(?:Automatic|Custom)Destinations", re.I),
        re.compile(r"[0-9a-f]+\.(?:automatic|custom)Destinations-ms", re.I), 2,
    ),
    "thumbnails": _Kind(
        "thumbnails (small copies of pictures seen)", re.compile(r"/Users/([^/]+)/AppData/Local/Microsoft/Windows/Explorer", re.I),
        re.compile(r"thumbcache_[^/]+\.db", re.I), 3,
    ),
}  # fmt: skip
_ENDS = (".pf", ".lnk", "destinations-ms", ".db", "prefetch", "recent", "destinations", "explorer")
_NO_PREFETCH = "programs run are noted in Prefetch (EnablePrefetcher)"


@dataclass(slots=True)
class _Place:
    """What is known of one place of one volume and user."""

    exists: bool = False
    present: int = 0
    gone: dict[str, int | None] = field(default_factory=dict)  # name → when


class EmptiedPlaces(Conclusion):
    """One ``CleanupSign`` (``place emptied``) for each volume: the places that were emptied, together."""

    name = "emptied_places"
    types = ("DeletedFile", "ProgramRun", "PageVisit", "FileSeen", "SystemFact")
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._folders = Folders()
        self._places: defaultdict[tuple[str, str, str, str], _Place] = defaultdict(_Place)
        self._journal: defaultdict[tuple[str, str, str, str], dict[str, int | None]] = defaultdict(dict)
        self._use: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._not_kept: set[str] = set()

    def feed(self, observation: Mapping[str, Any]) -> None:
        kind = observation["type"]
        if kind == "SystemFact":
            if observation["name"] == _NO_PREFETCH and observation["value"] == "0":
                self._not_kept.add(observation["provenance"]["source"])
        elif kind == "DeletedFile":
            if observation.get("how") == "change journal":
                self._gone_by_journal(observation)
        elif kind != "FileSeen" or observation.get("used"):
            self._use[where(observation)] += 1

    def _gone_by_journal(self, observation: Mapping[str, Any]) -> None:
        folder, slash, name = observation["path"].rpartition("/")
        for kind, place in _KINDS.items():
            if not place.file.fullmatch(name):
                continue
            if slash:
                found = place.folder.fullmatch(folder)
                if found is not None:
                    source, volume = where(observation)
                    gone = self._place(source, volume, kind, found).gone
                    if len(gone) < _MOST_NAMES:
                        gone[name] = ns(observation.get("deleted"))
            else:
                held = self._journal[(*where(observation), kind, locator_part(observation, "folder"))]
                if len(held) < _MOST_NAMES:
                    held[name] = ns(observation.get("deleted"))

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        self._folders.feed(source, volume, rows)
        for row in rows:
            path = row[_PATH]
            folder, _, name = path.rpartition("/")
            if not name.lower().endswith(_ENDS):
                continue  # of a million files hardly any gets past this
            for kind, place in _KINDS.items():
                if row[_KIND] == "directory":
                    if row[_ALLOCATED] and (found := place.folder.fullmatch(path)):
                        self._place(source, volume, kind, found).exists = True
                elif place.file.fullmatch(name) and (found := place.folder.fullmatch(folder)):
                    item = self._place(source, volume, kind, found)
                    if row[_ALLOCATED]:
                        item.present += 1
                    elif len(item.gone) < _MOST_NAMES:
                        item.gone[name] = row[_CHANGED]

    def _place(self, source: str, volume: str, kind: str, found: re.Match[str]) -> _Place:
        user = found[1] if found.re.groups else ""
        return self._places[source, volume, kind, user]

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for (source, volume, kind, reference), names in sorted(self._journal.items()):
            folder = self._folders.path(source, volume, reference)
            found = _KINDS[kind].folder.fullmatch(folder) if folder else None
            if found is not None:
                # The journal says when it was deleted; a deleted entry says only when it was last changed.
                self._place(source, volume, kind, found).gone.update(names)
        by_volume: defaultdict[tuple[str, str], list[tuple[str, str, _Place]]] = defaultdict(list)
        for (source, volume, kind, user), place in sorted(self._places.items()):
            off = kind == "prefetch" and source in self._not_kept
            if place.exists and not place.present and len(place.gone) >= _KINDS[kind].deleted and not off:
                by_volume[source, volume].append((kind, user, place))
        for (source, volume), emptied in sorted(by_volume.items()):
            if self._use[source, volume] >= _USED or len(emptied) > 1:
                yield _sign(source, volume, emptied)


def _sign(source: str, volume: str, emptied: Sequence[tuple[str, str, _Place]]) -> Drawn:
    kinds = sorted({kind for kind, _, _ in emptied})
    words = "; ".join(_KINDS[kind].words for kind in kinds)
    count = sum(len(place.gone) for _, _, place in emptied)
    names = sorted({name for _, _, place in emptied for name in place.gone})
    first, last = bounds(time for _, _, place in emptied for time in place.gone.values())
    users = sorted({user for _, user, _ in emptied if user})
    verb = "is" if len(kinds) == 1 else "are"
    return Drawn(
        CleanupSign(
            kind="place emptied",
            strength=("weak", "moderate", "strong")[min(len(kinds), 3) - 1],
            detail=f"{words[0].upper() + words[1:]} {verb} empty. At least {count:,} records were there and were deleted.",
            place=words,
            names=tuple(names[:_SHOWN]),
            count=len(kinds),
            first=instant(first),
            last=instant(last),
            user=users[0] if len(users) == 1 else None,
        ),
        source, volume,
    )  # fmt: skip


CONCLUSIONS = (EmptiedPlaces,)
