"""A folder as a file system: its entries as the running system shows them, without following links or leaving it.

Nothing outside the folder is entered: no symbolic link, junction or other reparse point that stands for another place, and no other
file system mounted inside, unless it was asked for. Sockets, pipes and devices are listed and never opened. A file whose content lies
with a cloud service (OneDrive, iCloud) has the flag ``offline`` and is not opened either: that would download it.
Access times are spared where the system allows it (Linux, as the owner or an administrator).
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from artefacts.coverage import Problem, Status
from triage.evidence.filesystems import tree
from triage.evidence.filesystems.stream import ContentReader, ContentStream
from triage.evidence.model import Entry

_NETWORK = frozenset(("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "9p", "ceph", "glusterfs", "afs"))
_NAME_SURROGATE = 0x20000000  # the reparse point stands for another place (junction, link, mount point); MS-FSCC 2.1.2.1
_OFFLINE = 0x1000 | 0x40000 | 0x400000  # FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN, _RECALL_ON_DATA_ACCESS; MS-FSCC 2.6
_DATALESS = 0x40000000  # SF_DATALESS, macOS sys/stat.h
_SECTOR = 4096
_NOATIME = getattr(os, "O_NOATIME", 0)
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
)


class FolderFilesystem:
    """A ``Filesystem`` on the folder ``root``. ``also``: mounts below it that are to be entered.

    ``noatime``: True while every directory and file was read without touching its access time, False once one was not, None where the
    system has no such way. Raises ``OSError`` where ``root`` is no readable directory.
    """

    def __init__(self, root: Path, also: Sequence[Path] = ()) -> None:
        self._top = _long(str(root.resolve()))
        self._device = Path(self._top).stat().st_dev
        os.scandir(self._top).close()
        self._also = {str(path.resolve()) for path in also}
        self._mounts = _mounts()
        self._problems: list[Problem] = []
        self.noatime: bool | None = True if _NOATIME else None

    @property
    def type(self) -> str:
        """``folder``."""
        return "folder"

    @property
    def label(self) -> str | None:
        """A folder has none."""
        return None

    @property
    def run_bytes(self) -> None:
        """See ``Filesystem.run_bytes``: a folder has no runs."""
        return None

    @property
    def problems(self) -> list[Problem]:
        """See ``Filesystem.problems``."""
        return self._problems

    def close(self) -> None:
        """Nothing is held open."""

    def _problem(self, reason: str, path: str, status: Status = Status.UNREADABLE) -> None:
        if len(self._problems) < tree.MAX_PROBLEMS:
            self._problems.append(Problem(reason, status, path or "/"))
        elif len(self._problems) == tree.MAX_PROBLEMS:
            self._problems.append(Problem(f"more than {tree.MAX_PROBLEMS} problems: the rest are not listed", status))

    def entries(self) -> Iterator[list[Entry]]:
        """See ``Filesystem.entries``; each directory in name order."""
        top = Path(self._top).stat()
        seen = {(top.st_dev, top.st_ino)}
        stack: list[tuple[str, int]] = [("", 0)]
        batch: list[Entry] = []
        count = 0
        while stack and count < tree.MAX_ENTRIES:
            path, depth = stack.pop()
            below = []
            for entry, status in self._listed(path):
                batch.append(entry)
                count += 1
                if entry.kind == "file":
                    batch += self._streams(entry)
                if entry.kind == "directory" and self._may_enter(entry, status, depth, seen):
                    below.append((entry.path, depth + 1))
                if len(batch) >= tree.BATCH:
                    yield batch
                    batch = []
            stack += reversed(below)
        if stack:
            self._problem(f"more than {tree.MAX_ENTRIES} entries: the rest were not listed", stack[-1][0], Status.FAILED)
        if batch:
            yield batch

    def _may_enter(self, entry: Entry, status: os.stat_result, depth: int, seen: set[tuple[int, int]]) -> bool:
        if "reparse" in entry.flags:
            self._problem("a junction or mounted folder stands for another place: it was not entered", entry.path, Status.SKIPPED)
            return False
        place = self._local(entry.path)
        mounted = self._mounts.get(place)
        if status.st_dev != self._device and mounted is not None and place not in self._also:
            network = mounted.lower() in _NETWORK or mounted.startswith("fuse.ssh")
            what = "a network share" if network else "another file system"
            self._problem(f"{what} ({mounted}) is mounted here: it was not entered", entry.path, Status.SKIPPED)
            return False
        identity = (status.st_dev, status.st_ino)
        if status.st_ino and identity in seen:
            self._problem("a directory leads back to one already listed: it was not entered again", entry.path, Status.FAILED)
            return False
        if depth >= tree.MAX_DEPTH:
            self._problem(f"directories are nested more than {tree.MAX_DEPTH} deep: deeper ones were not listed", entry.path, Status.FAILED)
            return False
        seen.add(identity)
        return True

    def _listed(self, path: str) -> Iterator[tuple[Entry, os.stat_result]]:
        found: list[tuple[Entry, os.stat_result]] = []
        try:
            with _Directory(self._local(path), self._touched) as listing:
                for number, native in enumerate(listing):
                    if number >= tree.MAX_DIRECTORY:
                        self._problem(
                            f"more than {tree.MAX_DIRECTORY} entries in a directory: the rest were not listed", path, Status.FAILED
                        )
                        break
                    try:
                        status = native.stat(follow_symlinks=False)
                        if not status.st_ino and (native.is_dir(follow_symlinks=False) or not status.st_size):
                            # What Windows keeps in a folder's listing names no file, and may be old: a file that is open has size 0 there.
                            status = os.lstat(native.path)
                    except OSError as error:
                        self._problem(f"an entry could not be read: {_why(error)}", f"{path}/{native.name}")
                        continue
                    found.append((self._entry(f"{path}/{native.name}", status), status))
        except OSError as error:
            self._problem(f"a directory could not be read: {_why(error)}", path)
        yield from sorted(found, key=lambda pair: pair[0].path)

    def _entry(self, path: str, status: os.stat_result) -> Entry:
        mode, attributes = status.st_mode, getattr(status, "st_file_attributes", 0)
        kind = "directory" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "link" if stat.S_ISLNK(mode) else "other"
        flags = []
        if kind == "directory" and getattr(status, "st_reparse_tag", 0) & _NAME_SURROGATE:
            flags.append("reparse")
        if attributes & _OFFLINE or getattr(status, "st_flags", 0) & _DATALESS:
            flags.append("offline")
        target = None
        if kind == "link":
            try:
                target = os.readlink(self._local(path))  # noqa: PTH115  Path would tidy the text of the target
            except OSError as error:
                self._problem(f"a link could not be read: {_why(error)}", path)
        windows = sys.platform == "win32"
        created = getattr(status, "st_birthtime_ns", None)
        if created is None and (seconds := getattr(status, "st_birthtime", None)) is not None:
            created = int(seconds * 1_000_000) * 1000
        if created is None and windows:
            created = status.st_ctime_ns
        return Entry(
            path, kind, status.st_size, f"inode-{status.st_ino}" if status.st_nlink > 1 and kind == "file" else path.lstrip("/"),
            modified=status.st_mtime_ns, accessed=status.st_atime_ns, changed=None if windows else status.st_ctime_ns, created=created,
            flags=tuple(flags), link_target=target,
        )  # fmt: skip

    def _streams(self, entry: Entry) -> list[Entry]:
        if sys.platform != "win32":
            return []
        from triage.evidence.filesystems.windows_streams import streams

        try:
            found = streams(self._local(entry.path))
        except OSError as error:
            self._problem(f"the alternate data streams could not be listed: {_why(error)}", entry.path)
            return []
        return [
            Entry(
                f"{entry.path}:{name}", "stream", size, f"{entry.address}:{name}", modified=entry.modified, accessed=entry.accessed,
                changed=entry.changed, created=entry.created, flags=entry.flags,
            )
            for name, size in found
        ]  # fmt: skip

    def open(self, entry: Entry) -> BinaryIO:
        """See ``Filesystem.open``. Raises ``OSError`` where it may not be opened or is not to be opened (see the module)."""
        if entry.kind not in ("file", "stream"):
            raise OSError(f"{entry.path} is not a file: it is not opened")
        if "offline" in entry.flags:
            raise OSError(f"{entry.path} is not on this computer: reading it would download it")
        descriptor = _open(self._local(entry.path), _FLAGS, self._touched)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{entry.path} is not a file any more: it is not opened")
        except OSError:
            os.close(descriptor)
            raise
        return ContentStream(_FileReader(descriptor, status.st_size))

    def lookup(self, path: str) -> Entry | None:
        """See ``Filesystem.lookup``. Never through a link or junction."""
        parts = [part for part in path.split("/") if part]
        if not parts or len(parts) > tree.MAX_DEPTH or {".", ".."} & set(parts) or "\0" in path or (os.sep != "/" and os.sep in path):
            return None
        at = ""
        entry = None
        for part in parts:
            if entry is not None and (entry.kind != "directory" or "reparse" in entry.flags):
                return None
            at += f"/{part}"
            try:
                entry = self._entry(at, os.lstat(self._local(at)))
            except (OSError, ValueError):
                return None
        return entry

    def children(self, path: str) -> list[Entry]:
        """See ``Filesystem.children``."""
        directory = self.lookup(path)
        if path.strip("/") and (directory is None or directory.kind != "directory" or "reparse" in directory.flags):
            return []
        return [entry for entry, _ in self._listed(path.rstrip("/"))]

    def _local(self, path: str) -> str:
        return self._top.rstrip(os.sep) + path.replace("/", os.sep) if path else self._top

    def _touched(self) -> None:
        self.noatime = False if _NOATIME else None


def _long(path: str) -> str:
    """The path with the prefix that lets Windows take more than 260 characters and any name as it stands."""
    if sys.platform != "win32" or path.startswith("\\\\?\\"):
        return path
    return "\\\\?\\UNC" + path[1:] if path.startswith("\\\\") else "\\\\?\\" + path


class _Directory:
    """``os.scandir`` without touching the access time, where the system allows it."""

    def __init__(self, path: str, touched: Callable[[], None]) -> None:
        self._descriptor = -1
        if os.scandir in os.supports_fd:
            self._descriptor = _open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, touched)
        try:
            self._listing = os.scandir(self._descriptor if self._descriptor >= 0 else path)
        except OSError:
            self.__exit__()
            raise

    def __enter__(self) -> Iterator[os.DirEntry[str]]:
        return self._listing

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_listing"):
            self._listing.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _open(path: str, flags: int, touched: Callable[[], None]) -> int:
    if _NOATIME:
        try:
            return os.open(path, flags | _NOATIME)
        except OSError as error:
            if error.errno != errno.EPERM:
                raise
    touched()
    return os.open(path, flags)


class _FileReader(ContentReader):
    def __init__(self, descriptor: int, size: int) -> None:
        super().__init__(size)
        self._descriptor = descriptor

    def _fetch(self, offset: int, length: int) -> bytes:
        try:
            return self._pread(offset, length)
        except OSError:
            parts = []
            for start in range(offset, offset + length, _SECTOR):
                part = min(_SECTOR, offset + length - start)
                try:
                    parts.append(self._pread(start, part).ljust(part, b"\0"))
                except OSError as error:
                    self._note(start, part, _why(error))
                    parts.append(bytes(part))
            return b"".join(parts)

    def _pread(self, offset: int, length: int) -> bytes:
        if sys.platform != "win32":
            return os.pread(self._descriptor, length, offset)
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return os.read(self._descriptor, length)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()


def _mounts() -> dict[str, str]:
    """Mount points of this system and their types; a folder of another device that is none of them is part of the same file system
    (a btrfs subvolume, a macOS firmlink)."""
    import psutil

    try:
        return {partition.mountpoint: partition.fstype for partition in psutil.disk_partitions(all=True)}
    except (OSError, RuntimeError):
        return {}


def _why(error: OSError) -> str:
    return error.strerror or str(error)
