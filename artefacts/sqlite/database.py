"""A SQLite database from evidence as rows of named columns: damaged, hostile, huge or half-written, and never altered.

SQLite itself reads a private copy in memory. Where it refuses or stops (damage, size), the table's b-tree is walked by
``artefacts.sqlite.btree``. Nothing of the schema is trusted: only real tables are read, with no index, view, trigger,
generated column or function taking part.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from artefacts.coverage import Problem, Status
from artefacts.registry import EvidenceFile
from artefacts.sqlite import btree
from artefacts.sqlite.pages import DamagedPage, Pages, open_pages
from artefacts.sqlite.records import MAX_PAYLOAD, decode

IN_MEMORY_LIMIT = 256 << 20  # bytes; SQLite's copy comes on top. A larger database is walked in place, a page at a time.
LONGEST_TEXT = 65_536  # characters of one value that are kept: addresses of the kind data:… hold whole files
_MOST_PROBLEMS = 100  # of one table: after that they are counted
_STEPS = 1_000_000  # virtual machine steps between two looks at the budget
# Python decodes SQLite's own error messages as UTF-8, and they quote the damaged schema.
_REFUSED = (sqlite3.Error, UnicodeDecodeError)
_BUDGET = 4_000  # such looks a statement may use: far above what the largest table that fits needs


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the schema declares it. ``stored`` are the columns of a record in order, ``types`` their declared types (upper case);
    ``alias`` is the column that is the row number."""

    name: str
    root: int
    columns: tuple[str, ...]
    stored: tuple[str, ...]
    types: tuple[str, ...]
    alias: str | None
    has_rowid: bool


@dataclass(slots=True)
class Row:
    """One row. A database's values are whatever was put there, so ``text`` and ``integer`` say what is wanted.

    ``place`` is set for a deleted row only: where its remains lie.
    """

    table: str
    rowid: int | None
    values: dict[str, Any]
    place: str | None = None

    @property
    def locator(self) -> str:
        """``table=urls rowid=12``; of a deleted row ``table=urls page=7 offset=3211``."""
        if self.place:
            return f"table={self.table} {self.place}"
        return f"table={self.table}" if self.rowid is None else f"table={self.table} rowid={self.rowid}"

    def text(self, column: str) -> str | None:
        """The value as text, or None where it is NULL; cut, visibly, at ``LONGEST_TEXT`` characters."""
        value = self.values[column]
        if value is None:
            return None
        text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
        return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… [cut: {len(text)} characters]"

    def integer(self, column: str) -> int | None:
        """The value as a whole number, or None where it is none."""
        value = self.values[column]
        if isinstance(value, int):
            return value
        try:
            return None if value is None else int(value)
        except (ValueError, OverflowError):
            return None


