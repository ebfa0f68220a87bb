"""The tables of makers: dated, longest prefix first, and silent on addresses that no maker gave."""

from __future__ import annotations

import pytest

from artefacts.devices import apple_models, usb_names
from artefacts.network import mac_makers


def test_usb_names() -> None:
    assert usb_names.dated() >= "2025-07-26"
    assert usb_names.maker("04E8") == "Samsung Electronics Co., Ltd" and usb_names.maker("ffff") is None
    assert "iPhone" in (usb_names.product("05AC", "12A8") or "") and usb_names.product("05ac", "zzzz") is None


@pytest.mark.parametrize(
    ("address", "maker"),
    [
        ("60:a4:4c:b5:6a:dd", "ASUSTek COMPUTER INC."),
        ("24:65:11:d9:a6:b3", "AVM GmbH"),
        ("62:a4:4c:b5:6a:dd", None),  # made up by the device: the second bit
        ("01:00:5e:00:00:fb", None),  # a group
    ],
)
def test_makers_of_network_devices(address: str, maker: str | None) -> None:
    assert mac_makers.dated() >= "2022-08-27" and mac_makers.maker(address) == maker


def test_the_longest_prefix_decides() -> None:
    from artefacts.network.mac_makers import _names

    names = _names()
    long = next(prefix for prefix in sorted(names) if len(prefix) == 9 and not int(prefix[1], 16) & 3)
    address = ":".join((long + "000")[at : at + 2] for at in range(0, 12, 2))
    assert mac_makers.maker(address) == names[long]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("AA-BB-CC-DD-EE-0F", "aa:bb:cc:dd:ee:0f"),
        ("aabb.ccdd.ee0f", "aa:bb:cc:dd:ee:0f"),
        ("a:b:c:d:e:f", "0a:0b:0c:0d:0e:0f"),
        ("AABBCCDDEE0F", "aa:bb:cc:dd:ee:0f"),
        ("aa:bb", None),
        ("", None),
        ("gg:bb:cc:dd:ee:ff", None),
    ],
)
def test_every_usual_writing_of_an_address(text: str, normal: str | None) -> None:
    assert mac_makers.normal(text) == normal


def test_product_codes() -> None:
    assert [apple_models.sold_as(code) for code in ("iPhone12,1", "iPad99,9", "iPhone99,9", "Watch1,1", None)] == [
        "iPhone 11",
        "iPad",
        "iPhone",
        None,
        None,
    ]
