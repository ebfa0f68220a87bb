"""Facts about a Linux system: what it is, its name, zone and accounts, encrypted volumes, and what it starts by itself.

Sources: os-release(5), hostname(5), machine-id(5), localtime(5) and tzfile(5), passwd(5), fstab(5), crypttab(5), crontab(5), Desktop Application Autostart
Specification. Of an account no password and nothing made of one is read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import EncryptedItem, Observation, StartupItem, SystemFact, UserAccount
from artefacts.registry import Artefact, EvidenceFile

Results = Iterator[Observation | Problem]

_LARGEST = 4 << 20  # bytes
_MOST = 20_000
_CRON = re.compile(r"^\s*(@\w+|(?:[\d*/,A-Za-z-]+\s+){4}[\d*/,A-Za-z-]+)\s+(.+)$")
_NO_SHELL = ("/nologin", "/false", "/sync", "/halt", "/shutdown")


def _lines(file: EvidenceFile) -> Iterator[tuple[int, str | Problem]]:
    """The lines that say something: neither empty nor a comment."""
    for number, line in log_lines(file, _LARGEST):
        if isinstance(line, Problem) or (line.strip() and not line.lstrip().startswith("#")):
            yield number, line


def parse_release(file: EvidenceFile) -> Results:
    """One ``SystemFact``: name and version of the distribution."""
    values: dict[str, str] = {}
    for _, line in _lines(file):
        if isinstance(line, Problem):
            yield line
        else:
            key, _, value = line.partition("=")
            values[key.strip()] = value.strip().strip("\"'")
    name = values.get("PRETTY_NAME") or " ".join(filter(None, (values.get("NAME"), values.get("VERSION"))))
    if not name:
        raise Unrecognised("not a description of a system")
    yield SystemFact(name="operating system", value=name)


def _one_line(name: str) -> Any:
    def parse(file: EvidenceFile) -> Results:
        """One ``SystemFact``: the first line."""
        for number, line in _lines(file):
            if isinstance(line, Problem):
                yield line
            else:
                yield SystemFact(name=name, value=line.strip()[:255], locator=f"line={number}")
            return

    return parse


def parse_zone(file: EvidenceFile) -> Results:
    """One ``SystemFact``: the rule of the time zone, as the file's last line states it. Mostly a link, whose target is the zone's name."""
    data = file.read(_LARGEST)
    if data[:4] != b"TZif":
        raise Unrecognised("not a time zone")
    rule = data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "backslashreplace")
    yield SystemFact(name="time zone", value=rule[:100] or "rule not stated")


def parse_accounts(file: EvidenceFile) -> Results:
    """``UserAccount`` for each account that somebody can sign in to; the others are counted."""
    services = kept = 0
    for number, line in _lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        parts = line.split(":")
        if len(parts) != 7:
            yield Problem("not an account", Status.UNRECOGNISED, f"line={number}")
            return
        if parts[6].endswith(_NO_SHELL):
            services += 1
        elif (kept := kept + 1) <= _MOST:
            yield UserAccount(
                name=parts[0],
                identifier=parts[2],
                full_name=parts[4].split(",")[0] or None,
                home=parts[5],
                how="passwd",
                locator=f"line={number}",
            )
    if services:
        yield SystemFact(name="accounts without sign-in", value=str(services))


def parse_fstab(file: EvidenceFile) -> Results:
    """``SystemFact`` for each volume that is mounted elsewhere than the system's own places; ``EncryptedItem`` for encrypted ones."""
    for number, line in _lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        parts = line.split()
        if len(parts) < 3:
            continue
        device, place, kind = parts[0], parts[1].replace("\\040", " "), parts[2]
        if "crypt" in kind or kind in ("fuse.gocryptfs", "fuse.encfs", "fuse.veracrypt"):
            yield EncryptedItem(kind=kind, path=place, state="unknown", detail=f"mounted from {device} (fstab)", locator=f"line={number}")
        elif place.startswith(("/media", "/mnt", "/home", "/srv", "/run/media")) or kind in ("cifs", "nfs", "nfs4", "fuse.sshfs"):
            yield SystemFact(name="volume mounted at start-up", value=f"{device} at {place} ({kind})", locator=f"line={number}")


def parse_crypttab(file: EvidenceFile) -> Results:
    """``EncryptedItem`` for each volume that is unlocked at start-up."""
    for number, line in _lines(file):
        if isinstance(line, Problem):
            yield line
        elif len(parts := line.split()) >= 2:
            unlocks = parts[2] if len(parts) > 2 else "none"
            how = (
                "asks for a password"
                if unlocks in ("none", "-")
                else "unlocked by a key file"
                if unlocks.startswith("/")
                else "key not stated"
            )
            if "swap" in line or unlocks in ("/dev/urandom", "/dev/random"):
                how = "a new key at each start"
            yield EncryptedItem(
                kind="LUKS or plain dm-crypt",
                path=parts[1],
                state="unknown",
                detail=f"as {parts[0]}, {how} (crypttab)",
                locator=f"line={number}",
            )


