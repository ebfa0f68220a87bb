"""Sites that Chromium browsers remember outside their history: icons of pages and saved logins.

These are written and cleared on their own, so they may outlive a deleted history.
Sources: Chromium's components/favicon/core/favicon_database.cc,
components/password_manager/core/browser/password_store/login_database.cc.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.browsers.profiles import CHROMIUM, Owner
from artefacts.browsers.reading import Results, later, read_database, time_of
from artefacts.coverage import Problem
from artefacts.observations import AccountUse, SiteTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, Time, from_unix, from_webkit


def parse_favicons(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each page whose icon was kept."""
    yield from read_database(file, CHROMIUM, {"icon_mapping": ("page_url",)}, _read_favicons)


def parse_logins(file: EvidenceFile) -> Results:
    """``AccountUse``: site and dates of each saved login. Neither names nor passwords are read."""
    yield from read_database(file, CHROMIUM, {"logins": ("signon_realm",)}, _read_logins)


def _rows(database: Database, table: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[Row | Problem]:
    if database.has(table, *required):
        yield from database.rows(table, required, optional)


def _read_favicons(database: Database, owned: Owner) -> Results:
    updated: dict[int, Time] = {}
    for row in _rows(database, "favicon_bitmaps", ("icon_id",), ("last_updated",)):
        if isinstance(row, Problem):
            yield row
        elif (icon := row.integer("icon_id")) is not None:
            updated[icon] = later(updated.get(icon, NOT_RECORDED), time_of(row, "last_updated", from_webkit))
    # Before Chrome 23 the time stood in favicons itself, in Unix seconds.
    for row in _rows(database, "favicons", ("id", "last_updated"), ()):
        if isinstance(row, Problem):
            yield row
        elif (icon := row.integer("id")) is not None:
            updated.setdefault(icon, time_of(row, "last_updated", from_unix))
    for row in _rows(database, "icon_mapping", ("page_url",), ("icon_id",)):
        if isinstance(row, Problem):
            yield row
        else:
            time = updated.get(row.integer("icon_id") or 0, NOT_RECORDED)
            yield SiteTrace(
                url=row.text("page_url") or "",
                what="icon of the page (time it was fetched)",
                time=time,
                locator=row.locator,
                **owned.labels,
            )


def _read_logins(database: Database, owned: Owner) -> Results:
    # date_created was in Unix seconds until Chrome 35; in WebKit microseconds such a value would be in 1601.
    def created(value: int) -> Time:
        return from_unix(value) if value < 10**11 else from_webkit(value)

    for row in _rows(database, "logins", ("signon_realm",), ("date_created", "date_last_used", "blacklisted_by_user")):
        if isinstance(row, Problem):
            yield row
        else:
            yield AccountUse(
                service=row.text("signon_realm") or "",
                time=time_of(row, "date_created", created),
                last=time_of(row, "date_last_used", from_webkit),
                how="asked never to save a login" if row.integer("blacklisted_by_user") else "saved login",
                locator=row.locator,
                **owned.labels,
            )


_REFERENCES = ("https://chromium.googlesource.com/chromium/src/+/main/components/",)
_VALIDATION = "whole profiles of Chrome 42 and 64; profiles made by Chromium in the tests"

ARTEFACTS = (
    Artefact(
        id="browsers.chromium.favicons",
        title="Chromium browsers: icons of pages",
        meaning="Pages whose small icon was kept. They may outlive a deleted history, and may come from bookmarks.",
        paths=("**/Favicons",),
        parse=parse_favicons,
        references=_REFERENCES,
        validation=_VALIDATION,
    ),
    Artefact(
        id="browsers.chromium.logins",
        title="Chromium browsers: saved logins (site and date)",
        meaning="Sites for which a login was saved, and when. Names and passwords are not read.",
        paths=("**/Login Data", "**/Login Data For Account"),
        parse=parse_logins,
        references=_REFERENCES,
        validation=_VALIDATION,
    ),
)
