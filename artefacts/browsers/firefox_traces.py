"""Sites that Firefox remembers outside its history: icons, permissions, zoom, what was typed and chosen, saved logins.

These are written and cleared on their own, so they may outlive a deleted history.
Sources: Mozilla's toolkit/components/places (nsPlacesTables.h: moz_pages_w_icons, moz_inputhistory), extensions/permissions
(PermissionManager.cpp), toolkit/components/contentprefs (ContentPrefService2.sys.mjs), toolkit/components/passwordmgr (LoginStore.sys.mjs).
"""

from __future__ import annotations

import json

from artefacts.browsers.profiles import FIREFOX, Owner, owner
from artefacts.browsers.reading import Results, later, read_database, time_of
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, SiteTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, NoTime, Time, from_unix

LARGEST = 64 << 20  # bytes
_MILLISECOND = 1_000_000  # nanoseconds


def parse_favicons(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each page whose icon was kept; when the icon was fetched is not recorded (only when it expires)."""
    yield from read_database(file, FIREFOX, {"moz_pages_w_icons": ("page_url",)}, _read_favicons)


def parse_permissions(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each site with a permission; the value is Firefox's own (1 allowed, 2 refused, 3 asked each time)."""
    yield from read_database(file, FIREFOX, {"moz_perms": ("origin",), "moz_hosts": ("host",)}, _read_permissions)


def parse_site_settings(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each site with a setting of its own (zoom, folder last saved to, …)."""
    yield from read_database(file, FIREFOX, {"groups": ("id", "name"), "prefs": ("groupID",)}, _read_site_settings)


def parse_typed(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each page chosen from the address bar, with the text typed to find it."""
    yield from read_database(file, FIREFOX, {"moz_places": ("id", "url")}, _read_typed)


def parse_logins(file: EvidenceFile) -> Results:
    """``AccountUse``: site and dates of each saved login. Neither names nor passwords are read."""
    owned = owner(file, FIREFOX)
    data = file.read(LARGEST + 1)
    try:
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        if b'"logins"' not in data:
            if owned.known and data:
                raise Unrecognised("not a list of logins of Firefox") from error
            return
        yield Problem(f"damaged ({error}): not read", Status.FAILED)
        return
    logins = tree.get("logins") if isinstance(tree, dict) else None
    if not isinstance(logins, list):
        raise Unrecognised("not a list of logins of Firefox")
    for index, login in enumerate(logins):
        site = login.get("hostname") if isinstance(login, dict) else None
        if not isinstance(site, str):
            yield Problem("a saved login without a site: not read", Status.FAILED, f"logins[{index}]")
            continue
        yield AccountUse(
            service=site,
            time=_milliseconds(login.get("timeCreated")),
            last=_milliseconds(login.get("timeLastUsed")),
            how="saved login",
            locator=f"logins[{index}]",
            **owned.labels,
        )


def _milliseconds(value: object) -> Time:
    if value is None:
        return NOT_RECORDED
    if isinstance(value, int) and not isinstance(value, bool):
        return from_unix(value, unit_ns=_MILLISECOND)
    return NoTime("not a number")


def _read_favicons(database: Database, owned: Owner) -> Results:
    for row in database.rows("moz_pages_w_icons", ("page_url",)):
        if isinstance(row, Problem):
            yield row
        elif url := row.text("page_url"):
            yield SiteTrace(url=url, what="icon of the page", locator=row.locator, **owned.labels)


def _read_permissions(database: Database, owned: Owner) -> Results:
    # Before Firefox 42 the table was moz_hosts, by host and without the protocol.
    for table, column in (("moz_perms", "origin"), ("moz_hosts", "host")):
        if not database.has(table, column):
            continue
        for row in database.rows(table, (column,), ("type", "permission", "modificationTime")):
            if isinstance(row, Problem):
                yield row
                continue
            yield SiteTrace(
                url=row.text(column) or "",
                what=f"site setting: {row.text('type')}",
                time=time_of(row, "modificationTime", _milliseconds),
                value=row.text("permission"),
                locator=row.locator,
                **owned.labels,
            )


def _read_site_settings(database: Database, owned: Owner) -> Results:
    changed: dict[int, Time] = {}
    for row in database.rows("prefs", ("groupID",), ("timestamp",)):
        if isinstance(row, Problem):
            yield row
        elif (group := row.integer("groupID")) is not None:
            changed[group] = later(changed.get(group, NOT_RECORDED), _seconds(row))
    for row in database.rows("groups", ("id", "name")):
        if isinstance(row, Problem):
            yield row
        elif name := row.text("name"):
            time = changed.get(row.integer("id") or 0, NOT_RECORDED)
            yield SiteTrace(url=name, what="setting of the site (zoom, folder, …)", time=time, locator=row.locator, **owned.labels)


def _seconds(row: Row) -> Time:
    value = row.values["timestamp"]
    return from_unix(value) if isinstance(value, (int, float)) else NOT_RECORDED


def _read_typed(database: Database, owned: Owner) -> Results:
    for row in database.rows("moz_inputhistory", ("place_id", "input"), ("use_count",)) if database.has("moz_inputhistory") else ():
        if isinstance(row, Problem):
            yield row
            continue
        page = database.lookup("moz_places", row.integer("place_id"), ("url", "title"))
        if page is not None and page.text("url"):
            yield SiteTrace(
                url=page.text("url") or "",
                what="typed in the address bar and chosen",
                title=page.text("title"),
                value=row.text("input"),
                locator=row.locator,
                **owned.labels,
            )


_REFERENCES = ("https://searchfox.org/mozilla-central/source/toolkit/components/places/nsPlacesTables.h",)
_VALIDATION = "profiles made by Firefox in the tests"

ARTEFACTS = (
    Artefact(
        id="browsers.firefox.favicons",
        title="Firefox: icons of pages",
        meaning="Pages whose small icon was kept. They may outlive a deleted history, and may come from bookmarks.",
        paths=("**/favicons.sqlite",),
        parse=parse_favicons,
        references=_REFERENCES,
        validation=_VALIDATION,
    ),
    Artefact(
        id="browsers.firefox.permissions",
        title="Firefox: permissions of sites",
        meaning="Sites that were given or refused a permission, or that somebody used (storageAccessAPI), and when.",
        paths=("**/permissions.sqlite",),
        parse=parse_permissions,
        references=("https://searchfox.org/mozilla-central/source/extensions/permissions/PermissionManager.cpp",),
        validation=_VALIDATION,
    ),
    Artefact(
        id="browsers.firefox.site_settings",
        title="Firefox: settings of single sites",
        meaning="Sites for which Firefox keeps a setting, such as the zoom or the folder last saved to.",
        paths=("**/content-prefs.sqlite",),
        parse=parse_site_settings,
        references=("https://searchfox.org/mozilla-central/source/toolkit/components/contentprefs",),
    ),
    Artefact(
        id="browsers.firefox.typed",
        title="Firefox: typed in the address bar",
        meaning="What was typed in the address bar and which page was then chosen.",
        paths=("**/places.sqlite",),
        parse=parse_typed,
        references=_REFERENCES,
    ),
    Artefact(
        id="browsers.firefox.logins",
        title="Firefox: saved logins (site and date)",
        meaning="Sites for which a login was saved, and when. Names and passwords are not read.",
        paths=("**/logins.json", "**/logins-backup.json"),
        parse=parse_logins,
        references=("https://searchfox.org/mozilla-central/source/toolkit/components/passwordmgr/LoginStore.sys.mjs",),
    ),
)
