"""What a person meets at the command line: lists with mistakes, odd sources, full disks, ends in the middle."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.triage.scan.conftest import KNOWN, Result, command

Scan = Callable[..., Result]


def test_bad_lines_of_a_hash_list_are_named_by_their_number(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "known.jpg").write_bytes(KNOWN)
    (tmp_path / "list.txt").write_text(f"not a hash\n{hashlib.md5(KNOWN, usedforsecurity=False).hexdigest().upper()}\n")
    result = scan(tmp_path / "evidence", "--hashset", f"alert={tmp_path / 'list.txt'}")
    assert f"{tmp_path / 'list.txt'}: line 1: does not start with a hash" in result.err
    assert "ListProblem" not in result.err
    assert [finding["rule"] for finding in result.findings()] == ["hash.known_file"]


def test_nobody_reads_the_result(tmp_path: Path) -> None:
    """``triage scan … | head``: the case is sealed, and the exit code is the scan's."""
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "letter.txt").write_text("hello")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("scan", tmp_path / "evidence", "--case", tmp_path / "case"), stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert "could not be printed" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert (tmp_path / "case" / "seal.json").is_file()


def test_why_no_rule_is_usable_is_said_even_when_quiet(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "letter.txt").write_text("hello")
    (tmp_path / "rules.yar").write_text("rule broken {\n condition: nothing }\n")
    (tmp_path / "words.csv").write_text("term,category,severity,form\nhello,demonstration,9,word\n")
    for option, name, line in (("--yara", "rules.yar", 2), ("--keywords", "words.csv", 2)):
        result = scan(tmp_path / "evidence", option, tmp_path / name, "--quiet", case=tmp_path / name.replace(".", "-"))
        assert result.code == 2
        assert f"{tmp_path / name}:{line}: " in result.err
        assert "usable" in result.err.splitlines()[-1]
