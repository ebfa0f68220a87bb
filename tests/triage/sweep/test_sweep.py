"""Sweeps from beginning to end, through the real command."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from hashsets import build
from tests.triage.sweep.conftest import MIB, Disk, Result, command, reference_files
from triage.sweep.sampling import BLOCK

Sweep = Callable[..., Result]
MakeSet = Callable[[Path], Path]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Four mebibytes of random bytes without a file system."""
    path = tmp_path / "image.raw"
    path.write_bytes(random.Random(8).randbytes(4 * MIB))
    return path


@pytest.fixture
def references(tmp_path: Path) -> Path:
    reference_files(tmp_path / "references", 3, 16 * BLOCK)
    return tmp_path / "references"


def put(image: Path, offset: int, data: bytes) -> None:
    with image.open("r+b") as out:
        out.seek(offset)
        out.write(data)


def state(image: Path) -> tuple[int, str]:
    """When it was last written, and what its first 512 MiB hold."""
    with image.open("rb") as file:
        return image.stat().st_mtime_ns, hashlib.sha256(file.read(512 * MIB)).hexdigest()


def comparable(result: Result) -> list[dict[str, Any]]:
    return [{key: value for key, value in item.items() if key != "case"} for item in result.report["findings"]]


@pytest.mark.tools
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_known_material_is_found_in_use_and_deleted(sweep: Sweep, disk: Disk, seed: int) -> None:
    before = state(disk.image)
    result = sweep(disk.image, disk.blocks, "--seed", str(seed))
    assert result.code == 0, result.err
    report = result.report
    assert report["assessment"]["outcome"] == "found"
    findings = result.findings()
    assert len(findings) == 20 and not result.findings("blocks.single")
    assert {f["path"].lstrip("/") for f in findings if f["allocated"]} == disk.in_use
    assert {f["path"].lstrip("/") for f in findings if not f["allocated"]} <= disk.deleted | {""}
    assert all(f["indicates"] == "found" and f["severity"] == 4 for f in findings)
    assert result.err.count("ALERT: Parts of a file") == 20
    (swept,) = result.coverage("sweep")
    assert swept["status"] == "parsed" and swept["bytes"] < disk.image.stat().st_size / 10
    assert "would have met it with more than 99.9% probability" in swept["reason"] and "clean" not in result.out
    assert sum(item["bytes"] for item in result.records("sweep_pass")) == swept["bytes"]
    opened = result.records("case_opened")[0]
    assert opened["sweep"]["seed"] == seed and opened["hash_sets"][0]["sha256"]
    assert subprocess.run(command("verify", result.case), capture_output=True, check=False).returncode == 0
    assert state(disk.image) == before


@pytest.mark.slow
def test_nothing_met_is_said_with_its_odds(sweep: Sweep, tmp_path: Path, references: Path, make_set: MakeSet) -> None:
    image = tmp_path / "disk.raw"
    with image.open("wb") as out:
        out.truncate(1 << 30)
        out.write(random.Random(3).randbytes(32 * MIB))
    result = sweep(image, make_set(references), "--amount", "5MB")
    assert result.code in (0, 3), result.err
    assert (
        not result.findings()
        and not result.findings("blocks.single")
        and result.report["assessment"]["outcome"] in ("nothing_found", "not_checked")
    )
    (swept,) = result.coverage("sweep")
    assert "If at least 5.0 MB of known material were on this disk, this sweep would have met it with" in swept["reason"]
    assert swept["count"] == (1 << 30) // BLOCK // 16
    assert "None was met. At 99%, less than 314.6 kB of it may be there all the same." in swept["reason"]
    assert swept["reason"] in result.report["assessment"]["looked_at"]["text"]
    page = (result.case / "report.html").read_text("utf-8")
    assert "would have met it with" in page
    for text in (result.out, result.err, page.partition("</style>")[2]):
        assert not re.search(r"\bclean\b(?!-)", text.lower()), "nothing met is not nothing there"
    blind = " ".join(row["reason"] for row in result.coverage("sweep, what it cannot see"))
    assert all(word in blind for word in ("ncrypted", "ompressed", "less than two blocks", "trimmed", "changed"))
    assert "held one value only" in blind


