"""What a worker says to the parent, and how an observation gets its provenance and its name."""

from __future__ import annotations

import hashlib
from collections import Counter
from multiprocessing.connection import Connection
from typing import Any

from artefacts.coverage import Status
from artefacts.observations import Observation
from triage.journal import encode
from triage.scan.pool import DONE, FAILED

RECORD = b"R"  # kind, a zero byte, the journal record's data
FINDING = b"F"  # a finding
ENTRIES = b"E"  # a frame of plan.pack_chunk
MAX_NAMED = 1000
"""Problems of one kind on one volume that a worker tells by name; the rest are counted."""


def observation_json(
    item: Observation, *, source: str, volume: str, path: str, parser: str, allocated: bool = True, rests_on: list[str] | None = None
) -> dict[str, Any]:
    """An observation as journalled: the first of ``observation_record``.

    ``rests_on``: ids of the observations that it was drawn from (see conclude.py); None for what was read from evidence.
    """
    return observation_record(item, source=source, volume=volume, path=path, parser=parser, allocated=allocated, rests_on=rests_on)[0]


def observation_record(
    item: Observation, *, source: str, volume: str, path: str, parser: str, allocated: bool = True, rests_on: list[str] | None = None
) -> tuple[dict[str, Any], bytes]:
    """An observation as journalled, and the bytes that stand in its line.

    Its id is drawn from its content, so that the same fact has the same id in every run.
    """
    data = item.to_json()
    data["provenance"] = {
        "source": source,
        "volume": volume,
        "path": path,
        "locator": item.locator,
        "parser": parser,
        "recovered": item.recovered or not allocated,
    }
    if rests_on is not None:
        data["provenance"]["rests_on"] = rests_on
    body = encode(data)
    name = hashlib.sha256(body).hexdigest()[:16]
    return {"id": name, **data}, b'{"id":"%s",%s' % (name.encode(), body[1:])


class Emitter:
    """Frames from a worker about the task at hand, and the coverage it adds up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._coverage: Counter[tuple[str, str, str]] = Counter()
        self._bytes: Counter[tuple[str, str, str]] = Counter()
        self._named: Counter[tuple[str, str, str, str]] = Counter()
        self.source = ""
        self.volume = ""

    def start(self, source: str, volume: str) -> None:
        """Begin a task on a volume."""
        self.source, self.volume = source, volume
        self._coverage.clear()
        self._bytes.clear()

    def record(self, kind: str, data: dict[str, Any]) -> None:
        """A journal record, made as soon as the parent gets it."""
        self.encoded(kind, encode(data))

    def encoded(self, kind: str, data: bytes) -> None:
        """The same for a record that is JSON already, as ``encode`` makes it."""
        self._connection.send_bytes(RECORD + kind.encode() + b"\0" + data)

    def finding(self, data: dict[str, Any]) -> None:
        """A finding, for the parent to merge with its like."""
        self._connection.send_bytes(FINDING + encode(data))

    def count(self, what: str, status: Status, reason: str = "", *, size: int = 0, times: int = 1) -> None:
        """Add to the coverage of this task."""
        if not times:
            return
        key = (what, status.value, reason)
        self._coverage[key] += times
        self._bytes[key] += size

    def problem(self, what: str, status: Status, path: str, reason: str, *, size: int = 0) -> None:
        """One file that was not fully examined: counted, and told by name."""
        self.count(what, status, size=size)
        key = (self.source, self.volume, what, status.value)
        self._named[key] += 1
        if self._named[key] > MAX_NAMED:
            return
        self.record(
            "coverage",
            {
                "source": self.source,
                "volume": self.volume,
                "what": what,
                "status": status.value,
                "count": 1,
                "bytes": size,
                "reason": reason,
                "path": path,
            },
        )

    def send_entries(self, frame: bytes) -> None:
        """A chunk of entries for the plan."""
        self._connection.send_bytes(ENTRIES + frame)

    def done(self, body: bytes = b"", **result: Any) -> None:
        """The task is finished; ``result`` goes to the parent with the coverage, and after a newline ``body``, which it need not parse."""
        coverage = [[*key, self._coverage[key], self._bytes[key]] for key in sorted(self._coverage)]
        self._connection.send_bytes(DONE + encode({"coverage": coverage, **result}) + b"\n" + body)

    def failed(self, reason: str) -> None:
        """The task could not be finished."""
        self._connection.send_bytes(FAILED + reason.encode("utf-8", "replace"))
