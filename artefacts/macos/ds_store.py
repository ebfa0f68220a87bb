"""What a folder held when the Finder showed it, and where things in the Trash came from: ``.DS_Store``.

A buddy allocator (magic ``Bud1``) with a B-tree of records: name (UTF-16 BE), a four-letter property, a four-letter type, a value. In the Trash
``ptbL`` and ``ptbN`` are the folder and the name to put back. Names stay after the file is gone, until the Finder writes the folder again.

Source: W. Elsner and M. Seeman, "DS_Store format" (Mac::Finder::DSStore documentation); dates in ``modD`` are Cocoa seconds, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import DeletedFile, FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_cocoa

Results = Iterator[Observation | Problem]

_LARGEST = 32 << 20  # bytes
_MOST_NAMES = 20_000
_MOST_NODES = 20_000
_WIDTHS = {b"long": 4, b"shor": 4, b"bool": 1, b"type": 4, b"comp": 8, b"dutc": 8}


class Damaged(Exception):
    """The structure does not hold; the text says where."""


@dataclass(slots=True)
class Name:
    """One name in the folder and its properties, by their four letters."""

    name: str
    offset: int
    values: dict[str, Any] = field(default_factory=dict)


def names(data: bytes) -> Iterator[Name | Problem]:
    """Every name with its properties, in the order of the tree. Raises ``Unrecognised`` for another file."""
    if data[4:8] != b"Bud1" or len(data) < 36:
        raise Unrecognised("not a .DS_Store file")
    try:
        blocks, root = _allocator(data)
    except (struct.error, Damaged) as error:
        yield Problem(f"the list of blocks is damaged: {error}", Status.FAILED, "offset=8")
        return
    current: Name | None = None
    stack: list[tuple[int, int]] = [(root, 0)]
    seen: set[int] = set()
    while stack:
        number, depth = stack.pop()
        if number in seen or not 0 <= number < len(blocks) or len(seen) >= _MOST_NODES:
            yield Problem(f"block {number} is not there, or used twice", Status.FAILED)
            continue
        seen.add(number)
        base = (blocks[number] & ~0x1F) + 4
        try:
            for offset, name, key, value, child in _node(data, base):
                if child is not None:
                    stack.append((child, depth + 1))
                if not name:
                    continue
                if current is not None and current.name != name:
                    yield current
                    current = None
                if current is None:
                    current = Name(name, offset)
                current.values[key] = value
        except (struct.error, Damaged) as error:
            yield Problem(f"a node is damaged: {error}", Status.FAILED, f"offset={base}")
    if current is not None:
        yield current


def _allocator(data: bytes) -> tuple[list[int], int]:
    place = struct.unpack_from(">I", data, 8)[0] + 4
    count = struct.unpack_from(">I", data, place)[0]
    if count > 1 << 20:
        raise Damaged(f"it counts {count} blocks")
    blocks = list(struct.unpack_from(f">{count}I", data, place + 8))
    place += 8 + 4 * (-(-count // 256) * 256)
    for _ in range(min(struct.unpack_from(">I", data, place)[0], 64)):
        length = data[place + 4] if place + 4 < len(data) else 0
        if data[place + 5 : place + 5 + length] == b"DSDB":
            block = struct.unpack_from(">I", data, place + 5 + length)[0]
            if block >= count:
                raise Damaged(f"block {block} is not there")
            return blocks, struct.unpack_from(">I", data, (blocks[block] & ~0x1F) + 4)[0]
        place += length + 5
    raise Damaged("it has no list of names")


def _node(data: bytes, base: int) -> Iterator[tuple[int, str, str, Any, int | None]]:
    """(offset, name, property, value, child) of each record; a last one without a name is the rightmost child."""
    right, count = struct.unpack_from(">II", data, base)
    place = base + 8
    for _ in range(count):
        child = None
        if right:
            child = struct.unpack_from(">I", data, place)[0]
            place += 4
        offset, length = place, struct.unpack_from(">I", data, place)[0]
        if length > 1024:
            raise Damaged(f"a name of {length} characters")
        name = data[place + 4 : place + 4 + 2 * length].decode("utf-16-be", "backslashreplace")
        place += 4 + 2 * length
        key, kind = struct.unpack_from(">4s4s", data, place)
        place += 8
        if kind in (b"blob", b"ustr"):
            size = struct.unpack_from(">I", data, place)[0] * (2 if kind == b"ustr" else 1)
            place += 4
        elif kind in _WIDTHS:
            size = _WIDTHS[kind]
        else:
            raise Damaged(f"a value of unknown kind at {place}")
        raw = data[place : place + size]
        if len(raw) < size:
            raise Damaged("a value is cut short")
        value = raw.decode("utf-16-be", "backslashreplace") if kind == b"ustr" else raw if kind == b"blob" else int.from_bytes(raw, "big")
        place += size
        yield offset, name, key.decode("latin-1"), value, child
    if right:
        yield place, "", "", None, right


def parse(file: EvidenceFile) -> Results:
    """``DeletedFile`` for what the Trash can put back, ``FileSeen`` for every other name in the folder."""
    folder = file.path.rsplit("/", 1)[0]
    for number, item in enumerate(names(file.read(_LARGEST))):
        if isinstance(item, Problem):
            yield item
            continue
        if number >= _MOST_NAMES:
            yield Problem(f"more than {_MOST_NAMES} names: the rest is not kept")
            return
        locator, values = f"offset={item.offset}", item.values
        written, back = _date(values.get("modD") or values.get("moDD")), values.get("ptbL")
        size = values.get("logS", values.get("lg1S"))
        if isinstance(back, str):
            there = file.sibling(item.name)
            yield DeletedFile(
                path="/" + "/".join(part for part in (back.strip("/"), str(values.get("ptbN") or item.name)) if part),
                size=there.size if there else size if isinstance(size, int) else None,
                time=written,
                content="recoverable" if there else None,
                how="Trash" if there else "Trash: a folder, or emptied or put back since",
                user=file.user,
                locator=locator,
            )
        elif item.name != ".":
            yield FileSeen(
                path=f"{folder}/{item.name}", size=size if isinstance(size, int) else None, time=written,
                how="shown in the Finder (.DS_Store)", user=file.user, locator=locator,
            )  # fmt: skip


def _date(value: Any) -> Time:
    return from_cocoa(struct.unpack("<d", value)[0]) if isinstance(value, bytes) and len(value) == 8 else NOT_RECORDED


def parse_trash(file: EvidenceFile) -> Results:
    """``DeletedFile`` for a file that lies in the Trash; where it came from is in the ``.DS_Store`` beside it."""
    if file.name != ".DS_Store":
        yield DeletedFile(path=file.path, size=file.size, content="recoverable", how="in the Trash", user=file.user)


ARTEFACTS = (
    Artefact(
        id="macos.ds_store",
        title="Finder's notes on folders",
        meaning="Names of files that were in a folder, also after they are gone; for the Trash, where things lay before.",
        paths=("**/.DS_Store",),
        parse=parse,
        references=("https://metacpan.org/dist/Mac-Finder-DSStore/view/DSStoreFormat.pod",),
    ),
    Artefact(
        id="macos.trash",
        title="Trash",
        meaning="Files that were put in the Trash and are still there.",
        paths=("Users/*/.Trash/*", "**/.Trashes/*/*"),
        parse=parse_trash,
        references=("https://support.apple.com/guide/mac-help/mchlp1093/mac",),
        systems=("macos",),
    ),
)
