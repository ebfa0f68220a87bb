"""What of a case was looked at and what was not, in words, the gravest gap first: from its coverage, volumes and sources."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Status
from artefacts.registry import all_artefacts
from rules.conditions import ConditionRules
from triage.scan.classify import TITLES

Record = Mapping[str, Any]

USER_CLASSES = ("traces", "pictures", "downloads", "recent", "personal")
"""The classes of files in which a user's doings show: while one of them is unfinished, nothing found says nothing."""
TOLERATED = 0.1
"""The share of a user class (files, or bytes) that may be unreadable file by file before "nothing found" becomes "not checked"."""
RESERVED_UP_TO = 128 << 20
"""Windows keeps a partition without a file system of 16 or 128 MiB, called reserved; a larger one under that name is not believed."""
SWEPT = "sweep"
"""``coverage.what`` of a sweep's account of a whole source: its reason is what the blocks that were read prove, in words."""
SWEPT_VOLUMES = ("sweep of a volume", "sweep of the rest")
BLIND_SPOTS = "sweep, what it cannot see"
STATUS_WORDS = {
    Status.UNREADABLE: "could not be read",
    Status.UNRECOGNISED: "not in a form this tool knows",
    Status.ENCRYPTED: "encrypted, so not read",
    Status.SKIPPED: "left out by a rule",
    Status.OUT_OF_TIME: "not reached in time",
    Status.FAILED: "could not be read to the end",
}
"""For every status but parsed, empty and missing."""
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Unexamined:
    """Something that was not examined. ``blocks``: "nothing found" cannot be said beside it. ``told``: it could hide something, so that page
    one must say it; the others are known to be harmless. ``what``: the coverage, or the volumes, that say so."""

    weight: int
    sentence: str
    blocks: bool
    told: bool
    what: str


