"""What the Finder and the Dock remember: folders visited, volumes that were on the desktop, places gone to by name, programs kept.

Sources: the keys of com.apple.finder.plist and com.apple.dock.plist as found on macOS 10.6 to 15; bookmark data in ``bookmarks.py``; a Dock specimen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from artefacts.macos.bookmarks import target
from artefacts.macos.property_lists import dicts, table, text
from artefacts.observations import AttachedDevice, FileSeen, InstalledProgram, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp, from_unix

Results = Iterator[Observation | Problem]

_VOLUME = re.compile(r"^(?P<name>.+?)_(?P<made>-?0x[0-9a-fA-F.p+-]{1,24}|-?\d{1,12}(?:\.\d*)?)$")
_MAC_EPOCH = 2_082_844_800  # seconds from 1904-01-01 to 1970-01-01


def parse(file: EvidenceFile) -> Results:
    """``FileSeen`` for recent folders and places gone to, ``AttachedDevice`` for each volume that was shown on the desktop."""
    settings = table(file)
    for number, item in enumerate(dicts(settings.get("FXRecentFolders"))):
        locator = f"FXRecentFolders[{number}]"
        found, name = target(item.get("file-bookmark") or item.get("file-data")), text(item.get("name"))
        if found is not None:
            yield FileSeen(
                path=found.path, created=found.created, volume=found.volume, kind="folder", how="Finder, recent folders", user=file.user, detail=name,
                locator=locator,
            )  # fmt: skip
        elif name:
            yield FileSeen(path=name, kind="folder", how="Finder, recent folders, by name only", user=file.user, locator=locator)
    volumes = settings.get("FXDesktopVolumePositions")
    for key in sorted(volumes) if isinstance(volumes, dict) else ():
        # "NAME_" and when the volume was made: Cocoa seconds as a hexadecimal float, whole on older systems.
        matched = _VOLUME.match(key)
        name = matched["name"] if matched else key
        yield AttachedDevice(
            kind="volume",
            name=name,
            identifier=key,
            user=file.user,
            how="shown on the desktop (Finder)",
            locator=f"FXDesktopVolumePositions/{key}",
        )
    for key in ("GoToField", "GoToFieldHistory", "RecentMoveAndCopyDestinations"):
        value = settings.get(key)
        for number, path in enumerate(value if isinstance(value, list) else [value]):
            if words := text(path):
                yield FileSeen(path=words, kind="folder", how=f"Finder, {key}", user=file.user, locator=f"{key}[{number}]")


def parse_dock(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each program in the Dock, ``FileSeen`` for each folder and file in it."""
    settings = table(file)
    for part in ("persistent-apps", "recent-apps", "persistent-others"):
        for number, entry in enumerate(dicts(settings.get(part))):
            locator, tile = f"{part}[{number}]", entry.get("tile-data")
            if not isinstance(tile, dict):
                yield Problem("an item without its data", Status.FAILED, locator)
                continue
            found, label = target(tile.get("book")), text(tile.get("file-label"))
            address = tile.get("file-data")
            url = text(address.get("_CFURLString")) if isinstance(address, dict) else None
            path = found.path if found else url
            if part != "persistent-others":
                yield InstalledProgram(
                    name=label or path or "[no name]", identifier=text(tile.get("bundle-identifier")), path=path, user=file.user,
                    how="Dock, recent programs" if part == "recent-apps" else "Dock", locator=locator,
                )  # fmt: skip
            elif path or label:
                modified = tile.get("file-mod-date")
                time = from_unix(modified - _MAC_EPOCH) if isinstance(modified, int) and modified > _MAC_EPOCH else from_unix(0)
                yield FileSeen(
                    path=path or label or "", time=time, how="Dock", user=file.user, kind="folder", detail=label, locator=locator,
                    created=found.created if found and isinstance(found.created, Timestamp) else from_unix(0),
                )  # fmt: skip


ARTEFACTS = (
    Artefact(
        id="macos.finder",
        title="Finder",
        meaning="Folders that were visited, and volumes that were attached and shown on the desktop.",
        paths=("**/Library/Preferences/com.apple.finder.plist",),
        parse=parse,
        references=("https://www.mac4n6.com/blog/2017/10/17/script-update-for-macmru-v14-another-1013-update-sfl2-files",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.dock",
        title="Dock",
        meaning="Programs and folders that this user keeps at hand, and programs used lately.",
        paths=("**/Library/Preferences/com.apple.dock.plist",),
        parse=parse_dock,
        references=("https://developer.apple.com/documentation/devicemanagement/dock",),
        systems=("macos",),
        validation="specimen of macOS 12; generated",
    ),
)
