"""A look at the devices of a room as a case of its own: what gatherers tell is journalled, the ledger is drawn from it, the case is sealed.

A gatherer is a name for coverage and a function that yields observations and problems: devices attached now; what listens to the network adds its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation
from triage.scan.emit import observation_json
from triage.scan.pool import Pool
from triage.scan.run import Scan

if TYPE_CHECKING:
    from triage.keys import Signer
    from triage.scan.job import Job

SOURCE = "room"
Gatherer = tuple[str, Callable[[], Iterator[Observation | Problem]]]


class Survey(Scan):
    """One look. Nothing on a drive is opened, so no worker is needed."""

    def __init__(self, *arguments: Any, gatherers: Sequence[Gatherer], **options: Any) -> None:
        super().__init__(*arguments, **{**options, "workers": 0})
        self._gatherers = gatherers

    def _work(self, pool: Pool) -> None:
        self._source_record(
            SOURCE, {"id": SOURCE, "kind": "live", "path": "the devices at this computer", "size": None, "files": [], "facts": {}}
        )
        for what, gather in self._gatherers:
            count = 0
            try:
                for item in gather():
                    if isinstance(item, Problem):
                        self._gaps = True
                        self._cover(SOURCE, "", what, item.status, item.reason)
                        continue
                    count += 1
                    self._observation(observation_json(item, source=SOURCE, volume="", path="", parser=f"{what}/1"))
            except OSError as error:
                self._gaps = True
                self._cover(SOURCE, "", what, Status.FAILED, f"{error.strerror or error}")
            self._cover(SOURCE, "", what, Status.PARSED if count else Status.EMPTY, "", count=max(1, count))
            self._journal.append("touch", {"what": what, "why": "to list the devices of the room"})

    def _conclude(self, complete: bool, reason: str) -> bool:
        self._draw(complete, reason)
        return complete


def job(case: Path, signer: Signer, visit: dict[str, Any], gatherers: Sequence[Gatherer], arguments: list[str]) -> Job:
    """The survey as a job: ``triage.scan.job.run`` makes, reports and seals the case."""
    from rules import conditions, findings
    from triage.scan.job import Job
    from triage.scan.profile import load_profile
    from triage.scan.setup import Setup

    return Job(
        setup=Setup(profile=load_profile("quick"), sources={}),
        case=case,
        signer=signer,
        visit=visit,
        arguments=arguments,
        identities={"rules": {"findings": findings.load().digest, "conditions": conditions.shipped().digest}},
        begin=partial(Survey, gatherers=gatherers),
    )
