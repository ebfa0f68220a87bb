"""Signs that a part of a browser's history is gone: numbers that were given out and are not there, sites and days that only other
files of the same profile remember.

Sources: Chromium's components/history/core/browser (visit_database.cc, url_database.cc: AUTOINCREMENT; expire_history_backend.cc:
visits go after 90 days, those of frames after 3), www.sqlite.org/autoinc.html; Mozilla's toolkit/components/places.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from artefacts.browsers import (
    chromium_bookmarks,
    chromium_preferences,
    chromium_sessions,
    chromium_sites,
    chromium_traces,
    cookies,
    firefox_traces,
)
from artefacts.browsers.profiles import CHROMIUM, FIREFOX, Owner
from artefacts.browsers.reading import Results, read_database
from artefacts.coverage import Encrypted, Problem, Unrecognised
from artefacts.observations import Bookmark, Cookie, HistoryGap, PageVisit, SiteTrace, SystemFact
from artefacts.registry import Artefact, EvidenceFile, Parser
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, NS, Time, Timestamp, from_prtime, from_webkit

DAY = 86_400 * NS
KEPT = 90 * DAY  # Chromium removes older visits by itself; other files keep their records longer
YEAR = 365 * DAY
_SMALL = 10_000  # visits: far below what makes Firefox remove any
_MOST_HELD = 200_000  # hosts, days and traces held for one profile
_SHOWN = 20
_ENOUGH_SITES = 3
_ENOUGH_DAYS = 2

# Makers' own sites: put there by the browser itself (new tab page, first start, sign-in), visited or not.
_MAKERS = frozenset(
    (
        "google.com", "gstatic.com", "googleapis.com", "mozilla.org", "mozilla.com", "firefox.com", "microsoft.com", "msn.com", "bing.com",
        "brave.com", "opera.com", "vivaldi.com", "yandex.ru", "torproject.org",
    )
)  # fmt: skip

# Traces that a browser makes only for a page that was opened in a window of its own, or kept as a bookmark.
_PAGE_TRACES = (
    "icon of the page", "most visited sites", "typed in the address bar", "prediction from typed text", "use of the site",
    "site setting: media engagement", "clicked or typed on the site", "media played", "site setting: storageAccessAPI", "setting of the site",
)  # fmt: skip


def parse_chromium(file: EvidenceFile) -> Results:
    """``HistoryGap`` of one Chromium profile, from ``History`` and the files beside it."""

    def read(database: Database, owned: Owner) -> Results:
        known = _known(database, _CHROMIUM)
        yield from _numbers(database, owned, known, _CHROMIUM)
        yield from _loose_ends(database, owned, known, _CHROMIUM)
        around = _Around()
        for name, parser in (
            ("Favicons", chromium_traces.parse_favicons),
            ("Top Sites", chromium_sites.PARSERS["top_sites"]),
            ("Shortcuts", chromium_sites.PARSERS["shortcuts"]),
            ("Network Action Predictor", chromium_sites.PARSERS["predictor"]),
            ("DIPS", chromium_sites.PARSERS["clicked_sites"]),
            ("Media History", chromium_sites.PARSERS["media_history"]),
            ("Preferences", chromium_preferences.parse),
            ("Bookmarks", chromium_bookmarks.parse),
            ("Cookies", cookies.parse_chromium),
            ("Network/Cookies", cookies.parse_chromium),  # where Windows keeps them since Chrome 96
        ):
            around.look(file, name, parser)
        for tabs in file.siblings("Sessions"):
            around.take(tabs, "Sessions", chromium_sessions.parse)
        yield from _compare(owned, known, around, KEPT)

    yield from read_database(file, CHROMIUM, {"urls": ("id", "url")}, read)


def parse_firefox(file: EvidenceFile) -> Results:
    """``HistoryGap`` of one Firefox profile, from ``places.sqlite`` and the files beside it."""

    def read(database: Database, owned: Owner) -> Results:
        known = _known(database, _FIREFOX)
        yield from _numbers(database, owned, known, _FIREFOX)
        yield from _loose_ends(database, owned, known, _FIREFOX)
        around = _Around()
        for name, parser in (
            ("favicons.sqlite", firefox_traces.parse_favicons),
            ("permissions.sqlite", firefox_traces.parse_permissions),
            ("content-prefs.sqlite", firefox_traces.parse_site_settings),
            ("cookies.sqlite", cookies.parse_firefox),
        ):
            around.look(file, name, parser)
        # Firefox removes visits by the size of the database, not by age: in a large one what is older than the oldest visit may be gone by itself.
        yield from _compare(owned, known, around, YEAR if known.visits < _SMALL else None)

    yield from read_database(file, FIREFOX, {"moz_places": ("id", "url")}, read)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The names of one family: addresses, visits, the visit's time and address, and rows that must belong to a row elsewhere."""

    addresses: str
    visits: str
    time: str
    address: str
    convert: Callable[[int], Time]
    belongings: tuple[tuple[str, str, str], ...]


