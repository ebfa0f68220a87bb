"""Page one of the report as lines for a terminal: the same words as in report.html, from the same data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from triage.report import page as report_page
from triage.report import wording
from triage.text import visible
from triage.visit import words

LONGEST = 600


class Line(NamedTuple):
    """A line of page one. ``kind``: alarm, result, head, item, text or aloud."""

    kind: str
    text: str


def lines(report: dict[str, Any], seal: dict[str, Any], case: str) -> Iterator[Line]:
    """The page for a document of ``report.json`` and the data of ``seal.json``. ``case``: where the files are."""
    for kind, text in _lines(report, seal, case):
        yield Line(kind, visible(text, LONGEST))


def _lines(report: dict[str, Any], seal: dict[str, Any], case: str) -> Iterator[tuple[str, str]]:
    assessment = report["assessment"]
    page = report_page.page_one(assessment)
    if page["alarm"]:
        yield "alarm", page["alarm"]
    yield "result", wording.OUTCOMES[assessment["outcome"]]
    yield "text", assessment["headline"]
    yield "text", page["looked_at"]
    yield "head", words.END_ALOUD
    yield "aloud", seal["fingerprint"]
    yield from _items(words.END_WHY, page["reasons"], 3)
    yield from _items(words.END_AGAINST, assessment["counter_indications"], 3)
    yield from _items(words.END_ADVICE, page["advice"], 7)
    yield "text", wording.DECISION
    yield from _items(words.END_UNCHECKED, assessment["not_checked"] or [words.END_ALL], 5)
    yield "head", words.END_AMOUNT
    for number, what in report_page.figures(report):
        yield "item", f"{number} {what}"
    yield "head", words.END_WHO
    for label, text in report_page.who(report):
        yield "item", f"{label}: {text}"
    yield "text", wording.CLOCK
    yield "head", words.END_FILES
    yield "item", case
    yield "text", words.END_REPORT
    yield "text", words.END_NOTES


def _items(title: str, texts: list[str], most: int) -> Iterator[tuple[str, str]]:
    if not texts:
        return
    yield "head", title
    for text in texts[:most]:
        yield "item", text
    if len(texts) > most:
        yield "text", words.END_MORE.format(count=len(texts) - most)
