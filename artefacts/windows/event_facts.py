"""What single Windows events mean: from an event of any log, modern or classic, to the shared records.

Sources: Microsoft, "Appendix L: Events to monitor" and the security audit reference (1102, 4616, 4624, 4625, 4688, 4697, 4720, 4726; before Vista
517, 520, 528, 529, 540, 592, 624, 630); providers' manifests for the rest. Sign-ins, devices, networks and programs are summed up: one record for each, with
first, last and count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from artefacts.observations import (
    AccountUse,
    AttachedDevice,
    ClockChange,
    Download,
    InstalledProgram,
    KnownNetwork,
    LogCleared,
    LogGap,
    NetworkHost,
    Observation,
    ProgramRun,
    SystemFact,
)
from artefacts.times import NOT_RECORDED, NS, Time, Timestamp
from artefacts.windows.devices import describe, disk_identifiers
from artefacts.windows.event_activity import NUMBERS, SUMMED, activity
from artefacts.windows.paths import name_of

_MOST_SUMS = 20_000
_MOST_GAPS = 1000
_MOST_IDENTIFIERS = 50
_MOST_RUNS = 100_000
_SIGN_INS = {
    2: "at the keyboard", 3: "over the network", 4: "batch", 7: "unlocked", 8: "over the network, password in clear", 9: "with other credentials",
    10: "remote desktop", 11: "at the keyboard, cached", 12: "remote desktop, cached", 13: "unlocked, cached",
}  # fmt: skip
_SYSTEM_ACCOUNTS = re.compile(r"^(SYSTEM|LOCAL SERVICE|NETWORK SERVICE|ANONYMOUS LOGON|DWM-\d+|UMFD-\d+|-|.*\$|)$", re.IGNORECASE)
_PARTITION = "Microsoft-Windows-Partition"
_KERNEL_GENERAL = "Microsoft-Windows-Kernel-General"
_POWER = {
    ("eventlog", 6005): "the event log started: Windows started",
    ("eventlog", 6006): "the event log stopped: Windows shut down in order",
    ("eventlog", 6008): "the shutdown before was not in order",
    ("microsoft-windows-kernel-general", 12): "Windows started",
    ("microsoft-windows-kernel-general", 13): "Windows shut down",
    ("microsoft-windows-kernel-power", 41): "restarted without shutting down in order (power lost, crash or switched off)",
    ("microsoft-windows-kernel-power", 42): "going to sleep",
    ("microsoft-windows-power-troubleshooter", 1): "woke from sleep",
    ("microsoft-windows-eventlog", 1100): "the event log stopped",
}
INTERESTING = frozenset({
    1, 12, 13, 41, 42, 104, 400, 410, 430, 517, 520, 528, 529, 540, 592, 624, 630, 1006, 1074, 1100, 1102, 2003, 2100, 2102,
    4616, 4624, 4625, 4688, 4697, 4720, 4726, 6005, 6006, 6008, 7045, 8001, 8003, 10000, 20001, 20003,
}) | NUMBERS  # fmt: skip
"""Every number that ``EventFacts.take`` knows: no other event has to be decoded."""


@dataclass(slots=True)
class Event:
    """One event. ``data`` its named values as text; ``strings`` the values in order, where they have no names."""

    provider: str
    id: int
    number: int
    time: Time
    log: str
    user: str | None
    data: Mapping[str, str] = field(default_factory=dict)
    strings: tuple[str, ...] = ()
    recovered: bool = False

    @property
    def locator(self) -> str:
        return f"record={self.number}"

    def get(self, name: str, position: int = -1) -> str:
        """A value by its name, or by its place where the log names none; "" where it is absent or a dash."""
        value = self.data.get(name, "")
        if not value and 0 <= position < len(self.strings):
            value = self.strings[position]
        return "" if value == "-" else value


@dataclass(slots=True)
class _Run:
    """Records whose numbers follow each other."""

    first: int
    started: Time
    last: int
    ended: Time


class EventFacts:
    """Takes the events of one log, gives records as they come, and the sums and gaps at the end."""

    def __init__(self, log: str) -> None:
        self.log = log
        self.dropped = False
        self._sums: dict[tuple[Any, ...], Observation] = {}
        self._runs: list[_Run] = []
        self.count = 0
        self._small_changes = 0

    def saw(self, number: int, time: Time) -> None:
        """Notes that a record is there: what is not noted is a gap. Records come nearly in order, so runs of numbers are few."""
        self.count += 1
        run = self._runs[-1] if self._runs else None
        if run is not None and number == run.last + 1:
            run.last, run.ended = number, time
        elif len(self._runs) < _MOST_RUNS:
            self._runs.append(_Run(number, time, number, time))
        else:
            self.dropped = True

    def take(self, event: Event) -> Iterator[Observation]:
        """The records that one event makes at once."""
        shared: dict[str, Any] = {"locator": event.locator, "recovered": event.recovered}
        provider = event.provider.lower()
        match event.id:
            case 1102 if provider == "microsoft-windows-eventlog":
                yield LogCleared(log="Security", time=event.time, user=_account(event, "Subject"), **shared)
            case 517 if provider == "security":
                yield LogCleared(log="Security", time=event.time, user=_classic_account(event, 3), **shared)
            case 104 if provider == "microsoft-windows-eventlog":
                yield LogCleared(log=event.get("Channel") or event.log, time=event.time, user=_account(event, "Subject"), **shared)
            case 4616 | 1 | 520 if (change := self._clock(event, provider)) is not None:
                yield change
            case 4624 | 4625 | 528 | 529 | 540 if "security" in provider:
                self._sign_in(event)
            case 4688 | 592 if "security" in provider:
                self._program(event, event.get("NewProcessName", 1), _account(event, "Subject") or _classic_account(event, 3))
            case 1 if provider == "microsoft-windows-sysmon":
                self._program(event, event.get("Image"), event.get("User") or None)
            case 7045 if provider == "service control manager":
                yield _service(event, event.get("ServiceName", 0), event.get("ImagePath", 1), event.user, shared)
            case 4697 if "security" in provider:
                yield _service(event, event.get("ServiceName"), event.get("ServiceFileName"), _account(event, "Subject"), shared)
            case 4720 | 4726 | 624 | 630 if "security" in provider:
                how = "account created" if event.id in (4720, 624) else "account deleted"
                account = _account(event, "Target") or _classic_account(event, 0)
                yield AccountUse(service="Windows", account=account, time=event.time, how=f"{how} (event {event.id})", **shared)
            case 1074 if provider == "user32":
                action, program, user = event.get("param5", 4), event.get("param1", 0), event.get("param7", 6)
                yield SystemFact(name="shutdown or restart", value=f"{action} asked for by {program} for {user}", time=event.time, **shared)
            case 400 | 410 | 430 | 1006 | 2003 | 2100 | 2102 | 20001 | 20003 if provider != "powershell":
                self._device(event)
            case 8001 | 8003 if "wlan-autoconfig" in provider:
                self._network(event, event.get("SSID"), "wireless")
            case 10000 if "networkprofile" in provider:
                self._network(event, event.get("Name"), None)
            case _:
                pass
        for found in activity(event):
            if isinstance(found, SUMMED):
                self._sum_activity(found)
            else:
                yield found
        if (power := _POWER.get((provider, event.id))) is not None:
            yield SystemFact(name="start-up and shutdown", value=f"{power} (event {event.id})", time=event.time, **shared)

    def finish(self, *, damaged: bool, computers: Iterable[str]) -> Iterator[Observation]:
        """How many records there were, the sums, then the gaps between record numbers. ``damaged``: parts of the log were unreadable, so a gap may be only that."""
        first = min(self._runs, key=lambda run: run.first, default=None)
        last = max(self._runs, key=lambda run: run.last, default=None)
        if first is not None and last is not None:
            value = f"{self.log}: {self.count} records, numbers {first.first} to {last.last}, computer {', '.join(sorted(computers)) or 'not named'}"
            yield SystemFact(name="event log", value=value, time=first.started, locator=f"record={first.first}")
        yield from self._sums.values()
        if self._small_changes:
            yield SystemFact(
                name="small clock corrections", value=f"{self._small_changes} of less than a second", locator=f"log={self.log}"
            )
        runs = sorted(self._runs, key=lambda run: run.first)
        gaps = 0
        for left, right in pairwise(runs):
            if right.first > left.last + 1 and (gaps := gaps + 1) <= _MOST_GAPS:
                yield LogGap(
                    log=self.log,
                    first=left.last + 1,
                    last=right.first - 1,
                    before=left.ended,
                    after=right.started,
                    reason="parts of this log could not be read: the records may lie there" if damaged else None,
                    locator=f"record={left.last}",
                )
        self.dropped = self.dropped or gaps > _MOST_GAPS

    def _clock(self, event: Event, provider: str) -> ClockChange | None:
        if event.id == 1 and event.provider != _KERNEL_GENERAL:
            return None
        before = parse_time(event.get("PreviousTime") or event.get("OldTime"))
        after = parse_time(event.get("NewTime"))
        if event.id != 520 and (not isinstance(before, Timestamp) or not isinstance(after, Timestamp)):
            return None
        if isinstance(before, Timestamp) and isinstance(after, Timestamp) and abs(after.ns - before.ns) < NS:
            self._small_changes += 1
            return None
        user = _account(event, "Subject") or (_classic_account(event, 2) if event.id == 520 else event.user)
        return ClockChange(
            time=event.time,
            before=before,
            after=after,
            user=user,
            program=event.get("ProcessName", 1 if event.id == 520 else -1) or None,
            how=f"event {event.id}" + (f", reason {event.get('Reason')}" if event.get("Reason") else ""),
            locator=event.locator,
            recovered=event.recovered,
        )

    def _sign_in(self, event: Event) -> None:
        failed = event.id in (4625, 529)
        name = event.get("TargetUserName", 0)
        domain = event.get("TargetDomainName", 1)
        kind = event.get("LogonType", 2 if event.id == 529 else 3)
        if _SYSTEM_ACCOUNTS.match(name) or (kind.isdigit() and int(kind) not in _SIGN_INS):
            return
        words = _SIGN_INS.get(int(kind), f"type {kind}") if kind.isdigit() else "type not recorded"
        how = f"{'failed sign-in' if failed else 'sign-in'}, {words}"
        account = f"{domain}\\{name}" if domain else name
        self._sum(
            ("sign-in", account, how),
            AccountUse(
                service="Windows", account=account, time=event.time, last=event.time, count=1, user=name, how=how, locator=event.locator
            ),
        )

    def _program(self, event: Event, path: str, user: str | None) -> None:
        if path:
            run = ProgramRun(
                program=name_of(path), path=path, time=event.time, count=1, user=user, how=f"event {event.id}", time_meaning="last start",
                locator=event.locator,
            )  # fmt: skip
            self._sum(("run", path.lower(), user), run)

    def _device(self, event: Event) -> None:
        removed = False
        if event.provider.startswith(_PARTITION) and event.id == 1006:
            removed = event.get("Capacity") == "0"
            serial, model = event.get("SerialNumber").strip(), event.get("Model").strip()
            parent = describe(event.get("ParentId"))
            if not (serial or model):
                return
            on_usb = event.get("BusType").upper() in ("7", "USB")
            fields: dict[str, Any] = {
                "kind": "USB storage" if on_usb else (parent or {}).get("kind", "drive"),
                "maker": event.get("Manufacturer").strip() or None,
                "model": model or None,
                "serial": serial or None,
                "identifier": event.get("ParentId") or None,
                "identifiers": tuple(disk_identifiers(event.data)),
            }
        else:
            instance = event.get("DeviceInstanceId") or event.get("DeviceInstanceID") or event.get("instance") or event.get("InstanceId")
            described = describe(instance)
            if described is None:
                return
            fields, removed = described, event.id in (2100, 2102)
        how = f"event log {event.log}"
        device = AttachedDevice(**fields, how=how, count=0 if removed else 1, locator=event.locator)
        if removed:
            device.removed = event.time
        else:
            device.first = device.last = event.time
        self._sum(("device", fields.get("serial"), fields.get("model"), fields.get("identifier")), device)

    def _network(self, event: Event, name: str, kind: str | None) -> None:
        if name:
            network = KnownNetwork(
                name=name, kind=kind, first=event.time, last=event.time, count=1, how=f"event log {event.log}", locator=event.locator
            )
            self._sum(("network", name, kind), network)

    def _sum_activity(self, found: Observation) -> None:
        if isinstance(found, AccountUse):
            if not _SYSTEM_ACCOUNTS.match(found.user or ""):
                self._sum(("use", found.account, found.how), found)
        elif isinstance(found, ProgramRun):
            self._sum(("run", found.path or found.program, found.how), found)
        elif isinstance(found, Download):
            self._sum(("transfer", found.url, found.browser), found)
        elif isinstance(found, NetworkHost):
            self._sum(("host", found.name), found)

    def _sum(self, key: tuple[Any, ...], new: Any) -> None:
        old: Any = self._sums.get(key)
        if old is None:
            if len(self._sums) >= _MOST_SUMS:
                self.dropped = True
                return
            self._sums[key] = new
            return
        if isinstance(old, Download):
            old.started, old.finished = _earlier(old.started, new.started), _later(old.finished, new.finished)
            old.bytes, old.total_bytes = new.bytes or old.bytes, new.total_bytes or old.total_bytes
            old.state = new.state if new.state != "begun" else old.state
            return
        if not isinstance(old, NetworkHost):
            old.count += new.count
        if isinstance(old, ProgramRun):
            old.time = _later(old.time, new.time)
            return
        first = "time" if isinstance(old, AccountUse) else "first"
        setattr(old, first, _earlier(getattr(old, first), getattr(new, first)))
        old.last = _later(old.last, new.last)
        if isinstance(old, AttachedDevice):
            old.removed = _later(old.removed, new.removed)
            old.identifiers = tuple(sorted({*old.identifiers, *new.identifiers}))[:_MOST_IDENTIFIERS]


def parse_time(text: str) -> Time:
    """A UTC time as the event log's XML writes it (``2017-07-12T17:16:28.2141616Z``, any number of fraction digits)."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z| UTC|Z UTC|\+00:00)", text)
    if not found:
        return NOT_RECORDED
    try:
        whole = Timestamp.from_datetime(datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC))  # type: ignore[misc,arg-type]
    except ValueError:
        return NOT_RECORDED
    return Timestamp(whole.ns + int((found[7] or "0").ljust(9, "0")))


def _service(event: Event, name: str, path: str, user: str | None, shared: dict[str, Any]) -> InstalledProgram:
    how = f"service installed (event {event.id})"
    return InstalledProgram(name=name or "[no name]", path=path or None, installed=event.time, user=user, how=how, **shared)


def _account(event: Event, role: str) -> str | None:
    name, domain = event.get(f"{role}UserName"), event.get(f"{role}DomainName")
    return (f"{domain}\\{name}" if domain else name) if name else None


def _classic_account(event: Event, position: int) -> str | None:
    name, domain = event.get("", position), event.get("", position + 1)
    return (f"{domain}\\{name}" if domain else name) if name else event.user


def _earlier(one: Time, other: Time) -> Time:
    return min(one, other) if isinstance(one, Timestamp) and isinstance(other, Timestamp) else _known(one, other)


def _later(one: Time, other: Time) -> Time:
    return max(one, other) if isinstance(one, Timestamp) and isinstance(other, Timestamp) else _known(one, other)


def _known(one: Time, other: Time) -> Time:
    return one if isinstance(one, Timestamp) else other
