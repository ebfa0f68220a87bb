"""The worker's side of a scan: opens sources, walks file systems, inspects batches. It never writes anything but frames to the parent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from artefacts.coverage import Problem, Status
from triage.evidence.model import Entry, Filesystem, Source, Volume
from triage.journal import encode
from triage.scan import classify
from triage.scan.emit import Emitter
from triage.scan.plan import Row, pack_chunk
from triage.scan.pool import Pulse
from triage.scan.setup import Setup
from triage.scan.shadow import SCHEME, only_here

if TYPE_CHECKING:
    from triage.scan.software import FileTraces

MAX_BACKUPS = 100
"""Phone backups on one volume that are opened."""
MAX_DISKS = 64
"""Virtual disks on one volume that are opened."""
DEEPEST_DISK = 2
"""A virtual disk on a virtual disk is opened, one on that is not."""
_BACKUP_INSIDE, _DISK_INSIDE = "backup", "disk"
_BACKUP = "/Manifest.db"
HASH_SOURCE_UP_TO = 256 << 20
"""Sources up to this size are hashed when they are opened; larger ones only on request."""


def main(connection: Connection, pulse: Pulse, setup_data: bytes) -> None:
    """Answer the tasks of a scan until the parent closes the pipe."""
    serve(connection, _Scanner(Setup.decode(setup_data), Emitter(connection), pulse))


def serve(connection: Connection, worker: Worker) -> None:
    """Answer tasks with the worker's methods ``do_…`` until the parent closes the pipe."""
    while True:
        if not connection.poll():
            worker.warm()
        task = connection.recv_bytes()
        head, _, body = task.partition(b"\n")
        order = json.loads(head)
        worker.emit.start(order["source"], order.get("volume", ""))
        try:
            getattr(worker, f"do_{order['do']}")(order, body)
        except (EOFError, BrokenPipeError):
            raise
        except Exception as error:
            worker.emit.failed(f"the reader failed ({type(error).__name__}: {error})")


