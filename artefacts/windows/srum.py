"""System Resource Usage Monitor (SRUDB.dat): which program of which user was active, hour by hour, and how much it sent and received.

An ESE database; a table a provider, named by a GUID. ``SruDbIdMapTable`` turns the numbers of programs and users into paths and SIDs.
Times are OLE dates (days since 1899-12-30, UTC), one an hour: sums of the hour before.

Source: Y. Khatri, "Forensic implications of System Resource Usage Monitor (SRUM) data in Windows 8" (2015); the specimen. Read by libesedb,
which does not replay the database's logs: the last hours of one that was not closed in order may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp
from artefacts.windows.ese import EseDatabase
from artefacts.windows.event_log_classic import sid_text
from artefacts.windows.paths import name_of, user_of

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
        database = EseDatabase(stream)
        yield from database.problems
        if database.tables:
            yield from _read(database)


def _read(database: EseDatabase) -> Iterator[Observation | Problem]:
    if "SruDbIdMapTable" not in database.tables:
        raise Unrecognised("a database, but not of the System Resource Usage Monitor")
    names: dict[int, str] = {}
    for row in database.rows("SruDbIdMapTable", ("IdType", "IdIndex", "IdBlob"), raw=True):
        if isinstance(row, Problem):
            yield row
            continue
        index, blob = row["IdIndex"], row["IdBlob"]
        if index and blob:
            text = sid_text(blob) if row["IdType"] == bytes([_SID]) else blob.decode("utf-16-le", "backslashreplace").rstrip("\0")
            names[int.from_bytes(index, "little")] = text or "[not readable]"
    entries = 0
    for table in sorted(name for name in database.tables if name.startswith("{")):
        label, columns = _PROVIDERS.get(table.upper(), ("", ()))
        if not label:
            entries += database.count(table)
            continue
        sums: dict[tuple[int, int], _Sum] = {}
        for row in database.rows(table, ("TimeStamp", "AppId", "UserId", *columns)):
            if isinstance(row, Problem):
                yield row
                continue
            entries += 1
            time = row["TimeStamp"]
            if not isinstance(time, Timestamp):
                continue
            total = sums.setdefault((row["AppId"] or 0, row["UserId"] or 0), _Sum(time, time))
            total.first, total.last, total.records = min(total.first, time), max(total.last, time), total.records + 1
            if columns:
                total.received += row["BytesRecvd"] or 0
                total.sent += row["BytesSent"] or 0
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
                locator=f"table={table} AppId={application} UserId={user}",
            )
    yield SystemFact(name="resource usage monitor", value=f"{entries} entries")


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
