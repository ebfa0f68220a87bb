"""A scan that names nothing uses what the stick holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.triage.stick.conftest import LISTED, PASSPHRASE, Keeper
from triage.keys import load_signer
from triage.report import sealing
from triage.scan.compiled import folder_for
from triage.stick import create
from triage.stick import keeper as given


@pytest.fixture(autouse=True)
def quick_scrypt() -> None:
    """Not here: an encrypted list does not state its parameters, and the scan runs in a process of its own."""


@pytest.fixture
def stick(keeper: Keeper, tmp_path: Path) -> Path:
    contents = given.examine([keeper.folder], [keeper.bundle], None)
    assert create.create(tmp_path / "stick", contents, load_signer(keeper.key, lambda: "keeper's words")).problems == []
    return tmp_path / "stick"


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "listed.bin").write_bytes(LISTED)
    (folder / "words.txt").write_text("the lantern by the door, beside the copper kettle\n")
    return folder


def scan(stick: Path, evidence: Path, case: Path, passphrase: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "TRIAGE_STICK_PASSPHRASE"}
    if passphrase is not None:
        environment["TRIAGE_STICK_PASSPHRASE"] = passphrase
    command = [sys.executable, "-m", "triage.cli", "scan", str(evidence), "--case", str(case), "--stick", str(stick), "--workers", "1"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, check=False)


def opened(case: Path, keeper: Keeper, out: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The report and the first record of a case that was encrypted for the unit."""
    assert [path.name for path in case.iterdir()] == ["case.sealed"]
    sealed = sealing.unseal(case, identities=[keeper.unit])
    try:
        sealing.extract(sealed, out)
    finally:
        sealed.close()
    first = json.loads((out / "journal.jsonl").read_text().splitlines()[0])
    return json.loads((out / "report.json").read_text()), first["data"]


def test_with_the_passphrase_all_of_the_stick_is_used_and_the_case_encrypted(
    stick: Path, evidence: Path, keeper: Keeper, tmp_path: Path
) -> None:
    before = sorted(path for path in stick.rglob("*") if path.is_file())
    done = scan(stick, evidence, stick / "cases" / "c1", PASSPHRASE)
    assert done.returncode in (0, 3), done.stderr
    report, first = opened(stick / "cases" / "c1", keeper, tmp_path / "out")
    found = {item["path"].rpartition("/")[2] for item in report["findings"]}  # type: ignore[attr-defined]
    assert {"listed.bin", "words.txt"} <= found
    assert {item["rule"].partition(".")[0] for item in report["findings"]} >= {"hash", "keyword", "yara"}  # type: ignore[attr-defined]
    assert first["stick"]["name"] == "Stick 12" and len(first["stick"]["fingerprint"]) == 29  # type: ignore[index]
    assert (
        sorted(path for path in stick.rglob("*") if path.is_file() and "cases" not in path.parts) == before
    )  # nothing compiled is left on it


def test_without_the_passphrase_the_rest_is_used_and_that_is_said(stick: Path, evidence: Path, keeper: Keeper, tmp_path: Path) -> None:
    done = scan(stick, evidence, tmp_path / "case", None)
    assert done.returncode in (0, 3), done.stderr
    assert "unit.set on the stick was not used: its passphrase was not given" in done.stderr
    opened(tmp_path / "case", keeper, tmp_path / "out")
    journal = (tmp_path / "out" / "journal.jsonl").read_text()
    assert "own.sealed on the stick was not used: its passphrase was not given" in journal


def test_a_wrong_passphrase_ends_the_scan_before_it_begins(stick: Path, evidence: Path, tmp_path: Path) -> None:
    done = scan(stick, evidence, tmp_path / "case", "something else entirely")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "triage: the passphrase does not open the hash sets and lists of this stick\n"


def test_a_changed_stick_is_not_scanned_with(stick: Path, evidence: Path, tmp_path: Path) -> None:
    (stick / "yara" / "own.yar").write_text("rule harmless { condition: false }\n")
    done = scan(stick, evidence, tmp_path / "case", PASSPHRASE)
    assert done.returncode == 1 and "must not be used: yara/own.yar was changed since the keeper signed the stick" in done.stderr
    assert not (tmp_path / "case").exists()


def test_what_is_compiled_is_never_kept_on_a_stick(stick: Path, keeper: Keeper) -> None:
    assert folder_for([str(stick / "yara" / "own.yar")], []) is None
    assert folder_for([str(keeper.folder / "yara" / "own.yar")], []) == str(keeper.folder / "yara" / "triage-compiled")
