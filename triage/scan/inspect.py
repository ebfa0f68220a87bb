"""The checks on files, in a worker: cheap before dear, one read for all of them.

For a batch: read and digest each file; look all digests up in the hash sets at once; what an ``ignore`` set knows is let go; keywords over
the name and the text that the file is or holds; YARA; then the artefacts whose file this is.
"""

from __future__ import annotations

import io
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.matching import PathMatcher
from artefacts.observations import HashMatch, KeywordHit, Observation, YaraMatch
from artefacts.registry import Artefact, all_artefacts
from artefacts.times import NoTime, Time, Timestamp
from triage.evidence.file import EntryFile, user_of
from triage.evidence.model import ByteSource, Entry, Filesystem
from triage.journal import LISTING_COLUMNS
from triage.scan import classify
from triage.scan.content import ALGORITHMS, KEEP, Content, digests_of, read_content
from triage.scan.emit import Emitter, observation_json
from triage.scan.filetype import file_type, is_text
from triage.scan.pool import Pulse
from triage.scan.remembered import hits_in
from triage.scan.setup import Setup

if TYPE_CHECKING:
    from hashsets import HashSet, Match
    from rules.keywords import Hit, Matcher, Stream
    from rules.yara_rules import YaraRules
    from triage.findings import FindingEngine
    from triage.scan.text.search import Found, Key

READ, WORDS, YARA, PARSE = 1, 2, 3, 4
"""Stages of a file's inspection: after a crash in one, the file is done again without it and what follows."""

MAX_OBSERVATIONS = 2_000_000
"""Observations one artefact may give from one file."""

_COLUMN = {name: number for number, name in enumerate(LISTING_COLUMNS)}


@dataclass(slots=True)
class _Item:
    entry: Entry
    content: Content | None = None
    artefacts: list[Artefact] = field(default_factory=list)
    avoid: int = 0
    known: bool = False

    def done_with(self, stage: int) -> bool:
        return 0 < self.avoid <= stage


def entry_time(entry: Entry, value: int | None) -> Time:
    """A time of an entry as evidence: wall-clock readings of FAT stay local, absent ones say so."""
    if value is None:
        return NoTime("not recorded")
    try:
        instant = Timestamp(value)
    except ValueError:
        return NoTime("outside the years 1 to 9999")
    if entry.local_times:
        return NoTime("local time, zone not recorded", local=instant.isoformat().removesuffix("Z"))
    return instant


