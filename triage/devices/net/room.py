"""The local network as a gatherer of the survey: known, heard, asked, put together into one record a device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from artefacts.coverage import Problem, Status
from artefacts.network.hosts import Hosts
from artefacts.network.said import Said
from artefacts.observations import KnownNetwork, NetworkHost, Observation
from artefacts.times import Timestamp
from triage.devices.net import known
from triage.devices.net.asking import ask
from triage.devices.net.ear import HEARD, Ear
from triage.devices.net.links import Link, links
from triage.devices.net.sending import Sender
from triage.devices.survey import Gatherer, Touch

MET, REMEMBERED = "met on the local network", "neighbour table of this computer"
CACHED = "name cache of this computer"
Items = Iterator[Observation | Problem | Touch]


def gatherer(listen: float, asks: bool, now: Callable[[], Timestamp], say: Callable[[str], None]) -> Gatherer:
    """``listen``: seconds; ``asks``: whether questions may be sent; ``say`` is told what takes a while."""
    return Gatherer("local network", lambda stopped: gather(listen, asks, now, say, stopped), parser="network/1")


def gather(listen: float, asks: bool, now: Callable[[], Timestamp], say: Callable[[str], None], stopped: Callable[[], bool]) -> Items:
    """One ``NetworkHost`` for each device of each link, a ``KnownNetwork`` for each link. Without ``asks`` not one packet is sent."""
    found: list[Link] = []
    for item in links():
        if isinstance(item, Link):
            found.append(item)
        else:
            yield item
    if not found:
        yield Problem("this computer is on no local network", Status.MISSING)
        return
    books = {link.name + link.address: Hosts() for link in found}
    yield from _remembered(found, books, now())
    for link in found:
        hosts = books[link.name + link.address]
        if listen or asks:
            yield from _listen(link, hosts, listen, asks, now, say, stopped)
            for address, mac in _neighbours():  # whoever answered is in this computer's own table now
                if link.holds(address):
                    hosts.add(address, mac, Said(known.NEIGHBOURS), now())
        gateway = None
        for host in hosts.observations(lambda protocols: REMEMBERED if protocols <= known.ALL else MET):
            gateway = host.mac if host.kind == "router" else gateway
            yield host
        if hosts.dropped:
            yield Problem(f"more devices than are kept: {hosts.dropped} messages were left out", Status.FAILED)
        wireless = Path(f"/sys/class/net/{link.name}/wireless").exists()
        yield KnownNetwork(
            name=f"{link.subnet} at {link.name}",
            kind="wireless" if wireless else None,
            last=now(),
            gateway_mac=gateway,
            how="connected now",
            locator=link.name,
        )
    if not listen:
        yield Problem("the local network was not listened to: --listen was not given", Status.SKIPPED)
    if not asks:
        yield Problem("the devices of the local network were not asked: --ask was not given", Status.SKIPPED)


def _remembered(found: list[Link], books: dict[str, Hosts], now: Timestamp) -> Iterator[Problem | NetworkHost]:
    for item in known.known():
        if isinstance(item, Problem):
            yield item
            continue
        if item.address is None:  # the name cache of Windows tells no addresses
            for _, name in item.said.names:
                yield NetworkHost(name=name, last=now, how=CACHED, locator=item.said.protocol)
            continue
        for link in found:
            if link.holds(item.address):
                books[link.name + link.address].add(item.address, item.mac, item.said, now)


def _neighbours() -> Iterator[tuple[str, str]]:
    for item in known.known():
        if not isinstance(item, Problem) and item.address and item.mac:
            yield item.address, item.mac


def _listen(
    link: Link,
    hosts: Hosts,
    seconds: float,
    asks: bool,
    now: Callable[[], Timestamp],
    say: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Iterator[Problem | Touch]:
    before = _sent_by_interface(link)
    ear = Ear(link, hosts, now, stopped)
    sent: Counter[str] = Counter()
    try:
        yield from ear.open()
        if seconds:
            say(f"Listening on {link.name} ({link.subnet}) for {seconds:.0f} seconds")
            ear.listen(seconds)
        if asks:
            say(f"Asking the devices on {link.name} ({link.subnet})")
            try:
                sender = Sender(link, ear.listen)
            except OSError as error:
                yield Problem(f"nothing can be sent on {link.name}: {error.strerror or error}", Status.UNREADABLE)
            else:
                ear.also(sender.udp)
                try:
                    yield from ask(link, ear, sender, hosts, stopped)
                finally:
                    sent = sender.sent
                    sender.close()
    finally:
        ear.close()
    if stopped():
        yield Problem("stopped by the operator", Status.OUT_OF_TIME)
    if seconds:
        yield Touch(f"listened on {link.name} ({link.subnet}) for {seconds:.0f} s to {', '.join(HEARD)}; nothing was sent", "--listen")
    for kind in sorted(sent):
        yield Touch(f"sent on {link.name} ({link.subnet}): {kind}, {sent[kind]}", "--ask: to find the devices of the local network")
    after = _sent_by_interface(link)
    if before is not None and after is not None:
        yield Touch(f"packets that {link.name} sent in this time, whatever program they were of: {after - before}", "to compare with")


def _sent_by_interface(link: Link) -> int | None:
    import psutil

    counters = psutil.net_io_counters(pernic=True).get(link.name)
    return counters.packets_sent if counters else None
