"""Containers of disk images, one module a format. Which one a file is, its content says, not its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from triage.evidence.images.image import Image, NotOpened
from triage.evidence.unlock import Secret

__all__ = ["Image", "NotOpened", "open_image"]

_EWF = (b"EVF\x09\x0d\x0a\xff\x00", b"EVF2\r\n\x81\x00")
_VMDK = (b"KDMV", b"COWD", b"# Disk DescriptorFile")


def open_image(path: Path, secrets: Sequence[Secret] = ()) -> Image:
    """The image in the file ``path``, with the segments, extents and parents beside it.

    A file of no known container is a raw image. Raises ``NotOpened`` for a container that is recognised and cannot be opened, and
    ``OSError`` where the file cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(512)
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 512))
        tail = stream.read(512)
    kind = _kind(head, tail)
    try:
        if kind == "ewf":
            from triage.evidence.images.ewf import open_ewf

            return open_ewf(path)
        if kind == "vmdk":
            from triage.evidence.images.vmdk import open_vmdk

            return open_vmdk(path)
        if kind == "qcow":
            from triage.evidence.images.qcow import open_qcow

            return open_qcow(path, secrets)
        if kind in ("vhd", "vhdx", "udif"):
            from triage.evidence.images import virtual

            return virtual.open_udif(path, secrets) if kind == "udif" else virtual.open_vhd(path, secrets)
    except NotOpened as error:
        error.kind = kind
        raise
    from triage.evidence.images.raw import open_raw

    return open_raw(path)


def _kind(head: bytes, tail: bytes) -> str:
    """The container by its first and last 512 bytes."""
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
    if tail.startswith(b"koly") or head.startswith(b"sprs"):
        return "udif"
    return "raw"
