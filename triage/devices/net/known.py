"""What this computer knows of its local network already: nothing is sent for it.

Linux: ``/proc/net/arp`` and ``/proc/net/route`` (proc_net(5)), leases of systemd-networkd, NetworkManager and dhclient, the name cache of systemd-resolved
(varlink interface io.systemd.Resolve.Monitor). Windows: GetIpNetTable, GetBestRoute (iphlpapi), DnsGetCacheDataTable (dnsapi), leases in the registry. macOS:
``arp -an``, ``route -n get default``, leases in ``/private/var/db/dhcpclient``. The parts for Windows and macOS have not been tested on such computers.
"""

from __future__ import annotations

import json
import platform
import re
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from artefacts.coverage import Problem, Status
from artefacts.network import mac_makers
from artefacts.network.said import HOST, Said, plain

NEIGHBOURS, ROUTE, LEASE, NAMES = "neighbour table", "default route", "lease of this computer", "name cache"
ALL = frozenset((NEIGHBOURS, ROUTE, LEASE, NAMES))
_MOST = 2_000
_LARGEST = 1 << 20
_LEASES = ("run/systemd/netif/leases/*", "var/lib/NetworkManager/*.lease", "var/lib/dhcp/*.leases", "var/lib/dhclient/*.leases")
_ROUTER = re.compile(r"^\s*(?:ROUTER|SERVER_ADDRESS|(?:option )?routers|option dhcp-server-identifier)[= ]+([\d.]{7,15})", re.MULTILINE)
_ADDRESS = re.compile(r"\(([\d.]{7,15})\) at ([0-9a-f:]{11,17})")
_GATEWAY = re.compile(r"gateway: ([\d.]{7,15})")
_LOCAL_NAME = re.compile(r"^[^.\s]+(?:\.(?:local|lan|home|fritz\.box|internal|localdomain))?\.?$", re.IGNORECASE)
_RESOLVED = "run/systemd/resolve/io.systemd.Resolve.Monitor"


class Remembered(NamedTuple):
    """One entry of a table: whom it is about, and what it says."""

    address: str | None
    mac: str | None
    said: Said


def known(*, root: Path = Path("/"), system: str | None = None) -> Iterator[Remembered | Problem]:
    """Every neighbour, router and local name in this computer's own tables, and what of them could not be read."""
    name = system or platform.system()
    readers = {"Linux": (_arp, _routes, _leases, _resolved), "Windows": (_windows,), "Darwin": (_mac,)}.get(name, ())
    if not readers:
        yield Problem(f"nothing is known of where {name or 'this system'} keeps its neighbours", Status.UNREADABLE)
    for reader in readers:
        try:
            yield from reader(root)
        except (OSError, ValueError, struct.error) as error:
            yield Problem(f"what this computer knows of its network could not all be read: {error}", Status.UNREADABLE)


def _arp(root: Path) -> Iterator[Remembered | Problem]:
    for line in _text(root / "proc/net/arp").splitlines()[1:_MOST]:
        parts = line.split()
        mac = mac_makers.normal(parts[3]) if len(parts) >= 6 else None
        if mac and mac.strip("0:"):
            yield Remembered(parts[0], mac, Said(NEIGHBOURS))


def _routes(root: Path) -> Iterator[Remembered | Problem]:
    for line in _text(root / "proc/net/route").splitlines()[1:_MOST]:
        parts = line.split()
        if len(parts) >= 8 and int(parts[3], 16) & 2 and parts[1] == "00000000":
            yield Remembered(str(IPv4Address(struct.pack("<I", int(parts[2], 16)))), None, Said(ROUTE, kind="router"))


def _leases(root: Path) -> Iterator[Remembered | Problem]:
    for pattern in _LEASES:
        for path in sorted(root.glob(pattern))[:50]:
            try:
                found = _ROUTER.findall(_text(path))
            except OSError as error:
                yield Problem(f"a lease of this computer cannot be read: {error.strerror or error}", Status.UNREADABLE, str(path))
                continue
            for address in sorted(set(found)):
                yield Remembered(address, None, Said(LEASE, kind="router"))


def _resolved(root: Path) -> Iterator[Remembered | Problem]:
    place = root / _RESOLVED
    if not place.exists():
        return
    with socket.socket(getattr(socket, "AF_UNIX"), socket.SOCK_STREAM) as link:  # noqa: B009 - mypy, where it checks for Windows, knows none
        link.settimeout(2.0)
        link.connect(str(place))
        link.sendall(b'{"method":"io.systemd.Resolve.Monitor.DumpCache"}\0')
        data = b""
        while b"\0" not in data and len(data) < 8 << 20 and (part := link.recv(65536)):
            data += part
    yield from resolved_cache(data.partition(b"\0")[0])


