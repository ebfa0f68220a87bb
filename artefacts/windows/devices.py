r"""What a device's instance path says about the device (``USBSTOR\Disk&Ven_X&Prod_Y&Rev_1\SERIAL&0``).

Source: Microsoft, "Device instance IDs" and "Standard USB identifiers". A serial whose second character is ``&`` was made by Windows: the device has
none of its own, and the same device in another socket gets another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_STORAGE = re.compile(r"(?:^|[\\#_])(USBSTOR|SCSI|SD)[\\#](\w+)&VEN_([^&\\#]*)&PROD_([^&\\#]*)[^\\#]*[\\#]([^\\#]+)", re.IGNORECASE)
_USB = re.compile(r"(?:^|[\\#_])USB[\\#](VID_[0-9A-F]{4}&PID_[0-9A-F]{4})[^\\#]*[\\#]([^\\#]+)", re.IGNORECASE)
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


def disk_identifiers(data: Mapping[str, str]) -> Iterator[str]:
    """What event 1006 of the partition manager keeps of a disk: ``volume:`` serials from the boot sectors, ``disk:`` signature or identifier.

    ``Mbr`` and ``Vbr0`` to ``Vbr3`` are sectors as hex digits. The serial lies at 0x48 of NTFS (its low half is what shortcuts keep), at 0x64 of exFAT,
    0x43 of FAT32, 0x27 of FAT12 and FAT16.
    """
    if found := re.fullmatch(r"\{?([0-9A-Fa-f-]{36})\}?", data.get("DiskId", "")):
        yield f"disk:{{{found[1].lower()}}}"
    mbr = _sector(data.get("Mbr", ""))
    if len(mbr) == 512 and mbr[510:] == b"\x55\xaa" and any(mbr[0x1B8:0x1BC]):
        yield f"disk:{int.from_bytes(mbr[0x1B8:0x1BC], 'little'):08x}"
    for name in ("Vbr0", "Vbr1", "Vbr2", "Vbr3"):
        sector = _sector(data.get(name, ""))
        at = next((place for place, mark in _BOOT.items() if sector[3:11] == mark), None)
        if at is None:
            at = 0x43 if sector[0x52:0x57] == b"FAT32" else 0x27 if sector[0x36:0x39] == b"FAT" else None
        if at is not None and len(sector) >= at + 4 and any(sector[at : at + 4]):
            yield f"volume:{int.from_bytes(sector[at : at + 4], 'little'):08X}"


_BOOT = {0x48: b"NTFS    ", 0x64: b"EXFAT   "}


def _sector(text: str) -> bytes:
    try:
        return bytes.fromhex(text[:8192])
    except ValueError:
        return b""


def _serial(text: str) -> str | None:
    return None if text[1:2] == "&" else text
