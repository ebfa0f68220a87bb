"""Devices that were paired with or plugged into a Mac: Bluetooth, iPhones, iPads and iPods, printers.

Sources: com.apple.Bluetooth.plist (DeviceCache, PairedDevices; dates in UTC), com.apple.MobileBluetooth.devices.plist, com.apple.iPod.plist (Devices: one
dictionary a device, written by iTunes and the Finder), org.cups.printers.plist (specimen, without a printer).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Unrecognised
from artefacts.macos.property_lists import date, dicts, table, text, tree
from artefacts.observations import AttachedDevice, Observation
from artefacts.registry import Artefact, EvidenceFile

Results = Iterator[Observation | Problem]

_MAC = re.compile(r"^[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}$")
# Major device class, bits 8 to 12 of the class of device (Bluetooth SIG, Assigned Numbers 2.8).
_MAJOR = {
    1: "computer",
    2: "phone",
    3: "network access point",
    4: "audio or video device",
    5: "keyboard, mouse or other input",
    6: "printer, scanner or camera",
    7: "wearable",
}


def bluetooth_kind(device_class: Any) -> str:
    """What a Bluetooth class of device says it is."""
    return _MAJOR.get((device_class >> 8) & 0x1F, "Bluetooth device") if isinstance(device_class, int) else "Bluetooth device"


def parse_bluetooth(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each device that was seen; those that are paired say so."""
    settings = table(file)
    paired = settings.get("PairedDevices")
    pairs = {item.lower() for item in paired if isinstance(item, str)} if isinstance(paired, list) else set()
    cache = settings.get("DeviceCache")
    devices = cache if isinstance(cache, dict) else {key: value for key, value in settings.items() if _MAC.match(key)}
    for address in sorted({*devices, *(item for item in pairs if item not in {key.lower() for key in devices})}):
        entry = devices.get(address)
        entry = entry if isinstance(entry, dict) else {}
        mac = address.lower().replace("-", ":")
        yield AttachedDevice(
            kind=bluetooth_kind(entry.get("ClassOfDevice")),
            name=text(entry.get("displayName")) or text(entry.get("UserNameKey")) or text(entry.get("Name")),
            maker=text(entry.get("Manufacturer")),
            serial=text(entry.get("SerialNumber")),
            identifier=mac,
            identifiers=(f"bluetooth:{mac}",),
            last=date(entry.get("LastInquiryUpdate") or entry.get("LastNameUpdate") or entry.get("LastServicesUpdate")),
            how="Bluetooth, paired" if address.lower() in pairs else "Bluetooth, seen",
            locator=f"DeviceCache/{address}",
        )


def parse_ipods(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each iPhone, iPad or iPod."""
    devices = table(file).get("Devices")
    if not isinstance(devices, dict):
        raise Unrecognised("a property list, but without devices")
    for key, entry in sorted(devices.items()):
        if not isinstance(entry, dict):
            continue
        uses = entry.get("Use Count")
        imei = text(entry.get("IMEI"))
        yield AttachedDevice(
            kind={"iphone": "phone", "ipad": "tablet"}.get((text(entry.get("Device Class")) or "").lower(), "Apple device"),
            maker="Apple",
            model=text(entry.get("Product Type")) or text(entry.get("Device Class")),
            serial=text(entry.get("Serial Number")),
            last=date(entry.get("Connected")),
            count=uses if isinstance(uses, int) else None,
            identifier=text(entry.get("ID")) or key,
            identifiers=(f"imei:{imei}",) if imei else (),
            name=text(entry.get("Name")),
            user=file.user,
            how="iPod settings",
            locator=f"Devices/{key}",
        )


def parse_printers(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each printer."""
    for number, entry in enumerate(dicts(tree(file))):
        yield AttachedDevice(
            kind="printer",
            name=text(entry.get("printer-info")) or text(entry.get("printer-name")),
            model=text(entry.get("printer-make-and-model")),
            identifier=text(entry.get("device-uri")),
            how="printers (CUPS)",
            locator=f"[{number}]",
        )


def _artefact(
    name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, reference: str, validation: str = "generated"
) -> Artefact:
    return Artefact(
        id=f"macos.device.{name}",
        title=title,
        meaning=meaning,
        paths=paths,
        parse=parse,
        references=(reference,),
        systems=("macos",),
        validation=validation,
    )


ARTEFACTS = (
    _artefact(
        "bluetooth", "Bluetooth devices", "Phones, headsets and other devices that were paired with this Mac or seen by it.",
        ("**/Library/Preferences/com.apple.Bluetooth.plist", "**/com.apple.MobileBluetooth.devices.plist"), parse_bluetooth,
        "https://www.bluetooth.com/specifications/assigned-numbers/",
    ),
    _artefact(
        "ipod", "iPhones, iPads and iPods", "Apple devices that were connected by cable, with serial number and last connection.",
        ("**/Library/Preferences/com.apple.iPod.plist",), parse_ipods, "https://support.apple.com/guide/iphone/welcome/ios",
    ),
    _artefact(
        "printers", "Printers", "Printers that are set up.", ("**/Library/Preferences/org.cups.printers.plist",), parse_printers,
        "https://www.cups.org/doc/man-cupsd.conf.html", "specimen without a printer; generated",
    ),
)  # fmt: skip
