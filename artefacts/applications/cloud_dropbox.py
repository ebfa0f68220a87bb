"""Dropbox: accounts with their folders, and the files that were sent or fetched last.

``info.json``: ``personal`` and ``business`` with ``path`` and ``host``. ``sync_history.db``: table ``sync_history``, ``timestamp`` in seconds since 1970, UTC. The
databases of each account (``instance1/*.dbx``, before ``filecache.dbx``, ``config.dbx``) are encrypted.

Sources: help.dropbox.com ("Locate the Dropbox folders"); plaso's notes on Dropbox; the specimen.
"""

from __future__ import annotations

from artefacts.applications.cloud_google_drive import HOW
from artefacts.applications.reading import Results, json_object, text_of
from artefacts.coverage import Encrypted, Unrecognised
from artefacts.observations import AccountUse, FileSeen
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import number_time, rows_of
from artefacts.times import from_unix

_WAYS = {"download": "fetched from the cloud", "upload": "sent to the cloud"}
_DONE = {"add": "new", "edit": "changed", "delete": "deleted"}


def parse_info(file: EvidenceFile) -> Results:
    """``AccountUse`` and ``FileSeen`` (the folder) for each account."""
    tree = json_object(file, 1 << 20)
    if not {"personal", "business"} & set(tree):
        raise Unrecognised("not the accounts of Dropbox")
    for kind in ("personal", "business"):
        entry = tree.get(kind)
        if isinstance(entry, dict):
            host = entry.get("host")
            yield AccountUse(
                service="Dropbox", account=f"{kind}, host {host}" if isinstance(host, int) else kind, user=file.user, how=HOW, locator=kind
            )
            if text_of(entry.get("path")):
                yield FileSeen(
                    path=entry["path"][:4096], kind="folder", how=HOW, detail="Dropbox: folder that is kept in step", user=file.user, locator=f"{kind}.path"
                )  # fmt: skip


def parse_history(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each file that was sent, fetched, changed or deleted; ``used`` is when."""

    def read(row: Row, _: Database) -> Results:
        path = row.text("local_path")
        if path:
            facts = (_WAYS.get(row.text("direction") or "", "kept in step"), _DONE.get(row.text("file_event_type") or "", ""))
            yield FileSeen(
                path=path, used=number_time(row, "timestamp", from_unix), how=HOW, user=file.user,
                detail=", ".join(("Dropbox", *(fact for fact in facts if fact), *(("by another user",) if row.integer("other_user") else ()))),
                locator=row.locator,
            )  # fmt: skip

    return rows_of(file, "sync_history", ("local_path", "timestamp"), ("direction", "file_event_type", "event_type", "other_user"), read)


def parse_encrypted(file: EvidenceFile) -> Results:
    """Raises ``Encrypted``: the list of files cannot be read."""
    raise Encrypted("Dropbox encrypts its list of files")
    yield  # a generator, as every parser is


_REFERENCES = ("https://help.dropbox.com/installs/locate-dropbox-folder",)

ARTEFACTS = (
    Artefact(
        id="applications.cloud.dropbox.accounts",
        title="Dropbox: accounts",
        meaning="Dropbox accounts that were used here, and their folders.",
        paths=("**/Dropbox/info.json", "**/.dropbox/info.json"),
        parse=parse_info,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.cloud.dropbox.history",
        title="Dropbox: what was sent and fetched",
        meaning="Files that Dropbox sent, fetched, changed or deleted lately, and when.",
        paths=("**/Dropbox/**/sync_history.db", "**/.dropbox/**/sync_history.db"),
        parse=parse_history,
        references=_REFERENCES,
        validation="specimen; generated",
    ),
    Artefact(
        id="applications.cloud.dropbox.encrypted",
        title="Dropbox: list of files",
        meaning="All files of the account. It is encrypted.",
        paths=("**/Dropbox/instance*/filecache.dbx", "**/Dropbox/filecache.dbx", "**/.dropbox/instance*/filecache.dbx"),
        parse=parse_encrypted,
        references=_REFERENCES,
    ),
)
