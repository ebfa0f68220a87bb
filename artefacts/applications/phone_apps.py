"""Apps of a telephone or tablet, as a backup of it on this computer lists them: by bundle identifier, without reading the backup itself.

``Info.plist`` (``Installed Applications``: a list) and ``Manifest.plist`` (``Applications``: by identifier) of an Apple backup. Both are plain even where the backup is encrypted.

Source: libimobiledevice, idevicebackup2.c; the files of a backup.
"""

from __future__ import annotations

from typing import Any

from artefacts import plist
from artefacts.applications.reading import Results
from artefacts.coverage import Problem, Status
from artefacts.observations import InstalledProgram
from artefacts.registry import Artefact, EvidenceFile

_MOST = 5_000


def parse(file: EvidenceFile) -> Results:
    """An ``InstalledProgram`` for each app in the list."""
    try:
        tree = plist.load(file.read(plist.LARGEST + 1))
    except ValueError as error:
        yield Problem(str(error), Status.FAILED)
        return
    if not isinstance(tree, dict):
        yield Problem("not a list of named values", Status.FAILED)
        return
    listed: Any = tree.get("Installed Applications") if file.name.lower() == "info.plist" else tree.get("Applications")
    if not isinstance(listed, (dict, list)):
        return
    names = sorted({name.strip()[:300] for name in listed if isinstance(name, str) and name.strip()})
    for name in names[:_MOST]:
        yield InstalledProgram(name=name, identifier=name, user=file.user, how="app in the backup of a phone", locator=name)
    if len(names) > _MOST:
        yield Problem(f"more than {_MOST} apps: the rest is not listed", Status.SKIPPED)


ARTEFACTS = (
    Artefact(
        id="applications.phone_apps",
        title="Apps in backups of iPhones and iPads",
        meaning="Which apps were on a telephone that was backed up here, among them those that hide pictures.",
        paths=("**/MobileSync/Backup/*/Info.plist", "**/MobileSync/Backup/*/Manifest.plist"),
        parse=parse,
        references=("https://support.apple.com/108809",),
        systems=("windows", "macos"),
    ),
)
