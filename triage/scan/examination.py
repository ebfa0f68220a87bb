"""What every examination of sources shares, a scan and a sweep alike: opening, the conversation with the workers, the journal, the end.

The parent process below touches no evidence itself: opening and reading happen in disposable workers.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, ClassVar

from artefacts.coverage import Status
from artefacts.observations import EncryptedItem
from triage.findings import Finding, FindingEngine
from triage.journal import Journal, decode
from triage.scan.control import Control
from triage.scan.emit import ENTRIES, FINDING, RECORD, observation_json
from triage.scan.pool import DONE, Death, Message, Pool, Pulse, Task
from triage.scan.progress import Progress
from triage.scan.setup import Setup
from triage.scan.state import State
from triage.scan.worker import HASH_SOURCE_UP_TO

TICK = 0.2
FINISHED = "finished"
"""The reason for which an examination that did everything ended."""
TRIES = 6
"""How often a task is begun when its worker dies: killed from outside, it deserves another; a crash of its own will repeat."""
TRIES_HUNG = 2
"""The same where the worker hung or swelled: each try costs a minute of somebody's visit."""


def hung(death: Death) -> bool:
    """Whether the worker was ended by us, because it was silent, slow or too large; it will be again."""
    return not death.reason.startswith("the reader")


def may_try_again(tries: int, death: Death) -> bool:
    """Whether a task that has been begun ``tries`` times should be begun once more after this death."""
    return tries < (TRIES_HUNG if hung(death) else TRIES)


@dataclass(slots=True)
class Outcome:
    """How a scan ended. ``complete``: everything planned was looked at; ``gaps``: some of it could not be read."""

    complete: bool
    gaps: bool
    reason: str
    findings: list[Finding] = field(default_factory=list)


class TimeUp(Exception):
    """The deadline has come."""


class Stopped(Exception):
    """The operator has asked for the end."""


