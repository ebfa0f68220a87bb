"""What Windows remembers of devices, beyond the first look: all sets of settings, parts of devices, kinds by driver, volumes, Remote Desktop, Wi-Fi."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import AttachedDevice, Observation
from artefacts.times import Timestamp
from artefacts.windows import registry_connections, registry_mounts, registry_usb, wlan_profiles
from artefacts.windows.devices import describe, disk_identifiers
from artefacts.windows.event_facts import Event, EventFacts

SYSTEM, SOFTWARE, NTUSER = "/Windows/System32/config/SYSTEM", "/Windows/System32/config/SOFTWARE", "/Users/jo/NTUSER.DAT"


def devices(evidence: Any, parser: Any, path: str, data: bytes) -> list[AttachedDevice]:
    found, problems = evidence({path: data}).parse(parser, path)
    assert problems == []
    return list(found)


def test_kinds_parts_and_earlier_settings(evidence: Any, write_hive: Any) -> None:
    phone = {"R58N12345AB": {"Service": "dg_ssudbus", "ParentIdPrefix": "7&1a2b3c&0"}}
    part = {"7&1a2b3c&0&0000": {"Service": "WUDFWpdMtp"}}
    tree = {
        "Select": {"Current": 2},
        "ControlSet002": {
            "Enum": {"USB": {
                "VID_04E8&PID_6860": phone, "VID_04E8&PID_6860&MI_00": part, "VID_046D&PID_C077": {"6&1&0&2": {"Service": "HidUsb"}},
                "VID_0781&PID_5567": {"4C530001234567891011": {"Service": "USBSTOR"}},
            }, "BTHENUM": {
                "Dev_A0B1C2D3E4F5": {"7&9d9fd0f&0&BluetoothDevice_A0B1C2D3E4F5": {"FriendlyName": "Phone of Jo"}},
                "{0000110b-0000-1000-8000-00805f9b34fb}_VID&0001004c_PID&6f04": {"7&9d9fd0f&0&A0B1C2D3E4F5_C00000000": {}},
            }, "BTHLE": {"Dev_c0b1c2d3e4f7": {"8&1&0&c0b1c2d3e4f7": {"FriendlyName": "@oem1.inf,%n%;Band of Jo"}}}},
            "Services": {"BTHPORT": {"Parameters": {"Devices": {"a0b1c2d3e4f5": {"Name": b"Jo\0", "COD": 0x5A020C}, "a0b1c2d3e4f6": {"COD": 0x240404}}}}},
        },
        "ControlSet001": {"Enum": {"USB": {"VID_04E8&PID_6860": phone, "VID_05AC&PID_12A8": {"00008030001A2B3C4D5E802E": {"Service": "USBAAPL64"}}}}},
    }  # fmt: skip
    found = devices(evidence, registry_usb.parse_system, SYSTEM, write_hive(tree))
    assert [(item.kind, item.serial, item.how) for item in found] == [
        ("mouse or keyboard", None, "Enum\\USB"),
        ("phone", "R58N12345AB", "Enum\\USB"),
        ("phone or camera", "R58N12345AB", "Enum\\USB"),  # the part has the number of the whole
        ("USB storage", "4C530001234567891011", "Enum\\USB"),
        ("Bluetooth device", "a0:b1:c2:d3:e4:f5", "Enum\\BTHENUM"),
        ("Bluetooth device", "c0:b1:c2:d3:e4:f7", "Enum\\BTHLE"),
        ("phone", "a0:b1:c2:d3:e4:f5", "BTHPORT"),
        ("sound device", "a0:b1:c2:d3:e4:f6", "BTHPORT"),
        ("phone or camera", "00008030001A2B3C4D5E802E", "Enum\\USB, earlier settings of Windows"),
    ]
    assert [item.name for item in found[4:6]] == ["Phone of Jo", "Band of Jo"]
    assert found[4].identifiers == found[6].identifiers == ("bluetooth:a0:b1:c2:d3:e4:f5",)


def test_volumes_and_printers(evidence: Any, write_hive: Any) -> None:
    ready = "_??_USBSTOR#Disk&Ven_HP&Prod_v100w&Rev_1024#AA951D0000007252&0#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}PLANS_2785814534"
    tree = {"Microsoft": {"Windows NT": {"CurrentVersion": {
        "EMDMgmt": {ready: {}},
        "Print": {"Printers": {"Office": {"Name": "Office", "Port": "192.168.1.30", "Printer Driver": "HP OfficeJet"}, "Fax": {"Port": "SHRFAX:"}, "XPS": {"Port": "PORTPROMPT:"}}},
    }}}}  # fmt: skip
    printer, stick = devices(evidence, registry_usb.parse_portable, SOFTWARE, write_hive(tree))
    assert (printer.kind, printer.name, printer.model, printer.identifier) == ("printer", "Office", "HP OfficeJet", "192.168.1.30")
    assert (stick.serial, stick.name, stick.identifiers) == ("AA951D0000007252", "PLANS", (f"volume:{2785814534:08X}",))


def test_what_a_user_connected_to(evidence: Any, write_hive: Any) -> None:
    explorer = {
        "Map Network Drive MRU": {"MRUList": "ba", "a": "\\\\nas\\films", "b": "\\\\nas\\music"},
        "AutoplayHandlers": {"KnownDevices": {"WpdDeviceHandler_USB#VID_04E8&PID_6860#R58N12345AB": {"Label": "Galaxy"}}},
    }
    tree = {
        "Software": {"Microsoft": {
            "Windows": {"CurrentVersion": {"Explorer": explorer}},
            "Terminal Server Client": {"Servers": {"attic-pc": {"UsernameHint": "ATTIC\\jo"}}, "Default": {"MRU0": "attic-pc", "MRU1": "10.0.0.5"}},
        }},
        "Printers": {"Connections": {",,server,laser": {}}},
    }  # fmt: skip
    data = write_hive(tree)
    found = devices(evidence, registry_connections.parse, NTUSER, data)
    assert [(item.kind, item.name, item.serial, isinstance(item.last, Timestamp), item.user) for item in found] == [
        ("remote desktop", "attic-pc", None, True, "jo"),
        ("remote desktop", "10.0.0.5", None, False, "jo"),
        ("portable device", "Galaxy", "R58N12345AB", True, "jo"),
        ("printer", "\\\\server\\laser", None, True, "jo"),
    ]
    shares = devices(evidence, registry_mounts.parse_points, NTUSER, data)
    assert [(item.identifier, isinstance(item.last, Timestamp)) for item in shares] == [("\\\\nas\\films", False), ("\\\\nas\\music", True)]


@pytest.mark.specimens
def test_the_volumes_and_shares_of_a_specimen(evidence: Any, unpacked: Any) -> None:
    data = unpacked("registry/plaso/NTUSER-WIN7.DAT.xz").read_bytes()
    points = [item for item in devices(evidence, registry_mounts.parse_points, NTUSER, data) if item.how == "MountPoints2"]
    assert len(points) == 4  # the fifth, CPC, holds Windows' own notes on drives
    shares = [(item.name, item.identifier) for item in points if item.kind == "network share"]
    assert shares == [("Home Drive", "\\\\controller\\home\\nfury"), ("Public", "\\\\controller\\public")]


PROFILE = """<?xml version="1.0"?><WLANProfile xmlns="http://www.microsoft.com/networking/WLAN/profile/v1"><name>Home &amp; garden</name>
<SSIDConfig><SSID><hex>48</hex><name>Home &amp; garden</name></SSID></SSIDConfig>
<MSM><security><sharedKey><protected>true</protected><keyMaterial>01000000D08C9DDF</keyMaterial></sharedKey></security></MSM></WLANProfile>"""
PROFILE_PATH = "/ProgramData/Microsoft/Wlansvc/Profiles/Interfaces/{A}/{B}.xml"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_wireless_profile_without_its_key(evidence: Any, encoding: str) -> None:
    [network], problems = evidence({PROFILE_PATH: PROFILE.encode(encoding)}).parse(wlan_profiles.parse, PROFILE_PATH)
    assert problems == [] and (network.name, network.kind, network.how) == ("Home & garden", "wireless", "wireless profile")
    assert "D08C9DDF" not in str(network.to_json())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        PROFILE[:300].encode(),
        b'<!DOCTYPE x [<!ENTITY e "e">]><WLANProfile>&e;</WLANProfile>',
        PROFILE.replace("name>", "n>").encode(),
    ],
)
def test_no_wireless_profile(evidence: Any, data: bytes) -> None:
    with pytest.raises(Unrecognised):
        evidence({PROFILE_PATH: data}).parse(wlan_profiles.parse, PROFILE_PATH)


def boot(mark: bytes, at: int, serial: int, size: int = 512) -> str:
    sector = bytearray(size)
    place = {b"NTFS    ": 3, b"EXFAT   ": 3, b"FAT32   ": 0x52, b"FAT16   ": 0x36}[mark]
    sector[place : place + 8] = mark
    struct.pack_into("<I", sector, at, serial)
    return sector.hex().upper()


def partition(**data: str) -> Event:
    shared = {
        "Capacity": "16008609792",
        "SerialNumber": " 4C530001234567891011 ",
        "Model": "Cruzer Blade",
        "Manufacturer": "SanDisk",
        "BusType": "7",
        "ParentId": "USB\\VID_0781&PID_5567\\4C530001234567891011",
    }
    return Event("Microsoft-Windows-Partition", 1006, 5, Timestamp(1), "Microsoft-Windows-Partition/Diagnostic", None, {**shared, **data})


def test_a_disk_of_the_partition_log(evidence: Any) -> None:
    facts = EventFacts("Partition")
    mbr = bytearray(512)
    struct.pack_into("<I", mbr, 0x1B8, 0x5CBEA03E)
    mbr[510:] = b"\x55\xaa"
    assert (
        list(
            facts.take(partition(DiskId="{0A1B2C3D-0000-0000-0000-000000000000}", Mbr=mbr.hex(), Vbr0=boot(b"FAT32   ", 0x43, 0x0A1B2C3D)))
        )
        == []
    )
    list(
        facts.take(
            partition(Vbr0=boot(b"NTFS    ", 0x48, 0x1111), Vbr1=boot(b"EXFAT   ", 0x64, 0x2222), Vbr2=boot(b"FAT16   ", 0x27, 0x3333))
        )
    )
    [device] = [item for item in facts.finish(damaged=False, computers=()) if isinstance(item, AttachedDevice)]
    assert (device.kind, device.maker, device.model, device.serial, device.count) == (
        "USB storage",
        "SanDisk",
        "Cruzer Blade",
        "4C530001234567891011",
        2,
    )
    assert set(device.identifiers) == {
        "disk:{0a1b2c3d-0000-0000-0000-000000000000}", "disk:5cbea03e", "volume:0A1B2C3D", "volume:00001111", "volume:00002222", "volume:00003333",
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"Vbr0": "zz"},
        {"Vbr0": "EB"},
        {"Vbr0": "00" * 512, "Mbr": "00" * 512, "DiskId": "{x}"},
        {"Vbr0": boot(b"NTFS    ", 0x48, 1)[:100]},
    ],
)
def test_sectors_that_say_nothing(data: dict[str, str]) -> None:
    assert list(disk_identifiers(data)) == []


def test_devices_named_inside_other_names() -> None:
    inside = "SWD\\WPDBUSENUM\\_??_USBSTOR#DISK&VEN_HP&PROD_V100W&REV_1024#AA951D0000007252&0#{53F56307-B6BF-11D0-94F2-00A0C91EFB8B}"
    described = describe(inside)
    assert described is not None and (described["kind"], described["serial"], described["model"]) == (
        "USB storage",
        "AA951D0000007252",
        "V100W",
    )


def test_damaged_hives_give_what_is_sound(evidence: Any, write_hive: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = write_hive({"Software": {"Microsoft": {"Terminal Server Client": {"Servers": {f"pc{n}": {} for n in range(50)}}}}})
    read = 0
    for copy in mutations(data, 60):
        try:
            items = list(registry_connections.parse(evidence({NTUSER: copy}).file(NTUSER)))
        except Unrecognised:
            continue
        assert all(isinstance(item, Observation | Problem) for item in items)
        read += any(isinstance(item, Observation) for item in items)
    assert read > 10
