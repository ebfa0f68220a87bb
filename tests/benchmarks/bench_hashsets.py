"""Exact look-up: the store, plain and keyed, against SQLite (an indexed BLOB) and hfind on the same set and queries.

``--large`` takes 50,000,000 random MD5, otherwise 2,000,000. Half of the queries are listed. Each program answers the same queries in the
same order, warm (the file was read before); ours is also given its first pass, in which every part is checked against its digest.
Warm look-ups are counted in processor time, so that the figures hold on a machine that others use too: on an idle one it is the same
as the time on the clock. Builds and openings are on the clock, and the processor time of ours is beside it.
Ours runs in processes of its own, so that its peak memory can be told.
"""

from __future__ import annotations

import binascii
import json
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TITLE = "exact look-up of MD5"
QUERIES = 1_000_000
BATCH = 10_000
PEER_QUERIES = 100_000
ROUNDS = 3
SECRET = b"a secret for benchmarks"


def _digests(entries: int) -> Any:
    import numpy as np

    return np.random.default_rng(50).integers(0, 256, (entries, 16), dtype=np.uint8)


def _queries(entries: int) -> list[bytes]:
    import numpy as np

    listed = _digests(entries)[:: max(1, entries // (QUERIES // 2))][: QUERIES // 2]
    absent = np.random.default_rng(51).integers(0, 256, (QUERIES - len(listed), 16), dtype=np.uint8)
    mixed = np.concatenate([listed, absent])[np.random.default_rng(52).permutation(QUERIES)]
    data = mixed.tobytes()
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def _write_list(entries: int, path: Path, ending: bytes) -> None:
    import numpy as np

    data = _digests(entries)
    with path.open("wb") as out:
        for start in range(0, entries, 1 << 20):
            part = data[start : start + (1 << 20)]
            lines = np.empty((len(part), 32 + len(ending)), np.uint8)
            lines[:, :32] = np.frombuffer(binascii.hexlify(part.tobytes()), np.uint8).reshape(-1, 32)
            lines[:, 32:] = np.frombuffer(ending, np.uint8)
            out.write(lines.tobytes())


def _resident(which: str) -> int:
    # getrusage would do for the peak, but a child begins with that of its parent.
    line = next((line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which)), "x 0")
    return int(line.split()[1]) >> 10


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def child_build(out: str, listing: str, keyed: str) -> dict[str, Any]:
    """In its own process: build, its seconds and peak MiB."""
    from hashsets import build

    started, cpu = time.perf_counter(), time.process_time()
    built = build(Path(out), [Path(listing)], role="alert", key=SECRET if keyed == "keyed" else None)
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "bytes": built.bytes,
        "count": built.count,
        "peak": _resident("VmHWM"),
    }


def child_match(store: str, queries: str, keyed: str) -> dict[str, Any]:
    """In its own process: open, then all queries in batches, then in one; resident MiB above that of the queries."""
    from hashsets import open_set

    data = Path(queries).read_bytes()
    wanted = [data[at : at + 16] for at in range(0, len(data), 16)]
    batches = [wanted[at : at + BATCH] for at in range(0, len(wanted), BATCH)]
    before = _resident("VmRSS")
    started = time.perf_counter()
    opened = open_set(Path(store), key=SECRET if keyed == "keyed" else None)
    result: dict[str, Any] = {"open": time.perf_counter() - started}
    passes = []
    for _ in range(ROUNDS + 1):
        cpu = time.process_time()
        found = sum(len(batch) - opened.match("md5", batch).count(None) for batch in batches)
        passes.append(time.process_time() - cpu)
    resident = {"resident": _resident("VmRSS") - before, "peak": _resident("VmHWM") - before}
    cpu = time.process_time()
    opened.match("md5", wanted)
    result |= {"first": passes[0], "batches": statistics.median(passes[1:]), "one batch": time.process_time() - cpu}
    return {**result, **resident, "found": found}


