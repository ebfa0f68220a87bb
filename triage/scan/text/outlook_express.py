"""Mail folders of Outlook Express 5 and 6 (DBX).

Microsoft published no description; the layout is the one that A. Schloter ("Outlook Express Version 5.0 file format") and the libdbx project
found. All numbers are little-endian. At 0xE4 of the header stands the offset of the root node of the index, at 0xC4 the number of messages.
A node: its own offset, an unknown, its first child, its parent (4 bytes each), an unknown, the count of entries (1 byte each), two unknowns, the
messages below it (4); from byte 24 entries of 12 bytes: a message's record, a child node, the messages in it. A record: its own offset, the
length of its data (4 bytes each), an unknown (2), the count of fields, an unknown (1 each); from byte 12 fields of 4 bytes: a number, with
bit 7 set if the value is in the 3 bytes that follow it and not at that offset of the data. Field 4 is where the message begins: segments with
their own offset, 4 unknown bytes, the bytes of text in them (2), 2 unknown, the next segment (4), then the text.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from artefacts.coverage import Problem
from triage.scan.text import mail
from triage.scan.text.parts import MAX_READ, Budget, Part, size_of

_ROOT, _COUNT = 0xE4, 0xC4
_MESSAGES = b"\xc5\xfd\x74\x6f"
_NODE, _ENTRY, _SEGMENT = 24, 12, 16
_TEXT_OF_MESSAGE = 4


class _Damaged(ValueError):
    """What stands there is no such thing."""


def read(stream: BinaryIO, budget: Budget) -> Iterator[Part]:
    """The messages of a folder, each as ``mail.read`` gives it, ``message 3 ▸`` before its locators."""
    head = stream.read(0x100)
    if head[4:8] != _MESSAGES or len(head) < 0x100:
        return  # a list of folders, or of what was fetched: no words
    folder = _Folder(stream)
    stated, number = struct.unpack_from("<I", head, _COUNT)[0], 0
    problems: list[Problem] = []
    for record in folder.records(struct.unpack_from("<I", head, _ROOT)[0], problems):
        number += 1
        if not budget.message() or budget.spent:
            yield Problem(budget.spent)
            return
        try:
            data, whole = folder.message(record)
        except _Damaged as error:
            yield Problem(f"a message cannot be read: {error}", locator=f"message {number}")
            continue
        if not whole:
            yield Problem("a message is cut short", locator=f"message {number}")
        yield from mail.message(data, f"message {number} ▸ ", budget)
    yield from problems
    if number < stated:
        yield Problem(f"says that it holds {stated} messages; {number} were found")


class _Folder:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._size = stream, size_of(stream)

    def _at(self, place: int, length: int, what: str) -> bytes:
        self._stream.seek(place)
        data = self._stream.read(length)
        if len(data) < length:
            raise _Damaged(f"{what} at {place} is cut short")
        return data

    def records(self, root: int, problems: list[Problem]) -> Iterator[int]:
        """Offsets of the messages' records, as the index orders them."""
        seen: set[int] = set()
        # (a node to read, or a record to give), the next one last: without recursion, and each once.
        waiting: list[tuple[bool, int]] = [(True, root)] if root else []
        while waiting:
            is_node, place = waiting.pop()
            if not is_node:
                yield place
                continue
            if place in seen:
                problems.append(Problem("its index runs in a circle: some messages may be missing", locator=f"offset={place}"))
                continue
            seen.add(place)
            try:
                head = self._at(place, _NODE, "a node of its index")
                own, _, child = struct.unpack_from("<III", head)
                if own != place:
                    raise _Damaged(f"no node of its index is at {place}")
                entries = self._at(place + _NODE, _ENTRY * head[17], "a node of its index")
            except _Damaged as error:
                problems.append(Problem(f"{error}: some messages are missing", locator=f"offset={place}"))
                continue
            found = [(True, child)] if child else []
            for record, below, _ in struct.iter_unpack("<III", entries):
                found.append((False, record))
                if below:
                    found.append((True, below))
            waiting += reversed(found)

    def message(self, record: int) -> tuple[bytes, bool]:
        """The text of a message, and whether all of it was there. Raises ``_Damaged``."""
        own, _, _, count, _ = struct.unpack("<IIHBB", self._at(record, 12, "a record"))
        if own != record:
            raise _Damaged(f"no record is at {record}")
        fields = self._at(record + 12, 4 * count, "a record")
        for at in range(0, len(fields), 4):
            number, value = fields[at], int.from_bytes(fields[at + 1 : at + 4], "little")
            if number & 0x7F != _TEXT_OF_MESSAGE:
                continue
            if not number & 0x80:
                value = struct.unpack("<I", self._at(record + 12 + 4 * count + value, 4, "a record"))[0]
            return self._segments(value)
        raise _Damaged(f"the record at {record} does not say where its text is")

    def _segments(self, place: int) -> tuple[bytes, bool]:
        out: list[bytes] = []
        seen: set[int] = set()
        size = 0
        while place:
            try:
                own, _, length, _, following = struct.unpack("<IIHHI", self._at(place, _SEGMENT, "a piece"))
                if own != place or place in seen:
                    return b"".join(out), False
                data = self._at(place + _SEGMENT, length, "a piece")
            except _Damaged:
                return b"".join(out), False
            seen.add(place)
            size += length
            if size > MAX_READ:
                return b"".join(out), False
            out.append(data)
            place = following
        return b"".join(out), True
