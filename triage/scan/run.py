"""A scan from beginning to end: open the sources, list their files, read them in the order of the plan, journal everything as it comes.

The parent process below touches no evidence itself: opening, walking and reading happen in disposable workers.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.registry import all_artefacts
from triage.evidence.model import volume_order
from triage.journal import LISTING_COLUMNS, encode
from triage.scan import classify
from triage.scan.emit import observation_json
from triage.scan.examination import FINISHED, TRIES_HUNG, Examination, Stopped, TimeUp, hung, may_try_again
from triage.scan.inspect import CARVING, UNALLOCATED
from triage.scan.inspect.item import READ
from triage.scan.plan import Batch, Plan
from triage.scan.pool import Death, Message, Pool, Task
from triage.scan.scope import OUTSIDE
from triage.scan.worker import main

SPARED = "access times were spared, except those of symbolic links: no system lets a link be read without"
FREE_SPACE = "free space and journals"
"""What free_space.py and the journals of file systems are called in coverage."""
CONCLUSIONS = "conclusions from all records together"
"""What conclude.py is called in coverage."""
DISKS = "virtual disks"
"""What the opening of virtual disks inside volumes is called in coverage."""
Link = tuple[str, str, str, str]
"""How a volume lies in a file of another: ``backup`` or ``disk``, the outer volume, the path there, and what the ids of its volumes begin with."""
CAREFUL_AFTER = 2
"""Deaths of the fast reader of a file system after which The Sleuth Kit takes the volume over."""


@dataclass(slots=True)
class _Walk:
    source: str
    volume: str
    frames: list[bytes] = field(default_factory=list)
    tries: int = 0


@dataclass(slots=True)
class _Disk:
    """A virtual disk that is a file of a walked volume."""

    walk: _Walk
    link: Link
    tries: int = 0

    @property
    def source(self) -> str:
        return self.walk.source

    @property
    def volume(self) -> str:
        return self.walk.volume

    @property
    def path(self) -> str:
        return self.link[2]


@dataclass(slots=True)
class _Inspection:
    batch: Batch
    avoid: dict[int, tuple[int, str]] = field(default_factory=dict)
    suspects: set[int] = field(default_factory=set)
    tries: int = 0


class Scan(Examination):
    """One attempt at a scan: open, list, plan, read."""

    MAIN = staticmethod(main)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._plan = Plan()
        self._walked_all = True
        self._careful: set[tuple[str, str]] = set()
        self._inside: dict[tuple[str, str], list[Link]] = {}
        """For volumes that lie in files of another: the way to them, by source and volume."""
        self._disk_volumes: set[tuple[str, str]] = set()
        """Volumes on virtual disks: they have space of their own, even where the source is a folder."""
        self._touched: set[str] = set()
        """Sources of which it has been journalled that access times could not be spared."""
        self._batches: deque[Batch] = deque()
        self._running: list[_Inspection] = []

    def _work(self, pool: Pool) -> None:
        all_artefacts()  # needed at the end, and loaded now, while the first worker starts
        volumes = self._open(pool)
        self._list_running()
        self._walk(pool, volumes)
        self._batches.extend(self._plan_batches())
        self._read(pool, self._batches, self._running)
        self._look_at_space(pool, volumes)
        self._search_unallocated(pool, volumes)
        self._carve(pool, volumes)

    def _conclude(self, complete: bool, reason: str) -> bool:
        self._left_over([item.batch for item in self._running] + list(self._batches), reason)
        self._missing_artefacts(complete)
        self._draw(complete, reason)
        return complete

    def _task(self, head: dict[str, Any], body: bytes = b"", *, note: Any) -> Task:
        chain = self._inside.get((head["source"], head.get("volume", "")))
        return super()._task(head if chain is None else {"inside": chain, **head}, body, note=note)

    def _list_running(self) -> None:
        """The programs that run now, under the first source that is a drive of the running computer."""
        source = next((key for key, item in self._setup.sources.items() if item.live), None)
        if source is None:
            return
        from triage.evidence import live_windows
        from triage.scan import running

        excluded = {name.lower() for name in self._setup.exclude_users}
        count = left_out = 0
        for item in running.running():
            if isinstance(item, Problem):
                self._cover(source, "", running.WHAT, item.status, item.reason)
            elif (getattr(item, "user", None) or "").rpartition("\\")[2].lower() in excluded or not self._setup.dates.record(item):
                left_out += 1
            else:
                count += 1
                self._observation(observation_json(item, source=source, volume="", path="", parser=running.PARSER))
        self._cover(source, "", running.WHAT, Status.PARSED if count else Status.EMPTY, "", count=max(count, 1))
        if left_out:
            self._cover(source, "", running.WHAT, Status.SKIPPED, "of users or dates that are out of scope", count=left_out)
        for mounted in live_windows.mounted_containers():
            if isinstance(mounted, Problem):
                self._cover(source, "", live_windows.WHAT, mounted.status, mounted.reason)
            else:
                self._observation(observation_json(mounted, source=source, volume="", path="", parser=live_windows.PARSER))

    # --- walking -----------------------------------------------------------------------------------------------------------------

    def _walk(self, pool: Pool, volumes: list[tuple[str, str]]) -> None:
        self._progress.phase("walk")
        clock = time.monotonic()
        walks = [_Walk(source, volume) for source, volume in volumes]

        def task_of(walk: _Walk) -> Task:
            careful = (walk.source, walk.volume) in self._careful
            return self._task({"do": "walk", "source": walk.source, "volume": walk.volume, "careful": careful}, note=walk)

        queue = deque(task_of(walk) for walk in walks)

        def inner(walk: _Walk, volume: dict[str, Any], link: Link) -> bool:
            """Notes a volume that lies in a file of the walked one; whether it has a file system, whose walk is then queued."""
            self._inside[walk.source, volume["id"]] = [*self._inside.get((walk.source, walk.volume), ()), link]
            if not self._found_volume(walk.source, volume):
                return False
            walks.append(_Walk(walk.source, volume["id"]))
            queue.append(task_of(walks[-1]))
            return True

        def disk_done(disk: _Disk, result: dict[str, Any]) -> None:
            for status, reason, locator in result["problems"]:
                self._cover(
                    disk.source, disk.volume, DISKS, Status(status), f"{disk.path}: {reason}" + (f" ({locator})" if locator else "")
                )
            for volume in result["volumes"]:
                if inner(disk.walk, volume, disk.link):
                    volumes.append((disk.source, volume["id"]))
                    self._disk_volumes.add((disk.source, volume["id"]))

        def on_done(task: Task, result: dict[str, Any]) -> None:
            if isinstance(task.note, _Disk):
                disk_done(task.note, result)
                return
            walk: _Walk = task.note
            self._state.tally.add(walk.source, walk.volume, result["coverage"])
            if result.get("failed"):
                self._walked_all = False
            for backup in result.get("backups", ()):
                inner(walk, backup["volume"], ("backup", walk.volume, backup["folder"], ""))
            for path, prefix in result.get("disks", ()):
                queue.append(disk_task(_Disk(walk, ("disk", walk.volume, path, prefix))))
            if result.get("noatime") is not None:
                spared = result["noatime"]
                self._touch(walk.source, SPARED if spared else "this system does not let us read without setting access times")
                if not spared:
                    self._touched.add(walk.source)

        def disk_task(disk: _Disk) -> Task:
            chain = [*self._inside.get((disk.source, disk.volume), ()), disk.link]
            careful = (disk.source, disk.volume) in self._careful
            return self._task({"do": "disk", "source": disk.source, "volume": disk.volume, "inside": chain, "careful": careful}, note=disk)

        def on_death(task: Task, death: Death) -> None:
            if isinstance(task.note, _Disk):
                disk = task.note
                disk.tries += 1
                if disk.tries < TRIES_HUNG:
                    queue.append(disk_task(disk))
                else:
                    self._cover(disk.source, disk.volume, DISKS, Status.FAILED, f"{disk.path}: {death.reason}")
                return
            walk: _Walk = task.note
            walk.tries += 1
            if may_try_again(walk.tries, death):
                walk.frames.clear()
                if (hung(death) or walk.tries >= CAREFUL_AFTER) and (walk.source, walk.volume) not in self._careful:
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
        except (TimeUp, Stopped):
            self._walked_all = False
            for task in queue:
                what, why = (DISKS, f"{task.note.path}: not opened") if isinstance(task.note, _Disk) else ("file system", "not listed")
                self._cover(task.note.source, task.note.volume, what, Status.OUT_OF_TIME, why)
            for walk in walks:
                if walk.frames:
                    self._cover(walk.source, walk.volume, "file system", Status.OUT_OF_TIME, "not listed to the end")
            raise
        sources = list(self._setup.sources)
        for walk in sorted(walks, key=lambda walk: (sources.index(walk.source), volume_order(walk.volume))):
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
            return may_try_again(inspection.tries, death)
        if not hung(death) and death.item not in inspection.suspects:
            inspection.suspects.add(death.item)
            return True
        stage, _ = inspection.avoid.get(death.item, (death.stage + 1, ""))
        if stage <= READ and death.item in inspection.avoid:
            return False
        inspection.avoid[death.item] = (max(READ, min(stage - 1, death.stage or READ)), death.reason)
        return True

    def _touch(self, source: str, why: str) -> None:
        self._journal.append("touch", {"what": f"read the files of {self._setup.sources[source].path}", "why": why})

    def _batch_done(self, batch: Batch, result: dict[str, Any]) -> None:
        if result["noatime"] is False and batch.source not in self._touched:
            self._touched.add(batch.source)
            self._touch(batch.source, "this system does not let us read some of them without setting access times")
        record = {
            "source": batch.source, "volume": batch.volume, "class": classify.CLASSES[batch.cls], "batch": batch.key, "files": batch.files,
            "bytes": batch.size, "coverage": result["coverage"], "columns": list(LISTING_COLUMNS),
        }  # fmt: skip
        self._journal.append_encoded("listing", encode(record)[:-1] + b',"rows":' + result["body"] + b"}")
        conclusions = self._state.conclusions
        rows = json.loads(result["body"]) if conclusions is not None and conclusions.wants_listing else []
        self._state.batch_done({**record, "rows": rows})
        for name, seconds in result["timings"].items():
            self._timings[name] += seconds

    # --- what no file holds ------------------------------------------------------------------------------------------------------

    def _search_unallocated(self, pool: Pool, volumes: list[tuple[str, str]]) -> None:
        """Keywords in unallocated space and slack, volume by volume: last, since it reads each volume once more."""
        disks = self._disks(volumes)
        if not self._setup.has_words:
            return
        if not self._setup.profile.every_byte:
            for place in disks:
                reason = f"the profile {self._setup.profile.name} does not look for keywords in space that no file uses"
                self._cover(*place, UNALLOCATED, Status.SKIPPED, reason)
            return
        self._whole_volumes(pool, disks, "unallocated", UNALLOCATED)

    def _carve(self, pool: Pool, volumes: list[tuple[str, str]]) -> None:
        """Pictures and videos in space that no file uses: the last of all, since nothing says whose they were."""
        profile, disks = self._setup.profile, self._disks(volumes)
        if not self._setup.checks_content or not disks:
            return
        spare = profile.carve == "in time left"
        if profile.carve == "never" or (spare and self._deadline is None):
            reason = f"the profile {profile.name} looks for pictures in space that no file uses {profile.carve}"
            for place in disks:
                self._cover(*place, CARVING, Status.SKIPPED, reason)
            return
        self._whole_volumes(pool, disks, "carve", CARVING, spare=spare)

    def _disks(self, volumes: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The volumes that have space of their own: folders have files only."""
        return [
            place for place in volumes if place in self._disk_volumes or self._state.sources[place[0]]["kind"] not in ("folder", "live")
        ]

    def _look_at_space(self, pool: Pool, volumes: list[tuple[str, str]]) -> None:
        """What the free space is filled with, by samples, and the names that only the file system's own journal still holds."""
        if not self._setup.profile.samples_space:
            return
        disks = self._disks(volumes)
        self._whole_volumes(pool, disks, "space", FREE_SPACE)

    def _whole_volumes(self, pool: Pool, disks: list[tuple[str, str]], do: str, what: str, *, spare: bool = False) -> None:
        """A task for each volume that is not done yet, which tells in its result how many bytes (``size``) it looked at. ``spare``: it was
        promised for the time that is left only, and is no gap where none is."""
        left = {place: f"{what} {place[0]} {place[1]}" for place in disks}
        left = {place: key for place, key in left.items() if key not in self._state.batches_done}
        tried: set[tuple[str, str]] = set()

        def task_of(place: tuple[str, str]) -> Task:
            head = {"do": do, "source": place[0], "volume": place[1], "careful": place in self._careful}
            return self._task(head, note=place)

        def on_done(task: Task, result: dict[str, Any]) -> None:
            record = {
                "source": task.note[0], "volume": task.note[1], "class": what, "batch": left.pop(task.note), "files": 0,
                "bytes": result["size"], "coverage": result["coverage"], "columns": list(LISTING_COLUMNS), "rows": [],
            }  # fmt: skip
            self._journal.append("listing", record)
            self._state.batch_done(record)

        def on_death(task: Task, death: Death) -> None:
            if task.note not in tried:
                tried.add(task.note)
                queue.append(task_of(task.note))
                return
            source, volume = task.note
            del left[task.note]
            self._cover(source, volume, what, Status.FAILED, f"{death.reason}: it was not searched to the end")

        self._progress.phase(do)
        clock = time.monotonic()
        queue = deque(task_of(place) for place in left)
        try:
            self._drive(pool, queue, on_done, on_death)
        except (TimeUp, Stopped) as end:
            for place in left:
                if spare:
                    self._cover(*place, what, Status.SKIPPED, "not searched to the end: only the time that was left was to be spent on it")
                else:
                    self._cover(*place, what, Status.OUT_OF_TIME, "not searched to the end")
            if isinstance(end, Stopped) or not spare:
                raise
        finally:
            self._timings[do] += time.monotonic() - clock

    # --- the end -----------------------------------------------------------------------------------------------------------------

    def _left_over(self, batches: list[Batch], reason: str) -> None:
        for batch in batches:
            what = f"files: {classify.CLASSES[batch.cls]}"
            self._cover(batch.source, batch.volume, what, Status.OUT_OF_TIME, f"not read: {reason}", size=batch.size, count=batch.files)

    def _draw(self, complete: bool, reason: str) -> None:
        """Draw the conclusions anew: what an earlier attempt concluded from less, and does not follow any more, is taken back."""
        conclusions = self._state.conclusions
        if conclusions is None:
            return
        clock = time.monotonic()
        complete = complete and self._walked_all
        standing = set()
        for item in conclusions.draw(complete=complete):
            if isinstance(item, dict) and not self._setup.dates.journalled(item):
                self._cover("", "", CONCLUSIONS, Status.SKIPPED, OUTSIDE)
            elif isinstance(item, dict):
                standing.add(item["id"])
                self._drawn(item)
            else:
                name, problem = item
                self._cover("", "", CONCLUSIONS, problem.status, f"{name}: {problem.reason}")
        stale = sorted(self._state.drawn - standing)
        unfounded = self._state.book.unfounded()
        if stale or unfounded:
            why = "drawn before everything was read that is known now"
            self._journal.append("withdrawn", {"observations": stale, "findings": unfounded, "reason": why})
            self._state.book.withdrawn(unfounded)
        if self._setup.dates:
            self._cover("", "", CONCLUSIONS, Status.SKIPPED, "records outside the dates of the visit were not there to draw from")
        if not complete:
            why = reason if reason != FINISHED else "not every file could be listed"
            self._cover("", "", CONCLUSIONS, Status.OUT_OF_TIME, f"drawn from what was read until then: {why}")
        else:
            # Without this line nothing tells conclusions that found nothing from conclusions that were never drawn.
            self._cover("", "", CONCLUSIONS, Status.PARSED if standing else Status.EMPTY, "", count=max(1, len(standing)))
        self._timings["conclude"] += time.monotonic() - clock

    def _missing_artefacts(self, complete: bool) -> None:
        if not complete or not self._walked_all:
            return
        met = {(source, what) for source, _, what, _, _ in self._state.tally.counts}
        for source in self._setup.sources:
            for artefact in all_artefacts():
                if (source, artefact.id) not in met:
                    self._cover(source, "", artefact.id, Status.MISSING, "no such file was found")
