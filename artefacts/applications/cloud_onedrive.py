"""OneDrive: accounts, their folders, and the files that it knows, also those that are only in the cloud.

- The user's registry, ``Software\\Microsoft\\OneDrive\\Accounts\\NAME``: ``UserEmail``, ``UserFolder``, ``cid``.
- ``settings/ACCOUNT/global.ini`` and ``CID.ini`` (UTF-16 or UTF-8): ``cid = …``; a line ``library = …`` with the folder between quotes.
- ``settings/ACCOUNT/SyncEngineDatabase.db``: ``od_ClientFile_Records`` (``fileName``, ``size``, ``lastChange`` in seconds since 1970 UTC, ``localHashDigest``) and
  ``od_ClientFolder_Records``. A digest of 20 bytes is SHA-1 in old private accounts and QuickXor in all others: it is given as SHA-1 for private ones.

Source: OneDriveExplorer (Beercow), README; artemis, extractSyncEngine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.applications.cloud_google_drive import HOW
from artefacts.applications.folder_tree import FolderTree
from artefacts.applications.reading import Results, content
from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import AccountUse, FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import number_time
from artefacts.times import from_unix
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import NTUSER, read_hive
from artefacts.windows.text import decode

_ACCOUNTS = r"Software\Microsoft\OneDrive\Accounts"
_LIBRARY = re.compile(r'^library(?:Scope|Folder)? ?=.*?"([A-Za-z]:\\[^"]{1,1000}|/[^"]{1,1000})"', re.MULTILINE)
_CID = re.compile(r"^cid ?= ?([0-9A-Fa-f-]{8,36})\s*$", re.MULTILINE)


def parse_registry(file: EvidenceFile) -> Results:
    """``AccountUse`` and ``FileSeen`` (the folder) for each account in the user's registry."""

    def read(hive: Hive) -> Iterator[Observation]:
        top = hive.key(_ACCOUNTS)
        for key in top.subkeys() if top else ():
            name = key.text("UserEmail") or key.text("cid")
            if name:
                yield AccountUse(service="OneDrive", account=name, last=key.written, user=file.user, how=HOW, locator=key.path)
            if folder := key.text("UserFolder"):
                yield FileSeen(
                    path=folder, kind="folder", how=HOW, detail="OneDrive: folder that is kept in step", user=file.user, locator=key.path
                )

    return read_hive(file, read)


def parse_settings(file: EvidenceFile) -> Results:
    """``AccountUse`` by the account's number, ``FileSeen`` for each folder that is kept in step."""
    data, problems = content(file, 4 << 20)
    text = decode(data)
    yield from problems
    for found in _CID.finditer(text):
        yield AccountUse(service="OneDrive", account=f"number {found[1].lower()}", user=file.user, how=HOW, locator="cid")
    for found in _LIBRARY.finditer(text):
        yield FileSeen(
            path=found[1],
            kind="folder",
            how=HOW,
            detail="OneDrive: folder that is kept in step",
            user=file.user,
            locator=f"character={found.start()}",
        )


def parse_database(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each file that OneDrive knows."""
    private = "/personal/" in file.path.lower()
    with Database(file) as database:
        yield from database.problems
        if not database.has("od_ClientFile_Records", "fileName", "parentResourceID"):
            if database.tables and not database.problems:
                raise Unrecognised("a SQLite database, but not OneDrive's list of files")
            return
        tree = FolderTree()
        for row in database.rows("od_ClientFolder_Records", ("resourceID", "parentResourceID", "folderName")):
            if isinstance(row, Problem):
                yield row
            else:
                tree.add(row.values["resourceID"], row.text("folderName") or "", row.values["parentResourceID"])
        for row in database.rows("od_ClientFile_Records", ("fileName", "parentResourceID"), ("size", "lastChange", "localHashDigest")):
            if isinstance(row, Problem):
                yield row
                continue
            yield FileSeen(
                path=f"OneDrive:/{tree.path(row.values['parentResourceID'], row.text('fileName') or '').lstrip('/')}",
                size=row.integer("size"), time=number_time(row, "lastChange", from_unix), hashes=_sha1(row) if private else {}, how=HOW, user=file.user,
                detail="OneDrive: known to its program, here or only in the cloud", locator=row.locator,
            )  # fmt: skip


def _sha1(row: Row) -> dict[str, str]:
    value = row.values["localHashDigest"]
    return {"sha1": value.hex()} if isinstance(value, bytes) and len(value) == 20 else {}


_REFERENCES = ("https://github.com/Beercow/OneDriveExplorer",)

ARTEFACTS = (
    Artefact(
        id="applications.cloud.onedrive.registry",
        title="OneDrive: accounts",
        meaning="OneDrive accounts that were used here, and their folders.",
        paths=NTUSER,
        parse=parse_registry,
        references=_REFERENCES,
        systems=("windows",),
    ),
    Artefact(
        id="applications.cloud.onedrive.settings",
        title="OneDrive: settings",
        meaning="OneDrive accounts that were used here, and their folders.",
        paths=("**/OneDrive/settings/*/*.ini",),
        parse=parse_settings,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.cloud.onedrive.files",
        title="OneDrive: files",
        meaning="Files that OneDrive knows, also those that are only in the cloud.",
        paths=("**/OneDrive/settings/*/SyncEngineDatabase.db",),
        parse=parse_database,
        references=_REFERENCES,
    ),
)
