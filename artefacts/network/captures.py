"""Captures of network traffic (``.pcap``) that lie on a drive: which local devices talked, and when. What they said is not read.

Source: ``pcap-savefile(5)``; IEEE 802.3, RFC 791, RFC 826. Only addresses of the local network (RFC 1918, RFC 3927) are taken: a device
behind a router shows with the router's hardware address.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.network import mac_makers
from artefacts.observations import NetworkHost, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Timestamp

_MAGIC = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000), b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}
_ETHERNET = 1
_LONGEST = 256 << 10  # bytes of a packet
_MOST_PACKETS = 5_000_000
_MOST_HOSTS = 5_000


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``NetworkHost`` for each local address and hardware address that sent something; one ``SystemFact``: how many packets there are."""
    hosts: dict[tuple[str, str], NetworkHost] = {}
    packets, offset, problem = 0, 24, ""
    first = last = None
    with file.open() as stream:
        head = stream.read(24)
        if len(head) < 24 or head[:4] not in _MAGIC:
            raise Unrecognised("not a capture of network traffic")
        order, unit = _MAGIC[head[:4]]
        if struct.unpack_from(f"{order}I", head, 20)[0] & 0x0FFFFFFF != _ETHERNET:
            yield Problem("not of Ethernet: its devices are not told", Status.UNRECOGNISED, "offset=20")
            return
        while packets < _MOST_PACKETS:
            record = stream.read(16)
            if len(record) < 16:
                problem = "cut short" if record else ""
                break
            seconds, fraction, kept, _ = struct.unpack(f"{order}4I", record)
            data = stream.read(kept) if kept <= _LONGEST else b""
            if len(data) < kept:
                problem = "cut short" if kept <= _LONGEST else "a packet is longer than packets are"
                break
            time = Timestamp(seconds * 1_000_000_000 + fraction * unit)
            first, last = min(first or time, time), max(last or time, time)
            packets += 1
            offset += 16 + kept
            _take(hosts, data, time, packets)
    yield SystemFact(name="network capture", value=f"{packets} packets", time=first or NOT_RECORDED, locator="offset=0")
    yield from hosts.values()
    if problem:
        yield Problem(f"{problem}: what comes after is not read", Status.FAILED, f"offset={offset}")
    if packets >= _MOST_PACKETS or len(hosts) >= _MOST_HOSTS:
        yield Problem("more packets or devices than are kept", Status.FAILED, f"offset={offset}")


def _take(hosts: dict[tuple[str, str], NetworkHost], data: bytes, time: Timestamp, number: int) -> None:
    kind = data[12:14]
    sender = data[26:30] if kind == b"\x08\x00" else data[28:32] if kind == b"\x08\x06" else b""
    if len(sender) < 4:
        return
    address, mac = ipaddress.IPv4Address(sender), data[6:12].hex(":")
    if not address.is_private or address.is_loopback or address == ipaddress.IPv4Address(0):
        return
    known = hosts.get((str(address), mac))
    if known is not None:
        known.first, known.last = (
            (min(known.first, time), max(known.last, time))
            if isinstance(known.first, Timestamp) and isinstance(known.last, Timestamp)
            else (time, time)
        )
    elif len(hosts) < _MOST_HOSTS:
        hosts[str(address), mac] = NetworkHost(
            address=str(address),
            mac=mac,
            maker=mac_makers.maker(mac),
            first=time,
            last=time,
            how="network capture",
            locator=f"packet={number}",
        )


ARTEFACTS = (
    Artefact(
        id="network.captures",
        title="Captures of network traffic",
        meaning="Devices of a local network whose traffic was recorded in a file here.",
        paths=("**/*.pcap", "**/*.cap"),
        parse=parse,
        references=("https://www.tcpdump.org/manpages/pcap-savefile.5.html",),
        validation="specimens of bulk_extractor",
    ),
)
