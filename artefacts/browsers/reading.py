"""The frame that every parser of a browser's database shares: whose it is, whether it is one at all, and its times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from artefacts.browsers.profiles import Owner, owner
from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.observations import Observation
from artefacts.registry import EvidenceFile
from artefacts.sqlite import Database, Row
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp

Results = Iterator[Observation | Problem]

_PROFILE_FILES = frozenset(
    (
        "preferences", "secure preferences", "cookies", "web data", "favicons", "login data", "top sites", "shortcuts", "bookmarks", "history",
        "prefs.js", "places.sqlite", "cookies.sqlite", "formhistory.sqlite", "permissions.sqlite", "favicons.sqlite", "compatibility.ini", "times.json",
    )
)  # fmt: skip


def read_database(
    file: EvidenceFile, family: str, tables: dict[str, tuple[str, ...]], read: Callable[[Database, Owner], Results]
) -> Results:
    """What ``read`` finds in ``file``, if that is a database with one of ``tables`` (name: the columns it must have).

    Raises ``Unrecognised`` or ``Encrypted`` for a file in a browser's profile that is not such a database. Common names (History)
    are looked for everywhere, so elsewhere a file of another kind is only ``skipped by rule``. A database without tables gives nothing.
    """
    owned = owner(file, family)
    in_profile = owned.known or _profile_around(file)
    try:
        database = Database(file)
    except (Unrecognised, Encrypted) as error:
        if in_profile:
            raise
        yield Problem(f"in no browser's profile, {error}", Status.SKIPPED)
        return
    with database:
        if any(database.has(table, *columns) for table, columns in tables.items()):
            yield from database.problems
            yield from read(database, owned)
        elif database.problems or not database.tables:
            yield from database.problems
        elif in_profile:
            raise Unrecognised(f"a SQLite database, but without the table {' or '.join(tables)} of a {family} browser")
        else:
            yield Problem("in no browser's profile, a SQLite database of another program", Status.SKIPPED)


def is_address(text: str | None) -> bool:
    """Whether text looks like an address: for remnants, where anything may stand."""
    return text is not None and re.match(r"[a-z][a-z0-9+.-]{1,30}:\S", text) is not None


def time_of(row: Row | None, column: str, convert: Callable[[int], Time]) -> Time:
    """The time in a column of whole numbers, through one of the conversions of ``artefacts.times``."""
    if row is None or row.values[column] is None:
        return NOT_RECORDED
    value = row.integer(column)
    return NoTime(f"{column} holds no number") if value is None else convert(value)


def earlier(first: Time, second: Time) -> Time:
    """The earlier of two times; one that is absent does not count."""
    if not isinstance(first, Timestamp) or not isinstance(second, Timestamp):
        return first if isinstance(first, Timestamp) else second
    return min(first, second)


def later(first: Time, second: Time) -> Time:
    """The later of two times; one that is absent does not count."""
    if not isinstance(first, Timestamp) or not isinstance(second, Timestamp):
        return first if isinstance(first, Timestamp) else second
    return max(first, second)


def _profile_around(file: EvidenceFile) -> bool:
    own = file.name.lower()
    return sum(other.name.lower() in _PROFILE_FILES and other.name.lower() != own for other in file.siblings()) >= 2
