"""The devices of one local network, put together from many messages: one ``NetworkHost`` for each that had an address of its own.

Messages are of one device where they came from the same IPv4 address. What came by IPv6, or before there was an address (DHCP), is joined by the
hardware address of the frame, where exactly one device has that. Over time addresses change hands: give it the messages of one short stay.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from artefacts.network import mac_makers
from artefacts.network.said import PRESENT, Said
from artefacts.observations import NetworkHost
from artefacts.times import NOT_RECORDED, Time, Timestamp

MOST = 5_000
_MOST_WORDS = 60
_NOT_ITS_OWN = ("00:00:00:00:00:00", "02:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")
_BY_MAKER = (
    ("game console", re.compile(r"nintendo|sony interactive", re.IGNORECASE)),
    ("network storage", re.compile(r"synology|qnap|buffalo|drobo", re.IGNORECASE)),
    ("television or player", re.compile(r"^roku|sonos", re.IGNORECASE)),
    ("printer", re.compile(r"brother|seiko epson|kyocera|lexmark|^xerox|^ricoh", re.IGNORECASE)),
)
"""Makers of whom nearly all that is on home networks is of one kind."""
_RANK = ("device on the network", "computer", "phone or tablet", "television or player", "network storage", "printer", "tablet", "phone", "game console", "router")  # fmt: skip
"""Of two kinds said of one device, the later one stands: a printer with a storage card is a printer."""


@dataclass(slots=True)
class _Host:
    addresses: set[str] = field(default_factory=set)
    macs: dict[str, int] = field(default_factory=dict)
    names: set[tuple[int, str]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    makers: dict[str, None] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)
    identifiers: set[str] = field(default_factory=set)
    protocols: set[str] = field(default_factory=set)
    first: Time = NOT_RECORDED
    last: Time = NOT_RECORDED

    def take(self, mac: str | None, said: Said, time: Time) -> None:
        if mac and mac not in _NOT_ITS_OWN and not int(mac[:2], 16) & 1 and len(self.macs) < _MOST_WORDS:
            self.macs[mac] = self.macs.get(mac, 0) + 1
        self.names.update(said.names[: _MOST_WORDS - len(self.names)])
        self.services.update(said.services[: _MOST_WORDS - len(self.services)])
        self.identifiers.update(said.identifiers[: _MOST_WORDS - len(self.identifiers)])
        for chosen, text in ((self.makers, said.maker), (self.models, said.model)):
            if text and len(chosen) < _MOST_WORDS:
                chosen[text] = None
        if said.kind:
            self.kinds.add(said.kind)
        self.protocols.add(said.protocol)
        if isinstance(time, Timestamp):
            self.first = min(self.first, time) if isinstance(self.first, Timestamp) else time
            self.last = max(self.last, time) if isinstance(self.last, Timestamp) else time

    def join(self, other: _Host) -> None:
        self.addresses |= other.addresses
        for mac, count in other.macs.items():
            self.macs[mac] = self.macs.get(mac, 0) + count
        self.names |= other.names
        self.kinds |= other.kinds
        self.makers |= other.makers
        self.models |= other.models
        self.services |= other.services
        self.identifiers |= other.identifiers
        self.protocols |= other.protocols
        for name, choose in (("first", min), ("last", max)):
            times = [time for time in (getattr(self, name), getattr(other, name)) if isinstance(time, Timestamp)]
            setattr(self, name, choose(times) if times else NOT_RECORDED)

    def mac(self) -> str | None:
        return max(self.macs, key=lambda mac: (self.macs[mac], mac), default=None)

    def observation(self, how: Callable[[set[str]], str]) -> NetworkHost:
        mac = self.mac()
        names = sorted(self.names, key=lambda item: (-item[0], len(item[1]), item[1]))
        best = names[0][1] if names else None
        made_by = mac_makers.maker(mac) if mac else None
        kinds = self.kinds | {kind for kind, pattern in _BY_MAKER if made_by and pattern.search(made_by)}
        others = {f"hostname:{name}" for goodness, name in names if name != best and goodness > PRESENT}
        return NetworkHost(
            address=min(self.addresses, key=_address_order, default=None),
            mac=mac,
            name=best,
            kind=max(kinds, key=lambda kind: (_RANK.index(kind) if kind in _RANK else 0, kind), default=None),
            maker=next(iter(self.makers), made_by),
            model=next(iter(self.models), None),
            services=tuple(sorted(self.services)),
            first=self.first,
            last=self.last,
            how=how(self.protocols),
            identifiers=tuple(sorted(self.identifiers | others)),
            locator=", ".join(sorted(self.protocols)),
        )


class Hosts:
    """Takes messages, gives hosts. ``dropped`` counts devices that were too many."""

    def __init__(self) -> None:
        self._by: dict[str, _Host] = {}
        self.dropped = 0

    def add(self, address: str | None, mac: str | None, said: Said, time: Time = NOT_RECORDED) -> None:
        """Take what was said by, or of, an address (either may be None, not both)."""
        address, mac = said.address or address, said.mac or mac
        key = address or (f"mac {mac}" if mac else None)
        if key is None:
            return
        host = self._by.get(key)
        if host is None:
            if len(self._by) >= MOST:
                self.dropped += 1
                return
            host = self._by[key] = _Host()
            if address:
                host.addresses.add(address)
        host.take(mac, said, time)

    def addresses(self) -> list[str]:
        """Every IPv4 address that something is at, in order."""
        return sorted((key for key in self._by if _is_v4(key)), key=_address_order)

    def observations(self, how: Callable[[set[str]], str]) -> Iterator[NetworkHost]:
        """One record for each device, in the order of addresses; ``how`` makes of the protocols by which it was met the field of that name."""
        whole = {key: host for key, host in self._by.items() if _is_v4(key)}
        by_mac: dict[str, list[_Host]] = {}
        merged = {}
        for key in sorted(whole, key=_address_order):
            merged[key] = copy = _Host()
            copy.join(whole[key])
            if (mac := copy.mac()) is not None:
                by_mac.setdefault(mac, []).append(copy)
        for key in sorted(self._by.keys() - whole.keys()):
            host = self._by[key]
            mac = host.mac() or (key.removeprefix("mac ") if key.startswith("mac ") else None)
            owners = by_mac.get(mac or "", [])
            if len(owners) == 1:
                owners[0].join(host)
                continue
            merged[key] = copy = _Host()
            copy.join(host)
            if mac and not owners:
                by_mac[mac] = [copy]
        for host in merged.values():
            yield host.observation(how)


def _is_v4(text: str) -> bool:
    return "." in text and ":" not in text


def _address_order(text: str) -> tuple[int, int]:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return 9, 0
    return address.version, int(address)
