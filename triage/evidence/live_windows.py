"""Drives of a running Windows computer: read raw where this user may, through the file system where not.

Read raw, files that Windows or a browser keeps open (the registry, histories) are read like any other, and nothing is touched: neither
times nor locks. That needs administrator rights. Without them each file that may not be opened is a gap in coverage.
"""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Status
from artefacts.observations import EncryptedItem

_DRIVE = re.compile(r"([A-Za-z]):[\\/]*")
TYPES = {0: "unknown", 1: "no drive", 2: "removable", 3: "fixed", 4: "network", 5: "optical", 6: "memory"}
NOT_RAW = "not read raw: started as administrator, files that Windows keeps open (the registry, browser histories in use) can be read too"

PARSER = "mounted_containers/1"
WHAT = "drive letters of encrypted containers"
_MOUNTED = re.compile(r"\\Device\\(VeraCrypt|TrueCrypt)Volume[A-Z]", re.IGNORECASE)
"""What VeraCrypt and TrueCrypt call the device of a volume that is open (Driver/Ntdriver.h of both: NT_MOUNT_PREFIX)."""
_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x1  # SetThreadExecutionState


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


def mounted_containers() -> Iterator[EncryptedItem | Problem]:
    """The drive letters behind which VeraCrypt or TrueCrypt has a volume open at this moment; nothing on other systems. Asks Windows what each
    letter stands for (``QueryDosDevice``), which any user may, and opens nothing. Never raises."""
    if sys.platform != "win32":
        return
    try:
        targets = _targets()
    except (OSError, AttributeError) as error:
        yield Problem(f"what the drive letters stand for cannot be had ({error})", Status.UNREADABLE)
        return
    yield from containers_of(targets)


def containers_of(targets: dict[str, str]) -> Iterator[EncryptedItem]:
    """The open containers among drive letters (``targets``: letter to the name of its device)."""
    for letter, target in sorted(targets.items()):
        if found := _MOUNTED.match(target):
            program = "VeraCrypt" if found[1].lower() == "veracrypt" else "TrueCrypt"
            yield EncryptedItem(
                kind=f"{program} volume", path=f"{letter}:\\", state="unlocked", detail="open on this computer now", locator=target
            )


def _targets() -> dict[str, str]:
    import ctypes

    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    present = kernel.GetLogicalDrives()
    out = {}
    for number, letter in enumerate(string.ascii_uppercase):
        name = ctypes.create_unicode_buffer(1024)
        if present >> number & 1 and kernel.QueryDosDeviceW(f"{letter}:", name, 1024):
            out[letter] = name.value
    return out


def keep_awake() -> None:
    """Ask Windows not to sleep while the calling thread lives: a computer that sleeps in the middle of a scan may not come back unlocked. Nothing is
    stored, and nothing done on other systems."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetThreadExecutionState(_CONTINUOUS | _SYSTEM_REQUIRED)
