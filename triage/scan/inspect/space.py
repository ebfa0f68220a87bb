"""What a volume holds outside its files: what its free space is filled with, and the names in the journal of an ext file system."""

from __future__ import annotations

from artefacts.coverage import Status
from artefacts.linux import ext_journal
from artefacts.registry import Artefact
from triage.evidence.file import EntryFile
from triage.evidence.model import ByteSource, Entry, Filesystem
from triage.scan import free_space
from triage.scan.emit import Emitter
from triage.scan.inspect.parsing import Parsing
from triage.scan.inspect.recorder import Recorder
from triage.scan.pool import Pulse

FREE_SPACE = "free space"
_JOURNAL_INODE = "8"
_JOURNAL = Artefact(
    id="linux.ext_journal",
    title="Journal of ext file systems",
    meaning="Files that were renamed or deleted lately, by name.",
    paths=(),
    parse=ext_journal.parse,
    references=("https://www.kernel.org/doc/html/latest/filesystems/ext4/journal.html",),
    systems=("linux",),
)


class Space:
    """One for each worker."""

    def __init__(self, emit: Emitter, pulse: Pulse, recorder: Recorder, parsing: Parsing) -> None:
        self._emit, self._pulse, self._recorder, self._parsing = emit, pulse, recorder, parsing

    def volume(self, filesystem: Filesystem, data: ByteSource) -> int:
        """Look at the volume whose bytes are ``data``; the bytes that its free space has."""
        if filesystem.type in ("ext3", "ext4"):
            self._journal(filesystem)

        def beat() -> None:
            self._pulse.item(0)
            self._pulse.beat()

        found = free_space.measure(filesystem, data, beat)
        if found is None:
            self._emit.count(FREE_SPACE, Status.UNRECOGNISED, f"{filesystem.type} does not tell here which space its files use")
            return 0
        self._recorder.observe(found, "free_space/1", Entry("", "other", 0, ""))
        self._emit.count(FREE_SPACE, Status.PARSED if found.samples else Status.EMPTY, size=found.free)
        return found.free

    def _journal(self, filesystem: Filesystem) -> None:
        entry = Entry("/[journal]", "file", ext_journal.MOST_BYTES, f"{_JOURNAL_INODE}-1-0")
        self._parsing.parse(_JOURNAL, EntryFile(filesystem, entry))
