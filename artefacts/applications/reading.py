"""What the readers of programs' own files share: a cursor over bytes that may lie, a bounded read, and small encodings."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation
from artefacts.registry import EvidenceFile

Results = Iterator[Observation | Problem]

LARGEST = 64 << 20  # bytes of one file
MOST_FILES = 100_000  # records of one kind that one file may give
LONGEST_NAME = 4_096  # characters of a name or path that are kept


class Cut(Exception):
    """There is less left than what was to be read, or what stands there makes no sense."""


class Cursor:
    """Little-endian reading from ``at`` on; every reader raises ``Cut`` where too little is left."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    @property
    def left(self) -> int:
        """Bytes that are left."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        if count < 0 or count > self.left:
            raise Cut(f"cut short: {count} bytes should follow, {self.left} do")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int) -> int:
        """The next ``size`` bytes as a number without sign."""
        return int.from_bytes(self.take(size), "little")


def content(file: EvidenceFile, largest: int = LARGEST) -> tuple[bytes, list[Problem]]:
    """The bytes of ``file``, ``largest`` at most, and the problem where it is larger."""
    data = file.read(largest + 1)
    if len(data) <= largest:
        return data, []
    return data[:largest], [Problem(f"larger than {largest} bytes: the rest is not read", Status.FAILED, f"offset={largest}")]


def words(data: bytes) -> str:
    """UTF-8 text, or where it is none the code page of Western Europe; zero bytes and what follows them are left out."""
    data = data.partition(b"\0")[0]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "backslashreplace")
    return text[:LONGEST_NAME]


def base32_hex(text: str, size: int) -> str | None:
    """A digest of ``size`` bytes from its base32 (``=`` may be missing) as lower-case hex, or None."""
    try:
        digest = base64.b32decode(text.strip().upper().ljust(-(-len(text.strip()) // 8) * 8, "="))
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == size else None


def last_part(path: str) -> str:
    """The name at the end of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def json_object(file: EvidenceFile, largest: int = LARGEST) -> dict[str, Any]:
    """The JSON object that ``file`` holds. Raises ``Unrecognised``, a damaged file included: JSON has no sound half."""
    tree = json_value(file, largest)
    if not isinstance(tree, dict):
        raise Unrecognised("not a JSON object")
    return tree


def json_value(file: EvidenceFile, largest: int = LARGEST) -> Any:
    """The JSON value that ``file`` holds. Raises ``Unrecognised``."""
    data = file.read(largest + 1)
    if len(data) > largest:
        raise Unrecognised(f"larger than {largest} bytes")
    try:
        return json.loads(data.decode("utf-8-sig", "backslashreplace"))
    except (ValueError, RecursionError) as error:
        raise Unrecognised("not JSON, or a damaged or unfinished file of it") from error


def text_of(value: Any) -> str | None:
    """A value that should be text: itself, shortened and without white space around, or None."""
    return value.strip()[:LONGEST_NAME] or None if isinstance(value, str) else None


def number_of(value: Any) -> int | None:
    """A value that should be a whole number, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None
