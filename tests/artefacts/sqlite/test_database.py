"""SQLite from evidence: companions applied, damage survived, hostile schemas refused."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.sqlite import Database, Row
from artefacts.sqlite.database import IN_MEMORY_LIMIT

PATH = "/Users/jo/x.db"


@contextmanager
def making(path: Path, *pragmas: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        yield connection
    finally:
        connection.close()


def pages_of(folder: Path, rows: int = 3000) -> bytes:
    """A database with a table of several levels of pages."""
    with making(folder / "big.db", "page_size=1024") as db:
        db.execute("CREATE TABLE urls (id INTEGER PRIMARY KEY, url TEXT, seen REAL)")
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO urls VALUES (?, ?, ?)", ((n, f"http://example.test/{n:05}/" + "x" * (n % 300), n / 2) for n in range(1, rows + 1))
        )
        db.execute("COMMIT")
    return (folder / "big.db").read_bytes()


def opened(evidence: Any, data: bytes, companions: dict[str, bytes] | None = None, **options: Any) -> Database:
    contents = {PATH: data, **{PATH + suffix: content for suffix, content in (companions or {}).items()}}
    return Database(evidence(contents).file(PATH), **options)


def read(database: Database, table: str, *columns: str) -> tuple[list[Row], list[Problem]]:
    with database:
        results = list(database.rows(table, columns))
    return [item for item in results if isinstance(item, Row)], [
        *database.problems,
        *(item for item in results if isinstance(item, Problem)),
    ]


def column(database: Database, table: str, name: str) -> list[Any]:
    rows, problems = read(database, table, name)
    assert problems == []
    return [row.values[name] for row in rows]


def test_every_value_the_same_through_sqlite_and_page_by_page(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (a, id INTEGER PRIMARY KEY, b TEXT, c REAL, d BLOB)")
        values = [
            (None, -5, "é€𝄞", 1.0, b"\0\xff"),
            (2**63 - 1, 2, "", -0.5, b""),
            (-(2**63), 3, "y" * 50_000, 1e300, bytes(9000)),
            (0, 2**40, "z", 2.5, None),
        ]
        db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", values)
        db.execute("ALTER TABLE t ADD COLUMN e")
    data = (tmp_path / "a.db").read_bytes()
    rows, problems = read(opened(evidence, data), "t", "id", "a", "b", "c", "d", "e")
    assert problems == []
    assert [tuple(row.values[name] for name in ("a", "id", "b", "c", "d")) for row in rows] == values
    assert [row.locator for row in rows] == ["table=t rowid=-5", "table=t rowid=2", "table=t rowid=3", f"table=t rowid={2**40}"]
    assert read(opened(evidence, data, in_memory_limit=0), "t", "id", "a", "b", "c", "d", "e") == (rows, [])


def test_a_table_of_many_pages_walked_and_looked_up(evidence: Any, tmp_path: Path) -> None:
    data = pages_of(tmp_path)
    fast, slow = opened(evidence, data), opened(evidence, data, in_memory_limit=0)
    for number in (1, 2, 777, 3000):
        assert fast.lookup("urls", number, ("url", "none")) == slow.lookup("urls", number, ("url", "none"))
        found = slow.lookup("urls", number, ("url",))
        assert found is not None and (found.text("url") or "").startswith(f"http://example.test/{number:05}/")
    assert fast.lookup("urls", 3001, ("url",)) is None and slow.lookup("urls", 3001, ("url",)) is None
    assert fast.lookup("urls", 2**70, ("url",)) is None
    assert read(fast, "urls", "id", "url") == read(slow, "urls", "id", "url")


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_text_of_every_encoding(evidence: Any, tmp_path: Path, encoding: str) -> None:
    with making(tmp_path / "a.db", f"encoding='{encoding}'") as db:
        db.execute("CREATE TABLE t (a TEXT)")
        db.execute("INSERT INTO t VALUES ('naïve 猫')")
    data = (tmp_path / "a.db").read_bytes()
    for limit in (IN_MEMORY_LIMIT, 0):
        assert column(opened(evidence, data, in_memory_limit=limit), "t", "a") == ["naïve 猫"]


def test_text_that_is_not_utf8_stays_visible(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (a TEXT)")
        db.execute("INSERT INTO t VALUES (CAST(x'61ff62' AS TEXT))")
    data = (tmp_path / "a.db").read_bytes()
    for limit in (IN_MEMORY_LIMIT, 0):
        assert column(opened(evidence, data, in_memory_limit=limit), "t", "a") == ["a\\xffb"]


def test_values_of_an_unexpected_type(evidence: Any) -> None:
    row = Row("t", 1, {"a": b"\xffx", "b": "12", "c": "twelve", "d": float("inf"), "e": "y" * 70_000, "f": None})
    assert (row.text("a"), row.integer("b"), row.integer("c"), row.integer("d"), row.integer("f")) == ("\\xffx", 12, None, None, None)
    long = row.text("e")
    assert long is not None and len(long) < 66_000 and long.endswith("[cut: 70000 characters]")


def test_columns_that_are_missing(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES (1)")
    with opened(evidence, (tmp_path / "a.db").read_bytes()) as db_:
        assert list(db_.rows("nowhere", ("a",))) == []
        assert list(db_.rows("t", ("a",), ("b",))) == [Row("t", 1, {"b": None, "a": 1})]
        [problem] = db_.rows("t", ("a", "b"))
        assert isinstance(problem, Problem) and problem.status is Status.UNRECOGNISED and "no column b" in problem.reason
        assert db_.has("t", "a") and not db_.has("t", "b") and not db_.has("nowhere")


# ---- companions


def write_ahead(folder: Path) -> tuple[bytes, bytes, bytes]:
    """A database of rows 1, 2 whose log adds 3 and then 4, as a running program leaves it; and the log without the commit of 4."""
    with making(folder / "a.db", "journal_mode=WAL", "wal_autocheckpoint=0") as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES (1), (2)")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("INSERT INTO t VALUES (3)")
        first = (folder / "a.db-wal").read_bytes()
        db.execute("INSERT INTO t VALUES (4)")
        return (folder / "a.db").read_bytes(), (folder / "a.db-wal").read_bytes(), first


def test_committed_rows_of_the_write_ahead_log(evidence: Any, tmp_path: Path) -> None:
    data, log, first = write_ahead(tmp_path)
    assert column(opened(evidence, data), "t", "a") == [1, 2]
    assert column(opened(evidence, data, {"-wal": first}), "t", "a") == [1, 2, 3]
    assert column(opened(evidence, data, {"-wal": log}), "t", "a") == [1, 2, 3, 4]
    assert column(opened(evidence, data, {"-wal": log}, in_memory_limit=0), "t", "a") == [1, 2, 3, 4]
    assert column(opened(evidence, data, {"-wal": b""}), "t", "a") == [1, 2]


def test_a_damaged_log_counts_up_to_its_last_sound_commit(evidence: Any, tmp_path: Path) -> None:
    data, log, first = write_ahead(tmp_path)
    flipped = bytearray(log)
    flipped[len(first) + 24 + 100] ^= 1
    rows, problems = read(opened(evidence, data, {"-wal": bytes(flipped)}), "t", "a")
    assert [row.values["a"] for row in rows] == [1, 2, 3]
    assert ["-wal is damaged" in problem.reason for problem in problems] == [True]
    for broken in (bytes(len(log)), b"\0" + log[1:], log[:20]):
        rows, problems = read(opened(evidence, data, {"-wal": broken}), "t", "a")
        assert [row.values["a"] for row in rows] == [1, 2] and len(problems) == 1


def test_uncommitted_frames_are_not_rows(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db", "journal_mode=WAL", "wal_autocheckpoint=0", "cache_size=2") as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES ('kept')")
        db.execute("BEGIN")
        db.executemany("INSERT INTO t VALUES (?)", (("x" * 500,) for _ in range(500)))
        data, log = (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db-wal").read_bytes()
    assert len(log) > 100_000
    database = opened(evidence, data, {"-wal": log})
    assert sum(not frame.live for frame in database.pages.wal_frames) > 20
    assert column(database, "t", "a") == ["kept"]


def test_frames_of_an_earlier_round_are_not_rows(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db", "journal_mode=WAL", "wal_autocheckpoint=0") as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO t VALUES (?)", (("old" * 300,) for _ in range(40)))
        db.execute("COMMIT")
        db.execute("DELETE FROM t")
        db.execute("PRAGMA wal_checkpoint(RESTART)")
        db.execute("INSERT INTO t VALUES ('new')")
        data, log = (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db-wal").read_bytes()
    database = opened(evidence, data, {"-wal": log})
    stale = b"".join(page for place, _, page in database.pages.old_versions() if place.startswith("-wal"))
    assert b"oldoldold" in stale
    assert column(database, "t", "a") == ["new"]


def test_a_hot_journal_is_rolled_back_and_said(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db", "cache_size=2") as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO t (a) VALUES (?)", (("before" * 50,) for _ in range(200)))
        db.execute("COMMIT")
        db.execute("BEGIN")
        db.execute("UPDATE t SET a = 'after' || a")
        db.execute("INSERT INTO t (a) SELECT a FROM t")
        data, journal = (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db-journal").read_bytes()
        db.execute("ROLLBACK")
    assert b"afterbefore" in data
    rows, problems = read(opened(evidence, data, {"-journal": journal}), "t", "a")
    assert {row.values["a"] for row in rows} == {"before" * 50} and len(rows) == 200
    [problem] = problems
    assert problem.status is Status.PARSED and "is hot" in problem.reason
    finished = bytes(28) + journal[28:]
    assert not any("hot" in problem.reason for problem in read(opened(evidence, data, {"-journal": finished}), "t", "a")[1])


# ---- what is no database


def test_other_files_are_refused(evidence: Any) -> None:
    for data, kind in ((b"plain text " * 1000, Unrecognised), (bytes(8192), Unrecognised), (random.Random(1).randbytes(8192), Encrypted)):
        with pytest.raises(kind):
            opened(evidence, data)
    with opened(evidence, b"") as database:
        assert database.tables == {} and database.problems == []


# ---- hostile schemas


def test_only_real_tables_are_read(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (a, b AS (upper(a)), c AS (lower(a)) STORED, d)")
        db.execute("INSERT INTO t (a, d) VALUES ('x', 'y')")
        db.execute("CREATE VIEW urls AS SELECT a AS id, a AS url FROM t")
        db.execute("CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END")
        plain = (tmp_path / "a.db").read_bytes()
        db.execute("CREATE TABLE masked (id, url)")
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_master SET sql = 'CREATE VIEW masked AS SELECT 1 AS id, 2 AS url' WHERE name = 'masked'")
        masked = (tmp_path / "a.db").read_bytes()
    for data, limit in ((plain, IN_MEMORY_LIMIT), (plain, 0), (masked, IN_MEMORY_LIMIT), (masked, 0)):
        with opened(evidence, data, in_memory_limit=limit) as database:
            assert set(database.tables) == {"t"}
            assert not database.has("t", "b") and not database.has("t", "c")
            results = list(database.rows("t", ("a", "d")))
            assert [row for row in results if isinstance(row, Row)] == [Row("t", 1, {"a": "x", "d": "y"})]
            # SQLite refuses the whole schema for the table that says it is a view; our own reading goes on, and that is said.
            assert len(results) == (2 if data is masked and limit else 1)
            assert list(database.rows("urls", ("id",))) == []


def test_a_table_kept_in_an_index(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID")
        db.execute("INSERT INTO t VALUES ('x', 'y')")
    data = (tmp_path / "a.db").read_bytes()
    assert read(opened(evidence, data), "t", "a", "b") == ([Row("t", None, {"a": "x", "b": "y"})], [])
    rows, problems = read(opened(evidence, data, in_memory_limit=0), "t", "a")
    assert rows == [] and "in an index" in problems[0].reason


def test_a_malformed_declaration_costs_its_own_table(evidence: Any, tmp_path: Path) -> None:
    with making(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("INSERT INTO t VALUES (1)")
        db.execute("CREATE TABLE u (a)")
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE u (a, , )' WHERE name = 'u'")
    rows, problems = read(opened(evidence, (tmp_path / "a.db").read_bytes()), "t", "a")
    assert [row.values for row in rows] == [{"a": 1}]
    assert any("declaration of table u" in problem.reason for problem in problems)


def interior_pages(data: bytes, size: int = 1024) -> list[int]:
    return [start for start in range(size, len(data), size) if data[start] == 5]


def test_pages_in_a_circle_end(evidence: Any, tmp_path: Path) -> None:
    data = bytearray(pages_of(tmp_path))
    whole = read(opened(evidence, bytes(data)), "urls", "id")[0]
    for start in interior_pages(bytes(data)):
        data[start + 8 : start + 12] = (start // 1024 + 1).to_bytes(4, "big")
    rows, problems = read(opened(evidence, bytes(data)), "urls", "id")
    assert problems and 0 < len(rows) < len(whole)
    assert len({row.rowid for row in rows}) == len(rows)


def test_pages_shared_by_every_pointer_end(evidence: Any, tmp_path: Path) -> None:
    """Each interior page points only to the next one: without a limit the rows of the last are multiplied beyond counting."""
    data = bytearray(pages_of(tmp_path, 12_000))
    chain = interior_pages(bytes(data))[:8]
    leaf = next(start for start in range(1024, len(data), 1024) if data[start] == 13)
    root = next(start for start in chain if start == 1024)
    order = [root, *(start for start in chain if start != root), leaf]
    for here, there in pairwise(order):
        count = int.from_bytes(data[here + 3 : here + 5], "big")
        pointer = (there // 1024 + 1).to_bytes(4, "big")
        data[here + 8 : here + 12] = pointer
        for index in range(count):
            cell = int.from_bytes(data[here + 12 + 2 * index : here + 14 + 2 * index], "big")
            data[here + cell : here + cell + 4] = pointer
    rows, problems = read(opened(evidence, bytes(data)), "urls", "id")
    assert problems and 0 < len(rows) < 300


# ---- damage


def test_a_damaged_page_costs_its_rows_only(evidence: Any, tmp_path: Path) -> None:
    data = bytearray(pages_of(tmp_path))
    leaves = [start for start in range(1024, len(data), 1024) if data[start] == 13]
    data[leaves[100] : leaves[100] + 1024] = os.urandom(1024)
    data[leaves[100]] = 99
    rows, problems = read(opened(evidence, bytes(data)), "urls", "id", "url")
    assert 2980 <= len(rows) < 3000 and rows[-1].rowid == 3000
    assert any("SQLite stopped" in problem.reason for problem in problems) and any(
        "is not a page of a table" in problem.reason for problem in problems
    )


def test_a_file_cut_short_gives_its_sound_rows_and_says_so(evidence: Any, tmp_path: Path) -> None:
    data = pages_of(tmp_path)
    rows, problems = read(opened(evidence, data[: len(data) // 2]), "urls", "id", "url")
    assert 1000 < len(rows) < 2000
    assert any(problem.reason.startswith("cut off") for problem in problems)


def test_mutations_never_raise(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = pages_of(tmp_path, 600)
    for number, damaged in enumerate(mutations(data, 100)):
        try:
            rows, problems = read(opened(evidence, damaged), "urls", "id", "url", "seen")
        except (Unrecognised, Encrypted):
            continue
        assert len(rows) <= 700
        if len(damaged) < len(data):
            assert problems, f"mutation {number} lost its end without a word"


def test_mutated_logs_never_raise(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data, log, _ = write_ahead(tmp_path)
    for damaged in mutations(log, 60):
        rows, _ = read(opened(evidence, data, {"-wal": damaged}), "t", "a")
        assert [row.values["a"] for row in rows] in ([1, 2], [1, 2, 3], [1, 2, 3, 4])


def test_a_schema_with_broken_words_in_sqlites_own_message(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "x")
    db.executescript(
        "CREATE TABLE demo(id INTEGER PRIMARY KEY, name TEXT); CREATE INDEX byname ON demo(name); INSERT INTO demo VALUES(1, 'sheds');"
    )
    db.close()
    data = (tmp_path / "x").read_bytes().replace(b"CREATE INDEX", b"CREATE IN\xc4EX")
    with Database(evidence({"/x": data}).file("/x")) as database:
        rows = list(database.rows("demo", ("id", "name")))
    assert [row.values for row in rows if isinstance(row, Row)] == [{"id": 1, "name": "sheds"}]
    assert any(isinstance(row, Problem) for row in [*rows, *database.problems])
