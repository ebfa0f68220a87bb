"""What a Linux desktop remembers: recent documents (GTK and KDE), the Trash, thumbnails, and Zeitgeist's activity.

Sources: freedesktop.org specifications: Desktop Bookmark (recently-used.xbel, times in UTC), Trash 1.0 (``DeletionDate`` is local time), Thumbnail Managing Standard
(PNG text chunks ``Thumb::URI``, ``Thumb::MTime``); KDE RecentDocuments (*.desktop); Zeitgeist activity.sqlite (milliseconds, Unix; specimen).
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import DeletedFile, FileSeen, Observation, PageVisit, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import rows_of
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_local, from_unix

Results = Iterator[Observation | Problem]

_LARGEST = 16 << 20  # bytes
_MOST = 50_000
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 200


def path_of(address: str) -> str:
    """A ``file:`` address as a path, its escapes undone; any other address as it is."""
    return unquote(address[7:]) if address.startswith("file:///") else address


def _instant(text: str | None) -> Time:
    if not text:
        return NOT_RECORDED
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(text))
    except ValueError:
        return NoTime("not a time with its zone", local=text[:40])


def parse_recently_used(file: EvidenceFile) -> Results:
    """``FileSeen`` for each document: when it was last opened, and by which programs how often."""
    from xml.parsers import expat

    found: list[dict[str, Any]] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "bookmark" and len(found) < _MOST:
            found.append({**attributes, "programs": []})
        elif name == "application" and found and len(found[-1]["programs"]) < 50:
            found[-1]["programs"].append((attributes.get("name", "program not named"), attributes.get("count", "1")))
        elif name == "mime-type" and found:
            found[-1]["mime"] = attributes.get("type")

    def declared(*_: Any) -> None:
        raise Unrecognised("declares entities: no program writes such a list")

    parser.StartElementHandler = start
    parser.EntityDeclHandler = declared
    problem = None
    try:
        parser.Parse(file.read(_LARGEST), True)
    except expat.ExpatError as error:
        if not found:
            raise Unrecognised(f"not a list of recent documents: {error}") from error
        problem = Problem(f"the list is damaged: {error}", Status.FAILED, f"line={error.lineno}")
    for number, entry in enumerate(found):
        counts = [int(count) for _, count in entry["programs"] if count.isdigit() and len(count) < 10]
        yield FileSeen(
            path=path_of(entry.get("href", "[no address]")),
            created=_instant(entry.get("added")),
            changed=_instant(entry.get("modified")),
            used=_instant(entry.get("visited")),
            count=sum(counts) or None,
            how="recent documents",
            user=file.user,
            detail=", ".join(f"{name} ({count} times)" for name, count in entry["programs"]) or None,
            locator=f"bookmark[{number}]",
        )
    if problem is not None:
        yield problem


def parse_trash_info(file: EvidenceFile) -> Results:
    """One ``DeletedFile``: where a file in the Trash lay, when it was put there by the wall clock, and whether it is still there."""
    values: dict[str, str] = {}
    for _, line in log_lines(file, 1 << 20):
        if isinstance(line, str) and "=" in line:
            key, _, value = line.partition("=")
            values.setdefault(key.strip(), value.strip())
    if "Path" not in values:
        raise Unrecognised("not a record of the Trash")
    when = values.get("DeletionDate")
    path = unquote(values["Path"])
    if not path.startswith("/"):
        # On a volume of its own the path begins at the top of that volume.
        top = re.split(r"/\.?Trash(?:-\d+)?(?:/\d+)?/info/", file.path)[0]
        path = f"{top}/{path}"
    name = file.name.removesuffix(".trashinfo")
    there = file.sibling(f"../files/{name}")
    yield DeletedFile(
        path=path,
        deleted=from_local(when, "the Trash records the machine's own time") if when else NOT_RECORDED,
        size=there.size if there else None,
        content="recoverable" if there else None,
        how=f"Trash, kept as {name}" if there else "Trash: a folder, or emptied since",
        user=file.user,
    )


def parse_trash_file(file: EvidenceFile) -> Results:
    """``DeletedFile`` for a file in the Trash that has no record: where it came from is not known."""
    if file.allocated and file.sibling(f"../info/{file.name}.trashinfo") is None:
        yield DeletedFile(path=file.path, size=file.size, content="recoverable", how="in the Trash, without its record", user=file.user)


def parse_thumbnail(file: EvidenceFile) -> Results:
    """One ``FileSeen``: the file that was shown in small, which may be gone, with its own time then. The picture is not decoded."""
    texts: dict[str, str] = {}
    with file.open() as stream:
        if stream.read(8) != _PNG:
            raise Unrecognised("not a PNG picture")
        for _ in range(_MOST_CHUNKS):
            head = stream.read(8)
            if len(head) < 8:
                break
            length, kind = struct.unpack(">I4s", head)
            if kind == b"IEND" or length > 1 << 24:
                break
            if kind == b"tEXt" and length <= 65_536:
                key, _, value = stream.read(length).partition(b"\0")
                texts.setdefault(key.decode("latin-1"), value.decode("utf-8", "backslashreplace"))
                stream.seek(4, 1)
            else:
                stream.seek(length + 4, 1)
    address = texts.get("Thumb::URI")
    if not address:
        yield Problem("a thumbnail that does not say of what", Status.UNRECOGNISED)
        return
    modified, size = texts.get("Thumb::MTime", ""), texts.get("Thumb::Size", "")
    try:
        time = from_unix(float(modified) if "." in modified else int(modified))
    except (ValueError, OverflowError):
        time = NOT_RECORDED
    named = hashlib.md5(address.encode("utf-8", "backslashreplace"), usedforsecurity=False).hexdigest()
    yield FileSeen(
        path=path_of(address),
        size=int(size) if size.isdigit() and len(size) < 19 else None,
        time=time,
        how="thumbnail" if file.name.startswith(named) else "thumbnail, under a name that does not fit",
        user=file.user,
        detail=texts.get("Software"),
    )


def parse_kde_recent(file: EvidenceFile) -> Results:
    """One ``FileSeen`` for a document that a KDE program opened; the file's own time says when."""
    values: dict[str, str] = {}
    for _, line in log_lines(file, 1 << 20):
        if isinstance(line, str) and "=" in line:
            key, _, value = line.partition("=")
            values.setdefault(key, value)
    address = values.get("URL[$e]") or values.get("URL")
    if not address:
        raise Unrecognised("not a recent document")
    yield FileSeen(path=path_of(address), how="recent documents of KDE", user=file.user, detail=values.get("X-KDE-LastOpenedWith"))


