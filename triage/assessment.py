"""The assessment: what the findings and the coverage of a case come to, overall and for each condition of the order.

A pure function of journal records: the same records give the same words. It advises; the officer decides. ``found`` goes before
``refer``, that before ``not_checked``, that before ``nothing_found``; what could not be checked is said beside every one of them. How much each
finding weighs, and what each gap could hide, is data: rules/conditions/weights.yaml and gaps.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules import conditions
from rules.conditions import ConditionRules
from triage.conditions import judge
from triage.extent import Extent, plural
from triage.findings import sort_key

Record = Mapping[str, Any]

MAX_REASONS = 20
MAX_COUNTER_INDICATIONS = 3
MAX_GROUNDS = 50
"""Ids of findings named behind one sentence."""

HEADLINES = {
    "found": "Found: there may be grounds to seize this device.",
    "refer": "Refer: a specialist should look at this device.",
    "nothing_found": "Nothing found in what was checked.",
    "not_checked": "Not checked: nothing on this device could be looked at.",
    "checked_in_part": "Not checked in full: part of this device could not be looked at.",
}
"""By outcome; ``checked_in_part`` is ``not_checked`` where something was looked at."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence, what it weighs, and what it stands on: ids of findings, or names of coverage."""

    text: str
    weight: int = 0
    findings: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()


def assess(
    *,
    findings: Sequence[Record],
    coverage: Sequence[Record],
    volumes: Sequence[Record],
    sources: Sequence[Record],
    visit: Record | None,
    complete: bool,
    rules: ConditionRules | None = None,
) -> dict[str, Any]:
    """Weigh a case. All arguments are ``data`` of journal records, findings and coverage in their last state; ``complete``: the last scan
    did all it had planned. ``rules``: the shipped ones unless given.

    Returns ``outcome``, ``headline``, ``reasons``, ``counter_indications``, ``advice``, ``not_checked`` (sentences, the strongest first; of what was
    not checked only what could hide something), ``left_out`` (the rest of it), ``grounds`` [{part, text, weight, findings, coverage}] (what each of
    these sentences stands on), ``looked_at`` {sources, volumes, volumes_total, files, bytes, text} and ``conditions`` (see conditions.judge).
    """
    rules = rules or conditions.shipped()
    ordered = sorted(findings, key=sort_key)
    extent = Extent.of(coverage, volumes, sources, complete, rules)
    outcome = next((word for word in ("found", "refer") if any(item["indicates"] == word for item in ordered)), None)
    outcome = outcome or ("not_checked" if extent.blocking else "nothing_found")
    telling = [item for item in ordered if item["indicates"] == outcome]
    not_checked = [_Said(gap.sentence, gap.weight, coverage=(gap.what,)) for gap in extent.not_checked]
    if telling:
        reasons = _reasons(telling, rules)
    elif outcome == "not_checked":
        reasons = [_Said(gap.sentence, gap.weight, coverage=(gap.what,)) for gap in extent.gaps if gap.blocks][:MAX_REASONS]
    else:
        reasons = [_Said(extent.text, coverage=("files",)), *_notes(ordered)]
    headline = HEADLINES["checked_in_part" if outcome == "not_checked" and (extent.files or extent.swept) else outcome]
    if telling and extent.blocking:
        headline += " Part of it could not be checked."
    said = {
        "reasons": reasons,
        "counter_indications": _counter_indications(telling, rules),
        "advice": _advice(outcome, ordered, telling, extent, rules),
        "not_checked": not_checked,
    }
    return {
        "outcome": outcome,
        "headline": headline,
        **{part: [item.text for item in items] for part, items in said.items()},
        "left_out": extent.left_out,
        "grounds": [
            {"part": part, "text": item.text, "weight": item.weight, "findings": list(item.findings), "coverage": list(item.coverage)}
            for part, items in said.items()
            for item in items
        ],
        "looked_at": extent.looked_at(),
        "conditions": [judge(item, ordered, coverage, sources, extent, rules) for item in (visit or {}).get("conditions") or []],
    }


def _weigh(finding: Record, rules: ConditionRules) -> int:
    weights = rules.weights
    weight = weights.severity.get(finding["severity"], 1) * 100
    return weight if finding["allocated"] else weight * weights.deleted // 100


