"""Nextcloud and ownCloud: accounts with their folders, and the files that are kept in step.

``nextcloud.cfg``, ``owncloud.cfg``: Qt's INI, ``0\\url``, ``0\\dav_user``, ``0\\Folders\\1\\localPath`` in ``[Accounts]``. In the folder itself ``.sync_HASH.db`` (``._sync_…``): table
``metadata`` (``path``, ``modtime`` in seconds since 1970 UTC, ``filesize``, ``contentChecksum`` with its kind in ``checksumtype``).

Source: nextcloud/desktop, src/common/syncjournaldb.cpp, src/gui/accountmanager.cpp.
"""

from __future__ import annotations

import re

from artefacts.applications.cloud_google_drive import HOW
from artefacts.applications.reading import Results, content
from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import AccountUse, FileSeen
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import number_time
from artefacts.times import from_unix

_SETTING = re.compile(
    r"^(\d{1,4})\\(url|dav_user|webflow_user|http_user|Folders(?:WithPlaceholders)?\\[^\\\r\n]{1,60}\\localPath)=(.*)$", re.MULTILINE
)
_SIZES = {"md5": 32, "sha1": 40, "sha256": 64}
_FOLDER = 2  # type of an entry that is a folder


def parse_settings(file: EvidenceFile) -> Results:
    """``AccountUse`` for each account (user and server), ``FileSeen`` for each folder that is kept in step."""
    data, problems = content(file, 4 << 20)
    text = data.decode("utf-8", "backslashreplace")
    if "[Accounts]" not in text and "[General]" not in text:
        raise Unrecognised("not the settings of Nextcloud or ownCloud")
    yield from problems
    service = "ownCloud" if "owncloud" in file.name.lower() else "Nextcloud"
    accounts: dict[str, dict[str, str]] = {}
    for found in _SETTING.finditer(text):
        number, name, value = found[1], found[2], found[3].strip().strip('"')
        if name.endswith("localPath"):
            yield FileSeen(
                path=value[:4096],
                kind="folder",
                how=HOW,
                detail=f"{service}: folder that is kept in step",
                user=file.user,
                locator=f"{number}\\{name}",
            )
        else:
            accounts.setdefault(number, {})[name] = value
    for number, account in sorted(accounts.items()):
        who = account.get("dav_user") or account.get("webflow_user") or account.get("http_user") or "?"
        yield AccountUse(
            service=service, account=f"{who} at {account.get('url', '?')}"[:4096], user=file.user, how=HOW, locator=f"account={number}"
        )


def parse_journal(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each file; the path begins in the folder that the journal lies in."""
    folder = file.path.rpartition("/")[0]
    with Database(file) as database:
        yield from database.problems
        if not database.has("metadata", "path", "modtime"):
            if database.tables and not database.problems:
                raise Unrecognised("a SQLite database, but not the journal of Nextcloud")
            return
        kinds: dict[object, str] = {}
        for row in database.rows("checksumtype", ("id", "name")):
            if not isinstance(row, Problem):
                kinds[row.values["id"]] = (row.text("name") or "").lower()
        for row in database.rows("metadata", ("path", "modtime"), ("type", "filesize", "contentChecksum", "contentChecksumTypeId")):
            if isinstance(row, Problem):
                yield row
                continue
            yield FileSeen(
                path=f"{folder}/{row.text('path') or ''}", size=row.integer("filesize"), time=number_time(row, "modtime", from_unix), hashes=_hashes(row, kinds),
                kind="folder" if row.integer("type") == _FOLDER else "file", how=HOW, user=file.user, detail="Nextcloud or ownCloud: kept in step",
                locator=row.locator,
            )  # fmt: skip


def _hashes(row: Row, kinds: dict[object, str]) -> dict[str, str]:
    kind = kinds.get(row.values["contentChecksumTypeId"], "")
    text = (row.text("contentChecksum") or "").lower()
    return {kind: text} if _SIZES.get(kind) == len(text) and re.fullmatch(r"[0-9a-f]+", text) else {}


_REFERENCES = ("https://github.com/nextcloud/desktop",)

ARTEFACTS = (
    Artefact(
        id="applications.cloud.nextcloud.accounts",
        title="Nextcloud and ownCloud: accounts",
        meaning="Accounts at a Nextcloud or ownCloud server, and the folders that are kept in step with it.",
        paths=("**/nextcloud.cfg", "**/owncloud.cfg"),
        parse=parse_settings,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.cloud.nextcloud.files",
        title="Nextcloud and ownCloud: files",
        meaning="Files that are kept in step with a Nextcloud or ownCloud server, also those that are not here any more.",
        paths=("**/.sync_*.db", "**/._sync_*.db"),
        parse=parse_journal,
        references=_REFERENCES,
    ),
)
