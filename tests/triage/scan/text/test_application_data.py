"""Words in the databases of known applications: each kind of value, deleted rows, times, real databases, damage, and the table itself."""

from __future__ import annotations

import gzip
import lzma
import plistlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from artefacts.coverage import Problem
from artefacts.matching import glob
from tests.triage.scan.text.conftest import damaged
from triage.evidence.file import EntryFile
from triage.scan.text import Piece
from triage.scan.text import application_data as application_data

PHRASE = "copper kettle"


class _Loose(EntryFile):
    """A database on our own disk as an evidence file, its companions with it."""

    def __init__(self, path: Path) -> None:
        self._path, self._content = path, path.read_bytes()

    path = property(lambda self: "/" + self._path.name)  # type: ignore[assignment]
    name = property(lambda self: self._path.name)  # type: ignore[assignment]
    size = property(lambda self: len(self._content))  # type: ignore[assignment]
    allocated = property(lambda self: True)  # type: ignore[assignment]

    def sibling(self, name: str) -> EntryFile | None:
        other = self._path.with_name(name)
        return _Loose(other) if other.is_file() else None


def found(path: Path, holds: Callable[[bytes], bool] = lambda data: True) -> tuple[str | None, dict[str, str], list[Problem]]:
    """The id of the application, text by locator, and the problems."""
    application, items = application_data.read(_Loose(path), holds, lambda: None)
    texts: dict[str, str] = {}
    problems = []
    for item in items:
        if isinstance(item, Problem):
            problems.append(item)
        else:
            assert isinstance(item, Piece) and item.where == "application"
            texts[item.locator] = texts.get(item.locator, "") + item.data.decode("utf-8", "replace")
    return application.id if application else None, texts, problems


def made(path: Path, *statements: str | tuple[str, tuple[object, ...]]) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete = off")
    for statement in statements:
        connection.execute(*([statement] if isinstance(statement, str) else statement))
    connection.commit()
    connection.close()
    return path


