"""What Safari, and any other program that fetches pages through macOS, kept: ``Cache.db`` and the folder ``fsCachedData`` beside it.

A row of ``cfurl_cache_response`` is an answer: its address and when it was stored (text, UTC). Its body is the row of
``cfurl_cache_receiver_data`` with the same number: the bytes themselves, or, where ``isDataOnFS`` is 1, the name of a file in
``fsCachedData``. The answer's headers are a property list in ``cfurl_cache_blob_data``; bodies are kept unpacked.

Source: the database's own schema (version 202 and near); checked against databases made in the tests only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from artefacts import plist
from artefacts.browsers import bodies
from artefacts.browsers.profiles import SAFARI, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import CachedItem
from artefacts.registry import Artefact, Content, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp

_RESPONSE, _BODY, _BLOBS = "cfurl_cache_response", "cfurl_cache_receiver_data", "cfurl_cache_blob_data"
_FILE = re.compile(r"[0-9A-Za-z-]{1,64}")
_LARGEST_HEADERS = 1 << 20


def parse(file: EvidenceFile) -> Results:
    """``CachedItem`` for each answer kept."""
    owned = owner(file, SAFARI)
    with _opened(file) as database:
        yield from database.problems
        for row in database.rows(_RESPONSE, ("entry_ID", "request_key"), ("time_stamp",)):
            if isinstance(row, Problem):
                yield row
                continue
            url = row.text("request_key")
            if not url:
                yield Problem("an entry without an address", Status.FAILED, row.locator)
                continue
            number = row.integer("entry_ID")
            body = database.lookup(_BODY, number, ("isDataOnFS", "receiver_data"))
            stored = _stored_in(body)
            held = body.values["receiver_data"] if body is not None and stored is None else None
            beside = file.sibling(f"fsCachedData/{stored}") if stored is not None else None
            yield CachedItem(
                url=url,
                content_type=_content_type(database, number),
                bytes=beside.size if beside is not None else len(held) if isinstance(held, (bytes, str)) else None,
                time=_time(row.values["time_stamp"]),
                time_meaning="stored",
                stored_in=beside.path if beside is not None else file.path if held else None,
                locator=row.locator,
                browser=_program(file.path),
                user=owned.user,
            )


def contents(file: EvidenceFile) -> Iterator[Content | Problem]:
    """The bodies, by their addresses."""
    with _opened(file) as database:
        for row in database.rows(_RESPONSE, ("entry_ID", "request_key")):
            if isinstance(row, Problem) or not (url := row.text("request_key")):
                continue
            body = database.lookup(_BODY, row.integer("entry_ID"), ("isDataOnFS", "receiver_data"))
            stored = _stored_in(body)
            if stored is None:
                held = body.values["receiver_data"] if body is not None else None
                data = held.encode() if isinstance(held, str) else held if isinstance(held, bytes) else b""
                yield from bodies.content(url, data, "")
                continue
            beside = file.sibling(f"fsCachedData/{stored}")
            if beside is None:
                yield Problem("the file that held a stored page is missing", Status.MISSING, url)
            else:
                yield from bodies.content(f"{stored} ▸ {url}", beside.read(bodies.LARGEST), "")


def _opened(file: EvidenceFile) -> Database:
    database = Database(file)
    if not database.has(_RESPONSE, "entry_ID", "request_key"):
        database.close()
        raise Unrecognised("a SQLite database, but no cache of pages")
    return database


def _stored_in(body: Row | None) -> str | None:
    """The name of the file that holds a body; None where the row does."""
    if body is None or body.integer("isDataOnFS") != 1:
        return None
    name = body.values["receiver_data"]
    text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    return text if isinstance(text, str) and _FILE.fullmatch(text) else None


def _content_type(database: Database, number: int | None) -> str | None:
    """From the headers: a dictionary somewhere in the archived answer."""
    row = database.lookup(_BLOBS, number, ("response_object",)) if database.has(_BLOBS, "response_object") else None
    blob = row.values["response_object"] if row is not None else None
    if not isinstance(blob, bytes) or len(blob) > _LARGEST_HEADERS:
        return None
    try:
        stack = [plist.load(blob)]
    except ValueError:
        return None
    for _ in range(10_000):
        if not stack:
            return None
        node = stack.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if isinstance(key, str) and key.lower() == "content-type" and isinstance(value, str):
                    return value.partition(";")[0].strip()
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return None


def _time(value: object) -> Time:
    if value is None:
        return NOT_RECORDED
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(str(value)).replace(tzinfo=UTC))
    except ValueError:
        return NoTime("time_stamp holds no date")


def _program(path: str) -> str:
    """Whose cache it is, by the folder that it lies in (``com.apple.AppStore``)."""
    folder = path.split("/")[-2]
    return "Safari" if folder.lower() in ("com.apple.safari", "networkcache", "webkit") else folder


ARTEFACTS = (
    Artefact(
        id="browsers.safari.cache",
        title="Safari and other macOS programs: stored copies of pages",
        meaning="Pages, pictures and other parts of pages that Safari or another program fetched and kept, and when.",
        paths=("**/Caches/**/Cache.db", "**/WebKit/**/Cache.db"),
        parse=parse,
        references=("https://github.com/ydkhatri/mac_apt",),
        systems=("macos",),
        contents=contents,
    ),
)
