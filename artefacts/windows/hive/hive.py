"""Keys and values of a hive, each checked as it is met: what is damaged is put on the hive's list of problems, and the rest goes on."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.registry import EvidenceFile
from artefacts.times import Time, from_filetime
from artefacts.windows.hive.header import BASE, Header, read_header
from artefacts.windows.hive.logs import Replay, replay

LARGEST_HIVE: Final = 1 << 29  # bytes; Windows' own limit for SYSTEM is less
LARGEST_VALUE: Final = 16 << 20  # bytes
MOST_KEYS: Final = 2_000_000  # opened by one reader of a hive
DEEPEST: Final = 512  # levels, as in Windows
MOST_VALUES: Final = 5_000_000  # opened by one reader
MOST_BYTES: Final = 1 << 30  # of values' content, by one reader
LARGEST_LOG: Final = 64 << 20  # bytes

REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_DWORD_BIG, REG_LINK, REG_MULTI_SZ, REG_QWORD = 1, 2, 3, 4, 5, 6, 7, 11
_NONE = 0xFFFFFFFF
_SEGMENT = 16344  # bytes of a value in each piece of a long one
_NK = struct.Struct("<2sHQ4xI2I2I2I2I20xHH")
_VK = struct.Struct("<2sHIIIH")


class Damaged(Exception):
    """A cell that is not what its place says, with why."""


@dataclass(slots=True, weakref_slot=True)
class Image:
    """A hive file in memory, its logs replayed. ``state``: what is to be said of the file as a whole."""

    data: bytes | bytearray
    header: Header
    replay: Replay
    state: list[Problem]


_OPEN: WeakKeyDictionary[EvidenceFile, Image] = WeakKeyDictionary()


def open_hive(file: EvidenceFile) -> Hive:
    """The hive in ``file``, with the logs beside it (``NAME.LOG``, ``.LOG1``, ``.LOG2``, in any case) replayed.

    Several artefacts read one hive: it is loaded once for each ``EvidenceFile`` object. Raises ``Unrecognised`` for a file of another format.
    """
    image = _OPEN.get(file)
    if image is None:
        image = _OPEN[file] = _load(file)
    return Hive(image)


def _load(file: EvidenceFile) -> Image:
    data = file.read(LARGEST_HIVE + 1)
    if not data:
        raise Unrecognised("an empty file, not a registry hive")
    if data[:4] == b"CREG":
        raise Unrecognised("a registry file of Windows 95, 98 or ME, which is not read")
    header = read_header(data)
    if header is None and data[BASE : BASE + 4] != b"hbin":
        raise Unrecognised("not a registry hive")
    if header is not None and header.file_type != 0 and header.sound:
        raise Unrecognised("a transaction log, not a registry hive")
    state = []
    if len(data) > LARGEST_HIVE:
        state.append(Problem(f"only the first {LARGEST_HIVE} bytes were read", Status.FAILED, f"offset={LARGEST_HIVE}"))
    wanted = {f"{file.name}{end}".lower() for end in (".log", ".log1", ".log2")}
    logs = []
    if header is None or header.dirty:
        logs = [(other.name, other.read(LARGEST_LOG)) for other in file.siblings() if other.name.lower() in wanted]
    replayed, done = replay(data, header, logs)
    state.extend(done.problems)
    if header is None or header.dirty:
        if done.pages:
            pass
        elif header is None or not header.sound:
            state.append(Problem("the base block is damaged, and no log mends it: what can be reached was read", Status.FAILED, "offset=0"))
        else:
            why = "its logs hold nothing that follows on" if logs else "its logs are not there"
            state.append(Problem(f"was in use, and {why}: the newest changes may be missing", Status.UNREADABLE))
    if header is None:
        header = next((log for _, content in logs if (log := read_header(content)) is not None and log.sound), None)
    # Without a base block the root key is where Windows always puts it, in the first cell of the first bin.
    header = header or Header(0, 0, 0, 5, 0, 32, len(replayed) - BASE, "", False)
    if BASE + header.size > len(replayed):
        state.append(
            Problem(f"cut short: {BASE + header.size} bytes by its header, {len(replayed)} there", Status.FAILED, f"offset={len(replayed)}")
        )
    return Image(replayed, header, done, state)


def fold(name: str) -> str:
    """``name`` as Windows compares it: each letter by itself in upper case (``ß`` stays)."""
    if name.isascii():
        return name.upper()
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in name)


class Hive:
    """One reader's view of a hive: the keys, and in ``problems`` what it met that was damaged, each place once."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.data = image.data
        self._problems: dict[tuple[str, str], Problem] = {}
        self._left = {"keys": MOST_KEYS, "values": MOST_VALUES, "bytes of values": MOST_BYTES}

    @property
    def problems(self) -> list[Problem]:
        """What was damaged on the way so far."""
        return list(self._problems.values())

    @property
    def root(self) -> Key | None:
        """The key that holds all others; None, and a problem, where it cannot be read."""
        return self.key_at(self.image.header.root, "", None)

    def key(self, path: str) -> Key | None:
        """The key at ``path`` below the root (``\\`` between parts, case-blind), or None where there is none."""
        root = self.root
        return root.find(path) if root else None

    def control_set(self) -> Key | None:
        """Of a SYSTEM hive, the set of settings that was in use (``Select\\Current``), or None in another hive."""
        select = self.key("Select")
        current = select.number("Current") if select else None
        return self.key(f"ControlSet{current:03d}") if current is not None and current < 1000 else None

    def report(self, reason: str, where: str) -> None:
        """Put a damaged place on the list."""
        if len(self._problems) < 1000:
            self._problems.setdefault((reason, where), Problem(reason, Status.FAILED, where))

    def spend(self, what: str, amount: int) -> bool:
        """Whether this reader may open so many more keys, values or bytes: lists that overlap could make a small hive endless."""
        self._left[what] -= amount
        if self._left[what] < 0:
            self.report(f"more {what} than any hive has: the rest was left", "")
        return self._left[what] >= 0

    def cell(self, offset: int, what: str) -> tuple[int, int]:
        """Where the content of the cell at ``offset`` begins and ends in ``data``. Raises ``Damaged``."""
        at = BASE + offset
        if offset == _NONE or at + 4 > len(self.data):
            raise Damaged(f"{what} lies outside the hive")
        size = -int.from_bytes(self.data[at : at + 4], "little", signed=True)
        if size < 8 or offset % 8:
            raise Damaged(f"{what} lies in a cell that is free or none")
        if at + size > len(self.data):
            raise Damaged(f"{what} is cut off by the end of the hive")
        return at + 4, at + size

    def key_at(self, offset: int, path: str, parent: int | None) -> Key | None:
        """The key whose cell is at ``offset`` and whose parent's path is ``path``; None, and a problem, where it is damaged."""
        if not self.spend("keys", 1):
            return None
        try:
            return Key(self, offset, path, parent)
        except Damaged as error:
            self.report(str(error), f"key={path or '(root)'} offset={BASE + offset}")
            return None

    def walk(self) -> Iterator[Key]:
        """Every key that can be reached, each once, a key before those in it."""
        root = self.root
        pending = [(root, 0)] if root else []
        seen: set[int] = set()
        while pending:
            key, depth = pending.pop()
            if not self._is_new(key, seen):
                continue
            seen.add(key.offset)
            yield key
            if depth >= DEEPEST:
                self.report(f"keys more than {DEEPEST} levels deep were left", key.locator)
                continue
            pending.extend((child, depth + 1) for child in reversed(list(key.subkeys())) if self._is_new(child, seen))

    def _is_new(self, key: Key, seen: set[int]) -> bool:
        if key.offset in seen:
            self.report("the key is met twice", key.locator)
        return key.offset not in seen


