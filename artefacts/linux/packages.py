"""Programs that Linux package managers installed, upgraded and removed: dpkg, apt, rpm, pacman, snap and flatpak.

Sources: dpkg(1) (log: local time without zone), deb-control(5) (status); apt's history.log (local time); rpm header format (tags of rpmtag.h, big-endian)
in its SQLite and NDB databases; pacman's log (local time before 5.2, with zone since); snapd's and flatpak's files; the specimens.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import datetime

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.log_lines import log_lines
from artefacts.observations import InstalledProgram, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.sqlite.reading import rows_of
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_local, from_unix

Results = Iterator[Observation | Problem]

_LARGEST = 256 << 20  # bytes
_MOST = 200_000
_MOST_PROBLEMS = 20
_DPKG = re.compile(
    r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (startup|install|upgrade|remove|purge|trigproc|configure|status|conffile|disappear)\b ?(.*)$"
)
_APT_ITEM = re.compile(r"([^\s,:()]+)(?::(\w+))? \(([^)]*)\)")
_APT_ACTIONS = {
    "Install": "installed",
    "Reinstall": "installed again",
    "Upgrade": "upgraded",
    "Downgrade": "downgraded",
    "Remove": "removed",
    "Purge": "removed with its settings",
}
_PACMAN = re.compile(
    r"^\[(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)([+-]\d{4})?\] \[(?:ALPM|PACMAN)\] (installed|upgraded|removed|downgraded|reinstalled) (\S+) \((.{1,120})\)"
)
_RPM_NAME, _RPM_VERSION, _RPM_RELEASE, _RPM_INSTALLED, _RPM_VENDOR = 1000, 1001, 1002, 1008, 1011


def parse_dpkg_log(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each installation, upgrade and removal; a sum. Lines of another form are a ``Problem``."""
    count = bad = kept = 0
    first: Time = NOT_RECORDED
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        found = _DPKG.match(line)
        if found is None:
            if line.strip() and (bad := bad + 1) <= _MOST_PROBLEMS:
                yield Problem("not a line of this log", Status.UNRECOGNISED, f"line={number}")
            continue
        count += 1
        time = from_local(f"{found[1]}T{found[2]}", "dpkg writes the machine's own time")
        first = time if count == 1 else first
        words = found[4].split()
        if found[3] in ("install", "upgrade", "remove", "purge", "disappear") and words:
            if (kept := kept + 1) > _MOST:
                continue
            gone = found[3] in ("remove", "purge", "disappear")
            yield InstalledProgram(
                name=words[0].partition(":")[0], version=words[1 if gone else -1] if len(words) > 1 else None, installed=NOT_RECORDED if gone else time,
                how=f"dpkg log: {found[3]}" + (f" at {found[1]}T{found[2]} local time" if gone else ""), identifier=words[0], locator=f"line={number}",
                enabled=False if gone else None,
            )  # fmt: skip
    if bad and not count:
        raise Unrecognised("not a dpkg log")
    if kept > _MOST:
        yield Problem(f"more than {_MOST} changes: {kept - _MOST} are not kept")
    if count:
        yield SystemFact(name="dpkg log", value=f"{count} entries", time=first, locator="line=1")


