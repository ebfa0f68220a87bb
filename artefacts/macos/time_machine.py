"""Where a Mac is backed up to, when, and what is left out: ``com.apple.TimeMachine.plist``.

Source: the keys as written by macOS 10.7 to 15 (``man tmutil``). Dates in UTC by the property list format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem
from artefacts.macos.bookmarks import target
from artefacts.macos.property_lists import date, dicts, table, text
from artefacts.observations import AttachedDevice, Observation, PolicySetting
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Time, Timestamp


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AttachedDevice`` for each place that the Mac is backed up to; ``PolicySetting`` for what is switched off or left out."""
    settings = table(file)
    for number, place in enumerate(dicts(settings.get("Destinations"))):
        dates = sorted(item for item in map(date, _list(place.get("SnapshotDates"))) if isinstance(item, Timestamp))
        attempts = sorted(item for item in map(date, _list(place.get("AttemptDates"))) if isinstance(item, Timestamp))
        found = target(place.get("BackupAlias"))
        name = text(place.get("LastKnownVolumeName")) or (found.volume.get("label") if found else None) or text(place.get("NetworkURL"))
        yield AttachedDevice(
            kind="network backup" if place.get("NetworkURL") else "backup volume",
            name=name,
            identifier=text(place.get("DestinationID")),
            first=_first(dates, attempts, 0),
            last=_first(dates, attempts, -1),
            count=len(dates) or None,
            how="Time Machine",
            locator=f"Destinations[{number}]",
        )
    if settings.get("AutoBackup") is False:
        yield PolicySetting(
            program="Time Machine", setting="AutoBackup", value="false", meaning="backups do not start by themselves", locator="AutoBackup"
        )
    for key in ("SkipPaths", "ExcludeByPath", "ExcludedVolumeUUIDs"):
        for number, path in enumerate(_list(settings.get(key))):
            if words := text(path):
                yield PolicySetting(
                    program="Time Machine", setting=key, value=words, meaning="left out of the backup", locator=f"{key}[{number}]"
                )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _first(dates: list[Timestamp], attempts: list[Timestamp], which: int) -> Time:
    known = dates or attempts
    return known[which] if known else date(None)


ARTEFACTS = (
    Artefact(
        id="macos.time_machine",
        title="Time Machine",
        meaning="Drives and servers that hold backups of this Mac, when it was backed up, and what was left out.",
        paths=("**/Library/Preferences/com.apple.TimeMachine.plist",),
        parse=parse,
        references=("https://keith.github.io/xcode-man-pages/tmutil.8.html",),
        systems=("macos",),
    ),
)
