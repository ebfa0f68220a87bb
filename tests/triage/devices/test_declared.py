"""Declared or not: by any one identifier, and an honest "cannot tell"."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.observations import AttachedDevice, NetworkHost, PhoneBackup

PHONE = PhoneBackup(
    name="Jo’s iPhone", maker="Apple", model="iPhone 11", serial="C39ABCDEFGHI", imei="356789012345678", udid="00008030-001A2B3C4D5E802E", how="iTunes backup",
    identifiers=("mac:a4:83:e7:11:22:33", "bluetooth:a4:83:e7:11:22:34"),
)  # fmt: skip


@pytest.mark.parametrize(
    "item",
    [
        {"serial": "c39abcdefghi"},
        {"serial": "35 678901 234567 8"},
        {"serial": "00008030001A2B3C4D5E802E"},
        {"mac": ["a4:83:e7:11:22:33"]},
        {"mac": ["a4:83:e7:11:22:34"]},
        {"hostname": "Jos-iPhone"},
    ],
)
def test_any_one_identifier_is_enough(ledger: Any, item: dict[str, Any]) -> None:
    [phone] = ledger([PHONE], declared=[{"kind": "phone", **item}])
    assert phone.declared == "declared" and phone.concern == 1 and phone.question is None and "The list gives" in phone.why


def verdict(ledger: Any, items: list[Any], declared: Any) -> list[str]:
    return [device.declared for device in ledger(items, declared=declared)]


def test_the_declared_phone_does_not_excuse_a_second_of_its_model(ledger: Any) -> None:
    second = PhoneBackup(maker="Apple", model="iPhone 11", serial="C39ZZZZZZZZZ", how="iTunes backup")
    assert verdict(ledger, [PHONE, second], [{"kind": "phone", "make": "Apple", "model": "iPhone 11", "serial": "C39ABCDEFGHI"}]) == [
        "not declared",
        "declared",
    ]


def test_a_model_alone_cannot_tell(ledger: Any) -> None:
    [phone] = ledger([PHONE], declared=[{"kind": "phone", "make": "Apple", "model": "iPhone 11"}])
    assert (
        phone.declared == "cannot tell"
        and phone.why == "It may be the declared Apple iPhone 11 phone. No number or name tells for certain."
    )


@pytest.mark.parametrize(
    "item",
    [
        {"kind": "phone", "make": "Samsung", "model": "Galaxy S21"},
        {"kind": "printer"},
        {"kind": "phone", "make": "Apple", "model": "iPhone 11", "serial": "C39QQQQQQQQQ"},
    ],
)
def test_what_differs_is_not_it(ledger: Any, item: dict[str, Any]) -> None:
    assert verdict(ledger, [PHONE], [item]) == ["not declared"]


def test_the_number_on_a_stick_s_label_may_be_another(ledger: Any) -> None:
    stick = AttachedDevice(kind="USB storage", maker="SanDisk", model="Cruzer Blade", serial="4C530001234567891011", how="USBSTOR")
    assert verdict(ledger, [stick], [{"kind": "USB stick", "make": "SanDisk", "model": "Cruzer Blade", "serial": "BL1711ABCD"}]) == [
        "cannot tell"
    ]


def test_without_a_list_nothing_can_be_told(ledger: Any) -> None:
    assert verdict(ledger, [PHONE], None) == verdict(ledger, [PHONE], []) == ["cannot tell"]


def test_an_address_made_up_by_the_phone_that_was_declared(ledger: Any) -> None:
    host = NetworkHost(mac="8a:00:00:00:00:01", name="x", how="mDNS")
    assert verdict(ledger, [host], [{"kind": "phone", "mac": ["8a:00:00:00:00:01"]}]) == ["declared"]
