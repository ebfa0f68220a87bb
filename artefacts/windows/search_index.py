"""Windows Search: what the index of this computer knows of files, also of files and drives that are gone, and of pages in old browsers.

Until Windows 10 an ESE database (``Windows.edb``): table ``SystemIndex_0A`` (Vista, 7) or ``SystemIndex_PropertyStore``, whose columns are named by the
property, with a number before it in the later one. Windows 11 keeps the same in SQLite (``Windows.db``): a row a property. Times are FILETIMEs (UTC), which
Vista and 7 wrote with the highest byte first.

The index also holds text of documents and mail: that is not read. Of mail nothing but how many items there are.

Source: J. Metz, "Windows Search" (2013); AON, "Windows Search index: the forensic artifact you've been searching for" (2023); the specimen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import FileSeen, Observation, PageVisit, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.times import NOT_RECORDED, Time, from_filetime
from artefacts.windows.ese import EseDatabase
from artefacts.windows.paths import user_of

_PROPERTIES = (
    "System_ItemUrl", "System_ItemPathDisplay", "System_Size", "System_DateModified", "System_DateCreated", "System_DateAccessed",
    "System_Search_GatherTime", "System_IsFolder", "System_FileOwner", "Microsoft_IE_TargetUrl", "System_Link_TargetUrl", "System_ItemDate",
)  # fmt: skip
_TABLES = ("SystemIndex_PropertyStore", "SystemIndex_0A")
_SQLITE = re.compile(r"SystemIndex_\d+_PropertyStore")
_PAGES = re.compile(r"(?:iehistory|iefav|http|https|ftp)[:]", re.IGNORECASE)
_EARLIEST, _LATEST = 0x01A0_0000_0000_0000, 0x0220_0000_0000_0000  # 1970s to 2080s as FILETIME
_UNSET = b"*" * 8
_FOLDER = 0x10

Item = Mapping[str, Any]


def parse_ese(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``FileSeen`` for each file or folder in the index, ``PageVisit`` for each page, then ``SystemFact``: how many items of what kind."""
    with file.open() as stream:
        database = EseDatabase(stream)
        yield from database.problems
        table = next((name for name in _TABLES if name in database.tables), None)
        if table is None:
            if database.tables:
                raise Unrecognised("a database, but not of Windows Search")
            return
        known = {re.sub(r"^[0-9A-Fa-f]+-", "", column): column for column in database.columns(table)}
        wanted = {name: known[name] for name in _PROPERTIES if name in known}
        items = (
            row if isinstance(row, Problem) else {name: row[column] for name, column in wanted.items()}
            for row in database.rows(table, tuple(wanted.values()))
        )
        yield from _told(items, table)


def parse_sqlite(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """The same from Windows 11's ``Windows.db``."""
    with Database(file) as database:
        yield from database.problems
        tables = [name for name in database.tables if _SQLITE.fullmatch(name)]
        if not tables:
            raise Unrecognised("a database, but not of Windows Search")
        for table in tables:
            names: dict[int, str] = {}
            for row in database.rows(f"{table}_Metadata", ("Id", "UniqueKey")):
                if isinstance(row, Problem):
                    yield row
                elif (number := row.integer("Id")) is not None and (name := (row.text("UniqueKey") or "").partition("-")[2]) in _PROPERTIES:
                    names[number] = name
            yield from _told(_items(database, table, names), table)


def _items(database: Database, table: str, names: Mapping[int, str]) -> Iterator[Item | Problem]:
    """Rows of one property each, put together: an item's rows follow each other."""
    item: dict[str, Any] = {}
    current: int | None = None
    for row in database.rows(table, ("WorkId", "ColumnId", "Value")):
        if isinstance(row, Problem):
            yield row
            continue
        if (work := row.integer("WorkId")) != current:
            if item:
                yield item
            item, current = {}, work
        if (name := names.get(row.integer("ColumnId") or -1)) is not None:
            item[name] = row.values["Value"]
    if item:
        yield item


def _told(items: Iterator[Item | Problem], table: str) -> Iterator[Observation | Problem]:
    kinds: dict[str, int] = {}
    for number, item in enumerate(items):
        if isinstance(item, Problem):
            yield item
            continue
        url = _text(item.get("System_ItemUrl"))
        kind = url.partition(":")[0].lower() if ":" in url else "other"
        kinds[kind] = kinds.get(kind, 0) + 1
        locator = f"table={table} item={number}"
        if kind == "file":
            yield _file(item, url, locator)
        elif _PAGES.match(url):
            target = _text(item.get("Microsoft_IE_TargetUrl")) or _text(item.get("System_Link_TargetUrl")) or url
            yield PageVisit(
                url=target, time=_time(item, "System_ItemDate", "System_DateModified"), browser="Internet Explorer or Edge (old)",
                source="Windows Search index", locator=locator,
            )  # fmt: skip
    words = ", ".join(f"{count} {kind[:30]}" for kind, count in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:10])
    yield SystemFact(name="items in the Windows Search index", value=f"{sum(kinds.values())} ({words})" if kinds else "none")


def _file(item: Item, url: str, locator: str) -> FileSeen:
    path = _text(item.get("System_ItemPathDisplay")) or unquote(url[5:]).replace("/", "\\")
    size = _number(item.get("System_Size"))
    return FileSeen(
        path=path,
        size=size,
        time=_time(item, "System_DateModified"),
        created=_time(item, "System_DateCreated"),
        accessed=_time(item, "System_DateAccessed"),
        used=_time(item, "System_Search_GatherTime"),
        kind="folder" if item.get("System_IsFolder") in (1, b"\1", True) else "file",
        how="Windows Search index",
        user=user_of(path + "\\"),
        detail="used: when the index noted it last",
        locator=locator,
    )


def _time(item: Item, *names: str) -> Time:
    for name in names:
        value = item.get(name)
        if isinstance(value, int):
            return from_filetime(value)
        if isinstance(value, bytes) and len(value) == 8 and value != _UNSET:
            # Which end is first is not said; only one of them gives a time of our days.
            for ticks in (int.from_bytes(value, "little"), int.from_bytes(value, "big")):
                if _EARLIEST <= ticks < _LATEST:
                    return from_filetime(ticks)
    return NOT_RECORDED


def _number(value: Any) -> int | None:
    if isinstance(value, int):
        return value
    if not isinstance(value, bytes) or len(value) != 8 or value == _UNSET:
        return None
    return min(int.from_bytes(value, "little"), int.from_bytes(value, "big"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else ""


def _artefact(name: str, title: str, path: str, parse: object, validation: str) -> Artefact:
    return Artefact(
        id=f"windows.search_index.{name}",
        title=title,
        meaning="Files and folders that Windows indexed, with their times, also of drives that are gone. Text of documents and mail is not read.",
        paths=(path,),
        parse=parse,  # type: ignore[arg-type]
        references=("https://github.com/libyal/esedb-kb/blob/main/documentation/Windows%20Search.asciidoc",),
        systems=("windows",),
        validation=validation,
    )


ARTEFACTS = (
    _artefact("ese", "Windows Search index", "**/Windows.edb", parse_ese, "specimen of Windows 7"),
    _artefact("sqlite", "Windows Search index (Windows 11)", "**/Search/Data/Applications/Windows/Windows.db", parse_sqlite, "generated"),
)
