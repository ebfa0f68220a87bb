"""Phone Link: the phone is named where its database names it, and known to be there where it does not."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from artefacts.devices import phone_link

FOLDER = "/Users/jo/AppData/Local/Packages/Microsoft.YourPhone_8wekyb3d8bbwe/LocalCache/Indexed/0a1b2c3d-1111-2222-3333-444455556666/System/Database"


def test_a_named_phone(evidence: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("CREATE TABLE device_info (id INTEGER PRIMARY KEY, device_name TEXT, manufacturer TEXT, model TEXT, secret TEXT)")
        database.execute("INSERT INTO device_info VALUES (1, 'Jo phone', 'samsung', 'SM-G991B', 'words'), (2, NULL, NULL, NULL, 'words')")
        database.execute("CREATE TABLE message (name TEXT)")
        database.execute("INSERT INTO message VALUES ('not a device')")
    database.close()
    path = f"{FOLDER}/deviceData.db"
    [phone], problems = evidence({path: (tmp_path / "x.db").read_bytes()}).parse(phone_link.parse, path)
    assert problems == [] and (phone.name, phone.maker, phone.model, phone.user) == ("Jo phone", "samsung", "SM-G991B", "jo")
    assert phone.identifiers == ("udn:0a1b2c3d-1111-2222-3333-444455556666",) and "words" not in str(phone)


def test_a_phone_without_a_name(evidence: Any) -> None:
    path = f"{FOLDER}/deviceData.db"
    [phone], [problem] = evidence({path: b"no database at all"}).parse(phone_link.parse, path)
    assert phone.name is None and phone.how == "Phone Link" and problem.status.is_gap
