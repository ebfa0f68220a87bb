"""A scan from beginning to end: open the sources, list their files, read them in the order of the plan, journal everything as it comes.

The parent process below touches no evidence itself: opening, walking and reading happen in disposable workers.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Status
from artefacts.observations import EncryptedItem
from artefacts.registry import all_artefacts
from triage.findings import Finding, FindingEngine
from triage.journal import LISTING_COLUMNS, Journal, encode
from triage.scan import classify
from triage.scan.emit import ENTRIES, FINDING, RECORD, observation_json
from triage.scan.inspect import READ
from triage.scan.plan import Batch, Plan
from triage.scan.pool import DONE, Death, Message, Pool, Task
from triage.scan.progress import Progress
from triage.scan.setup import Setup
from triage.scan.state import State
from triage.scan.worker import HASH_SOURCE_UP_TO, main

TICK = 0.2
TRIES = 3
"""How often a task is tried again when its worker dies for no reason of the task's own."""


@dataclass(slots=True)
class Outcome:
    """How a scan ended. ``complete``: everything planned was looked at; ``gaps``: some of it could not be read."""

    complete: bool
    gaps: bool
    reason: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Walk:
    source: str
    volume: str
    frames: list[bytes] = field(default_factory=list)
    tries: int = 0


@dataclass(slots=True)
class _Inspection:
    batch: Batch
    avoid: dict[int, tuple[int, str]] = field(default_factory=dict)
    suspects: set[int] = field(default_factory=set)
    tries: int = 0


class _TimeUp(Exception):
    pass


class _Stopped(Exception):
    pass