def test_known_by_its_tables_whatever_it_is_called(tmp_path: Path) -> None:
    path = made(
        tmp_path / "3d0d7e5fb2ce288813306e4d4636395e047a3d28",
        "CREATE TABLE message (ROWID INTEGER PRIMARY KEY, text TEXT, handle_id INTEGER, subject TEXT, attributedBody BLOB, date INTEGER)",
        ("INSERT INTO message VALUES (1, ?, 0, NULL, NULL, 400000000)", (PHRASE,)),
        ("INSERT INTO message VALUES (2, NULL, 0, 'about it', ?, 700000000000000000)", (b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x08NSString\x01\x94\x84\x01+A" + PHRASE.ljust(65, ".").encode() + b"\x86\x84NSObject",)),
        ("INSERT INTO message VALUES (3, NULL, 0, NULL, ?, 0)", (b"\x04\x0bstreamtyped\x81\xe8\x03NSString\x01\x95\x84\x01+\x81\x2c\x01" + PHRASE.ljust(300, "-").encode() + b"\x86tail",)),
    )  # fmt: skip
    name, texts, problems = found(path)
    assert (name, problems) == ("application_data.apple_messages", [])
    assert texts == {
        "table=message rowid=1 of 2013-09-04T15:06:40Z": PHRASE,
        "table=message rowid=2 of 2023-03-08T20:26:40Z": "about it" + PHRASE.ljust(65, "."),
        "table=message rowid=3": PHRASE.ljust(300, "-"),
    }


def test_values_in_other_forms(tmp_path: Path) -> None:
    notes = made(
        tmp_path / "NoteStore.sqlite",
        "CREATE TABLE ZICCLOUDSYNCINGOBJECT (Z_PK INTEGER PRIMARY KEY, ZTITLE1 TEXT, ZSNIPPET TEXT)",
        "CREATE TABLE ZICNOTEDATA (Z_PK INTEGER PRIMARY KEY, ZDATA BLOB)",
        ("INSERT INTO ZICNOTEDATA VALUES (1, ?)", (gzip.compress(b"\x08\x00\x12\x0d" + PHRASE.encode()),)),
        ("INSERT INTO ZICNOTEDATA VALUES (2, ?)", (b"\x1f\x8b damaged",)),
    )
    assert PHRASE in found(notes)[1]["table=ZICNOTEDATA rowid=1"]
    centre = made(
        tmp_path / "db",
        "CREATE TABLE record (rec_id INTEGER PRIMARY KEY, app_id INTEGER, data BLOB, delivered_date REAL)",
        ("INSERT INTO record VALUES (1, 1, ?, 1)", (plistlib.dumps({"req": {"titl": PHRASE, "n": [1, "é"]}}, fmt=plistlib.FMT_BINARY),)),
        ("INSERT INTO record VALUES (2, 1, ?, 1)", (b"bplist00 damaged",)),
    )
    texts = found(centre)[1]
    assert sorted(texts["table=record rowid=1 of 2001-01-01T00:00:01Z"].split("\n")) == [PHRASE, "é"]
    assert "damaged" in texts["table=record rowid=2 of 2001-01-01T00:00:01Z"]
    skype = made(
        tmp_path / "s4l-somebody.db",
        "CREATE TABLE messagesv12 (nsp_pk TEXT PRIMARY KEY, nsp_data TEXT)",
        ("INSERT INTO messagesv12 VALUES ('a', ?)", ('{"content":"cop\\u0070er\\nkettle"}',)),
    )
    assert found(skype)[:2] == ("application_data.skype_8", {"table=messagesv12 rowid=1": '{"content":"copper\nkettle"}'})


def test_deleted_rows(tmp_path: Path) -> None:
    path = made(
        tmp_path / "sms.db",
        "CREATE TABLE sms (_id INTEGER PRIMARY KEY, address TEXT, body TEXT)",
        *[("INSERT INTO sms VALUES (NULL, '+44', ?)", (f"{word} {PHRASE} in a message",)) for word in ("first", "second", "third")],
        "DELETE FROM sms WHERE _id = 2",
    )
    texts = found(path)[1]
    assert texts["table=sms rowid=1"] == f"first {PHRASE} in a message\n+44"
    (deleted,) = [(locator, text) for locator, text in texts.items() if "(deleted)" in locator]
    assert f"second {PHRASE} in a message" in deleted[1] and "page=2 offset=" in deleted[0]


def test_rows_in_the_write_ahead_log(tmp_path: Path) -> None:
    path = made(tmp_path / "mmssms.db", "CREATE TABLE sms (_id INTEGER PRIMARY KEY, address TEXT, body TEXT, date INTEGER)")
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = wal")
    writer.execute("INSERT INTO sms VALUES (1, '+44', ?, 1600000000000)", (PHRASE,))
    writer.commit()
    try:
        assert found(path)[1] == {"table=sms rowid=1 of 2020-09-13T12:26:40Z": f"{PHRASE}\n+44"}
    finally:
        writer.close()


def test_only_rows_with_something_in_them_come_out(tmp_path: Path) -> None:
    path = made(
        tmp_path / "x",
        "CREATE TABLE sms (_id INTEGER PRIMARY KEY, address TEXT, body TEXT)",
        *[("INSERT INTO sms VALUES (NULL, '', ?)", (f"number {number} {PHRASE if number in (7, 4000) else 'nothing'}" * 9,)) for number in range(5000)],
    )  # fmt: skip
    asked = []

    def holds(data: bytes) -> bool:
        asked.append(len(data))
        return PHRASE.encode() in data

    assert list(found(path, holds)[1]) == ["table=sms rowid=8", "table=sms rowid=4001"]
    assert len(asked) < 5000


def test_others_are_none_of_them(tmp_path: Path) -> None:
    assert found(made(tmp_path / "x", "CREATE TABLE message (text TEXT)")) == (None, {}, [])
    (tmp_path / "y").write_bytes(application_data.MAGIC + bytes(2000))
    name, _, problems = found(tmp_path / "y")
    assert name is None and problems


def test_damage(tmp_path: Path) -> None:
    path = made(
        tmp_path / "x",
        "CREATE TABLE sms (_id INTEGER PRIMARY KEY, address TEXT, body TEXT)",
        *[("INSERT INTO sms VALUES (NULL, '', ?)", (f"number {number} {PHRASE}" * 9,)) for number in range(200)],
    )
    for broken in damaged(path.read_bytes(), seed=11):
        (tmp_path / "broken").write_bytes(broken)
        name, texts, problems = found(tmp_path / "broken")
        # Changed letters in a text cannot be seen; rows cannot go missing without a word.
        assert problems or name is None or len([key for key in texts if "deleted" not in key]) >= 195


def test_programs_that_encrypt_are_known_by_their_places() -> None:
    assert application_data.closed("/Users/a/AppData/Roaming/Signal/sql/db.sqlite") == "Signal"
    assert application_data.closed("/home/a/.local/share/TelegramDesktop/tdata/key_datas") == "Telegram"
    assert application_data.closed("/home/a/notes/db.sqlite") is None
    assert glob("**/a/*.b").fullmatch("/x/y/a/c.b")


def test_the_table_is_sound() -> None:
    applications, _ = application_data.applications()
    assert len({item.id for item in applications}) == len(applications) > 15
    for item in applications:
        assert item.known_by and item.tables
        assert all(table.time is None or table.time[1] in application_data._TIMES for table in item.tables)


@pytest.mark.specimens
def test_real_databases(specimens: Path, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(lzma.decompress((specimens / "windows-misc/plaso/wpndatabase.db.xz").read_bytes()))
    expected = {
        specimens / "mixed/iped-apps/test_skypeMain.db": ("skype", 20),
        specimens / "mixed/iped-apps/test_skypeS4lStreeguil1.db": ("skype_8", 1),
        specimens / "mixed/plaso-apps/activity.sqlite": ("zeitgeist", 35),
        specimens / "mixed/plaso-apps/MyVideos107.db": ("kodi", 5),
        specimens / "macos/plaso/mac_notificationcenter.db": ("macos_notifications", 6),
        tmp_path / "w": ("windows_notifications", 6),
    }
    for path, (name, count) in expected.items():
        application, texts, problems = found(path)
        assert (application, problems) == (f"application_data.{name}", []), path
        assert len(texts) == count, path
    texts = found(specimens / "mixed/iped-apps/test_skypeMain.db")[1]
    assert texts["table=Messages rowid=3 of 2021-05-28T17:33:39Z"].startswith("Olá\nGuilherme")
    assert found(specimens / "browser/plaso-firefox/downloads.sqlite")[0] is None
