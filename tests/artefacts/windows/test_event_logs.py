"""Event logs, modern and classic: every specimen's count, single facts exactly, a log written here, damage."""

from __future__ import annotations

import csv
import json
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import AccountUse, AttachedDevice, ClockChange, InstalledProgram, LogCleared, LogGap, ProgramRun, SystemFact
from artefacts.times import Timestamp, from_unix
from artefacts.windows import event_log, event_log_classic
from artefacts.windows.event_facts import Event, EventFacts, parse_time

LOGS = "/Windows/System32/winevt/Logs"


def read(evidence: Any, data: bytes, name: str = "Security.evtx", parser: Any = event_log.parse) -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({f"{LOGS}/{name}": data}).parse(parser, f"{LOGS}/{name}")
    return result


def summary(observations: list[Any]) -> str:
    [fact] = [item for item in observations if isinstance(item, SystemFact) and item.name == "event log"]
    return str(fact.value)


@pytest.mark.specimens
def test_every_specimen_has_its_records(evidence: Any, specimens: Path, unpacked: Callable[[str], Path]) -> None:
    rows = list(csv.DictReader((specimens / "expected/oracle/evtx_counts.tsv").open(encoding="utf-8"), delimiter="\t"))
    assert len(rows) == 32
    for row in rows:
        path = unpacked(row["path"])
        observations, problems = read(evidence, path.read_bytes(), path.name)
        assert f": {row['records_ok']} records" in summary(observations), row["path"]
        cut_short = ["cut short: 200000 bytes are no whole number of chunks"] if path.name == "System2.evtx" else []
        assert len(problems) == int(row["records_bad"]) + len(cut_short)
        assert [item.reason for item in problems][: len(cut_short)] == cut_short


@pytest.mark.specimens
def test_facts_of_modern_logs(evidence: Any, specimens: Path, unpacked: Callable[[str], Path]) -> None:
    observations, _ = read(evidence, unpacked("evtx/plaso/System.evtx.xz").read_bytes(), "System.evtx")
    assert summary(observations).startswith("System: 1601 records, numbers 12049 to ") and "WKS-WIN764BITB" in summary(observations)
    fact = next(item for item in observations if isinstance(item, SystemFact) and item.name == "event log")
    assert fact.time.isoformat() == "2012-03-14T04:17:43.3545627Z"  # type: ignore[union-attr]
    services = [item for item in observations if isinstance(item, InstalledProgram)]
    assert (services[0].name, services[0].path) == ("BCSWAP", "C:\\Windows\\system32\\drivers\\BCSWAP.sys") and len(services) == 12
    power = Counter(item.value for item in observations if isinstance(item, SystemFact) and item.name == "start-up and shutdown")
    assert power["the shutdown before was not in order (event 6008)"] == 2
    assert power["restarted without shutting down in order (power lost, crash or switched off) (event 41)"] == 2
    observations, _ = read(evidence, unpacked("evtx/omerbenamram/system.evtx.xz").read_bytes(), "System.evtx")
    cleared = [item for item in observations if isinstance(item, LogCleared)]
    assert (cleared[0].log, cleared[0].user, cleared[0].time.isoformat()) == (  # type: ignore[union-attr]
        "Microsoft-Windows-Sysmon/Operational", "DESKTOP-2KGM189\\tony", "2017-12-26T13:06:45.1405869Z",
    )  # fmt: skip
    observations, _ = read(evidence, (specimens / "evtx/plaso/System2.evtx").read_bytes())
    change = next(item for item in observations if isinstance(item, ClockChange))
    assert (change.before.isoformat(), change.after.isoformat(), change.user, change.program) == (  # type: ignore[union-attr]
        "2015-08-08T06:58:30.343750Z", "2015-08-08T16:58:30.140Z", "WORKGROUP\\WIN-LK5OF8CDD94$", "C:\\Windows\\System32\\oobe\\msoobe.exe",
    )  # fmt: skip
    observations, _ = read(evidence, (specimens / "evtx/velociraptor/Security_1_record.evtx").read_bytes())
    assert [type(item) for item in observations] == [LogCleared, SystemFact] and observations[0].log == "Security"
    lateral = specimens / "evtx/attack-samples/Lateral Movement/LM_Remote_Service02_7045.evtx"
    assert Counter(type(item) for item in read(evidence, lateral.read_bytes())[0])[InstalledProgram] == 3


@pytest.mark.specimens
def test_a_damaged_header_costs_no_record(evidence: Any, specimens: Path) -> None:
    data = bytearray((specimens / "evtx/velociraptor/EID4769_Kerberoasting.evtx").read_bytes())
    data[:4096] = bytes(4096)
    observations, problems = read(evidence, bytes(data))
    assert ": 9 records" in summary(observations) and [item.reason for item in problems] == [
        "its header is damaged: the records are read without it"
    ]


