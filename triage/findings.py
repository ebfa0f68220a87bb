"""Findings: why an observation matters. Rules turn observations into findings; a book merges those that belong together.

A finding's id comes from its rule and from what it is about (the grouping key, or the observation's id), never from the order of a
run. Everything a finding says is a function of its rule and of the observations in it, so two runs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from rules.findings import Rule, RuleSet
from rules.findings.fields import lookup, time_fields
from rules.findings.model import INDICATIONS, Addition
from rules.findings.template import render

MAX_OBSERVATIONS = 100  # ids kept in a finding; ``count`` is the total
MAX_EXAMPLES = 3


@dataclass(slots=True, kw_only=True)
class Finding:
    """One finding, as it stands in the journal and in report.json.

    ``indicates``: found, refer or note. ``count``: how many observations it rests on; ``observations`` names the strongest hundred of
    them (``weight``, 0 to 100, decides among those of one severity); ``examples`` describes the strongest three as {observation, path, locator, time, context}. All other words are those of
    the strongest. ``times`` maps the observation's time fields to RFC 3339 or null, with ``<field>_reason``; of a group also
    ``first`` and ``last``. ``advice``: keys of rules/conditions/advice.yaml.
    """

    id: str
    rule: str
    rule_version: int
    category: str
    severity: int
    indicates: str
    title: str
    explanation: str
    innocent_explanations: list[str]
    bears_on: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    source: str | None = None
    volume: str | None = None
    path: str | None = None
    allocated: bool = True
    locator: str = ""
    user: str | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    times: dict[str, str | None] = field(default_factory=dict)
    context: str = ""
    count: int = 1
    weight: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    observations: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values, its fields in declared order."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """The inverse of ``to_json``; unknown keys are left out. Raises ``TypeError`` where a field without a default is missing."""
        return cls(**{item.name: data[item.name] for item in fields(cls) if item.name in data})


def sort_key(finding: Finding | Mapping[str, Any]) -> tuple[int, int, int, str, str, str]:
    """The order of findings in every report: what they indicate, severity, weight, title, path, id."""
    data = finding if isinstance(finding, Mapping) else finding.to_json()
    return (INDICATIONS.index(data["indicates"]), -data["severity"], -data.get("weight", 0), data["title"], data["path"] or "", data["id"])


class FindingEngine:
    """Applies the rules to observations, one at a time. Holds no state: any number of processes may each have one."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.on, []).append(rule)

    def consider(self, observation: Mapping[str, Any]) -> list[Finding]:
        """What the rules make of one observation (as the journal stores it, with ``id`` and ``provenance``), in the rules' order."""
        rules = self._rules.get(observation["type"])
        if not rules:
            return []
        return [_finding(rule, observation) for rule in rules if rule.when.holds(observation)]


def _finding(rule: Rule, observation: Mapping[str, Any]) -> Finding:
    additions = tuple(item for item in rule.also if item.when.holds(observation))
    parts: tuple[Rule | Addition, ...] = (rule, *additions)
    innocent = [render(text, observation) for part in parts for text in part.innocent_explanations]
    severity = rule.severity.of(observation)
    provenance: Mapping[str, Any] = observation.get("provenance") or {}
    path = provenance.get("path") or observation.get("path")
    locator = str(provenance.get("locator") or "")
    context = render(rule.context, observation)
    hashes = dict(observation.get("hashes") or {})
    if observation.get("algorithm") and observation.get("digest"):
        hashes.setdefault(observation["algorithm"], observation["digest"])
    times = _times(observation)
    return Finding(
        id=_finding_id(rule, observation),
        rule=rule.id,
        rule_version=rule.version,
        category=rule.category.of(observation),
        severity=severity,
        indicates=rule.indication(severity),
        title=render(rule.title, observation),
        explanation=rule.explain(observation, additions),
        innocent_explanations=list(dict.fromkeys(text for text in innocent if text)),
        bears_on=sorted({check for part in parts for check in part.bears_on}),
        advice=sorted({key for part in parts for key in part.advice}),
        source=provenance.get("source"),
        volume=provenance.get("volume"),
        path=path,
        allocated=bool(observation.get("allocated", not provenance.get("recovered", False))),
        locator=locator,
        user=observation.get("user"),
        hashes=hashes,
        times=times,
        context=context,
        weight=_weight(observation),
        examples=[{"observation": observation["id"], "path": path, "locator": locator, "time": _moment(times), "context": context}],
        observations=[observation["id"]],
    )


def _weight(observation: Mapping[str, Any]) -> int:
    value = observation.get("weight")
    return value if isinstance(value, int) and 0 <= value <= 100 else 0


def _finding_id(rule: Rule, observation: Mapping[str, Any]) -> str:
    about: list[Any] = [rule.id]
    if rule.group:
        # A word on one computer and the same word on another are two findings.
        about += [lookup(observation, "provenance.source"), *(lookup(observation, name) for name in rule.group)]
    else:
        about.append(observation["id"])
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def _times(observation: Mapping[str, Any]) -> dict[str, str | None]:
    """The time fields of the observation, each with its reason and wall-clock reading where it is absent."""
    times: dict[str, str | None] = {}
    for name in time_fields().get(observation["type"], ()):
        for key in (name, f"{name}_reason", f"{name}_local"):
            if key in observation:
                times[key] = observation[key]
    return times


