"""Values of JavaScript as Chromium stores them (IndexedDB): the structured clone of V8 inside Blink's wrapper.

Sources: V8's src/objects/value-serializer.cc (tags, versions 9 to 15); Blink's renderer/bindings/core/v8/serialization
(serialization_tag.h, trailer_reader.cc) and modules/indexeddb/idb_value_wrapping.cc (values moved to a blob, or compressed).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from artefacts.times import NoTime, Time, from_unix

DEEPEST = 60  # objects inside each other; browsers refuse to clone far deeper ones too
_LONGEST_TEXT = 1000  # characters of a description


@dataclass(frozen=True, slots=True)
class Special:
    """What has no like in Python: ``undefined``, a hole in an array, a blob, an image, a picture of an error …"""

    name: str


@dataclass(frozen=True, slots=True)
class Date:
    """A JavaScript date: ``time`` from its milliseconds."""

    time: Time


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A value that was moved to a blob of ``size`` bytes; ``index`` is its place in the record's list of blobs."""

    size: int
    index: int


UNDEFINED = Special("undefined")
_HOST_OBJECTS = {
    ord("b"): "blob", ord("i"): "blob", ord("f"): "file", ord("e"): "file", ord("l"): "files", ord("L"): "files", ord("K"): "cryptographic key",
    ord("#"): "image data", ord("g"): "image", ord("G"): "image", ord("N"): "file handle", ord("n"): "folder handle",
}  # fmt: skip


def deserialise(data: bytes) -> Any:
    """The value: None, bool, int, float, str, bytes, list, dict (objects and maps), set as list, ``Date``, ``Special``, ``Wrapped``.

    The same object met twice is the same Python object, so a value may contain itself. Raises ``ValueError`` for anything that is not sound.
    """
    try:
        return _Reader(data).whole()
    except (IndexError, struct.error) as error:
        raise ValueError("cut short") from error


def describe(value: Any) -> str:
    """The shape of a value in at most a thousand characters: names of fields, numbers, dates; of text and bytes the length only."""
    parts: list[str] = []
    size = 0
    for part in _described(value, 0):
        parts.append(part)
        size += len(part)
        if size > _LONGEST_TEXT:
            return "".join(parts)[:_LONGEST_TEXT] + "…"
    return "".join(parts)


