"""Pairing records: iPhones and iPads that trusted this computer ("Trust this computer?").

One property list for each device, named after its UDID. It holds keys that open the phone: they are never read out. What is taken is the
name of the file and the phone's Wi-Fi address. Source: libimobiledevice, "usbmuxd pairing records"; Apple, "About the 'Trust This Computer' alert".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from artefacts import plist
from artefacts.coverage import Problem, Unrecognised
from artefacts.network import mac_makers
from artefacts.observations import AttachedDevice, Observation
from artefacts.registry import Artefact, EvidenceFile

_UDID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{8}-?[0-9a-f]{16}", re.IGNORECASE)
_ADDRESSES = (("WiFiMACAddress", "mac"), ("BluetoothMACAddress", "bluetooth"))


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``AttachedDevice``: the phone or tablet, its UDID as ``serial``, and its addresses where they are recorded."""
    udid = file.name.rpartition(".")[0]
    if not _UDID.fullmatch(udid):
        raise Unrecognised("not named after a phone or tablet")
    try:
        tree = plist.load(file.read(plist.LARGEST + 1))
    except ValueError as error:
        raise Unrecognised(str(error)) from error
    if not isinstance(tree, Mapping):
        raise Unrecognised("not a pairing record")
    found = []
    for key, kind in _ADDRESSES:
        value = tree.get(key)
        address = mac_makers.normal(value) if isinstance(value, str) else None
        if address:
            found.append(f"{kind}:{address}")
    yield AttachedDevice(
        kind="phone or tablet",
        maker="Apple",
        serial=udid,
        identifier=file.name,
        identifiers=(f"udid:{udid}", *found),
        how="Apple pairing record",
    )


ARTEFACTS = (
    Artefact(
        id="devices.apple_pairing",
        title="Pairing records of iPhones and iPads",
        meaning="iPhones and iPads whose owner allowed this computer to read them.",
        paths=("**/Apple/Lockdown/*.plist", "**/db/lockdown/*.plist", "**/lib/lockdown/*.plist"),
        parse=parse,
        references=("https://support.apple.com/109054", "https://github.com/libimobiledevice/usbmuxd"),
    ),
)
