"""Google Drive: accounts, and the files that its programs know, with their MD5.

- Backup and Sync (until 2021): ``snapshot.db`` and ``cloud_graph.db``: tables ``cloud_entry`` (or ``cloud_graph_entry``) and ``local_entry`` with ``…_relations``;
  ``sync_config.db``: table ``data`` (``user_email``, ``local_sync_root_path``). Times are seconds since 1970, UTC.
- Drive for desktop: ``DriveFS/ACCOUNT/metadata_sqlite_db``: ``items`` and ``stable_parents``; times are milliseconds since 1970, UTC. ACCOUNT is a number.

Sources: plaso's notes on gdrive; K. Adedayo and others on DriveFS; the specimens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from artefacts.applications.folder_tree import FolderTree
from artefacts.applications.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, FileSeen
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import number_time, rows_of
from artefacts.times import NOT_RECORDED, Time, from_unix

_MILLISECOND = 1_000_000
HOW = "cloud client"
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_FOLDER_TYPE = 0  # doc_type of a folder; 1 is a file, others are Google's own documents


def _md5(row: Row) -> Mapping[str, str]:
    text = row.text("checksum")
    return {"md5": text.lower()} if text and _MD5.fullmatch(text) else {}


def _rows(database: Database, table: str, required: tuple[str, ...], optional: tuple[str, ...], problems: list[Problem]) -> list[Row]:
    found: list[Row] = []
    for row in database.rows(table, required, optional) if database.has(table) else ():
        if isinstance(row, Problem):
            problems.append(row)
        else:
            found.append(row)
    return found


def _side(file: EvidenceFile, database: Database, table: str, key: str, relations: str, suffix: str, local: bool) -> Results:
    """One ``FileSeen`` for each row of ``table`` but its root."""
    problems: list[Problem] = []
    rows = _rows(
        database, table, (key, "filename"), ("modified", "created", "size", "checksum", "doc_type", "removed", "original_size"), problems
    )
    parents = {
        row.values[f"child_{suffix}"]: row.values[f"parent_{suffix}"]
        for row in _rows(database, relations, (f"child_{suffix}", f"parent_{suffix}"), (), problems)
    }
    tree = FolderTree()
    for row in rows:
        tree.add(row.values[key], row.text("filename") or "", parents.get(row.values[key]))
    yield from problems
    for row in rows:
        if row.values[key] not in parents and row.values["modified"] is None:
            continue  # the root
        path = tree.path(row.values[key])
        folder = row.values["size"] is None and row.values["checksum"] is None if local else row.integer("doc_type") == _FOLDER_TYPE
        removed = not local and bool(row.integer("removed"))
        yield FileSeen(
            path=path if local else f"Google Drive:/{path.removeprefix('root').lstrip('/')}",
            size=None if folder else row.integer("size"), time=_seconds(row, "modified"), created=_seconds(row, "created"),
            hashes=_md5(row), kind="folder" if folder else "file", how=HOW, user=file.user,
            detail=f"Google Drive, {'kept in step on this computer' if local else 'in the cloud'}{', removed there' if removed else ''}", locator=row.locator,
        )  # fmt: skip


def _seconds(row: Row, column: str) -> Time:
    return number_time(row, column, from_unix)


def parse_snapshot(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each file and folder in the cloud, and for each on this computer that is kept in step with it."""
    with Database(file) as database:
        yield from database.problems
        known = False
        for table in ("cloud_entry", "cloud_graph_entry"):
            for key in ("doc_id", "resource_id"):
                if database.has(table, key):
                    known = True
                    yield from _side(file, database, table, key, "cloud_relations", key, False)
                    break
        if database.has("local_entry"):
            known = True
            key = "inode_number" if database.has("local_entry", "inode_number") else "inode"
            yield from _side(file, database, "local_entry", key, "local_relations", "inode_number", True)
        if not known and database.tables and not database.problems:
            raise Unrecognised("a SQLite database, but not a list of Google Drive")


