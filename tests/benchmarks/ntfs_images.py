"""NTFS volumes written directly, record by record: seconds for what takes a mounted volume minutes, and no administrator's rights.

``build`` lets mkntfs make an empty volume and gives it a new $MFT with as many files as wanted, complete with sorted directory
indexes, so that every reader takes it for an ordinary volume. The small functions above it make single structures for tests.
Run as a program: ``python -m tests.benchmarks.ntfs_images OUT ENTRIES``.
"""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

RECORD = 1024
CLUSTER = 4096
BLOCK = 4096
STANDARD_INFORMATION, ATTRIBUTE_LIST, FILE_NAME, DATA, INDEX_ROOT, INDEX_ALLOCATION, BITMAP = 0x10, 0x20, 0x30, 0x80, 0x90, 0xA0, 0xB0
IN_USE, DIRECTORY = 1, 2
WIN32_AND_DOS = 3
TIME = 132_223_104_000_000_000  # 2020-01-01T00:00:00Z as FILETIME
_ROOT_ROOM = 400
_FIRST_FREE = 64


def reference(number: int, sequence: int = 1) -> int:
    """A file reference."""
    return number | sequence << 48


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 8)


def resident(kind: int, identifier: int, value: bytes, name: str = "", flags: int = 0) -> bytes:
    """An attribute whose value stands in the record."""
    label = name.encode("utf-16-le", "surrogatepass")
    start = 24 + len(_padded(label))
    body = _padded(label) + _padded(value)
    head = struct.pack("<IIBBHHHIHBB", kind, 24 + len(body), 0, len(label) // 2, 24, flags, identifier, len(value), start, 0, 0)
    return head + body


def mapping_pairs(runs: Iterable[tuple[int | None, int]]) -> bytes:
    """Runs of (cluster or None for sparse, length) in NTFS's encoding."""
    out, previous = bytearray(), 0
    for cluster, length in runs:
        size = (length.bit_length() + 8) // 8
        if cluster is None:
            out += bytes([size]) + length.to_bytes(size, "little")
            continue
        delta = cluster - previous
        width = (max(delta, ~delta).bit_length() + 8) // 8
        out += bytes([size | width << 4]) + length.to_bytes(size, "little") + delta.to_bytes(width, "little", signed=True)
        previous = cluster
    return bytes(out) + b"\0"


def nonresident(
    kind: int, identifier: int, runs: Sequence[tuple[int | None, int]], size: int, name: str = "", *, valid: int | None = None,
    flags: int = 0, start_vcn: int = 0, unit: int = 0,
) -> bytes:  # fmt: skip
    """An attribute whose value lies in ``runs``."""
    label = _padded(name.encode("utf-16-le", "surrogatepass"))
    clusters = sum(length for _, length in runs)
    start = 64 + len(label)
    body = label + _padded(mapping_pairs(runs))
    head = struct.pack(
        "<IIBBHHHQQHHIQQQ", kind, 64 + len(body), 1, len(name), 64, flags, identifier, start_vcn, start_vcn + clusters - 1, start, unit, 0,
        clusters * CLUSTER, size, size if valid is None else valid,
    )  # fmt: skip
    return head + body


def standard_information(times: Sequence[int] = (TIME,) * 4) -> bytes:
    """A $STANDARD_INFORMATION with created, modified, changed, accessed."""
    return resident(STANDARD_INFORMATION, 0, struct.pack("<4Q4I", *times, 0x20, 0, 0, 0))


def name_key(parent: int, name: str, *, size: int = 0, directory: bool = False, space: int = WIN32_AND_DOS, time: int = TIME) -> bytes:
    """The value of a $FILE_NAME, which is also the key of an index entry."""
    text = name.encode("utf-16-le", "surrogatepass")
    flags = 0x10000020 if directory else 0x20
    return struct.pack("<QQQQQQQIIBB", parent, time, time, time, time, -(-size // 8) * 8, size, flags, 0, len(text) // 2, space) + text


def record(
    number: int, attributes: Iterable[bytes], *, sequence: int = 1, flags: int = IN_USE, base: int = 0, size: int = RECORD, usn: int = 1
) -> bytes:
    """A file record with its update sequence in place."""
    body = b"".join(attributes) + b"\xff\xff\xff\xff\0\0\0\0"
    sectors = size // 512
    first = -(-(48 + 2 * (sectors + 1)) // 8) * 8
    head = struct.pack(
        "<4sHHQHHHHIIQHHI", b"FILE", 48, sectors + 1, 0, sequence, 1, first, flags, first + len(body), size, base, 99, 0, number
    )
    content = bytearray((head.ljust(first, b"\0") + body).ljust(size, b"\0"))
    if len(content) > size:
        raise ValueError(f"record {number} needs {len(content)} bytes")
    return protect(content, 48, usn)


def protect(content: bytearray, place: int, usn: int = 1) -> bytes:
    """Put the update sequence array at ``place`` and its number at the end of every 512 bytes."""
    struct.pack_into("<H", content, place, usn)
    for sector in range(len(content) // 512):
        end = sector * 512 + 510
        content[place + 2 + 2 * sector : place + 4 + 2 * sector] = content[end : end + 2]
        struct.pack_into("<H", content, end, usn)
    return bytes(content)


def index_entry(target: int, key: bytes, child: int | None = None) -> bytes:
    """An entry of a directory index; ``target`` 0 and an empty key make the one that ends a node."""
    length = 16 + len(_padded(key)) + (8 if child is not None else 0)
    flags = (1 if child is not None else 0) | (0 if key else 2)
    body = struct.pack("<QHHHH", target, length, len(key), flags, 0) + _padded(key)
    return body if child is None else body + struct.pack("<Q", child)


def index_block(entries: Sequence[bytes], vcn: int, slack: bytes = b"") -> bytes:
    """An INDX block; ``slack`` stands behind the part in use."""
    body = b"".join(entries)
    flags = 1 if struct.unpack_from("<H", entries[-1], 12)[0] & 1 else 0
    head = struct.pack("<4sHHQQIIII", b"INDX", 40, BLOCK // 512 + 1, 0, vcn, 40, 40 + len(body), BLOCK - 24, flags)
    content = bytearray((head.ljust(64, b"\0") + body + slack).ljust(BLOCK, b"\0"))
    if len(content) > BLOCK:
        raise ValueError("an index block overflows")
    return protect(content, 40)


def index(entries: Sequence[tuple[int, bytes]]) -> tuple[bytes, list[bytes]]:
    """The value of $INDEX_ROOT and the blocks of $INDEX_ALLOCATION for (reference, key) pairs in the order of their names."""
    level: list[tuple[int, bytes, int | None]] = [(target, key, None) for target, key in entries]
    last: int | None = None
    blocks: list[bytes] = []
    while sum(24 + len(_padded(key)) for _, key, _ in level) > _ROOT_ROOM:
        upper: list[tuple[int, bytes, int | None]] = []
        node: list[bytes] = []
        used = 0
        for target, key, child in level:
            entry = index_entry(target, key, child)
            if used + len(entry) > BLOCK - 64 - 120:
                blocks.append(index_block([*node, index_entry(0, b"", child)], len(blocks)))
                upper.append((target, key, len(blocks) - 1))
                node, used = [], 0
                continue
            node.append(entry)
            used += len(entry)
        blocks.append(index_block([*node, index_entry(0, b"", last)], len(blocks)))
        level, last = upper, len(blocks) - 1
    body = b"".join([index_entry(*item) for item in level] + [index_entry(0, b"", last)])
    return struct.pack("<IIIIIIII", FILE_NAME, 1, BLOCK, 1, 16, 16 + len(body), 16 + len(body), int(bool(blocks))) + body, blocks


def directory_attributes(parent: int, name: str, entries: Sequence[tuple[int, bytes]], cluster: int) -> tuple[list[bytes], list[bytes]]:
    """The attributes of a directory whose index blocks will lie from ``cluster`` on, and those blocks."""
    root, blocks = index(entries)
    attributes = [
        standard_information(),
        resident(FILE_NAME, 1, name_key(parent, name, directory=True)),
        resident(INDEX_ROOT, 2, root, "$I30"),
    ]
    if blocks:
        attributes.append(nonresident(INDEX_ALLOCATION, 3, [(cluster, len(blocks))], len(blocks) * BLOCK, "$I30"))
        attributes.append(resident(BITMAP, 4, _bits(len(blocks)), "$I30"))
    return attributes, blocks


def _bits(count: int) -> bytes:
    return _padded(((1 << count) - 1).to_bytes(count // 8 + 1, "little"))


class Folder(NamedTuple):
    """``count`` folders of ``files`` files each."""

    count: int
    files: int


def shapes(entries: int) -> dict[str, list[Folder]]:
    """Trees of about so many files: how long a reader takes depends on the size of the directories."""
    return {
        "folders of 100": [Folder(max(entries // 100, 1), 100)],
        "folders of 10,000": [Folder(max(entries // 10_000, 1), min(entries, 10_000))],
        "mixed": [
            Folder(max(entries * 4 // 10 // 50, 1), 50),
            Folder(max(entries * 3 // 10 // 1000, 1), 1000),
            Folder(max(entries * 3 // 10 // 10_000, 1), 10_000),
        ],
    }  # fmt: skip


class _Volume:
    """A volume under construction: clusters handed out one after the other behind the last one in use."""

    def __init__(self, path: Path, size: int) -> None:
        with open(path, "wb") as file:
            file.truncate(size)
        subprocess.run(
            ["mkntfs", "-Q", "-F", "-q", "-s", "512", "-c", str(CLUSTER), "-L", "bench", str(path)], check=True, capture_output=True
        )
        self.file = open(path, "r+b")
        self.size = size
        boot = self.read(0, 512)
        self.mft, self.mirror = struct.unpack_from("<QQ", boot, 48)
        self.bitmap = bytearray(self.read(self._first_run(6, DATA)[0] * CLUSTER, -(-size // CLUSTER // 8)))
        self.next = 1 + max(number for number in range(len(self.bitmap) * 8 - 64) if self.bitmap[number >> 3] >> (number & 7) & 1)
        self.first = self.next

    def read(self, offset: int, length: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(length)

    def write(self, offset: int, content: bytes) -> None:
        self.file.seek(offset)
        self.file.write(content)

    def old_record(self, number: int) -> bytes:
        return self.read(self.mft * CLUSTER + number * RECORD, RECORD)

    def _first_run(self, number: int, kind: int) -> tuple[int, int]:
        """(cluster, length) of the only run of an attribute that mkntfs wrote."""
        content = self.old_record(number)
        offset = struct.unpack_from("<H", content, 20)[0]
        while struct.unpack_from("<I", content, offset)[0] != kind:
            offset += struct.unpack_from("<I", content, offset + 4)[0]
        place = offset + struct.unpack_from("<H", content, offset + 32)[0]
        wide, far = content[place] & 15, content[place] >> 4
        length = int.from_bytes(content[place + 1 : place + 1 + wide], "little")
        return int.from_bytes(content[place + 1 + wide : place + 1 + wide + far], "little"), length

    def allocate(self, clusters: int) -> int:
        cluster, self.next = self.next, self.next + clusters
        if self.next * CLUSTER > self.size - CLUSTER:
            raise ValueError("the volume is too small")
        return cluster

    def finish(self, records: int, mft: int) -> None:
        """Rewrite what describes the volume: record 0, the root's index was done before, $Bitmap, mirror and boot sectors."""
        bitmap = self.allocate(-(-records // 8 // CLUSTER))
        marks = -(-records // 64) * 8
        self.write(bitmap * CLUSTER, b"\xff" * (records // 8) + bytes([(1 << records % 8) - 1]))
        clusters = -(-records * RECORD // CLUSTER)
        self.write(mft * CLUSTER, record(0, [
            standard_information(), resident(FILE_NAME, 2, name_key(reference(5, 5), "$MFT", size=records * RECORD)),
            nonresident(DATA, 1, [(mft, clusters)], records * RECORD), nonresident(BITMAP, 3, [(bitmap, -(-marks // CLUSTER))], marks),
        ]))  # fmt: skip
        for cluster in range(self.first, self.next):
            self.bitmap[cluster >> 3] |= 1 << (cluster & 7)
        self.write(self._first_run(6, DATA)[0] * CLUSTER, bytes(self.bitmap))
        self.write(self.mirror * CLUSTER, self.read(mft * CLUSTER, 4 * RECORD))
        for offset in (48, self.size // 512 * 512 - 512 + 48):
            self.write(offset, struct.pack("<Q", mft))
        self.file.close()


def build(path: Path, folders: Sequence[Folder], *, content: bool = False, seed: int = 1) -> int:
    """Write a volume with these folders of files at ``path`` (a sparse file); returns the number of files and folders in it.

    Files hold 0 to 60 KB, a fifth of them inside their record, a tenth of the others in three pieces; one in twenty has a second stream
    and one in fifty is deleted. With ``content`` the clusters are filled with noise, otherwise they stay holes.
    """
    pick = random.Random(seed)
    number = sum(folder.count * (folder.files + 1) for folder in folders) + _FIRST_FREE + 200
    # mkntfs puts its last structures into the middle of the volume: only what lies behind is one free stretch.
    volume = _Volume(path, 2 * (-(-number * (RECORD + 24 * 1024 + 300) // CLUSTER) * CLUSTER + (64 << 20)))
    mft = volume.allocate(-(-number * RECORD // CLUSTER))
    top = _FIRST_FREE
    following = top + 1
    groups: list[tuple[int, bytes]] = []
    leaves: list[tuple[int, bytes]] = []
    group = 0
    total = 0
    for serial, files in enumerate(files for folder in folders for files in [folder.files] * folder.count):
        if serial % 100 == 0:
            if leaves:
                total += _directory(volume, mft, group, reference(top), f"group {len(groups) - 1:04d}", leaves)
                leaves = []
            group, following = following, following + 1
            groups.append((reference(group), name_key(reference(top), f"group {len(groups):04d}", directory=True)))
        leaf, following = following, following + 1
        name = f"folder {serial:06d}"
        leaves.append((reference(leaf), name_key(reference(group), name, directory=True)))
        entries: list[tuple[int, bytes]] = []
        chunk: list[bytes] = []
        for made in _files(volume, pick, following, leaf, files, content):
            chunk.append(made[1])
            if made[0] is not None:
                entries.append(made[0])
        volume.write(mft * CLUSTER + following * RECORD, b"".join(chunk))
        following += files
        total += files + _directory(volume, mft, leaf, reference(group), name, entries)
    total += _directory(volume, mft, group, reference(top), f"group {len(groups) - 1:04d}", leaves)
    total += _directory(volume, mft, top, reference(5, 5), "Users", groups)
    _add_to_root(volume, reference(top), name_key(reference(5, 5), "Users", directory=True))
    for old in range(_FIRST_FREE):
        kept = volume.old_record(old) if old < 27 else record(old, [], flags=0)
        volume.write(mft * CLUSTER + old * RECORD, kept)
    for free in range(following, number):
        volume.write(mft * CLUSTER + free * RECORD, record(free, [], flags=0))
    volume.finish(number, mft)
    return total


def _files(
    volume: _Volume, pick: random.Random, first: int, parent: int, count: int, content: bool
) -> Iterator[tuple[tuple[int, bytes] | None, bytes]]:
    """(index entry or None for a deleted file, record) of ``count`` files."""
    for number in range(first, first + count):
        name = f"picture_{number:08d} holiday.{'jpg' if number % 3 else 'png'}"
        size = pick.randrange(600) if pick.random() < 0.2 else pick.randrange(700, 50_000)
        time = TIME + pick.randrange(10**14)
        if size < 700:
            data = resident(DATA, 2, pick.randbytes(size))
        else:
            clusters = -(-size // CLUSTER)
            start = volume.allocate(clusters)
            if content:
                volume.write(start * CLUSTER, pick.randbytes(size))
            third = clusters // 3
            pieces = [(start, clusters)]
            if third and pick.random() < 0.1:
                pieces = [(start, third), (start + 2 * third, clusters - 2 * third), (start + third, third)]
            data = nonresident(DATA, 2, pieces, size)
        key = name_key(reference(parent), name, size=size, time=time)
        attributes = [standard_information((time, time + 1, time + 2, time + 3)), resident(FILE_NAME, 1, key), data]
        if pick.random() < 0.05:
            attributes.append(resident(DATA, 3, b"[ZoneTransfer]\r\nZoneId=3\r\n", "Zone.Identifier"))
        if pick.random() < 0.02:
            yield None, record(number, attributes, sequence=2, flags=0)
        else:
            yield (reference(number), key), record(number, attributes)


def _directory(volume: _Volume, mft: int, number: int, parent: int, name: str, entries: Sequence[tuple[int, bytes]]) -> int:
    attributes, blocks = directory_attributes(parent, name, entries, volume.next)
    if blocks:
        volume.write(volume.allocate(len(blocks)) * CLUSTER, b"".join(blocks))
    volume.write(mft * CLUSTER + number * RECORD, record(number, attributes, flags=IN_USE | DIRECTORY))
    return 1


def _add_to_root(volume: _Volume, target: int, key: bytes) -> None:
    """Put an entry at the end of the root's only index block: the names mkntfs wrote begin with a dollar sign or a full stop."""
    place = volume._first_run(5, INDEX_ALLOCATION)[0] * CLUSTER
    block = bytearray(volume.read(place, BLOCK))
    (array,) = struct.unpack_from("<H", block, 4)
    for sector in range(BLOCK // 512):
        block[sector * 512 + 510 : sector * 512 + 512] = block[array + 2 + 2 * sector : array + 4 + 2 * sector]
    end = 24 + struct.unpack_from("<I", block, 28)[0] - 16
    entry = index_entry(target, key)
    block[end : end + len(entry) + 16] = entry + block[end : end + 16]
    struct.pack_into("<I", block, 28, end - 24 + 16 + len(entry))
    volume.write(place, protect(block, array, 2))


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), shapes(int(sys.argv[2]))["mixed"]))
