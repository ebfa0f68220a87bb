"""What one message on a local network says of the device that it is about."""

from __future__ import annotations

from dataclasses import dataclass

PRESENT, LOOKED_UP, SHORT, HOST, FRIENDLY = range(5)
"""How good a name is, from none to the one that its owner chose: of a lookup, of NetBIOS or DHCP, of a host, for people to read."""


@dataclass(frozen=True, slots=True)
class Said:
    """``protocol``: by which words it came (mDNS, SSDP, …). ``names``: (how good, name) pairs. ``kind``: in the words of ``NetworkHost.kind``.

    ``identifiers`` as in ``NetworkHost``. ``address`` and ``mac``: whom it is about, where that is not the sender. ``description``: address (URL) at
    which the device says it offers more.
    """

    protocol: str
    names: tuple[tuple[int, str], ...] = ()
    kind: str | None = None
    maker: str | None = None
    model: str | None = None
    services: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    address: str | None = None
    mac: str | None = None
    description: str | None = None


def plain(value: object, most: int = 200) -> str | None:
    """Text from the network for a record: one line, at most ``most`` characters, None for nothing."""
    text = " ".join(str(value or "").replace("\0", " ").split())[:most]
    return text or None
