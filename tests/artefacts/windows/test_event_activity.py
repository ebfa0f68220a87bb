"""Events of single parts of Windows: real logs, and each number once by an event made here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem
from artefacts.observations import (
    AccountUse,
    Download,
    FileSeen,
    InstalledProgram,
    KnownNetwork,
    NetworkHost,
    Observation,
    ProgramRun,
    StartupItem,
    SystemFact,
)
from artefacts.times import from_unix
from artefacts.windows import event_log
from artefacts.windows.event_activity import NUMBERS
from artefacts.windows.event_facts import INTERESTING, Event, EventFacts


def told(number: int, provider: str, *strings: str, user: str | None = None, **data: str) -> list[Observation]:
    """What one event says at once and at the end of its log."""
    facts = EventFacts("Log")
    event = Event(provider=provider, id=number, number=1, time=from_unix(1000), log="Log", user=user, data=data, strings=strings)
    return [*facts.take(event), *facts.finish(damaged=False, computers=())]


@pytest.mark.specimens
def test_background_transfers_of_a_real_log(evidence: Any, unpacked: Any) -> None:
    path = unpacked("evtx/attack-samples/Command and Control/bits_openvpn.evtx.xz")
    found = list(
        event_log.parse(evidence({"/Windows/System32/winevt/Logs/x.evtx": path.read_bytes()}).file("/Windows/System32/winevt/Logs/x.evtx"))
    )
    assert not [item for item in found if isinstance(item, Problem)]
    transfers = {item.url: item for item in found if isinstance(item, Download)}
    fonts = transfers["https://fs.microsoft.com/fs/windows/config.json"]
    assert (fonts.state, fonts.bytes, fonts.total_bytes) == ("finished", 55, 55) and "Font Download" in (fonts.browser or "")
    assert not any("?" in (url or "") for url in transfers)


@pytest.mark.specimens
def test_tasks_of_a_real_log(evidence: Any, specimens: Path) -> None:
    data = (specimens / "evtx/velociraptor/TaskScheduler.evtx").read_bytes()
    found = list(event_log.parse(evidence({"/x.evtx": data}).file("/x.evtx")))
    made = [item for item in found if isinstance(item, StartupItem)]
    assert Counter(item.how for item in made) == {"scheduled task made (event 106)": 3, "scheduled task changed (event 140)": 1}
    assert {item.user for item in made} == {r"RE-DEV\yolo", "S-1-5-18"} and r"\T1053_005_OnLogon" in {item.name for item in made}
    assert sum(isinstance(item, SystemFact) and item.name == "scheduled task deleted" for item in found) == 3
    assert {item.program for item in found if isinstance(item, ProgramRun)} == {"calc.exe", "cmd.exe"}


def test_defender() -> None:
    provider = "Microsoft-Windows-Windows Defender"
    seen, fact = told(
        1116, provider, **{"Threat Name": "Demo:Test", "Path": r"file:_C:\Users\jo\a.zip->b.exe; amsi:_x", "Detection User": r"BOX\jo"}
    )
    assert isinstance(seen, FileSeen) and (seen.path, seen.user, seen.detail) == (r"C:\Users\jo\a.zip", r"BOX\jo", "Demo:Test")
    assert isinstance(fact, SystemFact) and fact.value == "Demo:Test (event 1116)"
    [off] = told(5001, provider)
    assert isinstance(off, SystemFact) and off.name == "virus scanner switched off"
    [setting] = told(5007, provider, **{"New Value": r"HKLM\SOFTWARE\Microsoft\Windows Defender\Exclusions\Paths\C:\x = 0x0"})
    assert isinstance(setting, SystemFact) and r"Paths\C:\x" in setting.value
    assert told(5007, provider, **{"New Value": r"HKLM\SOFTWARE\Microsoft\Windows Defender\Signature = 1"}) == []


def test_remote_desktop() -> None:
    [came] = told(1149, "Microsoft-Windows-TerminalServices-RemoteConnectionManager", Param1="jo", Param2="BOX", Param3="10.0.0.9")
    assert isinstance(came, AccountUse) and (came.account, came.how) == ("BOX\\jo", "remote desktop connection from 10.0.0.9 (event 1149)")
    for number, words in ((21, "signed in"), (22, "session begun"), (23, "signed out"), (24, "disconnected"), (25, "connected again")):
        [use] = told(number, "Microsoft-Windows-TerminalServices-LocalSessionManager", User=r"BOX\jo", Address="10.0.0.9")
        assert isinstance(use, AccountUse) and use.how == f"{words} by remote desktop from 10.0.0.9 (event {number})"
    [local] = told(21, "Microsoft-Windows-TerminalServices-LocalSessionManager", User=r"BOX\jo", Address="LOCAL")
    assert isinstance(local, AccountUse) and local.how == "signed in at the machine (event 21)"
    assert told(21, "Microsoft-Windows-TerminalServices-LocalSessionManager", User=r"NT AUTHORITY\SYSTEM") == []
    [went] = told(1024, "Microsoft-Windows-TerminalServices-ClientActiveXCore", Name="Server Name", Value="other-pc")
    assert isinstance(went, NetworkHost) and went.name == "other-pc"


def test_powershell_keeps_the_program_and_not_its_arguments() -> None:
    details = 'NewEngineState=Available\n\tHostName=ConsoleHost\n\tHostApplication="C:\\Windows\\powershell.exe" -p hunter2\n'
    [run] = told(400, "PowerShell", "Available", "None", details)
    assert isinstance(run, ProgramRun) and (run.program, run.path) == ("powershell.exe", r"C:\Windows\powershell.exe")
    assert "hunter2" not in str(run.to_json())


def test_printing_installing_and_networks() -> None:
    values = dict(
        zip(
            (f"Param{number}" for number in range(1, 9)), ("4", "Letter.docx", "jo", r"\\BOX", "Acme 1", "USB001", "2048", "3"), strict=True
        )
    )
    [printed] = told(307, "Microsoft-Windows-PrintService", **values)
    assert isinstance(printed, FileSeen)
    assert (printed.path, printed.user, printed.size, printed.detail) == ("Letter.docx", "jo", 2048, "3 pages on Acme 1, port USB001")
    [product] = told(1033, "MsiInstaller", "Demo", "1.2", "1033", "0", "Acme")
    [removed] = told(1034, "MsiInstaller", "Demo", "1.2", "1033", "0", "Acme")
    assert isinstance(product, InstalledProgram) and (product.name, product.version, product.publisher, product.enabled) == (
        "Demo",
        "1.2",
        "Acme",
        None,
    )
    assert isinstance(removed, InstalledProgram) and removed.enabled is False
    assert told(1033, "MsiInstaller", "Demo", "1.2", "1033", "1603", "Acme") == []  # it failed
    [network] = told(8003, "Microsoft-Windows-WLAN-AutoConfig", SSID="home")
    assert isinstance(network, KnownNetwork) and network.last == from_unix(1000)


def test_other_providers_with_these_numbers_say_nothing() -> None:
    assert NUMBERS <= INTERESTING
    for number in NUMBERS - {400}:
        assert told(number, "Some-Other-Provider", Param1="jo", TaskName="x", url="https://a.example/", User="jo", Value="x") == []
