"""A look at the devices of a room as a case of its own: what gatherers tell is journalled, the ledger is drawn from it, the case is sealed.

Gatherers are the devices attached now, the local network (``net.room``) and tables copied from a router (``tables``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation
from triage import casefolder
from triage.scan.emit import observation_json
from triage.scan.examination import Stopped
from triage.scan.pool import Pool
from triage.scan.run import Scan

if TYPE_CHECKING:
    from triage.keys import Signer
    from triage.scan.job import Job

SOURCE = "room"


@dataclass(frozen=True, slots=True)
class Touch:
    """Something that was done to the computer or its network, for the journal: what, and why."""

    what: str
    why: str


class Gatherer(NamedTuple):
    """``what``: its name in coverage. ``gather`` is given a function that says whether to end early. ``parser`` and ``path``: for provenance."""

    what: str
    gather: Callable[[Callable[[], bool]], Iterator[Observation | Problem | Touch]]
    parser: str = "devices/1"
    path: str = ""


class Survey(Scan):
    """One look. Nothing on a drive is opened, so no worker is needed."""

    def __init__(self, *arguments: Any, gatherers: Sequence[Gatherer], touches: Sequence[Touch] = (), **options: Any) -> None:
        super().__init__(*arguments, **{**options, "workers": 0})
        self._gatherers, self._touches = gatherers, touches

    def _work(self, pool: Pool) -> None:
        self._source_record(
            SOURCE, {"id": SOURCE, "kind": "live", "path": "the devices at this computer", "size": None, "files": [], "facts": {}}
        )
        for touch in self._touches:
            self._journal.append("touch", {"what": touch.what, "why": touch.why})
        for gatherer in self._gatherers:
            self._gather(gatherer)

    def _gather(self, gatherer: Gatherer) -> None:
        what, count, gap = gatherer.what, 0, False
        try:
            for item in gatherer.gather(lambda: self._control.stopped):
                if isinstance(item, Touch):
                    self._journal.append("touch", {"what": item.what, "why": item.why})
                elif isinstance(item, Problem):
                    gap |= item.status.is_gap
                    self._cover(SOURCE, "", what, item.status, item.reason)
                else:
                    count += 1
                    self._observation(observation_json(item, source=SOURCE, volume="", path=gatherer.path, parser=gatherer.parser))
        except Exception as error:  # one that fails must not cost the others
            gap = True
            self._cover(SOURCE, "", what, Status.FAILED, error.strerror or str(error) if isinstance(error, OSError) else repr(error))
        self._gaps |= gap
        if count or not gap:  # "empty" is not said of what could not be read
            self._cover(SOURCE, "", what, Status.PARSED if count else Status.EMPTY, "", count=max(1, count))
        self._journal.append("touch", {"what": what, "why": "to list the devices of the room"})
        if self._control.stopped:
            raise Stopped

    def _conclude(self, complete: bool, reason: str) -> bool:
        self._draw(complete, reason)
        return complete


def on_own_drive(case: Path) -> bool:
    """Whether a case folder lies on the drive of this computer's system. No drive is examined here, so it may; but it is written to."""
    system = Path(f"{os.environ.get('SYSTEMDRIVE', 'C:')}\\" if os.name == "nt" else "/")
    return casefolder.objection(case.resolve(), [(system, True)]) is not None


def job(
    case: Path, signer: Signer, visit: dict[str, Any], gatherers: Sequence[Gatherer], arguments: list[str], touches: Sequence[Touch] = ()
) -> Job:
    """The survey as a job: ``triage.scan.job.run`` makes, reports and seals the case. ``touches``: what was done to this computer before."""
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
        begin=partial(Survey, gatherers=gatherers, touches=touches),
    )