class Scan:
    """One attempt at a scan. ``state`` holds what earlier attempts on the same case did."""

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
    ) -> None:
        self._setup, self._journal, self._state, self._engine, self._progress = setup, journal, state, engine, progress
        self._workers = workers
        self._deadline = deadline
        self._hash_sources = hash_sources
        self._started = time.monotonic()
        self._timings: defaultdict[str, float] = defaultdict(float)
        self._first_alert: float | None = None
        self._plan = Plan()
        self._task_ids = iter(range(1 << 62))
        self._gaps = False
        self._walked_all = True
        self._careful: set[tuple[str, str]] = set()
        self._alerted: set[str] = set()
        self._stop = False

    def request_stop(self) -> None:
        """End in good order as soon as possible. Safe to call from a signal handler."""
        self._stop = True

    def run(self) -> Outcome:
        """Scan, then write the totals. Raises ``OSError`` where the case folder can no longer be written."""
        complete, reason = True, "finished"
        for finding in self._state.book.due():  # made before a kill, and not journalled any more
            self._journal_finding(finding)
        pool = Pool(self._workers, main, self._setup.encode())
        batches: deque[Batch] = deque()
        running: list[_Inspection] = []
        try:
            volumes = self._open(pool)
            self._walk(pool, volumes)
            batches.extend(self._plan_batches())
            self._read(pool, batches, running)
        except _TimeUp:
            complete, reason = False, "the time allowed ran out"
        except _Stopped:
            complete, reason = False, "stopped by the operator"
        finally:
            pool.close()
        self._left_over([item.batch for item in running] + list(batches), reason)
        findings = self._finish(complete, reason)
        return Outcome(complete, self._gaps or not complete, reason, findings)

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
            if tries[task.note] < TRIES:
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
        walks = []
        for volume in facts["volumes"]:
            problems = volume.pop("problems")
            if (key, volume["id"]) not in self._state.volumes:
                self._journal.append("volume", {"source": key, **volume})
                self._state.volumes.add((key, volume["id"]))
            for status, reason, locator in problems:
                self._cover(key, volume["id"], "volume", Status(status), f"{reason} ({locator})" if locator else reason)
            if volume["encrypted"]:
                self._encrypted(key, volume)
            if volume["status"] == Status.PARSED.value:
                walks.append((key, volume["id"]))
            else:
                self._cover(key, volume["id"], "volume", Status(volume["status"]), volume["reason"], size=volume["length"])
        return walks

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
        item = EncryptedItem(
            kind=f"{volume['encrypted']} volume", path=name, state="unlocked" if volume["unlocked"] else "locked",
            detail=volume["reason"] or None, locator=f"offset={volume['offset']}",
        )  # fmt: skip
        self._observation(observation_json(item, source=key, volume=volume["id"], path="", parser="volumes/1"))

    # --- walking -----------------------------------------------------------------------------------------------------------------

    def _walk(self, pool: Pool, volumes: list[tuple[str, str]]) -> None:
        self._progress.phase("walk")
        clock = time.monotonic()
        walks = [_Walk(source, volume) for source, volume in volumes]

        def task_of(walk: _Walk) -> Task:
            careful = (walk.source, walk.volume) in self._careful
            return self._task({"do": "walk", "source": walk.source, "volume": walk.volume, "careful": careful}, note=walk)

        queue = deque(task_of(walk) for walk in walks)

        def on_done(task: Task, result: dict[str, Any]) -> None:
            walk: _Walk = task.note
            self._state.tally.add(walk.source, walk.volume, result["coverage"])
            if result.get("failed"):
                self._walked_all = False
            if result.get("noatime") is not None:
                why = "access times were spared" if result["noatime"] else "this system does not let us read without setting access times"
                self._journal.append("touch", {"what": f"read the files of {self._setup.sources[walk.source].path}", "why": why})

        def on_death(task: Task, death: Death) -> None:
            walk: _Walk = task.note
            walk.tries += 1
            if walk.tries < TRIES:
                walk.frames.clear()
                if walk.tries == TRIES - 1:
                    self._careful.add((walk.source, walk.volume))
                    why = f"the fast reader failed on this volume ({death.reason}): The Sleuth Kit reads it instead"
                    self._cover(walk.source, walk.volume, "file system", Status.FAILED, why)
                queue.appendleft(task_of(walk))
                return
            self._walked_all = False
            self._cover(walk.source, walk.volume, "file system", Status.FAILED, f"{death.reason}: what was listed until then is used")

        def on_message(message: Message) -> None:
            message.task.note.frames.append(message.payload)
            self._progress.update(files=sum(int.from_bytes(f[:4], "little") for w in walks for f in w.frames[-1:]), size=0)

        try:
            self._drive(pool, queue, on_done, on_death, on_message)
        except (_TimeUp, _Stopped):
            self._walked_all = False
            for task in queue:
                self._cover(task.note.source, task.note.volume, "file system", Status.OUT_OF_TIME, "not listed")
            for walk in walks:
                if walk.frames:
                    self._cover(walk.source, walk.volume, "file system", Status.OUT_OF_TIME, "not listed to the end")
            raise
        for walk in walks:
            for frame in walk.frames:
                self._plan.add(walk.source, walk.volume, frame)
        self._timings["enumerate"] += time.monotonic() - clock

    def _plan_batches(self) -> Iterator[Batch]:
        clock = time.monotonic()
        self._plan.mark_recent()
        wanted = self._setup.profile.classes
        for (source, volume, cls), (files, size) in sorted(self._plan.totals().items()):
            if classify.CLASSES[cls] not in wanted and files:
                reason = f"the profile {self._setup.profile.name} does not read {classify.TITLES[classify.CLASSES[cls]]}"
                self._state.tally.add(source, volume, [[f"files: {classify.CLASSES[cls]}", Status.SKIPPED.value, reason, files, size]])
        for batch in self._plan.batches(wanted):
            if batch.key not in self._state.batches_done:
                yield batch
        self._timings["plan"] += time.monotonic() - clock

    # --- reading -----------------------------------------------------------------------------------------------------------------

    def _read(self, pool: Pool, batches: deque[Batch], running: list[_Inspection]) -> None:
        total_files = sum(batch.files for batch in batches)
        self._progress.phase("read", files=total_files, size=sum(batch.size for batch in batches))
        clock = time.monotonic()
        again: deque[_Inspection] = deque()
        before = pool.bytes_read
        done_files = 0

        def next_task() -> Task | None:
            if again:
                return self._inspect_task(again.popleft())
            if batches:
                inspection = _Inspection(batches.popleft())
                running.append(inspection)
                return self._inspect_task(inspection)
            return None

        def on_done(task: Task, result: dict[str, Any]) -> None:
            nonlocal done_files
            inspection: _Inspection = task.note
            running.remove(inspection)
            done_files += inspection.batch.files
            self._batch_done(inspection.batch, result)

        def on_death(task: Task, death: Death) -> None:
            inspection: _Inspection = task.note
            if self._blame(inspection, death):
                again.append(inspection)
            else:
                running.remove(inspection)
                batch = inspection.batch
                self._cover(
                    batch.source, batch.volume, f"files: {classify.CLASSES[batch.cls]}", Status.FAILED,
                    f"{death.reason}: {batch.files} files were not examined", size=batch.size, count=batch.files,
                )  # fmt: skip

        def tick() -> None:
            self._progress.update(files=done_files, size=pool.bytes_read - before)

        try:
            self._drive(pool, None, on_done, on_death, next_task=next_task, tick=tick)
        finally:
            self._timings["read"] += time.monotonic() - clock

    def _inspect_task(self, inspection: _Inspection) -> Task:
        batch = inspection.batch
        careful = (batch.source, batch.volume) in self._careful
        head = {"do": "inspect", "source": batch.source, "volume": batch.volume, "class": batch.cls, "careful": careful}
        if inspection.avoid:
            head["avoid"] = {str(key): value for key, value in inspection.avoid.items()}
        return self._task(head, batch.entries, note=inspection)

    def _blame(self, inspection: _Inspection, death: Death) -> bool:
        """Decide what to leave out of a batch whose worker died; False to give the batch up.

        A worker can be killed by chance: the file it was at is tried once more before it is blamed. A file that is blamed is done again
        without the stage that went wrong, and if that does not help, not read at all.
        """
        if death.item < 0:
            inspection.tries += 1
            return inspection.tries < TRIES
        hung = not death.reason.startswith("the reader")
        if not hung and death.item not in inspection.suspects:
            inspection.suspects.add(death.item)
            return True
        stage, _ = inspection.avoid.get(death.item, (death.stage + 1, ""))
        if stage <= READ and death.item in inspection.avoid:
            return False
        inspection.avoid[death.item] = (max(READ, min(stage - 1, death.stage or READ)), death.reason)
        return True

    def _batch_done(self, batch: Batch, result: dict[str, Any]) -> None:
        record = {
            "source": batch.source, "volume": batch.volume, "class": classify.CLASSES[batch.cls], "batch": batch.key, "files": batch.files,
            "bytes": batch.size, "coverage": result["coverage"], "columns": list(LISTING_COLUMNS),
        }  # fmt: skip
        self._journal.append_encoded("listing", encode(record)[:-1] + b',"rows":' + result["body"] + b"}")
        self._state.batch_done(record)
        for name, seconds in result["timings"].items():
            self._timings[name] += seconds

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
        """Keep the workers busy until there is nothing left. Raises ``_TimeUp`` at the deadline."""
        take = next_task or (lambda: queue.popleft() if queue else None)
        while True:
            if self._stop:
                raise _Stopped
            if self._deadline is not None and time.monotonic() >= self._deadline:
                raise _TimeUp
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

    def _record(self, payload: bytes) -> None:
        kind, _, body = payload.partition(b"\0")
        data = json.loads(body)
        if kind == b"observation":
            if self._state.new_observation(data):
                self._journal.append_encoded("observation", body)
        elif kind == b"coverage" and self._state.new_problem(data):
            self._journal.append_encoded("coverage", body)

    def _observation(self, data: dict[str, Any]) -> None:
        if self._state.new_observation(data):
            self._journal.append("observation", data)
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

    def _left_over(self, batches: list[Batch], reason: str) -> None:
        for batch in batches:
            what = f"files: {classify.CLASSES[batch.cls]}"
            self._cover(batch.source, batch.volume, what, Status.OUT_OF_TIME, f"not read: {reason}", size=batch.size, count=batch.files)

    def _missing_artefacts(self, complete: bool) -> None:
        if not complete or not self._walked_all:
            return
        met = {(source, what) for source, _, what, _, _ in self._state.tally.counts}
        for source in self._setup.sources:
            for artefact in all_artefacts():
                if (source, artefact.id) not in met:
                    self._cover(source, "", artefact.id, Status.MISSING, "no such file was found")

    def _finish(self, complete: bool, reason: str) -> list[Finding]:
        self._missing_artefacts(complete)
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
