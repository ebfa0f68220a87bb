"""VMware virtual disks: monolithic, split and flat, by libvmdk. A bare flat extent is a raw image and does not come here."""

from __future__ import annotations

import re
from errno import ENOENT
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import SECTOR, ConcatenatedBytes, HoleBytes, NativeBytes, SliceBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.images.place import ImageFile
from triage.evidence.model import ByteSource

DESCRIPTOR = b"# Disk DescriptorFile"
MAX_EXTENTS = 10_000
GRAIN = 65536
_EXTENT_NAME = re.compile(r"^(.*)-s\d{3}(\.vmdk)$", re.IGNORECASE)


def open_vmdk(named: ImageFile) -> Image:
    """A VMDK named by its descriptor, its only file or a numbered extent. Extents are looked for beside it, never elsewhere.

    Raises ``NotOpened`` where it cannot be read or depends on a parent disk. A missing flat extent is zeros and a problem.
    """
    import pyvmdk

    problems: list[Problem] = []
    file = _descriptor(named)
    if file is not named:
        problems.append(Problem(f"{named.name} is a part of a split disk; it was opened from {file.name}", Status.SKIPPED))
    disk = pyvmdk.handle()
    streams = [file.open()]
    try:
        disk.open_file_object(streams[0])
        size = disk.get_media_size()
        extents = [disk.get_extent_descriptor(number) for number in range(min(disk.get_number_of_extents(), MAX_EXTENTS))]
        names = [extent.get_filename() or "" for extent in extents]
        parent = disk.get_parent_filename()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        streams[0].close()
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    # A single-file disk names itself by the name it had when it was made. After a renaming that name may be another disk's.
    own = len(names) == 1 and file is named and _is_sparse(file)
    if own:
        names = [file.name]
    if parent:
        _close(disk, streams)
        raise NotOpened(f"a snapshot of another virtual disk (“{parent}”): only its changes are here; scan the whole chain as one image")
    # A descriptor is evidence: an extent called ../../etc/passwd would make this program read its own computer.
    outside = [name for name in names if "/" in name or "\\" in name or name == ".."]
    if outside:
        _close(disk, streams)
        raise NotOpened(f"the disk names an extent outside its own folder (“{outside[0]}”); put the extents beside the descriptor")
    extent_files = [(name, file if name == file.name else file.beside(name)) for name in names if name]
    there = [str(found) for _, found in extent_files if found is not None]
    image = Image("vmdk", HoleBytes(0, ""), list(dict.fromkeys([str(file), *there])), problems=problems)
    types = {value: name for name, value in vars(pyvmdk.disk_types).items() if isinstance(value, int)}
    image.facts["disk type"] = types.get(disk.get_disk_type(), "unknown").lower().replace("_", " ")

    kinds = pyvmdk.extent_types
    if extents and all(extent.get_type() in (kinds.FLAT, kinds.VMFS_FLAT, kinds.ZERO) for extent in extents):
        image.data = _flat(file, extents, problems, kinds.ZERO)
        _close(disk, streams)
        return image
    missing = [name for name, found in extent_files if found is None]
    if missing:
        _close(disk, streams)
        raise NotOpened(f"{len(missing)} of the {len(extent_files)} extents are missing: {', '.join(missing[:5])}")
    try:
        streams += [found.open() for _, found in extent_files if found is not None]
        disk.open_extent_data_files_as_file_objects(streams[1:])
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        _close(disk, streams)
        raise NotOpened(f"the extents cannot be read: {plain_reason(error)}") from error
    # What is compressed is lost by the grain: to ask for each of its sectors would take minutes on a disk that is cut short.
    sector = GRAIN if disk.get_disk_type() == pyvmdk.disk_types.STREAM_OPTIMIZED else SECTOR
    image.data = NativeBytes(disk, size, also_close=streams, sector=sector)
    return image


def _close(disk: Any, streams: list[BinaryIO]) -> None:
    disk.close()
    for stream in streams:
        stream.close()


def _is_sparse(file: ImageFile) -> bool:
    with file.open() as stream:
        return stream.read(4) == b"KDMV"


def _descriptor(file: ImageFile) -> ImageFile:
    """The descriptor beside a numbered extent; otherwise ``file``."""
    named = _EXTENT_NAME.match(file.name)
    descriptor = file.beside("".join(named.groups())) if named else None
    if descriptor is not None:
        with descriptor.open() as stream:
            if stream.read(len(DESCRIPTOR)) == DESCRIPTOR:
                return descriptor
    return file


def _flat(descriptor: ImageFile, extents: list[Any], problems: list[Problem], zero: int) -> ByteSource:
    """Flat extents are plain ranges of files, read without libvmdk, which opens no disk that lacks one."""
    parts: list[ByteSource] = []
    for number, extent in enumerate(extents, start=1):
        length = max(0, extent.get_size())
        if extent.get_type() == zero:
            parts.append(_Zeros(length))
            continue
        name = extent.get_filename()
        try:
            file = descriptor.beside(name)
            if file is None:
                raise FileNotFoundError(ENOENT, "No such file or directory")
            whole = file.data()
        except OSError as error:
            reason = f"extent {number} ({name}) cannot be read: {error.strerror or error}"
            problems.append(Problem(reason, Status.UNREADABLE, f"extent={number}"))
            parts.append(HoleBytes(length, reason))
            continue
        part = SliceBytes(whole, extent.get_offset(), length, owned=True)
        parts.append(part)
        if part.size < length:
            reason = f"extent {number} ({name}) lacks its last {length - part.size} bytes"
            problems.append(Problem(reason, Status.UNREADABLE, f"extent={number}"))
            parts.append(HoleBytes(length - part.size, reason))
    return parts[0] if len(parts) == 1 else ConcatenatedBytes(parts)


class _Zeros(HoleBytes):
    """An extent the descriptor declares to be zeros: nothing is lost there."""

    def __init__(self, size: int) -> None:
        super().__init__(size, "")

    def read_at(self, offset: int, length: int) -> bytes:
        """Zeros."""
        return bytes(max(0, min(length, self.size - offset))) if offset >= 0 else b""
