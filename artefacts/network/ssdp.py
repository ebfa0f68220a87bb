"""Devices that announce themselves by UPnP: SSDP messages (port 1900), and the device description that they point to.

Source: UPnP Device Architecture 2.0, sections 1.2 (NOTIFY), 1.3 (M-SEARCH) and 2.3 (device description).
"""

from __future__ import annotations

import re

from artefacts.network import xml_text
from artefacts.network.said import FRIENDLY, Said, plain

SEARCH = b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n'
_KINDS = (
    ("InternetGatewayDevice", "router"),
    ("WLANAccessPoint", "router"),
    ("Printer", "printer"),
    ("MediaRenderer", "television or player"),
    ("dial", "television or player"),
    ("ZonePlayer", "television or player"),
    ("tvdevice", "television or player"),
    ("roku", "television or player"),
    ("NetworkStorage", "network storage"),
    ("MediaServer", None),
)
_TYPE = re.compile(r"urn:[\w.-]+:(device|service):([\w.-]+)(?::\d+)?|roku:ecp")
_UUID = re.compile(r"uuid:([0-9A-Za-z-]{8,80})")


def message(data: bytes) -> Said | None:
    """What a NOTIFY or a reply to a search says of its sender; None for a search of somebody else and for what is no SSDP."""
    head, *lines = data[:8192].decode("utf-8", "replace").split("\r\n")
    if not head.startswith(("NOTIFY ", "HTTP/1.")):
        return Said("SSDP") if head.startswith("M-SEARCH ") else None
    fields: dict[str, str] = {}
    for line in lines[:60]:
        key, colon, value = line.partition(":")
        if colon:
            fields.setdefault(key.strip().lower(), value.strip())
    told = fields.get("nt") or fields.get("st") or ""
    found, udn = _TYPE.search(told), _UUID.search(fields.get("usn", ""))
    service = (found[2] or "roku") if found else None
    return Said(
        "SSDP",
        kind=_kind(service or ""),
        services=(f"UPnP {service}",) if service else ("UPnP",),
        identifiers=(f"udn:{udn[1].lower()}",) if udn else (),
        description=plain(fields.get("location"), 500) if fields.get("nts") != "ssdp:byebye" else None,
    )


def description(data: bytes) -> Said | None:
    """What a device description says of its root device; None where it is none."""
    root = xml_text.parse(data)
    device = next((element for element in root.iter() if xml_text.local(element) == "device"), None) if root is not None else None
    if device is None:
        return None
    own = {xml_text.local(child): (child.text or "").strip() for child in reversed(list(device))}
    found, udn = _TYPE.search(own.get("deviceType", "")), _UUID.search(own.get("UDN", ""))
    model = plain(own.get("modelName"))
    number = plain(own.get("modelNumber"), 60)
    serial = plain(own.get("serialNumber"), 60)
    name = plain(own.get("friendlyName"))
    if model and number and not number.lower().startswith(("1.", "v1")) and number.lower() not in model.lower() and len(number) > 2:
        model = f"{model} {number}"
    return Said(
        "UPnP description",
        names=((FRIENDLY, name),) if name else (),
        kind=_kind(found[2] or "" if found else ""),
        maker=plain(own.get("manufacturer")),
        model=model,
        services=(f"UPnP {found[2]}",) if found and found[2] else (),
        identifiers=tuple(text for text in (f"udn:{udn[1].lower()}" if udn else "", f"serial:{serial}" if serial else "") if text),
    )


def _kind(service: str) -> str | None:
    return next((kind for word, kind in _KINDS if word.lower() in service.lower()), None) if service else None
