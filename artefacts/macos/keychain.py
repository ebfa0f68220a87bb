"""Sites and programs for which a password is kept in a file keychain (``login.keychain``), and since when. Neither password nor account name is read.

Magic ``kych``; at byte 12 the schema's offset; there the number of tables and their offsets. A table: size, kind, number of records, and from byte 28 the
offsets of its records. A record: 24 bytes of lengths, then for each attribute its offset in the record plus one (0: absent).

Source: libyal, "MacOS keychain database file format"; the specimen.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp

_LARGEST = 64 << 20  # bytes
_MOST = 20_000
# Kind of table: how it is told, and the number of the attribute that names the site, server or entry. The first two attributes are dates.
_TABLES = {0x80000000: ("application password", 7), 0x80000001: ("internet password", 15), 0x80000002: ("server password", 15)}


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AccountUse`` for each kept password: the site or entry, when it was made and last changed."""
    data = file.read(_LARGEST)
    if data[:4] != b"kych":
        raise Unrecognised("not a file keychain")
    try:
        schema = struct.unpack_from(">I", data, 12)[0]
        tables = struct.unpack_from(">I", data, schema + 4)[0]
        offsets = struct.unpack_from(f">{min(tables, 256)}I", data, schema + 8)
    except struct.error:
        yield Problem("cut off inside the schema", Status.FAILED, "offset=12")
        return
    for offset in offsets:
        try:
            yield from _table(data, schema + offset)
        except struct.error:
            yield Problem("a table is cut short", Status.FAILED, f"offset={schema + offset}")


def _table(data: bytes, table: int) -> Iterator[Observation | Problem]:
    _, kind, count = struct.unpack_from(">III", data, table)
    if kind not in _TABLES:
        return
    what, naming = _TABLES[kind]
    place, left = table + 28, min(count, _MOST)
    while left and place + 4 <= len(data):
        offset = struct.unpack_from(">I", data, place)[0]
        place += 4
        if not offset or offset % 4:
            continue  # the place of a record that was deleted
        left -= 1
        record = table + offset
        try:
            attributes = struct.unpack_from(">17I" if kind != 0x80000000 else ">16I", data, record + 24)
        except struct.error:
            yield Problem("a record is cut short", Status.FAILED, f"offset={record}")
            continue
        yield AccountUse(
            service=_text(data, record, attributes[naming]) or _text(data, record, attributes[7]) or "[no name]",
            time=_date(data, record, attributes[0]),
            last=_date(data, record, attributes[1]),
            how=f"keychain, {what}",
            locator=f"offset={record}",
        )
    if left:
        yield Problem(f"{left} records are not where the table says", Status.FAILED, f"offset={table}")


def _text(data: bytes, record: int, offset: int) -> str | None:
    if not offset & 1:
        return None
    start = record + offset - 1
    size = int.from_bytes(data[start : start + 4], "big")
    return data[start + 4 : start + 4 + min(size, 1024)].rstrip(b"\0").decode("utf-8", "backslashreplace") or None


def _date(data: bytes, record: int, offset: int) -> Time:
    if not offset & 1:
        return NOT_RECORDED
    raw = data[record + offset - 1 : record + offset + 14].decode("latin-1")
    try:
        return Timestamp.from_datetime(datetime.strptime(raw, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        return NoTime("not a date")


ARTEFACTS = (
    Artefact(
        id="macos.keychain",
        title="Keychain",
        meaning="Sites and programs for which a password is kept, and since when; never the password.",
        paths=("**/Library/Keychains/*.keychain", "**/Library/Keychains/*.keychain-db"),
        parse=parse,
        references=("https://github.com/libyal/dtformats/blob/main/documentation/MacOS%20keychain%20database%20file%20format.asciidoc",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
)
