"""Profiles of Chromium to be read by two tools: the specimens, one that Chromium makes here, and a large one."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

VISITS, ADDRESSES = 60_000, 15_000
SPECIMENS = Path(os.environ.get("TRIAGE_SPECIMENS", Path(__file__).resolve().parents[3] / "shared" / "data")) / "browser"
_PLACE = ".config/google-chrome/Default"
PAGES = 12
_PATIENCE = 90  # seconds


def specimens(root: Path) -> list[str]:
    """Below ``root``, a disk, one user for each specimen there is; returns the users. The cache lies in the profile, as on Windows,
    where Hindsight looks for it."""
    for file in [*sorted(SPECIMENS.glob("hindsight/*/History")), *sorted(SPECIMENS.glob("dfirlabs-chrome/history/History-*"))]:
        user = file.parent.name if file.name == "History" else file.name.lower()
        (root / "home" / user / _PLACE).mkdir(parents=True)
        shutil.copy(file, root / "home" / user / _PLACE / "History")
    for archive in sorted(SPECIMENS.glob("dfirlabs-chrome/specimens/*.tar.xz")):
        home = root / "home" / archive.name.removesuffix(".tar.xz")
        with tarfile.open(archive) as tar:
            tar.extractall(root / "unpacked", filter="data")
        shutil.move(next((root / "unpacked" / "home").iterdir()), home)
        shutil.rmtree(root / "unpacked")
        cache = home / ".cache/google-chrome/Default/Cache"
        if cache.is_dir():
            shutil.move(cache, home / _PLACE / "Cache")
    if shutil.which("chromium"):
        chromium(root / "home" / "made here")
    return sorted(path.name for path in (root / "home").iterdir())


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"<html><title>Page {self.path}</title><img src=/picture{self.path}></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Cache-Control", "max-age=86400")
        self.send_header("Set-Cookie", f"visit{len(self.path)}=demonstration; Max-Age=86400")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def chromium(home: Path) -> None:
    """A profile with visits, cookies, a cache and bookmarks, made by the system's Chromium."""
    data = home / ".config/google-chrome"
    (data / "Default").mkdir(parents=True)
    marks = [
        {"date_added": "13400000000000000", "guid": f"00000000-0000-4000-a000-{n:012}", "id": str(n + 10), "name": f"Mark {n}", "type": "url",
         "url": f"https://www.example.org/{n}"} for n in range(1, 41)
    ]  # fmt: skip
    folder = {
        "date_added": "13400000000000000",
        "date_modified": "0",
        "guid": "00000000-0000-4000-a000-000000000099",
        "id": "9",
        "name": "Garden",
        "type": "folder",
    }
    roots = {
        name: {"children": children, "date_added": "13400000000000000", "guid": guid, "id": number, "name": name, "type": "folder"}
        for name, children, guid, number in (
            ("bookmark_bar", [*marks[:20], {**folder, "children": marks[20:]}], "0bc5d13f-2cba-5d74-951f-3f233fe6c908", "1"),
            ("other", [], "82b081ec-3dd3-529c-8475-ab6c344590dd", "2"),
            ("synced", [], "4cf2e351-0e85-532b-bb37-df045d8f8d0f", "3"),
        )
    }
    (data / "Default" / "Bookmarks").write_text(json.dumps({"checksum": "", "roots": roots, "version": 1}))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        command = [
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--remote-debugging-port=0", f"--user-data-dir={data}", f"--disk-cache-dir={data}", "about:blank",
        ]  # fmt: skip
        environment = {**os.environ, "HOME": str(home)}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment)
        try:
            note = data / "DevToolsActivePort"
            _wait(lambda: note.exists() and "\n" in note.read_text())
            for number in range(PAGES):
                order = f"http://127.0.0.1:{note.read_text().split()[0]}/json/new?{address}/{number}"
                urllib.request.urlopen(urllib.request.Request(order, method="PUT"), timeout=_PATIENCE).close()
            _wait(lambda: _count(data / "Default" / "History", "visits") >= PAGES)
            # Cookies are written half a minute after they were set.
            _wait(lambda: any(_count(data / "Default" / name, "cookies") for name in ("Cookies", "Network/Cookies")))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(_PATIENCE)
        server.shutdown()


def _wait(what: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("Chromium did not get there")
        time.sleep(0.5)


def _count(database: Path, table: str) -> int:
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


def large(root: Path) -> None:
    """Below ``root``, a disk, a user with a history of 60,000 visits in today's schema, as far as Hindsight and we read it."""
    path = root / "home" / "jo" / _PLACE / "History"
    path.parent.mkdir(parents=True)
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
