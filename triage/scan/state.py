"""What a scan knows of its case so far: built while it runs, and rebuilt from the journal when it goes on after a stop."""

from __future__ import annotations

from collections import Counter
from typing import Any

from triage import journal
from triage.casefolder import CaseFile
from triage.findings import FindingBook, FindingEngine
from triage.scan.conclude import Conclusions, is_drawn


class Tally:
    """Coverage added up: (source, volume, what, status, reason) → count and bytes."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str, str, str]] = Counter()
        self.sizes: Counter[tuple[str, str, str, str, str]] = Counter()

    def add(self, source: str, volume: str, rows: list[list[Any]]) -> None:
        """Take ``[what, status, reason, count, bytes]`` rows as a worker sends them."""
        for what, status, reason, count, size in rows:
            key = (source, volume, what, status, reason)
            self.counts[key] += count
            self.sizes[key] += size

    def records(self) -> list[dict[str, Any]]:
        """Coverage records for the journal, in a fixed order."""
        return [
            {
                "source": key[0],
                "volume": key[1],
                "what": key[2],
                "status": key[3],
                "count": self.counts[key],
                "bytes": self.sizes[key],
                "reason": key[4],
                "summary": True,
            }
            for key in sorted(self.counts)
        ]


class State:
    """Everything a resumed scan must not do or say again."""

    def __init__(self, engine: FindingEngine, conclusions: Conclusions | None = None) -> None:
        self._engine = engine
        self.conclusions = conclusions
        """Told everything that is journalled; None where none are drawn."""
        self.drawn: set[str] = set()
        """Observations that an earlier attempt drew from others and that still stand."""
        self.book = FindingBook()
        self.tally = Tally()
        self.seen: set[str] = set()
        self.problems: set[str] = set()
        self.batches_done: set[str] = set()
        self.sources: dict[str, dict[str, Any]] = {}
        self.volumes: set[tuple[str, str]] = set()
        self.passes: dict[int, dict[str, Any]] = {}
        self.files = self.bytes = 0
        self.attempts = 0
        self.opened: dict[str, Any] | None = None

    def replay(self, path: CaseFile) -> None:
        """Take in an existing journal. Raises ``JournalError`` where its chain is broken."""
        for record in journal.read(path):
            data = record.data
            match record.kind:
                case "case_opened":
                    self.opened = data
                case "scan_started":
                    self.attempts += 1
                case "source_opened":
                    self.sources[data["id"]] = data
                case "volume":
                    self.volumes.add((data["source"], data["id"]))
                case "observation" if is_drawn(data):
                    self.seen.add(data["id"])
                    self.drawn.add(data["id"])
                case "withdrawn":
                    self.seen.difference_update(data["observations"])
                    self.drawn.difference_update(data["observations"])
                    self.book.withdrawn(data["findings"])
                case "observation":
                    self.new_observation(data)
                    for finding in self._engine.consider(data):
                        self.book.add(finding, replay=True)
                case "coverage" if not data.get("summary"):
                    self.new_problem(data)
                case "finding":
                    self.book.journalled(data)
                case "listing":
                    self.batch_done(data)
                case "sweep_pass":
                    self.passes[data["pass"]] = data

    def new_observation(self, data: dict[str, Any]) -> bool:
        """Whether this observation has not been journalled yet; from now on it counts as journalled, and conclusions know of it."""
        if data["id"] in self.seen:
            return False
        self.seen.add(data["id"])
        if self.conclusions is not None:
            self.conclusions.feed(data)
        return True

    def new_problem(self, data: dict[str, Any]) -> bool:
        """Whether this coverage line for one file has not been journalled yet; from now on it counts as journalled."""
        key = "\0".join(str(data.get(name, "")) for name in ("source", "volume", "what", "status", "path", "reason"))
        if key in self.problems:
            return False
        self.problems.add(key)
        return True

    def batch_done(self, data: dict[str, Any]) -> None:
        """Take in a ``listing`` record; its rows are only looked at where a conclusion wants them."""
        self.batches_done.add(data["batch"])
        self.files += data["files"]
        self.bytes += data["bytes"]
        self.tally.add(data["source"], data["volume"], data["coverage"])
        if self.conclusions is not None and self.conclusions.wants_listing:
            self.conclusions.feed_listing(data["source"], data["volume"], data["rows"])
