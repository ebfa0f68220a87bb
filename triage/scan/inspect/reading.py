"""Reading files once, and saying why one was not read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from artefacts.coverage import Status
from triage.evidence.model import Entry, Filesystem
from triage.scan import classify
from triage.scan.content import ALGORITHMS, KEEP, digests_of, read_content
from triage.scan.emit import Emitter
from triage.scan.inspect.item import READ, Item
from triage.scan.pool import Pulse
from triage.scan.profile import Profile


class Reader:
    """Reads and digests the files of a batch. ``seconds`` gathers the time by kind of work."""

    def __init__(self, profile: Profile, emit: Emitter, pulse: Pulse, seconds: defaultdict[str, float]) -> None:
        self._profile, self._emit, self._pulse, self._seconds = profile, emit, pulse, seconds

    def readable(self, filesystem: Filesystem, entry: Entry, what: str) -> bool:
        """Whether there is content to read; where not, why is told."""
        if not entry.allocated and entry.content == "none":
            self._emit.count(what, Status.MISSING, "deleted: only the name is left")
            return False
        if "virtual" in entry.flags:
            return False
        if classify.is_structure(entry.path):
            self._emit.count("file system structures", Status.PARSED, "read to list the volume", size=entry.size)
            return False
        if "encrypted" in entry.flags:
            self._emit.problem(what, Status.ENCRYPTED, entry.path, "encrypted by the file system (EFS)", size=entry.size)
            return False
        placed = entry.size
        if entry.runs:
            # A size that lies shows in the runs: what has no place on the volume, not even as a hole, cannot be read.
            placed = min(entry.size, sum(run.length for run in entry.runs))
            if placed > KEEP and all(run.offset < 0 for run in entry.runs) and _reads_as_zeros(filesystem, entry):
                self._emit.count(what, Status.EMPTY, "sparse: no byte of it is stored")
                return False
        if placed > self._profile.largest_file:
            reason = f"larger than {self._profile.largest_file >> 20} MiB, the limit of the profile {self._profile.name}"
            self._emit.problem(what, Status.SKIPPED, entry.path, reason, size=entry.size)
            return False
        return True

    def read(self, filesystem: Filesystem, item: Item, what: str, algorithms: Sequence[str], also: Callable[[bytes], None] | None) -> None:
        """Read a file into ``item.content``, which stays None where it cannot be opened. ``also`` gets each chunk of a file too large to hold."""
        entry = item.entry
        self._pulse.stage(READ)
        try:
            content = read_content(filesystem, entry, algorithms, self._pulse.beat, self._seconds, also)
        except (OSError, MemoryError) as error:
            self._emit.problem(what, Status.UNREADABLE, entry.path, str(error) or "the content could not be opened", size=entry.size)
            return
        item.content = content
        if content.errors:
            bad = sum(error.length for error in content.errors)
            reason = f"{bad} bytes could not be read: {content.errors[0].reason}"
            self._emit.problem(what, Status.UNREADABLE, entry.path, reason, size=entry.size)
        elif content.read < entry.size:
            reason = f"the file system says {entry.size} bytes, {content.read} could be read"
            self._emit.problem(what, Status.UNREADABLE, entry.path, reason, size=entry.size)
        else:
            content.sound = True
        if not content.sound:
            content.digests = {}  # of something, but not of this file

    def complete_digests(self, filesystem: Filesystem, item: Item) -> None:
        """Make the digests that a file still lacks."""
        content = item.content
        missing = [name for name in ALGORITHMS if content is not None and name not in content.digests]
        if content is None or not missing:
            return
        if content.data is not None:
            content.digests |= digests_of(content.data, missing)
        else:
            content.digests |= read_content(filesystem, item.entry, missing, self._pulse.beat, self._seconds).digests


def _reads_as_zeros(filesystem: Filesystem, entry: Entry) -> bool:
    """Nothing but holes can also be how Windows stores a compressed file elsewhere: then reading it is an error, not zeros."""
    with filesystem.open(entry) as stream:
        stream.read(1)
        return not getattr(stream, "read_errors", ())
