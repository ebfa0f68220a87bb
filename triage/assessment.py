"""The assessment: what the findings and the coverage of a case come to, overall and for each condition of the order.

A pure function of journal records: the same records give the same words. It advises; the officer decides. ``found`` goes before
``refer``, that before ``not_checked``, that before ``nothing_found``; what could not be checked is said beside every one of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Status
from artefacts.registry import all_artefacts
from rules import conditions
from rules.conditions import Check, ConditionRules
from triage.findings import sort_key
from triage.scan.classify import TITLES

Record = Mapping[str, Any]

MAX_REASONS = 20
MAX_COUNTER_INDICATIONS = 3
CONCERN_FROM = 2  # severity
USER_CLASSES = ("traces", "pictures", "downloads", "recent", "personal")
"""The classes of files in which a user's doings show: while one of them is unfinished, nothing found says nothing."""
TOLERATED = 0.1
"""The share of a user class (files, or bytes) that may be unreadable file by file before "nothing found" becomes "not checked"."""
RESERVED_UP_TO = 128 << 20
"""Windows keeps a partition without a file system of 16 or 128 MiB, called reserved; a larger one under that name is not believed."""

HEADLINES = {
    "found": "Found: there may be grounds to seize this device.",
    "refer": "Refer: a specialist should look at this device.",
    "nothing_found": "Nothing found in what was checked.",
    "not_checked": "Not checked: nothing on this device could be looked at.",
    "checked_in_part": "Not checked in full: part of this device could not be looked at.",
}
"""By outcome; ``checked_in_part`` is ``not_checked`` where something was looked at."""
_STATUS_WORDS = {
    Status.UNREADABLE: "could not be read",
    Status.UNRECOGNISED: "not in a form this tool knows",
    Status.ENCRYPTED: "encrypted, so not read",
    Status.SKIPPED: "left out by a rule",
    Status.OUT_OF_TIME: "not reached in time",
    Status.FAILED: "went wrong while being read",
}
"""For every status but parsed, empty and missing."""
SWEPT = "sweep"
"""``coverage.what`` of a sweep's account of a whole source: its reason is what the blocks that were read prove, in words."""
SWEPT_VOLUMES = ("sweep of a volume", "sweep of the rest")
BLIND_SPOTS = "sweep, what it cannot see"
_HIDE = "Files, pictures and browser history could be there."


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

    Returns ``outcome``, ``headline``, ``reasons``, ``counter_indications``, ``advice``, ``not_checked`` (sentences), ``looked_at``
    {sources, volumes, volumes_total, files, bytes, text} and ``conditions`` [{id, text, outcome, findings, reasons}].
    """
    rules = rules or conditions.shipped()
    ordered = sorted(findings, key=sort_key)
    extent = _Extent.of(coverage, volumes, sources, complete)
    outcome = next((word for word in ("found", "refer") if any(item["indicates"] == word for item in ordered)), None)
    outcome = outcome or ("not_checked" if extent.blocking else "nothing_found")
    telling = [item for item in ordered if item["indicates"] == outcome]
    if telling:
        reasons = _titles(telling)
    elif outcome == "not_checked":
        reasons = extent.blocking[:MAX_REASONS]
    else:
        reasons = [extent.text, *_notes(ordered)]
    headline = HEADLINES["checked_in_part" if outcome == "not_checked" and (extent.files or extent.swept) else outcome]
    if telling and extent.blocking:
        headline += " Part of it could not be checked."
    return {
        "outcome": outcome,
        "headline": headline,
        "reasons": reasons,
        "counter_indications": _counter_indications(telling, extent),
        "advice": _advice(outcome, ordered, extent, rules),
        "not_checked": extent.not_checked,
        "looked_at": extent.looked_at(),
        "conditions": [_condition(item, ordered, coverage, sources, extent, rules) for item in (visit or {}).get("conditions") or []],
    }


def size_words(count: int) -> str:
    """A number of bytes for reading: ``3.4 GB`` (decimal units)."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{int(value)} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


