"""QCOW, QCOW2 and QCOW3 images. Format: qemu docs/interop/qcow2.rst and, for version 1, qemu block/qcow.c (the layout of its header).

Own reading, because libqcow gives zeros for every compressed cluster of an image, without an error: a disk full of files would pass
for an empty one. It is used for the old AES encryption only.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from artefacts.coverage import Problem, Status
from triage.evidence.bytesource import NativeBytes, RetryingBytes, plain_reason
from triage.evidence.images.image import Image, NotOpened
from triage.evidence.images.place import ImageFile
from triage.evidence.model import ByteSource
from triage.evidence.unlock import Secret

MAGIC = b"QFI\xfb"
MAX_OVERLAYS = 32
MAX_TABLE = 32 << 20
"""Bytes of the first table; QEMU refuses larger ones too."""
CACHED_TABLES = 64
CACHED_CLUSTERS = 16
_CORRUPT, _EXTERNAL, _COMPRESSION, _SUBCLUSTERS = 1 << 1, 1 << 2, 1 << 3, 1 << 4
_KNOWN_FEATURES = 0b11111
_SUBS = 32
_PLACE = (1 << 56) - 512
"""Bits 9 to 55 of an entry: a place in the file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says. Offsets and sizes in bytes; ``method`` is the encryption (0 none, 1 AES, 2 LUKS)."""

    version: int
    size: int
    cluster_bits: int
    l2_bits: int
    l1_offset: int
    l1_count: int
    method: int
    backing: str
    backing_format: str
    features: int
    snapshots: int


def _header(data: ByteSource) -> Header:
    """Raises ``NotOpened`` where the header makes no sense."""
    raw = data.read_at(0, 4096)
    if len(raw) < 48 or not raw.startswith(MAGIC):
        raise NotOpened("the virtual disk is damaged: its header is cut short")
    version, name_at, name_length = struct.unpack_from(">IQI", raw, 4)
    raw = raw.ljust(112, b"\0")
    features = snapshots = 0
    backing_format = ""
    if version == 1:
        size, cluster_bits, l2_bits, method, l1_offset = struct.unpack_from(">QBBxxIQ", raw, 24)
        count = -(-size // (1 << min(cluster_bits + l2_bits, 64)))
    elif version in (2, 3):
        cluster_bits, size, method, count, l1_offset, _, _, snapshots = struct.unpack_from(">IQIIQQII", raw, 20)
        features = struct.unpack_from(">Q", raw, 72)[0] if version == 3 else 0
        l2_bits = cluster_bits - (4 if features & _SUBCLUSTERS else 3)
        length = struct.unpack_from(">I", raw, 100)[0] if version == 3 else 72
        backing_format = _extension(raw, max(length, 72), 0xE2792ACA)
    else:
        raise NotOpened(f"a QCOW image of version {version}, which this program does not know", Status.UNRECOGNISED)
    if not (9 <= cluster_bits <= 22 and 6 <= l2_bits <= 19 and count * 8 <= MAX_TABLE and size < 1 << 62):
        raise NotOpened("the virtual disk is damaged: its header states sizes that cannot be")
    name = data.read_at(name_at, name_length).decode("utf-8", "replace") if name_at and name_length <= 1023 else ""
    return Header(version, size, cluster_bits, l2_bits, l1_offset, count, method, name, backing_format, features, snapshots)


def _extension(raw: bytes, at: int, wanted: int) -> str:
    """The text of a header extension, or nothing."""
    while at + 8 <= len(raw):
        kind, length = struct.unpack_from(">II", raw, at)
        if kind in (0, wanted):
            return raw[at + 8 : at + 8 + length].decode("ascii", "replace") if kind else ""
        at += 8 + -(-length // 8) * 8
    return ""


class QcowBytes(RetryingBytes):
    """The bytes of the disk. ``backing``: what lies under clusters that this file does not hold; zeros where None. Both are closed with it."""

    def __init__(self, file: ByteSource, header: Header, backing: ByteSource | None) -> None:
        super().__init__(header.size)
        self._file = file
        self._header = header
        self._backing = backing
        self._cluster = 1 << header.cluster_bits
        self._l1 = self._table(header.l1_offset, header.l1_count)
        self._lock = threading.Lock()
        self._tables: OrderedDict[int, tuple[int, ...]] = OrderedDict()
        self._inflated: OrderedDict[int, bytes] = OrderedDict()

    def _exact(self, offset: int, length: int) -> bytes:
        data = self._file.read_at(offset, length)
        if len(data) != length:
            raise OSError("it lies beyond the end of the image file, which is cut short")
        return data

    def _table(self, offset: int, count: int) -> tuple[int, ...]:
        return struct.unpack(f">{count}Q", self._exact(offset, count * 8))

    def _read(self, offset: int, length: int) -> bytes:
        pieces = []
        with self._lock:
            while length > 0:
                inside = offset & (self._cluster - 1)
                count = min(length, self._cluster - inside)
                pieces.append(self._part(offset >> self._header.cluster_bits, inside, count))
                offset += count
                length -= count
        return b"".join(pieces)

    def _entry(self, number: int) -> tuple[int, int]:
        """The entry of a cluster and its map of sub-clusters; zeros where nothing is stored."""
        top, low = number >> self._header.l2_bits, number & ((1 << self._header.l2_bits) - 1)
        if top >= len(self._l1):
            raise OSError("the first table of the image is too short for the disk")
        place = self._l1[top] & _PLACE if self._header.version > 1 else self._l1[top]
        if not place:
            return 0, 0
        table = self._tables.get(place)
        wide = 2 if self._header.features & _SUBCLUSTERS else 1
        if table is None:
            table = self._tables[place] = self._table(place, wide << self._header.l2_bits)
            if len(self._tables) > CACHED_TABLES:
                self._tables.popitem(last=False)
        return table[low * wide], table[low * wide + 1] if wide == 2 else 0

    def _part(self, number: int, inside: int, count: int) -> bytes:
        entry, subs = self._entry(number)
        header = self._header
        if header.version == 1:
            if entry >> 63:
                bits = 63 - header.cluster_bits
                return self._unpack(entry & ((1 << bits) - 1), (entry >> bits) & (self._cluster - 1))[inside : inside + count]
            return self._exact(entry + inside, count) if entry else self._below(number, inside, count)
        if entry >> 62 & 1:
            bits = 62 - (header.cluster_bits - 8)
            place = entry & ((1 << bits) - 1)
            sectors = ((entry >> bits) & ((1 << header.cluster_bits - 8) - 1)) + 1
            return self._unpack(place, sectors * 512 - (place & 511))[inside : inside + count]
        place = entry & _PLACE
        if header.features & _SUBCLUSTERS:
            return self._by_subclusters(number, place, subs, inside, count)
        if entry & 1:
            return bytes(count)
        return self._exact(place + inside, count) if place else self._below(number, inside, count)

    def _by_subclusters(self, number: int, place: int, subs: int, inside: int, count: int) -> bytes:
        size = self._cluster // _SUBS
        pieces = []
        while count > 0:
            index = inside // size
            part = min(count, (index + 1) * size - inside)
            if subs >> (_SUBS + index) & 1:
                pieces.append(bytes(part))
            elif subs >> index & 1:
                pieces.append(self._exact(place + inside, part))
            else:
                pieces.append(self._below(number, inside, part))
            inside += part
            count -= part
        return b"".join(pieces)

    def _below(self, number: int, inside: int, count: int) -> bytes:
        if self._backing is None:
            return bytes(count)
        at = number * self._cluster + inside
        data = self._backing.read_at(at, count)
        lost = next((error for error in self._backing.errors if error.offset < at + count and at < error.offset + error.length), None)
        if lost is not None:
            raise OSError(lost.reason)
        return data.ljust(count, b"\0")  # a backing file may be shorter than the disk

    def _unpack(self, place: int, length: int) -> bytes:
        """A compressed cluster. The last one's length may point beyond the end of the file, for it is counted in sectors."""
        data = self._inflated.get(place)
        if data is None:
            try:
                data = zlib.decompressobj(-15).decompress(self._file.read_at(place, length), self._cluster)
            except zlib.error as error:
                raise OSError(f"a compressed cluster is damaged: {error}") from error
            if len(data) != self._cluster:
                raise OSError("a compressed cluster is cut short")
            self._inflated[place] = data
            if len(self._inflated) > CACHED_CLUSTERS:
                self._inflated.popitem(last=False)
        return data

    def close(self) -> None:
        """Close the file and what lies under it. Safe to call twice."""
        self._file.close()
        if self._backing is not None:
            self._backing.close()


