"""What is inspected: a file of a batch, and the content of a file, or of something inside one, as the checks on content see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from artefacts.registry import Artefact
from artefacts.times import NoTime, Time, Timestamp
from triage.evidence.model import Entry
from triage.scan.content import ALGORITHMS, Content

READ, WORDS, YARA, PARSE, CONTENTS, PICTURES = 1, 2, 3, 4, 5, 6
"""Stages of a file's inspection: after a crash in one, the file is done again without it and what follows."""


@dataclass(slots=True)
class Item:
    """A file of a batch. ``avoid``: the stage at which to stop, 0 for none; ``known``: an ``ignore`` set holds it; ``opens``: it is looked into
    for what lies inside; ``done``: nothing but its digests is wanted; ``outside``: of the dates of the visit (scope.py)."""

    entry: Entry
    content: Content | None = None
    artefacts: list[Artefact] = field(default_factory=list)
    avoid: int = 0
    known: bool = False
    opens: bool = False
    done: bool = False
    outside: bool = False

    def done_with(self, stage: int) -> bool:
        """Whether this stage is not to be entered."""
        return 0 < self.avoid <= stage


@dataclass(frozen=True, slots=True)
class Inside:
    """How something inside a file was reached. ``chain`` begins with the file's own name (``archive.zip ▸ a/b.doc ▸ image3.jpeg``); ``how`` says
    in words what kind of place it is (``in an archive``); ``offset``: byte of the outer file at which it begins, where it lies there as it
    is; ``recovered``: found where nothing leads to it any more."""

    chain: str
    how: str
    offset: int | None = None
    recovered: bool = False


@dataclass(slots=True)
class Subject:
    """A content to be checked: of the file ``entry``, or of something inside it.

    ``path`` is the file's, with the chain where it is inside one; ``head`` its first 4 KiB; ``data`` all of it, or None where it is too
    large to be held: then ``open`` gives it as a seekable stream. ``known``: an ``ignore`` set holds it.
    """

    entry: Entry
    path: str
    name: str
    locator: str
    size: int
    head: bytes
    data: bytes | None
    open: Callable[[], BinaryIO]
    digests: dict[str, bytes] = field(default_factory=dict)
    known: bool = False
    inside: Inside | None = None

    @property
    def allocated(self) -> bool:
        """False for what belongs to a deleted file, or to none."""
        return self.entry.allocated

    @property
    def recovered(self) -> bool:
        """True for what nothing leads to any more inside its file."""
        return self.inside is not None and self.inside.recovered


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


def listing_row(item: Item) -> list[Any]:
    """The row of ``LISTING_COLUMNS`` for a file."""
    entry, digests = item.entry, item.content.digests if item.content is not None else {}
    hexes = [digests[name].hex() if name in digests else None for name in ALGORITHMS]
    return [
        entry.path, entry.kind, entry.size, entry.allocated, entry.orphan, entry.modified, entry.accessed, entry.changed, entry.created,
        entry.local_times, entry.content, entry.address, *hexes,
    ]  # fmt: skip
