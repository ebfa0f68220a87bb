"""Addresses in a history of which no single visit is left: the visits went by age, or somebody removed them."""

from __future__ import annotations

from collections.abc import Callable, Container

from artefacts.browsers.profiles import Owner
from artefacts.browsers.reading import Results, time_of
from artefacts.coverage import Problem
from artefacts.observations import PageVisit
from artefacts.sqlite import Database
from artefacts.times import Time

NO_VISIT_RECORD = "list of addresses only: no record of the single visits is left"


def unvisited(
    database: Database, owned: Owner, table: str, last_visit: str, convert: Callable[[int], Time], visited: Container[int]
) -> Results:
    """``PageVisit`` for each address of ``table`` that was visited and is not among the row numbers ``visited``; the time is the last visit's."""
    for row in database.rows(table, ("id", "url"), ("title", "visit_count", last_visit)):
        if isinstance(row, Problem):
            yield row
            continue
        number, url = row.integer("id"), row.text("url")
        if number is None or number in visited or not url or not (row.integer(last_visit) or row.integer("visit_count")):
            continue
        yield PageVisit(
            url=url,
            title=row.text("title"),
            time=time_of(row, last_visit, convert),
            visit_count=row.integer("visit_count"),
            source=NO_VISIT_RECORD,
            locator=f"table={table} rowid={number}",
            **owned.labels,
        )