# --- what was looked at, and what was not ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Extent:
    """How much was looked at. ``blocking``: why "nothing found" cannot be said; ``not_checked``: everything that was left, in words."""

    sources: int = 0
    volumes: int = 0
    volumes_total: int = 0
    files: int = 0
    bytes: int = 0
    blocking: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    locked: bool = False
    live: frozenset[Any] = frozenset()
    unlocked_live: bool = False
    out_of_time: bool = False
    complete: bool = False
    swept: list[str] = field(default_factory=list)
    swept_volumes: frozenset[tuple[Any, Any]] = frozenset()

    @classmethod
    def of(cls, coverage: Sequence[Record], volumes: Sequence[Record], sources: Sequence[Record], complete: bool) -> _Extent:
        extent = cls(sources=len(sources), complete=complete)
        totals = [item for item in coverage if not item.get("path")]
        walked = {
            (item.get("source"), item.get("volume")) for item in totals if item.get("what") == "file system" and _is(item, Status.PARSED)
        }
        for item in totals:
            if str(item.get("what")).startswith("files: ") and _is(item, Status.PARSED):
                extent.files += _number(item, "count")
                extent.bytes += _number(item, "bytes")
            elif item.get("what") == SWEPT and _is(item, Status.PARSED):
                extent.swept.append(str(item.get("reason") or ""))
                extent.bytes += _number(item, "bytes")
        extent.swept_volumes = frozenset(
            (item.get("source"), item.get("volume")) for item in totals if item.get("what") in SWEPT_VOLUMES and _is(item, Status.PARSED)
        )
        if not complete:
            extent._block("The scan did not finish.")
        extent.live = frozenset(source.get("id") for source in sources if source.get("kind") == "live")
        holders = {(volume.get("source"), str(volume.get("id")).rpartition(".")[0]) for volume in volumes}
        for volume in volumes:
            if not (_is(volume, Status.SKIPPED) and (volume.get("source"), volume.get("id")) in holders):
                extent._volume(volume, walked)
        told = {(volume.get("source"), volume.get("id")) for volume in volumes if _status(volume).is_gap}
        extent._sources(sources, totals, told)
        extent._classes(totals)
        extent._rest(totals)
        if not extent.files and not extent.swept and not extent.blocking:
            extent._block("There was no file to look at. A device that was wiped looks like this too.")
        extent.not_checked = list(dict.fromkeys([*extent.blocking, *extent.not_checked]))
        return extent

    def _block(self, sentence: str) -> None:
        if sentence not in self.blocking:
            self.blocking.append(sentence)

    def _volume(self, volume: Record, walked: set[tuple[Any, Any]]) -> None:
        name = _volume_name(volume)
        key = (volume.get("source"), volume.get("id"))
        encrypted = volume.get("encrypted")
        if encrypted and volume.get("unlocked") and key[0] in self.live:
            self.unlocked_live = True
        status = _status(volume)
        if volume.get("scheme") != "unpartitioned" or key in walked:
            self.volumes_total += 1
            self.volumes += key in walked or status is Status.EMPTY
        if encrypted and not volume.get("unlocked") and key not in walked:
            self.locked = True
            what = (
                "holds what looks like random bytes: it may be encrypted, or have been wiped"
                if "possible" in encrypted
                else f"is encrypted and locked ({encrypted})"
            )
            self._block(f"{name} {what}. {_HIDE}")
        elif key in self.swept_volumes:
            self.volumes += key not in walked and status is not Status.EMPTY
        elif status is Status.SKIPPED:
            self.not_checked.append(f"{name} was left out by a rule: {_clause(volume, 'no reason is recorded')}.")
        elif status is Status.UNRECOGNISED and _is_reserved(volume):
            self.not_checked.append(f"{name} has no file system. That is usual for one of its kind and size.")
        elif status not in (Status.PARSED, Status.EMPTY):
            self._block(f"{name} was not checked: {_STATUS_WORDS[status]}. {_HIDE}")
        elif status is Status.PARSED and key not in walked:
            self._block(f"The files of {name[0].lower() + name[1:]} could not be listed. {_HIDE}")

    def _sources(self, sources: Sequence[Record], totals: Sequence[Record], told: set[tuple[Any, Any]]) -> None:
        """What was wrong with containers, partition tables and volumes; ``told``: volumes that have had their say."""
        names = {source.get("id"): source.get("path") for source in sources}
        wrong = [item for item in totals if item.get("what") in ("source", "volume") and _status(item).is_gap]
        explained = {(item.get("source"), item.get("volume"), _status(item)) for item in wrong if item.get("reason")}
        for item in wrong:
            if (item.get("source"), item.get("volume")) in told:
                continue
            if not item.get("reason") and (item.get("source"), item.get("volume"), _status(item)) in explained:
                continue  # without its reason the total reads as if all of it could not be read
            name = f"Source {names.get(item.get('source'), item.get('source'))}"
            if item.get("volume"):
                name += f", volume {item['volume']}"
            self._block(f"{name}: {_clause(item, _STATUS_WORDS[_status(item)])}.")

    def _classes(self, totals: Sequence[Record]) -> None:
        """The user's files: unfinished or largely unreadable classes stand in the way of "nothing found"."""
        counts: Counter[tuple[str, Status]] = Counter()
        sizes: Counter[tuple[str, Status]] = Counter()
        for item in totals:
            what = str(item.get("what"))
            if what.startswith("files: "):
                counts[what[7:], _status(item)] += _number(item, "count")
                sizes[what[7:], _status(item)] += _number(item, "bytes")
        self.out_of_time = any(status is Status.OUT_OF_TIME and count for (_, status), count in counts.items())
        for name, title in TITLES.items():
            for status, words in _STATUS_WORDS.items():
                if not counts[name, status]:
                    continue
                sentence = f"{_plural(counts[name, status], 'file')} ({size_words(sizes[name, status])}) among {title}: {words}."
                if name in USER_CLASSES and _stands_in_the_way(name, status, counts, sizes):
                    self._block(sentence)
                else:
                    self.not_checked.append(sentence)

    def _rest(self, totals: Sequence[Record]) -> None:
        """Artefacts, checks on content and parts of file systems that were not examined."""
        titles = {artefact.id: artefact.title for artefact in all_artefacts()}
        counts: Counter[tuple[str, Status, str]] = Counter()
        for item in totals:
            what, status = str(item.get("what")), _status(item)
            if what == BLIND_SPOTS:
                self.not_checked.append(f"A sweep has blind spots. {_sentence(str(item.get('reason') or ''))}")
            elif status in _STATUS_WORDS and not what.startswith("files: ") and what not in ("source", "volume"):
                why = f" ({_clause(item, '')})" if status is Status.SKIPPED and item.get("reason") else ""
                counts[titles.get(what, what), status, why] += max(1, _number(item, "count"))
        for (what, status, why), count in sorted(counts.items()):
            sentence = f"{what[:1].upper() + what[1:]}: {_plural(count, 'item')} {_STATUS_WORDS[status]}{why}."
            if status is Status.OUT_OF_TIME:
                self.out_of_time = True
                self._block(sentence)
            else:
                self.not_checked.append(sentence)

    @property
    def text(self) -> str:
        volumes = f"{self.volumes:,} of {_plural(self.volumes_total, 'volume')}"
        if self.swept:
            return " ".join([f"Looked at blocks of {volumes}: {size_words(self.bytes)}.", *self.swept])
        return f"Looked at {volumes}: {_plural(self.files, 'file')}, {size_words(self.bytes)}."

    def looked_at(self) -> dict[str, Any]:
        return {
            "sources": self.sources,
            "volumes": self.volumes,
            "volumes_total": self.volumes_total,
            "files": self.files,
            "bytes": self.bytes,
            "text": self.text,
        }


