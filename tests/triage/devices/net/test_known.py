"""What computers know of their network: tables of Linux and Windows written here, and the networks that are home networks."""

from __future__ import annotations

import json
import socket
import struct
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from artefacts.coverage import Problem, Status
from artefacts.network.said import Said
from artefacts.observations import KnownNetwork, NetworkHost
from triage.devices.net import ear, known, room
from triage.devices.net.known import Remembered
from triage.devices.net.links import Link, links

ARP = "IP address HW type Flags HW address Mask Device\n192.168.1.9 0x1 0x2 60:a4:4c:b5:6a:dd * eth0\n192.168.1.10 0x1 0x0 00:00:00:00:00:00 * eth0\nshort\n"
ROUTE = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\neth0 00000000 0101A8C0 0003 0 0 0 00000000 0 0 0\neth0 0001A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"


def written(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_linux(tmp_path: Path) -> None:
    written(tmp_path, "proc/net/arp", ARP)
    written(tmp_path, "proc/net/route", ROUTE)
    written(tmp_path, "run/systemd/netif/leases/2", "ADDRESS=192.168.1.50\nROUTER=192.168.1.1\nSERVER_ADDRESS=192.168.1.2\n")
    written(
        tmp_path,
        "var/lib/dhcp/dhclient.leases",
        "lease {\n  option routers 192.168.1.3;\n  option dhcp-server-identifier 192.168.1.4;\n}\n",
    )
    found = list(known.known(root=tmp_path, system="Linux"))
    assert [(item.address, item.mac, item.said.protocol, item.said.kind) for item in found if isinstance(item, Remembered)] == [
        ("192.168.1.9", "60:a4:4c:b5:6a:dd", "neighbour table", None),
        ("192.168.1.1", None, "default route", "router"),
        ("192.168.1.1", None, "lease of this computer", "router"),
        ("192.168.1.2", None, "lease of this computer", "router"),
        ("192.168.1.3", None, "lease of this computer", "router"),
        ("192.168.1.4", None, "lease of this computer", "router"),
    ]
    assert len(found) == 6


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    for system in ("Linux", "Plan9"):
        found = list(known.known(root=tmp_path, system=system))
        assert found and all(isinstance(item, Problem) and item.status is Status.UNREADABLE for item in found)


def test_the_name_cache_gives_local_names_only() -> None:
    def record(name: str, address: Any) -> dict[str, Any]:
        return {"key": {}, "rrs": [{"rr": {"key": {"class": 1, "type": 1, "name": name}, "address": address}}], "until": 1}

    scopes = [
        {"protocol": "mdns", "cache": [record("Sams-phone.local", [192, 168, 1, 20])]},
        {
            "protocol": "dns",
            "cache": [
                record("www.example.org", [192, 0, 2, 1]),
                record("storage.lan", [192, 168, 1, 30]),
                record("bad.lan", [1, 2, 999, 4]),
            ],
        },
    ]
    found = list(known.resolved_cache(json.dumps({"parameters": {"dump": scopes}}).encode()))
    assert [(item.address, item.said.names) for item in found] == [
        ("192.168.1.20", ((3, "Sams-phone"),)),
        ("192.168.1.30", ((3, "storage"),)),
    ]
    for broken in (b"", b"{}", b'{"parameters": {"dump": [1]}}', b"[" * 100_000):
        assert list(known.resolved_cache(broken)) == []


def test_the_table_of_windows() -> None:
    def row(kind: int, length: int = 6) -> bytes:
        return struct.pack("<II8s4sI", 3, length, bytes.fromhex("60a44cb56add0000"), bytes((192, 168, 1, 9)), kind)

    found = list(known.ip_net_table(struct.pack("<I", 9) + row(3) + row(2) + row(4, 0)))
    assert [(item.address, item.mac) for item in found] == [("192.168.1.9", "60:a4:4c:b5:6a:dd")]


Address = namedtuple("Address", "family address netmask")
Stats = namedtuple("Stats", "isup flags")


@pytest.fixture
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    mac = Address(psutil.AF_LINK, "02:F0:00:00:00:01", None)
    table = {
        "lo": ("127.0.0.1", "255.0.0.0"), "eth0": ("192.168.1.50", "255.255.255.0"), "eth1": ("9.9.9.9", "255.255.255.0"), "docker0": ("172.17.0.1", "255.255.0.0"),
        "tun0": ("10.8.0.2", "255.255.255.0"), "eth2": ("10.0.0.1", "255.255.255.0"), "eth3": ("10.1.0.1", "255.255.255.255"), "vpn": ("10.9.0.1", "255.255.255.0"),
    }  # fmt: skip
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {name: [mac, Address(socket.AF_INET, *item)] for name, item in table.items()})
    monkeypatch.setattr(
        psutil,
        "net_if_stats",
        lambda: {name: Stats(name != "eth2", "up,pointopoint" if name == "vpn" else "up,broadcast") for name in table},
    )


