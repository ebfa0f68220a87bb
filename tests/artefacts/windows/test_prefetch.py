"""Prefetch: every specimen against libscca's published table, single facts exactly, damage."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import FileSeen, ProgramRun
from artefacts.times import Timestamp
from artefacts.windows import prefetch

PATH = "/Windows/Prefetch/X.pf"


def read(evidence: Any, data: bytes) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({PATH: data}).parse(prefetch.parse, PATH)
    return result


def version_17(name: str, files: list[str], serial: int, last: int, count: int) -> bytes:
    """A Prefetch file of Windows XP with one volume."""
    paths = "".join(path + "\0" for path in files).encode("utf-16-le")
    device = "\\DEVICE\\HARDDISKVOLUME1\0".encode("utf-16-le")
    metrics, chains = 0x98, 0x98 + 20 * len(files)
    names = chains + 12
    volumes = (names + len(paths) + 7) // 8 * 8
    body = bytearray(volumes)
    at = 0
    for number, path in enumerate(files):
        body[metrics + 20 * number : metrics + 20 * number + 16] = b"".join(
            value.to_bytes(4, "little") for value in (0, 0, 2 * at, len(path))
        )
        at += len(path) + 1
    body[names : names + len(paths)] = paths
    volume = bytearray(40)
    volume[0:4] = (40).to_bytes(4, "little")
    volume[4:8] = (len(device) // 2 - 1).to_bytes(4, "little")
    volume[8:16] = last.to_bytes(8, "little")
    volume[16:20] = serial.to_bytes(4, "little")
    references = (3).to_bytes(4, "little") + bytes(12)
    volume[20:24] = (40 + len(device)).to_bytes(4, "little")
    volume[24:28] = len(references).to_bytes(4, "little")
    volume[28:32] = (40 + len(device) + len(references)).to_bytes(4, "little")
    device += references + bytes(8)
    whole = body + volume + device
    header = [17, int.from_bytes(b"SCCA", "little"), 0x0F, len(whole)]
    whole[:16] = b"".join(value.to_bytes(4, "little") for value in header)
    whole[16 : 16 + 2 * len(name)] = name.encode("utf-16-le")
    sections = [metrics, len(files), chains, 1, names, len(paths), volumes, 1, len(volume) + len(device)]
    whole[84:120] = b"".join(value.to_bytes(4, "little") for value in sections)
    whole[120:128] = last.to_bytes(8, "little")
    whole[144:148] = count.to_bytes(4, "little")
    return bytes(whole)


def test_own_fixture(evidence: Any) -> None:
    device = "\\DEVICE\\HARDDISKVOLUME1"
    files = [f"{device}\\WINDOWS\\SYSTEM32\\NTDLL.DLL", f"{device}\\TOOLS\\DEMO.EXE", f"{device}\\DOCUMENTS AND SETTINGS\\JO\\LIST.TXT"]
    observations, problems = read(evidence, version_17("DEMO.EXE", files, 0xE0F7E847, 131459172035487843, 7))
    assert problems == []
    run, seen = observations
    assert run == ProgramRun(
        program="DEMO.EXE", path=files[1], count=7, files=3, volumes=("E0F7E847",), how="Prefetch", locator="run=0",
        time=Timestamp(1501443603548784300),
    )  # fmt: skip
    assert (type(seen), seen.path, seen.user, seen.volume) == (FileSeen, files[2], "JO", {"serial": "E0F7E847"})


@pytest.mark.specimens
def test_every_specimen_agrees_with_libscca(evidence: Any, specimens: Path) -> None:
    rows = list(csv.DictReader((specimens / "expected/oracle/prefetch_pyscca.tsv").open(encoding="utf-8"), delimiter="\t"))
    assert len(rows) == 35
    for row in rows:
        data = (specimens / row["path"]).read_bytes()
        if row["version"].startswith("REFUSED"):
            with pytest.raises(Unrecognised):
                read(evidence, data)
            continue
        observations, problems = read(evidence, data)
        runs = [item for item in observations if isinstance(item, ProgramRun)]
        assert problems == [], row["path"]
        assert (runs[0].program, runs[0].count, runs[0].files) == (row["executable"], int(row["run_count"]), int(row["n_filenames"]))
        times = [run.time.to_datetime().isoformat().removesuffix("+00:00") for run in runs if isinstance(run.time, Timestamp)]
        assert times == [time for time in row["last_run_times"].split(";") if time], row["path"]
        assert all(serial in row["volumes"] for serial in runs[0].volumes) and runs[0].volumes


@pytest.mark.specimens
def test_published_facts(evidence: Any, specimens: Path) -> None:
    folder = specimens / "prefetch/EricZimmerman/Win7"
    (run, *_), _ = read(evidence, (folder / "CALC.EXE-77FDF17F.pf").read_bytes())
    assert (run.time.isoformat(), run.volumes, run.files, run.count) == ("2016-01-16T20:27:01.196750Z", ("88008C2F",), 37, 2)
    (run, *used), _ = read(evidence, (folder / "DCODEDCODEDCODEDCODEDCODEDCOD-9054DA3F.pf").read_bytes())
    assert (run.count, run.volumes, run.files) == (5, ("88008C2F", "E892367F"), 50)
    assert run.path.startswith("\\DEVICE\\HARDDISKVOLUME3\\TEMP\\222\\") and run.path.endswith(".EXE")
    assert {item.user for item in used} == {"E"}
    observations, _ = read(evidence, (specimens / "prefetch/plaso/winprefetch/NOTEPAD.EXE-D8414F97.pf").read_bytes())
    assert [item.time.isoformat() for item in observations if isinstance(item, ProgramRun)] == [
        "2019-06-05T19:55:04.8777787Z", "2019-06-05T19:23:00.8157052Z",
    ]  # fmt: skip


@pytest.mark.specimens
def test_damage_is_survived_and_said(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = (specimens / "prefetch/EricZimmerman/Win7/CALC.EXE-77FDF17F.pf").read_bytes()
    observations, problems = read(evidence, data[:5000])
    assert "cut short: 5000 of 23538 bytes" in problems[0].reason
    assert [item.program for item in observations if isinstance(item, ProgramRun)][:1] == ["CALC.EXE"]
    for copy in (*mutations(data, 60), *mutations((specimens / "prefetch/plaso/winprefetch/NOTEPAD.EXE-D8414F97.pf").read_bytes(), 60)):
        try:
            json.dumps([item.to_json() for item in read(evidence, copy)[0]])
        except Unrecognised:
            pass


def test_what_is_no_prefetch_file_is_refused(evidence: Any) -> None:
    for data in (b"", b"MZ" * 50, b"MAM\x04\xff\xff\xff\x7f" + bytes(50)):
        with pytest.raises(Unrecognised):
            read(evidence, data)
