"""The drives of this computer as an officer can tell them apart: name, size, label, kind, lock. Nothing is mounted and no file system is read.

Linux: sysfs (``/sys/block``, Documentation/ABI/stable/sysfs-block), the udev data base (``/run/udev/data``: ID_FS_TYPE, ID_FS_LABEL; format:
``E:KEY=value`` a line) and ``/proc/self/mounts`` (proc(5)); where udev says nothing and we may, the first sectors of a partition. Elsewhere: what
psutil tells of mounted volumes.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST = 200
_VIRTUAL = re.compile(r"(?:loop|ram|zram|fd|nbd)\d")
_LOCKS = {"crypto_LUKS": "luks", "BitLocker": "bitlocker", "apple_core_storage": "filevault"}
_REMOTE = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "fuse.sshfs", "9p"))


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive to offer. ``path`` is what a scan is given; ``word`` a key of ``words.DRIVE_WORDS``; ``locks`` keys of
    ``words.ENCRYPTION_WORDS``; ``refused`` a key of ``words.REFUSED``, or None where it can be examined."""

    path: str
    name: str
    size: int | None
    word: str
    labels: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    refused: str | None = None


def drives(keep: Sequence[Path] = (), *, system: str | None = None, root: Path = Path("/")) -> list[Drive]:
    """The drives, this computer's own first. ``keep``: places on the drive that takes the results, which is refused. ``root``: where the
    system's files are (for tests). Never raises: what cannot be told is left out of the description."""
    try:
        return _linux(keep, root) if (system or platform.system()) == "Linux" else _elsewhere(keep)
    except OSError:
        return []


# --- Linux -----------------------------------------------------------------------------------------------------------------------


def _linux(keep: Sequence[Path], root: Path) -> list[Drive]:
    mounts = _mounts(root / "proc/self/mounts")
    own = _disks_under(root, mounts.get("/"))
    stick = {disk for path in keep for disk in _disks_of(root, path)}
    found = []
    for place in sorted((root / "sys/block").iterdir(), key=lambda path: _natural(path.name))[:MOST]:
        name = place.name
        sectors = _line(place / "size")
        opened = (_line(place / "dm/uuid") or "").startswith("CRYPT-")
        if _VIRTUAL.match(name) or not sectors.isdigit() or sectors == "0" or (name.startswith("dm-") and not opened):
            continue
        size = int(sectors) * 512  # of sysfs, whatever the drive's own sectors are
        parts = [child for child in sorted(place.iterdir(), key=lambda path: _natural(path.name)) if (child / "partition").exists()]
        facts = [_udev(root, child) for child in (parts or [place])]
        labels = tuple(fact["ID_FS_LABEL"] for fact in facts if fact.get("ID_FS_LABEL"))
        locks = (
            ("open",)
            if opened
            else tuple(dict.fromkeys(_lock(root, child, fact) for child, fact in zip(parts or [place], facts, strict=True)))
        )
        maker = _line(place / "device/vendor")
        model = (
            " ".join(filter(None, ("" if maker.startswith("0x") else maker, _line(place / "device/model"))))
            or _line(place / "dm/name")
            or name
        )
        path, refused = str(root / "dev" / name), None
        if name in stick or _slaves(place) & stick:
            refused = "stick"
        elif not os.access(path, os.R_OK):
            # Without the right to read the drive itself, its folders can be read where it is mounted.
            mounted = next((where for child in [*parts, place] if (where := _mounted_at(child, mounts))), None)
            path, refused = (mounted, None) if mounted else (path, "rights")
        found.append(Drive(path, model, size, _word(place, opened, name in own), labels, _told(locks), refused))
    return sorted(found, key=lambda drive: (drive.word != "own", drive.word == "disc"))


def _word(place: Path, opened: bool, own: bool) -> str:
    if opened:
        return "opened"
    if own:
        return "own"
    if place.name.startswith("sr"):
        return "disc"
    if place.name.startswith("mmcblk"):
        return "card"
    return "usb" if "/usb" in str(place.resolve()) or _line(place / "removable") == "1" else "inside"


def _lock(root: Path, place: Path, facts: dict[str, str]) -> str:
    kind = _LOCKS.get(facts.get("ID_FS_TYPE", ""))
    if kind:
        holders = place / "holders"
        return "open" if holders.is_dir() and any(holders.iterdir()) else kind
    if facts.get("ID_FS_TYPE"):
        return "none"
    from triage.evidence.device import DeviceBytes
    from triage.evidence.encryption import detect

    device = None
    try:
        device = DeviceBytes(str(root / "dev" / place.name))
        seen = detect(device)
    except OSError:
        return "unknown"
    finally:
        if device is not None:
            device.close()
    return seen.kind if seen is not None else "none"


