"""Tables of home routers: forms written here after what such pages show (no page of a maker is copied), typed-in text, damage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.network import client_tables
from artefacts.observations import NetworkHost, Observation
from artefacts.times import NoTime

BT = """BT Smart Hub
My devices
Device name\tIP address\tMAC address\tConnection
Sams-phone\t192.168.1.64\t5a:11:22:33:44:20\t5 GHz wireless
STORAGE\t192.168.1.70\t00:11:32:00:00:30\tEthernet
unknown\t192.168.1.71\t60:a4:4c:b5:6a:dd\t2.4 GHz wireless
"""
SKY = """<html><body><h1>Attached Devices</h1><table border=1><tr><th>#</th><th>Device Name</th><th>IP Address</th><th>MAC Address</th><th>Status</th></tr>
<tr><td>1</td><td><b>Sams-phone</b></td><td>192.168.0.5</td><td>5A:11:22:33:44:20</td><td>Active</td></tr>
<tr><td>2<td>STORAGE&nbsp;<td>192.168.0.6<td>00:11:32:00:00:30<td>Active</table><script>var x='aa:bb:cc:dd:ee:ff 10.0.0.1';</script></body></html>"""
VIRGIN = """Hub 5 - Connected devices
Sams-phone
IP address: 192.168.0.21
MAC address: 5A:11:22:33:44:20
Connected to: WiFi 5GHz
Lease time left: 23h 10m
STORAGE
IP address: 192.168.0.22
MAC address: 00:11:32:00:00:30
Connected to: Ethernet 1
"""
TALKTALK = """Device name: Sams-phone
Device type: Phone
IP address: 192.168.1.3
MAC address: 5a-11-22-33-44-20
Connection: WiFi

