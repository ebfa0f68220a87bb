"""Containers of disk images, one module a format. Which one a file is, its content says, not its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from triage.evidence.images.image import Image, NotOpened
from triage.evidence.images.place import ImageFile, OwnFile
from triage.evidence.unlock import Secret

__all__ = ["Image", "NotOpened", "kind_of", "open_image", "open_virtual_disk"]

_EWF = (b"EVF\x09\x0d\x0a\xff\x00", b"EVF2\r\n\x81\x00")
_VMDK = (b"KDMV", b"COWD", b"# Disk DescriptorFile")


def open_image(path: Path, secrets: Sequence[Secret] = ()) -> Image:
    """The image in the file ``path``, with the segments, extents and parents beside it.

    A file of no known container is a raw image. Raises ``NotOpened`` for a container that is recognised and cannot be opened, and
    ``OSError`` where the file cannot be read.
    """
    file = OwnFile(path)
    kind = kind_of(file)
    if kind == "ewf":
        from triage.evidence.images.ewf import open_ewf

        with _of_kind(kind):
            return open_ewf(path)
    if kind != "raw":
        return open_virtual_disk(file, kind, secrets)
    from triage.evidence.images.raw import open_raw

    return open_raw(path)


def open_virtual_disk(file: ImageFile, kind: str, secrets: Sequence[Secret] = ()) -> Image:
    """The image in ``file``, a container of the ``kind`` that ``kind_of`` told. Raises as ``open_image``."""
    with _of_kind(kind):
        if kind == "vmdk":
            from triage.evidence.images.vmdk import open_vmdk

            return open_vmdk(file)
        if kind == "qcow":
            from triage.evidence.images.qcow import open_qcow

            return open_qcow(file, secrets)
        if kind == "vdi":
            from triage.evidence.images.vdi import open_vdi

            return open_vdi(file)
        from triage.evidence.images import virtual

        return virtual.open_udif(file) if kind == "udif" else virtual.open_vhd(file)


@contextmanager
def _of_kind(kind: str) -> Iterator[None]:
    try:
        yield
    except NotOpened as error:
        error.kind = kind
        raise


def kind_of(file: ImageFile) -> str:
    """The container that ``file`` is by its first and last 512 bytes: ``ewf``, ``vhdx``, ``vhd``, ``vmdk``, ``qcow``, ``vdi``, ``udif``, or ``raw``.

    Raises ``OSError`` where it cannot be read.
    """
    with file.open() as stream:
        head = stream.read(512)
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 512))
        return _kind(head, stream.read(512))


def _kind(head: bytes, tail: bytes) -> str:
    if head.startswith(_EWF):
        return "ewf"
    if head.startswith(b"vhdxfile"):
        return "vhdx"
    # A fixed VHD is raw with a footer, and old footers are 511 bytes long.
    if head.startswith(b"conectix") or tail.startswith(b"conectix") or tail[1:9] == b"conectix":
        return "vhd"
    if head.startswith(_VMDK):
        return "vmdk"
    if head.startswith(b"QFI\xfb"):
        return "qcow"
    if head[64:68] == b"\x7f\x10\xda\xbe":
        return "vdi"
    if tail.startswith(b"koly") or head.startswith(b"sprs"):
        return "udif"
    return "raw"
