"""Scenes of real programs that share files, and of a real browser whose history is cleared by hand. Nothing leaves this machine."""

from __future__ import annotations

import http.server
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from tests.scenes.scene import Book, Build
from tests.scenes.windows import WORDS

BOOK = Book()
APART = ("unshare", "--net")
"""A network of its own, without any connection: sharing programs call out as soon as they start."""
SITES = tuple(f"{word}-{number}.example" for word in ("garden", "kitchen", "river", "orchard", "museum") for number in range(6))
_PATIENCE = 60.0


def _home(act: Callable[[Path, random.Random], None]) -> Build:
    """A person's folder in which ``act(home, dice)`` runs a program."""

    def build(folder: Path, dice: random.Random) -> Path:
        root = folder / "computer"
        home = root / "home" / "jo"
        for name in ("Documents", "Downloads", "Pictures"):
            (home / name).mkdir(parents=True)
            for number in range(4):
                (home / name / f"{dice.choice(WORDS)} {number}.txt").write_text("A few lines.\n" * dice.randint(3, 40))
        act(home, dice)
        return root

    return build


def _for_a_while(command: Sequence[object], home: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [*APART, *map(str, command)], env={**os.environ, "HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )  # fmt: skip
    time.sleep(seconds)
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, kind)
            process.wait(20)
            return


def _torrent(home: Path, dice: random.Random) -> Path:
    shared = home / "Downloads" / f"{dice.choice(WORDS)} collection.bin"
    shared.write_bytes(dice.randbytes(300_000))
    out = shared.with_suffix(".torrent")
    subprocess.run(["transmission-create", "-o", str(out), str(shared)], check=True, capture_output=True)
    return out


def _qbittorrent(home: Path, dice: random.Random) -> None:
    settings = home / ".config" / "qBittorrent"
    settings.mkdir(parents=True)
    (settings / "qBittorrent.conf").write_text("[LegalNotice]\nAccepted=true\n\n[Preferences]\nWebUI\\Address=127.0.0.1\n")
    _for_a_while(("qbittorrent-nox", f"--save-path={home / 'Downloads'}", _torrent(home, dice)), home, 8)


def _transmission(home: Path, dice: random.Random) -> None:
    _for_a_while(("transmission-cli", "-w", home / "Downloads", _torrent(home, dice)), home, 6)


def _torrent_alone(home: Path, dice: random.Random) -> None:
    _torrent(home, dice)


BOOK.evasion("qbittorrent used by a person", "software.", tools=("qbittorrent-nox", "transmission-create", "unshare"))(_home(_qbittorrent))
BOOK.evasion("transmission used by a person", "software.", tools=("transmission-cli", "transmission-create", "unshare"))(
    _home(_transmission)
)
BOOK.innocent("a torrent file among the downloads, no program for it", tools=("transmission-create",))(_home(_torrent_alone))


class _Pages(http.server.BaseHTTPRequestHandler):
    """Every address is a page that leaves a cookie."""

    def do_GET(self) -> None:
        body = b"<html><title>A page</title>hello</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "visitor=demonstration; Max-Age=8640000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _browsing(home: Path) -> Iterator[tuple[Path, Callable[[str], None]]]:
    """A running Chromium: its profile folder, and what opens an address in it. Every name leads to this machine."""
    data = home / ".config" / "chromium"
    data.mkdir(parents=True, exist_ok=True)
    note = data / "DevToolsActivePort"
    note.unlink(missing_ok=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        process = subprocess.Popen(
            [shutil.which("chromium") or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--remote-debugging-port=0", "--disable-features=HttpsUpgrades", f"--user-data-dir={data}",
             f"--host-resolver-rules=MAP * 127.0.0.1:{server.server_address[1]}", "about:blank"],
            env={**os.environ, "HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            _until(lambda: note.exists() and "\n" in note.read_text())

            def visit(url: str) -> None:
                request = urllib.request.Request(f"http://127.0.0.1:{note.read_text().split()[0]}/json/new?{url}", method="PUT")
                urllib.request.urlopen(request, timeout=30).close()
                time.sleep(0.3)

            yield data / "Default", visit
        finally:
            _end(process)
            server.shutdown()


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError("the browser did not get there")
        time.sleep(0.5)


def _rows(profile: Path, database: str, table: str) -> int:
    path = profile / database
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


def _chromium(home: Path, dice: random.Random) -> Path:
    sites = dice.sample(SITES, 24)
    with _browsing(home) as (profile, visit):
        for site in sites:
            visit(f"http://{site}/{dice.randint(1, 99)}")
        _until(lambda: _rows(profile, "History", "visits") >= len(sites) and _rows(profile, "Cookies", "cookies") >= len(sites) - 2)
    return profile


def _cleared_by_hand(home: Path, dice: random.Random) -> None:
    """The files of the history are deleted; the browser makes new ones when it is used again."""
    profile = _chromium(home, dice)
    for path in profile.glob("History*"):
        path.unlink()
    with _browsing(home) as (profile, visit):
        visit(f"http://{dice.choice(SITES)}/again")
        _until(lambda: _rows(profile, "History", "visits") >= 1)


def _rows_deleted(home: Path, dice: random.Random) -> None:
    """All visits but the first few are deleted with a program for data bases."""
    profile = _chromium(home, dice)
    with closing(sqlite3.connect(profile / "History")) as database, database:
        database.execute("DELETE FROM visits WHERE id > 3")
        database.execute("DELETE FROM urls WHERE id > 3")


def _left_alone(home: Path, dice: random.Random) -> None:
    _chromium(home, dice)


BOOK.evasion("Chromium's history files deleted by hand", "browser.history_gap", "evasion.", tools=("chromium",))(_home(_cleared_by_hand))
BOOK.evasion("rows deleted from Chromium's history", "browser.history_gap", "evasion.", tools=("chromium",))(_home(_rows_deleted))
BOOK.innocent("Chromium used and left alone", tools=("chromium",))(_home(_left_alone))
