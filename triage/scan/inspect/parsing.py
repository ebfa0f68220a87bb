"""Artefacts: running their parsers over the files that are theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.matching import PathMatcher
from artefacts.observations import Observation
from artefacts.registry import Artefact, all_artefacts
from triage.evidence.file import EntryFile
from triage.evidence.model import Entry
from triage.scan.emit import Emitter
from triage.scan.inspect.recorder import Recorder
from triage.scan.pool import Pulse
from triage.scan.scope import OUTSIDE, UNDATED, WHAT_UNDATED, Dates

MAX_OBSERVATIONS = 2_000_000
"""Observations one artefact may give from one file."""
_MOST_TOLD = 100


@cache
def path_matcher() -> PathMatcher:
    """Which paths are whose, of all artefacts; made once in a process."""
    return PathMatcher(all_artefacts())


class Parsing:
    """Runs artefacts. ``also`` gets each observation as journalled, with the entry, the observation and its parser."""

    def __init__(
        self, emit: Emitter, pulse: Pulse, recorder: Recorder, also: Callable[[Entry, Observation, dict[str, Any], str], None], dates: Dates
    ) -> None:
        self._emit, self._pulse, self._recorder, self._also, self._dates = emit, pulse, recorder, also, dates

    @cached_property
    def matcher(self) -> PathMatcher:
        """Which paths are whose."""
        return path_matcher()

    def artefacts_for(self, entry: Entry) -> list[Artefact]:
        """The artefacts that read this entry."""
        return self.matcher.match(entry.path) if entry.kind in ("file", "stream") else []

    def parse(self, artefact: Artefact, file: EntryFile) -> bool:
        """Run one artefact over one file: every sound record is kept, whatever happens to the others. False for a file that is
        not the artefact's."""
        count = problems = outside = undated = 0
        status, reason = Status.EMPTY, ""
        try:
            for item in artefact.parse(file):
                self._pulse.beat()
                if isinstance(item, Problem):
                    problems += 1
                    if problems <= _MOST_TOLD:
                        where = f" ({item.locator})" if item.locator else ""
                        self._emit.problem(artefact.id, item.status, file.path, item.reason + where)
                    continue
                count += 1
                if count > MAX_OBSERVATIONS:
                    raise OverflowError(f"more than {MAX_OBSERVATIONS} records: the rest was left")
                if self._dates:
                    if not self._dates.record(item):
                        outside += 1
                        continue
                    undated += not self._dates.dated(item)
                self._also(file.entry, item, self._recorder.observe(item, artefact.parser, file.entry), artefact.parser)
            status = Status.PARSED if count or problems else Status.EMPTY
        except Unrecognised as error:
            status, reason = Status.UNRECOGNISED, str(error)
        except Encrypted as error:
            status, reason = Status.ENCRYPTED, str(error)
        except Exception as error:
            status, reason = Status.FAILED, f"{type(error).__name__}: {error}"
        self._emit.count(artefact.id, Status.SKIPPED, OUTSIDE, times=outside)
        self._emit.count(WHAT_UNDATED, Status.PARSED, UNDATED, times=undated)
        errors = file.read_errors
        if errors:
            self._emit.problem(artefact.id, Status.UNREADABLE, file.path, f"{sum(e.length for e in errors)} bytes could not be read")
        if problems > _MOST_TOLD:
            left = problems - _MOST_TOLD
            self._emit.count(artefact.id, Status.FAILED, f"{left} more problems in {file.path}", times=left)
        if status is Status.UNRECOGNISED:
            # Most files called "History" are somebody else's: said once by count, by name only where the artefact owns the place.
            self._emit.count(artefact.id, status, reason)
        elif status in (Status.PARSED, Status.EMPTY):
            self._emit.count(artefact.id, status, size=file.size)
        else:
            self._emit.problem(artefact.id, status, file.path, reason, size=file.size)
        return status not in (Status.UNRECOGNISED, Status.ENCRYPTED)