def _child(function: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_hashsets", function, *arguments]
    result: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(function, arguments[-1], result, file=sys.stderr, flush=True)
    return result


def _sqlite(folder: Path, entries: int, queries: list[bytes]) -> dict[str, Any]:
    path = folder / "set.sqlite"
    started = time.perf_counter()
    database = sqlite3.connect(path)
    database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE hashes (md5 BLOB PRIMARY KEY) WITHOUT ROWID;")
    data = _digests(entries)
    raw = data[_order(data)].tobytes()
    del data
    database.executemany("INSERT OR IGNORE INTO hashes VALUES (?)", ((raw[at : at + 16],) for at in range(0, len(raw), 16)))
    database.commit()
    database.close()
    built = time.perf_counter() - started
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    database.execute("PRAGMA mmap_size = 4294967296")
    seconds = []
    for _ in range(ROUNDS + 1):
        cpu = time.process_time()
        found = 0
        for query in queries:
            found += database.execute("SELECT 1 FROM hashes WHERE md5 = ?", (query,)).fetchone() is not None
        seconds.append(time.process_time() - cpu)
    database.close()
    return {"build": built, "seconds": statistics.median(seconds[1:]), "found": found, "bytes": path.stat().st_size}


def _order(data: Any) -> Any:
    import numpy as np

    words = np.ascontiguousarray(data).view(">u8").astype(np.uint64)
    return np.lexsort((words[:, 1], words[:, 0]))


def _hfind(folder: Path, entries: int, queries: list[bytes]) -> dict[str, Any] | None:
    if shutil.which("hfind") is None:
        return None
    listing, wanted = folder / "set.md5", folder / "queries"
    _write_list(entries, listing, b"  name\n")
    wanted.write_bytes(b"".join(query.hex().encode() + b"\n" for query in queries))
    started = time.perf_counter()
    subprocess.run(["hfind", "-i", "md5sum", listing], check=True, capture_output=True)
    built = time.perf_counter() - started
    seconds = []
    for _ in range(ROUNDS + 1):
        cpu = _children()
        answer = subprocess.run(["hfind", "-f", wanted, listing], check=True, capture_output=True).stdout
        seconds.append(_children() - cpu)
    size = sum(path.stat().st_size for path in folder.glob("set.md5*"))
    return {
        "build": built,
        "seconds": statistics.median(seconds[1:]),
        "found": len(queries) - answer.count(b"Hash Not Found"),
        "bytes": size,
    }


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure; rates in look-ups a second, sizes in bytes a hash, memory in MiB."""
    entries = 50_000_000 if "--large" in arguments else 2_000_000
    with tempfile.TemporaryDirectory(prefix="bench-hashsets-") as name:
        folder = Path(name)
        queries = _queries(entries)
        (folder / "wanted").write_bytes(b"".join(queries))
        _write_list(entries, folder / "list.txt", b"\n")
        ours = {}
        for kind in ("plain", "keyed"):
            store = str(folder / kind)
            built = _child("child_build", store, str(folder / "list.txt"), kind)
            ours[kind] = (built, _child("child_match", store, str(folder / "wanted"), kind))
            Path(store).unlink()
        (folder / "list.txt").unlink()
        peers = {"SQLite": _sqlite(folder, entries, queries[:PEER_QUERIES])}
        (folder / "set.sqlite").unlink()
        hfind = _hfind(folder, entries, queries[:PEER_QUERIES])
        if hfind:
            peers["hfind"] = hfind
    seconds: dict[str, Any] = {}
    figures: dict[str, Any] = {"entries": entries}
    memory: dict[str, Any] = {}
    ratios: dict[str, Any] = {}
    for kind, (built, matched) in ours.items():
        seconds[f"{kind}: build"] = round(built["seconds"], 1)
        seconds[f"{kind}: build, processor time"] = round(built["cpu"], 1)
        seconds[f"{kind}: open"] = round(matched["open"], 3)
        for key in ("first", "batches", "one batch"):
            figures[f"{kind}: look-ups a second, {key}"] = round(QUERIES / matched[key])
        figures[f"{kind}: bytes a hash"] = round(built["bytes"] / built["count"], 2)
        figures[f"{kind}: found of {QUERIES}"] = matched["found"]
        memory[f"{kind}: build, MiB"] = built["peak"]
        memory[f"{kind}: look-up, MiB between batches"] = matched["resident"]
        memory[f"{kind}: look-up, MiB at most, mapped file included"] = matched["peak"]
    for peer, result in peers.items():
        rate = PEER_QUERIES / result["seconds"]
        seconds[f"{peer}: build"] = round(result["build"], 1)
        figures[f"{peer}: look-ups a second"] = round(rate)
        figures[f"{peer}: bytes a hash"] = round(result["bytes"] / entries, 2)
        figures[f"{peer}: found of {PEER_QUERIES}"] = result["found"]
        ratios[f"plain store / {peer}, look-ups a second"] = round(QUERIES / ours["plain"][1]["batches"] / rate, 1)
        ratios[f"keyed store / {peer}, look-ups a second"] = round(QUERIES / ours["keyed"][1]["batches"] / rate, 1)
    return {"title": f"{TITLE}, {entries:,} entries", "seconds": seconds, "figures": figures, "memory": memory, "ratios": ratios}


if __name__ == "__main__":
    print(json.dumps({"child_build": child_build, "child_match": child_match}[sys.argv[1]](*sys.argv[2:])))
