"""Only regular expressions of bounded cost are accepted."""

from __future__ import annotations

import pytest

from rules.findings.regexbound import MAX_TEXT, compile_bounded


@pytest.mark.parametrize("pattern", [r"^wip(er|ing)", r"a.*b", r"\bfoo[0-9]{1,4}\.exe$", r"(?:x|y|z)?end", r"[a-z]+"])
def test_accepted(pattern: str) -> None:
    assert compile_bounded(pattern).pattern == pattern


@pytest.mark.parametrize(
    "pattern", [r"(a+)+$", r"(a|a)*b", r"(.*)(.*)x", r"(a|aa)+$", r"(\w+\s?)*$", r"(a)\1", r"a?" * 30 + "a" * 30, r"(a{1,50}){1,50}"]
)
def test_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        compile_bounded(pattern)


def test_worst_accepted_is_cheap() -> None:
    # Would not come back within a day if the bound did not hold.
    assert compile_bounded(r"[a-z]*[0-9]?x").search("a" * MAX_TEXT) is None


def test_wrong_expression() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        compile_bounded("[")
