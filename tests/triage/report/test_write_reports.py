"""write_reports: the same journal gives the same bytes, files appear whole, a large journal does not need large memory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory as Scratch
from types import SimpleNamespace
from typing import Any

import pytest

from triage import journal
from triage.report import document, timeline, write_reports
from triage.report.exports import export, sqlite
from triage.report.files import replacing

NAMES = ["report.json", "report.html", "report.pdf", "timeline.csv"]


def _bytes(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in NAMES]


@pytest.mark.parametrize("name", ["found", "hostile"])
def test_same_journal_same_bytes(makers: SimpleNamespace, tmp_path: Path, name: str) -> None:
    folder = getattr(makers, name)(tmp_path / "a")
    digests = write_reports(folder)
    assert digests == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES}
    assert sorted(path.name for path in folder.iterdir()) == sorted([*NAMES, "journal.jsonl"])
    other = tmp_path / "elsewhere with blanks"
    other.mkdir()
    shutil.copy(folder / "journal.jsonl", other)
    code = "import sys, pathlib; from triage.report import write_reports; write_reports(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "77", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", code, str(other)], env=environment, cwd="/", check=True, timeout=120)
    assert _bytes(other) == _bytes(folder)


def test_nothing_is_written_into_a_case_whose_reports_go_elsewhere(
    makers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = makers.found(tmp_path / "a")
    other = tmp_path / "other"
    other.mkdir()
    used: list[Path] = []
    sort = timeline.sort_lines
    monkeypatch.setattr(timeline, "sort_lines", lambda lines, scratch: used.append(scratch) or sort(lines, scratch, chunk_bytes=100))
    monkeypatch.setattr(sqlite.tempfile, "TemporaryDirectory", lambda dir, prefix: used.append(dir) or Scratch(dir=dir, prefix=prefix))
    assert write_reports(folder, other) == write_reports(folder)
    export(folder, "sqlite", other / "x.db")
    assert used == [other, folder, other]


def test_sealing_does_not_change_the_reports(makers: SimpleNamespace, tmp_path: Path) -> None:
    folder = makers.found(tmp_path / "a")
    before = write_reports(folder)
    again = journal.Journal(folder / "journal.jsonl", checkpoint=lambda lines, head: "signature")
    again.checkpoint_now()
    again.append("sealed", {"reports": before})
    again.close()
    assert write_reports(folder) == before


def test_a_report_that_fails_leaves_the_old_one_and_nothing_else(
    makers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = makers.clean(tmp_path / "a")
    write_reports(folder)
    before = _bytes(folder)

    def full(_document: dict[str, Any], out: Any) -> None:
        out.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(document, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write_reports(folder)
    assert _bytes(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == sorted([*NAMES, "journal.jsonl"])


def test_replacing_shows_nothing_before_the_end(tmp_path: Path) -> None:
    with replacing(tmp_path / "x") as out:
        out.write(b"1")
        assert not (tmp_path / "x").exists()
    assert (tmp_path / "x").read_bytes() == b"1"


def test_a_broken_chain_is_not_reported_on(makers: SimpleNamespace, tmp_path: Path) -> None:
    folder = makers.clean(tmp_path / "a")
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"weather", b"whether"))
    with pytest.raises(journal.JournalError):
        write_reports(folder)
    assert [item.name for item in folder.iterdir()] == ["journal.jsonl"]


def _fill(makers: SimpleNamespace, folder: Path, listings: int, visits: int) -> Path:
    maker = makers.Maker(folder).open().source()
    for start in range(0, listings, 256):
        maker.list(*({"path": f"/Users/person/Pictures/some folder/{start + n}.jpg"} for n in range(256)))
    record: Callable[[int], dict[str, Any]] = lambda n: {  # noqa: E731
        "id": f"{n:016x}", "type": "PageVisit", "url": f"https://example.org/{n}", "title": "x" * 100, "time": f"20{n % 90 + 10}-01-01T00:00:00Z",
        "provenance": {"source": "s1", "volume": "v1", "path": "/h", "locator": "", "parser": "p/1", "recovered": False},
    }  # fmt: skip
    for n in range(visits):
        maker.journal.append("observation", record(n))
    return Path(maker.finish())


@pytest.mark.slow
def test_memory_does_not_grow_with_the_journal(makers: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="no resource module on this system")
    assert resource
    code = (
        "import sys, pathlib, resource; from triage.report import timeline, write_reports; timeline.CHUNK_BYTES = 4 << 20; "
        "timeline.sort_lines.__kwdefaults__['chunk_bytes'] = 4 << 20; "
        "write_reports(pathlib.Path(sys.argv[1])); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )

    def peak(folder: Path) -> int:
        done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, timeout=300)
        return int(done.stdout) * 1024

    small = peak(_fill(makers, tmp_path / "small", 256, 100))
    folder = _fill(makers, tmp_path / "large", 100_000, 60_000)
    large = peak(folder)
    assert (folder / "journal.jsonl").stat().st_size > 30_000_000
    assert (folder / "timeline.csv").read_bytes().count(b"\r\n") == 60_001
    print(f"peak {small:,} → {large:,}")
    assert large - small < 6_000_000, (small, large)
