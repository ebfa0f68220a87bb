"""File systems: recognising them, and opening them behind the one contract of ``triage.evidence.model``."""

from __future__ import annotations

from collections.abc import Sequence

from artefacts.coverage import Problem
from triage.evidence.filesystems.signatures import identify
from triage.evidence.model import ByteSource, Filesystem, Volume

__all__ = ["identify", "open_filesystem"]


def open_filesystem(data: ByteSource, volume: Volume, secrets: Sequence[object] = (), *, careful: bool = False) -> Filesystem:
    """The file system on ``data``.

    ``secrets`` (passwords or recovery keys, ``str`` or objects whose ``value`` is one) are tried on an encrypted APFS volume. For an
    APFS container ``volume`` is the volume inside it. NTFS is read by our own fast reader, or by The Sleuth Kit with ``careful`` and where
    ours will not have the volume, which is then among the problems. Raises ``OSError`` with a plain reason where there is none, it is
    damaged beyond opening, locked, or of a kind this program cannot read.
    """
    found = identify(data)
    if found is None:
        raise OSError("no file system is recognised here")
    kind, label = found
    if kind == "apfs":
        from triage.evidence.filesystems.apfs import open_volume

        return open_volume(data, volume, secrets)
    if kind == "xfs":
        from triage.evidence.filesystems.xfs import XfsFilesystem

        return XfsFilesystem(data, label)
    from triage.evidence.filesystems.tsk import TYPES, TskFilesystem

    if kind not in TYPES:
        raise OSError(f"{kind} is recognised but this program cannot read it")
    if kind != "ntfs" or careful:
        return TskFilesystem(data, kind, label)
    from triage.evidence.ntfs.filesystem import NtfsFilesystem

    try:
        return NtfsFilesystem(data, volume)
    except OSError as error:
        fallback = TskFilesystem(data, kind, label)
        fallback.problems.append(Problem(f"the fast NTFS reader cannot read this volume ({error}): The Sleuth Kit reads it instead"))
        return fallback
