"""Visits, searches, downloads and bookmarks of Firefox and its relatives, every version since 3.0: ``places.sqlite`` and ``downloads.sqlite``.

Sources: Mozilla's toolkit/components/places (nsINavHistoryService.idl, Database.cpp, Bookmarks.sys.mjs) and
toolkit/components/downloads (DownloadHistory.sys.mjs, nsIDownloadManager.idl). Times are PRTime (microseconds, UTC), but the end
of a download in its annotation is in Unix milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from artefacts.browsers.profiles import FIREFOX, Owner
from artefacts.browsers.reading import Results, is_address, read_database, time_of
from artefacts.browsers.search_engines import search_in
from artefacts.browsers.searches import Searches
from artefacts.browsers.unvisited import unvisited
from artefacts.coverage import Problem
from artefacts.observations import Bookmark, Download, PageVisit
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row, recovery
from artefacts.sqlite.recovery import deleted_rows
from artefacts.times import NOT_RECORDED, from_prtime, from_unix

_TRANSITIONS = {
    1: "link", 2: "typed", 3: "bookmark", 4: "embedded", 5: "permanent redirect", 6: "temporary redirect", 7: "download", 8: "framed link",
    9: "reload",
}  # fmt: skip
_STATES = {
    -1: "not started", 0: "in progress", 1: "complete", 2: "failed", 3: "cancelled", 4: "paused", 5: "queued", 6: "blocked by parental controls",
    7: "being scanned", 8: "blocked: virus found", 9: "blocked by policy",
}  # fmt: skip


def parse(file: EvidenceFile) -> Results:
    """``PageVisit``, ``SearchQuery``, ``Download`` and ``Bookmark`` of one profile."""
    yield from read_database(file, FIREFOX, {"moz_places": ("id", "url")}, _read)


def parse_downloads(file: EvidenceFile) -> Results:
    """``Download`` of a profile of Firefox 3 to 25."""
    yield from read_database(file, FIREFOX, {"moz_downloads": ("id", "source")}, _read_downloads)


def _read(database: Database, owned: Owner) -> Results:
    yield from _visits(database, owned)
    yield from _annotated_downloads(database, owned)
    yield from _bookmarks(database, owned)
    yield from _deleted(database, owned)


def _visits(database: Database, owned: Owner) -> Results:
    @lru_cache(maxsize=4096)
    def page(number: int | None) -> Row | None:
        return database.lookup("moz_places", number, ("url", "title", "visit_count"))

    @lru_cache(maxsize=4096)
    def led_from(number: int) -> str | None:
        visit = database.lookup("moz_historyvisits", number, ("place_id",))
        origin = page(visit.integer("place_id")) if visit is not None else None
        return origin.text("url") if origin is not None else None

    searches = Searches(owned)
    visited: set[int] = set()
    for row in database.rows("moz_historyvisits", ("id", "place_id"), ("visit_date", "visit_type", "from_visit")):
        if isinstance(row, Problem):
            yield row
            continue
        number = row.integer("place_id")
        target = page(number)
        url = target.text("url") if target is not None else None
        time = time_of(row, "visit_date", from_prtime)
        kind, from_visit = row.integer("visit_type"), row.integer("from_visit") or None
        yield PageVisit(
            url=url or f"[address not known: row {number} of moz_places is gone]",
            title=target.text("title") if target is not None else None,
            time=time,
            transition=None if kind is None else _TRANSITIONS.get(kind, f"unknown ({kind})"),
            visit_count=target.integer("visit_count") if target is not None else None,
            from_visit=from_visit,
            referrer=led_from(from_visit) if from_visit else None,
            locator=row.locator,
            **owned.labels,
        )
        if number is not None:
            visited.add(number)
        if url is not None and (found := search_in(url)):
            searches.add(found.engine, found.terms, time, "url", url, row.locator)
        if searches.full:
            yield from searches.drain()
    for item in unvisited(database, owned, "moz_places", "last_visit_date", from_prtime, visited):
        yield item
        if isinstance(item, PageVisit) and (found := search_in(item.url)):
            searches.add(found.engine, found.terms, item.time, "url", item.url, item.locator)
    yield from searches.drain()


def _annotated_downloads(database: Database, owned: Owner) -> Results:
    """Since Firefox 21 a download is a page with annotations: where it was stored, and a JSON object of how it ended."""
    names: dict[int, str] = {}
    for row in database.rows("moz_anno_attributes", ("id", "name")):
        if isinstance(row, Problem):
            yield row
        elif (number := row.integer("id")) is not None:
            names[number] = row.text("name") or ""
    found: dict[int, dict[str, Row]] = {}
    for row in database.rows("moz_annos", ("id", "place_id", "anno_attribute_id", "content"), ("dateAdded", "lastModified")):
        if isinstance(row, Problem):
            yield row
            continue
        name = names.get(row.integer("anno_attribute_id") or 0, "")
        place = row.integer("place_id")
        if name.startswith("downloads/") and place is not None:
            found.setdefault(place, {})[name.removeprefix("downloads/")] = row
    for place, notes in found.items():
        first = next(iter(notes.values()))
        page = database.lookup("moz_places", place, ("url",))
        target, details = notes.get("destinationFileURI"), _object(notes.get("metaData"))
        state, size, ended = details.get("state"), details.get("fileSize"), details.get("endTime")
        words = _STATES.get(state, f"unknown ({state})") if isinstance(state, int) else None
        yield Download(
            url=page.text("url") if page is not None else None,
            path=file_path(target.text("content")) if target is not None else None,
            started=time_of(target or first, "dateAdded", from_prtime),
            finished=from_unix(ended, unit_ns=1_000_000) if isinstance(ended, int) else NOT_RECORDED,
            bytes=size if isinstance(size, int) else None,
            state=f"{words}, file since deleted" if words and details.get("deleted") is True else words,
            locator=(target or first).locator,
            **owned.labels,
        )


def _object(row: Row | None) -> dict[str, object]:
    try:
        value = json.loads(row.text("content") or "") if row is not None else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def file_path(uri: str | None) -> str | None:
    """A ``file:`` address as a path (``file:///C:/a%20b`` gives ``C:/a b``); anything else as it stands."""
    if not uri or not uri.lower().startswith("file://"):
        return uri
    path = unquote(uri[7:], errors="backslashreplace")
    return path[1:] if len(path) > 2 and path[0] == "/" and path[2] == ":" else path


def _read_downloads(database: Database, owned: Owner) -> Results:
    optional = ("target", "startTime", "endTime", "state", "referrer", "currBytes", "maxBytes", "mimeType")
    for row in database.rows("moz_downloads", ("id", "source"), optional):
        if isinstance(row, Problem):
            yield row
            continue
        state, total = row.integer("state"), row.integer("maxBytes")
        yield Download(
            url=row.text("source"),
            path=file_path(row.text("target")),
            started=time_of(row, "startTime", from_prtime),
            finished=time_of(row, "endTime", from_prtime),
            bytes=row.integer("currBytes"),
            total_bytes=total if total is not None and total >= 0 else None,
            state=None if state is None else _STATES.get(state, f"unknown ({state})"),
            mime_type=row.text("mimeType") or None,
            referrer=row.text("referrer") or None,
            locator=row.locator,
            **owned.labels,
        )


_PAGE, _FOLDER = 1, 2
_DEEPEST = 64


def _bookmarks(database: Database, owned: Owner) -> Results:
    columns = ("id", "type", "fk", "parent", "title")
    for row in database.rows("moz_bookmarks", columns, ("dateAdded", "lastModified")):
        if isinstance(row, Problem):
            yield row
            continue
        page = database.lookup("moz_places", row.integer("fk"), ("url", "title"))
        if row.integer("type") != _PAGE or page is None:
            continue
        yield Bookmark(
            url=page.text("url") or "",
            title=row.text("title") or page.text("title"),
            time=time_of(row, "dateAdded", from_prtime),
            modified=time_of(row, "lastModified", from_prtime),
            folder="/".join(reversed(list(_folders(database, row.integer("parent"))))),
            locator=row.locator,
            **owned.labels,
        )


def _folders(database: Database, number: int | None) -> Iterator[str]:
    """Names of the folders from the innermost outwards; a circle of folders ends at a fixed depth."""
    for _ in range(_DEEPEST):
        folder = database.lookup("moz_bookmarks", number, ("parent", "title"))
        if folder is None:
            return
        if name := folder.text("title"):
            yield name
        number = folder.integer("parent")


def _deleted(database: Database, owned: Owner) -> Results:
    """What is left of deleted addresses and visits. A deleted visit counts only where the address it belonged to is known."""
    searches = Searches(owned, recovered=True)
    columns = ("id", "url", "title", "visit_count", "last_visit_date")
    addresses: dict[int, Row] = {}
    for row in deleted_rows(database, "moz_places", columns, ("url",), _ADDRESS_SHAPE, _is_address):
        url, time = row.text("url") or "", time_of(row, "last_visit_date", from_prtime)
        if row.rowid is not None:
            addresses[row.rowid] = row
        yield PageVisit(
            url=url,
            title=row.text("title"),
            time=time,
            visit_count=row.integer("visit_count"),
            source="deleted address (time of its last visit)",
            recovered=True,
            locator=row.locator,
            **owned.labels,
        )
        if found := search_in(url):
            searches.add(found.engine, found.terms, time, "url", url, row.locator)
    for row in deleted_rows(
        database, "moz_historyvisits", ("place_id", "visit_date", "visit_type"), ("place_id", "visit_date"), _VISIT_SHAPE, _is_visit
    ):
        number = row.integer("place_id")
        target = addresses.get(number or 0) or database.lookup("moz_places", number, ("url", "title"))
        if target is None or not target.text("url"):
            continue
        yield PageVisit(
            url=target.text("url") or "",
            title=target.text("title"),
            time=time_of(row, "visit_date", from_prtime),
            transition=_TRANSITIONS.get(row.integer("visit_type") or 0),
            source="deleted visit",
            recovered=True,
            locator=row.locator,
            **owned.labels,
        )
    yield from searches.drain()


_ADDRESS_SHAPE = {"url": recovery.TEXT, "last_visit_date": recovery.TIME}
_VISIT_SHAPE = {"place_id": recovery.NUMBER, "visit_date": recovery.TIME, "visit_type": recovery.NUMBER}
_FIRST, _LAST = 946_684_800_000_000, 4_133_980_800_000_000  # microseconds of 2000 and 2101


def _is_address(row: Row) -> bool:
    return is_address(row.text("url")) and _FIRST < (row.integer("last_visit_date") or 0) < _LAST


def _is_visit(row: Row) -> bool:
    return (
        _FIRST < (row.integer("visit_date") or 0) < _LAST
        and row.integer("visit_type") in _TRANSITIONS
        and (row.integer("place_id") or 0) > 0
    )


ARTEFACTS = (
    Artefact(
        id="browsers.firefox.history",
        title="Firefox: history, searches, downloads, bookmarks",
        meaning="Pages that were opened or kept, what was searched for and downloaded in Firefox, Tor Browser and their relatives.",
        paths=("**/places.sqlite",),
        parse=parse,
        references=("https://searchfox.org/mozilla-central/source/toolkit/components/places/nsINavHistoryService.idl",),
        validation="specimen of Firefox 5; profiles made by Firefox in the tests",
    ),
    Artefact(
        id="browsers.firefox.downloads",
        title="Firefox 3 to 25: downloads",
        meaning="Files that were downloaded in older versions of Firefox.",
        paths=("**/downloads.sqlite",),
        parse=parse_downloads,
        references=("https://searchfox.org/mozilla-central/source/toolkit/components/downloads",),
        validation="specimen of Firefox 22",
    ),
)
