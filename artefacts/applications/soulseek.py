"""Nicotine+, a program for the Soulseek network: account, shared folders, searches, downloads and uploads.

``config`` is an INI file whose values are Python literals; the password in it is not read. ``downloads.json`` and ``uploads.json``: a list of lists (user, path at
the sender, folder here, status, size, bytes got, …).

Source: nicotine-plus, pynicotine/config.py and transfers.py; a configuration that Nicotine+ 3 writes.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from artefacts.applications.reading import MOST_FILES, Results, content, json_value, last_part, number_of, text_of
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, SearchQuery, SharedFile, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime

_SECTION = re.compile(r"\[([a-z]+)\]\s*$")
_SETTING = re.compile(r"([a-z_]+) = (.*)$")
_WANTED = frozenset(
    (("server", "login"), ("transfers", "shared"), ("transfers", "buddyshared"), ("transfers", "downloaddir"), ("searches", "history"))
)
_LONGEST = 1 << 20  # characters of one value
_NO_TIME = NoTime("Nicotine+ records no time for it here")


def _literal(value: str) -> Any:
    try:
        return ast.literal_eval(value) if len(value) <= _LONGEST else value
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value


def parse_config(file: EvidenceFile) -> Results:
    """``AccountUse`` for the account, ``SystemFact`` for folders, ``SearchQuery`` for each search remembered."""
    data, problems = content(file, 8 << 20)
    section = ""
    found: dict[tuple[str, str], tuple[int, Any]] = {}
    sections: set[str] = set()
    for number, line in enumerate(data.decode("utf-8", "backslashreplace").split("\n"), 1):
        if (head := _SECTION.match(line)) is not None:
            section = head[1]
            sections.add(section)
        elif (setting := _SETTING.match(line)) is not None and (section, setting[1]) in _WANTED:
            found[section, setting[1]] = (number, _literal(setting[2]))
    if not {"server", "transfers"} & sections:
        raise Unrecognised("not the settings of Nicotine+")
    yield from problems
    for (group, name), (number, value) in sorted(found.items()):
        locator = f"line={number}"
        if name == "login" and text_of(value):
            yield AccountUse(
                service="Soulseek (Nicotine+)", account=text_of(value), user=file.user, how="file sharing program", locator=locator
            )
        elif name == "downloaddir" and text_of(value):
            yield SystemFact(name="folder for files fetched with Nicotine+", value=str(text_of(value)), locator=locator)
        elif group == "searches" and isinstance(value, list):
            for terms in value[:10_000]:
                if text_of(terms):
                    yield SearchQuery(
                        terms=terms[:4096], engine="Soulseek", time=_NO_TIME, where="file sharing program", user=file.user, locator=locator
                    )
        elif isinstance(value, list):
            for item in value[:10_000]:
                folder = item[1] if isinstance(item, (tuple, list)) and len(item) > 1 else item
                if text_of(folder):
                    yield SystemFact(name="folder shared with Nicotine+", value=folder[:4096], locator=locator)


def parse_transfers(file: EvidenceFile) -> Results:
    """A ``SharedFile`` for each transfer; what was sent is ``shared``."""
    tree = json_value(file)
    if not isinstance(tree, list):
        raise Unrecognised("not a list of transfers")
    sent = file.name.lower().startswith("uploads")
    bad = 0
    for number, item in enumerate(tree[:MOST_FILES]):
        path = text_of(item[1]) if isinstance(item, list) and len(item) >= 4 else None
        if path is None:
            bad += 1
            continue
        folder, status = text_of(item[2]), text_of(item[3])
        name = last_part(path)
        moved = number_of(item[5]) if len(item) > 5 else None
        yield SharedFile(
            name=name, path=(path if sent else f"{folder.rstrip('/')}/{name}" if folder else None), size=number_of(item[4]) if len(item) > 4 else None,
            time=_NO_TIME, shared=True if sent else None, program="Nicotine+", state="complete" if status == "Finished" else "incomplete",
            uploaded=moved if sent else None, downloaded=None if sent else moved, user=file.user, locator=f"entry={number}",
        )  # fmt: skip
    if bad:
        yield Problem(f"{bad} entries are no transfers", Status.UNRECOGNISED)


_REFERENCES = ("https://github.com/nicotine-plus/nicotine-plus",)

ARTEFACTS = (
    Artefact(
        id="applications.soulseek.nicotine",
        title="Nicotine+ (Soulseek): settings",
        meaning="Account in the Soulseek network, folders that are shared, and searches.",
        paths=("**/nicotine/config", "**/nicotine/config.old"),
        parse=parse_config,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.soulseek.transfers",
        title="Nicotine+ (Soulseek): downloads and uploads",
        meaning="Files that were fetched from other users of Soulseek or sent to them.",
        paths=("**/nicotine/**/downloads.json", "**/nicotine/**/uploads.json"),
        parse=parse_transfers,
        references=_REFERENCES,
    ),
)
