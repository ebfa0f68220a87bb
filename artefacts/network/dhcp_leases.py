"""Tables of addresses that a DHCP server lent: ISC dhcpd (``dhcpd.leases``) and dnsmasq (``dnsmasq.leases``), on a computer or a router.

Sources: ISC, ``dhcpd.leases(5)`` (times are UTC: a weekday, a date and a clock, or ``epoch`` and seconds; a later entry for an address stands
for it); dnsmasq ``lease.c`` (a line each: end in Unix seconds or 0 for ever, hardware address, address, name or ``*``, client identifier).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.network import mac_makers
from artefacts.observations import NetworkHost, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_unix

_LARGEST = 32 << 20  # bytes
_MOST = 20_000
_START = re.compile(r"^\s*lease\s+([0-9a-fA-F.:]{2,45})\s*\{")
_DATE = re.compile(r"^(?:\d\s+(\d{4})/(\d\d?)/(\d\d?)\s+(\d\d?):(\d\d):(\d\d)|epoch\s+(\d{1,12}))$")
_FOR_EVER = "never"
_DNSMASQ = re.compile(r"^(\d{1,12})\s+(?:\d\d-)?([0-9a-fA-F:]{17})\s+([0-9a-fA-F.:]{2,45})\s+(\S{1,255})")


def parse_dhcpd(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``NetworkHost`` for each address and device; ``first`` and ``last``: when the lease known began first and last."""
    data = file.read(_LARGEST + 1)
    text = data[:_LARGEST].decode("utf-8", "backslashreplace")
    hosts: dict[tuple[str, str | None], NetworkHost] = {}
    address, start, fields = "", 0, dict[str, str]()
    for number, line in enumerate(text.splitlines(), 1):
        if found := _START.match(line):
            if address:
                yield Problem("a lease does not end", Status.FAILED, f"line={start}")
            address, start, fields = found[1], number, {}
            line = line[found.end() :]
        if not address:
            continue
        for statement in re.split(r"[;}]", line.partition("#")[0] if '"' not in line else line):
            words = statement.split(None, 1)
            if len(words) == 2 and words[0] in ("starts", "hardware", "client-hostname", "cltt", "binding"):
                fields.setdefault(words[0], words[1].strip())
        if "}" in line:
            _keep(hosts, address, start, fields)
            address = ""
    if address:
        yield Problem("the last lease is cut short", Status.FAILED, f"line={start}")
        _keep(hosts, address, start, fields)
    if not hosts and not text.lstrip().startswith("#") and text.strip():
        raise Unrecognised("not a table of leases")
    yield from _told(hosts, len(data))


def parse_dnsmasq(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``NetworkHost`` for each line. When a lease began is not recorded; when it ends is not when the device was there."""
    data = file.read(_LARGEST + 1)
    hosts: dict[tuple[str, str | None], NetworkHost] = {}
    bad = 0
    for number, line in enumerate(data[:_LARGEST].decode("utf-8", "backslashreplace").splitlines(), 1):
        found = _DNSMASQ.match(line)
        if not found:
            bad += bool(line.strip()) and not line.startswith("duid ")
            continue
        ends = from_unix(int(found[1]))
        why = NoTime(f"not recorded; the lease ends {ends.isoformat()}") if isinstance(ends, Timestamp) else NOT_RECORDED
        name = None if found[4] == "*" else found[4]
        mac = mac_makers.normal(found[2])
        _add(hosts, NetworkHost(address=found[3], mac=mac, name=name, last=why, how="DHCP lease (dnsmasq)", locator=f"line={number}"))
    if bad and not hosts:
        raise Unrecognised("not a table of leases")
    if bad:
        yield Problem(f"{bad} lines are not leases", Status.FAILED)
    yield from _told(hosts, len(data))


def _keep(hosts: dict[tuple[str, str | None], NetworkHost], address: str, line: int, fields: dict[str, str]) -> None:
    if fields.get("binding") == "state abandoned":
        return  # an address that answered when nobody had it: no device is named
    kind, _, digits = fields.get("hardware", "").partition(" ")
    mac = mac_makers.normal(digits) if kind == "ethernet" else None
    began = _time(fields.get("starts") or fields.get("cltt") or "")
    name = fields.get("client-hostname", "").strip('"')[:255] or None
    _add(hosts, NetworkHost(address=address, mac=mac, name=name, first=began, last=began, how="DHCP lease (dhcpd)", locator=f"line={line}"))


def _add(hosts: dict[tuple[str, str | None], NetworkHost], host: NetworkHost) -> None:
    known = hosts.get((host.address or "", host.mac))
    if known is None:
        if len(hosts) <= _MOST:
            hosts[host.address or "", host.mac] = host
        return
    known.name = host.name or known.name
    for name, choose in (("first", min), ("last", max)):
        pair = [time for time in (getattr(known, name), getattr(host, name)) if isinstance(time, Timestamp)]
        if pair:
            setattr(known, name, choose(pair))


def _told(hosts: dict[tuple[str, str | None], NetworkHost], size: int) -> Iterator[Observation | Problem]:
    for host in list(hosts.values())[:_MOST]:
        host.maker = mac_makers.maker(host.mac) if host.mac else None
        yield host
    if len(hosts) > _MOST or size > _LARGEST:
        yield Problem(f"more than {_MOST} leases or {_LARGEST} bytes: the rest is not kept", Status.FAILED)


def _time(text: str) -> Time:
    found = _DATE.match(text.strip())
    if not found:
        return NoTime("never ends") if text == _FOR_EVER else NOT_RECORDED
    if found[7]:
        return from_unix(int(found[7]))
    try:
        return Timestamp.from_datetime(datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC))  # type: ignore[misc,arg-type]
    except ValueError:
        return NoTime("not a date")


ARTEFACTS = (
    Artefact(
        id="network.dhcpd_leases",
        title="Addresses lent by a DHCP server (ISC)",
        meaning="Devices that asked this computer or router for an address, with hardware address, name and time.",
        paths=("**/dhcpd.leases", "**/dhcpd.leases~", "**/dhcpd6.leases"),
        parse=parse_dhcpd,
        references=("https://kb.isc.org/docs/isc-dhcp-41-manual-pages-dhcpdleases",),
        validation="specimens of isc-dhcp-leases",
    ),
    Artefact(
        id="network.dnsmasq_leases",
        title="Addresses lent by a DHCP server (dnsmasq)",
        meaning="Devices that asked this computer or router for an address, with hardware address and name.",
        paths=("**/dnsmasq.leases", "**/dhcp.leases", "**/dnsmasq/*.leases"),
        parse=parse_dnsmasq,
        references=("https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html",),
    ),
)
