"""What is new, gone or fewer since the last visit, by device: today's records beside the baseline made then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation, SinceLastVisit
from triage.baseline.digest import Baseline
from triage.baseline.things import KINDS, TYPES, Things
from triage.scan.conclude import Conclusion, Context, Drawn

_KEPT = 80  # days: what is older may have been removed by the browser itself, which keeps 90
_LEAST = 20  # visits then, below which a loss says nothing
_FEWER = 0.5
_MOST_NAMED = 200


class SinceTheLastVisit(Conclusion):
    """One ``SinceLastVisit`` for each thing that is new, one for the number of things of a kind that are gone, one for each profile with fewer visits."""

    name = "since_last_visit"
    types = TYPES
    stage = 2

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._things = Things()

    def feed(self, observation: Mapping[str, Any]) -> None:
        if self.context.baseline is not None:
            self._things.feed(observation)

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        then = self.context.baseline
        if then is None:
            return
        if not then.body.get("complete"):
            yield Problem("the scan of the last visit was not complete: what is new here may have been there then", Status.SKIPPED)
        if self._things.dropped:
            yield Problem(f"{self._things.dropped:,} records beyond the limits were not compared with the last visit", Status.SKIPPED)
        for source in self.context.sources:
            before = self._same_device(then, source)
            if before is None:
                yield Problem(f"no device of the last visit could be recognised in {source}: nothing was compared", Status.SKIPPED)
                continue
            for item in self._compared(then, before, source):
                yield Drawn(item, source)

    def _same_device(self, then: Baseline, source: str) -> Mapping[str, Any] | None:
        """The source of the baseline with most anchors in common. One source then and one now without any anchor are taken for the same."""
        anchors = {then.digest("anchor", anchor) for anchor in self._things.anchors[source]}
        shared = [(len(anchors & set(item["anchors"])), -number, item) for number, item in enumerate(then.body["sources"])]
        best = max(shared, key=lambda entry: entry[:2], default=None)
        if best is not None and best[0]:
            return best[2]  # type: ignore[no-any-return]
        single = len(then.body["sources"]) == len(self.context.sources) == 1
        return then.body["sources"][0] if single and not anchors and not then.body["sources"][0]["anchors"] else None

    def _compared(self, then: Baseline, before: Mapping[str, Any], source: str) -> Iterator[SinceLastVisit]:
        base: dict[str, Any] = {"case": str(then.body["case_id"]), "visited": str(then.body["finished"])}
        for kind in KINDS:
            known = set(before["things"][kind])
            now = {then.digest(kind, identity): (identity, name) for identity, name in self._things.things[source, kind].items()}
            fresh = sorted({name for digest, (_, name) in now.items() if digest not in known})
            for name in fresh[:_MOST_NAMED]:
                yield SinceLastVisit(change="new", what=kind, name=name, count=1, detail=f"{name} was not there at the last visit", **base)
            if len(fresh) > _MOST_NAMED:
                left = len(fresh) - _MOST_NAMED
                yield SinceLastVisit(change="new", what=kind, count=left, detail=f"{left:,} more are new", **base)
            gone = len(known - set(now))
            if gone and self.context.complete:
                yield from self._gone(before, kind, gone, source, base)
        if self.context.complete:
            yield from self._history(then, before, source, base)

    def _gone(self, before: Mapping[str, Any], kind: str, gone: int, source: str, base: dict[str, Any]) -> Iterator[SinceLastVisit]:
        named = []
        if kind == "program":
            here = {
                identity.removeprefix("software:")
                for identity in self._things.things[source, "program"]
                if identity.startswith("software:")
            }
            named = sorted(set(before["catalogue"]) - here)
        for name in named:
            yield SinceLastVisit(
                change="gone", what="program", name=name, count=1, detail=f"{name} was there at the last visit and is not now", **base
            )
        rest = gone - len(named)
        if rest > 0:
            detail = f"{rest:,} of this kind that were there at the last visit are not now; the baseline keeps no names"
            yield SinceLastVisit(change="gone", what=kind, count=rest, detail=detail, **base)

    def _history(self, then: Baseline, before: Mapping[str, Any], source: str, base: dict[str, Any]) -> Iterator[SinceLastVisit]:
        now = {then.digest("profile", profile): (profile, days) for (name, profile), days in self._things.visits.items() if name == source}
        latest = max((day for _, days in now.values() for day in days), default=base["visited"][:10])
        try:
            since = (date.fromisoformat(max(latest, base["visited"][:10])) - timedelta(days=_KEPT)).isoformat()
        except ValueError:
            return
        for digest, days in sorted(before["visits"].items()):
            profile, here = now.get(digest, ("", {}))
            counted = {day: count for day, count in days.items() if since <= day < base["visited"][:10]}
            were, are = sum(counted.values()), sum(min(here.get(day, 0), count) for day, count in counted.items())
            if were < _LEAST or are >= were * _FEWER:
                continue
            browser, name, user = profile.split("\0") if profile else ("a browser", "", "")
            words = f"of {were:,} visits from {min(counted)} to {max(counted)} that were in the history at the last visit, {are:,} are there now"
            yield SinceLastVisit(
                change="fewer",
                what="history",
                name=" ".join(filter(None, (browser, name))),
                user=user or None,
                count=were - are,
                detail=words,
                **base,
            )


CONCLUSIONS = (SinceTheLastVisit,)
