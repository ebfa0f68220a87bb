"""The device ledger: what is one device, what are two, when it was seen and what was opened from it."""

from __future__ import annotations

import random
from typing import Any

from artefacts.observations import (
    AttachedDevice,
    Device,
    FileSeen,
    KnownNetwork,
    NetworkHost,
    Observation,
    PhoneBackup,
    PictureFacts,
    SystemFact,
)
from artefacts.times import NoTime, Timestamp, from_local
from triage.devices.ledger import Ledger
from triage.scan.emit import observation_json

UDID = "00008030001A2B3C4D5E802E"


def iphone(at: Any) -> list[Observation]:
    """One phone in four places: USB, a pairing that names its network address, a backup, a picture."""
    return [
        AttachedDevice(
            kind="phone or camera", maker="VID_05AC", model="PID_12A8", serial=UDID, name="Apple iPhone", how="Enum\\USB",
            identifier=f"USB\\VID_05AC&PID_12A8\\{UDID}", first=at("2026-01-05T10:00:00Z"), last=at("2026-11-01T10:00:00Z"),
        ),
        PhoneBackup(
            name="Jo’s iPhone", product="iPhone12,1", model="iPhone 11", maker="Apple", serial="C39ABCDEFGHI", imei="356789012345678",
            udid="00008030-001A2B3C4D5E802E", phone_number="+44 7700 900123", last=at("2026-11-03T18:00:00Z"), encrypted=True, user="jo", how="iTunes backup",
        ),
        NetworkHost(address="192.168.1.23", mac="7e:11:22:33:44:55", name="Jos-iPhone.local", how="mDNS", last=at("2026-11-04T08:00:00Z")),
        PictureFacts(maker="Apple", model="iPhone 11", time=at("2026-02-01T12:00:00Z")),
    ]  # fmt: skip


def test_a_phone_in_four_places_is_one_line_with_four_proofs(ledger: Any, at: Any) -> None:
    [phone] = ledger(iphone(at))
    assert (phone.kind, phone.maker, phone.model, phone.title) == ("phone", "Apple", "iPhone 11", "Apple iPhone 11 “Jo’s iPhone”")
    assert {(proof["how"], proof["matched"]) for proof in phone.proofs} == {
        ("Enum\\USB", f"udid {UDID}"),
        ("iTunes backup", f"udid {UDID}"),
        ("mDNS", "its name"),
        ("pictures taken with it", "its model"),
    }
    assert (phone.first, phone.last) == (at("2026-01-05T10:00:00Z"), at("2026-11-04T08:00:00Z"))
    assert phone.strength == "strong" and phone.users == ("jo",) and "its backup is encrypted" in (phone.note or "")
    assert "mac:7e:11:22:33:44:55" in phone.identifiers and "imei:356789012345678" in phone.identifiers
    assert phone.question == "Where is the Apple iPhone 11 “Jo’s iPhone” last connected on 4 November 2026? Whose is it?"


def test_two_phones_of_one_model_are_two_lines(ledger: Any, at: Any) -> None:
    other = PhoneBackup(
        model="iPhone 11",
        maker="Apple",
        serial="C39ZZZZZZZZZ",
        udid="00008030-00FFFFFFFFFF802E",
        last=at("2026-10-01T00:00:00Z"),
        how="iTunes backup",
    )
    one, two = ledger([*iphone(at), other])
    assert {one.kind, two.kind} == {"phone"} and one.model == two.model == "iPhone 11"
    # Which of the two took the picture cannot be told: neither gets it as a proof, both say so.
    assert all("pictures taken with it" not in {proof["how"] for proof in device.proofs} for device in (one, two))
    assert all("several devices here" in (device.note or "") for device in (one, two))


