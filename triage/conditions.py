"""Conditions of an order: what the findings and the coverage of a case say to each.

*concern* where a finding of weight bears on one of its checks; *met* only where all that would have shown otherwise was read, on every source
and without a gap, or where what must be there was found; *could not tell* in all other cases. The words are "observation relevant to".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from artefacts.coverage import Status
from artefacts.registry import all_artefacts
from rules.conditions import Check, ConditionRules
from triage.extent import STATUS_WORDS, Extent, Record, status

CONCERN_FROM = 2  # severity
MAX_TITLES = 20
MAX_INNOCENT = 5
MAX_FAULTS = 8
MAX_ALTERNATIVES = 2
_STRENGTH = {1: "very low", 2: "low", 3: "medium", 4: "high", 5: "very high"}
_NAMES = {"windows": "Windows", "macos": "macOS", "linux": "Linux"}


def judge(
    condition: Record,
    ordered: Sequence[Record],
    coverage: Sequence[Record],
    sources: Sequence[Record],
    extent: Extent,
    rules: ConditionRules,
) -> dict[str, Any]:
    """One condition of a visit file {id, text, checks}; ``ordered``: findings, strongest first.

    Returns ``id``, ``text``, ``outcome``, ``findings`` (ids), ``reasons``, ``strength`` (of the strongest observation, or None),
    ``innocent_explanations``, ``not_checked`` (what stands in the way of *met*), ``could_hide``, ``checks`` [{id, title, reads}].
    """
    checks = list(condition.get("checks") or [])
    known = [rules.checks[check] for check in checks if check in rules.checks]
    name = condition.get("id")
    relevant = [item for item in ordered if set(checks) & set(item["bears_on"])]
    bearing = [item for item in relevant if item["severity"] >= CONCERN_FROM]
    shown = {check.id: [item for item in ordered if item["rule"] in check.met_by] for check in known}
    faults = [f"This tool has no check called {check}." for check in checks if check not in rules.checks]
    for check in known:
        if not shown[check.id]:
            faults += _not_proved(check, coverage, sources, extent, rules)
    faults = list(dict.fromkeys(faults))
    if not checks:
        outcome, reasons = "could_not_tell", ["This tool has no check for this condition."]
    elif bearing:
        outcome, reasons = "concern", [f"Observation relevant to condition {name}: {title}" for title in titles(bearing)]
    else:
        slight = [item for item in relevant if not any(item["rule"] in check.met_by for check in known)]
        doubts = [f"Too slight to be a concern, but not cleared up: {title}" for title in titles(slight)]
        if doubts or faults:
            found = "Nothing of weight was found" if slight else "Nothing relevant was found"
            outcome, reasons = "could_not_tell", [f"{found} in what was checked.", *doubts, *faults[:MAX_FAULTS]]
        elif any(shown.values()):
            outcome, reasons = "met", [title for found_ in shown.values() for title in titles(found_)]
        else:
            outcome, reasons = (
                "met",
                ["Nothing relevant was found, and all that this check reads was read.", *(item.reads for item in known)],
            )
    return {
        "id": name,
        "text": condition.get("text"),
        "outcome": outcome,
        "findings": [item["id"] for item in bearing],
        "reasons": reasons,
        "strength": _STRENGTH.get(max(item["severity"] for item in bearing)) if bearing else None,
        "innocent_explanations": list(dict.fromkeys(text for item in bearing for text in item["innocent_explanations"]))[:MAX_INNOCENT],
        "not_checked": faults[:MAX_FAULTS],
        "could_hide": list(dict.fromkeys(check.could_hide for check in known)),
        "checks": [{"id": check.id, "title": check.title, "reads": check.reads} for check in known],
    }


def titles(findings: Sequence[Record]) -> list[str]:
    """The titles of findings in their order, equal ones counted."""
    counted = Counter(item["title"] for item in findings)
    return [f"{title} ({count:,} times)" if count > 1 else title for title, count in list(counted.items())[:MAX_TITLES]]


def _not_proved(
    check: Check, coverage: Sequence[Record], sources: Sequence[Record], extent: Extent, rules: ConditionRules
) -> Iterator[str]:
    """Why silence does not prove a check; nothing where it does."""
    if not check.proof:
        yield check.unproved or check.could_hide
        return
    yield from extent.blocking[:MAX_FAULTS]
    records: dict[str, list[Record]] = {}
    for item in coverage:
        records.setdefault(str(item.get("what")), []).append(item)
    yield from _missing(check.proof.get("case", ()), records, None)
    systems = {source.get("id"): _systems(source.get("id"), records, rules) for source in sources}
    if not any(systems.values()) and any(section in check.proof for section in ("system", *_NAMES)):
        yield "No computer's system was found on what was examined. What was done on a computer is recorded there."
    for source, found in systems.items():
        yield from _missing(check.proof.get("source", ()), records, source)
        if found:
            yield from _missing(check.proof.get("system", ()), records, source)
        for system in found:
            if system in check.proof:
                yield from _missing(check.proof[system], records, source)
            else:
                yield f"On {_NAMES[system]} no record that is read can show this."
    if not sources:
        yield "Nothing was examined."


def _systems(source: Any, records: dict[str, list[Record]], rules: ConditionRules) -> list[str]:
    """The systems that a source holds: a record of one that could not be read says so too."""
    return [
        system
        for system, marks in rules.systems.items()
        if any(item.get("source") == source and status(item) is not Status.MISSING for mark in marks for item in records.get(mark, ()))
    ]


def _missing(proof: Iterable[tuple[str, ...]], records: dict[str, list[Record]], source: Any) -> Iterator[str]:
    """What of a proof was not read, of one source (None: of the whole case)."""
    for alternatives in proof:
        items = [item for what in alternatives for item in records.get(what, ()) if source is None or item.get("source") == source]
        states = [status(item) for item in items]
        gaps = sorted({_gap(item) for item in items if status(item) in STATUS_WORDS})
        yield from gaps
        if not gaps and not any(state in (Status.PARSED, Status.EMPTY) for state in states):
            others = " or another of its kind" if len(alternatives) > MAX_ALTERNATIVES else ""
            yield f"Not there, or not read: {' or '.join(map(_title, alternatives[:MAX_ALTERNATIVES]))}{others}."


def _gap(item: Record) -> str:
    why = f" ({str(item['reason']).rstrip('.')})" if item.get("reason") and not item.get("path") else ""
    return f"{_title(str(item.get('what')))}: {STATUS_WORDS[status(item)]}{why}."


def _title(what: str) -> str:
    titles = {artefact.id: artefact.title for artefact in all_artefacts()}
    title = titles.get(what, what)
    return title[:1].upper() + title[1:]
