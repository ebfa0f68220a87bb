"""What file systems with one directory tree share: their problems, and finding entries by path at the cost of a directory each."""

from __future__ import annotations

import unicodedata
from collections import OrderedDict
from collections.abc import Callable

from artefacts.coverage import Problem, Status
from triage.evidence.model import ByteSource, Entry

MAX_ENTRIES = 5_000_000
MAX_DIRECTORY = 1_000_000
MAX_DEPTH = 512
MAX_PROBLEMS = 10_000
BATCH = 1000
_CACHED_DIRECTORIES = 128
_CACHED_ENTRIES = 200_000

Names = dict[str, Entry]


def exact(name: str) -> str:
    """Names that differ in case differ (ext, XFS, UFS)."""
    return name


def any_case(name: str) -> str:
    """Names that differ only in case are one (FAT, exFAT, NTFS, ISO 9660)."""
    return name.lower()


def composed(name: str) -> str:
    """Names are one whatever way their accents are written, but not whatever their case (HFSX)."""
    return unicodedata.normalize("NFC", name)


def composed_any_case(name: str) -> str:
    """Names are one whatever their case and the way their accents are written (HFS+, APFS)."""
    return unicodedata.normalize("NFC", name).lower()


class TreeFilesystem:
    """Base of a file system that can list one directory. Subclasses give ``_list``."""

    def __init__(self, kind: str, label: str | None, fold: Callable[[str], str]) -> None:
        self._type, self._label, self._fold = kind, label, fold
        self._problems: list[Problem] = []
        self._cache: OrderedDict[str, tuple[Names, Names]] = OrderedDict()

    @property
    def type(self) -> str:
        """See ``Filesystem.type``."""
        return self._type

    @property
    def label(self) -> str | None:
        """See ``Filesystem.label``."""
        return self._label

    @property
    def run_bytes(self) -> ByteSource | None:
        """See ``Filesystem.run_bytes``."""
        return None

    @property
    def problems(self) -> list[Problem]:
        """See ``Filesystem.problems``; after ``MAX_PROBLEMS`` one more says that there were more."""
        return self._problems

    def _problem(self, reason: str, locator: str = "", status: Status = Status.FAILED) -> None:
        problem = Problem(reason, status, locator)
        if len(self._problems) < MAX_PROBLEMS:
            if problem not in self._problems[-64:]:
                self._problems.append(problem)
        elif len(self._problems) == MAX_PROBLEMS:
            self._problems.append(Problem(f"more than {MAX_PROBLEMS} problems: the rest are not listed", status))

    def _list(self, directory: Entry | None, path: str) -> list[Entry]:
        """The allocated entries of a directory (None: the root) at ``path``, streams included. May raise ``OSError``."""
        raise NotImplementedError

    def _names(self, path: str) -> tuple[Names, Names]:
        """The entries of the directory ``path`` by exact and by folded name; empty where it is not one."""
        key = self._fold(path)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        directory = self.lookup(path) if path else None
        if path and (directory is None or directory.kind != "directory"):
            return {}, {}
        try:
            found = self._list(directory, directory.path if directory else "")
        except (OSError, ValueError) as error:
            self._problem(f"a directory could not be read: {error}", path or "/")
            return {}, {}
        named: Names = {}
        folded: Names = {}
        for entry in found:
            named.setdefault(entry.name, entry)
            folded.setdefault(self._fold(entry.name), entry)
        self._cache[key] = named, folded
        while len(self._cache) > 1 and (
            len(self._cache) > _CACHED_DIRECTORIES or sum(len(names) for names, _ in self._cache.values()) > _CACHED_ENTRIES
        ):
            self._cache.popitem(last=False)
        return named, folded

    def lookup(self, path: str) -> Entry | None:
        """See ``Filesystem.lookup``. An exact match goes before one that differs in case. The root is not an entry."""
        parts = [part for part in path.split("/") if part]
        if not parts or len(parts) > MAX_DEPTH:
            return None
        parent = ""
        for part in parts[:-1]:
            named, folded = self._names(parent)
            entry = named.get(part) or folded.get(self._fold(part))
            if entry is None or entry.kind != "directory":
                return None
            parent = entry.path
        named, folded = self._names(parent)
        return named.get(parts[-1]) or folded.get(self._fold(parts[-1]))

    def children(self, path: str) -> list[Entry]:
        """See ``Filesystem.children``. Streams are left out: ``lookup`` finds them."""
        named, _ = self._names(path.rstrip("/"))
        return sorted((entry for entry in named.values() if entry.kind != "stream"), key=lambda entry: entry.name)