class Inspector:
    """Everything that is asked of a file. One for each worker; what it loads, it loads once."""

    def __init__(self, setup: Setup, emit: Emitter, pulse: Pulse) -> None:
        self._setup, self._emit, self._pulse = setup, emit, pulse
        self._profile = setup.profile
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def warm(self) -> None:
        """Load lists, rules and artefacts. What cannot be loaded is told by the file that needs it."""
        try:
            _ = self._algorithms, self._words, self._yara, self._findings, self._matcher
        except Exception:
            return

    def take_timings(self) -> dict[str, float]:
        """Seconds spent by kind of work since last asked."""
        taken, self._seconds = self._seconds, defaultdict(float)
        return {f"worker_{name}": round(value, 6) for name, value in taken.items()}

    @cached_property
    def _sets(self) -> list[HashSet]:
        import hashsets

        return [
            hashsets.open_set(Path(item.path), role=item.role, key=bytes.fromhex(item.key) if item.key else None)
            for item in self._setup.hash_sets
        ]

    @cached_property
    def _words(self) -> Matcher | None:
        if not self._setup.keywords:
            return None
        from rules import keywords

        return keywords.load(
            [Path(path) for path in self._setup.keywords],
            secret=bytes.fromhex(self._setup.list_secret) if self._setup.list_secret else None,
        ).matcher(cache=Path(self._setup.keywords_cache) if self._setup.keywords_cache else None)

    @cached_property
    def _yara(self) -> YaraRules | None:
        if not self._setup.yara:
            return None
        from rules import yara_rules

        cache = Path(self._setup.yara_cache) if self._setup.yara_cache else None
        return yara_rules.load([Path(path) for path in self._setup.yara], cache=cache)

    @cached_property
    def _findings(self) -> FindingEngine:
        from rules import findings
        from triage.findings import FindingEngine

        return FindingEngine(findings.load([Path(path) for path in self._setup.rules]))

    @cached_property
    def _matcher(self) -> PathMatcher:
        return PathMatcher(all_artefacts())

    @cached_property
    def _algorithms(self) -> tuple[str, ...]:
        if self._profile.digests == "all" or not self._sets:
            return ALGORITHMS
        needed = {name for hash_set in self._sets for name in hash_set.algorithms}
        return tuple(name for name in ALGORITHMS if name in needed)

    def artefacts_for(self, entry: Entry) -> list[Artefact]:
        """The artefacts that read this entry."""
        return self._matcher.match(entry.path) if entry.kind in ("file", "stream") else []

    def batch(self, filesystem: Filesystem, cls: int, entries: Sequence[Entry], avoid: Mapping[int, tuple[int, str]]) -> list[list[Any]]:
        """Inspect entries; returns their listing rows. ``avoid`` maps positions to (stage not to enter again, why)."""
        what = f"files: {classify.CLASSES[cls]}"
        items: list[_Item] = []
        searching = self._words is not None or self._yara is not None
        for number, entry in enumerate(entries):
            self._pulse.item(number)
            stage, why = avoid.get(number, (0, ""))
            item = _Item(entry, avoid=stage)
            if stage:
                self._emit.problem(what, Status.FAILED, entry.path, why, size=entry.size)
            if cls == classify.TRACES:
                item.artefacts = self.artefacts_for(entry)
            if entry.kind in ("file", "stream") and not item.done_with(READ) and self._readable(filesystem, entry, what):
                self._read(filesystem, item, what)
                if item.content is not None and not (searching or item.artefacts):
                    item.content.data = None  # at once: the next file then goes where this one is still in the cache
            items.append(item)
        sound = [item.content.read for item in items if item.content is not None and item.content.sound]
        self._emit.count(what, Status.PARSED, times=len(sound), size=sum(sound))
        self._look_up(filesystem, items)
        for number, item in enumerate(items):
            if searching or item.artefacts:
                self._pulse.item(number)
                self._check(filesystem, item)
            if item.content is not None:
                item.content.data = None
        return [self._row(item) for item in items]

    def _readable(self, filesystem: Filesystem, entry: Entry, what: str) -> bool:
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
            if placed > KEEP and all(run.offset < 0 for run in entry.runs) and self._reads_as_zeros(filesystem, entry):
                self._emit.count(what, Status.EMPTY, "sparse: no byte of it is stored")
                return False
        if placed > self._profile.largest_file:
            reason = f"larger than {self._profile.largest_file >> 20} MiB, the limit of the profile {self._profile.name}"
            self._emit.problem(what, Status.SKIPPED, entry.path, reason, size=entry.size)
            return False
        return True

    def _reads_as_zeros(self, filesystem: Filesystem, entry: Entry) -> bool:
        """Nothing but holes can also be how Windows stores a compressed file elsewhere: then reading it is an error, not zeros."""
        with filesystem.open(entry) as stream:
            stream.read(1)
            return not getattr(stream, "read_errors", ())

    def _read(self, filesystem: Filesystem, item: _Item, what: str) -> None:
        entry = item.entry
        self._pulse.stage(READ)
        feed = (
            _TextFeed(self._words, self._profile.every_byte)
            if self._words is not None and KEEP < entry.size <= self._profile.largest_text
            else None
        )
        try:
            content = read_content(filesystem, entry, self._algorithms, self._pulse.beat, self._seconds, feed)
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
        if feed is not None:
            from triage.scan.text.search import key_of, offset_of

            hits = feed.finish()
            places = {key_of(hit): offset_of(hit) for hit in reversed(hits)}
            self._hits(hits, entry, entry_time(entry, entry.modified), places=places)

    def _look_up(self, filesystem: Filesystem, items: list[_Item]) -> None:
        # The empty file has a digest, lists hold it, and every disk has thousands: it is never a match.
        wanted = [item for item in items if item.content is not None and item.content.digests and item.entry.size > 0]
        if not wanted:
            return
        digests = {name: [item.content.digests.get(name) if item.content else None for item in wanted] for name in self._algorithms}
        sizes = [item.entry.size for item in wanted]
        alerts: list[tuple[_Item, HashSet, Match]] = []
        for hash_set in self._sets:
            for item, match in zip(wanted, self._matches(hash_set, digests, sizes), strict=True):
                if match is None:
                    continue
                if hash_set.role == "ignore":
                    item.known = item.known or match.proof
                else:
                    alerts.append((item, hash_set, match))
        for item, hash_set, match in alerts:
            item.known = False
            self._all_digests(filesystem, item)
            self._alert(item, hash_set, match)
        known = [item for item in wanted if item.known]
        if known:
            size = sum(item.entry.size for item in known)
            self._emit.count("content checks", Status.SKIPPED, "known file of an ignore set", times=len(known), size=size)

    def _matches(self, hash_set: HashSet, digests: Mapping[str, Sequence[bytes | None]], sizes: Sequence[int]) -> Sequence[Match | None]:
        """What a set says of files; a part of the set that is damaged is said, and answers nothing."""
        from hashsets import HashSetError

        try:
            return hash_set.match_all(digests, sizes)
        except HashSetError as error:
            self._emit.count(f"hash set {hash_set.name}", Status.FAILED, str(error), times=len(sizes), size=sum(sizes))
            return [None] * len(sizes)

    def _all_digests(self, filesystem: Filesystem, item: _Item) -> None:
        content = item.content
        missing = [name for name in ALGORITHMS if content is not None and name not in content.digests]
        if content is None or not missing:
            return
        if content.data is not None:
            content.digests |= digests_of(content.data, missing)
        else:
            content.digests |= read_content(filesystem, item.entry, missing, self._pulse.beat, self._seconds).digests

    def _alert(self, item: _Item, hash_set: HashSet, match: Match) -> None:
        entry, content = item.entry, item.content
        assert content is not None
        hashes = {name: digest.hex() for name, digest in content.digests.items()}
        observation = _hash_match(hash_set, match, entry.path, hashes)
        observation.size, observation.allocated, observation.locator = entry.size, entry.allocated, entry.address
        observation.time = entry_time(entry, entry.modified)
        self._observe(observation, "hash_match/1", entry)

    def _check(self, filesystem: Filesystem, item: _Item) -> None:
        entry, content = item.entry, item.content
        clock = time.perf_counter
        started = clock()
        if self._words is not None and not item.done_with(READ):
            self._keywords(self._words, filesystem, item)
        self._seconds["keywords"] += clock() - started
        started = clock()
        if self._yara is not None and not item.known and content is not None and content.read and not item.done_with(YARA):
            self._pulse.stage(YARA)
            self._scan_yara(self._yara, filesystem, entry, content)
            self._seconds["yara"] += clock() - started
            started = clock()
        if item.artefacts and not item.done_with(PARSE):
            self._pulse.stage(PARSE)
            file = EntryFile(filesystem, entry, content.data if content is not None and not content.errors else None)
            for artefact in item.artefacts:
                self._parse(artefact, file)
            self._seconds["parse"] += clock() - started

    def _keywords(self, words: Matcher, filesystem: Filesystem, item: _Item) -> None:
        """Terms in the name of a file, and in the text that it holds."""
        entry, content = item.entry, item.content
        name = entry.name if entry.kind != "stream" else entry.name.partition(":")[2] or entry.name
        self._pulse.stage(READ)
        named = words.in_text(name, "name")
        found = None
        if content is not None and content.head and not item.known and not item.done_with(WORDS):
            self._pulse.stage(WORDS)
            found = self._text(words, filesystem, entry, content)
        if named or (found is not None and found.hits):
            hits = [*named, *found.hits] if found is not None else named
            self._hits(hits, entry, entry_time(entry, entry.modified), places=found.places if found is not None else {})

    def _text(self, words: Matcher, filesystem: Filesystem, entry: Entry, content: Content) -> Found | None:
        """Terms in a file that is text or holds text, or in any with a profile that wants it; None for others, and for one too large."""
        from triage.scan.text import Piece, extract, kind_of, search
        from triage.scan.text.kinds import OVER_TEXT

        kind = kind_of(content.head)
        readable = is_text(content.head)
        if kind is None and not readable and not self._profile.every_byte:
            return None
        plain = kind is None or kind in OVER_TEXT
        what = f"keywords in {'text' if readable else 'binary'} files" if plain else "keywords in documents, mail and archives"
        if entry.size > self._profile.largest_text:
            reason = f"larger than {self._profile.largest_text >> 20} MiB, the limit of the profile"
            self._emit.problem(what, Status.SKIPPED, entry.path, reason, size=entry.size)
            return None
        if plain and content.data is None:
            self._emit.count(what, Status.PARSED, size=content.read)  # matched as it was read, by ``_TextFeed``
            return None
        try:
            with io.BytesIO(content.data) if content.data is not None else filesystem.open(entry) as stream:
                pieces = extract(stream, entry.name, self._pulse.beat) if kind or readable else [Piece(stream.read(), "")]
                found = search(words, pieces)
        except OSError as error:
            self._emit.problem(what, Status.UNREADABLE, entry.path, str(error) or "the content could not be opened", size=entry.size)
            return None
        for problem in found.problems:
            where = f" ({problem.locator})" if problem.locator else ""
            self._emit.problem(what, problem.status, entry.path, problem.reason + where, size=entry.size)
        if found.pieces or not found.problems:
            self._emit.count(what, Status.PARSED if found.pieces else Status.EMPTY, size=found.size)
        return found

    def unallocated(self, filesystem: Filesystem, data: ByteSource) -> int:
        """Search the space and slack of a volume whose bytes are ``data`` for keywords; the bytes that were searched."""
        from triage.scan import unallocated

        what = "unallocated space"
        if self._words is None:
            return 0
        found = unallocated.space(filesystem, data, self._pulse.beat)
        if found.hidden and not found.files:
            self._emit.count(what, Status.UNRECOGNISED, f"{filesystem.type} does not tell here which space its files use", size=data.size)
            return 0

        def beat(read: int) -> None:
            self._pulse.item(0)
            self._pulse.beat(read)

        nowhere = Entry("", "other", 0, "", allocated=False)
        for path, hits, places in unallocated.search(self._words, found, data, beat):
            self._hits(hits, nowhere, NoTime("in no file"), user=user_of(path), places=places)
        self._emit.count(what, Status.PARSED if found.size else Status.EMPTY, size=found.size)
        self._emit.count(what, Status.SKIPPED, "words that cross from one file straight into the next are not looked for")
        if found.hidden:
            reason = "files that do not say where they lie: what is found between files may be theirs"
            self._emit.count(what, Status.SKIPPED, reason, times=found.hidden)
        return found.size

    def _scan_yara(self, rules: YaraRules, filesystem: Filesystem, entry: Entry, content: Content) -> None:
        data = content.data
        if data is None:
            if entry.size > self._profile.largest_yara:
                reason = f"larger than {self._profile.largest_yara >> 20} MiB, the limit of the profile"
                self._emit.problem("YARA", Status.SKIPPED, entry.path, reason, size=entry.size)
                return
            with filesystem.open(entry) as stream:
                data = stream.read(self._profile.largest_yara)
        extension = entry.name.rpartition(".")[2].lower() if "." in entry.name else ""
        try:
            hits = rules.match(data, filename=entry.name, filepath=entry.path, extension=extension, filetype=file_type(content.head))
        except (TimeoutError, RuntimeError) as error:
            self._emit.problem("YARA", Status.FAILED, entry.path, str(error), size=entry.size)
            return
        self._emit.count("YARA", Status.PARSED, size=len(data))
        for hit in hits:
            observation = YaraMatch(
                path=entry.path,
                rule=hit.rule,
                namespace=hit.namespace,
                meta=hit.meta,
                tags=tuple(hit.tags),
                strings=tuple(hit.strings),
                allocated=entry.allocated,
                locator=entry.address,
            )
            self._observe(observation, "yara/1", entry)

    def _parse(self, artefact: Artefact, file: EntryFile) -> None:
        """Run one artefact over one file: every sound record is kept, whatever happens to the others."""
        count = problems = 0
        status, reason = Status.EMPTY, ""
        try:
            for item in artefact.parse(file):
                self._pulse.beat()
                if isinstance(item, Problem):
                    problems += 1
                    if problems <= 100:
                        where = f" ({item.locator})" if item.locator else ""
                        self._emit.problem(artefact.id, item.status, file.path, item.reason + where)
                    continue
                count += 1
                if count > MAX_OBSERVATIONS:
                    raise OverflowError(f"more than {MAX_OBSERVATIONS} records: the rest was left")
                self._observe(item, artefact.parser, file.entry, in_file=False)
            status = Status.PARSED if count or problems else Status.EMPTY
        except Unrecognised as error:
            status, reason = Status.UNRECOGNISED, str(error)
        except Encrypted as error:
            status, reason = Status.ENCRYPTED, str(error)
        except Exception as error:
            status, reason = Status.FAILED, f"{type(error).__name__}: {error}"
        errors = file.read_errors
        if errors:
            self._emit.problem(artefact.id, Status.UNREADABLE, file.path, f"{sum(e.length for e in errors)} bytes could not be read")
        if problems > 100:
            self._emit.count(artefact.id, Status.FAILED, f"{problems - 100} more problems in {file.path}", times=problems - 100)
        if status is Status.UNRECOGNISED:
            # Most files called "History" are somebody else's: said once by count, by name only where the artefact owns the place.
            self._emit.count(artefact.id, status, reason)
        elif status in (Status.PARSED, Status.EMPTY):
            self._emit.count(artefact.id, status, size=file.size)
        else:
            self._emit.problem(artefact.id, status, file.path, reason, size=file.size)

    def _hits(
        self,
        hits: Iterable[Hit],
        entry: Entry,
        time: Time,
        *,
        user: str | None = None,
        parser: str = "keywords/1",
        locator: str = "",
        places: Mapping[Key, str] = MappingProxyType({}),
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Journal hits in a file, or in the record ``about`` that was read from it, unless their library's keeper excludes that place."""
        from rules.keywords import captures, weigh

        for best in captures(self._not_excluded(hits, entry, about)):
            weight = weigh(best, 0 if about else entry.size)
            observation = KeywordHit(
                term=best.term,
                category=best.category,
                severity=best.severity,
                where=best.where,
                context=best.context,
                library=best.library,
                form=best.form,
                language=best.language,
                count=best.count,
                other_terms=best.other_terms,
                weight=weight.points,
                weighed=weight.reasons,
                time=time,
                user=user or user_of(entry.path),
                locator=places.get((best.library, best.category, best.term, best.where)) or locator or entry.address,
            )
            self._observe(observation, parser, entry, words=False)

    def _not_excluded(self, hits: Iterable[Hit], entry: Entry, about: Mapping[str, Any]) -> list[Hit]:
        assert self._words is not None
        every = list(hits)
        out = self._words.exclusions.libraries(
            addresses=[about["url"]] if isinstance(about.get("url"), str) else [],
            paths=[path for path in (entry.path, about.get("path")) if isinstance(path, str)],
            application=about["provenance"]["parser"].partition("/")[0] if about else "",
        )
        for library in out:
            left = sum(1 + hit.repeats for hit in every if hit.library == library)
            self._emit.count("keywords", Status.SKIPPED, f"left out by an exclusion of {library}", times=left)
        return [hit for hit in every if hit.library not in out]

    def _observe(self, item: Observation, parser: str, entry: Entry, *, in_file: bool = True, words: bool = True) -> None:
        """Journal an observation at once, judge it by the rules, and match the words and digests that it holds itself."""
        emit = self._emit
        data = observation_json(item, source=emit.source, volume=emit.volume, path=entry.path, parser=parser, allocated=entry.allocated)
        emit.record("observation", data)
        for finding in self._findings.consider(data):
            emit.finding(finding.to_json())
        if in_file:
            return
        if words and self._words is not None:
            hits, repeated = hits_in(self._words, data)
            self._emit.count("keywords", Status.SKIPPED, "address or title of a search that is told by itself", times=repeated)
            if hits:
                time = next(
                    (v for n in ("time", "started", "last") if isinstance(v := getattr(item, n, None), Timestamp)), NoTime("not recorded")
                )
                self._hits(hits, entry, time, user=data.get("user"), parser=f"keywords/1 {parser}", locator=item.locator, about=data)
        hashes = data.get("hashes")
        if hashes:
            self._remembered(hashes, entry, item, data)

    def _remembered(self, hashes: Mapping[str, str], entry: Entry, item: Observation, data: Mapping[str, Any]) -> None:
        """A digest that some other record remembers (Amcache, a P2P database) matches although the file itself is gone."""
        from hashsets import HashSetError, match_hex

        for hash_set in self._sets:
            try:
                matches = match_hex([hash_set], hashes) if hash_set.role == "alert" else []
            except HashSetError as error:
                self._emit.count(f"hash set {hash_set.name}", Status.FAILED, str(error))
                continue
            for match in matches:
                observation = _hash_match(hash_set, match, str(data.get("path") or data.get("name") or entry.path), dict(hashes))
                observation.allocated, observation.locator = False, item.locator
                self._observe(observation, "hash_match/1", entry)

    def _row(self, item: _Item) -> list[Any]:
        entry, digests = item.entry, item.content.digests if item.content is not None else {}
        hexes = [digests[name].hex() if name in digests else None for name in ALGORITHMS]
        return [
            entry.path, entry.kind, entry.size, entry.allocated, entry.orphan, entry.modified, entry.accessed, entry.changed, entry.created,
            entry.local_times, entry.content, entry.address, *hexes,
        ]  # fmt: skip


class _TextFeed:
    """Keywords in a file too large to keep, if its beginning reads as text, or ``anything`` is wanted."""

    def __init__(self, words: Matcher, anything: bool) -> None:
        self._words, self._anything = words, anything
        self._stream: Stream | None = None
        self._begun = False

    def __call__(self, chunk: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._stream = self._words.stream() if self._anything or is_text(chunk[:4096]) else None
        if self._stream is not None:
            self._stream.feed(chunk)

    def finish(self) -> list[Hit]:
        return self._stream.finish() if self._stream is not None else []


def _hash_match(hash_set: HashSet, match: Match, path: str, hashes: dict[str, str]) -> HashMatch:
    return HashMatch(
        path=path,
        algorithm=match.algorithm,
        digest=hashes[match.algorithm],
        set_name=hash_set.name,
        set_version=hash_set.version,
        role="alert" if match.alert else "listed",
        code=match.code,
        label=match.label,
        size_matches=match.size_matches,
        confirmed_by=match.confirmed_by,
        contradicted_by=match.contradicted_by,
        hashes=hashes,
    )


def rows_to_entries(lines: bytes) -> Iterator[Entry]:
    """The entries of a batch, from the JSON lines in which they were planned."""
    import json

    for values in json.loads(b"[" + lines + b"]"):
        yield Entry.from_wire(values)
