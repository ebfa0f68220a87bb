"""Damaged and hostile sources through the real command: what is sound is read, the rest is said, nothing crashes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.triage.scan.conftest import Result, command

Scan = Callable[..., Result]
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "sample.E01"
LISTS = ["--hashset", f"alert={SAMPLE.parent / 'known.md5'}", "--keywords", str(SAMPLE.parent / "words.csv")]


def _needs(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


@pytest.mark.parametrize("share", [0.05, 0.4, 0.8, 0.97])
def test_a_truncated_e01_gives_what_is_there_and_says_what_is_not(scan: Scan, tmp_path: Path, share: float) -> None:
    data = SAMPLE.read_bytes()
    (tmp_path / "cut.E01").write_bytes(data[: int(len(data) * share)])
    result = scan(tmp_path / "cut.E01", *LISTS)
    assert result.code == 3, result.err
    assert "Traceback" not in result.err
    assert [row for row in result.report["coverage"] if row["status"] in ("failed", "unreadable", "unrecognised")]
    assert result.report["assessment"]["outcome"] != "nothing_found"


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_in_an_e01(scan: Scan, tmp_path: Path, seed: int) -> None:
    import random

    dice = random.Random(seed)
    data = bytearray(SAMPLE.read_bytes())
    for _ in range(40):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    (tmp_path / "flipped.E01").write_bytes(data)
    result = scan(tmp_path / "flipped.E01", *LISTS)
    assert result.code in (0, 3), result.err
    assert "Traceback" not in result.err
    assert result.report["assessment"]["outcome"] != "nothing_found"


@pytest.mark.tools
def test_a_file_whose_size_lies(scan: Scan, tmp_path: Path) -> None:
    _needs("mke2fs", "debugfs")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "liar.bin").write_bytes(b"short")
    (tmp_path / "tree" / "honest.txt").write_text("the copper kettle protocol\n")
    image = tmp_path / "liar.img"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", tmp_path / "tree", image, "8M"], check=True, capture_output=True)
    subprocess.run(["debugfs", "-w", "-R", f"set_inode_field /liar.bin size {1 << 44}", image], check=True, capture_output=True)
    result = scan(image, *LISTS)
    assert result.code == 3, result.err
    liar = [row for row in result.report["coverage"] if row.get("path") == "/liar.bin"]
    assert liar and liar[0]["status"] in ("unreadable", "skipped_by_rule")
    assert [f["path"] for f in result.findings() if f["severity"] > 1] == ["/honest.txt"]


@pytest.mark.tools
def test_a_partition_table_that_makes_no_sense(scan: Scan, tmp_path: Path) -> None:
    image = tmp_path / "table.img"
    sector = bytearray(512)
    sector[510:] = b"\x55\xaa"
    for number in range(4):
        sector[446 + 16 * number : 462 + 16 * number] = bytes((0, 1, 1, 0, 7, 1, 1, 0)) + (0xFFFFFF00 + number).to_bytes(4, "little") * 2
    image.write_bytes(bytes(sector) + bytes(4 << 20))
    result = scan(image)
    assert result.code == 3, result.err
    assert result.report["assessment"]["outcome"] == "not_checked"


def test_links_that_go_round(scan: Scan, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    (evidence / "a" / "b").mkdir(parents=True)
    (evidence / "a" / "b" / "loop").symlink_to(evidence)
    (evidence / "outside").symlink_to("/etc")
    os.mkfifo(evidence / "pipe")
    (evidence / "a" / "letter.txt").write_text("the copper kettle protocol\n")
    result = scan(evidence, *LISTS, timeout=60)
    assert result.code in (0, 3), result.err
    assert [f["path"] for f in result.findings()] == ["/a/letter.txt"]
    listed = [row[0] for line in result.journal if line["kind"] == "listing" for row in line["data"]["rows"]]
    assert "/outside" in listed and not [path for path in listed if path.startswith("/outside/")]


def test_an_unreadable_folder_never_passes_for_an_empty_one(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    (evidence / "locked").mkdir(parents=True)
    (evidence / "locked" / "x.txt").write_text("x")
    (evidence / "open.txt").write_text("y")
    (evidence / "locked").chmod(0)
    drop: list[str] = []
    if os.geteuid() == 0:
        _needs("setpriv")  # root without the right to pass over permissions
        drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    done = subprocess.run([*drop, *command("scan", evidence, "--case", tmp_path / "case")], capture_output=True, text=True, check=False)
    (evidence / "locked").chmod(0o700)
    result = Result(done.returncode, done.stdout, done.stderr, tmp_path / "case")
    assert result.code == 3, result.err
    assert [row for row in result.report["coverage"] if row["status"] == "unreadable" and "locked" in str(row)]
    assert result.report["assessment"]["outcome"] != "nothing_found" or result.report["assessment"]["not_checked"]


def test_a_live_drive_needs_an_authority_and_is_journalled(scan: Scan, tmp_path: Path) -> None:
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second drive to write the case to")
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "x.txt").write_text("x")
    visit = tmp_path / "visit.yaml"
    visit.write_text(
        "reference: OP-1\nofficer: {name: A. Officer, number: '12', force: Sample}\nsubject: {reference: S-1}\n"
        "authority: {basis: order, reference: ORDER-1}\nconditions:\n  - {id: '1', text: Keep the history, checks: [keep_history]}\n"
    )
    case = shared_memory / f"triage-test-{os.getpid()}"
    try:
        assert scan(evidence, "--live", "--visit", visit, case=tmp_path / "same drive").code == 2
        result = scan(evidence, "--live", "--visit", visit, case=case)
        assert result.code in (0, 3), result.err  # 3 where the system does not name the file of every process
        assert result.report["sources"][0]["kind"] == "live"
        assert result.report["visit"]["authority"] == {"basis": "order", "reference": "ORDER-1"}
        assert [c["outcome"] for c in result.report["assessment"]["conditions"]] == ["could_not_tell"]
        assert [line for line in result.journal if line["kind"] == "touch"]
    finally:
        shutil.rmtree(case, ignore_errors=True)
