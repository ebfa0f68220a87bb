"""What was entered, as a visit file: whatever the characters; and what of it is refused."""

from __future__ import annotations

import dataclasses

import pytest

from tests.triage.visit.test_visitfile import SOUND
from triage.visit import words
from triage.visit.draft import Draft
from triage.visit.visitfile import BASES, DETAILS, VisitError, parse_visit

NAMES = (
    "O'Neil", "No", "null", "true", "0123", "- a", "#x", "{a: b}", "&a *b", "!!python/object", '"', "a: b\nc: d", "\x1b[2J", "\u202eevil", "Zoë 😀",
    "\ud800", "\x00", "%s {0}", "[x]", "<b>", "x" * 2000,
)  # fmt: skip


def _draft(**values: object) -> Draft:
    details = {"reference": "1", "made_by": "Court"}
    return dataclasses.replace(Draft(name="A", reference="R", basis="order", details=details), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_any_name(name: str) -> None:
    visit = _draft(name=name, reference=name, keywords="x").visit()
    assert visit.officer.name == name.strip() and visit.reference == name.strip()


@pytest.mark.parametrize("basis", BASES)
def test_what_a_basis_needs_reaches_the_visit_and_its_absence_is_refused(basis: str) -> None:
    details = {key: f"text of {key}" for key in words.BASIS_FIELDS[basis]} | {"made_by": "of another basis", "section": "x"}
    draft = _draft(basis=basis, details=details)
    authority = draft.visit().to_json()["authority"]
    assert authority == {"basis": basis, **{key: details[key] for key in ("reference", *DETAILS[basis])}}
    assert draft.problems("authority") == []
    for key in words.BASIS_FIELDS[basis]:
        assert len(_draft(basis=basis, details={**details, key: " "}).problems("authority")) == 1


def test_a_file_comes_back_as_it_was() -> None:
    visit = parse_visit(SOUND.encode())
    draft = Draft.of(visit)
    assert draft.visit().to_json() == visit.to_json()
    draft.checks, draft.devices = ["no_p2p", "keep_history"], "phone, Demo\n\n"
    data = draft.visit().to_json()
    assert data["conditions"][-1] == {"id": "2", "text": "Do not use file sharing programs.", "checks": ["no_p2p"]}
    assert len(data["conditions"]) == 3 and len(data["declared_devices"]) == 3
    draft.end = "2026-01-20"
    assert draft.visit().to_json()["scope"]["to"] == "2026-01-20T23:59:59.999999Z"


def test_required_programs_of_a_file_are_kept() -> None:
    text = SOUND + "required_software:\n  - {name: Demo monitor, exe: [demo.exe], stale_after_days: 3}\n"
    visit = parse_visit(text.encode())
    assert Draft.of(visit).visit().to_json() == visit.to_json()


def test_details_of_another_basis_are_refused_by_the_file() -> None:
    with pytest.raises(VisitError, match="belongs to the basis warrant; here the basis is consent"):
        parse_visit(b"reference: R\nofficer: {name: A}\nauthority: {basis: consent, reference: X, issued_by: Y}\n")


def test_problems_are_told_in_the_words_of_the_page() -> None:
    assert _draft(start="2026-02-01", end="2026-01-01").problems("scope") == ["First day (2026-02-01) is after Last day (2026-01-01)."]
    assert _draft(start="soon").problems("scope")[0].startswith("First day (soon) is not a date such as 2026-01-31")
    assert _draft(devices="a\n , \n").problems("order") == ["Line 2 of the devices says nothing."]
    assert _draft().problems("what") == [words.ERRORS["nothing"]]
    assert _draft(paths=" ; a ;; b").listed_paths() == ["a", "b"]
