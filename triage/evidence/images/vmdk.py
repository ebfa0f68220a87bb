"""VMware virtual disks: monolithic, split and flat, by libvmdk; a bare extent is a raw image and does not come here."""

from __future__ import annotations

import os
from pathlib import Path

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import NativeBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened

MAX_EXTENTS = 10_000


def open_vmdk(path: Path) -> Image:
    """A VMDK named by its descriptor or its only file. Extents are looked for beside it, never elsewhere.

    Raises ``NotOpened`` where it cannot be read, lacks an extent, or depends on a parent disk.
    """
    import pyvmdk

    disk = pyvmdk.handle()
    try:
        disk.open(str(path))
        size = disk.get_media_size()
        names = [disk.get_extent_descriptor(number).get_filename() for number in range(min(disk.get_number_of_extents(), MAX_EXTENTS))]
        parent = disk.get_parent_filename()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    if parent:
        disk.close()
        raise NotOpened(f"a snapshot of another virtual disk (“{parent}”): only its changes are here; scan the whole chain as one image")
    # A descriptor is evidence: an extent called ../../etc/passwd would make this program read its own computer.
    outside = [name for name in names if name and os.path.basename(name.replace("\\", "/")) != name]
    if outside:
        disk.close()
        raise NotOpened(f"the disk names an extent outside its own folder (“{outside[0]}”); put the extents beside the descriptor")
    files = [path.with_name(name) for name in names if name]
    missing = [file.name for file in files if not file.is_file()]
    if missing and files != [path]:
        disk.close()
        raise NotOpened(f"{len(missing)} of {len(files)} extents are missing: {', '.join(missing[:5])}", Status.MISSING)
    try:
        disk.open_extent_data_files()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the extents cannot be read: {plain_reason(error)}") from error
    image = Image("vmdk", NativeBytes(disk, size), [str(file) for file in dict.fromkeys([path, *files])])
    types = {value: name for name, value in vars(pyvmdk.disk_types).items() if isinstance(value, int)}
    image.facts["disk type"] = types.get(disk.get_disk_type(), "unknown").lower().replace("_", " ")
    if size == 0:
        image.problems.append(Problem("the virtual disk states a size of nothing"))
    return image
