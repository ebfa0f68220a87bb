"""Files that can be an encrypted container, and those that only look random."""

from __future__ import annotations

import io
import lzma
import random
import zlib
from typing import Any

import pytest

from artefacts.observations import EncryptedItem, Observation
from triage.evidence.model import Entry
from triage.scan.inspect.container import ContainerCheck
from triage.scan.inspect.item import Subject

NOISE = random.Random(5).randbytes(1 << 20)
WORDS = " ".join(random.Random(6).choices(["kettle", "garden", "window", "letter", "harbour"], k=900_000)).encode()
PACKED = zlib.compress(WORDS, 9)
LZMA = lzma.compress(WORDS, preset=9)


class _Recorder:
    def __init__(self) -> None:
        self.items: list[Observation] = []

    def observe(self, item: Observation, parser: str, entry: Entry) -> dict[str, Any]:
        self.items.append(item)
        return {}


def checked(data: bytes, path: str = "/home/jo/Documents/holiday.bin", *, held: bool = True) -> list[EncryptedItem]:
    recorder = _Recorder()
    check = ContainerCheck(recorder)  # type: ignore[arg-type]
    entry = Entry(path, "file", len(data), "7")
    if check.wants(entry, data[:4096]):
        subject = Subject(entry, path, entry.name, "7", len(data), data[:4096], data if held else None, lambda: io.BytesIO(data))
        check.content(subject)
    return [item for item in recorder.items if isinstance(item, EncryptedItem)]


@pytest.mark.parametrize("held", [True, False])
def test_random_bytes_in_whole_sectors(held: bool) -> None:
    (item,) = checked(NOISE, held=held)
    assert (item.kind, item.state, item.path, item.locator) == ("possible container", "unknown", "/home/jo/Documents/holiday.bin", "7")
    assert item.detail is not None and item.detail.startswith("consistent with an encrypted container: a whole number of sectors")


def test_luks_in_a_file() -> None:
    (item,) = checked(b"LUKS\xba\xbe\x00\x02" + bytes(8184))
    assert (item.kind, item.state, item.detail) == ("LUKS container", "locked", "LUKS version 2")


@pytest.mark.parametrize(
    "data",
    [
        NOISE[:-1],
        NOISE[: 200 << 10],
        bytes(1 << 20),
        b"PK\x03\x04" + NOISE[4:],
        PACKED[100 : 100 + (1 << 19)],
        b"!<arch>\ndebian-binary   1342943816  0     0     100644  4         `\n2.0\n" + NOISE[72:],
        NOISE[: 1 << 19] + WORDS[: 1 << 19],
    ],
    ids=["odd size", "small", "zeros", "archive", "packed", "package", "half of it text"],
)
def test_what_is_none(data: bytes) -> None:
    assert checked(data) == []


@pytest.mark.parametrize(
    "path",
    ["/Users/jo/AppData/Local/Music/1.file", "/ProgramData/x/y.bin", "/Windows/x.bin", "/usr/share/x.bin", "/home/jo/.cache/x/y.bin"],
)
def test_stores_of_programs_are_left_alone(path: str) -> None:
    assert checked(NOISE, path) == []