def parse_dpkg_status(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each package that is installed, or was and left its settings."""
    fields: dict[str, str] = {}
    kept = 0
    started = 0
    for number, line in (*_lines(file), (0, "")):
        if isinstance(line, Problem):
            yield line
        elif line and line[0] not in " \t":
            key, colon, value = line.partition(":")
            started = started or number
            if colon:
                fields[key.lower()] = value.strip()
        elif not line and fields:
            name, status = fields.get("package"), fields.get("status", "")
            if (name and "installed" in status.split()[-1:]) or (name and "config-files" in status):
                if (kept := kept + 1) <= _MOST:
                    left = "config-files" in status
                    yield InstalledProgram(
                        name=name or "", version=fields.get("version"), publisher=fields.get("maintainer"), identifier=f"{name}:{fields.get('architecture', '')}",
                        enabled=not left, how="dpkg status: removed, settings left" if left else "dpkg status", locator=f"line={started}",
                    )  # fmt: skip
            elif name is None:
                raise Unrecognised("not a list of packages")
            fields, started = {}, 0


def _lines(file: EvidenceFile) -> Iterator[tuple[int, str | Problem]]:
    yield from log_lines(file, 64 << 20)


def parse_apt_history(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each package of each run of apt, with who asked for it where that is recorded; a sum."""
    runs = kept = bad = 0
    start: Time = NOT_RECORDED
    first: Time = NOT_RECORDED
    user: str | None = None
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
            continue
        key, colon, value = line.partition(": ")
        if not colon:
            if line.strip() and not line.endswith(":") and (bad := bad + 1) <= _MOST_PROBLEMS:
                yield Problem("not a line of this log", Status.UNRECOGNISED, f"line={number}")
        elif key == "Start-Date":
            runs, user = runs + 1, None
            start = from_local("T".join(value.split()), "apt writes the machine's own time")
            first = start if runs == 1 else first
        elif key == "Requested-By":
            user = value.split(" (")[0]
        elif key in _APT_ACTIONS:
            gone = key in ("Remove", "Purge")
            for found in _APT_ITEM.finditer(value):
                if "automatic" in found[3].split(", ") or (kept := kept + 1) > _MOST:
                    continue  # what came along with something else says nothing of its own
                versions = found[3].split(", ")
                yield InstalledProgram(
                    name=found[1], version=versions[-1], installed=NOT_RECORDED if gone else start, user=user, enabled=False if gone else None,
                    how=f"apt history: {_APT_ACTIONS[key]}" + (f" at {_local(start)} local time" if gone else ""), locator=f"line={number}",
                )  # fmt: skip
    if bad and not runs:
        raise Unrecognised("not a history of apt")
    if kept > _MOST:
        yield Problem(f"more than {_MOST} packages: {kept - _MOST} are not kept")
    if runs:
        yield SystemFact(name="apt history", value=f"{runs} runs", time=first, locator="line=1")


def _local(time: Time) -> str:
    return (time.local or "an unknown time") if isinstance(time, NoTime) else time.isoformat()


def parse_pacman_log(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each installation, upgrade and removal."""
    kept = 0
    for number, line in log_lines(file):
        if isinstance(line, Problem):
            yield line
        elif found := _PACMAN.match(line):
            if (kept := kept + 1) > _MOST:
                continue
            stamp = f"{found[1]}T{found[2]}"
            time: Time = from_local(stamp, "this version of pacman writes the machine's own time")
            if found[3]:
                try:
                    time = Timestamp.from_datetime(datetime.fromisoformat(stamp + found[3]))
                except ValueError:
                    time = NoTime("not a time")
            gone = found[4] == "removed"
            yield InstalledProgram(
                name=found[5], version=found[6].rsplit(" -> ", 1)[-1], installed=NOT_RECORDED if gone else time, enabled=False if gone else None,
                how=f"pacman log: {found[4]}" + (f" at {_local(time)}" if gone else ""), locator=f"line={number}",
            )  # fmt: skip
    if kept > _MOST:
        yield Problem(f"more than {_MOST} changes: {kept - _MOST} are not kept")


def parse_rpm(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each package of the SQLite database of rpm."""

    def read(row: Row, _: Database) -> Results:
        yield _rpm_package(row.values["blob"], row.locator)

    yield from rows_of(file, "Packages", ("hnum", "blob"), (), read)


def _rpm_package(blob: object, locator: str) -> Observation | Problem:
    """A package from its header."""
    tags = _rpm_tags(blob) if isinstance(blob, bytes) else None
    if tags is None or _RPM_NAME not in tags:
        return Problem("a package's header is damaged", Status.FAILED, locator)
    installed = tags.get(_RPM_INSTALLED)
    version = "-".join(str(tags[tag]) for tag in (_RPM_VERSION, _RPM_RELEASE) if tag in tags)
    return InstalledProgram(
        name=str(tags[_RPM_NAME]),
        version=version or None,
        publisher=str(tags[_RPM_VENDOR]) if _RPM_VENDOR in tags else None,
        installed=from_unix(installed) if isinstance(installed, int) else NOT_RECORDED,
        how="rpm database",
        locator=locator,
    )


def _rpm_tags(blob: bytes) -> dict[int, int | str] | None:
    """Texts and first numbers of a header: count of entries and of bytes (u32), entries of tag, kind, offset, count, then the bytes."""
    try:
        entries, size = struct.unpack_from(">II", blob)
        base = 8 + 16 * entries
        if base + size > len(blob):
            return None
        found: dict[int, int | str] = {}
        for number in range(entries):
            tag, kind, offset, _ = struct.unpack_from(">IIII", blob, 8 + 16 * number)
            if tag not in (_RPM_NAME, _RPM_VERSION, _RPM_RELEASE, _RPM_INSTALLED, _RPM_VENDOR):
                continue
            if kind == 4:
                found[tag] = struct.unpack_from(">I", blob, base + offset)[0]
            elif kind in (6, 9):
                found[tag] = blob[base + offset : blob.index(b"\0", base + offset)].decode("utf-8", "backslashreplace")
        return found
    except (struct.error, ValueError):
        return None


def parse_ndb(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each package of an NDB database (openSUSE): 16-byte slots (``Slot``, number, block, blocks of 16 bytes), each with a blob
    (``BlbS``, number, generation, length, then the header)."""
    data = file.read(_LARGEST)
    if data[:4] != b"RpmP" or len(data) < 32:
        raise Unrecognised("not a database of rpm")
    pages = struct.unpack_from("<I", data, 12)[0]
    for at in range(32, min(pages * 4096, len(data) - 15), 16):
        if data[at : at + 4] != b"Slot":
            yield Problem("the table of packages is damaged", Status.FAILED, f"offset={at}")
            return
        number, block = struct.unpack_from("<II", data, at + 4)
        if not block:
            continue
        place = block * 16
        if data[place : place + 4] != b"BlbS" or len(data) < place + 16:
            yield Problem("a package is not where the table says", Status.FAILED, f"slot={number} offset={at}")
            continue
        length = struct.unpack_from("<I", data, place + 12)[0]
        yield _rpm_package(data[place + 16 : place + 16 + min(length, _LARGEST)], f"slot={number}")


def parse_berkeley(file: EvidenceFile) -> Results:
    """One ``SystemFact`` and a ``Problem``: rpm's Berkeley DB (until 2020) is recognised and not read."""
    if file.read(16)[12:16] not in (b"\x61\x15\x06\x00", b"\x00\x06\x15\x61"):
        raise Unrecognised("not a database of rpm")
    yield SystemFact(name="rpm database", value=f"Berkeley DB, {file.size} bytes")
    yield Problem("packages in a Berkeley DB are not read", Status.UNRECOGNISED)


def parse_snap(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each snap in ``state.json``."""
    import json

    try:
        state = json.loads(file.read(64 << 20))
        snaps = state["data"]["snaps"]
        names = sorted(snaps)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unrecognised("not the state of snapd") from error
    for name in names:
        entry = snaps[name]
        sequence = entry.get("sequence") if isinstance(entry, dict) else None
        revisions = sequence.get("revisions", []) if isinstance(sequence, dict) else sequence
        newest = revisions[-1] if isinstance(revisions, list) and revisions and isinstance(revisions[-1], dict) else {}
        side = newest.get("snap", newest)
        revision = side.get("revision") if isinstance(side, dict) else None
        yield InstalledProgram(
            name=name, version=f"revision {revision}" if revision else None, installed=_rfc3339(entry.get("last-refresh-time") if isinstance(entry, dict) else None),
            enabled=bool(entry.get("active", True)) if isinstance(entry, dict) else None, how="snap", locator=f"data/snaps/{name}",
        )  # fmt: skip


def _rfc3339(value: object) -> Time:
    if not isinstance(value, str):
        return NOT_RECORDED
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(value))
    except ValueError:
        return NoTime("not a time with its zone", local=value[:40])


def parse_flatpak(file: EvidenceFile) -> Results:
    """One ``InstalledProgram`` for the exported starter of a flatpak."""
    name, command = None, None
    for _, line in log_lines(file, 1 << 20):
        if isinstance(line, str) and line.startswith("Name=") and name is None:
            name = line[5:].strip()
        elif isinstance(line, str) and line.startswith("X-Flatpak="):
            command = line[10:].strip()
    if command is None and name is None:
        raise Unrecognised("not the starter of a program")
    yield InstalledProgram(
        name=name or command or "", identifier=command or file.name.removesuffix(".desktop"), user=file.user, how="flatpak"
    )


def _artefact(
    name: str, title: str, meaning: str, paths: tuple[str, ...], parse: object, reference: str, validation: str = "generated"
) -> Artefact:
    return Artefact(
        id=f"linux.packages.{name}", title=title, meaning=meaning, paths=paths, parse=parse, references=(reference,),  # type: ignore[arg-type]
        systems=("linux",), validation=validation,
    )  # fmt: skip


ARTEFACTS = (
    _artefact(
        "dpkg_log", "dpkg log", "Programs installed, upgraded and removed (Debian, Ubuntu), in order.", ("**/var/log/dpkg.log*",), parse_dpkg_log,
        "https://man7.org/linux/man-pages/man1/dpkg.1.html", "specimen; generated; this machine's own log",
    ),
    _artefact(
        "dpkg_status", "dpkg status", "Programs that are installed (Debian, Ubuntu), and removed ones whose settings are left.",
        ("**/var/lib/dpkg/status",), parse_dpkg_status, "https://man7.org/linux/man-pages/man5/deb-control.5.html", "generated; this machine's own list",
    ),
    _artefact(
        "apt_history", "apt history", "Programs that somebody asked apt to install, upgrade or remove, and when.", ("**/var/log/apt/history.log*",), parse_apt_history,
        "https://manpages.debian.org/apt", "specimen; generated",
    ),
    _artefact("pacman", "pacman log", "Programs installed, upgraded and removed (Arch Linux).", ("**/var/log/pacman.log*",), parse_pacman_log, "https://man.archlinux.org/man/pacman.8"),
    _artefact(
        "rpm", "rpm database", "Programs that are installed (Fedora, openSUSE, Red Hat), and when.",
        ("**/var/lib/rpm/rpmdb.sqlite", "**/usr/lib/sysimage/rpm/rpmdb.sqlite"), parse_rpm, "https://rpm-software-management.github.io/rpm/manual/format_header.html", "generated; written by rpm",
    ),
    _artefact(
        "rpm_ndb", "rpm database of openSUSE", "Programs that are installed, and when.", ("**/var/lib/rpm/Packages.db", "**/usr/lib/sysimage/rpm/Packages.db"), parse_ndb,
        "https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c",
    ),
    _artefact(
        "rpm_berkeley", "rpm database before 2020", "That a list of installed programs is there; it is not read.", ("**/var/lib/rpm/Packages",), parse_berkeley,
        "https://rpm-software-management.github.io/rpm/manual/format_header.html",
    ),
    _artefact("snap", "snaps", "Programs installed as snaps, and when they were last brought up to date.", ("**/var/lib/snapd/state.json",), parse_snap, "https://snapcraft.io/docs"),
    _artefact(
        "flatpak", "flatpaks", "Programs installed as flatpaks.", ("**/flatpak/exports/share/applications/*.desktop",), parse_flatpak, "https://docs.flatpak.org/",
    ),
)  # fmt: skip
