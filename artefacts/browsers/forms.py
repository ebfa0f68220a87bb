"""What was typed into forms: the names of all fields, the words of search-like ones only.

Anything else a person typed (names, addresses, card numbers) is none of a triage's business, so it is not read.
Sources: Chromium's components/autofill/core/browser/webdata/autocomplete/autocomplete_table.cc (Unix seconds; until Chrome 34 in the
table autofill_dates); Mozilla's toolkit/components/satchel (microseconds).
"""

from __future__ import annotations

import re

from artefacts.browsers.profiles import CHROMIUM, FIREFOX, Owner
from artefacts.browsers.reading import Results, earlier, later, read_database, time_of
from artefacts.coverage import Problem
from artefacts.observations import FormEntry, SearchQuery
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.times import NOT_RECORDED, Time, from_prtime, from_unix

# Common names of search boxes. One-letter names other than q are left out: they are as often something private.
_SEARCH_LIKE = re.compile(r"q|wd|kw|_nkw|k(?:ey)?words?|field-keywords|find|.*(?<!re)(?:search|query|suche|recherche).*", re.IGNORECASE)


def parse_chromium(file: EvidenceFile) -> Results:
    """``FormEntry`` and ``SearchQuery`` of one Chromium profile."""
    yield from read_database(file, CHROMIUM, {"autofill": ("name", "value")}, _read_chromium)


def parse_firefox(file: EvidenceFile) -> Results:
    """``FormEntry`` and ``SearchQuery`` of one Firefox profile."""
    yield from read_database(file, FIREFOX, {"moz_formhistory": ("fieldname", "value")}, _read_firefox)


def search_like(field: str) -> bool:
    """Whether a form field of this name holds words to search for."""
    return len(field) <= 100 and _SEARCH_LIKE.fullmatch(field) is not None


def _read_chromium(database: Database, owned: Owner) -> Results:
    dates: dict[int, tuple[Time, Time]] = {}
    for row in database.rows("autofill_dates", ("pair_id", "date_created")):
        if isinstance(row, Problem):
            yield row
            continue
        pair, time = row.integer("pair_id") or 0, time_of(row, "date_created", from_unix)
        first, last = dates.get(pair, (time, time))
        dates[pair] = (earlier(first, time), later(last, time))
    for row in database.rows("autofill", ("name", "value"), ("pair_id", "date_created", "date_last_used", "count")):
        if isinstance(row, Problem):
            yield row
            continue
        first, last = dates.get(row.integer("pair_id") or 0, (NOT_RECORDED, NOT_RECORDED))
        first = earlier(first, time_of(row, "date_created", from_unix))
        last = later(last, time_of(row, "date_last_used", from_unix))
        yield from _entry(owned, row.text("name"), row.text("value"), first, last, row.integer("count"), row.locator)


def _read_firefox(database: Database, owned: Owner) -> Results:
    for row in database.rows("moz_formhistory", ("fieldname", "value"), ("timesUsed", "firstUsed", "lastUsed")):
        if isinstance(row, Problem):
            yield row
            continue
        first, last = time_of(row, "firstUsed", from_prtime), time_of(row, "lastUsed", from_prtime)
        yield from _entry(owned, row.text("fieldname"), row.text("value"), first, last, row.integer("timesUsed"), row.locator)


def _entry(owned: Owner, field: str | None, value: str | None, first: Time, last: Time, count: int | None, locator: str) -> Results:
    searched = bool(value) and search_like(field or "")
    yield FormEntry(
        field=field or "", value=value if searched else None, first=first, last=last, count=count, locator=locator, **owned.labels
    )
    if searched and value:
        yield SearchQuery(terms=value, time=first, last=last, count=count or 1, where="form", locator=locator, **owned.labels)


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.forms",
        title="Chromium browsers: form fields",
        meaning="Words typed into search boxes of web pages, and the names of other form fields that were filled in.",
        paths=("**/Web Data",),
        parse=parse_chromium,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/autofill/core/browser/webdata/",),
        validation="whole profiles of Chrome 42 and 64",
    ),
    Artefact(
        id="browsers.firefox.forms",
        title="Firefox: form history",
        meaning="Words typed into the search bar and search boxes of web pages, and the names of other form fields that were filled in.",
        paths=("**/formhistory.sqlite",),
        parse=parse_firefox,
        references=("https://searchfox.org/mozilla-central/source/toolkit/components/satchel",),
    ),
)
