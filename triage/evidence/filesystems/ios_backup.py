"""A backup of an iPhone or iPad as a file system: its files under the paths they had on the phone.

Since iOS 10 a backup is a folder with ``Manifest.db``, whose table ``Files`` gives for each file its domain (``HomeDomain``,
``AppDomain-com.google.chrome.ios``), its path inside it, and a number; the content is the file of that number in a folder named after the
number's first two digits. ``file`` is an archived property list with size and times (Unix seconds, UTC). The files of a backup with a
password are encrypted, and so is its ``Manifest.db``.

Source: the database's own schema; Apple's "About encrypted backups on your iPhone, iPad, or iPod touch"; checked against backups made in the
tests only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from artefacts import plist
from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.sqlite import Database
from triage.evidence.file import EntryFile
from triage.evidence.filesystems import tree
from triage.evidence.model import ByteSource, Entry, Filesystem, Volume

MANIFEST = "Manifest.db"
SCHEME = "phone backup"
_MOST_FILES = 1_000_000
_NUMBER = re.compile(r"[0-9a-fA-F]{40}")
_PART = re.compile(r"[^/\0]+")
_FILE, _DIRECTORY, _LINK = 1, 2, 4
_KINDS = {_FILE: "file", _DIRECTORY: "directory", _LINK: "link"}
_NS = 1_000_000_000


class _Row(NamedTuple):
    number: str
    kind: str
    facts: bytes


def backup_volume(filesystem: Filesystem, manifest: str, identifier: str) -> Volume | None:
    """The backup whose ``Manifest.db`` lies at the path ``manifest``, as a volume called ``identifier``; None where it is none."""
    folder = manifest.rpartition("/")[0]
    described = filesystem.lookup(f"{folder}/Manifest.plist") or filesystem.lookup(f"{folder}/Info.plist")
    entry = filesystem.lookup(manifest)
    if described is None or entry is None or entry.kind != "file":
        return None
    volume = Volume(identifier, 0, entry.size, SCHEME, f"backup of a phone in {folder or '/'}", filesystem="ios backup")
    try:
        IosBackupFilesystem(filesystem, folder).close()
    except Encrypted as error:
        volume.encrypted, volume.status, volume.reason = "phone backup", Status.ENCRYPTED, str(error)
    except (Unrecognised, OSError) as error:
        volume.status, volume.reason = Status.UNRECOGNISED, str(error)
    return volume


class IosBackupFilesystem:
    """A ``Filesystem`` on the backup in the directory ``folder`` of another. Raises ``Encrypted``, ``Unrecognised``, ``OSError``."""

    def __init__(self, outer: Filesystem, folder: str) -> None:
        self._outer, self._folder = outer, folder
        self._problems: list[Problem] = []
        self._rows: dict[str, _Row] = {}
        self._children: dict[str, set[str]] = {"": set()}
        if _says_encrypted(outer, folder):
            raise Encrypted("the backup is protected by a password")
        entry = outer.lookup(f"{folder}/{MANIFEST}")
        if entry is None:
            raise OSError(f"{MANIFEST} is missing")
        with Database(EntryFile(outer, entry)) as database:
            if not database.has("Files", "fileID", "domain", "relativePath"):
                raise Unrecognised("its Manifest.db is of no known kind")
            self._problems += database.problems
            self._read(database)

    def _read(self, database: Database) -> None:
        for row in database.rows("Files", ("fileID", "domain", "relativePath"), ("flags", "file")):
            if isinstance(row, Problem):
                self._problem(row)
                continue
            number, domain, path = row.text("fileID") or "", row.text("domain") or "", row.text("relativePath") or ""
            parts = [domain, *_PART.findall(path)]
            if not _NUMBER.fullmatch(number) or not domain or "/" in domain or "\0" in domain or {".", ".."} & set(parts):
                self._problem(Problem("a row of Manifest.db names no place", Status.FAILED, row.locator))
                continue
            if len(self._rows) >= _MOST_FILES or len(parts) > tree.MAX_DEPTH:
                self._problem(
                    Problem(f"more than {_MOST_FILES} files, or folders too deep: the rest is not listed", Status.FAILED, row.locator)
                )
                return
            facts = row.values["file"]
            kind = _KINDS.get(row.integer("flags") or _FILE, "other")
            full = "/" + "/".join(parts)
            self._rows[full] = _Row(number.lower(), kind, facts if isinstance(facts, bytes) else b"")
            while full not in self._children.get(full.rpartition("/")[0], ()):
                parent = full.rpartition("/")[0]
                self._children.setdefault(parent, set()).add(full)
                if not parent:
                    break
                full = parent

    def _problem(self, problem: Problem) -> None:
        if len(self._problems) < tree.MAX_PROBLEMS:
            self._problems.append(problem)

    @property
    def type(self) -> str:
        """``ios backup``."""
        return "ios backup"

    @property
    def label(self) -> str | None:
        """The name of the folder: the phone's own identifier."""
        return self._folder.rpartition("/")[2] or None

    @property
    def run_bytes(self) -> ByteSource | None:
        """See ``Filesystem.run_bytes``: its files lie in another file system."""
        return None

    @property
    def problems(self) -> list[Problem]:
        """See ``Filesystem.problems``."""
        return self._problems

    def close(self) -> None:
        """Nothing is held open."""

    def entries(self) -> Iterator[list[Entry]]:
        """See ``Filesystem.entries``; in order of their paths."""
        batch: list[Entry] = []
        for path in sorted({*self._rows, *(path for path in self._children if path)}):
            batch.append(self._entry(path))
            if len(batch) >= tree.BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _entry(self, path: str) -> Entry:
        row = self._rows.get(path)
        if row is None or path in self._children:
            return Entry(path, "directory", 0, path)
        facts = _facts(row.facts)
        size = facts.get("Size", 0)
        if row.kind == "file" and not row.facts:
            held = self._outer.lookup(self._place(row.number))
            size = held.size if held is not None else 0
        return Entry(
            path, row.kind, size, row.number, modified=_time(facts, "LastModified"), changed=_time(facts, "LastStatusChange"),
            created=_time(facts, "Birth"),
        )  # fmt: skip

    def _place(self, number: str) -> str:
        return f"{self._folder}/{number[:2]}/{number}"

    def open(self, entry: Entry) -> BinaryIO:
        """See ``Filesystem.open``. Raises ``OSError`` where the backup does not hold the file's content."""
        if entry.kind != "file" or not _NUMBER.fullmatch(entry.address):
            raise OSError(f"{entry.path} is not a file: it is not opened")
        held = self._outer.lookup(self._place(entry.address))
        if held is None or held.kind != "file":
            raise OSError("the backup lists it, but does not hold its content")
        return self._outer.open(held)

    def lookup(self, path: str) -> Entry | None:
        """See ``Filesystem.lookup``; names that differ in case differ."""
        full = "/" + "/".join(part for part in path.split("/") if part)
        return self._entry(full) if full in self._rows or full in self._children else None

    def children(self, path: str) -> list[Entry]:
        """See ``Filesystem.children``."""
        return [self._entry(child) for child in sorted(self._children.get(path.rstrip("/"), ()))]


def _says_encrypted(outer: Filesystem, folder: str) -> bool:
    entry = outer.lookup(f"{folder}/Manifest.plist")
    if entry is None or entry.kind != "file":
        return False
    try:
        facts = plist.load(EntryFile(outer, entry).read(plist.LARGEST + 1))
    except (ValueError, OSError):
        return False
    return isinstance(facts, dict) and facts.get("IsEncrypted") is True


def _facts(data: bytes) -> dict[str, int]:
    """The whole numbers of an archived ``MBFile``: its second object."""
    try:
        objects: Any = plist.load(data).get("$objects")
        found = objects[1]
    except (ValueError, AttributeError, LookupError, TypeError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str) and type(value) is int and 0 <= value < 1 << 62}


def _time(facts: dict[str, int], name: str) -> int | None:
    seconds = facts.get(name)
    return None if not seconds or seconds > 253_402_300_799 else seconds * _NS
