"""What lies inside files: members of archives, attachments, pictures in documents, cached pages, data behind a picture's end.

Each is handled like a file: digested, looked up in the hash sets, handed to the checks on content; and its words are searched in the same
walk, so that nothing is unpacked twice. A known file that lies in an archive is reported with the way to it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.registry import Artefact
from triage.evidence.file import EntryFile
from triage.evidence.model import Entry, Filesystem
from triage.scan import classify
from triage.scan.content import digests_of
from triage.scan.emit import Emitter
from triage.scan.filetype import is_text
from triage.scan.inspect.checks import ContentCheck
from triage.scan.inspect.item import Inside, Item, Subject
from triage.scan.inspect.lookup import HashLookup
from triage.scan.inspect.words import Words
from triage.scan.pool import Pulse
from triage.scan.profile import Profile

if TYPE_CHECKING:
    from triage.scan.pictures import PictureCheck
    from triage.scan.text.extract import Inner, Piece
    from triage.scan.text.parts import Budget, Member
    from triage.scan.text.search import Found

WHAT = "contents of containers"
"""What the insides of files are called in coverage."""
_GROUP, _GROUP_BYTES = 64, 16 << 20
_HEAD = 4096


class Insides:
    """Goes through what files hold. One for each worker."""

    def __init__(
        self,
        profile: Profile,
        emit: Emitter,
        pulse: Pulse,
        lookup: HashLookup,
        words: Words,
        checks: Sequence[ContentCheck],
        pictures: PictureCheck,
    ) -> None:
        self._profile, self._emit, self._pulse = profile, emit, pulse
        self._lookup, self._words, self._checks, self._pictures = lookup, words, checks, pictures
        self._classes = frozenset(classify.CLASSES.index(name) for name in profile.look_inside)
        self._installed = frozenset((classify.PROGRAMS, classify.SYSTEM))

    @property
    def wanted(self) -> bool:
        """Whether anything would be asked about what lies inside a file."""
        return bool(self._lookup.sets or self._checks)

    def opens(self, head: bytes, cls: int) -> bool:
        """Whether a file that begins like this is looked into for what it holds."""
        from triage.scan.text import hidden
        from triage.scan.text.kinds import OVER_TEXT, READ, kind_of

        if cls not in self._classes or not self.wanted or not head:
            return False
        kind = kind_of(head)
        if kind is not None:
            return kind in READ - OVER_TEXT
        # Bytes of no known format are many among installed files, and nobody hides pictures in those who has a folder of his own.
        return hidden.is_picture(head) or (hidden.is_unknown(head) and (cls not in self._installed or self._profile.every_byte))

    def file(self, filesystem: Filesystem, item: Item) -> Found | None:
        """Go through a file. What lies inside is told here; the hits in its text are returned, None where it was not searched for any."""
        from triage.scan.text import Piece
        from triage.scan.text.extract import walk
        from triage.scan.text.kinds import OVER_TEXT, kind_of

        entry, content = item.entry, item.content
        assert content is not None
        kind, readable = kind_of(content.head), is_text(content.head)
        searching = self._words.matcher is not None and (kind is not None or readable or self._profile.every_byte)
        opening = item.opens
        plain = kind is None or kind in OVER_TEXT
        what = f"keywords in {'text' if readable else 'binary'} files" if plain else "keywords in documents, mail and archives"
        if plain and opening and content.data is None:
            self._emit.count(WHAT, Status.SKIPPED, "files of no known kind, and pictures, that are larger than 32 MiB", size=entry.size)
            opening = False
        if searching and plain and entry.size <= self._profile.largest_text and content.data is None:
            self._emit.count(what, Status.PARSED, size=content.read)  # matched as it was read, by ``TextFeed``
            searching = False
        if not searching and not opening:
            return None
        what = what if searching else WHAT
        largest = self._profile.largest_text if plain else self._profile.largest_container
        if entry.size > largest and (searching or not plain):
            reason = f"larger than {largest >> 20} MiB, the limit of the profile"
            self._emit.problem(what, Status.SKIPPED, entry.path, reason, size=entry.size)
            return None
        budget = self._budget(entry.size, searching, opening)
        sift = _Sift(entry, self._judge)
        try:
            with io.BytesIO(content.data) if content.data is not None else filesystem.open(entry) as stream:
                bare = [Piece(stream.read(), "")] if searching and kind is None and not readable else []
                stream.seek(0)
                found = self._search(sift.pieces(chain(bare, walk(stream, entry.name, budget))), searching)
        except OSError as error:
            self._emit.problem(what, Status.UNREADABLE, entry.path, str(error) or "the content could not be opened", size=entry.size)
            return None
        self._told(what, entry.path, found, entry.size)
        if searching and (found.pieces or not found.problems):
            self._emit.count(what, Status.PARSED if found.pieces else Status.EMPTY, size=found.size)
        if opening and (sift.count or (not plain and not found.problems)):
            self._emit.count(WHAT, Status.PARSED if sift.count else Status.EMPTY, size=sift.size)
        return found if searching else None

    def artefact(self, artefact: Artefact, file: EntryFile) -> Found | None:
        """Go through what an artefact says that its file holds; returns as ``file`` does."""
        from triage.scan.text.extract import walk_members

        if artefact.contents is None:
            return None
        searching = self._words.matcher is not None
        if not searching and not self.wanted:
            return None
        budget = self._budget(file.size, searching, self.wanted)
        sift = _Sift(file.entry, self._judge)
        found = self._search(sift.pieces(walk_members(_members(artefact, file, budget), file.name, budget)), searching)
        self._told(WHAT, file.path, found, file.size)
        if sift.count or found.pieces:
            self._emit.count(WHAT, Status.PARSED, size=sift.size)
        return found if searching else None

    def loose(self, subjects: Sequence[Subject]) -> None:
        """Look up and check contents that somebody else found."""
        self._judge(subjects)

    def _budget(self, size: int, words: bool, everything: bool) -> Budget:
        from triage.scan.text.parts import Budget, Limits

        profile = self._profile
        limits = Limits(profile.unpacked, profile.members, profile.seconds_inside)
        return Budget(self._pulse.beat, size, limits=limits, words=words, everything=everything)

    def _search(self, pieces: Iterator[Piece | Problem], searching: bool) -> Found:
        from triage.scan.text.search import Found, search

        if searching and self._words.matcher is not None:
            return search(self._words.matcher, pieces)
        return Found(problems=[piece for piece in pieces if isinstance(piece, Problem)])

    def _told(self, what: str, path: str, found: Found, size: int) -> None:
        for problem in found.problems:
            where = f" ({problem.locator})" if problem.locator else ""
            self._emit.problem(what, problem.status, path, problem.reason + where, size=size)

    def _judge(self, subjects: Sequence[Subject]) -> None:
        if self._lookup.sets:
            for subject in subjects:
                if subject.data is not None:
                    subject.digests = digests_of(subject.data, self._lookup.algorithms)
            self._lookup.subjects(subjects)
        for check in (*self._checks, self._pictures):
            for subject in subjects:
                if not subject.known:
                    check.content(subject)
                    self._pulse.beat()


class _Sift:
    """Lets pieces of text pass, and gathers what lies inside for ``judge``, some at a time."""

    def __init__(self, entry: Entry, judge: Callable[[Sequence[Subject]], None]) -> None:
        self._entry, self._judge = entry, judge
        self._group: list[Subject] = []
        self._held = 0
        self.count = self.size = 0

    def pieces(self, found: Iterator[Piece | Inner | Problem]) -> Iterator[Piece | Problem]:
        """The pieces and problems in ``found``. Everything is judged when the last has been taken."""
        from triage.scan.text.extract import Inner

        for part in found:
            if not isinstance(part, Inner):
                yield part
                continue
            self._group.append(subject_of(self._entry, part.data, Inside(part.locator, part.how, part.offset, part.recovered)))
            self._held += len(part.data)
            self.count += 1
            self.size += len(part.data)
            if len(self._group) >= _GROUP or self._held >= _GROUP_BYTES:
                self._flush()
        self._flush()

    def _flush(self) -> None:
        if self._group:
            self._judge(self._group)
        self._group, self._held = [], 0


def subject_of(entry: Entry, data: bytes, inside: Inside) -> Subject:
    """What the checks see of something inside ``entry``."""

    def opened() -> BinaryIO:
        return io.BytesIO(data)

    way = inside.chain.removeprefix(entry.name)
    name = inside.chain.rpartition(" ▸ ")[2].rpartition("/")[2]
    return Subject(entry, entry.path + way, name, inside.chain, len(data), data[:_HEAD], data, opened, inside=inside)


def _members(artefact: Artefact, file: EntryFile, budget: Budget) -> Iterator[Member | Problem]:
    from triage.scan.text.parts import Member

    assert artefact.contents is not None
    try:
        for item in artefact.contents(file):
            if isinstance(item, Problem):
                yield item
                continue
            budget.took(len(item.data))
            if not budget.member() or budget.spent:
                yield Problem(budget.spent)
                return
            if item.data:
                yield Member(item.name, item.data, item.how, item.offset, item.recovered)
    except (Unrecognised, Encrypted) as error:
        yield Problem(str(error), Status.ENCRYPTED if isinstance(error, Encrypted) else Status.UNRECOGNISED)
