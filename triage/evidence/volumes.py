"""Finding every volume on a source: partitions, logical volumes, volumes inside encrypted ones, and what lies between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import ByteStream, NativeBytes, SliceBytes, overlapping, plain_reason
from triage.evidence.encryption import detect, measure
from triage.evidence.filesystems import identify, open_filesystem
from triage.evidence.images.image import Image
from triage.evidence.model import ByteSource, Volume
from triage.evidence.partitions import Partition, PartitionTable, apm, bsd, read_partitions
from triage.evidence.recognise import name_file
from triage.evidence.unlock import Secret, unlock

MAX_VOLUMES = 1000
MAX_DEPTH = 5
"""A partition, LUKS in it, LVM in that, a partition table in a logical volume: real nesting ends about there."""
MIN_GAP = 1 << 20
TRACK = 63 * 512
MAX_SHADOW_COPIES = 64 * 8
_BSD_TYPES = {"0xa5", "0xa6", "0xa9", "516e7cb4-6ecf-11d6-8ff8-00022d09712b", "9d087404-1ca5-11dc-8817-01301bb8a9f5",
              "3d48ce54-1d16-11dc-8696-01301bb8a9f5", "824cc7a0-36a8-11e3-890a-952519ad3f61"}  # fmt: skip
_NATIVE_ERRORS = (OSError, RuntimeError, ValueError, MemoryError, TypeError)


class VolumeFinder:
    """The volumes of an opened image. ``shadows``: shadow copies are to be read like volumes, else they are only listed. ``prefix``: what the
    ids begin with, for a virtual disk inside another volume (``v1.d1.``).

    After ``find()``: ``volumes`` in order, nested ones after the one they lie in; ``data`` the (decrypted) bytes of each by id;
    ``problems`` of the partition tables; ``facts`` they state. ``close`` lets go of what was opened on the way.
    """

    def __init__(self, image: Image, secrets: Sequence[Secret], *, shadows: bool = False, prefix: str = "") -> None:
        self.volumes: list[Volume] = []
        self.data: dict[str, ByteSource] = {}
        self.problems: list[Problem] = []
        self.facts: dict[str, str] = {}
        self._image = image
        self._secrets = secrets
        self._shadows = shadows
        self._ids = f"{prefix}v"
        self._opened: list[ByteSource] = []
        self._groups: dict[str, list[tuple[Volume, ByteSource]]] = {}  # LVM physical volumes by their group

    def find(self) -> None:
        """Look. Never raises for what the bytes hold."""
        data = self._image.data
        first = f"{self._ids}1"
        if data.size == 0:
            self.volumes.append(Volume(first, 0, 0, "none", status=Status.EMPTY, reason="the source holds no bytes"))
            self.data[first] = data
            return
        table = read_partitions(data, self._image.sector)
        whole = identify(data) if table else None
        if table is None:
            self._add(first, data, 0, data.size, "none", "the whole source", 0)
        else:
            # A hybrid disc image has a file system over the whole and a table for machines that start from sticks.
            if whole and whole[0] in ("iso9660", "udf"):
                self._add(first, data, 0, data.size, "none", "the whole source", 0)
            self._add_table(table, self._ids, data, 0)
        if not self.volumes:
            reason = "a partition table without partitions"
            self.volumes.append(
                Volume(first, 0, data.size, table.scheme if table else "none", "the whole source", status=Status.EMPTY, reason=reason)
            )
            self.data[first] = data
        self._join_groups()
        self.volumes.sort(key=lambda volume: [int(part) for part in volume.id.removeprefix(self._ids).split(".")])

    def close(self) -> None:
        """Let go of every handle opened on the way. Safe to call twice."""
        while self._opened:
            self._opened.pop().close()

    def _add_table(self, table: PartitionTable, prefix: str, data: ByteSource, depth: int, base: int | None = 0) -> None:
        """The partitions of a table and the larger gaps between them, as volumes ``prefix``1, 2, … in order of their place.

        ``base``: where ``data`` starts on the source; None where it is no plain range of it.
        """
        if depth == 0:
            self.facts.update(table.facts)
        self.problems += table.problems
        number = 0
        seen: dict[tuple[int, int], str] = {}
        partitions = sorted([*table.partitions, *table.also], key=lambda partition: (partition.offset, partition.number))
        gaps = _gaps(partitions, data.size, table.backup)
        places: list[Partition | tuple[int, int]] = sorted([*partitions, *gaps], key=lambda p: p[0] if isinstance(p, tuple) else p.offset)
        whole_disc = bool(self.volumes) and depth == 0
        if whole_disc:
            number = 1
        for place in places:
            if len(self.volumes) >= MAX_VOLUMES:
                self.problems.append(Problem(f"more than {MAX_VOLUMES} volumes; the rest were left out"))
                return
            if isinstance(place, tuple):
                if whole_disc:
                    continue
                number += 1
                self._add_gap(f"{prefix}{number}", data, *place, base)
                continue
            if whole_disc and (place.offset == 0 or apm.is_housekeeping(place.type)):
                continue
            number += 1
            volume_id = f"{prefix}{number}"
            twin = seen.get((place.offset, place.length))
            volume = self._add(volume_id, data, place.offset, place.length, place.scheme, place.description, depth, base, place, twin)
            seen.setdefault((place.offset, place.length), volume.id)

    def _add(
        self, volume_id: str, data: ByteSource, offset: int, length: int, scheme: str, description: str, depth: int, base: int | None = 0,
        partition: Partition | None = None, twin: str | None = None,
    ) -> Volume:  # fmt: skip
        volume = _volume(volume_id, base, offset, length, scheme, description)
        self.volumes.append(volume)
        part: ByteSource = data if offset == 0 and length == data.size else SliceBytes(data, offset, length)
        self.data[volume_id] = part
        if length <= 0 or offset >= data.size:
            volume.status = Status.UNREADABLE if length > 0 else Status.EMPTY
            volume.reason = "it lies wholly beyond the end of the image" if length > 0 else "it has no length"
            volume.problems.append(Problem(volume.reason, volume.status, f"offset={volume.offset}"))
            return volume
        if offset + length > data.size:
            missing = offset + length - data.size
            volume.problems.append(
                Problem(
                    f"its last {missing} of {length} bytes lie beyond the end of the image",
                    Status.UNREADABLE,
                    f"offset={volume.offset + part.size}",
                )
            )
        if twin is not None:
            volume.status, volume.reason = Status.SKIPPED, f"the partition table lists the same place twice; see {twin}"
        elif partition is not None and partition.scheme == "apm" and apm.is_housekeeping(partition.type):
            volume.status, volume.reason = Status.SKIPPED, "holds no volume: it belongs to the partition map"
        elif (
            partition is not None
            and partition.type in _BSD_TYPES
            and (label := bsd.read(part, volume.offset)) is not None
            and depth < MAX_DEPTH
        ):
            self._hold(volume, "a BSD disklabel; its partitions")
            self._add_table(label, f"{volume_id}.", part, depth + 1, volume.offset)
        else:
            self._examine(volume, part, depth)
        if volume.status is Status.EMPTY and part.size < length:
            volume.status = Status.UNREADABLE
            volume.reason = f"only its first {part.size} of {length} bytes are in the image: {volume.reason}"
        return volume

    def _add_gap(self, volume_id: str, data: ByteSource, offset: int, length: int, base: int | None) -> None:
        """Space between partitions: a file system or an encrypted volume may lie there all the same."""
        volume = _volume(volume_id, base, offset, length, "unpartitioned", "space in no partition")
        self.volumes.append(volume)
        # Where a partition was removed, its file system starts at the gap's start, a track later (old tools) or at a mebibyte (new ones).
        for start in dict.fromkeys((offset, offset + TRACK, -(-offset // MIN_GAP) * MIN_GAP, (offset // MIN_GAP + 1) * MIN_GAP)):
            part = SliceBytes(data, start, offset + length - start)
            if part.size and (detect(part) or identify(part)):
                words = "space in no partition, with the start of a volume: perhaps a removed partition"
                found = _volume(volume_id, base, start, part.size, "unpartitioned", words)
                self.volumes[-1] = volume = found
                self.data[volume_id] = part
                self._examine(volume, part, MAX_DEPTH)
                return
        part = SliceBytes(data, offset, length)
        self.data[volume_id] = part
        if offset + length > data.size:
            volume.status = Status.UNREADABLE
            volume.reason = f"unpartitioned space of which {offset + length - max(data.size, offset)} bytes are missing from the image"
            return
        noise = measure(part)
        if noise.random:
            self._possible_container(volume, noise.samples)
        elif noise.constant is not None:
            volume.status, volume.reason = Status.EMPTY, _constant_words(noise.constant, noise.samples)
        else:
            volume.status = Status.SKIPPED
            volume.reason = "unpartitioned space without a file system; remnants of earlier files in it are not searched in this profile"

    def _examine(self, volume: Volume, data: ByteSource, depth: int) -> None:
        """Decide what a volume holds and fill in its status; nested volumes are added behind it."""
        plain = data if volume.scheme != "lvm" else None
        encryption = detect(data)
        if encryption is not None:
            volume.encrypted = encryption.kind
            outcome = unlock(data, encryption, self._secrets)
            if outcome.data is None:
                volume.status = Status.ENCRYPTED
                volume.reason = f"{encryption.detail}: {outcome.reason}"
                return
            volume.unlocked = True
            volume.description += f"; {encryption.detail}, opened {outcome.how}"
            data = self.data[volume.id] = outcome.data
            self._opened.append(data)
        nested = depth < MAX_DEPTH
        if nested and self._is_lvm(data):
            self._note_group(volume, data)
            return
        found = identify(data)
        if found is not None:
            volume.filesystem, volume.label = found
            if found[0] == "apfs":
                self._apfs(volume, data)
            elif not _can_walk(found[0]):
                swap = found[0] == "swap"
                volume.status = Status.SKIPPED if swap else Status.UNREADABLE
                volume.reason = "swap space: holds no files" if swap else f"{found[0]} is recognised but this program cannot read it"
            elif found[0] == "ntfs" and nested:
                self._shadow_copies(volume, data)
            return
        if nested and volume.scheme != "none" and (table := read_partitions(data, self._image.sector, volume.offset)) and table.partitions:
            self._hold(volume, "a partition table of its own; its partitions")
            self._add_table(table, f"{volume.id}.", data, depth + 1, volume.offset if data is plain else None)
            return
        self._unknown(volume, data)

    def _unknown(self, volume: Volume, data: ByteSource) -> None:
        lost = overlapping(data.errors, 0, 1 << 20)
        noise = measure(data)
        head = data.read_at(0, 512)
        if lost:
            volume.status, volume.reason = Status.UNREADABLE, f"its first sectors cannot be read: {lost[0].reason}"
        elif noise.constant is not None:
            volume.status, volume.reason = Status.EMPTY, _constant_words(noise.constant, noise.samples)
        elif (named := name_file(data)) is not None:
            volume.status, volume.reason = Status.UNRECOGNISED, named
        elif noise.random:
            self._possible_container(volume, noise.samples)
        elif volume.scheme == "none" and head[510:512] == b"\x55\xaa" and not any(head[446:510]):
            volume.status, volume.reason = Status.UNRECOGNISED, "a partition table without partitions, and no file system"
        else:
            volume.status = Status.UNRECOGNISED
            volume.reason = "no known container, partition table, file system or encryption was recognised"

    def _possible_container(self, volume: Volume, samples: int) -> None:
        volume.encrypted = "possible container"
        volume.status = Status.ENCRYPTED
        volume.reason = (
            f"no signature, and all {samples} samples look like random bytes: consistent with an encrypted volume such as VeraCrypt, "
            "or with wiped or random data"
        )

    def _hold(self, volume: Volume, what: str) -> None:
        volume.status, volume.reason = Status.SKIPPED, f"holds {what} are listed as {volume.id}.1 and following"

    def _child(self, parent: Volume, number: int, scheme: str, length: int, description: str, data: ByteSource) -> Volume:
        child = Volume(f"{parent.id}.{number}", 0, length, scheme, description)
        self.volumes.append(child)
        self.data[child.id] = data
        return child

    def _apfs(self, volume: Volume, data: ByteSource) -> None:
        from triage.evidence.filesystems.apfs import container_volumes

        try:
            members = container_volumes(data)
        except _NATIVE_ERRORS as error:
            volume.status, volume.reason = Status.UNREADABLE, f"the APFS container cannot be opened: {plain_reason(error)}"
            return
        if not members:
            volume.status, volume.reason = Status.EMPTY, "an APFS container without volumes"
            return
        self._hold(volume, "an APFS container; its volumes")
        for member in members[: MAX_VOLUMES - len(self.volumes)]:
            child = self._child(volume, member.index + 1, "apfs container", data.size, f"APFS volume {member.uuid}", data)
            child.filesystem, child.label = "apfs", member.name
            if member.encrypted:
                child.encrypted = "apfs"
                self._unlock_apfs(child, data)

    def _unlock_apfs(self, volume: Volume, data: ByteSource) -> None:
        count = len(self._secrets)
        if count:
            try:
                open_filesystem(data, volume, self._secrets).close()
                volume.unlocked = True
                return
            except _NATIVE_ERRORS:
                pass
        volume.status = Status.ENCRYPTED
        tried = "no password or recovery key was given" if not count else f"none of the {count} secrets given opens it"
        volume.reason = f"an encrypted APFS volume: {tried if count != 1 else 'the secret given does not open it'}"

    def _shadow_copies(self, volume: Volume, data: ByteSource) -> None:
        import pyvshadow

        stream = ByteStream(data)
        try:
            if not pyvshadow.check_volume_signature_file_object(stream):
                return
            shadows = pyvshadow.volume()
            shadows.open_file_object(stream)
            count = shadows.get_number_of_stores()
        except _NATIVE_ERRORS as error:
            volume.problems.append(Problem(f"its shadow copies cannot be listed: {plain_reason(error)}", Status.UNREADABLE))
            return
        if count > MAX_SHADOW_COPIES:
            volume.problems.append(Problem(f"{count} shadow copies; {MAX_SHADOW_COPIES} were listed"))
        for number in range(min(count, MAX_SHADOW_COPIES, MAX_VOLUMES - len(self.volumes))):
            try:
                store = shadows.get_store(number)
                made, size, name = store.get_creation_time(), store.get_volume_size(), store.get_identifier()
            except _NATIVE_ERRORS as error:
                volume.problems.append(Problem(f"shadow copy {number + 1} cannot be read: {plain_reason(error)}", Status.UNREADABLE))
                continue
            shown = NativeBytes(store, size, also_close=[shadows, stream] if number == 0 else [])
            self._opened.append(shown)
            child = self._child(volume, number + 1, "vss", size, f"shadow copy of {made:%Y-%m-%dT%H:%M:%SZ}, {name}", shown)
            child.filesystem = "ntfs"
            if not self._shadows:
                child.status, child.reason = Status.SKIPPED, "listed; not scanned in this profile"

    @staticmethod
    def _is_lvm(data: ByteSource) -> bool:
        """An LVM2 physical volume has its label in one of the first four sectors. Format: lvm2 lib/label/label.h."""
        head = data.read_at(0, 2048)
        return any(head[at : at + 8] == b"LABELONE" and head[at + 24 : at + 32] == b"LVM2 001" for at in range(0, len(head), 512))

    def _note_group(self, volume: Volume, data: ByteSource) -> None:
        import pyvslvm

        handle, stream = pyvslvm.handle(), ByteStream(data)
        try:
            handle.open_file_object(stream)
            group = handle.get_volume_group()
            name, identifier = group.get_name(), group.get_identifier()
            handle.close()
        except _NATIVE_ERRORS as error:
            volume.status, volume.reason = (
                Status.UNREADABLE,
                f"an LVM2 physical volume whose metadata cannot be read: {plain_reason(error)}",
            )
            return
        volume.description += f"; LVM2 physical volume of group {name}"
        self._groups.setdefault(str(identifier), []).append((volume, data))

    def _join_groups(self) -> None:
        """Open the volume groups once all their physical volumes on this source are known; logical volumes may hold groups again."""
        while self._groups:
            members = self._groups.pop(next(iter(self._groups)))
            self._open_group(members)

    def _open_group(self, members: list[tuple[Volume, ByteSource]]) -> None:
        import pyvslvm

        volume = members[0][0]
        handle = pyvslvm.handle()
        streams = [ByteStream(data, strict=True) for _, data in members]
        try:
            handle.open_file_object(streams[0])
            wanted = handle.get_volume_group().get_number_of_physical_volumes()
            handle.open_physical_volume_files_as_file_objects(streams)
            group = handle.get_volume_group()
            for other, _ in members:
                self._hold_group(other, volume, group.get_name())
            if wanted > len(members):
                volume.problems.append(
                    Problem(f"the volume group spans {wanted} disks or partitions, {len(members)} are here: logical volumes on the others are missing",
                            Status.UNREADABLE)
                )  # fmt: skip
            logical = [group.get_logical_volume(number) for number in range(min(group.get_number_of_logical_volumes(), MAX_VOLUMES))]
        except _NATIVE_ERRORS as error:
            for other, _ in members:
                other.status, other.reason = Status.UNREADABLE, f"the LVM2 volume group cannot be opened: {plain_reason(error)}"
            return
        if not logical:
            volume.status, volume.reason = Status.EMPTY, "an LVM2 volume group without logical volumes"
        for number, item in enumerate(logical[: MAX_VOLUMES - len(self.volumes)], start=1):
            self._add_logical(volume, number, item, [handle, *streams], group.get_name())

    def _hold_group(self, volume: Volume, first: Volume, name: str) -> None:
        volume.status, volume.reason = (
            Status.SKIPPED,
            f"part of the LVM2 volume group {name}; its logical volumes are listed as {first.id}.1 and following",
        )

    def _add_logical(self, parent: Volume, number: int, item: Any, keep: list[Any], group: str) -> None:
        try:
            name, size = item.get_name(), item.get_size()
        except _NATIVE_ERRORS as error:
            parent.problems.append(Problem(f"logical volume {number} cannot be read: {plain_reason(error)}", Status.UNREADABLE))
            return
        data = NativeBytes(item, size, also_close=keep if number == 1 else [])
        self._opened.append(data)
        child = self._child(parent, number, "lvm", size, f"logical volume {group}/{name}", data)
        depth = child.id.removeprefix(self._ids).count(".") + 1
        if depth <= MAX_DEPTH:
            self._examine(child, data, depth)
        else:
            child.status, child.reason = Status.SKIPPED, "nested too deeply"


def _volume(volume_id: str, base: int | None, offset: int, length: int, scheme: str, description: str) -> Volume:
    """A volume at ``offset`` of a region that starts at ``base`` of the source; None: the region is no plain range of it."""
    if base is None:
        return Volume(volume_id, 0, length, scheme, f"{description}, at byte {offset} of {volume_id.rpartition('.')[0]}")
    return Volume(volume_id, base + offset, length, scheme, description)


def _gaps(partitions: list[Partition], size: int, backup: tuple[int, int] | None) -> list[tuple[int, int]]:
    """(offset, length) of every stretch longer than ``MIN_GAP`` that lies in no partition and holds no copy of the table."""
    found = []
    position = 0
    end = backup[0] if backup and backup[0] > 0 and size - 512 < backup[1] else size
    for partition in [*partitions, Partition(0, end, 0, "", "", "")]:
        start = min(partition.offset, size)
        if start - position > MIN_GAP:
            found.append((position, start - position))
        position = max(position, partition.offset + partition.length)
    return found


def _constant_words(value: int, samples: int) -> str:
    what = "zeros" if value == 0 else f"the byte 0x{value:02x}"
    return f"nothing but {what} in the {samples} samples read" if samples > 1 else f"nothing but {what} in it"


def _can_walk(kind: str) -> bool:
    """Whether ``open_filesystem`` reads this kind; the others are known by name only."""
    from triage.evidence.filesystems.tsk import TYPES

    return kind in TYPES or kind in ("apfs", "xfs")
