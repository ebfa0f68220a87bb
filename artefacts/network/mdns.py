"""Devices that announce themselves by multicast DNS (port 5353), and the questions that make them: services, their instances, host names.

Sources: RFC 6762 (mDNS), RFC 6763 (DNS-SD; section 9 the list of service types), RFC 4795 (LLMNR, the same messages on port 5355). The keys of TXT
records: Apple, "Bonjour Printing Specification" 1.2.1 (``ty``, ``usb_MFG``, ``UUID``); ``deviceid``, ``model``, ``md``, ``fn`` as AirPlay, HomeKit and Google Cast
devices send them. The messages themselves are read and made by the library zeroconf.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from artefacts.devices import apple_models
from artefacts.network import mac_makers
from artefacts.network.said import FRIENDLY, HOST, SHORT, Said, plain

if TYPE_CHECKING:
    from zeroconf import DNSRecord

TYPES = "_services._dns-sd._udp.local."
"""The name under which devices list the types of service that they offer."""
COMMON_TYPES = tuple(
    f"{name}.local."
    for name in (
        "_airplay._tcp", "_raop._tcp", "_companion-link._tcp", "_apple-mobdev2._tcp", "_rdlink._tcp", "_device-info._tcp", "_homekit._tcp", "_hap._tcp",
        "_googlecast._tcp", "_androidtvremote2._tcp", "_adb-tls-connect._tcp", "_spotify-connect._tcp", "_smb._tcp", "_afpovertcp._tcp", "_adisk._tcp",
        "_ipp._tcp", "_ipps._tcp", "_printer._tcp", "_pdl-datastream._tcp", "_uscan._tcp", "_workstation._tcp", "_ssh._tcp", "_http._tcp", "_sonos._tcp",
        "_amzn-wplay._tcp", "_nvstream._tcp",
    )
)  # fmt: skip
"""Types that are asked for even if nothing lists them: phones often do not."""
_KINDS = {
    "_ipp": "printer", "_ipps": "printer", "_printer": "printer", "_pdl-datastream": "printer", "_uscan": "printer", "_googlecast": "television or player",
    "_androidtvremote2": "television or player", "_spotify-connect": "television or player", "_raop": "television or player", "_sonos": "television or player",
    "_apple-mobdev2": "phone or tablet", "_adb-tls-connect": "phone or tablet", "_adisk": "network storage", "_workstation": "computer", "_rfb": "computer",
    "_amzn-wplay": "television or player",
}  # fmt: skip
_NOT_NAMES = ("_apple-mobdev2", "_adb-tls-connect", "_adb", "_spotify-connect", "_sleep-proxy", "_googlecast", "_homekit", "_http", "_hap", "_matter", "_matterc", "_meshcop")  # fmt: skip
"""Services whose instances are called by numbers or by what they do."""
_TOLD_BY_MODEL = (
    ("phone", re.compile(r"^iPhone", re.IGNORECASE)),
    ("tablet", re.compile(r"^iPad", re.IGNORECASE)),
    ("television or player", re.compile(r"^(?:AppleTV|AudioAccessory|Chromecast)", re.IGNORECASE)),
    ("computer", re.compile(r"^(?:Mac|iMac)", re.IGNORECASE)),
    ("network storage", re.compile(r"^(?:TimeCapsule|RackMac|Xserve|DS\d{3}|RS\d{3}|TS-)", re.IGNORECASE)),
)
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
_ADB = re.compile(r"adb-([0-9A-Za-z]{6,24})(?:-[0-9A-Za-z]{6})?")
_MOST = 200


def questions(names: Iterable[tuple[str, str]]) -> list[bytes]:
    """Packets that ask for (name, type) pairs; type is ``PTR``, ``SRV`` or ``TXT``. Replies may be sent to the asker alone."""
    from zeroconf import DNSOutgoing, DNSQuestion, const

    kinds = {"PTR": const._TYPE_PTR, "SRV": const._TYPE_SRV, "TXT": const._TYPE_TXT}
    packet = DNSOutgoing(const._FLAGS_QR_QUERY)
    for name, kind in names:
        packet.add_question(DNSQuestion(name, kinds[kind], const._CLASS_IN | const._CLASS_UNIQUE))
    return list(packet.packets())


@dataclass(slots=True)
class Message:
    """One message: what it says of its sender, and what can be asked next."""

    said: Said
    types: set[str] = field(default_factory=set)
    """Types of service that somebody offers, ``_ipp._tcp.local.``."""
    instances: set[str] = field(default_factory=set)
    """Full names of instances, ``Office._ipp._tcp.local.``."""


def read(data: bytes, protocol: str = "mDNS") -> Message | None:
    """What a packet holds. None for what is no sound message. A question says only that somebody is there."""
    from zeroconf import DNSIncoming

    try:
        packet = DNSIncoming(data[:9000])
        if not packet.valid:
            return None
        if not packet.is_response():
            return Message(Said(protocol))
        return _answers(packet.answers()[:_MOST], protocol)
    except Exception:  # hostile bytes: whatever the library makes of them, they are no message
        return None


def _answers(records: Iterable[DNSRecord], protocol: str) -> Message:
    from zeroconf import DNSAddress, DNSPointer, DNSService, DNSText

    message = Message(Said(protocol))
    about = _About()
    for record in records:
        name = record.name
        if isinstance(record, DNSPointer):
            if name.lower() == TYPES:
                message.types.add(record.alias)
                about.service(record.alias)
            elif name.lower().endswith((".in-addr.arpa.", ".ip6.arpa.")):
                about.host(record.alias)
            elif "._" in record.alias:
                message.instances.add(record.alias)
                about.instance(record.alias)
        elif isinstance(record, DNSService):
            message.instances.add(name)
            about.instance(name)
            about.host(record.server)
        elif isinstance(record, DNSText):
            about.instance(name)
            about.text(name, _pairs(record.text))
        elif isinstance(record, DNSAddress):
            about.host(name)
            if len(record.address) == 4:
                about.addresses.add(str(IPv4Address(record.address)))
    message.said = about.said(protocol)
    return message


@dataclass(slots=True)
class _About:
    names: set[tuple[int, str]] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    identifiers: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    kinds: list[str] = field(default_factory=list)
    maker: str | None = None
    model: str | None = None
    mac: str | None = None

    def host(self, name: str) -> None:
        short = plain(re.sub(r"(?:\.local)?\.?$", "", name, flags=re.IGNORECASE), 100)
        if short and "." not in short:
            self.names.add((HOST, short))

    def service(self, kind: str) -> None:
        short = plain(kind.split(".", 1)[0], 60) or ""
        if short.startswith("_"):
            self.services.add(short[1:])
            if short in _KINDS:
                self.kinds.append(_KINDS[short])

    def instance(self, full: str) -> None:
        instance, dot, rest = full.partition("._")
        if not dot:
            return
        kind = f"_{rest}".split(".", 1)[0].lower()
        self.service(kind)
        text = plain(instance.replace("\\032", " ").replace("\\", ""), 120) or ""
        if kind == "_raop" or (kind == "_apple-mobdev2" and "@" in text):
            address, _, text = text.partition("@")
            self.address(address)
        elif kind == "_workstation":
            text, _, address = text.partition(" [")
            self.address(address.rstrip("]"))
        elif kind.startswith("_adb") and (found := _ADB.match(text)):
            self.identifiers.add(f"serial:{found[1]}")
        if kind not in _NOT_NAMES and text and not _UUID.fullmatch(text) and not _MAC.fullmatch(text):
            self.names.add((FRIENDLY, text))
        elif text and kind != "_apple-mobdev2":
            self.identifiers.add(f"mdns:{text}")

    def address(self, text: str) -> None:
        address = mac_makers.normal(text)
        if address and mac_makers.is_stable(address):
            self.identifiers.add(f"mac:{address}")

    def text(self, full: str, pairs: Mapping[str, str]) -> None:
        kind = full.partition("._")[2].split(".", 1)[0].lower()
        if kind in ("googlecast", "androidtvremote2") and (name := plain(pairs.get("fn"))):
            self.names.add((FRIENDLY, name))
        self.maker = self.maker or plain(pairs.get("usb_mfg") or pairs.get("manufacturer"))
        model = plain(
            pairs.get("usb_mdl") or pairs.get("ty") or pairs.get("model") or pairs.get("rpmd") or pairs.get("md") or pairs.get("am")
        )
        if model and not model.startswith("0,"):
            self.kinds += [word for word, pattern in _TOLD_BY_MODEL if pattern.search(model)]
            self.model = self.model or apple_models.sold_as(model) or model
            if apple_models.sold_as(model):
                self.maker = self.maker or "Apple"
        for key in ("deviceid", "mac", "btaddr"):
            if key in pairs:
                self.address(pairs[key])
        number = pairs.get("uuid") or (pairs.get("id") if kind == "googlecast" else None) or ""
        if _UUID.fullmatch(number):
            digits = number.replace("-", "").lower()
            self.identifiers.add("udn:" + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))
        if (serial := plain(pairs.get("serial") or pairs.get("serialnumber"), 60)) is not None:
            self.identifiers.add(f"serial:{serial}")

    def said(self, protocol: str) -> Said:
        kinds = [kind for kind in self.kinds if kind != "phone or tablet"] or self.kinds
        order = ("printer", "phone", "tablet", "network storage", "computer", "television or player", "phone or tablet")
        return Said(
            protocol,
            names=tuple(sorted(self.names)),
            kind=min(kinds, key=order.index, default=None),
            maker=self.maker,
            model=self.model,
            services=tuple(sorted(self.services)),
            identifiers=tuple(sorted(self.identifiers)),
            # A sleeping computer is announced by another one.
            address=next(iter(self.addresses)) if len(self.addresses) == 1 else None,
        )


def looked_up(data: bytes) -> Said | None:
    """What an LLMNR packet says of its sender: its own name where it answers, else that somebody is there."""
    message = read(data, "LLMNR")
    if message is None:
        return None
    return Said("LLMNR", names=tuple((SHORT, name) for _, name in message.said.names), services=("LLMNR",))


def _pairs(text: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text) and len(found) < 60:
        length = text[at]
        key, _, value = text[at + 1 : at + 1 + length].decode("utf-8", "replace").partition("=")
        found.setdefault(key.lower(), value)
        at += 1 + length
    return found
