"""Internet Explorer and old Edge: ``index.dat`` (versions 4 to 9) and ``WebCacheV01.dat`` (10, 11, Edge until 2020; still used by Windows).

Both list three kinds of things in one form: pages visited (``Visited: user@address``, and by day or week ``:2013031020130311: user@address``),
cookies (``Cookie:user@site``) and stored copies of pages. In the lists by day the first time is a local one and the second is UTC,
so only the second is used; elsewhere both are UTC.

Sources: libyal's documentation "MSIE Cache File (index.dat) format" and "MSIE WebCache database format"; checked against the specimens.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

from artefacts.browsers.profiles import Labels
from artefacts.browsers.reading import Results
from artefacts.browsers.search_engines import search_in
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import CachedItem, Cookie, Observation, PageVisit, SearchQuery, SiteTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_filetime

_SIGNATURE = b"Client UrlCache MMF Ver "
_LARGEST_INDEX = 256 << 20  # bytes
_BLOCK = 128
_RECORDS = 0x4000  # where records begin
_IN_USE = 2  # "dirty shutdown" in an ESE header
_ENTRY = re.compile(r"(?:(?P<visited>Visited)|(?P<cookie>Cookie)|:(?P<period>\d{16})): ?(?P<user>[^@]*)@(?P<address>.*)", re.DOTALL)


def parse_index(file: EvidenceFile) -> Results:
    """``PageVisit``, ``SearchQuery``, ``Cookie`` and ``CachedItem`` from an index.dat; records in freed blocks are marked recovered."""
    data = file.read(_LARGEST_INDEX)
    if not data.startswith(_SIGNATURE):
        raise Unrecognised("not an index of Internet Explorer's cache")
    size = int.from_bytes(data[0x1C:0x20], "little")
    if size > len(data):
        yield Problem(f"cut off: the header says {size} bytes, {len(data)} are there", Status.FAILED, f"offset={len(data)}")
    # Version 5: 5.2. In version 4.7 the fields after the times stand elsewhere.
    fields = (0x34, 0x44, 0x54) if data[len(_SIGNATURE) : len(_SIGNATURE) + 1] >= b"5" else (0x38, 0x48, 0x58)
    for offset in range(_RECORDS, len(data) - _BLOCK + 1, _BLOCK):
        if data[offset : offset + 4] not in (b"URL ", b"LEAK"):
            continue
        blocks = int.from_bytes(data[offset + 4 : offset + 8], "little")
        record = data[offset : offset + blocks * _BLOCK]
        try:
            modified, accessed = struct.unpack_from("<QQ", record, 8)
            address = _string(record, int.from_bytes(record[fields[0] : fields[0] + 4], "little"))
            headers_at, headers_size = struct.unpack_from("<2I", record, fields[1])
            (hits,) = struct.unpack_from("<I", record, fields[2])
        except (struct.error, ValueError):
            yield Problem("a record is damaged", Status.FAILED, f"offset={offset}")
            continue
        index = (offset - _RECORDS) // _BLOCK
        free = not data[0x250 + index // 8] >> index % 8 & 1
        headers = record[headers_at : headers_at + headers_size] if headers_at else b""
        stored = int.from_bytes(record[32:36], "little")
        when = from_filetime(accessed)
        yield from _observations(file, address, when, from_filetime(modified), hits, headers, stored, f"offset={offset}", free)


def parse_webcache(file: EvidenceFile) -> Results:
    """``PageVisit``, ``SearchQuery``, ``Cookie``, ``CachedItem`` and ``SiteTrace`` from a WebCacheV01.dat."""
    import pyesedb

    head = file.read(240)
    if head[4:8] != b"\xef\xcd\xab\x89" or len(head) < 240:
        raise Unrecognised("not an ESE database")
    state, page_size = int.from_bytes(head[52:56], "little"), int.from_bytes(head[236:240], "little")
    if page_size and file.size % page_size:
        yield Problem("cut off: the last page is not whole", Status.FAILED, f"offset={file.size}")
    if state == _IN_USE:
        yield Problem("was in use: the newest changes may still be in its log files (V01*.log), which are not read", Status.PARSED)
    database = pyesedb.file()
    try:
        database.open_file_object(file.open())
        tables = {table.name: table for table in database.tables}
    except OSError as error:
        yield Problem(f"the database cannot be opened: {_cause(error)}", Status.FAILED)
        return
    containers = tables.get("Containers")
    if containers is None:
        raise Unrecognised("an ESE database, but not a WebCache")
    names: dict[int, str] = {}
    for row in _rows(containers, "Containers"):
        if isinstance(row, Problem):
            yield row
        elif isinstance(row.get("ContainerId"), int):
            names[row["ContainerId"]] = str(row.get("Name") or "")
    for number, name in sorted(names.items()):
        table = tables.get(f"Container_{number}")
        # Lists of compatible sites and the like say nothing of the user.
        if table is not None and (name in ("Content", "History", "Cookies", "DOMStore") or name.startswith("MSHist")):
            yield from _container(file, table, f"Container_{number}", name)
    for name, table in tables.items():
        if name.startswith("CookieEntryEx_"):
            yield from _cookies(file, table, name)


def _container(file: EvidenceFile, table: Any, place: str, name: str) -> Results:
    for row in _rows(table, place):
        if isinstance(row, Problem):
            yield row
            continue
        address = row.get("Url")
        if not isinstance(address, str):
            continue
        locator = f"table={place} EntryId={row.get('EntryId')}"
        # In History the time of access also changes when two lists are merged; in lists by day the time of change is a local one.
        accessed, modified = _filetime(row.get("AccessedTime")), _filetime(row.get("ModifiedTime"))
        when = modified if name == "History" else accessed
        created = _filetime(row.get("CreationTime"))
        headers = row.get("ResponseHeaders")
        yield from _observations(
            file,
            address,
            when,
            created,
            row.get("AccessCount"),
            headers if isinstance(headers, bytes) else b"",
            row.get("FileSize"),
            locator,
            False,
        )


def _cookies(file: EvidenceFile, table: Any, place: str) -> Results:
    for row in _rows(table, place):
        if isinstance(row, Problem):
            yield row
            continue
        name = row.get("Name")
        yield Cookie(
            host=".".join(reversed(str(row.get("RDomain") or "").split("."))),
            name=name.rstrip(b"\0").decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name or ""),
            path=str(row.get("Path") or "") or None,
            created=_filetime(row.get("LastModified")),
            expires=_filetime(row.get("Expires")),
            locator=f"table={place} EntryId={row.get('EntryId')}",
            **_labels(file, None),
        )


def _observations(
    file: EvidenceFile, entry: str, when: Time, other: Time, count: Any, headers: bytes, size: Any, locator: str, recovered: bool
) -> Iterator[Observation]:
    """What one entry of either format stands for."""
    found = _ENTRY.match(entry)
    hits = count if isinstance(count, int) else None
    if found and found["cookie"]:
        host, slash, path = found["address"].partition("/")
        yield Cookie(
            host=host,
            name="",
            path=slash + path,
            created=other,
            last_used=when,
            locator=locator,
            recovered=recovered,
            **_labels(file, found["user"]),
        )
    elif found and found["address"].startswith(":Host: "):
        yield SiteTrace(
            url=found["address"].removeprefix(":Host: "),
            what="site in the list by day",
            time=when,
            count=hits,
            locator=locator,
            recovered=recovered,
            **_labels(file, found["user"]),
        )
    elif found:
        labels = _labels(file, found["user"])
        source = f"list by day or week ({found['period']})" if found["period"] else "this device"
        yield PageVisit(url=found["address"], time=when, visit_count=hits, source=source, locator=locator, recovered=recovered, **labels)
        if search := search_in(found["address"]):
            yield SearchQuery(
                terms=search.terms,
                engine=search.engine,
                time=when,
                last=when,
                where="url",
                url=found["address"],
                locator=locator,
                recovered=recovered,
                **labels,
            )
    elif entry.startswith("DOMStore:"):
        yield SiteTrace(
            url=entry.removeprefix("DOMStore:"),
            what="data kept by the site (DOM storage)",
            time=when,
            locator=locator,
            recovered=recovered,
            **_labels(file, None),
        )
    else:
        kind = re.search(rb"(?im)^content-type:[ \t]*([^\r\n;]{1,200})", headers)
        yield CachedItem(
            url=entry,
            content_type=kind[1].decode("ascii", "backslashreplace").strip() if kind else None,
            bytes=size if isinstance(size, int) else None,
            time=when,
            time_meaning="last used",
            count=hits,
            locator=locator,
            recovered=recovered,
            **_labels(file, None),
        )


def _labels(file: EvidenceFile, user: str | None) -> Labels:
    return {"browser": "Internet Explorer", "profile": None, "user": user if user and user != "-" else file.user}


def _string(record: bytes, offset: int) -> str:
    if not 0 < offset < len(record):
        raise ValueError("an address lies outside its record")
    return record[offset : record.index(b"\0", offset)].decode("cp1252", "backslashreplace")


def _filetime(value: Any) -> Time:
    return from_filetime(value) if isinstance(value, int) else NOT_RECORDED


_TEXT_TYPES, _BINARY_TYPES = (10, 12), (9, 11)  # JET column types


def _rows(table: Any, place: str) -> Iterator[dict[str, Any] | Problem]:
    """Each record of an ESE table as values by column; a record that cannot be read is a ``Problem``."""
    try:
        count = table.number_of_records
    except OSError as error:
        yield Problem(f"table {place} cannot be read: {_cause(error)}", Status.FAILED, f"table={place}")
        return
    for index in range(count):
        try:
            record = table.get_record(index)
            row: dict[str, Any] = {}
            for number in range(record.number_of_values):
                row[record.get_column_name(number)] = _value(record, number)
            yield row
        except (OSError, ValueError, OverflowError, MemoryError) as error:
            yield Problem(f"a record cannot be read: {_cause(error)}", Status.FAILED, f"table={place} record={index}")


def _value(record: Any, number: int) -> Any:
    kind = record.get_column_type(number)
    if kind in _TEXT_TYPES:
        return record.get_value_data_as_string(number)
    if kind in _BINARY_TYPES:
        return record.get_value_data(number)
    return record.get_value_data_as_integer(number)


def _cause(error: BaseException) -> str:
    # libyal's messages are stacks of function names: "pyesedb_…: unable to open file. libesedb_…: …"
    return (str(error).partition(". ")[0].partition(": ")[2] or type(error).__name__)[:200]


ARTEFACTS = (
    Artefact(
        id="browsers.explorer.index",
        title="Internet Explorer 4 to 9: index.dat",
        meaning="Pages that were opened, cookies and stored copies of pages; other programs of Windows used it too.",
        paths=("**/index.dat",),
        parse=parse_index,
        references=("https://github.com/libyal/libmsiecf/blob/main/documentation/MSIE%20Cache%20File%20(index.dat)%20format.asciidoc",),
        systems=("windows",),
        validation="specimens of Internet Explorer 7 and 8",
    ),
    Artefact(
        id="browsers.explorer.webcache",
        title="Internet Explorer 10, 11 and old Edge: WebCache",
        meaning="Pages and local files that were opened, cookies and stored copies of pages; Windows itself still writes to it.",
        paths=("**/WebCacheV*.dat",),
        parse=parse_webcache,
        references=("https://github.com/libyal/esedb-kb/blob/main/docs/sources/database/WebCache.md",),
        systems=("windows",),
        validation="specimens of Windows 8 and 10",
    ),
)
