"""Safari's cache: databases made here, bodies in rows and in files, damage."""

from __future__ import annotations

import plistlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.browsers import safari_cache
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.registry import Content
from artefacts.times import Timestamp

FOLDER = "/Users/jo/Library/Caches/com.apple.Safari"
PATH = f"{FOLDER}/Cache.db"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """Three answers: one in its row, one in a file, one whose file is gone."""
    database = sqlite3.connect(tmp_path / "Cache.db")
    database.executescript(
        "CREATE TABLE cfurl_cache_response(entry_ID INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE, version INTEGER, hash_value INTEGER,"
        " storage_policy INTEGER, request_key TEXT UNIQUE, time_stamp NOT NULL DEFAULT CURRENT_TIMESTAMP, partition TEXT);"
        "CREATE TABLE cfurl_cache_blob_data(entry_ID INTEGER PRIMARY KEY, response_object BLOB, request_object BLOB, proto_props BLOB,"
        " user_info BLOB);"
        "CREATE TABLE cfurl_cache_receiver_data(entry_ID INTEGER PRIMARY KEY, isDataOnFS INTEGER, receiver_data BLOB);"
    )
    for number, (on_disk, body) in enumerate(((0, b"a small body"), (1, "0A1B-22"), (1, "gone")), 1):
        database.execute(
            "INSERT INTO cfurl_cache_response VALUES(?, 0, 0, 0, ?, '2024-05-06 07:08:09', NULL)", (number, f"https://a.example/{number}")
        )
        head = plistlib.dumps({"Array": [200, {"Content-Type": "image/png; q=1"}]}, fmt=plistlib.FMT_BINARY)
        database.execute("INSERT INTO cfurl_cache_blob_data VALUES(?, ?, NULL, NULL, NULL)", (number, head))
        database.execute("INSERT INTO cfurl_cache_receiver_data VALUES(?, ?, ?)", (number, on_disk, body))
    database.commit()
    database.close()
    return {PATH: (tmp_path / "Cache.db").read_bytes(), f"{FOLDER}/fsCachedData/0A1B-22": b"a body in a file"}


def test_entries(evidence: Any, files: dict[str, bytes]) -> None:
    (one, two, three), problems = evidence(files).parse(safari_cache.parse, PATH)
    assert problems == []
    assert (one.url, one.content_type, one.bytes, one.stored_in) == ("https://a.example/1", "image/png", 12, PATH)
    assert isinstance(one.time, Timestamp) and one.time.isoformat() == "2024-05-06T07:08:09Z"
    assert (one.browser, one.user) == ("Safari", "jo")
    assert (two.bytes, two.stored_in) == (16, f"{FOLDER}/fsCachedData/0A1B-22")
    assert (three.bytes, three.stored_in) == (None, None)


def test_contents(evidence: Any, files: dict[str, bytes]) -> None:
    results = list(safari_cache.contents(evidence(files).file(PATH)))
    assert [(item.name, item.data) for item in results if isinstance(item, Content)] == [
        ("https://a.example/1", b"a small body"), ("0A1B-22 ▸ https://a.example/2", b"a body in a file"),
    ]  # fmt: skip
    [problem] = [item for item in results if isinstance(item, Problem)]
    assert (problem.status, problem.locator) == (Status.MISSING, "https://a.example/3")


def test_damage(evidence: Any, files: dict[str, bytes], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for damaged in mutations(files[PATH], 60):
        for reader in (safari_cache.parse, safari_cache.contents):
            try:
                list(reader(evidence({**files, PATH: damaged}).file(PATH)))
            except Unrecognised:
                continue
    with pytest.raises(Unrecognised):
        evidence({PATH: b"no database"}).parse(safari_cache.parse, PATH)
