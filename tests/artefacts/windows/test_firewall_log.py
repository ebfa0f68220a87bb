"""The log of the Windows firewall: the specimen, one in UTC made here, damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import NetworkHost
from artefacts.windows import firewall_log

PATH = "/Windows/System32/LogFiles/Firewall/pfirewall.log"
MADE = (
    b"#Version: 1.5\r\n#Time Format: UTC\r\n#Fields: date time action protocol src-ip dst-ip src-port dst-port path\r\n"
    b"2024-05-01 10:00:00 ALLOW TCP 10.0.0.2 192.0.2.7 50000 443 SEND\r\n2024-05-01 10:00:05 ALLOW TCP 10.0.0.2 192.0.2.7 50001 443 SEND\r\n"
    b"2024-05-01 10:01:00 DROP UDP 198.51.100.9 10.0.0.2 53 50002 RECEIVE\r\n"
)


@pytest.mark.specimens
def test_specimen(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = (specimens / "windows-misc/plaso/windows_firewall.log").read_bytes()
    observations, problems = evidence({PATH: data}).parse(firewall_log.parse, PATH)
    assert problems == []
    assert observations[-1].to_json()["value"] == "15 entries"
    hosts = {(item.address, item.how): item.to_json() for item in observations if isinstance(item, NetworkHost)}
    dropped = hosts["123.45.78.90", "firewall log: DROP TCP, 4 entries"]
    assert (dropped["first"], dropped["first_local"], dropped["last_local"]) == (None, "2005-04-11T08:06:26", "2005-04-11T08:48:46")
    lost = observations[0].to_json()
    assert (lost["name"], lost["value"], lost["time_local"]) == ("firewall log: events lost", "59", "2005-04-11T08:52:26")
    for copy in mutations(data, 40):
        try:
            evidence({PATH: copy}).parse(firewall_log.parse, PATH)
        except Unrecognised:
            pass


def test_utc_and_damage(evidence: Any) -> None:
    observations, problems = evidence({PATH: MADE + b"no entry\r\n"}).parse(firewall_log.parse, PATH)
    assert [problem.locator for problem in problems] == ["line=7"]
    sent, received, fact = [item.to_json() for item in observations]
    assert (sent["address"], sent["first"], sent["last"]) == ("192.0.2.7", "2024-05-01T10:00:00Z", "2024-05-01T10:00:05Z")
    assert (received["address"], received["how"]) == ("198.51.100.9", "firewall log: DROP UDP, 1 entries")
    assert fact["value"] == "3 entries"
    with pytest.raises(Unrecognised):
        evidence({PATH: b"some other log\n"}).parse(firewall_log.parse, PATH)
