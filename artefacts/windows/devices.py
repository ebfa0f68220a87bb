r"""What a device's instance path says about the device (``USBSTOR\Disk&Ven_X&Prod_Y&Rev_1\SERIAL&0``).

Source: Microsoft, "Device instance IDs" and "Standard USB identifiers". A serial whose second character is ``&`` was made by Windows: the device has
none of its own, and the same device in another socket gets another.
"""

from __future__ import annotations

import re
from typing import Any

_STORAGE = re.compile(r"(?:^|[\\#_])(USBSTOR|SCSI|SD)[\\#](\w+)&VEN_([^&\\#]*)&PROD_([^&\\#]*)[^\\#]*[\\#]([^\\#]+)", re.IGNORECASE)
_USB = re.compile(r"(?:^|[\\#])USB[\\#](VID_[0-9A-F]{4}&PID_[0-9A-F]{4})[^\\#]*[\\#]([^\\#]+)", re.IGNORECASE)
_BLUETOOTH = re.compile(r"^BTHENUM[\\#]DEV_([0-9A-F]{12})", re.IGNORECASE)
_PORTABLE = re.compile(r"^(?:SWD[\\#]WPDBUSENUM|WPDBUSENUMROOT)[\\#]", re.IGNORECASE)
_KINDS = {"USBSTOR": "USB storage", "SCSI": "drive", "SD": "memory card"}


def describe(instance: str) -> dict[str, Any] | None:
    """Fields of ``AttachedDevice`` (kind, maker, model, serial, identifier), or None for what is no outer device."""
    if found := _STORAGE.search(instance):
        bus, _, maker, model, serial = found.groups()
        return {
            "kind": _KINDS[bus.upper()],
            "maker": maker.replace("_", " ").strip() or None,
            "model": model.replace("_", " ").strip() or None,
            "serial": _serial(serial.rsplit("&", 1)[0] if bus.upper() == "USBSTOR" else serial),
            "identifier": instance,
        }
    if found := _USB.search(instance):
        return {"kind": "USB device", "model": found[1].upper(), "serial": _serial(found[2]), "identifier": instance}
    if found := _BLUETOOTH.search(instance):
        return {"kind": "Bluetooth device", "serial": ":".join(re.findall("..", found[1].lower())), "identifier": instance}
    if _PORTABLE.search(instance):
        return {"kind": "portable device", "identifier": instance}
    return None


def _serial(text: str) -> str | None:
    return None if text[1:2] == "&" else text
