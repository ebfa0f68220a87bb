"""Windows artefacts: all of a set of hives, logs and databases of 1 GB, in two processes; and single parsers against regipy, python-evtx, LnkParse3.

The set is the specimens in ../shared/data, each as often as it takes (``--large``: 1 GB, otherwise 100 MB); every copy is parsed anew by every artefact that reads
a file of that name. Peers run in an environment of their own (``python3 -m venv /tmp/peers; /tmp/peers/bin/pip install regipy python-evtx
LnkParse3``; another place: PEERS=/path/to/bin/python) on the same files and read no more than what is compared: keys and values, records, targets' times.
Processor time is counted, since others use the machine; for the set, the time on the clock too.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

TITLE = "Windows artefacts"
SPECIMENS = Path(__file__).resolve().parents[3] / "shared" / "data"
PEERS = os.environ.get("PEERS", "/tmp/peers/bin/python")
CONFIG, USER = "/Windows/System32/config", "/Users/jo"
# (where it lies in the evidence, specimen, its share of the bytes of the set)
SET = (
    (f"{CONFIG}/SOFTWARE", "registry/plaso/SOFTWARE-RunTests.xz", 25), (f"{CONFIG}/SYSTEM", "registry/plaso/SYSTEM.xz", 12),
    (f"{USER}/NTUSER.DAT", "registry/plaso/NTUSER-WIN7.DAT.xz", 8), (f"{USER}/AppData/Local/Microsoft/Windows/UsrClass.dat", "registry/plaso-head/UsrClass.dat.xz", 5),
    ("/Windows/AppCompat/Programs/Amcache.hve", "registry/regipy/amcache.hve.xz", 3), (f"{CONFIG}/SAM", "registry/plaso-head/SAM", 1),
    ("/Windows/System32/winevt/Logs/Security.evtx", "evtx/omerbenamram/security.evtx.xz", 12), ("/Windows/System32/winevt/Logs/System.evtx", "evtx/plaso/System.evtx.xz", 10),
    ("/Windows/System32/sru/SRUDB.dat", "ese/dissect/SRUDB.dat.gz", 3), ("/ProgramData/Microsoft/Search/Data/Windows.edb", "ese/plaso/Windows.edb.xz", 12),
    ("/ProgramData/Microsoft/Diagnosis/EventTranscript/EventTranscript.db", "windows-misc/plaso/EventTranscript.db.xz", 3),
    ("/$LogFile", "images/dfir_ntfs/LogFile_10.bin", 3), ("/$Extend/$UsnJrnl:$J", "windows-misc/plaso/UsnJrnl.raw", 1),
    ("/Windows/Prefetch/CMD.EXE-087B4001.pf", "prefetch/plaso/winprefetch/CMD.EXE-087B4001.pf", 1), (f"{USER}/AppData/Roaming/Microsoft/Windows/Recent/a.lnk", "lnk", 1),
)  # fmt: skip


class _File:
    """A specimen in memory under the path it has on a computer."""

    allocated = True
    user = "jo"

    def __init__(self, path: str, data: bytes) -> None:
        self.path, self._data = path, data
        self.name, self.size = path.rpartition("/")[2], len(data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self._data)

    def read(self, limit: int) -> bytes:
        return self._data[:limit]

    def sibling(self, name: str) -> None:
        return None

    def siblings(self) -> Sequence[_File]:
        return [self]

    def folder(self, reference: str) -> None:
        return None

    def names(self, reference: str) -> None:
        return None


def unpacked(name: str) -> bytes:
    """A specimen's content."""
    path = next(iter(sorted(SPECIMENS.glob(f"{name}*"))), SPECIMENS / name)
    data = path.read_bytes()
    return {".xz": lzma.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)(data)


def _links() -> list[bytes]:
    return [path.read_bytes() for path in sorted((SPECIMENS / "lnk/EricZimmerman/Win10").rglob("*")) if path.is_file()]


def _parse(task: tuple[str, list[bytes], int]) -> Counter[str]:
    """Processor seconds by artefact for ``copies`` of each content at a path, and under ``bytes`` how much that was."""
    from artefacts.coverage import Unrecognised
    from artefacts.matching import PathMatcher
    from artefacts.registry import all_artefacts

    path, contents, copies = task
    artefacts = PathMatcher(all_artefacts()).match(path)
    seconds: Counter[str] = Counter()
    for number in range(copies):
        data = contents[number % len(contents)]
        seconds["bytes"] += len(data)
        for artefact in artefacts:
            started = time.process_time()
            try:
                for _ in artefact.parse(_File(path, data)):
                    pass
            except Unrecognised:
                pass
            seconds[artefact.id] += time.process_time() - started  # type: ignore[assignment]
    return seconds


