"""What listing a volume says by itself, without a file being read: files and folders whose presence counts, and times that disagree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Problem, Status
from artefacts.observations import Observation, SystemFact, TimestampDisagreement
from artefacts.times import from_filetime
from triage.evidence.file import user_of
from triage.evidence.model import Entry, Filesystem
from triage.evidence.ntfs.filesystem import NtfsFilesystem
from triage.scan.inspect.item import entry_time

PARSER = "volume_listing/1"
_MOST = 500  # of one kind on one volume
_PRESENT = (
    (re.compile(r"/hiberfil\.sys"), "hibernation file", "what was in memory when the machine last slept"),
    (re.compile(r"/pagefile\.sys"), "page file", "parts of memory that Windows put aside"),
    (re.compile(r"/swapfile\.sys"), "swap file", "parts of memory of Store apps"),
    (re.compile(r"/windows/memory\.dmp|/windows/minidump/[^/]+\.dmp"), "memory dump", "memory as it was at a crash"),
    (re.compile(r"/windows\.old"), "folder of an earlier Windows", "Windows was upgraded or installed anew; the earlier one's files are here"),
    (re.compile(r"/windows/panther/setupact\.log"), "log of Windows Setup", "Windows was installed or upgraded"),
    (re.compile(r"/users/[^/]+/appdata/local/microsoft/terminal server client/cache/[^/]+\.(?:bin|bmc)"), "remote desktop picture cache",
     "parts of the screens of computers that were used from here by remote desktop"),
    (re.compile(r"/users/[^/]+/appdata/local/packages/microsoft\.microsoftstickynotes_[^/]+/localstate/plum\.sqlite"), "sticky notes", "notes of the user"),
    (re.compile(r"/programdata/microsoft/windows/containers/baseimages/[^/]+"), "Windows Sandbox or container image", "a Windows that forgets what was done in it"),
    (re.compile(r"/programdata/microsoft/network/downloader/qmgr(?:0\.dat|\.db)"), "list of background downloads (BITS)", "what Windows was told to fetch"),
    (re.compile(r"/programdata/microsoft/windows defender/support/mplog-[^/]+\.log"), "log of Windows Defender", "what the virus scanner did"),
)  # fmt: skip
_DISK = "virtual disk"
_WSL = "disk of Linux inside Windows (WSL)"
_DISKS = (".vhdx", ".avhdx", ".vhd", ".avhd", ".vmdk", ".vdi", ".qcow2", ".qcow")
_SMALLEST_DISK = 1 << 16
_DESCRIPTOR = ".vmdk"  # a text of a few hundred bytes names the extents of a disk in several files
_EXTENT = re.compile(r"(.+?)-(?:[sf]\d{3}|flat|(?:\d{6}-)?delta)\.vmdk", re.IGNORECASE)
_NAMES = frozenset((
    "hiberfil.sys", "pagefile.sys", "swapfile.sys", "memory.dmp", "windows.old", "setupact.log", "plum.sqlite", "qmgr.db", "qmgr0.dat",
))  # fmt: skip
_ENDINGS = (".dmp", ".bin", ".bmc", ".log")
_BASE_IMAGES = "/containers/baseimages/"


class Noted:
    """Is shown every entry of a volume; then tells."""

    def __init__(self) -> None:
        self._found: list[tuple[Entry, str, str]] = []
        self._counts: dict[str, int] = {}
        self._disks: list[str] = []

    @property
    def disks(self) -> list[str]:
        """The paths of the virtual disks seen, in order; those that are only a part of another are left out."""
        known = {path.lower() for path in self._disks}
        return sorted(
            path for path in self._disks if not (extent := _EXTENT.fullmatch(path)) or f"{extent[1]}{_DESCRIPTOR}".lower() not in known
        )

    def see(self, entry: Entry) -> None:
        """Takes an entry. Called for each file of a disk: nearly all of them end at the look at their name."""
        lower = entry.path.lower()
        name = lower.rpartition("/")[2]
        if (
            entry.allocated
            and entry.kind == "file"
            and name.endswith(_DISKS)
            and (entry.size >= _SMALLEST_DISK or name.endswith(_DESCRIPTOR))
        ):
            self._note(entry, _WSL if name == "ext4.vhdx" else _DISK, "a computer, or the disk of one, inside this one")
            self._disks.append(entry.path)
        if not entry.allocated or not (name in _NAMES or name.endswith(_ENDINGS) or _BASE_IMAGES in lower):
            return
        for pattern, words, meaning in _PRESENT:
            if pattern.fullmatch(lower):
                self._note(entry, words, meaning)

    def _note(self, entry: Entry, words: str, meaning: str) -> None:
        count = self._counts[words] = self._counts.get(words, 0) + 1
        if count <= _MOST:
            self._found.append((entry, words, meaning))

    def tell(self, filesystem: Filesystem) -> Iterator[tuple[Entry, Observation] | Problem]:
        """Each observation with the entry it is about, and what was left out."""
        for entry, words, meaning in self._found:
            size = f"{entry.size} bytes, " if entry.kind == "file" else ""
            yield (
                entry,
                SystemFact(
                    name=f"{words} is present",
                    value=f"{size}last changed at the time given: {meaning}",
                    time=entry_time(entry, entry.modified),
                    locator=entry.address,
                ),
            )
        for words, count in self._counts.items():
            if count > _MOST:
                yield Problem(f"{count} of the kind “{words}”: only {_MOST} are listed", Status.SKIPPED)
        if isinstance(filesystem, NtfsFilesystem) and (found := filesystem.disagreements) is not None:
            for item in found.files:
                entry = Entry(item.path, "file", 0, str(item.record))
                yield entry, TimestampDisagreement(
                    path=item.path, created=from_filetime(item.own[0]), modified=from_filetime(item.own[1]), changed=from_filetime(item.own[2]),
                    name_created=from_filetime(item.name[0]), name_modified=from_filetime(item.name[1]), signs=item.signs,
                    user=user_of(item.path), locator=f"record={item.record}",
                )  # fmt: skip
            if found.installed:
                words = (
                    "files of Windows and of programs have times that were set by whatever installed them: they are not listed one by one"
                )
                yield Problem(f"{found.installed} {words}", Status.SKIPPED)
            if found.more:
                yield Problem(f"{found.more} more files have times that disagree: not listed", Status.SKIPPED)
