"""The names of USB makers and products by their numbers, from the table that ships with the tool (``usb_names.txt``).

Source: the USB ID Repository, http://www.linux-usb.org/usb-ids.html (used under the 3-clause BSD licence). The first line of the table says
of which day it is. One number may stand for many products: of a phone it often names only the first of its family.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("usb_names.txt")


def maker(vendor: str) -> str | None:
    """Who has the vendor number (four hex digits), or None."""
    return _names().get(vendor.lower())


def product(vendor: str, number: str) -> str | None:
    """What the maker calls the product (each number four hex digits), or None."""
    return _names().get(f"{vendor.lower()}:{number.lower()}")


def dated() -> str:
    """The day of the table, ``YYYY-MM-DD``."""
    with open(TABLE, encoding="utf-8") as file:
        return file.readline().split()[1]


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    vendor = ""
    with open(TABLE, encoding="utf-8") as file:
        for line in file:
            number, _, name = line.rstrip("\n").partition(" ")
            if line.startswith("#"):
                continue
            if line.startswith("\t"):
                names[f"{vendor}:{number[1:]}"] = name
            else:
                vendor = number
                names[vendor] = name
    return names
