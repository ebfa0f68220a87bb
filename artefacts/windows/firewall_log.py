"""The log of the Windows firewall (``pfirewall.log``): with which addresses there were connections, allowed or dropped. It is off unless somebody switched it on.

Text; ``#Fields:`` names the columns, ``#Time Format:`` says Local or UTC.

Source: Microsoft, "Configure Windows Firewall logging"; the specimen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import NetworkHost, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Time, from_local
from artefacts.windows.event_facts import parse_time
from artefacts.windows.text import decode

_LARGEST = 64 << 20  # bytes; Windows ends a log at 32 MiB
_MOST_PROBLEMS = 100
_MOST_HOSTS = 20_000
_NEEDED = ("date", "time", "action", "src-ip", "dst-ip")


@dataclass(slots=True)
class _Host:
    first: Time
    last: Time
    line: int
    entries: int = 0


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``NetworkHost`` for each address of the other side and what was done, with first and last; ``SystemFact``: how many entries."""
    columns: list[str] = []
    utc = False
    entries = problems = 0
    hosts: dict[tuple[str, str, str], _Host] = {}
    for number, line in enumerate(decode(file.read(_LARGEST)).splitlines(), 1):
        if line.startswith("#"):
            name, _, value = line[1:].partition(":")
            columns = value.split() if name == "Fields" else columns
            utc = value.strip().upper() == "UTC" if name == "Time Format" else utc
            continue
        if not line.strip("\0 "):
            continue
        if not columns:
            raise Unrecognised("not a log of the Windows firewall")
        values = line.split()
        row = dict(zip(columns, values, strict=False))
        when = parse_time(f"{row.get('date')}T{row.get('time')}Z")
        if len(values) < len(columns) - 1 or any(name not in row for name in _NEEDED) or not hasattr(when, "ns"):
            problems += 1
            if problems > _MOST_PROBLEMS:
                yield Problem(f"more than {_MOST_PROBLEMS} problems: the rest is not read", Status.FAILED, f"line={number}")
                break
            yield Problem("a line is not an entry", Status.FAILED, f"line={number}")
            continue
        entries += 1
        time = when if utc else from_local(f"{row['date']}T{row['time']}", "the log's own header says so")
        if row["action"].startswith("INFO"):
            yield SystemFact(name="firewall log: events lost", value=row.get("info", "-"), time=time, locator=f"line={number}")
            continue
        address = row["src-ip"] if row.get("path", "").upper() == "RECEIVE" else row["dst-ip"]
        key = (address, row["action"], row.get("protocol", "-"))
        if key not in hosts and len(hosts) >= _MOST_HOSTS:
            continue
        host = hosts.setdefault(key, _Host(time, time, number))
        host.last, host.entries = time, host.entries + 1
    if len(hosts) >= _MOST_HOSTS:
        yield Problem(f"more than {_MOST_HOSTS} addresses: the others are left out", Status.FAILED)
    for (address, action, protocol), host in hosts.items():
        if _is_address(address):
            yield NetworkHost(
                address=address, first=host.first, last=host.last, how=f"firewall log: {action} {protocol}, {host.entries} entries",
                locator=f"line={host.line}",
            )  # fmt: skip
    yield SystemFact(name="firewall log", value=f"{entries} entries")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


ARTEFACTS = (
    Artefact(
        id="windows.firewall_log",
        title="Windows firewall log",
        meaning="Addresses to and from which there were connections, allowed or dropped.",
        paths=("Windows/System32/LogFiles/Firewall/*.log", "Windows/pfirewall.log", "**/pfirewall.log.old"),
        parse=parse,
        references=(
            "https://learn.microsoft.com/windows/security/operating-system-security/network-security/windows-firewall/configure-logging",
        ),
        systems=("windows",),
        validation="specimen of Windows XP",
    ),
)
