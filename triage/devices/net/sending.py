"""The one place from which a packet goes out: only what is listed in ``ALLOWED``, never off the link, slowly, and counted.

Every socket is bound to the link's own address (and on Linux, where it is allowed, to its interface), with a time to live of 1: a router would drop it.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from artefacts.network import mac_makers
from artefacts.network.announcements import MDNS, NETBIOS_NAMES, SSDP, WS_DISCOVERY
from artefacts.network.xml_text import LARGEST
from triage.devices.net.links import Link

ALLOWED = {
    ("224.0.0.251", MDNS): "mDNS question",
    ("239.255.255.250", SSDP): "SSDP search",
    ("239.255.255.250", WS_DISCOVERY): "WS-Discovery probe",
}
"""Groups and ports that may be written to, and what such a packet is called. Besides: NetBIOS names (port 137) of single devices, and ARP."""
PAUSE = 0.02
"""Seconds between two packets."""
ARP_PAUSE = 0.01
MOST_PACKETS = 6_000
DESCRIPTION_SECONDS = 3.0
_ARP = 0x0806
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,9})", re.IGNORECASE)


class Refused(Exception):
    """The packet would leave the link, or is none that may be sent."""


class Sender:
    """Sends on one link. ``sent`` counts by kind. ``wait`` is called with the seconds to let pass after each packet."""

    def __init__(self, link: Link, wait: Callable[[float], None]) -> None:
        self._link, self._wait = link, wait
        self.sent: Counter[str] = Counter()
        self.udp = self._bound(socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(link.address))
        self.udp.setblocking(False)
        self._raw = self._raw_socket()

    def close(self) -> None:
        """Close the sockets."""
        self.udp.close()
        if self._raw is not None:
            self._raw.close()

    @property
    def can_arp(self) -> bool:
        """Whether ARP requests can be made by ourselves, as Linux allows its administrator."""
        return self._raw is not None

    def group(self, group: str, port: int, data: bytes) -> None:
        """Send to a multicast group. Raises ``Refused`` for one that is not in ``ALLOWED``, ``OSError``."""
        kind = ALLOWED.get((group, port))
        if kind is None:
            raise Refused(f"{group}:{port} is no place to ask")
        self._count(kind)
        self.udp.sendto(data, (group, port))
        self._wait(PAUSE)

    def names_of(self, address: str, data: bytes) -> None:
        """Ask one device on the link for its NetBIOS names. Raises ``Refused`` for an address that is not on the link, ``OSError``."""
        self._check(address)
        self._count("NetBIOS node status request")
        self.udp.sendto(data, (address, NETBIOS_NAMES))
        self._wait(PAUSE)

    def arp(self, address: str) -> None:
        """Ask who has an address. Raises ``Refused`` for one that is not on the link, ``OSError``."""
        self._check(address)
        own = mac_makers.normal(self._link.mac or "")
        if self._raw is None or own is None:
            raise Refused("this system does not let us ask by ARP")
        mac = bytes.fromhex(own.replace(":", ""))
        frame = b"\xff" * 6 + mac + _ARP.to_bytes(2, "big") + b"\0\1\x08\0\6\4\0\1" + mac + socket.inet_aton(self._link.address)
        self._count("ARP request")
        self._raw.send(frame + bytes(6) + socket.inet_aton(address) + bytes(18))
        self._wait(ARP_PAUSE)

    def description(self, url: str, owner: str) -> bytes:
        """The device description at an address that ``owner`` named: on the owner itself, by HTTP, at most ``LARGEST`` bytes, no redirection.

        Raises ``Refused`` for any other address, ``OSError``, ``http.client.HTTPException``.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 80
        except ValueError as error:
            raise Refused(f"not an address: {error}") from None
        self._check(owner)
        if parts.scheme != "http" or host != owner or any(ord(letter) <= 32 or ord(letter) > 126 for letter in parts.path + parts.query):
            raise Refused("it lies on another device, or is not HTTP")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._count("device description fetched (HTTP)")
        link = self._bound(socket.SOCK_STREAM)
        try:
            link.settimeout(DESCRIPTION_SECONDS)
            link.connect((owner, port))
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: {owner}:{port}\r\nConnection: close\r\nUser-Agent: triage\r\n\r\n".encode("ascii"))
            answer = _received(link)
        finally:
            link.close()
            self._wait(PAUSE)
        response = http.client.HTTPResponse(_Answer(answer))  # type: ignore[arg-type]
        response.begin()
        return response.read() if response.status == 200 else b""

    def _check(self, address: str) -> None:
        if not self._link.holds(address) or str(IPv4Address(address)) != address:
            raise Refused(f"{address} is not on the link")

    def _count(self, kind: str) -> None:
        if self.sent.total() >= MOST_PACKETS:
            raise Refused(f"more than {MOST_PACKETS} packets are not sent")
        self.sent[kind] += 1

    def _bound(self, kind: socket.SocketKind) -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        # Never through a router, whatever the routes say.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
        if hasattr(socket, "SO_BINDTODEVICE"):
            try:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._link.name.encode())
            except PermissionError:
                pass  # the address it is bound to still decides the interface
        made.bind((self._link.address, 0))
        return made

    def _raw_socket(self) -> socket.socket | None:
        if not hasattr(socket, "AF_PACKET"):
            return None
        try:
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError:
            return None
        raw.bind((self._link.name, 0))
        return raw


class _Answer(io.BytesIO):
    """Bytes that were received, where ``HTTPResponse`` wants a socket."""

    def makefile(self, _mode: str) -> io.BytesIO:
        """Itself."""
        return self


def _received(link: socket.socket) -> bytes:
    """All that comes until the other side closes or its answer is whole, at most ``LARGEST`` bytes and ``DESCRIPTION_SECONDS``."""
    data, ends = b"", time.monotonic() + DESCRIPTION_SECONDS
    while len(data) < LARGEST and (left := ends - time.monotonic()) > 0:
        link.settimeout(left)
        part = link.recv(16384)
        if not part:
            break
        data += part
        head, end, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if end else None
        if length and len(body) >= int(length[1]):
            break
    return data