def test_everything_is_read_where_that_is_asked_for(sweep: Sweep, image: Path, references: Path, make_set: MakeSet) -> None:
    whole = sorted(references.iterdir())
    put(image, MIB, whole[0].read_bytes())
    put(image, 2 * MIB, whole[1].read_bytes()[5 * BLOCK : 6 * BLOCK])
    # Two blocks of one file, far apart and too far for either to lead to the other.
    put(image, 3 * MIB, whole[2].read_bytes()[3 * BLOCK : 4 * BLOCK])
    put(image, 512, whole[2].read_bytes()[9 * BLOCK : 10 * BLOCK])
    result = sweep(image, make_set(references), "--exhaustive", "--workers", "2")
    assert {f["explanation"].split(" on the list")[0].rpartition("file ")[2] for f in result.findings()} == {whole[0].name, whole[2].name}
    (single,) = result.findings("blocks.single")
    assert whole[1].name in single["explanation"] and single["indicates"] == "note" and single["locator"] == f"offset={2 * MIB}"
    (swept,) = result.coverage("sweep")
    assert swept["reason"] == "All 1,024 blocks were read. Known material was met." and swept["count"] == 1024
    assert len([item for item in result.records("observation") if item["type"] == "BlockMatch"]) == 4


def test_one_block_is_a_note_and_no_finding(sweep: Sweep, image: Path, references: Path, make_set: MakeSet) -> None:
    put(image, MIB, sorted(references.iterdir())[0].read_bytes()[5 * BLOCK : 6 * BLOCK])
    result = sweep(image, make_set(references), "--exhaustive")
    assert len(result.findings("blocks.single")) == 1 and not result.findings()
    assert result.report["assessment"]["outcome"] != "found" and "ALERT" not in result.err


def test_the_same_seed_gives_the_same_findings(sweep: Sweep, image: Path, references: Path, make_set: MakeSet, tmp_path: Path) -> None:
    for number, path in enumerate(sorted(references.iterdir())):
        put(image, number * MIB, path.read_bytes())
    blocks = make_set(references)
    runs = [
        sweep(image, blocks, "--seed", "11", "--amount", "50kB", "--workers", workers, case=tmp_path / workers) for workers in ("1", "2")
    ]
    assert comparable(runs[0]) == comparable(runs[1]) != []
    passes = [run.records("sweep_pass") for run in runs]
    assert passes[0] == passes[1] != []


def test_a_keyed_set(sweep: Sweep, image: Path, references: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("11" * 32 + "\n")
    from hashsets import load_key

    blocks = tmp_path / "keyed"
    build(blocks, [references], role="alert", kinds=["block"], key=load_key(key))
    put(image, MIB, sorted(references.iterdir())[0].read_bytes())
    result = sweep(image, blocks, "--exhaustive", "--hashset-key", key)
    assert len(result.findings()) == 1, result.err
    refused = sweep(image, blocks, case=tmp_path / "other")
    assert refused.code == 2 and "key" in refused.err and not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--confidence", "1"], "confidence"),
        (["--confidence", "0.2"], "confidence"),
        (["--amount", "much"], "amount"),
        (["--amount", "100"], "at least 4096 bytes"),
        (["--time-budget", "soon"], "length of time"),
    ],
)
def test_wrong_use(sweep: Sweep, image: Path, references: Path, make_set: MakeSet, options: list[str], words: str) -> None:
    result = sweep(image, make_set(references), *options)
    assert result.code == 2 and words in result.err and not result.case.exists()


def test_what_cannot_be_swept(sweep: Sweep, image: Path, references: Path, make_set: MakeSet, tmp_path: Path) -> None:
    blocks = make_set(references)
    assert "is a folder" in sweep(references, blocks).err
    exact, ignored = tmp_path / "exact", tmp_path / "ignored"
    build(exact, [references], role="alert")
    build(ignored, [references], role="ignore", kinds=["block"])
    assert "no block hashes" in sweep(image, exact).err
    assert "role ignore" in sweep(image, ignored).err
    assert "does not exist" in sweep(image, tmp_path / "none").err
    assert not (tmp_path / "case").exists()


def test_an_image_that_cannot_be_opened_is_a_gap(sweep: Sweep, references: Path, make_set: MakeSet, tmp_path: Path) -> None:
    broken = tmp_path / "broken.E01"
    broken.write_bytes(b"EVF\x09\x0d\x0a\xff\x00" + bytes(2000))
    result = sweep(broken, make_set(references))
    assert result.code == 3 and result.report["assessment"]["outcome"] == "not_checked"
    empty = tmp_path / "empty.raw"
    empty.write_bytes(b"")
    result = sweep(empty, make_set(references), case=tmp_path / "empty")
    assert result.code in (0, 3) and result.report["assessment"]["outcome"] == "not_checked"


