"""What devices say of themselves on a network: each protocol with a message written here, and damage."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterable

import pytest

from artefacts.network import announcements, dhcp, frames, mdns, netbios, ssdp, ws_discovery, xml_text
from artefacts.network.hosts import Hosts
from artefacts.network.said import FRIENDLY, HOST, SHORT, Said
from artefacts.observations import NetworkHost
from artefacts.times import Timestamp


def bonjour(kind: str, instance: str, host: str, properties: dict[str, str], address: str = "192.168.1.20") -> bytes:
    from zeroconf import DNSOutgoing, ServiceInfo, const

    info = ServiceInfo(f"{kind}.local.", f"{instance}.{kind}.local.", addresses=[socket.inet_aton(address)], port=9, properties=properties, server=f"{host}.local.")  # fmt: skip
    packet = DNSOutgoing(const._FLAGS_QR_RESPONSE | const._FLAGS_AA)
    for record in (info.dns_pointer(), info.dns_service(), info.dns_text(), *info.dns_addresses()):
        packet.add_answer_at_time(record, 0)
    return packet.packets()[0]


PHONE = bonjour("_companion-link._tcp", "Sam’s phone", "Sams-phone", {"rpMd": "iPhone14,2", "rpBA": "5A:11:22:33:44:99"})
DESCRIPTION = (
    b'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType>'
    b"<friendlyName>Home router</friendlyName><manufacturer>Example</manufacturer><modelName>Hub</modelName><modelNumber>HB-5100</modelNumber>"
    b"<serialNumber>SN12345678</serialNumber><UDN>uuid:F1D2C3B4-3333-4a5b-8c9d-00aabbccdd02</UDN><deviceList><device><friendlyName>inner</friendlyName>"
    b"<UDN>uuid:00000000-inner</UDN></device></deviceList></device></root>"
)
NOTIFY = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: urn:schemas-upnp-org:device:MediaRenderer:1\r\nNTS: ssdp:alive\r\nLOCATION: http://192.168.1.9:80/d.xml\r\nUSN: uuid:0b3c8c52-1111-4b1c-9d3e-001122334455::urn:x\r\n\r\n"  # fmt: skip
HELLO = (
    b'<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="urn:a" xmlns:d="urn:d" xmlns:p="urn:p"><s:Body><d:Hello>'
    b"<a:EndpointReference><a:Address>urn:uuid:E0A1B2C3-4444-4d5e-9f60-00aabbccdd03</a:Address></a:EndpointReference><d:Types>wsdp:Device p:Computer</d:Types>"
    b"</d:Hello></s:Body></s:Envelope>"
)


def status(names: Iterable[tuple[str, int, int]], mac: bytes) -> bytes:
    rows = b"".join(name.encode("cp850").ljust(15) + bytes((suffix,)) + flags.to_bytes(2, "big") for name, suffix, flags in names)
    body = bytes((len(rows) // 18,)) + rows + mac + bytes(40)
    return struct.pack(">HHHHHH", 1, 0x8400, 0, 1, 0, 0) + netbios.question(0)[12:46] + struct.pack(">HHIH", 0x21, 1, 0, len(body)) + body


def discover(options: bytes, wanted: bytes = bytes(4), operation: int = 1) -> bytes:
    return bytes((operation, 1, 6, 0)) + bytes(8) + wanted + bytes(12) + bytes.fromhex("da1122334421").ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + options  # fmt: skip


REQUEST = discover(b"\x35\x01\x03\x00\x0c\x0aGalaxy-Two\x3c\x0fandroid-dhcp-13\x32\x04\xc0\xa8\x01\x15\xff")
STATUS = status([("STORAGE", 0, 0x400), ("WORKGROUP", 0, 0x8400), ("STORAGE", 0x20, 0x400)], bytes.fromhex("001132000030"))


def test_a_phone_by_mdns() -> None:
    said = announcements.said(5353, 5353, PHONE)
    assert said == Said(
        "mDNS", names=((HOST, "Sams-phone"), (FRIENDLY, "Sam’s phone")), kind="phone", maker="Apple", model="iPhone 13 Pro", services=("companion-link",),
        address="192.168.1.20",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "instance", "properties", "expected"),
    [
        ("_raop._tcp", "0050C2112233@Kitchen", {}, ("mac:00:50:c2:11:22:33",)),
        ("_airplay._tcp", "Kitchen", {"deviceid": "00:50:C2:11:22:33", "model": "AppleTV6,2"}, ("mac:00:50:c2:11:22:33",)),
        ("_airplay._tcp", "Kitchen", {"deviceid": "5A:11:22:33:44:20"}, ()),  # made up: no identifier
        ("_googlecast._tcp", "Chromecast-0b3c8c52", {"fn": "Kitchen", "id": "0b3c8c5211114b1c9d3e001122334455"}, ("mdns:Chromecast-0b3c8c52", "udn:0b3c8c52-1111-4b1c-9d3e-001122334455")),
        ("_adb-tls-connect._tcp", "adb-R58N7654321-AbCdEf", {}, ("mdns:adb-R58N7654321-AbCdEf", "serial:R58N7654321")),
        ("_workstation._tcp", "kitchen [00:50:c2:11:22:33]", {}, ("mac:00:50:c2:11:22:33",)),
        ("_ipp._tcp", "Kitchen", {"UUID": "4509a320-00a0-008f-00b6-002507510eca"}, ("udn:4509a320-00a0-008f-00b6-002507510eca",)),
    ],
)  # fmt: skip
def test_identifiers_in_mdns(kind: str, instance: str, properties: dict[str, str], expected: tuple[str, ...]) -> None:
    message = mdns.read(bonjour(kind, instance, "kitchen", properties))
    assert message is not None and message.said.identifiers == expected
    assert "kitchen" in {name.lower() for _, name in message.said.names}


def test_types_and_instances_can_be_asked_for() -> None:
    message = mdns.read(PHONE)
    assert message is not None and message.instances == {"Sam’s phone._companion-link._tcp.local."}
    [packet] = mdns.questions([(mdns.TYPES, "PTR")])
    question = mdns.read(packet)
    assert question is not None and question.said == Said("mDNS") and b"_dns-sd" in packet and packet[2] & 0x80 == 0
    assert len(mdns.questions([(f"x{number}._ipp._tcp.local.", "SRV") for number in range(200)])) > 1


def test_upnp() -> None:
    assert announcements.said(40000, 1900, NOTIFY) == Said(
        "SSDP", kind="television or player", services=("UPnP MediaRenderer",), identifiers=("udn:0b3c8c52-1111-4b1c-9d3e-001122334455",), description="http://192.168.1.9:80/d.xml"
    )  # fmt: skip
    leaving = ssdp.message(NOTIFY.replace(b"alive", b"byebye"))
    assert leaving is not None and leaving.description is None
    assert ssdp.message(ssdp.SEARCH) == Said("SSDP") and ssdp.message(b"GET / HTTP/1.1\r\n") is None
    assert ssdp.description(DESCRIPTION) == Said(
        "UPnP description", names=((FRIENDLY, "Home router"),), kind="router", maker="Example", model="Hub HB-5100", services=("UPnP InternetGatewayDevice",),
        identifiers=("udn:f1d2c3b4-3333-4a5b-8c9d-00aabbccdd02", "serial:SN12345678"),
    )  # fmt: skip


def test_ws_discovery() -> None:
    said = announcements.said(50000, 3702, HELLO)
    assert said == Said(
        "WS-Discovery", kind="computer", services=("WSD Computer", "WSD Device"), identifiers=("udn:e0a1b2c3-4444-4d5e-9f60-00aabbccdd03",)
    )
    assert ws_discovery.message(ws_discovery.probe("1-2")) == Said("WS-Discovery") and ws_discovery.message(b"<a/>") is None


def test_xml_that_grows_or_reaches_out_is_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "cc">]><root><device><friendlyName>&b;</friendlyName></device></root>'
    assert xml_text.parse(bomb) is None and ssdp.description(bomb) is None
    assert xml_text.parse(b"<a>" + b" " * xml_text.LARGEST + b"</a>") is None
    assert xml_text.parse(b"<a>" * 50_000) is None


def test_netbios() -> None:
    said = announcements.said(137, 40000, STATUS)
    assert said == Said(
        "NetBIOS", names=((SHORT, "STORAGE"),), services=("NetBIOS file sharing", "NetBIOS workstation"), mac="00:11:32:00:00:30"
    )
    samba = netbios.name_service(status([("STORAGE", 0, 0)], bytes(6)))
    assert samba is not None and samba.mac is None
    name = b"\x20" + netbios.encoded(b"KITCHEN-PC".ljust(15) + b"\0") + b"\0"
    registration = (
        struct.pack(">HHHHHH", 7, 0x2910, 1, 0, 0, 1)
        + name
        + struct.pack(">HH", 0x20, 1)
        + b"\xc0\x0c"
        + struct.pack(">HHIHHI", 0x20, 1, 300000, 6, 0, 1)
    )
    said = netbios.name_service(registration)
    assert said is not None and said.names == ((SHORT, "KITCHEN-PC"),)
    announced = netbios.datagram(
        b"\x11" + bytes(13) + name + b"\x20" + netbios.encoded(b"WORKGROUP".ljust(15) + b"\x1d") + b"\0" + bytes(20)
    )
    assert announced is not None and announced.names == ((SHORT, "KITCHEN-PC"),)
    assert len(netbios.question(5)) == 50 and netbios.name_service(b"short") is None


def test_dhcp() -> None:
    assert announcements.said(68, 67, REQUEST) == Said(
        "DHCP", names=((SHORT, "Galaxy-Two"),), kind="phone or tablet", services=("DHCP client android-dhcp-13",), address="192.168.1.21", mac="da:11:22:33:44:21"
    )  # fmt: skip
    assert dhcp.request(discover(b"\x0c\x05", operation=2)) is None and dhcp.request(b"") is None
    cut = dhcp.request(discover(b"\x0c\xffName"))
    assert cut is not None and cut.names == ((SHORT, "Name"),) and cut.address is None


def udp(source: bytes, ports: tuple[int, int], payload: bytes, mac: str = "5a1122334420") -> bytes:
    body = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 1, 17, 0) + source + bytes((224, 0, 0, 251))
    return bytes.fromhex("01005e0000fb" + mac + "0800") + head + body


def test_frames() -> None:
    frame = frames.read(udp(bytes((192, 168, 1, 20)), (5353, 5353), b"abc"))
    assert frame == frames.Frame("5a:11:22:33:44:20", "192.168.1.20", "UDP", 5353, 5353, b"abc")
    arp = (
        bytes.fromhex("ffffffffffff60a44cb56add0806000108000604000160a44cb56add")
        + bytes((192, 168, 1, 9))
        + bytes(6)
        + bytes((192, 168, 1, 1))
    )
    assert frames.read(arp) == frames.Frame("60:a4:4c:b5:6a:dd", "192.168.1.9", "ARP")
    tagged = arp[:12] + b"\x81\x00\x00\x05" + arp[12:]
    assert frames.read(tagged) == frames.read(arp)
    six = (
        bytes.fromhex("3333000000fb5a112233442086dd60000000000b1101fe80")
        + bytes(13)
        + b"\x01"
        + bytes(16)
        + struct.pack(">HHHH", 5353, 5353, 11, 0)
        + b"abc"
    )
    assert frames.read(six) == frames.Frame("5a:11:22:33:44:20", "fe80::1", "UDP", 5353, 5353, b"abc")
    assert frames.read(b"") is None and frames.read(arp[:20]) is None
    fragment = bytearray(udp(bytes((192, 168, 1, 20)), (5353, 5353), b"abc"))
    fragment[20] = 0x20
    assert frames.read(bytes(fragment)) is None


def how(protocols: set[str]) -> str:
    return "+".join(sorted(protocols))


def test_one_record_a_device() -> None:
    hosts = Hosts()
    early, late = Timestamp(1_000_000_000), Timestamp(2_000_000_000)
    hosts.add(None, None, Said("DHCP", names=((SHORT, "Sams-phone"),), mac="5a:11:22:33:44:20"), early)
    hosts.add("192.168.1.20", "5a:11:22:33:44:20", Said("ARP"), late)
    hosts.add("fe80::1", "5a:11:22:33:44:20", Said("mDNS", names=((FRIENDLY, "Sam’s phone"), (HOST, "Sams-phone"))), late)
    hosts.add("192.168.1.40", "7c:bb:8a:00:00:40", Said("ARP"), late)
    hosts.add("fe80::9", "60:a4:4c:b5:6a:dd", Said("mDNS"), late)
    hosts.add(None, None, Said("DHCP"), late)
    phone, console, other = hosts.observations(how)
    assert isinstance(phone, NetworkHost) and (phone.address, phone.mac, phone.name) == ("192.168.1.20", "5a:11:22:33:44:20", "Sam’s phone")
    assert (phone.first, phone.last, phone.how, phone.identifiers) == (early, late, "ARP+DHCP+mDNS", ("hostname:Sams-phone",))
    assert console.kind == "game console" and other.address == "fe80::9" and other.maker == "ASUSTek COMPUTER INC."
    assert list(hosts.observations(how)) == [phone, console, other]


def test_addresses_of_an_extender_are_not_merged() -> None:
    hosts = Hosts()
    for last in (5, 6):
        hosts.add(f"192.168.1.{last}", "60:a4:4c:b5:6a:dd", Said("ARP"))
    hosts.add("fe80::1", "60:a4:4c:b5:6a:dd", Said("mDNS"))
    assert [host.address for host in hosts.observations(how)] == ["192.168.1.5", "192.168.1.6", "fe80::1"]


@pytest.mark.parametrize("payload", [PHONE, DESCRIPTION, NOTIFY, HELLO, STATUS, REQUEST])
def test_damage(payload: bytes) -> None:
    rng = random.Random(7)
    for _ in range(300):
        data = bytearray(payload[: rng.randrange(len(payload) + 1)] if rng.random() < 0.3 else payload)
        for _ in range(rng.choice((1, 4, 32)) if data else 0):
            data[rng.randrange(len(data))] = rng.randrange(256)
        for port in announcements.PORTS:
            announcements.said(port, port, bytes(data))
        ssdp.description(bytes(data))
        frames.read(udp(bytes((10, 0, 0, 1)), (5353, 5353), bytes(data))[: rng.randrange(600)])
