"""ESE databases: every column type of a real one, dates, damage. No library here writes an ESE database: there is no fixture of our own."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.times import Timestamp
from artefacts.windows.ese import EseDatabase, ole_time


def test_ole_dates() -> None:
    assert ole_time(struct.pack("<d", 25569.5)) == Timestamp(43_200 * 10**9)
    assert not isinstance(ole_time(struct.pack("<d", float("nan"))), Timestamp)
    assert not isinstance(ole_time(b"short"), Timestamp)


def test_something_else_is_refused() -> None:
    with pytest.raises(Unrecognised):
        EseDatabase(io.BytesIO(b"no database at all" * 10))


@pytest.mark.specimens
def test_every_type_of_column(unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked("ese/dissect/basic.edb.gz").read_bytes()
    database = EseDatabase(io.BytesIO(data))
    assert not [problem for problem in database.problems if problem.status == "failed"]
    (name,) = [name for name in database.tables if not name.startswith("MSys")]
    rows = [row for row in database.rows(name, database.columns(name)) if not isinstance(row, Problem)]
    assert len(rows) == database.count(name) == 2
    kinds = {type(value).__name__ for row in rows for value in row.values()}
    assert {"int", "float", "str", "Timestamp"} <= kinds
    assert [type(item) for item in database.rows(name, ("no such column",))] == [Problem]
    for copy in mutations(data, 12):
        try:
            damaged = EseDatabase(io.BytesIO(copy))
            for table in damaged.tables:
                list(damaged.rows(table, damaged.columns(table)))
        except Unrecognised:
            pass