def open_qcow(place: ImageFile, secrets: Sequence[Secret] = (), depth: int = 0) -> Image:
    """A QCOW, QCOW2 or QCOW3 image, its backing file (raw or QCOW) included.

    Raises ``NotOpened`` where it cannot be read or no secret decrypts it.
    """
    file = place.data()
    parent: Image | None = None
    try:
        header = _header(file)
        image = Image("qcow", file, [str(place)], {"format version": str(header.version)})
        _refuse_unknown(header, file)
        if header.method == 2:
            raise NotOpened("a QCOW image whose content is encrypted with LUKS; this program cannot open it", Status.ENCRYPTED)
        if header.backing:
            parent = _backing(place, header, secrets, depth)
        if header.method == 1:
            if parent is not None:
                raise NotOpened("an encrypted overlay on another image; this program cannot join them", Status.ENCRYPTED)
            image.data = _decrypted(place, secrets)
            image.facts["encryption"] = "AES, opened with the first password given; whether it is the right one the format does not tell"
            file.close()
        else:
            image.data = QcowBytes(file, header, parent.data if parent else None)
    except (NotOpened, OSError, struct.error) as error:
        file.close()
        if parent is not None:
            parent.data.close()
        if isinstance(error, NotOpened):
            raise
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    if header.features & _CORRUPT:
        image.problems.append(Problem("the program that wrote the image marked it as corrupt", Status.FAILED))
    if header.snapshots:
        image.facts["snapshots inside the image"] = str(header.snapshots)
        image.problems.append(
            Problem(
                f"{header.snapshots} earlier states of the disk (snapshots) are kept inside the image; only the last is read",
                Status.SKIPPED,
            )
        )
    if parent is not None:
        image.files += parent.files
        image.problems += parent.problems
    return image


