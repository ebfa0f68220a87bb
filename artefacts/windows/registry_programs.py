"""Programs that Windows lists for removal: of the machine and of a user, 64 and 32 bit.

Source: Microsoft, "Uninstall Registry Key" (Windows Installer). ``InstallDate`` is a local date without a time (YYYYMMDD).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.observations import InstalledProgram, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, from_local
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import NTUSER, SOFTWARE, Results, read_hive

_BELOW = r"Microsoft\Windows\CurrentVersion\Uninstall"
_PLACES = (
    (_BELOW, "uninstall list"),
    (rf"Wow6432Node\{_BELOW}", "uninstall list (32 bit)"),
    (rf"Software\{_BELOW}", "uninstall list of the user"),
    (rf"Software\Wow6432Node\{_BELOW}", "uninstall list of the user (32 bit)"),
)


def parse(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each entry with a name, from a SOFTWARE or NTUSER hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        for path, how in _PLACES:
            place = hive.key(path)
            for key in place.subkeys() if place else ():
                name = key.text("DisplayName")
                if name:
                    yield InstalledProgram(
                        name=name,
                        version=key.text("DisplayVersion"),
                        publisher=key.text("Publisher"),
                        installed=_date(key.text("InstallDate")),
                        identifier=key.name,
                        path=key.text("InstallLocation"),
                        user=file.user,
                        how=how,
                        locator=key.locator,
                    )

    return read_hive(file, read)


def _date(text: str | None) -> Time:
    if text is None:
        return NOT_RECORDED
    if re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", text):
        return from_local(f"{text[:4]}-{text[4:6]}-{text[6:]}", "a date without a time")
    return NoTime(f"not a date: {text[:40]}")


ARTEFACTS = (
    Artefact(
        id="windows.registry.uninstall",
        title="Windows registry: installed programs",
        meaning="Programs installed for everybody or for one user, with the date that the installer wrote down.",
        paths=(*SOFTWARE, *NTUSER),
        parse=parse,
        references=("https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key",),
        systems=("windows",),
        validation="specimens of Windows 7",
    ),
)