def _whole_set(size: int) -> dict[str, Any]:
    tasks = []
    for path, name, share in SET:
        contents = _links() if name == "lnk" else [unpacked(name)]
        copies = max(1, round(size * share / 100 / (sum(map(len, contents)) / len(contents))))
        step = max(1, copies // 8)
        tasks += [(path, contents, min(step, copies - start)) for start in range(0, copies, step)]
    tasks.sort(key=lambda task: -len(task[1][0]) * task[2])
    total: Counter[str] = Counter()
    started = time.monotonic()
    with get_context("spawn").Pool(2) as pool:
        for seconds in pool.imap_unordered(_parse, tasks):
            total.update(seconds)
    clock = time.monotonic() - started
    read = total.pop("bytes")
    table = {name: round(seconds, 2) for name, seconds in sorted(total.items(), key=lambda pair: -pair[1]) if seconds >= 0.005}
    return {
        "megabytes": read // 1_000_000,
        "on the clock, two processes": round(clock, 1),
        "processor, all": round(sum(total.values()), 1),
        **table,
    }


def _ours(kind: str, path: str) -> tuple[float, Any]:
    data = Path(path).read_bytes()
    started = time.process_time()
    result: Any
    if kind == "hive":
        from artefacts.windows.hive import open_hive

        keys = values = 0
        for key in open_hive(_File("/SOFTWARE", data)).walk():
            keys += 1
            for value in key.values():
                values += 1
                _ = value.data
        result = [keys, values]
    elif kind == "evtx":
        import evtx

        from artefacts.windows import event_log

        list(event_log.parse(_File("/Security.evtx", data)))
        spent = time.process_time() - started
        return spent, sum(1 for _ in evtx.PyEvtxParser(io.BytesIO(data)).records_json())
    else:
        from artefacts.windows import lnk

        result = []
        for at in json.loads(Path(path + ".list").read_text()):
            (seen, *_) = list(lnk.parse(_File("/a.lnk", data[at[0] : at[0] + at[1]])))
            made = seen.to_json()["created"]  # type: ignore[union-attr]
            result.append(made[:19] if made else None)
    return time.process_time() - started, result


_PEER = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
kind, path = sys.argv[1:3]
if kind == "hive":
    from regipy.registry import RegistryHive
    started = time.process_time()
    keys = values = 0
    for entry in RegistryHive(path).recurse_subkeys(fetch_values=True):
        keys += 1
        values += len(entry.values)
    result = [keys, values]
elif kind == "evtx":
    import Evtx.Evtx
    started = time.process_time()
    result = 0
    with Evtx.Evtx.Evtx(path) as log:
        for record in log.records():
            record.xml()
            result += 1
else:
    import io, LnkParse3
    data = open(path, "rb").read()
    places = json.load(open(path + ".list"))
    started = time.process_time()
    result = []
    for at, size in places:
        try:
            link = LnkParse3.lnk_file(io.BytesIO(data[at:at + size])).get_json()
            made = link["header"]["creation_time"]
            result.append(str(made).replace(" ", "T")[:19] if made else None)
        except Exception as error:
            result.append(type(error).__name__)
print(json.dumps([time.process_time() - started, result]))
"""


def _peer(kind: str, path: str) -> tuple[float, Any] | None:
    if not Path(PEERS).exists():
        return None
    done = subprocess.run([PEERS, "-c", _PEER, kind, path], capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        return None
    seconds, result = json.loads(done.stdout.splitlines()[-1])
    return seconds, result


def _against_peers(folder: Path) -> tuple[dict[str, float], dict[str, Any], dict[str, Any]]:
    seconds, agree, ratios = {}, {}, {}
    cases = [("hive", "regipy", "registry/plaso/SYSTEM.xz"), ("hive", "regipy", "registry/plaso/NTUSER-WIN7.DAT.xz"), ("evtx", "python-evtx", "evtx/plaso/System.evtx.xz"),
             ("evtx", "python-evtx", "evtx/omerbenamram/security.evtx.xz"), ("lnk", "LnkParse3", "lnk/EricZimmerman/Win10")]  # fmt: skip
    for number, (kind, peer, name) in enumerate(cases):
        path = folder / f"{number}"
        if kind == "lnk":
            links = [link for link in _links() if link.startswith(b"L\0\0\0")] * 5
            path.write_bytes(b"".join(links))
            places = [[sum(map(len, links[:at])), len(link)] for at, link in enumerate(links)]
            Path(f"{path}.list").write_text(json.dumps(places))
        else:
            path.write_bytes(unpacked(name))
        _ours(kind, str(path))  # once, so that what is loaded once is loaded
        own = min((_ours(kind, str(path)) for _ in range(3)), key=lambda pair: pair[0])
        theirs = _peer(kind, str(path))
        title = f"{peer}: {name.rpartition('/')[2]}"
        seconds[f"ours on {name.rpartition('/')[2]}"] = round(own[0], 3)
        if theirs is None:
            agree[title] = "the peer is not installed, or failed"
            continue
        seconds[title] = round(theirs[0], 3)
        same = own[1] == theirs[1]
        if kind == "lnk":
            same = sum(a == b for a, b in zip(own[1], theirs[1], strict=True))
            agree[title] = f"{same} of {len(own[1])} agree"
        else:
            agree[title] = "agree" if same else f"{own[1]} and {theirs[1]}"
        ratios[f"{title} takes"] = f"{theirs[0] / own[0]:.1f} times as long"
    return seconds, agree, ratios


def main(arguments: list[str]) -> dict[str, Any]:
    """See the module."""
    if not SPECIMENS.is_dir():
        return {"title": f"{TITLE}: no specimens at {SPECIMENS}"}
    whole = _whole_set((1000 if "--large" in arguments else 100) * 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        seconds, agree, ratios = _against_peers(Path(folder))
    return {"title": TITLE, "seconds": {**whole, **seconds}, "figures": agree, "ratios": ratios}