def test_an_old_and_a_new_phone_with_one_name_stay_two(ledger: Any) -> None:
    one, two = ledger([
        PhoneBackup(name="Jo's iPhone", serial="C39ABCDEFGHI", how="iTunes backup"),
        AttachedDevice(kind="Bluetooth device", name="Jo’s iPhone", serial="a4:b1:c1:22:33:44", how="BTHPORT"),
    ])  # fmt: skip
    assert one.similar == (two.title,) and two.similar == (one.title,)


def test_made_up_numbers_and_general_names_join_nothing(ledger: Any) -> None:
    devices = ledger([
        AttachedDevice(kind="phone or camera", serial="0123456789ABCDEF", model="Phone A", how="Enum\\USB"),
        AttachedDevice(kind="phone or camera", serial="0123456789ABCDEF", model="Phone B", how="Enum\\USB"),
        NetworkHost(mac="02:00:00:00:00:01", name="iPhone", how="mDNS"),
        NetworkHost(mac="02:00:00:00:00:01", name="Galaxy-S21", how="mDNS"),
        AttachedDevice(kind="USB storage", serial="12345", model="Stick A", how="USBSTOR"),
        AttachedDevice(kind="USB storage", serial="12345", model="Stick B", how="USBSTOR"),
        PhoneBackup(name="One", imei="000000000000000", how="backup"),
        PhoneBackup(name="Two", imei="000000000000000", how="backup"),
    ])  # fmt: skip
    assert len(devices) == 8


def test_a_random_address_joins_by_name_only(ledger: Any) -> None:
    [phone] = ledger([
        NetworkHost(mac="8a:00:00:00:00:01", name="Sams-Galaxy-S21", how="DHCP lease"),
        NetworkHost(mac="9e:00:00:00:00:02", name="Sams-Galaxy-S21", how="mDNS"),
        KnownNetwork(name="Sam's Galaxy S21", kind="wireless", how="NetworkList"),
    ])  # fmt: skip
    assert phone.kind == "phone" and "made up by itself" in (phone.note or "") and len(phone.proofs) == 3
    assert set(phone.identifiers) == {"mac:8a:00:00:00:00:01", "mac:9e:00:00:00:00:02"}


def test_networks_of_neighbours_are_no_devices(ledger: Any) -> None:
    assert ledger([KnownNetwork(name="VM1234567", kind="wireless", how="NetworkList", gateway_mac="00:11:22:33:44:55")]) == []


def test_what_was_opened_from_a_stick(ledger: Any, at: Any) -> None:
    stick = [
        AttachedDevice(
            kind="USB storage", maker="HP", model="v100w", serial="AA951D0000007252", name="HP v100w USB Device", how="USBSTOR",
            identifier="USBSTOR\\Disk&Ven_HP&Prod_v100w&Rev_1024\\AA951D0000007252&0", first=at("2011-04-01T04:52:38Z"),
        ),
        AttachedDevice(
            kind="USB storage", serial="AA951D0000007252", name="PLANS", how="ReadyBoost test (EMDMgmt)", identifiers=("volume:0A1B2C3D",)
        ),
        AttachedDevice(
            kind="volume", name="E:", how="MountedDevices",
            identifier="\\??\\USBSTOR#Disk&Ven_HP&Prod_v100w&Rev_1024#AA951D0000007252&0#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}",
        ),
        AttachedDevice(
            kind="volume", name="\\??\\Volume{11111111-2222-3333-4444-555555555555}", how="MountedDevices",
            identifier="\\??\\USBSTOR#Disk&Ven_HP&Prod_v100w&Rev_1024#AA951D0000007252&0#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}",
        ),
        AttachedDevice(kind="volume", identifier="{11111111-2222-3333-4444-555555555555}", how="MountPoints2", user="alex"),
        FileSeen(path="E:\\plan.docx", how="shortcut", user="jo", used=at("2011-04-02T09:00:00Z"), volume={"serial": "A1B2C3D", "kind": "removable drive"}),
        FileSeen(path="E:\\Folder", how="ShellBags", kind="folder", user="jo"),
        FileSeen(path="C:\\own.txt", how="shortcut", user="jo", volume={"serial": "99999999", "kind": "fixed drive"}),
    ]  # fmt: skip
    [line] = ledger(stick)
    assert (line.kind, line.opened, line.opened_count, line.users) == ("USB storage", ("E:\\plan.docx", "E:\\Folder"), 2, ("alex", "jo"))
    assert line.last == at("2011-04-02T09:00:00Z")


