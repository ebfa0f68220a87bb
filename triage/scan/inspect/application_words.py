"""Keywords in the databases of known applications, and which programs keep theirs so that nobody can look."""

from __future__ import annotations

from artefacts.coverage import Status
from triage.evidence.file import EntryFile
from triage.evidence.model import Filesystem
from triage.scan.emit import Emitter
from triage.scan.inspect.item import Item, entry_time
from triage.scan.inspect.words import Words
from triage.scan.pool import Pulse

WHAT = "keywords in application data"
"""What these databases are called in coverage."""


class ApplicationWords:
    """One for each worker."""

    def __init__(self, emit: Emitter, pulse: Pulse, words: Words) -> None:
        self._emit, self._pulse, self._words = emit, pulse, words

    def file(self, filesystem: Filesystem, item: Item) -> None:
        """Tell the hits in a file, if it is a database; nothing for any other file."""
        from triage.scan.text import application_data, search

        entry, content, matcher = item.entry, item.content, self._words.matcher
        if matcher is None or content is None or not entry.allocated:
            return  # of a deleted database the pages may be anybody's by now: its artefacts say what is left
        closed = application_data.closed(entry.path)
        if closed is not None:
            self._emit.problem(WHAT, Status.ENCRYPTED, entry.path, f"{closed} keeps its messages encrypted: not read", size=entry.size)
            return
        if not content.head.startswith(application_data.MAGIC):
            return
        file = EntryFile(filesystem, entry, content.data if not content.errors else None)
        application, pieces = application_data.read(file, lambda data: bool(matcher.in_bytes(data, "application")), self._pulse.beat)
        found = search(matcher, pieces)
        for problem in found.problems:
            where = f" ({problem.locator})" if problem.locator else ""
            self._emit.problem(WHAT, problem.status, entry.path, problem.reason + where, size=entry.size)
        if application is None:
            self._emit.count(WHAT, Status.SKIPPED, "databases of programs that are not in the list of known ones", size=entry.size)
            return
        self._emit.count(WHAT, Status.PARSED, application.name, size=entry.size)
        self._words.tell(
            found.hits, entry, entry_time(entry, entry.modified), parser=f"keywords/1 {application.id}", places=found.places,
            application=application.id,
        )  # fmt: skip