class Database:
    """The tables of one database. Use as a context manager; ``problems`` are those of opening it, for the parser to yield."""

    def __init__(self, file: EvidenceFile, *, in_memory_limit: int = IN_MEMORY_LIMIT) -> None:
        """Open ``file`` with its companions. Raises ``Unrecognised`` or ``Encrypted`` for what is not a plain SQLite database."""
        self.pages: Pages = open_pages(file)
        self.problems = self.pages.problems
        self.tables: dict[str, Table] = {}
        self._connection: sqlite3.Connection | None = None
        self._readable: str | None = None
        self._looks = 0
        self._statements: dict[tuple[str, tuple[str, ...], bool], str] = {}
        self._read_schema()
        if 0 < self.pages.count * self.pages.page_size <= in_memory_limit:
            self._load()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memory and the evidence streams."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.pages.close()

    def has(self, table: str, *columns: str) -> bool:
        """Whether there is such a table with all of these columns."""
        known = self.tables.get(table)
        return known is not None and all(column in known.columns for column in columns)

    def rows(self, table: str, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Row | Problem]:
        """Every row in order of row number; a missing optional column is None in each. No such table: no rows.

        A missing required column is one ``Problem``, and so is each damaged page or row; the sound rows around it are delivered.
        """
        known = self.tables.get(table)
        if known is None:
            return
        missing = [column for column in required if column not in known.columns]
        if missing:
            yield Problem(f"table {table} has no column {', '.join(missing)}: not read", Status.UNRECOGNISED, f"table={table}")
            return
        wanted = [column for column in (*required, *optional) if column in known.columns]
        absent = {column: None for column in optional if column not in known.columns}
        most = self.pages.count * self.pages.page_size // 4 + 1  # a sound row takes at least four bytes
        last: int | None = None
        try:
            for count, record in enumerate(self._select(known, wanted)):
                rowid = record[0]
                # Pages that several others point to multiply rows without end.
                if (rowid is not None and last is not None and rowid <= last) or count >= most:
                    raise sqlite3.DatabaseError("pages are used more than once")
                last = rowid
                yield Row(table, rowid, absent | dict(zip(wanted, record[1:], strict=True)))
            return
        except _REFUSED as error:
            if self._connection is not None:
                yield Problem(
                    f"SQLite stopped reading table {table}: {error}; the rest was read page by page",
                    Status.FAILED,
                    f"table={table} after rowid={last}",
                )
        yield from self._walk(known, wanted, absent, last)

    def lookup(self, table: str, rowid: int | None, columns: Sequence[str]) -> Row | None:
        """The row of that number with those columns (None for a column that does not exist), or None where there is none to be read."""
        known = self.tables.get(table)
        if known is None or rowid is None or not known.has_rowid:
            return None
        wanted = [column for column in columns if column in known.columns]
        absent = dict.fromkeys(columns)
        if self._connection is not None and wanted:
            try:
                statement = self._statement(known, tuple(wanted), True)
                found = self._connection.execute(statement, (rowid,)).fetchone()
                return None if found is None else Row(table, rowid, absent | dict(zip(wanted, found[1:], strict=True)))
            except (*_REFUSED, OverflowError):
                pass
        try:
            payload = btree.find(self.pages, known.root, rowid)
            return None if payload is None else Row(table, rowid, {**absent, **self._named(known, wanted, rowid, payload)})
        except (DamagedPage, IndexError):
            return None

    def named(self, table: Table, payload: bytes, rowid: int | None) -> dict[str, Any]:
        """The values of a record of ``table`` by column. Raises ``DamagedPage``."""
        values = dict(zip(table.stored, decode(payload, self.pages.encoding), strict=False))
        if table.alias is not None:
            values[table.alias] = rowid
        return values

    def _walk(self, table: Table, wanted: list[str], absent: dict[str, Any], after: int | None) -> Iterator[Row | Problem]:
        if not table.has_rowid:
            yield Problem(f"table {table.name} keeps its rows in an index: not read page by page", Status.FAILED, f"table={table.name}")
            return
        problems: list[Problem] = []
        told = 0
        for rowid, payload in btree.walk(self.pages, table.root, problems):
            if after is not None and rowid <= after:
                continue
            try:
                yield Row(table.name, rowid, {**absent, **self._named(table, wanted, rowid, payload)})
            except DamagedPage as error:
                problems.append(Problem(str(error), Status.FAILED, f"rowid={rowid}"))
            while told < min(len(problems), _MOST_PROBLEMS):
                yield _of_table(problems[told], table.name)
                told += 1
        yield from (_of_table(problem, table.name) for problem in problems[told:_MOST_PROBLEMS])
        if len(problems) > _MOST_PROBLEMS:
            yield Problem(
                f"{len(problems) - _MOST_PROBLEMS} further damaged places in table {table.name}", Status.FAILED, f"table={table.name}"
            )

    def _named(self, table: Table, wanted: list[str], rowid: int, payload: bytes) -> dict[str, Any]:
        values = self.named(table, payload, rowid)
        # A row written before ALTER TABLE ADD COLUMN is shorter than the table.
        return {column: values.get(column) for column in wanted}

    def _select(self, table: Table, columns: list[str]) -> Iterator[Sequence[Any]]:
        """Row number (None where there is none) and values."""
        if self._connection is None:
            raise sqlite3.OperationalError("not in memory")
        return self._connection.execute(self._statement(table, tuple(columns), False))

    def _statement(self, table: Table, columns: tuple[str, ...], one: bool) -> str:
        """The query for all rows or for one; until the next call it is also the only table that SQLite may read."""
        self._readable, self._looks = table.name, 0
        key = (table.name, columns, one)
        if key not in self._statements:
            number = "_rowid_" if table.has_rowid else "NULL"
            names = ", ".join(_quoted(column) for column in columns)
            where = " WHERE _rowid_ = ?" if one else ""
            self._statements[key] = f"SELECT {number}, {names} FROM main.{_quoted(table.name)} NOT INDEXED{where}"
        return self._statements[key]

    def _read_schema(self) -> None:
        problems: list[Problem] = []
        for rowid, payload in btree.walk(self.pages, 1, problems) if self.pages.count else ():
            try:
                values = decode(payload, self.pages.encoding)
            except DamagedPage as error:
                problems.append(Problem(f"the schema is damaged: {error}", Status.FAILED, f"rowid={rowid}"))
                continue
            if len(values) < 5 or values[0] != "table" or not isinstance(values[1], str) or not isinstance(values[4], str):
                continue
            if not isinstance(values[3], int) or not re.match(r"\s*CREATE\s+TABLE\b", values[4], re.IGNORECASE):
                continue
            try:
                self.tables.setdefault(values[1], _declared(values[1], values[3], values[4]))
            except _REFUSED as error:
                problems.append(Problem(f"the declaration of table {values[1]} cannot be read: {error}", Status.FAILED, f"rowid={rowid}"))
        self.problems.extend(_of_table(problem, "sqlite_schema") for problem in problems[:_MOST_PROBLEMS])

    def _load(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            connection.deserialize(self.pages.image())
            for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "temp_store=MEMORY"):
                connection.execute(f"PRAGMA {pragma}")
            for limit, value in (
                (sqlite3.SQLITE_LIMIT_LENGTH, MAX_PAYLOAD),
                (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
                (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
                (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
                (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
                (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
            ):
                connection.setlimit(limit, value)
            connection.text_factory = _visible
            connection.set_authorizer(self._authorise)
            connection.set_progress_handler(self._look, _STEPS)
        except (*_REFUSED, MemoryError, OverflowError) as error:
            connection.close()
            self.problems.append(Problem(f"SQLite does not open this database ({error}); its pages were read one by one", Status.FAILED))
            return
        self._connection = connection

    def _authorise(self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
        if inner is not None:
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_READ and first == self._readable):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _look(self) -> int:
        self._looks += 1
        return int(self._looks > _BUDGET)


def _of_table(problem: Problem, table: str) -> Problem:
    return Problem(problem.reason, problem.status, f"table={table} {problem.locator}".rstrip())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _visible(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


_DECLARING = frozenset(
    (
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_INSERT,
        sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_REINDEX,
    )
)


def _declared(table: str, root: int, sql: str) -> Table:
    """What a CREATE TABLE statement declares, by having SQLite itself run it in an empty database that may do nothing else."""
    name = table
    scratch = sqlite3.connect(":memory:", isolation_level=None)
    try:
        scratch.execute("PRAGMA trusted_schema=OFF")
        scratch.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1 << 20)
        scratch.set_authorizer(_only(_DECLARING))
        if name.lower().startswith("sqlite_"):  # SQLite lets nobody but itself declare these (sqlite_sequence)
            sql, name = sql.replace(name, "reserved", 1), "reserved"
        scratch.execute(sql)
        scratch.set_authorizer(None)
        columns = scratch.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
        try:
            scratch.execute(f"SELECT _rowid_ FROM {_quoted(name)}")
            has_rowid = "_rowid_" not in (column[1].lower() for column in columns)
        except _REFUSED:
            has_rowid = False
    finally:
        scratch.close()
    # table_xinfo: cid, name, type, notnull, default, pk, hidden (2: generated when read, 3: generated and stored)
    keys = [column for column in columns if column[5]]
    alias = keys[0][1] if has_rowid and len(keys) == 1 and keys[0][2].upper() == "INTEGER" else None
    return Table(
        table,
        root,
        tuple(column[1] for column in columns if column[6] == 0),
        tuple(column[1] for column in columns if column[6] != 2),
        tuple(column[2].upper() for column in columns if column[6] != 2),
        alias,
        has_rowid,
    )


def _only(allowed: frozenset[int]) -> Callable[[int, str | None, str | None, str | None, str | None], int]:
    def authorise(action: int, *_: str | None) -> int:
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    return authorise
