"""What kind of thing a device is, from the words that records have for it, and how much it matters when it was not declared."""

from __future__ import annotations

import re
from dataclasses import dataclass

PHONE, TABLET, COMPUTER, CONSOLE, CAMERA = "phone", "tablet", "computer", "game console", "camera"
STORAGE, CARD, DRIVE, NETWORK_STORAGE = "USB storage", "memory card", "drive", "network storage or other computer"
PORTABLE, WEARABLE, MEDIA, PRINTER, AUDIO, ROUTER = (
    "phone, tablet or player",
    "watch or band",
    "television or player",
    "printer",
    "sound device",
    "router",
)
REMOTE, VEHICLE, ADAPTER = "remote computer", "car", "network adapter"
UNCLEAR_CAMERA, BLUETOOTH, USB, HOST, ACCESSORY = "camera or phone", "Bluetooth device", "USB device", "device on the network", "accessory"


@dataclass(frozen=True, slots=True)
class Kind:
    """``concern``: 1 to 5, of a device used lately that was not declared. ``specific``: of two kinds said of one device, the higher is kept."""

    concern: int
    specific: int
    innocent: tuple[str, ...]


_VISITOR = "A visitor, a guest or somebody else of the household may have connected their own."
_GONE = "It may have been sold, given away, lost or broken long since."
_KINDS = {
    PHONE: Kind(4, 90, (_VISITOR, "Phones are often plugged into a computer only to charge them.", _GONE)),
    TABLET: Kind(4, 91, (_VISITOR, "Tablets are often plugged in only to charge them.", _GONE)),
    COMPUTER: Kind(4, 88, (_VISITOR, "It may be a computer of an employer, a school or a repair shop.", _GONE)),
    CONSOLE: Kind(3, 87, (_VISITOR, "It may be a child's.", _GONE)),
    CAMERA: Kind(3, 86, ("It may be borrowed, or belong to somebody whose pictures were copied here.", _GONE)),
    STORAGE: Kind(3, 60, ("People lend and pass on sticks, and bring them from work or school.", _VISITOR, _GONE)),
    CARD: Kind(3, 59, ("It may belong to a camera or phone that was declared.", _VISITOR)),
    DRIVE: Kind(3, 55, ("It may be a part of this computer, or a drive for backups.", _GONE)),
    NETWORK_STORAGE: Kind(2, 40, ("It may be at work, at school, or a declared computer under another name.", "It may be the router.")),
    PORTABLE: Kind(3, 50, (_VISITOR, "Phones are often plugged into a computer only to charge them.", _GONE)),
    WEARABLE: Kind(2, 80, (_VISITOR, _GONE)),
    MEDIA: Kind(2, 79, ("It may be a neighbour's, or belong to the house.", _VISITOR)),
    PRINTER: Kind(1, 78, ("It may be at work, or a visitor may have printed.",)),
    AUDIO: Kind(1, 77, (_VISITOR, "It may be a friend's or a hired one.")),
    ROUTER: Kind(1, 76, ("It may belong to the house or to the network provider.",)),
    VEHICLE: Kind(1, 75, ("It may be a hired car, or a friend's.",)),
    REMOTE: Kind(2, 45, ("It may be at work, or belong to somebody who was helped or who helped.",)),
    UNCLEAR_CAMERA: Kind(2, 30, ("The pictures may have been taken by somebody else, and sent or downloaded.",)),
    BLUETOOTH: Kind(2, 20, (_VISITOR, "It may have been nearby only, or paired by somebody else.")),
    USB: Kind(1, 10, ("It may be a part of this computer.", _VISITOR)),
    HOST: Kind(1, 5, ("It may be a neighbour's or a visitor's.", "It may be a declared device under another name.")),
    ADAPTER: Kind(1, 70, ("It may be a part of this computer.",)),
    ACCESSORY: Kind(1, 74, ("Mice, keyboards and the like hold nothing.",)),
}  # fmt: skip
PERSONAL = frozenset(
    (PHONE, TABLET, COMPUTER, PORTABLE, CONSOLE, WEARABLE, CAMERA, HOST, MEDIA, BLUETOOTH, NETWORK_STORAGE, UNCLEAR_CAMERA, REMOTE)
)
"""Kinds whose name somebody chose for this one device: such a name may tell that two records are of one device."""

