"""UserAssist: programs and shortcuts that a user started from Explorer, how often and when last.

Value names are moved by 13 letters. Version 3 (XP, Vista): 16 bytes, the count begins at 5. Version 5 (7 and later): 72 bytes.
Source: J. Metz, "User Assist" (winreg-kb); D. Stevens.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.observations import Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.hive import Hive, Value
from artefacts.windows.hive.reading import NTUSER, Results, filetime_at, read_hive, rot13

_PLACE = r"Software\Microsoft\Windows\CurrentVersion\Explorer\UserAssist"
_FIRST_COUNT = 5
_FOLDERS = {
    "{6d809377-6af0-444b-8957-a3773f02200e}": "%ProgramFiles%",
    "{7c5a40ef-a0fb-4bfc-874a-c0f2e0b9fa8e}": "%ProgramFiles(x86)%",
    "{1ac14e77-02e7-4e5d-b744-2eb1ae5198b7}": "%SystemRoot%\\System32",
    "{d65231b0-b2f1-4857-a4ce-a8e7c6ea7d27}": "%SystemRoot%\\SysWOW64",
    "{f38bf404-1d43-42f2-9305-67de0b28fc23}": "%SystemRoot%",
    "{0139d44e-6afe-49f2-8690-3dafcae6ffb8}": "%ProgramData%\\Microsoft\\Windows\\Start Menu\\Programs",
    "{a77f5d77-2e2b-44c3-a6a2-aba601054a51}": "%AppData%\\Microsoft\\Windows\\Start Menu\\Programs",
    "{9e3995ab-1f9c-4f13-b827-48b24b6c7174}": "%AppData%\\Microsoft\\Internet Explorer\\Quick Launch\\User Pinned",
    "{b4bfcc3a-db2c-424c-b029-7fe99a87c641}": "%UserProfile%\\Desktop",
    "{374de290-123f-4565-9164-39c4925e467b}": "%UserProfile%\\Downloads",
}
"""Known folders that stand for the first part of a path."""


def parse(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each program or shortcut counted, from an NTUSER hive. Sums that Explorer keeps for itself (UEME_CTL…) are left out."""

    def read(hive: Hive) -> Iterator[Observation]:
        place = hive.key(_PLACE)
        for kind in place.subkeys() if place else ():
            counts = kind.subkey("Count")
            for value in counts.values() if counts else ():
                run = _run(value, file.user)
                if isinstance(run, str):
                    hive.report(run, value.locator)
                elif run is not None:
                    yield run

    return read_hive(file, read)


def _run(value: Value, user: str | None) -> ProgramRun | str | None:
    name = rot13(value.name)
    if name.startswith(("UEME_CTL", "UEME_RUNPATH:::", "UEME_RUNPIDL:::")) or name in (
        "UEME_RUNPATH",
        "UEME_RUNPIDL",
        "UEME_RUNCPL",
        "UEME_UISCUT",
    ):
        return None
    data = value.data
    if data is None:
        return None
    if len(data) == 16:
        count, when = struct.unpack_from("<I", data, 4)[0], filetime_at(data, 8)
        count = max(count - _FIRST_COUNT, 0)
    elif len(data) == 72:
        count, when = struct.unpack_from("<I", data, 4)[0], filetime_at(data, 60)
    elif len(data) == 8:
        return None  # a session's number
    else:
        return f"a count of {len(data)} bytes, which no version writes"
    path = name.partition(":")[2] if name.startswith("UEME_") else name
    for known, folder in _FOLDERS.items():
        if path.lower().startswith(known):
            path = folder + path[len(known) :]
    return ProgramRun(
        program=path.rpartition("\\")[2] or path,
        path=path if "\\" in path else None,
        time=when,
        time_meaning="last started",
        count=count,
        user=user,
        how="UserAssist",
        locator=value.locator,
    )


ARTEFACTS = (
    Artefact(
        id="windows.registry.userassist",
        title="Windows registry: UserAssist",
        meaning="Programs and shortcuts that the user started from the desktop or the Start menu, how often, and when last. Windows itself enters a few when it makes a profile.",
        paths=NTUSER,
        parse=parse,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/explorer-keys/User-assist.html",),
        systems=("windows",),
        validation="specimens of Windows XP and 7",
    ),
)