class Key:
    """A key: its ``name``, ``path`` below the root, and when it was last written. Made by the hive."""

    __slots__ = ("_hive", "_lists", "_path", "_values", "flags", "name", "offset", "parent", "written_raw")

    def __init__(self, hive: Hive, offset: int, parent_path: str, parent: int | None) -> None:
        at, end = hive.cell(offset, "a key")
        if end - at < 76:
            raise Damaged("a key is shorter than its fixed part")
        signature, self.flags, self.written_raw, self.parent, subkeys, _, list_at, _, values, values_at, _, _, length, _ = _NK.unpack_from(
            hive.data, at
        )
        if signature != b"nk":
            raise Damaged("a key without its signature")
        self._hive, self.offset = hive, offset
        self._lists, self._values = (subkeys, list_at), (values, values_at)
        raw = bytes(hive.data[at + 76 : min(at + 76 + length, end)])
        self.name = raw.decode("latin-1") if self.flags & 0x20 else raw.decode("utf-16-le", "replace")
        self._path = "" if parent is None else f"{parent_path}\\{self.name}" if parent_path else self.name
        if len(raw) < length:
            hive.report("a key's name is longer than its record", self.locator)
        if parent is not None and self.parent != parent:
            hive.report("a key says that its parent is another", self.locator)

    @property
    def path(self) -> str:
        """Names from below the root to this key, ``\\`` between."""
        return self._path

    @property
    def locator(self) -> str:
        """For provenance."""
        return f"key={self._path or '(root)'}"

    @property
    def written(self) -> Time:
        """When a value or a key in it was last changed."""
        return from_filetime(self.written_raw)

    def subkeys(self) -> Iterator[Key]:
        """The keys in it, in the order of its list. Doubles and wrong order are problems, and are given all the same."""
        hive, previous = self._hive, ""
        count, found = self._lists[0], 0
        met: set[int] = set()
        for offset in self._offsets(self._lists[1], 0) if count else ():
            found += 1
            if found > count:
                break
            if offset in met:
                hive.report("a key is twice in the list", self.locator)
                continue
            met.add(offset)
            key = hive.key_at(offset, self._path, self.offset)
            if key is None:
                continue
            name = fold(key.name)
            if previous and name <= previous:
                if name == previous:
                    hive.report("two keys in it have one name", self.locator)
                elif name.encode("utf-16-be", "surrogatepass") < previous.encode("utf-16-be", "surrogatepass"):
                    hive.report("the keys in it are not in order", self.locator)
            previous = name
            yield key
        if found != count:
            hive.report(f"{count} keys in it by its record, {'more' if found > count else found} in its list", self.locator)

    def _offsets(self, list_at: int, level: int) -> Iterator[int]:
        hive = self._hive
        try:
            at, end = hive.cell(list_at, "the list of keys")
        except Damaged as error:
            hive.report(str(error), self.locator)
            return
        kind, count = bytes(hive.data[at : at + 2]), int.from_bytes(hive.data[at + 2 : at + 4], "little")
        step = {b"lf": 8, b"lh": 8, b"li": 4, b"ri": 4}.get(kind)
        if step is None or (kind == b"ri" and level):
            hive.report("the list of keys is damaged", self.locator)
            return
        if at + 4 + count * step > end:
            hive.report("the list of keys is longer than its record", self.locator)
            count = (end - at - 4) // step
        for number in range(count):
            offset = int.from_bytes(hive.data[at + 4 + number * step : at + 8 + number * step], "little")
            if kind == b"ri":
                yield from self._offsets(offset, level + 1)
            else:
                yield offset

    def subkey(self, name: str) -> Key | None:
        """The key in it called ``name``, case-blind, or None."""
        wanted = fold(name)
        return next((key for key in self.subkeys() if fold(key.name) == wanted), None)

    def find(self, path: str) -> Key | None:
        """The key at ``path`` below it (``\\`` between parts, case-blind), or None."""
        key: Key | None = self
        for part in path.split("\\"):
            key = key.subkey(part) if key else None
        return key

    def value_offsets(self) -> bytes:
        """The offsets of its values' cells, four bytes each, as the hive lists them: none of the cells has been looked at."""
        count, list_at = self._values
        if not count or list_at == _NONE:
            return b""
        hive = self._hive
        try:
            at, end = hive.cell(list_at, "the list of values")
        except Damaged as error:
            hive.report(str(error), self.locator)
            return b""
        if count > (end - at) // 4:
            hive.report("the list of values is longer than its record", self.locator)
            count = (end - at) // 4
        return bytes(hive.data[at : at + count * 4])

    def values(self) -> Iterator[Value]:
        """Its values. The one without a name (the default) is called ``""``."""
        hive = self._hive
        for (offset,) in struct.iter_unpack("<I", self.value_offsets()):
            if not hive.spend("values", 1):
                return
            try:
                yield Value(hive, offset, self)
            except Damaged as error:
                hive.report(str(error), self.locator)

    def value(self, name: str) -> Value | None:
        """The value called ``name``, case-blind, or None."""
        wanted = fold(name)
        return next((value for value in self.values() if fold(value.name) == wanted), None)

    def text(self, name: str) -> str | None:
        """The text of the value ``name``; None where there is none, or it is no text, or empty."""
        value = self.value(name)
        return (value.text or None) if value else None

    def number(self, name: str) -> int | None:
        """The number in the value ``name`` (DWORD, QWORD), or None."""
        value = self.value(name)
        return value.number if value else None

    def binary(self, name: str) -> bytes | None:
        """The bytes of the value ``name``, of whatever type, or None."""
        value = self.value(name)
        return value.data if value else None


