"""VMware virtual disks: monolithic, split and flat, by libvmdk. A bare flat extent is a raw image and does not come here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import SECTOR, ConcatenatedBytes, FileBytes, HoleBytes, NativeBytes, SliceBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.model import ByteSource

DESCRIPTOR = b"# Disk DescriptorFile"
MAX_EXTENTS = 10_000
GRAIN = 65536
_EXTENT_NAME = re.compile(r"^(.*)-s\d{3}(\.vmdk)$", re.IGNORECASE)


def open_vmdk(path: Path) -> Image:
    """A VMDK named by its descriptor, its only file or a numbered extent. Extents are looked for beside it, never elsewhere.

    Raises ``NotOpened`` where it cannot be read or depends on a parent disk. A missing flat extent is zeros and a problem.
    """
    import pyvmdk

    problems: list[Problem] = []
    named = path
    path = _descriptor(named)
    if path != named:
        problems.append(Problem(f"{named.name} is a part of a split disk; it was opened from {path.name}", Status.SKIPPED))
    disk = pyvmdk.handle()
    try:
        disk.open(str(path))
        size = disk.get_media_size()
        extents = [disk.get_extent_descriptor(number) for number in range(min(disk.get_number_of_extents(), MAX_EXTENTS))]
        names = [extent.get_filename() or "" for extent in extents]
        parent = disk.get_parent_filename()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    # A single-file disk names itself by the name it had when it was made. After a renaming that name may be another disk's.
    own = len(names) == 1 and path == named and _is_sparse(path)
    if own:
        names = [path.name]
    if parent:
        disk.close()
        raise NotOpened(f"a snapshot of another virtual disk (“{parent}”): only its changes are here; scan the whole chain as one image")
    # A descriptor is evidence: an extent called ../../etc/passwd would make this program read its own computer.
    outside = [name for name in names if "/" in name or "\\" in name or name == ".."]
    if outside:
        disk.close()
        raise NotOpened(f"the disk names an extent outside its own folder (“{outside[0]}”); put the extents beside the descriptor")
    files = [path.with_name(name) for name in names if name]
    image = Image("vmdk", HoleBytes(0, ""), [str(file) for file in dict.fromkeys([path, *files]) if file.is_file()], problems=problems)
    types = {value: name for name, value in vars(pyvmdk.disk_types).items() if isinstance(value, int)}
    image.facts["disk type"] = types.get(disk.get_disk_type(), "unknown").lower().replace("_", " ")

    kinds = pyvmdk.extent_types
    if extents and all(extent.get_type() in (kinds.FLAT, kinds.VMFS_FLAT, kinds.ZERO) for extent in extents):
        image.data = _flat(path, extents, problems, kinds.ZERO)
        disk.close()
        return image
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        disk.close()
        raise NotOpened(f"{len(missing)} of the {len(files)} extents are missing: {', '.join(missing[:5])}")
    streams = [path.open("rb")] if own else []
    try:
        if own:
            disk.open_extent_data_files_as_file_objects(streams)
        else:
            disk.open_extent_data_files()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the extents cannot be read: {plain_reason(error)}") from error
    # What is compressed is lost by the grain: to ask for each of its sectors would take minutes on a disk that is cut short.
    sector = GRAIN if disk.get_disk_type() == pyvmdk.disk_types.STREAM_OPTIMIZED else SECTOR
    image.data = NativeBytes(disk, size, also_close=streams, sector=sector)
    return image


def _is_sparse(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"KDMV"


def _descriptor(path: Path) -> Path:
    """The descriptor beside a numbered extent; otherwise ``path``."""
    named = _EXTENT_NAME.match(path.name)
    descriptor = path.with_name("".join(named.groups())) if named else path
    if descriptor != path and descriptor.is_file():
        with descriptor.open("rb") as stream:
            if stream.read(len(DESCRIPTOR)) == DESCRIPTOR:
                return descriptor
    return path


def _flat(path: Path, extents: list[Any], problems: list[Problem], zero: int) -> ByteSource:
    """Flat extents are plain ranges of files, read without libvmdk, which opens no disk that lacks one."""
    parts: list[ByteSource] = []
    for number, extent in enumerate(extents, start=1):
        length = max(0, extent.get_size())
        if extent.get_type() == zero:
            parts.append(_Zeros(length))
            continue
        file = path.with_name(extent.get_filename())
        try:
            whole = FileBytes(file)
        except OSError as error:
            reason = f"extent {number} ({file.name}) cannot be read: {error.strerror}"
            problems.append(Problem(reason, Status.UNREADABLE, f"extent={number}"))
            parts.append(HoleBytes(length, reason))
            continue
        part = SliceBytes(whole, extent.get_offset(), length, owned=True)
        parts.append(part)
        if part.size < length:
            reason = f"extent {number} ({file.name}) lacks its last {length - part.size} bytes"
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
