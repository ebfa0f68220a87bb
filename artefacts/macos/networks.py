"""Networks that a Mac knows: Wi-Fi by name, DHCP leases, and the old Wi-Fi log. Never a password.

Sources: com.apple.wifi.known-networks.plist (macOS 11 and later; dates in UTC); com.apple.airport.preferences.plist (KnownNetworks since 10.10,
RememberedNetworks before); dhcpclient/leases (property lists); wifi.log of OS X 10.7 to 10.11, whose times have neither year nor zone (specimen).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import MONTHS, log_lines, yearless
from artefacts.macos.property_lists import date, dicts, table, text
from artefacts.observations import KnownNetwork, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, Timestamp

Results = Iterator[Observation | Problem]

_FIRST = ("AddedAt", "JoinedByUserAt", "JoinedBySystemAt")
_LAST = ("JoinedBySystemAt", "JoinedByUserAt", "LastDiscoveredAt", "LastConnected", "lastConnected", "LastAutoJoinAt", "UpdatedAt")
_LINE = re.compile(r"^(?:[A-Z][a-z]{2} )?(" + MONTHS + r") {1,2}(\d{1,2}) (\d\d:\d\d:\d\d(?:\.\d{1,6})?) (.*)$")
_SSID = re.compile(r"(?:associated to|Successfully associated to|ssid=)\s*[“\"']?(.{1,64}?)(?:[”\"']|,|\.\s|$)")


def parse_known(file: EvidenceFile) -> Results:
    """``KnownNetwork`` for each Wi-Fi network; since macOS 11 first and last use are told apart."""
    for key, entry in sorted(table(file).items()):
        if not isinstance(entry, dict):
            continue
        ssid = entry.get("SSID")
        name = ssid.decode("utf-8", "backslashreplace") if isinstance(ssid, bytes) else text(ssid)
        yield _network(name or key.removeprefix("wifi.network.ssid."), entry, "known Wi-Fi networks", key)


def parse_airport(file: EvidenceFile) -> Results:
    """``KnownNetwork`` for each Wi-Fi network of the older settings."""
    settings = table(file)
    known = settings.get("KnownNetworks")
    for key, entry in sorted(known.items()) if isinstance(known, dict) else ():
        if isinstance(entry, dict):
            yield _network(text(entry.get("SSIDString")) or key, entry, "AirPort settings", f"KnownNetworks/{key}")
    for number, entry in enumerate(dicts(settings.get("RememberedNetworks"))):
        locator = f"RememberedNetworks[{number}]"
        yield _network(text(entry.get("SSIDString")) or "[no name]", entry, "AirPort settings, remembered", locator)


def _network(name: str, entry: Mapping[str, Any], how: str, locator: str) -> KnownNetwork:
    specific = entry.get("__OSSpecific__")
    merged = {**specific, **entry} if isinstance(specific, dict) else entry
    return KnownNetwork(
        name=name, kind="wireless", first=_extreme(merged, _FIRST, min), last=_extreme(merged, _LAST, max), how=how, locator=locator
    )


def _extreme(entry: Mapping[str, Any], keys: tuple[str, ...], choose: Any) -> Time:
    found = [time for key in keys if isinstance(time := date(entry.get(key)), Timestamp)]
    chosen: Time = choose(found, default=NOT_RECORDED)
    return chosen


def parse_lease(file: EvidenceFile) -> Results:
    """One ``KnownNetwork`` for a DHCP lease, with the router's hardware address."""
    lease = table(file)
    router, hardware = text(lease.get("RouterIPAddress")), lease.get("RouterHardwareAddress")
    if router is None and text(lease.get("IPAddress")) is None:
        raise Unrecognised("a property list, but not a DHCP lease")
    name = text(lease.get("SSID"))
    yield KnownNetwork(
        name=name or f"network of {router or lease.get('IPAddress')}",
        kind="wireless" if name else None,
        last=date(lease.get("LeaseStartDate")),
        gateway_mac=hardware.hex(":") if isinstance(hardware, bytes) and len(hardware) == 6 else None,
        how="DHCP lease",
    )


def parse_log(file: EvidenceFile) -> Results:
    """``KnownNetwork`` for each name in ``wifi.log`` with the wall clock of its first and last line; a sum. Lines of another form are a ``Problem``."""
    networks: dict[str, KnownNetwork] = {}
    count = bad = 0
    first: Time = NOT_RECORDED
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        matched = _LINE.match(line)
        if matched is None:
            if line.strip() and (bad := bad + 1) <= 20:
                yield Problem("not a line of this log", Status.UNRECOGNISED, f"line={number}")
            continue
        count += 1
        time = yearless(matched[1], matched[2], matched[3])
        first = time if count == 1 else first
        if found := _SSID.search(matched[4]):
            known = networks.setdefault(
                found[1], KnownNetwork(name=found[1], kind="wireless", first=time, count=0, how="wifi.log", locator=f"line={number}")
            )
            known.last, known.count = time, (known.count or 0) + 1
    if bad and not count:
        raise Unrecognised("not a Wi-Fi log")
    if count:
        yield SystemFact(name="Wi-Fi log", value=f"{count} entries", time=first, locator="line=1")
    yield from networks.values()


def _artefact(name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, validation: str = "generated") -> Artefact:
    return Artefact(
        id=f"macos.network.{name}", title=title, meaning=meaning, paths=paths, parse=parse, systems=("macos",), validation=validation,
        references=("https://support.apple.com/guide/mac-help/mchlp1180/mac",),
    )  # fmt: skip


ARTEFACTS = (
    _artefact(
        "known", "Known Wi-Fi networks", "Wi-Fi networks that this Mac joined, and when.", ("**/Library/Preferences/com.apple.wifi.known-networks.plist",),
        parse_known,
    ),
    _artefact(
        "airport", "Wi-Fi networks, older settings", "Wi-Fi networks that this Mac joined, with the last connection.",
        ("**/Library/Preferences/SystemConfiguration/com.apple.airport.preferences.plist*",), parse_airport,
    ),
    _artefact("lease", "DHCP leases", "Networks that gave this Mac an address, and their router.", ("**/var/db/dhcpclient/leases/*",), parse_lease),
    _artefact(
        "wifi_log", "Wi-Fi log", "Wi-Fi networks that this Mac was on, in order; the log has no year.", ("**/var/log/wifi.log*",), parse_log,
        "specimen of OS X 10.9; generated",
    ),
)  # fmt: skip
