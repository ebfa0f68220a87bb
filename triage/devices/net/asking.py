"""Questions to the devices of a link, after the officer's explicit yes: what is there, what it is called, what it is.

mDNS (services, their instances, host names), SSDP with the descriptions that devices point to, WS-Discovery, ARP for each address of the subnet, NetBIOS
names. No other ports, no logins, nothing twice as fast as ``sending`` lets it go.
"""

from __future__ import annotations

import http.client
import uuid
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from artefacts.coverage import Problem, Status
from artefacts.network import mdns, netbios, ssdp, ws_discovery
from artefacts.network.announcements import MDNS, SSDP, WS_DISCOVERY
from artefacts.network.hosts import Hosts
from triage.devices.net.ear import Ear
from triage.devices.net.links import Link
from triage.devices.net.sending import Refused, Sender

LARGEST_SUBNET = 22
"""Prefix of the largest subnet of which each address is asked: 1,022 addresses."""
MOST_DESCRIPTIONS = 60
_MDNS_GROUP, _UPNP_GROUP = "224.0.0.251", "239.255.255.250"
_ROUNDS = 2
_SETTLE = 1.0
_SEARCH_SETTLE = 2.5
"""Seconds: a reply to a search may take two (MX)."""


def ask(link: Link, ear: Ear, sender: Sender, hosts: Hosts, stopped: Callable[[], bool]) -> Iterator[Problem]:
    """Ask everything that may be asked. Replies go to ``ear``, which tells ``hosts``. Yields what could not be asked."""
    asked: set[tuple[str, str]] = {(mdns.TYPES, "PTR"), *((name, "PTR") for name in mdns.COMMON_TYPES)}
    try:
        for _ in range(_ROUNDS):
            _mdns(sender, sorted(asked))
            sender.group(_UPNP_GROUP, SSDP, ssdp.SEARCH)
            sender.group(_UPNP_GROUP, WS_DISCOVERY, ws_discovery.probe(str(uuid.uuid4())))
            ear.listen(_SETTLE)
        yield from _sweep(link, sender, hosts, stopped)
        ear.listen(_SETTLE)
        for _ in range(_ROUNDS):  # types lead to instances, those to hosts
            known = [(name, "PTR") for name in sorted(ear.types)[:60]]
            known += [(name, kind) for name in sorted(ear.instances)[:100] for kind in ("SRV", "TXT")]
            known += [(f"{IPv4Address(address).reverse_pointer}.", "PTR") for address in hosts.addresses() if link.holds(address)][:300]
            new = [item for item in known if item not in asked]
            asked.update(new)
            _mdns(sender, new)
            ear.listen(_SETTLE)
        if sender.can_arp:
            for number, address in enumerate(hosts.addresses()):
                if link.holds(address) and not stopped():
                    sender.names_of(address, netbios.question(number))
        ear.listen(_SEARCH_SETTLE)
        yield from _descriptions(link, ear, sender, hosts, stopped)
    except (Refused, OSError) as error:
        yield Problem(f"not everything could be asked on {link.name}: {error}", Status.FAILED)


def _mdns(sender: Sender, names: Iterable[tuple[str, str]]) -> None:
    for packet in mdns.questions(names) if names else ():
        sender.group(_MDNS_GROUP, MDNS, packet)


def _sweep(link: Link, sender: Sender, hosts: Hosts, stopped: Callable[[], bool]) -> Iterator[Problem]:
    """Every address of the subnet, twice those that do not answer. Where ARP requests cannot be made, the question for NetBIOS names makes the system ask."""
    subnet = link.subnet
    if subnet.prefixlen < LARGEST_SUBNET:
        yield Problem(
            f"the network {subnet} has more addresses than are asked one by one: only the {2 ** (32 - LARGEST_SUBNET) - 2} around this computer's own were",
            Status.SKIPPED,
        )
        subnet = IPv4Network(f"{link.address}/{LARGEST_SUBNET}", strict=False)
    for _ in range(_ROUNDS if sender.can_arp else 1):
        there = set(hosts.addresses())
        for number, ip in enumerate(subnet.hosts()):
            address = str(ip)
            if stopped():
                return
            if address in there or not link.holds(address):
                continue
            if sender.can_arp:
                sender.arp(address)
            else:
                try:
                    sender.names_of(address, netbios.question(number))
                except OSError:  # the system found nobody there
                    continue


def _descriptions(link: Link, ear: Ear, sender: Sender, hosts: Hosts, stopped: Callable[[], bool]) -> Iterator[Problem]:
    places = list(ear.descriptions)
    for address, url in places[:MOST_DESCRIPTIONS]:
        if stopped():
            return
        try:
            said = ssdp.description(sender.description(url, address))
        except Refused as error:
            yield Problem(f"the description of {address} was not fetched: {error}", Status.SKIPPED)
            continue
        except (OSError, http.client.HTTPException, ValueError) as error:
            yield Problem(f"the description of {address} could not be fetched: {error}", Status.UNREADABLE)
            continue
        if said is None:
            yield Problem(f"the description of {address} is none", Status.UNRECOGNISED)
        else:
            ear.told(address, said)
    if len(places) > MOST_DESCRIPTIONS:
        yield Problem(f"more than {MOST_DESCRIPTIONS} descriptions: the rest was not fetched", Status.FAILED)
