"""A user's lists in the registry (files opened, programs started) that are empty while other records say that the account was used."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import CleanupSign, Observation
from triage.scan.conclude import Conclusion, Context, Drawn

_USED = 20  # other records of the same user from which on the account counts as used
_HIVE = re.compile(r"/(?:Users|Documents and Settings)/([^/]+)/NTUSER\.DAT", re.IGNORECASE)
_LISTS = {
    "RecentDocs (files opened)": re.compile(r"\\RecentDocs(?:\\|$)", re.IGNORECASE),
    "UserAssist (programs started)": re.compile(r"\\UserAssist(?:\\|$)", re.IGNORECASE),
    "RunMRU (commands typed)": re.compile(r"\\RunMRU(?:\\|$)", re.IGNORECASE),
    "TypedPaths (folders typed)": re.compile(r"\\TypedPaths(?:\\|$)", re.IGNORECASE),
}
_FULL = ("RecentDocs (files opened)", "UserAssist (programs started)")
_REMNANTS = 3  # deleted keys or values from which on a list was full once
_GROUNDS = 100


class EmptiedLists(Conclusion):
    """One ``CleanupSign`` (``lists emptied``) for each account."""

    name = "emptied_lists"
    types = ("FileSeen", "ProgramRun", "PageVisit", "RegistryRemnant", "SystemFact")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._hives: set[tuple[str, str]] = set()
        self._kept: Counter[tuple[str, str, str]] = Counter()
        self._other: Counter[tuple[str, str]] = Counter()
        self._remnants: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)

    def feed(self, observation: Mapping[str, Any]) -> None:
        provenance = observation["provenance"]
        source = provenance["source"]
        hive = _HIVE.fullmatch(provenance["path"] or "")
        user = (hive[1] if hive else str(observation.get("user") or "")).lower()
        if not user:
            return
        kind = observation["type"]
        if hive and kind == "SystemFact":
            self._hives.add((source, user))
        elif hive and kind == "RegistryRemnant":
            for name, pattern in _LISTS.items():
                if pattern.search(observation["key"]) and len(self._remnants[source, user, name]) < _GROUNDS:
                    self._remnants[source, user, name].add(observation["id"])
        elif hive and observation.get("how") == "RecentDocs":
            self._kept[source, user, _FULL[0]] += 1
        elif hive and observation.get("how") == "UserAssist":
            self._kept[source, user, _FULL[1]] += 1
        elif kind in ("PageVisit", "ProgramRun", "FileSeen"):
            self._other[source, user] += 1

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for source, user in sorted(self._hives):
            empty = [name for name in _FULL if not self._kept[source, user, name]]
            full_once = [name for name in _LISTS if len(self._remnants[source, user, name]) >= _REMNANTS]
            once_full = [name for name in full_once if name in empty or name not in _FULL]
            used = self._other[source, user] >= _USED
            if not empty or not (once_full or (used and len(empty) == len(_FULL))):
                continue
            names = sorted({*empty, *once_full})
            grounds = sorted(set().union(*(self._remnants[source, user, name] for name in names)))
            strength = "strong" if once_full and used else "moderate"
            detail = f"The account {user} has no entry in: {', '.join(names)}."
            if used:
                detail += f" Other records of this account show use ({self._other[source, user]:,} records)."
            if once_full:
                detail += f" {len(grounds)} deleted entries of these lists are left in the registry file."
            yield Drawn(
                CleanupSign(kind="lists emptied", strength=strength, detail=detail, place=", ".join(names), count=len(names), user=user),
                source, rests_on=grounds,
            )  # fmt: skip


CONCLUSIONS = (EmptiedLists,)
