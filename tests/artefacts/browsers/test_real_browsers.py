"""Profiles made here and now by the system's own browsers, read while they run and after they closed."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import chromium_history, chromium_traces, firefox_history, installations, missing_history
from artefacts.coverage import Unrecognised
from artefacts.observations import Download, PageVisit, SearchQuery
from artefacts.times import Timestamp

pytestmark = [pytest.mark.slow, pytest.mark.tools]

PATIENCE = 60  # seconds; both browsers write their history within twenty


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


# A picture of 16 by 16 grey points: a page without an icon leaves no trace of an icon.
_ICON = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", (16).to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00")
    + _chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * 16) * 16))
    + _chunk(b"IEND", b"")
)


class _Pages(http.server.BaseHTTPRequestHandler):
    """Every address is a page; /get/… is a file to be stored."""

    def do_GET(self) -> None:
        path = self.path.removeprefix(f"http://{self.headers['Host']}")
        if path == "/favicon.ico":
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(_ICON)))
            self.end_headers()
            self.wfile.write(_ICON)
            return
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


def chromium_switches(data: Path, port: int) -> list[str]:
    return [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
        "--disable-features=HttpsUpgrades", f"--user-data-dir={data}", f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
    ]  # fmt: skip


def open_in_chromium(data: Path, addresses: Sequence[str]) -> None:
    note = data / "DevToolsActivePort"
    wait_for(lambda: note.exists() and "\n" in note.read_text(), "start")
    for url in addresses:
        request = urllib.request.Request(f"http://127.0.0.1:{note.read_text().split()[0]}/json/new?{url}", method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
        time.sleep(1)


def test_chromium(evidence: Any, tmp_path: Path, port: int) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    stored, profile, base = tmp_path / "stored", tmp_path / "data", f"http://127.0.0.1:{port}"
    stored.mkdir()
    (profile / "Default").mkdir(parents=True)
    (profile / "Default/Preferences").write_text(json.dumps({"download": {"default_directory": str(stored), "prompt_for_download": False}}))
    process = running([program, *chromium_switches(profile, port), "about:blank"], tmp_path)
    try:
        open_in_chromium(profile, (f"{base}/one", "http://www.mojeek.com/search?q=garden+sheds", f"{base}/get/plan"))

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


def firefox_settings(port: int) -> dict[str, Any]:
    return {
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": port,
        "dom.security.https_first": False,
        "browser.shell.checkDefaultBrowser": False,
        "browser.aboutwelcome.enabled": False,
        "browser.startup.homepage_override.mstone": "ignore",
        "datareporting.policy.dataSubmissionEnabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
    }


def write_settings(profile: Path, settings: dict[str, Any]) -> None:
    (profile / "user.js").write_text("".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()))


def test_firefox(evidence: Any, tmp_path: Path, port: int) -> None:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("firefox is not installed")
    stored, profile, base = tmp_path / "stored", tmp_path / "profile", f"http://127.0.0.1:{port}"
    stored.mkdir()
    profile.mkdir()
    settings = firefox_settings(port) | {
        "browser.download.folderList": 2,
        "browser.download.dir": str(stored),
        "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
    }
    write_settings(profile, settings)
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


def whole(evidence: Any, profile: Path, prefix: str) -> Any:
    return evidence({f"{prefix}/{path.name}": path.read_bytes() for path in sorted(profile.iterdir()) if path.is_file()})


def edited(database: Path, *statements: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        for statement in statements:
            connection.execute(statement)
    connection.close()


SITES = ("garden.example", "sheds.example", "tools.example")


def test_a_site_removed_from_chromium_is_missed(evidence: Any, tmp_path: Path, port: int) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    data, place = tmp_path / "data", "/home/jo/.config/chromium/Default"
    process = running([program, *chromium_switches(data, port), "about:blank"], tmp_path)
    try:
        open_in_chromium(data, [f"http://www.{site}/page" for site in SITES])

        def ready() -> bool:
            names = {"History", "Favicons", "History-journal", "History-wal", "Favicons-wal", "Favicons-journal"}
            files = evidence({f"{place}/{p.name}": p.read_bytes() for p in (data / "Default").iterdir() if p.name in names})
            try:
                visits, _ = files.parse(chromium_history.parse, f"{place}/History")
                icons, _ = files.parse(chromium_traces.parse_favicons, f"{place}/Favicons")
            except (FileNotFoundError, Unrecognised):
                return False
            return len([item for item in visits if isinstance(item, PageVisit)]) >= 3 and len(icons) >= 3

        wait_for(ready, "three pages with icons")
    finally:
        stop(process)
    assert whole(evidence, data / "Default", place).parse(missing_history.parse_chromium, f"{place}/History") == ([], [])
    removed = "(SELECT id FROM urls WHERE url LIKE '%sheds.example%')"
    edited(data / "Default/History", f"DELETE FROM visits WHERE url IN {removed}", f"DELETE FROM urls WHERE id IN {removed}")
    gaps, problems = whole(evidence, data / "Default", place).parse(missing_history.parse_chromium, f"{place}/History")
    assert problems == []
    [sites] = [gap for gap in gaps if gap.kind == "sites"]
    assert sites.sites == ("sheds.example",) and "Favicons" in sites.stores
    assert {gap.kind for gap in gaps} & {"records in between", "newest records"}


class Marionette:
    """As much of Firefox's own remote control as is needed to run a script with the browser's rights."""

    def __init__(self, port: int) -> None:
        self._stream = socket.create_connection(("127.0.0.1", port), 30).makefile("rwb")
        self._number = 0
        self._receive()
        self.send("WebDriver:NewSession", {})
        self.send("Marionette:SetContext", {"value": "chrome"})

    def send(self, command: str, arguments: dict[str, Any]) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, command, arguments]).encode()
        self._stream.write(f"{len(message)}:".encode() + message)
        self._stream.flush()
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def _receive(self) -> Any:
        length = b""
        while (char := self._stream.read(1)) != b":":
            assert char, "Firefox hung up"
            length += char
        return json.loads(self._stream.read(int(length)))


def test_a_site_forgotten_by_firefox_is_missed(evidence: Any, tmp_path: Path, port: int) -> None:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("firefox is not installed")
    profile, place = tmp_path / "profile", "/home/jo/.mozilla/firefox/x.default"
    profile.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        control = free.getsockname()[1]
    write_settings(profile, firefox_settings(port) | {"marionette.port": control})
    addresses = [f"http://www.{site}/page" for site in SITES]
    switches = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", str(profile)]
    process = running([program, *switches, *addresses], tmp_path)
    try:

        def titled() -> bool:
            observations, _ = parsed(evidence, profile, place, "places.sqlite", firefox_history.parse)
            pages = [item for item in observations if isinstance(item, PageVisit) and item.title]
            return len(pages) == 3

        wait_for(titled, "three pages")
        assert whole(evidence, profile, place).parse(missing_history.parse_firefox, f"{place}/places.sqlite") == ([], [])
        [program_used], problems = whole(evidence, profile, place).parse(installations.parse_firefox, f"{place}/compatibility.ini")
        assert problems == [] and program_used.name == "Firefox" and program_used.version and program_used.path.startswith("/")
        # The second visit goes: which page that is depends on which tab was faster.
        visits, _ = parsed(evidence, profile, place, "places.sqlite", firefox_history.parse)
        [middle] = [item for item in visits if item.locator == "table=moz_historyvisits rowid=2"]
        script = """
            const done = arguments[arguments.length - 1];
            const { PlacesUtils } = ChromeUtils.importESModule("resource://gre/modules/PlacesUtils.sys.mjs");
            PlacesUtils.history.remove(arguments[0]).then(done, error => done(String(error)));
        """
        result = Marionette(control).send("WebDriver:ExecuteAsyncScript", {"script": script, "args": [middle.url]})
        assert result == {"value": True}
    finally:
        stop(process)
    gaps, problems = whole(evidence, profile, place).parse(missing_history.parse_firefox, f"{place}/places.sqlite")
    assert problems == []
    [between] = [gap for gap in gaps if gap.kind == "records in between"]
    assert (between.missing, between.left) == (1, 2)


class Pipe:
    """Chromium told what to do over its own pipe (DevTools protocol: messages of JSON, each ended by a zero byte)."""

    def __init__(self, command: list[str], home: Path) -> None:
        read_here, write_there = os.pipe()
        read_there, self._write = os.pipe()
        # Chromium reads from 3 and writes to 4.
        place = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execvp(sys.argv[3], sys.argv[3:])"
        self.process = subprocess.Popen(
            [sys.executable, "-c", place, str(read_there), str(write_there), *command, "--remote-debugging-pipe"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(read_there, write_there),
            env={**os.environ, "HOME": str(home)},
        )
        os.close(read_there)
        os.close(write_there)
        self._read = os.fdopen(read_here, "rb")
        self._number = 0

    def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = b""
            while (char := self._read.read(1)) != b"\0":
                assert char, "Chromium hung up"
                answer += char
            value = json.loads(answer)
            if value.get("id") == self._number:
                return value["result"]

    def open(self, url: str) -> str:
        target = self.send("Target.createTarget", url=url)["targetId"]
        session: str = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        time.sleep(1.5)
        return session

    def run(self, session: str, script: str) -> Any:
        return self.send("Runtime.evaluate", session, expression=script, awaitPromise=True)["result"].get("value")

    def close(self) -> None:
        try:
            self.send("Browser.close")
            self.process.wait(20)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            stop(self.process)
        finally:
            self._read.close()
            os.close(self._write)


# What the button of the dialog "Delete browsing data" sends: history, cookies and stored copies, of all time.
_CLEAR = """new Promise(done => {
    const kinds = ["browsing_history", "cookies", "cache"].map(kind => `browser.clear_data.${kind}`);
    chrome.send("initializeClearBrowsingData", ["ready"]);
    chrome.send("clearBrowsingData", ["answer", kinds, 4]);
    setTimeout(() => done("sent"), 4000);
})"""


@pytest.mark.parametrize("clearing", [True, False])
def test_history_cleared_in_the_dialog_of_chromium(evidence: Any, tmp_path: Path, port: int, clearing: bool) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    data, place = tmp_path / "data", "/home/jo/.config/chromium/Default"
    switches = [word for word in chromium_switches(data, port) if "debugging-port" not in word]
    browser = Pipe([program, *switches, "about:blank"], tmp_path)
    try:
        for site in SITES:
            browser.open(f"http://www.{site}/page")
        time.sleep(11)  # the browser writes its history every ten seconds
        page = browser.open("chrome://settings/clearBrowserData")
        if clearing:
            assert browser.run(page, _CLEAR) == "sent"
    finally:
        browser.close()
    contents = {
        f"{place}/{path.relative_to(data / 'Default').as_posix()}": path for path in (data / "Default").rglob("*") if path.is_file()
    }
    files = evidence({name: path.read_bytes() for name, path in contents.items()})
    visits, problems = files.parse(chromium_history.parse, f"{place}/History")
    assert problems == []
    gaps, problems = files.parse(missing_history.parse_chromium, f"{place}/History")
    assert problems == []
    left = {item.url for item in visits if not item.recovered and ".example" in item.url}
    if not clearing:
        assert left == {f"http://www.{site}/page" for site in SITES} and gaps == []
        return
    assert left == set()
    [sites] = [gap for gap in gaps if gap.kind == "sites"]
    assert sites.sites == tuple(sorted(SITES)) and sites.strength == "moderate" and "Sessions" in sites.stores
