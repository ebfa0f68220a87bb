"""How an artefact declares itself, and what it may ask of an evidence file.

An artefact is one module anywhere below ``artefacts`` with a module-level ``ARTEFACTS`` tuple. Nothing else has to be edited to add one:
``all_artefacts()`` finds it, the scan plans it, the documentation and the report list it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Protocol

from artefacts.coverage import Problem
from artefacts.observations import Observation


class EvidenceFile(Protocol):
    """A file inside evidence, read-only. The artefact never knows whether it lies in a folder, an image or a live volume."""

    @property
    def path(self) -> str:
        """Full path inside its volume, ``/`` between parts, starting with ``/``."""

    @property
    def name(self) -> str:
        """The last part of ``path``."""

    @property
    def size(self) -> int:
        """Length in bytes as the file system states it (it may lie: read to the end)."""

    @property
    def user(self) -> str | None:
        """The user profile the path lies in (``/Users/NAME/…``, ``/home/NAME/…``), where it lies in one."""

    @property
    def allocated(self) -> bool:
        """False for a deleted entry, whose content may be somebody else's by now."""

    def open(self) -> BinaryIO:
        """A new seekable stream at 0. Unreadable parts read as zeros and are reported by the engine, not raised."""

    def read(self, limit: int) -> bytes:
        """At most the first ``limit`` bytes."""

    def sibling(self, name: str) -> EvidenceFile | None:
        """The file called ``name`` in the same folder (``History-wal``), below it or beside it (``Network/Cookies``, ``../a/b``), or None."""

    def siblings(self, folder: str = "") -> Sequence[EvidenceFile]:
        """Every file in the same folder, this one included, in name order; those in the folder called ``folder`` beside it, if one is named."""

    def folder(self, reference: str) -> str | None:
        """The path of the folder that this file system knows by ``reference`` (NTFS: record-sequence), None where it does not: for journals."""

    def names(self, reference: str) -> Sequence[str] | None:
        """The names that the file or folder known by ``reference`` has now, none where it is gone; None where that cannot be told."""


Parser = Callable[[EvidenceFile], Iterator[Observation | Problem]]


@dataclass(frozen=True, slots=True)
class Content:
    """Something that an evidence file holds and that deserves the checks a file gets: the body of a cached page, a small picture.

    ``name`` says which it is (the page's address, the entry's name); ``data`` is all of it, decompressed; ``how`` says in words what kind
    of place it lies in (``in an archive``). ``offset``: byte of the evidence file at which it begins, where it lies there as it is;
    ``recovered``: nothing leads to it any more.
    """

    name: str
    data: bytes
    how: str
    offset: int | None = None
    recovered: bool = False


Contents = Callable[[EvidenceFile], Iterator[Content | Problem]]


@dataclass(frozen=True, slots=True)
class Artefact:
    """One kind of trace, and how to read it.

    ``paths`` are glob patterns over the path inside a volume, ``/`` between parts, matched without regard to case: ``*`` and ``?``
    stay inside one part, ``**`` spans any number of parts. The last part should hold a literal name or a literal extension, or the one
    before it be literal: those are found by a look-up, anything else is tried on every path.
    ``parse`` yields observations and ``Problem``s; it raises ``Unrecognised`` or ``Encrypted`` when the file is not for it. Anything
    else it raises costs this file its remaining records and is reported as ``failed``.
    ``contents``, where there is one, yields what the file holds for the checks on content; it may raise as ``parse`` does, and is asked only for
    files that ``parse`` took.
    """

    id: str
    title: str
    meaning: str
    paths: tuple[str, ...]
    parse: Parser
    references: tuple[str, ...]
    systems: tuple[str, ...] = ("windows", "macos", "linux")
    version: int = 1
    validation: str = "generated"
    contents: Contents | None = None

    @property
    def parser(self) -> str:
        """Name and version for provenance."""
        return f"{self.id}/{self.version}"


@cache
def all_artefacts() -> tuple[Artefact, ...]:
    """Every artefact declared below this package, ordered by id. Raises ``ValueError`` where two share an id."""
    found: dict[str, Artefact] = {}
    package = importlib.import_module("artefacts")
    for module in pkgutil.walk_packages(package.__path__, "artefacts."):
        for artefact in getattr(importlib.import_module(module.name), "ARTEFACTS", ()):
            if artefact.id in found:
                raise ValueError(f"two artefacts are called {artefact.id}")
            found[artefact.id] = artefact
    return tuple(found[key] for key in sorted(found))
