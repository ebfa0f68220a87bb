"""The condition language of the rules."""

from __future__ import annotations

from typing import Any

import pytest

from rules.findings.conditions import RuleError, parse_condition

OBSERVATION: dict[str, Any] = {
    "type": "KeywordHit", "term": "Alpha", "severity": 3, "flag": True, "tags": ["One", "two"], "time": "2026-01-01T10:00:00.5Z",
    "empty": None, "meta": {"level": 4}, "provenance": {"recovered": False},
}  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"field": "term", "equals": "Alpha"}, True),
        ({"field": "term", "equals": "alpha"}, False),
        ({"field": "severity", "equals": 3}, True),
        ({"field": "severity", "equals": "3"}, False),
        ({"field": "flag", "equals": True}, True),
        ({"field": "flag", "equals": 1}, False),
        ({"field": "severity", "equals": True}, False),
        ({"field": "term", "in": ["Beta", "Alpha"]}, True),
        ({"field": "flag", "in": [1]}, False),
        ({"field": "term", "contains": "LPH"}, True),
        ({"field": "tags", "contains": "ONE"}, True),
        ({"field": "tags", "contains": "on"}, False),
        ({"field": "severity", "contains": "3"}, False),
        ({"field": "term", "matches": "^al.ha$"}, True),
        ({"field": "severity", "matches": "3"}, False),
        ({"field": "severity", "gte": 3, "lte": 3}, True),
        ({"field": "severity", "gte": 4}, False),
        ({"field": "flag", "gte": 0}, False),
        ({"field": "term", "gte": 1}, False),
        ({"field": "time", "gte": "2026-01-01T10:00:00Z"}, True),
        ({"field": "time", "lte": "2026-01-01T10:00:00Z"}, False),
        ({"field": "empty", "exists": False}, True),
        ({"field": "nowhere", "exists": True}, False),
        ({"field": "empty", "equals": "x"}, False),
        ({"field": "meta.level", "gte": 4}, True),
        ({"field": "term.deeper", "exists": False}, True),
        ({"field": "provenance.recovered", "equals": False}, True),
        ({"not": {"field": "severity", "gte": 4}}, True),
        ({"any": [{"field": "severity", "gte": 4}, {"field": "term", "equals": "Alpha"}]}, True),
        ({"all": [{"field": "severity", "gte": 4}, {"field": "term", "equals": "Alpha"}]}, False),
        ([{"field": "severity", "gte": 2}, {"field": "term", "equals": "Alpha"}], True),
    ],
)
def test_conditions(condition: Any, holds: bool) -> None:
    assert parse_condition(condition).holds(OBSERVATION) is holds


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ("term", ()),
        ({}, ()),
        ({"field": "term"}, ()),
        ({"field": "term", "is": 1}, ("is",)),
        ({"field": "term", "in": []}, ("in",)),
        ({"field": "term", "exists": "yes"}, ("exists",)),
        ({"field": "term", "gte": True}, ("gte",)),
        ({"field": "term", "equals": None}, ("equals",)),
        ({"field": "term", "matches": "("}, ("matches",)),
        ({"field": "term", "matches": "(a+)+$"}, ("matches",)),
        ({"all": []}, ("all",)),
        ({"any": [{"field": "a", "equals": 1}, {"not": 3}]}, ("any", 1, "not")),
        ({"all": [], "any": []}, ()),
    ],
)
def test_faults_are_placed(condition: Any, place: tuple[str | int, ...]) -> None:
    with pytest.raises(RuleError) as caught:
        parse_condition(condition)
    assert caught.value.place == place
