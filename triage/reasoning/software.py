"""Programs of the software catalogue: every trace of one program on one source, joined into what the traces say together.

A trace alone is a fact in its place: a line in a list of programs, a run, a file. Together they say "installed, run 14 times, last on
3 November 2026, now gone". How grave that is comes from the catalogue's entry, from how the program was seen, and from what the order asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from artefacts.observations import Software
from artefacts.registry import all_artefacts
from artefacts.times import NOT_RECORDED, Time, Timestamp
from rules import software
from rules.software import Hit, Joiner, Program
from rules.software.joiner import (
    ACCOUNT,
    CONTENT,
    DELETED,
    DOWNLOADED,
    EXTENSION,
    INSTALLED,
    PRESENT,
    REMEMBERED,
    RUN,
    SEARCHED,
    SEEN,
    SETTINGS,
    SHARED,
    STARTS,
    UNINSTALLED,
    USED_ONLINE,
    VISITED,
)  # fmt: skip
from triage.scan.conclude import Conclusion, Context, Drawn

RECENT = timedelta(days=30)
"""A program that ran so shortly before the last use of the machine that is recorded counts as used recently."""
_MOST_PROOFS = 200
_MOST_TIMES = 64
_MOST_USERS = 50
_REMOVABLE = ("/media/", "/run/media/", "/mnt/", "/volumes/")
_IN_USE = frozenset((RUN, STARTS, EXTENSION, ACCOUNT, USED_ONLINE, SHARED))
_THERE = frozenset((INSTALLED, PRESENT, EXTENSION, CONTENT))
_LEFT = frozenset((DELETED, REMEMBERED, SETTINGS, DOWNLOADED, UNINSTALLED))
_BY_ITSELF = frozenset((INSTALLED, UNINSTALLED, PRESENT, STARTS, REMEMBERED, DELETED, SETTINGS, CONTENT, SEARCHED, VISITED))
"""Ways of being seen that say nothing of a program that comes with the system."""


@dataclass(slots=True)
class _Proof:
    """The traces of one kind in one kind of place."""

    count: int = 0
    runs: int = 0
    first: str | None = None
    last: str | None = None
    path: str = ""
    record: str = ""
    times: set[str] = field(default_factory=set)

    def add(self, observation: Mapping[str, Any], times: list[str], path: str) -> None:
        self.count += 1
        for time in times:
            self.first = time if self.first is None else min(self.first, time, key=_instant)
            self.last = time if self.last is None else max(self.last, time, key=_instant)
            if len(self.times) < _MOST_TIMES:
                self.times.add(time)
        runs = observation.get("count") if observation["type"] == "ProgramRun" else None
        self.runs = max(self.runs, runs if isinstance(runs, int) and not isinstance(runs, bool) else 0)
        if not self.record or observation["id"] < self.record:
            self.record, self.path = observation["id"], path


@dataclass(slots=True)
class _Seen:
    """What is known of one program on one source."""

    program: Program
    proofs: dict[tuple[str, str, str, str, bool], _Proof] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    elsewhere: bool = False
    here: bool = False

    def ways(self) -> frozenset[str]:
        return frozenset(key[0] for key in self.proofs)


class SoftwareSeen(Conclusion):
    """One ``Software`` for each program of the catalogue and source that its traces speak of.

    Memory: a few KB for each program that was seen, whatever the number of traces.
    """

    name = "software"
    types = (*Joiner(()).types, "SoftwareTrace")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._catalogue = software.shipped()
        self._joiner = Joiner(self._catalogue)
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._last_use: dict[str, str] = {}

    def feed(self, observation: Mapping[str, Any]) -> None:
        """Take an observation that may hold traces, or a trace that a worker found among the files."""
        kind = observation["type"]
        if kind in ("ProgramRun", "PageVisit"):
            self._use(observation)
        if kind == "SoftwareTrace":
            program = self._catalogue.programs.get(observation["software"])
            trace = (
                next((t for t in program.traces if (t.kind, t.value) == (observation["trace"], observation["value"])), None)
                if program
                else None
            )
            hits = [Hit(program, trace, observation["seen"])] if program is not None and trace is not None else []
        else:
            hits = self._joiner.match(observation)
        for hit in hits:
            self._take(observation, hit)

    def conclude(self) -> Iterator[Drawn]:
        """Every program whose traces say something, by source and id."""
        asked = {check for condition in (self.context.visit or {}).get("conditions") or [] for check in condition.get("checks") or []}
        titles = {artefact.id: artefact.title for artefact in all_artefacts()}
        for (source, _), seen in sorted(self._seen.items()):
            drawn = _Summing(seen, self._last_use.get(source), asked, titles, self.context.complete).software()
            if drawn is not None:
                records = sorted({proof.record for proof in seen.proofs.values()})
                yield Drawn(drawn, source, rests_on=records)

    def _use(self, observation: Mapping[str, Any]) -> None:
        time = observation.get("time")
        source = observation["provenance"]["source"]
        if isinstance(time, str) and _instant(time) > _instant(self._last_use.get(source, "")) and time < "2100":
            self._last_use[source] = time

    def _take(self, observation: Mapping[str, Any], hit: Hit) -> None:
        provenance = observation["provenance"]
        key = (provenance["source"], hit.program.id)
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(hit.program)
        where = provenance["parser"].partition("/")[0]
        place = (hit.seen, where, hit.trace.kind, hit.trace.value, hit.trace.strong)
        proof = seen.proofs.get(place)
        if proof is None:
            if len(seen.proofs) >= _MOST_PROOFS:
                return
            proof = seen.proofs[place] = _Proof()
        path = str(observation.get("path") or observation.get("url") or provenance["path"] or "")
        proof.add(observation, _times(observation, hit.seen), path)
        user = observation.get("user")
        if isinstance(user, str) and user and len(seen.users) < _MOST_USERS:
            seen.users.add(user)
        if hit.seen in (RUN, PRESENT, REMEMBERED) and hit.trace.kind in ("exe", "path"):
            away = _is_elsewhere(observation, path)
            seen.elsewhere |= away
            seen.here |= not away


class _Summing:
    """Weighs and words what was seen of one program."""

    def __init__(self, seen: _Seen, last_use: str | None, asked: set[str], titles: Mapping[str, str], complete: bool) -> None:
        self._seen, self._program, self._last_use, self._asked, self._titles, self._complete = (
            seen, seen.program, last_use, asked, titles, complete,
        )  # fmt: skip
        self._system = bool(seen.program.system)
        ignored = _BY_ITSELF if self._system else frozenset[str]()
        self._proofs = {key: proof for key, proof in seen.proofs.items() if key[0] not in ignored}
        self._ways = frozenset(key[0] for key in self._proofs)

    def software(self) -> Software | None:
        """The observation, or None where the traces do not add up to the program."""
        strength = self._strength()
        if strength is None or (self._program.severity == 1 and not self._ways - {SEARCHED, VISITED}):
            return None
        state = self._state()
        severity, why = self._severity(state, strength)
        first, last = self._span(lambda way: True)
        first_run, last_run = self._span(lambda way: way == RUN)
        return Software(
            software=self._program.id,
            name=self._program.name,
            what=self._program.what,
            category=self._program.category.title,
            state=state,
            summary=self._summary(state),
            severity=severity,
            why=why,
            strength=strength,
            innocent=self._program.innocent,
            bears_on=self._program.bears_on,
            seen=tuple(way for way in SEEN if way in self._ways),
            runs=self._runs(),
            installed=self._span(lambda way: way == INSTALLED)[0],
            first_run=first_run,
            last_run=last_run,
            removed=self._span(lambda way: way == DELETED)[1],
            first=first,
            last=last,
            users=tuple(sorted(self._seen.users)),
            removable=self._seen.elsewhere and not self._seen.here,
            comes_with_system=self._system,
            traces=sum(proof.count for proof in self._proofs.values()),
            proofs=tuple(self._proof(*item) for item in sorted(self._proofs.items(), key=lambda item: (SEEN.index(item[0][0]), item[0]))),
        )

    def _strength(self) -> str | None:
        strong = {(key[2], key[1]) for key in self._proofs if key[4]}
        values = {key[2:4] for key in self._proofs}
        if strong:
            return "strong" if len(strong) > 1 else "moderate"
        return "weak" if len(values) > 1 else None

    def _state(self) -> str:
        if self._system:
            return "part of the system"
        gone = bool(self._ways & {DELETED, UNINSTALLED}) and PRESENT not in self._ways and self._listed()
        if self._ways & {INSTALLED, EXTENSION} and not gone:
            return "installed"
        if self._ways & {PRESENT, CONTENT}:
            return "present"
        if self._seen.elsewhere and not self._seen.here:
            return "on another drive"
        if self._ways & {INSTALLED, UNINSTALLED, RUN, STARTS, DELETED, REMEMBERED, SETTINGS, SHARED}:
            return "removed" if self._listed() else "remembered"
        if self._ways & {ACCOUNT, USED_ONLINE}:
            return "used in a browser"
        return "downloaded" if DOWNLOADED in self._ways else "looked for"

    def _listed(self) -> bool:
        """Whether a file that is there would have been seen: everything was listed, and the entry names files."""
        return self._complete and any(trace.kind in ("exe", "path") for trace in self._program.traces)

    def _severity(self, state: str, strength: str) -> tuple[int, str]:
        base, reasons = self._program.severity, []
        if self._ways & _IN_USE:
            severity = base
            if base >= 3 and self._recent():
                severity, reasons = base + 1, ["one step more: it ran within the last 30 days of use"]
            elif base >= 3 and state == "removed":
                severity, reasons = base + 1, ["one step more: it was used and is not there any more"]
        elif self._ways & _THERE:
            severity = base
            reasons = ["no run of it is recorded"]
        elif self._ways & _LEFT:
            severity, reasons = max(1, base - 1), ["one step less: only remains of it, or its installer, were met"]
        else:
            severity, reasons = (2 if base >= 3 else 1), ["it was only looked for: that is weak"]
        if strength == "weak":
            severity, reasons = max(1, severity - 1), [*reasons, "one step less: each of its traces could be another program's"]
        if set(self._program.bears_on) & self._asked:
            least = 3 if self._ways & (_IN_USE - ({RUN, STARTS} if self._system else set())) else 2 if self._ways & _THERE else 1
            if severity < least and not (self._system and least == 1):
                severity, reasons = least, [*reasons, "the order has a condition about such programs"]
        return min(5, severity), "; ".join([f"the catalogue grades it {base} of 5", *reasons])

    def _recent(self) -> bool:
        last = self._span(lambda way: way == RUN)[1]
        if not isinstance(last, Timestamp) or self._last_use is None:
            return False
        return last.to_datetime() >= datetime.fromisoformat(self._last_use[:19] + "+00:00") - RECENT

    def _span(self, wanted: Any) -> tuple[Time, Time]:
        firsts = [proof.first for key, proof in self._proofs.items() if wanted(key[0]) and proof.first is not None]
        lasts = [proof.last for key, proof in self._proofs.items() if wanted(key[0]) and proof.last is not None]
        if not firsts:
            return NOT_RECORDED, NOT_RECORDED
        return _timestamp(min(firsts, key=_instant)), _timestamp(max(lasts, key=_instant))

    def _runs(self) -> int | None:
        if RUN not in self._ways:
            return None
        return max(max(proof.runs, len(proof.times), 1) for key, proof in self._proofs.items() if key[0] == RUN)

    def _summary(self, state: str) -> str:
        said: list[str] = []
        if self._ways & {INSTALLED, UNINSTALLED}:
            said.append("installed" if state == "installed" else "was installed")
        if EXTENSION in self._ways:
            said.append("added to a browser")
        runs, last_run = self._runs(), self._span(lambda way: way == RUN)[1]
        if runs is not None:
            said.append(
                "run"
                + (f" {runs:,} times" if runs > 1 else "")
                + (f", last on {_day(last_run)}" if isinstance(last_run, Timestamp) else "")
            )
        if STARTS in self._ways:
            said.append("starts by itself")
        if SHARED in self._ways:
            said.append("files shared with it")
        said += [words for way, words in _WORDS.items() if way in self._ways]
        if PRESENT in self._ways and INSTALLED not in self._ways:
            said.append("its files are here")
        if state == "removed":
            removed = self._span(lambda way: way == DELETED)[1]
            said.append("now gone" + (f", deleted on {_day(removed)}" if isinstance(removed, Timestamp) else ""))
        elif state == "on another drive":
            said.append("from a drive that is not part of this computer")
        elif state == "remembered":
            said.append("remembered by other records")
        if not self._ways & {INSTALLED, RUN, PRESENT, EXTENSION, USED_ONLINE, ACCOUNT, DOWNLOADED}:
            said += ["looked for in a search"] if SEARCHED in self._ways else []
            said += ["its maker's site was opened"] if VISITED in self._ways else []
        return ", ".join(dict.fromkeys(said)) or "traces of it were met"

    def _proof(self, key: tuple[str, str, str, str, bool], proof: _Proof) -> dict[str, Any]:
        seen, where, kind, value, strong = key
        return {
            "seen": seen, "how": self._titles.get(where, _PARSERS.get(where, where)), "trace": kind, "value": value,
            "strength": "strong" if strong else "weak", "count": proof.count, "first": proof.first, "last": proof.last, "path": proof.path,
            "record": proof.record,
        }  # fmt: skip


_WORDS = {DOWNLOADED: "downloaded", USED_ONLINE: "used in a browser", ACCOUNT: "an account was used", CONTENT: "recognised by its content"}
_PARSERS = {"file system": "list of files", "yara": "content patterns"}


def _instant(time: str) -> str:
    return time.rstrip("Z")  # without the Z, "…:00" sorts before "…:00.5"


def _timestamp(text: str) -> Time:
    try:
        whole, _, fraction = text.rstrip("Z").partition(".")
        moment = Timestamp.from_datetime(datetime.fromisoformat(whole + "+00:00"))
        return Timestamp(moment.ns + int(fraction.ljust(9, "0")[:9] or 0))
    except ValueError:
        return NOT_RECORDED


def _day(time: Time) -> str:
    if not isinstance(time, Timestamp):
        return ""
    moment = time.to_datetime()
    return f"{moment.day} {moment:%B %Y}"


_TIME_FIELDS: Mapping[str, tuple[str, ...]] = {
    "InstalledProgram": ("installed",),
    "ProgramRun": ("time",),
    "FileSeen": ("used",),
    "DeletedFile": ("deleted",),
    "Download": ("started", "finished"),
    "SearchQuery": ("time", "last"),
    "PageVisit": ("time",),
    "Bookmark": ("time",),
    "AccountUse": ("time", "last"),
    "SharedFile": ("time",),
}


def _times(observation: Mapping[str, Any], seen: str) -> list[str]:
    """The times at which that was so. Of files, their own times say nothing of it but for Prefetch, which is written at each run."""
    kind = observation["type"]
    if kind == "SoftwareTrace":
        names: tuple[str, ...] = ("time",) if seen == RUN and observation["path"].lower().endswith(".pf") else ()
    elif kind == "ProgramRun" and not _is_run(observation.get("time_meaning")):
        names = ()
    else:
        names = _TIME_FIELDS.get(kind, ())
    return [value for name in names if isinstance(value := observation.get(name), str)]


def _is_run(meaning: Any) -> bool:
    return not isinstance(meaning, str) or any(word in meaning for word in ("run", "start", "use", "execut"))


def _is_elsewhere(observation: Mapping[str, Any], path: str) -> bool:
    volume = observation.get("volume")
    if isinstance(volume, Mapping) and "removable" in str(volume.get("kind")):
        return True
    lower = path.lower()
    return lower.startswith(_REMOVABLE) or (lower[1:3] == ":\\" and lower[0] != "c")


CONCLUSIONS = (SoftwareSeen,)
