"""The network of a home: listening finds those that speak and sends nothing, asking finds all and stays on the link."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
from collections import Counter
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from triage.journal import read
from triage.report.verify import verify

pytestmark = [pytest.mark.tools, pytest.mark.slow]
GROUPS = {"224.0.0.251": 5353, "239.255.255.250": (1900, 3702)}


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("visit") / "visit.yaml"
    path.write_text(
        "reference: V1\nofficer: {name: A}\nauthority: {basis: order, reference: O1}\n"
        "declared_devices:\n  - {kind: printer, hostname: PRN0001}\n"
        'conditions:\n  - {id: "1", text: Declare every device, checks: [declared_devices_only]}\n',
        "utf-8",
    )
    return path


def look(
    home: Any, case: Path, visit: Path, *options: str, without: tuple[str, ...] = ()
) -> tuple[dict[str, dict[str, Any]], list[Any], Any]:
    done = home.run(
        *without,
        sys.executable,
        "-c",
        "from triage.cli import main; main()",
        "devices",
        "--case",
        str(case),
        "--visit",
        str(visit),
        "--json",
        *options,
    )
    assert done.returncode in (0, 3), done.stderr
    records = list(read(case / "journal.jsonl"))
    hosts = {r.data["address"]: r.data for r in records if r.kind == "observation" and r.data["type"] == "NetworkHost"}
    assert verify(case).exit_code == 0
    return hosts, [r.data for r in records if r.kind == "touch"], json.loads(done.stdout)


def test_listening_finds_those_that_speak_and_sends_nothing(home: Any, visit: Path, tmp_path: Path) -> None:
    devices = home.devices
    hosts, touches, ledger = look(home, tmp_path / "case", visit, "--listen", "5s")
    assert home.sent == []
    assert {devices[role][0] for role in home.speaking} <= hosts.keys()
    assert devices["console"][0] not in hosts and devices["tv"][0] not in hosts
    for role in home.speaking:
        assert hosts[devices[role][0]]["mac"] == devices[role][1]
        assert hosts[devices[role][0]]["provenance"]["parser"] == "network/1"
    assert (hosts["10.77.0.20"]["name"], hosts["10.77.0.20"]["kind"], hosts["10.77.0.20"]["model"]) == (
        "Sam’s phone",
        "phone",
        "iPhone 13 Pro",
    )
    assert any("listened on eth0" in touch["what"] and "nothing was sent" in touch["what"] for touch in touches)
    assert not any(touch["what"].startswith("sent on") for touch in touches)
    assert {"Sam’s phone", "Galaxy-Two"} <= {device["name"] for device in ledger}


def test_without_options_nothing_is_sent_either(home: Any, visit: Path, tmp_path: Path) -> None:
    look(home, tmp_path / "case", visit)
    assert home.sent == []


def test_asking_finds_all_and_every_packet_is_counted_and_stays(home: Any, visit: Path, tmp_path: Path) -> None:
    devices = home.devices
    hosts, touches, ledger = look(home, tmp_path / "case", visit, "--ask")
    assert hosts.keys() == {address for address, _ in devices.values()}
    assert {address: host["mac"] for address, host in hosts.items()} == dict(devices.values())
    by = {role: hosts[address] for role, (address, _) in devices.items()}
    assert (by["tv"]["name"], by["tv"]["model"], by["tv"]["maker"]) == ("[TV] Living room", "TV 55", "Example Vision")
    assert (by["router"]["kind"], by["router"]["model"]) == ("router", "Hub 5") and by["nas"]["name"] == "STORAGE"
    assert by["console"]["kind"] == "game console" and by["console"]["maker"].startswith("Nintendo")
    assert (by["printer"]["kind"], by["printer"]["model"]) == ("printer", "LaserPrint 300")
    assert (
        "serial:R58N7654321" in by["phone2"]["identifiers"] and "udn:" + "e0a1b2c3-4444-4d5e-9f60-00aabbccdd03" in by["nas"]["identifiers"]
    )
    assert len(ledger) == len(devices) and {device["name"]: device["declared"] for device in ledger}["Example LaserPrint 300"] == "declared"

    told = {m[1]: int(m[2]) for touch in touches if (m := re.match(r"sent on eth0 \(10\.77\.0\.0/26\): (.*), (\d+)$", touch["what"]))}
    seen: Counter[str] = Counter()
    for frame in home.sent:
        kind = frame[12:14]
        if kind == b"\x08\x06":
            assert ip_address(frame[38:42]) in ip_network(home.subnet)
            # The kernel pads its own to 42 bytes, ours have 60; it also asks before it sends to a single device, and answers who asks for us.
            seen["ARP request" if len(frame) == 60 and frame[20:22] == b"\0\1" else "ARP of the system"] += 1
            continue
        assert kind == b"\x08\x00", frame.hex()
        target, protocol, port = ip_address(frame[30:34]), frame[23], int.from_bytes(frame[36:38], "big")
        assert frame[22] == 1, "time to live"
        assert target in ip_network(home.subnet) or str(target) in GROUPS, target
        if protocol == socket.IPPROTO_UDP:
            seen[{5353: "mDNS question", 1900: "SSDP search", 3702: "WS-Discovery probe", 137: "NetBIOS node status request"}[port]] += 1
        else:
            assert protocol == socket.IPPROTO_TCP and port == 5000
            seen["device description fetched (HTTP)"] += bool(frame[47] == 0x02)
    del seen["ARP of the system"]
    assert told == dict(seen) and sum(told.values()) > 100
    print("packets sent:", told)


def test_what_the_router_lent_joins_the_devices_in_the_room(home: Any, visit: Path, tmp_path: Path) -> None:
    _, _, ledger = look(home, tmp_path / "case", visit, "--listen", "3s", "--router-table", str(home.folder / "dnsmasq.leases"))
    [phone] = [device for device in ledger if device["name"] == "Galaxy-Two"]
    assert {proof["how"] for proof in phone["proofs"]} == {"met on the local network", "DHCP lease (dnsmasq)"}


def test_asking_without_the_right_to_read_frames(home: Any, visit: Path, tmp_path: Path) -> None:
    """As on Windows and macOS, and for users of Linux: no ARP of our own, no announcement to a group that nobody here has joined."""
    without = (shutil.which("setpriv") or pytest.skip("no setpriv"), "--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin")
    hosts, touches, _ = look(home, tmp_path / "case", visit, "--listen", "2s", "--ask", without=without)
    assert hosts.keys() == {address for address, _ in home.devices.values()}
    assert {address: host["mac"] for address, host in hosts.items()} == dict(home.devices.values())
    assert hosts["10.77.0.20"]["name"] == "Sam’s phone" and hosts["10.77.0.41"]["model"] == "TV 55"
    assert not any("ARP" in touch["what"] and touch["what"].startswith("sent on") for touch in touches)
    reasons = [
        r.data["reason"] for r in read(tmp_path / "case/journal.jsonl") if r.kind == "coverage" and r.data["what"] == "local network"
    ]
    assert any("only broadcasts" in reason for reason in reasons)
    assert all(frame[12:14] == b"\x08\x06" or frame[22] == 1 for frame in home.sent)
