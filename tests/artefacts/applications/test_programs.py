"""Vaults, virtual machines, accounts of messengers, apps of phones: files written here, the specimen of Skype, damage."""

from __future__ import annotations

import json
import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.applications import messengers, phone_apps, vaults, virtual_machines
from artefacts.coverage import Encrypted, Unrecognised
from artefacts.observations import AccountUse, FileSeen, SystemFact
from artefacts.times import Timestamp

VERACRYPT = b'<?xml version="1.0" encoding="utf-8"?><VeraCrypt><history><volume>E:\\films.hc</volume><volume>\\Device\\Harddisk1\\Partition2</volume></history></VeraCrypt>'
FAVOURITES = (
    b'<VeraCrypt><favorites><volume mountpoint="X:\\" label="papers" slotnumber="1">C:\\Users\\jo\\p.hc</volume></favorites></VeraCrypt>'
)
VBOX = b'<?xml version="1.0"?><VirtualBox xmlns="http://www.virtualbox.org/" version="1.16-windows"><Machine uuid="{1}" name="Second" OSType="Ubuntu_64" lastStateChange="2024-01-02T03:04:05Z"><MediaRegistry><HardDisks><HardDisk uuid="{2}" location="Second.vdi" format="VDI"/></HardDisks></MediaRegistry></Machine></VirtualBox>'
VMX = b'.encoding = "UTF-8"\nconfig.version = "8"\ndisplayName = "Second"\nguestOS = "windows9-64"\nscsi0:0.fileName = "Second.vmdk"\nencryption.keySafe = "never-this"\n'
LIBVIRT = b"<domain type='kvm'><name>second</name><devices><disk type='file'><source file='/var/lib/libvirt/images/second.qcow2'/></disk><graphics passwd='never-this'/></devices></domain>"


def test_containers_that_veracrypt_remembers(evidence: Any) -> None:
    files = evidence(
        {"/Users/jo/AppData/Roaming/VeraCrypt/History.xml": VERACRYPT, "/home/jo/.config/VeraCrypt/Favorite Volumes.xml": FAVOURITES}
    )
    found, problems = files.parse(vaults.parse_veracrypt, "/Users/jo/AppData/Roaming/VeraCrypt/History.xml")
    assert not problems
    assert [item.path for item in found] == ["E:\\films.hc", "\\Device\\Harddisk1\\Partition2"]
    assert found[0].detail == "VeraCrypt: opened before" and found[0].user == "jo"
    (item,), problems = files.parse(vaults.parse_veracrypt, "/home/jo/.config/VeraCrypt/Favorite Volumes.xml")
    assert not problems
    assert (item.path, item.detail) == ("C:\\Users\\jo\\p.hc", "VeraCrypt: kept as a favourite, called papers, shown as X:\\")


def test_vaults_of_cryptomator(evidence: Any) -> None:
    settings = {"directories": [{"id": "x", "path": "/media/jo/STICK/vault", "displayName": "papers"}, "odd"], "licenseKey": "never-this"}
    (item,), problems = evidence({"/s.json": json.dumps(settings).encode()}).parse(vaults.parse_cryptomator, "/s.json")
    assert not problems and "never-this" not in repr(item)
    assert (item.path, item.kind, item.detail) == ("/media/jo/STICK/vault", "folder", "Cryptomator: vault called papers")
    with pytest.raises(Unrecognised):
        evidence({"/s.json": b'{"a": 1}'}).parse(vaults.parse_cryptomator, "/s.json")


def test_virtual_machines(evidence: Any) -> None:
    files = evidence({"/a.vbox": VBOX, "/a.vmx": VMX, "/etc/libvirt/qemu/second.xml": LIBVIRT})
    (box,), problems = files.parse(virtual_machines.parse_virtualbox, "/a.vbox")
    assert not problems and box.value == "VirtualBox: Second; system Ubuntu_64; disks Second.vdi"
    assert isinstance(box.time, Timestamp) and box.time.isoformat() == "2024-01-02T03:04:05Z"
    (ware,), problems = files.parse(virtual_machines.parse_vmware, "/a.vmx")
    assert not problems and ware.value == "VMware: Second; system windows9-64; disks Second.vmdk"
    (kvm,), problems = files.parse(virtual_machines.parse_libvirt, "/etc/libvirt/qemu/second.xml")
    assert not problems and kvm.value == "QEMU (libvirt): second; disks /var/lib/libvirt/images/second.qcow2"
    assert {item.name for item in (box, ware, kvm)} == {"virtual machine"}


