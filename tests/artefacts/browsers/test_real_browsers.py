"""Profiles made here and now by the system's own browsers, read while they run and after they closed."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import chromium_history, firefox_history
from artefacts.observations import Download, PageVisit, SearchQuery
from artefacts.times import Timestamp

pytestmark = [pytest.mark.slow, pytest.mark.tools]

PATIENCE = 60  # seconds; both browsers write their history within twenty


class _Pages(http.server.BaseHTTPRequestHandler):
    """Every address is a page; /get/… is a file to be stored."""

    def do_GET(self) -> None:
        path = self.path.removeprefix(f"http://{self.headers['Host']}")
        body = b"x" * 2345 if path.startswith("/get/") else f"<html><title>Page {path.split('?')[0]}</title>hello</html>".encode()
        self.send_response(200)
        if path.startswith("/get/"):
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Disposition", 'attachment; filename="plan.bin"')
        else:
            self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "visitor=demonstration; Max-Age=86400")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def wait_for(what: Callable[[], Any], say: str) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.5)
    pytest.fail(f"the browser did not get there in {PATIENCE} s: {say}")


def running(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HOME": str(home), "MOZ_CRASHREPORTER_DISABLE": "1"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment)


def stop(process: subprocess.Popen[bytes]) -> None:
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
            process.wait(20)
            return
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def parsed(evidence: Any, profile: Path, prefix: str, name: str, parser: Any) -> tuple[list[Any], list[Any]]:
    contents = {f"{prefix}/{path.name}": path.read_bytes() for path in sorted(profile.iterdir()) if path.name.startswith(name)}
    if f"{prefix}/{name}" not in contents:
        return [], []
    result: tuple[list[Any], list[Any]] = evidence(contents).parse(parser, f"{prefix}/{name}")
    return result


def check(observations: list[Any], base: str, stored: Path, browser: str) -> None:
    """Exactly what was done: two pages, one search, one download."""
    observations = [item for item in observations if isinstance(item, (PageVisit, SearchQuery, Download))]
    pages = [item for item in observations if isinstance(item, PageVisit) and item.transition != "download"]
    # On a busy machine two tabs may finish in either order.
    assert sorted((page.url, page.title) for page in pages) == [
        (f"{base}/one", "Page /one"),
        ("http://www.mojeek.com/search?q=garden+sheds", "Page /search"),
    ]
    now = time.time_ns()
    assert all(isinstance(page.time, Timestamp) and 0 <= now - page.time.ns < 300 * 10**9 for page in pages)
    [search] = [item for item in observations if isinstance(item, SearchQuery)]
    assert (search.engine, search.terms, search.count) == ("Mojeek", "garden sheds", 1)
    [download] = [item for item in observations if isinstance(item, Download)]
    assert (download.url, download.path) == (f"{base}/get/plan", str(stored / "plan.bin"))
    assert isinstance(download.started, Timestamp)
    assert {item.browser for item in observations} == {browser} and {item.user for item in observations} == {"jo"}


def test_chromium(evidence: Any, tmp_path: Path, port: int) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    stored, profile, base = tmp_path / "stored", tmp_path / "data", f"http://127.0.0.1:{port}"
    stored.mkdir()
    (profile / "Default").mkdir(parents=True)
    (profile / "Default/Preferences").write_text(json.dumps({"download": {"default_directory": str(stored), "prompt_for_download": False}}))
    switches = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
        "--disable-features=HttpsUpgrades", f"--user-data-dir={profile}", f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
    ]  # fmt: skip
    process = running([program, *switches, "about:blank"], tmp_path)
    try:
        note = profile / "DevToolsActivePort"
        wait_for(lambda: note.exists() and "\n" in note.read_text(), "start")
        for url in (f"{base}/one", "http://www.mojeek.com/search?q=garden+sheds", f"{base}/get/plan"):
            request = urllib.request.Request(f"http://127.0.0.1:{note.read_text().split()[0]}/json/new?{url}", method="PUT")
            urllib.request.urlopen(request, timeout=30).close()
            time.sleep(1)

        def live() -> list[Any]:
            observations, _ = parsed(evidence, profile / "Default", "/home/jo/.config/chromium/Default", "History", chromium_history.parse)
            kinds = [type(item) for item in observations]
            return (
                observations
                if kinds.count(PageVisit) == 2 and Download in kinds and all(o.title for o in observations if isinstance(o, PageVisit))
                else []
            )

        check(wait_for(live, "history while it runs"), base, stored, "Chromium")
    finally:
        stop(process)
    observations, problems = parsed(evidence, profile / "Default", "/home/jo/.config/chromium/Default", "History", chromium_history.parse)
    assert problems == []
    check(observations, base, stored, "Chromium")
    [download] = [item for item in observations if isinstance(item, Download)]
    assert (download.bytes, download.state) == (2345, "complete")


def test_firefox(evidence: Any, tmp_path: Path, port: int) -> None:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("firefox is not installed")
    stored, profile, base = tmp_path / "stored", tmp_path / "profile", f"http://127.0.0.1:{port}"
    stored.mkdir()
    profile.mkdir()
    settings = {
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": port,
        "dom.security.https_first": False,
        "browser.download.folderList": 2,
        "browser.download.dir": str(stored),
        "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
        "browser.shell.checkDefaultBrowser": False,
        "browser.aboutwelcome.enabled": False,
        "browser.startup.homepage_override.mstone": "ignore",
        "datareporting.policy.dataSubmissionEnabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
    }
    (profile / "user.js").write_text("".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()))
    addresses = [f"{base}/one", "http://www.mojeek.com/search?q=garden+sheds", f"{base}/get/plan"]
    process = running([program, "--headless", "--no-remote", "--profile", str(profile), *addresses], tmp_path)
    place = "/home/jo/.mozilla/firefox/x.default"
    try:

        def live() -> list[Any]:
            observations, _ = parsed(evidence, profile, place, "places.sqlite", firefox_history.parse)
            kinds = [type(item) for item in observations]
            titled = [item for item in observations if isinstance(item, PageVisit) and item.title]
            return observations if len(titled) == 3 and Download in kinds else []

        observations = wait_for(live, "history while it runs")
        assert (profile / "places.sqlite-wal").stat().st_size > 0, "the log was not needed: this test proves less than it says"
    finally:
        stop(process)
    check(observations, base, stored, "Firefox")
    after, problems = parsed(evidence, profile, place, "places.sqlite", firefox_history.parse)
    assert problems == []
    check(after, base, stored, "Firefox")
