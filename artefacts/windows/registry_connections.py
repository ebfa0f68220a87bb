"""What a user connected to: other computers by Remote Desktop, phones and cameras by the question "what to do with this device", printers of others.

Sources: Microsoft, "Removing entries from the Remote Desktop Connection Computer box" (Terminal Server Client); AutoplayHandlers\\KnownDevices as Windows
Vista and later write it; Printers\\Connections of the print client.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import AttachedDevice, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED
from artefacts.windows.devices import describe
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import NTUSER, Results, read_hive


def parse(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each computer, device and printer that the user of an NTUSER hive connected to."""

    def read(hive: Hive) -> Iterator[Observation]:
        yield from _remote_desktops(hive, file.user)
        yield from _known_devices(hive, file.user)
        yield from _printers(hive, file.user)

    return read_hive(file, read)


def _remote_desktops(hive: Hive, user: str | None) -> Iterator[Observation]:
    servers = hive.key(r"Software\Microsoft\Terminal Server Client\Servers")
    told = set()
    for key in servers.subkeys() if servers else ():
        told.add(key.name.lower())
        yield AttachedDevice(
            kind="remote desktop",
            name=key.name,
            identifier=key.name,
            last=key.written,
            user=user,
            how="Remote Desktop",
            locator=key.locator,
        )
    recent = hive.key(r"Software\Microsoft\Terminal Server Client\Default")
    for value in recent.values() if recent else ():
        name = value.text if value.name.upper().startswith("MRU") else None
        if recent and name and name.lower() not in told:
            yield AttachedDevice(
                kind="remote desktop",
                name=name,
                identifier=name,
                last=recent.written if value.name.upper() == "MRU0" else NOT_RECORDED,
                user=user,
                how="Remote Desktop, recent",
                locator=value.locator,
            )


def _known_devices(hive: Hive, user: str | None) -> Iterator[Observation]:
    place = hive.key(r"Software\Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers\KnownDevices")
    for key in place.subkeys() if place else ():
        described = describe(key.name) or {}
        yield AttachedDevice(
            kind="portable device" if described.get("kind") in (None, "USB device") else described["kind"],
            maker=described.get("maker"),
            model=described.get("model"),
            serial=described.get("serial"),
            name=key.text("Label") or key.text("FriendlyName"),
            identifier=key.name,
            last=key.written,
            user=user,
            how="AutoplayHandlers",
            locator=key.locator,
        )


def _printers(hive: Hive, user: str | None) -> Iterator[Observation]:
    place = hive.key(r"Printers\Connections")
    for key in place.subkeys() if place else ():
        # ,,server,printer stands for \\server\printer: a key's name has no backslash.
        yield AttachedDevice(
            kind="printer",
            name=key.name.replace(",", "\\"),
            identifier=key.name.replace(",", "\\"),
            last=key.written,
            user=user,
            how="printers of others",
            locator=key.locator,
        )


ARTEFACTS = (
    Artefact(
        id="windows.registry.connections",
        title="Windows registry: what a user connected to",
        meaning="Other computers that were used from here, phones and cameras that Windows asked about, and printers of others.",
        paths=NTUSER,
        parse=parse,
        references=(
            "https://learn.microsoft.com/troubleshoot/windows-server/remote/remove-entries-from-remote-desktop-connection-computer",
        ),
        systems=("windows",),
    ),
)
