"""Sealing: what the seal says, what it refuses, how a case is opened again."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from triage import journal
from triage.journal import Journal
from triage.keys import case_signer
from triage.report.seal import MANIFEST, SEAL, SEAL_KEYS, SealError, encode_seal, reopen, seal


def begun(case: Path) -> Journal:
    case.mkdir()
    log = Journal(case / "journal.jsonl")
    log.append("case_opened", {})
    (case / "report.html").write_bytes(b"<html>")
    return log


def test_what_a_seal_holds(tmp_path: Path) -> None:
    case, signer = tmp_path / "case", case_signer()
    log = begun(case)
    value = seal(case, log, signer)
    log.close()
    assert tuple(value) == SEAL_KEYS
    assert (case / SEAL).read_bytes() == encode_seal(value)
    manifest = (case / MANIFEST).read_bytes()
    assert [row["name"] for row in json.loads(manifest)["files"]] == ["journal.jsonl", "report.html"]
    assert json.loads(manifest)["files"][1] == {"name": "report.html", "size": 6, "sha256": hashlib.sha256(b"<html>").hexdigest()}
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(value["public_key"]))
    key.verify(base64.b64decode(value["signature"]), manifest)
    digest = hashlib.sha256(manifest).hexdigest().upper()
    assert value["fingerprint"].replace(" ", "") == digest[:24]
    assert [len(part) for part in value["fingerprint"].split()] == [4] * 6
    records = list(journal.read(case / "journal.jsonl"))
    assert records[-1].kind == "sealed"
    assert records[-1].data == {"reports": {"report.html": hashlib.sha256(b"<html>").hexdigest()}}
    assert (value["journal_lines"], value["journal_head"]) == (log.lines, log.head)
    assert value["signer"] == {"known": False, "name": signer.name}
    assert value["certificates"] == []


def test_sealed_is_the_last_record_whatever_the_rhythm_of_checkpoints(tmp_path: Path) -> None:
    signer = case_signer()
    for every in (2, 3, 4, 5):
        case = tmp_path / str(every)
        case.mkdir()
        log = Journal(case / "journal.jsonl", checkpoint=signer.checkpoint, checkpoint_every=every)
        for _ in range(6):
            log.append("error", {})
        seal(case, log, signer)
        log.close()
        assert list(journal.read(case / "journal.jsonl"))[-1].kind == "sealed"


def test_a_sealed_case_is_not_sealed_again(tmp_path: Path) -> None:
    case, signer = tmp_path / "case", case_signer()
    log = begun(case)
    seal(case, log, signer)
    with pytest.raises(SealError, match="sealed"):
        seal(case, log, signer)
    log.close()


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_links_are_refused(tmp_path: Path) -> None:
    case = tmp_path / "case"
    log = begun(case)
    (case / "link").symlink_to("/etc/hostname")
    with pytest.raises(SealError, match="link is not an ordinary file"):
        seal(case, log, case_signer())
    log.close()
    assert not (case / SEAL).exists()


def test_opening_a_case_that_has_no_seal_does_nothing(tmp_path: Path) -> None:
    log = begun(tmp_path / "case")
    reopen(tmp_path / "case", log)
    assert log.lines == 1
    log.close()


def test_opening_again_records_what_was_there(tmp_path: Path) -> None:
    case, signer = tmp_path / "case", case_signer()
    log = begun(case)
    value = seal(case, log, signer)
    log.close()
    seal_digest = hashlib.sha256((case / SEAL).read_bytes()).hexdigest()
    log = Journal(case / "journal.jsonl")
    reopen(case, log)
    log.close()
    assert not (case / SEAL).exists()
    assert not (case / MANIFEST).exists()
    last = list(journal.read(case / "journal.jsonl"))[-1]
    assert last.kind == "unsealed"
    assert last.data == {
        "state": "intact_unknown", "journal_intact": True, "problems": [], "fingerprint": value["fingerprint"],
        "files": {MANIFEST: value["manifest_sha256"], SEAL: seal_digest},
    }  # fmt: skip


def test_names_that_are_no_text_can_be_sealed(tmp_path: Path) -> None:
    from triage.report.verify import verify

    case, signer = tmp_path / "case", case_signer()
    log = begun(case)
    try:
        (case / "na\udcffme\n\u202e").write_bytes(b"x")
    except (OSError, UnicodeError):
        pytest.skip("this file system wants names in Unicode")
    seal(case, log, signer)
    log.close()
    assert verify(case).state == "intact_unknown"
