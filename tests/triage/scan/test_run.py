"""Scans from beginning to end, through the real command."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.triage.scan.conftest import KNOWN, Result, command

Scan = Callable[..., Result]


def _comparable(findings: list[dict[str, Any]]) -> str:
    return json.dumps(findings, sort_keys=False)


def test_a_folder_is_scanned_reported_and_verified(scan: Scan, evidence: Path, lists: list[str]) -> None:
    before = _state(evidence)
    result = scan(evidence, *lists)
    assert result.code == 0, result.err
    assert _state(evidence) == before
    report = result.report
    assert report["assessment"]["outcome"] == "found"
    assert sorted(f["path"] for f in result.findings() if f["rule"] == "hash.known_file") == [
        "/Documents/renamed.dat",
        "/Pictures/known.jpg",
    ]
    words = [f for f in result.findings() if f["rule"].startswith("keyword.")]
    assert [f["path"] for f in words] == ["/Documents/letter.txt"]
    known = next(f for f in result.findings() if f["path"] == "/Pictures/known.jpg")
    assert known["hashes"]["sha256"] == hashlib.sha256(KNOWN).hexdigest()
    assert subprocess.run(command("verify", result.case), capture_output=True, check=False).returncode == 0
    assert "Fingerprint:" in result.out
    assert "\x1b" not in result.out + result.err


def _state(root: Path) -> dict[str, tuple[int, int, str]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_same_findings_in_the_same_order_with_one_worker_and_with_four(
    scan: Scan, evidence: Path, lists: list[str], tmp_path: Path
) -> None:
    one = scan(evidence, *lists, "--workers", "1", case=tmp_path / "one")
    four = scan(evidence, *lists, "--workers", "4", case=tmp_path / "four")
    assert _comparable(one.findings()) == _comparable(four.findings())
    assert one.report["assessment"] == four.report["assessment"]
    assert one.report["coverage"] == four.report["coverage"]


def test_wrong_usage_is_one_line_and_exit_code_2(scan: Scan, evidence: Path, tmp_path: Path) -> None:
    missing = scan(tmp_path / "nothing here")
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    (tmp_path / "list.txt").write_text("d41d8cd98f00b204e9800998ecf8427e\n")
    no_role = scan(evidence, "--hashset", tmp_path / "list.txt")
    assert (no_role.code, no_role.err.count("\n")) == (2, 1)
    assert "role" in no_role.err
    (tmp_path / "file").write_text("")
    unwritable = scan(evidence, case=tmp_path / "file" / "case")
    assert (unwritable.code, unwritable.err.count("\n")) == (2, 1)
    inside = scan(evidence, case=evidence / "case")
    assert inside.code == 2 and not (evidence / "case").exists()
    live = scan(evidence, "--live")
    assert live.code == 2 and "visit" in live.err
    assert scan(evidence, "--time-budget", "soon").code == 2
    assert scan(evidence, "--profile", "turbo").code == 2


def test_a_case_goes_on_only_as_it_was_begun(scan: Scan, evidence: Path, lists: list[str], tmp_path: Path) -> None:
    assert scan(evidence, *lists).code == 0
    other = scan(evidence)
    assert other.code == 2 and "begun with other" in other.err
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("x")
    assert scan(evidence, case=tmp_path / "used").code == 2
    assert scan(evidence, *lists).code == 0
    assert subprocess.run(command("verify", tmp_path / "case"), capture_output=True, check=False).returncode == 0


def _many(root: Path, files: int) -> Path:
    (root / "Documents").mkdir(parents=True)
    (root / "Pictures").mkdir()
    for number in range(files):
        (root / "Documents" / f"{number:05d}.dat").write_bytes(hashlib.sha256(str(number).encode()).digest() * 300)
    for number in range(0, files, 50):
        (root / "Documents" / f"{number:05d} copy.dat").write_bytes(KNOWN + str(number % 7).encode())
        (root / "Documents" / f"{number:05d}.txt").write_text(f"number {number}: the copper kettle protocol\n")
    return root


@pytest.mark.slow
def test_killed_at_ten_moments_and_resumed_it_ends_like_an_unbroken_run(scan: Scan, tmp_path: Path, lists: list[str]) -> None:
    evidence = _many(tmp_path / "evidence", 3000)
    (tmp_path / "known.md5").write_text("".join(hashlib.md5(KNOWN + str(n).encode()).hexdigest() + "\n" for n in range(7)))
    started = time.monotonic()
    whole = scan(evidence, *lists, "--quiet", case=tmp_path / "whole")
    length = time.monotonic() - started
    assert whole.code == 0 and len(whole.findings()) > 50
    dice = random.Random(4)
    case = tmp_path / "broken"
    kills = 0
    for moment in sorted(dice.uniform(0.15, 0.95) for _ in range(10)):
        process = subprocess.Popen(
            command("scan", evidence, *lists, "--quiet", "--case", case), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            process.wait(moment * length)
        except subprocess.TimeoutExpired:
            children = psutil.Process(process.pid).children(recursive=True)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            psutil.wait_procs(children, timeout=10)
            kills += 1
            if not (case / "journal.jsonl").exists():
                continue
    assert kills >= 5
    resumed = scan(evidence, *lists, "--quiet", case=case)
    assert resumed.code == 0, resumed.err
    assert _comparable(resumed.findings()) == _comparable(whole.findings())
    assert resumed.report["assessment"]["outcome"] == whole.report["assessment"]["outcome"]
    files = lambda r: sorted(row[0] for line in r.journal if line["kind"] == "listing" for row in line["data"]["rows"])  # noqa: E731
    assert files(resumed) == files(whole)
    assert subprocess.run(command("verify", case), capture_output=True, check=False).returncode == 0


def _workers(parent: int) -> list[psutil.Process]:
    """The worker processes of a scan: on Linux the children of the process that they are forked from."""
    children = psutil.Process(parent).children()
    server = next((child for child in children if "multiprocessing.forkserver" in " ".join(child.cmdline())), None)
    return server.children() if server else [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.slow
def test_workers_killed_at_random_cost_nothing(tmp_path: Path, lists: list[str], scan: Scan) -> None:
    evidence = _many(tmp_path / "evidence", 6000)
    whole = scan(evidence, *lists, "--quiet", case=tmp_path / "whole")
    case = tmp_path / "stormy"
    process = subprocess.Popen(
        command("scan", evidence, *lists, "--quiet", "--case", case), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    killed = 0
    while process.poll() is None and killed < 6:
        time.sleep(0.4)
        for child in _workers(process.pid):
            child.kill()
            killed += 1
            break
    process.communicate(timeout=300)
    result = Result(process.returncode, "", "", case)
    assert killed >= 2
    assert _comparable(result.findings()) == _comparable(whole.findings())


def test_out_of_time_is_said_and_the_rest_is_read_later(
    scan: Scan, tmp_path: Path, lists: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = tmp_path / "evidence"
    (evidence / "Documents").mkdir(parents=True)
    for number in range(6):
        with open(evidence / "Documents" / f"{number}.bin", "wb") as file:
            file.truncate(400 << 20)
    (evidence / "Documents" / "known.dat").write_bytes(KNOWN)
    first = scan(evidence, *lists, "--time-budget", "3s", "--profile", "full")
    assert first.code == 3, first.err
    left = [row for row in first.report["coverage"] if row["status"] == "out_of_time"]
    # On a machine with much else to do, the time may be over before anything is listed.
    assert sum(row["bytes"] or 0 for row in left) > 0 or "file system" in {row["what"] for row in left}
    assert first.report["assessment"]["outcome"] in ("found", "not_checked")
    later = scan(evidence, *lists, "--profile", "full")
    assert later.code == 0, later.err
    assert not [row for row in later.report["coverage"] if row["status"] == "out_of_time"]
    assert [f["path"] for f in later.findings() if f["rule"] == "hash.known_file"] == ["/Documents/known.dat"]


def test_damaged_lists_are_named_and_their_good_lines_used(scan: Scan, evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "list.md5").write_text(f"not a hash\n{hashlib.md5(KNOWN).hexdigest()}\nzz\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "bad.yar").write_text("rule a { condition: filesize > 10GB }\nrule broken { condition: nonsense }\n")
    (tmp_path / "rules" / "good.yar").write_text('rule kettle { strings: $a = "copper kettle" condition: $a }')
    result = scan(evidence, "--hashset", f"alert={tmp_path / 'list.md5'}", "--yara", tmp_path / "rules")
    assert result.code == 0, result.err
    assert "1" in result.err and "3" in result.err
    assert "bad.yar" in result.err and "2" in result.err
    told = [line["data"]["reason"] for line in result.journal if line["kind"] == "error"]
    assert [text for text in told if "bad.yar" in text] and [text for text in told if "list.md5" in text]
    assert {f["path"] for f in result.findings()} == {"/Pictures/known.jpg", "/Documents/renamed.dat", "/Documents/letter.txt"}


def test_hostile_names_reach_no_terminal_and_no_report_raw(scan: Scan, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name in ("\x1b[2Jwipe.txt", "\u202egpj.exe", "<script>alert(1)</script>", "a\nb", "=cmd|' '!A0"):
        (evidence / name.replace("/", "∕")).write_bytes(KNOWN)
    (tmp_path / "known.md5").write_text(hashlib.md5(KNOWN).hexdigest() + "\n")
    result = scan(evidence, "--hashset", f"alert={tmp_path / 'known.md5'}")
    assert result.code == 0, result.err
    assert len([f for f in result.findings() if f["rule"] == "hash.known_file"]) == 5
    assert "\x1b" not in result.out + result.err and "\u202e" not in result.out + result.err
    html = (result.case / "report.html").read_text("utf-8")
    assert "<script" not in html.lower() and "\u202e" not in html and "\x1b" not in html


def test_what_is_no_evidence_is_said(scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(random.Random(1).randbytes(3 << 20))
    (tmp_path / "database").mkdir()
    profile = tmp_path / "database" / "Users" / "a" / "AppData" / "Local" / "Google" / "Chrome" / "User Data" / "Default"
    profile.mkdir(parents=True)
    (profile / "History").write_bytes(b"this is no database")
    result = scan(tmp_path / "noise.bin", tmp_path / "database")
    assert result.code == 3
    assert result.report["assessment"]["outcome"] == "not_checked"
    statuses = {(row["source"], row["status"]) for row in result.report["coverage"]}
    assert any(source == "s1" and status in ("unrecognised", "encrypted") for source, status in statuses)
    assert ("s2", "unrecognised") in statuses


def test_an_alert_in_a_picture_folder_comes_first_though_it_lies_last(scan: Scan, tmp_path: Path, lists: list[str]) -> None:
    evidence = tmp_path / "evidence"
    for folder in ("Users/a/Documents", "Users/a/zz/Pictures", "Windows/System32", "Program Files/x"):
        (evidence / folder).mkdir(parents=True)
    for number in range(6000):
        folder = ("Users/a/Documents", "Windows/System32", "Program Files/x")[number % 3]
        (evidence / folder / f"{number:04d}.dat").write_bytes(bytes(5000))
    (evidence / "Users/a/zz/Pictures/zzz.jpg").write_bytes(KNOWN)
    # One worker: with more, which of them is first to have loaded its lists is chance on a busy machine.
    result = scan(evidence, *lists, "--quiet", "--workers", "1")
    before = 0
    for line in result.journal:
        if line["kind"] == "finding":
            break
        before += line["data"]["files"] if line["kind"] == "listing" else 0
    assert [f["path"] for f in result.findings()] == ["/Users/a/zz/Pictures/zzz.jpg"]
    assert before < 600