def _stands_in_the_way(
    name: str, status: Status, counts: Mapping[tuple[str, Status], int], sizes: Mapping[tuple[str, Status], int]
) -> bool:
    if status is Status.OUT_OF_TIME:
        return True
    if status is Status.SKIPPED:
        return not counts[name, Status.PARSED]
    for amounts in (counts, sizes):
        if amounts[name, status] > TOLERATED * sum(amounts[name, other] for other in (*_STATUS_WORDS, Status.PARSED)):
            return True
    return False


def _is_reserved(volume: Record) -> bool:
    return _number(volume, "length") <= RESERVED_UP_TO and "reserved" in str(volume.get("description") or "").lower()


def _volume_name(volume: Record) -> str:
    """What a reader can call it: its label, or the first words of its description, which goes on with codes and GUIDs."""
    label = volume.get("label") or re.split(r" \(|[,;]", str(volume.get("description") or ""), maxsplit=1)[0]
    size = f", {size_words(_number(volume, 'length'))}" if _number(volume, "length") else ""
    return f"Volume {volume.get('id')}" + (f" ({label}{size})" if label else f" ({size[2:]})" if size else "")


def _status(record: Record) -> Status:
    """The status of a volume or coverage record. One that this version does not know counts as failed, never as fine."""
    try:
        return Status(record.get("status", Status.FAILED))
    except ValueError:
        return Status.FAILED


def _clause(record: Record, otherwise: str) -> str:
    """The reason that a record gives, to stand in a sentence."""
    return str(record.get("reason") or otherwise).rstrip(".")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _is(record: Record, status: Status) -> bool:
    return _status(record) is status


def _number(record: Record, name: str) -> int:
    value = record.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


# --- words -----------------------------------------------------------------------------------------------------------------------------


