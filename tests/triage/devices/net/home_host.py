"""A device of the test home: run inside a network namespace as ``python home_host.py ROLE ADDRESS MAC``. It speaks until it is ended.

Everything that is sent stays in the namespaces: each has one interface, at a bridge that leads nowhere else.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import struct
import sys
import threading
import time
from typing import Any

GROUP = "239.255.255.250"
UDN = {"player": "0b3c8c52-1111-4b1c-9d3e-001122334455", "tv": "7d1ac1a0-2222-4f65-8f1d-00aabbccdd01", "router": "f1d2c3b4-3333-4a5b-8c9d-00aabbccdd02", "nas": "e0a1b2c3-4444-4d5e-9f60-00aabbccdd03"}  # fmt: skip
UPNP = {
    "player": ("urn:schemas-upnp-org:device:MediaRenderer:1", "Kitchen speaker", "Example Audio", "Player One", "SN0001PLAYER"),
    "tv": ("urn:schemas-upnp-org:device:MediaRenderer:1", "[TV] Living room", "Example Vision", "TV 55", "SN0002TVSET"),
    "router": ("urn:schemas-upnp-org:device:InternetGatewayDevice:2", "Home router", "Example Networks", "Hub 5", "SN0003ROUTER"),
}


def description(role: str) -> bytes:
    kind, name, maker, model, serial = UPNP[role]
    return (
        f'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>{kind}</deviceType><friendlyName>{name}</friendlyName>'
        f"<manufacturer>{maker}</manufacturer><modelName>{model}</modelName><serialNumber>{serial}</serialNumber><UDN>uuid:{UDN[role]}</UDN></device></root>"
    ).encode()


def grouped(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("", port))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton(address))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    made.settimeout(1.0)
    return made


def upnp(role: str, address: str, announces: bool) -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = description(role)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer((address, 5000), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    link = grouped(address, 1900)
    common = f"LOCATION: http://{address}:5000/d.xml\r\nUSN: uuid:{UDN[role]}::upnp:rootdevice\r\nCACHE-CONTROL: max-age=1800\r\n"
    notify = f"NOTIFY * HTTP/1.1\r\nHOST: {GROUP}:1900\r\nNT: upnp:rootdevice\r\nNTS: ssdp:alive\r\n{common}\r\n".encode()
    reply = f"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nEXT:\r\n{common}\r\n".encode()
    print("speaking", flush=True)
    converse(link, (GROUP, 1900), notify if announces else b"", (b"M-SEARCH",), reply)


def converse(link: socket.socket, group: tuple[str, int], announcement: bytes, questions: tuple[bytes, ...], reply: bytes) -> None:
    """Announce once a second, and reply to what holds one of the questions."""
    due = 0.0
    while True:
        if announcement and time.monotonic() >= due:
            link.sendto(announcement, group)
            due = time.monotonic() + 1.0
        with contextlib.suppress(TimeoutError):
            data, sender = link.recvfrom(4096)
            if any(question in data for question in questions):
                link.sendto(reply, sender)


def nas(address: str, mac: str) -> None:
    soap = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:p="http://schemas.microsoft.com/windows/pub/2005/07"><s:Body>{}</s:Body></s:Envelope>'
    )
    inner = f"<a:EndpointReference><a:Address>urn:uuid:{UDN['nas']}</a:Address></a:EndpointReference><d:Types>p:Computer</d:Types>"
    hello = soap.format(f"<d:Hello>{inner}</d:Hello>").encode()
    match = soap.format(f"<d:ProbeMatches><d:ProbeMatch>{inner}</d:ProbeMatch></d:ProbeMatches>").encode()

    def names() -> None:
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.bind((address, 137))
        while True:
            data, sender = link.recvfrom(1024)
            entries = b"".join(b"STORAGE".ljust(15) + bytes((suffix,)) + b"\x04\x00" for suffix in (0x00, 0x20))
            body = data[:2] + struct.pack(">HHHHH", 0x8400, 0, 1, 0, 0) + data[12:46] + struct.pack(">HHIH", 0x21, 1, 0, 0)
            link.sendto(body + b"\x02" + entries + bytes.fromhex(mac.replace(":", "")) + bytes(40), sender)

    threading.Thread(target=names, daemon=True).start()
    link = grouped(address, 3702)
    print("speaking", flush=True)
    converse(link, (GROUP, 3702), hello, (b"Probe>", b"Probe/>"), match)


def bonjour(address: str, kind: str, instance: str, host: str, properties: dict[str, str]) -> None:
    from zeroconf import ServiceInfo, Zeroconf

    zeroconf = Zeroconf(interfaces=[address])
    info = ServiceInfo(
        f"{kind}.local.",
        f"{instance}.{kind}.local.",
        addresses=[socket.inet_aton(address)],
        port=9,
        properties=properties,
        server=f"{host}.local.",
    )
    zeroconf.register_service(info)
    print("speaking", flush=True)
    while True:
        time.sleep(1.0)
        zeroconf.update_service(info)


def lease(mac: str, wanted: str) -> None:
    """Ask the router's dnsmasq for an address by name, as a phone does when it joins: discover, then request what is offered."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    link.bind(("", 68))
    head = (
        struct.pack(">BBBBIHH", 1, 1, 6, 0, 0x5EED, 0, 0x8000)
        + bytes(16)
        + bytes.fromhex(mac.replace(":", "")).ljust(16, b"\0")
        + bytes(192)
        + b"\x63\x82\x53\x63"
    )
    options = b"\x0c\x0aGalaxy-Two\x3c\x0fandroid-dhcp-13\x32\x04" + socket.inet_aton(wanted)
    server = b""
    for kind in (1, 3, 3, 3, 3, 3, 3, 3, 3):
        with contextlib.suppress(OSError):
            link.sendto(head + bytes((53, 1, kind)) + options + server + b"\xff", ("255.255.255.255", 67))
            link.settimeout(4.0)
            data = link.recv(1500)
            at = data.find(b"\x36\x04")
            server = data[at : at + 6] if at > 0 else b""
        time.sleep(1.0)


if __name__ == "__main__":
    role, address, mac = sys.argv[1:4]
    if role == "printer":
        bonjour(address, "_ipp._tcp", "Example LaserPrint 300", "PRN0001", {"ty": "Example LaserPrint 300", "usb_MFG": "Example", "usb_MDL": "LaserPrint 300", "UUID": "4509a320-00a0-008f-00b6-002507510eca"})  # fmt: skip
    elif role == "phone1":
        bonjour(address, "_companion-link._tcp", "Sam’s phone", "Sams-phone", {"rpMd": "iPhone14,2"})
    elif role == "phone2":
        threading.Thread(target=lease, args=(mac, address), daemon=True).start()
        bonjour(address, "_adb-tls-connect._tcp", "adb-R58N7654321-AbCdEf", "Galaxy-Two", {})
    elif role == "nas":
        nas(address, mac)
    elif role in UPNP:
        upnp(role, address, announces=role == "player")
