"""Visits, searches and downloads of Chromium browsers, every version since 2008: the databases ``History`` and ``Archived History``.

Sources: Chromium's components/history/core/browser (visit_database.cc, url_database.cc, download_database.cc, history_types.h) and
ui/base/page_transition_types.h; components/download/public/common/download_danger_type.h. Times are WebKit microseconds (UTC), but
those of downloads were Unix seconds until Chrome 26 (the schema with ``full_path``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from artefacts.browsers.profiles import CHROMIUM, Owner
from artefacts.browsers.reading import Results, is_address, read_database, time_of
from artefacts.browsers.search_engines import search_in
from artefacts.browsers.searches import Searches
from artefacts.browsers.unvisited import unvisited
from artefacts.coverage import Problem
from artefacts.observations import Download, PageVisit
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row, recovery
from artefacts.sqlite.recovery import deleted_rows
from artefacts.times import Time, from_unix, from_webkit

_PAGES_HELD, _VISITS_HELD = 16_384, 500_000

_TRANSITIONS = (
    "link", "typed", "auto bookmark", "auto subframe", "manual subframe", "generated", "auto toplevel", "form submit", "reload", "keyword",
    "keyword generated",
)  # fmt: skip
_QUALIFIERS = (
    (0x00800000, "blocked"),
    (0x01000000, "forward or back"),
    (0x02000000, "from address bar"),
    (0x04000000, "home page"),
    (0x08000000, "from another program"),
    (0x10000000, "chain start"),
    (0x20000000, "chain end"),
    (0x40000000, "client redirect"),
    (0x80000000, "server redirect"),
)
_SOURCES = {
    0: "another device (synced)",
    1: "this device",
    2: "added by an extension",
    3: "imported from Firefox",
    4: "imported from Internet Explorer",
    5: "imported from Safari",
    6: "made by an automatic agent",
}
_STATES = {0: "in progress", 1: "complete", 2: "cancelled", 3: "interrupted", 4: "interrupted"}
_DANGERS = (
    None, "dangerous file type", "dangerous address", "dangerous content", "content not checked", "uncommon content", "user went on after a warning",
    "dangerous host", "potentially unwanted", "allowed by policy", "being checked", "blocked: protected by a password", "blocked: too large",
    "sensitive content: warned", "sensitive content: blocked", "deep scan: safe", "deep scan: user opened a dangerous file", "asked for a scan",
    "blocked: file type not supported", "dangerous: account takeover", "deep scan failed", "asked for a local scan", "being scanned locally",
    "blocked: scan failed",
)  # fmt: skip


def parse(file: EvidenceFile) -> Results:
    """``PageVisit``, ``SearchQuery`` and ``Download`` of one profile."""
    yield from read_database(file, CHROMIUM, {"urls": ("id", "url"), "downloads": ("id",)}, _read)


def _read(database: Database, owned: Owner) -> Results:
    yield from _visits(database, owned)
    yield from _downloads(database, owned)
    yield from _deleted(database, owned)


def _visits(database: Database, owned: Owner) -> Results:
    @lru_cache(maxsize=_PAGES_HELD)
    def page(number: int | None) -> Row | None:
        return database.lookup("urls", number, ("url", "title", "visit_count", "last_visit_time"))

    def led_from(number: int) -> str | None:
        address = addresses.get(number)
        if address is None:
            visit = database.lookup("visits", number, ("url",))
            address = visit.integer("url") if visit is not None else None
        origin = page(address)
        return origin.text("url") if origin is not None else None

    labels = owned.labels
    addresses: dict[int, int] = {}  # visit: address; a visit mostly comes from one just before it
    has_sources = any(True for _ in database.rows("visit_source", ("id", "source")))
    terms = dict(_typed_terms(database))
    searches = Searches(owned)
    visited: set[int] = set()
    optional = ("visit_time", "from_visit", "transition", "visit_duration", "originator_cache_guid", "external_referrer_url")
    for row in database.rows("visits", ("id", "url"), optional):
        if isinstance(row, Problem):
            yield row
            continue
        number = row.integer("url")
        target = page(number)
        url = target.text("url") if target is not None else None
        time = time_of(row, "visit_time", from_webkit)
        transition = (row.integer("transition") or 0) & 0xFFFFFFFF
        from_visit = row.integer("from_visit") or None
        duration = row.integer("visit_duration")
        yield PageVisit(
            url=url or f"[address not known: row {number} of urls is gone]",
            title=target.text("title") if target is not None else None,
            time=time,
            transition=_transition(row, transition),
            qualifiers=_qualifiers(transition),
            visit_count=target.integer("visit_count") if target is not None else None,
            source=_source(database, row, has_sources),
            from_visit=from_visit,
            referrer=(led_from(from_visit) if from_visit else None) or row.text("external_referrer_url") or None,
            duration=duration / 1e6 if duration else None,
            locator=row.locator,
            **labels,
        )
        if number is not None:
            visited.add(number)
            if row.rowid is not None and len(addresses) < _VISITS_HELD:
                addresses[row.rowid] = number
        if url is not None:
            _note_search(searches, url, terms.get(number or 0), time, row.locator)
        if searches.full:
            yield from searches.drain()
    for item in unvisited(database, owned, "urls", "last_visit_time", from_webkit, visited):
        yield item
        if isinstance(item, PageVisit):
            _note_search(searches, item.url, terms.get(int(item.locator.rpartition("=")[2])), item.time, item.locator)
    yield from searches.drain()


def _typed_terms(database: Database) -> Iterator[tuple[int, str]]:
    """Row of ``urls`` and the words typed to get there. Damage in this small table also shows in the addresses themselves."""
    for row in database.rows("keyword_search_terms", ("url_id", "term")):
        if isinstance(row, Row):
            number, term = row.integer("url_id"), row.text("term")
            if number is not None and term:
                yield number, term


def _note_search(searches: Searches, url: str, typed: str | None, time: Time, locator: str) -> None:
    found = search_in(url)
    if typed:
        searches.add(found.engine if found else _host(url), typed, time, "keyword_search_terms", url, locator)
    elif found:
        searches.add(found.engine, found.terms, time, "url", url, locator)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "unknown engine"
    except ValueError:
        return "unknown engine"


@lru_cache(maxsize=1024)
def _qualifiers(transition: int) -> tuple[str, ...]:
    return tuple(word for bit, word in _QUALIFIERS if transition & bit)


def _transition(row: Row, value: int) -> str | None:
    if row.values["transition"] is None:
        return None
    core = value & 0xFF
    return _TRANSITIONS[core] if core < len(_TRANSITIONS) else f"unknown ({core})"


def _source(database: Database, visit: Row, has_sources: bool) -> str:
    if visit.values["originator_cache_guid"]:
        return _SOURCES[0]
    # Only what was not made by browsing here has a row in visit_source.
    noted = database.lookup("visit_source", visit.rowid, ("source",)) if has_sources else None
    value = noted.integer("source") if noted is not None else 1
    return _SOURCES.get(value if value is not None else -1, f"unknown ({value})")


def _downloads(database: Database, owned: Owner) -> Results:
    chains: dict[int, list[tuple[int, str]]] = {}
    for row in database.rows("downloads_url_chains", ("id", "chain_index", "url")):
        if isinstance(row, Problem):
            yield row
            continue
        number, index, url = row.integer("id"), row.integer("chain_index"), row.text("url")
        if number is not None and url:
            chains.setdefault(number, []).append((index or 0, url))
    times = from_unix if database.has("downloads", "full_path") else from_webkit
    optional = (
        "full_path", "url", "current_path", "target_path", "start_time", "end_time", "received_bytes", "total_bytes", "state", "danger_type",
        "opened", "referrer", "mime_type",
    )  # fmt: skip
    for row in database.rows("downloads", ("id",), optional):
        if isinstance(row, Problem):
            yield row
            continue
        chain = tuple(url for _, url in sorted(chains.get(row.integer("id") or 0, ())))
        state, opened, danger = row.integer("state"), row.integer("opened"), row.integer("danger_type") or 0
        yield Download(
            url=row.text("url") or (chain[-1] if chain else None),
            url_chain=chain,
            path=row.text("target_path") or row.text("full_path") or row.text("current_path") or None,
            started=time_of(row, "start_time", times),
            finished=time_of(row, "end_time", times),
            bytes=row.integer("received_bytes"),
            total_bytes=row.integer("total_bytes") or None,
            opened=None if opened is None else bool(opened),
            state=None if state is None else _STATES.get(state, f"unknown ({state})"),
            danger=_DANGERS[danger] if 0 <= danger < len(_DANGERS) else f"unknown ({danger})",
            mime_type=row.text("mime_type") or None,
            referrer=row.text("referrer") or None,
            locator=row.locator,
            **owned.labels,
        )


def _deleted(database: Database, owned: Owner) -> Results:
    """What is left of deleted addresses, visits and searches. A deleted visit counts only where the address it belonged to is known."""
    searches = Searches(owned, recovered=True)
    columns = ("id", "url", "title", "visit_count", "last_visit_time")
    addresses: dict[int, Row] = {}
    for row in deleted_rows(database, "urls", columns, ("url",), _ADDRESS_SHAPE, _is_address):
        url, time = row.text("url") or "", time_of(row, "last_visit_time", from_webkit)
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
        _note_search(searches, url, None, time, row.locator)
    for row in deleted_rows(database, "visits", ("url", "visit_time", "transition"), ("url", "visit_time"), _VISIT_SHAPE, _is_visit):
        number = row.integer("url")
        target = addresses.get(number or 0) or database.lookup("urls", number, ("url", "title"))
        if target is None or not target.text("url"):
            continue
        url, time = target.text("url") or "", time_of(row, "visit_time", from_webkit)
        transition = (row.integer("transition") or 0) & 0xFFFFFFFF
        yield PageVisit(
            url=url,
            title=target.text("title"),
            time=time,
            transition=_transition(row, transition),
            qualifiers=_qualifiers(transition),
            source="deleted visit",
            recovered=True,
            locator=row.locator,
            **owned.labels,
        )
        _note_search(searches, url, None, time, row.locator)
    yield from searches.drain()


_ADDRESS_SHAPE = {"url": recovery.TEXT, "last_visit_time": recovery.TIME}
_VISIT_SHAPE = {"url": recovery.NUMBER, "visit_time": recovery.TIME, "transition": recovery.NUMBER}
_FIRST, _LAST = 12_591_158_400_000_000, 15_778_454_400_000_000  # WebKit microseconds of 2000 and 2101


def _is_address(row: Row) -> bool:
    return is_address(row.text("url")) and _FIRST < (row.integer("last_visit_time") or 0) < _LAST


def _is_visit(row: Row) -> bool:
    core = (row.integer("transition") or 0) & 0xFF
    return _FIRST < (row.integer("visit_time") or 0) < _LAST and core < len(_TRANSITIONS) and (row.integer("url") or 0) > 0


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.history",
        title="Chromium browsers: history, searches, downloads",
        meaning="Pages that were opened, what was searched for and what was downloaded in Chrome, Edge, Brave, Opera and their relatives.",
        paths=("**/History", "**/Archived History"),
        parse=parse,
        references=(
            "https://chromium.googlesource.com/chromium/src/+/main/components/history/core/browser/",
            "https://chromium.googlesource.com/chromium/src/+/main/ui/base/page_transition_types.h",
        ),
        validation="specimens of Chrome 1 to 64; profiles made by Chromium in the tests",
    ),
)
