"""A router's table as a gatherer: which reader, the digest, and what cannot be read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from artefacts.coverage import Problem, Status
from artefacts.network import client_tables, dhcp_leases
from artefacts.observations import NetworkHost, SystemFact
from triage.devices import tables

DNSMASQ = b"1794000000 60:a4:4c:b5:6a:dd 192.168.1.20 Jos-iPhone 01:60:a4:4c:b5:6a:dd\n0 8a:00:00:00:00:01 192.168.1.21 * *\n"
DHCPD = b"lease 192.168.1.10 {\n  starts 2 2026/11/03 10:00:00;\n  hardware ethernet 60:a4:4c:b5:6a:dd;\n}\n"
PASTED = b"Device name: Jos-iPhone\nMAC address: 60:a4:4c:b5:6a:dd\n"


@pytest.mark.parametrize(
    ("data", "reader"),
    [(DNSMASQ, dhcp_leases.parse_dnsmasq), (DHCPD, dhcp_leases.parse_dhcpd), (PASTED, client_tables.parse), (b"", client_tables.parse)],
)
def test_the_reader_is_told_by_the_looks(data: bytes, reader: object) -> None:
    assert tables.parser(data) is reader


@pytest.mark.parametrize("data", [DNSMASQ, DHCPD, PASTED])
def test_devices_and_digest(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "table.txt"
    path.write_bytes(data)
    what, gather, parser, where = tables.gatherer(path)
    fact, host, *_ = gather(lambda: False)
    assert isinstance(fact, SystemFact) and fact.value == hashlib.sha256(data).hexdigest()
    assert isinstance(host, NetworkHost) and host.mac == "60:a4:4c:b5:6a:dd"
    assert (what, parser, where) == ("router's table table.txt", "network/1", str(path))


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_bytes(b"\x7fELF Dear all")
    _, problem = tables.gather(path)
    assert isinstance(problem, Problem) and problem.status is Status.UNRECOGNISED
    with pytest.raises(OSError):
        list(tables.gather(tmp_path / "none"))