Device name: STORAGE
Device type: NAS
IP address: 192.168.1.4
MAC address: 00-11-32-00-00-30
Connection: LAN 2
"""
VODAFONE = """<div class="devices"><div class="row"><span>Sams-phone</span></div><div>IPv4: 192.168.1.8</div><div>MAC: 5a:11:22:33:44:20</div><div>Wi-Fi</div>
<div class="row"><span>STORAGE</span></div><div>IPv4: 192.168.1.9</div><div>MAC: 00:11:32:00:00:30</div><div>Wired</div></div>"""
TP_LINK = """DHCP Clients List
ID  Client Name  MAC Address  Assigned IP  Lease Time
1  Sams-phone  5A-11-22-33-44-20  192.168.0.100  01:52:33
2  STORAGE  00-11-32-00-00-30  192.168.0.101  Permanent
"""
NETGEAR = """Wireless Devices (Connected by Wi-Fi)
#   IP Address      MAC Address          Device Name
1   192.168.1.2     5A:11:22:33:44:20    Sams-phone
2   192.168.1.3     00:11:32:00:00:30    STORAGE
3   192.168.1.4     60:A4:4C:B5:6A:DD    <unknown>
"""
ASUS = """"Client Name","Clients IP Address","Clients MAC Address","Interface","Tx Rate","Access time"
"Sams-phone","192.168.50.10","5A:11:22:33:44:20","5GHz","866","02:11:09"
"STORAGE","192.168.50.11","00:11:32:00:00:30","Wired","",""
"""
FRITZ = """Name;Verbindung;IP-Adresse;MAC-Adresse;Zuletzt verbunden;Eigenschaften
Sams-phone;WLAN;192.168.178.20;5A:11:22:33:44:20;2026-11-03 10:05;5 GHz
STORAGE;LAN 1;192.168.178.21;00:11:32:00:00:30;;1 Gbit/s
"""
OPENWRT = """Hostname IPv4 address MAC address Lease time remaining
Sams-phone 192.168.1.120 5A:11:22:33:44:20 11h 2m 3s
STORAGE 192.168.1.121 00:11:32:00:00:30 unlimited
"""
TYPED = """from the screen of the router, 3 November
Sams-phone 192.168.1.120 5a1122334420
STORAGE - 0011.3200.0030
and one I could not read 60:a4:4c:b5:6a:dz
"""


def read(evidence: Any, text: str | bytes) -> tuple[list[NetworkHost], list[Problem]]:
    data = text if isinstance(text, bytes) else text.encode()
    found: tuple[list[NetworkHost], list[Problem]] = evidence({"/t.csv": data}).parse(client_tables.parse, "/t.csv")
    return found


@pytest.mark.parametrize("text", [BT, SKY, VIRGIN, TALKTALK, VODAFONE, TP_LINK, NETGEAR, ASUS, FRITZ, OPENWRT], ids=["bt", "sky", "virgin", "talktalk", "vodafone", "tp-link", "netgear", "asus", "fritz", "openwrt"])  # fmt: skip
def test_forms_of_home_routers(evidence: Any, text: str) -> None:
    hosts, problems = read(evidence, text)
    assert problems == []
    assert [(host.name, host.mac) for host in hosts[:2]] == [("Sams-phone", "5a:11:22:33:44:20"), ("STORAGE", "00:11:32:00:00:30")]
    assert all(host.address and host.address.startswith("192.168.") and host.how == client_tables.HOW for host in hosts)
    assert hosts[1].maker == "Synology Incorporated" and hosts[0].maker is None
    assert len(hosts) == (3 if text in (BT, NETGEAR) else 2) and all(host.name is None for host in hosts[2:])


def test_what_else_a_table_says(evidence: Any) -> None:
    assert [host.services for host in read(evidence, BT)[0]] == [("5 GHz wireless",), ("Ethernet",), ("2.4 GHz wireless",)]
    assert [host.kind for host in read(evidence, TALKTALK)[0]] == ["phone", "network storage"]
    [phone, _] = read(evidence, FRITZ)[0]
    assert isinstance(phone.last, NoTime) and phone.last.local == "2026-11-03T10:05:00" and phone.locator == "line=2"
    assert read(evidence, FRITZ.encode("utf-16"))[0] == read(evidence, FRITZ)[0]


def test_what_was_typed_wrongly_is_said(evidence: Any) -> None:
    hosts, [problem] = read(evidence, TYPED)
    assert [(host.name, host.mac) for host in hosts] == [("Sams-phone", "5a:11:22:33:44:20"), ("STORAGE", "00:11:32:00:00:30")]
    assert problem.reason.endswith("on lines 4")


def test_the_router_itself_is_one(evidence: Any) -> None:
    hosts, _ = read(
        evidence, "Router name: Hub\nRouter MAC address: 60:a4:4c:b5:6a:dd\nDevice name: Phone of Jo\nMAC address: 5a:11:22:33:44:20\n"
    )
    assert [(host.name, host.kind) for host in hosts] == [("Hub", "router"), ("Phone of Jo", None)]


def test_no_table_is_refused(evidence: Any) -> None:
    assert read(evidence, b"") == ([], [])
    for text in (
        "Hello, this is a letter.",
        "00:00:00:00:00:00",
        "12:30:45 up 3 days",
        "ff:ff:ff:ff:ff:ff\n",
        "<html><body>no devices</body></html>",
    ):
        with pytest.raises(Unrecognised):
            read(evidence, text)


@pytest.mark.parametrize("text", [SKY, ASUS, VIRGIN])
def test_damage(evidence: Any, mutations: Callable[[bytes, int], list[bytes]], text: str) -> None:
    found = 0
    for data in mutations(text.encode() * 3, 150):
        try:
            items = list(client_tables.parse(evidence({"/t": data}).file("/t")))
        except Unrecognised:
            continue
        assert all(isinstance(item, Observation | Problem) for item in items)
        found += any(isinstance(item, NetworkHost) for item in items)
    assert found > 100


def test_long_lines_and_many_cells_end(evidence: Any) -> None:
    hosts, _ = read(evidence, "<table>" + "<tr><td>" * 20_000 + "a</td><td>60:a4:4c:b5:6a:dd</td></tr>" + "<div>" * 20_000 + ":" * 200_000)
    assert [host.mac for host in hosts] == ["60:a4:4c:b5:6a:dd"]
    with pytest.raises(Unrecognised):
        read(evidence, "aa:" * 200_000)
    with pytest.raises(Unrecognised):
        read(evidence, "1." * 200_000 + "\n" + " " * 200_000 + "\n" + "<!--" * 50_000)
