from __future__ import annotations

import hashlib
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hashsets.errors import HashSetError, UnknownFormat
from hashsets.formats.recognise import recognise

M, S1, S256 = ([hashlib.new(name, bytes([n])).hexdigest() for n in range(3)] for name in ("md5", "sha1", "sha256"))
ALL = ("md5", "sha1", "sha256")


def make(path: Path, script: str, *rows: tuple[str, tuple[object, ...]]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(script)
        for statement, values in rows:
            database.execute(statement, values)
        database.commit()
    return path


def nsrl_minimal(path: Path) -> Path:
    insert = "INSERT INTO FILE VALUES (?, ?, ?, ?, ?, ?)"
    return make(
        path,
        "CREATE TABLE FILE (sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, file_name VARCHAR, file_size INTEGER, package_id INTEGER);"
        "CREATE TABLE VERSION (version VARCHAR, build_set VARCHAR, build_date TIMESTAMP, release_date TIMESTAMP, description VARCHAR);"
        "INSERT INTO VERSION VALUES ('2026.03.1', 'modern_pc', '', '', '');",
        (insert, (S256[0].upper(), S1[0].upper(), M[0].upper(), "a", 5, 1)),
        (insert, (S256[0].upper(), S1[0].upper(), M[0].upper(), "b", 5, 2)),
        (insert, (None, S1[1], "damaged", "c", "many", 1)),
    )


def test_nsrl_minimal(tmp_path: Path, read_list) -> None:
    path = nsrl_minimal(tmp_path / "rds.db")
    form, listed, problems = read_list(path)
    assert form == "NSRL RDSv3"
    assert listed == {
        "md5": {M[0]: (5, (), ALL)},
        "sha1": {S1[0]: (5, (), ALL), S1[1]: (-1, (), ("sha1",))},
        "sha256": {S256[0][:40]: (5, (), ALL)},
    }
    assert problems == [(3, "not hexadecimal: 'damaged'")]
    source = recognise(path)
    assert (source.name, source.version, source.known_files) == ("NSRL modern_pc", "2026.03.1", True)


def test_nsrl_full_reads_the_view(tmp_path: Path, read_list) -> None:
    path = make(
        tmp_path / "rds.db",
        "CREATE TABLE METADATA (metadata_id INTEGER, bytes INTEGER, md5 TEXT, sha1 TEXT, sha256 TEXT, file_name TEXT);"
        "CREATE VIEW FILE AS SELECT UPPER(sha1) AS sha1, UPPER(md5) AS md5, file_name, bytes AS file_size FROM METADATA;",
        ("INSERT INTO METADATA VALUES (1, 7, ?, ?, ?, 'a')", (M[0], S1[0], S256[0])),
    )
    # This draft's view has no SHA-256: columns are found by name.
    assert read_list(path)[1] == {"md5": {M[0]: (7, (), ("md5", "sha1"))}, "sha1": {S1[0]: (7, (), ("md5", "sha1"))}}


def test_kdb(tmp_path: Path, read_list) -> None:
    path = make(
        tmp_path / "set.kdb",
        "CREATE TABLE db_properties (name TEXT NOT NULL, value TEXT);"
        "CREATE TABLE hashes (id INTEGER PRIMARY KEY AUTOINCREMENT, md5 BINARY(16) UNIQUE, sha1 BINARY(20), sha2_256 BINARY(32));",
        ("INSERT INTO hashes (md5) VALUES (?)", (bytes.fromhex(M[0]),)),
        ("INSERT INTO hashes (md5, sha2_256) VALUES (?, ?)", (bytes.fromhex(M[1]), bytes.fromhex(S256[1]))),
        ("INSERT INTO hashes (md5) VALUES ('text')", ()),
    )
    assert read_list(path) == (
        "Autopsy hash database",
        {"md5": {M[0]: (-1, (), ("md5",)), M[1]: (-1, (), ("md5", "sha256"))}, "sha256": {S256[1][:40]: (-1, (), ("md5", "sha256"))}},
        [(3, "md5 is not a blob of 16 bytes")],
    )


def test_another_database_is_refused(tmp_path: Path, read_list) -> None:
    with pytest.raises(UnknownFormat, match="neither an NSRL"):
        read_list(make(tmp_path / "x.db", "CREATE TABLE hashes (colour TEXT)"))


def test_damaged_databases_never_do_more_than_raise(tmp_path: Path, read_list) -> None:
    data = nsrl_minimal(tmp_path / "rds.db").read_bytes()
    chance = random.Random(4)
    refused = 0
    for _ in range(150):
        damaged = bytearray(data[: chance.choice([len(data), chance.randrange(20, len(data))])])
        for _ in range(chance.randrange(1, 30)):
            damaged[chance.randrange(16, len(damaged))] = chance.randrange(256)
        path = tmp_path / "damaged.db"
        path.write_bytes(damaged)
        try:
            read_list(path)
        except HashSetError:
            refused += 1
    assert refused > 50