def _moment(times: Mapping[str, str | None]) -> str | None:
    return next((times[name] for name in ("time", "last", "started", "deleted", "created") if times.get(name)), None)


_Order = tuple[int, int, int, bool, str, str, str]


def _order(finding: Finding) -> _Order:
    """Strongest first: severity, what it indicates, weight, live before deleted, then path, locator and id, which differ between observations."""
    return (
        -finding.severity,
        INDICATIONS.index(finding.indicates),
        -finding.weight,
        not finding.allocated,
        finding.path or "",
        finding.locator,
        finding.observations[0],
    )


@dataclass(slots=True)
class _Group:
    best: Finding
    best_order: _Order
    seen: set[int]
    strongest: list[tuple[_Order, str]]
    examples: list[tuple[_Order, dict[str, Any]]]
    bears_on: set[str]
    advice: set[str]
    first: str | None
    last: str | None

    def finding(self) -> Finding:
        """The group as one finding."""
        times = dict(self.best.times)
        if self.first is not None and len(self.seen) > 1:
            times |= {"first": self.first, "last": self.last}
        merged = Finding.from_json(self.best.to_json())
        merged.bears_on, merged.advice, merged.times = sorted(self.bears_on), sorted(self.advice), times
        merged.count = len(self.seen)
        merged.examples = [example for _, example in self.examples]
        merged.observations = [name for _, name in self.strongest]
        return merged


class FindingBook:
    """Merges the findings of all workers, whatever order they arrive in, and says what the journal must hold.

    Memory: about 3 KB for each different finding, and 8 bytes of identity (about 70 in Python) for each observation in it.
    """

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._journalled: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, finding: Finding, *, replay: bool = False) -> Finding | None:
        """Take in what ``FindingEngine.consider`` made of one observation. Returns the finding to be journalled now, or None.

        A new finding is returned at once, a group again when its count reaches a power of two or when it becomes graver; the rest comes with
        ``due``. An observation that came before changes nothing. ``replay``: rebuilding from a journal, nothing is returned or
        taken for journalled (see ``journalled``).
        """
        group = self._groups.get(finding.id)
        grew = self._start(finding) if group is None else self._merge(group, finding)
        if replay or not grew:
            return None
        merged = self._groups[finding.id].finding()
        self._journalled[finding.id] = _digest(merged)
        return merged

    def journalled(self, data: Mapping[str, Any]) -> None:
        """Tell the book of a finding that a resumed journal holds already."""
        self._journalled[str(data["id"])] = _digest(Finding.from_json(data))

    def withdrawn(self, ids: Iterable[str]) -> None:
        """Tell the book that the journal takes these findings back."""
        for name in ids:
            self._journalled.pop(name, None)

    def unfounded(self) -> list[str]:
        """Ids of findings that the journal holds and nothing stands behind any more."""
        return sorted(name for name in self._journalled if name not in self._groups)

    def due(self) -> list[Finding]:
        """The findings whose state is not in the journal yet, in report order: to be journalled at the end, and after a replay."""
        due = [merged for merged in self.final() if self._journalled.get(merged.id) != _digest(merged)]
        for merged in due:
            self._journalled[merged.id] = _digest(merged)
        return due

    def final(self) -> list[Finding]:
        """All findings as they stand, in report order."""
        return sorted((group.finding() for group in self._groups.values()), key=sort_key)

    def _start(self, finding: Finding) -> bool:
        order, moment = _order(finding), finding.examples[0]["time"]
        self._groups[finding.id] = _Group(
            best=finding,
            best_order=order,
            seen={_number(finding.observations[0])},
            strongest=[(order, finding.observations[0])],
            examples=[(order, finding.examples[0])],
            bears_on=set(finding.bears_on),
            advice=set(finding.advice),
            first=moment,
            last=moment,
        )
        return True

    def _merge(self, group: _Group, finding: Finding) -> bool:
        number = _number(finding.observations[0])
        if number in group.seen:
            return False
        group.seen.add(number)
        order = _order(finding)
        graver = order[:2] < group.best_order[:2]
        if order < group.best_order:
            group.best, group.best_order = finding, order
        insort(group.strongest, (order, finding.observations[0]))
        del group.strongest[MAX_OBSERVATIONS:]
        insort(group.examples, (order, finding.examples[0]), key=lambda pair: pair[0])
        del group.examples[MAX_EXAMPLES:]
        group.bears_on.update(finding.bears_on)
        group.advice.update(finding.advice)
        moment = finding.examples[0]["time"]
        if moment is not None:
            group.first = moment if group.first is None else min(group.first, moment, key=_instant)
            group.last = moment if group.last is None else max(group.last, moment, key=_instant)
        count = len(group.seen)
        return graver or count & (count - 1) == 0


def _instant(moment: str) -> str:
    return moment.rstrip("Z")  # without the Z, "…:00" sorts before "…:00.5"


def _number(observation_id: str) -> int:
    """The identity of an observation in 8 bytes: its 16 hexadecimal digits, or as many of a hash of another kind of id."""
    try:
        return int(observation_id, 16)
    except ValueError:
        return int.from_bytes(hashlib.sha256(observation_id.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _digest(finding: Finding) -> bytes:
    return hashlib.sha256(json.dumps(finding.to_json()).encode()).digest()[:16]
