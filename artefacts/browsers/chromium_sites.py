"""Sites that a Chromium profile notes in small databases of its own, apart from history: what was played, where storage was used, which
sites were clicked on, which asked for reports, advertising and the like.

Each is one row of the table below. Sources: Chromium's chrome/browser/media/history (media_history_*_table.cc), content/browser/btm
(btm_database.cc, before: dips), storage/browser/quota (quota_database.cc), net/extras/sqlite (sqlite_persistent_reporting_and_nel_store.cc,
which keeps WebKit time in spite of its columns' names), components/services/storage/shared_storage, content/browser/interest_group,
content/browser/attribution_reporting, services/network/trust_tokens, storage/browser/database (WebSQL), blocklist/opt_out_blocklist,
components/history/core/browser/top_sites_database.cc, components/omnibox/browser/shortcuts_database.cc,
chrome/browser/predictors/autocomplete_action_predictor_table.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from artefacts.browsers.profiles import CHROMIUM, Owner
from artefacts.browsers.reading import Results, read_database, time_of
from artefacts.coverage import Problem
from artefacts.observations import SiteTrace
from artefacts.registry import Artefact, EvidenceFile, Parser
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, Time, from_webkit


def _seconds(value: int) -> Time:
    return from_webkit(value * 1_000_000)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of sites. ``url``: the columns that make the address: one, or protocol, host and port; ``times``: the first that is set."""

    name: str
    url: tuple[str, ...]
    what: str
    times: tuple[str, ...] = ()
    convert: Callable[[int], Time] = from_webkit
    count: str | None = None
    title: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class _Store:
    """A database: part of the artefact's id, title, meaning, file names and tables."""

    name: str
    title: str
    meaning: str
    paths: tuple[str, ...]
    tables: tuple[_Table, ...]


_STORES = (
    _Store(
        "top_sites",
        "most visited sites",
        "Sites shown on the new tab page because they were opened often. Some are the maker's own suggestions.",
        ("**/Top Sites",),
        (
            _Table("top_sites", ("url",), "most visited sites", ("last_updated",), title="title"),
            _Table("thumbnails", ("url",), "most visited sites", ("last_updated",), title="title"),
        ),
    ),
    _Store(
        "shortcuts",
        "address bar shortcuts",
        "What was typed in the address bar and which page was then chosen.",
        ("**/Shortcuts",),
        (
            _Table(
                "omni_box_shortcuts", ("url",), "typed in the address bar and chosen", ("last_access_time",), count="number_of_hits",
                title="description", value="text",
            ),
        ),
    ),
    _Store(
        "predictor",
        "address bar predictions",
        "Text typed in the address bar and the page the browser learned to expect after it.",
        ("**/Network Action Predictor",),
        (_Table("network_action_predictor", ("url",), "prediction from typed text", count="number_of_hits", value="user_text"),),
    ),
    _Store(
        "media_history",
        "media that was played",
        "Pages on which something was played, its title, and when.",
        ("**/Media History",),
        (
            _Table("playbackSession", ("url",), "media played", ("last_updated_time_s",), _seconds, None, "title"),
            _Table("playback", ("url",), "media played", ("last_updated_time_s",), _seconds),
            _Table("origin", ("origin",), "site on which media was played", ("last_updated_time_s",), _seconds),
        ),
    ),
    _Store(
        "clicked_sites",
        "sites that were clicked on",
        "Sites on whose pages somebody clicked or typed, or that only passed a visitor on, and when. Kept to find tracking.",
        ("**/DIPS",),
        (
            _Table(
                "bounces", ("site",), "clicked or typed on the site",
                ("last_user_activation_time", "last_user_interaction_time", "first_user_activation_time", "first_user_interaction_time"),
            ),
            _Table("bounces", ("site",), "site that stored something", ("last_site_storage_time", "first_site_storage_time")),
            _Table("bounces", ("site",), "site that passed the visitor on", ("last_bounce_time", "first_bounce_time")),
            _Table("popups", ("popup_site",), "window opened by a page", ("last_popup_time",)),
        ),
    ),
    _Store(
        "storage_use",
        "sites that use storage",
        "Sites that keep data in the browser, when they last used and changed it.",
        ("**/QuotaManager",),
        (
            _Table("buckets", ("storage_key",), "storage of the site (time of the last use)", ("last_accessed", "last_modified"), count="use_count"),
            _Table("OriginInfoTable", ("origin",), "storage of the site (time of the last use)", ("last_access_time", "last_modified_time"), count="used_count"),
        ),
    ),
    _Store(
        "web_sql",
        "databases of sites (WebSQL)",
        "Sites that kept a database in the browser (until 2023).",
        ("**/databases/Databases.db",),
        (_Table("Databases", ("origin",), "database stored by the site (WebSQL)", title="name"),),
    ),
    _Store(
        "reporting",
        "sites that asked for reports",
        "Sites that asked the browser to report errors to them, and when it last spoke to them.",
        ("**/Reporting and NEL",),
        (
            _Table("nel_policies", ("origin_scheme", "origin_host", "origin_port"), "asked for reports of errors", ("last_access_us_since_epoch",)),
            _Table("reporting_endpoint_groups", ("origin_scheme", "origin_host", "origin_port"), "asked for reports", ("last_access_us_since_epoch",)),
        ),
    ),
    _Store(
        "shared_storage",
        "sites with shared storage",
        "Sites, mostly of advertisers, that keep data across other sites.",
        ("**/SharedStorage",),
        (_Table("per_origin_mapping", ("context_origin",), "shared storage of the site (time it was made)", ("creation_time", "last_used_time")),),
    ),
    _Store(
        "interest_groups",
        "interests noted for advertising",
        "Sites that put this browser into a group for advertising, and when.",
        ("**/InterestGroups",),
        (_Table("interest_groups", ("joining_origin",), "site that noted an interest for advertising", ("exact_join_time", "last_updated"), title="name"),),
    ),
    _Store(
        "attribution",
        "advertisements seen or clicked",
        "Sites on which an advertisement was seen or clicked, and when.",
        ("**/Conversions", "**/AttributionReporting"),
        (_Table("sources", ("source_origin",), "advertisement on the site", ("source_time",)),),
    ),
    _Store(
        "trust_tokens",
        "sites that vouch for visitors",
        "Sites that gave or used tokens which vouch for a visitor. The tokens are not read.",
        ("**/Trust Tokens",),
        (
            _Table("trust_tokens_issuer_config", ("key",), "site that vouches for visitors"),
            _Table("trust_tokens_toplevel_config", ("key",), "site that asked to be vouched for"),
        ),
    ),
    _Store(
        "heavy_ads",
        "sites with heavy advertisements",
        "Sites on which the browser stopped an advertisement, or a lighter page was shown, and when.",
        ("**/heavy_ad_intervention_opt_out.db", "**/previews_opt_out.db"),
        (_Table("previews_v1", ("host_name",), "a part of the page was held back", ("time", "time_msec")),),
    ),
)  # fmt: skip