def _told(locks: tuple[str, ...]) -> tuple[str, ...]:
    """Locked and open parts are named; that others are not encrypted is only said where none is."""
    telling = tuple(lock for lock in locks if lock not in ("none", "unknown"))
    return telling or (("unknown",) if "unknown" in locks else locks[:1])


def _udev(root: Path, place: Path) -> dict[str, str]:
    number = _line(place / "dev")
    facts = {}
    for line in _text(root / "run/udev/data" / f"b{number}").splitlines():
        key, equals, value = line.removeprefix("E:").partition("=")
        if line.startswith("E:") and equals:
            facts[key] = value
    return facts


def _mounts(table: Path) -> dict[str, str]:
    """Mount point → device, for what is mounted from a device."""
    found: dict[str, str] = {}
    for line in _text(table).splitlines():
        parts = line.split(" ")
        if len(parts) >= 3 and parts[0].startswith("/dev/"):
            where = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), parts[1])
            found.setdefault(where, parts[0])
    return found


def _mounted_at(place: Path, mounts: dict[str, str]) -> str | None:
    names = {f"/dev/{place.name}"}
    return next((where for where, device in sorted(mounts.items()) if device in names), None)


def _disks_under(root: Path, device: str | None) -> set[str]:
    """The whole disks below a mounted device, through what is layered between (LUKS, LVM)."""
    if device is None:
        return set()
    return _down(root, Path(device).name if "/mapper/" not in device else (root / device.lstrip("/")).resolve().name)


def _disks_of(root: Path, path: Path) -> set[str]:
    """The disks that a path of ours lies on."""
    try:
        number = next(parent for parent in (path, *path.parents) if parent.exists()).stat().st_dev
        return _down(root, (root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}").resolve(strict=True).name)
    except (OSError, StopIteration):
        return set()


def _down(root: Path, name: str, depth: int = 0) -> set[str]:
    place = root / "sys/class/block" / name
    try:
        place = place.resolve(strict=True)
    except OSError:
        return {name}
    if (place / "partition").exists():
        place = place.parent
    below = _slaves(place)
    return {place.name} | {disk for slave in below if depth < 8 for disk in _down(root, slave, depth + 1)}


def _slaves(place: Path) -> set[str]:
    try:
        return {item.name for item in (place / "slaves").iterdir()}
    except OSError:
        return set()


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


def _line(path: Path) -> str:
    return " ".join(_text(path)[:512].split())


# --- Windows, macOS --------------------------------------------------------------------------------------------------------------


def _elsewhere(keep: Sequence[Path]) -> list[Drive]:
    import psutil

    found = []
    stick = {path.resolve().anchor if os.name == "nt" else _mount_of(path) for path in keep}
    for item in psutil.disk_partitions(all=False)[:MOST]:
        path, options = item.mountpoint, item.opts.split(",")
        try:
            size: int | None = psutil.disk_usage(path).total
        except OSError:
            size = None  # locked, or a reader without a disc
        if os.name == "nt":
            own = path.rstrip("\\").lower() == os.environ.get("SYSTEMDRIVE", "C:").lower()
        else:
            own = path in ("/", "/System/Volumes/Data")
        word = (
            "own"
            if own
            else "disc"
            if "cdrom" in options
            else "network"
            if "remote" in options or item.fstype in _REMOTE
            else "usb"
            if "removable" in options
            else "drive"
        )
        raw, lock = _windows_volume(path) if os.name == "nt" else (None, "unknown")
        refused = "stick" if path in stick else "network" if word == "network" else None
        found.append(Drive(raw or path, path, size, word, locks=(lock,), refused=refused))
    return sorted(found, key=lambda drive: drive.word != "own")


def _mount_of(path: Path) -> str:
    existing = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    while not existing.is_mount() and existing != existing.parent:
        existing = existing.parent
    return str(existing)


def _windows_volume(path: str) -> tuple[str | None, str]:
    """The volume's name as a device where this user may read it, and its lock."""
    from triage.evidence.device import DeviceBytes
    from triage.evidence.encryption import detect

    name = "\\\\.\\" + path.rstrip("\\")
    try:
        device = DeviceBytes(name)
    except OSError:
        return None, "unknown"
    try:
        seen = detect(device)
        # An open BitLocker volume looks like any other here: what lies below it is not ours to see.
        return name, seen.kind if seen is not None else "unknown"
    except OSError:
        return name, "unknown"
    finally:
        device.close()
