"""File History (``Catalog1.edb``, ``Catalog2.edb``): copies of a user's files that Windows keeps on another drive, by name and time.

An ESE database: ``namespace`` has a record for each file or folder and version of it, with its folder and name as numbers into ``string``;
``backupset`` the time of each copy. A name that is no longer ``tVisible`` in the newest copy was removed or renamed before it. Times are FILETIMEs (UTC).

Source: libyal, "File History catalog" (esedb-kb); the specimen.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_filetime
from artefacts.windows.ese import EseDatabase

_STILL_THERE = 0x7FFFFFFF  # tVisible of a record of the newest copy
_DIRECTORY = 0x10


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each record of ``namespace``, ``used`` the copy it first was in, then ``SystemFact`` for the first and the last copy."""
    with file.open() as stream:
        database = EseDatabase(stream)
        yield from database.problems
        if database.tables and "namespace" not in database.tables:
            raise Unrecognised("a database, but not of File History")
        texts: dict[int, str] = {}
        for row in database.rows("string", ("id", "string")):
            if isinstance(row, Problem):
                yield row
            elif row["id"] is not None and row["string"]:
                texts[row["id"]] = row["string"]
        copies: dict[int, Time] = {}
        for row in database.rows("backupset", ("id", "timestamp")):
            if isinstance(row, Problem):
                yield row
            elif row["id"] is not None:
                copies[row["id"]] = from_filetime(row["timestamp"] or 0)
        wanted = ("id", "parentId", "childId", "fileAttrib", "fileCreated", "fileModified", "tCreated", "tVisible", "usn")
        for row in database.rows("namespace", wanted):
            yield row if isinstance(row, Problem) else _entry(row, texts, copies, file.user)
        for word, number in (("first", min(copies, default=0)), ("last", max(copies, default=0))):
            if number:
                yield SystemFact(
                    name=f"File History: {word} copy", value=f"copy {number}", time=copies[number], locator=f"table=backupset id={number}"
                )


def _entry(row: dict[str, int | None], texts: dict[int, str], copies: dict[int, Time], user: str | None) -> FileSeen:
    folder, name = (texts.get(row[column] or 0, "[name not recorded]") for column in ("parentId", "childId"))
    # "?UP" stands for the user's profile folder; a name that begins with it is whole.
    path = name if name.startswith(("?", "\\")) or name[1:2] == ":" else f"{folder}\\{name}"
    last = row["tVisible"]
    return FileSeen(
        path=path,
        time=from_filetime(row["fileModified"] or 0),
        created=from_filetime(row["fileCreated"] or 0),
        used=copies.get(row["tCreated"] or 0, NOT_RECORDED),
        kind="folder" if (row["fileAttrib"] or 0) & _DIRECTORY else "file",
        how="File History",
        user=user,
        detail=f"first in copy {row['tCreated']}" + ("" if last is None or last >= _STILL_THERE else f", not in copies after {last}"),
        locator=f"table=namespace id={row['id']} usn={row['usn']}",
    )


ARTEFACTS = (
    Artefact(
        id="windows.file_history",
        title="File History",
        meaning="Names and times of a user's files that were copied to another drive, also of files that have gone since. Not that the copies are at hand.",
        paths=("**/FileHistory/**/Catalog*.edb",),
        parse=parse,
        references=("https://github.com/libyal/esedb-kb/blob/main/documentation/File%20History.asciidoc",),
        systems=("windows",),
        validation="specimen of Windows 8",
    ),
)
