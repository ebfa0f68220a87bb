"""Changes to files that macOS logged on a volume: ``.fseventsd``, one gzip file a batch. There are no times in it: the file's own says "not later than".

A page: magic ``1SLD``, ``2SLD`` or ``3SLD``, four unknown bytes, its length (u32); records: path ended by NUL, event number (u64), flags (u32),
since version 2 the file's number (u64), in version 3 four more bytes.

Sources: G-C Partners, FSEventsParser (description of the format and flags); the specimens of macOS 10.12 and 13.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AttachedDevice, DeletedFile, FileSeen, Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile

_LARGEST = 32 << 20  # bytes, unpacked
_MOST_PROBLEMS = 20
_MOST_KEPT = 20_000
_TAIL = {b"1SLD": 12, b"2SLD": 20, b"3SLD": 24}
FOLDER = 0x01000000
CREATED, REMOVED, RENAMED, MODIFIED, FOLDER_CREATED = 0x01, 0x02, 0x08, 0x10, 0x80
MOUNT, UNMOUNT = 0x02000000, 0x04000000
_PERSONAL = ("users/", "volumes/", ".trashes/")
_NOISE = ("/library/caches/", "/library/containers/", "/library/application support/", "/library/saved application state/", "/library/metadata/", "/library/biome/",
          "/library/httpstorages/", "/library/webkit/", "/library/daemon containers/", "/library/preferences/", "/library/group containers/")  # fmt: skip


def events(data: bytes) -> Iterator[tuple[int, str, int, int, int | None] | Problem]:
    """(offset, path, event number, flags, file number) of each record in unpacked pages. Raises ``Unrecognised`` where they are none."""
    if data[:4] not in _TAIL:
        raise Unrecognised("not a file of FSEvents")
    page = problems = 0
    while page + 12 <= len(data):
        tail = _TAIL.get(data[page : page + 4])
        length = struct.unpack_from("<I", data, page + 8)[0]
        if tail is None or length < 12:
            yield Problem("what follows is not a page of events", Status.FAILED, f"offset={page}")
            return
        end, place = min(page + length, len(data)), page + 12
        if page + length > len(data):
            yield Problem("cut off inside a page", Status.FAILED, f"offset={page}")
        while place < end:
            stop = data.find(b"\0", place, end)
            if stop < 0 or stop + 1 + tail > end:
                if (problems := problems + 1) <= _MOST_PROBLEMS:
                    yield Problem("a record is cut short", Status.FAILED, f"offset={place}")
                break
            number, flags = struct.unpack_from("<QI", data, stop + 1)
            node = struct.unpack_from("<Q", data, stop + 13)[0] if tail > 12 else None
            yield place, data[place:stop].decode("utf-8", "backslashreplace"), number, flags, node
            place = stop + 1 + tail
        page += length


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``DeletedFile`` for what was removed and ``FileSeen`` for what was renamed in personal places, ``AttachedDevice`` for volumes mounted; a sum."""
    data, whole = _unpacked(file.read(_LARGEST))
    if not whole:
        yield Problem("not all of it could be unpacked: cut off, damaged or too large", Status.FAILED, f"unpacked={len(data)}")
    kinds: Counter[str] = Counter()
    kept = total = 0
    low, high = 0, 0
    volumes: dict[str, tuple[int, int]] = {}
    for event in events(data):
        if isinstance(event, Problem):
            yield event
            continue
        place, path, number, flags, _ = event
        total, low, high = total + 1, min(low or number, number), max(high, number)
        locator = f"offset={place} event={number}"
        for name, bit in (("created", CREATED | FOLDER_CREATED), ("removed", REMOVED), ("renamed", RENAMED), ("modified", MODIFIED)):
            kinds[name] += bool(flags & bit)
        if flags & (MOUNT | UNMOUNT) and path.lower().startswith("volumes/"):
            volumes.setdefault(path.split("/")[1], (place, number))
        lower = path.lower()
        if not flags & (REMOVED | RENAMED) or not lower.startswith(_PERSONAL) or any(part in lower for part in _NOISE):
            continue
        if (kept := kept + 1) > _MOST_KEPT:
            continue
        kind, user = "folder" if flags & FOLDER else "file", _user(path)
        if flags & REMOVED:
            yield DeletedFile(path=f"/{path}", kind=kind, content="none", how="FSEvents: removed", user=user, locator=locator)
        else:
            yield FileSeen(
                path=f"/{path}", kind=kind, how="FSEvents: renamed or moved, under this name before or after", user=user, locator=locator
            )
    for name, (place, number) in volumes.items():
        yield AttachedDevice(
            kind="volume", name=name, identifier=f"/Volumes/{name}", how="FSEvents: mounted", locator=f"offset={place} event={number}"
        )
    if kept > _MOST_KEPT:
        yield Problem(f"{kept - _MOST_KEPT} of {kept} removals and renames are not kept", Status.SKIPPED)
    words = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()) if count)
    yield SystemFact(name="file system events", value=f"{total} events, {low} to {high}: {words or 'none of note'}", locator="offset=0")


def _unpacked(packed: bytes) -> tuple[bytes, bool]:
    """The pages of a gzip file of several members, and whether that is all of them. Raises ``Unrecognised`` for another file."""
    data = bytearray()
    while packed:
        unpacker = zlib.decompressobj(31)
        try:
            data += unpacker.decompress(packed, _LARGEST - len(data))
        except zlib.error as error:
            if not data:
                raise Unrecognised("not a gzip file") from error
            return bytes(data), False
        if not unpacker.eof:
            return bytes(data), False
        packed = unpacker.unused_data
        if packed and len(data) >= _LARGEST:
            return bytes(data), False  # to zlib a limit of nothing is no limit
    return bytes(data), True


def _user(path: str) -> str | None:
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0].lower() == "users" and parts[1].lower() != "shared" else None


ARTEFACTS = (
    Artefact(
        id="macos.fsevents",
        title="File system events",
        meaning="Files in personal places that were removed or renamed, and volumes that were mounted; without times, only in order.",
        paths=("**/.fseventsd/*",),
        parse=lambda file: iter(()) if file.name in ("fseventsd-uuid", "no_log") else parse(file),
        references=("https://github.com/dlcowen/FSEventsParser",),
        systems=("macos",),
        validation="specimens of macOS 10.12 and 13; generated",
    ),
)