@dataclass(slots=True)
class Extent:
    """How much was looked at, and what was left. ``text`` says the first in a sentence."""

    rules: ConditionRules
    sources: int = 0
    volumes: int = 0
    volumes_total: int = 0
    files: int = 0
    bytes: int = 0
    gaps: list[Unexamined] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    live: frozenset[Any] = frozenset()
    unlocked_live: bool = False
    out_of_time: bool = False
    complete: bool = False
    swept: list[str] = field(default_factory=list)
    swept_volumes: frozenset[tuple[Any, Any]] = frozenset()

    @classmethod
    def of(
        cls, coverage: Sequence[Record], volumes: Sequence[Record], sources: Sequence[Record], complete: bool, rules: ConditionRules
    ) -> Extent:
        """From ``data`` of journal records, coverage and volumes in their last state; ``complete``: the last scan did all it had planned."""
        extent = cls(rules, sources=len(sources), complete=complete)
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
            extent._block("unfinished", "The scan did not finish.", "scan")
        extent.live = frozenset(source.get("id") for source in sources if source.get("kind") == "live")
        holders = {(volume.get("source"), str(volume.get("id")).rpartition(".")[0]) for volume in volumes}
        for volume in volumes:
            if not (_is(volume, Status.SKIPPED) and (volume.get("source"), volume.get("id")) in holders):
                extent._volume(volume, walked)
        told = {(volume.get("source"), volume.get("id")) for volume in volumes if status(volume).is_gap}
        extent._sources(sources, totals, told)
        extent._classes(totals)
        extent._rest(totals)
        if not extent.files and not extent.swept and not extent.blocking:
            extent._block("no_files", "There was no file to look at. A device that was wiped looks like this too.", "files")
        unique = {gap.sentence: gap for gap in sorted(extent.gaps, key=lambda gap: (gap.blocks, gap.weight))}
        extent.gaps = sorted(unique.values(), key=lambda gap: (-gap.weight, gap.sentence))
        return extent

    @property
    def blocking(self) -> list[str]:
        """Why "nothing found" cannot be said, the gravest first."""
        return [gap.sentence for gap in self.gaps if gap.blocks]

    @property
    def not_checked(self) -> list[Unexamined]:
        """What was not examined and could hide something, the gravest first."""
        return [gap for gap in self.gaps if gap.told]

    @property
    def left_out(self) -> list[str]:
        """What was left out on purpose and hides nothing that is not told elsewhere."""
        return [gap.sentence for gap in self.gaps if not gap.told]

    def _block(self, kind: str, sentence: str, what: str) -> None:
        self.gaps.append(Unexamined(self.rules.gap_weights.get(kind, 1), sentence, True, True, what))

    def _note(self, weight: int, sentence: str, what: str, *, told: bool = True) -> None:
        self.gaps.append(Unexamined(weight, sentence, False, told, what))

    def _volume(self, volume: Record, walked: set[tuple[Any, Any]]) -> None:
        name = _volume_name(volume)
        key = (volume.get("source"), volume.get("id"))
        what = f"volume {key[1]} of {key[0]}"
        hides = self.rules.hides
        encrypted = volume.get("encrypted")
        if encrypted and volume.get("unlocked") and key[0] in self.live:
            self.unlocked_live = True
        state = status(volume)
        if volume.get("scheme") != "unpartitioned" or key in walked:
            self.volumes_total += 1
            self.volumes += key in walked or state is Status.EMPTY
        if encrypted and not volume.get("unlocked") and key not in walked:
            self.locked.append(what)
            why = (
                "holds what looks like random bytes: it may be encrypted, or have been wiped"
                if "possible" in encrypted
                else f"is encrypted and locked ({encrypted})"
            )
            self._block("locked", f"{name} {why}. {hides}", what)
        elif key in self.swept_volumes:
            self.volumes += key not in walked and state is not Status.EMPTY
        elif state is Status.SKIPPED:
            weight = self.rules.gap_weights.get("left_out", 1)
            self._note(weight, f"{name} was left out by a rule: {_clause(volume, 'no reason is recorded')}.", what)
        elif state is Status.UNRECOGNISED and _is_reserved(volume):
            self._note(0, f"{name} has no file system. That is usual for one of its kind and size.", what, told=False)
        elif state not in (Status.PARSED, Status.EMPTY):
            self._block("volume", f"{name} was not checked: {STATUS_WORDS[state]}. {hides}", what)
        elif state is Status.PARSED and key not in walked:
            self._block("volume", f"The files of {name[0].lower() + name[1:]} could not be listed. {hides}", what)

    def _sources(self, sources: Sequence[Record], totals: Sequence[Record], told: set[tuple[Any, Any]]) -> None:
        """What was wrong with containers, partition tables and volumes; ``told``: volumes that have had their say."""
        names = {source.get("id"): source.get("path") for source in sources}
        wrong = [item for item in totals if item.get("what") in ("source", "volume") and status(item).is_gap]
        explained = {(item.get("source"), item.get("volume"), status(item)) for item in wrong if item.get("reason")}
        for item in wrong:
            if (item.get("source"), item.get("volume")) in told:
                continue
            if not item.get("reason") and (item.get("source"), item.get("volume"), status(item)) in explained:
                continue  # without its reason the total reads as if all of it could not be read
            name = f"Source {names.get(item.get('source'), item.get('source'))}"
            if item.get("volume"):
                name += f", volume {item['volume']}"
            self._block("source", f"{name}: {_clause(item, STATUS_WORDS[status(item)])}.", f"{item['what']} of {item.get('source')}")

    def _classes(self, totals: Sequence[Record]) -> None:
        """The user's files: unfinished or largely unreadable classes stand in the way of "nothing found"."""
        counts: Counter[tuple[str, Status]] = Counter()
        sizes: Counter[tuple[str, Status]] = Counter()
        reasons: dict[tuple[str, Status], set[str]] = {}
        for item in totals:
            what = str(item.get("what"))
            if what.startswith("files: "):
                key = (what[7:], status(item))
                counts[key] += _number(item, "count")
                sizes[key] += _number(item, "bytes")
                if item.get("reason"):
                    reasons.setdefault(key, set()).add(_clause(item, ""))
        self.out_of_time = any(state is Status.OUT_OF_TIME and count for (_, state), count in counts.items())
        for name, title in TITLES.items():
            gap = self.rules.gap(f"files: {name}")
            for state, words in STATUS_WORDS.items():
                if not counts[name, state]:
                    continue
                many = plural(counts[name, state], "file")
                why = _because(reasons.get((name, state), ())) if state is Status.SKIPPED else ""
                sentence = f"{many} ({size_words(sizes[name, state])}) among {title}: {words}{why}. {gap.hides}".strip()
                blocks = name in USER_CLASSES and _stands_in_the_way(name, state, counts, sizes)
                told = blocks or state is not Status.SKIPPED or gap.skipped
                self.gaps.append(Unexamined(gap.weight, sentence, blocks, told, f"files: {name}"))

    def _rest(self, totals: Sequence[Record]) -> None:
        """Artefacts, checks on content and parts of file systems that were not examined."""
        titles = {artefact.id: artefact.title for artefact in all_artefacts()}
        counts: Counter[tuple[str, Status, str]] = Counter()
        for item in totals:
            what, state = str(item.get("what")), status(item)
            if what == BLIND_SPOTS:
                self._note(50, f"A sweep has blind spots. {_sentence(str(item.get('reason') or ''))}", what)
            elif state in STATUS_WORDS and not what.startswith("files: ") and what not in ("source", "volume"):
                why = _because([_clause(item, "")]) if state is Status.SKIPPED and item.get("reason") else ""
                counts[what, state, why] += max(1, _number(item, "count"))
        for (what, state, why), count in sorted(counts.items()):
            gap, title = self.rules.gap(what), titles.get(what, what)
            if state is Status.SKIPPED:
                plain = f"{title[:1].upper()}{title[1:]}: {plural(count, 'item')} left out by a rule{why}."
                told = gap.skipped
                sentence = (gap.say or f"{plain} {gap.hides}".strip()) if told else plain
            else:
                sentence = f"{title[:1].upper()}{title[1:]}: {plural(count, 'item')} {STATUS_WORDS[state]}. {gap.hides}".strip()
                told = True
            out_of_time = state is Status.OUT_OF_TIME
            self.out_of_time |= out_of_time
            blocks = out_of_time or (gap.blocks and state is not Status.SKIPPED)
            self.gaps.append(Unexamined(gap.weight, sentence, blocks, told, what))

    @property
    def text(self) -> str:
        """How much was looked at, in a sentence or, of a sweep, with the odds that its blocks give."""
        volumes = f"{self.volumes:,} of {plural(self.volumes_total, 'volume')}"
        if self.swept:
            return " ".join([f"Looked at blocks of {volumes}: {size_words(self.bytes)}.", *self.swept])
        return f"Looked at {volumes}: {plural(self.files, 'file')}, {size_words(self.bytes)}."

    def looked_at(self) -> dict[str, Any]:
        """How much was looked at, in numbers and as ``text``."""
        return {
            "sources": self.sources,
            "volumes": self.volumes,
            "volumes_total": self.volumes_total,
            "files": self.files,
            "bytes": self.bytes,
            "text": self.text,
        }


