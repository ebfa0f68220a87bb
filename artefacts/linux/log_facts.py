"""What messages of the system say, whichever log kept them (syslog, the journal, macOS's system.log): devices, networks, sign-ins, clock, start-up.

Messages are judged by the program that wrote them and a few fixed forms of the kernel, systemd, sshd, sudo, cron, NetworkManager, wpa_supplicant, udisks, shadow.
Everything else is counted by whoever reads the log and not kept. Of commands only the program is kept: arguments may hold secrets.

Sources: drivers/usb/core/hub.c and usb-storage of Linux; openssh auth.c; sudo logging.c; cronie and vixie cron; NetworkManager nm-device.c; systemd
(logind, timedated, shutdown); checked against logs of real machines where the specimens have them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem
from artefacts.observations import AccountUse, AttachedDevice, ClockChange, KnownNetwork, Observation, ProgramRun, SystemFact
from artefacts.times import NOT_RECORDED, Time

MOST = 20_000  # of each kind
_USB_FOUND = re.compile(r"usb ([\d.-]{1,32}): New USB device found, idVendor=([0-9a-f]{4}), idProduct=([0-9a-f]{4})")
_USB_TEXT = re.compile(r"usb ([\d.-]{1,32}): (Product|Manufacturer|SerialNumber): (.{1,200})")
_USB_GONE = re.compile(r"usb ([\d.-]{1,32}): USB disconnect")
_USB_STORAGE = re.compile(r"usb-storage ([\d.-]{1,32}):[\d.]+: USB Mass Storage device detected|usb ([\d.-]{1,32}): .*usb-storage")
_MOUNTED = re.compile(r"^Mounted (/dev/\S{1,64}) at (.{1,300}?) on behalf of uid (\d+)")
_ACCEPTED = re.compile(r"^Accepted (\S{1,40}) for (\S{1,64}) from (\S{1,64})")
_OPENED = re.compile(r"^pam_unix\((\S{1,64}?):session\): session opened for user ([^\s(]{1,64})")
_FAILED = re.compile(r"authentication failure;.*? user=(\S{1,64})|^Failed \S{1,40} for (?!invalid user )(\S{1,64}) from")
_NEW_SESSION = re.compile(r"^New session \S{1,32} of user (\S{1,64})\.?$")
_SUDO = re.compile(r"^\s*(\S{1,64}) : (?:.{0,80}? ; )?TTY=(\S{1,64}) ; PWD=.{0,300}? ; USER=(\S{1,64}) ;.{0,200}? ?COMMAND=(\S{1,300})")
_CRON = re.compile(r"^\((\S{1,64})\) CMD \((?:\s*)(.{1,300})\)\s*$")
_NETWORK = re.compile(r"Activation: (?:\(\S+\) )?starting connection '(.{1,100}?)'")
_WPA = re.compile(r"Trying to associate with (?:SSID '(.{1,64}?)'|[0-9a-f:]{17} \(SSID='(.{1,64}?)')")
_NEW_USER = re.compile(r"^new user: name=([^,\s]{1,64})")
_GONE_USER = re.compile(r"^(?:delete user '|removed user '?)([^'\s]{1,64})")
_CLOCK = re.compile(
    r"Time has been changed|System time (?:set|changed)|Changed local time|clock set to|time stepped by ([-+]?[\d.]+)", re.IGNORECASE
)
_POWER = (
    ("Linux version", "started"), ("BOOT_TIME", "started"), ("SHUTDOWN_TIME", "shut down"), ("System is powering down", "shutting down"),
    ("System is rebooting", "restarting"), ("Reached target Power-Off", "shut down"), ("Reached target System Power Off", "shut down"),
    ("Reached target System Reboot", "restarting"), ("Reached target Reboot", "restarting"), ("PM: suspend entry", "sleeping"), ("PM: suspend exit", "awake"),
)  # fmt: skip


@dataclass(slots=True)
class _Port:
    """What was told of the device in one USB port since it was found there."""

    vendor: str
    product: str
    time: Time
    locator: str
    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    storage: bool = False
    removed: Time = NOT_RECORDED


class LogFacts:
    """Feed it the messages of one log in their order; ``finish`` gives the facts, each once, sums with first and last time and count."""

    def __init__(self, log: str, system: str = "Linux") -> None:
        self._log, self._system = log, system
        self._ports: dict[str, _Port] = {}
        self._sums: dict[tuple[object, ...], Observation] = {}
        self._facts: list[Observation] = []
        self._dropped = 0
        self._by_program: dict[str, Callable[[str, Time, str], None]] = {
            "kernel": self._kernel, "sshd": self._sign_in, "login": self._sign_in, "gdm-password": self._sign_in, "lightdm": self._sign_in, "sddm": self._sign_in,
            "systemd-logind": self._sign_in, "sudo": self._sudo, "su": self._sign_in, "cron": self._cron, "crond": self._cron, "networkmanager": self._network,
            "wpa_supplicant": self._network, "udisksd": self._mounted, "useradd": self._account, "userdel": self._account, "systemd": self._power, "shutdown": self._power,
            "reboot": self._power, "systemd-shutdown": self._power, "bootlog": self._power, "sshd-session": self._sign_in,
        }  # fmt: skip

    def wants(self, program: str) -> bool:
        """Whether messages of this program can hold a fact."""
        lower = program.lower()
        return lower in self._by_program or "time" in lower or lower in ("chronyd", "ntpd", "ntpdate", "date")

    def feed(self, program: str, message: str, time: Time, locator: str) -> None:
        """One message: ``program`` as the log names it, without its number."""
        lower = program.lower()
        reader = self._by_program.get(lower)
        if reader is not None:
            reader(message, time, locator)
        if (lower.endswith("timed") or "time" in lower or lower in ("systemd", "chronyd", "ntpd", "ntpdate", "date", "kernel")) and (
            found := _CLOCK.search(message)
        ):
            step = f" by {found[1]} seconds" if found[1] else ""
            self._keep(ClockChange(time=time, program=program, how=f"{self._log}: the clock was set{step}", locator=locator))

    def finish(self) -> Iterator[Observation | Problem]:
        """All facts: first those in the order of the log, then the sums."""
        for where in sorted(self._ports):
            self._let_go(self._ports[where])
        yield from self._facts
        yield from self._sums.values()
        if self._dropped:
            yield Problem(f"{self._dropped} facts more than are kept of one log")

    def _keep(self, fact: Observation) -> None:
        if len(self._facts) < MOST:
            self._facts.append(fact)
        else:
            self._dropped += 1

    def _sum(self, key: tuple[object, ...], fact: AccountUse | KnownNetwork | ProgramRun | AttachedDevice, time: Time) -> None:
        """Add to the sum of its like: ``last`` (``time`` of a program) and ``count`` follow the log's order."""
        known = self._sums.get(key)
        if known is None:
            if len(self._sums) >= MOST:
                self._dropped += 1
                return
            known = self._sums[key] = fact
        assert isinstance(known, (AccountUse, KnownNetwork, ProgramRun, AttachedDevice))
        known.count = (known.count or 0) + 1
        if isinstance(known, ProgramRun):
            known.time = time
        else:
            known.last = time

    def _kernel(self, message: str, time: Time, locator: str) -> None:
        if "usb" in message:
            if found := _USB_FOUND.search(message):
                if (before := self._ports.pop(found[1], None)) is not None:
                    self._let_go(before)
                self._ports[found[1]] = _Port(found[2], found[3], time, locator)
            elif (found := _USB_TEXT.search(message)) and (port := self._ports.get(found[1])):
                value = found[3].strip()
                if found[2] == "Product":
                    port.model = value
                elif found[2] == "Manufacturer":
                    port.maker = value
                else:
                    port.serial = value
            elif found := _USB_STORAGE.search(message):
                if port := self._ports.get(found[1] or found[2]):
                    port.storage = True
            elif (found := _USB_GONE.search(message)) and (port := self._ports.pop(found[1], None)):
                port.removed = time
                self._let_go(port)
        self._power(message, time, locator)

    def _let_go(self, port: _Port) -> None:
        if port.vendor == "1d6b":
            return  # the computer's own hubs
        device = AttachedDevice(
            kind="USB storage" if port.storage else "USB device",
            maker=port.maker,
            model=port.model or f"{port.vendor}:{port.product}",
            serial=port.serial,
            first=port.time,
            identifier=f"USB {port.vendor}:{port.product}",
            how=self._log,
            count=0,
            locator=port.locator,
        )
        key = ("usb", port.vendor, port.product, port.serial, port.maker, port.model, port.storage)
        self._sum(key, device, port.time)
        known = self._sums.get(key)
        if isinstance(known, AttachedDevice) and port.removed is not NOT_RECORDED:
            known.removed = port.removed

    def _mounted(self, message: str, time: Time, locator: str) -> None:
        if found := _MOUNTED.match(message):
            name = found[2].rstrip("/").rsplit("/", 1)[-1]
            device = AttachedDevice(
                kind="volume",
                name=name,
                identifier=found[2],
                first=time,
                user=f"uid {found[3]}",
                how=f"{self._log}: mounted",
                locator=locator,
                count=0,
            )
            self._sum(("mounted", found[2]), device, time)

    def _sign_in(self, message: str, time: Time, locator: str) -> None:
        how = account = None
        if found := _ACCEPTED.match(message):
            how, account = f"signed in from {found[3]} ({found[1]})", found[2]
        elif found := _OPENED.match(message):
            # A service that opens a session for itself says nothing about a person.
            how, account = (
                (f"session opened ({found[1]})", found[2]) if found[1] not in ("cron", "crond", "systemd-user", "sudo") else (None, None)
            )
        elif found := _NEW_SESSION.match(message):
            how, account = "session opened", found[1]
        elif found := _FAILED.search(message):
            how, account = "failed sign-in", found[1] or found[2]
        if how and account:
            use = AccountUse(
                service=self._system, account=account, time=time, user=account, how=f"{self._log}: {how}", count=0, locator=locator
            )
            self._sum(("account", how, account), use, time)

    def _sudo(self, message: str, time: Time, locator: str) -> None:
        if found := _SUDO.match(message):
            self._program(found[4], found[1], f"{self._log}: sudo as {found[3]}", time, locator)
        else:
            self._sign_in(message, time, locator)

    def _cron(self, message: str, time: Time, locator: str) -> None:
        if found := _CRON.match(message):
            words = found[2].split()
            self._program(words[0] if words else "", found[1], f"{self._log}: cron", time, locator)

    def _program(self, path: str, user: str, how: str, time: Time, locator: str) -> None:
        if path:
            run = ProgramRun(
                program=path.rsplit("/", 1)[-1] or path, path=path if "/" in path else None, user=user, how=how, count=0, time_meaning="last run in this log",
                locator=locator,
            )  # fmt: skip
            self._sum(("run", path, user, how), run, time)

    def _network(self, message: str, time: Time, locator: str) -> None:
        if found := _NETWORK.search(message) or _WPA.search(message):
            name = next(group for group in found.groups() if group)
            kind = "wireless" if found.re is _WPA else None
            self._sum(
                ("network", name, kind), KnownNetwork(name=name, kind=kind, first=time, how=self._log, locator=locator, count=0), time
            )

    def _account(self, message: str, time: Time, locator: str) -> None:
        for pattern, name in ((_NEW_USER, "account made"), (_GONE_USER, "account removed")):
            if found := pattern.match(message):
                self._keep(SystemFact(name=name, value=found[1], time=time, locator=locator))

    def _power(self, message: str, time: Time, locator: str) -> None:
        for start, words in _POWER:
            if message.lstrip("[0123456789. ]").startswith(start):
                self._keep(SystemFact(name="start-up and shutdown", value=words, time=time, locator=locator))
                return
