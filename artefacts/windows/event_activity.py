"""What events of single parts of Windows mean: Defender, remote desktop, background transfers, PowerShell, Task Scheduler, printing, Installer.

Sources: Microsoft, "Review event logs and error codes to troubleshoot issues with Microsoft Defender Antivirus" (1116, 1117, 5001, 5007, 5010,
5012), "Windows Installer event logging" (1033, 1034); the manifests of the providers Microsoft-Windows-TerminalServices-RemoteConnectionManager
(1149), -LocalSessionManager (21 to 25), -ClientActiveXCore (1024), -Bits-Client (59, 60), -TaskScheduler (106, 129, 140, 141, 200), -PrintService
(307); PowerShell's engine states (400, 403) name their host in the third text of the event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from artefacts.observations import (
    AccountUse,
    Download,
    FileSeen,
    InstalledProgram,
    NetworkHost,
    Observation,
    ProgramRun,
    StartupItem,
    SystemFact,
)
from artefacts.windows.paths import name_of

if TYPE_CHECKING:
    from artefacts.windows.event_facts import Event

_SESSIONS = {21: "signed in", 22: "session begun", 23: "signed out", 24: "disconnected", 25: "connected again"}
_DEFENDER_STATES = {5001: "real-time protection was switched off", 5010: "the search for unwanted software was switched off",
                    5012: "the search for viruses was switched off"}  # fmt: skip
_SETTINGS = re.compile(r"\\(Exclusions\\|Disable|TamperProtection|SpyNet|Real-Time Protection\\)", re.IGNORECASE)
_HOST = re.compile(r"^\s*HostApplication=\s*(?:\"([^\"]+)\"|(\S+\.exe)|(\S+))", re.IGNORECASE | re.MULTILINE)
_MOST_FILES = 20
_LONGEST = 2000


def _virus(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    threat = event.get("Threat Name") or "something not named"
    action = f", {event.get('Action Name')}" if event.get("Action Name") else ""
    how = f"found by Windows Defender (event {event.id})"
    user = event.get("Detection User") or event.get("User") or None
    places = [part.strip() for part in event.get("Path").split(";") if part.strip()]
    for place in places[:_MOST_FILES]:
        kind, _, path = place.partition(":_")
        if path and kind in ("file", "containerfile", "webfile", "process"):
            path = path.partition("|")[0]
            yield FileSeen(path=path.partition("->")[0], used=event.time, how=how, user=user, detail=f"{threat}{action}", **shared)
    yield SystemFact(name="virus scanner found something", value=f"{threat}{action} (event {event.id})", time=event.time, **shared)


def _virus_scanner_off(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    yield SystemFact(name="virus scanner switched off", value=f"{_DEFENDER_STATES[event.id]} (event {event.id})", time=event.time, **shared)


def _virus_scanner_setting(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    old, new = event.get("Old Value"), event.get("New Value")
    if _SETTINGS.search(f"{old} {new}"):  # any other setting changes by itself with each update
        value = f"{old[:_LONGEST] or 'not set'} became {new[:_LONGEST] or 'not set'} (event 5007)"
        yield SystemFact(name="virus scanner setting changed", value=value, time=event.time, **shared)


def _remote_desktop(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    account, domain, address = (event.get(f"Param{number}") for number in (1, 2, 3))
    yield _use(
        event, f"{domain}\\{account}" if domain else account, f"remote desktop connection from {address or 'an address not recorded'}"
    )


def _session(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    address = event.get("Address")
    # The word for a session at the machine itself is in the language of Windows.
    where = f"by remote desktop from {address}" if "." in address or ":" in address else "at the machine"
    yield _use(event, event.get("User"), f"{_SESSIONS[event.id]} {where}")


def _use(event: Event, account: str, how: str) -> AccountUse:
    user = account.rpartition("\\")[2] or None
    return AccountUse(
        service="Windows", account=account or None, time=event.time, last=event.time, count=1, user=user, how=f"{how} (event {event.id})",
        locator=event.locator,
    )  # fmt: skip


def _connected_to(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    if name := event.get("Value"):
        yield NetworkHost(name=name, first=event.time, last=event.time, how="remote desktop from here (event 1024)", locator=event.locator)


def _transfer(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    url = event.get("url").partition("?")[0]  # behind the question mark there may be keys
    if url:
        size, whole = (
            int(text) if text.isdigit() and int(text) < 1 << 62 else None
            for text in (event.get("bytesTransferred"), event.get("bytesTotal"))
        )
        done = event.id == 60
        state = ("finished" if event.get("hr") in ("", "0") else "failed") if done else "begun"
        browser = f"Windows background transfer: {event.get('name') or 'not named'}"
        found = Download(url=url, bytes=size if done else None, total_bytes=whole, state=state, browser=browser, locator=event.locator)
        if done:
            found.finished = event.time
        else:
            found.started = event.time
        yield found


def _powershell(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    # The rest of the host's command line may hold passwords.
    found = _HOST.search(event.get("", 2) or event.get("param3"))
    path = next((part for part in found.groups() if part), "powershell.exe") if found else "powershell.exe"
    yield ProgramRun(
        program=name_of(path), path=path if "\\" in path else None, time=event.time, count=1, how="event 400, PowerShell started",
        time_meaning="last start", locator=event.locator,
    )  # fmt: skip


def _task_made(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    how = f"scheduled task {'made' if event.id == 106 else 'changed'} (event {event.id})"
    user = event.get("UserContext") or event.get("UserName") or None
    yield StartupItem(name=event.get("TaskName") or "[no name]", written=event.time, user=user, how=how, **shared)


def _task_deleted(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    value = f"{event.get('TaskName') or '[no name]'}, by {event.get('UserName') or 'an account not recorded'} (event 141)"
    yield SystemFact(name="scheduled task deleted", value=value, time=event.time, **shared)


def _task_ran(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    path = (event.get("ActionName") or event.get("Path")).strip('"')
    if path.lower().endswith((".exe", ".com", ".bat", ".cmd", ".ps1", ".vbs")):
        yield ProgramRun(
            program=name_of(path), path=path if "\\" in path else None, time=event.time, count=1,
            how=f"event {event.id}, started by the scheduled task {event.get('TaskName')}", time_meaning="last start", locator=event.locator,
        )  # fmt: skip


def _printed(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    document, account, machine, printer, port, size, pages = (event.get(f"Param{number}") for number in range(2, 9))
    yield FileSeen(
        path=document or "[name not recorded]", used=event.time, size=int(size) if size.isdigit() and int(size) < 1 << 62 else None, user=account or None,
        how="printed (event 307)", detail=f"{pages or 'an unknown number of'} pages on {printer or 'a printer not named'}, port {port or 'not named'}",
        volume={"machine": machine} if machine else {}, **shared,
    )  # fmt: skip


def _product(event: Event, shared: Mapping[str, Any]) -> Iterator[Observation]:
    name, version, status, maker = (event.get("", position) for position in (0, 1, 3, 4))
    if name and status == "0":
        removed = event.id == 1034
        yield InstalledProgram(
            name=name, version=version or None, publisher=maker or None, installed=event.time, enabled=False if removed else None, user=event.user,
            how=f"{'removed' if removed else 'installed'} by Windows Installer (event {event.id})", **shared,
        )  # fmt: skip


_Reader = Callable[["Event", Mapping[str, Any]], Iterator[Observation]]
_READERS: dict[tuple[str, int], _Reader] = {
    **{("microsoft-windows-windows defender", number): _virus for number in (1116, 1117)},
    **{("microsoft-windows-windows defender", number): _virus_scanner_off for number in _DEFENDER_STATES},
    ("microsoft-windows-windows defender", 5007): _virus_scanner_setting,
    ("microsoft-windows-terminalservices-remoteconnectionmanager", 1149): _remote_desktop,
    **{("microsoft-windows-terminalservices-localsessionmanager", number): _session for number in _SESSIONS},
    ("microsoft-windows-terminalservices-clientactivexcore", 1024): _connected_to,
    **{("microsoft-windows-bits-client", number): _transfer for number in (59, 60)},
    ("powershell", 400): _powershell,
    **{("microsoft-windows-taskscheduler", number): _task_made for number in (106, 140)},
    ("microsoft-windows-taskscheduler", 141): _task_deleted,
    **{("microsoft-windows-taskscheduler", number): _task_ran for number in (129, 200)},
    ("microsoft-windows-printservice", 307): _printed,
    **{("msiinstaller", number): _product for number in (1033, 1034)},
}
NUMBERS = frozenset(number for _, number in _READERS)
"""Every number that ``activity`` knows."""


def activity(event: Event) -> Iterator[Observation]:
    """The records that one event makes; none for an event of another part of Windows. Those of the types ``SUMMED`` are one a happening,
    to be summed up."""
    reader = _READERS.get((event.provider.lower(), event.id))
    if reader is not None:
        yield from reader(event, {"locator": event.locator, "recovered": event.recovered})


SUMMED = (AccountUse, Download, NetworkHost, ProgramRun)
