"""Opening a source of evidence: a folder, a device, or an image in any of the known containers. Everything is opened read-only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import plain_reason
from triage.evidence.device import is_device, open_device
from triage.evidence.images import Image, NotOpened, kind_of, open_image, open_virtual_disk
from triage.evidence.images.place import EvidenceImage
from triage.evidence.live_windows import NOT_RAW, Drive, drive_of
from triage.evidence.model import ByteSource, Filesystem, Source, Volume
from triage.evidence.unlock import Secret

if TYPE_CHECKING:
    from triage.evidence.volumes import VolumeFinder

__all__ = ["Secret", "check_source", "open_inside", "open_source"]


def check_source(path: str | Path) -> bool:
    """True where ``path`` is a device of the running computer, False for a folder or an image file.

    Opens it for a moment and reads nothing. Raises ``FileNotFoundError``, ``PermissionError`` or another ``OSError`` whose text is a
    plain sentence.
    """
    name = os.fspath(path)
    try:
        if is_device(name):
            os.close(os.open(name, os.O_RDONLY))
            return True
        where = Path(name)
        if where.is_dir():
            os.scandir(where).close()
        elif where.is_file():
            where.open("rb").close()
        elif where.exists() or where.is_symlink():
            raise OSError(f"{name} is neither a folder, a file nor a disk")
        else:
            raise FileNotFoundError(f"there is no {name}")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no {name}") from error
    except PermissionError as error:
        raise PermissionError(f"{name} may not be read by this user; start again with administrator rights") from error
    except OSError as error:
        raise OSError(f"{name} cannot be read: {error.strerror}" if error.strerror else str(error)) from error
    return False


def open_source(path: str | Path, *, secrets: Sequence[Secret] = (), live: bool = False, shadows: bool = False) -> Source:
    """The source named by ``path``, told by its content: a folder, a device, a split or whole raw image, E01, VHD, VHDX, VMDK, QCOW or
    an Apple disk image. Segments, extents and parents are looked for beside the file named.

    ``secrets`` are tried on encrypted volumes. ``live``: a folder is the root of a drive of the running computer.
    ``shadows``: shadow copies are volumes to be read, not only listed. Raises as
    ``check_source``. A container that is damaged beyond opening is returned with one volume that says so.
    """
    name = os.fspath(path)
    device = check_source(name)
    if live and (drive := drive_of(name)) is not None:
        return _live_drive(drive, name, secrets, shadows)
    if device:
        return ImageSource(name, open_device(name), secrets, shadows=shadows)
    where = Path(name).absolute()
    if where.is_dir():
        return FolderSource(where, "live" if live else "folder")
    try:
        return ImageSource(str(where), open_image(where, secrets), secrets, shadows=shadows)
    except NotOpened as error:
        return FailedSource(str(where), error)


def _live_drive(drive: Drive, name: str, secrets: Sequence[Secret], shadows: bool) -> Source:
    source: ImageSource | FolderSource
    try:
        source = ImageSource(name, open_device(drive.device), secrets, shadows=shadows)
        if not any(volume.status is Status.PARSED for volume in source.volumes()):
            source.close()
            raise OSError("no file system that can be read raw")
    except OSError as error:
        source = FolderSource(Path(name), "live")
        source.problems.append(Problem(f"{NOT_RAW} ({error.strerror or error})", Status.UNREADABLE))
    source.kind = "live"
    source.facts = {**drive.facts(), **source.facts}
    return source


def open_inside(filesystem: Filesystem, path: str, *, prefix: str, secrets: Sequence[Secret] = (), shadows: bool = False) -> Source:
    """The virtual disk that lies at ``path`` of a file system inside the evidence, its extents and parents looked for there.

    Told by its content: VHD, VHDX, VMDK, QCOW, VDI, an Apple disk image, else taken as it is. The ids of its volumes begin with ``prefix``, their descriptions with ``path``. One that
    cannot be opened is returned with one volume that says why.
    """
    entry = filesystem.lookup(path)
    source: ImageSource | FailedSource
    try:
        if entry is None or entry.kind != "file":
            raise NotOpened("it is not there")
        file = EvidenceImage(filesystem, entry)
        kind = kind_of(file)
        if kind == "ewf":
            raise NotOpened("it is an image made by an examiner, not a virtual disk: scan it by itself", Status.UNRECOGNISED)
        # A fixed disk whose footer is gone, and an extent without its descriptor, are raw.
        image = Image("raw", file.data(), [path]) if kind == "raw" else open_virtual_disk(file, kind, secrets)
        source = ImageSource(path, image, secrets, shadows=shadows, prefix=prefix)
    except NotOpened as error:
        source = FailedSource(path, error, prefix=prefix)
    except OSError as error:
        source = FailedSource(path, NotOpened(plain_reason(error)), prefix=prefix)
    for volume in source.volumes():
        volume.description = f"{path} ▸ {volume.description}"
    return source


class FolderSource:
    """A folder, or the root of a live drive: one volume with a file system and no bytes."""

    def __init__(self, root: Path, kind: str) -> None:
        self.kind = kind
        self.path = str(root)
        self.size: int | None = None
        self.files: Sequence[str] = ()
        self.facts: dict[str, str] = {}
        self.stored_hashes: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.bytes: ByteSource | None = None
        self._root = root
        self._volumes = [Volume("v1", 0, 0, "folder", "a folder" if kind == "folder" else "a drive of this computer", filesystem="folder")]

    def volumes(self) -> list[Volume]:
        """The one volume."""
        return self._volumes

    def volume_bytes(self, volume: Volume) -> ByteSource:
        """Raises ``OSError``: a folder has no bytes of its own."""
        raise OSError("a folder has no bytes of its own")

    def filesystem(self, volume: Volume, *, careful: bool = False) -> Filesystem:
        """The folder's tree. Raises ``OSError`` where the folder can no longer be read."""
        from triage.evidence.filesystems.folder import FolderFilesystem

        return FolderFilesystem(self._root)

    def close(self) -> None:
        """Nothing to let go of."""


