"""The ledger: traces of devices joined into one line a device.

Records are joined by strong identifiers only (``identity.strong``), each join with the record behind it. A record without any (a phone that made up its
network address) joins a device by a name that somebody gave it, where exactly one device has that name; a picture or
a list of names joins by its model, where exactly one device is of that model. Anything else stays a line of its own, and says what it may be.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from artefacts.observations import Device
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_local
from triage.devices import identity, kinds, questions
from triage.devices.declared import DECLARED, Declaration, Known
from triage.devices.instants import hours_between, parse_time
from triage.devices.traces import Trace, disk_link, link_keys, trace_of, volume_link

MOST_TRACES = 50_000
MOST_LINKS = 5_000
MOST_OPENED = 50
"""File names kept of one volume, those used last; all are counted."""
MOST_PROOFS = 20
TYPES = ("AttachedDevice", "PhoneBackup", "NetworkHost", "KnownNetwork", "PictureFacts", "FileSeen", "SystemFact")
_OWN_NAMES = ("computer name", "host name")
_LONG = (kinds.NETWORK_STORAGE, kinds.PORTABLE, kinds.HOST, kinds.USB)
"""Kinds that are not said in a title where there is a name."""
_BEST = ("backup", "pairing", "USBSTOR", "Enum\\USB", "pictures", "BTHPORT")


@dataclass(slots=True)
class _Opened:
    """What was opened from one volume."""

    count: int = 0
    newest: list[tuple[str, str]] = field(default_factory=list)
    users: set[str] = field(default_factory=set)
    records: list[str] = field(default_factory=list)
    first: str | None = None
    last: str | None = None

    def add(self, data: Mapping[str, Any]) -> None:
        self.count += 1
        used = str(data.get("used") or "")
        entry = (used, str(data.get("path") or ""))
        if entry not in self.newest:
            insort(self.newest, entry)
            del self.newest[:-MOST_OPENED]
        insort(self.records, str(data.get("id") or ""))
        del self.records[MOST_OPENED:]
        if data.get("user") and len(self.users) < 50:
            self.users.add(str(data["user"]))
        if used:
            self.first, self.last = min(self.first or used, used), max(self.last or used, used)


@dataclass(slots=True)
class _Cluster:
    """The traces of one device; ``by``: for each, what it was joined by."""

    traces: list[Trace] = field(default_factory=list)
    by: dict[str, str] = field(default_factory=dict)
    shared: list[Trace] = field(default_factory=list)  # of its model, but another device here is too

    def strong(self) -> set[str]:
        return {text for trace in self.traces for text in trace.strong}

    def names(self) -> set[str]:
        return {key for trace in self.traces if trace.kind in kinds.PERSONAL for key in _names(trace)}

    def models(self) -> set[str]:
        return {key for trace in self.traces if (key := identity.model_key(trace.model))}

    def kind(self) -> str:
        return max((trace.kind for trace in self.traces), key=lambda kind: (kinds.known(kind).specific, kind))

    def key(self) -> str:
        return min(trace.record for trace in self.traces)


@dataclass(frozen=True, slots=True)
class Line:
    """One device, and the ids of the records behind it."""

    device: Device
    records: tuple[str, ...]
    source: str


class Ledger:
    """Takes observations as journalled, in any order, each once; ``lines`` is the same whatever the order was."""

    def __init__(self, visit: Mapping[str, Any] | None = None) -> None:
        self._declaration = Declaration(visit)
        self._traces: list[Trace] = []
        self._pictures: dict[tuple[Any, ...], Trace] = {}
        self._opened: dict[str, _Opened] = {}
        self._volumes: list[tuple[str, str | None, str | None]] = []
        self._disks: list[tuple[str, str]] = []
        self._own: set[str] = set()
        self._newest = ""
        self.dropped: Counter[str] = Counter()

    def add(self, data: Mapping[str, Any]) -> None:
        """Take one observation of ``TYPES``; what names no device is passed over."""
        kind = data["type"]
        if kind == "FileSeen":
            self._file(data)
            return
        if kind == "SystemFact":
            if data.get("name") in _OWN_NAMES and (own := identity.name_key(str(data.get("value")))):
                self._own.add(own)
            self._note_time(data.get("time"))
            return
        if (found := volume_link(data)) is not None:
            self._keep(self._volumes, found)
        if (disk := disk_link(data)) is not None:
            self._keep(self._disks, disk)
        trace = trace_of(data)
        if trace is None:
            return
        self._note_time(trace.last)
        if kind == "PictureFacts":
            self._picture(trace)
        elif len(self._traces) < MOST_TRACES:
            self._traces.append(trace)
        else:
            self.dropped["records of devices"] += 1

    def lines(self) -> list[Line]:
        """Every device, those that matter most first."""
        clusters = self._clusters()
        known = [_known(cluster) for cluster in clusters]
        verdicts = self._declaration.judge(known)
        titles = {id(cluster): _title(cluster) for cluster in clusters}
        similar = _similar(clusters)
        lines = [
            self._line(cluster, what, verdict, tuple(titles[id(other)] for other in similar.get(id(cluster), ())))
            for cluster, what, verdict in zip(clusters, known, verdicts, strict=True)
        ]
        return sorted(lines, key=_order)

    # --- taking in ---------------------------------------------------------------------------------------------------------------

    def _file(self, data: Mapping[str, Any]) -> None:
        if data.get("how") == "file system":
            return
        for key in link_keys(str((data.get("provenance") or {}).get("source") or ""), data)[:1]:
            if key not in self._opened and len(self._opened) >= MOST_LINKS:
                self.dropped["volumes that files were opened from"] += 1
                return
            self._opened.setdefault(key, _Opened()).add(data)

    def _picture(self, trace: Trace) -> None:
        key = (trace.maker, trace.model, trace.strong)
        known = self._pictures.get(key)
        if known is None:
            if len(self._pictures) >= MOST_LINKS:
                self.dropped["cameras named in pictures"] += 1
            else:
                self._pictures[key] = trace
            return
        known.records += 1
        if trace.record < known.record:
            known.record, known.path, known.source = trace.record, trace.path, trace.source
        for name, choose in (("first", min), ("last", max), ("first_local", min), ("last_local", max)):
            pair = [text for text in (getattr(known, name), getattr(trace, name)) if text]
            setattr(known, name, choose(pair) if pair else None)

    def _keep(self, place: list[Any], item: Any) -> None:
        if len(place) < MOST_TRACES:
            place.append(item)
        else:
            self.dropped["records of volumes"] += 1

    def _note_time(self, time: Any) -> None:
        # A clock that ran decades ahead must not make everything else look old.
        if isinstance(time, str) and self._newest < time < "2100":
            self._newest = time

    # --- joining -----------------------------------------------------------------------------------------------------------------

    def _clusters(self) -> list[_Cluster]:
        traces = sorted([*self._traces, *self._pictures.values()], key=lambda trace: trace.record)
        clusters = _by_identifiers(trace for trace in traces if trace.strong)
        named: dict[str, list[Trace]] = {}
        floating: dict[str, list[Trace]] = {}
        rest: dict[tuple[str, ...], list[Trace]] = {}
        for trace in (trace for trace in traces if not trace.strong):
            name = next(iter(_names(trace)), None) if trace.kind in kinds.PERSONAL else None
            model = identity.model_key(trace.model)
            if name:
                named.setdefault(name, []).append(trace)
            elif model and trace.floating:
                floating.setdefault(model, []).append(trace)
            elif model or trace.name:
                rest.setdefault((trace.source, trace.kind, model or (trace.name or "").lower()), []).append(trace)
            elif made_up := _made_up(trace):
                rest.setdefault((trace.source, trace.kind, made_up), []).append(trace)
        by_name = _index(clusters, _Cluster.names)
        for name, group in sorted(named.items()):
            clusters += _join(group, by_name.get(name, []), "its name")
        clusters += [_Cluster(list(group)) for _, group in sorted(rest.items())]
        by_model = _index(clusters, _Cluster.models)
        for model, group in sorted(floating.items()):
            clusters += _join(group, by_model.get(model, []), "its model")
        return sorted((c for c in clusters if not self._is_this_computer(c)), key=_Cluster.key)

    def _is_this_computer(self, cluster: _Cluster) -> bool:
        return bool(cluster.names() & self._own) and cluster.kind() in (kinds.COMPUTER, kinds.HOST, kinds.NETWORK_STORAGE, kinds.REMOTE)

    # --- writing a line ------------------------------------------------------------------------------------------------------------

    def _line(self, cluster: _Cluster, known: Known, verdict: tuple[str, str], similar: tuple[str, ...]) -> Line:
        opened, users = self._opened_from(cluster)
        traces = cluster.traces
        first, last = _earliest(traces, opened), _latest(traces, opened)
        kind = known.kind
        strength = _strength(cluster)
        declared, why = verdict
        about = kinds.known(kind)
        names: dict[tuple[str, str], None] = {}
        for volume in opened:
            names |= dict.fromkeys(volume.newest)
        newest = [path for _, path in sorted(names, reverse=True)][:MOST_OPENED]
        title = _title(cluster)
        identifiers = {text for trace in traces for text in trace.shown}
        identifiers |= {text for trace in traces for text in trace.links if text.startswith("volume:")}
        device = Device(
            kind=kind,
            title=title,
            maker=_best(trace.maker for trace in _ranked(traces)),
            model=_best(trace.model for trace in _ranked(traces)),
            name=_best(trace.name for trace in _ranked(traces)),
            identifiers=tuple(sorted(identifiers)),
            first=first,
            last=last,
            users=tuple(sorted({trace.user for trace in traces if trace.user} | users)),
            count=max((trace.count for trace in traces if trace.count), default=None),
            opened=tuple(newest),
            opened_count=sum(volume.count for volume in opened),
            declared=declared,
            why=why,
            strength=strength,
            concern=1 if declared == DECLARED else self._concern(about.concern, strength, last),
            proofs=tuple(_proofs(cluster)),
            records=sum(trace.records for trace in traces) + sum(volume.count for volume in opened),
            similar=similar,
            note=_note(cluster, similar),
            question=questions.question(title, kind, declared, last, strength),
            innocent=" ".join(about.innocent),
        )
        records = tuple(dict.fromkeys([*(trace.record for trace in traces), *(name for volume in opened for name in volume.records)]))
        sources = {trace.source for trace in traces}
        return Line(device, records, min(sources) if len(sources) == 1 else "")

    def _opened_from(self, cluster: _Cluster) -> tuple[list[_Opened], set[str]]:
        """What was opened from the volumes of a device, and who had them in Explorer."""
        links = {text for trace in cluster.traces for text in trace.links}
        links |= {volume for volume, disk in self._disks if disk in links}
        users = {user for key, user, _ in self._volumes if user and key in links}
        opened = [self._opened[key] for key in sorted(links) if key in self._opened]
        for volume in opened:
            users |= volume.users
        return opened, users

    def _concern(self, base: int, strength: str, last: Time) -> int:
        if strength == "weak":
            base = min(base, 2)
        days = hours_between(last, parse_time(self._newest)) / 24
        return max(1, base - (0 if days <= 366 else 1 if days <= 3 * 366 else 2))


def _order(line: Line) -> tuple[Any, ...]:
    """What was declared last; what matters most first, of that the most recent; what has no date after that."""
    device = line.device
    age = hours_between(device.last, Timestamp(0)) or 1
    return device.declared == DECLARED, -device.concern, age, device.title, line.records


def _by_identifiers(traces: Iterable[Trace]) -> list[_Cluster]:
    """Traces that share a strong identifier, directly or through others."""
    owner: dict[str, int] = {}
    parent: list[int] = []
    kept: list[Trace] = []

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for number, trace in enumerate(traces):
        parent.append(number)
        kept.append(trace)
        for text in sorted(trace.strong):
            if text in owner:
                one, other = sorted((root(owner[text]), root(number)))
                parent[other] = one
            else:
                owner[text] = number
    clusters: dict[int, _Cluster] = {}
    for number, trace in enumerate(kept):
        clusters.setdefault(root(number), _Cluster()).traces.append(trace)
    for cluster in clusters.values():
        uses = Counter(text for trace in cluster.traces for text in trace.strong)
        for trace in cluster.traces:
            joined = [text for text in sorted(trace.strong) if uses[text] > 1]
            if joined:
                cluster.by[trace.record] = joined[0].replace(":", " ", 1).partition("@")[0]
    return list(clusters.values())


def _index(clusters: list[_Cluster], keys: Callable[[_Cluster], set[str]]) -> dict[str, list[_Cluster]]:
    found: dict[str, list[_Cluster]] = {}
    for cluster in clusters:
        for key in keys(cluster):
            found.setdefault(key, []).append(cluster)
    return found


def _join(group: list[Trace], candidates: list[_Cluster], what: str) -> list[_Cluster]:
    """Give traces without strong identifiers to the one device they fit, else make lines of them; where several fit a model, each is told."""
    left, made = [], []
    for trace in group:
        fitting = [cluster for cluster in candidates if kinds.compatible(trace.kind, cluster.kind())]
        if len(fitting) == 1:
            fitting[0].traces.append(trace)
            fitting[0].by[trace.record] = what
        elif fitting and trace.floating:
            for cluster in fitting:
                cluster.shared.append(trace)
        else:
            left.append(trace)
    while left:
        line = _Cluster([left[0]])
        others = []
        for trace in left[1:]:
            if kinds.compatible(trace.kind, line.kind()):
                line.traces.append(trace)
            else:
                others.append(trace)
        if len(line.traces) > 1:
            line.by = {trace.record: what for trace in line.traces}
        made.append(line)
        left = others
    return made


def _similar(clusters: list[_Cluster]) -> dict[int, list[_Cluster]]:
    """Lines that carry the same given name: perhaps one device, perhaps an old and a new one."""
    found: dict[int, list[_Cluster]] = {}
    for _, group in sorted(_index(clusters, _Cluster.names).items()):
        for cluster in group if len(group) > 1 else ():
            others = [other for other in group[:10] if other is not cluster and kinds.compatible(cluster.kind(), other.kind())]
            place = found.setdefault(id(cluster), [])
            place += [other for other in others if not any(other is one for one in place)]
    return found


def _names(trace: Trace) -> list[str]:
    """The names by which a record may be joined, the best first: given names, host names, and what an instance of an mDNS service is called."""
    texts = [trace.name, *sorted(text.partition(":")[2] for text in trace.shown if text.startswith("hostname:"))]
    keys = [key for text in texts if (key := identity.name_key(text))]
    keys += sorted(f"mdns:{text[5:].lower()}" for text in trace.shown if text.startswith("mdns:") and len(text) >= 13)
    return list(dict.fromkeys(keys))


def _made_up(trace: Trace) -> str:
    """What tells apart devices of which only an address is known that they made up themselves. Of those in the room now each is one; over time one
    phone makes up many, so those that a table remembers are one line however many they are."""
    address = next((text for text in sorted(trace.shown) if text.startswith("mac:")), "")
    return address if trace.present else f"addresses that were made up, {trace.how}" if address else ""


def _known(cluster: _Cluster) -> Known:
    makers = {plain for trace in cluster.traces if trace.maker and (plain := "".join(c for c in trace.maker.lower() if c.isalnum()))}
    return Known(
        kind=cluster.kind(),
        makers=frozenset(makers),
        models=frozenset(cluster.models()),
        names=frozenset(key for trace in cluster.traces for key in _names(trace)),
        identifiers=frozenset(cluster.strong() | {text for trace in cluster.traces for text in trace.shown if text.startswith("mac:")}),
    )


def _ranked(traces: list[Trace]) -> list[Trace]:
    """The records whose words are best first."""

    def rank(trace: Trace) -> tuple[int, str]:
        place = next((number for number, word in enumerate(_BEST) if word in trace.how), len(_BEST))
        return place, trace.record

    return sorted(traces, key=rank)


def _best(words: Iterable[str | None]) -> str | None:
    return next((word for word in words if word), None)


def _title(cluster: _Cluster) -> str:
    """``Samsung Galaxy S21 "Jo's phone"``: maker, model and given name as far as they are known, else the kind."""
    ranked = _ranked(cluster.traces)
    maker, model, name = (_best(getattr(trace, what) for trace in ranked) for what in ("maker", "model", "name"))
    words = model or ""
    if maker and maker.lower() not in words.lower():
        words = f"{maker} {words or ('' if name and cluster.kind() in _LONG else cluster.kind())}".strip()
    if name and name.lower() not in words.lower() and words.lower() not in name.lower():
        words = f"{words} “{name}”" if words else f"{cluster.kind()} “{name}”"
    return (name if name and words.lower() in name.lower() else words).strip() or cluster.kind()


def _strength(cluster: _Cluster) -> str:
    if any(trace.strong and not trace.how.startswith("pictures") for trace in cluster.traces):
        return "strong"
    if all(trace.floating or trace.kind == kinds.HOST or trace.how.startswith("pictures") for trace in cluster.traces):
        return "weak"
    return "moderate"


def _proofs(cluster: _Cluster) -> Iterator[dict[str, Any]]:
    """One for each kind of place that remembers the device, with the first record of it and what joined it to the others."""
    places: dict[str, list[Trace]] = {}
    for trace in cluster.traces:
        places.setdefault(trace.how, []).append(trace)
    for how in sorted(places)[:MOST_PROOFS]:
        group = places[how]
        joined = next((cluster.by[trace.record] for trace in group if trace.record in cluster.by), None)
        yield {
            "how": how,
            "record": group[0].record,
            "path": group[0].path,
            "matched": joined,
            "records": sum(trace.records for trace in group),
        }


def _note(cluster: _Cluster, similar: tuple[str, ...]) -> str | None:
    notes = sorted({trace.note for trace in cluster.traces if trace.note})[:10]
    if not cluster.strong() and cluster.kind() in (kinds.STORAGE, kinds.CARD, kinds.USB):
        notes.append("it has no number of its own, so this may be more than one device")
    made_up = {text for trace in cluster.traces for text in trace.shown if text.startswith("mac:")}
    if not cluster.strong() and not cluster.names() and len(made_up) > 1:
        notes.append(f"{len(made_up)} addresses that devices made up: this may be one device that changes its address, or several")
    if cluster.shared:
        count = sum(trace.records for trace in cluster.shared)
        notes.append(f"{count} pictures or records name this model, which several devices here are of")
    notes += [f"it may be the same device as {title}" for title in similar[:3]]
    return "; ".join(notes) or None


def _earliest(traces: list[Trace], opened: list[_Opened]) -> Time:
    return _chosen(
        [text for text in [*(trace.first for trace in traces), *(volume.first for volume in opened)] if text],
        [trace.first_local for trace in traces if trace.first_local],
        earliest=True,
    )


def _latest(traces: list[Trace], opened: list[_Opened]) -> Time:
    return _chosen(
        [text for text in [*(trace.last for trace in traces), *(volume.last for volume in opened)] if text],
        [trace.last_local for trace in traces if trace.last_local],
        earliest=False,
    )


def _chosen(known: list[str], local: list[str], *, earliest: bool) -> Time:
    """The outermost of instants and wall-clock readings: a reading only where it lies outside the instants in any zone on Earth."""
    pick = min if earliest else max
    instant = (
        pick((parse_time(text) for text in known), key=lambda time: hours_between(parse_time(known[0]), time)) if known else NOT_RECORDED
    )
    if not local:
        return instant
    reading = from_local(pick(local), "the record is in the machine's own time")
    if isinstance(instant, NoTime):
        return reading
    ahead = hours_between(instant, parse_time(pick(local)[:19] + "Z"))
    return reading if (ahead < -14 if earliest else ahead > 14) else instant
