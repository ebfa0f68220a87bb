"""Devices that were connected: USB storage, everything else on USB, phones and cameras (Windows Portable Devices), Bluetooth.

The times are properties of a device ``{83da6326-97a6-4088-9453-a1923f573b29}``: 0x64 installed, 0x65 first installed, 0x66 last arrival,
0x67 last removal, each a FILETIME; since Windows 8 as the value of a key of four digits, in Windows 7 of a key of eight below it.
Sources: Microsoft, ``devpkey.h``; J. Metz, "USB storage" (winreg-kb); BTHPORT: N. Harbour and others, checked on Windows 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypedDict

from artefacts.observations import AttachedDevice, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import SOFTWARE, SYSTEM, Results, filetime_at, read_hive

_TIMES = "{83da6326-97a6-4088-9453-a1923f573b29}"
_STORAGE = re.compile(r"(?P<kind>[^&]*)&Ven_(?P<maker>[^&]*)&Prod_(?P<model>[^&]*)(?:&Rev_(?P<revision>.*))?", re.IGNORECASE)
_USB = re.compile(r"VID_(?P<maker>[0-9A-F]{4})&PID_(?P<model>[0-9A-F]{4})(?P<part>&.*)?", re.IGNORECASE)
_SERVICES = {
    **dict.fromkeys(("wpdmtp", "wudfwpdmtp", "wpdmtpdriver", "wudfwpdmtpdr", "usbaapl", "usbaapl64", "winusb_phone", "wudfrd"), "phone or camera"),
    **dict.fromkeys(("dg_ssudbus", "ssudmdm", "ssadbus", "androidusb", "winusb_adb"), "phone"),
    **dict.fromkeys(("usbstor", "uaspstor"), "USB storage"),
    **dict.fromkeys(("hidusb", "kbdhid", "mouhid"), "mouse or keyboard"),
    **dict.fromkeys(("usbhub", "usbhub3", "vmusb"), "USB hub"),
    **dict.fromkeys(("xusb21", "xusb22", "xboxgip", "xinputhid"), "game controller"),
    "bthusb": "Bluetooth adapter", "usbvideo": "webcam", "usbaudio": "sound device", "usbaudio2": "sound device", "usbprint": "printer",
    "usbscan": "scanner or camera", "wudfusbcciddriver": "smart card reader", "usbccid": "smart card reader",
}  # fmt: skip
"""What a device is by the driver that served it."""
_PAIRED = re.compile(r"DEV_([0-9A-F]{12})", re.IGNORECASE)
_NO_PRINTER = re.compile(r"PORTPROMPT:|SHRFAX:|nul:|XPSPort:|Microsoft\.Office\.OneNote|FILE:|FOXIT|CPW|PDF", re.IGNORECASE)
"""Ports of programs that write files and faxes."""
_BLUETOOTH_CLASSES = {1: "computer", 2: "phone", 3: "router", 4: "sound device", 5: "mouse or keyboard", 7: "watch or band"}
"""The major class of a Bluetooth device (bits 8 to 12 of its class); imaging and others are told apart no further."""


def parse_system(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each instance below Enum\\USBSTOR, USB, SWD\\WPDBUSENUM, BTHENUM and BTHLE and each Bluetooth device, from a SYSTEM hive."""
    return read_hive(file, _system)


def parse_portable(file: EvidenceFile) -> Results:
    """``AttachedDevice`` from a SOFTWARE hive: the names (often a volume's label) that Windows gave to portable devices."""
    return read_hive(file, _portable)


def _system(hive: Hive) -> Iterator[Observation]:
    """The devices of the set of settings in use, then those that only other sets remember."""
    current = hive.control_set()
    seen: set[str] = set()
    for settings in [current] if current else []:
        for device in _devices(settings):
            seen.add(f"{device.how} {device.identifier}".upper())
            yield device
    root = hive.root
    for settings in root.subkeys() if root else ():
        if re.fullmatch(r"ControlSet\d{3}", settings.name, re.IGNORECASE) and (current is None or settings.name != current.name):
            for device in _devices(settings):
                name = f"{device.how} {device.identifier}".upper()
                if name not in seen:
                    seen.add(name)
                    device.how = f"{device.how}, earlier settings of Windows"
                    yield device


