"""Captures: the specimens with their packets and hosts, one written here, damage."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.network import captures
from artefacts.observations import NetworkHost, Observation, SystemFact


@pytest.mark.specimens
@pytest.mark.parametrize("packets", [1, 2, 3, 80])
def test_the_specimens(evidence: Any, specimens: Path, packets: int) -> None:
    data = (specimens / f"mixed/bulk_extractor/ntlm{packets}.pcap").read_bytes()
    [fact, *hosts], problems = evidence({"/x.pcap": data}).parse(captures.parse, "/x.pcap")
    assert problems == [] and fact.value == f"{packets} packets"
    assert {host.address for host in hosts} <= {"192.168.0.91", "192.168.0.55"} and (packets == 1 or len(hosts) == 2)


def capture(order: str = "<", magic: int = 0xA1B2C3D4, link: int = 1) -> bytes:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    arp = bytes.fromhex("ffffffffffff60a44cb56add0806") + bytes(14) + bytes((192, 168, 1, 9)) + bytes(10)
    ip = bytes.fromhex("60a44cb56add8a00000000010800") + bytes(12) + bytes((192, 168, 1, 20)) + bytes((8, 8, 8, 8))
    outer = bytes.fromhex("60a44cb56add8a00000000010800") + bytes(12) + bytes((8, 8, 8, 8)) + bytes(4)
    return head + b"".join(
        struct.pack(f"{order}4I", 1794000000 + number, 5, len(data), len(data)) + data for number, data in enumerate((arp, ip, outer, ip))
    )


@pytest.mark.parametrize(
    ("order", "magic", "time"), [("<", 0xA1B2C3D4, "2026-11-06T21:20:00.000005Z"), (">", 0xA1B23C4D, "2026-11-06T21:20:00.000000005Z")]
)
def test_both_orders_and_both_units(evidence: Any, order: str, magic: int, time: str) -> None:
    items, problems = evidence({"/x.pcap": capture(order, magic)}).parse(captures.parse, "/x.pcap")
    fact, *hosts = items
    assert problems == [] and isinstance(fact, SystemFact) and fact.value == "4 packets" and fact.time.isoformat() == time
    assert [(host.address, host.mac, host.maker) for host in hosts if isinstance(host, NetworkHost)] == [
        ("192.168.1.9", "60:a4:4c:b5:6a:dd", "ASUSTek COMPUTER INC."),
        ("192.168.1.20", "8a:00:00:00:00:01", None),
    ]
    assert hosts[1].last.ns - hosts[1].first.ns == 2_000_000_000


def test_what_is_cut_short_or_of_another_network_is_said(evidence: Any) -> None:
    items, [problem] = evidence({"/x.pcap": capture()[:-3]}).parse(captures.parse, "/x.pcap")
    assert items[0].value == "3 packets" and problem.reason.startswith("cut short")
    items, [problem] = evidence({"/x.pcap": capture(link=113)}).parse(captures.parse, "/x.pcap")
    assert items == [] and problem.status.is_gap
    with pytest.raises(Unrecognised):
        evidence({"/x.pcap": b"none"}).parse(captures.parse, "/x.pcap")


def test_damage(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    problems = 0
    for data in mutations(capture(), 200):
        try:
            items = list(captures.parse(evidence({"/x.pcap": data}).file("/x.pcap")))
        except Unrecognised:
            continue
        assert all(isinstance(item, Observation | Problem) for item in items)
        problems += any(isinstance(item, Problem) for item in items)
    assert problems > 20
