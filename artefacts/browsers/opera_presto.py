"""Opera before version 15 (Presto): ``global_history.dat`` and ``typed_history.xml``.

``global_history.dat`` is text: title, address, time of the last visit (Unix seconds) and popularity (-1: visited once), a line each.
``typed_history.xml`` lists what was typed in the address bar, newest first.
Source: the files themselves, as of Opera 9 to 12; checked against the specimens.
"""

from __future__ import annotations

import re
from datetime import datetime

from artefacts.browsers.profiles import Labels
from artefacts.browsers.reading import Results
from artefacts.browsers.search_engines import search_in
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import PageVisit, SearchQuery, SiteTrace
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_unix

_LARGEST = 64 << 20  # bytes
_HOW = {
    "text": "typed in the address bar",
    "selected": "typed in the address bar and chosen",
    "search": "typed in the address bar as a search",
}


def parse_history(file: EvidenceFile) -> Results:
    """``PageVisit`` (the last visit of each page) and ``SearchQuery``."""
    lines = file.read(_LARGEST).decode("utf-8", "backslashreplace").split("\n")
    labels = _labels(file)
    found = False
    number = 0
    while number + 3 < len(lines):
        title, url, time, popularity = (line.rstrip("\r") for line in lines[number : number + 4])
        if not re.fullmatch(r"\d{1,12}", time) or not re.fullmatch(r"-?\d{1,12}", popularity):
            # Out of step: a line is damaged or missing. Go on to where four lines make an entry again.
            if found:
                yield Problem("not an entry", Status.FAILED, f"line={number + 1}")
            elif number > 100:
                break
            number += 1
            continue
        found = True
        when = from_unix(int(time))
        yield PageVisit(
            url=url,
            title=title,
            time=when,
            source="list of addresses only: time of the last visit",
            locator=f"line={number + 1}",
            **labels,
        )
        if search := search_in(url):
            yield SearchQuery(
                terms=search.terms, engine=search.engine, time=when, last=when, where="url", url=url, locator=f"line={number + 1}", **labels
            )
        number += 4
    if not found and any(line.strip() for line in lines):
        raise Unrecognised("not a history of Opera before version 15")


def parse_typed(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each thing typed in the address bar."""
    text = file.read(_LARGEST).decode("utf-8", "backslashreplace")
    if "<typed_history" not in text:
        raise Unrecognised("not a list of Opera's typed addresses")
    # Attributes only, no entities but the five of XML: an expression reads what is whole and passes over what is not.
    for found in re.finditer(r"<typed_history_item\s([^<>]{1,70000})/?>", text):
        values = dict(re.findall(r'(\w+)="([^"]*)"', found[1]))
        yield SiteTrace(
            url=_plain(values.get("content", "")),
            what=_HOW.get(values.get("type", ""), "typed in the address bar"),
            time=_instant(values.get("last_typed")),
            locator=f"offset={len(text[: found.start()].encode())}",
            **_labels(file),
        )
    if text.count("<typed_history_item") != len(re.findall(r"<typed_history_item\s[^<>]{1,70000}/?>", text)):
        yield Problem("some items are damaged and were not read", Status.FAILED)
    elif not re.search(r"</typed_history>\s*$|<typed_history\s*/>", text):
        yield Problem("cut short or damaged at its end", Status.FAILED, f"offset={len(text.encode())}")


def _plain(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def _instant(text: str | None) -> Time:
    if not text:
        return NOT_RECORDED
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return NoTime("not a time with a zone")


def _labels(file: EvidenceFile) -> Labels:
    return {"browser": "Opera (before 15)", "profile": None, "user": file.user}


ARTEFACTS = (
    Artefact(
        id="browsers.opera_presto.history",
        title="Opera before 15: history",
        meaning="Pages that were opened, with the time of the last visit.",
        paths=("**/global_history.dat",),
        parse=parse_history,
        references=("https://www.forensicswiki.org/wiki/Opera",),
        validation="specimen of Opera 12",
    ),
    Artefact(
        id="browsers.opera_presto.typed",
        title="Opera before 15: typed addresses",
        meaning="What was typed in the address bar.",
        paths=("**/typed_history.xml",),
        parse=parse_typed,
        references=("https://www.forensicswiki.org/wiki/Opera",),
        validation="specimen of Opera 12",
    ),
)