def test_sticks_without_a_number_of_their_own_are_one_line_that_says_so(ledger: Any) -> None:
    items = [
        AttachedDevice(kind="USB storage", maker="Acme", model="Disk", serial=None, how="USBSTOR", identifier=f"USBSTOR\\x\\{n}&0")
        for n in "78"
    ]
    [line] = ledger(items)
    assert line.strength == "moderate" and "may be more than one" in (line.note or "")


def test_wall_clock_readings_stay_without_a_zone(ledger: Any, at: Any) -> None:
    def stick(**times: Any) -> AttachedDevice:
        return AttachedDevice(kind="USB storage", model="Disk", serial="AA951D0000007252", how=str(times), **times)

    early, near = from_local("2019-04-03T17:22:40", "test"), from_local("2020-01-01T12:00:00", "test")
    [line] = ledger([stick(first=at("2020-01-01T05:00:00Z")), stick(first=near)])
    assert line.first == at("2020-01-01T05:00:00Z")  # a reading seven hours off may be the same moment
    [line] = ledger([stick(first=at("2020-01-01T05:00:00Z")), stick(first=early)])
    assert isinstance(line.first, NoTime) and line.first.local == "2019-04-03T17:22:40"


def test_the_examined_computer_is_not_a_device_met(ledger: Any) -> None:
    assert (
        ledger(
            [
                SystemFact(name="computer name", value="DESKTOP-AB12CD3"),
                NetworkHost(mac="00:11:22:33:44:55", name="DESKTOP-AB12CD3", how="DHCP lease"),
            ]
        )
        == []
    )


def test_the_order_of_records_does_not_matter(ledger: Any, at: Any) -> None:
    items = iphone(at) + [PictureFacts(maker="Apple", model="iPhone 11", time=at(f"2026-02-0{n}T12:00:00Z")) for n in range(2, 9)]
    items += [FileSeen(path=f"E:\\{n}", how="shortcut", volume={"serial": "1"}) for n in range(80)]
    items += [AttachedDevice(kind="USB storage", serial="AA951D0000007252", how="USBSTOR", identifiers=("volume:00000001",))]
    first = [device.to_json() for device in ledger(items)]
    for seed in range(5):
        random.Random(seed).shuffle(items)
        assert [device.to_json() for device in ledger(items)] == first
    assert [device["opened_count"] for device in first] == [0, 80] and len(first[1]["opened"]) == 50


def test_hostile_records_make_no_trouble(ledger: Any) -> None:
    long, odd = "A" * 100_000, "\ud800\x00‮"
    devices = ledger([
        AttachedDevice(kind=long, maker=long, model=long, serial=long, name=long, identifier=long, how=long, identifiers=(long, "mac:" + long, "imei:")),
        AttachedDevice(kind=odd, maker=odd, serial=odd * 9, identifier=odd, name=odd, identifiers=(odd, ":", "")),
        NetworkHost(mac=odd, name=odd * 10), NetworkHost(mac="01:00:5e:00:00:fb", name="many"), KnownNetwork(name=""), PictureFacts(),
        PhoneBackup(), FileSeen(path="", how="x", volume={"serial": odd}), PhoneBackup(imei=odd, udid=long, identifiers=("bluetooth:x",)),
    ])  # fmt: skip
    assert all(isinstance(device, Device) for device in devices)


