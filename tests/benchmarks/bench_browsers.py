"""Browser histories: ``triage scan`` against Hindsight on the same Chromium profile, and what each reports of it.

Hindsight lives in an environment of its own, outside the project: ``HINDSIGHT`` names its ``hindsight.py`` beside its Python.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

TITLE = "browser history against Hindsight"
ROUNDS = 5
VISITS, ADDRESSES = 60_000, 15_000
SPECIMENS = Path(os.environ.get("TRIAGE_SPECIMENS", Path(__file__).resolve().parents[3] / "shared" / "data")) / "browser"
_PLACE = "home/jo/.config/google-chrome/Default"
_EPOCH = 11_644_473_600_000_000  # microseconds from 1601 to 1970


def profiles(folder: Path) -> dict[str, Path]:
    """Profiles to read, by name: the specimens, where they are, and a large one made here. Each is the root of a disk."""
    found: dict[str, Path] = {}
    for number in ("01", "10", "30"):
        if (SPECIMENS / "hindsight" / number / "History").is_file():
            root = folder / f"specimen {number}"
            (root / _PLACE).mkdir(parents=True)
            shutil.copy(SPECIMENS / "hindsight" / number / "History", root / _PLACE / "History")
            found[root.name] = root
    for archive in sorted(SPECIMENS.glob("dfirlabs-chrome/specimens/*.tar.xz")):
        root = folder / archive.name.removesuffix(".tar.xz")
        with tarfile.open(archive) as tar:
            tar.extractall(root, filter="data")
        found[root.name] = root
    root = folder / f"{VISITS} visits"
    (root / _PLACE).mkdir(parents=True)
    _large(root / _PLACE / "History")
    return found | {root.name: root}


def _large(path: Path) -> None:
    """A history of today's schema, as far as Hindsight and we read it."""
    rng = random.Random(1)
    words = [
        "garden",
        "shed",
        "timber",
        "roof",
        "window",
        "paint",
        "ladder",
        "hammer",
        "hinge",
        "gravel",
        "hedge",
        "spade",
        "barrow",
        "trellis",
        "compost",
        "seed",
    ]
    first = 13_400_000_000_000_000
    addresses = []
    for number in range(1, ADDRESSES + 1):
        host = f"www.{rng.choice(words)}-{rng.choice(words)}{rng.randrange(200)}.example"
        query = f"?q={rng.choice(words)}+{rng.choice(words)}" if rng.random() < 0.1 else ""
        title = " ".join(rng.choices(words, k=6))
        addresses.append((number, f"https://{host}/{rng.choice(words)}/{rng.choice(words)}/{number}{query}", title, 4, 1, first, 0))
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
            INSERT INTO meta VALUES('version','70'),('last_compatible_version','16');
            CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR,visit_count INTEGER DEFAULT 0 NOT NULL,
              typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER NOT NULL,hidden INTEGER DEFAULT 0 NOT NULL);
            CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,
              external_referrer_url TEXT,transition INTEGER DEFAULT 0 NOT NULL,segment_id INTEGER,visit_duration INTEGER DEFAULT 0 NOT NULL,
              incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL,opener_visit INTEGER,originator_cache_guid TEXT,
              originator_visit_id INTEGER,originator_from_visit INTEGER,originator_opener_visit INTEGER,is_known_to_sync BOOLEAN DEFAULT FALSE NOT NULL,
              consider_for_ntp_most_visited BOOLEAN DEFAULT FALSE NOT NULL,visited_link_id INTEGER DEFAULT 0 NOT NULL,app_id TEXT);
            CREATE TABLE visit_source(id INTEGER PRIMARY KEY,source INTEGER NOT NULL);
            CREATE TABLE keyword_search_terms(keyword_id INTEGER NOT NULL,url_id INTEGER NOT NULL,term LONGVARCHAR NOT NULL,normalized_term LONGVARCHAR NOT NULL);
            CREATE TABLE downloads(id INTEGER PRIMARY KEY,guid VARCHAR NOT NULL,current_path LONGVARCHAR NOT NULL,target_path LONGVARCHAR NOT NULL,
              start_time INTEGER NOT NULL,received_bytes INTEGER NOT NULL,total_bytes INTEGER NOT NULL,state INTEGER NOT NULL,danger_type INTEGER NOT NULL,
              interrupt_reason INTEGER NOT NULL,hash BLOB NOT NULL,end_time INTEGER NOT NULL,opened INTEGER NOT NULL,last_access_time INTEGER NOT NULL,
              transient INTEGER NOT NULL,referrer VARCHAR NOT NULL,site_url VARCHAR NOT NULL,embedder_download_data VARCHAR NOT NULL,tab_url VARCHAR NOT NULL,
              tab_referrer_url VARCHAR NOT NULL,http_method VARCHAR NOT NULL,by_ext_id VARCHAR NOT NULL,by_ext_name VARCHAR NOT NULL,
              by_web_app_id VARCHAR NOT NULL,etag VARCHAR NOT NULL,last_modified VARCHAR NOT NULL,mime_type VARCHAR(255) NOT NULL,original_mime_type VARCHAR(255) NOT NULL);
            CREATE TABLE downloads_url_chains(id INTEGER NOT NULL,chain_index INTEGER NOT NULL,url LONGVARCHAR NOT NULL,PRIMARY KEY(id,chain_index));
            """
        )
        connection.executemany("INSERT INTO urls VALUES(?,?,?,?,?,?,?)", addresses)
        time_, rows = first, []
        for number in range(1, VISITS + 1):
            time_ += rng.randrange(1_000_000, 120_000_000)
            back = number - 1 if number > 1 and rng.random() < 0.5 else 0
            rows.append((number, rng.randrange(1, ADDRESSES + 1), time_, back, 0x30000000 | rng.choice((0, 0, 1, 8)), rng.randrange(10**8)))
        connection.executemany("INSERT INTO visits(id,url,visit_time,from_visit,transition,visit_duration) VALUES(?,?,?,?,?,?)", rows)
    connection.close()


def _run(command: list[str], where: Path) -> tuple[float, float]:
    """Seconds of wall clock and of processors (with those of child processes) for one command."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stdout.decode(errors="replace")[-2000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _profile_in(root: Path) -> Path:
    return next(path.parent for path in sorted(root.rglob("History")) if path.is_file())


