"""XFS, read by libfsxfs."""

from __future__ import annotations

import pyfsxfs

from triage.evidence.bytesource import ByteStream
from triage.evidence.filesystems import tree
from triage.evidence.filesystems.libyal import LibyalFilesystem
from triage.evidence.model import ByteSource


class XfsFilesystem(LibyalFilesystem):
    """A ``Filesystem`` on ``data``. Raises ``OSError`` where the library does not open it."""

    def __init__(self, data: ByteSource, label: str | None) -> None:
        stream, volume = ByteStream(data), pyfsxfs.volume()
        volume.open_file_object(stream)
        super().__init__("xfs", label, volume, tree.exact, "inode_number", volume.get_file_entry_by_inode, (stream,))