def test_how_much_it_matters(ledger: Any, at: Any) -> None:
    now = SystemFact(name="last shutdown", value="", time=at("2026-11-20T00:00:00Z"))

    def one(kind: str, last: Timestamp, **fields: Any) -> int:
        [device] = ledger(
            [now, AttachedDevice(kind=kind, serial="AA951D0000007252", how="test", last=last, **fields)],
            declared=[{"kind": "phone", "serial": "XY123456"}],
        )
        assert isinstance(device.concern, int)
        return device.concern

    recent, old = at("2026-11-13T00:00:00Z"), at("2019-06-01T00:00:00Z")
    assert one("phone", recent) == 4 and one("phone", old) == 2 and one("USB storage", recent) == 3
    assert one("mouse or keyboard", recent) == one("mouse or keyboard", old) == 1


def test_a_mouse_of_a_virtual_computer_is_no_tablet(ledger: Any) -> None:
    [line] = ledger(
        [
            AttachedDevice(
                kind="USB device", maker="VID_80EE", model="PID_0021", identifier="USB\\VID_80EE&PID_0021\\5&1&0&1", how="Enum\\USB"
            )
        ]
    )
    assert (line.kind, line.title, line.concern) == ("accessory", "VirtualBox USB Tablet", 1)
    [line] = ledger([AttachedDevice(kind="USB device", name="Wacom Intuos drawing tablet", serial="5BA0001234", how="Enum\\USB")])
    assert line.kind == "accessory"


def test_the_label_of_a_volume_is_no_name_of_a_device(ledger: Any) -> None:
    one, two = ledger([AttachedDevice(kind="USB storage", name="HOLIDAYS", serial=f"4C53000123456789{n}", how="USBSTOR") for n in (1, 2)])
    assert one.similar == two.similar == ()


def test_what_a_phone_announces_joins_the_addresses_that_it_makes_up(ledger: Any) -> None:
    first = NetworkHost(address="192.168.1.20", mac="5a:11:22:33:44:20", identifiers=("mdns:adb-a1b2c3d4-Xyz123",), how="network capture")
    second = NetworkHost(
        address="192.168.1.21", mac="da:11:22:33:44:21", identifiers=("mdns:adb-a1b2c3d4-Xyz123",), how="met on the local network"
    )
    [device] = ledger([first, second])
    assert {"mac:5a:11:22:33:44:20", "mac:da:11:22:33:44:21"} <= set(device.identifiers)


def test_addresses_made_up_over_time_are_not_counted_as_devices(ledger: Any) -> None:
    leases = [NetworkHost(address=f"192.168.1.{n}", mac=f"5a:11:22:33:44:{n:02d}", how="DHCP lease (dnsmasq)") for n in range(10, 19)]
    [device] = ledger(leases)
    assert device.note is not None and "9 addresses that devices made up" in device.note and device.strength == "weak"


def test_devices_met_in_the_room_are_one_each_though_nameless() -> None:
    book = Ledger(None)
    for number in range(10, 13):
        host = NetworkHost(address=f"192.168.1.{number}", mac=f"5a:11:22:33:44:{number}", how="met on the local network")
        book.add(observation_json(host, source="room", volume="", path="", parser="network/1"))
    assert len(book.lines()) == 3


def test_a_declared_printer_is_recognised_by_its_host_name(ledger: Any) -> None:
    printer = NetworkHost(
        address="192.168.1.9", mac="30:05:5c:00:00:10", name="Office printer", kind="printer", identifiers=("hostname:PRN0001",)
    )
    [device] = ledger([printer], declared=[{"kind": "printer", "hostname": "prn0001.local", "mac": []}])
    assert device.declared == "declared"


def test_a_udn_of_zeros_is_no_identifier(ledger: Any) -> None:
    zeros = ("udn:00000000-0000-0000-0000-000000000000",)
    assert len(ledger([NetworkHost(address=f"192.168.1.{n}", mac=f"60:a4:4c:00:00:0{n}", identifiers=zeros, how="x") for n in (1, 2)])) == 2
