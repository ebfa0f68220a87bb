"""Which identifiers belong to one device only, and how they are compared.

Strong: serial numbers of the device's own, IMEI, MEID, UDID, Bluetooth addresses, hardware addresses that a maker gave, UPnP names (UDN). Never:
numbers that Windows made up, addresses that a phone made up, numbers that makers put into every piece, the name of a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from artefacts.network import mac_makers

_SHORT = 8
_FILLERS = frozenset((
    "0123456789ABCDEF", "123456789ABCDEF", "0123456789", "1234567890", "123456789012", "123456789", "12345678", "TOBEFILLEDBYOEM", "DEFAULTSTRING",
    "SYSTEMSERIALNUMBER", "NOTSPECIFIED", "NOTAPPLICABLE", "UNKNOWN", "NONE", "NULL", "SERIALNUMBER", "INVALID", "004999010640000", "MSFT30",
))  # fmt: skip
_STRONG = ("serial", "imei", "meid", "udid", "mac", "bluetooth", "udn")
_GENERIC = frozenset((
    "iphone", "sm", "ipad", "ipod", "android", "galaxy", "samsung", "apple", "pixel", "google", "phone", "tablet", "huawei", "xiaomi", "redmi", "oneplus", "nokia",
    "plus", "pro", "max", "mini", "ultra", "note", "lite", "edge", "active", "new", "usb", "disk", "drive", "device", "volume", "tab", "fe", "se", "xr", "xs", "air",
    "localhost", "unknown", "router", "gateway", "windows", "pc", "laptop", "desktop", "computer", "macbook", "imac", "mac", "home", "my", "the", "mobile", "watch",
    "printer", "camera", "tv", "ap", "androidap", "hotspot", "wifi", "network", "handset", "sony", "xperia", "motorola", "moto", "lg", "htc", "mtp", "ptp", "series",
    "of", "de", "von", "di", "generic", "bluetooth", "headset", "speaker", "chromecast", "xbox", "playstation", "nintendo", "switch", "nas", "server", "media", "player", "s", "local",
))  # fmt: skip
_MODEL_TOKEN = re.compile(r"[a-z]{0,3}\d{1,3}[a-z]{0,2}|(?:19|20)\d\d|\d+(?:g|gb|th|nd|st|rd|gen)")
_UDID = re.compile(r"[0-9A-F]{40}|[0-9A-F]{24}")


def serial(text: str | None, model: str | None = None) -> str | None:
    """A serial number as an identifier, or None for what is no number of one device alone. A short one counts together with its model."""
    if not text or text[1:2] == "&":
        return None
    plain = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    if len(plain) < 4 or plain in _FILLERS or len(set(plain)) < 3 or (len(plain) > 8 and plain.strip("0") in ("", "1")):
        return None
    if _UDID.fullmatch(plain):
        return f"udid:{plain}" if len(plain) == 40 or plain.startswith("0000") else f"serial:{plain}"
    if len(plain) < _SHORT:
        return f"serial:{plain}@{model_key(model)}" if model_key(model) else None
    return f"serial:{plain}"


def strong(identifiers: Iterable[str]) -> set[str]:
    """Those of ``kind:value`` identifiers that only one device has, in the form in which they are compared."""
    found = set()
    for text in identifiers:
        kind, _, value = text.partition(":")
        if kind not in _STRONG:
            continue
        if kind in ("mac", "bluetooth"):
            address = mac_makers.normal(value)
            # Bluetooth addresses of low-energy devices may be made up too; those that Windows keeps for a pairing are not told apart.
            if address and (mac_makers.is_stable(address) or (kind == "bluetooth" and address.strip("0:"))):
                found.add(f"{kind}:{address}")
        elif kind in ("imei", "meid"):
            digits = re.sub(r"[^0-9A-Fa-f]", "", value).upper()[: 14 if kind == "meid" else 15]
            if len(digits) >= 14 and len(set(digits)) > 3 and digits not in _FILLERS:
                found.add(f"{kind}:{digits}")
        elif kind == "udn":
            digits = re.sub(r"[^0-9a-z]", "", value.lower().removeprefix("uuid:"))
            if len(digits) >= 8 and len(set(digits)) > 3:  # cheap devices all have the same, of zeros
                found.add(f"udn:{value.strip().lower().removeprefix('uuid:')}")
        elif made := serial(value):
            found.add(made)
    return found


def comparable(identifier: str) -> str:
    """The value of an identifier as a declaration may give it: without its kind, its model and its punctuation."""
    value = identifier.partition(":")[2].partition("@")[0]
    return re.sub(r"[^0-9A-Za-z]", "", value).upper()


def nature(value: str) -> str:
    """What a declared number is by its looks: ``imei``, ``udid`` or ``serial``."""
    plain = re.sub(r"[^0-9A-Za-z]", "", value).upper()
    if plain.isdigit() and len(plain) == 15:
        return "imei"
    return "udid" if _UDID.fullmatch(plain) else "serial"


def name_key(name: str | None) -> str | None:
    """A name that somebody gave to one device, as it is compared (``Jo’s iPhone`` and ``Jos-iPhone.local`` are one), or None for a general one."""
    if not name:
        return None
    plain = re.sub(r"(?:\.(?:local|lan|home|fritz\.box|localdomain|internal))+\.?$", "", name.strip().lower())
    plain = re.sub(r"['’‘`´]", "", plain)
    tokens = [token for token in re.split(r"[^\w]+|_", plain) if token]
    telling = [token for token in tokens if token not in _GENERIC and not _MODEL_TOKEN.fullmatch(token)]
    return "".join(tokens) if any(len(token) >= 2 for token in telling) else None


def model_key(model: str | None) -> str | None:
    """A model's name as it is compared: without the maker's name, blanks and case."""
    if not model:
        return None
    plain = re.sub(
        r"^(?:samsung|apple|google|huawei|nokia|sony|canon|nikon|xiaomi|oneplus|motorola|lge?)\b[\s_-]*", "", model.strip().lower()
    )
    return re.sub(r"[^a-z0-9]", "", plain) or None
