"""Scheduled tasks as the registry keeps them (TaskCache): also those whose file is gone, with the last run. And the Store's apps.

``Tasks\\{GUID}``: ``Path``; ``Actions``, binary: version, then for each program ``66 66``, its id, command and arguments, each with a length of 4 bytes;
``DynamicInfo``: FILETIMEs (UTC) of registration at 4 and of the last start at 12.

Source: Cyber.WTF, "Windows Registry Analysis: tasks" (2022).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.observations import InstalledProgram, Observation, ProgramRun, StartupItem, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import SOFTWARE, USRCLASS, Results, filetime_at, read_hive
from artefacts.windows.paths import name_of

_TASKS = r"Microsoft\Windows NT\CurrentVersion\Schedule\TaskCache\Tasks"
_PROGRAM = 0x6666
_USER_APPS = r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
_ALL_APPS = (
    r"Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications",
    r"Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Staged",
)
_SYSTEM = "\\Microsoft\\"


def parse_tasks(file: EvidenceFile) -> Results:
    """``StartupItem`` for each task outside Windows' own folder, ``ProgramRun`` for its last start, one ``SystemFact`` with their number, from a SOFTWARE hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        tasks = hive.key(_TASKS)
        own = count = 0
        for task in tasks.subkeys() if tasks else ():
            path = task.text("Path") or task.name
            count += 1
            own += path.startswith(_SYSTEM)
            if path.startswith(_SYSTEM):
                continue  # Windows brings hundreds; one that somebody added there has a file, which is read as such
            command = _command(task)
            last = filetime_at(task.binary("DynamicInfo"), 12)
            yield StartupItem(
                name=path, command=command, start=f"at set times, last at {last.isoformat()}" if isinstance(last, Timestamp) else "at set times, never yet", written=filetime_at(task.binary("DynamicInfo"), 4),
                how="scheduled task (registry)", locator=task.locator,
            )  # fmt: skip
            if command and isinstance(last, Timestamp):
                program = command.partition('" ')[0].strip('"') if command.startswith('"') else command
                yield ProgramRun(
                    program=name_of(program),
                    path=program,
                    time=last,
                    time_meaning="last start",
                    how=f"scheduled task {path}",
                    locator=task.locator,
                )

        if tasks:
            yield SystemFact(
                name="scheduled tasks in the registry", value=f"{count}, of which {own} in Windows' own folder", locator=tasks.locator
            )

    return read_hive(file, read)


def parse_apps(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each app package of the Store, from a UsrClass or SOFTWARE hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        for place in (_USER_APPS, *_ALL_APPS):
            top = hive.key(place)
            for package in top.subkeys() if top else ():
                name, _, rest = package.name.partition("_")
                if not rest:
                    continue
                shown = package.text("DisplayName") or ""
                yield InstalledProgram(
                    name=shown if shown and not shown.startswith("@") else name, version=rest.split("_")[0] or None, identifier=package.name,
                    path=package.text("PackageRootFolder") or package.text("Path"), installed=package.written, user=file.user,
                    how="Store app; installed: when its entry was last written", locator=package.locator,
                )  # fmt: skip

    return read_hive(file, read)


def _command(task: Key) -> str | None:
    """The first program that a task starts, with its arguments; None where it starts none or the form is not known."""
    data = task.binary("Actions") or b""
    try:
        version, size = struct.unpack_from("<HI", data)
        at = 6 + size
        if version not in (1, 2, 3) or struct.unpack_from("<H", data, at)[0] != _PROGRAM:
            return None
        at += 2
        parts = []
        for _ in range(3):  # id, command, arguments
            (size,) = struct.unpack_from("<I", data, at)
            parts.append(data[at + 4 : at + 4 + size].decode("utf-16-le", "backslashreplace"))
            at += 4 + size
    except struct.error:
        return None
    return " ".join(part for part in parts[1:] if part) or None


ARTEFACTS = (
    Artefact(
        id="windows.registry.task_cache",
        title="Windows registry: scheduled tasks",
        meaning="Programs that are started by themselves at set times, and when they last were; also tasks whose file was removed.",
        paths=SOFTWARE,
        parse=parse_tasks,
        references=("https://cyber.wtf/2022/06/01/windows-registry-analysis-todays-episode-tasks/",),
        systems=("windows",),
        validation="specimen of Windows 7",
    ),
    Artefact(
        id="windows.registry.store_apps",
        title="Windows registry: apps of the Store",
        meaning="Apps that were installed from the Microsoft Store, by user.",
        paths=(*USRCLASS, *SOFTWARE),
        parse=parse_apps,
        references=("https://learn.microsoft.com/windows/win32/appxpkg/appx-portal",),
        systems=("windows",),
    ),
)