def _devices(settings: Key) -> Iterator[AttachedDevice]:
    for branch, read in (("USBSTOR", _storage), ("USB", _usb), (r"SWD\WPDBUSENUM", _wpd), ("BTHENUM", _paired), ("BTHLE", _paired)):
        place = settings.find(rf"Enum\{branch}")
        parents = _parents(place) if place and branch == "USB" else {}
        for device in place.subkeys() if place else ():
            yield from read(device, branch, parents)
    bluetooth = settings.find(r"Services\BTHPORT\Parameters\Devices")
    for key in bluetooth.subkeys() if bluetooth else ():
        yield _bluetooth(key)


def _parents(place: Key) -> dict[str, str]:
    """The serial number of each device with parts, by what the names of its parts begin with."""
    found = {}
    for device in place.subkeys():
        for key in device.subkeys() if "&MI_" not in device.name.upper() else ():
            prefix, serial = key.text("ParentIdPrefix"), _serial(key.name)
            if prefix and serial:
                found[prefix.upper()] = serial
    return found


def _storage(device: Key, branch: str, _parents: dict[str, str]) -> Iterator[AttachedDevice]:
    found = _STORAGE.fullmatch(device.name)
    for key in device.subkeys():
        yield AttachedDevice(
            kind="USB storage",
            maker=(_words(found["maker"]) if found else None),
            model=(_words(found["model"]) if found else None),
            serial=_serial(key.name.rpartition("&")[0] or key.name),
            name=key.text("FriendlyName"),
            identifier=f"{branch}\\{device.name}\\{key.name}",
            how="USBSTOR",
            locator=key.locator,
            **_times(key),
        )


def _usb(device: Key, branch: str, parents: dict[str, str]) -> Iterator[AttachedDevice]:
    found = _USB.fullmatch(device.name)
    for key in device.subkeys():
        service = (key.text("Service") or "").lower()
        part = bool(found and found["part"])
        yield AttachedDevice(
            kind=_SERVICES.get(service, "USB hub" if "hub" in device.name.lower() else "USB device"),
            maker=f"VID_{found['maker'].upper()}" if found else None,
            model=f"PID_{found['model'].upper()}" if found else None,
            # The parts of a composite device have numbers made by Windows from its own, as has a device without a serial number.
            serial=parents.get(key.name.rpartition("&")[0].upper()) if part else _serial(key.name),
            name=_shown(key.text("FriendlyName")) or _shown(key.text("DeviceDesc")),
            identifier=f"{branch}\\{device.name}\\{key.name}",
            how="Enum\\USB",
            locator=key.locator,
            **_times(key),
        )


def _wpd(device: Key, branch: str, _parents: dict[str, str]) -> Iterator[AttachedDevice]:
    yield AttachedDevice(
        kind="portable device",
        maker=_shown(device.text("Mfg")),
        name=_shown(device.text("FriendlyName")),
        identifier=f"{branch}\\{device.name}",
        how="WPDBUSENUM",
        locator=device.locator,
        **_times(device),
    )


def _paired(device: Key, branch: str, _parents: dict[str, str]) -> Iterator[AttachedDevice]:
    """A device on Bluetooth that Windows has installed: other keys there are services of one, told by the address in their instances."""
    found = _PAIRED.fullmatch(device.name)
    address = ":".join(re.findall("..", found[1].lower())) if found else None
    for key in device.subkeys() if address else ():
        yield AttachedDevice(
            kind="Bluetooth device",
            name=_shown(key.text("FriendlyName")),
            serial=address,
            identifiers=(f"bluetooth:{address}",),
            identifier=f"{branch}\\{device.name}\\{key.name}",
            how=f"Enum\\{branch}",
            locator=key.locator,
            **_times(key),
        )


def _bluetooth(key: Key) -> AttachedDevice:
    name = key.binary("Name") or b""
    address = ":".join(key.name[at : at + 2] for at in range(0, 12, 2)).lower() if re.fullmatch(r"[0-9A-Fa-f]{12}", key.name) else None
    return AttachedDevice(
        kind=_BLUETOOTH_CLASSES.get((key.number("COD") or 0) >> 8 & 0x1F, "Bluetooth device"),
        name=name.split(b"\0")[0].decode("utf-8", "backslashreplace") or None,
        serial=address,
        identifiers=(f"bluetooth:{address}",) if address else (),
        last=_newest(filetime_at(key.binary("LastConnected")), filetime_at(key.binary("LastSeen"))),
        identifier=key.name,
        how="BTHPORT",
        locator=key.locator,
    )