def _reasons(telling: Sequence[Record], rules: ConditionRules) -> list[_Said]:
    """Findings that say the same in one; the second of a rule counts for less than the first, so that the first three say three things."""
    together: dict[str, list[Record]] = {}
    for item in telling:
        together.setdefault(item["title"], []).append(item)
    groups = [(max(_weigh(item, rules) for item in items), title, items) for title, items in together.items()]
    groups.sort(key=lambda group: -group[0])
    seen: dict[Any, int] = {}
    said = []
    for weight, title, items in groups:
        share = seen.get(items[0]["rule"], 100)
        seen[items[0]["rule"]] = share * rules.weights.again // 100
        text = f"{title} ({len(items):,} times)" if len(items) > 1 else title
        said.append(_Said(text, weight * share // 100, tuple(item["id"] for item in items[:MAX_GROUNDS])))
    return sorted(said, key=lambda item: -item.weight)[:MAX_REASONS]


def _notes(ordered: Sequence[Record]) -> list[_Said]:
    notes = [item["id"] for item in ordered if item["indicates"] == "note"]
    if not notes:
        return []
    text = f"{plural(len(notes), 'thing')} noted for information. None of them alone calls for more."
    return [_Said(text, findings=tuple(notes[:MAX_GROUNDS]))]


def _counter_indications(telling: Sequence[Record], rules: ConditionRules) -> list[_Said]:
    if not telling:
        return []
    ids = tuple(item["id"] for item in telling[:MAX_GROUNDS])
    holds = {
        "all_deleted": all(not item["allocated"] for item in telling),
        "several_users": len({item["user"] for item in telling if item.get("user")}) > 1,
        "one_record": len(telling) == 1 and telling[0].get("count") == 1,
    }
    said: dict[str, _Said] = {}
    for name, (weight, sentence) in rules.weights.counter.items():
        if holds.get(name):
            said[sentence] = _Said(sentence, weight * 100, ids)
    for item in telling[:MAX_REASONS]:
        for place, sentence in enumerate(item["innocent_explanations"], 1):
            if sentence and sentence not in said:
                said[sentence] = _Said(sentence, _weigh(item, rules) // place, (item["id"],))
    return sorted(said.values(), key=lambda item: -item.weight)[:MAX_COUNTER_INDICATIONS]


def _advice(outcome: str, ordered: Sequence[Record], telling: Sequence[Record], extent: Extent, rules: ConditionRules) -> list[_Said]:
    """What to do, in the order of advice.yaml, each with the findings or gaps that call for it."""
    asked: dict[str, list[str]] = {}
    gaps: dict[str, list[str]] = {}
    for item in ordered:
        for key in item.get("advice") or []:
            if key != "keep_power" or item.get("source") in extent.live:
                asked.setdefault(key, []).append(item["id"])
    if extent.unlocked_live or "keep_power" in asked:
        for key in ("keep_power", "call_htcu"):
            asked.setdefault(key, [])
            gaps.setdefault(key, []).append("a volume that is open now")
    by_outcome = {
        "found": ("call_htcu", "do_not_open", "decide", "take_together", "who_uses_it"),
        "refer": ("call_htcu", "do_not_open", "take_together", "who_uses_it"),
    }
    for key in by_outcome.get(outcome, ("ask_other_devices",)):
        asked.setdefault(key, []).extend(item["id"] for item in telling)
    if extent.locked:
        asked.setdefault("ask_for_key", [])
        gaps.setdefault("ask_for_key", []).extend(extent.locked)
    if extent.out_of_time or not extent.complete:
        asked.setdefault("scan_again", [])
    elif extent.blocking:
        asked.setdefault("ask_unit", [])
        gaps.setdefault("ask_unit", []).extend(gap.what for gap in extent.gaps if gap.blocks)
    return [
        _Said(sentence, 0, tuple(dict.fromkeys(asked[key]))[:MAX_GROUNDS], tuple(dict.fromkeys(gaps.get(key, ())))[:MAX_GROUNDS])
        for key, sentence in rules.advice.items()
        if key in asked
    ]
