"""From an observation as journalled to what the ledger needs of it: a trace of a device, or a link between a volume and a device."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artefacts.devices import apple_models, usb_names
from artefacts.network import mac_makers
from artefacts.windows.devices import describe
from triage.devices import identity, kinds

_VIRTUAL = ("80EE", "0E0F", "0627")
"""USB makers of virtual computers: VirtualBox, VMware, QEMU. Their mice and hubs exist only inside."""
_FAMILY = re.compile(r"/|\bseries\b|\bmisc\b|\bmode\)", re.IGNORECASE)
"""A product number of the USB table that stands for many models."""
_GENERIC_NAME = re.compile(
    r"^(?:usb (?:composite|input|mass storage|attached scsi|root hub|device)\b.*|unknown.*|generic .*hub.*|removable disk|[a-z]:\\?)$",
    re.IGNORECASE,
)
_HOTSPOT = re.compile(
    r"i(?:phone|pad)|android ?ap|galaxy|pixel|huawei|redmi|oneplus|xperia|\bmoto\b|honor|oppo|realme|hotspot", re.IGNORECASE
)
_USB_ID = re.compile(r"VID_([0-9A-F]{4})&PID_([0-9A-F]{4})", re.IGNORECASE)
_VOLUME_GUID = re.compile(r"(\{[0-9a-f]{8}-[0-9a-f-]{27}\})", re.IGNORECASE)
_DISK = re.compile(r"^disk ([0-9a-f]{8}) at byte")
_SERVER = re.compile(r"^\\\\(?:\?\\)?([^\\@?]+)(?:@[^\\]*)?\\")
_ADDRESS = re.compile(r"[\d.]+|\[?[0-9a-f:]+\]?")
_MAKER_ENDS = re.compile(
    r"[\s,]+(?:co\.?|ltd\.?|inc\.?|corp\.?|corporation|gmbh|limited|llc|electronics|computer|technolog(?:y|ies)|communications?|international|mobile"
    r"|company|s\.?a\.?|ab|incorporated|ag|group|\(.*\))[\s,.]*$",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Trace:
    """What one record says of a device. Times are RFC 3339 in UTC; ``…_local`` wall-clock readings without a zone.

    ``strong``: identifiers in the form in which they are compared; ``shown``: all identifiers as they are shown; ``links``: what volumes,
    drive letters and the like are known to be on it; ``floating``: the record names a model and no device, as a picture does; ``present``: it was
    met in the room itself, at the time of the record.
    """

    record: str
    how: str
    path: str
    source: str
    kind: str
    maker: str | None = None
    model: str | None = None
    name: str | None = None
    strong: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    first: str | None = None
    last: str | None = None
    first_local: str | None = None
    last_local: str | None = None
    user: str | None = None
    count: int | None = None
    floating: bool = False
    present: bool = False
    note: str | None = None
    records: int = field(default=1)


def short_maker(name: str | None) -> str | None:
    """A company as people call it: ``Samsung Electronics Co., Ltd`` is ``Samsung``."""
    text = " ".join((name or "").split())
    while text and (shorter := _MAKER_ENDS.sub("", text)) and shorter != text:
        text = shorter
    return text.strip(" ,") or None


def trace_of(data: Mapping[str, Any]) -> Trace | None:
    """The trace of a device in an observation, or None where it names none."""
    reader = _READERS.get(data["type"])
    trace = reader(data) if reader else None
    if trace is not None and trace.maker is None:
        addresses = sorted(text.partition(":")[2] for text in trace.strong if text.startswith(("mac:", "bluetooth:")))
        trace.maker = next((short_maker(found) for address in addresses if (found := mac_makers.maker(address))), None)
    return trace


def link_keys(source: str, data: Mapping[str, Any]) -> list[str]:
    """What a file's record says of the volume it lay on, the surest first: its serial, its drive letter, the phone it was seen in."""
    volume = data.get("volume") or {}
    serial, kind = str(volume.get("serial") or "").lower(), str(volume.get("kind") or "")
    keys = [f"volume:{serial.lstrip('0')}"] if serial.strip("0") else []
    path = str(data.get("path") or "")
    if path[1:3] == ":\\" and path[0].upper() != "C" and not serial and kind in ("", "removable drive"):
        keys.append(f"letter:{source}:{path[0].upper()}:")
    return keys