def _portable(hive: Hive) -> Iterator[Observation]:
    place = hive.key(r"Microsoft\Windows Portable Devices\Devices")
    for key in place.subkeys() if place else ():
        yield AttachedDevice(
            kind="portable device", name=key.text("FriendlyName"), identifier=key.name, how="Windows Portable Devices", locator=key.locator
        )
    cache = hive.key(r"Microsoft\Windows Search\VolumeInfoCache")
    for key in cache.subkeys() if cache else ():
        label = key.text("VolumeLabel")
        if label:
            yield AttachedDevice(kind="volume", name=label, identifier=key.name, how="VolumeInfoCache", locator=key.locator)
    printers = hive.key(r"Microsoft\Windows NT\CurrentVersion\Print\Printers")
    for key in printers.subkeys() if printers else ():
        port = key.text("Port") or ""
        if not _NO_PRINTER.match(port):
            yield AttachedDevice(
                kind="printer",
                name=key.text("Name") or key.name,
                model=key.text("Printer Driver"),
                identifier=port or key.name,
                how="printers of Windows",
                locator=key.locator,
            )
    ready = hive.key(r"Microsoft\Windows NT\CurrentVersion\EMDMgmt")
    for key in ready.subkeys() if ready else ():
        # …_??_USBSTOR#Disk&Ven_…#SERIAL#{…}LABEL_VOLUMESERIAL
        found = re.search(r"USBSTOR#(?P<device>[^#]*)#(?P<serial>[^#]*)#\{[^}]*\}(?P<label>.*)_(?P<volume>\d+)$", key.name)
        model = _STORAGE.fullmatch(found["device"]) if found else None
        if found:
            yield AttachedDevice(
                kind="USB storage",
                maker=_words(model["maker"]) if model else None,
                model=_words(model["model"]) if model else None,
                serial=_serial(found["serial"].rpartition("&")[0] or found["serial"]),
                name=found["label"] or None,
                identifier=key.name,
                identifiers=(f"volume:{int(found['volume']):08X}",) if len(found["volume"]) <= 20 else (),
                how="ReadyBoost test (EMDMgmt)",
                locator=key.locator,
            )


class _Times(TypedDict):
    first: Time
    last: Time
    removed: Time


def _times(key: Key) -> _Times:
    properties = key.find(rf"Properties\{_TIMES}")
    found = {}
    for number in (0x64, 0x65, 0x66, 0x67):
        time: Time = NOT_RECORDED
        place = properties.subkey(f"{number:04X}") if properties else None
        if place:
            time = filetime_at(place.binary(""))
        elif properties and (place := properties.find(rf"{number:08X}\00000000")):
            time = filetime_at(place.binary("Data"))
        found[number] = time
    first = found[0x65] if isinstance(found[0x65], Timestamp) else found[0x64]
    last = found[0x66]
    if not isinstance(last, Timestamp) and isinstance(key.written, Timestamp):
        # The key is also written at an upgrade of Windows: no proof that the device was there.
        last = NoTime(f"not recorded; the device's key was last written {key.written.isoformat()}")
    return {"first": first, "last": last, "removed": found[0x67]}


def _serial(text: str) -> str | None:
    """None where Windows made the number itself (the second character is ``&``): it says nothing of the device."""
    return None if text[1:2] == "&" else text


def _words(text: str) -> str | None:
    return text.replace("_", " ").strip() or None


def _shown(text: str | None) -> str | None:
    """The words of ``@oem1.inf,%name%;Words``."""
    return text.rpartition(";")[2] or None if text else None


def _newest(first: Time, second: Time) -> Time:
    if isinstance(first, Timestamp) and isinstance(second, Timestamp):
        return max(first, second)
    return first if isinstance(first, Timestamp) else second


ARTEFACTS = (
    Artefact(
        id="windows.registry.devices",
        title="Windows registry: devices",
        meaning="USB sticks, drives, phones and Bluetooth devices that were connected, with serial numbers and the first and last time.",
        paths=SYSTEM,
        parse=parse_system,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/system-keys/USB-storage.html",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
    Artefact(
        id="windows.registry.portable",
        title="Windows registry: portable devices",
        meaning="The names and volume labels of phones, cameras and sticks that were connected.",
        paths=SOFTWARE,
        parse=parse_portable,
        references=("https://winreg-kb.readthedocs.io/en/latest/",),
        systems=("windows",),
    ),
)
