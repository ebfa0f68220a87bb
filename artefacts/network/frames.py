"""Ethernet frames as far as they tell who is on a local network: ARP, and announcements by UDP. Everything else is passed over unread.

Sources: IEEE 802.3 and 802.1Q; RFC 826 (ARP); RFC 791, RFC 8200, RFC 768.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

_VLAN, _ARP, _IP4, _IP6 = 0x8100, 0x0806, 0x0800, 0x86DD
_UDP = 17


class Frame(NamedTuple):
    """Who sent it (``mac``, ``address``), and of a UDP datagram the ports and the payload; both ports are 0 for ARP and other protocols.

    ``address`` is None where the sender had none yet.
    """

    mac: str
    address: str | None
    protocol: str
    source: int = 0
    target: int = 0
    payload: bytes = b""


def read(data: bytes) -> Frame | None:
    """The frame in ``data``; None for what is cut short, of another protocol, or a fragment."""
    if len(data) < 14:
        return None
    mac, kind, at = data[6:12].hex(":"), int.from_bytes(data[12:14], "big"), 14
    if kind == _VLAN and len(data) >= 18:
        kind, at = int.from_bytes(data[16:18], "big"), 18
    body = data[at:]
    if kind == _ARP:
        if len(body) < 28 or body[:6] != b"\0\1\x08\0\6\4":
            return None
        sender = ipaddress.IPv4Address(body[14:18])
        return Frame(body[8:14].hex(":"), str(sender) if int(sender) else None, "ARP")
    if kind == _IP4:
        return _ip4(mac, body)
    if kind == _IP6 and len(body) >= 40:
        return _udp(mac, str(ipaddress.IPv6Address(body[8:24])), body[6], body[40:])
    return None


def _ip4(mac: str, body: bytes) -> Frame | None:
    if len(body) < 20 or body[0] >> 4 != 4 or int.from_bytes(body[6:8], "big") & 0x3FFF:
        return None
    head, total = (body[0] & 15) * 4, int.from_bytes(body[2:4], "big")
    sender = ipaddress.IPv4Address(body[12:16])
    return _udp(mac, str(sender) if int(sender) else None, body[9], body[head : max(total, head)]) if head >= 20 else None


def _udp(mac: str, address: str | None, protocol: int, body: bytes) -> Frame | None:
    if protocol != _UDP:
        return Frame(mac, address, "IP")
    if len(body) < 8:
        return None
    source, target, length = struct.unpack_from(">HHH", body)
    return Frame(mac, address, "UDP", source, target, body[8 : max(length, 8)])
