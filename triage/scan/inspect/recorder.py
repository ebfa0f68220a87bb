"""Observations on their way out of a worker: journalled at once, and judged by the finding rules."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artefacts.observations import Observation
from triage.evidence.model import Entry
from triage.scan.emit import Emitter, observation_record
from triage.scan.setup import Setup

if TYPE_CHECKING:
    from triage.findings import FindingEngine


class Recorder:
    """What every check tells its observations to. One for each worker."""

    def __init__(self, setup: Setup, emit: Emitter) -> None:
        self._setup, self._emit = setup, emit

    @cached_property
    def engine(self) -> FindingEngine:
        """The finding rules, loaded when first asked for."""
        from rules import findings
        from triage.findings import FindingEngine

        return FindingEngine(findings.load([Path(path) for path in self._setup.rules]))

    def observe(self, item: Observation, parser: str, entry: Entry) -> dict[str, Any]:
        """Journal an observation and what the rules make of it; returns it as journalled."""
        emit = self._emit
        data, body = observation_record(
            item, source=emit.source, volume=emit.volume, path=entry.path, parser=parser, allocated=entry.allocated
        )
        emit.encoded("observation", body)
        for finding in self.engine.consider(data):
            emit.finding(finding.to_json())
        return data