def _parse(store: _Store, file: EvidenceFile) -> Results:
    """``SiteTrace`` for each row."""
    yield from read_database(file, CHROMIUM, {table.name: table.url for table in store.tables}, partial(_read, store))


def _read(store: _Store, database: Database, owned: Owner) -> Results:
    for table in store.tables:
        times = tuple(column for column in table.times if database.has(table.name, column))
        several = sum(other.name == table.name for other in store.tables) > 1
        if not database.has(table.name, *table.url) or (several and not times):
            continue
        wanted = tuple(column for column in (*times, table.count, table.title, table.value) if column)
        for row in database.rows(table.name, table.url, wanted):
            if isinstance(row, Problem):
                yield row
                continue
            set_times = [column for column in times if row.values[column]]
            if several and not set_times:
                continue  # the row is there for another of its times
            yield SiteTrace(
                url=_address(row, table.url),
                what=table.what,
                title=row.text(table.title) or None if table.title else None,
                time=time_of(row, set_times[0], table.convert) if set_times else NOT_RECORDED,
                count=row.integer(table.count) if table.count else None,
                value=row.text(table.value) if table.value else None,
                locator=row.locator,
                **owned.labels,
            )


def _address(row: Row, columns: tuple[str, ...]) -> str:
    if len(columns) == 1:
        address = (row.text(columns[0]) or "").partition("^")[0]
        return address if columns[0] == "url" else address.rstrip("/")
    protocol, host, port = (row.text(column) or "" for column in columns)
    return f"{protocol}://{host}" + ("" if (protocol, port) in (("https", "443"), ("http", "80")) else f":{port}")


PARSERS: dict[str, Parser] = {store.name: partial(_parse, store) for store in _STORES}
"""The parser of each store, by the last part of its artefact's id."""

ARTEFACTS = tuple(
    Artefact(
        id=f"browsers.chromium.{store.name}",
        title=f"Chromium browsers: {store.title}",
        meaning=store.meaning,
        paths=store.paths,
        parse=PARSERS[store.name],
        references=("https://chromium.googlesource.com/chromium/src/+/main/",),
    )
    for store in _STORES
)
