"""The clock was set back: by the logs' own records of it, and by records whose numbers go up while their dates go back."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import CleanupSign, Observation
from artefacts.times import NS
from triage.reasoning.evidence import DAY, bounds, instant, ns
from triage.scan.conclude import Conclusion, Context, Drawn

_HOURS = 3 * 3600 * NS  # less is what zones, summer time and two operating systems on one computer do
_MOST = 10_000
_SERVICE = re.compile(r"svchost\.exe|w32tm|timesyncd|chronyd|ntpd|vmtoolsd|VBoxService|hv_utils", re.IGNORECASE)
_SYSTEM = re.compile(r"(?:^|\\)(?:LOCAL SERVICE|SYSTEM|NETWORK SERVICE)$|^S-1-5-(?:18|19|20)$", re.IGNORECASE)
_HARDWARE = "reason 2"  # Windows took the time from the computer's own clock at its start


class ClockSetBack(Conclusion):
    """One ``CleanupSign`` (``clock set back``) for each computer and account, with every change in it."""

    name = "clock_set_back"
    types = ("ClockChange",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._changes: defaultdict[tuple[str, str], list[tuple[int, int, int, str, str]]] = defaultdict(list)

    def feed(self, observation: Mapping[str, Any]) -> None:
        before, after = ns(observation.get("before")), ns(observation.get("after"))
        if before is None or after is None or before - after < _HOURS or len(self._changes) > _MOST:
            return
        how, program, user = (str(observation.get(name) or "") for name in ("how", "program", "user"))
        if _HARDWARE in how or _SERVICE.search(program) or (not program and _SYSTEM.search(user)):
            return
        time = ns(observation.get("time"))
        self._changes[observation["provenance"]["source"], user].append((time or before, before, after, program, observation["id"]))

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for (source, user), changes in sorted(self._changes.items()):
            changes.sort()
            # Both logs may tell of one change: what was set within a minute from and to the same is one.
            told = {(before // (60 * NS), after // (60 * NS)) for _, before, after, _, _ in changes}
            furthest = max(changes, key=lambda item: (item[1] - item[2], item))
            hours = (furthest[1] - furthest[2]) // (3600 * NS)
            back = f"{hours // 24:,} days" if hours >= 48 else f"{hours} hours"
            words = "once" if len(told) == 1 else f"{len(told)} times"
            before, after = instant(furthest[1]), instant(furthest[2])
            detail = f"The clock was set back {words}, the furthest by {back}, from {_text(before)} to {_text(after)}."
            if user:
                detail += f" It was done by the account {user}."
            first, last = bounds(item[0] for item in changes)
            yield Drawn(
                CleanupSign(
                    kind="clock set back",
                    strength="strong" if user and furthest[1] - furthest[2] >= DAY else "moderate",
                    detail=detail,
                    place="clock",
                    tool=furthest[3] or None,
                    count=len(told),
                    first=instant(first),
                    last=instant(last),
                    user=user or None,
                ),
                source, rests_on=sorted(item[4] for item in changes),
            )  # fmt: skip


def _text(time: Any) -> str:
    return str(time.isoformat()[:16].replace("T", " ")) + " UTC" if hasattr(time, "isoformat") else "a date out of range"


CONCLUSIONS = (ClockSetBack,)
