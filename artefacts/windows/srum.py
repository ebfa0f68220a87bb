"""System Resource Usage Monitor (SRUDB.dat): which program of which user was active, hour by hour, and how much it sent and received.

An ESE database; a table a provider, named by a GUID. ``SruDbIdMapTable`` turns the numbers of programs and users into paths and SIDs.
Times are OLE dates (days since 1899-12-30, UTC), one an hour: sums of the hour before.

Source: Y. Khatri, "Forensic implications of System Resource Usage Monitor (SRUM) data in Windows 8" (2015); the specimen. Read by libesedb,
which does not replay the database's logs: the last hours of one that was not closed in order may be missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NS, NoTime, Time, Timestamp
from artefacts.windows.event_log_classic import sid_text
from artefacts.windows.paths import name_of, user_of

_SIGNATURE = bytes.fromhex("efcdab89")
_IN_USE = 2  # JET_dbstateDirtyShutdown
_OLE_EPOCH_DAYS = 25_569  # 1899-12-30 to 1970-01-01
_MOST_RECORDS = 2_000_000
_MOST_PROBLEMS = 100
_SID = 3
_PROVIDERS = {
    "{973F5D5C-1D90-4944-BE8E-24B94231A174}": ("network use", ("BytesRecvd", "BytesSent")),
    "{D10CA2FE-6FCF-4F6D-848E-B2E99266FA89}": ("activity", ()),
}


@dataclass(slots=True)
class _Sum:
    first: Timestamp
    last: Timestamp
    records: int = 0
    received: int = 0
    sent: int = 0


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each program and user of each provider, with its last hour; one ``SystemFact``: how many entries there are."""
    with file.open() as stream:
        head = stream.read(56)
        if head[4:8] != _SIGNATURE:
            raise Unrecognised("not an ESE database")
        if int.from_bytes(head[52:56], "little") == _IN_USE:
            yield Problem("was in use: the newest hours may still be in its log files, which are not read", Status.PARSED, "offset=52")
        stream.seek(0)
        yield from _read(stream)


def _read(stream: BinaryIO) -> Iterator[Observation | Problem]:
    import pyesedb

    database = pyesedb.file()
    try:
        database.open_file_object(stream)
        tables = {table.name: table for table in database.tables}
    except (OSError, ValueError) as error:
        yield Problem(f"a damaged database ({str(error).split(':')[0]})", Status.FAILED)
        return
    if "SruDbIdMapTable" not in tables:
        raise Unrecognised("a database, but not of the System Resource Usage Monitor")
    names: dict[int, str] = {}
    for row in _rows(tables["SruDbIdMapTable"], ("IdType", "IdIndex", "IdBlob")):
        if isinstance(row, Problem):
            yield row
            continue
        kind, index, blob = row
        if index and blob:
            text = sid_text(blob) if kind == bytes([_SID]) else blob.decode("utf-16-le", "backslashreplace").rstrip("\0")
            names[int.from_bytes(index, "little")] = text or "[not readable]"
    entries = 0
    for table_name in sorted(name for name in tables if name.startswith("{")):
        table = tables[table_name]
        label, columns = _PROVIDERS.get(table_name.upper(), ("", ()))
        if not label:
            entries += _count(table)
            continue
        sums: dict[tuple[int, int], _Sum] = {}
        for row in _rows(table, ("TimeStamp", "AppId", "UserId", *columns)):
            if isinstance(row, Problem):
                yield row
                continue
            entries += 1
            time = _ole_time(row[0])
            if not isinstance(time, Timestamp):
                continue
            key = (int.from_bytes(row[1] or b"", "little"), int.from_bytes(row[2] or b"", "little"))
            total = sums.setdefault(key, _Sum(time, time))
            total.first, total.last, total.records = min(total.first, time), max(total.last, time), total.records + 1
            if columns:
                total.received += int.from_bytes(row[3] or b"", "little")
                total.sent += int.from_bytes(row[4] or b"", "little")
        for (application, user), total in sorted(sums.items()):
            path = names.get(application, f"[program {application}]")
            how = f"SRUM, {label}: {total.records} entries since {total.first.isoformat()}"
            yield ProgramRun(
                program=name_of(path) if path.startswith(("\\", "!!")) or path[1:2] == ":" else path,
                path=path,
                time=total.last,
                time_meaning="end of the last hour with any",
                user=user_of(path) or names.get(user),
                how=f"{how}, {total.received} bytes received, {total.sent} sent" if columns else how,
                locator=f"table={table_name} AppId={application} UserId={user}",
            )
    yield SystemFact(name="resource usage monitor", value=f"{entries} entries")


def _rows(table: Any, columns: tuple[str, ...]) -> Iterator[tuple[bytes | None, ...] | Problem]:
    """The raw values of ``columns`` of each record; a table without one of them is a ``Problem``."""
    places = {table.get_column(index).name: index for index in range(table.number_of_columns)}
    if missing := [column for column in columns if column not in places]:
        yield Problem(f"no column {missing[0]}", Status.FAILED, f"table={table.name}")
        return
    problems = 0
    for number in range(min(_count(table), _MOST_RECORDS)):
        try:
            record = table.get_record(number)
            yield tuple(record.get_value_data(places[column]) for column in columns)
        except (OSError, ValueError, OverflowError):
            problems += 1
            if problems > _MOST_PROBLEMS:
                yield Problem(f"more than {_MOST_PROBLEMS} damaged records: the rest is not read", Status.FAILED, f"table={table.name}")
                return
            yield Problem("a record is damaged", Status.FAILED, f"table={table.name} record={number}")


def _count(table: Any) -> int:
    try:
        return int(table.number_of_records)
    except (OSError, ValueError):
        return 0


def _ole_time(raw: bytes | None) -> Time:
    if raw is None or len(raw) != 8:
        return NOT_RECORDED
    (days,) = struct.unpack("<d", raw)
    if not 0 < days < 2_958_466:  # the year 10000
        return NoTime("outside the years 1900 to 9999")
    # A double of this size resolves a few microseconds; the monitor writes whole seconds.
    return Timestamp(round((days - _OLE_EPOCH_DAYS) * 86_400) * NS)


ARTEFACTS = (
    Artefact(
        id="windows.srum",
        title="System Resource Usage Monitor",
        meaning="Which program of which user was active or used the network, and when last, up to two months back.",
        paths=("Windows/System32/sru/SRUDB.dat",),
        parse=parse,
        references=("https://github.com/libyal/esedb-kb/blob/main/documentation/System%20Resource%20Usage%20Monitor%20(SRUM).asciidoc",),
        systems=("windows",),
        validation="specimen of Windows 11",
    ),
)
