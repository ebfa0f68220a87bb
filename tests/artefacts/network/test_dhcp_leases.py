"""Leases: the specimens with their published facts, both forms written here, damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.network import dhcp_leases
from artefacts.observations import Observation
from artefacts.times import Timestamp

PATH = "/var/lib/dhcp/dhcpd.leases"


def read(evidence: Any, data: bytes, parser: Any = dhcp_leases.parse_dhcpd) -> tuple[list[Any], list[Problem]]:
    found: tuple[list[Any], list[Problem]] = evidence({PATH: data}).parse(parser, PATH)
    return found


@pytest.mark.specimens
@pytest.mark.parametrize("name", ["debian7", "options", "static", "backup", "epoch"])
def test_the_specimens(evidence: Any, specimens: Path, name: str) -> None:
    facts = next(
        item["facts"]
        for item in json.loads((specimens / "expected/test_facts.json").read_text("utf-8"))
        if item["path"] == f"network/dhcp-leases/{name}.leases"
    )
    hosts, problems = read(evidence, (specimens / f"network/dhcp-leases/{name}.leases").read_bytes())
    assert problems == [] and len(hosts) == facts.get("leases_with_backups", facts["leases"])
    for host, expected in zip(hosts, facts.get("items") or [facts["first"]], strict=False):
        assert host.address == expected["ip"] and isinstance(host.first, Timestamp) and host.first.isoformat() == expected["start"]
        assert host.mac == expected.get("mac", host.mac) and (host.name or "") == expected.get("hostname", host.name or "")
    if name == "options":
        assert (hosts[0].mac, hosts[0].name, hosts[0].maker) == ("24:65:11:d9:a6:b3", "KRONOS", "AVM GmbH")


LEASES = b"""# The format of this file is documented in the dhcpd.leases(5) manual page.
lease 192.168.1.10 {
  starts 2 2026/11/03 10:00:00;
  ends never;
  hardware ethernet 60:a4:4c:b5:6a:dd;
  client-hostname "first; }name";
}
lease 192.168.1.10 {
  starts 3 2026/11/04 10:00:00;
  hardware ethernet 60:a4:4c:b5:6a:dd;
  client-hostname "Jos-iPhone";
}
"""


def test_later_entries_stand_for_an_address(evidence: Any) -> None:
    hosts, problems = read(evidence, LEASES)
    assert problems == []
    assert [(host.address, host.name, host.first.isoformat(), host.last.isoformat()) for host in hosts] == [
        ("192.168.1.10", "Jos-iPhone", "2026-11-03T10:00:00Z", "2026-11-04T10:00:00Z")
    ]


def test_dnsmasq(evidence: Any) -> None:
    data = b"1794000000 60:a4:4c:b5:6a:dd 192.168.1.20 Jos-iPhone 01:60:a4:4c:b5:6a:dd\n0 8a:00:00:00:00:01 192.168.1.21 * *\nduid 00:01\nno lease\n"
    hosts, [problem] = read(evidence, data, dhcp_leases.parse_dnsmasq)
    assert [(host.mac, host.name, host.maker) for host in hosts] == [
        ("60:a4:4c:b5:6a:dd", "Jos-iPhone", "ASUSTek COMPUTER INC."),
        ("8a:00:00:00:00:01", None, None),
    ]
    assert hosts[0].last.reason == "not recorded; the lease ends 2026-11-06T21:20:00Z" and "1 lines" in problem.reason


def test_a_lease_that_is_cut_short_is_kept_and_said(evidence: Any) -> None:
    hosts, [problem] = read(evidence, LEASES[:-20])
    assert len(hosts) == 1 and hosts[0].last.isoformat() == "2026-11-04T10:00:00Z" and problem.reason == "the last lease is cut short"


def test_an_empty_table_is_empty_and_another_file_is_refused(evidence: Any) -> None:
    assert read(evidence, b"# The format of this file\n") == read(evidence, b"") == ([], [])
    for parser in (dhcp_leases.parse_dhcpd, dhcp_leases.parse_dnsmasq):
        with pytest.raises(Unrecognised):
            read(evidence, b"\x7fELF\x00 something else\n", parser)


def test_damage(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    problems = 0
    for data in mutations(LEASES * 3, 200):
        try:
            items = list(dhcp_leases.parse_dhcpd(evidence({PATH: data}).file(PATH)))
        except Unrecognised:
            continue
        assert all(isinstance(item, Observation | Problem) for item in items)
        problems += any(isinstance(item, Problem) for item in items)
    assert problems > 20
