"""The devices in the report: a list, a drawing with words for those who cannot see it, and questions; hostile names stay text."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from artefacts.observations import Device
from artefacts.times import NOT_RECORDED, from_local
from report_templates import environment
from triage.report import device_page, wording
from triage.report.html import _finalize
from triage.report.page import number
from triage.report.records import nanoseconds

HOSTILE = "<script>x</script></svg>\u202egpj\x1b[2J\"' onload=x {{7*7}}"


def device(title: str, first: Any = NOT_RECORDED, last: Any = NOT_RECORDED, **fields: Any) -> dict[str, Any]:
    made = {"kind": "phone", "title": title, "first": first, "last": last, "why": "because", "innocent": "A visitor.", **fields}
    return {"id": title, **Device(**made).to_json()}


def render(devices: list[dict[str, Any]]) -> str:
    env = environment(_finalize, None)
    env.filters["number"] = number
    template = env.from_string('{% import "macros.html.j2" as m %}{% include "devices.html.j2" %}')
    return template.render(devices=device_page.page(devices), words=wording)


@pytest.fixture
def when() -> Any:
    from artefacts.times import Timestamp

    return lambda text: Timestamp(nanoseconds(text) or 0)


def test_the_list_the_drawing_and_the_questions(when: Any) -> None:
    devices = [
        device("New phone", when("2026-11-01T00:00:00Z"), when("2026-11-03T10:00:00Z"), declared="not declared", question="Where is it?", users=("jo",), count=3,
               identifiers=("serial:ABC",), proofs=({"how": "Enum\\USB", "record": "1", "path": "/x", "matched": "serial ABC", "records": 1},)),
        device("Old phone", from_local("2019-04-03T17:22:40", "test"), from_local("2019-05-03T17:22:40", "test"), declared="declared"),
        device("Mouse", declared="not declared"), device("Hub", kind="accessory"), device("Hub", kind="accessory"),
    ]  # fmt: skip
    page = device_page.page(devices)
    assert [row["title"] for row in page["rows"]] == ["New phone", "Old phone", "Mouse"] and page["summary"] == [
        ("Declared", 1),
        ("Not declared", 2),
    ]
    new, old, mouse = page["rows"]
    assert (new["first"], new["last"], new["numbers"]) == ("1 November 2026", "3 November 2026", "serial ABC") and new["proofs"] == [
        "Enum\\USB (by serial ABC)"
    ]
    assert old["first"] == "3 April 2019 (by the clock of that computer, zone not recorded)" and mouse["first"] == "not recorded"
    drawing = page["drawing"]
    assert [bar["text"] for bar in drawing["bars"]] == ["1. New phone", "2. Old phone"]
    assert drawing["bars"][1]["x2"] < drawing["bars"][0]["x1"] < drawing["bars"][0]["x2"] <= drawing["width"]
    assert "2 devices between 2019 and 2026" in drawing["words"] and [tick["year"] for tick in drawing["ticks"]] == list(range(2019, 2027))
    text = render(devices)
    assert "Where is it?" in text and "Hub (2)" in text and '<svg class="timeline"' in text and 'role="img"' in text


def test_hostile_names_are_text(when: Any) -> None:
    devices = [
        device(HOSTILE, when("2020-01-01T00:00:00Z"), when("2021-01-01T00:00:00Z"), question=HOSTILE, note=HOSTILE, users=(HOSTILE,), opened=(HOSTILE,), opened_count=1,
               identifiers=(HOSTILE,), why=HOSTILE, innocent=HOSTILE, declared="not declared"),
        device("B", when("2020-01-01T00:00:00Z"), when("2021-01-01T00:00:00Z")), device(HOSTILE, kind="accessory"),
    ]  # fmt: skip
    text = render(devices)
    assert "<script" not in text and "\u202e" not in text and "\x1b" not in text and "{{7*7}}" in text
    start, end = text.index("<svg"), text.index("</svg>") + 6
    drawing = ElementTree.fromstring(text[start:end])
    assert {item.tag for item in drawing.iter()} <= {"svg", "title", "line", "text"} and all(
        "onload" not in item.attrib for item in drawing.iter()
    )


@pytest.mark.parametrize("last", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_impossible_dates_are_not_drawn(when: Any, last: str) -> None:
    assert device_page.page([device("A", when(last), when(last)), device("B", when("2020-01-01T00:00:00Z"))])["drawing"] is None


def test_many_devices_are_said(when: Any) -> None:
    page = device_page.page([device(str(n), when("2020-01-01T00:00:00Z"), when("2026-01-01T00:00:00Z")) for n in range(150)])
    assert len(page["rows"]) == 100 and page["hidden"] == 50 and len(page["drawing"]["bars"]) == 40
    assert "50 devices are not shown here" in render([device(str(n)) for n in range(150)])


def test_no_device_is_not_the_same_as_no_device_there() -> None:
    assert "A device that was never connected leaves none." in render([])