@pytest.mark.slow
def test_time_that_ran_out_is_said(sweep: Sweep, references: Path, make_set: MakeSet, tmp_path: Path) -> None:
    image = tmp_path / "large.raw"
    with image.open("wb") as out:
        out.truncate(1 << 38)
    blocks = make_set(references)
    result = sweep(image, blocks, "--time-budget", "6s", "--amount", "8kB")
    assert result.code == 3, result.err
    assert result.report["assessment"]["outcome"] == "not_checked"
    rows = {row["status"]: row for row in result.coverage("sweep")}
    assert "more blocks are needed for the odds that were asked for: the time allowed ran out" in rows["out_of_time"]["reason"]
    assert rows["parsed"]["count"] == sum(item["samples"] for item in result.records("sweep_pass")) > 0
    # With more time the same command goes on, with the seed of the case.
    before = {data["pass"] for data in result.records("sweep_pass")}
    again = sweep(image, blocks, "--time-budget", "12s", "--amount", "8kB")
    assert again.code == 3, again.err
    after = [data["pass"] for data in again.records("sweep_pass")]
    assert len(after) == len(set(after)) > len(before)
    assert subprocess.run(command("verify", again.case), capture_output=True, check=False).returncode == 0


@pytest.mark.tools
@pytest.mark.slow
def test_killed_and_gone_on_with_it_ends_like_an_unbroken_run(sweep: Sweep, disk: Disk, tmp_path: Path) -> None:
    whole = sweep(disk.image, disk.blocks, "--seed", "5", case=tmp_path / "whole")
    case = tmp_path / "broken"
    line = command("sweep", disk.image, "--case", case, "--hashset", disk.blocks, "--seed", "5", "--workers", "1", "-q")
    kills = 0
    for moment in (2, 4, 8):
        process = subprocess.Popen(line, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if (case / "journal.jsonl").exists() and (case / "journal.jsonl").read_bytes().count(b'"sweep_pass"') >= moment:
                children = psutil.Process(process.pid).children(recursive=True)
                os.kill(process.pid, signal.SIGKILL)
                psutil.wait_procs(children, timeout=10)
                kills += 1
                break
            time.sleep(0.005)
        process.wait()
    assert kills
    resumed = sweep(disk.image, disk.blocks, case=case)
    assert resumed.code == 0, resumed.err
    assert comparable(resumed) == comparable(whole)
    passes = [data["pass"] for data in resumed.records("sweep_pass")]
    assert sorted(passes) == [data["pass"] for data in whole.records("sweep_pass")]
    changed = sweep(disk.image, disk.blocks, "--seed", "6", case=case)
    assert changed.code == 2 and "settings of a sweep" in changed.err


def test_a_scan_does_not_go_on_with_a_sweep(sweep: Sweep, image: Path, references: Path, make_set: MakeSet) -> None:
    result = sweep(image, make_set(references))
    done = subprocess.run(command("scan", image, "--case", result.case), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "begun with other" in done.stderr


@pytest.mark.tools
def test_a_bad_sector_costs_one_block(sweep: Sweep, tmp_path: Path, references: Path, make_set: MakeSet) -> None:
    """An E01 with one chunk damaged: what lies around it is met, and the loss is said."""
    image = tmp_path / "image.raw"
    image.write_bytes(random.Random(8).randbytes(4 * MIB))
    for number, path in enumerate(sorted(references.iterdir())):
        put(image, number * MIB, path.read_bytes())
    subprocess.run(
        ["ewfacquire", "-u", "-q", "-c", "none", "-t", str(tmp_path / "image"), "-C", "1", "-D", "1", "-E", "1", "-e", "x", "-N", "1", str(image)],
        check=True, capture_output=True,
    )  # fmt: skip
    packed = bytearray((tmp_path / "image.E01").read_bytes())
    middle = packed.index(image.read_bytes()[2 * MIB + 40_000 : 2 * MIB + 40_100])
    packed[middle] ^= 1
    (tmp_path / "image.E01").write_bytes(packed)
    result = sweep(tmp_path / "image.E01", make_set(references), "--exhaustive")
    assert result.code == 3, result.err
    assert len(result.findings()) >= 2
    assert [row["count"] for row in result.coverage("sweep") if row["status"] == "unreadable"] == [8]  # a chunk of 32 KiB


def test_the_journal_alone_gives_the_report_again(sweep: Sweep, image: Path, references: Path, make_set: MakeSet, tmp_path: Path) -> None:
    put(image, MIB, sorted(references.iterdir())[0].read_bytes())
    result = sweep(image, make_set(references), "--exhaustive", "--json")
    assert json.loads(result.out)["assessment"]["outcome"] == "found"
    done = subprocess.run(command("report", result.case, "--out", tmp_path / "again"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "report.json").read_bytes() == (result.case / "report.json").read_bytes()
