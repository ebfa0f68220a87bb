"""Traces of a Windows computer, written byte by byte: what no tool on Linux leaves."""

from __future__ import annotations

import random
import sqlite3
import struct
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.artefacts.windows.conftest import HiveWriter
from tests.artefacts.windows.test_event_logs import log, record
from tests.artefacts.windows.test_lnk import link
from tests.artefacts.windows.test_prefetch import version_17

DELETED, OLD, NEW, MADE = 0x80000200, 0x1000, 0x80002000, 0x80000100
EXPLORER = ("Software", "Microsoft", "Windows", "CurrentVersion", "Explorer")
_WORDS = (
    "autumn ballot cellar dinner engine fabric garden harbour island jacket kitchen ladder market needle orchard pencil quarry ribbon saddle "
    "timber umbrella valley window yellow zebra anchor basket candle dragon elbow"
)
WORDS = _WORDS.split()


def filetime(moment: datetime) -> int:
    """100-nanosecond ticks since 1601."""
    return (int(moment.timestamp() * 1000) + 11_644_473_600_000) * 10_000


def name(dice: random.Random, ending: str = "") -> str:
    """A file's name made of ordinary words."""
    text = " ".join(dice.sample(WORDS, dice.randint(1, 3)))
    return f"{text} {dice.randint(1, 99)}.{ending or dice.choice(('txt', 'jpg', 'docx', 'pdf', 'png', 'mp4'))}"


def moment(dice: random.Random) -> datetime:
    """Some time of the last two years."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randint(0, 600 * 86_400))


class ChangeJournal:
    """Records of ``$UsnJrnl:$J``, one after the other."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._data = bytearray()

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def add(self, text: str, reason: int, file: int, folder: int) -> None:
        raw = text.encode("utf-16-le")
        length = (60 + len(raw) + 7) // 8 * 8
        if len(self._data) % 4096 + length > 4096:
            self._data += bytes(-len(self._data) % 4096)
        head = struct.pack("<IHHQQ", length, 2, 0, 3 << 48 | file, 1 << 48 | folder)
        head += struct.pack("<QQIIIIHH", len(self._data), filetime(self.now), reason, 0, 0, 0x20, len(raw), 60)
        self._data += (head + raw).ljust(length, b"\0")

    def rename(self, old: str, new: str, file: int, folder: int) -> None:
        self.add(old, OLD, file, folder)
        self.add(new, NEW, file, folder)
        self.wait(0.01)

    def delete(self, text: str, file: int, folder: int) -> None:
        self.add(text, DELETED, file, folder)
        self.wait(0.01)

    def data(self) -> bytes:
        return bytes(self._data)


def journal_made(when: datetime) -> bytes:
    """``$UsnJrnl:$Max`` of a journal that was begun then."""
    return struct.pack("<4Q", 32 << 20, 8 << 20, filetime(when), 0)


def hive(tree: Mapping[str, Any]) -> bytes:
    """A registry hive whose root key holds ``tree``."""
    writer = HiveWriter()
    writer.key("root", 0, tree)
    return writer.file()


