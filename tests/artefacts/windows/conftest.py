"""Registry hives that the tests write themselves."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from artefacts.windows.hive.header import checksum

FILETIME = 132_000_000_000_000_000  # 2019-04-17T18:40:00Z


def base_block(size: int, sequences: tuple[int, int] = (1, 1), kind: int = 0, name: str = "test") -> bytes:
    """The 512 bytes that a hive and its logs begin with."""
    block = bytearray(512)
    struct.pack_into("<4sIIQIIIIIII", block, 0, b"regf", *sequences, FILETIME, 1, 5, kind, 1, 32, size, 1)
    block[48 : 48 + len(name) * 2] = name.encode("utf-16-le")
    struct.pack_into("<I", block, 508, checksum(block))
    return bytes(block)


class HiveWriter:
    """One bin of cells, filled from the front."""

    def __init__(self) -> None:
        self.cells = bytearray(32)

    def cell(self, content: bytes) -> int:
        """Adds a cell in use and returns its offset."""
        offset, size = len(self.cells), -(-(len(content) + 4) // 8) * 8
        self.cells += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return offset

    def key(self, name: str, parent: int, tree: Mapping[str, Any], written: int = FILETIME) -> int:
        """A key from a mapping: a mapping is a key inside it, anything else a value (text, number, bytes, list of texts)."""
        raw = name.encode("latin-1")
        offset = self.cell(bytes(76 + len(raw)))
        keys = sorted((item for item in tree.items() if isinstance(item[1], Mapping)), key=lambda item: item[0].upper())
        offsets = [self.key(inside, offset, below) for inside, below in keys]
        values = [self.value(inside, content) for inside, content in tree.items() if not isinstance(content, Mapping)]
        keys_at = (
            self.cell(struct.pack("<2sH", b"lh", len(offsets)) + b"".join(struct.pack("<II", at, 0) for at in offsets))
            if offsets
            else 0xFFFFFFFF
        )
        values_at = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else 0xFFFFFFFF
        record = struct.pack("<2sHQIIIIII", b"nk", 0x20, written, 0, parent, len(offsets), 0, keys_at, 0xFFFFFFFF)
        record += struct.pack("<IIII20xHH", len(values), values_at, 0xFFFFFFFF, 0xFFFFFFFF, len(raw), 0) + raw
        self.cells[offset + 4 : offset + 4 + len(record)] = record
        return offset

    def value(self, name: str, content: Any) -> int:
        """A value whose type follows from its content."""
        if isinstance(content, str):
            kind, data = 1, (content + "\0").encode("utf-16-le")
        elif isinstance(content, int):
            kind, data = 4, struct.pack("<I", content)
        elif isinstance(content, list):
            kind, data = 7, ("\0".join([*content, "", ""])).encode("utf-16-le")
        else:
            kind, data = 3, bytes(content)
        raw = name.encode("latin-1")
        where = int.from_bytes(data.ljust(4, b"\0"), "little") if len(data) <= 4 else self.cell(data)
        size = len(data) | (0x80000000 if len(data) <= 4 else 0)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(raw), size, where, kind, 1, 0) + raw)

    def file(self, sequences: tuple[int, int] = (1, 1), name: str = "test") -> bytes:
        """The whole hive file."""
        size = -(-len(self.cells) // 4096) * 4096
        cells = bytearray(self.cells)
        if rest := size - len(cells):
            cells += struct.pack("<i", rest) + bytes(rest - 4)
        cells[:32] = struct.pack("<4sIIQQI", b"hbin", 0, size, 0, 0, 0)
        return base_block(size, sequences, 0, name).ljust(4096, b"\0") + bytes(cells)


@pytest.fixture
def write_hive() -> Callable[..., bytes]:
    """``write_hive({"Key": {"Value": "text"}})`` is a hive file; the mapping is what the root key holds. ``sequences`` and ``name`` of its head."""

    def write(tree: Mapping[str, Any], **head: Any) -> bytes:
        writer = HiveWriter()
        writer.key("root", 0, tree)
        return writer.file(**head)

    return write


@pytest.fixture
def write_base_block() -> Callable[..., bytes]:
    """``write_base_block(size, sequences, kind, name)``: the head of a transaction log (``kind`` 1 old, 6 new)."""
    return base_block
