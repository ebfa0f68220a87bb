"""The checks behind the conditions of an order, and the advice an assessment can give: words and data, no judgement."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rules.findings.model import CHECKS
from rules.problems import Problem
from rules.strictyaml import YamlError, parse

SHIPPED = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Check:
    """What a condition can ask for. ``proved_by``: the coverage that must be there, whole, before silence means *met*; empty: never.

    ``met_by``: finding rules of which one finding shows that it is met, for a check that asks for something to be there.
    """

    id: str
    means: str
    unproved: str
    proved_by: tuple[str, ...] = ()
    met_by: tuple[str, ...] = ()


@dataclass(slots=True)
class ConditionRules:
    """``checks`` by id; ``advice``: sentences by key, in the order of the page; ``digest``: SHA-256 over the files read."""

    checks: dict[str, Check] = field(default_factory=dict)
    advice: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""


def load(folder: Path = SHIPPED) -> ConditionRules:
    """Read ``checks.yaml`` and ``advice.yaml`` of ``folder``. Never raises: what is wrong is in ``problems``, the rest is used."""
    rules = ConditionRules()
    hasher = hashlib.sha256()
    for name, take in (("checks.yaml", _take_check), ("advice.yaml", _take_advice)):
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
        if not isinstance(document.value, dict):
            rules.problems.append(Problem(str(path), 1, "is not a mapping of keys"))
            continue
        rules.problems.extend(Problem(str(path), document.line(place), f"{place[-1]} is given twice") for place in document.repeated)
        for key, value in document.value.items():
            reason = take(rules, key, value)
            if reason:
                rules.problems.append(Problem(str(path), document.line((key,)), reason))
    rules.digest = hasher.hexdigest()
    return rules


@cache
def shipped() -> ConditionRules:
    """The rules that ship with the tool, read once."""
    return load()


def _take_check(rules: ConditionRules, key: str, value: Any) -> str:
    if key not in CHECKS:
        return f"{key} is not a check; they are {', '.join(CHECKS)}"
    if not isinstance(value, dict) or not {"means", "unproved"} <= set(value) <= {"means", "unproved", "proved_by", "met_by"}:
        return f"{key} has the keys means and unproved, and may have proved_by and met_by"
    proofs, rules_met = value.get("proved_by", []), value.get("met_by", [])
    if not isinstance(proofs, list) or not all(isinstance(item, str) and item for item in proofs):
        return f"proved_by of {key} is a list of coverage names"
    if not isinstance(rules_met, list) or not all(isinstance(item, str) and item for item in rules_met):
        return f"met_by of {key} is a list of finding rules"
    if not all(isinstance(value[name], str) and value[name] for name in ("means", "unproved")):
        return f"means and unproved of {key} are sentences"
    rules.checks[key] = Check(key, value["means"], value["unproved"], tuple(proofs), tuple(rules_met))
    return ""


def _take_advice(rules: ConditionRules, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        return f"{key} is a sentence"
    rules.advice[key] = value
    return ""
