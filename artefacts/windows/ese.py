"""ESE databases (``.edb``, ``.mdb``, ``SRUDB.dat``): their tables as rows of named values. Read by libesedb.

libesedb does not replay the database's log files: what was written last to a database that was not closed in order may be missing.

Source: libyal, "Extensible Storage Engine (ESE) Database File (EDB) format"; Microsoft, "JET_COLTYP".
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.times import NOT_RECORDED, NS, NoTime, Time, Timestamp, from_filetime

_SIGNATURE = bytes.fromhex("efcdab89")
_IN_USE = 2  # JET_dbstateDirtyShutdown
_OLE_EPOCH_DAYS = 25_569  # 1899-12-30 to 1970-01-01
_MOST_RECORDS = 2_000_000
_MOST_PROBLEMS = 100
_DATE, _TEXTS, _GUID, _FLOATS = 8, (10, 12), 16, {6: "<f", 7: "<d"}
_SIGNED, _UNSIGNED = (3, 4, 5, 15), (1, 2, 14, 17)

Row = dict[str, Any]


class EseDatabase:
    """The tables of one database by name. ``problems`` are those of opening it, for the parser to yield."""

    def __init__(self, stream: BinaryIO) -> None:
        """Raises ``Unrecognised`` where ``stream`` holds no ESE database; a damaged one has no tables and a problem."""
        import pyesedb

        self.problems: list[Problem] = []
        self.tables: dict[str, Any] = {}
        head = stream.read(56)
        if head[4:8] != _SIGNATURE:
            raise Unrecognised("not an ESE database")
        if int.from_bytes(head[52:56], "little") == _IN_USE:
            reason = "was in use: the newest records may still be in its log files, which are not read"
            self.problems.append(Problem(reason, Status.PARSED, "offset=52"))
        stream.seek(0)
        self._file = pyesedb.file()
        try:
            self._file.open_file_object(stream)
            self.tables = {table.name: table for table in self._file.tables}
        except (OSError, ValueError) as error:
            self.problems.append(Problem(f"a damaged database ({str(error).split(':')[0]})", Status.FAILED))

    def count(self, table: str) -> int:
        """How many records the table says it has; 0 where there is no such table."""
        try:
            return int(self.tables[table].number_of_records) if table in self.tables else 0
        except (OSError, ValueError):
            return 0

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns; empty where there is no such table or it is damaged."""
        try:
            return [column.name for column in self.tables[table].columns] if table in self.tables else []
        except (OSError, ValueError):
            return []

    def rows(self, table: str, required: Sequence[str], optional: Sequence[str] = (), *, raw: bool = False) -> Iterator[Row | Problem]:
        """The wanted columns of each record: text as ``str``, numbers as ``int`` or ``float``, a GUID as ``{…}``, dates as ``Time``, the rest as
        ``bytes``; None where there is no value. ``raw``: every value as the bytes that are stored.

        A missing required column is one ``Problem``, a missing optional one None in each row; a damaged record is a ``Problem``.
        """
        if table not in self.tables:
            return
        source = self.tables[table]
        names = self.columns(table)
        if missing := [column for column in required if column not in names]:
            yield Problem(f"no column {missing[0]}", Status.FAILED, f"table={table}")
            return
        places = [(column, names.index(column)) for column in (*required, *optional) if column in names]
        absent = dict.fromkeys(column for column in optional if column not in names)
        count = self.count(table)
        problems = 0
        for number in range(min(count, _MOST_RECORDS)):
            try:
                record = source.get_record(number)
                values = {column: record.get_value_data(at) if raw else _value(record, at) for column, at in places}
            except (OSError, ValueError, OverflowError, MemoryError, struct.error):
                problems += 1
                if problems > _MOST_PROBLEMS:
                    yield Problem(f"more than {_MOST_PROBLEMS} damaged records: the rest is not read", Status.FAILED, f"table={table}")
                    return
                yield Problem("a record is damaged", Status.FAILED, f"table={table} record={number}")
                continue
            yield {**values, **absent} if absent else values
        if count > _MOST_RECORDS:
            yield Problem(f"{count} records: only the first {_MOST_RECORDS} are read", Status.FAILED, f"table={table}")


def _value(record: Any, at: int) -> Any:
    kind = record.get_column_type(at)
    if kind in _TEXTS:
        text = record.get_value_data_as_string(at)
        return text.rstrip("\0") if text else text
    data = record.get_value_data(at)
    if data is None or not data:
        return None
    if kind in _SIGNED or kind in _UNSIGNED:
        return int.from_bytes(data, "little", signed=kind in _SIGNED)
    if kind == _DATE:
        # Some writers put a FILETIME there. As a double that would be about 1e-300 days: no date that anybody has.
        ticks = int.from_bytes(data, "little")
        return from_filetime(ticks) if len(data) == 8 and ticks >> 56 == 1 else ole_time(data)
    if kind == _GUID and len(data) == 16:
        return f"{{{uuid.UUID(bytes_le=data)}}}"
    if kind in _FLOATS:
        return struct.unpack(_FLOATS[kind], data)[0]
    return data


def ole_time(raw: bytes | None) -> Time:
    """An OLE date (days since 1899-12-30 as a double, UTC), to the millisecond: a double of this size resolves a few microseconds."""
    if raw is None or len(raw) != 8:
        return NOT_RECORDED
    (days,) = struct.unpack("<d", raw)
    if not 0 < days < 2_958_466:  # the year 10000
        return NoTime("outside the years 1900 to 9999")
    return Timestamp(round((days - _OLE_EPOCH_DAYS) * 86_400_000) * (NS // 1000))
