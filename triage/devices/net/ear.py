"""Hearing what is announced on a link without sending anything.

Where the system lets us (Linux, as administrator) frames are read that go to all or to a group, and ARP: a filter in the kernel keeps everything else away
from us, so nobody's traffic is read. Joining a multicast group would send a packet (IGMP), so no group is joined: the interface is told to accept all
groups instead, which is undone when the socket closes. Elsewhere ordinary sockets hear what the system itself has joined, and what is
broadcast.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from artefacts.coverage import Problem, Status
from artefacts.network import announcements, frames, mdns
from artefacts.network.hosts import Hosts
from artefacts.network.said import Said
from artefacts.times import Timestamp
from triage.devices.net.links import Link

HEARD = ("mDNS", "SSDP", "WS-Discovery", "LLMNR", "NetBIOS", "DHCP", "ARP")
MOST_FRAMES = 500_000
_OUTGOING = 4
_PACKET_ADD_MEMBERSHIP, _PACKET_MR_ALLMULTI, _SOL_PACKET, _SO_ATTACH_FILTER = 1, 2, 263, 26
_FILTER = (
    (0x28, 0, 0, 12),  # the frame's protocol
    (0x15, 2, 0, 0x0806),  # ARP: take
    (0x30, 0, 0, 0),  # the first byte of its target
    (0x45, 0, 1, 1),  # to one device only: leave
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)
"""Classic BPF (Linux, ``filter.h``): code, jump if true, jump if false, number."""
_BIG = 1 << 20


class Ear:
    """Listens on one link and tells ``hosts``. ``now``: this computer's time; ``stopped``: whether to end early."""

    def __init__(self, link: Link, hosts: Hosts, now: Callable[[], Timestamp], stopped: Callable[[], bool]) -> None:
        self._link, self._hosts, self._now, self._stopped = link, hosts, now, stopped
        self._raw: socket.socket | None = None
        self._sockets: dict[socket.socket, int] = {}
        self._frames = 0
        self.descriptions: dict[tuple[str, str], None] = {}
        """(device, address at which it describes itself)."""
        self.types: set[str] = set()
        self.instances: set[str] = set()

    def open(self) -> Iterator[Problem]:
        """Begin to hear. Yields what cannot be heard, and why."""
        self._raw = self._packet_socket()
        if self._raw is not None:
            self._sockets[self._raw] = 0
            return
        missed = []
        for port in announcements.PORTS:
            try:
                self._sockets[_listening(port)] = port
            except OSError as error:
                missed.append(f"{port} ({error.strerror or error})")
        yield Problem(
            f"on {self._link.name} only broadcasts and what this system listens to itself can be heard: to ask the network for more would send a packet",
            Status.UNREADABLE,
        )
        if missed:
            yield Problem(f"this system does not let us listen on the ports {', '.join(missed)}", Status.UNREADABLE)

    def also(self, replies: socket.socket) -> None:
        """Hear the replies that come to a socket from which questions are sent."""
        self._sockets[replies] = -1

    def close(self) -> None:
        """Hear no more. Sockets given by ``also`` are left to their owner."""
        for opened, port in self._sockets.items():
            if port >= 0:
                opened.close()
        self._sockets.clear()

    def listen(self, seconds: float) -> None:
        """Hear for so long."""
        import select

        ends = time.monotonic() + seconds
        while not self._stopped():
            left = ends - time.monotonic()
            ready, _, _ = select.select(list(self._sockets), [], [], max(0.0, min(left, 0.2))) if self._sockets else ([], [], [])
            for opened in ready:
                self._drain(opened)
            if left <= 0:
                return
            if not self._sockets:
                time.sleep(min(left, 0.2))

    def told(self, address: str, said: Said) -> None:
        """Take what a device said when it was asked by name."""
        self._hosts.add(address, None, said, self._now())

    def _drain(self, opened: socket.socket) -> None:
        for _ in range(100):  # a flood must not keep us from the clock
            if self._frames >= MOST_FRAMES:
                return
            try:
                data, sender = opened.recvfrom(65535)
            except OSError:  # nothing more, or a complaint that an earlier packet met nobody
                return
            self._frames += 1
            if opened is self._raw:
                if sender[2] != _OUTGOING and (frame := frames.read(data)) is not None:
                    self._frame(frame)
            else:
                port = self._sockets[opened]
                self._take(sender[0], None, sender[1], port if port > 0 else 0, data)

    def _frame(self, frame: frames.Frame) -> None:
        if frame.mac == self._link.mac:
            return
        if frame.protocol != "UDP" or frame.source + frame.target == 0:
            if self._near(frame.address):
                self._hosts.add(frame.address, frame.mac, Said(frame.protocol), self._now())
            return
        self._take(frame.address, frame.mac, frame.source, frame.target, frame.payload)

    def _take(self, address: str | None, mac: str | None, source: int, target: int, payload: bytes) -> None:
        if address is not None and not self._near(address):
            return
        if announcements.MDNS in (source, target):
            message = mdns.read(payload)
            said = message.said if message else None
            if message:
                self.types |= message.types if len(self.types) < 100 else set()
                self.instances |= message.instances if len(self.instances) < 1000 else set()
        else:
            said = announcements.said(source, target, payload)
            if said is None and target == 0:  # a reply to a search may come from any port
                said = announcements.said(announcements.SSDP, 0, payload) or announcements.said(announcements.WS_DISCOVERY, 0, payload)
        if said is None:
            if address and mac:
                self._hosts.add(address, mac, Said("UDP"), self._now())
            return
        if said.address is not None and not self._near(said.address):
            said = _elsewhere(said)
        if said.description and address and len(self.descriptions) < 200:
            self.descriptions[address, said.description] = None
        self._hosts.add(address, mac, said, self._now())

    def _near(self, address: str | None) -> bool:
        """Whether it is an address of another device on this link. Everything of a neighbouring network is dropped here."""
        if address is None:
            return False
        return address.lower().startswith("fe80:") if ":" in address else self._link.holds(address)

    def _packet_socket(self) -> socket.socket | None:
        if not hasattr(socket, "AF_PACKET"):
            return None
        every = 3  # ETH_P_ALL
        try:
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError:
            return None
        try:
            program = b"".join(struct.pack("HBBI", *step) for step in _FILTER)
            steps = ctypes.create_string_buffer(program)
            raw.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(_FILTER), ctypes.addressof(steps)))
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BIG)
            raw.bind((self._link.name, every))
            index = socket.if_nametoindex(self._link.name)
            raw.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", index, _PACKET_MR_ALLMULTI, 0, b""))
            raw.setblocking(False)
        except OSError:
            raw.close()
            return None
        return raw


def _elsewhere(said: Said) -> Said:
    """What a device says of an address that is not on this link (its other interface) is still said of the device."""
    from dataclasses import replace

    return replace(said, address=None)


def _listening(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            with suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("", port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
