"""A SQLite database for queries: a table for each observation type, and ``finding``, ``coverage``, ``source``, ``volume``."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from triage.report.case import load
from triage.report.records import listed, read

_PROVENANCE = ("source", "volume", "path", "locator", "parser", "recovered")
_BATCH = 5000


def write(case: Path, out: BinaryIO, scratch: Path) -> None:
    """Texts are exact, but for lone surrogates, which SQLite cannot hold and which become U+FFFD. Lists and objects are JSON text.

    Columns of a type's table: ``id``, its fields, and ``prov_source`` … ``prov_recovered``. The database is built in ``scratch``.
    """
    loaded = load(case)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".sqlite-") as folder:
        path = Path(folder) / "export.db"
        database = sqlite3.connect(path)
        try:
            database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
            tables = _Tables(database)
            for record in read(case):
                if record.kind == "observation":
                    tables.add(record.data["type"], _row(record.data))
                elif record.kind == "listing":
                    for item in listed(record.data):
                        tables.add(item["type"], _row(item))
            for name, rows in (
                ("finding", loaded.findings),
                ("coverage", loaded.coverage),
                ("source", loaded.sources),
                ("volume", loaded.volumes),
            ):
                for row in rows:
                    tables.add(name, row)
            tables.flush()
            database.commit()
        finally:
            database.close()
        with open(path, "rb") as file:
            shutil.copyfileobj(file, out)


def _row(item: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in item.items() if name not in ("type", "provenance")}
    return {"id": None, **fields, **{f"prov_{name}": item["provenance"].get(name) for name in _PROVENANCE}}


class _Tables:
    """Makes tables and columns as rows need them: a journal may come from a version with other fields."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._columns: dict[str, dict[str, None]] = {}
        self._pending: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, row: dict[str, Any]) -> None:
        """Keep a row for the table until there are enough of them."""
        rows = self._pending.setdefault(table, [])
        rows.append(row)
        if len(rows) >= _BATCH:
            self._insert(table, rows)

    def flush(self) -> None:
        """Write what is still kept."""
        for table, rows in self._pending.items():
            self._insert(table, rows)

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        known = self._columns.setdefault(table, {})
        for name in dict.fromkeys(name for row in rows for name in row):
            if name not in known:
                verb = f"ALTER TABLE {_name(table)} ADD COLUMN" if known else f"CREATE TABLE {_name(table)} ("
                self._database.execute(f"{verb} {_name(name)}{'' if known else ')'}")
                known[name] = None
        marks = ", ".join("?" * len(known))
        names = ", ".join(map(_name, known))
        self._database.executemany(
            f"INSERT INTO {_name(table)} ({names}) VALUES ({marks})", ([_value(row.get(name)) for name in known] for row in rows)
        )
        rows.clear()


def _name(text: str) -> str:
    return '"' + text.replace('"', '""').replace("\0", "") + '"'


def _value(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    return value
