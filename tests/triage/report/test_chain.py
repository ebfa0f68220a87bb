"""The journal's checker on its own: what the tampering tests of ``verify`` cannot reach."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from triage.journal import Journal
from triage.keys import case_signer, strict_base64, verifies
from triage.report.chain import check_journal


def test_one_text_for_one_value() -> None:
    raw = bytes(64)
    text = base64.b64encode(raw).decode()
    assert strict_base64(text, 64) == raw
    spare = text[:-3] + "B=="  # the same bytes, spare bits not zero
    assert base64.b64decode(spare) == raw
    for other in (spare, text[:-1], text + "\n", " " + text, text.replace("A", "é", 1), "", None, 7, text.encode()):
        assert strict_base64(other, 64) is None
    assert strict_base64(text, 63) is None


def test_signatures() -> None:
    signer = case_signer()
    signature = base64.b64encode(signer.sign(b"x")).decode()
    assert verifies(signer.public_key, signature, b"x")
    assert not verifies(signer.public_key, signature, b"y")
    assert not verifies(case_signer().public_key, signature, b"x")
    assert not verifies("", signature, b"x")
    assert not verifies(base64.b64encode(b"\xff" * 32).decode(), signature, b"x")


def test_what_is_reported(tmp_path: Path) -> None:
    signer, path = case_signer(), tmp_path / "journal.jsonl"
    log = Journal(path, checkpoint=signer.checkpoint)
    log.append("case_opened", {"public_key": signer.public_key})
    log.checkpoint_now()
    log.append("sealed", {"reports": {"a": "b"}})
    log.close()
    report = check_journal(path, watch=2)
    assert (report.lines, report.head, report.size) == (3, log.head, path.stat().st_size)
    assert (report.problems, report.notes, report.keys, report.signed_lines) == ([], [], [signer.public_key], 1)
    assert report.ends_sealed
    assert report.reports == {"a": "b"}
    assert report.watched_head not in (None, report.head)


def test_checkpoints_without_a_named_key(tmp_path: Path) -> None:
    signer, path = case_signer(), tmp_path / "journal.jsonl"
    log = Journal(path, checkpoint=signer.checkpoint)
    log.append("case_opened", {})
    log.checkpoint_now()
    log.close()
    assert check_journal(path, seal_key=signer.public_key).signed_lines == 1
    assert len(check_journal(path, seal_key=case_signer().public_key).problems) == 1
    unknown = check_journal(path)
    assert (unknown.problems, unknown.signed_lines, len(unknown.notes)) == ([], 0, 1)


def test_an_empty_and_an_absent_journal(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert check_journal(tmp_path / "empty").lines == 0
    with pytest.raises(OSError):
        check_journal(tmp_path / "absent")