def resolved_cache(data: bytes) -> Iterator[Remembered]:
    """Names of local devices in a dump of the cache of systemd-resolved (JSON); other names, as those of web sites, are passed over."""
    try:
        scopes = json.loads(data)["parameters"]["dump"]
        items = [(scope.get("protocol"), item) for scope in scopes[:100] for item in (scope.get("cache") or [])[:_MOST]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    for protocol, item in items:
        for record in item.get("rrs") or [] if isinstance(item, dict) else []:
            inner = record.get("rr", {}) if isinstance(record, dict) else {}
            name, raw = str(inner.get("key", {}).get("name", "")), inner.get("address")
            if not (isinstance(raw, list) and len(raw) == 4 and all(isinstance(byte, int) and 0 <= byte < 256 for byte in raw)):
                continue
            if protocol in ("mdns", "llmnr") or _LOCAL_NAME.match(name):
                yield Remembered(str(IPv4Address(bytes(raw))), None, _named(name))


def _named(name: str) -> Said:
    short = plain(name.rstrip(".").split(".", 1)[0], 100)
    return Said(NAMES, names=((HOST, short),) if short else ())


def _text(path: Path) -> str:
    with open(path, "rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")


# --- macOS ---------------------------------------------------------------------------------------------------------------------------


def _mac(root: Path) -> Iterator[Remembered | Problem]:
    import plistlib

    for address, mac in _ADDRESS.findall(_output("/usr/sbin/arp", "-an")):
        if (normal := mac_makers.normal(mac)) is not None:
            yield Remembered(address, normal, Said(NEIGHBOURS))
    for gateway in _GATEWAY.findall(_output("/sbin/route", "-n", "get", "default")):
        yield Remembered(gateway, None, Said(ROUTE, kind="router"))
    for path in sorted(root.glob("private/var/db/dhcpclient/leases/*"))[:50]:
        try:
            lease = plistlib.loads(path.read_bytes()[:_LARGEST])
        except (OSError, ValueError, plistlib.InvalidFileException):
            yield Problem("a lease of this computer cannot be read", Status.UNREADABLE, str(path))
            continue
        if isinstance(lease, dict) and isinstance(lease.get("RouterIPAddress"), str):
            yield Remembered(lease["RouterIPAddress"], None, Said(LEASE, kind="router"))
    yield Problem("the names that this computer has looked up on its network (its mDNS cache) cannot be read on macOS", Status.UNREADABLE)


def _output(*command: str) -> str:
    import subprocess

    return (
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
        .stdout[:_LARGEST]
        .decode("utf-8", "replace")
    )


# --- Windows -------------------------------------------------------------------------------------------------------------------------


def _windows(root: Path) -> Iterator[Remembered | Problem]:
    import ctypes

    library = ctypes.WinDLL("iphlpapi")  # type: ignore[attr-defined]
    size = ctypes.c_ulong(0)
    library.GetIpNetTable(None, ctypes.byref(size), 0)
    table = ctypes.create_string_buffer(min(size.value + 4096, _LARGEST))
    size.value = len(table)
    if library.GetIpNetTable(table, ctypes.byref(size), 0) == 0:
        yield from ip_net_table(table.raw)
    else:
        yield Problem("the neighbour table cannot be read", Status.UNREADABLE)
    row = (ctypes.c_ulong * 14)()
    if library.GetBestRoute(0, 0, row) == 0 and row[3]:
        yield Remembered(str(IPv4Address(struct.pack("<I", row[3]))), None, Said(ROUTE, kind="router"))
    yield from _windows_leases()
    yield from _windows_names()


def ip_net_table(data: bytes) -> Iterator[Remembered]:
    """The rows of a MIB_IPNETTABLE (dynamic and static entries; 24 bytes each: interface, length, 8 bytes, address, type)."""
    (count,) = struct.unpack_from("<I", data)
    for number in range(min(count, _MOST, (len(data) - 4) // 24)):
        _, length, physical, address, kind = struct.unpack_from("<II8s4sI", data, 4 + 24 * number)
        if length == 6 and kind in (3, 4) and any(physical[:6]):
            yield Remembered(str(IPv4Address(address)), physical[:6].hex(":"), Said(NEIGHBOURS))


def _windows_leases() -> Iterator[Remembered | Problem]:
    import winreg

    # mypy checks for the system it runs on, which has no registry.
    registry: object = winreg
    place = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces"
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, place) as parent:  # type: ignore[attr-defined]
        for number in range(registry.QueryInfoKey(parent)[0]):  # type: ignore[attr-defined]
            with registry.OpenKey(parent, registry.EnumKey(parent, number)) as key:  # type: ignore[attr-defined]
                for name in ("DhcpServer", "DhcpDefaultGateway"):
                    try:
                        value, _ = registry.QueryValueEx(key, name)  # type: ignore[attr-defined]
                    except OSError:
                        continue
                    for address in value if isinstance(value, list) else [value]:
                        if address != "255.255.255.255":
                            yield Remembered(str(address), None, Said(LEASE, kind="router"))


def _windows_names() -> Iterator[Remembered | Problem]:
    """Only whether local names were looked up is told here: the cache gives names without addresses."""
    import ctypes

    class Entry(ctypes.Structure):
        """An undocumented DNS_CACHE_ENTRY: next, name, type, length, flags."""

    Entry._fields_ = [
        ("next", ctypes.POINTER(Entry)),
        ("name", ctypes.c_wchar_p),
        ("kind", ctypes.c_ushort),
        ("size", ctypes.c_ushort),
        ("flags", ctypes.c_ulong),
    ]
    first = Entry()
    if not ctypes.WinDLL("dnsapi").DnsGetCacheDataTable(ctypes.byref(first)):  # type: ignore[attr-defined]
        yield Problem("the cache of names cannot be read", Status.UNREADABLE)
        return
    entry, seen = first.next, 0
    while entry and seen < _MOST:
        name = entry.contents.name or ""
        if re.search(r"\.(?:local|lan|home|fritz\.box)\.?$", name, re.IGNORECASE):
            yield Remembered(None, None, _named(name))
        entry, seen = entry.contents.next, seen + 1
