"""Records that begin later than the use of the volume they are on: the change journal, Windows itself, its logs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import CleanupSign, Observation
from artefacts.windows.usn_journal_made import MADE
from triage.reasoning.evidence import DAY, instant, ns, where
from triage.scan.conclude import COLUMN, Conclusion, Context, Drawn

_PATH, _KIND, _ALLOCATED, _CREATED = (COLUMN[name] for name in ("path", "kind", "allocated", "created"))
_UPGRADE = re.compile(r"/(?:Windows\.old|\$Windows\.~(?:BT|WS)|\$GetCurrent|Windows/Logs/MoSetup|Windows/Panther/Rollback)", re.IGNORECASE)
_PROFILE = re.compile(r"/Users/(?!Default|Public|All Users)[^/]+/NTUSER\.DAT", re.IGNORECASE)
_OWN_FILE = re.compile(r"/Users/(?!Default|Public|All Users)[^/]+/(?:Documents|Pictures|Downloads|Desktop|Videos|Music)/", re.IGNORECASE)
_LATER = 2 * DAY
_LONG = 30 * DAY
_MOST = 1000


class StartedAnew(Conclusion):
    """``CleanupSign``s ``change journal started anew``, ``Windows installed lately`` and ``logs start late``, one a volume at most."""

    name = "started_anew"
    types = ("SystemFact",)
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._facts: defaultdict[tuple[str, str], dict[str, tuple[int, str]]] = defaultdict(dict)
        self._logs: defaultdict[tuple[str, str], dict[str, tuple[int, str]]] = defaultdict(dict)
        self._made: dict[tuple[str, str], int] = {}
        self._upgraded: set[tuple[str, str]] = set()
        self._profiles: dict[tuple[str, str], int] = {}
        self._own_files: dict[tuple[str, str], int] = {}

    def feed(self, observation: Mapping[str, Any]) -> None:
        time = ns(observation.get("time"))
        if time is None:
            return
        name = observation["name"]
        if name in (MADE, "Windows installed"):
            self._facts[where(observation)][name] = (time, observation["id"])
        elif name == "event log":
            logs = self._logs[where(observation)]
            if len(logs) < _MOST:
                logs[observation["provenance"]["path"]] = (time, observation["id"])

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        key = (source, volume)
        for row in rows:
            path, created = row[_PATH], row[_CREATED]
            if path == "/$MFT" and created:
                self._made[key] = created
            elif _UPGRADE.match(path):
                self._upgraded.add(key)
            elif created and row[_ALLOCATED]:
                if _PROFILE.fullmatch(path):
                    self._profiles[key] = min(created, self._profiles.get(key, created))
                elif row[_KIND] == "file" and _OWN_FILE.match(path):
                    self._own_files[key] = min(created, self._own_files.get(key, created))

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for key in sorted({*self._facts, *self._logs}):
            facts = self._facts.get(key, {})
            if MADE in facts:
                yield from self._journal(key, *facts[MADE], facts.get("Windows installed", (0, ""))[0])
            if "Windows installed" in facts:
                yield from self._windows(key, *facts["Windows installed"])
            yield from self._late_logs(key)

    def _journal(self, key: tuple[str, str], made: int, ground: str, installed: int) -> Iterator[Drawn]:
        begun = max(self._made.get(key, made), installed)
        if key in self._made and made - begun > _LATER and key not in self._upgraded:
            detail = (
                f"The drive was set up on {_day(self._made[key])}"
                + (f", Windows was installed on {_day(installed)}," if installed else "")
                + f" and its record of changes was begun on {_day(made)}. Somebody or a program had removed the one before."
            )
            yield Drawn(
                CleanupSign(
                    kind="change journal started anew", strength="moderate", detail=detail, place="change journal",
                    first=instant(made), last=instant(made),
                ),
                *key, rests_on=[ground],
            )  # fmt: skip

    def _windows(self, key: tuple[str, str], installed: int, ground: str) -> Iterator[Drawn]:
        since = ns(((self.context.visit or {}).get("scope") or {}).get("from"))
        if since is None or installed < since or key in self._upgraded:
            return
        if self._profiles.get(key, installed) < installed - _LATER:
            return  # the accounts are older: an update in place
        older = self._made.get(key, installed) < installed - _LONG or self._own_files.get(key, installed) < installed - _LONG
        if older:
            detail = f"Windows was installed on {_day(installed)}, after the date from which this check looks ({_day(since)})."
            yield Drawn(
                CleanupSign(
                    kind="Windows installed lately", strength="moderate", detail=detail, place="Windows",
                    first=instant(installed), last=instant(installed),
                ),
                *key, rests_on=[ground],
            )  # fmt: skip

    def _late_logs(self, key: tuple[str, str]) -> Iterator[Drawn]:
        """Every log begins on one day, long after Windows was installed: that is no log that is full."""
        logs = self._logs.get(key, {})
        installed = self._facts.get(key, {}).get("Windows installed", (0, ""))[0]
        starts = sorted(time for time, _ in logs.values())
        if len(starts) < 3 or not installed or starts[0] - installed < _LONG or starts[-1] - starts[0] > DAY or key in self._upgraded:
            return
        detail = f"Windows was installed on {_day(installed)}. All its {len(starts)} logs that were read begin on {_day(starts[0])}."
        yield Drawn(
            CleanupSign(
                kind="logs start late", strength="moderate", detail=detail, place="event logs", count=len(starts),
                first=instant(starts[0]), last=instant(starts[-1]),
            ),
            *key, rests_on=sorted(ground for _, ground in logs.values()),
        )  # fmt: skip


def _day(time: int) -> str:
    text = instant(time)
    return text.isoformat()[:10] if hasattr(text, "isoformat") else "a date out of range"


CONCLUSIONS = (StartedAnew,)
