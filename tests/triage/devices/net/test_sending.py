"""The one place that sends: nothing but what is allowed, nothing off the link, everything counted. Only the loopback is used."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from ipaddress import IPv4Interface
from typing import Any

import pytest

from triage.devices.net import sending
from triage.devices.net.links import Link
from triage.devices.net.sending import Refused, Sender

LINK = Link("lo", IPv4Interface("127.0.0.1/24"), "02:f0:00:00:00:01")


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender(LINK, lambda _: None)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[tuple[int, dict[str, Any]]]:
    """A device at 127.0.0.2 that gives what it is told to: its port, and {status, body, head}."""
    answer: dict[str, Any] = {"status": 200, "body": b"<root/>", "head": {}}

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            for name, value in answer["head"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: Any) -> None:
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.2", 0), Page)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[1], answer
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(
    ("group", "port"), [("224.0.0.251", 1900), ("224.0.0.1", 5353), ("255.255.255.255", 137), ("8.8.8.8", 5353), ("239.255.255.250", 80)]
)
def test_other_groups_and_ports_are_refused(sender: Sender, group: str, port: int) -> None:
    with pytest.raises(Refused):
        sender.group(group, port, b"x")
    assert not sender.sent


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "127.0.1.2", "127.0.0.1", "127.0.0.0", "127.0.0.255", "::1", "name.example", "127.0.0.02", ""]
)
def test_addresses_off_the_link_are_refused(sender: Sender, address: str) -> None:
    for ask in (
        lambda: sender.names_of(address, b"x"),
        lambda: sender.arp(address),
        lambda: sender.description(f"http://{address}/", address),
    ):
        with pytest.raises(Refused):
            ask()
    assert not sender.sent


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.3/d.xml", "https://127.0.0.2/d.xml", "file:///etc/passwd", "http://127.0.0.2@8.8.8.8/", "http://8.8.8.8/", "http://127.0.0.2:99999/",
        "http://127.0.0.2/a\r\nX: y", "http://[::1/", "//127.0.0.2/", "http://localhost/", "http://127.0.0.2/ä",
    ],
)  # fmt: skip
def test_a_description_lies_on_the_device_that_named_it(sender: Sender, url: str) -> None:
    with pytest.raises(Refused):
        sender.description(url, "127.0.0.2")
    assert not sender.sent


def test_a_description_is_fetched(sender: Sender, server: tuple[int, dict[str, Any]]) -> None:
    port, answer = server
    assert sender.description(f"http://127.0.0.2:{port}/d.xml?x=1", "127.0.0.2") == b"<root/>"
    answer.update(status=302, head={"Location": "http://127.0.0.3/"})
    assert sender.description(f"http://127.0.0.2:{port}", "127.0.0.2") == b""
    answer.update(status=200, head={}, body=b"x" * (sending.LARGEST * 2))
    assert len(sender.description(f"http://127.0.0.2:{port}", "127.0.0.2")) <= sending.LARGEST + 16384
    assert sender.sent == {"device description fetched (HTTP)": 3}


def test_a_device_that_never_ends_does_not_hold_us(
    sender: Sender, server: tuple[int, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DESCRIPTION_SECONDS", 0.3)
    port, answer = server
    answer.update(head={"Content-Length": "1000"}, body=b"short")
    with pytest.raises((OSError, http.client.HTTPException)):
        sender.description(f"http://127.0.0.2:{port}", "127.0.0.2")


def test_more_than_enough_is_refused(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_PACKETS", 2)
    for _ in range(2):
        sender.names_of("127.0.0.9", b"x")
    with pytest.raises(Refused):
        sender.names_of("127.0.0.9", b"x")
    assert sender.sent == {"NetBIOS node status request": 2}