def test_a_machine_that_is_cut_off_is_told_as_far_as_it_goes(evidence: Any) -> None:
    (box,), problems = evidence({"/Second.vbox": VBOX[:-20]}).parse(virtual_machines.parse_virtualbox, "/Second.vbox")
    assert "Second.vdi" in box.value and problems


@pytest.mark.specimens
def test_skype(unpacked: Callable[[str], Path], evidence: Any) -> None:
    data = unpacked("mixed/iped-apps/test_skypeMain.db").read_bytes()
    found, problems = evidence({"/main.db": data}).parse(messengers.parse_skype, "/main.db")
    assert not problems
    assert [item.account for item in found if isinstance(item, AccountUse)] == ["streeguil1"]
    assert [(item.name, item.value) for item in found if isinstance(item, SystemFact)] == [("contacts in Skype", "3")]
    passed = [item for item in found if isinstance(item, FileSeen)]
    assert [(item.path, item.size) for item in passed] == [
        ("Controle_de_Estacionamento_Pago-Diagrama_de_classes.png", 320269),
        ("32116927_477863452651162_4835592743856111616_n.jpg", 149384),
    ]
    assert isinstance(passed[0].used, Timestamp) and passed[0].used.isoformat() == "2021-05-28T17:36:11Z"


def _log_record(key: bytes, value: bytes) -> bytes:
    batch = bytes(8) + (1).to_bytes(4, "little") + b"\x01" + bytes((len(key),)) + key + bytes((len(value),)) + value
    return bytes(4) + len(batch).to_bytes(2, "little") + b"\x01" + batch


def test_other_accounts(evidence: Any) -> None:
    slack = {"workspaces": {"T1": {"url": "https://club.slack.com/", "token": "never-this"}, "T2": {"name": "work"}}}
    discord = _log_record(b"_https://discord.com\x00\x01user_id_cache", b'\x01"123456789012345678"') + _log_record(b"_https://discord.com\x00\x01token", b'\x01"never-this"')  # fmt: skip
    files = evidence(
        {
            "/Users/jo/AppData/Roaming/Microsoft/Skype for Desktop/s4l-live!jo.db": b"",
            "/Users/jo/AppData/Roaming/ViberPC/447700900123/viber.db": b"",
            "/Slack/storage/root-state.json": json.dumps(slack).encode(),
            "/discord/Local Storage/leveldb/000003.log": discord,
        }
    )
    parsers = (messengers.parse_skype_8, messengers.parse_viber, messengers.parse_slack, messengers.parse_discord)
    found = {}
    for path, parser in zip(files.contents, parsers, strict=True):
        items, problems = files.parse(parser, path)
        assert not problems and "never-this" not in repr(items)
        found[parser] = [item.account for item in items]
    assert list(found.values()) == [["live:jo"], ["+447700900123"], ["https://club.slack.com/", "work"], ["number 123456789012345678"]]


def test_apps_of_a_phone(evidence: Any) -> None:
    info = plistlib.dumps({"Device Name": "x", "Installed Applications": ["com.example.vault", "com.example.notes"]})
    manifest = plistlib.dumps(
        {"IsEncrypted": True, "Applications": {"com.example.vault": {"CFBundleVersion": "1"}}}, fmt=plistlib.FMT_BINARY
    )
    files = evidence({"/Backup/a/Info.plist": info, "/Backup/a/Manifest.plist": manifest, "/Backup/b/Info.plist": info[:60]})
    found, problems = files.parse(phone_apps.parse, "/Backup/a/Info.plist")
    assert not problems and [item.identifier for item in found] == ["com.example.notes", "com.example.vault"]
    found, problems = files.parse(phone_apps.parse, "/Backup/a/Manifest.plist")
    assert not problems and [item.identifier for item in found] == ["com.example.vault"]
    found, problems = files.parse(phone_apps.parse, "/Backup/b/Info.plist")
    assert not found and problems


def test_damage_is_survived(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    samples: list[tuple[Any, bytes]] = [
        (vaults.parse_veracrypt, VERACRYPT),
        (virtual_machines.parse_virtualbox, VBOX),
        (virtual_machines.parse_vmware, VMX),
        (virtual_machines.parse_libvirt, LIBVIRT),
        (messengers.parse_discord, _log_record(b"user_id_cache", b"123456789012345678") * 5),
    ]
    for parser, whole in samples:
        assert evidence({"/a": whole}).parse(parser, "/a")[0]
        for copy in mutations(whole, 60):
            try:
                evidence({"/a": copy}).parse(parser, "/a")
            except (Unrecognised, Encrypted):
                continue
