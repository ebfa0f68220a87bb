"""One record for each term of an item, and what stands beside it."""

from __future__ import annotations

import pytest

from rules.keywords import Hit, capture, captures


def hit(term: str, severity: int = 2, where: str = "text", start: int = 0, repeats: int = 0) -> Hit:
    return Hit(term, "drugs", severity, "list", "word", None, where, start, start + 3, term, f"around {term} at {start}", repeats)


def test_a_capture_counts_and_takes_the_strongest_context() -> None:
    hits = [hit("a", start=9), hit("a", start=5), hit("a", start=7, repeats=40)]
    one = capture(hits, [*hits, hit("b"), hit("c", 5), hit("d", 2, "search_terms"), hit("b", start=3)])
    assert (one.term, one.count, one.context, one.other_terms) == ("a", 43, "around a at 5", ("c", "d", "b"))


def test_the_graver_and_the_typed_go_first() -> None:
    assert capture([hit("a", 2, "text"), hit("a", 2, "search_terms", 50)]).where == "search_terms"
    assert capture([hit("a", 2, "search_terms"), hit("a", 3, "text", 50)]).severity == 3


def test_at_most_ten_other_terms() -> None:
    item = [hit(f"t{number:02}", 1 + number % 5) for number in range(30)]
    others = capture([item[0]], item).other_terms
    assert len(others) == 10
    assert others[:6] == ("t04", "t09", "t14", "t19", "t24", "t29")


def test_captures_group_by_term_and_place() -> None:
    hits = [hit("a"), hit("b", 5), hit("a", start=9), hit("a", where="name"), hit("c", 1)]
    found = captures(hits)
    assert [(one.term, one.where, one.count) for one in found] == [("b", "text", 1), ("a", "name", 1), ("a", "text", 2), ("c", "text", 1)]
    assert [one.other_terms for one in found] == [("a", "c"), ("b", "c"), ("b", "c"), ("b", "a")]
    assert captures([]) == []


def test_ten_thousand_hits_are_not_ten_thousand_rows() -> None:
    assert [one.count for one in captures(hit("a", start=number) for number in range(10_000))] == [10_000]


def test_no_hits_is_no_capture() -> None:
    with pytest.raises(ValueError, match="no hits"):
        capture([])
