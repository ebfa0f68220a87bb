"""Deleted rows: found where they were left, never mixed with live ones, never invented."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Unrecognised
from artefacts.sqlite import Database, Row
from artefacts.sqlite.recovery import TEXT, TIME, deleted_rows

PATH = "/home/jo/x.db"
SCHEMA = (
    "CREATE TABLE urls (id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, visit_count INTEGER NOT NULL, seen INTEGER NOT NULL)"
)
SHAPE = {"url": TEXT, "seen": TIME}
SEEN = 13_400_000_000_000_000


def fill(db: sqlite3.Connection, first: int, last: int, long: bool) -> None:
    tail = "/" + "p" * 120 if long else ""
    db.executemany(
        "INSERT INTO urls VALUES (?, ?, ?, ?, ?)",
        ((n, f"https://{n}.example{tail}", f"Title {n}", n % 9, SEEN + n) for n in range(first, last)),
    )


def plausible(row: Row) -> bool:
    return (row.text("url") or "").startswith("https://") and (row.integer("seen") or 0) >= SEEN


def recovered(evidence: Any, data: bytes, companions: dict[str, bytes] | None = None) -> list[Row]:
    contents = {PATH: data, **{PATH + suffix: content for suffix, content in (companions or {}).items()}}
    with Database(evidence(contents).file(PATH)) as database:
        return list(deleted_rows(database, "urls", ("url", "title", "visit_count", "seen"), ("url", "seen"), SHAPE, plausible))


def numbers(rows: list[Row]) -> set[int]:
    """The number in each recovered row; every value must belong to it."""
    found = set()
    for row in rows:
        number = (row.integer("seen") or 0) - SEEN
        assert (
            (row.text("url") or "").startswith(f"https://{number}.example")
            and row.text("title") == f"Title {number}"
            and row.integer("visit_count") == number % 9
        )
        found.add(number)
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("long", [False, True])
def test_rows_in_the_gaps_of_used_pages(evidence: Any, tmp_path: Path, long: bool) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute(SCHEMA)
        fill(db, 1, 400, long)
        db.commit()
        db.execute("DELETE FROM urls WHERE id IN (2, 50, 51, 52, 200, 300)")
    db.close()
    rows = recovered(evidence, (tmp_path / "a.db").read_bytes())
    # Neighbours of a freed row are merged with it: then its own first bytes survive, and only the first of the block loses them.
    assert numbers(rows) == {2, 50, 51, 52, 200, 300}
    assert all(row.place and row.locator.startswith("table=urls page=") for row in rows)


def test_rows_on_free_pages(evidence: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute(SCHEMA)
        fill(db, 1, 1000, True)
        db.commit()
        db.execute("DELETE FROM urls WHERE id > 100")
    db.close()
    found = numbers(recovered(evidence, (tmp_path / "a.db").read_bytes()))
    assert found <= set(range(101, 1000)) and len(found) > 850


def test_rows_of_the_write_ahead_log(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "wal_autocheckpoint=0", "secure_delete=ON"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(SCHEMA)
    fill(db, 1, 20, False)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fill(db, 20, 30, False)
    db.execute("DELETE FROM urls WHERE id IN (5, 25)")
    data, log = (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db-wal").read_bytes()
    db.close()
    rows = recovered(evidence, data, {"-wal": log})
    assert numbers(rows) == {5, 25}
    assert {row.rowid for row in rows} == {5, 25}


def test_nothing_is_invented(evidence: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("PRAGMA secure_delete=ON")
        db.execute(SCHEMA)
        fill(db, 1, 500, True)
        db.commit()
        db.execute("DELETE FROM urls WHERE id % 3 = 0")
        db.execute("UPDATE urls SET visit_count = visit_count + 1")
    db.close()
    assert recovered(evidence, (tmp_path / "a.db").read_bytes()) == []


def test_an_older_version_of_a_live_row_is_not_a_deleted_row(evidence: Any, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute(SCHEMA)
    fill(db, 1, 20, False)
    for _ in range(5):
        db.execute("UPDATE urls SET visit_count = visit_count + 1")
    data, log = (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db-wal").read_bytes()
    db.close()
    assert recovered(evidence, data, {"-wal": log}) == []


def test_mutations(evidence: Any, tmp_path: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute(SCHEMA)
        fill(db, 1, 300, False)
        db.commit()
        db.execute("DELETE FROM urls WHERE id > 40 AND id % 7 != 0")
    db.close()
    data = (tmp_path / "a.db").read_bytes()
    for damaged in mutations(data, 60):
        try:
            assert len(recovered(evidence, damaged)) <= 300
        except (Unrecognised, Encrypted):
            continue
