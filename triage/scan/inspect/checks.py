"""Checks on content: what each file, and each thing found inside one, is handed to once it has been read, digested and looked up.

A check is one class with the methods of ``ContentCheck``. It is asked about everything; it decides itself, by the head and the size,
what it is for, says in coverage what it left out, and never raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from artefacts.coverage import Status
from artefacts.observations import YaraMatch
from triage.scan.emit import Emitter
from triage.scan.filetype import file_type
from triage.scan.inspect.item import YARA, Subject
from triage.scan.inspect.recorder import Recorder
from triage.scan.pool import Pulse
from triage.scan.setup import Setup

if TYPE_CHECKING:
    from rules.yara_rules import YaraRules


class ContentCheck(Protocol):
    """One check. ``name`` is that of its timing; ``stage`` is entered before it, so that a crash in it costs this check and what follows."""

    name: str
    stage: int

    def warm(self) -> None:
        """Load what the first content would have to wait for."""

    def content(self, subject: Subject) -> None:
        """Look at a content. What an ``ignore`` set knows is not asked about."""


def content_checks(setup: Setup, emit: Emitter, recorder: Recorder, pulse: Pulse) -> Iterator[ContentCheck]:
    """The checks that this scan has something to do for."""
    if setup.yara:
        yield YaraCheck(setup, emit, recorder)


class YaraCheck:
    """YARA rules over the content."""

    name, stage = "yara", YARA

    def __init__(self, setup: Setup, emit: Emitter, recorder: Recorder) -> None:
        self._setup, self._emit, self._recorder = setup, emit, recorder

    @cached_property
    def _rules(self) -> YaraRules:
        from rules import yara_rules

        cache = Path(self._setup.yara_cache) if self._setup.yara_cache else None
        return yara_rules.load([Path(path) for path in self._setup.yara], cache=cache)

    def warm(self) -> None:
        """See ``ContentCheck.warm``."""
        _ = self._rules

    def content(self, subject: Subject) -> None:
        """See ``ContentCheck.content``."""
        largest = self._setup.profile.largest_yara
        data = subject.data
        if data is None:
            if subject.size > largest:
                reason = f"larger than {largest >> 20} MiB, the limit of the profile"
                self._emit.problem("YARA", Status.SKIPPED, subject.path, reason, size=subject.size)
                return
            with subject.open() as stream:
                data = stream.read(largest)
        extension = subject.name.rpartition(".")[2].lower() if "." in subject.name else ""
        try:
            hits = self._rules.match(
                data, filename=subject.name, filepath=subject.path, extension=extension, filetype=file_type(subject.head)
            )
        except (TimeoutError, RuntimeError) as error:
            self._emit.problem("YARA", Status.FAILED, subject.path, str(error), size=subject.size)
            return
        self._emit.count("YARA", Status.PARSED, size=len(data))
        for hit in hits:
            observation = YaraMatch(
                path=subject.path,
                rule=hit.rule,
                namespace=hit.namespace,
                meta=hit.meta,
                tags=tuple(hit.tags),
                strings=tuple(hit.strings),
                allocated=subject.allocated,
                locator=subject.locator,
                recovered=subject.recovered,
            )
            self._recorder.observe(observation, "yara/1", subject.entry)
