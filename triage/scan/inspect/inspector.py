"""A batch of files through all checks, in a worker."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from artefacts.coverage import Status
from artefacts.observations import Observation
from artefacts.registry import Artefact
from triage.evidence.file import EntryFile
from triage.evidence.model import Entry, Filesystem
from triage.scan import classify
from triage.scan.content import KEEP
from triage.scan.emit import Emitter
from triage.scan.inspect.application_words import ApplicationWords
from triage.scan.inspect.checks import ContentCheck, content_checks
from triage.scan.inspect.container import ContainerCheck
from triage.scan.inspect.insides import Insides
from triage.scan.inspect.item import CONTENTS, PARSE, READ, WORDS, Item, Subject, listing_row
from triage.scan.inspect.lookup import HashLookup
from triage.scan.inspect.parsing import Parsing
from triage.scan.inspect.reading import Reader
from triage.scan.inspect.recorder import Recorder
from triage.scan.inspect.space import Space
from triage.scan.inspect.unused import UnusedSpace
from triage.scan.inspect.words import Words
from triage.scan.pictures import PictureCheck
from triage.scan.pool import Pulse
from triage.scan.scope import FILES_OUTSIDE, LISTED, RECORDS_ONLY
from triage.scan.setup import Setup


class Inspector:
    """Everything that is asked of a file. One for each worker; what it loads, it loads once."""

    def __init__(self, setup: Setup, emit: Emitter, pulse: Pulse) -> None:
        self._setup, self._emit, self._pulse = setup, emit, pulse
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._recorder = Recorder(setup, emit)
        self._reader = Reader(setup.profile, emit, pulse, self._seconds)
        self._lookup = HashLookup(setup, emit, self._recorder)
        self._words = Words(setup, emit, self._recorder)
        self._applications = ApplicationWords(emit, pulse, self._words)
        self._checks = tuple(content_checks(setup, emit, self._recorder, pulse))
        self._pictures = PictureCheck(setup, emit, self._recorder, pulse)
        self._insides = Insides(setup.profile, emit, pulse, self._lookup, self._words, self._checks, self._pictures)
        self._parsing = Parsing(emit, pulse, self._recorder, self._remembered, setup.dates)
        self.unused = UnusedSpace(emit, pulse, self._words, self._insides)
        self._containers = ContainerCheck(recorder=self._recorder)
        self.space = Space(emit, pulse, self._recorder, self._parsing)

    def warm(self) -> None:
        """Load lists, rules and artefacts. What cannot be loaded is told by the file that needs it."""
        try:
            _ = self._lookup.algorithms, self._words.matcher, self._recorder.engine, self._parsing.matcher
            for check in (*self._checks, self._pictures):
                check.warm()
        except Exception:
            return

    def take_timings(self) -> dict[str, float]:
        """Seconds spent by kind of work since last asked."""
        taken = dict(self._seconds)
        self._seconds.clear()
        return {f"worker_{name}": round(value, 6) for name, value in taken.items()}

    def note(self, entry: Entry, item: Observation, parser: str) -> None:
        """Journal what was learned of an entry otherwise than by reading it."""
        self._recorder.observe(item, parser, entry)

    def artefacts_for(self, entry: Entry) -> list[Artefact]:
        """The artefacts that read this entry."""
        return self._parsing.artefacts_for(entry)

    def batch(self, filesystem: Filesystem, cls: int, entries: Sequence[Entry], avoid: Mapping[int, tuple[int, str]]) -> list[list[Any]]:
        """Inspect entries; returns their listing rows. ``avoid`` maps positions to (stage not to enter again, why)."""
        what = f"files: {classify.CLASSES[cls]}"
        items: list[Item] = []
        searching = self._words.matcher is not None or bool(self._checks)
        algorithms = self._lookup.algorithms
        for number, entry in enumerate(entries):
            self._pulse.item(number)
            stage, why = avoid.get(number, (0, ""))
            item = Item(entry, avoid=stage)
            if stage:
                self._emit.problem(what, Status.FAILED, entry.path, why, size=entry.size)
            if cls == classify.TRACES:
                item.artefacts = self.artefacts_for(entry)
            if not self._setup.dates.entry(entry):
                item.outside = True
                item.avoid = item.avoid or CONTENTS  # records have times, what a program keeps for itself has none
                if entry.kind in ("file", "stream"):
                    self._emit.count(FILES_OUTSIDE, Status.SKIPPED, RECORDS_ONLY if item.artefacts else LISTED, size=entry.size)
            elif entry.kind in ("file", "stream") and not item.done_with(READ) and self._reader.readable(filesystem, entry, what):
                self._read(filesystem, item, what, algorithms)
            content = item.content
            item.opens = content is not None and self._insides.opens(content.head, cls)
            looked_at = item.opens or (
                content is not None and (self._containers.wants(entry, content.head) or self._pictures.wants(content.head))
            )
            item.done = not (item.artefacts or (not item.outside and (searching or looked_at)))
            if item.done and content is not None:
                content.data = None  # at once: the next file then goes where this one is still in the cache
            items.append(item)
        sound = [item.content.read for item in items if item.content is not None and item.content.sound]
        self._emit.count(what, Status.PARSED, times=len(sound), size=sum(sound))
        self._lookup.files(items, lambda item: self._reader.complete_digests(filesystem, item))
        for number, item in enumerate(items):
            if not item.done:
                self._pulse.item(number)
                self._check(filesystem, item)
            if item.content is not None:
                item.content.data = None
        return [listing_row(item) for item in items]

    def _read(self, filesystem: Filesystem, item: Item, what: str, algorithms: Sequence[str]) -> None:
        feed = self._words.feed() if KEEP < item.entry.size <= self._setup.profile.largest_text else None
        self._reader.read(filesystem, item, what, algorithms, feed)
        if feed is not None and item.content is not None:
            self._words.in_large_file(item.entry, feed)

    def _check(self, filesystem: Filesystem, item: Item) -> None:
        entry, content = item.entry, item.content
        clock = time.perf_counter
        named = []
        if self._words.matcher is not None and not item.outside and not item.done_with(READ):
            self._pulse.stage(READ)
            started = clock()
            named = self._words.in_name(entry)
            self._seconds["keywords"] += clock() - started
        read = content if content is not None and content.head and not item.known else None
        # What an artefact takes apart is not searched as it stands, too.
        first = [artefact for artefact in item.artefacts if artefact.contents is not None]
        taken = self._parse(filesystem, item, first) if first else False
        found = None
        if read is not None and not taken and not item.done_with(WORDS):
            self._pulse.stage(WORDS)
            started = clock()
            self._applications.file(filesystem, item)
            found = self._insides.file(filesystem, item)
            self._seconds["inside"] += clock() - started
        self._words.in_file(entry, named, found)
        if read is not None and read.read:
            checks: list[ContentCheck] = [*([self._containers] if self._containers.wants(entry, read.head) else []), *self._checks]
            if self._pictures.wants(read.head):
                checks.append(self._pictures)
            self._content_checks(filesystem, item, checks)
        rest = [artefact for artefact in item.artefacts if artefact.contents is None]
        if rest:
            self._parse(filesystem, item, rest)

    def _content_checks(self, filesystem: Filesystem, item: Item, checks: Sequence[ContentCheck]) -> None:
        if not checks:
            return
        entry, content = item.entry, item.content
        assert content is not None
        subject = Subject(
            entry, entry.path, entry.name, entry.address, entry.size, content.head, content.data,
            lambda: filesystem.open(entry), content.digests,
        )  # fmt: skip
        for check in checks:
            if not item.done_with(check.stage):
                self._pulse.stage(check.stage)
                started = time.perf_counter()
                check.content(subject)
                self._seconds[check.name] += time.perf_counter() - started

    def _parse(self, filesystem: Filesystem, item: Item, artefacts: Sequence[Artefact]) -> bool:
        """Run artefacts over a file, and go through what they say it holds; whether one did."""
        entry, content = item.entry, item.content
        if item.done_with(PARSE):
            return False
        taken = False
        started = time.perf_counter()
        file = EntryFile(filesystem, entry, content.data if content is not None and not content.errors else None)
        for artefact in artefacts:
            self._pulse.stage(PARSE)
            if self._parsing.parse(artefact, file) and artefact.contents is not None and not item.done_with(CONTENTS):
                self._pulse.stage(CONTENTS)
                taken = True
                self._words.in_file(entry, [], self._insides.artefact(artefact, file))
        self._seconds["parse"] += time.perf_counter() - started
        return taken

    def _remembered(self, entry: Entry, item: Observation, data: dict[str, Any], parser: str) -> None:
        """The words and the digests that a record holds itself."""
        self._words.in_record(entry, item, data, parser)
        self._lookup.remembered(entry, item, data)


def rows_to_entries(lines: bytes) -> Iterator[Entry]:
    """The entries of a batch, from the JSON lines in which they were planned."""
    import json

    for values in json.loads(b"[" + lines + b"]"):
        yield Entry.from_wire(values)
