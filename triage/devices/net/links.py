"""The local networks that this computer is on: which interfaces, with which addresses."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from artefacts.coverage import Problem, Status
from artefacts.network import mac_makers

MOST = 16
_SHARED = IPv4Network("100.64.0.0/10")
_INSIDE = re.compile(
    r"^(?:lo\d*|docker|veth|virbr|vmnet|vboxnet|br-[0-9a-f]{12}|tun|tap|utun|wg|ppp|tailscale|zt|ifb|awdl|llw|bridge\d|ap\d|anpi|loopback|vethernet|vmware|virtualbox)",
    re.IGNORECASE,
)
"""Interfaces that lead to other systems inside this computer, or through a tunnel to somewhere else."""


@dataclass(frozen=True, slots=True)
class Link:
    """An interface: its ``name``, its address with the subnet, its hardware address where it is told."""

    name: str
    interface: IPv4Interface
    mac: str | None = None

    @property
    def address(self) -> str:
        """This computer's own address there."""
        return str(self.interface.ip)

    @property
    def subnet(self) -> IPv4Network:
        """The addresses that are on the link."""
        return self.interface.network

    def holds(self, address: str | None) -> bool:
        """Whether an IPv4 address is one of another device on this link."""
        try:
            ip = IPv4Address(address or "")
        except ValueError:
            return False
        subnet = self.subnet
        return ip in subnet and ip != self.interface.ip and (subnet.prefixlen > 30 or ip not in (subnet[0], subnet[-1]))


def is_local(address: str) -> bool:
    """Whether an IPv4 address is one of a private network."""
    ip = IPv4Address(address)
    return (ip.is_private or ip in _SHARED) and not ip.is_loopback


def links() -> Iterator[Link | Problem]:
    """Every local network that is up, by the interface's name. One with public addresses is told and left out: it is no home network."""
    import psutil

    stats, found = psutil.net_if_stats(), 0
    for name, addresses in sorted(psutil.net_if_addrs().items()):
        if _INSIDE.match(name) or name not in stats or not stats[name].isup or "pointopoint" in stats[name].flags:
            continue
        mac = next((mac_makers.normal(item.address) for item in addresses if item.family == psutil.AF_LINK), None)
        for item in addresses:
            if item.family != socket.AF_INET or not item.netmask:
                continue
            interface = IPv4Interface(f"{item.address}/{item.netmask}")
            if interface.ip.is_loopback or interface.network.prefixlen >= 31:
                continue
            if not is_local(item.address):
                yield Problem(f"{name} has a public address: nothing is listened to or asked there", Status.SKIPPED)
            elif found < MOST:
                found += 1
                yield Link(name, interface, mac)
            else:
                yield Problem(f"more than {MOST} networks: {name} is left out", Status.FAILED)
