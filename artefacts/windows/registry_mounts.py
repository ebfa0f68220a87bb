"""Volumes: which drive letters were given to what (MountedDevices), and which volumes and network shares a user had (MountPoints2).

``MountedDevices`` data: 12 bytes (disk signature and byte offset), ``DMIO:ID:`` and a GPT partition's identifier, or a device's name in UTF-16.
Source: J. Metz, "Mounted devices" (winreg-kb).
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import AttachedDevice, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED
from artefacts.windows.hive import Hive
from artefacts.windows.hive.hive import utf16
from artefacts.windows.hive.reading import NTUSER, SYSTEM, Results, guid, mru_order, read_hive


def parse_mounted(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each drive letter and volume of a SYSTEM hive; ``name`` the letter, ``identifier`` what it stands for."""
    return read_hive(file, _mounted)


def parse_points(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each volume or share that the user of an NTUSER hive had in Explorer; ``last``: when its key was last written."""

    def read(hive: Hive) -> Iterator[Observation]:
        place = hive.key(r"Software\Microsoft\Windows\CurrentVersion\Explorer\MountPoints2")
        for key in place.subkeys() if place else ():
            share = key.name.startswith("##")
            # CPC keeps Windows' own notes on drives.
            if key.name.upper() == "CPC":
                continue
            yield AttachedDevice(
                kind="network share" if share else "volume",
                name=key.text("_LabelFromReg"),
                identifier=key.name.replace("#", "\\") if share else key.name,
                last=key.written,
                user=file.user,
                how="MountPoints2",
                locator=key.locator,
            )
        recent = hive.key(r"Software\Microsoft\Windows\CurrentVersion\Explorer\Map Network Drive MRU")
        order = mru_order(recent) if recent else []
        for value in recent.values() if recent else ():
            if len(value.name) == 1 and (path := value.text) and path.startswith("\\\\"):
                yield AttachedDevice(
                    kind="network share",
                    identifier=path,
                    # Only of the one connected last does the key say when.
                    last=recent.written if recent and order[:1] == [value.name] else NOT_RECORDED,
                    user=file.user,
                    how="Map Network Drive",
                    locator=value.locator,
                )
        network = hive.key("Network")
        for key in network.subkeys() if network else ():
            path = key.text("RemotePath")
            if path:
                yield AttachedDevice(
                    kind="network share",
                    name=f"{key.name.upper()}:",
                    identifier=path,
                    last=key.written,
                    user=file.user,
                    how="network drive",
                    locator=key.locator,
                )

    return read_hive(file, read)


def _mounted(hive: Hive) -> Iterator[Observation]:
    key = hive.key("MountedDevices")
    for value in key.values() if key else ():
        data = value.data
        if data is None:
            continue
        yield AttachedDevice(
            kind="encrypted volume" if b"eraCryptVolume" in data or b"rueCryptVolume" in data else "volume",
            name=value.name.removeprefix("\\DosDevices\\"),
            identifier=_target(data),
            how="MountedDevices",
            locator=value.locator,
        )


def _target(data: bytes) -> str:
    if len(data) == 12:
        return f"disk {int.from_bytes(data[:4], 'little'):08x} at byte {int.from_bytes(data[4:], 'little')}"
    if data.startswith(b"DMIO:ID:") and len(data) == 24:
        return f"GPT partition {guid(data[8:])}"
    if b"CryptVolume" in data and not data.startswith(b"\\\0"):
        return data.decode("latin-1")
    return utf16(data)


ARTEFACTS = (
    Artefact(
        id="windows.registry.mounted",
        title="Windows registry: drive letters",
        meaning="What drive letters stood for, also for drives that are gone and for mounted encrypted containers.",
        paths=SYSTEM,
        parse=parse_mounted,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/system-keys/Mounted-devices.html",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
    Artefact(
        id="windows.registry.mountpoints",
        title="Windows registry: volumes of a user",
        meaning="Volumes and network shares that this user had open in Explorer.",
        paths=NTUSER,
        parse=parse_points,
        references=("https://winreg-kb.readthedocs.io/en/latest/",),
        systems=("windows",),
        validation="specimens of Windows 7 and 8",
    ),
)
