"""MUICache: names of programs that Explorer has shown to a user, kept when a program is first started.

Source: NirSoft, "MUICacheView"; A. Brignoni and others. No time of its own: the key's is of its newest entry only and is not given.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import NTUSER, REFERENCE, USRCLASS, Results, read_hive

_PLACES = (
    r"Local Settings\Software\Microsoft\Windows\Shell\MuiCache",
    r"Software\Classes\Local Settings\Software\Microsoft\Windows\Shell\MuiCache",
    r"Software\Microsoft\Windows\ShellNoRoam\MUICache",
)
_ENDINGS = (".FriendlyAppName", ".ApplicationCompany")


def parse(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each program, from UsrClass.dat (Vista and later) or NTUSER.DAT (XP)."""

    def read(hive: Hive) -> Iterator[Observation]:
        for place in _PLACES:
            key = hive.key(place)
            programs: set[str] = set()
            for value in key.values() if key else ():
                path = value.name
                if path.endswith(_ENDINGS[1]):
                    continue
                path = path.removesuffix(_ENDINGS[0])
                if not path.startswith("@") and "\\" in path and path.lower() not in programs:
                    programs.add(path.lower())
                    yield ProgramRun(
                        program=path.rpartition("\\")[2],
                        path=path,
                        time=NoTime("MUICache keeps no time for each program"),
                        user=file.user,
                        how="MUICache",
                        locator=value.locator,
                    )

    return read_hive(file, read)


ARTEFACTS = (
    Artefact(
        id="windows.registry.muicache",
        title="Windows registry: MUICache",
        meaning="Programs that the user started at least once; the traces stay when the program is removed.",
        paths=(*USRCLASS, *NTUSER),
        parse=parse,
        references=(REFERENCE, "https://www.nirsoft.net/utils/muicache_view.html"),
        systems=("windows",),
        validation="specimens of Windows XP and 8",
    ),
)
