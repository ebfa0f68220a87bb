"""The visit file: read as text, checked as a whole, every fault named with its place."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from rules.findings.model import CHECKS
from triage.visit.visitfile import BASES, MAX_BYTES, VisitError, load_visit, parse_visit, requires_authority

SOUND = """\
reference: 0123/26
officer: {name: No, number: 007, force: Demo Police}
subject: {reference: 12:30}
authority: {basis: order, reference: "SHPO 1"}
scope:
  from: 2026-01-01
  to: 2026-02-01T09:00:00+01:00
  exclude_users: [child, 0x10]
declared_devices:
  - {kind: phone, make: Demo, model: On, serial: 00042, mac: [00-1A-2B-3C-4D-5E, 001a2b3c4d5f], hostname: null}
  - kind: tablet
    mac: "AA:BB:CC:DD:EE:FF"
conditions:
  - {id: 1, text: "Keep the history.", checks: [keep_history, keep_history, no_private_browsing]}
  - {id: 2(b), text: Be good.}
keywords: [on, alpha beta]
"""


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(VisitError) as caught:
        parse_visit(text if isinstance(text, bytes) else text.encode())
    assert str(caught.value) == "\n".join(caught.value.problems)
    return list(caught.value.problems)


def test_a_sound_file() -> None:
    assert parse_visit(SOUND.encode()).to_json() == {
        "reference": "0123/26",
        "officer": {"name": "No", "number": "007", "force": "Demo Police"},
        "subject": {"reference": "12:30"},
        "authority": {"basis": "order", "reference": "SHPO 1"},
        "scope": {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T08:00:00Z", "exclude_users": ["child", "0x10"]},
        "declared_devices": [
            {
                "kind": "phone", "make": "Demo", "model": "On", "serial": "00042", "mac": ["00:1a:2b:3c:4d:5e", "00:1a:2b:3c:4d:5f"],
                "hostname": None, "note": None,
            },
            {"kind": "tablet", "make": None, "model": None, "serial": None, "mac": ["aa:bb:cc:dd:ee:ff"], "hostname": None, "note": None},
        ],
        "conditions": [
            {"id": "1", "text": "Keep the history.", "checks": ["keep_history", "no_private_browsing"]},
            {"id": "2(b)", "text": "Be good.", "checks": []},
        ],
        "keywords": ["on", "alpha beta"],
        "required_software": [],
    }  # fmt: skip


def test_the_least() -> None:
    visit = parse_visit(b"reference: a\nofficer: {name: b}\nauthority: {basis: CONSENT, reference: c}\n")
    assert visit.authority.basis == "consent"
    assert visit.to_json()["scope"] == {"from": None, "to": None, "exclude_users": []}


def test_a_date_alone_is_the_whole_day() -> None:
    visit = parse_visit(SOUND.replace("2026-02-01T09:00:00+01:00", "2026-01-01").encode())
    assert (visit.scope.start, visit.scope.end) == ("2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999999Z")


@pytest.mark.parametrize("name", ["Zoë O’Neil-Łuk", "张伟", "محمد", "🙂", "a: b # c", "'quoted'", "null and void", "x" * 2000, "a\u202eb"])
def test_any_characters_in_names(name: str) -> None:
    text = f"reference: a\nofficer: {{name: {json.dumps(name)}}}\nauthority: {{basis: order, reference: c}}\n"
    visit = parse_visit(text.encode())
    assert visit.officer.name == name
    json.dumps(visit.to_json())


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("reference: 0123/26\n", "", "visit.yaml, line 1: reference is missing"),
        ("reference: 0123/26", "reference: ' '", "visit.yaml, line 1: reference is missing"),
        ("reference: 0123/26", "reference: [a]", "visit.yaml, line 1: reference is not text of at most 2000 characters"),
        ('authority: {basis: order, reference: "SHPO 1"}\n', "", "visit.yaml, line 1: authority is missing"),
        ("basis: order, ", "", "visit.yaml, line 4: authority.basis is missing"),
        (', reference: "SHPO 1"', "", "visit.yaml, line 4: authority.reference is missing"),
        ("basis: order", "basis: hunch", "visit.yaml, line 4: authority.basis is 'hunch'; it is one of order, consent, warrant, pace, licence"),
        ("{name: No, number: 007, force: Demo Police}", "Smith", "visit.yaml, line 2: officer is not a mapping with name, number, force"),
        ("{name: No, ", "{", "visit.yaml, line 2: officer.name is missing"),
        ("force:", "farce:", "visit.yaml, line 2: officer.farce is not a key of a visit file here; known are name, number, force"),
        ("keywords:", "keyword:", "visit.yaml, line 16: keyword is not a key of a visit file here; known are"),
        ("  from: 2026-01-01", "  from: 2026-03-01", "visit.yaml, line 6: scope.from (2026-03-01) is after scope.to (2026-02-01T09:00:00+01:00)"),
        ("  from: 2026-01-01", "  from: 2026-01-01T10:00", "visit.yaml, line 6: scope.from (2026-01-01T10:00) has no zone"),
        ("  from: 2026-01-01", "  from: 01/02/2026", "visit.yaml, line 6: scope.from (01/02/2026) is not a date"),
        ("  from: 2026-01-01", "  from: 2026-13-01", "visit.yaml, line 6: scope.from (2026-13-01) is not a date"),
        ("00-1A-2B-3C-4D-5E", "00-1A", "visit.yaml, line 10: declared_devices.1.mac (00-1A) is not a hardware address"),
        ("  - kind: tablet\n    mac: \"AA:BB:CC:DD:EE:FF\"", "  - {}", "visit.yaml, line 11: declared_devices.2 says nothing about the device"),
        ("id: 2(b)", "id: 1", "visit.yaml, line 15: conditions.2.id (1) is used by another condition"),
        ("id: 2(b), ", "", "visit.yaml, line 15: conditions.2.id is missing"),
        ("no_private_browsing", "no_browsing", "visit.yaml, line 14: conditions.1.checks.3 (no_browsing) is not a check; they are"),
        ("keywords: [on, alpha beta]", "keywords: alpha", "visit.yaml, line 16: keywords is not a list"),
        ("keywords: [on, alpha beta]", "keywords: [[a]]", "visit.yaml, line 16: keywords.1 is not text"),
        ("keywords: [on, alpha beta]", "reference: again", "visit.yaml, line 16: reference is given twice"),
        ("keywords: [on, alpha beta]", "keywords: !!python/none x", "visit.yaml, line 16: the file uses the tag"),
    ],
)  # fmt: skip
def test_faults_are_named(old: str, new: str, problem: str) -> None:
    assert old in SOUND
    (only,) = faults(SOUND.replace(old, new, 1))
    assert only.startswith(problem)


def test_all_faults_at_once() -> None:
    assert len(faults("reference:\nofficer: {}\nauthority: {basis: x}\nscope: {from: a, to: b}\nextra: 1\n")) == 7


@pytest.mark.parametrize("data", [b"", b"- a\n", b"text", b"\xff\xfe\xff", b"[" * 9000, b"a: &a [*a]\n", b"x" * (MAX_BYTES + 1)])
def test_files_that_are_no_visit(data: bytes) -> None:
    assert len(faults(data)) == 1


def test_damage_raises_nothing_else() -> None:
    rng = random.Random(2)
    refused = 0
    for _ in range(300):
        data = bytearray(SOUND.encode()[: rng.randrange(1, len(SOUND))])
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            json.dumps(parse_visit(bytes(data)).to_json())
        except VisitError:
            refused += 1
    assert refused > 200


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "visit.yaml"
    with pytest.raises(VisitError, match="cannot be read"):
        load_visit(path)
    path.write_text(SOUND)
    assert load_visit(path).reference == "0123/26"
    path.write_bytes(b"a" * (MAX_BYTES + 10))
    with pytest.raises(VisitError, match="larger"):
        load_visit(path)


def test_every_check_and_basis_of_the_design_is_accepted() -> None:
    for basis in BASES:
        checks = ", ".join(CHECKS)
        text = f"reference: a\nofficer: {{name: b}}\nauthority: {{basis: {basis}, reference: c}}\nconditions: [{{id: 1, text: t, checks: [{checks}]}}]\n"
        assert parse_visit(text.encode()).conditions[0].checks == CHECKS
    assert len(CHECKS) == 12


def test_what_needs_authority() -> None:
    assert requires_authority(["raw", "live"])
    assert requires_authority(["device"])
    assert not requires_authority(["ewf", "folder", "vhdx"])
    assert not requires_authority([])