class ImageSource:
    """An image or a device. ``stored_hashes`` are the digests its container keeps of the media, by name, for verification. ``prefix``: what the
    ids of its volumes begin with."""

    def __init__(self, path: str, image: Image, secrets: Sequence[Secret], *, shadows: bool = False, prefix: str = "") -> None:
        self.kind = image.kind
        self.path = path
        self.size: int | None = image.data.size
        self.files: Sequence[str] = image.files
        self.facts = image.facts
        self.stored_hashes = image.stored_hashes
        self.problems = image.problems
        self.bytes: ByteSource | None = image.data
        self._image = image
        self._secrets = tuple(secrets)
        self._shadows = shadows
        self._prefix = prefix
        self._finder: VolumeFinder | None = None

    def _found(self) -> VolumeFinder:
        if self._finder is None:
            from triage.evidence.volumes import VolumeFinder

            finder = VolumeFinder(self._image, self._secrets, shadows=self._shadows, prefix=self._prefix)
            finder.find()
            self.facts.update(finder.facts)
            self.problems += finder.problems
            self._finder = finder
        return self._finder

    def volumes(self) -> list[Volume]:
        """Every volume, nested ones after the one they lie in. Computed once."""
        return self._found().volumes

    def volume_bytes(self, volume: Volume) -> ByteSource:
        """The (decrypted) bytes of a volume; of an APFS volume, those of its container."""
        return self._found().data[volume.id]

    def filesystem(self, volume: Volume, *, careful: bool = False) -> Filesystem:
        """The file system of a volume whose status is PARSED. Raises ``OSError`` with a plain reason where it cannot be opened."""
        if volume.status is not Status.PARSED:
            raise OSError(volume.reason or "this volume has no file system to read")
        from triage.evidence.filesystems import open_filesystem

        return open_filesystem(self.volume_bytes(volume), volume, self._secrets, careful=careful)

    def close(self) -> None:
        """Let go of everything. Safe to call twice."""
        if self._finder is not None:
            self._finder.close()
        self._image.data.close()


class FailedSource:
    """A container that was recognised and cannot be opened: one volume that says why."""

    def __init__(self, path: str, error: NotOpened, *, prefix: str = "") -> None:
        reason, status = str(error), error.status
        self.kind = error.kind
        self.path = path
        self.size: int | None = None
        self.files: Sequence[str] = [path]
        self.facts: dict[str, str] = {}
        self.stored_hashes: dict[str, str] = {}
        self.problems = [Problem(reason, status)]
        self.bytes: ByteSource | None = None
        encrypted = "qcow" if status is Status.ENCRYPTED else None
        self._volumes = [Volume(f"{prefix}v1", 0, 0, "none", "the whole source", encrypted=encrypted, status=status, reason=reason)]

    def volumes(self) -> list[Volume]:
        """The one volume, which was not opened."""
        return self._volumes

    def volume_bytes(self, volume: Volume) -> ByteSource:
        """Raises ``OSError`` with the reason."""
        raise OSError(volume.reason)

    def filesystem(self, volume: Volume, *, careful: bool = False) -> Filesystem:
        """Raises ``OSError`` with the reason."""
        raise OSError(volume.reason)

    def close(self) -> None:
        """Nothing to let go of."""
