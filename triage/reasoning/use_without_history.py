"""A browser whose own records, or the system's, show use, and whose history holds no visit at all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from artefacts.coverage import Problem
from artefacts.observations import CleanupSign, Observation
from triage.reasoning.evidence import bounds, instant, ns
from triage.scan.conclude import Conclusion, Context, Drawn

_PROGRAMS = {
    "chrome.exe": "Chrome", "msedge.exe": "Edge", "firefox.exe": "Firefox", "brave.exe": "Brave", "opera.exe": "Opera", "vivaldi.exe": "Vivaldi",
    "chromium.exe": "Chromium",
}  # fmt: skip
_MOST_HOSTS = 5000
_HOSTS = 10  # different sites from which on stored things say that somebody browsed
_RUNS = 10
_GROUNDS = 100


class UseWithoutHistory(Conclusion):
    """One ``CleanupSign`` (``use without history``) for each browser and account."""

    name = "use_without_history"
    types = ("PageVisit", "Cookie", "CachedItem", "SiteTrace", "ProgramRun", "Download")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._visits: Counter[tuple[str, str, str]] = Counter()
        self._hosts: defaultdict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
        self._runs: Counter[tuple[str, str, str]] = Counter()
        self._times: defaultdict[tuple[str, str, str], list[int | None]] = defaultdict(list)

    def feed(self, observation: Mapping[str, Any]) -> None:
        kind = observation["type"]
        if kind == "ProgramRun":
            browser = _PROGRAMS.get(str(observation.get("program") or "").lower())
            if browser is not None and not observation["provenance"]["recovered"]:
                key = self._key(observation, browser)
                self._runs[key] += observation.get("count") or 0
                self._times[key] = list(bounds([*self._times[key], ns(observation.get("time"))]))
            return
        browser = str(observation.get("browser") or "")
        if not browser:
            return
        key = self._key(observation, browser)
        if kind in ("PageVisit", "Download"):
            if not observation["provenance"]["recovered"]:
                self._visits[key] += 1
            return
        host = observation.get("host") or urlsplit(str(observation.get("url") or "")).hostname or ""
        if host and len(self._hosts[key]) < _MOST_HOSTS:
            self._hosts[key].setdefault(str(host).lstrip(".").removeprefix("www."), observation["id"])
            used = observation.get("last_used") or observation.get("created") or observation.get("time")
            self._times[key] = list(bounds([*self._times[key], ns(used)]))

    def _key(self, observation: Mapping[str, Any], browser: str) -> tuple[str, str, str]:
        return (observation["provenance"]["source"], str(observation.get("user") or "").lower(), browser)

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for key in sorted(self._hosts):
            source, user, browser = key
            seen = sum(count for (where, _, name), count in self._visits.items() if where == source and browser.lower() in name.lower())
            hosts = self._hosts.get(key, {})
            runs = self._runs[key]
            # Without anything of its profile nobody can say whether it has a history; and Windows starts Edge by itself.
            if seen or not hosts or (len(hosts) < _HOSTS and runs < _RUNS):
                continue
            said = [f"stored things of {len(hosts):,} different site{'s' if len(hosts) > 1 else ''}"]
            if runs:
                said.append(f"{runs:,} starts of the program")
            first, last = bounds(self._times[key])
            yield Drawn(
                CleanupSign(
                    kind="use without history",
                    strength="strong" if len(hosts) >= _HOSTS and runs >= _RUNS else "moderate",
                    detail=f"There is no page in the history of {browser}, but there are {' and '.join(said)}.",
                    place=browser,
                    names=tuple(sorted(hosts)[:20]),
                    count=len(hosts),
                    first=instant(first),
                    last=instant(last),
                    user=user or None,
                ),
                source, rests_on=sorted(hosts.values())[:_GROUNDS],
            )  # fmt: skip


CONCLUSIONS = (UseWithoutHistory,)
