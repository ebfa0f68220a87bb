"""What Safari keeps beside its history: tabs, tabs of other devices and most visited sites.

Sources: the observed formats, as described in the forensic literature: ``LastSession.plist`` and ``RecentlyClosedTabs.plist`` (dates are UTC),
``TopSites.plist`` and ``CloudTabs.db`` (Cocoa seconds).
"""

from __future__ import annotations

from typing import Any

from artefacts.browsers.profiles import SAFARI, Owner, owner
from artefacts.browsers.reading import Results, read_database
from artefacts.browsers.safari import date, tree_of
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AttachedDevice, PageVisit, SiteTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.times import NOT_RECORDED, from_cocoa

_MOST_TABS = 20_000


def parse_tabs(file: EvidenceFile) -> Results:
    """``PageVisit`` for each tab that was open or recently closed; the time is that of its last look or of its closing."""
    owned = owner(file, SAFARI)
    closed = "closed" in file.name.lower()
    stack: list[tuple[Any, str]] = [(tree_of(file), "")]
    seen: set[int] = set()
    told = 0
    while stack:
        node, place = stack.pop()
        if not isinstance(node, (dict, list)) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            stack.extend((item, f"{place}[{index}]") for index, item in reversed(list(enumerate(node))))
            continue
        url = node.get("TabURL")
        if isinstance(url, str) and url:
            if told >= _MOST_TABS:
                yield Problem(f"more than {_MOST_TABS} tabs: the rest was left", Status.SKIPPED, place)
                return
            told += 1
            title, when = node.get("TabTitle"), node.get("DateClosed", node.get("LastVisitTime"))
            yield PageVisit(
                url=url,
                title=title if isinstance(title, str) else None,
                time=from_cocoa(when) if isinstance(when, (int, float)) and not isinstance(when, bool) else date(when),
                source="tab that was closed" if closed else "tab that was open",
                locator=place,
                **owned.labels,
            )
        stack.extend((value, f"{place}/{key}") for key, value in reversed(list(node.items())))


def parse_top_sites(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each of the sites shown when a tab is opened."""
    owned, tree = owner(file, SAFARI), tree_of(file)
    sites = tree.get("TopSites") if isinstance(tree, dict) else None
    if not isinstance(sites, list):
        raise Unrecognised("a property list, but not Safari's most visited sites")
    for index, site in enumerate(sites):
        url = site.get("TopSiteURLString") if isinstance(site, dict) else None
        title = site.get("TopSiteTitle") if isinstance(site, dict) else None
        if isinstance(url, str):
            yield SiteTrace(
                url=url,
                what="most visited sites",
                title=title if isinstance(title, str) else None,
                locator=f"TopSites[{index}]",
                **owned.labels,
            )


def parse_cloud_tabs(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each device that shares the account, ``PageVisit`` for each tab that was open on it."""
    yield from read_database(file, SAFARI, {"cloud_tab_devices": ("device_name",), "cloud_tabs": ("url",)}, _read_cloud_tabs)


def _read_cloud_tabs(database: Database, owned: Owner) -> Results:
    names: dict[str, str] = {}
    for row in database.rows("cloud_tab_devices", ("device_name",), ("device_uuid", "device_type_identifier", "last_modified")):
        if isinstance(row, Problem):
            yield row
            continue
        name, changed = row.text("device_name"), row.values["last_modified"]
        names[row.text("device_uuid") or ""] = name or "another device"
        yield AttachedDevice(
            kind="device",
            name=name,
            model=row.text("device_type_identifier"),
            last=from_cocoa(changed) if isinstance(changed, (int, float)) else NOT_RECORDED,
            identifier=row.text("device_uuid"),
            user=owned.user,
            how="shares a browser account (never seen to be attached)",
            locator=row.locator,
        )
    for row in database.rows("cloud_tabs", ("url",), ("title", "device_uuid")):
        if isinstance(row, Problem):
            yield row
            continue
        device = names.get(row.text("device_uuid") or "", "another device")
        yield PageVisit(
            url=row.text("url") or "",
            title=row.text("title"),
            source=f"tab open on another device ({device})",
            locator=row.locator,
            **owned.labels,
        )


def _artefact(name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any) -> Artefact:
    return Artefact(
        id=f"browsers.safari.{name}",
        title=f"Safari: {title}",
        meaning=meaning,
        paths=paths,
        parse=parse,
        references=("https://github.com/libyal/dtformats/tree/main/documentation",),
        systems=("macos",),
        validation="generated",
    )


ARTEFACTS = (
    _artefact(
        "tabs", "open and recently closed tabs", "Pages in the tabs of the last session. They may outlive a deleted history.",
        ("**/Safari/**/LastSession.plist", "**/Safari/**/RecentlyClosedTabs.plist"), parse_tabs,
    ),
    _artefact("top_sites", "most visited sites", "Sites shown when a tab is opened.", ("**/Safari/**/TopSites.plist",), parse_top_sites),
    _artefact(
        "cloud_tabs", "tabs of other devices", "Other devices that share the account, and the pages that were open on them.",
        ("**/Safari/**/CloudTabs.db", "**/SafariTechnologyPreview/**/CloudTabs.db"), parse_cloud_tabs,
    ),
)  # fmt: skip
