"""VirtualBox disks (VDI). Format: the header's layout in qemu block/vdi.c and in VirtualBox' src/VBox/Storage/VDICore.h, version 1.1.

A header of 512 bytes (signature 0xbeda107f at 64), a table with a number of 32 bits for each block of the disk, the blocks.
"""

from __future__ import annotations

import struct

from artefacts.coverage import Status
from triage.evidence.bytesource import RetryingBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.images.place import ImageFile
from triage.evidence.model import ByteSource

_HEADER = struct.Struct("<4sIII")  # at 64: signature, version, size of the header, kind of disk
_SIZES = struct.Struct("<II")  # at 340: where the table and the blocks begin
_DISK = struct.Struct("<QIII")  # at 368: bytes of the disk, of a block, of what precedes each block, number of blocks
_KINDS = {1: "dynamic", 2: "fixed", 3: "undo", 4: "differencing"}
_FREE = 0xFFFFFFFE  # this and the next: nothing is stored, the block is zeros
_MAX_TABLE = 256 << 20
_UUID = slice(392, 408)


class VdiBytes(RetryingBytes):
    """The bytes of the disk. Closes ``file``."""

    def __init__(self, file: ByteSource, size: int, block: int, extra: int, start: int, table: bytes) -> None:
        super().__init__(size)
        self._file, self._block, self._extra, self._start, self._table = file, block, extra, start, table

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length > 0:
            number, inside = divmod(offset, self._block)
            count = min(length, self._block - inside)
            (place,) = struct.unpack_from("<I", self._table, number * 4)
            if place >= _FREE:
                pieces.append(bytes(count))
            else:
                data = self._file.read_at(self._start + place * (self._block + self._extra) + self._extra + inside, count)
                if len(data) != count:
                    raise OSError("it lies beyond the end of the image file, which is cut short")
                pieces.append(data)
            offset += count
            length -= count
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        self._file.close()


def open_vdi(file: ImageFile) -> Image:
    """A dynamic or fixed VDI. Raises ``NotOpened`` where it cannot be read, or holds only the changes to another disk."""
    data = file.data()
    try:
        head = data.read_at(0, 512)
        _, version, _, kind = _HEADER.unpack_from(head, 64)
        table_at, start = _SIZES.unpack_from(head, 340)
        size, block, extra, count = _DISK.unpack_from(head, 368)
        if version >> 16 != 1:
            raise NotOpened(f"a VirtualBox disk of version {version >> 16}, which this program does not know", Status.UNRECOGNISED)
        if kind not in (1, 2):
            raise NotOpened(
                f"a VirtualBox disk of the kind “{_KINDS.get(kind, kind)}”: it holds only the changes to another; scan the whole chain as one image"
            )
        if not (512 <= block <= 1 << 30 and block % 512 == 0 and extra <= block and 0 < size <= count * block and count * 4 <= _MAX_TABLE):
            raise NotOpened("the virtual disk is damaged: its header states sizes that cannot be")
        table = data.read_at(table_at, count * 4)
        if len(table) != count * 4:
            raise NotOpened("the virtual disk is damaged: its table of blocks is cut short")
    except (struct.error, OSError, NotOpened) as error:
        data.close()
        if isinstance(error, NotOpened):
            raise
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    image = Image("vdi", VdiBytes(data, size, block, extra, start, table), [str(file)], {"disk type": _KINDS[kind]})
    image.facts["identifier"] = head[_UUID].hex()
    return image
