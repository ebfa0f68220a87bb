"""File systems read by The Sleuth Kit: NTFS (where the fast reader gives up), FAT, exFAT, ext2–4, HFS+, ISO 9660, UFS.

What is the library's and what is ours: the library finds directories, names, attributes and deleted entries. Ours are FAT and exFAT
times (it would read them in the time zone of this computer), the space of deleted FAT files (it assumes they are contiguous), whether
deleted content is still free, and reading plain content straight from its runs.

Times: of ISO 9660 the library drops the recorded offset from UTC; where our own reading does not find it again, the time is a
wall-clock reading (``local_times``). exFAT entries in no directory are listed only where their checksum is right: the library takes
many a 32 bytes for one.
Streams are NTFS alternate data streams and named indexes (``$Quota:$Q``, flag ``index``), HFS+ resource forks (``rsrc``) and extended
attributes. The index of an ordinary NTFS directory (``$I30``) is no content and is not listed.
Flags beside those of ``Entry``: ``virtual`` (an entry the library makes up, such as $FAT1), ``label`` (a FAT volume label), ``index``.
"""

from __future__ import annotations

import struct
import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pytsk3

from artefacts.coverage import Status
from triage.evidence.filesystems import allocation, ext, fat, iso9660, tree, undelete
from triage.evidence.filesystems.stream import ContentStream, NativeReader, RunReader
from triage.evidence.model import ByteSource, Entry, Run
from triage.evidence.tsk_image import TskImage

TYPES = {
    "ntfs": pytsk3.TSK_FS_TYPE_NTFS,
    "fat12": pytsk3.TSK_FS_TYPE_FAT12,
    "fat16": pytsk3.TSK_FS_TYPE_FAT16,
    "fat32": pytsk3.TSK_FS_TYPE_FAT32,
    "exfat": pytsk3.TSK_FS_TYPE_EXFAT,
    "ext2": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "ext3": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "ext4": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "hfs+": pytsk3.TSK_FS_TYPE_HFS_DETECT,
    "hfsx": pytsk3.TSK_FS_TYPE_HFS_DETECT,
    "iso9660": pytsk3.TSK_FS_TYPE_ISO9660,
    "ufs1": pytsk3.TSK_FS_TYPE_FFS_DETECT,
    "ufs2": pytsk3.TSK_FS_TYPE_FFS_DETECT,
}
"""Types opened here, and what the library calls them."""

ORPHAN_SEARCH_LIMIT = 4 << 30
MAX_ORPHAN_SEARCH = 4_000_000
MAX_RUNS = 100_000
_MAX_LINK = 65536
_MAX_NTFS_BITMAP = 1 << 28
_FOLD = {"hfs+": tree.composed_any_case, "hfsx": tree.composed} | dict.fromkeys(
    ("ntfs", "fat12", "fat16", "fat32", "exfat", "iso9660"), tree.any_case
)
_LABEL_SUFFIX = " (Volume Label Entry)"
_ORPHANS = "$OrphanFiles"

_DELETED = int(pytsk3.TSK_FS_META_FLAG_UNALLOC) | int(pytsk3.TSK_FS_META_FLAG_USED)
_UNUSED = _DELETED | int(pytsk3.TSK_FS_META_FLAG_ALLOC) | int(pytsk3.TSK_FS_META_FLAG_UNUSED)
_DIRECTORIES = (pytsk3.TSK_FS_NAME_TYPE_DIR, pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR)
_VIRTUAL = (pytsk3.TSK_FS_NAME_TYPE_VIRT, pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR)
_NAME_KINDS = {
    pytsk3.TSK_FS_NAME_TYPE_REG: "file",
    pytsk3.TSK_FS_NAME_TYPE_DIR: "directory",
    pytsk3.TSK_FS_NAME_TYPE_LNK: "link",
    pytsk3.TSK_FS_NAME_TYPE_UNDEF: "file",
}
_META_KINDS = {
    pytsk3.TSK_FS_META_TYPE_REG: "file",
    pytsk3.TSK_FS_META_TYPE_DIR: "directory",
    pytsk3.TSK_FS_META_TYPE_LNK: "link",
}
_NTFS_DATA = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)
_NTFS_INDEX = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_IDXROOT)
_MAIN = (int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT), int(pytsk3.TSK_FS_ATTR_TYPE_HFS_DATA))
_HFS_RESOURCE = int(pytsk3.TSK_FS_ATTR_TYPE_HFS_RSRC)
_HFS_EXTENDED = int(pytsk3.TSK_FS_ATTR_TYPE_HFS_EXT_ATTR)
_ATTRIBUTE_FLAGS = (
    (int(pytsk3.TSK_FS_ATTR_COMP), "compressed"),
    (int(pytsk3.TSK_FS_ATTR_ENC), "encrypted"),
    (int(pytsk3.TSK_FS_ATTR_SPARSE), "sparse"),
    (int(pytsk3.TSK_FS_ATTR_RES), "resident"),
)
_NO_BYTES = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)