def status(record: Record) -> Status:
    """The status of a volume or coverage record. One that this version does not know counts as failed, never as fine."""
    try:
        return Status(record.get("status", Status.FAILED))
    except ValueError:
        return Status.FAILED


def size_words(count: int) -> str:
    """A number of bytes for reading: ``3.4 GB`` (decimal units)."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{int(value)} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def plural(count: int, noun: str) -> str:
    """``1 file``, ``1,200 files``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _because(reasons: Iterable[str]) -> str:
    said = sorted(reason for reason in reasons if reason)
    return f" ({'; '.join(said[:_MOST_REASONS])})" if said else ""


def _stands_in_the_way(name: str, state: Status, counts: Mapping[tuple[str, Status], int], sizes: Mapping[tuple[str, Status], int]) -> bool:
    if state is Status.OUT_OF_TIME:
        return True
    if state is Status.SKIPPED:
        return not counts[name, Status.PARSED]
    for amounts in (counts, sizes):
        if amounts[name, state] > TOLERATED * sum(amounts[name, other] for other in (*STATUS_WORDS, Status.PARSED)):
            return True
    return False


def _is_reserved(volume: Record) -> bool:
    return _number(volume, "length") <= RESERVED_UP_TO and "reserved" in str(volume.get("description") or "").lower()


def _volume_name(volume: Record) -> str:
    """What a reader can call it: its label, or the first words of its description, which goes on with codes and GUIDs."""
    label = volume.get("label") or re.split(r" \(|[,;]", str(volume.get("description") or ""), maxsplit=1)[0]
    size = f", {size_words(_number(volume, 'length'))}" if _number(volume, "length") else ""
    return f"Volume {volume.get('id')}" + (f" ({label}{size})" if label else f" ({size[2:]})" if size else "")


def _clause(record: Record, otherwise: str) -> str:
    """The reason that a record gives, to stand in a sentence."""
    return str(record.get("reason") or otherwise).rstrip(".")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _is(record: Record, wanted: Status) -> bool:
    return status(record) is wanted


def _number(record: Record, name: str) -> int:
    value = record.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