class Worker:
    """Opens and hashes sources. What is done with them belongs to subclasses."""

    def __init__(self, setup: Setup, emit: Emitter, pulse: Pulse) -> None:
        self.setup, self.emit, self.pulse = setup, emit, pulse
        self._sources: dict[str, Source] = {}
        self._filesystems: dict[tuple[str, str, bool], Filesystem] = {}
        self._disks: dict[tuple[str, str], Source] = {}
        self._errors_told: dict[int, int] = {}

    @property
    def reads_shadows(self) -> bool:
        """Whether shadow copies are volumes to be read."""
        return False

    def warm(self) -> None:
        """Called while there is nothing to do: load now what the first file would have to wait for."""

    def _source(self, source_id: str) -> Source:
        if source_id not in self._sources:
            from triage.evidence.sources import Secret, open_source

            item = self.setup.sources[source_id]
            secrets = [Secret(kind, value) for kind, value in item.secrets]
            self._sources[source_id] = open_source(item.path, secrets=secrets, live=item.live, shadows=self.reads_shadows)
        return self._sources[source_id]

    def _disk(self, order: dict[str, Any]) -> Source:
        """The virtual disk that the volume of an order lies on: the last link of its chain ``inside``."""
        from triage.evidence.sources import Secret, open_inside

        *chain, (_, outer, path, prefix) = order["inside"]
        key = (order["source"], prefix)
        if key not in self._disks:
            careful = order.get("careful", False)
            filesystem = self._filesystem({"source": order["source"], "volume": outer, "careful": careful, "inside": chain})
            secrets = [Secret(kind, value) for kind, value in self.setup.sources[order["source"]].secrets]
            self._disks[key] = open_inside(filesystem, path, prefix=prefix, secrets=secrets, shadows=self.reads_shadows)
        return self._disks[key]

    def _holder(self, order: dict[str, Any]) -> Source:
        """What the volume of an order lies on: a source, or a virtual disk inside one."""
        chain = order.get("inside")
        return self._disk(order) if chain and chain[-1][0] == _DISK_INSIDE else self._source(order["source"])

    def _volume(self, order: dict[str, Any]) -> Volume:
        return next(volume for volume in self._holder(order).volumes() if volume.id == order["volume"])

    def _filesystem(self, order: dict[str, Any]) -> Filesystem:
        source_id, volume_id, careful = order["source"], order["volume"], order.get("careful", False)
        key = (source_id, volume_id, careful)
        if key not in self._filesystems and is_backup(order):
            from triage.evidence.filesystems.ios_backup import IosBackupFilesystem

            *chain, (_, outer, folder, _) = order["inside"]
            on = self._filesystem({"source": source_id, "volume": outer, "careful": careful, "inside": chain})
            self._filesystems[key] = IosBackupFilesystem(on, folder)
        elif key not in self._filesystems:
            self._filesystems[key] = self._holder(order).filesystem(self._volume(order), careful=careful)
        return self._filesystems[key]

    def do_open(self, order: dict[str, Any], body: bytes) -> None:
        """Say what a source is and which volumes it holds."""
        self.pulse.item(0)
        try:
            source = self._source(order["source"])
        except OSError as error:
            self.emit.done(unreadable=str(error))
            return
        volumes = source.volumes()
        result = {
            "kind": source.kind,
            "path": source.path,
            "size": source.size,
            "files": list(source.files),
            "facts": source.facts,
            "problems": [_problem(item) for item in source.problems],
            "volumes": [_volume_facts(volume) for volume in volumes],
        }
        self._unreadable(order, "source")
        self.emit.done(source=result)

    def do_hash(self, order: dict[str, Any], body: bytes) -> None:
        """SHA-256 of the media's bytes, and whether they still have the MD5 that the container states."""
        import hashlib

        self.pulse.item(0)
        source = self._source(order["source"])
        data = source.bytes
        if data is None:
            self.emit.done(sha256=None)
            return
        digests, offset = [hashlib.sha256(), hashlib.md5(usedforsecurity=False)], 0
        while offset < data.size:
            chunk = data.read_at(offset, 4 << 20)
            if not chunk:
                break
            for digest in digests:
                digest.update(chunk)
            offset += len(chunk)
            self.pulse.item(0)
            self.pulse.beat(len(chunk))
        self._unreadable(order, "source")
        stored = source.facts.get("stored MD5", "").lower()
        if stored and stored != digests[1].hexdigest():
            self.emit.problem(
                "source",
                Status.FAILED,
                "",
                "the content no longer has the MD5 that was stored when the image was made: it is damaged or altered",
            )
        self.emit.done(sha256=None if data.errors else digests[0].hexdigest())

    def _unreadable(self, order: dict[str, Any], what: str) -> None:
        """Say what of the medium could not be read since last asked: it was taken for zeros, and files may be missing for it."""
        holder = self._holder(order)
        data = holder.bytes
        told = self._errors_told.get(id(holder), 0)
        errors = data.errors[told:] if data is not None else []
        if data is None or not errors:
            return
        self._errors_told[id(holder)] = len(data.errors)
        size = sum(error.length for error in errors)
        reason = (
            f"{size} bytes of the medium could not be read and were taken for zeros, the first at {errors[0].offset}: {errors[0].reason}"
        )
        self.emit.problem(what, Status.UNREADABLE, "", reason, size=size)


