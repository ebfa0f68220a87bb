"""The frame of a parser that reads one kind of row from one table of a program's database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation
from artefacts.registry import EvidenceFile
from artefacts.sqlite.database import Database, Row
from artefacts.times import NOT_RECORDED, NoTime, Time

Results = Iterator[Observation | Problem]


def rows_of(
    file: EvidenceFile, table: str, required: Sequence[str], optional: Sequence[str], read: Callable[[Row, Database], Results]
) -> Results:
    """What ``read`` makes of each row of ``table`` in ``file``, with the database's problems; a column of ``optional`` may be missing.

    Raises ``Unrecognised`` or ``Encrypted`` for a file that is no such database. A database without tables gives nothing.
    """
    with Database(file) as database:
        yield from database.problems
        if not database.has(table, *required):
            if database.tables and not database.problems:
                raise Unrecognised(f"a SQLite database, but without the table {table} and its columns")
            return
        for row in database.rows(table, required, optional):
            if isinstance(row, Problem):
                yield row
            else:
                yield from read(row, database)


def number_time(row: Row, column: str, convert: Callable[[int | float], Time]) -> Time:
    """The time in a column of numbers, fractions included, through one of the conversions of ``artefacts.times``."""
    value = row.values[column]
    if value is None:
        return NOT_RECORDED
    return convert(value) if isinstance(value, (int, float)) else NoTime(f"{column} holds no number")
