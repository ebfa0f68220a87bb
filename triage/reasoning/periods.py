"""Signs of clean-up that lie together in time, weighed together: one score for each stretch of days, with everything that it is made of.

Each sign has points by its strength. The second sign of a kind counts half, the third a quarter: ten emptied logs are hardly more than one. A
period is spoken of only where signs of two kinds or more come together; its parts, their strength and what else they could be are always told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import CleanupPeriod, Observation
from triage.reasoning.evidence import DAY, instant, ns
from triage.scan.conclude import Conclusion, Context, Drawn

_POINTS = {"strong": 40, "moderate": 20, "weak": 8}
_APART = 2 * DAY  # quiet days that end a period
_LONGEST = 14 * DAY
_MOST_SIGNS = 20_000
_MOST_DAYS = 40_000
_PARTS = 20
_GROUNDS = 100
_USE = ("PageVisit", "ProgramRun", "Download", "SearchQuery")
_INNOCENT = {
    "file names overwritten": "People wipe files before they pass a computer on.",
    "many files deleted": "People tidy up, or move files to another drive.",
    "place emptied": "Programs that promise a faster computer empty such places.",
    "lists emptied": "Windows has a switch that empties these lists.",
    "log emptied": "Repair shops and cleaning programs empty logs.",
    "logs start late": "An update to a new version of Windows can start the logs anew.",
    "change journal started anew": "Repair of the drive and some backup programs do this.",
    "clock set back": "A wrong clock may have been put right.",
    "history gap": "Browsers remove old history by themselves, and people clear it for privacy.",
    "use without history": "Private windows leave no history.",
    "Windows installed lately": "People install Windows anew after a fault.",
    "cleaning program run": "Many people use cleaning programs to gain space.",
    "wiping program run": "People wipe files before they sell a computer, or to keep bank papers safe.",
}

_PROGRAMS = {"wipers": ("wiping program run", "moderate"), "cleaners": ("cleaning program run", "weak")}
"""Categories of the software catalogue: what the run of such a program is called, and its strength."""


class Periods(Conclusion):
    """A ``CleanupPeriod`` for each stretch of days with signs of at least two kinds."""

    name = "cleanup_periods"
    types = ("CleanupSign", "LogCleared", "HistoryGap", "Software", *_USE)
    stage = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._signs: defaultdict[str, list[tuple[int, int, str, str, str, str]]] = defaultdict(
            list
        )  # first, last, kind, strength, words, id
        self._use: Counter[tuple[str, int]] = Counter()
        self._held = self._dropped = 0

    def feed(self, observation: Mapping[str, Any]) -> None:
        kind = observation["type"]
        source = observation["provenance"]["source"]
        if kind in _USE:
            time = ns(observation.get("time") or observation.get("started"))
            if time is not None and (len(self._use) < _MOST_DAYS or (source, time // DAY) in self._use):
                self._use[source, time // DAY] += 1
            return
        if kind == "Software":
            time = ns(observation.get("last_run"))
            if observation["category"] in _PROGRAMS:
                words, strength = _PROGRAMS[observation["category"]]
                self._sign(source, time, time, words, strength, f"{observation['name']} was run.", observation)
        elif kind == "CleanupSign":
            first, last = ns(observation.get("first")), ns(observation.get("last"))
            if observation["kind"] != "free space overwritten":
                self._sign(source, first, last, observation["kind"], observation["strength"], observation["detail"], observation)
        elif kind == "LogCleared":
            time = ns(observation.get("time"))
            self._sign(source, time, time, "log emptied", "moderate", f"The log {observation['log']} was emptied.", observation)
        elif observation.get("kind") in ("newest records", "records in between"):
            first, last = ns(observation.get("first")), ns(observation.get("last"))
            self._sign(source, last or first, last or first, "history gap", observation["strength"], observation["detail"], observation)

    def _sign(
        self, source: str, first: int | None, last: int | None, kind: str, strength: str, words: str, observation: Mapping[str, Any]
    ) -> None:
        first, last = first if first is not None else last, last if last is not None else first
        if first is None or last is None or strength not in _POINTS:
            return  # without a time it belongs to no period
        if self._held >= _MOST_SIGNS:
            self._dropped += 1
            return
        self._held += 1
        # What stretches over weeks, such as all deletions of a way, counts where it ended.
        self._signs[source].append((max(first, last - _APART), last, kind, strength, words, observation["id"]))

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for source, signs in sorted(self._signs.items()):
            period: list[tuple[int, int, str, str, str, str]] = []
            for sign in sorted(signs):
                if period and (sign[0] - max(item[1] for item in period) > _APART or sign[0] - period[0][0] > _LONGEST):
                    yield from self._weigh(source, period)
                    period = []
                period.append(sign)
            yield from self._weigh(source, period)
        if self._dropped:
            yield Problem(f"{self._dropped} signs of clean-up were too many to weigh", Status.SKIPPED)

    def _weigh(self, source: str, period: list[tuple[int, int, str, str, str, str]]) -> Iterator[Drawn]:
        kinds = {sign[2] for sign in period}
        if len(kinds) < 2:
            return
        parts = []
        met: Counter[str] = Counter()
        for first, _, kind, strength, words, _ in sorted(period, key=lambda sign: (-_POINTS[sign[3]], sign)):
            points = _POINTS[strength] / 2 ** met[kind]
            met[kind] += 1
            time = instant(first)
            parts.append(
                {
                    "what": words,
                    "kind": kind,
                    "strength": strength,
                    "points": round(points, 1),
                    "time": time.isoformat() if hasattr(time, "isoformat") else None,
                    "innocent": _INNOCENT.get(kind, "It can have an everyday cause."),
                }
            )
        parts.sort(key=lambda part: (-float(str(part["points"])), str(part["time"]), str(part["what"])))
        score = min(100, round(sum(float(str(part["points"])) for part in parts)))
        first, last = min(sign[0] for sign in period), max(sign[1] for sign in period)
        telling = {sign[2] for sign in period if sign[3] != "weak"}
        strength = "strong" if len(telling) >= 3 and score >= 70 else "moderate" if len(telling) >= 2 and score >= 40 else "weak"
        days = range(first // DAY, last // DAY + 1)
        used = sum(self._use[source, day] for day in days)
        said = " ".join(str(part["what"]) for part in parts[:5])
        more = f" And {len(parts) - 5} more." if len(parts) > 5 else ""
        yield Drawn(
            CleanupPeriod(
                first=instant(first),
                last=instant(last),
                strength=strength,
                score=score,
                parts=tuple(parts[:_PARTS]),
                detail=f"{len(kinds)} kinds of sign, {len(period)} signs in all. {said}{more}",
                use=f"{used:,} records of programs, pages and downloads are left of these days.",
            ),
            source, rests_on=sorted(sign[5] for sign in period)[:_GROUNDS],
        )  # fmt: skip


CONCLUSIONS = (Periods,)