class Examination(ABC):
    """One attempt at examining sources. ``state`` holds what earlier attempts on the same case did."""

    MAIN: ClassVar[staticmethod[[Connection, Pulse, bytes], None]]
    """What runs in the workers: ``pool.Main``."""

    def __init__(
        self,
        setup: Setup,
        journal: Journal,
        state: State,
        engine: FindingEngine,
        progress: Progress,
        *,
        workers: int,
        deadline: float | None = None,
        hash_sources: bool = False,
        control: Control | None = None,
    ) -> None:
        self._setup, self._journal, self._state, self._engine, self._progress = setup, journal, state, engine, progress
        self._workers = workers
        self._deadline = deadline
        self._hash_sources = hash_sources
        self._started = time.monotonic()
        self._timings: defaultdict[str, float] = defaultdict(float)
        self._first_alert: float | None = None
        self._task_ids = iter(range(1 << 62))
        self._gaps = False
        self._alerted: set[str] = set()
        self._control = control or Control()

    def request_stop(self) -> None:
        """End in good order as soon as possible. Safe to call from a signal handler."""
        self._control.stop()

    def run(self) -> Outcome:
        """Examine, then write the totals. Raises ``OSError`` where the case folder can no longer be written."""
        complete, reason = True, FINISHED
        for finding in self._state.book.due():  # made before a kill, and not journalled any more
            self._journal_finding(finding)
        pool = Pool(self._workers, self.MAIN, self._setup.encode())
        try:
            self._work(pool)
        except TimeUp:
            complete, reason = False, "the time allowed ran out"
        except Stopped:
            complete, reason = False, "stopped by the operator"
        finally:
            pool.close()
        complete = self._conclude(complete, reason)
        findings = self._finish(complete, reason)
        return Outcome(complete, self._gaps or not complete, reason, findings)

    @abstractmethod
    def _work(self, pool: Pool) -> None:
        """Do everything there is to do. Raises ``TimeUp`` or ``Stopped``."""

    @abstractmethod
    def _conclude(self, complete: bool, reason: str) -> bool:
        """Say what was not done, before the totals are written; returns whether all that was promised has been done."""

    # --- opening -----------------------------------------------------------------------------------------------------------------

    def _open(self, pool: Pool) -> list[tuple[str, str]]:
        """Open every source; returns the (source, volume) pairs that have a file system to walk."""
        self._progress.phase("open")
        clock = time.monotonic()
        opened: dict[str, dict[str, Any]] = {}

        def on_done(task: Task, result: dict[str, Any]) -> None:
            self._state.tally.add(task.note, "", result["coverage"])
            if "unreadable" in result:
                opened[task.note] = {"failed": result["unreadable"], "status": Status.UNREADABLE}
            elif "source" in result:
                opened[task.note] = result["source"]
                size = result["source"]["size"]
                if size is not None and (self._hash_sources or size <= HASH_SOURCE_UP_TO):
                    queue.append(self._task({"do": "hash", "source": task.note}, note=task.note))
            else:
                opened[task.note]["sha256"] = result["sha256"]

        def on_death(task: Task, death: Death) -> None:
            tries[task.note] += 1
            if may_try_again(tries[task.note], death):
                queue.append(task)
            else:
                opened.setdefault(task.note, {"failed": death.reason})

        tries: Counter[str] = Counter()
        queue = deque(self._task({"do": "open", "source": key}, note=key) for key in self._setup.sources)
        self._drive(pool, queue, on_done, on_death)
        walks: list[tuple[str, str]] = []
        for key in self._setup.sources:
            walks += self._opened(key, opened.get(key, {"failed": "the reader did not answer"}))
        self._timings["open"] += time.monotonic() - clock
        return walks

    def _opened(self, key: str, facts: dict[str, Any]) -> list[tuple[str, str]]:
        path = self._setup.sources[key].path
        if "failed" in facts:
            self._cover(key, "", "source", facts.get("status", Status.FAILED), facts["failed"])
            self._source_record(key, {"id": key, "kind": "unreadable", "path": path, "size": None, "files": [], "facts": {}})
            return []
        record = {name: facts[name] for name in ("kind", "path", "size", "files", "facts")}
        self._source_record(key, {"id": key, **record, **({"sha256": facts["sha256"]} if facts.get("sha256") else {})})
        for status, reason, locator in facts["problems"]:
            self._cover(key, "", "source", Status(status), f"{reason} ({locator})" if locator else reason)
        return [(key, volume["id"]) for volume in facts["volumes"] if self._found_volume(key, volume)]

    def _found_volume(self, key: str, volume: dict[str, Any]) -> bool:
        """Journal a volume, once; whether it has a file system to walk."""
        problems = volume.pop("problems")
        if (key, volume["id"]) not in self._state.volumes:
            self._journal.append("volume", {"source": key, **volume})
            self._state.volumes.add((key, volume["id"]))
        for status, reason, locator in problems:
            self._cover(key, volume["id"], "volume", Status(status), f"{reason} ({locator})" if locator else reason)
        if volume["encrypted"]:
            self._encrypted(key, volume)
        if volume["status"] == Status.PARSED.value:
            return True
        self._cover(key, volume["id"], "volume", Status(volume["status"]), volume["reason"], size=volume["length"])
        return False

    def _source_record(self, key: str, record: dict[str, Any]) -> None:
        before = self._state.sources.get(key)
        if before is None:
            self._journal.append("source_opened", record)
            self._state.sources[key] = record
        elif (before["kind"], before["size"]) != (record["kind"], record["size"]):
            self._cover(
                key, "", "source", Status.FAILED, "the source is not the one this case was begun with: its kind or size has changed"
            )

    def _encrypted(self, key: str, volume: dict[str, Any]) -> None:
        name = volume["label"] or volume["description"] or f"volume {volume['id']}"
        state = "unlocked" if volume["unlocked"] else "unknown" if "possible" in volume["encrypted"] else "locked"
        item = EncryptedItem(
            kind=f"{volume['encrypted']} volume", path=name, state=state,
            detail=volume["reason"] or None, locator=f"offset={volume['offset']}",
        )  # fmt: skip
        self._observation(observation_json(item, source=key, volume=volume["id"], path="", parser="volumes/1"))

    # --- what workers say --------------------------------------------------------------------------------------------------------

    def _task(self, head: dict[str, Any], body: bytes = b"", *, note: Any) -> Task:
        return Task(next(self._task_ids), json.dumps(head).encode() + b"\n" + body, note)

    def _drive(
        self,
        pool: Pool,
        queue: deque[Task] | None,
        on_done: Callable[[Task, dict[str, Any]], None],
        on_death: Callable[[Task, Death], None],
        on_message: Callable[[Message], None] | None = None,
        *,
        next_task: Callable[[], Task | None] | None = None,
        tick: Callable[[], None] | None = None,
    ) -> None:
        """Keep the workers busy until there is nothing left. Raises ``TimeUp`` at the deadline."""
        take = next_task or (lambda: queue.popleft() if queue else None)
        while True:
            self._listen(pool)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                raise TimeUp
            task = None
            while pool.idle and (task := take()) is not None:
                death = pool.submit(task)
                if death is not None:
                    on_death(task, death)
            if task is None and not pool.busy:
                return
            for event in pool.events(TICK):
                if isinstance(event, Death):
                    on_death(event.task, event)
                elif event.kind == DONE:
                    head, _, body = event.payload.partition(b"\n")
                    on_done(event.task, {**json.loads(head), "body": body})
                elif event.kind == RECORD:
                    self._record(event.payload)
                elif event.kind == FINDING:
                    self._finding(Finding.from_json(json.loads(event.payload)))
                elif event.kind == ENTRIES and on_message is not None:
                    on_message(event)
            if tick is not None:
                tick()

    def _listen(self, pool: Pool) -> None:
        """Do what the operator asks for. Raises ``Stopped``."""
        control = self._control
        self._take_notes(control.taken())
        if control.paused and not control.stopped:
            clock = time.monotonic()
            pool.pause()
            self._take_notes([("paused", "")])
            self._journal.flush(durable=True)
            control.holding = True
            while control.paused and not control.stopped:
                time.sleep(TICK)
                self._take_notes(control.taken())
            control.holding = False
            pool.resume()
            self._take_notes([("went on", "")])
            lasted = time.monotonic() - clock
            self._timings["paused"] += lasted
            control.waited += lasted
            if self._deadline is not None:
                self._deadline += lasted
        if control.stopped:
            raise Stopped

    def _take_notes(self, notes: Iterable[tuple[str, str]]) -> None:
        taken = False
        for action, text in notes:
            self._journal.append("operator", {"action": action, "text": text})
            taken = True
        if taken:
            self._journal.flush(durable=True)

    def _record(self, payload: bytes) -> None:
        kind, _, body = payload.partition(b"\0")
        data = decode(body)
        if kind == b"observation":
            if self._state.new_observation(data):
                self._journal.append_encoded("observation", body)
        elif kind == b"coverage" and self._state.new_problem(data):
            self._journal.append_encoded("coverage", body)

    def _observation(self, data: dict[str, Any]) -> None:
        if self._state.new_observation(data):
            self._journal.append("observation", data)
        self._judge(data)

    def _drawn(self, data: dict[str, Any]) -> None:
        """Journal an observation that was drawn from others, unless an earlier attempt drew the same, and judge it."""
        if data["id"] not in self._state.seen:
            self._state.seen.add(data["id"])
            self._journal.append("observation", data)
        self._judge(data)

    def _judge(self, data: dict[str, Any]) -> None:
        for finding in self._engine.consider(data):
            self._finding(finding)

    def _finding(self, finding: Finding) -> None:
        changed = self._state.book.add(finding)
        if changed is not None:
            self._journal_finding(changed)

    def _journal_finding(self, finding: Finding) -> None:
        data = finding.to_json()
        self._journal.append("finding", data)
        if finding.indicates not in ("found", "refer") or finding.id in self._alerted:
            return
        self._alerted.add(finding.id)
        if self._first_alert is None:
            self._first_alert = time.monotonic() - self._started
        self._journal.flush(durable=True)
        self._progress.alert(data)

    def _cover(self, source: str, volume: str, what: str, status: Status, reason: str, *, size: int = 0, count: int = 1) -> None:
        self._state.tally.add(source, volume, [[what, status.value, reason, count, size]])

    # --- the end -----------------------------------------------------------------------------------------------------------------

    def _finish(self, complete: bool, reason: str) -> list[Finding]:
        while self._control.writing and not self._control.stopped:
            time.sleep(TICK)
        self._take_notes(self._control.close())
        for finding in self._state.book.due():
            self._journal_finding(finding)
        for record in self._state.tally.records():
            status = Status(record["status"])
            # A rule that leaves out a whole class says so in its total and is no gap; a single file that was too large for it is one.
            self._gaps |= status.is_gap or (status is Status.SKIPPED and not record["reason"])
            self._journal.append("coverage", record)
        self._timings["total"] = time.monotonic() - self._started
        if self._first_alert is not None:
            self._timings["first_alert"] = self._first_alert
        for name in sorted(self._timings):
            self._journal.append("timing", {"name": name, "seconds": round(self._timings[name], 3)})
        self._journal.append("scan_finished", {"complete": complete, "reason": reason})
        self._journal.checkpoint_now()
        return list(self._state.book.final())
