"""What the officer reads on the screens: plain English, plain ASCII, a help for every page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.triage.test_plain_english import EASIEST_TO_HARDEST, reading_ease
from triage.visit import words
from triage.visit.app import PAGES
from triage.visit.visitfile import BASES, DETAILS


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)


def _all() -> dict[str, list[str]]:
    return {name: list(_strings(value)) for name, value in vars(words).items() if name.isupper()}


@pytest.mark.parametrize("name", sorted(_all()))
def test_plain(name: str) -> None:
    for text in _all()[name]:
        assert text.isascii() and text.isprintable(), text
        sentences = [part for part in re.split(r"(?<=[.!?:])\s", re.sub(r"\{[^}]*\}", "Bob", text)) if part]
        assert all(len(sentence.split()) <= 25 for sentence in sentences), text
    whole = re.sub(r"\{[^}]*\}", "Bob", ". ".join(text.rstrip(".") for text in _all()[name]) + ".")
    if len(whole.split()) >= 20:
        assert reading_ease(whole) >= EASIEST_TO_HARDEST, f"{reading_ease(whole):.0f}: {whole}"


def test_every_page_has_its_words_and_its_help() -> None:
    pages = [*PAGES, "running", "end"]
    assert list(words.STEPS) == pages == list(words.HELP)
    assert set(words.LEAD) == set(PAGES)


def test_every_basis_asks_for_what_it_needs() -> None:
    assert set(words.BASES) == set(words.BASIS_MEANS) == set(words.BASIS_FIELDS) == set(BASES)
    for basis in BASES:
        assert set(words.BASIS_FIELDS[basis]) == {"reference", *DETAILS[basis]}


def test_never_a_verdict() -> None:
    for texts in _all().values():
        for text in texts:
            assert not re.search(r"\b(?:breach|guilty|prove|offen[cd]|crimin\w* record)", text, re.IGNORECASE), text