class Value:
    """A value: ``name``, ``type`` (REG_…), and its content as bytes, text, number or strings. Made by the key."""

    __slots__ = ("_data_at", "_hive", "_key", "_size", "name", "offset", "type")

    def __init__(self, hive: Hive, offset: int, key: Key) -> None:
        at, end = hive.cell(offset, "a value")
        if end - at < 20:
            raise Damaged("a value is shorter than its fixed part")
        self._size: int
        self._data_at: int
        signature, length, self._size, self._data_at, self.type, flags = _VK.unpack_from(hive.data, at)
        if signature != b"vk":
            raise Damaged("a value without its signature")
        self._hive, self._key, self.offset = hive, key, offset
        raw = bytes(hive.data[at + 20 : min(at + 20 + length, end)])
        self.name = raw.decode("latin-1") if flags & 1 else raw.decode("utf-16-le", "replace")
        if len(raw) < length:
            hive.report("a value's name is longer than its record", self.locator)

    @property
    def locator(self) -> str:
        """For provenance."""
        return f"{self._key.locator} value={self.name or '(default)'}"

    @property
    def data(self) -> bytes | None:
        """The content; None, and a problem, where it cannot be read."""
        try:
            return self._read()
        except Damaged as error:
            self._hive.report(str(error), self.locator)
            return None

    def _read(self) -> bytes:
        hive, size = self._hive, self._size & 0x7FFFFFFF
        if self._size & 0x80000000:
            if size > 4:
                raise Damaged("a value's content is longer than its place")
            return self._data_at.to_bytes(4, "little")[:size]
        if size == 0:
            return b""
        if size > LARGEST_VALUE:
            raise Damaged(f"a value's content has {size} bytes by its record: not read")
        if not hive.spend("bytes of values", size):
            raise Damaged("a value's content was left")
        at, end = hive.cell(self._data_at, "a value's content")
        if size > _SEGMENT and hive.image.header.minor > 3 and hive.data[at : at + 2] == b"db":
            return self._pieces(at, size)
        if at + size > end:
            raise Damaged("a value's content is longer than its cell")
        return bytes(hive.data[at : at + size])

    def _pieces(self, at: int, size: int) -> bytes:
        hive = self._hive
        count, list_at = struct.unpack_from("<HI", hive.data, at + 2)
        start, end = hive.cell(list_at, "the list of a value's pieces")
        if start + count * 4 > end or count != -(-size // _SEGMENT):
            raise Damaged("the list of a value's pieces is damaged")
        out = bytearray()
        for (offset,) in struct.iter_unpack("<I", bytes(hive.data[start : start + count * 4])):
            at, end = hive.cell(offset, "a piece of a value")
            out += hive.data[at : min(at + min(_SEGMENT, size - len(out)), end)]
        if len(out) != size:
            raise Damaged("a value's pieces are shorter than the value")
        return bytes(out)

    @property
    def text(self) -> str | None:
        """The text up to its zero, of a value of text; None for other types."""
        if self.type not in (REG_SZ, REG_EXPAND_SZ, REG_LINK):
            return None
        data = self.data
        return None if data is None else utf16(data)

    @property
    def number(self) -> int | None:
        """The number, of a DWORD or QWORD; None for other types."""
        if self.type not in (REG_DWORD, REG_DWORD_BIG, REG_QWORD):
            return None
        data = self.data
        if not data or len(data) not in (4, 8):
            return None
        return int.from_bytes(data, "big" if self.type == REG_DWORD_BIG else "little")

    @property
    def strings(self) -> list[str] | None:
        """The texts of a value of several; None for other types."""
        if self.type != REG_MULTI_SZ:
            return None
        data = self.data
        if data is None:
            return None
        parts = data[: len(data) // 2 * 2].decode("utf-16-le", "replace").split("\0")
        # Each text ends in a zero, and one more zero ends the list.
        for _ in range(2):
            if parts and not parts[-1]:
                parts.pop()
        return parts


def utf16(data: bytes) -> str:
    """UTF-16 text up to its zero; half a letter at the end is left off, a lone surrogate becomes U+FFFD."""
    return data[: len(data) // 2 * 2].decode("utf-16-le", "replace").split("\0", 1)[0]
