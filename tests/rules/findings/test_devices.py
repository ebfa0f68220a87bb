"""The shipped rules on devices: what was not declared is said, what was declared is not, mice never are."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.observations import Device
from rules.findings import load


def fired(**fields: Any) -> list[tuple[str, str, int]]:
    record: dict[str, Any] = {**Device(title="Acme Phone", **fields).to_json(), "provenance": {"path": ""}}
    rules = [rule for rule in load() if rule.on == "Device" and rule.when.holds(record)]
    return [(rule.id, rule.indication(rule.severity.of(record)), rule.severity.of(record)) for rule in rules]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "phone", "declared": "not declared", "concern": 4}, [("device.undeclared", "refer", 4)]),
        ({"kind": "phone", "declared": "not declared", "concern": 2}, [("device.undeclared", "note", 2)]),
        ({"kind": "phone", "declared": "cannot tell", "concern": 4}, [("device.unclear", "note", 1)]),
        ({"kind": "phone", "declared": "cannot tell", "concern": 4, "why": "There is no list of declared devices."}, []),
        ({"kind": "phone", "declared": "declared", "concern": 1}, []),
        ({"kind": "accessory", "declared": "not declared", "concern": 1}, []),
        ({"kind": "accessory", "declared": "cannot tell", "concern": 1}, []),
    ],
)
def test_what_is_said(fields: dict[str, Any], expected: list[Any]) -> None:
    assert fired(**fields) == expected