def _titles(findings: Sequence[Record]) -> list[str]:
    """The titles of findings, strongest first, equal ones counted."""
    counted = Counter(item["title"] for item in findings)
    return [f"{title} ({count:,} times)" if count > 1 else title for title, count in list(counted.items())[:MAX_REASONS]]


def _notes(ordered: Sequence[Record]) -> list[str]:
    notes = sum(1 for item in ordered if item["indicates"] == "note")
    if not notes:
        return []
    return [f"{_plural(notes, 'thing')} noted for information. None of them alone calls for more."]


def _counter_indications(telling: Sequence[Record], extent: _Extent) -> list[str]:
    said = [next(iter(item["innocent_explanations"]), "") for item in telling[:MAX_REASONS]]
    if telling and all(not item["allocated"] for item in telling):
        said.insert(0, "Everything that was found is deleted. Nothing shows that it was kept.")
    return list(dict.fromkeys(sentence for sentence in said if sentence))[:MAX_COUNTER_INDICATIONS]


def _advice(outcome: str, ordered: Sequence[Record], extent: _Extent, rules: ConditionRules) -> list[str]:
    keys = {key for item in ordered for key in item.get("advice") or [] if key != "keep_power" or item.get("source") in extent.live}
    if extent.unlocked_live or "keep_power" in keys:
        keys |= {"keep_power", "call_htcu"}
    if outcome == "found":
        keys |= {"call_htcu", "do_not_open", "decide", "who_uses_it"}
    elif outcome == "refer":
        keys |= {"call_htcu", "do_not_open", "who_uses_it"}
    else:
        keys.add("ask_other_devices")
    if extent.locked:
        keys.add("ask_for_key")
    if extent.out_of_time or not extent.complete:
        keys.add("scan_again")
    elif extent.blocking:
        keys.add("ask_unit")
    return [sentence for key, sentence in rules.advice.items() if key in keys]


# --- conditions of the order -----------------------------------------------------------------------------------------------------------


def _condition(
    condition: Record,
    ordered: Sequence[Record],
    coverage: Sequence[Record],
    sources: Sequence[Record],
    extent: _Extent,
    rules: ConditionRules,
) -> dict[str, Any]:
    checks = list(condition.get("checks") or [])
    name = condition.get("id")
    bearing = [item for item in ordered if item["severity"] >= CONCERN_FROM and set(checks) & set(item["bears_on"])]
    if bearing:
        outcome, reasons = "concern", [f"Observation relevant to condition {name}: {title}" for title in _titles(bearing)]
    elif not checks:
        outcome, reasons = "could_not_tell", ["This tool has no check for this condition."]
    else:
        shown = {
            check: _titles([item for item in ordered if item["rule"] in rules.checks[check].met_by])
            for check in checks
            if check in rules.checks
        }
        slight = [item for item in ordered if item["severity"] < CONCERN_FROM and set(checks) & set(item["bears_on"])]
        slight = [item for item in slight if not any(item["rule"] in rules.checks[check].met_by for check in shown)]
        faults = [f"Too slight to be a concern, but not cleared up: {title}" for title in _titles(slight)]
        faults += [fault for check in checks if not shown.get(check) and (fault := _not_proved(check, coverage, sources, extent, rules))]
        if faults:
            found = "Nothing of weight was found" if slight else "Nothing relevant was found"
            outcome, reasons = "could_not_tell", [f"{found} in what was checked.", *dict.fromkeys(faults)]
        elif any(shown.values()):
            outcome, reasons = "met", [title for titles in shown.values() for title in titles]
        else:
            outcome, reasons = "met", ["Nothing relevant was found, and all that this check reads was read."]
    return {"id": name, "text": condition.get("text"), "outcome": outcome, "findings": [item["id"] for item in bearing], "reasons": reasons}


def _not_proved(check_id: str, coverage: Sequence[Record], sources: Sequence[Record], extent: _Extent, rules: ConditionRules) -> str:
    """Why silence does not prove a check, or an empty text where it does."""
    check: Check | None = rules.checks.get(check_id)
    if check is None:
        return f"This tool has no check called {check_id}."
    if not check.proved_by:
        return check.unproved
    if extent.blocking:
        return extent.blocking[0]
    for what in check.proved_by:
        records = [item for item in coverage if item.get("what") == what]
        seen = {item.get("source") for item in records if _status(item) in (Status.PARSED, Status.EMPTY)}
        if any(_status(item).is_gap for item in records):
            return f"Part of this could not be read: {what}."
        if not sources or not {source.get("id") for source in sources} <= seen:
            return f"This was not read: {what}."
    return ""