def _attached(data: Mapping[str, Any]) -> Trace | None:
    identifier = str(data.get("identifier") or "")
    said, how = str(data.get("kind") or ""), str(data.get("how") or "")
    described = describe(identifier) or {} if identifier else {}
    if said in ("encrypted volume", "USB hub") or (said == "drive" and "USB" not in identifier.upper()):
        return None  # containers, sockets, and drives that are built in
    if said == "network share":
        return _share(data, identifier)
    numbers = _USB_ID.search(identifier)
    if numbers and numbers[1].upper() in _VIRTUAL:
        said = "virtual device"
    product = usb_names.product(numbers[1], numbers[2]) if numbers else None
    one_product = None if product and _FAMILY.search(product) else product
    named = usb_names.maker(numbers[1]) if numbers else None
    maker, model, name = (_text(data.get(key)) for key in ("maker", "model", "name"))
    if not maker or maker.startswith("VID_"):
        maker = named
    if not model or model.startswith(("PID_", "VID_")):
        model = one_product
    model = _sold_as(model)
    if name and _GENERIC_NAME.search(name):
        name = None
    if how.startswith("Enum\\USB") and not described.get("serial") and (said == "USB storage" or not (product or model or name)):
        return None  # told again, and better, below USBSTOR; or a part of something else
    if said in ("volume", "portable device") and not described.get("serial") and not data.get("serial"):
        return None  # a volume's name only; what it is on is not told
    if said == "volume":
        said = str(described.get("kind") or said)
        maker, model, name = maker or described.get("maker"), model or described.get("model"), None
    kind = kinds.kind_of(
        str(described["kind"]) if said == "portable device" and described.get("kind") == "USB storage" else said, name, model, product
    )
    serial = data.get("serial") or described.get("serial")
    listed = [str(item) for item in data.get("identifiers") or ()]
    address = mac_makers.normal(str(serial)) if serial else None
    # The serial number of what is on Bluetooth is in most records its address.
    prefix = "bluetooth" if address and ("bluetooth" in said.lower() or f"bluetooth:{address}" in listed) else "serial"
    shown = {f"{prefix}:{address if prefix == 'bluetooth' else serial}"} if serial else set()
    shown |= {item for item in listed if not item.startswith(("volume:", "letter:", "disk:", "hostname:"))}
    strong = identity.strong(item for item in shown if not item.startswith("serial:"))
    if prefix == "serial" and serial and (made := identity.serial(str(serial), model)):
        strong.add(made)
    name = name or next((item.partition(":")[2] for item in listed if item.startswith("hostname:")), None)
    return Trace(
        **_shared(data, how or "device record"),
        kind=kind,
        maker=short_maker(maker),
        model=model,
        name=name,
        strong=frozenset(strong),
        shown=frozenset(shown),
        links=frozenset(_links(data, listed, identifier)),
        floating=not strong and how in _NAMES_ONLY,
        **_times(data, "first", "last", "removed"),
        count=data.get("count"),
        note=None if strong or not serial else "its number is not one of its own",
    )


_NAMES_ONLY = ("browser sync", "AutoplayHandlers", "cloud device list")


def _links(data: Mapping[str, Any], listed: list[str], identifier: str) -> set[str]:
    source = str((data.get("provenance") or {}).get("source") or "")
    links = {f"volume:{item.partition(':')[2].lower().lstrip('0')}" for item in listed if item.startswith("volume:")}
    links |= {item.lower() for item in listed if item.startswith("disk:")}
    links |= {f"letter:{source}:{item.partition(':')[2].upper()}" for item in listed if item.startswith("letter:")}
    name = str(data.get("name") or "")
    if data.get("how") == "MountedDevices":
        if re.fullmatch("[A-Za-z]:", name):
            links.add(f"letter:{source}:{name.upper()}")
        elif found := _VOLUME_GUID.search(name):
            links.add(f"guid:{source}:{found[1].lower()}")
    return links


def volume_link(data: Mapping[str, Any]) -> tuple[str, str | None, str | None] | None:
    """Of a record about a volume that does not say which device it is on: the key of the volume, who had it, and when last."""
    if data.get("kind") != "volume" or data.get("how") not in ("MountPoints2", "MountedDevices"):
        return None
    source = str((data.get("provenance") or {}).get("source") or "")
    found = _VOLUME_GUID.search(str(data.get("identifier") or ""))
    return (
        (f"guid:{source}:{found[1].lower()}", _text(data.get("user")), data.get("last"))
        if found and data["how"] == "MountPoints2"
        else None
    )


