"""Reads the checks behind the conditions of an order, the weights of the assessment, and the advice it can give: words and data.

A check has a file of its own, called by its id (``?`` marks what may be left out)::

    title: No file sharing programs                 # a heading
    means: Do not use file sharing programs.        # what it asks, in a sentence
    reads: Lists of programs …                      # what was read to tell
    could_hide: Such a program can …                # what could be so in spite of that: said beside every outcome
    unproved?: …                                    # why silence says nothing, where nothing can prove it (else: could_hide)
    proof?:                                         # what must have been read, without a gap, before silence means "met"
      case?: [conclusions from all records together]   # coverage of the whole case
      source?: [file system]                           # of each source
      system?: [[browsers.chromium.history, …]]        # of each source that holds a computer's system, whichever
      windows?, macos?, linux?: […]                    # of each source that holds that system; left out: it cannot be proved there
    met_by?: [software.required_there]              # finding rules of which one finding shows that it is met

The names are those of coverage (``what`` in the journal). A list in a list is any one of them; what is wrong with one of the others still counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from rules.findings.model import CHECKS
from rules.problems import Problem
from rules.strictyaml import Document, YamlError, parse

SHIPPED = Path(__file__).parent
SYSTEMS = ("windows", "macos", "linux")
ADVICE, WEIGHTS, GAPS, SYSTEMS_FILE = "advice.yaml", "weights.yaml", "gaps.yaml", "systems.yaml"
FILES = (*(f"{check}.yaml" for check in CHECKS), ADVICE, WEIGHTS, GAPS, SYSTEMS_FILE)
GAP_KINDS = ("unfinished", "locked", "no_files", "volume", "source", "left_out")
COUNTER = ("all_deleted", "several_users", "one_record")
_SECTIONS = ("case", "source", "system", *SYSTEMS)
_TEXTS = ("title", "means", "reads", "could_hide")

AnyOf = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """What a condition can ask for. ``proof``: by section, sets of coverage names of which one each must be there whole; empty: never *met*.

    ``met_by``: finding rules of which one finding shows that it is met, for a check that asks for something to be there.
    """

    id: str
    title: str
    means: str
    reads: str
    could_hide: str
    unproved: str = ""
    proof: Mapping[str, tuple[AnyOf, ...]] = field(default_factory=dict)
    met_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """How findings weigh: ``severity`` 1 to 5; ``deleted`` and ``again`` in per cent; ``counter``: weight and sentence of what points the other way."""

    severity: Mapping[int, int] = field(default_factory=lambda: dict.fromkeys(range(1, 6), 1))
    deleted: int = 100
    again: int = 100
    counter: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """What it means that some coverage (``what``, a pattern) is not whole. ``skipped``: a part that a rule left out is told on page one too,
    as ``say`` where there is one. ``blocks``: "nothing found" cannot be said where it went wrong."""

    what: str
    weight: int
    hides: str
    say: str = ""
    skipped: bool = False
    blocks: bool = False


@dataclass(slots=True)
class ConditionRules:
    """``checks`` by id; ``advice``: sentences by key, in the order of the page; ``systems``: coverage names by which a system is known;
    ``gap_weights`` by kind, ``gaps`` by coverage, ``hides``: what any volume can hide; ``digest``: SHA-256 over the files read."""

    checks: dict[str, Check] = field(default_factory=dict)
    advice: dict[str, str] = field(default_factory=dict)
    weights: Weights = field(default_factory=Weights)
    gap_weights: dict[str, int] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    hides: str = ""
    systems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""

    def gap(self, what: str) -> Gap:
        """What is said of a gap in the coverage called ``what``."""
        return next((gap for gap in self.gaps if fnmatchcase(what, gap.what)), Gap("*", 1, ""))


class _Wrong(Exception):
    """Something in a file is not as it must be: where, and why."""

    def __init__(self, reason: str, *place: str | int) -> None:
        super().__init__(reason)
        self.reason, self.place = reason, place


def load(folder: Path = SHIPPED) -> ConditionRules:
    """Read the files of ``folder``. Never raises: what is wrong is in ``problems``, the rest is used."""
    rules = ConditionRules()
    hasher = hashlib.sha256()
    for name in FILES:
        path = folder / name
        try:
            data = path.read_bytes()
            document = parse(data)
        except OSError as error:
            rules.problems.append(Problem(str(path), 0, f"cannot be read: {error.strerror or error}"))
            continue
        except YamlError as error:
            rules.problems.append(Problem(str(path), error.line, error.reason))
            continue
        hasher.update(f"{name}\0{len(data)}\0".encode() + data)
        rules.problems.extend(Problem(str(path), document.line(place), f"{place[-1]} is given twice") for place in document.repeated)
        _take(rules, path, document)
    rules.digest = hasher.hexdigest()
    return rules


@cache
def shipped() -> ConditionRules:
    """The rules that ship with the tool, read once."""
    return load()


def _take(rules: ConditionRules, path: Path, document: Document) -> None:
    takers: dict[str, Callable[[ConditionRules, dict[str, Any]], None]] = {
        ADVICE: _take_advice,
        WEIGHTS: _take_weights,
        GAPS: _take_gaps,
        SYSTEMS_FILE: _take_systems,
    }
    try:
        if not isinstance(document.value, dict):
            raise _Wrong("is not a mapping of keys")
        if path.name in takers:
            takers[path.name](rules, document.value)
        else:
            rules.checks[path.stem] = _check(path.stem, document.value)
    except _Wrong as wrong:
        rules.problems.append(Problem(str(path), document.line(wrong.place), wrong.reason))


def _keys(value: Any, required: tuple[str, ...], optional: tuple[str, ...] = (), *place: str | int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong("is not a mapping of keys", *place)
    for key in value:
        if key not in required and key not in optional:
            raise _Wrong(f"unknown key {key}", *place, key)
    missing = [key for key in required if key not in value]
    if missing:
        raise _Wrong(f"{', '.join(missing)} missing", *place)
    return value


def _sentence(value: Any, *place: str | int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(f"{place[-1]} is a sentence", *place)
    return " ".join(value.split())


def _whole(value: Any, *place: str | int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise _Wrong(f"{place[-1]} is a whole number", *place)
    return value


def _names(value: Any, *place: str | int) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise _Wrong(f"{place[-1]} is a list of names", *place)
    return tuple(value)


def _check(name: str, value: dict[str, Any]) -> Check:
    _keys(value, _TEXTS, ("unproved", "proof", "met_by"))
    title, means, reads, could_hide = (_sentence(value[key], key) for key in _TEXTS)
    proof: dict[str, tuple[AnyOf, ...]] = {}
    for section, items in _keys(value.get("proof", {}), (), _SECTIONS, "proof").items():
        if not isinstance(items, list) or not items:
            raise _Wrong(f"{section} is a list of names", "proof", section)
        proof[section] = tuple(
            _names(item if isinstance(item, list) else [item], "proof", section, place) for place, item in enumerate(items)
        )
    return Check(
        id=name,
        title=title,
        means=means,
        reads=reads,
        could_hide=could_hide,
        unproved=_sentence(value["unproved"], "unproved") if "unproved" in value else "",
        proof=proof,
        met_by=_names(value["met_by"], "met_by") if "met_by" in value else (),
    )


def _take_advice(rules: ConditionRules, value: dict[str, Any]) -> None:
    wrong: _Wrong | None = None
    for key, sentence in value.items():
        try:
            rules.advice[key] = _sentence(sentence, key)
        except _Wrong as error:  # one wrong sentence costs only itself
            wrong = error
    if wrong is not None:
        raise wrong


def _take_weights(rules: ConditionRules, value: dict[str, Any]) -> None:
    _keys(value, ("severity", "deleted", "again", "counter"))
    severity = _keys(value["severity"], ("1", "2", "3", "4", "5"), (), "severity")
    counter = _keys(value["counter"], COUNTER, (), "counter")
    for key, item in counter.items():
        _keys(item, ("weight", "say"), (), "counter", key)
    rules.weights = Weights(
        {int(key): _whole(number, "severity", key) for key, number in severity.items()},
        _whole(value["deleted"], "deleted"),
        _whole(value["again"], "again"),
        {
            key: (_whole(item["weight"], "counter", key, "weight"), _sentence(item["say"], "counter", key, "say"))
            for key, item in counter.items()
        },
    )


def _take_gaps(rules: ConditionRules, value: dict[str, Any]) -> None:
    _keys(value, ("hides", "kinds", "coverage"))
    if not isinstance(value["coverage"], list):
        raise _Wrong("coverage is a list", "coverage")
    gaps = []
    for place, item in enumerate(value["coverage"]):
        _keys(item, ("what", "weight", "hides"), ("say", "skipped", "blocks"), "coverage", place)
        flags = {key: item.get(key, False) for key in ("skipped", "blocks")}
        if not all(isinstance(flag, bool) for flag in flags.values()):
            raise _Wrong("skipped and blocks are true or false", "coverage", place)
        gaps.append(
            Gap(
                what=_sentence(item["what"], "coverage", place, "what"),
                weight=_whole(item["weight"], "coverage", place, "weight"),
                hides=_sentence(item["hides"], "coverage", place, "hides"),
                say=_sentence(item["say"], "coverage", place, "say") if "say" in item else "",
                **flags,
            )
        )
    kinds = _keys(value["kinds"], GAP_KINDS, (), "kinds")
    rules.gap_weights = {key: _whole(number, "kinds", key) for key, number in kinds.items()}
    rules.gaps, rules.hides = gaps, _sentence(value["hides"], "hides")


def _take_systems(rules: ConditionRules, value: dict[str, Any]) -> None:
    _keys(value, SYSTEMS)
    rules.systems = {name: _names(value[name], name) for name in SYSTEMS}
