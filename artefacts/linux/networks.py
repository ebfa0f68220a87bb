"""Networks and Bluetooth devices that a Linux system knows. Never a password or key.

Sources: nm-settings-keyfile(5) (``timestamp`` is Unix seconds of the last activation), NetworkManager's ``/var/lib/NetworkManager/timestamps`` and ``seen-bssids``;
wpa_supplicant.conf(5); BlueZ, doc/settings-storage.txt (``/var/lib/bluetooth/ADAPTER/DEVICE/info``); iwd.network(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.macos.devices import bluetooth_kind
from artefacts.observations import AttachedDevice, KnownNetwork, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_unix

Results = Iterator[Observation | Problem]

_LARGEST = 1 << 20  # bytes
_MAC = re.compile(r"^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$")
_KINDS = {
    "wifi": "wireless",
    "802-11-wireless": "wireless",
    "ethernet": "wired",
    "802-3-ethernet": "wired",
    "vpn": "VPN",
    "wireguard": "VPN",
    "gsm": "mobile",
    "bluetooth": "Bluetooth",
}


def _sections(file: EvidenceFile) -> Iterator[tuple[str, str, str] | Problem]:
    """(section, key, value) of a key file; keys before the first section are in ``""``."""
    section = ""
    for _, line in log_lines(file, _LARGEST):
        if isinstance(line, Problem):
            yield line
            continue
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].lower()
        elif "=" in line and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            yield section, key.strip().lower(), value.strip()


def _seconds(value: str | None) -> Time:
    return from_unix(int(value)) if value and value.isdigit() and len(value) < 12 else NOT_RECORDED


def parse_connection(file: EvidenceFile) -> Results:
    """One ``KnownNetwork`` for a connection of NetworkManager."""
    values: dict[tuple[str, str], str] = {}
    for item in _sections(file):
        if isinstance(item, Problem):
            yield item
        else:
            values.setdefault(item[:2], item[2])
    name, kind = values.get(("connection", "id")), values.get(("connection", "type"), "")
    if name is None:
        raise Unrecognised("not a connection of NetworkManager")
    ssid = values.get(("wifi", "ssid")) or values.get(("802-11-wireless", "ssid")) or ""
    if re.fullmatch(r"(?:\d{1,3};)+", ssid):
        ssid = bytes(int(part) & 0xFF for part in ssid.split(";") if part).decode("utf-8", "backslashreplace")
    yield KnownNetwork(
        name=ssid or name,
        kind=_KINDS.get(kind, kind) or None,
        last=_seconds(values.get(("connection", "timestamp"))),
        how="NetworkManager",
        locator="connection",
    )


def parse_timestamps(file: EvidenceFile) -> Results:
    """``KnownNetwork`` for each connection by its number, with its last use."""
    for item in _sections(file):
        if isinstance(item, Problem):
            yield item
        elif item[0] == "timestamps":
            yield KnownNetwork(name=f"connection {item[1]}", last=_seconds(item[2]), how="NetworkManager, last use", locator=item[1])


def parse_wpa(file: EvidenceFile) -> Results:
    """``KnownNetwork`` for each network of wpa_supplicant; its key is passed over."""
    for number, line in log_lines(file, _LARGEST):
        if isinstance(line, Problem):
            yield line
        elif found := re.match(r'^\s*ssid=(?:"(.*)"|([0-9A-Fa-f]{2,64}))\s*$', line):
            name = (
                found[1] if found[1] is not None else bytes.fromhex(found[2][: len(found[2]) // 2 * 2]).decode("utf-8", "backslashreplace")
            )
            yield KnownNetwork(name=name, kind="wireless", how="wpa_supplicant", locator=f"line={number}")


def parse_iwd(file: EvidenceFile) -> Results:
    """One ``KnownNetwork``, whose name is the file's."""
    stem = file.name.rsplit(".", 1)[0]
    name = bytes.fromhex(stem[1:]).decode("utf-8", "backslashreplace") if re.fullmatch(r"=(?:[0-9a-f]{2})+", stem) else stem
    yield KnownNetwork(name=name, kind="wireless", how="iwd")


def parse_bluetooth(file: EvidenceFile) -> Results:
    """One ``AttachedDevice`` for a device that was paired or seen."""
    folder = file.path.split("/")
    address = folder[-2].lower() if len(folder) > 2 else ""
    if not _MAC.match(address):
        raise Unrecognised("not in the folder of a Bluetooth device")
    values: dict[tuple[str, str], str] = {}
    for item in _sections(file):
        if isinstance(item, Problem):
            yield item
        else:
            values.setdefault(item[:2], item[2])
    code = values.get(("general", "class"), "")
    paired = any(section in ("linkkey", "longtermkey", "slavelongtermkey", "peripherallongtermkey") for section, _ in values)
    yield AttachedDevice(
        kind=bluetooth_kind(int(code, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}", code) else None),
        name=values.get(("general", "alias")) or values.get(("general", "name")),
        identifier=address,
        identifiers=(f"bluetooth:{address}",),
        how="Bluetooth, paired" if paired else "Bluetooth, seen",
    )


def _artefact(name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, reference: str) -> Artefact:
    return Artefact(
        id=f"linux.network.{name}", title=title, meaning=meaning, paths=paths, parse=parse, references=(reference,), systems=("linux",)
    )


_NM = "https://networkmanager.dev/docs/api/latest/nm-settings-keyfile.html"

ARTEFACTS = (
    _artefact(
        "connection", "NetworkManager connections", "Networks and VPNs that are set up, and their last use.",
        ("**/NetworkManager/system-connections/*", "**/etc/netplan/NM-*.nmconnection"), parse_connection, _NM,
    ),
    _artefact("timestamps", "NetworkManager, last use", "When each connection was last used.", ("**/var/lib/NetworkManager/timestamps",), parse_timestamps, _NM),
    _artefact(
        "wpa_supplicant", "wpa_supplicant", "Wi-Fi networks that are set up.", ("**/etc/wpa_supplicant/*.conf", "**/etc/wpa_supplicant.conf"), parse_wpa,
        "https://w1.fi/wpa_supplicant/",
    ),
    _artefact("iwd", "iwd", "Wi-Fi networks that are set up.", ("**/var/lib/iwd/*.psk", "**/var/lib/iwd/*.open", "**/var/lib/iwd/*.8021x"), parse_iwd, "https://iwd.wiki.kernel.org/"),
    _artefact(
        "bluetooth", "Bluetooth devices", "Phones, headsets and other devices that were paired with this computer or seen by it.", ("**/var/lib/bluetooth/*/*/info",),
        parse_bluetooth, "https://github.com/bluez/bluez/blob/master/doc/settings-storage.txt",
    ),
)  # fmt: skip
