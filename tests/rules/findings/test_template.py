"""Templates: evidence is put in once, as data."""

from __future__ import annotations

import pytest

from rules.findings.template import MAX_VALUE, places, render


def test_values_are_never_templates() -> None:
    observation = {"term": "{path} {0.__class__} {{7*7}} %s", "path": "secret"}
    assert render("Word {term}.", observation) == "Word {path} {0.__class__} {{7*7}} %s."


def test_kinds_of_values() -> None:
    observation = {"a": None, "b": True, "c": [1, "x"], "d": {"k": "v"}, "e": 0, "long": "x" * 5000}
    assert render("{a}|{a|none}|{a|}|{b}|{c}|{d}|{e}|{d.k}", observation) == "not recorded|none||yes|1, x|k: v|0|v"
    assert len(render("{long}", observation)) == MAX_VALUE


def test_places() -> None:
    assert list(places("{a} and {b.c|no}")) == ["a", "b.c"]


@pytest.mark.parametrize("template", ["{", "}", "{a", "{a b}", "{{a}}", "{a|{b}}", "{}", "{0}"])
def test_wrong_braces(template: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        list(places(template))