def ours_of(root: Path, where: Path) -> tuple[list[str], Path]:
    """The command, and the journal that it leaves."""
    return [
        str(Path(sys.executable).parent / "triage"),
        "scan",
        str(root),
        "--case",
        str(where / "case"),
        "--profile",
        "standard",
    ], where / "case"


def peer_of(hindsight: Path, root: Path, where: Path) -> tuple[list[str], Path]:
    """Hindsight's command in its quickest form (lines of JSON, no copies), and the file that it leaves."""
    python = hindsight.parent / "python"
    command = [
        str(python),
        str(hindsight),
        "-i",
        str(_profile_in(root)),
        "-o",
        str(where / "peer"),
        "-f",
        "jsonl",
        "-l",
        str(where / "log"),
        "--nocopy",
    ]
    cache = root / str(_profile_in(root).relative_to(root)).replace(".config", ".cache") / "Cache"
    return command + (["-c", str(cache)] if cache.is_dir() else []), where / "peer.jsonl"


def records_of(root: Path, where: Path) -> list[str]:
    """Our command for the same job: the records as lines of JSON, with no journal, findings, report or seal."""
    return [sys.executable, str(Path(__file__).with_name("browser_records.py")), str(root), str(where / "records.jsonl")]


def main(arguments: list[str]) -> dict[str, Any]:
    """Medians of alternating runs; start-up counts on both sides. Without Hindsight only our own figures."""
    named = os.environ.get("HINDSIGHT", "")
    hindsight = Path(named) if named and Path(named).is_file() else None
    if hindsight is None:
        print("Hindsight is not here (set HINDSIGHT to its hindsight.py): only our own time is measured", file=sys.stderr)
    result: dict[str, Any] = {"title": TITLE, "rounds": ROUNDS, "seconds": {}, "figures": {}, "ratios": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for name, root in profiles(Path(scratch) / "profiles").items():
            ours: list[tuple[float, float]] = []
            peer: list[tuple[float, float]] = []
            records: list[tuple[float, float]] = []
            for number in range(ROUNDS):
                where = Path(scratch) / f"run {name} {number}"
                where.mkdir()
                command, _ = ours_of(root, where)
                ours.append(_run(command, where))
                records.append(_run(records_of(root, where), Path(__file__).parents[2]))
                if hindsight is not None:
                    command, _ = peer_of(hindsight, root, where)
                    peer.append(_run(command, where))
                shutil.rmtree(where)
            for title, runs in (("our records", records), ("whole triage scan", ours), ("Hindsight", peer)):
                if runs:
                    wall, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
                    result["seconds"] |= {f"{name}: {title}": round(wall, 2), f"{name}: {title}, processors": round(cpu, 2)}
            for title, runs in (("our records", records), ("whole triage scan", ours)) if peer else ():
                ratio = statistics.median(wall for wall, _ in runs) / statistics.median(wall for wall, _ in peer)
                result["ratios"][f"{name}: {title} / Hindsight"] = round(ratio, 2)
    return result
