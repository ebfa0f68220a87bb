"""APFS, read by libfsapfs: the volumes of a container, and the file system of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyfsapfs

from triage.evidence.bytesource import ByteStream
from triage.evidence.filesystems import tree
from triage.evidence.filesystems.libyal import LibyalFilesystem
from triage.evidence.model import ByteSource, Volume

MAX_VOLUMES = 100


@dataclass(frozen=True, slots=True)
class ContainerVolume:
    """A volume as its container lists it. ``index`` counts from 0; ``uuid`` as text; ``encrypted``: a password is needed."""

    index: int
    name: str | None
    uuid: str
    encrypted: bool


def _container(data: ByteSource) -> tuple[Any, Any]:
    stream, container = ByteStream(data), pyfsapfs.container()
    container.open_file_object(stream)
    return container, stream


def container_volumes(data: ByteSource) -> list[ContainerVolume]:
    """The volumes in the container on ``data``, in its order. Raises ``OSError`` where the container cannot be opened."""
    container, _stream = _container(data)
    volumes = []
    for index in range(min(int(container.number_of_volumes), MAX_VOLUMES)):
        volume = container.get_volume(index)
        volumes.append(ContainerVolume(index, volume.name, str(volume.identifier), bool(volume.is_locked())))
    return volumes


def open_volume(data: ByteSource, volume: Volume, secrets: Sequence[object] = ()) -> ApfsFilesystem:
    """The file system of ``volume``, whose id ends in its number in the container, counted from 1 (``v2.1``).

    A container that is itself the volume stands for its first one. Raises ``OSError`` with a plain reason.
    """
    number = volume.id.rpartition(".")[2]
    index = int(number) - 1 if volume.scheme == "apfs container" and number.isdigit() else 0
    return ApfsFilesystem(data, index, secrets)


class ApfsFilesystem(LibyalFilesystem):
    """A ``Filesystem`` on volume ``index`` of the container on ``data``, opened with the first of ``secrets`` that fits.

    Names are looked up without regard to case, which is right for the volumes macOS makes by default; an exact match goes first.
    Raises ``OSError`` where there is no such volume, it is locked, or the library does not open it.
    """

    def __init__(self, data: ByteSource, index: int, secrets: Sequence[object] = ()) -> None:
        container, stream = _container(data)
        if not 0 <= index < int(container.number_of_volumes):
            raise OSError(f"the container has no volume {index + 1}")
        volume = container.get_volume(index)
        locked = bool(volume.is_locked())
        if locked and not _unlock(volume, secrets):
            raise OSError(f"the volume is encrypted{f': none of {len(secrets)} secrets opens it' if secrets else ''}")
        super().__init__(
            "apfs", volume.name, volume, tree.composed_any_case, "identifier", volume.get_file_entry_by_identifier, (container, stream),
            plain=not locked,
        )  # fmt: skip


def _unlock(volume: Any, secrets: Sequence[object]) -> bool:
    for secret in secrets:
        value = getattr(secret, "value", secret)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str) or getattr(secret, "kind", "") == "keyfile":
            continue
        for offer in (volume.set_password, volume.set_recovery_password):
            try:
                offer(value)
                if volume.unlock():
                    return True
            except (OSError, ValueError):
                continue
    return False