def parse_zeitgeist(file: EvidenceFile) -> Results:
    """``ProgramRun`` for programs, ``PageVisit`` for pages and ``FileSeen`` for files, one for each event."""

    def read(row: Row, database: Database) -> Results:
        def name(table: str, column: str) -> str | None:
            found = database.lookup(table, row.integer(column), ("value",))
            return found.text("value") if found is not None else None

        subject, what = name("uri", "subj_id"), (name("interpretation", "interpretation") or "").rpartition("#")[2]
        stamp = row.integer("timestamp")
        time = from_unix(stamp, unit_ns=1_000_000) if stamp is not None else NOT_RECORDED
        actor = (name("actor", "actor") or "").removeprefix("application://").removesuffix(".desktop")
        title, locator = name("text", "subj_text"), row.locator
        if not subject:
            yield Problem("an event of which the subject is gone", Status.FAILED, locator)
        elif subject.startswith("application://"):
            program = subject.removeprefix("application://").removesuffix(".desktop")
            yield ProgramRun(
                program=program,
                time=time,
                user=file.user,
                how=f"Zeitgeist ({what}), told by {actor}",
                time_meaning=what or None,
                locator=locator,
            )
        elif subject.startswith(("http://", "https://")):
            yield PageVisit(url=subject, title=title, time=time, browser=actor or None, user=file.user, source="Zeitgeist", locator=locator)
        else:
            yield FileSeen(
                path=path_of(subject),
                used=time,
                how=f"Zeitgeist ({what})",
                user=file.user,
                detail=", ".join(filter(None, (title, actor))),
                locator=locator,
            )

    optional = ("interpretation", "actor", "subj_text")
    yield from rows_of(file, "event", ("timestamp", "subj_id"), optional, read)


def _artefact(
    name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, reference: str, validation: str = "generated"
) -> Artefact:
    return Artefact(
        id=f"linux.desktop.{name}",
        title=title,
        meaning=meaning,
        paths=paths,
        parse=parse,
        references=(reference,),
        systems=("linux",),
        validation=validation,
    )


ARTEFACTS = (
    _artefact(
        "recently_used", "Recent documents", "Documents that were opened, with which program, how often and when last.",
        ("**/.local/share/recently-used.xbel", "**/.recently-used.xbel", "**/.local/share/user-places.xbel"), parse_recently_used,
        "https://www.freedesktop.org/wiki/Specifications/desktop-bookmark-spec/", "generated",
    ),
    _artefact(
        "trash_record", "Trash: records", "Where files in the Trash lay, and when they were put there.",
        ("**/Trash/info/*.trashinfo", "**/.Trash/*/info/*.trashinfo", "**/.Trash-*/info/*.trashinfo"), parse_trash_info,
        "https://specifications.freedesktop.org/trash-spec/latest/", "generated; written by GLib",
    ),
    _artefact(
        "trash_file", "Trash: files", "Files that lie in the Trash without a record of where they came from.", ("**/.local/share/Trash/files/*", "**/.Trash/*/files/*", "**/.Trash-*/files/*"),
        parse_trash_file, "https://specifications.freedesktop.org/trash-spec/latest/",
    ),
    _artefact(
        "thumbnail", "Thumbnails", "Pictures, videos and documents that were shown in small, also after they are gone.",
        ("**/.cache/thumbnails/**/*.png", "**/.thumbnails/**/*.png", "**/.sh_thumbnails/**/*.png"), parse_thumbnail,
        "https://specifications.freedesktop.org/thumbnail-spec/latest/",
    ),
    _artefact(
        "kde_recent", "Recent documents of KDE", "Documents that KDE programs opened.", ("**/RecentDocuments/*.desktop",), parse_kde_recent, "https://develop.kde.org/docs/",
    ),
    _artefact(
        "zeitgeist", "Zeitgeist", "Programs, pages and files that were used, each with its time.", ("**/zeitgeist/activity.sqlite",), parse_zeitgeist,
        "https://zeitgeist.freedesktop.org/", "specimen; generated",
    ),
)  # fmt: skip
