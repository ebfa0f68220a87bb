"""Which sites stored data in a Chromium profile as local storage. Names of sites, dates and numbers; never what was stored.

Sources: Chromium's components/services/storage/dom_storage (local_storage_impl.cc: keys ``META:`` and ``METAACCESS:`` with the origin,
``_origin NUL key``; local_storage_database.proto).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from artefacts.browsers.profiles import CHROMIUM, owner
from artefacts.browsers.reading import Results, later
from artefacts.coverage import Problem, Status
from artefacts.leveldb import records
from artefacts.leveldb.reading import LARGEST
from artefacts.observations import SiteTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_webkit

_MOST_SITES = 100_000
_NAMESPACE = re.compile(rb"namespace-[0-9a-f_-]{36}-(\S+)$", re.DOTALL)


@dataclass(slots=True)
class _Site:
    changed: Time = NOT_RECORDED
    kept: int = 0
    removed: int = 0


def parse_local_storage(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each site with records in one file of the store; records that were removed since are told apart.

    ``count`` is how many records of the site stand in this file, older values of the same record included.
    """
    owned = owner(file, CHROMIUM)
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        yield Problem(f"larger than {LARGEST} bytes: the rest was not read", Status.FAILED, f"offset={LARGEST}")
        data = data[:LARGEST]
    sites: dict[str, _Site] = {}
    for item in records(data) if data else ():
        if isinstance(item, Problem):
            yield item
            continue
        meta = item.key.startswith((b"META:", b"METAACCESS:"))
        if not meta and not item.key.startswith(b"_"):
            continue
        raw = item.key.partition(b":")[2] if meta else item.key[1:].partition(b"\0")[0]
        origin = raw.partition(b"^")[0].decode("utf-8", "backslashreplace")
        site = sites.get(origin)
        if site is None:
            if not origin or len(sites) >= _MOST_SITES:
                continue
            site = sites[origin] = _Site()
        if meta and item.value is not None:
            site.changed = later(site.changed, _instant(item.value))
        elif item.value is None:
            site.removed += 1
        elif not meta:
            site.kept += 1
    for origin, site in sites.items():
        for count, what, time in (
            (site.kept, "data stored by the site (time of the last change)", site.changed),
            (site.removed, "data stored by the site was removed", NOT_RECORDED),
        ):
            if count:
                yield SiteTrace(url=origin, what=what, time=time, count=count, locator=f"key={origin}", **owned.labels)


def parse_session_storage(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each site that kept data for a tab, in one file of the store; the tabs that were closed since are told apart."""
    owned = owner(file, CHROMIUM)
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        yield Problem(f"larger than {LARGEST} bytes: the rest was not read", Status.FAILED, f"offset={LARGEST}")
        data = data[:LARGEST]
    sites: dict[tuple[str, bool], int] = {}
    for item in records(data) if data else ():
        if isinstance(item, Problem):
            yield item
        elif (found := _NAMESPACE.match(item.key)) and len(sites) < _MOST_SITES:
            key = found[1].partition(b"^")[0].rstrip(b"/").decode("utf-8", "backslashreplace"), item.value is None
            sites[key] = sites.get(key, 0) + 1
    for (origin, removed), count in sites.items():
        what = "data kept by the site for a tab was removed" if removed else "data kept by the site for a tab"
        yield SiteTrace(url=origin, what=what, count=count, locator=f"key={origin}", **owned.labels)


def _instant(message: bytes) -> Time:
    """Field 1 of a protocol buffer, a whole number: microseconds since 1601."""
    value = shift = 0
    if message[:1] == b"\x08":
        for byte in message[1:11]:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return from_webkit(value)
    return NOT_RECORDED


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.local_storage",
        title="Chromium browsers: local storage",
        meaning="Sites that stored data in the browser, when they last did, and that data was removed. What was stored is not read.",
        paths=("**/Local Storage/leveldb/*.log", "**/Local Storage/leveldb/*.ldb", "**/Local Storage/leveldb/*.sst"),
        parse=parse_local_storage,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/services/storage/dom_storage/",),
    ),
    Artefact(
        id="browsers.chromium.session_storage",
        title="Chromium browsers: storage of tabs",
        meaning="Sites that kept data for a tab, open or since closed. It may outlive a deleted history. What was stored is not read.",
        paths=("**/Session Storage/*.log", "**/Session Storage/*.ldb", "**/Session Storage/*.sst"),
        parse=parse_session_storage,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/services/storage/dom_storage/",),
        validation="profiles made by Chromium in the tests",
    ),
)