_CHROMIUM = _Tables(
    "urls", "visits", "visit_time", "url", from_webkit,
    (("visits", "url", "urls"), ("keyword_search_terms", "url_id", "urls"), ("content_annotations", "visit_id", "visits")),
)  # fmt: skip
_FIREFOX = _Tables(
    "moz_places", "moz_historyvisits", "visit_date", "place_id", from_prtime,
    (("moz_historyvisits", "place_id", "moz_places"), ("moz_inputhistory", "place_id", "moz_places")),
)  # fmt: skip


@dataclass(slots=True)
class _Known:
    """What the history itself holds: hosts with their parents, days (since 1970, UTC) with a visit, first and last visit, damage.

    ``numbers``: the row numbers of addresses and visits by table; ``loose``: visits of an address that is gone.
    """

    hosts: set[str] = field(default_factory=set)
    parents: set[str] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    first: int | None = None
    last: int | None = None
    visits: int = 0
    numbers: dict[str, set[int]] = field(default_factory=dict)
    loose: int = 0
    damaged: bool = False

    def has(self, host: str) -> bool:
        """Whether the host, a part of it or a host that it is a part of is in the history."""
        return host in self.hosts or host in self.parents or any(parent in self.hosts for parent in _parents(host))


class _Around:
    """What the files beside the history remember: sites of opened pages, hosts of bookmarks, and instants of use by day."""

    def __init__(self) -> None:
        self.sites: dict[str, dict[str, Time]] = {}
        self.kept: set[str] = set()
        self.days: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self.latest: int | None = None
        self.created: Time = NOT_RECORDED

    def look(self, file: EvidenceFile, name: str, parser: Parser) -> None:
        """Take what ``parser`` finds in the file ``name`` beside ``file``; its problems are told by its own artefact."""
        beside = file.sibling(name)
        if beside is not None:
            self.take(beside, name.rpartition("/")[2], parser)

    def take(self, beside: EvidenceFile, store: str, parser: Parser) -> None:
        """The same of a file that is there already; ``store`` is what it is called in findings."""
        try:
            for item in parser(beside):
                if isinstance(item, SystemFact) and item.name == "browser profile created":
                    self.created = item.time
                elif isinstance(item, Bookmark):
                    self.kept.add(host_of(item.url))
                elif isinstance(item, Cookie):
                    self._used(item.host.lstrip(".").lower(), item.created, store)
                elif (isinstance(item, PageVisit) and (host := host_of(item.url))) or (
                    isinstance(item, SiteTrace) and item.what.startswith(_PAGE_TRACES) and (host := host_of(item.url))
                ):
                    self._used(host, item.time, store)
                    if len(self.sites) < _MOST_HELD:
                        self.sites.setdefault(host, {})[store] = item.time
        except (Unrecognised, Encrypted):
            return

    def _used(self, host: str, time: Time, store: str) -> None:
        if isinstance(time, Timestamp) and not _by_maker(host) and len(self.days) < _MOST_HELD:
            used = self.days[time.ns // DAY]
            if len(used) < 1000:
                used.add((host, store))
            self.latest = time.ns if self.latest is None else max(self.latest, time.ns)


_PLAIN = re.compile(r"https?://([a-z0-9_.-]+)(?::\d+)?(?:[/?#]|$)", re.IGNORECASE)  # nearly every address; urlsplit takes the others


def host_of(url: str) -> str:
    """The host of a web address in lower case, without ``www.``; a bare host is one; empty for anything else."""
    if found := _PLAIN.match(url):
        host = found[1].lower().removeprefix("www.").rstrip(".")
        return host if "." in host or host == "localhost" else ""
    try:
        host = (urlsplit(url).hostname if "://" in url else url.partition("/")[0]) or ""
        if "://" in url and not url.lower().startswith(("http://", "https://")):
            return ""
    except ValueError:
        return ""
    host = host.replace("[*.]", "").lower().removeprefix("www.").rstrip(".")
    return host if "." in host or host == "localhost" else ""


def _parents(host: str) -> Iterator[str]:
    """``a.b.example.org``: ``b.example.org`` and ``example.org``, never the last part alone."""
    parts = host.split(".")
    return (".".join(parts[start:]) for start in range(1, min(len(parts) - 1, 20)))


def _by_maker(host: str) -> bool:
    return host in _MAKERS or any(parent in _MAKERS for parent in _parents(host))


def _known(database: Database, tables: _Tables) -> _Known:
    known = _Known()
    addresses, visits = set[int](), set[int]()
    known.numbers = {tables.addresses: addresses, tables.visits: visits}
    for row in database.rows(tables.addresses, ("id", "url")):
        if isinstance(row, Problem):
            known.damaged = True
            continue
        addresses.add(row.integer("id") or 0)
        host = host_of((row.text("url") or "")[:4096])
        if host and host not in known.hosts and len(known.hosts) < _MOST_HELD:
            known.hosts.add(host)
            known.parents.update(_parents(host))
    for row in database.rows(tables.visits, ("id",), (tables.time, tables.address)):
        if isinstance(row, Problem):
            known.damaged = True
            continue
        known.visits += 1
        visits.add(row.integer("id") or 0)
        address, value = row.integer(tables.address), row.integer(tables.time)
        if address and address not in addresses:
            known.loose += 1
        time = tables.convert(value) if value is not None else NOT_RECORDED
        if isinstance(time, Timestamp):
            known.first = time.ns if known.first is None else min(known.first, time.ns)
            known.last = time.ns if known.last is None else max(known.last, time.ns)
            known.days.add(time.ns // DAY)
    known.damaged = known.damaged or bool(database.problems)
    return known


def _at(ns: int | None) -> Time:
    return NOT_RECORDED if ns is None else Timestamp(ns)


def _numbers(database: Database, owned: Owner, known: _Known, tables: _Tables) -> Results:
    """Records are numbered one by one, and a number is given out once where SQLite counts them in sqlite_sequence."""
    if known.damaged:
        return  # rows that could not be read would pass for rows that were removed
    given = {row.text("name"): row.integer("seq") or 0 for row in database.rows("sqlite_sequence", ("name", "seq")) if isinstance(row, Row)}
    for table in (tables.visits, tables.addresses):
        count = len(known.numbers[table])
        removed = given.get(table, 0) - max(known.numbers[table], default=0)
        if removed > 0:
            yield HistoryGap(
                kind="newest records",
                strength="strong",
                detail=f"{given[table]} records were ever made in {table}; the newest {removed} are gone, {count} are left",
                missing=removed,
                left=count,
                locator=f"table=sqlite_sequence name={table}",
                first=_at(known.first),
                last=_at(known.last),
                **owned.labels,
            )
    visits = known.numbers[tables.visits]
    if not visits:
        return
    lowest, highest = min(visits), max(visits)
    between = highest - lowest + 1 - len(visits)
    if between > 0:
        yield HistoryGap(
            kind="records in between",
            strength="moderate",
            detail=f"of the records {lowest} to {highest} in {tables.visits}, {between} are gone and {known.visits} are left",
            missing=between,
            left=known.visits,
            locator=f"table={tables.visits}",
            first=_at(known.first),
            last=_at(known.last),
            **owned.labels,
        )
    if lowest > 1 and given.get(tables.visits) and known.first is not None and known.last is not None:
        if known.last - known.first >= KEPT - 5 * DAY:
            return  # as old as Chromium keeps: what came before went by itself
        yield HistoryGap(
            kind="oldest records",
            strength="weak",
            detail=f"the {lowest - 1} oldest records in {tables.visits} are gone, and the oldest that is left is less than 90 days older than the newest",
            missing=lowest - 1,
            left=known.visits,
            locator=f"table={tables.visits}",
            first=_at(known.first),
            last=_at(known.last),
            **owned.labels,
        )


def _loose_ends(database: Database, owned: Owner, known: _Known, tables: _Tables) -> Results:
    """Rows that name a row which is not there. The browser removes both together; a program that edits the file often does not."""
    for table, column, target in tables.belongings:
        if not database.has(table, column) or not database.has(target, "id") or database.problems:
            continue
        there = known.numbers[target]
        damaged, loose = known.damaged, known.loose
        if table != tables.visits:
            loose = 0
            for row in database.rows(table, (column,)):
                if isinstance(row, Problem):
                    damaged = True
                elif (number := row.integer(column)) and number not in there:
                    loose += 1
        if loose and not damaged:
            yield HistoryGap(
                kind="loose ends",
                strength="strong" if loose >= _ENOUGH_SITES else "moderate",
                detail=f"{loose} rows of {table} belong to rows of {target} that are gone",
                missing=loose,
                locator=f"table={table}",
                **owned.labels,
            )


def _compare(owned: Owner, known: _Known, around: _Around, kept: int | None) -> Results:
    if known.damaged:
        return
    latest = max((value for value in (known.last, around.latest) if value is not None), default=None)
    if latest is None:
        return
    # What the history would hold if nobody had touched it begins here.
    since = latest - kept + DAY if kept is not None else (known.first or 0)
    yield from _missing_sites(owned, known, around, since)
    yield from _missing_days(owned, known, around, since)
    yield from _younger(owned, known, around, since)
    if isinstance(around.created, Timestamp) and known.last is not None and around.created.ns > known.last + DAY:
        yield HistoryGap(
            kind="profile younger than its history",
            strength="moderate",
            detail=f"the profile was created {around.created.isoformat()}, after its last visit",
            first=_at(known.first),
            last=_at(known.last),
            locator="profile.creation_time",
            **owned.labels,
        )


def _missing_sites(owned: Owner, known: _Known, around: _Around, since: int) -> Results:
    missing: list[str] = []
    stores: set[str] = set()
    times: list[int] = []
    for host, places in sorted(around.sites.items()):
        if known.has(host) or host in around.kept or _by_maker(host):
            continue
        recent = {store: time for store, time in places.items() if not isinstance(time, Timestamp) or time.ns >= since}
        if recent:
            missing.append(host)
            stores |= set(recent)
            times += [time.ns for time in recent.values() if isinstance(time, Timestamp)]
    if missing:
        yield HistoryGap(
            kind="sites",
            strength="moderate" if len(missing) >= _ENOUGH_SITES or len(stores) > 1 else "weak",
            detail=f"{len(missing)} sites are remembered elsewhere in the profile, but history has no page of them",
            missing=len(missing),
            left=len(known.hosts),
            sites=tuple(missing[:_SHOWN]),
            stores=tuple(sorted(stores)),
            first=_at(min(times, default=None)),
            last=_at(max(times, default=None)),
            locator="sites",
            **owned.labels,
        )


def _missing_days(owned: Owner, known: _Known, around: _Around, since: int) -> Results:
    """Days on which at least two sites left something, with no visit on that day, the day before or the day after."""
    days = [
        day
        for day, used in around.days.items()
        if day >= since // DAY and len({host for host, _ in used}) >= 2 and not known.days & {day - 1, day, day + 1}
    ]
    if not days:
        return
    used = _joined(around.days[day] for day in days)
    yield HistoryGap(
        kind="days",
        strength="moderate" if len(days) >= _ENOUGH_DAYS else "weak",
        detail=f"on {len(days)} days sites left something in other files of the profile, but history has no visit on these days or next to them",
        missing=len(days),
        left=len(known.days),
        sites=tuple(sorted({host for host, _ in used})[:_SHOWN]),
        stores=tuple(sorted({store for _, store in used})),
        first=Timestamp(min(days) * DAY),
        last=Timestamp(max(days) * DAY),
        locator="days",
        **owned.labels,
    )


def _younger(owned: Owner, known: _Known, around: _Around, since: int) -> Results:
    """Sites that left something days before the first visit that is left, when nothing should have gone by age yet."""
    if known.first is None:
        return
    days = sorted(day for day in around.days if since // DAY <= day < known.first // DAY - 1)
    if not days:
        return
    used = _joined(around.days[day] for day in days)
    hosts, stores = sorted({host for host, _ in used}), {store for _, store in used}
    yield HistoryGap(
        kind="younger than other records",
        strength="moderate" if len(hosts) >= _ENOUGH_SITES and len(days) >= _ENOUGH_DAYS else "weak",
        detail=f"history begins {known.first // DAY - days[0]} days after the first things that {len(hosts)} sites left in other files of the profile",
        left=known.visits,
        sites=tuple(hosts[:_SHOWN]),
        stores=tuple(sorted(stores)),
        first=Timestamp(days[0] * DAY),
        last=_at(known.first),
        locator="first visit",
        **owned.labels,
    )


def _joined(parts: Iterable[set[tuple[str, str]]]) -> set[tuple[str, str]]:
    return set().union(*parts)


_MEANING = "Whether records, sites or days are missing from the history that other records of the same profile show."

ARTEFACTS = (
    Artefact(
        id="browsers.chromium.missing_history",
        title="Chromium browsers: gaps in history",
        meaning=_MEANING,
        paths=("**/History",),
        parse=parse_chromium,
        references=(
            "https://chromium.googlesource.com/chromium/src/+/main/components/history/core/browser/expire_history_backend.cc",
            "https://www.sqlite.org/autoinc.html",
        ),
        validation="profiles made and cleared by Chromium in the tests",
    ),
    Artefact(
        id="browsers.firefox.missing_history",
        title="Firefox: gaps in history",
        meaning=_MEANING,
        paths=("**/places.sqlite",),
        parse=parse_firefox,
        references=("https://searchfox.org/mozilla-central/source/toolkit/components/places",),
        validation="profiles made and cleared by Firefox in the tests",
    ),
)