def nested(path: Sequence[str], content: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` below the keys of ``path``."""
    out: dict[str, Any] = dict(content)
    for part in reversed(path):
        out = {part: out}
    return out


def user_hive(dice: random.Random, recent: int, started: int) -> bytes:
    """An NTUSER.DAT with so many entries in RecentDocs and UserAssist."""
    names = [name(dice) for _ in range(recent)]
    docs: dict[str, Any] = {str(number): (text + "\0").encode("utf-16-le") + bytes(20) for number, text in enumerate(names)}
    docs["MRUListEx"] = struct.pack(f"<{recent + 1}i", *range(recent), -1)
    counts: dict[str, Any] = {}
    for number in range(started):
        entry = bytearray(72)
        struct.pack_into("<I", entry, 4, dice.randint(1, 40))
        struct.pack_into("<Q", entry, 60, filetime(moment(dice)))
        counts[_rot13(f"C:\\Program Files\\Tool{number}\\{dice.choice(WORDS)}.exe")] = bytes(entry)
    explorer = {"RecentDocs": docs if recent else {}, "UserAssist": {"{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}": {"Count": counts}}}
    return hive(nested(EXPLORER, explorer))


def _rot13(text: str) -> str:
    import codecs

    return codecs.encode(text, "rot13")


def prefetch(dice: random.Random, program: str) -> bytes:
    """A Prefetch file of a program."""
    files = [f"\\DEVICE\\HARDDISKVOLUME1\\WINDOWS\\SYSTEM32\\{program}"]
    return version_17(program, files, dice.getrandbits(32), filetime(moment(dice)), dice.randint(1, 60))


def shortcut(dice: random.Random, target: str) -> bytes:
    """A shortcut to a file."""
    return link(target, serial=dice.getrandbits(31))


def event_log(*events: tuple[int, str, Sequence[str]], start: datetime, first: int = 100) -> bytes:
    """A log of Windows XP: (identifier, source, strings) one a minute."""
    at = int(start.timestamp())
    parts = [record(first + n, at + 60 * n, event, source, *strings) for n, (event, source, strings) in enumerate(events)]
    return log(*parts, oldest=first, following=first + len(parts))


SIGN_IN = (528, "Security", ("jo", "DESK", "(0x0,0xA)", "2"))
CLEARED = (517, "Security", ("SYSTEM", "NT AUTHORITY", "(0x0,0x3E7)", "jo", "DESK", "(0x0,0xA)"))


def clock_change(user: str, program: str, before: datetime, after: datetime) -> tuple[int, str, tuple[str, ...]]:
    """Event 520 of Windows XP."""
    return 520, "Security", (
        "1234", program, user, "DESK", "(0x0,0xA)", user, "DESK", "(0x0,0xA)",
        before.strftime("%H:%M:%S %d/%m/%Y"), after.strftime("%H:%M:%S %d/%m/%Y"),
    )  # fmt: skip


def database(*statements: str, rows: Sequence[tuple[str, Sequence[Any]]] = ()) -> bytes:
    """A SQLite database as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            for statement, values in rows:
                connection.executemany(statement, values)
            connection.commit()
        return path.read_bytes()


def webkit(when: datetime) -> int:
    """Microseconds since 1601."""
    return int((when - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000


def chrome_history(dice: random.Random, visits: int, start: datetime) -> bytes:
    """``History`` of Chrome with so many visits, numbered without a gap."""
    urls, rows = [], []
    for number in range(1, visits + 1):
        when = webkit(start + timedelta(hours=number))
        urls.append((number, f"https://{dice.choice(WORDS)}{number}.example/", f"page {number}", 1, 0, when, 0))
        rows.append((number, number, when, 0, 805306368, 0, 0))
    return database(
        "CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)",
        "CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT,url LONGVARCHAR,title LONGVARCHAR,visit_count INTEGER DEFAULT 0 NOT NULL,"
        "typed_count INTEGER DEFAULT 0 NOT NULL,last_visit_time INTEGER NOT NULL,hidden INTEGER DEFAULT 0 NOT NULL)",
        "CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT,url INTEGER NOT NULL,visit_time INTEGER NOT NULL,from_visit INTEGER,"
        "transition INTEGER DEFAULT 0 NOT NULL,segment_id INTEGER,visit_duration INTEGER DEFAULT 0 NOT NULL)",
        rows=[("INSERT INTO urls VALUES(?,?,?,?,?,?,?)", urls), ("INSERT INTO visits VALUES(?,?,?,?,?,?,?)", rows)],
    )


def chrome_cookies(dice: random.Random, hosts: int, start: datetime) -> bytes:
    """``Cookies`` of Chrome of so many different sites."""
    rows = []
    for number in range(hosts):
        when = webkit(start + timedelta(hours=number))
        rows.append((when, f".{dice.choice(WORDS)}{number}.example", "session", "", "/", when + 10**13, 0, 0, when, 1, 1, 1))
    return database(
        "CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR)",
        "CREATE TABLE cookies(creation_utc INTEGER NOT NULL,host_key TEXT NOT NULL,name TEXT NOT NULL,value TEXT NOT NULL,path TEXT NOT NULL,"
        "expires_utc INTEGER NOT NULL,is_secure INTEGER NOT NULL,is_httponly INTEGER NOT NULL,last_access_utc INTEGER NOT NULL,"
        "has_expires INTEGER NOT NULL,is_persistent INTEGER NOT NULL,priority INTEGER NOT NULL)",
        rows=[("INSERT INTO cookies VALUES(?,?,?,?,?,?,?,?,?,?,?,?)", rows)],
    )