class _Scanner(Worker):
    def __init__(self, setup: Setup, emit: Emitter, pulse: Pulse) -> None:
        from triage.scan.inspect.inspector import Inspector

        super().__init__(setup, emit, pulse)
        self.inspector = Inspector(setup, emit, pulse)

    @property
    def reads_shadows(self) -> bool:
        return self.setup.profile.shadow_copies

    @cached_property
    def software(self) -> FileTraces:
        from triage.scan.software import FileTraces

        return FileTraces(self.emit)

    def warm(self) -> None:
        self.inspector.warm()

    def do_walk(self, order: dict[str, Any], body: bytes) -> None:
        """Send every entry of a volume, with what the plan needs to know."""
        from triage.evidence.file import user_of
        from triage.scan.noted import PARSER, Noted

        self.pulse.item(0)
        try:
            filesystem = self._filesystem(order)
        except OSError as error:
            self.emit.count("file system", Status.UNRECOGNISED, str(error))
            self.emit.done(entries=0, failed=str(error))
            return
        backup = is_backup(order)
        shadow = not backup and self._volume(order).scheme == SCHEME
        system_volume = classify.holds_system({entry.name for entry in filesystem.children("/")})
        excluded = {name.lower() for name in self.setup.exclude_users}
        dates = self.setup.dates
        self.software.start()
        total = left_out = elsewhere = 0
        backups: list[str] = []
        noted = Noted()
        for chunk in self._entries(order, filesystem):
            rows, lines = [], []
            for entry in chunk:
                if excluded and (user_of(entry.path + "/x") or "").lower() in excluded:
                    left_out += 1
                    continue
                inside = dates.entry(entry)
                if inside:
                    noted.see(entry)
                    self.software.look(entry)
                cls = classify.classify(entry, artefact=bool(self.inspector.artefacts_for(entry)), system_volume=system_volume)
                size = _to_read(entry)
                if entry.path.endswith(_BACKUP) and entry.allocated and not backup and not shadow:
                    backups.append(entry.path)
                if backup and cls != classify.TRACES and size >= 0:
                    elsewhere += 1
                    continue
                rows.append(Row(cls, size if inside else -1, entry.first_offset, entry.modified or 0))
                lines.append(encode(entry.to_wire()))
            total += len(rows)
            self.pulse.item(0)
            if rows:
                self.emit.send_entries(pack_chunk(rows, lines))
        for item in () if shadow else noted.tell(filesystem):
            if isinstance(item, Problem):
                self.emit.count("listing of the volume", item.status, item.reason)
            elif (user_of(item[0].path + "/x") or "").lower() not in excluded and dates.record(item[1]):
                self.inspector.note(*item, PARSER)
        self._unreadable(order, "file system")
        for problem in filesystem.problems[:1000]:
            where = f" ({problem.locator})" if problem.locator else ""
            self.emit.problem("file system", problem.status, "", problem.reason + where)
        if len(filesystem.problems) > 1000:
            self.emit.count("file system", Status.FAILED, f"{len(filesystem.problems) - 1000} more problems")
        self.software.finish()
        if left_out:
            self.emit.count("file system", Status.SKIPPED, "profile of a user who is out of scope", times=left_out)
        self.emit.count("file system", Status.PARSED if total else Status.EMPTY, times=max(total, 1))
        self.emit.count(
            "file system", Status.SKIPPED, "files of a backup that are examined under the names they have on this disk", times=elsewhere
        )
        noatime = getattr(filesystem, "noatime", None)
        self.emit.done(
            entries=total,
            filesystem=filesystem.type,
            label=filesystem.label,
            noatime=noatime,
            backups=self._backups(order, filesystem, backups),
            disks=[] if shadow or backup else self._virtual_disks(order, noted.disks),
        )

    def _backups(self, order: dict[str, Any], filesystem: Filesystem, manifests: list[str]) -> list[dict[str, Any]]:
        """The phone backups whose manifests lie at these paths, as volumes inside this one, each with its folder."""
        from triage.evidence.filesystems.ios_backup import backup_volume

        found: list[dict[str, Any]] = []
        for path in sorted(manifests)[:MAX_BACKUPS]:
            self.pulse.item(0)
            volume = backup_volume(filesystem, path, f"{order['volume']}.b{len(found) + 1}")
            if volume is not None:
                found.append({"folder": path.rpartition("/")[0], "volume": _volume_facts(volume)})
        self.emit.count("phone backup", Status.SKIPPED, f"more than {MAX_BACKUPS} backups", times=max(0, len(manifests) - MAX_BACKUPS))
        return found

    def _virtual_disks(self, order: dict[str, Any], paths: list[str]) -> list[tuple[str, str]]:
        """The virtual disks at these paths that are to be opened, each with what the ids of its volumes begin with."""
        what, count = "virtual disks", len(paths)
        if count and not self.setup.profile.virtual_disks:
            reason = f"the profile {self.setup.profile.name} names virtual disks and does not look into them"
            self.emit.count(what, Status.SKIPPED, reason, times=count)
            return []
        if count and len(order.get("inside", ())) >= DEEPEST_DISK:
            self.emit.count(what, Status.UNREADABLE, "on a virtual disk that is itself on a virtual disk: not looked into", times=count)
            return []
        if count > MAX_DISKS:
            self.emit.count(what, Status.UNREADABLE, f"more than {MAX_DISKS} of them: the rest is not looked into", times=count - MAX_DISKS)
        return [(path, f"{order['volume']}.d{number}.") for number, path in enumerate(paths[:MAX_DISKS], start=1)]

    def do_disk(self, order: dict[str, Any], body: bytes) -> None:
        """Open a virtual disk that is a file of a volume, and say which volumes it holds."""
        self.pulse.item(0)
        disk = self._disk(order)
        self.emit.done(problems=[_problem(item) for item in disk.problems], volumes=[_volume_facts(volume) for volume in disk.volumes()])

    def _entries(self, order: dict[str, Any], filesystem: Filesystem) -> Iterator[list[Entry]]:
        """What is to be planned of a volume: of a shadow copy only what is gone or changed since."""
        volume = None if is_backup(order) else self._volume(order)
        if volume is None or volume.scheme != SCHEME:
            return filesystem.entries()
        return only_here(self._holder(order), volume, filesystem, lambda: self.pulse.item(0))

    def do_inspect(self, order: dict[str, Any], body: bytes) -> None:
        """Inspect a batch of entries."""
        from triage.scan.inspect.inspector import rows_to_entries

        filesystem = self._filesystem(order)
        entries = list(rows_to_entries(body))
        avoid = {int(key): (stage, why) for key, (stage, why) in order.get("avoid", {}).items()}
        rows = self.inspector.batch(filesystem, order["class"], entries, avoid)
        self.pulse.flush()
        self.emit.done(encode(rows), timings=self.inspector.take_timings(), noatime=getattr(filesystem, "noatime", None))

    def do_space(self, order: dict[str, Any], body: bytes) -> None:
        """Sample the free space of a volume, and read its file system's own journal."""
        self.pulse.item(0)
        source = self._holder(order)
        size = 0
        volume = self._volume(order)
        if source.bytes is not None and volume.scheme != SCHEME:
            size = self.inspector.space.volume(self._filesystem(order), source.volume_bytes(volume))
            self._unreadable(order, "free space and journals")
        self.pulse.flush()
        self.emit.done(size=size, timings=self.inspector.take_timings())

    def do_unallocated(self, order: dict[str, Any], body: bytes) -> None:
        """Search what no file of a volume holds."""
        self.pulse.item(0)
        source = self._holder(order)
        volume = self._volume(order)
        if source.bytes is None or volume.scheme == SCHEME:
            self.emit.done(size=0)  # a folder has files only, and the space of a shadow copy is its volume's
            return
        data = source.volume_bytes(volume)
        size = self.inspector.unused.words(self._filesystem(order), data)
        self._unreadable(order, "unallocated space")
        self.pulse.flush()
        self.emit.done(size=size, timings=self.inspector.take_timings())

    def do_carve(self, order: dict[str, Any], body: bytes) -> None:
        """Look for pictures and videos in what no file of a volume holds."""
        self.pulse.item(0)
        data = self._holder(order).volume_bytes(self._volume(order))
        size = self.inspector.unused.pictures(self._filesystem(order), data)
        self._unreadable(order, "unallocated space")
        self.pulse.flush()
        self.emit.done(size=size, timings=self.inspector.take_timings())


