"""A case as the report needs it: the journal read once, counted, and kept only where it is shown.

A journal may hold millions of listed files and observations. They are counted here and streamed by those who need them one by one
(``timeline``, ``exports``); findings, coverage and the account of the scan are kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Status
from triage import journal
from triage.casefolder import JOURNAL, CaseFolder
from triage.evidence.model import volume_order
from triage.findings import sort_key
from triage.report.records import CONCLUDED, instants, read

COVERAGE_PATHS = 10_000
FURTHER = "(further files)"
"""Stands for the path in a coverage line that counts the files beyond ``COVERAGE_PATHS``: a line without a path is a total."""
NOTES = 2_000
ACTIVITY_DAYS = 20_000
SYSTEM_FACTS = 500
CLEANUP = 2_000
GONE = 1_000
DEVICES = 5_000
SOFTWARE = 2_000


@dataclass(slots=True)
class Notes:
    """Records of one kind, with their journal time as ``time``: the first ``NOTES`` of them, and how many there were."""

    items: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0

    def add(self, time: str, data: dict[str, Any]) -> None:
        """Count the record, and keep it while there is room."""
        self.total += 1
        if len(self.items) < NOTES:
            self.items.append({"time": time, **data})


@dataclass(slots=True)
class Attempt:
    """One run of the scan over this case. ``finished`` is None for a run that was cut off."""

    started: str
    data: dict[str, Any]
    finished: str | None = None
    complete: bool = False
    reason: str = ""


@dataclass(slots=True)
class Case:
    """What a journal says, everything in the order of the journal except ``findings`` (strongest first)."""

    folder: CaseFolder
    opened: dict[str, Any] = field(default_factory=dict)
    opened_at: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, Any]] = field(default_factory=list)  # each with ``entries`` and ``deleted``: files listed
    coverage: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # observation type → number
    activity: dict[str, dict[str, int]] = field(default_factory=dict)  # day, UTC → observation type → number
    system: list[dict[str, Any]] = field(default_factory=list)  # SystemFact observations
    devices: list[dict[str, Any]] = field(default_factory=list)  # Device observations, in the order of the ledger
    software: list[dict[str, Any]] = field(default_factory=list)  # Software observations
    cleanup: list[dict[str, Any]] = field(default_factory=list)  # CleanupSign and CleanupPeriod observations
    gone: list[dict[str, Any]] = field(default_factory=list)  # GoneFile observations, known ones and the newest first
    files_read: int = 0
    bytes_read: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    errors: Notes = field(default_factory=Notes)
    touches: Notes = field(default_factory=Notes)
    operator: Notes = field(default_factory=Notes)

    @property
    def cut_off(self) -> bool:
        """True where the last run did not come to say how it ended: the stick was pulled, the program was killed."""
        return not self.attempts or self.attempts[-1].finished is None

    @property
    def complete(self) -> bool:
        """True where the last run came to its own end having done all it had planned."""
        return bool(self.attempts) and self.attempts[-1].complete


def load(folder: CaseFolder) -> Case:
    """Read the journal of the case in ``folder``: one pass, memory bounded by what the report shows.

    Records that say how the case was sealed are passed over, so that the report is the same before and after. Raises ``JournalError``
    where the chain is broken, ``OSError`` where the journal cannot be read.
    """
    return _Loader(Case(folder)).read()


class _Loader:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.sources: dict[Any, dict[str, Any]] = {}
        self.volumes: dict[tuple[Any, Any], dict[str, Any]] = {}
        self.entries: Counter[tuple[Any, Any, bool]] = Counter()
        self.findings: dict[Any, dict[str, Any]] = {}
        self.counts: Counter[str] = Counter()
        self.coverage = _CoverageBook()
        self.texts: dict[str, Any] = {}

    def read(self) -> Case:
        case = self.case
        takes: dict[str, Callable[[str, dict[str, Any]], None]] = {
            "case_opened": self._case_opened,
            "scan_started": self._scan_started,
            "scan_finished": self._scan_finished,
            "source_opened": self._source_opened,
            "volume": self._volume,
            "coverage": self._coverage,
            "observation": self._observation,
            "listing": self._listing,
            "finding": self._finding,
            "timing": self._timing,
            "error": lambda time, data: case.errors.add(time, data),
            "touch": lambda time, data: case.touches.add(time, data),
            "operator": lambda time, data: case.operator.add(time, data),
        }
        for record in read(case.folder):
            take = takes.get(record.kind)
            if take is None:
                continue
            try:
                take(record.time, record.data)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                raise journal.JournalError(record.seq + 1, f"does not hold what a {record.kind} record holds: it was altered") from error
        case.sources = list(self.sources.values())
        # Volumes in files of others are found in no order of their own.
        sources = list(self.sources)
        known = sorted(self.volumes, key=lambda key: (sources.index(key[0]) if key[0] in self.sources else -1, volume_order(str(key[1]))))
        case.volumes = [self._counted(self.volumes[key]) for key in known]
        case.coverage = self.coverage.records(cut_off=case.cut_off, volumes=case.volumes)
        case.findings = sorted(self.findings.values(), key=sort_key)
        case.counts = dict(sorted(self.counts.items()))
        case.activity = {day: dict(sorted(counts.items())) for day, counts in sorted(case.activity.items())}
        read_whole = [
            c for c in case.coverage if c.get("path") is None and c["what"].startswith("files: ") and c["status"] == Status.PARSED
        ]
        case.files_read = sum(c["count"] or 0 for c in read_whole)
        case.bytes_read = sum(c["bytes"] or 0 for c in read_whole)
        return case

    def _case_opened(self, time: str, data: dict[str, Any]) -> None:
        if self.case.opened_at is None:
            self.case.opened, self.case.opened_at = data, time

    def _scan_started(self, time: str, data: dict[str, Any]) -> None:
        self.case.attempts.append(Attempt(time, data))
        self.coverage.start()

    def _scan_finished(self, time: str, data: dict[str, Any]) -> None:
        if self.case.attempts:
            last = self.case.attempts[-1]
            last.finished, last.complete, last.reason = time, bool(data.get("complete")), data.get("reason") or ""

    def _source_opened(self, _time: str, data: dict[str, Any]) -> None:
        self.sources[data.get("id")] = data

    def _volume(self, _time: str, data: dict[str, Any]) -> None:
        self.volumes[data.get("source"), data.get("id")] = data

    def _counted(self, volume: dict[str, Any]) -> dict[str, Any]:
        key = (volume.get("source"), volume.get("id"))
        walked = self.coverage.walked(*key)
        deleted = self.entries[*key, False]
        return {**volume, "entries": max(walked, self.entries[*key, True] + deleted), "deleted": deleted}

    def _coverage(self, _time: str, data: dict[str, Any]) -> None:
        self.coverage.add(data)

    def _observation(self, _time: str, data: dict[str, Any]) -> None:
        kind = data["type"]
        self.counts[kind] += 1
        if kind == "SystemFact" and len(self.case.system) < SYSTEM_FACTS:
            self.case.system.append(data)
        if kind in ("CleanupSign", "CleanupPeriod") and len(self.case.cleanup) < CLEANUP:
            self.case.cleanup.append(data)
        if kind == "GoneFile" and len(self.case.gone) < GONE:
            self.case.gone.append(data)
        if kind == "Device" and len(self.case.devices) < DEVICES:
            self.case.devices.append(data)
        if kind == "Software" and len(self.case.software) < SOFTWARE:
            self.case.software.append(data)
        if kind in CONCLUDED:
            return
        days = self.case.activity
        for _, text, _ in instants(data):
            # Invented dates can name three million days; the plot needs those of a life.
            if text[:10] in days or len(days) < ACTIVITY_DAYS:
                counts = days.setdefault(text[:10], {})
                counts[kind] = counts.get(kind, 0) + 1
            break

    def _listing(self, _time: str, data: dict[str, Any]) -> None:
        self.coverage.add_batch(data)
        column = data["columns"].index("allocated")
        for row in data["rows"]:
            self.entries[data["source"], data["volume"], bool(row[column])] += 1
            self.counts["FileSeen" if row[column] else "DeletedFile"] += 1

    def _finding(self, _time: str, data: dict[str, Any]) -> None:
        sort_key(data)  # what cannot be sorted later is refused here, where the line is known
        # Thousands of findings share a rule's words: one copy of each serves all.
        self.findings[data.get("id")] = {
            key: self.texts.setdefault(repr(value), value) if key in _SHARED else value for key, value in data.items()
        }

    def _timing(self, _time: str, data: dict[str, Any]) -> None:
        name, seconds = data.get("name", ""), float(data.get("seconds", 0))
        timings = self.case.timings
        timings[name] = timings.get(name, seconds) if name == "first_alert" else timings.get(name, 0.0) + seconds


_SHARED = frozenset(
    ("rule", "category", "indicates", "title", "explanation", "innocent_explanations", "bears_on", "source", "volume", "user")
)


class _CoverageBook:
    """The account of what was examined: the totals a scan ends with, and the single files it names.

    The totals of the last run stand for all runs before it. Where that run was cut off there are none: then they are added up from the
    batches that were done.
    """

    def __init__(self) -> None:
        self._totals: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._batches: dict[tuple[Any, ...], list[int]] = {}
        self._named: list[dict[str, Any]] = []
        self._rest: dict[tuple[Any, ...], dict[str, Any]] = {}

    def start(self) -> None:
        """A run of the scan begins: its own totals will follow."""
        self._totals.clear()

    def add(self, data: dict[str, Any]) -> None:
        """A ``coverage`` record."""
        key = (data["source"], data["volume"], data["what"], data["status"])
        if data.get("path") is None:
            self._totals[*key, data.get("reason")] = data
        elif len(self._named) < COVERAGE_PATHS:
            self._named.append(data)
        else:
            rest = self._rest.setdefault(key, {**data, "path": FURTHER, "count": 0, "bytes": 0})
            rest["count"] += 1
            rest["bytes"] += data.get("bytes") or 0
            rest["reason"] = f"beyond the first {COVERAGE_PATHS:,} named files; each is named in {JOURNAL}"

    def add_batch(self, listing: dict[str, Any]) -> None:
        """What a ``listing`` record says of its batch."""
        for what, status, reason, count, size in listing.get("coverage", ()):
            sums = self._batches.setdefault((listing["source"], listing["volume"], what, status, reason), [0, 0])
            sums[0] += count
            sums[1] += size

    def walked(self, source: Any, volume: Any) -> int:
        """How many entries of a volume were listed, where the scan came to say so."""
        return int((self._totals.get((source, volume, "file system", Status.PARSED, "")) or {}).get("count") or 0)

    def records(self, *, cut_off: bool, volumes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """By source, volume, what, totals before single files: an order that does not depend on which worker was quicker."""
        totals = list(self._totals.values())
        if cut_off:
            totals = [_record(*key, *sums) for key, sums in self._batches.items()]
            totals += [
                _record(v["source"], v["id"], "volume", v["status"], v.get("reason") or "", 1, v.get("length") or 0)
                for v in volumes
                if v["status"] != Status.PARSED
            ]
        return sorted(totals + self._named + list(self._rest.values()), key=_coverage_order)


def _record(source: str, volume: str, what: str, status: str, reason: str, count: int | None, size: int | None) -> dict[str, Any]:
    return {"source": source, "volume": volume, "what": what, "status": str(status), "count": count, "bytes": size, "reason": reason}


def _coverage_order(record: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(record.get(name) or "") for name in ("source", "volume", "what", "path", "status", "reason"))


def is_gap(coverage: dict[str, Any]) -> bool:
    """Whether this coverage record says that something was not fully examined. A status nobody knows counts as a gap."""
    try:
        return Status(coverage.get("status", "")).is_gap
    except ValueError:
        return True
