"""Box, pCloud and MEGA: the files that their programs know. Of MEGA everything is encrypted, and that is said.

Box, ``sync.db``: ``box_item`` (``box_id``, ``parent_item_id``, ``name``, ``checksum``: SHA-1, ``size``, ``content_updated_at``). pCloud, ``data.db``: ``file`` (``parentfolderid``, ``name``,
``size``, ``mtime``), ``folder``, ``setting`` (only the user's name is read, never the token beside it). Times are seconds since 1970, UTC.

Sources: KapeFiles, Targets/Apps; kacos2000, Box and pCloud queries; public schemas of these databases.
"""

from __future__ import annotations

import re

from artefacts.applications.cloud_google_drive import HOW
from artefacts.applications.folder_tree import FolderTree
from artefacts.applications.reading import Results
from artefacts.coverage import Encrypted, Problem, Unrecognised
from artefacts.observations import AccountUse, FileSeen
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.sqlite.reading import number_time
from artefacts.times import from_unix

_SHA1 = re.compile(r"[0-9a-fA-F]{40}")


def parse_box(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each file and folder in the Box."""
    with Database(file) as database:
        yield from database.problems
        if not database.has("box_item", "box_id", "name"):
            if database.tables and not database.problems:
                raise Unrecognised("a SQLite database, but without the items of Box")
            return
        tree, rows = FolderTree(), []
        for row in database.rows("box_item", ("box_id", "name"), ("parent_item_id", "checksum", "size", "content_updated_at", "item_type")):
            if isinstance(row, Problem):
                yield row
                continue
            tree.add(row.values["box_id"], row.text("name") or "", row.values["parent_item_id"])
            rows.append(row)
        for row in rows:
            checksum = row.text("checksum") or ""
            known = _SHA1.fullmatch(checksum) is not None
            yield FileSeen(
                path=f"Box:/{tree.path(row.values['box_id']).lstrip('/')}", size=row.integer("size"), time=number_time(row, "content_updated_at", from_unix),
                hashes={"sha1": checksum.lower()} if known else {}, kind="file" if known else "folder", how=HOW, user=file.user, detail="Box, in the cloud",
                locator=row.locator,
            )  # fmt: skip


def parse_pcloud(file: EvidenceFile) -> Results:
    """``AccountUse`` for the user, ``FileSeen`` for each file."""
    with Database(file) as database:
        yield from database.problems
        if not database.has("file", "parentfolderid", "name"):
            if database.tables and not database.problems:
                raise Unrecognised("a SQLite database, but without the files of pCloud")
            return
        for row in database.rows("setting", ("id", "value")):
            if isinstance(row, Problem):
                yield row
            elif row.text("id") == "username" and row.text("value"):
                yield AccountUse(service="pCloud", account=row.text("value"), user=file.user, how=HOW, locator=row.locator)
        tree = FolderTree()
        for row in database.rows("folder", ("id", "parentfolderid", "name")):
            if isinstance(row, Problem):
                yield row
            else:
                tree.add(row.values["id"], row.text("name") or "", row.values["parentfolderid"])
        for row in database.rows("file", ("parentfolderid", "name"), ("size", "mtime", "ctime")):
            if isinstance(row, Problem):
                yield row
                continue
            yield FileSeen(
                path=f"pCloud:/{tree.path(row.values['parentfolderid'], row.text('name') or '').lstrip('/')}", size=row.integer("size"),
                time=number_time(row, "mtime", from_unix), created=number_time(row, "ctime", from_unix), how=HOW, user=file.user, detail="pCloud, in the cloud",
                locator=row.locator,
            )  # fmt: skip


def parse_mega(file: EvidenceFile) -> Results:
    """Raises ``Encrypted``: MEGA encrypts its settings and its list of files."""
    raise Encrypted("MEGA encrypts its settings and its list of files")
    yield  # a generator, as every parser is


ARTEFACTS = (
    Artefact(
        id="applications.cloud.box",
        title="Box: files",
        meaning="Files in a Box account, also those that are not on this computer: names, sizes, SHA-1.",
        paths=("**/Box/data/sync.db", "**/Box Sync/sync.db", "**/Box/Box/data/sync.db"),
        parse=parse_box,
        references=("https://github.com/EricZimmerman/KapeFiles",),
    ),
    Artefact(
        id="applications.cloud.pcloud",
        title="pCloud: files",
        meaning="Files in a pCloud account, also those that are not on this computer.",
        paths=("**/pCloud/data.db", "**/.pcloud/data.db"),
        parse=parse_pcloud,
        references=("https://github.com/pcloudcom/pclsync",),
    ),
    Artefact(
        id="applications.cloud.mega",
        title="MEGA: settings and files",
        meaning="Accounts and files of MEGA. They are encrypted.",
        paths=("**/MEGAsync/MEGAsync.cfg", "**/MEGAsync/megaclient_statecache*.db", "**/.megaCmd/megaclient_statecache*.db"),
        parse=parse_mega,
        references=("https://github.com/meganz/MEGAsync",),
    ),
)