_SAID = {
    "usb storage": STORAGE, "memory card": CARD, "drive": DRIVE, "phone": PHONE, "tablet": TABLET, "computer": COMPUTER, "camera": CAMERA,
    "printer": PRINTER, "game console": CONSOLE, "router": ROUTER, "mouse or keyboard": ACCESSORY, "usb hub": ACCESSORY, "accessory": ACCESSORY,
    "webcam": ACCESSORY, "sound device": AUDIO, "network share": NETWORK_STORAGE, "remote desktop": REMOTE, "network adapter": ADAPTER,
    "watch or band": WEARABLE, "game controller": ACCESSORY, "television or player": MEDIA, "media player": MEDIA, "network storage": NETWORK_STORAGE,
    "scanner": PRINTER, "smart card reader": ACCESSORY, "bluetooth adapter": ACCESSORY, "virtual device": ACCESSORY, "car": VEHICLE,
}  # fmt: skip
_UNSAID = {
    "scanner or camera": CAMERA,
    "phone or tablet": PORTABLE,
    "apple device": PORTABLE,
    "phone or camera": PORTABLE,
    "portable device": PORTABLE,
    "bluetooth device": BLUETOOTH,
}
_WORDS = tuple(
    (kind, re.compile(rf"(?<![a-z])(?:{words})", re.IGNORECASE))
    for kind, words in (
        (ACCESSORY, r"mouse|keyboard|usb tablet|wacom|(?:graphics|drawing|pen) tablet|web ?cam|usb (?:root )?hub|root hub|card ?reader|touchpad|track(?:pad|ball)|fingerprint|controller"
                    r"|receiver|input device|composite device|integrated|built-?in"),
        (AUDIO, r"airpods|(?:galaxy )?buds|head ?set|head ?phones?|speaker|soundbar|jbl|bose|microphone|audio|beats"),
        (WEARABLE, r"(?:apple|galaxy|pixel) watch|watch\b|mi band|fitbit|garmin|smart ?band"),
        (MEDIA, r"(?:smart ?)?tv\b|\[tv\]|television|bravia|chromecast|roku|fire ?(?:stick|tv)|apple ?tv|echo\b|google ?home|media ?renderer|sonos|kodi"),
        (CONSOLE, r"play ?station|ps[345]\b|xbox|nintendo|steam ?deck|wii"),
        (TABLET, r"ipad|galaxy tab|tablet|kindle|fire hd|mediapad|lenovo tab|sm-[tx]\d"),
        (PHONE, r"i?phones?\b|iphone|galaxy|pixel \d|sm-[agnsfm]\d|redmi|oneplus|xperia|huawei|honor\b|moto ?[gex]|nokia|mobile phone|handset|oppo|realme"
                r"|android(?:ap|-|\b)|poco|ipod"),
        (PRINTER, r"printer|laser ?jet|office ?jet|desk ?jet|envy \d|epson|brother [a-z]+-|pixma|scan(?:ner|jet)|print queue"),
        (CAMERA, r"camera|eos\b|nikon|go ?pro|lumix|finepix|powershot|coolpix|dsc-|ilce-|hero\d"),
        (NETWORK_STORAGE, r"nas\b|synology|diskstation|qnap|readynas|my ?cloud|file ?server"),
        (COMPUTER, r"laptop|desktop|macbook|imac|mac ?mini|notebook|thinkpad|surface (?:pro|laptop|go)|chromebook|[a-z0-9]+-pc\b|win-[a-z0-9]+|\bpc\b"),
        (ROUTER, r"router|home ?hub|gateway|access ?point|fritz!?box|openwrt"),
    )
)  # fmt: skip


def kind_of(said: str, *words: str | None) -> str:
    """The kind of a device that a record calls ``said``; ``words`` are its name, model, product and the like, the best first."""
    plain = said.strip().lower()
    if plain in _SAID:
        return _SAID[plain]
    for text in words:
        for kind, pattern in _WORDS if text else ():
            if pattern.search(str(text)[:200]):
                return kind
    return _UNSAID.get(plain, USB if plain.startswith("usb") else BLUETOOTH if "bluetooth" in plain else plain if plain in _KINDS else HOST)


def known(kind: str) -> Kind:
    """What is known of a kind."""
    return _KINDS.get(kind, _KINDS[HOST])


def compatible(one: str, other: str) -> bool:
    """Whether two kinds can be said of one device: the same, or one of them says less than the other."""
    return one == other or one in _VAGUE or other in _VAGUE or other in _NEAR.get(one, ()) or one in _NEAR.get(other, ())


_VAGUE = (HOST, USB, BLUETOOTH)
_NEAR = {
    PORTABLE: {PHONE, TABLET, CAMERA, MEDIA, UNCLEAR_CAMERA},
    UNCLEAR_CAMERA: {PHONE, TABLET, CAMERA},
    NETWORK_STORAGE: {COMPUTER, REMOTE, ROUTER},
    REMOTE: {COMPUTER},
}