def test_only_home_networks_are_links(interfaces: None) -> None:
    [link, problem] = links()
    assert isinstance(link, Link) and (link.name, str(link.subnet), link.mac) == ("eth0", "192.168.1.0/24", "02:f0:00:00:00:01")
    assert isinstance(problem, Problem) and problem.status is Status.SKIPPED and "eth1" in problem.reason
    assert [link.holds(address) for address in ("192.168.1.1", "192.168.1.50", "192.168.1.255", "192.168.2.1", "x", None)] == [
        True,
        *[False] * 5,
    ]


def test_without_raw_frames_what_is_not_heard_is_said(monkeypatch: pytest.MonkeyPatch, at: Any) -> None:
    def refused(port: int) -> socket.socket:
        raise PermissionError(13, "not allowed")

    monkeypatch.setattr(ear.Ear, "_packet_socket", lambda self: None)
    monkeypatch.setattr(ear, "_listening", refused)
    [link] = [Link("lo", room_interface())]
    made = ear.Ear(link, room.Hosts(), lambda: at("2026-11-22T00:00:00Z"), lambda: False)
    problems = list(made.open())
    made.listen(0.01)
    made.close()
    assert [problem.status for problem in problems] == [Status.UNREADABLE] * 2 and "5353 (not allowed)" in problems[1].reason


def room_interface() -> Any:
    from ipaddress import IPv4Interface

    return IPv4Interface("127.0.0.1/8")


def test_no_network_is_said(monkeypatch: pytest.MonkeyPatch, at: Any) -> None:
    monkeypatch.setattr(room, "links", lambda: iter(()))
    [problem] = room.gather(1.0, True, lambda: at("2026-11-22T00:00:00Z"), print, lambda: False)
    assert isinstance(problem, Problem) and problem.status is Status.MISSING


def test_what_is_known_of_other_networks_is_not_kept(monkeypatch: pytest.MonkeyPatch, interfaces: None, at: Any) -> None:
    """Without listening and asking: the neighbours of this link, and local names; nothing of the network next door."""
    entries = [
        Remembered("192.168.1.1", None, Said(known.ROUTE, kind="router")), Remembered("192.168.1.1", "c8:d7:19:00:00:01", Said(known.NEIGHBOURS)),
        Remembered("192.168.7.9", "60:a4:4c:b5:6a:dd", Said(known.NEIGHBOURS)), Remembered(None, None, Said(known.NAMES, names=((3, "Sams-phone"),))),
    ]  # fmt: skip
    monkeypatch.setattr(known, "known", lambda: iter(entries))
    items = list(room.gather(0.0, False, lambda: at("2026-11-22T00:00:00Z"), print, lambda: False))
    hosts = [item for item in items if isinstance(item, NetworkHost)]
    assert [(host.address, host.mac, host.name, host.kind, host.how) for host in hosts] == [
        (None, None, "Sams-phone", None, room.CACHED),
        ("192.168.1.1", "c8:d7:19:00:00:01", None, "router", room.REMEMBERED),
    ]
    [network] = [item for item in items if isinstance(item, KnownNetwork)]
    assert (network.name, network.gateway_mac) == ("192.168.1.0/24 at eth0", "c8:d7:19:00:00:01")
    assert [item.status for item in items if isinstance(item, Problem)] == [Status.SKIPPED] * 3