def _described(value: Any, depth: int) -> Iterator[str]:
    if depth > 8:
        yield "…"
    elif isinstance(value, str):
        yield f"text of {len(value)} characters"
    elif isinstance(value, bytes):
        yield f"{len(value)} bytes"
    elif isinstance(value, (list, dict)):
        yield "[" if isinstance(value, list) else "{"
        for number, item in enumerate(value.items() if isinstance(value, dict) else value):
            yield ", " if number else ""
            if isinstance(value, dict):
                yield f"{str(item[0])[:80]}: "
                item = item[1]
            yield from _described(item, depth + 1)
        yield "]" if isinstance(value, list) else "}"
    elif isinstance(value, Date):
        yield value.time.reason if isinstance(value.time, NoTime) else value.time.isoformat()
    elif isinstance(value, Special):
        yield value.name
    elif isinstance(value, Wrapped):
        yield f"{value.size} bytes in a file of their own"
    elif isinstance(value, bool) or value is None:
        yield {None: "null", True: "true", False: "false"}[value]
    else:
        yield str(value)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0
        self._version = 0
        self._objects: list[Any] = []
        # A place of the data is read once, so time is bounded; this bounds what holes and short references multiply to.
        self._left = 4 * len(data) + 64

    def whole(self) -> Any:
        """Envelopes, then the value."""
        for _ in range(4):
            if self._data[self._place : self._place + 1] != b"\xff":
                break
            self._place += 1
            self._version = self._varint()
            tag = self._data[self._place]
            if self._version in (17, 18) and tag == 1:
                self._place += 1
                return Wrapped(self._varint(), self._varint())
            if self._version in (17, 18) and tag == 2:
                from artefacts.leveldb.snappy import decompress

                self._data, self._place = decompress(self._data[self._place + 1 :]), 0
                continue
            if tag == 0xFE:  # where a list of interfaces would be, 8 and 4 bytes
                self._place += 13
        return self._value(0)

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._data[self._place]
            self._place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("a number is too long")

    def _signed(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def _take(self, size: int) -> bytes:
        part = self._data[self._place : self._place + size]
        if len(part) != size:
            raise ValueError("cut short")
        self._place += size
        return part

    def _double(self) -> float:
        (value,) = struct.unpack("<d", self._take(8))
        return float(value)

    def _text(self, encoding: str) -> str:
        return self._take(self._varint()).decode(encoding, "backslashreplace")

    def _tag(self) -> int:
        while (tag := self._data[self._place]) == 0:  # padding
            self._place += 1
        self._place += 1
        return tag

    def _value(self, depth: int) -> Any:
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise ValueError("objects are nested too deeply")
        tag = chr(self._tag())
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        simple = _SIMPLE.get(tag)
        if simple is not None:
            return simple(self)
        if tag == "?":  # a check value before the object itself
            self._varint()
            return self._value(depth + 1)
        if tag == "^":
            return self._seen_through(self._objects[self._varint()])
        return self._object(tag, depth)

    def _object(self, tag: str, depth: int) -> Any:
        if tag in "o;":
            found: dict[Any, Any] = {}
            self._objects.append(found)
            self._pairs("{" if tag == "o" else ":", found, depth)
            return found
        if tag in "aA'":
            return self._list(tag, depth)
        number = len(self._objects)
        self._objects.append(UNDEFINED)
        self._objects[number] = value = self._boxed(tag)
        return self._seen_through(value)

    def _seen_through(self, value: Any) -> Any:
        """A buffer, or the part of it that the view behind it shows."""
        if not isinstance(value, bytes) or self._data[self._place : self._place + 1] != b"V":
            return value
        self._place += 1
        self._tag()  # the kind of number
        start, size = self._varint(), self._varint()
        if self._version >= 14:
            self._varint()
        self._objects.append(value[start : start + size])
        return self._objects[-1]

    def _boxed(self, tag: str) -> Any:
        if tag == "D":
            return Date(from_unix(self._double(), unit_ns=1_000_000))
        if tag in "yx":
            return tag == "y"
        if tag == "n":
            return self._double()
        if tag == "z":
            return self._bigint()
        if tag == "s":
            return self._value(DEEPEST)
        if tag == "R":
            pattern = self._value(DEEPEST)
            self._varint()
            return Special(f"pattern of {len(str(pattern))} characters")
        if tag == "B":
            return self._take(self._varint())
        if tag == "~":
            size = self._varint()
            self._varint()
            return self._take(size)
        if tag == "\\":
            kind = self._tag()
            raise ValueError(f"holds a {_HOST_OBJECTS.get(kind, 'host object')}, which is not read")
        if ord(tag) in _HOST_OBJECTS:
            raise ValueError(f"holds a {_HOST_OBJECTS[ord(tag)]}, which is not read")
        raise ValueError(f"holds a value of no known kind ({tag!r})")

    def _bigint(self) -> int:
        head = self._varint()
        value = int.from_bytes(self._take(head >> 1), "little")
        return -value if head & 1 else value

    def _pairs(self, end: str, into: dict[Any, Any], depth: int) -> None:
        while chr(self._data[self._place]) != end:
            key = self._value(depth + 1)
            into[key if isinstance(key, (str, int, float, bool)) else describe(key)] = self._value(depth + 1)
        self._place += 1
        self._varint()
        if end == "@":
            self._varint()

    def _list(self, tag: str, depth: int) -> Any:
        items: list[Any] = []
        self._objects.append(items)
        if tag == "'":
            while chr(self._data[self._place]) != ",":
                items.append(self._value(depth + 1))
            self._place += 1
            self._varint()
            return items
        length = self._varint()
        if tag == "A":
            for _ in range(length):
                items.append(self._value(depth + 1))
            self._pairs("$", {}, depth)
            self._varint()
            return items
        sparse: dict[Any, Any] = {}
        self._objects[-1] = sparse
        self._pairs("@", sparse, depth)
        return sparse


_CONSTANTS = {"_": UNDEFINED, "0": None, "T": True, "F": False, "-": Special("nothing")}
_SIMPLE: dict[str, Callable[[_Reader], Any]] = {
    "I": _Reader._signed,
    "U": _Reader._varint,
    "N": _Reader._double,
    "Z": _Reader._bigint,
    '"': lambda reader: reader._text("latin-1"),
    "c": lambda reader: reader._text("utf-16-le"),
    "S": lambda reader: reader._text("utf-8"),
}
