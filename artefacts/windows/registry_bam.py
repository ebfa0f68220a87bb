"""Background and Desktop Activity Moderator: when a program was last run, for each user (Windows 10 1709 and later).

Source: J. Metz, "Background Activity Moderator" (winreg-kb): each value is named by a path and begins with a FILETIME.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import SYSTEM, Results, filetime_at, read_hive

_PLACES = tuple((name, rf"Services\{name}{state}\UserSettings") for name in ("bam", "dam") for state in (r"\State", ""))


def parse(file: EvidenceFile) -> Results:
    """``ProgramRun`` with ``user`` the SID, from a SYSTEM hive."""
    return read_hive(file, _read)


def _read(hive: Hive) -> Iterator[Observation]:
    settings = hive.control_set()
    for name, path in _PLACES if settings else ():
        place = settings.find(path) if settings else None
        for user in place.subkeys() if place else ():
            for value in user.values():
                if "\\" not in value.name and "_" not in value.name:
                    continue  # Version, SequenceNumber
                data = value.data
                if data is None:
                    continue
                if len(data) < 8:
                    hive.report("a record too short for a time", value.locator)
                    continue
                yield ProgramRun(
                    program=value.name.rpartition("\\")[2],
                    path=value.name if "\\" in value.name else None,
                    time=filetime_at(data),
                    time_meaning="last run",
                    user=user.name,
                    how=name.upper(),
                    locator=value.locator,
                )


ARTEFACTS = (
    Artefact(
        id="windows.registry.bam",
        title="Windows registry: activity moderator",
        meaning="When each program was last run, for each user, in about the last week of use.",
        paths=SYSTEM,
        parse=parse,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/system-keys/Background-activity-moderator.html",),
        systems=("windows",),
    ),
)