class _VolumeImage(TskImage):
    """A volume as the library can take it: an unusual FAT boot sector in the usual way, large sizes of ext inodes hidden."""

    def __init__(self, data: ByteSource, groups: ext.Groups | None) -> None:
        self._boot, self._groups = _plain_boot(data), groups
        super().__init__(data)

    def read(self, offset: int, size: int) -> bytes:
        raw = super().read(offset, size)
        if self._groups:
            return self._groups.shown(offset, raw)
        return (self._boot[offset:] + raw[len(self._boot) - offset :])[: len(raw)] if offset < len(self._boot) else raw


def _plain_boot(data: ByteSource) -> bytes:
    """The first 36 bytes with a 64-bit count of FAT sectors written in its 32-bit place, where there is one; else nothing."""
    layout = fat.read_layout(data)
    boot = data.read_at(0, 36)
    if layout is None or layout.type != "fat32" or any(boot[19:21]) or any(boot[32:36]) or layout.total // layout.sector >= 1 << 32:
        return b""
    return boot[:32] + (layout.total // layout.sector).to_bytes(4, "little")


@dataclass(slots=True)
class _Directory:
    """A directory still to be listed."""

    inode: int
    path: str
    depth: int = 0
    allocated: bool = True
    orphan: bool = False


@dataclass(slots=True)
class _Walk:
    """What one enumeration has met so far."""

    stack: list[_Directory] = field(default_factory=list)
    directories: set[int] = field(default_factory=set)
    deleted: set[tuple[str, str]] = field(default_factory=set)
    waiting: list[Entry] = field(default_factory=list)  # deleted entries of FAT, whose space is shared out at the end
    count: int = 0


class TskFilesystem(tree.TreeFilesystem):
    """A ``Filesystem`` on ``data``. Raises ``OSError`` where the library does not open it."""

    def __init__(self, data: ByteSource, kind: str, label: str | None, *, orphan_limit: int = ORPHAN_SEARCH_LIMIT) -> None:
        """``orphan_limit``: on FAT and exFAT volumes longer than this (bytes) the search for deleted entries in no directory, which
        reads the whole volume, is left out and said so."""
        super().__init__(kind, label, _FOLD.get(kind, tree.exact))
        self._data, self._orphan_limit = data, orphan_limit
        self._groups = _groups(data) if kind.startswith("ext") else None
        self._fs = pytsk3.FS_Info(_VolumeImage(data, self._groups), offset=0, type=TYPES[kind])
        info = self._fs.info
        self._block = int(info.block_size)
        self._root = int(info.root_inum)
        self._layout = fat.read_layout(data) if kind in ("fat12", "fat16", "fat32", "exfat") else None
        self._slots = fat.Slots(data, self._layout) if self._layout else None
        wrapped = kind == "hfs+" and data.read_at(1024, 2) == b"BD"
        # NTFS runs say nothing of the initialised size, after which content reads as zeros: there the library reads.
        self._direct = kind != "ntfs" and not wrapped and not int(info.block_pre_size)
        self._recorded: iso9660.Times | None = None
        self._in_use: allocation.InUse | None = None
        self._in_use_read = False
        needed = (int(info.last_block) + 1) * self._block
        if self._layout:
            needed = self._layout.offset(self._layout.clusters + 2)  # a boot sector may count sectors too few for a cluster
        if (missing := needed - data.size) > 0 and not wrapped and not int(info.block_pre_size):
            self._problem(
                f"the file system is {missing} bytes longer than the volume: what lies there is missing", status=Status.UNREADABLE
            )

    def close(self) -> None:
        """See ``Filesystem.close``."""
        self._cache.clear()
        self._fs = None

    def entries(self) -> Iterator[list[Entry]]:
        """See ``Filesystem.entries``. Deleted entries of FAT and exFAT come last."""
        walk = _Walk(stack=[_Directory(self._root, "")], directories={self._root})
        batch: list[Entry] = []
        while walk.stack and walk.count < tree.MAX_ENTRIES:
            for entries in self._listed(walk.stack.pop(), walk):
                walk.count += len(entries)
                if self._layout and entries and not entries[0].allocated:
                    walk.waiting += entries
                else:
                    batch += entries
                if len(batch) >= tree.BATCH:
                    yield batch
                    batch = []
        if walk.stack:
            self._problem(f"more than {tree.MAX_ENTRIES} entries: the rest were not listed")
        if walk.waiting:
            self._share_out(walk.waiting)
            batch += walk.waiting
        for start in range(0, len(batch), tree.BATCH):
            yield batch[start : start + tree.BATCH]

    @property
    def run_bytes(self) -> ByteSource | None:
        """See ``Filesystem.run_bytes``."""
        return self._data if self._direct else None

    def open(self, entry: Entry) -> BinaryIO:
        """See ``Filesystem.open``. Raises ``OSError`` where the entry is not of this file system."""
        if entry.link_target is not None:
            target = entry.link_target.encode("utf-8", "surrogateescape")
            return ContentStream(NativeReader(lambda offset, length: target[offset : offset + length], len(target)))
        holes = entry.runs is not None and all(run.offset < 0 for run in entry.runs) and sum(run.length for run in entry.runs) == entry.size
        if entry.runs is not None and (self._direct or holes) and not {"compressed", "encrypted", "resident"} & set(entry.flags):
            return ContentStream(RunReader(self._data, entry.runs, entry.size))
        try:
            inode, *identity = (int(part) for part in entry.address.split("-"))
        except ValueError as error:
            raise OSError(f"{entry.path} is not an entry of this file system") from error
        if not entry.allocated and entry.content == "none":
            return ContentStream(RunReader(self._data, (), entry.size))
        file = self._fs.open_meta(inode=inode)
        if len(identity) == 2:
            kind, number = identity
            return ContentStream(NativeReader(lambda offset, length: file.read_random(offset, length, kind, number), entry.size))
        return ContentStream(NativeReader(file.read_random, entry.size))

    def _list(self, directory: Entry | None, path: str) -> list[Entry]:
        at = _Directory(int(directory.address.split("-")[0]) if directory else self._root, path)
        return [entry for entries in self._listed(at, None) for entry in entries if entry.allocated]

    def _listed(self, at: _Directory, walk: _Walk | None) -> Iterator[list[Entry]]:
        """The entries of one directory, each with its streams; directories below it are put on the walk's stack."""
        if at.path == f"/{_ORPHANS}" and at.orphan and self._layout and self._layout.total > self._orphan_limit:
            self._problem("deleted entries in no directory were not searched for: that reads the whole volume", at.path, Status.SKIPPED)
            return
        bad = len(self._data.errors)
        try:
            directory = self._fs.open_dir(inode=at.inode)
        except (OSError, ValueError) as error:
            if at.path == f"/{_ORPHANS}" and walk:
                yield from self._orphans(at, walk)
            elif at.allocated and not at.orphan:
                self._problem(f"a directory could not be read: {_plain(error)}", at.path or "/")
            return
        if len(self._data.errors) > bad:
            self._problem("a directory lies on unreadable sectors: entries may be missing", at.path or "/", Status.UNREADABLE)
        below: list[_Directory] = []
        for file in self._files(directory, at):
            try:
                entries = self._described(file, at, walk, below)
            except (OSError, ValueError, OverflowError, TypeError, AttributeError) as error:
                self._problem(f"an entry could not be read: {_plain(error)}", at.path or "/")
                continue
            if entries:
                yield entries
        if walk:
            walk.stack += reversed(below)

    def _orphans(self, at: _Directory, walk: _Walk) -> Iterator[list[Entry]]:
        """Deleted files without a name, one inode after the other: the library gives up on all of them where a deleted directory
        among them was emptied."""
        info = self._fs.info
        first, last = int(info.first_inum), int(info.last_inum)
        if last - first > MAX_ORPHAN_SEARCH:
            self._problem(f"deleted entries in no directory were looked for in the first {MAX_ORPHAN_SEARCH} inodes only", at.path)
        named = {address for _, address in walk.deleted}
        for inode in range(first, min(last, first + MAX_ORPHAN_SEARCH)):
            try:
                file = self._fs.open_meta(inode=inode)
                meta = file.info.meta
                if int(meta.flags) & _UNUSED != _DELETED or str(inode) in named:
                    continue
                entry = Entry(f"{at.path}/OrphanFile-{inode}", "file", 0, str(inode), False, True)
                found = self._filled(entry, file, meta, int(pytsk3.TSK_FS_NAME_TYPE_UNDEF), None)
            except (OSError, ValueError, OverflowError, TypeError, AttributeError):
                continue  # as the library does: most inodes were never used
            yield found

    def _files(self, directory: Any, at: _Directory) -> Iterator[Any]:
        number = int(directory.size)
        if number > tree.MAX_DIRECTORY:
            self._problem(f"a directory of {number} entries: only {tree.MAX_DIRECTORY} were listed", at.path or "/")
        failed = 0
        for _ in range(min(number, tree.MAX_DIRECTORY)):
            try:
                yield next(directory)
            except StopIteration:
                return
            except (OSError, ValueError) as error:
                failed += 1
                if failed <= 3:
                    self._problem(f"an entry could not be read: {_plain(error)}", at.path or "/")

    def _described(self, file: Any, at: _Directory, walk: _Walk | None, below: list[_Directory]) -> list[Entry]:
        name = file.info.name
        if name is None or name.name in (b".", b".."):
            return []
        inode, kind = int(name.meta_addr), int(name.type)
        allocated = bool(int(name.flags) & int(pytsk3.TSK_FS_NAME_FLAG_ALLOC)) and at.allocated and not at.orphan
        if file.info.meta is None and not allocated:
            file = self._deleted(inode, int(name.meta_seq)) or file
        meta = file.info.meta
        slot = self._slots.get(inode) if self._slots and kind not in _VIRTUAL else None
        if at.orphan and self._slots and self._type == "exfat" and not self._slots.sound(inode):
            return []
        text = (name.name or b"").decode("utf-8", "surrogateescape")
        if slot and slot.short and "^" in text and text.lower() == "".join(c if c.isascii() else "^" for c in slot.short).lower():
            text = slot.short  # the library writes ^ for every letter beyond ASCII: two files could share one path
        if slot and slot.label:
            text = text.removesuffix(_LABEL_SUFFIX).rstrip()
        entry = Entry(f"{at.path}/{text or f'inode {inode}'}", _NAME_KINDS.get(kind, "other"), 0, str(inode), allocated, at.orphan)
        reused = meta is None or (not allocated and not at.orphan and bool(int(meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC)))
        if reused:
            # The name survived its metadata: size, times and content would be somebody else's.
            if allocated:
                self._problem("an entry has no readable metadata", entry.path)
            entry.flags, entry.content = ("reused",) if meta is not None else (), "present" if allocated else "none"
            found = [entry]
        else:
            found = self._filled(entry, file, meta, kind, slot)
        if not allocated and walk:
            key = (str(inode) if self._layout else entry.path, found[0].address)
            if key in walk.deleted:
                return []
            walk.deleted.add(key)
        if walk and (entry.kind == "directory" or kind in _DIRECTORIES) and not reused:
            self._descend(entry, inode, slot, at, walk, below)
        return found

    def _deleted(self, inode: int, sequence: int) -> Any | None:
        """The metadata of a deleted name, which the library leaves out where the name does not say what kind of file it was."""
        try:
            file = self._fs.open_meta(inode=inode)
        except (OSError, ValueError):
            return None
        # NTFS counts the sequence up on deletion: what was used again since is somebody else's.
        same = self._type != "ntfs" or sequence in (0, int(file.info.meta.seq), int(file.info.meta.seq) - 1)
        return file if same and int(file.info.meta.flags) & int(pytsk3.TSK_FS_META_FLAG_UNALLOC) else None

    def _descend(self, entry: Entry, inode: int, slot: fat.Slot | None, at: _Directory, walk: _Walk, below: list[_Directory]) -> None:
        if inode in walk.directories:
            if entry.allocated:
                self._problem("a directory leads back to one already listed: it was not entered again", entry.path)
            return
        if at.depth >= tree.MAX_DEPTH:
            self._problem(f"directories are nested more than {tree.MAX_DEPTH} deep: deeper ones were not listed", entry.path)
            return
        if not entry.allocated and slot and not self._still_a_directory(slot, at.inode):
            entry.flags += ("reused",)
            return
        walk.directories.add(inode)
        orphan = at.orphan or entry.path == f"/{_ORPHANS}"
        below.append(_Directory(inode, entry.path, at.depth + 1, entry.allocated, orphan))

    def _still_a_directory(self, slot: fat.Slot, parent: int) -> bool:
        """Whether the cluster of a deleted FAT directory still begins with its own "." and a ".." that leads to ``parent``."""
        layout = self._layout
        if not layout or not layout.holds(slot.cluster):
            return False
        if layout.type == "exfat":
            return True
        raw = self._data.read_at(layout.offset(slot.cluster), 2 * fat.SLOT)
        if raw[:11] != b".          " or raw[fat.SLOT : fat.SLOT + 11] != b"..         ":
            return False
        up = int.from_bytes(raw[58:60], "little") | (int.from_bytes(raw[52:54], "little") << 16 if layout.type == "fat32" else 0)
        above = self._slots.get(parent) if self._slots and parent != self._root else None
        return parent == self._fs.info.orphan_dir or up == (above.cluster if above else 0)

    def _filled(self, entry: Entry, file: Any, meta: Any, kind: int, slot: fat.Slot | None) -> list[Entry]:
        """``entry`` completed from its metadata, and its streams after it."""
        if kind in _VIRTUAL:
            entry.kind, entry.flags = "other", ("virtual",)
        elif int(meta.type) in _META_KINDS:
            entry.kind = _META_KINDS[int(meta.type)]
        elif int(meta.type) != int(pytsk3.TSK_FS_META_TYPE_UNDEF):
            entry.kind = "other"
        if slot and slot.label:
            entry.kind, entry.flags = "file" if slot.cluster else "other", ("label",)
        entry.size = max(int(meta.size), 0)
        self._set_times(entry, meta, slot)
        if meta.link:
            entry.link_target = (meta.link if isinstance(meta.link, bytes) else str(meta.link).encode()).decode("utf-8", "surrogateescape")
        if self._groups and (hidden := self._groups.hidden.get(int(meta.addr))):
            self._lay_out(entry, self._groups, hidden)
            return [entry]
        streams = []
        main = False
        for attribute in self._attributes(file, entry):
            info = attribute.info
            number, name = int(info.type), (info.name or b"").decode("utf-8", "surrogateescape")
            if number in _MAIN or (number == _NTFS_DATA and not name) or (number == _NTFS_INDEX and name == "$I30"):
                if not main:
                    self._set_content(entry, attribute, meta)
                main = True
            elif number in (_NTFS_DATA, _NTFS_INDEX, _HFS_EXTENDED, _HFS_RESOURCE):
                stream = Entry(
                    f"{entry.path}:{'rsrc' if number == _HFS_RESOURCE else name}", "stream", 0, "", entry.allocated, entry.orphan,
                    entry.modified, entry.accessed, entry.changed, entry.created, entry.local_times,
                    flags=("index",) if number == _NTFS_INDEX else (),
                )  # fmt: skip
                self._set_content(stream, attribute, meta)
                streams.append(stream)
        if entry.kind == "link" and entry.link_target is None and 0 < entry.size <= _MAX_LINK and entry.allocated:
            # The library gives targets that lie in the inode, and not all of those that have a block.
            entry.link_target = self.open(entry).read().decode("utf-8", "surrogateescape")
        if entry.local_times and self._type == "iso9660":
            self._set_recorded(entry)
        if not main and entry.kind == "file" and not self._layout:
            entry.size = 0
        if not main and not entry.allocated:
            entry.content = "none"
        return [entry, *streams]

    def _lay_out(self, entry: Entry, groups: ext.Groups, hidden: ext.Hidden) -> None:
        """The content of an ext file whose size the library was not shown."""
        entry.size = hidden.size
        if entry.kind != "directory":
            entry.runs = groups.runs(hidden)
            entry.first_offset = next((run.offset for run in entry.runs if run.offset >= 0), -1)
            if any(run.offset < 0 for run in entry.runs):
                entry.flags += ("sparse",)
            if not entry.allocated:
                entry.content = allocation.state(entry.runs, self._block, groups.in_use)
        if not hidden.pointers or sum(run.length for run in entry.runs or ()) < hidden.size:
            self._problem(f"states a size of {hidden.size} bytes, which is not there", entry.path)

    def _attributes(self, file: Any, entry: Entry) -> Iterator[Any]:
        try:
            yield from file
        except (OSError, ValueError) as error:
            if entry.allocated:
                self._problem(f"where the content lies could not be read: {_plain(error)}", entry.path)

    def _set_times(self, entry: Entry, meta: Any, slot: fat.Slot | None) -> None:
        if self._layout:
            entry.local_times = slot.times.local if slot else True
            entry.modified, entry.accessed, entry.created = slot.times[:3] if slot else (None, None, None)
            return
        entry.local_times = self._type == "iso9660" and bool(meta.crtime)
        convert = _wall_clock if entry.local_times else _instant
        entry.modified = convert(meta.mtime, meta.mtime_nano)
        entry.accessed = convert(meta.atime, meta.atime_nano)
        entry.changed = convert(meta.ctime, meta.ctime_nano)
        entry.created = convert(meta.crtime, meta.crtime_nano)

    def _set_recorded(self, entry: Entry) -> None:
        """The instant at which an ISO 9660 file was recorded, in place of a wall-clock reading."""
        if self._recorded is None:
            self._recorded = iso9660.recorded_times(self._data)
        when = self._recorded.get((entry.first_offset, entry.size))
        if when is not None:
            entry.created, entry.local_times = when, False

    def _set_content(self, entry: Entry, attribute: Any, meta: Any) -> None:
        """Size, address, flags, runs and reliability of the content in ``attribute``."""
        info = attribute.info
        flags = int(info.flags)
        entry.flags += tuple(name for bit, name in _ATTRIBUTE_FLAGS if flags & bit)
        if entry.kind != "directory" and "virtual" not in entry.flags:
            entry.size = max(int(info.size), 0)
        if self._type == "ntfs" or entry.kind == "stream":
            entry.address = f"{int(meta.addr)}-{int(info.type)}-{int(info.id)}"
        if "resident" in entry.flags:
            entry.content = "present" if entry.allocated else "recoverable"
            return
        entry.runs = self._runs(attribute, entry.size)
        if not entry.runs and self._type == "ntfs" and entry.name == "$BadClus:$Bad":
            # The library drops the one run of this stream: a hole as long as the volume.
            entry.runs, entry.flags = [Run(-1, entry.size)], (*entry.flags, "sparse")
        if entry.runs:
            entry.first_offset = next((run.offset for run in entry.runs if run.offset >= 0), -1)
        if not entry.allocated:
            known = entry.kind != "directory" and entry.size > 0 and entry.runs is not None
            entry.content = allocation.state(entry.runs or (), self._block, self._allocation()) if known else "none"

    def _runs(self, attribute: Any, size: int) -> list[Run] | None:
        runs: list[Run] = []
        held = 0
        for run in attribute:
            if len(runs) >= MAX_RUNS:
                return None
            length = min(int(run.len) * self._block, size - held)
            if length <= 0:
                break
            offset = -1 if int(run.flags) & _NO_BYTES else int(run.addr) * self._block
            if runs and (sum(runs[-1]) == offset if offset >= 0 <= runs[-1].offset else offset == runs[-1].offset):
                runs[-1] = Run(runs[-1].offset, runs[-1].length + length)
            else:
                runs.append(Run(offset, length))
            held += length
        return runs

    def _allocation(self) -> allocation.InUse | None:
        if not self._in_use_read and not self._layout:
            self._in_use_read = True
            try:
                if self._type == "ntfs":
                    file = self._fs.open_meta(inode=6)
                    self._in_use = allocation.bitmap(file.read_random(0, min(int(file.info.meta.size), _MAX_NTFS_BITMAP)))
                elif self._groups:
                    self._in_use = self._groups.in_use
                elif self._type == "iso9660":
                    self._in_use = lambda block: False  # recorded once: an entry in no directory lies in another tree of the same disc
            except (OSError, ValueError) as error:
                self._problem(f"which blocks are in use could not be read: deleted content is a guess: {_plain(error)}")
        return self._in_use

    def _share_out(self, deleted: list[Entry]) -> None:
        """Give deleted FAT entries the space they probably had."""
        assert self._layout is not None and self._slots is not None
        try:
            clusters = fat.Clusters(self._data, self._layout)
        except (OSError, ValueError) as error:
            self._problem(f"which clusters are in use could not be read: deleted content is a guess: {_plain(error)}")
            for entry in deleted:
                entry.content = "guess" if entry.runs and entry.kind == "file" else "none"
            return
        claims = []
        for entry in deleted:
            slot = self._slots.get(int(entry.address))
            count = -(-entry.size // self._layout.cluster) or (1 if entry.kind == "directory" else 0)
            first = slot.cluster if slot and "label" not in entry.flags else 0
            newest = max((stamp for stamp in (entry.created, entry.modified) if stamp is not None), default=0)
            claims.append(undelete.Claim(first, count, bool(slot and slot.contiguous), bool(slot and slot.truncated_cluster), newest))
        for entry, claim, space in zip(deleted, claims, undelete.share_out(self._layout, clusters, claims), strict=True):
            if entry.kind == "directory":
                entry.content, entry.runs = "none", None
                continue
            if not claim.first and self._layout.type == "exfat" and entry.size and entry.runs:
                # The stream extension lies in another cluster of the directory; the library found it, without what it says of contiguity.
                entry.content = "guess"
                continue
            entry.content = space.content
            entry.runs = fat.runs_of(self._layout, space.pieces, entry.size)
            entry.first_offset = entry.runs[0].offset if entry.runs else -1
            if space.reused and "reused" not in entry.flags:
                entry.flags += ("reused",)


def _groups(data: ByteSource) -> ext.Groups | None:
    try:
        return ext.Groups(data)
    except (ValueError, struct.error):
        return None


def _instant(seconds: int, nanoseconds: int) -> int | None:
    return int(seconds) * 1_000_000_000 + int(nanoseconds) % 1_000_000_000 if seconds else None


def _wall_clock(seconds: int, nanoseconds: int) -> int | None:
    """Undoes the library's reading of a wall clock in the time zone of this computer."""
    if not seconds:
        return None
    try:
        return timegm(time.localtime(seconds)) * 1_000_000_000 + int(nanoseconds) % 1_000_000_000
    except (OverflowError, OSError, ValueError):
        return None


def _plain(error: BaseException) -> str:
    """The library's message without the place in its source."""
    return str(error).rpartition(": (")[2].partition(") ")[2] or str(error)