def is_backup(order: dict[str, Any]) -> bool:
    """Whether the volume of an order is a phone backup: its files lie in another file system."""
    chain = order.get("inside")
    return bool(chain and chain[-1][0] == _BACKUP_INSIDE)


def _to_read(entry: Entry) -> int:
    """Bytes that reading an entry will take, for the plan and the progress; -1 where there is no content to read."""
    if entry.kind not in ("file", "stream") or classify.is_structure(entry.path):
        return -1
    if not entry.runs:
        return entry.size
    # A file of nothing but holes is left alone; the holes of any other are read as the zeros that belong to its digest.
    return min(entry.size, sum(run.length for run in entry.runs)) if any(run.offset >= 0 for run in entry.runs) else 0


def _volume_facts(volume: Volume) -> dict[str, Any]:
    return {
        "id": volume.id,
        "offset": volume.offset,
        "length": volume.length,
        "scheme": volume.scheme,
        "description": volume.description,
        "filesystem": volume.filesystem,
        "label": volume.label,
        "encrypted": volume.encrypted,
        "unlocked": volume.unlocked,
        "status": volume.status.value,
        "reason": volume.reason,
        "problems": [_problem(item) for item in volume.problems],
    }


def _problem(item: Problem) -> list[str]:
    return [item.status.value, item.reason, item.locator]
