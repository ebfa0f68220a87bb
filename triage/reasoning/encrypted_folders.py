"""Folders that a program for encryption keeps its files in, told by the files that mark them.

Sources: docs.cryptomator.org ("Vault format"); gocryptfs(1); cryfs.org; encfs(1); securefs README.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.observations import EncryptedItem, Observation
from triage.scan.conclude import COLUMN, Conclusion, Context, Drawn

_PATH, _KIND, _ALLOCATED = COLUMN["path"], COLUMN["kind"], COLUMN["allocated"]
_MOST = 1000
_MARKS = {
    "vault.cryptomator": "Cryptomator", "masterkey.cryptomator": "Cryptomator", "gocryptfs.conf": "gocryptfs", "cryfs.config": "CryFS",
    ".encfs6.xml": "EncFS", ".encfs5": "EncFS", ".securefs.json": "securefs", ".securefs.pb": "securefs",
}  # fmt: skip


class EncryptedFolders(Conclusion):
    """An ``EncryptedItem`` for each such folder."""

    name = "encrypted_folders"
    listing = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._found: dict[tuple[str, str, str], str] = {}
        self._dropped = 0

    def feed(self, observation: Mapping[str, Any]) -> None:
        """Only listed files are of interest."""

    def feed_listing(self, source: str, volume: str, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            folder, _, name = row[_PATH].rpartition("/")
            program = _MARKS.get(name)
            if program is None or not row[_ALLOCATED]:
                continue
            if len(self._found) < _MOST:
                self._found[source, volume, folder] = program
            else:
                self._dropped += 1

    def conclude(self) -> Iterator[Drawn | Observation | Problem]:
        for (source, volume, folder), program in sorted(self._found.items()):
            item = EncryptedItem(
                kind=f"{program} container (a folder)",
                path=folder or "/",
                state="unknown",
                detail=f"the folder holds the mark of {program}; what it keeps there is encrypted, names too",
            )
            yield Drawn(item, source, volume, folder or "/")
        if self._dropped:
            yield Problem(f"{self._dropped} more encrypted folders are not named", Status.SKIPPED)


CONCLUSIONS = (EncryptedFolders,)
