"""Networks that the machine was connected to (NetworkList). ``DateCreated`` and ``DateLastConnected`` are local SYSTEMTIMEs.

The hive with the time zone (SYSTEM) is another one, so they stay local. Source: J. Metz, "Network list" (winreg-kb); MS-DTYP 2.3.13.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime

from artefacts.observations import KnownNetwork, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, from_local
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import SOFTWARE, Results, read_hive

_KINDS = {0x06: "wired", 0x17: "broadband or VPN", 0x35: "VPN", 0x47: "wireless", 0xF3: "mobile"}


def parse(file: EvidenceFile) -> Results:
    """``KnownNetwork`` for each profile, with the gateway's address from the signature of that profile, from a SOFTWARE hive."""
    return read_hive(file, _read)


def _read(hive: Hive) -> Iterator[Observation]:
    place = hive.key(r"Microsoft\Windows NT\CurrentVersion\NetworkList")
    if place is None:
        return
    gateways: dict[str, str] = {}
    for kind in ("Managed", "Unmanaged"):
        signatures = place.find(rf"Signatures\{kind}")
        for key in signatures.subkeys() if signatures else ():
            profile, address = key.text("ProfileGuid"), key.binary("DefaultGatewayMac")
            if profile and address and len(address) == 6:
                gateways[profile.lower()] = address.hex(":")
    profiles = place.subkey("Profiles")
    for key in profiles.subkeys() if profiles else ():
        number = key.number("NameType")
        yield KnownNetwork(
            name=key.text("ProfileName") or key.text("Description") or key.name,
            kind=None if number is None else _KINDS.get(number, f"type {number:#x}"),
            first=_local(key, "DateCreated"),
            last=_local(key, "DateLastConnected"),
            gateway_mac=gateways.get(key.name.lower()),
            how="NetworkList",
            locator=key.locator,
        )


def _local(key: Key, name: str) -> Time:
    data = key.binary(name)
    if data is None:
        return NOT_RECORDED
    if len(data) != 16:
        return NoTime("not a SYSTEMTIME")
    year, month, _, day, hour, minute, second, milliseconds = struct.unpack("<8H", data)
    try:
        moment = datetime(year, month, day, hour, minute, second, milliseconds * 1000)
    except ValueError:
        return NoTime("not a SYSTEMTIME")
    return from_local(moment.isoformat(), "SYSTEMTIME of the machine's own zone")


ARTEFACTS = (
    Artefact(
        id="windows.registry.networks",
        title="Windows registry: networks",
        meaning="Networks that the machine joined, when first and last by its own clock, and the router's hardware address.",
        paths=SOFTWARE,
        parse=parse,
        references=("https://winreg-kb.readthedocs.io/en/latest/",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
)
