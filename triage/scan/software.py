"""Traces of catalogued programs among the files of a volume, found while it is listed: in every profile, and before anything is read."""

from __future__ import annotations

from artefacts.coverage import Status
from artefacts.observations import SoftwareTrace
from rules import software
from rules.software import Joiner
from triage.evidence.file import user_of
from triage.evidence.model import Entry
from triage.scan.emit import Emitter, observation_json
from triage.scan.inspect.item import entry_time

MOST_TRACES = 20_000
"""Traces told of one volume: a home computer has some hundreds."""
PARSER = "file_list/1"
WHAT = "software catalogue"


class FileTraces:
    """Tells the traces of one volume's entries to ``emit``."""

    def __init__(self, emit: Emitter) -> None:
        self._emit = emit
        self._joiner = Joiner(software.shipped())
        self._told = self._left = 0

    def start(self) -> None:
        """Begin a volume."""
        self._told = self._left = 0

    def look(self, entry: Entry) -> None:
        """Emit a ``SoftwareTrace`` for each trace that this entry is."""
        for hit in self._joiner.match_file(entry.path, folder=entry.kind == "directory", allocated=entry.allocated):
            if self._told >= MOST_TRACES:
                self._left += 1
                continue
            self._told += 1
            item = SoftwareTrace(
                software=hit.program.id,
                trace=hit.trace.kind,
                value=hit.trace.value,
                strength="strong" if hit.trace.strong else "weak",
                seen=hit.seen,
                path=entry.path,
                time=entry_time(entry, entry.modified),
                created=entry_time(entry, entry.created),
                allocated=entry.allocated,
                user=user_of(entry.path),
                locator=entry.address,
            )
            emit = self._emit
            data = observation_json(item, source=emit.source, volume=emit.volume, path=entry.path, parser=PARSER, allocated=entry.allocated)
            emit.record("observation", data)

    def finish(self) -> None:
        """Say what was looked for, and what was left."""
        self._emit.count(WHAT, Status.PARSED, times=max(1, self._told))
        if self._left:
            self._emit.count(
                WHAT, Status.FAILED, f"more than {MOST_TRACES} files that belong to such programs: the rest was left", times=self._left
            )
