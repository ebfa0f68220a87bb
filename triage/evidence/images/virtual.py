"""Virtual disks and Apple disk images through libyal: VHD, VHDX, QCOW, UDIF and sparse images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import NativeBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.unlock import Secret

MAX_PARENTS = 32


def _beside(path: Path, name: str) -> Path | None:
    """The file a disk names as its parent, looked for beside it by its last part only: a path inside evidence is not followed
    elsewhere, for it may name any file of the examining computer."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].split("\0")[0]
    candidate = path.with_name(last) if last not in ("", ".", "..") else path
    return candidate if candidate != path and candidate.is_file() else None


def open_vhd(path: Path, secrets: Sequence[Secret] = (), depth: int = 0) -> Image:
    """A VHD or VHDX, its parents included. Raises ``NotOpened`` where it cannot be read."""
    import pyvhdi

    disk = pyvhdi.file()
    try:
        disk.open(str(path))
        size, kind = disk.get_media_size(), disk.get_disk_type()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    with path.open("rb") as stream:
        form = "vhdx" if stream.read(8) == b"vhdxfile" else "vhd"
    types = {pyvhdi.disk_types.FIXED: "fixed", pyvhdi.disk_types.DYNAMIC: "dynamic", pyvhdi.disk_types.DIFFERENTIAL: "differencing"}
    image = Image(form, NativeBytes(disk, size), [str(path)], {"disk type": types.get(kind, str(kind))}, sector=disk.get_bytes_per_sector())
    image.facts["identifier"] = str(disk.get_identifier())
    if kind == pyvhdi.disk_types.DIFFERENTIAL:
        named = disk.get_parent_filename() or ""
        parent_path = _beside(path, named)
        if parent_path is None or depth >= MAX_PARENTS:
            disk.close()
            raise NotOpened(
                f"a differencing disk whose parent “{named}” is not beside it: put the parent there and scan again", Status.UNREADABLE
            )
        parent = open_vhd(parent_path, secrets, depth + 1)
        _join(disk, parent, image, disk.get_parent_identifier(), parent.facts["identifier"])
    return image


def open_qcow(path: Path, secrets: Sequence[Secret] = (), depth: int = 0) -> Image:
    """A QCOW, QCOW2 or QCOW3 image, its backing file included. Raises ``NotOpened`` where it cannot be read or no secret decrypts it."""
    import pyqcow

    with path.open("rb") as stream:
        header = stream.read(40)
    version = int.from_bytes(header[4:8], "big")
    method = int.from_bytes(header[32:36] if version > 1 else header[36:40], "big")
    passwords = [secret.value for secret in secrets if secret.kind == "password"]
    if method == 1 and not passwords:
        raise NotOpened("an encrypted QCOW image, and no password was given", Status.ENCRYPTED)
    if method == 2:
        raise NotOpened("a QCOW image whose content is encrypted with LUKS; this program cannot open it", Status.ENCRYPTED)
    disk = pyqcow.file()
    try:
        if method == 1:  # this encryption has no check of the password: of several the first is taken
            disk.set_password(passwords[0])
        disk.open(str(path))
        size, backing, locked = disk.get_media_size(), disk.get_backing_filename(), disk.is_locked()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    if locked:
        disk.close()
        raise NotOpened("an encrypted QCOW image; no password was given that opens it", Status.ENCRYPTED)
    image = Image("qcow", NativeBytes(disk, size), [str(path)], {"format version": str(version)})
    if method == 1:
        image.facts["encryption"] = "AES, opened with the first password given; whether it is the right one the format does not tell"
    if backing:
        parent_path = _beside(path, backing)
        if parent_path is None or depth >= MAX_PARENTS:
            disk.close()
            raise NotOpened(f"an overlay whose backing file “{backing}” is not beside it: put it there and scan again", Status.UNREADABLE)
        with parent_path.open("rb") as stream:
            if stream.read(4) != b"QFI\xfb":
                disk.close()
                raise NotOpened(f"an overlay on “{parent_path.name}”, which is not a QCOW image; this program cannot join them")
        _join(disk, open_qcow(parent_path, secrets, depth + 1), image)
    return image


def _join(disk: Any, parent: Image, image: Image, wanted: str = "", found: str = "") -> None:
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


def open_udif(path: Path, secrets: Sequence[Secret] = ()) -> Image:
    """An Apple disk image: UDIF (``koly`` trailer, compressed or not) or a sparse image. Raises ``NotOpened`` where it cannot be read."""
    import pymodi

    disk = pymodi.handle()
    try:
        disk.open(str(path))
        size = disk.get_media_size()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the Apple disk image is damaged or uses a compression this program cannot read: {plain_reason(error)}") from error
    return Image("udif", NativeBytes(disk, size), [str(path)])
