"""Accounts of programs for messages, and files that were passed through them. No message is read.

Skype until version 7, ``main.db``: ``Accounts`` (``skypename``, times in seconds since 1970 UTC), ``Contacts`` (counted), ``Transfers`` (``type``: 1 received, 2 sent). Skype 8: the name of the
file, ``s4l-ACCOUNT.db``. Viber: the folder that ``viber.db`` lies in is the telephone number. Slack, ``root-state.json``: ``workspaces`` or ``teams``. Discord: ``user_id_cache`` in
its LevelDB. Element and others keep theirs encrypted or in a browser's storage.

Sources: plaso's notes on Skype; IPED, SkypeParser; KapeFiles, Targets/Apps; the specimens.
"""

from __future__ import annotations

import re
from typing import Any

from artefacts.applications.reading import Results, json_object, text_of
from artefacts.coverage import Problem, Unrecognised
from artefacts.leveldb.reading import LARGEST, records
from artefacts.observations import AccountUse, FileSeen, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database
from artefacts.sqlite.reading import number_time
from artefacts.times import from_unix

HOW = "messaging program"
_S4L = re.compile(r"s4l-(.+)\.db", re.IGNORECASE)
_USER_ID = b"user_id_cache"
_DIGITS = re.compile(rb"\d{15,20}")
_WAYS = {1: "received", 2: "sent", 3: "sent"}


def parse_skype(file: EvidenceFile) -> Results:
    """``AccountUse`` for each account, ``SystemFact`` for the number of contacts, ``FileSeen`` for each file passed."""
    with Database(file) as database:
        yield from database.problems
        if not database.has("Accounts", "skypename"):
            if database.tables and not database.problems:
                raise Unrecognised("a SQLite database, but not Skype's")
            return
        for row in database.rows("Accounts", ("skypename",), ("liveid_membername", "registration_timestamp", "profile_timestamp")):
            if isinstance(row, Problem):
                yield row
                continue
            name = row.text("skypename") or row.text("liveid_membername")
            if name:
                yield AccountUse(
                    service="Skype", account=name, last=number_time(row, "profile_timestamp", from_unix), user=file.user, how=HOW, locator=row.locator
                )  # fmt: skip
        if contacts := sum(not isinstance(row, Problem) for row in database.rows("Contacts", ("skypename",))):
            yield SystemFact(name="contacts in Skype", value=str(contacts), locator="table=Contacts")
        for row in database.rows("Transfers", ("filename",), ("type", "filepath", "filesize", "starttime", "finishtime")):
            if isinstance(row, Problem):
                yield row
                continue
            path = row.text("filepath") or row.text("filename")
            if path:
                way = _WAYS.get(row.integer("type") or 0, "passed")
                yield FileSeen(
                    path=path, size=row.integer("filesize"), used=number_time(row, "starttime", from_unix), how=HOW, user=file.user,
                    detail=f"Skype: file {way}{'' if row.integer('finishtime') else ', not finished'}", locator=row.locator,
                )  # fmt: skip


def parse_skype_8(file: EvidenceFile) -> Results:
    """One ``AccountUse``, by the name of the file."""
    name = _S4L.fullmatch(file.name)
    if name is not None:
        yield AccountUse(service="Skype", account=name[1].replace("!", ":"), user=file.user, how=HOW, locator="name of the file")


def parse_viber(file: EvidenceFile) -> Results:
    """One ``AccountUse``: the telephone number that the folder is named after."""
    folder = file.path.split("/")[-2] if file.path.count("/") > 1 else ""
    if re.fullmatch(r"\d{7,15}", folder):
        yield AccountUse(service="Viber", account=f"+{folder}", user=file.user, how=HOW, locator="name of the folder")


def parse_slack(file: EvidenceFile) -> Results:
    """An ``AccountUse`` for each workspace."""
    tree = json_object(file)
    teams: Any = tree.get("workspaces") or tree.get("teams")
    if not isinstance(teams, dict):
        raise Unrecognised("not the state of Slack")
    for key, team in sorted(teams.items())[:1000]:
        if isinstance(team, dict):
            name = text_of(team.get("url")) or text_of(team.get("domain")) or text_of(team.get("name"))
            yield AccountUse(service="Slack", account=name or key[:100], user=file.user, how=HOW, locator=key[:100])


def parse_discord(file: EvidenceFile) -> Results:
    """An ``AccountUse`` for each account number that Discord keeps to show who was signed in."""
    seen: set[bytes] = set()
    for record in records(file.read(LARGEST)):
        if isinstance(record, Problem):
            yield record
            continue
        if record.value is None or _USER_ID not in record.key:
            continue
        number = _DIGITS.search(record.value)
        if number is not None and number[0] not in seen:
            seen.add(number[0])
            yield AccountUse(
                service="Discord", account=f"number {number[0].decode()}", user=file.user, how=HOW, locator=f"offset={record.offset}"
            )


_REFERENCES = ("https://github.com/EricZimmerman/KapeFiles/tree/master/Targets/Apps",)

ARTEFACTS = (
    Artefact(
        id="applications.messengers.skype",
        title="Skype until version 7: account and files",
        meaning="The Skype account, how many contacts it has, and names of files that were sent or received. No messages.",
        paths=("**/Skype/*/main.db",),
        parse=parse_skype,
        references=("https://plaso.readthedocs.io/en/latest/sources/user/Parsers-and-plugins.html",),
        validation="specimen of Skype; generated",
    ),
    Artefact(
        id="applications.messengers.skype_8",
        title="Skype 8: account",
        meaning="The Skype account. No messages.",
        paths=("**/Skype*/**/s4l-*.db",),
        parse=parse_skype_8,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.messengers.viber",
        title="Viber: account",
        meaning="The telephone number that Viber was used with. No messages.",
        paths=("**/ViberPC/*/viber.db", "**/.ViberPC/*/viber.db"),
        parse=parse_viber,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.messengers.slack",
        title="Slack: workspaces",
        meaning="Workspaces of Slack that were used here. No messages.",
        paths=("**/Slack/storage/root-state.json",),
        parse=parse_slack,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.messengers.discord",
        title="Discord: account",
        meaning="The number of the Discord account. No messages.",
        paths=("**/discord/Local Storage/leveldb/*.ldb", "**/discord/Local Storage/leveldb/*.log"),
        parse=parse_discord,
        references=_REFERENCES,
    ),
)
