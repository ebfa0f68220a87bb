"""What Linux tells of devices that are attached now, from a folder made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artefacts.coverage import Problem
from artefacts.observations import AttachedDevice
from triage.devices.attached import attached


def device(folder: Path, name: str, **lines: str) -> None:
    place = folder / "bus/usb/devices" / name
    place.mkdir(parents=True)
    for key, text in lines.items():
        (place / key).write_bytes(text.encode("utf-8", "surrogateescape") + b"\n")


def test_usb(tmp_path: Path, at: Any) -> None:
    device(tmp_path, "usb1", idVendor="1d6b", idProduct="0002", product="xHCI Host Controller")
    device(
        tmp_path,
        "1-1",
        idVendor="04e8",
        idProduct="6860",
        manufacturer="SAMSUNG",
        product="SAMSUNG_Android",
        serial="R58N12345AB",
        bDeviceClass="00",
    )
    device(tmp_path, "1-1:1.0", bInterfaceClass="06")
    device(tmp_path, "1-2", idVendor="0781", idProduct="5567", serial="4C530001234567891011", bDeviceClass="00")
    device(tmp_path, "1-2:1.0", bInterfaceClass="08")
    device(tmp_path, "1-3", idVendor="046d", idProduct="c077", product="\udcff\udcfe mouse", bDeviceClass="00")
    device(tmp_path, "1-3:1.0", bInterfaceClass="03")
    now = at("2026-11-22T00:00:00Z")
    items = list(attached(now, sys=tmp_path, system="Linux"))
    usb = [item for item in items if isinstance(item, AttachedDevice)]
    assert [(item.kind, item.maker, item.serial) for item in usb] == [
        ("phone or camera", "SAMSUNG", "R58N12345AB"),
        ("USB storage", "SanDisk Corp.", "4C530001234567891011"),
        ("mouse or keyboard", "Logitech, Inc.", None),
    ]
    assert usb[1].model == "Cruzer Blade" and all(item.last == now for item in usb)
    assert len(items) == 3


def test_what_cannot_be_read_is_said(tmp_path: Path, at: Any) -> None:
    items = list(attached(at("2026-11-22T00:00:00Z"), sys=tmp_path, system="Linux"))
    assert len(items) == 1 and all(isinstance(item, Problem) and item.status.is_gap for item in items)


def test_other_systems_say_that_they_tell_less(at: Any) -> None:
    assert any(isinstance(item, Problem) for item in attached(at("2026-11-22T00:00:00Z"), system="Darwin"))