def parse_config(file: EvidenceFile) -> Results:
    """``AccountUse`` for the account, ``FileSeen`` for the folder that is kept in step."""

    def read(row: Row, _: Database) -> Results:
        key, value = row.text("entry_key"), row.text("data_value")
        if key == "user_email" and value:
            yield AccountUse(service="Google Drive", account=value, user=file.user, how=HOW, locator=row.locator)
        elif key == "local_sync_root_path" and value:
            yield FileSeen(
                path=value.removeprefix("\\\\?\\"),
                kind="folder",
                how=HOW,
                detail="Google Drive: folder that is kept in step",
                user=file.user,
                locator=row.locator,
            )

    return rows_of(file, "data", ("entry_key", "data_value"), (), read)


def parse_drivefs(file: EvidenceFile) -> Results:
    """``AccountUse`` for the account (its number), ``FileSeen`` for each item: most of them are only in the cloud."""
    account = file.path.split("/")[-2] if file.path.count("/") > 1 else ""
    with Database(file) as database:
        yield from database.problems
        if not database.has("items", "stable_id", "local_title"):
            if database.tables and not database.problems:
                raise Unrecognised("a SQLite database, but without the items of Google Drive")
            return
        if account.isdigit():
            yield AccountUse(service="Google Drive", account=f"number {account}", user=file.user, how=HOW, locator="folder")
        problems: list[Problem] = []
        parents = {
            row.values["item_stable_id"]: row.values["parent_stable_id"]
            for row in _rows(database, "stable_parents", ("item_stable_id", "parent_stable_id"), (), problems)
        }
        yield from problems
        tree = FolderTree()
        optional = ("is_folder", "file_size", "modified_date", "trashed", "is_owner", "viewed_by_me_date", "is_tombstone")
        problems = []
        rows = _rows(database, "items", ("stable_id", "local_title"), optional, problems)
        yield from problems
        for row in rows:
            tree.add(row.values["stable_id"], row.text("local_title") or "", parents.get(row.values["stable_id"]))
        for row in rows:
            facts = [words for column, words in (("trashed", "in its bin"), ("is_tombstone", "removed there")) if row.integer(column)]
            if row.integer("is_owner") == 0:
                facts.append("somebody else's, shared with this account")
            yield FileSeen(
                path=f"Google Drive:/{tree.path(row.values['stable_id']).lstrip('/')}", size=row.integer("file_size") or None,
                time=_milliseconds(row, "modified_date"), used=_milliseconds(row, "viewed_by_me_date"), kind="folder" if row.integer("is_folder") else "file",
                how=HOW, user=file.user, detail=", ".join(("Google Drive, in the cloud", *facts)), locator=row.locator,
            )  # fmt: skip
        if tree.dropped:
            yield Problem(f"{tree.dropped} items have no path: there are too many", Status.SKIPPED)


def _milliseconds(row: Row, column: str) -> Time:
    value = row.integer(column)
    return from_unix(value, unit_ns=_MILLISECOND) if value and value > 0 else NOT_RECORDED


_REFERENCES = ("https://plaso.readthedocs.io/en/latest/sources/user/Parsers-and-plugins.html",)

ARTEFACTS = (
    Artefact(
        id="applications.cloud.google_drive.snapshot",
        title="Google Drive (Backup and Sync): files",
        meaning="Files in a Google Drive, also those that are not on this computer: names, sizes, MD5, times.",
        paths=("**/Google/Drive/**/snapshot.db", "**/Google/Drive/**/cloud_graph.db", "**/Google Drive/**/snapshot.db"),
        parse=parse_snapshot,
        references=_REFERENCES,
        validation="two specimens; generated",
    ),
    Artefact(
        id="applications.cloud.google_drive.config",
        title="Google Drive (Backup and Sync): account",
        meaning="The account and the folder of Google Drive.",
        paths=("**/Google/Drive/**/sync_config.db", "**/Google Drive/**/sync_config.db"),
        parse=parse_config,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.cloud.google_drive.drivefs",
        title="Google Drive for desktop: files",
        meaning="Files in a Google Drive, also those that are not on this computer: names, sizes, when changed and opened.",
        paths=("**/DriveFS/*/metadata_sqlite_db",),
        parse=parse_drivefs,
        references=_REFERENCES,
    ),
)