def disk_link(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Of a drive letter or volume that stands for a place on a disk: the key of that volume and of the disk."""
    found = _DISK.match(str(data.get("identifier") or "")) if data.get("how") == "MountedDevices" else None
    keys = _links(data, [], "")
    return (min(keys), f"disk:{found[1]}") if found and keys else None


def _share(data: Mapping[str, Any], identifier: str) -> Trace | None:
    found = _SERVER.match(identifier if identifier.startswith("\\\\") else "")
    if not found:
        return None
    server = found[1]
    trace = Trace(
        **_shared(data, str(data.get("how") or "network share")), kind=kinds.kind_of("network share"), name=server, **_times(data, "last")
    )
    trace.note = f"shared folder {identifier}"
    trace.shown = frozenset((f"address:{server}" if _ADDRESS.fullmatch(server.lower()) else f"hostname:{server}",))
    return trace


def _backup(data: Mapping[str, Any]) -> Trace:
    shown = {f"{kind}:{data[kind]}" for kind in ("serial", "imei", "meid", "udid") if data.get(kind)}
    shown |= {str(item) for item in data.get("identifiers") or ()}
    strong = identity.strong(shown)
    model = _text(data.get("model")) or apple_models.sold_as(_text(data.get("product")))
    encrypted = data.get("encrypted")
    return Trace(
        **_shared(data, str(data.get("how") or "backup")),
        kind=kinds.kind_of("phone" if not (model or "").startswith("iPad") else "tablet"),
        maker=short_maker(_text(data.get("maker"))),
        model=model,
        name=_text(data.get("name")),
        strong=frozenset(strong),
        shown=frozenset(shown | ({f"phone number:{data['phone_number']}"} if data.get("phone_number") else set())),
        **_times(data, "last"),
        note=None if encrypted is None else "its backup is encrypted" if encrypted else "its backup is not encrypted",
    )


def _host(data: Mapping[str, Any]) -> Trace | None:
    address = mac_makers.normal(str(data.get("mac") or ""))
    shown = {str(item) for item in data.get("identifiers") or ()} | ({f"mac:{address}"} if address else set())
    name, model = _text(data.get("name")), _text(data.get("model"))
    if not shown and not name:
        return None
    if address and (int(address[:2], 16) & 1):
        return None  # a group of devices, not one
    services = " ".join(str(item) for item in data.get("services") or ())
    return Trace(
        **_shared(data, str(data.get("how") or "local network")),
        kind=kinds.kind_of(str(data.get("kind") or "host"), name, model, services),
        maker=short_maker(_text(data.get("maker"))),
        model=model,
        name=name,
        strong=frozenset(identity.strong(shown)),
        shown=frozenset(shown),
        **_times(data, "first", "last"),
        present=(data.get("provenance") or {}).get("parser", "").startswith("network/") and not (data.get("provenance") or {}).get("path"),
        note="its network address was made up by itself, and may change" if address and mac_makers.is_invented(address) else None,
    )


def _network(data: Mapping[str, Any]) -> Trace | None:
    name, gateway = str(data.get("name") or ""), mac_makers.normal(str(data.get("gateway_mac") or ""))
    if not _HOTSPOT.search(name):
        return None
    shown = {f"mac:{gateway}"} if gateway else set()
    return Trace(
        **_shared(data, "joined as a network (hotspot)"),
        kind=kinds.kind_of("phone"),
        name=name,
        strong=frozenset(identity.strong(shown)),
        shown=frozenset(shown),
        **_times(data, "first", "last"),
        count=data.get("count"),
    )


def _picture(data: Mapping[str, Any]) -> Trace | None:
    maker, model = _text(data.get("maker")), _text(data.get("model"))
    if not model:
        return None
    number = identity.serial(_text(data.get("serial")), model)
    shared = _shared(data, "pictures taken with it")
    kind = kinds.kind_of("", model, maker)
    return Trace(
        **shared,
        kind=kind if kind in (kinds.PHONE, kinds.TABLET, kinds.CAMERA) else kinds.CAMERA if number else kinds.UNCLEAR_CAMERA,
        maker=short_maker(maker),
        model=model,
        strong=frozenset((number,)) if number else frozenset(),
        shown=frozenset((f"serial:{data['serial']}",)) if number else frozenset(),
        first=data.get("time"),
        last=data.get("time"),
        first_local=data.get("time_local"),
        last_local=data.get("time_local"),
        floating=number is None,
    )


_READERS = {
    "AttachedDevice": _attached, "PhoneBackup": _backup, "NetworkHost": _host, "KnownNetwork": _network, "PictureFacts": _picture,
}  # fmt: skip


def _shared(data: Mapping[str, Any], how: str) -> dict[str, Any]:
    provenance = data.get("provenance") or {}
    return {
        "record": str(data.get("id") or ""),
        "how": how,
        "path": str(provenance.get("path") or ""),
        "source": str(provenance.get("source") or ""),
        "user": _text(data.get("user")),
    }


def _times(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    known = sorted(str(data[name]) for name in names if data.get(name))
    local = sorted(str(data[f"{name}_local"]) for name in names if data.get(f"{name}_local"))
    return {
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "first_local": local[0] if local else None,
        "last_local": local[-1] if local else None,
    }


def _sold_as(model: str | None) -> str | None:
    """The name on the box where a record has Apple's product code (``iPhone12,1``)."""
    return (apple_models.sold_as(model) or model) if model and "," in model else model


def _text(value: Any) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None
