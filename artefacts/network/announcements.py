"""From a UDP payload and its ports to what it says: the one place that knows which protocol is spoken where."""

from __future__ import annotations

from collections.abc import Callable

from artefacts.network import dhcp, mdns, netbios, ssdp, ws_discovery
from artefacts.network.said import Said

MDNS, SSDP, WS_DISCOVERY, LLMNR, NETBIOS_NAMES, NETBIOS_DATAGRAMS, DHCP_SERVER, DHCP_CLIENT = 5353, 1900, 3702, 5355, 137, 138, 67, 68


def _mdns(data: bytes) -> Said | None:
    message = mdns.read(data)
    return message.said if message else None


_READERS: dict[int, Callable[[bytes], Said | None]] = {
    MDNS: _mdns, SSDP: ssdp.message, WS_DISCOVERY: ws_discovery.message, LLMNR: mdns.looked_up, NETBIOS_NAMES: netbios.name_service,
    NETBIOS_DATAGRAMS: netbios.datagram, DHCP_SERVER: dhcp.request, DHCP_CLIENT: dhcp.request,
}  # fmt: skip
PORTS = tuple(_READERS)


def said(source: int, target: int, payload: bytes) -> Said | None:
    """What a datagram between two ports says of its sender; None for other ports, and for what is not of its protocol."""
    reader = _READERS.get(target) or _READERS.get(source)
    return reader(payload) if reader else None
