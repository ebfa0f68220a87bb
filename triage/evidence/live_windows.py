"""Drives of a running Windows computer: read raw where this user may, through the file system where not.

Read raw, files that Windows or a browser keeps open (the registry, histories) are read like any other, and nothing is touched: neither
times nor locks. That needs administrator rights. Without them each file that may not be opened is a gap in coverage.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

_DRIVE = re.compile(r"([A-Za-z]):[\\/]*")
TYPES = {0: "unknown", 1: "no drive", 2: "removable", 3: "fixed", 4: "network", 5: "optical", 6: "memory"}
NOT_RAW = "not read raw: started as administrator, files that Windows keeps open (the registry, browser histories in use) can be read too"


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive letter. ``kind`` is a word of ``TYPES``; ``device`` its name for raw reading."""

    letter: str
    kind: str
    filesystem: str | None = None
    label: str | None = None
    serial: str | None = None

    @property
    def device(self) -> str:
        r"""``\\.\C:``"""
        return f"\\\\.\\{self.letter}:"

    def facts(self) -> dict[str, str]:
        """What the report says of it."""
        known = {
            "drive": f"{self.letter}:",
            "kind of drive": self.kind,
            "file system": self.filesystem,
            "label": self.label,
            "volume serial": self.serial,
        }
        return {name: value for name, value in known.items() if value}


def drive_of(path: str) -> Drive | None:
    r"""The drive whose root ``path`` names (``C:\``, ``c:/``, ``C:``), None for anything else and on every other system."""
    found = _DRIVE.fullmatch(path)
    if found is None or sys.platform != "win32":
        return None
    import ctypes
    from ctypes import wintypes

    root = f"{found[1].upper()}:\\"
    kernel = ctypes.windll.kernel32
    label, kind = ctypes.create_unicode_buffer(261), ctypes.create_unicode_buffer(261)
    serial = wintypes.DWORD()
    known = kernel.GetVolumeInformationW(root, label, 261, ctypes.byref(serial), None, None, kind, 261)
    return Drive(
        letter=root[0],
        kind=TYPES.get(kernel.GetDriveTypeW(root), "unknown"),
        filesystem=kind.value if known else None,
        label=label.value if known else None,
        serial=f"{serial.value:08X}" if known else None,
    )
