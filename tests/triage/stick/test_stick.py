"""A stick is laid out from a keeper's folder, and a change of it is told."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

import hashsets
from portable import integrity, launcher
from tests.triage.stick.conftest import LISTED, PASSPHRASE, Keeper
from triage import keys
from triage.commands.stick import app
from triage.report.trust import read_trusted
from triage.stick import layout, listing
from triage.stick.check import at_start, check

RUNNER = CliRunner()


def create(keeper: Keeper, root: Path, *more: str) -> Result:
    arguments = ["create", str(root), "--from", str(keeper.folder), "--bundle", str(keeper.bundle), "--key", str(keeper.key), "--secret", str(keeper.secret), *more]  # fmt: skip
    return RUNNER.invoke(app, arguments, env={"TRIAGE_PASSPHRASE": "keeper's words"})


@pytest.fixture
def stick(keeper: Keeper, tmp_path: Path) -> Path:
    root = tmp_path / "stick"
    made = create(keeper, root)
    assert made.exit_code == 0, made.output
    return root


def test_a_stick_holds_what_the_keeper_gave_and_nothing_else(stick: Path, keeper: Keeper) -> None:
    on_it = sorted(path.relative_to(stick).as_posix() for path in stick.rglob("*") if path.is_file())
    assert on_it == [
        "bundles/windows/triage/_internal/python311.dll",
        "bundles/windows/triage/bundle.json",
        "bundles/windows/triage/triage.exe",
        "hashsets/unit.set",
        "keywords/own.sealed",
        "seal/recipients.txt",
        "stick.json",
        "stick.sig",
        "yara/own.yar",
    ]
    facts = json.loads((stick / "stick.json").read_text())
    assert (facts["name"], facts["expires"], facts["use_until"]) == ("Stick 12", "2099-06-30", {"hashsets/unit.set": "2098-01-31"})
    assert "bundles/windows/triage/bundle.json" in facts["files"] and "bundles/windows/triage/triage.exe" not in facts["files"]
    for quick in (True, False):
        verdict = check(stick, quick=quick, trusted=read_trusted([keeper.public]))
        assert (verdict.problems, verdict.warnings) == ([], [])
        assert verdict.identity is not None and (verdict.identity.known, verdict.identity.name) == (True, "keeper")


def test_a_lost_stick_tells_neither_hash_nor_word(stick: Path) -> None:
    everything = b"".join(path.read_bytes() for path in stick.rglob("*") if path.is_file())
    assert b"lantern" not in everything and PASSPHRASE.encode() not in everything
    import hashlib

    digest = hashlib.md5(LISTED)
    assert digest.digest() not in everything and digest.hexdigest().encode() not in everything


def _plain_set(keeper: Keeper) -> None:
    listing = keeper.folder.parent / "list.md5"
    hashsets.build(keeper.folder / "hashsets" / "open.set", [listing], role="alert", kinds=["exact"])


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (_plain_set, "hashsets/open.set is an alert hash set without a key"),
        (lambda k: shutil.copy(k.folder.parent / "list.md5", k.folder / "hashsets"), "hashsets/list.md5 is a plain list"),
        (lambda k: (k.folder / "keywords" / "w.csv").write_text("term,category,severity,form\na,b,1,word\n"), "keywords/w.csv is a keyword list in the clear"),
        (lambda k: (k.folder / "notes.txt").write_text("lantern\n"), "notes.txt has no place on a stick"),
        (lambda k: shutil.copy(k.secret, k.folder / "keys" / "s.pem"), "keys/s.pem holds the key of the stick's own sets"),
        (lambda k: (k.folder / "seal" / "unit.txt").write_text(str(k.unit) + "\n"), "seal/unit.txt holds the unit's secret key"),
        (lambda k: (k.folder / "keys" / "o.pem").write_text("-----BEGIN PRIVATE KEY-----\nAA\n"), "keys/o.pem holds a private key that is not encrypted"),
        (lambda k: shutil.copy(k.key, k.folder / "keys" / "own.pem"), "keeper.pem is the keeper's own key"),
        (lambda k: (k.folder / "visits" / "v.yaml").write_text("reference: X\n"), "visits/v.yaml cannot be used: "),
        (lambda k: (k.folder / "yara" / "bad.yar").write_text("rule {"), "yara/bad.yar cannot be used: "),
        (lambda k: (k.folder / "yara" / "OWN.yar").write_text("rule b { condition: false }"), "is there twice"),
        (lambda k: (k.folder / "yara" / "aux.yar").write_text("rule b { condition: false }"), "has a name that cannot be written onto every stick"),
        (lambda k: (k.folder / "yara" / "l.yar").symlink_to(k.secret), "yara/l.yar is a link"),
        (lambda k: (k.bundle / "triage.exe").write_bytes(b"MZ"), "is not what was built: triage.exe was changed"),
        (lambda k: (k.folder / "stick.toml").write_text("[use_until]\n'hashsets/gone.set' = 2030-01-01\n"), "hashsets/gone.set may be used"),
        (lambda k: (k.folder / "stick.toml").write_text("expires = 'soon'\n"), "nothing else"),
    ],
)  # fmt: skip
def test_what_must_not_be_on_a_stick_is_refused(keeper: Keeper, tmp_path: Path, add: Callable[[Keeper], object], said: str) -> None:
    add(keeper)
    made = create(keeper, tmp_path / "stick")
    assert made.exit_code == 1 and said in made.output, made.output
    assert not (tmp_path / "stick").exists()


def test_sets_and_lists_of_another_key_are_refused(keeper: Keeper, tmp_path: Path) -> None:
    keeper.secret.write_text("quite another passphrase\n")
    made = create(keeper, tmp_path / "stick")
    assert made.exit_code == 1
    assert "hashsets/unit.set cannot be used" in made.output and "keywords/own.sealed cannot be used" in made.output


def test_a_folder_with_something_else_in_it_is_left_alone(keeper: Keeper, tmp_path: Path) -> None:
    root = tmp_path / "stick"
    root.mkdir()
    (root / "holiday.jpg").write_bytes(b"x")
    made = create(keeper, root)
    assert made.exit_code == 1 and "is not empty and no stick: holiday.jpg" in made.output
    assert [path.name for path in root.iterdir()] == ["holiday.jpg"]


def test_a_stick_is_made_anew_around_its_cases(stick: Path, keeper: Keeper) -> None:
    (stick / "cases" / "v1").mkdir()
    (stick / "cases" / "v1" / "journal.jsonl").write_text("{}\n")
    (stick / "visits" / "mine.yaml").write_text("reference: T\n")
    (keeper.folder / "yara" / "own.yar").unlink()
    (keeper.folder / "yara").rmdir()
    assert create(keeper, stick).exit_code == 0
    assert not (stick / "yara").exists() and (stick / "cases" / "v1" / "journal.jsonl").read_text() == "{}\n"
    assert check(stick).problems == check(stick).warnings == []
    assert "visits/mine.yaml" not in json.loads((stick / "stick.json").read_text())["files"]  # the keeper does not vouch for it


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: _flip(r / "hashsets" / "unit.set", 40), "hashsets/unit.set was changed since the keeper signed the stick"),
        (lambda r: _flip(r / "bundles" / "windows" / "triage" / "bundle.json", 60), "bundles/windows/triage/bundle.json was changed"),
        (lambda r: (r / "yara" / "own.yar").unlink(), "yara/own.yar is missing"),
        (lambda r: (r / "yara" / "new.yar").write_text("rule b { condition: true }"), "yara/new.yar does not belong to the stick"),
        (lambda r: (r / "rules").symlink_to(r / "cases"), "rules is a link"),
        (lambda r: _flip(r / "stick.json", 200), "stick.json "),
        (lambda r: (r / "stick.json").unlink(), "stick.json cannot be read"),
        (lambda r: (r / "stick.sig").unlink(), "stick.sig cannot be read"),
        (lambda r: (r / "stick.sig").write_text("AAAA\n"), "stick.json was changed after the keeper signed it"),
        (lambda r: (r / "stick.unfinished").write_text(""), "the stick was not written to its end"),
    ],
)
def test_a_change_blocks_the_stick_at_every_start(stick: Path, change: Callable[[Path], object], said: str) -> None:
    assert at_start(stick / "bundles" / "windows" / "triage") == []
    change(stick)
    problems = at_start(stick / "bundles" / "windows" / "triage")
    assert len(problems) == 1 and problems[0].startswith(said), problems
    shown = RUNNER.invoke(app, ["check", str(stick)])
    assert shown.exit_code == 1 and said in shown.output and "Do not use this stick" in shown.output


def test_a_bundle_on_a_changed_stick_does_not_start(
    stick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(stick / "bundles" / "windows" / "triage" / "triage.exe"))
    started: list[bool] = []
    monkeypatch.setattr("triage.cli.main", lambda: started.append(True))
    launcher.main()
    assert started == [True]
    _flip(stick / "keywords" / "own.sealed", 100)
    with pytest.raises(SystemExit) as ended:
        launcher.main()
    assert ended.value.code == 1 and started == [True]
    assert capsys.readouterr().err == (
        "This stick is not as its keeper left it. Do not use it. Ask the stick's keeper for another one.\n"
        "  keywords/own.sealed was changed since the keeper signed the stick\n"
    )


def test_a_stick_without_any_list_is_told_by_where_its_bundle_lies(stick: Path) -> None:
    for name in ("stick.json", "stick.sig"):
        (stick / name).unlink()
    assert at_start(stick / "bundles" / "windows" / "triage") == [f"stick.json is missing from {stick}"]


def test_a_bundle_by_itself_is_no_stick(keeper: Keeper) -> None:
    assert at_start(keeper.bundle) == []


def test_a_changed_program_is_told_by_the_full_check(stick: Path) -> None:
    _flip(stick / "bundles" / "windows" / "triage" / "triage.exe", 500)
    assert check(stick).problems == ["bundles/windows/triage: triage.exe was changed"]
    assert integrity.quick_check(stick / "bundles" / "windows" / "triage") == [
        "triage.exe was changed"
    ]  # at every start, by the bundle itself


def test_of_a_large_file_the_ends_are_read_at_every_start(stick: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "WHOLE", 100)
    monkeypatch.setattr(listing, "END", 16)
    assert create(keeper, stick).exit_code == 0
    size = (stick / "hashsets" / "unit.set").stat().st_size
    _flip(stick / "hashsets" / "unit.set", size // 2)
    assert check(stick, quick=True).problems == []
    assert len(check(stick).problems) == 1
    _flip(stick / "hashsets" / "unit.set", size - 3)
    assert len(check(stick, quick=True).problems) == 1


def test_a_stick_signed_by_somebody_else_is_told_where_the_keeper_is_known(stick: Path, keeper: Keeper, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    keys.write_key(other, Ed25519PrivateKey.generate(), "keeper's words")
    before = RUNNER.invoke(app, ["check", str(stick), "--json"]).output
    keeper.key = other
    assert create(keeper, stick).exit_code == 0
    after = RUNNER.invoke(app, ["check", str(stick), "--json"])
    assert after.exit_code == 0 and json.loads(after.output)["keeper_known"] is None  # by itself it is whole …
    assert json.loads(after.output)["stick"]["fingerprint"] != json.loads(before)["stick"]["fingerprint"]  # … but the label does not match
    known = RUNNER.invoke(app, ["check", str(stick), "--keeper", str(keeper.public)])
    assert known.exit_code == 1 and "it was not signed by the keeper" in known.output


def test_what_officers_and_systems_leave_on_a_stick_does_not_block_it(stick: Path) -> None:
    (stick / "System Volume Information").mkdir()
    (stick / "System Volume Information" / "WPSettings.dat").write_bytes(b"x")
    (stick / "cases" / "c").write_bytes(b"x")
    (stick / "visits" / "v.yaml").write_text("reference: T\n")
    (stick / "visit.yaml").write_text("reference: T\n")
    (stick / "photo.jpg").write_bytes(b"x")
    verdict = check(stick, quick=True)
    assert verdict.problems == []
    assert verdict.warnings == ["photo.jpg was put onto the stick by somebody else than the keeper; it is not used"]


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2097, 1, 1), []),
        (date(2098, 1, 10), ["hashsets/unit.set expires on 2098-01-31"]),
        (date(2098, 2, 1), ["hashsets/unit.set expired on 2098-01-31, by this computer's clock"]),
        (date(2099, 7, 1), ["hashsets/unit.set expired on 2098-01-31, by this computer's clock", "the stick expired on 2099-06-30, by this computer's clock"]),
    ],
)  # fmt: skip
def test_an_end_is_told_and_does_not_block(stick: Path, today: date, said: list[str]) -> None:
    verdict = check(stick, quick=True, today=today)
    assert (verdict.problems, verdict.warnings) == ([], said)


def test_damage_anywhere_in_the_list_is_told_and_never_raises(stick: Path) -> None:
    import random

    chance, whole = random.Random(11), (stick / "stick.json").read_bytes()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (stick / "stick.json").write_bytes(data[: chance.randint(0, len(data))] if chance.random() < 0.3 else data)
        assert check(stick, quick=True).problems
    for text in (b"[]", b"null", b'{"schema": 1}', b"[" * 100_000):
        (stick / "stick.json").write_bytes(text)
        assert check(stick, quick=True).problems == ["stick.json is damaged"]


def test_a_full_stick_is_told_and_stays_unfinished(keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    made = create(keeper, tmp_path / "stick")
    assert made.exit_code == 1 and "is full; it is not finished and must not be used" in made.output
    monkeypatch.undo()
    assert check(tmp_path / "stick").problems == ["the stick was not written to its end"]
    assert layout.find(tmp_path / "stick" / "bundles") == tmp_path / "stick"


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
