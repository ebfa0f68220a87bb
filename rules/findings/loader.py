"""Reads finding rules from YAML: a list of entries, each checked on its own, so that a wrong entry costs only itself.

An entry (``?`` marks what may be left out)::

    - id: keyword.search              # dotted lower-case name, unique
      version: 1
      category: anonymisers           # or {from: field, default: words}
      on: KeywordHit                  # an observation type
      when?: {field: where, equals: search_terms}     # see conditions.py
      severity: 3                     # or {from: field, default: 3, add: 1}
      indicates: refer                # found, refer or note; or {1: note, 4: refer}: from which severity on
      title: 'Search for "{term}"'    # see template.py
      explanation: …
      innocent_explanations: [at least one, that is not only a place for evidence]
      bears_on?: [no_anonymisers]     # checks of the conditions of an order
      group?: [term, where, user]     # one finding for all observations that agree in these
      context?: "{context|}"
      advice?: [ask_for_key]          # keys of rules/conditions/advice.yaml
      also?:                          # what is added when something more holds
        - when: {field: allocated, equals: false}
          say?: … / innocent_explanations?: […] / bears_on?: […] / advice?: […]
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rules.findings.conditions import ALWAYS, Condition, RuleError, parse_condition
from rules.findings.fields import is_known, observation_types
from rules.findings.model import CHECKS, INDICATIONS, Addition, Rule, Severity, Text
from rules.findings.template import places
from rules.problems import Problem
from rules.strictyaml import Document, Place, YamlError, parse

SHIPPED = Path(__file__).parent
_ID = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_REQUIRED = ("id", "version", "category", "on", "severity", "indicates", "title", "explanation", "innocent_explanations")
_OPTIONAL = ("when", "bears_on", "group", "context", "advice", "also")
_ADDED = ("when", "say", "innocent_explanations", "bears_on", "advice")


@dataclass(slots=True)
class RuleSet:
    """The rules that were sound, in the order read; what was wrong with the others; ``digest``: SHA-256 over the files read."""

    rules: list[Rule] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def for_type(self, type_name: str) -> list[Rule]:
        """The rules on one type of observation."""
        return [rule for rule in self.rules if rule.on == type_name]


def load(extra_paths: Sequence[Path] = ()) -> RuleSet:
    """The shipped rules, then those of ``extra_paths`` (files, or folders of ``*.yaml`` and ``*.yml``). Never raises: see ``problems``.

    The shipped rules alone are read once in a process: their set is shared, and not to be changed.
    """
    return _read(extra_paths) if extra_paths else _shipped()


@cache
def _shipped() -> RuleSet:
    return _read(())


def _read(extra_paths: Sequence[Path]) -> RuleSet:
    loaded = RuleSet()
    hasher = hashlib.sha256()
    for path in [SHIPPED, *extra_paths]:
        for file in _files(path, loaded):
            try:
                data = file.read_bytes()
            except OSError as error:
                loaded.problems.append(Problem(str(file), 0, f"cannot be read: {error.strerror or error}"))
                continue
            hasher.update(f"{file.name}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
            _read_file(str(file), data, loaded)
    loaded.digest = hasher.hexdigest()
    return loaded


def _files(path: Path, loaded: RuleSet) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        found = sorted(item for item in path.iterdir() if item.suffix.lower() in (".yaml", ".yml"))
    except OSError as error:
        loaded.problems.append(Problem(str(path), 0, f"cannot be read: {error.strerror or error}"))
        return []
    if not found:
        loaded.problems.append(Problem(str(path), 0, "holds no rule file (*.yaml)"))
    return found


def _read_file(name: str, data: bytes, loaded: RuleSet) -> None:
    try:
        document = parse(data)
    except YamlError as error:
        loaded.problems.append(Problem(name, error.line, error.reason))
        return
    if not isinstance(document.value, list):
        loaded.problems.append(Problem(name, 1, "is not a list of rules: each begins with '- id: …'"))
        return
    repeated = {place[0]: place for place in document.repeated}
    known = {rule.id: rule for rule in loaded.rules}
    for index, value in enumerate(document.value):
        if index in repeated:
            place = repeated[index]
            loaded.problems.append(Problem(name, document.line(place), f"the key {place[-1]} is given twice"))
            continue
        faults: list[Problem] = []
        rule = _Entry(name, document, index, faults).rule(value)
        if rule is not None and rule.id in known:
            faults.append(Problem(name, document.line((index, "id")), f"the id {rule.id} is used already at {known[rule.id].origin}"))
        loaded.problems.extend(faults)
        if rule is not None and not faults:
            known[rule.id] = rule
            loaded.rules.append(rule)


class _Entry:
    """Checks one entry; every fault goes to ``faults``."""

    def __init__(self, name: str, document: Document, index: int, faults: list[Problem]) -> None:
        self._name, self._document, self._index, self._faults = name, document, index, faults
        self._on = ""

    def rule(self, value: Any) -> Rule | None:
        if not isinstance(value, dict):
            self._fault((), "a rule is a mapping of keys")
            return None
        for key in value:
            if key not in _REQUIRED and key not in _OPTIONAL:
                self._fault((key,), f"unknown key {key}")
        missing = [key for key in _REQUIRED if value.get(key) is None]
        if missing:
            self._fault((), f"{', '.join(missing)} missing")
            return None
        self._on = str(value["on"])
        if self._on not in observation_types():
            self._fault(("on",), f"{self._on} is not an observation type; they are {', '.join(sorted(observation_types()))}")
            return None
        return Rule(
            id=self._id(value["id"]),
            version=self._number(("version",), value["version"], 1, 1_000_000),
            on=self._on,
            category=self._text_or_field(value["category"]),
            when=self._when(("when",), value["when"]) if "when" in value else ALWAYS,
            severity=self._severity(value["severity"]),
            indicates=self._indicates(value["indicates"]),
            title=self._template(("title",), value["title"]),
            explanation=self._template(("explanation",), value["explanation"]),
            innocent_explanations=self._innocent(("innocent_explanations",), value["innocent_explanations"], required=True),
            bears_on=self._checks(("bears_on",), value.get("bears_on", [])),
            group=self._group(value.get("group", [])),
            context=self._template(("context",), value.get("context", "{context|}"), check_fields="context" in value),
            advice=self._words(("advice",), value.get("advice", [])),
            also=self._also(value.get("also", [])),
            origin=f"{self._name}:{self._document.line((self._index,))}",
        )

    def _fault(self, place: Place, reason: str) -> None:
        self._faults.append(Problem(self._name, self._document.line((self._index, *place)), reason))

    def _id(self, value: Any) -> str:
        if not isinstance(value, str) or not _ID.fullmatch(value):
            self._fault(("id",), "the id is lower-case words, digits and _ joined by dots")
        return str(value)

    def _number(self, place: Place, value: Any, least: int, most: int) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self._fault(place, f"{place[-1]} is a whole number from {least} to {most}")
        return least

    def _known_field(self, place: Place, name: Any) -> str:
        if not isinstance(name, str) or not is_known(self._on, name):
            self._fault(place, f"{self._on} has no field {name}")
        return str(name)

    def _text_or_field(self, value: Any) -> Text:
        if isinstance(value, dict) and set(value) == {"from", "default"} and isinstance(value["default"], str):
            return Text(value["default"], self._known_field(("category", "from"), value["from"]))
        if not isinstance(value, str) or not value:
            self._fault(("category",), "category is text, or {from: field, default: text}")
        return Text(str(value))

    def _severity(self, value: Any) -> Severity:
        if not isinstance(value, dict):
            return Severity(self._number(("severity",), value, 1, 5))
        if not {"from"} <= set(value) <= {"from", "default", "add"}:
            self._fault(("severity",), "severity is a number from 1 to 5, or {from: field, default: number, add: number}")
            return Severity(1)
        return Severity(
            self._number(("severity", "default"), value.get("default", 3), 1, 5),
            self._known_field(("severity", "from"), value["from"]),
            self._number(("severity", "add"), value.get("add", 0), -4, 4),
        )

    def _indicates(self, value: Any) -> tuple[tuple[int, str], ...]:
        steps = {"1": value} if isinstance(value, str) else value
        if not isinstance(steps, dict) or "1" not in steps or not all(key in ("1", "2", "3", "4", "5") for key in steps):
            self._fault(
                ("indicates",), "indicates is found, refer or note, or a mapping of severities that begins with 1: {1: note, 4: refer}"
            )
            return ((1, "note"),)
        ordered = tuple(sorted((int(key), str(word)) for key, word in steps.items()))
        if any(word not in INDICATIONS for _, word in ordered):
            self._fault(("indicates",), "indicates is found, refer or note")
            return ((1, "note"),)
        strength = [INDICATIONS.index(word) for _, word in ordered]
        if strength != sorted(strength, reverse=True):
            self._fault(("indicates",), "a higher severity cannot indicate less than a lower one")
        return ordered

    def _template(self, place: Place, value: Any, *, check_fields: bool = True) -> str:
        if not isinstance(value, str) or not value.strip():
            self._fault(place, f"{place[-1]} is a sentence")
            return ""
        try:
            for name in places(value):
                if check_fields:
                    self._known_field(place, name)
        except ValueError as error:
            self._fault(place, str(error))
        return " ".join(value.split())

    def _innocent(self, place: Place, value: Any, *, required: bool) -> tuple[str, ...]:
        if not isinstance(value, list) or (required and not value):
            self._fault(place, "innocent_explanations is a list with at least one sentence")
            return ()
        texts = tuple(self._template((*place, index), item) for index, item in enumerate(value))
        if required and all(text.startswith("{") and text.endswith("}") and "{" not in text[1:] for text in texts):
            self._fault(place, "at least one innocent explanation must be a sentence of its own, not only taken from a field")
        return texts

    def _checks(self, place: Place, value: Any) -> tuple[str, ...]:
        words = self._words(place, value)
        for index, word in enumerate(words):
            if word not in CHECKS:
                self._fault((*place, index), f"{word} is not a check; they are {', '.join(CHECKS)}")
        return words

    def _words(self, place: Place, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or any(not isinstance(item, str) or not item for item in value):
            self._fault(place, f"{place[-1]} is a list of words")
            return ()
        return tuple(value)

    def _group(self, value: Any) -> tuple[str, ...]:
        return tuple(self._known_field(("group", index), name) for index, name in enumerate(self._words(("group",), value)))

    def _when(self, place: Place, value: Any) -> Condition:
        try:
            condition = parse_condition(value, place)
        except RuleError as error:
            self._fault(error.place, error.reason)
            return ALWAYS
        for name in condition.fields():
            self._known_field(place, name)
        return condition

    def _also(self, value: Any) -> tuple[Addition, ...]:
        if not isinstance(value, list):
            self._fault(("also",), "also is a list of mappings")
            return ()
        added: list[Addition] = []
        for index, item in enumerate(value):
            place: Place = ("also", index)
            if not isinstance(item, dict) or "when" not in item or len(item) < 2 or not set(item) <= set(_ADDED):
                self._fault(place, f"an addition has when, and one or more of {', '.join(_ADDED[1:])}")
                continue
            added.append(
                Addition(
                    when=self._when((*place, "when"), item["when"]),
                    say=self._template((*place, "say"), item["say"]) if "say" in item else "",
                    innocent_explanations=self._innocent(
                        (*place, "innocent_explanations"), item.get("innocent_explanations", []), required=False
                    ),
                    bears_on=self._checks((*place, "bears_on"), item.get("bears_on", [])),
                    advice=self._words((*place, "advice"), item.get("advice", [])),
                )
            )
        return tuple(added)
