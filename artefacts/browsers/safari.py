"""Safari: visits, searches, downloads, bookmarks and cookies, from Safari 1 to the newest.

``History.db`` (since Safari 8): visit times are Cocoa seconds (UTC). ``History.plist`` (before): one record a page, the time of its last
visit. ``Downloads.plist``, ``Bookmarks.plist``; dates in property lists are UTC. ``Cookies.binarycookies``: pages of records,
big-endian outside and little-endian inside, times Cocoa seconds.

Sources: WebKit's and Safari's observed formats, as described in libyal's documentation "Safari Cookies" (safari-cookies.asciidoc) and in
the forensic literature; checked against the specimens.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from artefacts import plist
from artefacts.browsers.profiles import SAFARI, Owner, owner
from artefacts.browsers.reading import Results, read_database
from artefacts.browsers.search_engines import search_in
from artefacts.browsers.searches import Searches
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Bookmark, Cookie, Download, PageVisit
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_cocoa

_LARGEST_COOKIE_FILE = 64 << 20  # bytes


def parse_history(file: EvidenceFile) -> Results:
    """``PageVisit`` and ``SearchQuery`` from History.db."""
    yield from read_database(file, SAFARI, {"history_items": ("id", "url")}, _read_history)


def _read_history(database: Database, owned: Owner) -> Results:
    @lru_cache(maxsize=4096)
    def page(number: int | None) -> Row | None:
        return database.lookup("history_items", number, ("url", "visit_count"))

    searches = Searches(owned)
    optional = ("title", "visit_time", "redirect_source", "origin", "load_successful")
    for row in database.rows("history_visits", ("id", "history_item"), optional):
        if isinstance(row, Problem):
            yield row
            continue
        item = page(row.integer("history_item"))
        url = item.text("url") if item is not None else None
        time = _cocoa(row.values["visit_time"])
        yield PageVisit(
            url=url or f"[address not known: row {row.integer('history_item')} of history_items is gone]",
            title=row.text("title"),
            time=time,
            transition="redirect" if row.integer("redirect_source") else None,
            qualifiers=("did not load",) if row.integer("load_successful") == 0 else (),
            visit_count=item.integer("visit_count") if item is not None else None,
            source="another device (synced)" if row.integer("origin") == 1 else "this device",
            from_visit=row.integer("redirect_source"),
            locator=row.locator,
            **owned.labels,
        )
        if url and (found := search_in(url)):
            searches.add(found.engine, found.terms, time, "url", url, row.locator)
        if searches.full:
            yield from searches.drain()
    yield from searches.drain()


def parse_old_history(file: EvidenceFile) -> Results:
    """``PageVisit`` and ``SearchQuery`` from History.plist."""
    owned, tree = owner(file, SAFARI), tree_of(file)
    entries = tree.get("WebHistoryDates") if isinstance(tree, dict) else None
    if not isinstance(entries, list):
        raise Unrecognised("a property list, but not Safari's history")
    searches = Searches(owned)
    for index, entry in enumerate(entries):
        url = entry.get("") if isinstance(entry, dict) else None
        if not isinstance(url, str):
            yield Problem("an entry without an address", Status.FAILED, f"WebHistoryDates[{index}]")
            continue
        time, count = _cocoa(entry.get("lastVisitedDate")), entry.get("visitCount")
        yield PageVisit(
            url=url,
            title=_text(entry.get("title")),
            time=time,
            visit_count=count if isinstance(count, int) else None,
            locator=f"WebHistoryDates[{index}]",
            **owned.labels,
        )
        if found := search_in(url):
            searches.add(found.engine, found.terms, time, "url", url, f"WebHistoryDates[{index}]")
    yield from searches.drain()


def parse_downloads(file: EvidenceFile) -> Results:
    """``Download`` from Downloads.plist."""
    owned, tree = owner(file, SAFARI), tree_of(file)
    entries = tree.get("DownloadHistory") if isinstance(tree, dict) else None
    if not isinstance(entries, list):
        raise Unrecognised("a property list, but not Safari's downloads")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            yield Problem("not a download", Status.FAILED, f"DownloadHistory[{index}]")
            continue
        received, total = entry.get("DownloadEntryProgressBytesSoFar"), entry.get("DownloadEntryProgressTotalToLoad")
        yield Download(
            url=_text(entry.get("DownloadEntryURL")),
            path=_text(entry.get("DownloadEntryPath")),
            started=date(entry.get("DownloadEntryDateAddedKey")),
            finished=date(entry.get("DownloadEntryDateFinishedKey")),
            bytes=received if isinstance(received, int) else None,
            total_bytes=total if isinstance(total, int) else None,
            locator=f"DownloadHistory[{index}]",
            **owned.labels,
        )


def parse_bookmarks(file: EvidenceFile) -> Results:
    """``Bookmark`` from Bookmarks.plist: bookmarks and the reading list."""
    owned, tree = owner(file, SAFARI), tree_of(file)
    if not isinstance(tree, dict) or "Children" not in tree:
        raise Unrecognised("a property list, but not Safari's bookmarks")
    stack: list[tuple[Any, tuple[str, ...], str]] = [(tree, (), "")]
    seen: set[int] = set()
    while stack:
        node, folders, place = stack.pop()
        if not isinstance(node, dict) or id(node) in seen:
            continue
        seen.add(id(node))
        url, details, reading = node.get("URLString"), node.get("URIDictionary"), node.get("ReadingList")
        if isinstance(url, str):
            yield Bookmark(
                url=url,
                title=_text(details.get("title")) if isinstance(details, dict) else None,
                time=date(reading.get("DateAdded")) if isinstance(reading, dict) else NOT_RECORDED,
                last_used=date(reading.get("DateLastViewed")) if isinstance(reading, dict) else NOT_RECORDED,
                folder="/".join(folders),
                locator=place,
                **owned.labels,
            )
        children = node.get("Children")
        if isinstance(children, list):
            inner = (*folders, title) if (title := _text(node.get("Title"))) else folders
            stack.extend((child, inner, f"{place}/Children[{index}]") for index, child in reversed(list(enumerate(children))))


def parse_cookies(file: EvidenceFile) -> Results:
    """``Cookie`` from Cookies.binarycookies."""
    owned = owner(file, SAFARI)
    data = file.read(_LARGEST_COOKIE_FILE)
    if not data.startswith(b"cook") or len(data) < 8:
        raise Unrecognised("not a file of Safari's cookies")
    count = int.from_bytes(data[4:8], "big")
    start = 8 + 4 * count
    if start > len(data):
        yield Problem(f"the header counts {count} pages: more than fit", Status.FAILED, "offset=4")
        return
    for (size,) in struct.iter_unpack(">I", data[8:start]):
        page = data[start : start + size]
        if len(page) < size:
            yield Problem("cut off inside a page of cookies", Status.FAILED, f"offset={start}")
        yield from _cookie_page(page, start, owned)
        start += size


def _cookie_page(page: bytes, base: int, owned: Owner) -> Results:
    if page[:4] != b"\0\0\1\0" or len(page) < 8:
        yield Problem("a page of cookies is damaged", Status.FAILED, f"offset={base}")
        return
    count = int.from_bytes(page[4:8], "little")
    for index in range(min(count, (len(page) - 8) // 4)):
        offset = int.from_bytes(page[8 + 4 * index : 12 + 4 * index], "little")
        try:
            # size, flags, offsets of domain, name, path, value; then expiry and creation
            size, host, name, path, expires, created = struct.unpack_from("<I12x3I12x2d", page, offset)
            yield Cookie(
                host=_string(page, offset + host),
                name=_string(page, offset + name),
                path=_string(page, offset + path),
                created=from_cocoa(created),
                expires=from_cocoa(expires),
                locator=f"offset={base + offset}",
                **owned.labels,
            )
            if offset + size > len(page):
                yield Problem("a cookie is longer than its page", Status.FAILED, f"offset={base + offset}")
        except (struct.error, ValueError):
            yield Problem("a cookie is damaged", Status.FAILED, f"offset={base + offset}")
    if count > (len(page) - 8) // 4:
        yield Problem(f"a page counts {count} cookies: more than fit", Status.FAILED, f"offset={base}")


def _string(page: bytes, offset: int) -> str:
    return page[offset : page.index(b"\0", offset)].decode("utf-8", "backslashreplace")


def tree_of(file: EvidenceFile) -> Any:
    """The tree of a property list. Raises ``Unrecognised``."""
    try:
        return plist.load(file.read(plist.LARGEST + 1))
    except ValueError as error:
        raise Unrecognised(str(error)) from error


def _cocoa(value: Any) -> Time:
    if value is None:
        return NOT_RECORDED
    try:
        return from_cocoa(value if isinstance(value, (int, float)) else float(value))
    except (TypeError, ValueError, OverflowError):
        return NoTime("not a number")


def date(value: Any) -> Time:
    """A date of a property list."""
    # plistlib gives naive datetimes; the format itself says they are UTC.
    return Timestamp.from_datetime(value.replace(tzinfo=UTC)) if isinstance(value, datetime) else NOT_RECORDED


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _artefact(name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, validation: str) -> Artefact:
    return Artefact(
        id=f"browsers.safari.{name}",
        title=f"Safari: {title}",
        meaning=meaning,
        paths=paths,
        parse=parse,
        references=("https://github.com/libyal/dtformats/blob/main/documentation/Safari%20Cookies.asciidoc",),
        systems=("macos",),
        validation=validation,
    )


def _artefacts() -> Iterator[Artefact]:
    yield _artefact(
        "history", "history", "Pages that were opened and what was searched for.", ("**/Safari/**/History.db",), parse_history, "generated"
    )
    yield _artefact(
        "old_history",
        "history before Safari 8",
        "Pages that were opened, with the time of the last visit.",
        ("**/History.plist",),
        parse_old_history,
        "specimen of Safari 6",
    )
    yield _artefact(
        "downloads", "downloads", "Files that were downloaded.", ("**/Safari/Downloads.plist",), parse_downloads, "specimen of Safari 16"
    )
    yield _artefact(
        "bookmarks",
        "bookmarks",
        "Pages that were kept, and the reading list.",
        ("**/Safari/Bookmarks.plist",),
        parse_bookmarks,
        "generated",
    )
    yield _artefact(
        "cookies", "cookies", "Sites that left a cookie, and when.", ("**/Cookies.binarycookies",), parse_cookies, "specimen of Safari 6"
    )


ARTEFACTS = tuple(_artefacts())
