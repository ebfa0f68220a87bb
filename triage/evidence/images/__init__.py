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
    if head.startswith(_EWF):
        from triage.evidence.images.ewf import open_ewf

        return open_ewf(path)
    # A fixed VHD is raw with a footer, and its footer may be 511 bytes long.
    if head.startswith((b"vhdxfile", b"conectix")) or tail.startswith(b"conectix") or tail[1:9] == b"conectix":
        from triage.evidence.images.virtual import open_vhd

        return open_vhd(path)
    if head.startswith(_VMDK):
        from triage.evidence.images.vmdk import open_vmdk

        return open_vmdk(path)
    if head.startswith(b"QFI\xfb"):
        from triage.evidence.images.virtual import open_qcow

        return open_qcow(path, secrets)
    if tail.startswith(b"koly") or head.startswith(b"sprs"):
        from triage.evidence.images.virtual import open_udif

        return open_udif(path)
    from triage.evidence.images.raw import open_raw

    return open_raw(path)
