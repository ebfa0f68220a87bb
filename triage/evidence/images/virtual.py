"""Virtual disks and Apple disk images through libyal: VHD, VHDX, UDIF and sparse images."""

from __future__ import annotations

from typing import Any

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import NativeBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.images.place import ImageFile

MAX_PARENTS = 32


def open_vhd(file: ImageFile, depth: int = 0) -> Image:
    """A VHD or VHDX, its parents included. Raises ``NotOpened`` where it cannot be read."""
    import pyvhdi

    disk = pyvhdi.file()
    stream = file.open()
    try:
        disk.open_file_object(stream)
        size, kind = disk.get_media_size(), disk.get_disk_type()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        stream.close()
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    with file.open() as start:
        form = "vhdx" if start.read(8) == b"vhdxfile" else "vhd"
    types = {pyvhdi.disk_types.FIXED: "fixed", pyvhdi.disk_types.DYNAMIC: "dynamic", pyvhdi.disk_types.DIFFERENTIAL: "differencing"}
    data = NativeBytes(disk, size, also_close=[stream])
    image = Image(form, data, [str(file)], {"disk type": types.get(kind, str(kind))}, sector=disk.get_bytes_per_sector())
    image.facts["identifier"] = str(disk.get_identifier())
    if kind == pyvhdi.disk_types.DIFFERENTIAL:
        named = disk.get_parent_filename() or ""
        parent_file = file.beside(named)
        if parent_file is None or depth >= MAX_PARENTS:
            data.close()
            raise NotOpened(
                f"a differencing disk whose parent “{named}” is not beside it: put the parent there and scan again", Status.UNREADABLE
            )
        parent = open_vhd(parent_file, depth + 1)
        _join(disk, parent, image, disk.get_parent_identifier(), parent.facts["identifier"])
    return image


def _join(disk: Any, parent: Image, image: Image, wanted: str, found: str) -> None:
    """Hang ``parent`` under ``disk``; its files and problems become the image's."""
    if wanted and found and str(wanted).lower() != found.lower():
        image.problems.append(Problem(f"the parent {parent.files[0]} has identifier {found}, the disk asks for {wanted}", Status.FAILED))
    data = parent.data
    assert isinstance(data, NativeBytes)
    try:
        disk.set_parent(data.handle)
    except (OSError, RuntimeError, ValueError) as error:
        raise NotOpened(f"the parent {parent.files[0]} does not fit: {plain_reason(error)}") from error
    assert isinstance(image.data, NativeBytes)
    image.data.keep(data)
    image.files += parent.files
    image.problems += parent.problems


def open_udif(file: ImageFile) -> Image:
    """An Apple disk image: UDIF (``koly`` trailer, compressed or not) or a sparse image. Raises ``NotOpened`` where it cannot be read."""
    import pymodi

    disk = pymodi.handle()
    stream = file.open()
    try:
        disk.open_file_object(stream)
        size = disk.get_media_size()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        stream.close()
        raise NotOpened(f"the Apple disk image is damaged or uses a compression this program cannot read: {plain_reason(error)}") from error
    return Image("udif", NativeBytes(disk, size, also_close=[stream]), [str(file)])
