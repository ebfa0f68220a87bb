"""A scripted household of 40 devices in the records of its computer, and how well the ledger tells them apart.

``python -m tests.household`` prints precision and recall. A line of the ledger is right when all its records are of one device and no other line
has any of that device; precision is the share of lines that are right, recall the share of devices that have a right line.
Records share an identifier, a given name or a model wherever two of one device are to be joined: a device that two places name with nothing in
common cannot be joined by anybody. Around them lies what must not become a device: networks of neighbours, the computer itself, addresses of groups.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from artefacts.observations import AttachedDevice, FileSeen, KnownNetwork, NetworkHost, Observation, PhoneBackup, PictureFacts, SystemFact
from artefacts.times import Timestamp, from_local
from triage.devices.ledger import Ledger, Line
from triage.scan.emit import observation_json

DAY = 86_400 * 1_000_000_000
NOW = 1_794_000_000_000_000_000  # 2026-11-06


def ago(days: int) -> Timestamp:
    return Timestamp(NOW - days * DAY)


@dataclass(slots=True)
class Thing:
    """A device of the household: its records, and what the ledger should say of the declaration."""

    title: str
    verdict: str
    records: list[Observation] = field(default_factory=list)


def usb(ids: str, serial: str | None, kind: str = "phone or camera", **fields: Any) -> AttachedDevice:
    vendor, product = ids.split(":")
    instance = f"USB\\VID_{vendor}&PID_{product}\\{serial or '6&2ab01149&0&2'}"
    return AttachedDevice(
        kind=kind, maker=f"VID_{vendor}", model=f"PID_{product}", serial=serial, identifier=instance, how="Enum\\USB", **fields
    )


def stick(maker: str, model: str, serial: str, letter: str, volume: str, files: int = 2, days: int = 30) -> list[Observation]:
    instance = f"Disk&Ven_{maker}&Prod_{model}&Rev_1.00"
    device = f"USBSTOR#{instance}#{serial}&0#{{53f56307-b6bf-11d0-94f2-00a0c91efb8b}}"
    return [
        AttachedDevice(kind="USB storage", maker=maker, model=model.replace("_", " "), serial=serial, identifier=f"USBSTOR\\{instance}\\{serial}&0", how="USBSTOR", first=ago(days + 90), last=ago(days)),
        AttachedDevice(kind="USB storage", serial=serial, identifier=device, how="ReadyBoost test (EMDMgmt)", identifiers=(f"volume:{volume}",)),
        AttachedDevice(kind="volume", name=letter, identifier=f"\\??\\{device}", how="MountedDevices"),
        AttachedDevice(kind="USB storage", model=model.replace("_", " "), serial=serial, identifier=f"USBSTOR\\{instance}\\{serial}&0", how="device installation log", first=from_local("2026-01-01T10:00:00", "test")),
        *(FileSeen(path=f"{letter}\\paper {number}.txt", how="shortcut", user="jo", used=ago(days), volume={"serial": volume, "kind": "removable drive"}) for number in range(files)),
    ]  # fmt: skip


def things() -> list[Thing]:
    """The forty."""
    udids = [f"0000803{n}001A2B3C4D5E80{n}E" for n in range(4)]
    made = [
        Thing("phone of Jo", "declared", [
            usb("05AC:12A8", udids[0], name="Apple iPhone", last=ago(2)),
            PhoneBackup(name="Jo’s iPhone", maker="Apple", model="iPhone 11", serial="C39ABCDEFGH1", imei="356789012345671", udid=udids[0], how="Apple backup", last=ago(3), encrypted=True),
            AttachedDevice(kind="phone or tablet", maker="Apple", serial=udids[0], identifiers=(f"udid:{udids[0]}", "mac:a4:83:e7:11:22:33"), how="Apple pairing record"),
            NetworkHost(mac="a4:83:e7:11:22:33", name="Jos-iPhone", how="DHCP lease", last=ago(1)),
            KnownNetwork(name="Jo’s iPhone", kind="wireless", how="NetworkList"),
            NetworkHost(mac="8a:11:22:33:44:55", name="Jos-iPhone.local", how="mDNS"),
        ]),
        Thing("a second phone of the same model", "not declared", [
            usb("05AC:12A8", udids[1], name="Apple iPhone", last=ago(6)),
            PhoneBackup(name="iPhone", maker="Apple", model="iPhone 11", serial="C39ABCDEFGH2", imei="356789012345672", udid=udids[1], how="Apple backup", last=ago(7), encrypted=True),
        ]),
        Thing("tablet", "declared", [
            PhoneBackup(name="Kitchen iPad", maker="Apple", model="iPad", product="iPad11,6", serial="DMPABCDEFGH3", udid=udids[2], how="Apple backup"),
            NetworkHost(mac="7e:00:00:00:00:03", name="Kitchen-iPad", how="mDNS"),
        ]),
        Thing("phone by cable", "not declared", [
            usb("04E8:6860", "R58N10000AB", last=ago(3)), usb("04E8:6860", "R58N10000AB", kind="phone", first=ago(100)),
            AttachedDevice(kind="portable device", name="Galaxy S21", identifier="USB#VID_04E8&PID_6860#R58N10000AB", how="Windows Portable Devices"),
            AttachedDevice(kind="phone", serial="R58N10000AB", identifier="adb-R58N10000AB", how="Android debugging over Wi-Fi"),
        ]),
        Thing("phone of the same model by cable", "not declared", [
            usb("04E8:6860", "R58N20000CD", last=ago(400)),
            AttachedDevice(kind="portable device", name="Galaxy S21", identifier="USB#VID_04E8&PID_6860#R58N20000CD", how="Windows Portable Devices"),
        ]),
        Thing("phone on Wi-Fi with made up addresses", "not declared", [
            NetworkHost(mac="9a:00:00:00:00:06", name="Sams-Pixel-7", how="DHCP lease", last=ago(9)), NetworkHost(mac="ae:00:00:00:00:07", name="Sams-Pixel-7", how="mDNS", last=ago(8)),
            KnownNetwork(name="Sam's Pixel 7", how="wireless profile"),
        ]),
        Thing("phone by Bluetooth", "declared", [
            AttachedDevice(kind="phone", name="Alex phone", serial="a0:b1:c2:d3:e4:f5", identifiers=("bluetooth:a0:b1:c2:d3:e4:f5",), how="BTHPORT", last=ago(20)),
            AttachedDevice(kind="Bluetooth device", serial="a0:b1:c2:d3:e4:f5", identifier="BTHENUM\\DEV_A0B1C2D3E4F5", how="event log"),
        ]),
        Thing("phone with Smart Switch", "not declared", [
            PhoneBackup(maker="Samsung", model="SM-A515F", serial="RF8N30000EF", how="Samsung Smart Switch backup", last=from_local("2026-05-05T10:00:00", "test")),
            PictureFacts(maker="samsung", model="SM-A515F", time=ago(60)), PictureFacts(maker="samsung", model="SM-A515F", time=ago(61)),
        ]),
        Thing("old phone", "not declared", [usb("0FCE:0169", "BX9034ABCD", last=ago(2500)), usb("0FCE:0169", "BX9034ABCD", first=ago(2600))]),
        Thing("laptop on the network", "declared", [
            NetworkHost(mac="3c:52:82:00:00:10", name="MARY-LAPTOP7", how="DHCP lease"),
            AttachedDevice(kind="network share", identifier="\\\\MARY-LAPTOP7\\Users", how="MountPoints2"),
            NetworkHost(mac="3c:52:82:00:00:10", name="MARY-LAPTOP7", how="neighbour table"),
        ]),
        Thing("computer of another room", "not declared", [
            AttachedDevice(kind="remote desktop", name="ATTIC-PC9", identifier="ATTIC-PC9", how="Remote Desktop", last=ago(12)),
            AttachedDevice(kind="network share", identifier="\\\\ATTIC-PC9\\films", how="network drive"),
        ]),
        Thing("network storage", "not declared", [
            NetworkHost(mac="00:11:32:00:00:12", name="DiskStation-9F", how="mDNS", services=("_smb._tcp",)),
            NetworkHost(mac="00:11:32:00:00:12", address="192.168.1.9", how="neighbour table"),
        ]),
        Thing("television", "not declared", [
            NetworkHost(mac="5c:49:7d:00:00:13", name="[TV] Lounge", how="SSDP", identifiers=("udn:uuid:12345678-aaaa-bbbb-cccc-5c497d000013",)),
            NetworkHost(mac="5c:49:7d:00:00:13", how="neighbour table"),
            NetworkHost(name="[TV] Lounge", how="UPnP", identifiers=("udn:12345678-AAAA-bbbb-cccc-5c497d000013",)),
        ]),
        Thing("media stick", "not declared", [NetworkHost(mac="44:00:49:00:00:14", name="FireStick-den4", how="DHCP lease"), NetworkHost(mac="44:00:49:00:00:14", how="neighbour table")]),
        Thing("console", "not declared", [NetworkHost(mac="00:d9:d1:00:00:15", name="PS4-123", how="mDNS"), NetworkHost(mac="00:d9:d1:00:00:15", how="neighbour table")]),
        Thing("second console", "declared", [NetworkHost(mac="98:b6:e9:00:00:16", name="Nintendo Switch", how="neighbour table")]),
        Thing("printer", "not declared", [NetworkHost(mac="38:ca:84:00:00:17", name="HP OfficeJet 9F", how="mDNS"), NetworkHost(mac="38:ca:84:00:00:17", how="neighbour table")]),
        Thing("printer by cable", "not declared", [AttachedDevice(kind="printer", name="Brother HL-1110", identifier="USB001", how="printers of Windows")]),
        Thing("camera", "not declared", [
            PictureFacts(maker="Canon", model="Canon EOS 80D", serial="023051001234", time=ago(50)), PictureFacts(maker="Canon", model="Canon EOS 80D", serial="023051001234", time=ago(70)),
            usb("04A9:32CD", "023051001234", name="Canon EOS 80D"),
        ]),
        Thing("second camera of the model", "not declared", [PictureFacts(maker="Canon", model="Canon EOS 80D", serial="023051009999", time=ago(51))]),
        Thing("compact camera", "declared", [PictureFacts(maker="NIKON", model="COOLPIX S33", serial="30211234", time=ago(90)), usb("04B0:0370", "30211234", name="COOLPIX S33")]),
        Thing("camera known from pictures only", "not declared", [PictureFacts(maker="Panasonic", model="DMC-TZ70", time=ago(days)) for days in (10, 11, 12)]),
        Thing("stick 1", "declared", stick("SanDisk", "Cruzer_Blade", "4C530001234567891011", "E:", "0A1B2C3D")),
        Thing("stick 2", "not declared", stick("SanDisk", "Cruzer_Blade", "4C530009876543211011", "F:", "1A1B2C3D", files=70)),
        Thing("stick 3", "not declared", stick("Kingston", "DataTraveler_3.0", "60A44C413A8CF320B9", "G:", "2A1B2C3D", days=900)),
        Thing("short numbered stick A", "not declared", [
            AttachedDevice(kind="USB storage", maker="Acme", model="Tiny A", serial="AA04012", how="USBSTOR"), AttachedDevice(kind="USB storage", maker="Acme", model="Tiny A", serial="AA04012", how="event log"),
        ]),
        Thing("short numbered stick B", "not declared", [AttachedDevice(kind="USB storage", maker="Other", model="Tiny B", serial="AA04012", how="USBSTOR")]),
        Thing("stick without a number", "not declared", [
            AttachedDevice(kind="USB storage", maker="General", model="UDisk", identifier=f"USBSTOR\\Disk&Ven_General&Prod_UDisk&Rev_5\\{n}&1a2b&0", how="USBSTOR") for n in (6, 7, 8)
        ]),
        Thing("external drive", "not declared", [
            *stick("WD", "My_Passport_0748", "575831314136333135", "H:", "3A1B2C3D", days=5),
            AttachedDevice(kind="USB storage", model="WD My Passport 0748", serial="575831314136333135", identifier="USBSTOR\\x", how="event log Microsoft-Windows-Partition/Diagnostic", identifiers=("volume:3A1B2C3D",)),
        ]),
        Thing("memory card", "not declared", [AttachedDevice(kind="memory card", maker="SD", model="SC32G", serial="0x8d2f7a11", how="event log"), AttachedDevice(kind="memory card", model="SC32G", serial="0x8d2f7a11", how="USBSTOR")]),
        Thing("watch", "not declared", [AttachedDevice(kind="watch or band", name="Jos Apple Watch", serial="a4:83:e7:00:00:31", identifiers=("bluetooth:a4:83:e7:00:00:31",), how="BTHPORT")]),
        Thing("headphones", "not declared", [AttachedDevice(kind="sound device", name="Buds", serial="f8:4e:17:00:00:32", identifiers=("bluetooth:f8:4e:17:00:00:32",), how="BTHPORT")]),
        Thing("car", "not declared", [AttachedDevice(kind="car", name="My Car", serial="00:54:af:00:00:33", identifiers=("bluetooth:00:54:af:00:00:33",), how="BTHPORT")]),
        Thing("another phone's hotspot", "not declared", [KnownNetwork(name="Robins iPhone 8", kind="wireless", how="NetworkList"), KnownNetwork(name="Robin’s iPhone 8", kind="wireless", how="wireless profile")]),
        Thing("device of a browser account", "not declared", [AttachedDevice(kind="phone", name="Robs OnePlus 9", how="browser sync"), AttachedDevice(kind="phone", name="Robs OnePlus 9", how="browser sync")]),
        Thing("computer of a browser account", "not declared", [AttachedDevice(kind="computer", name="STUDY-IMAC3", how="browser sync"), NetworkHost(mac="3c:22:fb:00:00:36", name="Study-iMac3.local", how="mDNS")]),
        Thing("mouse", "not declared", [usb("046D:C077", None, kind="mouse or keyboard", name="Optical mouse M105")]),
        Thing("keyboard", "not declared", [usb("045E:0750", None, kind="mouse or keyboard", name="Wired keyboard 600")]),
        Thing("webcam", "not declared", [usb("046D:0825", "5B2C9A00F1", kind="webcam", name="Webcam C270")]),
        Thing("speaker", "not declared", [NetworkHost(mac="00:0e:58:00:00:40", name="Sonos-kitchen", how="SSDP", identifiers=("udn:uuid:RINCON_000E58000040",)), NetworkHost(mac="00:0e:58:00:00:40", how="neighbour table")]),
    ]  # fmt: skip
    return made


def noise() -> list[Observation]:
    """What is no device of the household."""
    return [
        SystemFact(name="computer name", value="DESKTOP-AB12CD3", time=ago(0)),
        NetworkHost(mac="00:15:5d:00:00:99", name="DESKTOP-AB12CD3", how="DHCP lease"),
        *(KnownNetwork(name=name, kind="wireless", how="NetworkList", gateway_mac="00:18:f8:ea:2e:a2") for name in ("VM1234567", "SKY4F2A1", "BTHub6-X7", "cafe")),
        NetworkHost(mac="01:00:5e:00:00:fb", name="mdns", how="neighbour table"), NetworkHost(mac="ff:ff:ff:ff:ff:ff", how="neighbour table"),
        AttachedDevice(kind="volume", name="C:", identifier="disk 5cbea03e at byte 1048576", how="MountedDevices"),
        AttachedDevice(kind="encrypted volume", name="X:", identifier="VeraCryptVolumeX", how="MountedDevices"),
        AttachedDevice(kind="drive", model="Samsung SSD 860", serial="S3Z9NB0K123456X", identifier="SCSI\\Disk&Ven_Samsung&Prod_SSD\\4&1", how="event log"),
        usb("8087:0024", None, kind="USB hub"),
        FileSeen(path="C:\\own.txt", how="shortcut", volume={"serial": "99999999", "kind": "fixed drive"}),
        PictureFacts(maker="Apple", model="iPhone 11", time=ago(40)),
    ]  # fmt: skip


DECLARED = [
    {"kind": "phone", "make": "Apple", "model": "iPhone 11", "serial": "C39ABCDEFGH1"},
    {"kind": "tablet", "hostname": "Kitchen iPad"},
    {"kind": "phone", "mac": ["a0:b1:c2:d3:e4:f5"]},
    {"kind": "laptop", "hostname": "mary-laptop7"},
    {"kind": "game console", "mac": ["98:b6:e9:00:00:16"]},
    {"kind": "camera", "serial": "30211234"},
    {"kind": "USB stick", "make": "SanDisk", "model": "Cruzer Blade", "serial": "4C530001234567891011"},
]  # fmt: skip


@dataclass(slots=True)
class Result:
    """How well the ledger did. ``wrong``: in words."""

    devices: int
    lines: int
    right: int
    verdicts: int
    wrong: list[str]

    @property
    def precision(self) -> float:
        return self.right / self.lines

    @property
    def recall(self) -> float:
        return self.right / self.devices


def measure(seed: int = 0) -> Result:
    """The household's records in an order of ``seed``, through the ledger, against what is true."""
    household = things()
    owner: dict[str, int] = {}
    records = []
    for number, item in [
        *((n, record) for n, thing in enumerate(household) for record in thing.records),
        *((-1, record) for record in noise()),
    ]:
        data = observation_json(item, source="s1", volume="v1", path=f"/record/{len(records)}", parser="household/1")
        owner[data["id"]] = number
        records.append(data)
    random.Random(seed).shuffle(records)
    ledger = Ledger({"declared_devices": DECLARED})
    for data in records:
        ledger.add(data)
    lines = ledger.lines()
    owners = [{owner[record] for record in line.records} for line in lines]
    right, verdicts, wrong = 0, 0, []
    for number, thing in enumerate(household):
        mine: list[tuple[Line, set[int]]] = [(line, who) for line, who in zip(lines, owners, strict=True) if number in who]
        if len(mine) == 1 and mine[0][1] == {number}:
            right += 1
            verdicts += mine[0][0].device.declared == thing.verdict
            if mine[0][0].device.declared != thing.verdict:
                wrong.append(f"{thing.title}: {mine[0][0].device.declared}, it is {thing.verdict}: {mine[0][0].device.why}")
        else:
            wrong.append(f"{thing.title}: {[(line.device.title, sorted(who)) for line, who in mine]}")
    wrong += [f"no device: {line.device.title}" for line, who in zip(lines, owners, strict=True) if -1 in who]
    return Result(len(household), len(lines), right, verdicts, wrong)


if __name__ == "__main__":
    result = measure()
    print(f"devices {result.devices}, lines {result.lines}, right {result.right}, told rightly whether declared {result.verdicts}")
    print(f"precision {result.precision:.1%}, recall {result.recall:.1%}")
    for problem in result.wrong:
        print(problem)