def _refuse_unknown(header: Header, file: ByteSource) -> None:
    if header.features & _EXTERNAL:
        raise NotOpened("a QCOW image whose data lies in another file; this program cannot join them")
    if header.features & ~_KNOWN_FEATURES:
        raise NotOpened("a QCOW image with features that this program does not know", Status.UNRECOGNISED)
    if header.features & _COMPRESSION and file.read_at(104, 1) != b"\0":
        raise NotOpened("a QCOW image compressed with Zstandard, which this program cannot read: convert it with qemu-img first")


def _backing(place: ImageFile, header: Header, secrets: Sequence[Secret], depth: int) -> Image:
    parent = place.beside(header.backing)
    if parent is None or depth >= MAX_OVERLAYS:
        raise NotOpened(f"an overlay whose backing file “{header.backing}” is not beside it: put it there and scan again")
    with parent.open() as stream:
        is_qcow = stream.read(4) == MAGIC
    if is_qcow and header.backing_format != "raw":
        return open_qcow(parent, secrets, depth + 1)
    if header.backing_format == "raw":
        return Image("raw", parent.data(), [str(parent)])
    raise NotOpened(f"an overlay on “{parent.name}”, which is neither a QCOW nor a raw image; this program cannot join them")


def _decrypted(place: ImageFile, secrets: Sequence[Secret]) -> NativeBytes:
    import pyqcow

    passwords = [secret.value for secret in secrets if secret.kind == "password"]
    if not passwords:
        raise NotOpened("an encrypted QCOW image, and no password was given", Status.ENCRYPTED)
    disk = pyqcow.file()
    stream = place.open()
    try:
        disk.set_password(passwords[0])  # this encryption has no check of the password: of several the first is taken
        disk.open_file_object(stream)
        size, locked = disk.get_media_size(), disk.is_locked()
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise NotOpened(f"the virtual disk is damaged: {plain_reason(error)}") from error
    if locked:
        disk.close()
        raise NotOpened("an encrypted QCOW image; no password was given that opens it", Status.ENCRYPTED)
    return NativeBytes(disk, size, also_close=[stream])
