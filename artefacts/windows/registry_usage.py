"""Programs by how Windows' own shell counts them: FeatureUsage (task bar), RecentApps (search, Windows 10 before 2018), CIDSizeMRU (dialogs).

Sources: CrowdStrike, "How to employ FeatureUsage for Windows 10 task bar forensics" (2020); J. Hale, "RecentApps" (2016). Counts are of the task bar, not of all
starts; FeatureUsage keeps no times.
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.observations import FileSeen, Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, from_filetime
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.hive import utf16
from artefacts.windows.hive.reading import NTUSER, Results, filetime_at, mru_order, read_hive
from artefacts.windows.paths import name_of

_EXPLORER = r"Software\Microsoft\Windows\CurrentVersion\Explorer"
_RECENT_APPS = r"Software\Microsoft\Windows\CurrentVersion\Search\RecentApps"
_COUNTS = {
    "AppSwitched": "windows brought to the front from the task bar",
    "AppLaunch": "started from the task bar",
    "ShowJumpView": "menu opened in the task bar",
}
_NO_TIME = NoTime("only counted, without times")
_NOT_NEWEST = NoTime("only the newest entry of the list has a time")


def parse(file: EvidenceFile) -> Results:
    """``ProgramRun`` for each program counted, ``FileSeen`` for each file that RecentApps has for one, from an NTUSER hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        usage = hive.key(rf"{_EXPLORER}\FeatureUsage")
        for name, words in _COUNTS.items():
            key = usage.find(name) if usage else None
            for value in key.values() if key else ():
                if value.number is not None and value.name:
                    yield ProgramRun(
                        program=name_of(value.name), path=value.name, time=_NO_TIME, count=value.number, user=file.user,
                        how=f"FeatureUsage: {words}", locator=value.locator,
                    )  # fmt: skip
        apps = hive.key(_RECENT_APPS)
        for app in apps.subkeys() if apps else ():
            yield from _app(app, file.user)
        sizes = hive.key(rf"{_EXPLORER}\ComDlg32\CIDSizeMRU")
        order = mru_order(sizes) if sizes else []
        for value in sizes.values() if sizes else ():
            program = utf16(value.data or b"") if value.name in order else ""
            if sizes and program:
                yield ProgramRun(
                    program=program, time=sizes.written if value.name == order[0] else _NOT_NEWEST, time_meaning="last dialog to open or save",
                    user=file.user, how="CIDSizeMRU", locator=value.locator,
                )  # fmt: skip

    return read_hive(file, read)


def _app(app: Key, user: str | None) -> Iterator[Observation]:
    identifier = app.text("AppId")
    if not identifier:
        return
    yield ProgramRun(
        program=name_of(identifier), path=app.text("AppPath") or identifier, time=_used(app), count=app.number("LaunchCount"), user=user,
        how="RecentApps", locator=app.locator,
    )  # fmt: skip
    items = app.subkey("RecentItems")
    for item in items.subkeys() if items else ():
        path = item.text("Path")
        if path:
            yield FileSeen(
                path=path, used=_used(item), how=f"RecentApps: opened with {name_of(identifier)}", user=user, locator=item.locator
            )


def _used(key: Key) -> Time:
    number = key.number("LastAccessedTime")
    if number is not None:
        return from_filetime(number)
    return filetime_at(key.binary("LastAccessedTime")) if key.binary("LastAccessedTime") else NOT_RECORDED


ARTEFACTS = (
    Artefact(
        id="windows.registry.usage",
        title="Windows registry: programs counted by the shell",
        meaning="Programs that the user started or switched to from the task bar, or that showed a dialog to open or save, and how often.",
        paths=NTUSER,
        parse=parse,
        references=("https://www.crowdstrike.com/blog/how-to-employ-featureusage-for-windows-10-taskbar-forensics/",),
        systems=("windows",),
    ),
)
