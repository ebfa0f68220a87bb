"""The device ledger as a conclusion: a ``Device`` for each device that the records of a scan name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem, Status
from triage.devices.ledger import TYPES, Ledger
from triage.scan.conclude import Conclusion, Context, Drawn


class DeviceLedger(Conclusion):
    """See ``triage.devices.ledger``."""

    name = "devices"
    types = TYPES

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._ledger = Ledger(context.visit)

    def feed(self, observation: Mapping[str, Any]) -> None:
        self._ledger.add(observation)

    def conclude(self) -> Iterator[Drawn | Problem]:
        for line in self._ledger.lines():
            yield Drawn(line.device, source=line.source, rests_on=line.records)
        for what, count in sorted(self._ledger.dropped.items()):
            yield Problem(f"more {what} than are kept: {count} were left out", Status.FAILED)


CONCLUSIONS = (DeviceLedger,)
