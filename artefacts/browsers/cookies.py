"""That sites left cookies, and when: Chromium and Firefox. Values are never read: they are keys to accounts.

Sources: Chromium's net/extras/sqlite/sqlite_persistent_cookie_store.cc; Mozilla's netwerk/cookie/CookiePersistentStorage.cpp.
"""

from __future__ import annotations

from artefacts.browsers.profiles import CHROMIUM, FIREFOX, Owner
from artefacts.browsers.reading import Results, read_database, time_of
from artefacts.coverage import Problem
from artefacts.observations import Cookie
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import Time, from_prtime, from_unix, from_webkit

_MILLISECOND = 1_000_000  # nanoseconds


def parse_chromium(file: EvidenceFile) -> Results:
    """``Cookie`` of one Chromium profile."""
    yield from read_database(file, CHROMIUM, {"cookies": ("host_key", "name")}, _read_chromium)


def parse_firefox(file: EvidenceFile) -> Results:
    """``Cookie`` of one Firefox profile."""
    yield from read_database(file, FIREFOX, {"moz_cookies": ("host", "name")}, _read_firefox)


def _read_chromium(database: Database, owned: Owner) -> Results:
    optional = ("creation_utc", "last_access_utc", "expires_utc", "path")
    for row in database.rows("cookies", ("host_key", "name"), optional):
        if isinstance(row, Problem):
            yield row
            continue
        yield Cookie(
            host=row.text("host_key") or "",
            name=row.text("name") or "",
            created=time_of(row, "creation_utc", from_webkit),
            last_used=time_of(row, "last_access_utc", from_webkit),
            expires=time_of(row, "expires_utc", from_webkit),
            path=row.text("path"),
            locator=row.locator,
            **owned.labels,
        )


def _read_firefox(database: Database, owned: Owner) -> Results:
    optional = ("id", "creationTime", "lastAccessed", "expiry", "path")
    # Until Firefox 3.6 there was no creationTime: the row number was the time of creation.
    created = "creationTime" if database.has("moz_cookies", "creationTime") else "id"
    for row in database.rows("moz_cookies", ("host", "name"), optional):
        if isinstance(row, Problem):
            yield row
            continue
        yield Cookie(
            host=row.text("host") or "",
            name=row.text("name") or "",
            created=time_of(row, created, from_prtime),
            last_used=time_of(row, "lastAccessed", from_prtime),
            expires=_expiry(row),
            path=row.text("path"),
            locator=row.locator,
            **owned.labels,
        )


def _expiry(row: Row) -> Time:
    # Seconds, but milliseconds since Firefox 142; no cookie of either kind lives in the other's range (year 5138, March 1973).
    return time_of(row, "expiry", lambda value: from_unix(value, unit_ns=_MILLISECOND) if value > 10**11 else from_unix(value))


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.cookies",
        title="Chromium browsers: cookies",
        meaning="Sites that left a cookie, when they first did and when it was last used. A site here that history lacks may have been removed.",
        paths=("**/Cookies", "**/Extension Cookies"),
        parse=parse_chromium,
        references=("https://chromium.googlesource.com/chromium/src/+/main/net/extras/sqlite/sqlite_persistent_cookie_store.cc",),
        validation="specimens of Chrome 17 and 68; profiles made by Chromium in the tests",
    ),
    Artefact(
        id="browsers.firefox.cookies",
        title="Firefox: cookies",
        meaning="Sites that left a cookie, when they first did and when it was last used. A site here that history lacks may have been removed.",
        paths=("**/cookies.sqlite",),
        parse=parse_firefox,
        references=("https://searchfox.org/mozilla-central/source/netwerk/cookie/CookiePersistentStorage.cpp",),
        validation="specimen of Firefox 24",
    ),
)
