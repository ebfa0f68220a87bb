"""Requests for an address (DHCP, ports 67 and 68): a device says its hardware address, often its name and what kind of thing it is.

Sources: RFC 2131 section 2, RFC 2132 (options 12 host name, 50 requested address, 60 vendor class), RFC 4702 (81 full name).
"""

from __future__ import annotations

import ipaddress

from artefacts.network.said import SHORT, Said, plain

_COOKIE = b"\x63\x82\x53\x63"
_CLASSES = (
    ("android-dhcp", "phone or tablet"),
    ("dhcpcd", None),
    ("MSFT", "computer"),
    ("XBOX", "game console"),
    ("PS3", "game console"),
    ("PS4", "game console"),
    ("PS5", "game console"),
    ("HP Printer", "printer"),
    ("Hewlett-Packard JetDirect", "printer"),
    ("udhcp", None),
)


def request(data: bytes) -> Said | None:
    """What a client's packet says of the client. None for a server's, and for what is none."""
    if len(data) < 240 or data[0] != 1 or data[1] != 1 or data[2] != 6 or data[236:240] != _COOKIE:
        return None
    options = _options(data[240:])
    wanted = options.get(50, b"") if len(options.get(50, b"")) == 4 else data[12:16]
    full = options.get(81, b"")
    name = plain((options.get(12) or (full[3:] if len(full) > 3 and not full[0] & 4 else b"")).decode("utf-8", "replace"), 100)
    said = plain(options.get(60, b"").decode("utf-8", "replace"), 60) or ""
    return Said(
        "DHCP",
        names=((SHORT, name),) if name else (),
        kind=next((kind for start, kind in _CLASSES if said.startswith(start)), None),
        services=(f"DHCP client {said}",) if said else (),
        address=str(ipaddress.IPv4Address(wanted)) if any(wanted) else None,
        mac=data[28:34].hex(":"),
    )


def _options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        found.setdefault(data[at], data[at + 2 : at + 2 + length])
        at += 2 + length
    return found
