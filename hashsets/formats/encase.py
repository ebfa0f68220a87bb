"""EnCase 6 ``.hash`` sets: magic, set name in UTF-16LE at 1032, records of 18 bytes (16 of MD5) from 1152 on (as TSK's encase.cpp reads them)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hashsets.entries import Entry, Problems
from hashsets.errors import Damaged

SIGNATURE = b"HASH\r\n\xff\x00"
_NAME_AT, _RECORDS_AT, _RECORD_BYTES = 1032, 1152, 18


def set_name(path: Path) -> str | None:
    """The name inside the file; None where there is none."""
    with path.open("rb") as stream:
        stream.seek(_NAME_AT)
        name = stream.read(_RECORDS_AT - _NAME_AT).decode("utf-16-le", "replace").split("\0")[0]
    return name or None


def entries(path: Path, problems: Problems) -> Iterator[Entry]:
    """Raises ``Damaged`` where the file ends inside the header or a record: a set cut short is not a smaller set."""
    length = path.stat().st_size - _RECORDS_AT
    if length < 0 or length % _RECORD_BYTES:
        raise Damaged(f"{path.name} is an EnCase hash set that is cut short.")
    with path.open("rb") as stream:
        stream.seek(_RECORDS_AT)
        while block := stream.read(_RECORD_BYTES * 4096):
            for at in range(0, len(block), _RECORD_BYTES):
                yield Entry(md5=block[at : at + 16])
