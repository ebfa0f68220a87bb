"""Who made a network device, by the first digits of its hardware address, from the table that ships with the tool (``mac_makers.txt``).

Source: IEEE Registration Authority, public listings MA-L (24 bits), MA-M (28 bits) and MA-S (36 bits), in which the IEEE asserts no copyright. The
first line of the table says of which day it is. An address with the bit 0x02 of its first byte set was not given by a maker: phones and
Windows invent such addresses, often another one for each network (IEEE 802-2014, 8.4).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("mac_makers.txt")
_ADDRESS = re.compile(r"[0-9a-f]{12}")


def normal(address: str) -> str | None:
    """A hardware address in any usual writing (``AA-BB-…``, ``aabb.ccdd.eeff``, ``a:b:…``) as ``aa:bb:cc:dd:ee:ff``; None for anything else."""
    parts = re.split("[:-]", address.strip().lower())
    digits = "".join(part.rjust(2, "0") for part in parts) if len(parts) == 6 else re.sub(r"[.:\s-]", "", address.lower())
    if not _ADDRESS.fullmatch(digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def is_stable(address: str) -> bool:
    """Whether a normal address was given by a maker to one device: not invented, not of a group, not all zeros or ones."""
    first = int(address[:2], 16)
    return not first & 0x03 and address not in ("00:00:00:00:00:00",)


def is_invented(address: str) -> bool:
    """Whether a normal address is locally administered: made up by the device, as phones do to hide which one they are."""
    return int(address[:2], 16) & 0x03 == 0x02


def maker(address: str) -> str | None:
    """Who has the longest prefix of a normal address, or None: also for addresses that no maker gave."""
    if not is_stable(address):
        return None
    digits = address.replace(":", "")
    names = _names()
    return next((names[digits[:length]] for length in (9, 7, 6) if digits[:length] in names), None)


def dated() -> str:
    """The day of the table, ``YYYY-MM-DD``."""
    with open(TABLE, encoding="utf-8") as file:
        return file.readline().split()[1]


@cache
def _names() -> dict[str, str]:
    with open(TABLE, encoding="utf-8") as file:
        return {prefix: name for prefix, _, name in (line.rstrip("\n").partition(" ") for line in file) if prefix != "#"}