@pytest.mark.specimens
def test_damage_to_modern_logs(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = (specimens / "evtx/velociraptor/EID4769_Kerberoasting.evtx").read_bytes()
    troubled = 0
    for copy in mutations(data, 60):
        try:
            observations, problems = read(evidence, copy)
        except Unrecognised:
            continue
        json.dumps([item.to_json() for item in observations])
        troubled += bool(problems)
    assert troubled > 5
    with pytest.raises(Unrecognised):
        read(evidence, b"no log at all")


@pytest.mark.specimens
@pytest.mark.parametrize("name", ["TestLog.evt", "TestLog-dirty.evt"])
def test_classic_specimens(evidence: Any, specimens: Path, name: str) -> None:
    data = (specimens / "evtx/dissect" / name).read_bytes()
    facts = {
        item["path"]: item["facts"]
        for item in json.loads((specimens / "expected/test_facts.json").read_text())
        if "path" in item and isinstance(item["path"], str)
    }
    expected = facts[f"evtx/dissect/{name}"]
    found: list[Any] = list(event_log_classic.records(data))
    assert len(found) == expected["records"] == 5
    for record, item in zip(found, expected["items"], strict=True):
        assert (record.type, record.id, record.category, record.strings) == (item["type"], item["id"], item["category"], (item["text"],))
        assert (record.source, record.computer) == ("TestApp", "POPSICKL-79ADD4")
        assert record.data.decode("utf-16-le") == item.get("data_utf16", "") or "data_utf16" not in item
    observations, problems = read(evidence, data, name, event_log_classic.parse)
    assert problems == [] and ": 5 records, numbers 1 to 5, computer POPSICKL-79ADD4" in summary(observations)


def record(number: int, time: int, identifier: int, source: str, *strings: str) -> bytes:
    names = f"{source}\0OLDBOX\0".encode("utf-16-le")
    sid = bytes((1, 2)) + (5).to_bytes(6, "big") + struct.pack("<2I", 32, 544)
    texts = "".join(text + "\0" for text in strings).encode("utf-16-le")
    sid_at = 56 + len(names)
    length = (sid_at + len(sid) + len(texts) + 4 + 3) // 4 * 4
    body = struct.pack("<I4sIIII", length, b"LfLe", number, time, time, identifier) + struct.pack("<HHHHI", 4, len(strings), 0, 0, 0)
    body += struct.pack("<IIIII", sid_at + len(sid), len(sid), sid_at, 0, 0) + names + sid + texts
    return body.ljust(length - 4, b"\0") + struct.pack("<I", length)


def log(*parts: bytes, oldest: int, following: int, flags: int = 0) -> bytes:
    body = b"".join(parts)
    size = 48 + len(body)
    return struct.pack("<I4s10I", 48, b"LfLe", 1, 1, 48, size, following, oldest, size, flags, 0, 48) + body


EVENTS = (
    record(7, 1_000_000_000, 517, "Security", "SYSTEM", "NT AUTHORITY", "(0x0,0x3E7)", "jo", "OLDBOX", "(0x0,0xA)"),
    record(8, 1_000_000_100, 528, "Security", "jo", "OLDBOX", "(0x0,0xA)", "2"),
    record(9, 1_000_000_200, 528, "Security", "jo", "OLDBOX", "(0x0,0xB)", "2"),
    record(14, 1_000_000_300, 6005, "EventLog"),
)


def test_own_classic_log(evidence: Any) -> None:
    observations, problems = read(evidence, log(*EVENTS, oldest=7, following=15), "SecEvent.Evt", event_log_classic.parse)
    assert problems == []
    cleared, start, total, sign_in, gap = observations
    assert (cleared.log, cleared.user, cleared.time) == ("Security", "OLDBOX\\jo", from_unix(1_000_000_000))
    assert start.value == "the event log started: Windows started (event 6005)"
    assert total.value == "SecEvent: 4 records, numbers 7 to 14, computer OLDBOX"
    assert (sign_in.account, sign_in.how, sign_in.count, sign_in.user) == ("OLDBOX\\jo", "sign-in, at the keyboard", 2, "jo")
    assert (sign_in.time, sign_in.last) == (from_unix(1_000_000_100), from_unix(1_000_000_200))
    assert gap == LogGap(
        log="SecEvent", first=10, last=13, before=from_unix(1_000_000_200), after=from_unix(1_000_000_300), locator="record=9"
    )


def test_a_classic_log_that_wraps_and_one_that_was_emptied(evidence: Any) -> None:
    last = EVENTS[3]
    split = 40
    wrapped = log(last[split:], *EVENTS[:3], last[:split], oldest=7, following=15)
    observations, problems = read(evidence, wrapped, "x.evt", event_log_classic.parse)
    assert ": 4 records" in summary(observations) and problems == []
    observations, _ = read(evidence, log(*EVENTS, oldest=14, following=15), "x.evt", event_log_classic.parse)
    assert [item.recovered for item in observations if isinstance(item, LogCleared)] == [True]
    assert ": 1 records" in summary(observations)


def test_damage_to_classic_logs(evidence: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    whole = log(*EVENTS, oldest=7, following=15)
    observations, problems = read(evidence, whole[:-10], "x.evt", event_log_classic.parse)
    assert "cut short" in problems[0].reason and any(isinstance(item, LogCleared) for item in observations)
    for copy in mutations(whole, 120):
        try:
            observations, _ = read(evidence, copy, "x.evt", event_log_classic.parse)
        except Unrecognised:
            continue
        json.dumps([item.to_json() for item in observations])


def test_devices_networks_and_programs_are_summed_up() -> None:
    facts = EventFacts("Log")

    def event(identifier: int, provider: str, second: int, **data: str) -> Event:
        return Event(provider=provider, id=identifier, number=second, time=from_unix(second), log="Log", user=None, data=data)

    for second, capacity in ((100, "64"), (200, "0"), (300, "64")):
        found = event(
            1006, "Microsoft-Windows-Partition", second, Capacity=capacity, Manufacturer="ACME ", Model="Stick", SerialNumber="0001",
            ParentId="USB\\VID_1234&PID_5678\\0001",
        )  # fmt: skip
        assert list(facts.take(found)) == []
    assert (
        list(
            facts.take(event(400, "Microsoft-Windows-Kernel-PnP", 50, DeviceInstanceId="USBSTOR\\Disk&Ven_ACME&Prod_Big_Drive&Rev_1\\A1&0"))
        )
        == []
    )
    assert list(facts.take(event(400, "Microsoft-Windows-Kernel-PnP", 50, DeviceInstanceId="PCI\\VEN_1\\2"))) == []
    assert list(facts.take(event(8001, "Microsoft-Windows-WLAN-AutoConfig", 60, SSID="home"))) == []
    assert (
        list(facts.take(event(4688, "Microsoft-Windows-Security-Auditing", 70, NewProcessName="C:\\T\\demo.exe", SubjectUserName="jo")))
        == []
    )
    partition, drive, network, run = facts.finish(damaged=False, computers=())
    assert isinstance(partition, AttachedDevice) and isinstance(drive, AttachedDevice)
    assert (partition.maker, partition.model, partition.serial, partition.kind, partition.count) == (
        "ACME",
        "Stick",
        "0001",
        "USB device",
        2,
    )
    assert (partition.first, partition.last, partition.removed) == (from_unix(100), from_unix(300), from_unix(200))
    assert (drive.kind, drive.maker, drive.model, drive.serial) == ("USB storage", "ACME", "Big Drive", "A1")
    assert network.name == "home"  # type: ignore[attr-defined]
    assert isinstance(run, ProgramRun) and (run.program, run.user) == ("demo.exe", "jo")


def test_accounts_made_and_service_sign_ins() -> None:
    facts = EventFacts("Security")
    made = Event(
        provider="Microsoft-Windows-Security-Auditing", id=4720, number=1, time=from_unix(5), log="Security", user=None,
        data={"TargetUserName": "new", "TargetDomainName": "BOX"},
    )  # fmt: skip
    [use] = facts.take(made)
    assert isinstance(use, AccountUse) and (use.account, use.how) == ("BOX\\new", "account created (event 4720)")
    for name, kind in (("SYSTEM", "5"), ("BOX$", "3"), ("jo", "5")):
        data = {"TargetUserName": name, "TargetDomainName": "BOX", "LogonType": kind}
        quiet = Event(
            provider="Microsoft-Windows-Security-Auditing", id=4624, number=2, time=from_unix(6), log="Security", user=None, data=data
        )
        assert list(facts.take(quiet)) == []
    assert list(facts.finish(damaged=False, computers=())) == []


def test_times_of_the_xml() -> None:
    assert parse_time("2017-07-12T17:16:28.2141616Z UTC") == Timestamp(1499879788214161600)
    assert not isinstance(parse_time("2017-07-12T17:16:28"), Timestamp) and not isinstance(parse_time("2017-13-12T17:16:28Z"), Timestamp)
