"""Devices attached to this computer now, as its system tells: nothing is opened, mounted or asked.

Linux: the USB devices in sysfs (``Documentation/ABI/stable/sysfs-bus-usb``: idVendor, idProduct, manufacturer, product, serial). Elsewhere: the removable drives that psutil names; the registry of a Windows
drive that is scanned says the rest.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

from artefacts.coverage import Problem, Status
from artefacts.devices import usb_names
from artefacts.observations import AttachedDevice, Observation
from artefacts.times import Time, Timestamp

HOW = "attached now"
_MOST = 1000
_CLASSES = {
    "03": "mouse or keyboard",
    "06": "phone or camera",
    "07": "printer",
    "08": "USB storage",
    "09": "USB hub",
    "0e": "webcam",
    "01": "sound device",
    "0b": "smart card reader",
    "e0": "Bluetooth adapter",
}


def attached(now: Time, *, sys: Path = Path("/sys"), system: str | None = None) -> Iterator[Observation | Problem]:
    """``AttachedDevice`` for what is plugged in. ``now`` is its ``last``."""
    if (system or platform.system()) == "Linux":
        yield from _usb(sys / "bus/usb/devices", now)
    else:
        yield from _removable(now)


def _usb(folder: Path, now: Time) -> Iterator[Observation | Problem]:
    try:
        places = sorted(folder.iterdir())
    except OSError as error:
        yield Problem(f"the list of USB devices cannot be read: {error.strerror or error}", Status.UNREADABLE, str(folder))
        return
    if len(places) > _MOST:
        yield Problem(f"more than {_MOST} USB devices and parts: the rest is not read", Status.FAILED, str(folder))
    for place in places[:_MOST]:
        vendor, product = _line(place / "idVendor"), _line(place / "idProduct")
        if not vendor or not product or vendor == "1d6b":  # parts of devices have none; 1d6b: sockets of the computer itself
            continue
        kind = _CLASSES.get(_line(place / "bDeviceClass") or "") or next(
            (
                _CLASSES[number]
                for part in places
                if part.name.startswith(f"{place.name}:") and (number := _line(part / "bInterfaceClass") or "") in _CLASSES
            ),
            "USB device",
        )
        yield AttachedDevice(
            kind=kind,
            maker=_line(place / "manufacturer") or usb_names.maker(vendor),
            model=_line(place / "product") or usb_names.product(vendor, product),
            serial=_line(place / "serial"),
            identifier=f"USB\\VID_{vendor.upper()}&PID_{product.upper()}",
            last=now,
            how=HOW,
            locator=place.name,
        )


def _removable(now: Time) -> Iterator[Observation | Problem]:
    import psutil

    for item in psutil.disk_partitions(all=False)[:_MOST]:
        if "removable" in item.opts:
            yield AttachedDevice(kind="USB storage", name=item.mountpoint, identifier=item.device, last=now, how=HOW, locator=item.device)
    yield Problem("of what is plugged in, only removable drives can be listed on this system", Status.UNREADABLE)


def _line(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            text = file.read(512).decode("utf-8", "replace")
    except OSError:
        return None
    return " ".join(text.split()) or None


def clock() -> Timestamp:
    """This computer's time, to the second."""
    import time

    return Timestamp(int(time.time()) * 1_000_000_000)