def parse_crontab(file: EvidenceFile) -> Results:
    """``StartupItem`` for each command; of its arguments nothing is kept. Files below ``/etc`` name the user before the command."""
    with_user = "/etc/" in file.path
    owner = None if with_user else file.name
    for number, line in _lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        found = _CRON.match(line)
        if found is None:
            if "=" not in line:
                yield Problem("neither a command nor a setting", Status.UNRECOGNISED, f"line={number}")
            continue
        user, command = found[2].split(None, 1) if with_user and " " in found[2].strip() else (owner, found[2])
        try:
            program = next(iter(shlex.split(command)), "")
        except ValueError:
            program = command.split()[0]
        yield StartupItem(
            name=program.rsplit("/", 1)[-1] or "[no program]",
            command=program,
            start=found[1],
            user=user,
            how="cron",
            locator=f"line={number}",
        )


def parse_autostart(file: EvidenceFile) -> Results:
    """One ``StartupItem`` for a program that starts with the desktop."""
    values: dict[str, str] = {}
    for _, line in _lines(file):
        if isinstance(line, Problem):
            yield line
        elif "=" in line:
            key, _, value = line.partition("=")
            values.setdefault(key.strip(), value.strip())
    command = values.get("Exec", "").split()
    if not command:
        raise Unrecognised("not the starter of a program")
    off = values.get("Hidden", "").lower() == "true" or values.get("X-GNOME-Autostart-enabled", "").lower() == "false"
    yield StartupItem(
        name=values.get("Name") or file.name,
        command=command[0],
        start="at sign-in, switched off" if off else "at sign-in",
        user=file.user,
        how="autostart",
    )


def parse_unit(file: EvidenceFile) -> Results:
    """One ``StartupItem`` for a systemd service that was added to this system or by a user."""
    command = description = None
    for _, line in _lines(file):
        if isinstance(line, Problem):
            yield line
        elif line.startswith("ExecStart="):
            command = command or line[10:].lstrip("-@:+!").split(" ")[0]
        elif line.startswith("Description="):
            description = line[12:].strip()
    if command:
        yield StartupItem(
            name=description or file.name, command=command, start="as systemd decides", user=file.user, how=f"systemd service {file.name}"
        )


def _artefact(
    name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, manual: str, validation: str = "generated"
) -> Artefact:
    return Artefact(
        id=f"linux.system.{name}", title=title, meaning=meaning, paths=paths, parse=parse, references=(f"https://man7.org/linux/man-pages/man5/{manual}.5.html",),
        systems=("linux",), validation=validation,
    )  # fmt: skip


ARTEFACTS = (
    _artefact("release", "Distribution", "Which Linux this is.", ("etc/os-release", "usr/lib/os-release"), parse_release, "os-release", "generated; this machine's own file"),
    _artefact("host_name", "Computer name", "What this computer is called.", ("etc/hostname",), _one_line("computer name"), "hostname"),
    _artefact("machine_id", "Machine number", "The number by which journals and programs know this installation.", ("etc/machine-id",), _one_line("machine id"), "machine-id"),
    _artefact("zone_name", "Time zone", "The time zone that this computer was set to.", ("etc/timezone",), _one_line("time zone"), "localtime"),
    _artefact("zone", "Time zone rule", "The rule of the time zone that this computer was set to.", ("etc/localtime",), parse_zone, "localtime", "generated; this machine's own file"),
    _artefact("accounts", "Accounts", "Who can sign in to this computer.", ("etc/passwd",), parse_accounts, "passwd", "generated; this machine's own file"),
    _artefact("fstab", "Mounted volumes", "Other volumes and network folders that are mounted at start-up.", ("etc/fstab",), parse_fstab, "fstab"),
    _artefact("crypttab", "Encrypted volumes", "Encrypted volumes that this computer unlocks.", ("etc/crypttab",), parse_crypttab, "crypttab"),
    _artefact(
        "cron", "Scheduled programs", "Programs that are started at set times.",
        ("etc/crontab", "etc/cron.d/*", "**/var/spool/cron/crontabs/*", "**/var/spool/cron/*", "**/var/at/tabs/*"), parse_crontab, "crontab",
    ),
    _artefact(
        "autostart", "Programs that start with the desktop", "Programs that start when somebody signs in.", ("**/.config/autostart/*.desktop", "etc/xdg/autostart/*.desktop"),
        parse_autostart, "systemd.unit",
    ),
    _artefact("service", "Added services", "Services that were added to this computer.", ("etc/systemd/system/*.service", "**/.config/systemd/user/*.service"), parse_unit, "systemd.service"),
)  # fmt: skip
